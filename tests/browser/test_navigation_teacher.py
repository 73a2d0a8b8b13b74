"""Learn a guide, as a visitor uses it."""


def open_teacher(page, url, query=""):
    page.goto(f"{url}/teacher?{query}" if query else f"{url}/teacher")
    page.wait_for_function("document.querySelector('#solved')?.innerText.includes('Solved')")
    page.wait_for_selector("#plane .main-svg")


def test_the_first_view_is_solved_and_a_slider_solves_again(app_url, page):
    open_teacher(page, app_url)
    assert "swings" in page.inner_text("#verdict")
    assert "Learn a guide" in page.inner_text(".gensot-parts [aria-current]")
    page.get_by_role("spinbutton", name="Stiffness").fill("400")
    page.keyboard.press("Tab")
    page.wait_for_function("location.search.includes('stiffness=400')")
    page.wait_for_function("document.querySelector('#verdict').innerText.includes('stiffness 400')")
    assert page.console_errors == []


def test_a_drawn_teacher_travels_in_the_link(app_url, new_page):
    first, second = new_page(), new_page()
    open_teacher(first, app_url)
    first.get_by_role("radio", name="Draw it").check()
    first.wait_for_selector("#teacher-pad canvas")
    first.wait_for_function("location.search.includes('points=')")
    query = first.evaluate("location.search.slice(1)")
    open_teacher(second, app_url, query)
    assert second.get_by_role("radio", name="Draw it").is_checked()
    second.wait_for_selector("#teacher-pad canvas")
    assert first.console_errors == second.console_errors == []


def test_tuning_shows_numbers_and_stop_stops(app_url, page):
    open_teacher(page, app_url)
    page.locator("#tune-stiffness").click()
    page.wait_for_selector("#profile .main-svg")
    page.locator("#stop").click()
    page.wait_for_function("document.querySelector('#status').innerText.startsWith('Stopped')")
    page.get_by_role("spinbutton", name="Pieces").fill("6")
    page.keyboard.press("Tab")
    page.wait_for_function("location.search.includes('pieces=6')")
    page.locator("#tune-timing").click()
    page.wait_for_function("document.querySelector('#status').innerText.includes('nats')", timeout=60_000)
    assert page.console_errors == []


def test_a_bad_link_says_so_on_a_phone(app_url, new_page):
    page = new_page(width=390, color_scheme="dark")
    open_teacher(page, app_url, "target=%3Cscript%3E")
    assert "The first view is shown instead." in page.inner_text("#notice [role=alert]")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert page.console_errors == []
