"""The controls of the Compare page that choose methods, family by family, and set each one up.

The choices never change: only what is chosen and what is in sight does.
"""

from __future__ import annotations

from typing import Any, get_args

import gradio as gr

from gensot_demo.experiments.requests import DEFAULT_METHODS
from gensot_demo.guidance.base import Family, GuidanceMethod
from gensot_demo.guidance.registry import REGISTRY

from .controls import METHODS, Controls, setting_control
from .events import QUIET
from .task_values import ASK_CONDITIONS, ASK_FOLLOW, ASK_RESTORE, ASK_REWARD

_USUAL = {
    ASK_FOLLOW: DEFAULT_METHODS,
    ASK_CONDITIONS: ("unguided", "conditional", "cfg", "gensot"),
    ASK_RESTORE: ("unguided", "dps", "pigdm", "ddnm", "repaint", "gensot"),
    ASK_REWARD: ("unguided", "lgd", "mpgd", "best_of_n", "twisted_smc", "gensot"),
}


def usual_methods(ask: str) -> list[str]:
    """What is first compared on a task of this kind, of the methods that there are."""
    return [name for name in _USUAL[ask] if name in REGISTRY.methods]


def by_family() -> dict[str, dict[str, type[GuidanceMethod]]]:
    """Methods by name, by family; families in their own order, none empty."""
    found = {
        family: {name: method for name, method in REGISTRY.methods.items() if method.family == family}
        for family in get_args(Family)
    }
    return {family: methods for family, methods in found.items() if methods}


def method_controls(controls: Controls) -> None:
    """Which methods take part, and the settings of each."""
    families, groups = by_family(), []
    with gr.Accordion("Methods", open=True, elem_classes="gensot-methods"):
        for family, methods in families.items():
            controls[METHODS + family] = gr.CheckboxGroup(
                [(method.label, name) for name, method in methods.items()],
                value=[name for name in DEFAULT_METHODS if name in methods],
                label=family,
                elem_classes="gensot-family",
            )
            groups.append(controls[METHODS + family])
    for family, methods in families.items():
        _settings(controls, controls[METHODS + family], methods)
    controls["ask"].input(  # by hand only: a link brings its own methods
        lambda ask: list(controls.families(usual_methods(ask)).values()), controls["ask"], groups, **QUIET
    )
    for problem in REGISTRY.problems:
        gr.Markdown(problem)


def _settings(controls: Controls, group: gr.CheckboxGroup, methods: dict[str, type[GuidanceMethod]]) -> None:
    """What each method of a family does and how it is set, in sight where the method is chosen."""
    abouts = []
    for name, method in methods.items():
        chosen = name in group.value
        with gr.Accordion(f"{method.label}: what it does, settings", open=False, visible=chosen) as about:
            _explain(method)
            for field_name, declared in method.model_fields.items():
                controls.settings.append((name, field_name, setting_control(declared, field_name)))
        abouts.append(about)

    def shown(chosen: list[str] | None) -> Any:
        updates = [gr.update(visible=name in (chosen or [])) for name in methods]
        return updates if len(updates) > 1 else updates[0]

    group.change(shown, group, abouts, **QUIET)


def _explain(method: type[GuidanceMethod]) -> None:
    lines = [method.summary]
    if method.equation:
        lines.append(f"$${method.equation}$$")
    lines.append(f"*Cost per step: {method.cost}.*" + (f" *Source: {method.source}.*" if method.source else ""))
    gr.Markdown("\n\n".join(lines), latex_delimiters=[{"left": "$$", "right": "$$", "display": True}])
