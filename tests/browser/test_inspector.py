"""What happened here? The story of one sample, as a visitor opens it, and as other people's code asks for it."""

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.browser.compare_page import open_compare

TASK = "v=1&condition=red*1&strength=3&resolution=32&steps=14&samples=3"
WEIGHTED = TASK + "&method=unguided&method=cfg&method=gensot*particles:6"
TOLD = (  # a page writes one part after the other
    "document.querySelector('#inspect-status').innerText.startsWith('Told')"
    " && document.querySelector('#inspect-said').innerText"
)


def sample(page, row: int, column: int):
    return page.locator("#wall .gensot-wall-row").nth(row).locator("button").nth(column)


def told(page, words: str) -> str:
    """The title, once the panel tells of this sample and has come to its end."""
    page.wait_for_function("(words) => document.querySelector('#strip-title').innerText.includes(words)", arg=words)
    page.wait_for_function(TOLD)
    return page.inner_text("#inspect-said")


def drawn(page) -> set[str]:
    """The figures of the panel that are in sight."""
    page.wait_for_timeout(300)
    return set(page.eval_on_selector_all("#inspect .gensot-figure[data-state=figure]", """(all) => all
      .filter((one) => one.offsetParent).map((one) => one.closest("[id^=inspect-]").id)"""))  # fmt: skip


@pytest.mark.parametrize("width", [390, 1280])
def test_a_weighted_sample_tells_its_whole_story(app_url, new_page, width):
    page = new_page(width=width)
    open_compare(page, app_url, WEIGHTED)
    assert not page.locator("#inspect").is_visible()
    sample(page, 2, 1).focus()
    page.keyboard.press("Enter")
    said = told(page, "GenSOT")
    assert "GenSOT pushed hardest at noise level" in said
    assert "unguided path" in said
    assert drawn(page) == {"inspect-term", "inspect-leaving", "inspect-energy", "inspect-tree"}
    assert page.locator("#strip .gensot-wall-row").count() == 3
    assert page.locator("#inspect-near .gensot-wall-row").nth(1).locator("img").count() == 5
    assert "descendants" in page.inner_text("#inspect-about-tree") or "descend" in page.inner_text(
        "#inspect-about-tree"
    )
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    page.locator("#inspect-close").click()
    page.wait_for_function("!document.querySelector('#strip .gensot-wall-row')")
    assert not page.locator("#inspect").is_visible()
    assert page.console_errors == []


def test_the_last_choice_wins_and_what_is_missing_is_not_shown(app_url, page):
    open_compare(page, app_url, WEIGHTED)
    sample(page, 2, 0).click()
    sample(page, 1, 2).click()
    sample(page, 0, 2).click()
    told(page, "under Unguided")  # its title may stand for a moment above the end of the story before
    page.locator("#inspect-said", has_text="Nothing guided this sample").wait_for()
    said = page.inner_text("#inspect-said")
    page.wait_for_timeout(1000)  # nothing of the others comes after it
    assert page.inner_text("#inspect-said") == said
    assert "seed 9" in page.inner_text("#strip-title")
    assert drawn(page) == {"inspect-leaving", "inspect-energy"}
    assert not page.locator(".gensot-inspect-tree").is_visible()
    page.locator("#compare").click()  # the story belongs to the last run
    page.wait_for_function("!document.querySelector('#strip .gensot-wall-row')")
    assert page.console_errors == []


def test_the_endpoint_tells_the_same_in_numbers(app_url):
    client = Client(app_url, verbose=False, httpx_kwargs={"timeout": 60})
    story = client.predict(query=WEIGHTED, method="gensot", column=1, api_name="/inspect")
    assert story["summary"].startswith("GenSOT pushed hardest")
    assert len(story["term"]["size"]) == len(story["term"]["levels"]) == 14
    assert story["leaving"]["states"][-1] == pytest.approx(story["leaving"]["final"])
    assert set(story["energy"]) == {"unguided", "cfg", "gensot"}
    assert story["neighbours"]["distances"] == sorted(story["neighbours"]["distances"])
    assert len(story["genealogy"]["parents"][0]) == 6
    with pytest.raises(AppError, match="There is no sample 9"):
        client.predict(query=WEIGHTED, method="gensot", column=8, api_name="/inspect")


def test_a_link_opens_the_story_and_a_run_closes_it(app_url, page):
    open_compare(page, app_url, TASK + "&method=unguided&method=cfg&look=cfg:2")
    told(page, "Classifier-free guidance")
    assert "seed 9" in page.inner_text("#strip-title")
    page.wait_for_function("location.search.includes('look=cfg')")
    sample(page, 0, 0).click()
    page.wait_for_function("location.search.includes('look=unguided')")
    page.locator("#compare").click()
    page.wait_for_function("!location.search.includes('look=')")
    page.wait_for_function("!document.querySelector('#strip .gensot-wall-row')")
    assert page.console_errors == []
