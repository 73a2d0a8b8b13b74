"""Speed and accuracy as a visitor uses it."""

import re


def said(page, selector: str, text: str, timeout: int = 30_000) -> None:
    page.wait_for_function(
        "([s, t]) => document.querySelector(s)?.innerText.includes(t)", arg=[selector, text], timeout=timeout
    )


def test_the_reference_case_its_plane_and_what_buttons_do(app_url, page):
    page.goto(f"{app_url}/robustness")
    said(page, "#table", "0.1997")
    said(page, "#table", "0.4383")
    said(page, "#verdict", "η = 0.0872 for all")
    page.wait_for_selector(".gensot-figure .main-svg")
    said(page, "#plane-status", "rotations, every coupling exact", 90_000)
    said(page, "#plane-said", "every diffusion schedule, since all share one map")
    said(page, "#turned-said", "whatever ω")
    first = page.inner_text("#plane-said")
    page.locator("#angle input[type=range]").focus()
    for _ in range(3):  # as fast as keys repeat: only the last is run
        page.keyboard.press("ArrowRight")
    page.wait_for_function("location.search.includes('angle=15')")
    page.wait_for_function("s => document.querySelector('#plane-said').innerText != s", arg=first, timeout=30_000)
    box = page.locator("input[aria-label*='Shift of the mean'][type=number]")
    box.fill("99")
    page.wait_for_function("location.search.includes('shift=3')")
    box.fill("")
    said(page, "#verdict", "0/0")  # an empty box is 0 once it is left
    box.blur()
    assert box.input_value() == "0"
    page.get_by_role("button", name="Too wide to compare").click()
    said(page, "#verdict", "D₀ is infinite")
    page.wait_for_function("location.search.includes('spread=1.5')")
    page.get_by_role("button", name="Nothing wrong").click()
    said(page, "#verdict", "0/0")
    page.get_by_role("button", name="Three modes").click()
    said(page, "#table", "Kinetic-optimal")
    page.get_by_role("button", name="Draw it").click()
    page.wait_for_selector("#pad canvas", state="visible")
    said(page, "#verdict", "the law that was drawn")
    assert page.console_errors == []


def test_pictures_run_and_stop(app_url, page):
    page.goto(f"{app_url}/robustness?steps=40")
    said(page, "#plane-status", "rotations, every coupling exact", 90_000)
    page.locator("#run").click()
    said(page, "#pictures-said", "0.64 for CelebA-HQ latents", 90_000)
    assert page.locator("#wall img").count() == 10
    numbers = [float(cell) for cell in page.locator("#pictures-said tbody td").all_inner_texts()]
    for eta, c1, c2 in (numbers[k : k + 3] for k in range(0, len(numbers), 4)):
        assert 0 < eta <= c1 <= c2
    page.locator("#run").click()
    page.wait_for_function("/Moving/.test(document.querySelector('#pictures-status').innerText)")
    page.locator("#stop").click()
    said(page, "#pictures-status", "Stopped")
    page.locator("#run").click()
    page.wait_for_function("/Moving/.test(document.querySelector('#pictures-status').innerText)")
    page.get_by_role("button", name="Shift by 0.2").click()
    said(page, "#pictures-status", "Measured with other settings")
    assert page.console_errors == []


def test_bad_links_say_so_and_a_phone_scrolls_down_alone(app_url, new_page):
    page = new_page(width=390, color_scheme="dark")
    for bad, why in (("shift=nan", "Shift is nan"), ("start=drawn&points=-1,0;1,0", "drawn start is empty")):
        page.goto(f"{app_url}/robustness?{bad}")
        page.wait_for_selector("#notice [role=alert]")
        notice = page.inner_text("#notice")
        assert re.search(why, notice)
        assert "The first view is shown instead." in notice
        page.wait_for_selector(".gensot-figure .main-svg")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
        said(page, "#plane-status", "rotations, every coupling exact", 90_000)  # nothing is cut off by leaving
    assert page.console_errors == []
