"""What a visitor takes along: films of an animation, the data of a run, presets and links, as files that are opened."""

import csv
import io
import json
import math
from pathlib import Path

import av
import numpy as np
import pytest
from gradio_client import Client
from PIL import Image

from gensot_demo import __version__
from tools.running_app import running_app

WIDTH = 720
PHONE = 390


@pytest.fixture(scope="module")
def player_url():
    """The address of a small app with one player and a button per value (player_app.py)."""
    with running_app(Path(__file__).with_name("player_app.py")) as address:
        yield address


@pytest.fixture(scope="module")
def client(app_url):
    return Client(app_url, verbose=False, httpx_kwargs={"timeout": 60})


def playing(page, url: str, value: str):
    """A page whose player shows a value, with the film's buttons open."""
    page.goto(url)
    page.wait_for_selector(".gensot-player-note:not(:empty)")
    page.get_by_role("button", name=value, exact=True).click()
    page.wait_for_selector(".gensot-player .main-svg")
    page.wait_for_function("document.querySelector('.gensot-player').dataset.mode")
    page.get_by_role("button", name="Save film", exact=True).click()
    return page


def saved(page, kind: str, within: str = ".gensot-player-film") -> tuple[str, bytes]:
    """(name, bytes) of the file that a button gives."""
    button = page.locator(within).get_by_role("button", name=kind, exact=True)
    button.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    with page.expect_download(timeout=120_000) as waiting:
        button.click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def frames_of(data: bytes) -> tuple[list[np.ndarray], float]:
    with av.open(io.BytesIO(data)) as file:
        frames = [one.to_ndarray(format="rgb24") for one in file.decode(video=0)]
        return frames, file.duration / av.time_base


def place(frame: np.ndarray, title: int = 62, foot: int = 62) -> int:
    """The last column that holds the only particle's blue: its trail lies behind it, and axes and words are grey."""
    red, blue = (frame[title:-foot, :, band].astype(int) for band in (0, 2))
    return int(np.flatnonzero((blue - red > 60).any(0))[-1])


@pytest.mark.parametrize("kind", ["GIF", "MP4", "WebM"])
def test_a_film_shows_every_moment_at_its_time(player_url, page, kind):
    name, data = saved(playing(page, player_url, "One"), kind)
    assert name == f"gensot.{kind.lower()}"
    frames, seconds = frames_of(data)
    moving, rest = 80, 18
    assert len(frames) == (moving if kind == "GIF" else moving + rest)
    assert seconds == pytest.approx(4.9, abs=0.06)
    assert frames[0].shape[1] == WIDTH
    assert not any(side % 2 for side in frames[0].shape[:2])
    places = np.array([place(frame) for frame in frames[:moving]])
    assert np.diff(places).min() > 0
    even = np.linspace(places[0], places[-1], moving)
    assert np.abs(places - even).max() <= 3  # its way is straight; a video's colour is half as fine as its pixels
    page.get_by_text(f"Saved: {moving} frames.").wait_for()
    assert page.console_errors == []


def test_a_film_is_as_dark_and_as_fast_as_the_page(player_url, new_page):
    page = playing(new_page(color_scheme="dark", width=PHONE), player_url, "Two at rest")
    page.get_by_role("button", name="2×", exact=True).click()
    frames, seconds = frames_of(saved(page, "MP4")[1])
    assert seconds == pytest.approx(2.9, abs=0.06)
    assert frames[0].shape[1] == WIDTH  # the same on a phone
    assert frames[0][2:8, 2:8].mean() < 60
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE


def test_a_film_can_be_cancelled(player_url, page):
    playing(page, player_url, "Six")
    page.get_by_role("button", name="¼×", exact=True).click()
    page.get_by_role("button", name="WebM", exact=True).click()
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_text("Cancelled.").wait_for()
    assert page.get_by_role("button", name="GIF", exact=True).is_enabled()
    assert page.console_errors == []


def test_what_goes_wrong_is_said(player_url, page):
    playing(page, player_url, "One")
    page.route("**/gensot/film*", lambda route: route.fulfill(status=503, json={"error": "Several films are made."}))
    page.get_by_role("button", name="2×", exact=True).click()
    page.get_by_role("button", name="GIF", exact=True).click()
    page.get_by_text("Several films are made.").wait_for()


def test_a_still_picture_is_the_moment_that_is_seen(player_url, page):
    playing(page, player_url, "One")
    found = {}
    for time in (0.25, 0.75):
        page.locator(".gensot-player input").fill(str(time))
        data = saved(page, "Download PNG", ".gensot-player-bar")[1]
        found[time] = place(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), 124, 124)  # twice as fine
    assert found[0.75] > found[0.25] + 100


