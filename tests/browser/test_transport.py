"""The Transport page as a visitor meets it."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

DONE = "Done in"


def opened(page, app_url: str, query: str = ""):
    page.goto(f"{app_url}/transport{query}")
    page.locator("#status", has_text=DONE).wait_for(timeout=120_000)
    return page


def finished(page):
    """Wait for the run that was just asked for."""
    page.wait_for_function("document.querySelector('#status').innerText.match(/%|Waiting|Measuring/)", timeout=10_000)
    page.locator("#status", has_text=DONE).wait_for(timeout=60_000)


def settings(page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def titles(page) -> list[str]:
    return page.locator("#player .gensot-player-titles b span:last-child").all_inner_texts()


def rows(page) -> dict[str, list[str]]:
    """The table: cells by method."""
    lines = page.locator("#table tbody tr").all()
    return {line.locator("th").inner_text()[2:]: line.locator("td").all_inner_texts() for line in lines}


def choose(page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).first.click()
    page.get_by_role("option", name=option, exact=True).click()


def test_first_view_plays_and_says_who_arrives(page, app_url):
    opened(page, app_url)
    assert titles(page) == [
        "Diffusion SDE (VP)",
        "Flow matching (CondOT)",
        "Optimal transport",
        "GenSOT (straight guide)",
        "GenSOT (S guide)",
    ]
    assert "All 5 arrive" in page.inner_text("#verdict")
    assert "Optimal transport is cheapest" in page.inner_text("#verdict")
    assert set(rows(page)) == set(titles(page))
    page.wait_for_function("document.querySelectorAll('.gensot-figure[data-state=figure]').length === 5")
    player = page.locator("#player .gensot-player")
    page.wait_for_function("Number(document.querySelector('#player .gensot-player').dataset.frame) > 5")
    assert player.get_attribute("data-panels") == "5"
    assert page.console_errors == []


def test_a_preset_sets_the_page_and_its_link_brings_it_back(page, app_url, new_page):
    opened(page, app_url)
    page.click("#preset-destination")
    finished(page)
    assert "Four corridors" in page.inner_text("#preset-text")
    assert titles(page)[-1] == "GenSOT (frozen guide)"
    verdict = page.inner_text("#verdict")
    assert "All 4 arrive" in verdict
    assert "nothing that could be seen" in verdict
    assert "Mode upper (exact 0.700)" in page.inner_text("#table thead")
    for cells in rows(page).values():
        assert abs(float(cells[4].split(" ±")[0]) - 0.7) < 0.04
    page.wait_for_function("location.search.includes('gensot_frozen')")
    other = new_page()
    other.goto(page.url)
    other.locator("#status", has_text=DONE).wait_for(timeout=120_000)
    assert titles(other) == titles(page)
    assert "Four corridors" in other.inner_text("#preset-text")
    # by hand it is no preset any more
    page.locator("input[type=range][aria-label*='Stiffness']").first.focus()
    page.keyboard.press("End")
    page.locator("#preset-text").wait_for(state="hidden")
    assert page.console_errors == other.console_errors == []


def test_a_drawn_target_is_what_is_transported(page, app_url):
    opened(page, app_url)
    choose(page, "Target", "Draw your own")
    page.locator("#status .error", has_text="The drawing is empty").wait_for()
    assert len(titles(page)) == 5  # the last result stays
    pad = page.locator("#target-pad canvas")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.75 * box["height"])  # at (-2, -2)
    page.wait_for_function("location.search.includes('modes=')", timeout=60_000)
    page.locator("#status", has_text=DONE).wait_for(timeout=60_000)
    (row,) = settings(page)["modes"][0].split(";")
    x, y = (float(v) for v in row.split(",")[:2])
    assert (x, y) == pytest.approx((-2, -2), abs=0.25)
    ends = page.evaluate(_LAST_MEANS)
    assert len(ends) == 5
    for end in ends:
        assert end == pytest.approx((x, y), abs=0.1)
    assert page.console_errors == []


_LAST_MEANS = """() => {
  const found = [];
  const walk = (text) => { const v = JSON.parse(text); for (const p of v.panels) {
    const raw = Uint8Array.from(atob(p.positions), (c) => c.charCodeAt(0));
    const all = new Int16Array(raw.buffer), last = all.slice(all.length - 2 * p.particles);
    const [x0, x1, y0, y1] = p.box; let x = 0, y = 0;
    for (let k = 0; k < p.particles; k++) {
      x += x0 + (last[2 * k] + 32768) / 65535 * (x1 - x0); y += y0 + (last[2 * k + 1] + 32768) / 65535 * (y1 - y0);
    }
    found.push([x / p.particles, y / p.particles]);
  } };
  walk(window.lastPlayerValue);
  return found;
}"""


@pytest.fixture(autouse=True)
def remember_player_values(page):
    """Keeps the player's last value, as the server sent it, where a test can read it."""

    def seen(answer) -> None:
        pass

    page.on("response", seen)
    page.add_init_script(
        """
        const parse = JSON.parse;
        JSON.parse = function (text, ...rest) {
          const value = parse.call(this, text, ...rest);
          if (value && value.panels && value.times) window.lastPlayerValue = text;
          return value;
        };
        """
    )


