"""Optimal transport: Gaussians as a visitor uses it."""


def said(page, selector: str, text: str) -> None:
    page.wait_for_function("([s, t]) => document.querySelector(s)?.innerText.includes(t)", arg=[selector, text])


def test_an_ellipse_is_dragged_turned_by_keys_and_linked(app_url, page):
    page.set_default_timeout(60_000)
    page.goto(f"{app_url}/gaussians")
    said(page, "#status", "They do not commute: flow matching pays")
    page.wait_for_selector("#turning .main-svg")
    page.wait_for_selector("#lines-1 .main-svg")
    page.get_by_role("button", name="Aligned").click()
    said(page, "#status", "the maps are equal")
    box = page.locator(".gensot-ellipses-handle.target.along .knob").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 10, y - 30)
    page.mouse.move(x - 20, y - 60)
    page.mouse.up()
    said(page, "#status", "They do not commute")
    angle = "Number(new URLSearchParams(location.search).get('target_angle'))"
    page.wait_for_function(f"{angle} > 15 && {angle} < 75")  # it was 0, aligned
    page.locator(".gensot-ellipses-handle.source.along").focus()
    page.keyboard.press("ArrowUp")
    page.wait_for_function("location.search.includes('source_angle')")
    page.get_by_role("button", name="From a round source").click()
    said(page, "#status", "the maps are equal")
    assert page.console_errors == []


def test_a_bad_link_is_explained_and_a_phone_scrolls_down_alone(app_url, new_page):
    page = new_page(width=390, color_scheme="dark")
    page.set_default_timeout(60_000)
    page.goto(f"{app_url}/gaussians?source_across=0")
    page.wait_for_selector("#notice [role=alert]")
    assert "Source across is" in page.inner_text("#notice")
    page.wait_for_function("!location.search.includes('source_across')")
    said(page, "#status", "They do not commute")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert page.console_errors == []
