"""A place to drop a picture that was made here: its settings come back, on the page that made it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from gensot_demo.backbones.errors import BackboneUnavailable
from gensot_demo.experiments import limits, links
from gensot_demo.experiments.grid import request as grid
from gensot_demo.experiments.picture_settings import read_settings
from gensot_demo.experiments.requests import InvalidRequest

from . import report
from .events import QUIET

_READERS = {"/": links.from_query, "/grid": grid.from_query}
_GO = """(target) => {
  if (!target) return;
  const root = new URL(window.gradio_config?.root || "/", location.href).pathname.replace(/\\/$/, "");
  location.assign(root + target);
}"""


def picture_drop() -> None:
    """The place, and what it says; a picture that cannot be used leaves the page as it is."""
    with gr.Accordion("Restore the settings of a picture", open=False, elem_classes="gensot-drop"):
        file = gr.File(
            label="Drop a picture made here to restore its settings", type="filepath", height=130, elem_id="dropped"
        )
        said = gr.HTML(elem_id="dropped-status")
        gr.Markdown(
            "Every picture of the walls here, and every sheet, holds the settings that made it. Save it as it is: "
            "copies from a chat do not. A drawn or uploaded picture that was followed does not travel.",
            elem_classes="gensot-lead",
        )
    target = gr.Textbox(visible="hidden")
    file.upload(_restored, file, [target, said], **QUIET).then(None, target, None, js=_GO, api_visibility="private")
    file.clear(lambda: ["", ""], None, [target, said], **QUIET)


def _restored(path: str | None) -> list[Any]:
    """[address below the app's root, or nothing; status] of a dropped file."""
    try:
        if not path:
            raise InvalidRequest("No file arrived; try again.")
        size = Path(path).stat().st_size
        if size > limits.MAX_UPLOAD_BYTES:
            raise InvalidRequest(
                f"The picture file has {size / 1e6:.1f} MB; at most {limits.MAX_UPLOAD_BYTES / 1e6:.0f} MB are read."
            )
        found = read_settings(Path(path).read_bytes())
        if found.page not in _READERS:
            raise InvalidRequest(f"This picture is of the page {found.page!r}, which does not take settings back.")
        _READERS[found.page](found.query)
    except (InvalidRequest, BackboneUnavailable) as error:
        return ["", report.status(str(error), kind="error")]
    return [f"{found.page}?{found.query}", report.status("The settings were read; the page opens with them…")]