def test_step_back_shows_the_earlier_state(page, app_url):
    opened(page, app_url, "?method=optimal_transport&method=flow_vp")
    player = page.locator("#player .gensot-player")
    if player.get_attribute("data-playing") == "true":
        page.click("#player [data-do=play]")
    page.locator("#player input[type=range]").evaluate(
        "(slider) => { slider.value = 0.5; slider.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    picture = "document.querySelector('#player canvas').toDataURL()"
    page.wait_for_timeout(200)
    frame, before = int(player.get_attribute("data-frame")), page.evaluate(picture)
    page.click("#player [data-do=forward]")
    page.wait_for_timeout(200)
    assert int(player.get_attribute("data-frame")) == frame + 1
    assert page.evaluate(picture) != before
    page.click("#player [data-do=back]")
    page.wait_for_timeout(200)
    assert int(player.get_attribute("data-frame")) == frame


def test_a_slider_runs_again_and_the_address_follows(page, app_url):
    opened(page, app_url, "?source=point&method=gensot_s")
    slider = page.locator("input[type=range][aria-label*='Stiffness']").first
    slider.focus()
    page.keyboard.press("End")
    page.wait_for_function("location.search.includes('stiffness=200')", timeout=30_000)
    page.locator("#status", has_text=DONE).wait_for(timeout=60_000)
    assert page.console_errors == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?steps=1000000000", "Steps is 1000000000; it must be a whole number from 2 to 500."),
        ("?stiffness=nan", "Stiffness is nan; it must be a number from 0 to 1000."),
        ("?target=nowhere", "target 'nowhere' is unknown"),
        ("?target=modes", "the drawing is empty"),
        ("?target=modes&modes=900,0,.3,1", "coordinates go from -20 to 20"),
    ],
)
def test_a_bad_link_says_so_and_shows_the_first_view(page, app_url, query, said):
    page.goto(f"{app_url}/transport{query}")
    page.locator("#notice", has_text=said).wait_for(timeout=60_000)
    page.locator("#status", has_text=DONE).wait_for(timeout=120_000)
    assert len(titles(page)) == 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x,y\na,b\n", "it must begin with two numbers"),
        ("", "empty"),
        ("1,2\n", "single narrow mode"),
        ("1,2\nnan,3\n3,4\n1,1\n", "1 of 4 rows hold no finite numbers"),
        ("\n".join(f"{k % 97},{k % 89}" for k in range(30_000)), "400 of the file's 30,000 rows are used"),
        ("1e6,1e6\n1000001,1000002\n1e6,1000003\n", "shifted"),
    ],
)
def test_files_good_and_bad(page, app_url, tmp_path, text, said):
    path = tmp_path / "points.csv"
    path.write_text(text)
    opened(page, app_url, "?method=optimal_transport&method=flow_matching&particles=300&steps=20")
    choose(page, "Target", "A file (CSV)")
    page.locator("#status .error", has_text="No file is chosen").wait_for()
    page.locator("input[type=file]").last.set_input_files(path)
    page.wait_for_function(
        "(said) => (document.querySelector('#status').innerText + document.querySelector('#verdict').innerText)"
        ".toLowerCase().includes(said.toLowerCase())",
        arg=said,
        timeout=60_000,
    )
    assert len(titles(page)) == 2
    assert [e for e in page.console_errors if "JSON" not in e] == []


def test_stop_keeps_what_is_shown(page, app_url):
    opened(page, app_url)
    page.click("#repeat")
    page.locator("#measure-status", has_text="%").wait_for()
    page.click("#stop")
    page.locator("#status", has_text="Stopped").wait_for()
    assert len(titles(page)) == 5
    page.wait_for_timeout(1500)
    assert "%" not in page.inner_text("#measure-status")


def test_layers_travel_in_the_link(page, app_url):
    opened(page, app_url)
    page.click("#player [data-layer=field]")
    page.wait_for_timeout(800)
    page.click("#run")
    page.wait_for_function("location.search.includes('show=field')", timeout=30_000)
    assert "field" in settings(page)["show"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(new_page, app_url, scheme):
    page = new_page(width=390, height=800, color_scheme=scheme)
    opened(page, app_url)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#player .gensot-player").get_attribute("data-panels") == "5"
    choose(page, "Target", "Draw your own")
    page.locator("#target-pad canvas").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.console_errors == []


def test_the_endpoint_streams_and_answers_with_numbers(app_url):
    from gradio_client import Client

    client = Client(app_url, verbose=False, httpx_kwargs={"timeout": 60})
    job = client.submit(
        "source=point&method=gensot_s&method=optimal_transport&particles=400&steps=20", api_name="/transport"
    )
    answer = job.result(timeout=120)
    assert set(answer["panels"]) == {"GenSOT (S guide)", "Optimal transport"}
    modes = answer["panels"]["GenSOT (S guide)"]["modes"]
    assert abs(modes["upper"]["share"] - 0.7) < 4 * modes["upper"]["error"]
    json.dumps(answer)
