"""Two ellipses in the plane that a person drags by their handles: the source, which stays centred, and the target.

The drawing is `ellipses.js`. The value is JSON text that comes from the visitor's browser: a page reads it with
:func:`read_ellipses`, which checks it, and writes it with :func:`ellipses_value`.
"""

from __future__ import annotations

import json
import math
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

_SCRIPT = Path(__file__).with_name("ellipses.js")
SCRIPTS = {_SCRIPT.name: _SCRIPT}
"""The module, served by the app shell."""

SCRIPT_ADDRESS = f"gensot/ellipses/{sha256(_SCRIPT.read_bytes()).hexdigest()[:12]}/ellipses.js"
_LONGEST = 2000  # characters of a value

_ON_LOAD = f"""
const root = new URL(window.gradio_config?.root || "/", window.location.href).pathname.replace(/\\/$/, "");
import(`${{root}}/{SCRIPT_ADDRESS}`)
  .then((module) => module.mount({{ element, props, watch, send: () => trigger("input") }}))
  .catch((error) => {{
    element.querySelector(".gensot-ellipses-note").textContent = "The ellipses could not be loaded. Use the sliders.";
    console.error(error);
  }});
"""
_HTML = '<div class="gensot-ellipses"><svg role="group"></svg><p class="gensot-ellipses-note"></p></div>'


class Ellipse(NamedTuple):
    """Centre, standard deviations along and across, and the angle of the first, degrees in [0, 180)."""

    x: float
    y: float
    along: float
    across: float
    angle: float


class EllipsePad(gr.HTML):
    """Ellipses at two standard deviations, with a handle at the end of either axis and one at the target's centre.

    Its ``input`` event fires while a person drags, ten times a second at most, and at the end; also for arrow keys on a
    focused handle. A handler must not answer with a value for this component: the person has dragged on. Values set
    from Python while nothing is dragged are shown.
    """

    def __init__(
        self,
        value: str | None = None,
        *,
        reach: float = 6.0,
        narrowest: float = 0.1,
        widest: float = 2.0,
        farthest: float = 2.0,
        html_template: str = _HTML,
        js_on_load: str = _ON_LOAD,
        **other: Any,
    ):
        """
        Parameters:
            reach: the plane goes from minus to plus this on both axes.
            narrowest: standard deviation of the source at least; the target may be flat.
            widest: standard deviation at most.
            farthest: how far the target's centre may lie from 0 on either axis.
        """
        own = {"reach": reach, "narrowest": narrowest, "widest": widest, "farthest": farthest}
        classes = [*other.pop("elem_classes", []), "gensot-figure-block"]
        other.setdefault("apply_default_css", False)
        super().__init__(
            value, html_template=html_template, js_on_load=js_on_load, elem_classes=classes, **(other | own)
        )

    def api_info(self) -> dict[str, Any]:
        return {"type": "string", "description": "source and target, each x, y, along, across, angle, as JSON text"}

    def example_payload(self) -> str:
        return ellipses_value(Ellipse(0, 0, 1.4, 0.55, 0), Ellipse(0, 0, 1.75, 0.65, 46))

    def example_value(self) -> str:
        return self.example_payload()


def ellipses_value(source: Ellipse, target: Ellipse) -> str:
    """The value as JSON text."""
    return json.dumps({"source": list(source), "target": list(target)})


def read_ellipses(value: Any) -> tuple[Ellipse, Ellipse]:
    """Source and target of a value; raises ValueError with a sentence where it is none. Ranges are the request's."""
    try:
        if not isinstance(value, str) or len(value) > _LONGEST:
            raise ValueError
        found = json.loads(value)
        rows = [[float(number) for number in found[name]] for name in ("source", "target")]
        if not all(len(row) == 5 and all(map(math.isfinite, row)) for row in rows):
            raise ValueError
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise ValueError("The ellipses cannot be read: each must be five finite numbers.") from None
    return Ellipse(*rows[0]), Ellipse(*rows[1])
