"""The player in a real browser, and what its value refuses."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from gensot_demo.figures.palette import DARK, DATA
from gensot_demo.figures.player import PanelFrames, VelocityField, player_value
from tools.running_app import running_app

ROOT = "document.querySelector('.gensot-player')"
PLOT = "document.querySelector('.gensot-player-plot')"
CANVAS = "document.querySelector('.gensot-player canvas')"
LAYERS = ("Particles", "Trails", "Density", "Velocity field", "Guide and tube", "Start to end", "Target")


@pytest.fixture(scope="module")
def player_url():
    """The address of a small app with one player and a button per value (player_app.py)."""
    with running_app(Path(__file__).with_name("player_app.py")) as address:
        yield address


def opened(page, url: str, value: str | None = None):
    page.goto(url)
    page.wait_for_selector(".gensot-player-note:not(:empty)")
    if value:
        choose(page, value)
    return page


def choose(page, value: str) -> None:
    """Presses a value's button and waits until its panels are drawn."""
    press(page, value)
    wait_for(page, "state", "player")
    page.wait_for_selector(".gensot-player .main-svg")


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def pressed(page, name: str) -> bool:
    return page.get_by_role("button", name=name, exact=True).get_attribute("aria-pressed") == "true"


def data(page, name: str) -> str:
    return page.evaluate(f"{ROOT}.dataset.{name}")


def wait_for(page, name: str, value: str) -> None:
    page.wait_for_function(f"{ROOT}.dataset.{name} === '{value}'")


def scrub(page, time: float) -> None:
    page.locator(".gensot-player input").fill(str(time))
    settle(page)


def settle(page) -> None:
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def picture(page) -> str:
    settle(page)
    return page.evaluate(f"{CANVAS}.toDataURL()")


def place(page) -> list[float]:
    """Where the only particle is drawn, in the coordinates of the axes."""
    settle(page)
    return page.evaluate(f"""() => {{
        const canvas = {CANVAS};
        const {{ data, width }} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let [mass, x, y] = [0, 0, 0];
        for (let n = 0; n < data.length / 4; n++) {{
            const weight = data[4 * n + 3];
            mass += weight;
            x += weight * (n % width + 0.5);
            y += weight * (Math.floor(n / width) + 0.5);
        }}
        const density = width / canvas.clientWidth;
        const {{ xaxis, yaxis }} = {PLOT}._fullLayout;
        return [xaxis.p2c(x / mass / density - xaxis._offset), yaxis.p2c(y / mass / density - yaxis._offset)];
    }}""")


