"""One equation as a visitor uses it: the layout that all parts share, on its first two."""

PLAYER = "document.querySelector('#particles .gensot-player')"


def said(page, selector: str, text: str) -> None:
    page.wait_for_function("([s, t]) => document.querySelector(s)?.innerText.includes(t)", arg=[selector, text])


def pressed(page, layer: str) -> str:
    return page.get_attribute(f"#particles [data-layer={layer}]", "aria-pressed")


def test_the_same_motion_is_seen_in_two_ways(app_url, page):
    page.set_default_timeout(60_000)
    page.goto(f"{app_url}/lagrangian")
    said(page, "#said", "Independent ends")
    said(page, "#velocity", "div(α v) = 0")
    page.wait_for_selector("#falling .main-svg")
    assert pressed(page, "particles") == "true"
    page.get_by_role("button", name="Pause").click()
    page.focus("#particles .gensot-player")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{PLAYER}.dataset.frame === '1'")
    page.get_by_label("Stand still and look (Eulerian)").check()
    page.wait_for_function("location.search.includes('view=eulerian')")
    page.wait_for_function("document.querySelector('#particles [data-layer=field]').ariaPressed === 'true'")
    assert pressed(page, "particles") == "false"
    assert page.evaluate(f"{PLAYER}.dataset.frame") == "1"  # the moment stays
    page.get_by_role("link", name="Optimal transport", exact=True).last.click()
    said(page, "#said", "Optimal transport spends")
    assert page.get_by_label("Stand still and look (Eulerian)").is_checked()  # and so does the way of looking
    assert page.console_errors == []


def test_settings_change_the_motion_its_terms_and_the_address(app_url, page):
    page.set_default_timeout(60_000)
    page.goto(f"{app_url}/lagrangian")
    said(page, "#said", "Independent ends")
    page.get_by_role("button", name="Optimal pairing").click()
    said(page, "#said", "no two segments run past one another")
    said(page, "#velocity", "switched off here")
    page.wait_for_function("location.search.includes('pairing=optimal')")
    page.locator("#pairing").get_by_label("Independent").check()
    said(page, "#said", "Independent ends")
    page.wait_for_function("!location.search.includes('pairing')")
    assert page.console_errors == []


def test_the_last_of_two_quick_presses_wins_and_a_bad_seed_is_explained(app_url, page):
    page.set_default_timeout(60_000)
    page.goto(f"{app_url}/lagrangian")
    said(page, "#said", "Independent ends")
    page.get_by_role("button", name="Ring to checkerboard").click()
    page.get_by_role("button", name="Optimal pairing").click()
    said(page, "#said", "no two segments run past one another")
    page.wait_for_function("location.search === '?v=1&pairing=optimal'")
    page.get_by_label("Seed").fill("-5")
    said(page, "#status [role=alert]", "-5")
    page.get_by_label("Seed").fill("3")
    page.wait_for_function("location.search.includes('seed=3')")
    page.wait_for_timeout(2000)  # nothing older comes after it
    assert "no two segments" in page.inner_text("#said")
    assert page.evaluate("location.search") == "?v=1&pairing=optimal&seed=3"
    assert page.console_errors == []


def test_an_ellipse_is_dragged_and_a_bad_link_explained_on_a_phone(app_url, new_page):
    page = new_page(width=390, color_scheme="dark")
    page.set_default_timeout(60_000)
    page.goto(f"{app_url}/interpolation?particles=1e9")
    page.wait_for_selector("#notice [role=alert]")
    assert "1000" in page.inner_text("#notice")
    said(page, "#said", "more: its particles end")
    page.locator(".gensot-ellipses-handle.source.along").focus()
    page.keyboard.press("ArrowUp")
    page.wait_for_function("location.search.includes('source_angle')")
    page.get_by_role("button", name="Aligned").click()
    said(page, "#said", "commute")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert page.console_errors == []
