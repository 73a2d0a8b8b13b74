"""The app in a process of its own, and a Chromium that watches for errors."""

from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from tools.chromium import FLAGS, MISSING, find_chromium, in_ci
from tools.running_app import running_app

HERE = Path(__file__).parent
_CLOSING = "AbortError: signal is aborted without reason"
_CUT = "net::ERR_INCOMPLETE_CHUNKED_ENCODING"
_LEFT = (
    _CLOSING,
    _CUT,
    f"Failed to load resource: {_CUT}",
    "TypeError: network error",
    "Unexpected error 404: Not Found",
    "Unexpected error Connection errored out.",
    "net::ERR_ABORTED",
)


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


def pytest_terminal_summary(terminalreporter):
    """Why a test was tried again: what passes at its second try is still to be understood."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"tried again: {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)


@pytest.fixture(scope="session")
def app_url():
    """The address of the app, as it is served: first views are computed before they are asked for."""
    with running_app(GENSOT_WARM_UP="true") as address:
        yield address


@pytest.fixture(scope="session")
def figures_url():
    """The address of a small app with two pages of figures, in the same frame (figures_app.py)."""
    with running_app(HERE / "figures_app.py") as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    executable = find_chromium()
    if executable is None:
        if in_ci():
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def context_with(browser):
    """The context of these options, one for all tests: what a page has compiled once, the next one need not."""

    @cache
    def context_with(options: tuple):
        return browser.new_context(**dict(options))

    return context_with


@pytest.fixture
def new_page(context_with):
    """Makes pages, as in `new_page(width=390, color_scheme="dark", reduced_motion="reduce")`; nothing of them stays.

    Each lists in `console_errors` what its console called an error, exceptions, failed and refused requests, and
    requests to other hosts.
    """
    pages = []

    def make(width: int = 1280, height: int = 900, color_scheme="light", reduced_motion="no-preference", **options):
        context = context_with(tuple((name, _fixed(value)) for name, value in sorted(options.items())))
        page = context.new_page()
        pages.append(page)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=color_scheme, reduced_motion=reduced_motion)
        page.set_default_timeout(30_000)
        page.console_errors = errors = _Errors()
        page.on("console", lambda message: errors.note(message.text, message.type == "error"))
        page.on("pageerror", lambda error: errors.note(str(error)))
        page.on("requestfailed", lambda request: errors.note(f"{request.failure} {request.url}", not _cut_off(request)))
        page.on("response", lambda answer: errors.note(f"{answer.status} {answer.url}", answer.status >= 400))
        page.on("request", lambda request: errors.note(f"elsewhere: {request.url}", _elsewhere(request)))
        page.on("request", lambda request: errors.leave(request.is_navigation_request()))
        page.on("domcontentloaded", lambda _: errors.arrive())
        return page

    yield make
    with ExitStack() as leaving:  # one that fails, as a crashed page does, keeps none of the others
        for page in pages:
            leaving.callback(page.close)
            leaving.callback(page.context.clear_cookies)
            leaving.callback(_clear_storage, page)


@pytest.fixture
def page(new_page):
    return new_page()


class _Errors(list):
    """What is wrong with a page, without what Gradio says of the streams of a page while it is being left: it closes
    them, or its events open one more that ends with its session.
    """

    _leaving_from: int | None = None

    def note(self, what: str, wrong: bool = True) -> None:
        self.leave(what.startswith(_CLOSING))
        if wrong:
            self.append(what)

    def leave(self, leaving: bool) -> None:
        if leaving and self._leaving_from is None:
            self._leaving_from = len(self)

    def arrive(self) -> None:
        if self._leaving_from is not None:
            said = self[self._leaving_from :]
            self[self._leaving_from :] = [what for what in said if not what.startswith(_LEFT)]
            self._leaving_from = None


def _clear_storage(page) -> None:
    if page.url.startswith("http"):
        page.evaluate("() => localStorage.clear()")


def _fixed(value):
    return tuple(value) if isinstance(value, list) else value


def _cut_off(request) -> bool:
    # How Gradio's event streams end when a page is left.
    return "gradio_api" in request.url and "ERR_ABORTED" in (request.failure or "")


def _elsewhere(request) -> bool:
    return request.url.startswith("http") and not request.url.startswith("http://127.0.0.1:")
