"""The app around the pages: theme, header and footer, navigation, limits, launch.

Imports `pages` and `figures`, never mathematics; nothing here imports torch, diffusers or POT, so that the page is up
in seconds.
"""

from gensot_demo.shell.build import PAGES, Page, build_app
from gensot_demo.shell.launch import launch_options, on_space

__all__ = ["PAGES", "Page", "build_app", "launch_options", "on_space"]
