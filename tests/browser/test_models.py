"""The choice of the model on the Compare page, and the truth beside the network."""

import re

from tests.browser.compare_page import DONE, open_compare, rows

NETWORK = "v=1&backbone=network&follow_average=faces*1&view_noise=4&steps=8&samples=3&method=unguided&method=gensot"


def pictures(page, wall: str) -> list[str]:
    return page.locator(f"{wall} .gensot-wall-row img").evaluate_all("all => all.map(one => one.src)")


def test_the_truth_stands_beside_the_network_in_one_click(app_url, page):
    open_compare(page, app_url, NETWORK)
    assert "Emoji network" in page.inner_text("#wall .gensot-wall-title")
    assert not page.locator("#truth").is_visible()
    page.locator("#beside input").check()
    page.wait_for_selector("#truth .gensot-wall-row")
    assert page.locator("#truth .gensot-wall-row b").all_inner_texts() == rows(page) == ["Unguided", "GenSOT"]
    assert len(pictures(page, "#truth")) == 6
    assert not set(pictures(page, "#truth")) & set(pictures(page, "#wall"))
    left, right = (page.locator(wall).bounding_box() for wall in ("#wall", "#truth"))
    assert right["x"] > left["x"] + left["width"] / 2
    page.wait_for_function("document.querySelector('#difference').innerText.includes('grey levels apart')")
    page.locator("#truth .gensot-wall-row").nth(1).locator("button").nth(2).click()
    page.wait_for_selector("#strip .gensot-wall-row")
    assert "What the network learnt from" in page.inner_text("#strip-title")
    page.locator("#beside input").uncheck()
    page.wait_for_function("!document.querySelector('#truth .gensot-wall-row')")
    assert page.console_errors == []


def test_a_link_may_ask_for_the_truth(app_url, page):
    open_compare(page, app_url, NETWORK + "&beside=1")
    page.wait_for_selector("#truth .gensot-wall-row")
    assert page.locator("#beside input").is_checked()
    page.wait_for_function("location.search.includes('beside=1')")


def test_a_model_is_chosen_from_the_list_and_asked_in_its_own_words(app_url, page):
    open_compare(page, app_url, NETWORK)
    page.get_by_label("Conditions", exact=True).check()
    page.get_by_label("Class", exact=True).wait_for()
    assert not page.get_by_label("Condition", exact=True).is_visible()
    page.get_by_label("Model", exact=True).click()
    page.get_by_role("option", name="Emoji collection, exact").click()
    page.wait_for_function("document.querySelector('#status').innerText.includes('is ready')")
    card = page.inner_text("#backbone-card")
    assert "closed form" in card
    assert re.search(r"[\d.]+ ms a picture and call here", card)
    page.get_by_label("Condition", exact=True).wait_for()
    assert not page.get_by_label("Class", exact=True).is_visible()
    assert not page.locator("#beside").is_visible()
    page.locator("#compare").click()
    page.wait_for_function("document.querySelector('#wall .gensot-wall-title').innerText.includes('collection')")
    page.wait_for_function(DONE)
    page.wait_for_function("!location.search.includes('backbone=network')")
    assert page.console_errors == []


def test_on_a_phone_the_truth_is_below(app_url, new_page):
    page = new_page(width=390)
    open_compare(page, app_url, NETWORK + "&beside=1")
    page.wait_for_selector("#truth .gensot-wall-row")
    wall, truth = (page.locator(one).bounding_box() for one in ("#wall", "#truth"))
    assert truth["y"] >= wall["y"] + wall["height"]
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
