"""One equation: transformer tokens as a visitor uses them."""


def said(page, selector: str, text: str) -> None:
    page.wait_for_function("([s, t]) => document.querySelector(s)?.innerText.includes(t)", arg=[selector, text])


def test_tokens_gather_in_spaces_of_all_kinds_and_are_counted(app_url, page):
    page.set_default_timeout(120_000)
    page.goto(f"{app_url}/tokens?tokens=24&depth=6&beta=4")
    said(page, "#said", "can only fall")
    page.wait_for_selector("#clusters .main-svg")
    assert page.locator("#sphere").is_hidden()
    page.locator("#view label").nth(1).click()
    page.wait_for_function("location.search.includes('view=eulerian')")
    page.locator("#start label").nth(1).click()
    said(page, "#said", "The embeddings are synthetic")
    page.wait_for_selector("#sentence .main-svg")
    page.locator("#space label").nth(2).click()
    page.wait_for_selector("#sphere canvas")
    page.locator("#space label").nth(3).click()
    said(page, "#said", "becomes infinite at depth")
    page.wait_for_selector("#law .main-svg")
    page.wait_for_function("location.search.includes('space=gaussian')")
    page.locator("#count").click()
    said(page, "#counts", "24 tokens, over 24 seeds")
    page.locator("#stop-counting").click()
    said(page, "#count-status", "Stopped.")
    assert page.console_errors == []


def test_a_bad_link_says_so_and_a_phone_scrolls_down_alone(app_url, new_page):
    page = new_page(width=390, color_scheme="dark")
    page.set_default_timeout(120_000)
    page.goto(f"{app_url}/tokens?beta=-3")
    page.wait_for_selector("#notice [role=alert]")
    assert "Beta is -3.0; it must be a number from 0 to 100." in page.inner_text("#notice")
    said(page, "#said", "clusters become")
    page.wait_for_selector("#falling .main-svg")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert page.console_errors == []