def overflows(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def test_it_plays_by_itself_to_its_end(player_url, page):
    opened(page, player_url, "Two")
    wait_for(page, "playing", "true")
    first = int(data(page, "frame"))
    page.wait_for_function(f"Number({ROOT}.dataset.frame) > {first} + 5")
    early = picture(page)
    wait_for(page, "playing", "false")
    assert data(page, "frame") == "60"
    assert float(data(page, "time")) == 1
    assert float(data(page, "fps")) > 0
    assert picture(page) != early
    press(page, "Play")  # from the start again
    page.wait_for_function(f"Number({ROOT}.dataset.frame) < 30 && {ROOT}.dataset.playing === 'true'")
    assert page.console_errors == []


def test_pause_holds_and_play_goes_on(player_url, page):
    opened(page, player_url, "Two")
    wait_for(page, "playing", "true")
    press(page, "Pause")
    time, before = data(page, "time"), picture(page)
    page.wait_for_timeout(400)
    assert (data(page, "time"), picture(page)) == (time, before)
    press(page, "Play")
    page.wait_for_function(f"Number({ROOT}.dataset.time) > {time}")


def test_particles_lie_where_the_axes_say(player_url, page):
    opened(page, player_url, "One")
    for time in (0, 0.4, 0.75, 1):  # 0.4 is between two recorded frames
        scrub(page, time)
        assert place(page) == pytest.approx([2 * time - 1, 0], abs=0.01)
    scrub(page, 0.4)
    page.evaluate(f"Plotly.relayout({PLOT}, {{ 'xaxis.range': [-0.5, 0.5], 'yaxis.range': [-0.25, 0.25] }})")
    assert place(page) == pytest.approx([-0.2, 0], abs=0.003)
    page.set_viewport_size({"width": 600, "height": 700})
    page.wait_for_function("document.querySelector('.gensot-player .main-svg').clientWidth < 600")
    assert place(page) == pytest.approx([-0.2, 0], abs=0.003)


def test_sharp_screens_get_more_pixels(player_url, new_page):
    page = opened(new_page(device_scale_factor=3), player_url, "One")
    scrub(page, 0.4)
    assert (
        page.evaluate("(canvas => canvas.width / canvas.clientWidth)(document.querySelector('.gensot-player canvas'))")
        == 2
    )
    assert place(page) == pytest.approx([-0.2, 0], abs=0.01)


def test_steps_show_recorded_frames(player_url, page):
    opened(page, player_url, "One")
    scrub(page, 0.3)
    assert data(page, "frame") == "1"
    assert page.locator(".gensot-player output").inner_text() == "t = 0.30"
    press(page, "One frame forward")
    assert place(page) == pytest.approx([0, 0], abs=0.01)
    earlier = picture(page)
    press(page, "One frame forward")
    assert picture(page) != earlier
    press(page, "One frame back")
    assert picture(page) == earlier
    scrub(page, 0.6)
    press(page, "One frame back")  # to the frame that was passed last
    assert data(page, "time") == "0.5000"


def test_keys(player_url, page):
    opened(page, player_url, "Two at rest")
    page.locator(".gensot-player").focus()
    there = page.evaluate("window.scrollY")
    page.keyboard.press("Home")
    assert data(page, "frame") == "0"
    for key, frame in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 60)):
        page.keyboard.press(key)
        assert data(page, "frame") == str(frame)
    page.keyboard.press("[")
    assert pressed(page, "½×")
    page.keyboard.press("]")
    page.keyboard.press("]")
    page.keyboard.press("]")
    assert pressed(page, "2×")
    page.keyboard.press("l")
    assert pressed(page, "Loop")
    page.keyboard.press(" ")
    wait_for(page, "playing", "true")
    page.keyboard.press("k")
    wait_for(page, "playing", "false")
    assert page.evaluate("window.scrollY") == there  # no key of the player's scrolls the page
    page.locator(".gensot-player input").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert data(page, "frame") == "1"  # one step, not the slider's own on top
    page.get_by_role("button", name="Loop").focus()
    page.keyboard.press(" ")  # presses the button that has the focus, and nothing else
    assert not pressed(page, "Loop")
    assert data(page, "playing") == "false"


def test_loop_begins_again(player_url, page):
    opened(page, player_url, "Two at rest")
    press(page, "Loop")
    press(page, "2×")
    scrub(page, 0.9)
    press(page, "Play")
    wait_for(page, "frame", "60")
    page.wait_for_function(f"Number({ROOT}.dataset.frame) < 30")
    assert data(page, "playing") == "true"


def test_it_waits_while_it_is_out_of_sight(player_url, page):
    opened(page, player_url, "Two")
    press(page, "¼×")
    wait_for(page, "playing", "true")
    page.evaluate("window.scrollTo(0, 3000)")
    wait_for(page, "playing", "false")
    time = data(page, "time")
    page.wait_for_timeout(300)
    assert data(page, "time") == time
    page.evaluate("window.scrollTo(0, 0)")
    wait_for(page, "playing", "true")
    page.wait_for_function(f"Number({ROOT}.dataset.time) > {time}")
    page.evaluate("""() => {
        Object.defineProperty(document, 'hidden', { value: true, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    }""")
    wait_for(page, "playing", "false")
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    wait_for(page, "playing", "true")


def test_reduced_motion_stands_at_the_end_until_asked(player_url, new_page):
    page = opened(new_page(reduced_motion="reduce"), player_url, "Two")
    page.wait_for_timeout(300)
    assert (data(page, "playing"), data(page, "frame")) == ("false", "60")
    press(page, "Play")
    wait_for(page, "playing", "true")
    page.wait_for_function(f"Number({ROOT}.dataset.frame) > 2")


@pytest.mark.parametrize("layer", ["Trails", "Density", "Velocity field", "Start to end"])
def test_what_moves_can_be_switched(player_url, page, layer):
    opened(page, player_url, "Two at rest")
    scrub(page, 0.5)
    before, was = picture(page), pressed(page, layer)
    press(page, layer)
    assert pressed(page, layer) is not was
    assert picture(page) != before
    press(page, layer)
    assert picture(page) == before


def test_what_rests_can_be_switched(player_url, page):
    opened(page, player_url, "Two at rest")
    kind = "(trace) => (trace.type === 'contour' ? 'target' : trace.fill ? 'tube' : trace.line ? 'guide' : '')"
    kinds = f"{PLOT}.data.map({kind}).filter(Boolean)"
    assert page.evaluate(kinds) == ["target", "tube", "guide", "target", "guide"]
    press(page, "Target")
    page.wait_for_function(f"{kinds}.join() === 'tube,guide,guide'")
    press(page, "Guide and tube")
    page.wait_for_function(f"{kinds}.join() === ''")
    said = "document.querySelector('#said :is(textarea, input)').value"
    page.wait_for_function(f"""{said} === '[["particles", "trails"], 60]'""")
    choose(page, "Three")  # keeps what was switched by hand
    wait_for(page, "panels", "3")
    assert [pressed(page, layer) for layer in LAYERS] == [True, True, False, False, False, False, False]


