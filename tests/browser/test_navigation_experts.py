"""Experts, as a visitor uses it."""


def open_experts(page, url, query=""):
    page.goto(f"{url}/experts?{query}" if query else f"{url}/experts")
    page.wait_for_function("document.querySelector('#solved')?.innerText.includes('solved')")
    page.wait_for_selector("#plane .main-svg")


def test_the_first_view_has_the_paper_s_data(app_url, page):
    open_experts(page, app_url)
    text = page.inner_text("#table")
    assert all(number in text for number in ("1.638", "1.525", "1.278", "1.153", "1.536", "1.212"))
    assert "below: no guide can do that" in text
    page.locator("#trust-2").get_by_role("spinbutton").fill("2")
    page.keyboard.press("Tab")
    page.wait_for_function("document.querySelector('#verdict').innerText.includes('from 1.638 to 1.525')")
    assert "trusts=1%2C2" in page.evaluate("location.search") or "trusts=1,2" in page.evaluate("location.search")
    assert page.console_errors == []


def test_wrong_input_is_named_and_loses_nothing(app_url, page):
    open_experts(page, app_url, "trusts=0,1")
    before = page.inner_text("#verdict")
    page.locator("#trust-2").get_by_role("spinbutton").fill("0")
    page.keyboard.press("Tab")
    page.wait_for_function("document.querySelector('#solved').innerText.includes('nobody is trusted')")
    page.get_by_role("button", name="Belief of expert 1").click()
    box = page.locator("#belief-1 textarea")
    box.fill("1; 0, 0; 1, 2, 1")
    page.wait_for_timeout(300)  # nobody leaves a field in the instant of the last letter
    box.blur()
    page.wait_for_function("document.querySelector('#solved').innerText.includes('positive definite')")
    assert page.inner_text("#verdict") == before
    assert page.console_errors == []


def test_simulation_descends_and_stops(app_url, page):
    open_experts(page, app_url)
    page.locator("#simulate").click()
    page.wait_for_selector("#descent .main-svg", timeout=60_000)
    assert "Iteration" in page.inner_text("#status")
    page.locator("#stop").click()
    page.wait_for_function("document.querySelector('#status').innerText.startsWith('Stopped')")
    assert page.console_errors == []


def test_a_phone_scrolls_nothing_sideways(app_url, new_page):
    page = new_page(width=390)
    beliefs = "belief=1,-1,0,.3,0,.3&belief=1,1,0,.3,0,.3&belief=1,0,-2,.3,0,.3"
    open_experts(page, app_url, f"{beliefs}&amplitudes=1,1,1&trusts=1,1,2")
    assert page.locator("#trust-3").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert page.console_errors == []
