"""Optimal transport, the solver as a visitor uses it."""


def said(page, selector: str, text: str) -> None:
    page.wait_for_function("([s, t]) => document.querySelector(s)?.innerText.includes(t)", arg=[selector, text])


def test_heights_are_found_looked_through_and_linked(app_url, page):
    page.set_default_timeout(90_000)
    page.goto(f"{app_url}/heights?points=random&number=12&seed=4&tolerance=0.05")
    said(page, "#status", "The exact cells of 12 points.")
    page.wait_for_selector("#figure-cells .main-svg")
    page.locator("#solve").click()
    said(page, "#status", "moments judged")
    said(page, "#verdict", "Newton's method on exact cells needs")
    page.wait_for_selector("#figure-discrete .main-svg")
    first = page.locator("#figure-cells .gensot-figure-plot").get_attribute("aria-label")
    page.locator("#moment input[type=range]").fill("0")
    page.wait_for_function(
        "(t) => document.querySelector('#figure-cells .gensot-figure-plot').getAttribute('aria-label') !== t", arg=first
    )
    page.locator("#play").click()
    said(page, "#play", "Pause")
    page.get_by_role("button", name="Octagon").click()
    said(page, "#play", "Play")  # what is played is over
    said(page, "#verdict", "The start is right already")
    page.locator("#play").click()
    page.wait_for_function("document.querySelector('#moment input[type=range]').value === '100'")
    page.locator("#tau input[type=range]").fill("0")
    said(page, "#smoothed-said", "Not smoothed")
    page.get_by_role("button", name="One far away").click()
    said(page, "#status", "4 points")
    page.wait_for_function("decodeURIComponent(location.search).includes('own=0.3,0.2;')")
    assert page.console_errors == []


def test_pictures_are_shown_solved_anew_and_stopped(app_url, page):
    page.set_default_timeout(90_000)
    page.goto(f"{app_url}/heights?pictures=network/clocks&picture_tolerance=0.05")
    said(page, "#status", "8 points")
    page.locator("#stored").click()
    said(page, "#pictures-status", "23 pictures")
    said(page, "#pictures-verdict", "Here and now")
    page.wait_for_selector("#wall img")
    page.wait_for_selector("#figure-shares .main-svg")
    page.locator("#anew").click()
    page.wait_for_selector("#figure-rounds .main-svg")
    page.wait_for_function(
        "(() => { const t = document.querySelector('#pictures-verdict').innerText; "
        "return t.includes('draws so far') && t.includes('Here and now'); })()"
    )
    page.wait_for_function("location.search.includes('network')")
    page.goto(f"{app_url}/heights?pictures=network&picture_tolerance=0.01&picture_seed=77")
    said(page, "#status", "8 points")
    page.locator("#anew").click()
    said(page, "#pictures-status", "Climbing for 778 pictures")
    page.locator("#halt").click()
    said(page, "#pictures-status", "Stopped.")
    page.wait_for_timeout(1500)  # longer than between two moments of the run
    assert "Stopped." in page.inner_text("#pictures-status")
    assert page.console_errors == []


def test_bad_input_loses_nothing_and_a_phone_scrolls_down_alone(app_url, new_page):
    page = new_page(width=390, color_scheme="dark")
    page.set_default_timeout(90_000)
    page.goto(f"{app_url}/heights?points=random&number=201")
    page.wait_for_selector("#notice [role=alert]")
    assert "Number is 201; it must be" in page.inner_text("#notice")
    page.wait_for_function("!location.search.includes('201')")  # the address is that of what is shown
    page.goto(f"{app_url}/heights?points=own&own=1,0;-1,0.5")
    said(page, "#status", "The exact cells of 2 points.")
    page.get_by_label("Your own points").fill("1,0; 2,1; 1,0")
    page.wait_for_timeout(300)
    page.locator("#solve").click()
    said(page, "#status", "Points 1 and 3 are the same")
    assert page.locator("#figure-cells .main-svg").count() > 0  # what was shown stays
    crowd = ";".join(f"{k * 1e-7},{(k * k % 17) * 1e-7}" for k in range(17))
    page.goto(f"{app_url}/heights?points=own&own={crowd};10,10")
    page.wait_for_selector("#notice [role=alert]")
    assert "must be at least 0.0001 apart" in page.inner_text("#notice")
    said(page, "#status", "8 points")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert page.console_errors == []
