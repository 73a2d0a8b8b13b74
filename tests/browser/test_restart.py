"""A restart of the app loses no visitor's settings: they are in the address, and an open page says what happened."""

from __future__ import annotations

import pytest

from tools.running_app import free_port, started_app

SETTINGS = "v=1&target_angle=77&source_along=1.3"


@pytest.mark.slow
def test_an_open_page_says_so_and_comes_back_with_its_settings(new_page):
    port, page = free_port(), new_page()
    page.set_default_timeout(120_000)
    with started_app(patience=240, port=port) as (address, _):
        page.goto(f"{address}/gaussians?{SETTINGS}")
        page.wait_for_function("document.querySelector('#said-maps li') !== null")
        page.evaluate("() => { window.before = true; }")
    page.get_by_text("The app does not answer").wait_for()
    assert page.locator("#said-maps li").count() > 0  # what is shown stays
    with started_app(patience=240, port=port):
        page.get_by_role("button", name="Load this page anew").click()
        page.wait_for_function("window.before === undefined")
        page.wait_for_function("document.querySelector('#said-maps li') !== null")
        assert "target_angle=77" in page.url
        angle = "[...document.querySelectorAll('input[type=number]')].some((one) => one.value === '77')"
        page.wait_for_function(angle)
