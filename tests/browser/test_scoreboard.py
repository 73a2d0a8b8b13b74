"""The Scoreboard as a visitor uses it."""

import pytest

TABLE = "#table .gensot-sortable"


def open_board(page, url, query=""):
    page.goto(f"{url}/scoreboard?{query}" if query else f"{url}/scoreboard")
    page.wait_for_selector(f"{TABLE} tbody tr")


def column(page, number: int) -> list[str]:
    return page.eval_on_selector_all(
        f"{TABLE} tbody tr", "(rows, n) => rows.map((row) => row.children[n].dataset.sort)", number
    )


def test_the_first_view_says_who_is_near_and_what_it_costs(app_url, page):
    open_board(page, app_url)
    assert "GenSOT" in page.inner_text("#verdict")
    page.wait_for_selector(".gensot-figure .main-svg")
    ratios = [float(value) for value in column(page, 1) if value]
    assert ratios == sorted(ratios)
    assert ratios[0] < 1.3
    assert page.console_errors == []


def test_a_click_on_a_heading_sorts_and_says_so(app_url, page):
    open_board(page, app_url)
    headings = page.locator(f"{TABLE} thead th").all_inner_texts()
    passes = next(n for n, text in enumerate(headings) if text.startswith("Passes"))
    button = page.get_by_role("button", name="Passes")
    button.click()
    rising = [float(value) for value in column(page, passes) if value]
    assert rising == sorted(rising)
    assert page.locator(f"{TABLE} th").nth(passes).get_attribute("aria-sort") == "ascending"
    button.focus()
    page.keyboard.press("Enter")
    assert [float(value) for value in column(page, passes) if value] == rising[::-1]


def test_a_question_is_in_the_address_and_a_link_restores_it(app_url, new_page):
    first, second = new_page(), new_page()
    open_board(first, app_url)
    first.get_by_role("radio", name="equal network calls").check()
    first.wait_for_function("location.search.includes('at=calls')")
    open_board(second, app_url, "v=1&ask=plane*follow*0.6&at=calls")
    assert second.get_by_role("radio", name="equal network calls").is_checked()
    assert "noisy view of a point" in second.inner_text(f"{TABLE} caption")


@pytest.mark.parametrize("query", ["ask=moon*walk*1", "ask=plane*follow*0.6&at=never", "ask=%3Cscript%3E*x*1"])
def test_a_link_to_nothing_says_so(app_url, page, query):
    open_board(page, app_url, query)
    page.wait_for_selector("#notice [role=alert]")
    assert "The first question is shown instead." in page.inner_text("#notice")
    assert page.console_errors == []


def test_a_small_version_is_drawn_here(app_url, page):
    open_board(page, app_url, "v=1&ask=plane*follow*0.6&at=calls")
    page.locator("#live").click()
    page.wait_for_function("document.querySelector('#status').innerText.includes('Done')", timeout=60_000)
    assert page.locator("#live-table tbody tr").count() >= 4
    assert page.console_errors == []


def test_stop_stops_and_keeps_what_was_drawn(app_url, page):
    open_board(page, app_url, "v=1&ask=collection*follow*3&at=steps")
    page.locator("#live").click()
    page.wait_for_selector("#status .gensot-bar")
    page.locator("#stop").click()
    page.wait_for_function("document.querySelector('#status').innerText.startsWith('Stopped')")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_scrolls_nothing_but_the_table(app_url, new_page, theme):
    page = new_page(width=390, color_scheme=theme)
    open_board(page, app_url)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
