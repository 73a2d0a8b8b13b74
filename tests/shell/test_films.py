"""The address that makes films: for this app's own pages, a few at a time."""

import asyncio
import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from unittest.mock import AsyncMock

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from gensot_demo.experiments import limits
from gensot_demo.shell import films as films_module
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


class Encoder:
    """In the place of `encoded`: films end when they may."""

    def __init__(self) -> None:
        self.may_end, self.inside, self.most = threading.Event(), 0, 0

    def __call__(self, *_) -> bytes:
        self.inside += 1
        self.most = max(self.most, self.inside)
        assert self.may_end.wait(20)
        self.inside -= 1
        return b"film"


@pytest.fixture
def encoder(monkeypatch):
    encoder = Encoder()
    monkeypatch.setattr(films_module, "encoded", encoder)
    monkeypatch.setattr(films_module, "_LOOKS", 0.01)
    yield encoder
    encoder.may_end.set()


def of(number: int) -> dict[str, str]:
    """Headers that a visitor's request has behind a proxy."""
    return OWN | {"x-forwarded-for": f"8.8.8.{number}"}


def until(condition) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_one_film_at_a_time_and_a_long_line_is_told_at_once(films, encoder):
    proxied = TestClient(Starlette(routes=films.routes()), client=("127.0.0.1", 1))
    with proxied as client, ThreadPoolExecutor(8) as visitors:

        def sent(number: int):
            return client.post(ADDRESS, params=ASKED, content=frame(), headers=of(number))

        waiting = [visitors.submit(sent, number) for number in range(limits.FILMS_WAITING + 1)]
        until(lambda: len(films._inside) == len(waiting) and encoder.inside)
        again, refused = sent(0), sent(99)
        encoder.may_end.set()
        assert (again.status_code, "of yours" in again.json()["error"]) == (503, True)
        assert (refused.status_code, "minute" in refused.json()["error"]) == (503, True)
        assert [one.result(20).content for one in waiting] == [b"film"] * len(waiting)
        assert encoder.most == 1
        for _ in range(limits.FILMS_WAITING + 3):
            assert sent(0).status_code == 200
        assert films._inside == []


def test_bad_films_leave_the_line_too(client, films):
    for _ in range(limits.FILMS_WAITING + 3):
        assert client.post(ADDRESS, params=ASKED, content=b"", headers=OWN).status_code == 422
    assert films._inside == []


def test_who_leaves_while_waiting_gives_the_place_up(films, monkeypatch):
    monkeypatch.setattr(films_module, "_LOOKS", 0.001)
    gone = SimpleNamespace(is_disconnected=AsyncMock(return_value=True))
    here = SimpleNamespace(is_disconnected=AsyncMock(return_value=False))

    async def line() -> None:
        async with films._turn(here):
            with pytest.raises(ClientDisconnect):
                async with films._turn(gone):
                    raise AssertionError("two films at a time")
        async with asyncio.timeout(20), films._turn(here):
            assert films._encoding.locked()
        assert not films._encoding.locked()

    asyncio.run(line())


def test_only_posts_are_taken(client):
    assert client.get(ADDRESS).status_code == 405
