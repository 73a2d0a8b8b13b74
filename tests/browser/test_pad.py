"""The drawing pad, by mouse, finger and keyboard, with a real event handler behind it (pad_app.py)."""

import json
import math
from itertools import pairwise
from pathlib import Path

import pytest

from tools.running_app import running_app


@pytest.fixture(scope="module")
def pads_url():
    with running_app(Path(__file__).with_name("pad_app.py")) as address:
        yield address


@pytest.fixture
def pads(pads_url, page):
    return ready(page, pads_url)


def ready(page, url):
    page.goto(url)
    page.wait_for_selector("#target [data-mode]")
    page.wait_for_selector("#guide [data-mode]")
    return page


def spot(page, pad, x, y):
    """Where a point of the plane is on the screen; both pads show -4 to 4."""
    box = page.locator(f"{pad} canvas").bounding_box()
    return box["x"] + (x + 4) / 8 * box["width"], box["y"] + (4 - y) / 8 * box["height"]


def click(page, pad, x, y):
    page.locator(f"{pad} canvas").scroll_into_view_if_needed()
    page.mouse.click(*spot(page, pad, x, y))


def stroke(page, pad, places, steps=4):
    page.locator(f"{pad} canvas").scroll_into_view_if_needed()
    page.mouse.move(*spot(page, pad, *places[0]))
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*spot(page, pad, *place), steps=steps)
    page.mouse.up()


def field(name):
    return f"document.querySelector('{name} :is(textarea, input)').value"


def told(page, pad, condition):
    """The drawing that the handler has been given, once it meets a condition, in JavaScript, on `d`."""
    page.wait_for_function(
        f"(() => {{ const d = JSON.parse({field(pad + '-said')} || 'null'); return d && {condition}; }})()"
    )
    return json.loads(page.evaluate(field(pad + "-said")))


def count(page, pad):
    page.wait_for_timeout(600)
    return int(page.evaluate(field(pad + "-count")))


def status(page, pad):
    return page.locator(f"{pad} .gensot-pad-status").inner_text().replace("\u00a0", " ")


def button(page, pad, name):
    return page.locator(pad).get_by_role("button", name=name, exact=True)


def test_modes_by_mouse(pads):
    click(pads, "#target", -2, 1)
    click(pads, "#target", 1.5, 2)
    drawn = told(pads, "#target", "d.modes.length === 2")
    assert drawn["tool"] == "modes"
    assert drawn["modes"][0] == pytest.approx([-2, 1, 0.3, 1], abs=0.02)
    assert drawn["modes"][1] == pytest.approx([1.5, 2, 0.3, 1], abs=0.02)
    stroke(pads, "#target", [(-2, 1), (-1, -1.5), (-0.5, -2)])
    drawn = told(pads, "#target", "d.modes[0][1] < 0")
    assert drawn["modes"][0] == pytest.approx([-0.5, -2, 0.3, 1], abs=0.03)
    assert drawn["modes"][1] == pytest.approx([1.5, 2, 0.3, 1], abs=0.02)
    assert status(pads, "#target") == "2 modes; mode 1 at −0.5, −2.0, size 0.30, weight 50 %"
    stroke(pads, "#target", [(0.1, -2), (0.7, -2)])  # the ring of two standard deviations
    drawn = told(pads, "#target", "d.modes[0][2] > 0.4")
    assert drawn["modes"][0][2] == pytest.approx(0.6, abs=0.05)
    button(pads, "#target", "Delete").click()
    assert told(pads, "#target", "d.modes.length === 1")["modes"][0][:2] == pytest.approx([1.5, 2], abs=0.02)
    assert pads.console_errors == []


def test_sliders_and_wheel(pads):
    assert pads.locator("#target").get_by_label("Size of the selected mode").is_disabled()
    click(pads, "#target", 0, 1)
    click(pads, "#target", 0, -1)
    pads.locator("#target").get_by_label("Size of the selected mode").fill("0")
    told(pads, "#target", "d.modes.length === 2 && d.modes[1][2] === 1")
    pads.locator("#target").get_by_label("Weight of the selected mode").fill("0.48")
    assert told(pads, "#target", "d.modes[1][3] > 2")["modes"][1][3] == pytest.approx(10**0.48, abs=1e-3)
    assert status(pads, "#target").endswith("size 1.00, weight 75 %")
    scrolled = pads.evaluate("window.scrollY")
    click(pads, "#target", 0, -1)
    pads.mouse.wheel(0, 80)
    assert told(pads, "#target", "d.modes[1][2] < 1")["modes"][1][2] == pytest.approx(math.exp(-0.1), abs=1e-3)
    assert pads.evaluate("window.scrollY") == scrolled


