"""Frames that a browser sends: what comes back is a film of exactly these, and nothing else gets in."""

import io
import zlib

import av
import numpy as np
import pytest
from PIL import Image

from gensot_demo.experiments import limits
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.sent_film import encoded, film_request

WIDTH, HEIGHT, COUNT = 64, 48, 7
QUERY = "v=1&target=ring&seed=3"


def frame(number: int, width: int = WIDTH, height: int = HEIGHT, kind: str = "PNG") -> bytes:
    """A white frame with a dark bar that moves four pixels a frame."""
    picture = np.full((height, width, 3), 255, np.uint8)
    picture[:, 4 * number : 4 * number + 8] = (20, 40, 160)
    out = io.BytesIO()
    Image.fromarray(picture).save(out, kind)
    return out.getvalue()


def body(*frames: bytes) -> bytes:
    return b"".join(len(one).to_bytes(4, "big") + one for one in frames)


def asked(kind: str = "gif", **changes: str):
    return film_request({"kind": kind, "rate": "20", "hold": "0", "comment": QUERY, **changes})


def decoded(data: bytes) -> tuple[list[np.ndarray], float, dict]:
    with av.open(io.BytesIO(data)) as file:
        frames = [one.to_ndarray(format="rgb24") for one in file.decode(video=0)]
        return frames, file.duration / av.time_base, {key.lower(): text for key, text in file.metadata.items()}


@pytest.mark.parametrize("kind", ["gif", "mp4", "webm"])
@pytest.mark.parametrize("sent", ["PNG", "JPEG"])
def test_every_frame_is_in_the_film_and_moves(kind, sent):
    frames, seconds, _ = decoded(encoded(asked(kind), body(*(frame(n, kind=sent) for n in range(COUNT)))))
    assert len(frames) == COUNT
    assert seconds == pytest.approx(COUNT / 20, abs=0.011)
    for number, one in enumerate(frames):
        assert one.shape == (HEIGHT, WIDTH, 3)
        dark = np.flatnonzero(one[HEIGHT // 2, :, 0] < 128)
        assert (dark[0], dark[-1]) == (4 * number, 4 * number + 7)


@pytest.mark.parametrize("kind", ["gif", "mp4", "webm"])
def test_the_last_frame_is_held(kind):
    request = asked(kind, hold="0.5")
    _, seconds, _ = decoded(encoded(request, body(*map(frame, range(COUNT)))))
    assert seconds == pytest.approx(COUNT / 20 + 0.5, abs=0.011)


@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_the_settings_are_inside_a_video(kind):
    *_, told = decoded(encoded(asked(kind, title="Transport"), body(*map(frame, range(3)))))
    assert told["comment"] == QUERY
    assert told["title"].endswith(": Transport")


def test_the_settings_are_inside_a_gif_and_its_time_is_not_rounded_away():
    picture = Image.open(io.BytesIO(encoded(asked(rate="15"), body(*map(frame, range(COUNT))))))
    assert picture.info["comment"].decode() == QUERY
    durations = []
    for number in range(COUNT):
        picture.seek(number)
        durations.append(picture.info["duration"])
    assert set(durations) == {60, 70}
    assert sum(durations) == pytest.approx(1000 * COUNT / 15, abs=5)


def test_what_is_no_film_is_refused():
    gif = io.BytesIO()
    Image.new("RGB", (8, 8)).save(gif, "GIF")
    bad = {
        "no frames": b"",
        "cut off": body(frame(0))[:-1],
        "is neither a PNG nor a JPEG": body(b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        "1 is neither a PNG nor a JPEG": body(gif.getvalue()),
        "both sides must be even": body(frame(0, width=63)),
        "another size": body(frame(0), frame(1, width=66)),
        "2 is broken": body(frame(0), frame(1)[:60]),
    }
    for words, data in bad.items():
        with pytest.raises(InvalidRequest, match=words):
            encoded(asked(), data)


def test_a_bomb_is_refused_by_its_header():
    """A PNG that says that it is 40,000 pixels wide and high, of 100 bytes: it is never decoded."""
    bomb = bytearray(frame(0))
    bomb[16:24] = (40_000).to_bytes(4, "big") * 2
    bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4, "big")
    with pytest.raises(InvalidRequest, match="Frame 1 has too many pixels"):
        encoded(asked(), body(bytes(bomb)))


def test_limits_are_said(monkeypatch):
    one = frame(0)
    monkeypatch.setattr(limits, "FILM_FRAMES", 3)
    with pytest.raises(InvalidRequest, match="more than 3 frames"):
        encoded(asked(), body(*[one] * 4))
    monkeypatch.setattr(limits, "FILM_PIXELS", WIDTH * HEIGHT * 2)
    with pytest.raises(InvalidRequest, match="megapixels"):
        encoded(asked(), body(*[one] * 3))
    monkeypatch.setattr(limits, "FILM_BYTES", 100)
    with pytest.raises(InvalidRequest, match="MB"):
        encoded(asked(), body(one))


def test_it_ends_when_nobody_waits_or_it_takes_too_long(monkeypatch):
    frames = body(*map(frame, range(COUNT)))
    for kind in ("gif", "mp4"):
        with pytest.raises(InvalidRequest, match="cancelled"):
            encoded(asked(kind), frames, stopped=lambda: True)
    monkeypatch.setattr(limits, "FILM_SECONDS", -1)
    with pytest.raises(InvalidRequest, match="longer than"):
        encoded(asked(), frames)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "exe"}, "gif, mp4, webm"), ({"rate": "0"}, "from 1 to 60"), ({"rate": "nan"}, "from 1 to 60"),
        ({"rate": "fast"}, "'fast'"), ({"hold": "1e9"}, "from 0 to 5"),
    ],
)  # fmt: skip
def test_bad_settings_get_a_sentence(changes, words):
    with pytest.raises(InvalidRequest, match=words):
        asked(**changes)
