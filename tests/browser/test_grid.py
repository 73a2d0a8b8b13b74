"""The Grid page as a visitor uses it: values, cells, failures, links, and a picture that brings its settings back."""

from __future__ import annotations

import base64

import pytest

from gensot_demo.experiments.picture_settings import read_settings

DONE = "document.querySelector('#status')?.innerText.includes('Done')"
SMALL = "backbone=collection&resolution=32&steps=4&samples=1&condition=red&method=cfg"


def open_grid(page, url, query=""):
    page.goto(f"{url}/grid?{query}" if query else f"{url}/grid")
    page.wait_for_selector("#wall .gensot-wall-row")
    page.wait_for_function(DONE, timeout=90_000)


def picture_of(page, selector: str) -> bytes:
    source = page.locator(selector).first.get_attribute("src")
    return base64.b64decode(source.partition(",")[2])


def test_the_first_grid_teaches_and_a_cell_tells_its_settings(app_url, page):
    open_grid(page, app_url)
    assert page.locator("#wall .gensot-wall-cell img").count() == 16
    page.wait_for_function("document.querySelector('#cost').innerText.includes('calls of the model')")
    page.locator("#wall button.gensot-wall-cell").nth(6).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#cell dl")
    assert "Adaptive projected guidance" in page.inner_text("#cell")
    page.get_by_role("link", name="Open in Compare").click()
    page.wait_for_selector("#wall .gensot-wall-row")
    assert "method=apg" in page.url
    assert "strength=4" in page.url
    assert page.console_errors == []


def test_values_are_understood_at_once_and_bad_ones_refused_in_place(app_url, page):
    open_grid(page, app_url, f"{SMALL}&x=strength:1,2")
    values = page.locator("#values-x textarea, #values-x input").first
    values.fill("1-9 (+2)")
    page.wait_for_function("document.querySelector('#said-x').innerText.includes('5 values: 1, 3, 5, 7, 9')")
    page.wait_for_function("document.querySelector('#cost').innerText.includes('5 cells')")
    values.fill("1-1000000")
    page.wait_for_selector("#said-x [role=alert]")
    assert "1,000,000 values; at most 240" in page.inner_text("#said-x")
    values.fill("1, 11")
    page.wait_for_function("document.querySelector('#cost').innerText.includes('from 0 to 10')")
    page.locator("#make").click()
    page.wait_for_selector("#status [role=alert]")
    assert page.locator("#wall .gensot-wall-cell img").count() == 2  # what was there stays
    assert page.console_errors == []


def test_a_failed_cell_says_why_and_pictures_bring_their_settings_back(app_url, page, tmp_path):
    open_grid(page, app_url, f"{SMALL}&x=strength:1,3&y=condition:red,no%20such")
    assert page.locator("#wall .gensot-wall-cell img").count() == 2
    assert "no such" in page.locator("#wall .gensot-wall-words").first.inner_text()
    cell = picture_of(page, "#wall .gensot-wall-cell img")
    assert read_settings(cell).page == "/"
    with page.expect_download() as download:
        page.locator("#sheet").click()
    sheet = download.value.path().read_bytes()
    assert read_settings(sheet).page == "/grid"

    page.goto(f"{app_url}/grid?{SMALL}&x=steps:2,3")
    page.wait_for_function(DONE)
    page.get_by_text("Restore the settings of a picture").click()
    chosen = page.locator("#dropped input[type=file]")
    chosen.set_input_files({"name": "plain.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\nnothing"})
    page.wait_for_selector("#dropped-status [role=alert]")
    assert "x=steps" in page.url  # nothing is lost
    page.locator("#dropped button[aria-label='Clear'], #dropped button[aria-label='Remove this file']").first.click()
    chosen = page.locator("#dropped input[type=file]")
    chosen.set_input_files({"name": "sheet.png", "mimeType": "image/png", "buffer": sheet})
    page.wait_for_url("**/grid?*no*such*")
    page.wait_for_function(DONE)
    assert page.locator("#wall .gensot-wall-cell").count() == 4

    page.get_by_text("Restore the settings of a picture").click()
    page.locator("#dropped input[type=file]").set_input_files(
        {"name": "cell.png", "mimeType": "image/png", "buffer": cell}
    )
    page.wait_for_url(lambda url: "/grid" not in url and "condition=red" in url)
    assert page.console_errors == []


def test_a_comparison_becomes_a_grid(app_url, page):
    page.goto(f"{app_url}/?v=1&condition=red*1&steps=4&samples=2&resolution=32&method=unguided&method=cfg")
    page.wait_for_function(DONE, timeout=90_000)
    page.locator("#vary").click()
    page.wait_for_url("**/grid?*")
    page.wait_for_function(DONE)
    assert page.locator("#wall .gensot-wall-row b").all_inner_texts() == ["Unguided", "Classifier-free guidance"]
    assert page.locator("#wall .gensot-wall-cell img").count() == 8
    assert page.console_errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_scrolls_nothing_but_the_grid(app_url, new_page, theme):
    page = new_page(width=390, color_scheme=theme)
    open_grid(page, app_url, f"{SMALL}&x=strength:1-8")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    box = page.locator("#wall .gensot-wall")
    assert box.evaluate("(e) => e.scrollWidth > e.clientWidth")
    box.evaluate("(e) => { e.scrollLeft = 400; }")
    left = page.locator("#wall .gensot-wall-head").first.evaluate(
        "(e) => e.getBoundingClientRect().left - e.closest('.gensot-wall').getBoundingClientRect().left"
    )
    assert 0 <= left < 6  # row labels stay


def test_the_endpoint_streams_and_ends_with_every_cell(app_url):
    from gradio_client import Client

    client = Client(app_url, verbose=False, httpx_kwargs={"timeout": 60})
    job = client.submit(f"{SMALL}&x=strength:1,3&y=condition:red,no such", api_name="/grid")
    result = job.result(timeout=120)
    assert "4 cells" in job.outputs()[0]["estimate"]
    assert [cell["x"] for cell in result["cells"]] == [1, 3, 1, 3]
    assert result["failed"] == 2
    assert "no such" in result["cells"][2]["reason"]
    shown = base64.b64decode(result["cells"][1]["picture"].partition(",")[2])
    assert read_settings(shown).query == result["cells"][1]["query"]
