"""The Sequences page as a visitor meets it."""

from __future__ import annotations

QUICK = "v=1&motion=colour&backbone=collection&frames=8&steps=6&view_noise=6&method=unguided&method=gensot"


def opened(page, app_url: str, query: str = ""):
    page.goto(f"{app_url}/sequences?{query}")
    page.locator("#status", has_text="Done in").wait_for(timeout=180_000)
    return page


def frame(page) -> int:
    return int(page.locator("#films .gensot-films").get_attribute("data-frame"))


def test_a_sequence_is_run_plays_and_can_be_taken_home(app_url, page):
    opened(page, app_url, QUICK)
    names = page.locator("#films figcaption b span:last-child").all_inner_texts()
    assert names == ["Reference", "Unguided", "GenSOT"]
    page.wait_for_function("Number(document.querySelector('#films .gensot-films').dataset.frame) > 1")
    page.click("#films [data-do=play]")
    held = frame(page)
    picture = "document.querySelector('#films [data-film=reference] canvas').toDataURL()"
    before = page.evaluate(picture)
    page.click("#films [data-do=forward]")
    assert frame(page) == (held + 1) % 8
    assert page.evaluate(picture) != before
    page.locator("#films .gensot-films").press("Home")
    assert frame(page) == 0
    page.locator("#films .gensot-films").press("ArrowLeft")
    assert frame(page) == 7
    assert "deaf to the reference" in page.inner_text("#verdict")
    assert page.locator("#table tbody tr").count() == 3
    # another run by hand, with what is set on the page
    page.locator("#noise").get_by_role("radio", name="Fresh in every frame").check()
    page.click("#run")
    page.locator("#verdict", has_text="noise of its own").wait_for(timeout=120_000)
    page.wait_for_function("location.search.includes('noise=fresh')")
    for button, ending, start in (("#gif", ".gif", b"GIF89a"), ("#mp4", ".mp4", b"ftyp")):
        page.wait_for_function("(id) => !document.querySelector(id).disabled", arg=button)
        with page.expect_download() as found:
            page.click(button)
        assert found.value.suggested_filename.endswith(ending)
        assert start in found.value.path().read_bytes()[:16]
    assert page.console_errors == []


def test_what_helps_coherence_is_measured_here(app_url, page):
    opened(page, app_url, QUICK)
    page.click("#coherence")
    page.locator("#compared", has_text="The path guide").wait_for(timeout=180_000)
    assert page.locator("#compared tbody tr").count() == 5
    assert "does not help" in page.inner_text("#compared .gensot-finding")
    assert page.console_errors == []


def test_a_bad_link_says_so_and_a_bad_input_loses_nothing(app_url, page):
    page.goto(f"{app_url}/sequences?motion=path&points=0.1,0.2;1.5,0.3")
    page.locator("#notice [role=alert]").wait_for()
    assert "outside the picture" in page.inner_text("#notice")
    page.locator("#status", has_text="Done in").wait_for(timeout=180_000)
    page.get_by_role("radio", name="A sketch moves along a path").check()
    page.locator("#path-pad canvas").wait_for()
    page.locator("#path-pad [data-do=clear]").click()
    page.wait_for_timeout(600)
    page.click("#run")
    page.locator("#status .error", has_text="The path is empty").wait_for()
    assert page.locator("#films figure").count() == 5  # the first films stay
    assert page.console_errors == []


def test_stop_stops_and_keeps_the_last_numbers(app_url, page):
    opened(page, app_url, QUICK)
    said = page.inner_text("#verdict")
    frames = page.get_by_label("number input for Frames")
    frames.fill("24")
    page.get_by_role("button", name="Steps, seed, sampler, path, settings").click()
    page.get_by_label("number input for Steps").fill("200")
    page.wait_for_timeout(300)  # nobody leaves a field in the instant of the last letter
    page.click("#run")
    page.locator("#status .gensot-bar").wait_for()
    page.locator("#status", has_text="Following").wait_for(timeout=60_000)
    page.click("#stop")
    page.wait_for_function("document.querySelector('#status').innerText.startsWith('Stopped')")
    page.wait_for_timeout(1500)
    assert page.inner_text("#status").startswith("Stopped")
    assert page.inner_text("#verdict") == said
    assert page.console_errors == []


def test_a_phone_stands_still_where_motion_is_reduced(app_url, new_page):
    page = new_page(width=390, reduced_motion="reduce", color_scheme="dark")
    opened(page, app_url, QUICK)
    assert page.locator("#films .gensot-films").get_attribute("data-playing") == "false"
    page.wait_for_timeout(700)
    assert frame(page) == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert page.console_errors == []
