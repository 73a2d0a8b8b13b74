"""Links that go through a Space's own page."""

from urllib.parse import urljoin

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from gensot_demo.shell.space_links import OPEN_NAMED_PAGE


@pytest.fixture
def client():
    def shown(request):
        return PlainTextResponse(f"{request.url.path}?{request.url.query}")

    app = Starlette(routes=[Route("/{path:path}", shown, methods=["GET", "POST"])], middleware=[OPEN_NAMED_PAGE])
    return TestClient(app)


@pytest.mark.parametrize(
    ("asked", "opened"),
    [
        ("/?page=transport&v=1&method=cfg&method=dps&__theme=dark",
         "/transport?v=1&method=cfg&method=dps&__theme=dark"),
        ("/?page=energy", "/energy?"),
        ("/?page=transport&modes=1,1,.3,2;-1,0,.5,1", "/transport?modes=1%2C1%2C.3%2C2%3B-1%2C0%2C.5%2C1"),
    ],
)  # fmt: skip
def test_the_named_page_opens_with_the_rest_of_the_query(client, asked, opened):
    assert client.get(asked).text == opened


@pytest.mark.parametrize(
    "asked", ["/?page=moon", "/?page=//evil.example", "/?page=", "/?v=1", "/transport?page=grid", "/?page=../x"]
)
def test_everything_else_stays(client, asked):
    answer = client.get(asked, follow_redirects=False)
    assert answer.status_code == 200
    assert answer.text.rstrip("?") == asked


@pytest.mark.parametrize("asked", ["/a/demo?page=transport&seed=3", "/a/demo/?page=transport&seed=3"])
def test_below_a_root_path_it_stays_there(client, asked):
    below = TestClient(client.app, root_path="/a/demo")
    answer = below.get(asked, follow_redirects=False)
    assert urljoin(f"http://testserver{asked}", answer.headers["location"]) == (
        "http://testserver/a/demo/transport?seed=3"
    )
