"""Adaptive stiffness and Matrix stiffness as a visitor uses them."""


def said(page, selector: str, text: str) -> None:
    page.wait_for_function("([s, t]) => document.querySelector(s)?.innerText.includes(t)", arg=[selector, text])


def test_adaptive_stiffness_shows_its_numbers_and_takes_a_protocol(app_url, page):
    page.goto(f"{app_url}/adaptive?target=two_modes&blur=0.1&temperature=0.01")
    said(page, "#verdict", "nats away from the exact process")
    page.wait_for_selector(".gensot-figure .main-svg")
    before = page.inner_text("#table")
    page.locator("#pulls textarea, #pulls input").fill("5, 50")
    page.keyboard.press("Enter")
    page.wait_for_function("location.search.includes('pulls=5%2C50')")
    page.wait_for_function("(before) => document.querySelector('#table').innerText !== before", arg=before)
    page.locator("#draw").click()
    said(page, "#status", "protocols,")
    assert page.locator("#measured tbody tr").count() >= 3
    page.locator("#pulls textarea, #pulls input").fill("5, 5000")
    page.keyboard.press("Enter")
    said(page, "#status", "it must be from 0 to 900")
    assert page.console_errors == []


def test_matrix_stiffness_shows_particles_and_tunes_its_corridor(app_url, page):
    page.goto(f"{app_url}/directions?law=one mode")
    said(page, "#verdict", "across the corridor")
    page.locator("#draw").click()
    said(page, "#verdict", "standard errors")
    page.locator("#tune").click()
    said(page, "#tuned", "Loss")
    said(page, "#status", "Done:")
    page.get_by_role("button", name="Four starts").click()
    page.wait_for_function("location.search.includes('starts=4')")
    assert page.console_errors == []


def test_bad_links_say_so_and_a_phone_scrolls_down_alone(app_url, new_page):
    page = new_page(width=390, color_scheme="dark")
    for path, bad in (("adaptive", "steps=3"), ("directions", "starts=9")):
        page.goto(f"{app_url}/{path}?{bad}")
        page.wait_for_selector("#notice [role=alert]")
        assert "The first view is shown instead." in page.inner_text("#notice")
        page.wait_for_selector(".gensot-figure .main-svg")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert page.console_errors == []
