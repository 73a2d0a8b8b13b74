"""The Draw part of Navigation as a visitor meets it."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

PLANE = (
    "JSON.parse(JSON.stringify(document.querySelector('#plane .js-plotly-plot').data.map((t) => [t.name, [...t.x]])))"
)


def opened(page, app_url: str, query: str = ""):
    page.goto(f"{app_url}/navigation{query}")
    page.locator("#verdict", has_text="Guiding costs").wait_for(timeout=60_000)
    page.locator("#plane .js-plotly-plot").wait_for()
    return page


def settings(page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_sliders_and_knots_move_the_figure_and_the_link_follows(app_url, page, new_page):
    opened(page, app_url)
    page.locator("#cases", has_text="33.6 %").wait_for()
    before = page.inner_text("#verdict")
    page.locator("input[type=range][aria-label*='Stiffness']").first.focus()
    page.keyboard.press("End")
    page.wait_for_function("(old) => document.querySelector('#verdict').innerText !== old", arg=before)
    page.wait_for_function("location.search.includes('stiffness=200')")
    page.locator("#cases", has_text="83.5 %").wait_for()
    # a knot is dragged: the template becomes the person's own guide
    pad = page.locator("#guide-pad canvas")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    x, y = box["x"] + (0.375 + 4) / 8 * box["width"], box["y"] + (4 - 1.1 - 0.06) / 8 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 60, steps=4)
    page.mouse.up()
    page.wait_for_function("location.search.includes('shape=knots')")
    assert len(settings(page)["knots"][0].split(";")) >= 7
    other = opened(new_page(width=390), page.url.split("/navigation")[0], "?" + urlsplit(page.url).query)
    assert other.inner_text("#verdict") == page.inner_text("#verdict")
    assert other.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.console_errors == other.console_errors == []


def test_the_cloud_is_simulated_on_demand(app_url, page):
    opened(page, app_url, "?particles=400&steps=40&shape=V")
    page.click("#simulate")
    page.locator("#status", has_text="400 particles, 40 steps").wait_for(timeout=60_000)
    assert page.locator("#player .gensot-player").get_attribute("data-panels") == "1"
    page.wait_for_function("document.querySelectorAll('.gensot-snapshots .js-plotly-plot').length === 5")
    share = float(page.locator("#terminal tbody td").first.inner_text().split(" ±")[0])
    assert abs(share - 0.7) < 0.1  # 4 standard errors
    assert "floor" in page.inner_text("#terminal")
    assert page.console_errors == []


def test_a_protocol_is_taken_home_and_brought_back_and_bad_ones_are_answered(app_url, page, tmp_path):
    opened(page, app_url, "?shape=V&stiffness=5,50")
    with page.expect_download() as found:
        page.click("#export")
    home = tmp_path / "protocol.json"
    home.write_bytes(found.value.path().read_bytes())
    assert json.loads(home.read_text())["stiffness"] == [5.0] * 10 + [50.0] * 10
    said = page.inner_text("#verdict")
    for content, sentence in (
        ("{", "no JSON"),
        (json.dumps({"guide": [[0, 0], [1, 1]], "modes": [[0, 0, 1, 1]] * 10_000}), "at most 12"),
        (json.dumps({"guide": [[0, 0], [1, 1]], "stiffness": [-20, 1]}), "conjugate point"),
    ):
        bad = tmp_path / "bad.json"
        bad.write_text(content)
        page.set_input_files("#protocol-file input[type=file]", bad)
        page.locator("#file-status .error", has_text=sentence).wait_for()
        assert page.inner_text("#verdict") == said
        page.locator(
            "#protocol-file button[aria-label*='lear'], #protocol-file button[aria-label*='emove']"
        ).first.click()
    shorter = json.loads(home.read_text()) | {"template": None, "stiffness": 9}
    home.write_text(json.dumps(shorter))
    page.set_input_files("#protocol-file input[type=file]", home)
    page.locator("#file-status", has_text="Imported: 20 pieces").wait_for()
    page.wait_for_function("location.search.includes('shape=pieces')")
    assert settings(page)["stiffness"] == ["9"]
    assert page.console_errors == []