def test_undo_redo_and_clear(pads):
    for n in range(3):
        click(pads, "#target", n - 1, 0)
        told(pads, "#target", f"d.modes.length === {n + 1}")
    button(pads, "#target", "Undo").click()
    told(pads, "#target", "d.modes.length === 2")
    pads.keyboard.press("Control+z")
    told(pads, "#target", "d.modes.length === 1")
    pads.keyboard.press("Control+Shift+Z")
    told(pads, "#target", "d.modes.length === 2")
    button(pads, "#target", "Redo").click()
    told(pads, "#target", "d.modes.length === 3")
    assert button(pads, "#target", "Redo").is_disabled()
    button(pads, "#target", "Clear").click()
    told(pads, "#target", "d.modes.length === 0")
    assert status(pads, "#target") == "No modes yet"
    button(pads, "#target", "Undo").click()
    told(pads, "#target", "d.modes.length === 3")


def test_twelve_modes_at_most(pads):
    for n in range(13):
        click(pads, "#target", n % 4 * 1.8 - 3, n // 4 * 1.8 - 3)
    assert status(pads, "#target") == "12 modes at most"
    assert len(told(pads, "#target", "d.modes.length === 12")["modes"]) == 12


def test_points_are_sprayed_and_erased(pads):
    button(pads, "#target", "Points").click()
    assert button(pads, "#target", "Points").get_attribute("aria-pressed") == "true"
    assert told(pads, "#target", "d.tool === 'points'")["points"] == []
    click(pads, "#target", -3, 3)
    told(pads, "#target", "d.points.length === 1")
    stroke(pads, "#target", [(-3, 0), (3, 0)], steps=5)
    drawn = told(pads, "#target", "d.points.length > 5")["points"]
    assert len(drawn) == 1 + 1 + 6 * 45 // 8
    apart = [math.dist(a, b) for a, b in pairwise(drawn[1:])]
    assert apart == pytest.approx([8 / 45] * len(apart), abs=1e-3)
    pads.keyboard.down("Shift")
    stroke(pads, "#target", [(1, 0), (4, 0)], steps=20)
    pads.keyboard.up("Shift")
    left = told(pads, "#target", f"d.points.length < {len(drawn)}")["points"]
    assert max(x for x, _ in left) < 0.8
    button(pads, "#target", "Eraser").click()
    click(pads, "#target", -3, 3)
    assert len(told(pads, "#target", f"d.points.length < {len(left)}")["points"]) == len(left) - 1


def test_a_curve_keeps_its_order_and_a_new_one_replaces_it(pads):
    before = count(pads, "#guide")
    stroke(pads, "#guide", [(3 * math.cos(n / 8), 3 * math.sin(n / 8)) for n in range(60)])
    curve = told(pads, "#guide", "d.curve.length > 1")["curve"]
    assert count(pads, "#guide") == before + 1  # nothing is said before the stroke ends
    assert len(curve) == 200
    assert all(math.hypot(x, y) == pytest.approx(3, abs=0.1) for x, y in curve)
    turned = [(math.atan2(y, x) - n / 199 * 59 / 8) % math.tau for n, (x, y) in enumerate(curve)]
    assert all(min(angle, math.tau - angle) < 0.05 for angle in turned)
    stroke(pads, "#guide", [(2, 2), (-2, 2)])
    curve = told(pads, "#guide", "d.curve.length < 200")["curve"]
    assert curve[0] == pytest.approx([2, 2], abs=0.03)
    assert curve[-1] == pytest.approx([-2, 2], abs=0.03)
    click(pads, "#guide", 0, -3)  # a tap draws no curve
    assert count(pads, "#guide") == before + 2


def test_knots_start_between_the_ends_and_are_dragged(pads):
    pads.get_by_role("button", name="Read").click()
    pads.wait_for_function(f"{field('#now')}.includes('knots')")
    assert json.loads(pads.evaluate(field("#now")))["knots"] == [[-1.8, 0], [-0.6, 0], [0.6, 0], [1.8, 0]]
    assert count(pads, "#guide") == 0
    button(pads, "#guide", "Knots").click()
    stroke(pads, "#guide", [(-0.6, 0), (-0.6, 2)])
    knots = told(pads, "#guide", "d.knots[1][1] > 1")["knots"]
    assert knots[1] == pytest.approx([-0.6, 2], abs=0.03)
    click(pads, "#guide", 2.4, 0)  # on the line, between the last knot and the end
    knots = told(pads, "#guide", "d.knots.length === 5")["knots"]
    assert knots[4] == pytest.approx([2.4, 0], abs=0.03)
    click(pads, "#guide", 0, -3)  # off the line
    click(pads, "#guide", -1.8, 0)
    pads.keyboard.press("Delete")
    knots = told(pads, "#guide", "d.knots.length === 4")["knots"]
    assert knots[0] == pytest.approx([-0.6, 2], abs=0.03)


def test_keyboard(pads):
    canvas = pads.locator("#target canvas")
    assert canvas.get_attribute("role") == "application"
    assert "Arrow keys" in canvas.get_attribute("aria-label")
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowUp"):
        pads.keyboard.press(key)
    pads.wait_for_timeout(250)
    assert status(pads, "#target") == "Crosshair at 0.4, 1.0"
    pads.keyboard.press("Enter")
    assert told(pads, "#target", "d.modes.length === 1")["modes"][0] == pytest.approx([0.4, 1, 0.3, 1])
    pads.keyboard.press("Shift+ArrowLeft")
    pads.keyboard.press("Space")
    told(pads, "#target", "d.modes.length === 2")
    pads.keyboard.press("n")
    pads.keyboard.press("Alt+ArrowDown")
    pads.keyboard.press("+")
    drawn = told(pads, "#target", "d.modes[0][2] > 0.3")
    assert drawn["modes"][0] == pytest.approx([0.4, 0.8, 0.33, 1])
    assert status(pads, "#target") == "2 modes; mode 1 at 0.4, 0.8, size 0.33, weight 50 %"
    assert pads.locator("#target .gensot-pad-status").get_attribute("aria-live") == "polite"
    pads.keyboard.press("Delete")
    assert told(pads, "#target", "d.modes.length === 1")["modes"][0] == pytest.approx([-0.6, 1, 0.3, 1])
    pads.keyboard.press("Tab")
    assert pads.evaluate("document.activeElement.tagName") == "INPUT"
    pads.locator("#guide canvas").focus()
    for key in ("Enter", "Shift+ArrowRight", "Enter"):
        pads.keyboard.press(key)
    assert told(pads, "#guide", "d.curve.length === 2")["curve"] == [[0, 0], [1, 0]]
    assert pads.console_errors == []


def test_a_finger_draws_and_a_second_one_undoes_nothing(pads_url, new_page):
    page = ready(new_page(width=390, has_touch=True), pads_url)
    page.touchscreen.tap(*spot(page, "#target", 1, 2))
    assert told(page, "#target", "d.modes.length === 1")["modes"][0] == pytest.approx([1, 2, 0.3, 1], abs=0.03)
    assert page.evaluate("getComputedStyle(document.querySelector('#target canvas')).touchAction") == "none"
    fingers = page.context.new_cdp_session(page)

    def touch(kind, *places):
        points = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(spot(page, "#target", *at) for at in places)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (-2, -2))
    touch("touchMove", (-2.2, -2))
    touch("touchStart", (-2.2, -2), (2, -2))
    touch("touchMove", (-3, -2), (3, -2))
    touch("touchEnd")
    page.wait_for_timeout(500)
    assert status(page, "#target").startswith("1 mode")
    touch("touchStart", (1, 2))
    touch("touchMove", (1, 1))
    touch("touchMove", (1, 0))
    touch("touchEnd")
    assert told(page, "#target", "d.modes[0][1] < 1")["modes"][0] == pytest.approx([1, 0, 0.3, 1], abs=0.03)
    assert page.console_errors == []


