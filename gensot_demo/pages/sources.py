"""The Sources page: what each line of research says, where the app shows it, and what we found different."""

from __future__ import annotations

import re
from pathlib import Path

import gradio as gr

from gensot_demo.experiments.plane.methods import METHODS
from gensot_demo.guidance.registry import REGISTRY

TEXT = Path(__file__).with_name("sources.md").read_text(encoding="utf-8")
_PAPER = re.compile(r"arXiv (\d{4}\.\d{4,5})")


def build() -> None:
    """The page's content, inside its Blocks."""
    gr.Markdown(TEXT, elem_classes="gensot-sources")
    listed = [(method.label, method.source) for method in map(REGISTRY.get, REGISTRY.methods)]
    gr.Markdown("### The guidance methods\n" + table(listed), elem_classes="gensot-sources")
    listed = [(method.label, method.source) for method in METHODS.values()]
    gr.Markdown("### The methods in the plane\n" + table(listed), elem_classes="gensot-sources")


def table(listed: list[tuple[str, str]]) -> str:
    """(label, source) of each method as a Markdown table, every paper a link."""
    rows = "\n".join(f"| {label} | {linked(source)} |" for label, source in listed)
    return f"\n| Method | Source |\n|---|---|\n{rows}\n"


def linked(source: str) -> str:
    """``arXiv 2209.14687`` as a link to the paper, wherever it stands in the text."""
    return _PAPER.sub(r"[arXiv \1](https://arxiv.org/abs/\1)", source)
