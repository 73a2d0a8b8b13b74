"""The guided tour as a visitor meets it."""

import json

import pytest

from gensot_demo.shell.tour import STOPS

HEADING = "#tour-heading"
NUMBER = {stop.name: number for number, stop in enumerate(STOPS, start=1)}


def open_stop(page, url, name: str) -> None:
    stop = STOPS[NUMBER[name] - 1]
    page.goto(f"{url}{stop.path}?{stop.query}&__tour={NUMBER[name]}")
    page.wait_for_selector(HEADING)


def at(page, number: int) -> None:
    """Wait for a stop: its count, its title, the address."""
    page.wait_for_function(
        "(count) => document.querySelector('.gensot-tour-count')?.textContent === count",
        arg=f"{number} of {len(STOPS)}",
    )
    assert page.locator(HEADING).inner_text() == STOPS[number - 1].title
    assert f"__tour={number}" in page.url


def overflows(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def test_the_first_screen_says_what_this_is_once(app_url, page):
    page.goto(app_url)
    page.wait_for_selector(".gensot-welcome")
    assert page.get_by_role("link", name="Take the tour (12 short stops)").is_visible()
    page.get_by_role("button", name="Look around").click()
    assert page.locator(".gensot-welcome").count() == 0
    page.goto(app_url)
    page.wait_for_selector(".gensot-footer")
    page.wait_for_selector(".gensot-figure:visible")
    assert page.locator(".gensot-welcome").count() == 0
    page.locator(".gensot-footer").get_by_role("button", name="Tour").click()
    page.wait_for_selector(".gensot-welcome")
    assert page.evaluate("document.activeElement.id") == "welcome-heading"
    assert page.console_errors == []


@pytest.mark.parametrize("query", ["?__embed=1", "?v=1&follow_average=clocks*1"])
def test_no_first_screen_in_a_frame_or_where_a_link_leads(app_url, page, query):
    page.goto(app_url + "/" + query)
    page.wait_for_selector(".gensot-footer", state="attached")
    page.wait_for_selector(".gensot-figure:visible")
    assert page.locator(".gensot-welcome").count() == 0


def test_without_storage_the_tour_works_too(app_url, page):
    denied = "get() { throw new DOMException('denied', 'SecurityError'); }"
    page.add_init_script(f"Object.defineProperty(window, 'localStorage', {{ {denied} }});")
    page.goto(app_url)
    page.get_by_role("link", name="Take the tour (12 short stops)").click()
    at(page, 1)
    page.get_by_role("button", name="Leave").click()
    page.wait_for_selector(".gensot-tour-resume")
    assert not [error for error in page.console_errors if "tour" in error.lower()]
    page.goto("about:blank")  # there is nothing to clear


def test_steps_there_and_back_with_progress_and_focus(app_url, page):
    page.goto(app_url)
    page.get_by_role("link", name="Take the tour (12 short stops)").click()
    at(page, 1)
    page.get_by_role("link", name="Next").click()
    at(page, 2)
    page.wait_for_function("document.activeElement?.id === 'tour-heading'")
    assert page.locator(".gensot-tour-bars a.done").count() == 2
    assert page.locator(".gensot-tour-bars a[aria-current=step]").get_attribute("aria-label").startswith("Stop 2: ")
    page.get_by_role("link", name="Previous").click()
    at(page, 1)
    page.get_by_role("link", name="Stop 9: ").click()
    at(page, 9)
    assert "/robustness" in page.url
    page.wait_for_function("document.querySelector('#table')?.innerText.length > 100")
    page.wait_for_timeout(500)
    assert page.get_by_text("Set it back").is_hidden()
    assert page.console_errors == []


def test_arrow_keys_stay_the_pages_own(app_url, page):
    open_stop(page, app_url, "robust")
    page.wait_for_function("document.activeElement?.id === 'tour-heading'")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(500)
    at(page, NUMBER["robust"])


def test_leave_and_resume(app_url, page):
    open_stop(page, app_url, "cheapest")
    at(page, 8)
    page.get_by_role("button", name="Leave").click()
    page.wait_for_selector(".gensot-tour-resume")
    assert "__tour" not in page.url
    assert page.locator(".gensot-tour").count() == 0
    page.goto(f"{app_url}/robustness")
    page.wait_for_selector(".gensot-tour-resume")
    assert page.locator(".gensot-footer").get_by_text("Resume the tour (8 of 12)").is_visible()
    page.locator(".gensot-tour-resume").get_by_role("link", name="Resume the tour (8 of 12)").click()
    at(page, 8)
    page.get_by_role("button", name="Leave").click()
    page.get_by_role("button", name="Do not offer the tour").click()
    page.goto(f"{app_url}/robustness")
    page.wait_for_selector(".gensot-footer")
    page.wait_for_timeout(1000)
    assert page.locator(".gensot-tour-resume").count() == 0


def test_changed_settings_are_said_and_set_back(app_url, page):
    open_stop(page, app_url, "cheapest")
    page.wait_for_function("document.querySelector('#verdict')?.innerText.includes('Two points')")
    assert page.get_by_text("Set it back").is_hidden()
    page.wait_for_timeout(300)
    page.get_by_role("button", name="64 points in 1024 dimensions").click()
    page.wait_for_function("location.search.includes('dimension=1024')")
    page.get_by_text("You have changed the settings.").wait_for()
    at(page, 8)
    page.get_by_role("link", name="Set it back").click()
    page.wait_for_function("!location.search.includes('dimension')")
    page.wait_for_function("document.querySelector('#verdict')?.innerText.includes('Two points')")
    at(page, 8)
    assert page.get_by_text("Set it back").is_hidden()


@pytest.mark.parametrize("name", ["following", "product", "robust"])
def test_the_equation_is_one_click_away(app_url, page, name):
    open_stop(page, app_url, name)
    page.wait_for_selector(f"#tour-equation-{NUMBER[name]}", state="attached")
    assert page.locator(".gensot-tour-equation:visible").count() == 0
    page.get_by_text("The equation", exact=True).click()
    page.wait_for_selector(".gensot-tour .katex:visible")
    assert page.locator(".gensot-tour .katex-error").count() == 0
    words = page.locator(".gensot-tour-maths").inner_text()
    assert "What we found different" in words
    assert page.locator(".gensot-tour-maths a").first.get_attribute("href").startswith("https://arxiv.org/abs/")
    assert page.console_errors == []


def test_a_term_is_explained_on_hover_on_focus_and_by_a_tap(app_url, new_page):
    page = new_page(has_touch=True)
    open_stop(page, app_url, "corridor")
    tip, term = page.locator(".gensot-term-tip"), page.locator(".gensot-term-mark", has_text="Stiffness")
    for opened in (term.hover, term.focus, term.tap):
        opened()
        tip.wait_for()
        assert "held to its guide" in tip.inner_text()
        assert term.get_attribute("aria-describedby") == tip.get_attribute("id")
        page.keyboard.press("Escape")
        tip.wait_for(state="hidden")
        assert term.get_attribute("aria-describedby") is None
        page.locator(HEADING).focus()
        page.mouse.move(5, 5)
    box = page.viewport_size
    term.focus()
    tip.wait_for()
    shown = tip.bounding_box()
    assert shown["x"] >= 0
    assert shown["x"] + shown["width"] <= box["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_tour_leaves_the_page_in_sight(app_url, new_page, scheme):
    page = new_page(width=390, height=844, color_scheme=scheme, reduced_motion="reduce")
    open_stop(page, app_url, "destination")
    page.wait_for_selector(".gensot-player, .gensot-figure", state="attached")
    page.get_by_text("The equation", exact=True).click()
    page.wait_for_selector(".gensot-tour .katex:visible")
    assert not overflows(page)
    band, content = page.locator(".gensot-tour").bounding_box(), page.locator(".gensot-page").bounding_box()
    assert band["y"] + band["height"] <= content["y"]
    position = page.evaluate("getComputedStyle(document.querySelector('.gensot-tour')).position")
    assert position == "static"
    sizes = page.locator(".gensot-tour-step").evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
    assert min(sizes) >= 40
    page.goto(app_url + "/sources")
    page.wait_for_selector(".gensot-sources table")
    assert not overflows(page)
    page.evaluate("localStorage.clear()")
    page.goto(app_url)
    page.wait_for_selector(".gensot-welcome")
    assert not overflows(page)
    assert page.console_errors == []


def test_the_last_stop_leads_to_the_sources(app_url, page):
    open_stop(page, app_url, "equation")
    at(page, 12)
    assert page.get_by_role("link", name="Next").count() == 0
    page.get_by_role("link", name="Finish: the sources").click()
    page.wait_for_selector(".gensot-sources table")
    assert page.title().startswith("Sources")
    assert page.locator(".gensot-sources a[href='https://arxiv.org/abs/2512.11859']").count() >= 1
    page.goto(f"{app_url}/robustness")
    page.wait_for_selector(".gensot-footer")
    assert page.locator(".gensot-footer").get_by_role("button", name="Tour", exact=True).is_visible()
    assert json.loads(page.evaluate("localStorage.getItem('gensot-tour')"))["stop"] == 0
    assert page.console_errors == []
