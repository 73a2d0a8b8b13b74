"""The one figure component of the app: a plotly figure that updates in place and follows the page's theme.

Belongs to `figures`, and is the only file there that knows Gradio. It replaces `gr.Plot`, which drops animation frames,
loads a plotly.js of its own and redraws from nothing on every update.

What a figure may rely on (the drawing itself is `component.js`):

* Colours. Fonts, grids and backgrounds are set when a figure is drawn, for the page's light or dark theme, so a figure
  leaves them alone. Traces without a colour take the order of `palette.DATA`. Where a figure names a colour, it takes
  one from `palette`: on a dark page that becomes its dark counterpart. Other colours look the same in both themes.
* Size. Width follows the page; height is ``layout.height`` if the figure has one, else the component's ``height``.
* Text alternative. ``layout.meta["description"]`` of the figure, else the component's ``description``.
* Zoom survives an update: ``layout.uirevision`` is set where the figure does not set it.
"""

import json
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gradio as gr

from gensot_demo.figures import palette

SCRIPT = Path(__file__).with_name("component.js")
"""The component's JavaScript, served by the app shell as the ES module `gensot/figure.js`."""

SCRIPT_ADDRESS = f"gensot/figure.js?v={sha256(SCRIPT.read_bytes()).hexdigest()[:12]}"
PLOTLY_ADDRESS = f"gensot/plotly.js?v={version('plotly')}"
"""Where the app shell serves both, below the app's root. The versions let browsers keep them."""

PALETTE = {
    "data": palette.DATA,
    "ink": palette.INK,
    "muted": palette.MUTED,
    "line": palette.LINE,
    "paper": palette.PAPER,
    "sequential": palette.SEQUENTIAL,
    "diverging": palette.DIVERGING,
    "dark": palette.DARK,
}

_HTML = '<div class="gensot-figure"><div class="gensot-figure-plot"></div><p class="gensot-figure-note"></p></div>'

# Both are constants: Gradio evaluates templates as code, so nothing that a visitor wrote may reach them.
_ON_LOAD = f"""
const root = new URL(window.gradio_config?.root || "/", window.location.href).pathname.replace(/\\/$/, "");
import(`${{root}}/{SCRIPT_ADDRESS}`)
  .then((module) => module.mount({{
    element, props, watch, palette: {json.dumps(PALETTE)},
    plotly: `${{root}}/{PLOTLY_ADDRESS}`,
    select: (data) => trigger("select", data),
  }}))
  .catch((error) => {{
    element.querySelector(".gensot-figure-note").textContent =
      "This figure could not be loaded. Reload the page to try again.";
    console.error(error);
  }});
"""


class PlotlyFigure(gr.HTML):
    """A plotly figure on the page.

    The value is a plotly ``Figure``, the same as a dict, or its JSON text; ``None`` shows ``empty`` instead. To update
    it, make it an event's output and return (or yield) a new value: it is drawn with ``Plotly.react`` over the old one.
    float32 and integer arrays travel as base64, as plotly writes them.

    Its ``select`` event fires when a point is clicked; ``gr.EventData`` then holds ``curve``, ``name``, ``point``,
    ``x``, ``y`` and ``customdata``. These come from the visitor's browser: check them.
    """

    def __init__(
        self,
        value: Any = None,
        *,
        description: str = "",
        empty: str = "Nothing to show yet.",
        height: int = 320,
        filename: str = "gensot",
        label: str | None = None,
        scale: int | None = None,
        visible: bool = True,
        elem_id: str | None = None,
        elem_classes: list[str] | str | None = None,
        render: bool = True,
        key: int | str | None = None,
        html_template: str = _HTML,
        js_on_load: str = _ON_LOAD,
        **other: Any,
    ):
        """
        Parameters:
            value: the first figure, or None.
            description: what the figure shows, in a sentence, for people who do not see it.
            empty: what to do to get a figure, shown while there is none.
            height: pixels, 80 to 4000, for figures whose layout has no height.
            filename: name of a downloaded PNG or SVG, without extension.
            label: the component's name in the API.
        """
        if not 80 <= height <= 4000:
            raise ValueError(f"height is {height}; it must be between 80 and 4000 pixels")
        classes = [elem_classes] if isinstance(elem_classes, str) else list(elem_classes or [])
        if "gensot-figure-block" not in classes:
            classes.append("gensot-figure-block")
        own = {"description": description, "empty": empty, "height": height, "filename": filename}
        super().__init__(
            value,
            label=label,
            scale=scale,
            visible=visible,
            elem_id=elem_id,
            elem_classes=classes,
            render=render,
            key=key,
            html_template=html_template,
            js_on_load=js_on_load,
            apply_default_css=False,
            **(other | own),
        )

    def preprocess(self, payload: str | None) -> dict | None:
        """The figure as a dict. It comes from the visitor's browser: check it before use."""
        return json.loads(payload) if payload else None

    def postprocess(self, value: Any) -> str | None:
        """The figure's JSON text.

        One string is what the page handles fastest: Gradio compares values by writing them as JSON, twice per update,
        and watches every entry of a dict.
        """
        if value is None or isinstance(value, str):
            return value or None
        return figure_json(value)

    def api_info(self) -> dict[str, Any]:
        return {"type": "string", "description": "a plotly figure as JSON text"}

    def example_payload(self) -> str:
        return '{"data": [], "layout": {}}'

    def example_value(self) -> str:
        return self.example_payload()


def figure_json(figure: Any) -> str:
    """A plotly figure (``Figure``, or dict with numpy arrays) as JSON text, without its template: the page has one."""
    from plotly.io.json import to_json_plotly  # plotly takes long to import, and an empty page needs none

    parts = figure.to_dict() if hasattr(figure, "to_dict") else dict(figure)
    layout = {name: part for name, part in (parts.get("layout") or {}).items() if name != "template"}
    return to_json_plotly({**parts, "layout": layout})
