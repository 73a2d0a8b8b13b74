"""The Compare page as a visitor uses it."""

import re
import sys

import pytest

from tests.browser.compare_page import DONE, open_compare, rows
from tools.running_app import ROOT, running_app

SMALL = "v=1&follow_average=faces*1&steps=20&samples=3&method=unguided&method=gensot"


def watch(page, selector: str) -> None:
    """Collect every text that an element shows, in window.seen."""
    page.evaluate(
        """(selector) => {
          window.seen = new Set();
          const element = document.querySelector(selector);
          new MutationObserver(() => window.seen.add(element.innerText.trim()))
            .observe(element, { childList: true, subtree: true, characterData: true });
        }""",
        selector,
    )


def watch_pictures(page) -> None:
    page.evaluate(
        """() => {
          window.pictures = new Set();
          const wall = document.querySelector("#wall");
          const note = () => wall.querySelectorAll("img").length && window.pictures.add(wall.querySelector("img").src);
          new MutationObserver(note).observe(wall, { childList: true, subtree: true, attributes: true });
        }"""
    )


def test_first_view_has_pictures_verdict_table_and_curves(app_url, page):
    open_compare(page, app_url)
    assert rows(page) == ["Unguided", "SDEdit", "DPS", "GenSOT"]
    assert page.locator("#wall img").count() == 24
    assert "Cheapest: SDEdit" in page.inner_text("#verdict")
    assert page.locator("#table tbody tr").count() == 4
    page.wait_for_selector(".gensot-figure .main-svg")
    assert page.locator(".gensot-figure:visible").count() == 3
    page.wait_for_function("location.search.includes('follow_average=faces')")
    assert page.console_errors == []


def test_a_comparison_runs_to_the_end_with_updates(app_url, page):
    open_compare(page, app_url, "v=1&follow_average=clocks*1&steps=60&samples=6&seed=11")
    watch_pictures(page)
    watch(page, "#status")
    page.get_by_role("button", name="New noise").click()
    page.wait_for_function("[...window.seen].some((text) => text.startsWith('Sampling'))")
    page.wait_for_function(DONE)
    assert page.evaluate("window.pictures.size") >= 8
    shares = {int(n) for text in page.evaluate("[...window.seen]") for n in re.findall(r"Sampling: (\d+) %", text)}
    assert len(shares) >= 5
    assert "seed=" in page.evaluate("location.search")
    assert page.console_errors == []


def test_stop_stops_and_keeps_what_there_is(app_url, page):
    open_compare(page, app_url, "v=1&condition=red*1&strength=3&steps=200&samples=6&method=cfg&method=gensot&seed=3")
    page.get_by_role("button", name="New noise").click()
    page.wait_for_function("document.querySelector('#status').innerText.startsWith('Sampling')")
    page.locator("#stop").click()
    page.wait_for_function("document.querySelector('#status').innerText.startsWith('Stopped')")
    before = page.locator("#wall img").first.get_attribute("src")
    page.wait_for_timeout(1500)
    assert page.inner_text("#status").startswith("Stopped")
    assert page.locator("#wall img").first.get_attribute("src") == before
    page.locator("#compare").click()  # the device is free again
    page.wait_for_function(DONE)


def test_a_link_restores_the_page(app_url, new_page):
    query = "v=1&condition=hearts*2&strength=1.5&steps=12&samples=2&seed=41&method=conditional&method=cfg"
    first, second = new_page(), new_page()
    open_compare(first, app_url, query)
    assert rows(first) == ["Conditional", "Classifier-free guidance"]
    assert first.locator("#wall .gensot-wall-columns span").all_inner_texts()[1:] == ["seed 41", "seed 42"]
    assert first.get_by_label("number input for Strength").input_value() == "1.5"
    open_compare(second, app_url, first.evaluate("location.search").removeprefix("?"))
    pictures = [page.locator("#wall img").evaluate_all("all => all.map(one => one.src)") for page in (first, second)]
    assert len(pictures[0]) == 4
    assert pictures[0] == pictures[1]


def test_copy_link_copies_the_settings_as_they_stand(app_url, new_page):
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    open_compare(page, app_url, SMALL)
    page.get_by_label("Conditional", exact=True).check()
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_selector(".gensot-toast[data-shown=true]")
    assert "method=conditional" in page.evaluate("navigator.clipboard.readText()")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("v=1&steps=1000000000", ["1000000000", "from 2 to 200"]),
        ("v=1&view_noise=nan", ["nan", "from 0.2 to 100"]),
        ("v=1&condition=zebraz", ["zebraz"]),
        ("v=1&condition=clocks&condition=green", ["clocks", "green"]),
        ("v=1&method=<script>alert(1)</script>", ["unknown", "unguided"]),
        ("v=1&colour=mauve", ["colour", "ignored"]),
    ],
)
def test_a_bad_link_says_why_and_the_page_lives(app_url, page, query, words):
    open_compare(page, app_url, query)
    page.wait_for_selector("#notice .gensot-status")
    said = page.inner_text("#notice")
    for word in words:
        assert word in said
    assert len(rows(page)) == 4
    assert page.console_errors == []


