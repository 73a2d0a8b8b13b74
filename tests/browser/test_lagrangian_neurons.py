"""One equation: network training as a visitor uses it."""


def said(page, selector: str, text: str) -> None:
    page.wait_for_function("([s, t]) => document.querySelector(s)?.innerText.includes(t)", arg=[selector, text])


def test_a_start_is_chosen_looked_at_and_linked(app_url, page):
    page.set_default_timeout(60_000)
    page.goto(f"{app_url}/neurons")
    said(page, "#said", "120 neurons end with loss 0.00086")
    for figure in ("#falling", "#fitted", "#drift"):
        page.wait_for_selector(f"{figure} .main-svg")
    page.get_by_role("button", name="Lazy: a large start").click()
    said(page, "#said", "lazy training")
    page.wait_for_function("location.search.includes('scale=5')")
    page.get_by_label("Stand still and look (Eulerian)").check()
    page.wait_for_function("location.search.includes('view=eulerian')")
    page.get_by_role("button", name="Only v learns").click()
    said(page, "#velocity", "switched off here")
    page.wait_for_function("location.search.includes('learns=outputs') && location.search.includes('view=eulerian')")
    page.click("#train-luck")
    said(page, "#luck-status", "84 networks trained")
    said(page, "#said-luck", "of 12 starts each")
    page.wait_for_selector("#luck .main-svg")
    assert page.console_errors == []


def test_a_run_that_runs_away_is_explained_and_a_phone_scrolls_down_alone(app_url, new_page):
    page = new_page(width=390, color_scheme="dark")
    page.set_default_timeout(60_000)
    page.goto(f"{app_url}/neurons?scale=5&step=0.5")
    page.wait_for_selector("#notice [role=alert]")
    assert "Take a shorter step or a smaller scale" in page.inner_text("#notice")
    said(page, "#said", "120 neurons end with loss 0.00086")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert page.console_errors == []
