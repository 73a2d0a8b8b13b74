"""The Failure modes page as a visitor uses it."""

import pytest

DONE = "document.querySelector('#status')?.innerText.startsWith('Done')"
PATIENCE = 120_000  # milliseconds: other tests share the cores


def open_failure(page, url, query):
    page.goto(f"{url}/failures?{query}")
    page.wait_for_function(DONE, timeout=PATIENCE)
    page.wait_for_selector("#table tbody tr")


def test_a_link_opens_a_failure_with_its_evidence_and_its_variants_open_in_compare(app_url, page):
    open_failure(page, app_url, "show=hard_end&seed=5")
    assert page.get_by_role("radio", name="A guide against a hard end").is_checked()
    assert "yet moves the samples by" in page.inner_text("#verdict")
    assert page.locator("#table tbody tr").count() == page.locator("#wall .gensot-wall-row").count() == 4
    assert page.locator("#wall img").count() == 4 * 8
    page.wait_for_function("location.search.includes('show=hard_end') && location.search.includes('seed=5')")
    page.get_by_role("link", name="The guide and a soft end: open in Compare").click()
    page.wait_for_url(f"{app_url}/?*")
    page.wait_for_function(DONE, timeout=PATIENCE)
    assert "Follow this picture, seen with view noise 4" in page.inner_text("#asked")
    assert page.locator("#wall .gensot-wall-row").count() == 1
    assert page.console_errors == []


def test_the_keyboard_chooses_another_and_a_plane_failure_moves(app_url, page):
    open_failure(page, app_url, "show=stiff")
    page.wait_for_selector("#player .gensot-player-plot .main-svg")
    assert "10 Euler steps" in page.inner_text("#verdict")
    assert page.locator("#wall img").count() == 0
    page.get_by_role("radio", name="A stiff protocol").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('#words').innerText.includes('A guide against a hard end')")
    page.wait_for_selector("#wall .gensot-wall-row")
    page.locator("#stop").click()
    page.wait_for_function("document.querySelector('#status').innerText.startsWith('Stopped')")
    assert page.console_errors == []


def test_a_link_to_nothing_says_so_and_shows_the_first(app_url, page):
    open_failure(page, app_url, "show=%3Cb%3Emoon")
    assert "'<b>moon' is unknown" in page.inner_text("#notice")
    assert page.get_by_role("radio", name="High CFG").is_checked()
    assert page.console_errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_scrolls_nothing_but_wall_and_table(app_url, new_page, theme):
    page = new_page(width=390, color_scheme=theme)
    open_failure(page, app_url, "")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
