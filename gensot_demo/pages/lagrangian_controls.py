"""The controls that a page of the Lagrangian view has: its own, and the one that all share."""

from __future__ import annotations

from typing import Any, ClassVar

import gradio as gr

from gensot_demo.experiments.lagrangian.moving import LagrangianRequest
from gensot_demo.experiments.requests import parse

from .controls import NamedParts

_VIEWS = [("Follow the particles (Lagrangian)", "lagrangian"), ("Stand still and look (Eulerian)", "eulerian")]


def seed_box(visible: bool = True) -> gr.Number:
    """The box of a seed. What is no seed is told by the request, in the page's own words."""
    return gr.Number(0, label="Seed", visible=visible)


class LagrangianControls(NamedParts):
    """Components named like the fields of ``kind``. A page's own are made by ``_own``; ``view``, which the page puts
    over its player, is the last."""

    kind: ClassVar[type[LagrangianRequest]]

    def _build(self) -> None:
        self._own()
        self.parts["view"] = gr.Radio(
            _VIEWS, value="lagrangian", label="The same motion, seen in two ways", elem_id="view", render=False,
            elem_classes="gensot-family",
        )  # fmt: skip

    def _own(self) -> None:
        """Makes and places the page's own components, by ``self.parts[name]``."""
        raise NotImplementedError

    def needless(self, request: LagrangianRequest) -> set[str]:
        """Names of the parts that change nothing with these settings, and are hidden."""
        return set()

    def request(self, values: tuple[Any, ...]) -> LagrangianRequest:
        """The request of these values, an emptied one at its default; raises InvalidRequest with a sentence."""
        at = zip(self.parts, values, strict=True)
        return parse(self.kind, **{name: value for name, value in at if value is not None})

    def values(self, request: LagrangianRequest) -> list[Any]:
        """What the components show for a request."""
        hidden = self.needless(request)
        return [gr.update(value=getattr(request, name), visible=name not in hidden) for name in self.parts]

    def seen(self, request: LagrangianRequest) -> list[Any]:
        """The same without values: a person may be moving a slider on."""
        hidden = self.needless(request)
        return [gr.update(visible=name not in hidden) for name in self.parts]
