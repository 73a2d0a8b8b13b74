"""Every page, light and dark, as axe sees it: nothing serious, and nothing wider than the window of a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from gensot_demo.shell import PAGES

GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def axe():
    return Axe()


def grave(axe, page) -> list[tuple]:
    """What stays so: axe looks for a while, and sees a button half faded that becomes usable meanwhile (3 of 40)."""
    for _ in range(3):
        found = _grave_now(axe, page)
        if not found:
            break
        page.wait_for_timeout(400)
    return found


def _grave_now(axe, page) -> list[tuple]:
    found = axe.run(page).response["violations"]
    return [(one["id"], one["help"], one["nodes"][0]["target"]) for one in found if one["impact"] in GRAVE]


@pytest.mark.parametrize("path", [page.path for page in PAGES])
def test_axe_finds_nothing_serious(new_page, app_url, axe, path):
    page = new_page()
    page.goto(app_url + path)
    page.wait_for_selector(".gensot-footer")
    page.wait_for_timeout(1500)  # most first views are drawn by then
    assert grave(axe, page) == []
    page.evaluate("window.gensot.setTheme('dark')")
    page.wait_for_function("document.body.classList.contains('dark')")
    page.wait_for_timeout(400)  # colours fade over
    assert grave(axe, page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_axe_sees_what_is_wrong(new_page, app_url, axe):
    page = new_page()
    page.goto(app_url + "/scoreboard")
    page.wait_for_selector(".gensot-footer a")
    page.evaluate("document.querySelector('.gensot-footer a').style.color = 'transparent'")
    page.evaluate("document.body.append(document.createElement('select'))")
    assert {"select-name"} <= {name for name, *_ in grave(axe, page)}
