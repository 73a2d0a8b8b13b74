"""The address that makes films: for this app's own pages, a few at a time."""

import io

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gensot_demo.experiments import limits
from gensot_demo.shell.films import ADDRESS, Films

ASKED = {"kind": "gif", "rate": "20", "hold": "0", "comment": "v=1"}
OWN = {"sec-fetch-site": "same-origin"}


def frame() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "PNG")
    return len(out.getvalue()).to_bytes(4, "big") + out.getvalue()


@pytest.fixture
def films():
    return Films()


@pytest.fixture
def client(films):
    with TestClient(Starlette(routes=films.routes())) as client:
        yield client


def test_frames_become_a_film(client):
    answer = client.post(ADDRESS, params=ASKED, content=frame() * 2, headers=OWN)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/gif"
    assert Image.open(io.BytesIO(answer.content)).size == (8, 8)


def test_an_older_browser_tells_its_pages_host(client):
    told = {"origin": "http://testserver"}
    assert client.post(ADDRESS, params=ASKED, content=frame(), headers=told).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site", "origin": "http://testserver"},
        {"origin": "https://elsewhere.example"}, {"origin": "null"},
    ],
)  # fmt: skip
def test_other_peoples_pages_get_none(client, headers):
    answer = client.post(ADDRESS, params=ASKED, content=frame(), headers=headers)
    assert answer.status_code == 403
    assert "own pages" in answer.json()["error"]


def test_what_is_wrong_is_a_sentence(client, monkeypatch):
    assert "neither a PNG" in client.post(ADDRESS, params=ASKED, content=b"\0\0\0\1x", headers=OWN).json()["error"]
    assert "'bmp'" in client.post(ADDRESS, params=ASKED | {"kind": "bmp"}, content=b"", headers=OWN).json()["error"]
    monkeypatch.setattr(limits, "FILM_BYTES", 50)
    assert "at most" in client.post(ADDRESS, params=ASKED, content=frame(), headers=OWN).json()["error"]


def test_a_long_line_is_told_at_once_and_empties_again(client, films, monkeypatch):
    monkeypatch.setattr(limits, "FILMS_WAITING", -1)
    answer = client.post(ADDRESS, params=ASKED, content=frame(), headers=OWN)
    assert (answer.status_code, "minute" in answer.json()["error"]) == (503, True)
    monkeypatch.undo()
    for _ in range(limits.FILMS_WAITING + 3):  # bad ones leave the line, too
        assert client.post(ADDRESS, params=ASKED, content=b"", headers=OWN).status_code == 422
    assert client.post(ADDRESS, params=ASKED, content=frame(), headers=OWN).status_code == 200


def test_only_posts_are_taken(client):
    assert client.get(ADDRESS).status_code == 405
