"""The app in a process of its own, and a Chromium that watches for errors."""

from pathlib import Path

import pytest

from tools.chromium import FLAGS, MISSING, find_chromium, in_ci
from tools.running_app import running_app

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def app_url():
    """The address of the app."""
    with running_app() as address:
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


@pytest.fixture
def new_page(browser):
    """Makes pages, as in `new_page(width=390, color_scheme="dark", reduced_motion="reduce")`.

    Each lists in `console_errors` what its console called an error, exceptions, failed and refused requests, and
    requests to other hosts.
    """
    contexts = []

    def make(width: int = 1280, height: int = 900, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        errors = page.console_errors = []

        def note(what: str, wrong: bool = True) -> None:
            if wrong:
                errors.append(what)

        page.on("console", lambda message: note(message.text, message.type == "error"))
        page.on("pageerror", lambda error: note(str(error)))
        page.on("requestfailed", lambda request: note(f"{request.failure} {request.url}", not _cut_off(request)))
        page.on("response", lambda answer: note(f"{answer.status} {answer.url}", answer.status >= 400))
        page.on("request", lambda request: note(f"elsewhere: {request.url}", _elsewhere(request)))
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page):
    return new_page()


def _cut_off(request) -> bool:
    # How Gradio's event streams end when a page is left.
    return "gradio_api" in request.url and "ERR_ABORTED" in (request.failure or "")


def _elsewhere(request) -> bool:
    return request.url.startswith("http") and not request.url.startswith("http://127.0.0.1:")