def test_only_what_there_is_can_be_switched(player_url, page):
    opened(page, player_url, "One")
    layers = page.locator("[data-layer]").filter(visible=True)
    assert layers.all_inner_texts() == ["Particles", "Trails", "Density", "Start to end"]
    choose(page, "Two")
    page.wait_for_function("document.querySelectorAll('[data-layer]:not([hidden])').length === 7")
    assert [pressed(page, layer) for layer in LAYERS] == [True, True, False, False, True, False, True]


def test_a_new_value_replaces_the_panels(player_url, page):
    opened(page, player_url, "Two at rest")
    press(page, "Loop")
    press(page, "½×")
    page.evaluate(f"Plotly.relayout({PLOT}, {{ 'xaxis.range': [0, 2], 'yaxis.range': [-1, 1] }})")
    choose(page, "Five")
    wait_for(page, "panels", "5")
    page.wait_for_function(f"{PLOT}._fullLayout.yaxis5 && {ROOT}.dataset.playing === 'true'")
    assert page.locator(".gensot-player-titles b").count() == 5
    assert pressed(page, "Loop")
    assert pressed(page, "½×")
    assert page.evaluate(f"{PLOT}._fullLayout.xaxis5.range") == [0, 2]
    choose(page, "Two")
    wait_for(page, "panels", "2")
    page.wait_for_function(f"!{PLOT}._fullLayout.xaxis3")
    page.wait_for_function(f"Number({ROOT}.dataset.frame) > 2")
    assert page.console_errors == []


def test_zooming_one_panel_zooms_all(player_url, page):
    opened(page, player_url, "Six")
    press(page, "Pause")
    box = page.locator(".gensot-player-plot .nsewdrag").nth(4).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 60, steps=5)
    page.mouse.up()
    ranges = f"[1, 2, 3, 4, 5, 6].map((n) => {PLOT}._fullLayout['xaxis' + (n > 1 ? n : '')].range)"
    page.wait_for_function(f"{ranges}[0][1] - {ranges}[0][0] < 3")
    seen = page.evaluate(ranges)
    assert all(part == seen[0] for part in seen)
    axes = page.evaluate(f"(({{ xaxis: x, yaxis: y }}) => [x._m, y._m])({PLOT}._fullLayout)")
    assert abs(axes[0]) == pytest.approx(abs(axes[1]), rel=1e-3)
    page.mouse.dblclick(x, y)
    page.wait_for_function(f"{ranges}.every(([x0, x1]) => x0 === -1.5 && x1 === 4.5)")


@pytest.mark.parametrize(("width", "columns"), [(390, 2), (1280, 3)])
def test_columns_follow_the_width(player_url, new_page, width, columns):
    page = opened(new_page(width=width), player_url, "Six")
    assert not overflows(page)
    lefts = page.evaluate(
        "[...document.querySelectorAll('.gensot-player-titles > div')].map((title) => title.style.left)"
    )
    assert len(set(lefts)) == columns
    assert page.locator(".gensot-player-layers").bounding_box()["width"] <= width


def test_dark_page(player_url, page):
    opened(page, f"{player_url}/?__theme=dark", "One")
    wait_for(page, "mode", "dark")
    colour = """() => {
        const canvas = document.querySelector('.gensot-player canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const seen = new Set();
        for (let n = 0; n < data.length; n += 4) if (data[n + 3] === 255) seen.add(data.slice(n, n + 3).join());
        return [...seen];
    }"""
    as_numbers = ",".join(str(int(DARK[DATA[0]][n : n + 2], 16)) for n in (1, 3, 5))
    settle(page)
    assert as_numbers in page.evaluate(colour)
    press(page, "Light theme")
    wait_for(page, "mode", "light")
    page.wait_for_function(f"({colour})().includes('33,102,172')")
    assert page.console_errors == []


def test_text_is_never_run(player_url, page):
    opened(page, player_url, "Hostile")
    label = page.locator(".gensot-player-titles b").inner_text()
    assert "<img src=x onerror=" in label
    assert "${window.hacked=1}" in page.locator(".gensot-player-legend").inner_text()
    assert "<img" in page.locator(".gensot-player").get_attribute("aria-label")
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None
    assert page.locator(".gensot-player img").count() == 0


