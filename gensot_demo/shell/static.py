"""The scripts that the app serves besides Gradio's own: plotly.js from the installed package, and our modules."""

import gzip
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from gensot_demo.figures import ellipses, pad, player
from gensot_demo.figures.component import SCRIPT

# Addresses carry a version, so a browser may keep what it has.
_KEEP = {"Cache-Control": "public, max-age=31536000, immutable"}
_MODULES = {"ellipses": ellipses.SCRIPTS, "pad": pad.SCRIPTS, "player": player.SCRIPTS}
_JAVASCRIPT = "text/javascript; charset=utf-8"


@cache
def _plotly_gzipped() -> bytes:
    """plotly.js, 4.8 MB, as 1.5 MB; compressed once, when the first figure asks for it."""
    return gzip.compress((files("plotly") / "package_data" / "plotly.min.js").read_bytes(), compresslevel=6, mtime=0)


def _plotly(request: Request) -> Response:
    body = _plotly_gzipped()
    headers = _KEEP | {"Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        body = gzip.decompress(body)
    return Response(body, headers=headers, media_type=_JAVASCRIPT)


def _figure(request: Request) -> Response:
    return FileResponse(SCRIPT, headers=_KEEP, media_type=_JAVASCRIPT)


def _module(request: Request) -> Response:
    script = _MODULES.get(request.path_params["of"], {}).get(request.path_params["name"])
    if script is None:
        return Response(status_code=404)
    return FileResponse(script, headers=_KEEP, media_type=_JAVASCRIPT)


def routes() -> list[Route]:
    return [
        Route("/gensot/plotly.js", _plotly),
        Route("/gensot/figure.js", _figure),
        # A folder for each, so that its modules find each other.
        Route("/gensot/{of}/{version}/{name}", _module),
    ]
