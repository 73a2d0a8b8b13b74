"""Who asks, and how many runs one visitor may have."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import gradio as gr
import pytest

from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.pages.visitors import Guests, address, visitor


def asked(peer: str | None, forwarded: str | None = None, session: str = "tab") -> gr.Request:
    """A request from `peer`, with what its headers say of where it came from."""
    client = None if peer is None else SimpleNamespace(host=peer, port=1)
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    return gr.Request(session_hash=session, client=client, headers=headers)


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("8.8.8.8", None, "8.8.8.8"),
        ("8.8.8.8", "9.9.9.9", "8.8.8.8"),  # nobody's proxy: what it says of others is not believed
        ("10.1.2.3", "9.9.9.9", "9.9.9.9"),
        ("10.1.2.3", "1.1.1.1, 9.9.9.9", "9.9.9.9"),  # the first one may be the caller's own invention
        ("10.1.2.3", "9.9.9.9, 10.0.0.7", "9.9.9.9"),
        ("10.1.2.3", "nonsense, <b>", None),
        ("127.0.0.1", None, None),
        ("::1", "2606:4700::1111", "2606:4700::1111"),
        (None, "9.9.9.9", None),
    ],
)
def test_an_address_is_believed_only_of_the_nearest_proxy(peer, forwarded, found):
    assert address(asked(peer, forwarded)) == found


def test_a_page_is_known_by_its_session_and_a_call_by_name_by_its_address():
    request = asked("8.8.8.8")
    assert visitor(request) == "tab"
    assert visitor(request, by_name=True) == "8.8.8.8"
    assert visitor(asked("127.0.0.1"), by_name=True) == "tab"
    assert visitor(None) is None


def test_one_run_too_many_is_refused_with_the_limit_and_others_are_not():
    guests = Guests(most=2)
    with guests.admitted("a"), guests.admitted("a"):
        with pytest.raises(InvalidRequest, match="2 runs under way"), guests.admitted("a"):
            pass
        with guests.admitted("b"):
            pass
    with guests.admitted("a"):
        pass
    assert not guests._running


def test_the_place_is_free_after_an_error_a_close_and_an_end():
    guests = Guests(most=1)
    run = guests.limited(lambda: (_ for _ in ()), by_name=True)

    def steps():
        yield 1
        yield 2

    def failing():
        yield 1
        raise RuntimeError

    with guests.admitted("somebody else"):
        moments = guests.limited(steps, by_name=True)()
        assert next(moments) == 1
        assert guests._running[None] == 1
        moments.close()
        assert guests._running[None] == 0
        assert list(guests.limited(steps, by_name=True)()) == [1, 2]
        with pytest.raises(RuntimeError):
            list(guests.limited(failing, by_name=True)())
        assert run is not None
    assert not guests._running


def test_a_page_waits_for_its_older_run_to_end_where_a_newer_one_supersedes_it():
    guests, entered = Guests(most=1), []
    newer = None

    def second() -> None:
        with guests.admitted("tab", patience=20):
            entered.append("second")

    with guests.admitted("tab"):
        newer = threading.Thread(target=second, daemon=True)
        newer.start()
        newer.join(0.05)
        assert entered == []
    newer.join(20)
    assert entered == ["second"]
