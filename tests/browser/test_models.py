"""The choice of the model on the Compare page, and the truth beside the network."""

import re
import subprocess
import sys

import pytest

from tests.browser.compare_page import DONE, open_compare, rows
from tests.support.tiny_pipelines import save
from tools.running_app import running_app

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
    page.wait_for_function("location.search.includes('beside=1')")
    assert re.search(r"[\d.]+ ms a picture and call here", page.inner_text("#backbone-card"))
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
    page.locator("#compare").click()  # the very run is kept: its answer keeps the whole link
    page.wait_for_selector("#truth .gensot-wall-row")
    page.wait_for_timeout(1000)
    assert "beside=1" in page.evaluate("location.search")


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


@pytest.fixture(scope="module")
def own_models(tmp_path_factory):
    """The app with two pipelines of a person's own."""
    folder = tmp_path_factory.mktemp("models")
    models = [save(kind, folder / name) for kind, name in (("sd", "tiny-words"), ("ddpm", "tiny-pixels"))]
    command = [sys.executable, "-m", "gensot_demo", "serve"]
    with running_app([*command, *(part for model in models for part in ("--pipeline", str(model)))]) as address:
        yield address


def choose(page, name: str) -> str:
    page.get_by_label("Model", exact=True).click()
    page.get_by_role("option", name=name, exact=True).click()
    page.wait_for_function(
        "(name) => document.querySelector('#status').innerText === `${name} is ready.`"
        " || document.querySelector('#status').innerText.includes('stays with')",
        arg=name,
    )
    return page.inner_text("#status")


def ends_with(page, words: str) -> None:
    page.locator("#compare").click()
    page.wait_for_function("(words) => document.querySelector('#status').innerText.includes(words)", arg=words)


def test_a_pipeline_of_ones_own_takes_prompts_and_pictures(own_models, page):
    open_compare(page, own_models, NETWORK)
    assert choose(page, "tiny-words") == "tiny-words is ready."
    assert "0.1 M parameters" in page.inner_text("#backbone-card")
    ends_with(page, "Done")  # follows a picture without a prompt
    page.get_by_label("Conditions", exact=True).check()
    ends_with(page, "needs a prompt")
    page.get_by_label("Prompt", exact=True).fill("a red cat")
    page.get_by_label("and prompt", exact=True).fill("a house")
    ends_with(page, "Done")
    page.wait_for_function("document.querySelector('#wall .gensot-wall-title').innerText.includes('tiny-words')")
    assert rows(page) == ["Unguided", "Conditional", "Classifier-free guidance", "GenSOT"]
    page.wait_for_function("location.search.includes('condition=a+red+cat')")
    kept = pictures(page, "#wall")
    page.get_by_label("Prompt", exact=True).fill("cat " * 2500)
    ends_with(page, "9,999 characters")
    assert pictures(page, "#wall") == kept
    assert not page.locator("#measure").is_visible()
    assert page.console_errors == []


def test_a_model_that_cannot_be_had_leaves_the_last_one(own_models, page):
    open_compare(page, own_models, NETWORK)
    choose(page, "tiny-pixels")
    said = choose(page, "Stable Diffusion 1.5")
    assert "is not on this machine" in said
    assert said.endswith("The page stays with tiny-pixels.")
    page.wait_for_function("document.querySelector('#backbone input').value === 'tiny-pixels'")
    model = page.get_by_label("Model", exact=True)
    model.click()
    model.fill("../../etc")
    model.press("Enter")
    page.wait_for_function("document.querySelector('#status').innerText.includes(\"'../../etc' is unknown\")")
    ends_with(page, "Done")
    page.wait_for_function("document.querySelector('#wall .gensot-wall-title').innerText.includes('tiny-pixels')")
    assert page.console_errors == []


def test_a_link_to_a_large_model_waits_for_the_button(own_models, page):
    page.goto(f"{own_models}/?v=1&backbone=tiny-words&condition=a%20cat*2&strength=3&method=cfg&samples=2&steps=6")
    page.wait_for_function(
        "document.querySelector('#status')?.innerText.startsWith('Press Compare to load tiny-words')"
    )
    assert page.get_by_label("Prompt", exact=True).input_value() == "a cat"
    ends_with(page, "Done")
    assert rows(page) == ["Classifier-free guidance"]


@pytest.mark.parametrize("task", ["", "&follow_average=faces*1"])
def test_an_unknown_model_in_a_link_says_so(app_url, page, task):
    open_compare(page, app_url, f"v=1&backbone=no%20such%20model{task}")
    page.wait_for_selector("#notice .gensot-status")
    assert "'no such model' is unknown" in page.inner_text("#notice")


def test_a_link_may_name_only_what_it_changes(app_url, page):
    open_compare(page, app_url, "v=1&backbone=collection&samples=1&steps=30&resolution=32")
    assert "collection" in page.inner_text("#wall .gensot-wall-title")
    assert page.get_by_label("number input for View noise").input_value() == "8"


def test_a_link_may_call_an_emoji_by_its_character(app_url, page):
    open_compare(page, app_url, "v=1&follow=%F0%9F%98%80*1&samples=1&steps=6&resolution=32&method=gensot")
    assert page.get_by_label("Emoji", exact=True).input_value() == "grinning face"


def test_after_stop_nothing_stands_beside_what_was_not_finished(app_url, page):
    open_compare(page, app_url, NETWORK.replace("steps=8", "steps=60") + "&beside=1")
    page.wait_for_selector("#truth .gensot-wall-row")
    page.get_by_role("button", name="New noise").click()
    page.wait_for_function("document.querySelector('#status').innerText.startsWith('Sampling')")
    page.locator("#stop").click()
    page.wait_for_function("document.querySelector('#status').innerText.startsWith('Stopped')")
    page.wait_for_timeout(2500)
    assert page.locator("#truth .gensot-wall-row").count() == 0
    assert "grey levels" not in page.inner_text("#difference")


def test_a_folder_that_is_no_pipeline_is_refused_before_the_app_starts(tmp_path):
    save("ddpm", tmp_path / "pickled", safe=False)
    command = [sys.executable, "-m", "gensot_demo", "serve", "--pipeline", str(tmp_path / "pickled")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "safetensors" in done.stderr
    assert "Traceback" not in done.stderr