def test_a_value_from_python_is_shown_without_an_echo(pads):
    click(pads, "#target", 3, 3)
    told(pads, "#target", "d.modes.length === 1")
    heard = count(pads, "#target")
    pads.get_by_role("button", name="Preset").click()
    pads.wait_for_function("document.querySelector('#target .gensot-pad-status').textContent === '2 modes'")
    assert count(pads, "#target") == heard
    click(pads, "#target", 2, -1)
    assert status(pads, "#target") == "2 modes; mode 2 at 2.0, −1.0, size 0.80, weight 75 %"
    assert count(pads, "#target") == heard  # selecting changes nothing
    button(pads, "#target", "Undo").click()
    assert told(pads, "#target", "d.modes.length === 1")["modes"][0][:2] == pytest.approx([3, 3], abs=0.02)
    pads.get_by_role("button", name="Nothing").click()
    pads.wait_for_function("document.querySelector('#target .gensot-pad-status').textContent === 'No modes yet'")
    assert pads.locator("#target .gensot-pad-hint").inner_text() == "Click to place a mode, drag to move it."
    assert count(pads, "#target") == heard + 1
    assert pads.console_errors == []


def test_a_new_backdrop_leaves_the_drawing(pads):
    stroke(pads, "#guide", [(-3, 1), (3, 1)])
    curve = told(pads, "#guide", "d.curve.length > 1")["curve"]
    pads.get_by_role("button", name="Move the ends").click()
    pads.wait_for_timeout(500)
    pads.get_by_role("button", name="Read").click()
    pads.wait_for_function(f"{field('#now')}.includes('tool')")
    now = json.loads(pads.evaluate(field("#now")))
    assert now["backdrop"] == {"points": [], "paths": [], "start": [-2, 1], "end": [2, -1]}
    assert now["curve"] == curve
    assert len(now["knots"]) == 4
    assert count(pads, "#guide") == 1


