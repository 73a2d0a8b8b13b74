"""The Schedules part of Energy as a visitor meets it."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

READY = "schedules compared exactly"


def opened(page, app_url: str, query: str = "", ready: str = READY):
    page.goto(f"{app_url}/energy{query}")
    page.locator("#status", has_text=ready).wait_for(timeout=90_000)
    page.locator("#speeds .js-plotly-plot").wait_for()
    return page


def titles(page) -> list[str]:
    return page.evaluate(
        "[...document.querySelectorAll('.gensot-schedules .js-plotly-plot')]"
        ".filter((plot) => plot.offsetParent).map((plot) => plot.layout.title.text)"
    )


def test_a_slider_moves_everything_and_the_link_brings_it_back(app_url, page, new_page):
    opened(page, app_url)
    page.wait_for_function("document.querySelectorAll('.gensot-schedules .js-plotly-plot').length >= 7")
    assert len(titles(page)) == 7
    assert "Kinetic-optimal" in page.inner_text("#table")
    before = page.inner_text("#table")
    page.locator("input[type=range][aria-label*='Separation']").first.focus()
    page.keyboard.press("End")
    page.wait_for_function("(old) => document.querySelector('#table').innerText !== old", arg=before)
    page.wait_for_function("location.search.includes('separation=4')")
    page.locator("#status", has_text=READY).wait_for()
    page.locator("label", has_text="Heun").click()
    page.wait_for_function("location.search.includes('solver=heun')")
    page.locator("#status", has_text=READY).wait_for()
    shown = page.inner_text("#table")
    other = opened(new_page(width=390), app_url, "?" + urlsplit(page.url).query)
    other.wait_for_function("(wanted) => document.querySelector('#table').innerText === wanted", arg=shown)
    assert other.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.console_errors == other.console_errors == []


def test_a_drawing_that_turns_back_is_explained_and_what_is_shown_stays(app_url, page):
    opened(page, app_url, "?schedules=condot,drawn,ot")
    page.wait_for_function("document.querySelector('#steps .js-plotly-plot')")
    before = page.inner_text("#table")
    pad = page.locator("#schedule-pad canvas")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()

    def at(t: float, share: float) -> tuple[float, float]:
        return box["x"] + (t + 0.12) / 1.24 * box["width"], box["y"] + (1.12 - share) / 1.24 * box["height"]

    page.mouse.move(*at(0.75, 0.1))
    page.mouse.down()
    page.mouse.move(*at(0.75, 0.7), steps=6)
    page.mouse.up()
    page.locator("#status .error", has_text="rises again between").wait_for()
    assert page.inner_text("#table") == before
    assert page.console_errors == []


def test_in_the_plane_ways_are_drawn_and_the_address_says_so(app_url, page):
    opened(page, app_url, "?schedules=cosine,optimal,ot")
    page.get_by_role("button", name="Spiral").click()
    page.locator("#status", has_text="3 schedules compared with").wait_for(timeout=60_000)
    page.wait_for_function("location.search.includes('target=spiral')")
    assert parse_qs(urlsplit(page.url).query)["data"] == ["plane"]
    page.wait_for_function(
        "[...document.querySelectorAll('.gensot-schedules .js-plotly-plot')]"
        ".filter((plot) => plot.offsetParent && plot.data.length === 4).length === 3"
    )
    assert "standard deviations from the end that all of them share" in page.inner_text("#said-ends")
    assert page.console_errors == []


def test_where_no_schedule_exists_the_page_says_why_and_shows_none(app_url, page):
    opened(page, app_url, "?schedules=optimal", "1 schedule compared")
    page.wait_for_function("document.querySelector('#table').innerText.includes('Kinetic-optimal')")
    slider = page.locator("input[type=range][aria-label*='Modes']").first
    slider.focus()
    page.keyboard.press("Home")
    page.locator("#status", has_text="Nothing can be compared.").wait_for()
    page.wait_for_function("document.querySelector('#said-speed').innerText.includes('Gaussian')")
    assert page.inner_text("#table").strip() == ""
    assert page.locator("#steps .js-plotly-plot .trace").count() == 0
    assert titles(page) == []
    assert page.console_errors == []


def test_a_change_takes_the_place_of_a_run_and_stop_stops_the_first_one(app_url, page):
    seed = time.time_ns() % 1_000_000  # one that no earlier run has kept, or there is nothing to stop
    page.goto(f"{app_url}/energy?data=plane&target=checkerboard&solver=heun&seed={seed}")
    page.locator("#status .gensot-bar").wait_for(timeout=60_000)
    page.locator("#stop").click()
    page.locator("#status", has_text="Stopped.").wait_for()
    page.wait_for_timeout(1000)  # a cancellation is a request of its own: what starts meanwhile may be taken along
    page.locator("#run").click()
    page.locator("#status .gensot-bar").wait_for(timeout=60_000)
    page.locator("label", has_text="On a line").click()
    page.locator("#status", has_text=READY).wait_for()
    page.wait_for_function("!location.search.includes('plane')")
    page.wait_for_timeout(1500)  # longer than between two moments of the run
    assert READY in page.inner_text("#status")
    assert page.console_errors == []
