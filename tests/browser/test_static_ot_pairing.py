"""Optimal transport: pairing in training as a visitor uses it."""


def said(page, selector: str, text: str) -> None:
    page.wait_for_function("([s, t]) => document.querySelector(s)?.innerText.includes(t)", arg=[selector, text])


def test_flows_are_trained_on_pairs_measured_and_linked(app_url, page):
    page.set_default_timeout(120_000)
    page.goto(f"{app_url}/pairing?target=two_modes&points=32&updates=60&pairings=independent,whole&seed=5")
    said(page, "#status", "Press Train: 2 networks learn from these pairs")
    page.wait_for_selector("#figure-pairs-1 .main-svg")
    assert page.locator("#figure-pairs-2").is_hidden()
    assert page.locator("#verdict li").count() == 0
    page.locator("#train").click()
    said(page, "#status", "everything measured")
    said(page, "#verdict", "small differences mean nothing")
    assert page.locator("#table tbody tr").count() == 2
    page.wait_for_selector("#figure-calls .main-svg")
    page.locator("#pairings input[type=checkbox]").nth(1).check()
    said(page, "#status", "Press Train: 3 networks")
    said(page, "#said-pairs", "A minibatch knows only its own 32 points")
    page.wait_for_function("!location.search.includes('pairings=')")
    for number in range(3):
        page.locator("#pairings input[type=checkbox]").nth(number).uncheck()
    said(page, "#status", "no pairing is chosen")
    assert page.locator("#table tbody tr").count() >= 1  # what was shown stays
    assert page.console_errors == []


def test_stop_keeps_what_is_there_and_a_phone_scrolls_down_alone(app_url, new_page):
    page = new_page(width=390, color_scheme="dark")
    page.set_default_timeout(120_000)
    page.goto(f"{app_url}/pairing?updates=4000&points=7")
    page.wait_for_selector("#notice [role=alert]")
    assert "Points is 7; it must be a whole number from 8 to 512." in page.inner_text("#notice")
    said(page, "#status", "Press Train")
    page.goto(f"{app_url}/pairing?updates=4000&points=64&seed=11")
    said(page, "#status", "Press Train")
    page.locator("#train").click()
    page.wait_for_selector("#figure-loss .main-svg")
    page.locator("#stop").click()
    said(page, "#status", "Stopped.")
    page.wait_for_timeout(1500)  # longer than between two moments of the run
    assert "Stopped." in page.inner_text("#status")
    assert page.locator("#figure-loss .main-svg").count() > 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert page.console_errors == []
