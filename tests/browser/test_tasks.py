"""Restoring a picture and following a reward on the Compare page, as a visitor asks for them."""

from tests.browser.compare_page import DONE, open_compare, rows

QUICK = "steps=6&samples=2&backbone=network"


def compare(page, asked: str) -> None:
    """Press Compare and wait until the page shows that this was asked for, and the end."""
    page.locator("#compare").click()
    page.wait_for_function("(words) => document.querySelector('#asked').innerText.includes(words)", arg=asked)
    page.wait_for_function(DONE)


def test_a_picture_is_restored_from_what_a_ready_mask_leaves(app_url, page):
    open_compare(page, app_url, f"v=1&{QUICK}&follow_average=faces&method=unguided&method=dps")
    page.get_by_label("Restore a picture", exact=True).check()
    page.get_by_label("The left half", exact=True).check()
    compare(page, "50 % of its pixels are hidden")
    assert page.locator("#asked img").count() == 2
    assert "Unguided" in rows(page)
    heading = page.inner_text("#table thead")
    assert "To the true picture, grey levels" in heading
    assert "Misfit, of the noise" in heading
    page.wait_for_function("location.search.includes('restore=mask')")
    assert "condition" not in page.evaluate("location.search")  # none was asked for
    assert page.console_errors == []


def test_a_mask_is_painted_over_the_picture(app_url, page):
    open_compare(page, app_url, f"v=1&{QUICK}&restore=blur&method=unguided")
    page.get_by_label("Part of it is hidden", exact=True).check()
    page.get_by_label("What I paint over", exact=True).check()
    canvas = page.locator("#mask-drawing canvas").first
    canvas.wait_for()
    page.locator("#compare").click()
    page.wait_for_function("document.querySelector('#status').innerText.includes('The mask is empty')")
    assert page.locator("#wall img").count() == 2  # what was there stays
    page.wait_for_timeout(1500)  # the brush is taken up when the editor is there
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 40, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 10, steps=12)
    page.mouse.up()
    page.wait_for_timeout(500)
    for value, noise in (("0.1", "12.8"), ("0.2", "25.5")):  # a second run finds the mask still there
        page.get_by_label("number input for Noise of the measurement").fill(value)
        page.keyboard.press("Tab")
        compare(page, f"pixels are hidden, with noise of {noise} grey levels")
        assert "25 %" not in page.inner_text("#asked")  # which the ready mask would hide
    assert "The drawn mask is not part of the link." in page.inner_text("#verdict")
    assert page.console_errors == []


def test_a_reward_is_followed(app_url, page):
    open_compare(page, app_url, f"v=1&{QUICK}&follow_average=faces&method=unguided")
    page.get_by_label("A reward", exact=True).check()
    page.get_by_label("Symmetry", exact=True).check()
    compare(page, "pictures like their mirror image, 2 nats per 10 grey levels")
    assert "Asymmetry, grey levels" in page.inner_text("#table thead")
    page.wait_for_function("location.search.includes('reward=symmetry*2')")
    assert page.console_errors == []


def test_a_link_restores_the_task_with_its_methods(app_url, page):
    query = "restore=super_resolution&restore_emoji=clown%20face&restore_noise=0.3&condition=faces*2&method=unguided"
    open_compare(page, app_url, f"v=1&{QUICK}&{query}&method=gensot*stiffness:20")
    assert page.get_by_label("Restore a picture", exact=True).is_checked()
    assert page.get_by_label("Seen coarsely", exact=True).is_checked()
    assert page.get_by_label("number input for Noise of the measurement").input_value() == "0.3"
    assert page.get_by_label("Emoji", exact=True).input_value() == "clown face"
    assert page.get_by_label("Class", exact=True).input_value() == "faces"
    assert rows(page) == ["Unguided", "GenSOT"]
    assert "8 x 8 pixels, with noise of 38.2 grey levels" in page.inner_text("#asked")
    assert "Also faces (trust 4)." in page.inner_text("#asked")
    assert not page.get_by_text("What is hidden").is_visible()
    page.get_by_text("GenSOT: what it does, settings").click()
    assert page.get_by_label("number input for Stiffness").input_value() == "20"


def test_a_reward_that_no_one_can_give_is_refused_on_the_page(app_url, page):
    open_compare(page, app_url, f"v=1&{QUICK}&reward=colour:not-a-colour*1&method=unguided")
    assert "'#not-a-colour'" in page.inner_text("#notice")
    assert len(rows(page)) == 4  # the first view
