"""Optimal transport: a later start as a visitor uses it."""


def said(page, selector: str, text: str) -> None:
    page.wait_for_function("([s, t]) => document.querySelector(s)?.innerText.includes(t)", arg=[selector, text])


def test_samples_are_drawn_beside_what_they_resemble_measured_and_linked(app_url, page):
    page.set_default_timeout(90_000)
    page.goto(f"{app_url}/later_start?model=truth&pictures=hearts&calls=3&samples=2&draws=16&budgets=2,3&finish=ddim")
    said(page, "#status", "Press Draw")
    page.wait_for_selector("#landing-wall .gensot-wall-row img")
    page.locator("#draw").click()
    said(page, "#status", "3 calls a sample, counted")
    assert page.locator("#wall-wall .gensot-wall-row").count() == 7
    assert "nearest training picture" in page.locator("#wall-wall img").first.get_attribute("alt")
    assert page.locator("#verdict li").count() == 3
    page.locator("#measure").click()
    said(page, "#measured", "16 samples of each of 7 ways at 2, 3 calls")
    said(page, "#finding", "The price:")
    page.wait_for_selector("#figure-copies .main-svg")
    assert page.locator("#table tbody tr").count() == 2 + 2 * 7
    page.wait_for_function("decodeURIComponent(location.search).includes('pictures=hearts')")
    page.get_by_role("button", name="Too late: copies").click()
    said(page, "#status", "60 % signal")
    page.wait_for_function("location.search.includes('signal=60')")
    said(page, "#measured-mark", "Of other settings")
    assert page.console_errors == []


def test_a_phone_is_told_of_a_bad_link_sees_the_landing_follow_and_stops(app_url, new_page):
    page = new_page(width=390, color_scheme="dark")
    page.set_default_timeout(90_000)
    page.goto(f"{app_url}/later_start?tau=-1&seed=77")
    page.wait_for_selector("#notice [role=alert]")
    assert "Tau is -1.0; it must be a number from 0 to 1." in page.inner_text("#notice")
    page.wait_for_function("!location.search.includes('tau')")
    page.goto(f"{app_url}/later_start?calls=50&seed=912&samples=8&tau=0")
    said(page, "#status", "Press Draw")
    page.wait_for_selector("#landing-wall .gensot-wall-row img")
    assert page.locator("#landing-wall .gensot-wall-row").count() == 1
    tau = page.get_by_label("number input for Smoothing τ")
    tau.fill("0.5")
    tau.press("Tab")
    page.wait_for_function("document.querySelectorAll('#landing-wall .gensot-wall-row').length === 2")
    page.wait_for_timeout(300)
    page.locator("#draw").click()
    page.wait_for_selector("#wall-wall .gensot-wall-row img")
    page.locator("#stop").click()
    said(page, "#status", "Stopped.")
    page.wait_for_timeout(1500)  # longer than between two moments of the run
    assert "Stopped." in page.inner_text("#status")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert page.console_errors == []
