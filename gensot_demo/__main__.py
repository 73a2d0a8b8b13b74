"""`python -m gensot_demo`: the command line of :mod:`.cli`."""

from gensot_demo.cli import app

app(prog_name="python -m gensot_demo")
