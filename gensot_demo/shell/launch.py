"""How the app is served: limits and privacy for a public launch, and what goes into the page's head."""

import os
from pathlib import Path

from gensot_demo.experiments.device import run_seconds
from gensot_demo.figures.component import PLOTLY_ADDRESS, SCRIPT_ADDRESS
from gensot_demo.redaction import guard_output
from gensot_demo.shell import static, tour
from gensot_demo.shell.films import Films
from gensot_demo.shell.frame import SENTENCE
from gensot_demo.shell.memory import give_back_freed_memory
from gensot_demo.shell.own_methods import OwnMethods
from gensot_demo.shell.pillow import guard_pillow
from gensot_demo.shell.space_links import OPEN_NAMED_PAGE
from gensot_demo.shell.theme import theme
from gensot_demo.switches import switched_on

SESSIONS_KEPT = 2000
"""Of how many tabs the small things that Gradio holds for each are kept; the one least lately used goes first."""
ASSETS = Path(__file__).parents[2] / "assets"


def on_space() -> bool:
    """Whether the app runs as a Hugging Face Space."""
    return bool(os.environ.get("SPACE_ID"))


def launch_options(own: OwnMethods | None = None) -> dict:
    """The arguments of `Blocks.launch` for a public app, or for one with methods of one's own. From here on the process
    prints no secrets and opens no pictures but common ones.

    The address comes from PORT, else GRADIO_SERVER_PORT, else 7860 and up; and from GRADIO_SERVER_NAME.
    """
    _require_run_seconds()
    guard_output()
    guard_pillow()
    give_back_freed_memory()
    routes, script = [*static.routes(), *Films().routes()], ""
    if own is not None:
        routes += own.routes()
        script = f"<script>{own.script()}</script>"
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    return {
        "server_port": _port(),
        "theme": theme(),
        "head": _head() + script,
        "favicon_path": ASSETS / "icon.svg",
        "footer_links": [],
        "show_error": False,  # gr.Error is shown nevertheless: our sentences are, a library's words are not
        "max_file_size": "32mb",
        "allowed_paths": [],
        "strict_cors": True,
        "enable_monitoring": False,
        "state_session_capacity": SESSIONS_KEPT,
        "run_history": False,
        "mcp_server": switched_on("GRADIO_MCP_SERVER"),
        "pwa": False,
        "ssr_mode": False,  # its Node server would stand before our routes
        "app_kwargs": {"routes": routes, "docs_url": None, "redoc_url": None, "middleware": [OPEN_NAMED_PAGE]},
    }


def _head() -> str:
    # Inline: in place before the page is drawn, and `css=` would rewrite selectors such as body.dark.
    css = _read("app.css", "pages.css", "tour.css")
    script = f"{_read('app.js')}window.gensotTour = {tour.data()};\n{_read('tour.js', 'sharing.js', 'presence.js')}"
    return (
        f'<meta name="description" content="{SENTENCE}">'
        # Fetched while Gradio starts: every page has figures.
        f'<link rel="preload" as="script" href="{PLOTLY_ADDRESS}"><link rel="modulepreload" href="{SCRIPT_ADDRESS}">'
        f"<style>{css}</style><script>{script}</script>"
    )


def _read(*names: str) -> str:
    return "".join((ASSETS / name).read_text(encoding="utf-8") for name in names)


def _require_run_seconds() -> None:
    try:
        run_seconds()
    except ValueError as error:
        raise SystemExit(str(error)) from None


def _port() -> int | None:
    text = os.environ.get("PORT") or os.environ.get("GRADIO_SERVER_PORT")
    if not text:
        return None
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise SystemExit(f"PORT is {text!r}; it must be a number from 1 to 65535")
    return int(text)