def test_a_value_is_never_run(pads):
    pads.get_by_role("button", name="Hostile").click()
    pads.wait_for_function("document.querySelector('#target .gensot-pad-label').textContent.includes('onerror')")
    pads.wait_for_timeout(300)
    assert pads.evaluate("window.hacked") is None
    assert pads.locator("#target img").count() == 0
    click(pads, "#target", 0, 0)
    told(pads, "#target", "d.modes.length === 1")


def test_a_pad_hidden_at_first_is_drawn_when_it_is_shown(pads):
    pads.get_by_role("tab", name="Hidden at first").click()
    pads.wait_for_function("document.querySelector('#hidden canvas')?.width === 360")
    assert pads.locator("#hidden .gensot-pad-tools").is_hidden()
    assert inked(pads, "#hidden") > 50


def inked(page, pad):
    """How many pixels of the canvas have the colour of a curve, in the theme in use."""
    return page.evaluate(
        """(canvas) => {
            const dark = document.body.classList.contains("dark");
            const [r, g, b] = dark ? [245, 147, 90] : [217, 95, 14];
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let found = 0;
            for (let n = 0; n < data.length; n += 4) {
                found += data[n] === r && data[n + 1] === g && data[n + 2] === b && data[n + 3] === 255;
            }
            return found;
        }""",
        page.locator(f"{pad} canvas").element_handle(),
    )


def test_the_theme_changes_the_picture(pads):
    stroke(pads, "#guide", [(-3, 1), (3, 1)])
    told(pads, "#guide", "d.curve.length > 1")
    assert inked(pads, "#guide") > 100
    pads.get_by_role("button", name="Dark theme").click()
    pads.wait_for_selector("#guide [data-mode=dark]")
    assert inked(pads, "#guide") > 100


def test_a_phone_has_a_wide_pad_and_a_sharp_one(pads_url, new_page):
    page = ready(new_page(width=390, device_scale_factor=3), pads_url)
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    box = page.locator("#target canvas").bounding_box()
    assert box["width"] == pytest.approx(362, abs=1)
    assert box["height"] == pytest.approx(box["width"], abs=1)
    assert page.evaluate("document.querySelector('#target canvas').width") == round(3 * box["width"])
