"""The first page of the app where everything fails, and every failure has a secret of the environment in it."""

import logging
import os

import gradio as gr
import huggingface_hub

from gensot_demo.shell.build import PAGES, build_app
from gensot_demo.shell.launch import launch_options

FIRST = PAGES[0]


def refused(*arguments, **options):
    raise OSError(f"401 Client Error for {os.environ['HF_HOME']} with Bearer {os.environ['HF_TOKEN']}")


def crash(text: str) -> str:
    """Crashes."""
    logging.getLogger(__name__).error("crashing with %s", os.environ["HF_TOKEN"])
    print(f"about to crash: {os.environ['DATABASE_PASSWORD']}")
    raise RuntimeError(f"{text}: {os.environ['HF_TOKEN']}, {os.environ['DATABASE_PASSWORD']}")


def build() -> None:
    FIRST.build()
    gr.api(crash, api_name="crash")


if __name__ == "__main__":
    from dataclasses import replace

    huggingface_hub.hf_hub_download = refused
    build_app([replace(PAGES[0], build=build)]).launch(**launch_options())