def opened(page, url: str) -> str:
    """The page's link once its first view is there."""
    page.goto(url)
    page.wait_for_function("document.querySelector('#query :is(textarea, input)')?.value", timeout=90_000)
    return page.locator("#query :is(textarea, input)").input_value()


def without_time(answer: dict) -> dict:
    return {key: value for key, value in answer.items() if key not in ("seconds", "request")}


def alike(one, other) -> bool:
    """Equal but for the last bits of what was computed twice: a sum's order is that of where its numbers lie."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return one == other


@pytest.mark.parametrize(
    ("path", "endpoint", "number"),
    [
        ("gaussians?source_angle=46&target_across=.3", "gaussian_maps", "cost"),
        ("lagrangian?particles=50&seed=5", "lagrangian_diffusion", "clouds/0/positions"),
        ("energy?separation=0.7&schedules=cosine,condot", "schedules", "schedules/condot/speed_squared"),
    ],
)
def test_the_data_of_a_page_are_what_its_endpoint_answers(app_url, client, new_page, path, endpoint, number):
    page = new_page(width=PHONE)
    query = opened(page, f"{app_url}/{path}")
    answer = client.predict(query=query, api_name=f"/{endpoint}")
    name, data = saved(page, "JSON", ".gensot-data")
    assert name.startswith("gensot-")
    told = json.loads(data)
    assert alike(without_time(told), without_time(answer))
    request = {"app": "GenSOT Demo", "version": __version__, "endpoint": f"/{endpoint}", "query": query}
    assert told["request"] == request

    wanted = answer
    for step in number.split("/"):
        wanted = wanted[int(step) if isinstance(wanted, list) else step]
    arrays = np.load(io.BytesIO(saved(page, "NPZ", ".gensot-data")[1]), allow_pickle=False)
    np.testing.assert_allclose(arrays[number], np.array(wanted), rtol=1e-9)
    assert str(arrays["request/query"]) == query

    lines = saved(page, "CSV", ".gensot-data")[1].decode().split("\r\n")
    assert lines[0] == f"# query: {query}"
    rows = csv.DictReader(io.StringIO("\n".join(line for line in lines if not line.startswith("# "))))
    values = [float(row["value"]) for row in rows if row["name"] == number]
    assert alike(values, np.array(wanted).ravel().tolist())
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    assert page.console_errors == []


def test_every_page_has_the_control(app_url, page):
    page.goto(app_url)
    page.wait_for_selector(".gensot-data")
    paths = page.eval_on_selector_all(".gensot-header nav a", "links => links.map((link) => link.href)")
    for path in paths[1:4]:
        page.goto(path)
        page.wait_for_selector(".gensot-data")
        assert page.locator(".gensot-data button:visible").all_inner_texts() == ["JSON", "CSV", "NPZ"]


def test_a_picture_run_gives_its_pixels(app_url, page):
    opened(page, f"{app_url}/?follow_average=faces&resolution=32&steps=8&samples=2&method=unguided&method=gensot")
    page.wait_for_selector("#wall img", timeout=90_000)
    page.wait_for_selector("#verdict li", timeout=90_000)
    arrays = np.load(io.BytesIO(saved(page, "NPZ", ".gensot-data")[1]), allow_pickle=False)
    pictures = arrays["methods/gensot/pictures"]
    assert (pictures.dtype, pictures.shape) == (np.uint8, (2, 32, 32, 3))
    shown = page.locator("#wall img").evaluate_all("images => images.map((image) => image.src)")
    assert arrays["methods/gensot/calls"] == 9
    assert len(shown) >= 4


def test_a_preset_by_name_opens_its_experiment(app_url, client, page):
    asked = "preset=repulsion"
    query = opened(page, f"{app_url}/tokens?{asked}")
    assert query == "v=1&space=sphere&beta=4&values=repulsive"
    assert client.predict(query=asked, api_name="/lagrangian_tokens")["query"] == query
    page.goto(f"{app_url}/tokens?preset=moon")
    page.get_by_text("The preset 'moon' is not known here; there are circle, hot-all-agree").wait_for()


def test_a_link_of_a_space_leads_to_its_page(app_url, page):
    opened(page, f"{app_url}/gaussians?target_angle=30")
    link = page.evaluate("gensot.shareAddress('v=1&target_angle=30', 'who/gensot')")
    assert link == "https://huggingface.co/spaces/who/gensot?page=gaussians&v=1&target_angle=30"
    query = opened(page, app_url + "/?" + link.partition("?")[2])
    assert "target_angle=30" in query
    assert page.evaluate("location.pathname") == "/gaussians"
    assert page.evaluate("gensot.shareAddress('v=1', '')") == f"{app_url}/gaussians?v=1"
    assert page.console_errors == []
