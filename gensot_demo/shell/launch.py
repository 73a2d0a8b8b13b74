"""How the app is served: limits and privacy for a public launch, and what goes into the page's head."""

import os
from pathlib import Path

from gensot_demo.figures.component import PLOTLY_ADDRESS, SCRIPT_ADDRESS
from gensot_demo.shell import static
from gensot_demo.shell.films import Films
from gensot_demo.shell.frame import SENTENCE
from gensot_demo.shell.own_methods import OwnMethods
from gensot_demo.shell.space_links import OPEN_NAMED_PAGE
from gensot_demo.shell.theme import theme

ASSETS = Path(__file__).parents[2] / "assets"


def on_space() -> bool:
    """Whether the app runs as a Hugging Face Space."""
    return bool(os.environ.get("SPACE_ID"))


def launch_options(own: OwnMethods | None = None) -> dict:
    """The arguments of `Blocks.launch` for a public app, or for one with methods of one's own.

    The address comes from PORT, else GRADIO_SERVER_PORT, else 7860 and up; and from GRADIO_SERVER_NAME.
    """
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
        "show_error": True,
        "max_file_size": "32mb",
        "allowed_paths": [],
        "strict_cors": True,
        "enable_monitoring": False,
        "run_history": False,
        "mcp_server": False,
        "pwa": False,
        "ssr_mode": False,  # its Node server would stand before our routes
        "app_kwargs": {"routes": routes, "docs_url": None, "redoc_url": None, "middleware": [OPEN_NAMED_PAGE]},
    }


def _head() -> str:
    # Inline: in place before the page is drawn, and `css=` would rewrite selectors such as body.dark.
    css = (ASSETS / "app.css").read_text(encoding="utf-8")
    script = (ASSETS / "app.js").read_text(encoding="utf-8")
    return (
        f'<meta name="description" content="{SENTENCE}">'
        # Fetched while Gradio starts: every page has figures.
        f'<link rel="preload" as="script" href="{PLOTLY_ADDRESS}"><link rel="modulepreload" href="{SCRIPT_ADDRESS}">'
        f"<style>{css}</style><script>{script}</script>"
    )


def _port() -> int | None:
    text = os.environ.get("PORT") or os.environ.get("GRADIO_SERVER_PORT")
    if not text:
        return None
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise SystemExit(f"PORT is {text!r}; it must be a number from 1 to 65535")
    return int(text)