def test_bad_input_on_the_page_says_its_sentence_and_loses_nothing(app_url, page, tmp_path):
    open_compare(page, app_url, SMALL)
    before = page.locator("#wall img").evaluate_all("all => all.map(one => one.src)")

    def refused(words: str) -> None:
        page.locator("#compare").click()
        page.wait_for_function("(words) => document.querySelector('#status').innerText.includes(words)", arg=words)
        assert page.locator("#status [role=alert]").count() == 1

    page.get_by_label("A drawing", exact=True).check()
    refused("drawing is empty")
    page.get_by_label("A file", exact=True).check()
    refused("No file is chosen")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a picture")
    page.locator("input[type=file]:not(#dropped input)").last.set_input_files(broken)
    page.get_by_label("broken.png").first.wait_for()
    refused("not a picture")
    page.get_by_label("An average", exact=True).check()
    for label in ("Unguided", "GenSOT"):
        page.get_by_label(label, exact=True).uncheck()
    refused("no method is chosen")
    assert page.locator("#wall img").evaluate_all("all => all.map(one => one.src)") == before
    page.get_by_label("Unguided", exact=True).check()
    page.locator("#compare").click()
    page.wait_for_function(DONE)


def test_a_click_tells_a_pictures_story(app_url, page):
    open_compare(page, app_url, SMALL)
    page.locator("#wall .gensot-wall-row").nth(1).locator("button").nth(2).click()
    page.wait_for_function("document.querySelectorAll('#strip .gensot-wall-row').length === 3")
    assert "GenSOT" in page.inner_text("#strip-title")
    assert page.locator("#strip .gensot-wall-row").first.locator("img").count() == 10
    assert page.console_errors == []


def test_the_protocol_alone_does_not_change_what_is_generated(app_url, new_page):
    ends = []
    for protocol in ("stiffness:5", "stiffness:200*temperature:0.3", "guide:origin"):
        page = new_page()
        open_compare(page, app_url, f"v=1&follow_average=faces*1&steps=20&samples=3&method=gensot*{protocol}")
        ends.append(page.locator("#wall .gensot-wall-caption").all_inner_texts())
    assert ends[0] == ends[1] == ends[2]


def test_measuring_reaches_the_table(app_url, page):
    open_compare(page, app_url, SMALL + "&resolution=32")
    page.get_by_label("number input for Draws per method").fill("64")
    page.keyboard.press("Tab")
    page.locator("#measure").click()
    page.wait_for_function("document.querySelector('#measure-status').innerText.includes('Measured with 64 draws')")
    page.wait_for_timeout(1000)
    assert page.inner_text("#measure-status").startswith("Measured with 64 draws")
    assert "64 draws" in page.inner_text("#table")


@pytest.mark.parametrize("width", [390, 1280])
def test_no_horizontal_scroll_with_results(app_url, new_page, width):
    page = new_page(width=width)
    open_compare(page, app_url, SMALL)
    page.wait_for_selector(".gensot-figure .main-svg")
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def test_a_method_from_outside_is_on_the_page_with_its_controls(new_page):
    command = [sys.executable, "-m", "gensot_demo", "serve", "--method", "tests/browser/outside_method.py"]
    with running_app(command) as address:
        page = new_page()
        open_compare(
            page, address, "v=1&condition=hearts*1&steps=12&samples=2&method=conditional&method=halfway*share:0.9"
        )
        assert rows(page) == ["Conditional", "Half-way house"]
        page.get_by_text("Half-way house: what it does, settings").click()
        assert page.get_by_label("number input for Share of the way").input_value() == "0.9"
        assert page.console_errors == []
    assert (ROOT / "tests/browser/outside_method.py").is_file()


def test_where_too_many_wait_it_is_said_and_nothing_is_lost(app_url, page):
    open_compare(page, app_url, SMALL)
    shown = page.locator("#wall img").count()
    full = {"status": 503, "json": {"detail": "Queue is full. Max size is 200 and size is 200."}}
    page.route("**/queue/join*", lambda route: route.fulfill(**full))
    page.locator("#compare").click()
    page.locator(".toast-body", has_text="busy").wait_for()
    page.wait_for_function("!document.querySelector('[data-waiting]')")
    assert shown
    assert page.locator("#wall img").count() == shown
    page.unroute("**/queue/join*")
    page.locator("#compare").click()
    page.wait_for_function("!document.querySelector('[data-waiting]')")
    page.wait_for_function(DONE)
