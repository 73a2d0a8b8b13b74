"""Links of a Space. The outer page hands its query to the first page only: ``?page=transport&seed=3`` opens another."""

from urllib.parse import parse_qsl, quote, urlencode

from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gensot_demo.shell.build import PAGES

_KEY = "page"


class _OpenNamedPage:
    """Leads from the first page to the one that the query names, with the rest of the query; else changes nothing."""

    def __init__(self, app: ASGIApp):
        self._app = app
        self._names = {page.path.strip("/") for page in PAGES} - {""}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        target = self._target(scope)
        await (self._app if target is None else RedirectResponse(target))(scope, receive, send)

    def _target(self, scope: Scope) -> str | None:
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        if scope["path"].removeprefix(scope.get("root_path", "")).strip("/"):
            return None
        fields = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        name = dict(fields).get(_KEY)
        if name not in self._names:
            return None
        rest = urlencode([(key, text) for key, text in fields if key != _KEY])
        end = scope["path"].rpartition("/")[2]  # of a root path without a slash behind it: the last step must stay
        target = f"./{quote(end)}/{name}" if end else f"./{name}"
        return f"{target}?{rest}" if rest else target


OPEN_NAMED_PAGE = Middleware(_OpenNamedPage)
