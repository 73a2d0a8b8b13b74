"""Who asks, and how many runs one visitor may have."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.context import LocalContext
from starlette.datastructures import Headers

from gensot_demo.experiments import limits
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.pages import named, visitors
from gensot_demo.pages.events import HEAVY, QUIET
from gensot_demo.pages.visitors import Guests, address, visitor


def asked(peer: str | None, forwarded: str | None = None, session: str = "tab") -> gr.Request:
    """A request from `peer`, with what its headers say of where it came from."""
    client = None if peer is None else SimpleNamespace(host=peer, port=1)
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    return gr.Request(session_hash=session, client=client, headers=headers)


@contextmanager
def event(request: gr.Request, number: str | None = None) -> Iterator[None]:
    """Inside, Gradio computes an event of that request."""
    tokens = LocalContext.request.set(request), LocalContext.event_id.set(number)
    try:
        yield
    finally:
        LocalContext.request.reset(tokens[0])
        LocalContext.event_id.reset(tokens[1])


@pytest.fixture
def session():
    with event(asked(None)):
        yield


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
        ("::1", "2606:4700::1111", "2606:4700::/64"),
        ("2606:4700::2:0:0:1", None, "2606:4700::/64"),  # one customer's, like the last
        ("::ffff:8.8.8.8", None, "8.8.8.8"),
        (None, "9.9.9.9", None),
    ],
)
def test_an_address_is_believed_only_of_the_nearest_proxy(peer, forwarded, found):
    assert address(asked(peer, forwarded)) == found


def test_a_proxys_own_line_counts_where_the_caller_sent_one_too():
    lines = Headers(raw=[(b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-for", b"9.9.9.9")])
    request = gr.Request(session_hash="tab", client=SimpleNamespace(host="10.1.2.3", port=1), headers=lines)
    assert address(request) == "9.9.9.9"


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


def test_the_place_is_free_after_an_error_a_close_and_an_end(session):
    guests = Guests(most=1)

    def steps():
        yield 1
        yield 2

    def failing():
        yield 1
        raise RuntimeError

    limited = guests.limited(steps, by_name=True)
    moments = limited()
    assert next(moments) == 1
    with pytest.raises(gr.Error, match="1 runs under way"):
        next(limited())
    moments.close()
    assert list(limited()) == [1, 2]
    with pytest.raises(RuntimeError):
        list(guests.limited(failing, by_name=True)())
    assert list(limited()) == [1, 2]
    assert not guests._running


def test_a_page_waits_for_its_older_run_to_end_where_a_newer_one_supersedes_it():
    guests, entered = Guests(most=1), []

    def second() -> None:
        with guests.admitted("tab", patience=20):
            entered.append("second")

    with guests.admitted("tab"):
        newer = threading.Thread(target=second, daemon=True)
        newer.start()
        end = time.monotonic() + 20
        while not guests._left._waiters and not entered:
            assert time.monotonic() < end
            time.sleep(0.001)
        assert entered == []
    newer.join(20)
    assert entered == ["second"]


def heavy():
    while True:
        yield ["running", "picture"]


def light():
    yield ["done", "picture"]


@pytest.fixture
def app(monkeypatch):
    """With a run of a page, light work of a page, and a run by name; its visitors are limited."""
    guests = Guests()
    monkeypatch.setattr(visitors, "GUESTS", guests)
    monkeypatch.setattr(named, "GUESTS", guests)
    monkeypatch.setattr(visitors, "_UNTIL_SUPERSEDED", 0.0)
    monkeypatch.setattr(visitors.TURNSTILE, "whose", visitors.TURNSTILE.whose)

    def answer(query: str) -> Iterator[dict]:
        """By name. Args and Returns are as every one's."""
        while True:
            yield {"account": visitors.TURNSTILE.whose()[0]}

    with gr.Blocks() as app:
        status, picture, go = gr.HTML(elem_id="status"), gr.HTML(), gr.Button()
        go.click(heavy, None, [status, picture], **HEAVY)
        go.click(light, None, [status, picture], **QUIET)
        named.publish(answer, "answer", "heavy")
    visitors.limit_visitors(app)
    return app


def handler(app: gr.Blocks, name: str):
    """The function behind the event of that handler."""
    return next(event.fn for event in app.fns.values() if event.fn.__name__ == name)


def test_the_fifth_run_of_a_page_is_refused_where_its_status_is_and_light_work_is_not(app, session):
    runs = [handler(app, "heavy")() for _ in range(limits.RUNS_OF_ONE_VISITOR)]
    assert [next(run) for run in runs] == [["running", "picture"]] * 4
    fifth = handler(app, "heavy")()
    line, picture = next(fifth)
    assert "4 runs under way" in line
    assert picture == gr.skip()
    with pytest.raises(gr.Error, match="4 runs under way"):
        next(fifth)
    assert next(handler(app, "light")()) == ["done", "picture"]
    runs[0].close()
    assert next(handler(app, "heavy")()) == ["running", "picture"]


def test_the_device_is_shared_between_visitors(app, session):
    assert visitors.TURNSTILE.whose is visitors.whose
    assert visitors.whose() == ("tab", None)


def test_a_program_has_one_share_whatever_sessions_it_draws(app, monkeypatch):
    accounts, runs = [], []
    for number in range(limits.RUNS_OF_ONE_VISITOR):
        with event(asked("8.8.8.8", session=f"drawn {number}"), f"event {number}"):
            runs.append(handler(app, "answer")("v=1"))
            accounts.append(next(runs[-1])["account"])
    assert accounts == ["8.8.8.8"] * 4
    with event(asked("8.8.8.8", session="one more"), "event 5"), pytest.raises(gr.Error, match="4 runs under way"):
        next(handler(app, "answer")("v=1"))
    for run in runs:
        run.close()
    assert not visitors.GUESTS._named