def test_nothing_to_play(player_url, page):
    opened(page, player_url)
    note = page.locator(".gensot-player-note")
    assert note.inner_text() == "Press ${1+1} <b>Two</b>."
    assert data(page, "state") == "empty"
    assert not page.locator(".gensot-player-bar").is_visible()
    choose(page, "Two")
    assert not note.is_visible()
    assert page.get_by_role("img", name="Clouds on their way").count() == 1
    press(page, "None")
    wait_for(page, "state", "empty")
    assert page.locator(".gensot-player .main-svg").count() == 0
    assert page.console_errors == []


def test_a_removed_player_gives_its_memory_back(player_url, page):
    opened(page, player_url, "Two")
    page.evaluate("window.gone = document.querySelector('#player'); gone.remove()")
    page.wait_for_function("!gone.querySelector('.main-svg') && gone.querySelector('canvas').width === 0")
    assert page.console_errors == []


def test_the_moment_as_a_picture(player_url, page):
    opened(page, f"{player_url}/?__theme=dark", "Two at rest")
    with page.expect_download() as waiting:
        press(page, "Download PNG")
    assert waiting.value.suggested_filename == "gensot.png"
    from PIL import Image

    with Image.open(waiting.value.path()) as image:
        colours = {colour for _, colour in image.convert("RGB").getcolors(image.width * image.height)}
        assert image.width == 2 * page.evaluate(f"{CANVAS}.clientWidth")
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert (33, 102, 172) in colours  # the light page's blue
    assert page.console_errors == []


# ---- the value ------------------------------------------------------------------------------------------------------

TIMES = np.array([0.0, 0.5, 1.0])


def panel(**changes) -> PanelFrames:
    positions = np.arange(12.0).reshape(3, 2, 2)
    return PanelFrames(**({"name": "a", "label": "A", "positions": positions, "destination": [0, 1]} | changes))


def value(*panels: PanelFrames, **changes) -> dict:
    given = {"times": TIMES, "extent": (0, 1, 0, 1), "modes": ("x", "y"), "target": None, "show": (), "description": ""}
    return json.loads(player_value(panels=panels or (panel(),), **(given | changes)))


def test_positions_survive_the_journey():
    positions = np.random.default_rng(0).normal(size=(3, 5, 2))
    sent = value(panel(positions=positions, destination=np.zeros(5, int)))["panels"][0]
    steps = np.frombuffer(base64.b64decode(sent["positions"]), "<i2").reshape(3, 5, 2)
    x0, x1, y0, y1 = sent["box"]
    received = np.array([x0, y0]) + (steps + 32768.0) / 65535 * np.array([x1 - x0, y1 - y0])
    np.testing.assert_allclose(received, positions, atol=1e-4)


def test_velocities_keep_their_gaps():
    vectors = np.array([[[[1.0, -2.0], [np.nan, 0.5]]]])
    sent = value(panel(field=VelocityField([0, 1], [0], [0.0], vectors)))["panels"][0]["field"]
    steps = np.frombuffer(base64.b64decode(sent["vectors"]), "<i2").reshape(1, 1, 2, 2)
    np.testing.assert_allclose(steps[0, 0, 0] / 32767 * sent["scale"], [1, -2], atol=1e-4)
    assert steps[0, 0, 1].tolist() == [-32768, -32768]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"positions": np.full((3, 2, 2), np.nan)}, "positions has 12 entries that are not finite"),
        ({"positions": np.zeros((2, 2, 2))}, "positions has shape"),
        ({"destination": [0, 2]}, "destination must hold 2 integers from 0 to 1"),
        ({"colour": "red"}, "must be one of the palette"),
        ({"guide": [[0, 1, 2]]}, "guide has shape"),
        ({"field": VelocityField([0, 1], [0], [0.0], np.zeros((1, 2, 1, 2)))}, "vectors has shape"),
    ],
)
def test_a_panel_that_does_not_fit_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        value(panel(**changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"times": [0, 0.5, 0.5]}, "two increasing numbers"),
        ({"extent": (0, 0, 0, 1)}, "x0 < x1"),
        ({"modes": [str(n) for n in range(13)]}, "1 to 12"),
        ({"show": ("trials",)}, "trials"),
        ({"target": ([0, 1], [0, 1, 2], np.zeros((2, 3)))}, "target z has shape"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        value(**changes)


def test_panels_have_names_of_their_own():
    with pytest.raises(ValueError, match="must differ"):
        value(panel(), panel())
    with pytest.raises(ValueError, match="1 to 6"):
        value(*(panel(name=str(n)) for n in range(7)))
