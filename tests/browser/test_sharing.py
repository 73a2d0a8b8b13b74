"""A page in another page's frame, and as a Python program."""

import contextlib
import html
import io
import re

import pytest

from gensot_demo.shell.build import ENDPOINTS
from tests.browser.compare_page import open_compare

SMALL = "v=1&follow_average=faces*1&steps=8&samples=2&resolution=32&method=unguided&method=gensot"


def run(program: str) -> list[str]:
    """What a program prints, when it is really run."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(program, "copied", "exec"), {})
    return printed.getvalue()


def test_the_copied_program_gives_what_the_page_shows(app_url, new_page):
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    open_compare(page, app_url, SMALL + "&seed=41&__tour=4")
    page.wait_for_function("document.querySelectorAll('#wall img').length === 4")
    page.get_by_role("button", name="Copy as Python").click()
    page.get_by_text("Python program copied").wait_for()
    program = page.evaluate("navigator.clipboard.readText()")
    assert f'Client("{app_url}", ' in program
    assert 'api_name="/compare"' in program
    assert "__tour" not in program
    shown = page.locator("#wall .gensot-wall-row .gensot-wall-caption").all_inner_texts()
    names = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(program, "copied", "exec"), names)
    found = names["result"]["methods"]
    assert [name for part in found.values() for name in part["nearest"]] == shown  # exact pictures: their own names


@pytest.mark.parametrize("path", ["/robustness", "/navigation", "/failures", "/scoreboard", "/adaptive", "/directions"])
def test_every_kind_of_page_gives_a_program_that_runs(app_url, page, path):
    page.goto(f"{app_url}{path}")
    page.wait_for_selector(".gensot-footer [data-endpoint]")
    program = page.evaluate("gensot.snippet()")
    assert f'api_name="/{ENDPOINTS[path]}"' in program
    assert run(program).splitlines()[-1].startswith("['")  # the client has a word before it


def test_a_hostile_address_stays_text(app_url, page):
    page.goto(f"{app_url}/robustness")
    page.wait_for_selector(".gensot-footer [data-endpoint]")
    nasty = '"); import os; os.abort()  # \\ \u2028 \n \U0001f600 </script>'
    page.evaluate("(text) => history.replaceState(null, '', '?law=' + encodeURIComponent(text))", nasty)
    program = page.evaluate("gensot.snippet('who/gensot')")
    assert 'Client("who/gensot", ' in program
    compile(program, "copied", "exec")
    assert len(program.splitlines()) == 8
    frame = page.evaluate("gensot.embedCode()")
    assert re.fullmatch(r'<iframe src="[^"<>]*" title="[^"<>]*" width="100%" height="900" [^<>]*></iframe>', frame)


def test_a_page_without_an_endpoint_offers_no_program(app_url, page):
    page.goto(f"{app_url}/sources")
    page.wait_for_selector(".gensot-sources table")
    assert page.get_by_role("button", name="Copy as Python").count() == 0
    assert page.get_by_role("button", name="Embed").count() == 1


def test_the_copied_frame_shows_the_content_alone(app_url, new_page):
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{app_url}/robustness?v=1&start=spread&__tour=9")
    page.wait_for_selector("#table table")
    page.get_by_role("button", name="Embed").click()
    page.get_by_text("Frame copied").wait_for()
    frame = page.evaluate("navigator.clipboard.readText()")
    address = html.unescape(re.search(r'src="([^"]+)"', frame)[1])
    assert address.startswith(f"{app_url}/robustness?")
    assert "__embed=1" in address
    assert "__tour" not in address
    page.set_content(f"<!doctype html><title>Elsewhere</title>{frame}")
    inside = page.frame_locator("iframe")
    inside.locator("#table table").wait_for()
    for hidden in (".gensot-header", ".gensot-parts", ".gensot-footer", ".gensot-tour"):
        assert inside.locator(hidden).filter(visible=True).count() == 0, hidden
    link = inside.get_by_role("link", name="Open in GenSOT Demo")
    with page.expect_popup() as opened:
        link.click()
    whole = opened.value
    whole.wait_for_selector(".gensot-header:visible")
    assert "start=spread" in whole.url
    assert "__embed" not in whole.url
    whole.close()
