"""Energy: training as a visitor uses it."""


def said(page, selector: str, text: str) -> None:
    page.wait_for_function("([s, t]) => document.querySelector(s)?.innerText.includes(t)", arg=[selector, text])


def test_flows_are_trained_measured_and_linked(app_url, page):
    page.set_default_timeout(90_000)
    page.goto(f"{app_url}/training?target=two_modes&points=32&updates=100&paths=condot,ko")
    said(page, "#status", "Press Train: 2 networks learn 32 points")
    page.wait_for_selector("#figure-learnt .main-svg")
    assert page.locator("#verdict li").count() == 0
    page.locator("#train").click()
    said(page, "#status", "everything measured")
    said(page, "#verdict", "no ranking can be claimed")
    assert page.locator("#table tbody tr").count() == 2
    assert page.locator("#crossed tbody tr").count() == 3
    page.wait_for_selector("#figure-calls .main-svg")
    page.wait_for_function("decodeURIComponent(location.search).includes('paths=condot,ko')")
    page.locator("#paths input[type=checkbox]:checked").first.uncheck()
    page.locator("#paths input[type=checkbox]:checked").first.uncheck()
    page.locator("#train").click()
    said(page, "#status", "no path is chosen")
    assert page.locator("#table tbody tr").count() == 2  # what was shown stays
    assert page.console_errors == []


def test_stop_keeps_what_is_there_and_a_phone_scrolls_down_alone(app_url, new_page):
    page = new_page(width=390, color_scheme="dark")
    page.set_default_timeout(90_000)
    page.goto(f"{app_url}/training?updates=5000&points=7")
    page.wait_for_selector("#notice [role=alert]")
    assert "Points is 7; it must be a whole number from 8 to 1024." in page.inner_text("#notice")
    page.goto(f"{app_url}/training?updates=5000&seed=1")
    said(page, "#status", "Press Train")
    page.locator("#train").click()
    page.wait_for_selector("#figure-loss .main-svg")
    page.get_by_role("button", name="Fresh seed").click()
    said(page, "#status", "Press Train for these settings.")
    page.wait_for_timeout(1500)  # longer than between two moments of the run
    assert "Press Train for these settings." in page.inner_text("#status")
    page.locator("#train").click()
    said(page, "#status", "Training 3 networks")
    page.locator("#stop").click()
    said(page, "#status", "Stopped.")
    assert page.locator("#figure-loss .main-svg").count() > 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert page.console_errors == []
