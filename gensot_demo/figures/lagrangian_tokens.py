"""Figures of the tokens: clusters over depth, the sphere in space, who looks at whom, and a Gaussian law's spread."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gensot_demo.experiments.lagrangian.sentence import WORDS
from gensot_demo.experiments.lagrangian.tokens import MovingTokens, towards_viewer

from .curves import curve, line_figure
from .lagrangian import STYLES
from .palette import DATA, INK, LINE, MUTED, PAPER, SEQUENTIAL

_SYMBOLS = ("circle", "square", "diamond", "cross", "x")  # those that plotly has in space
_TRAILS = 200  # more are a tangle
_ROUND = tuple(digit * 10.0**power for power in range(-6, 5) for digit in (1, 2, 5))


def clusters_figure(moving: MovingTokens) -> dict[str, Any]:
    """The number of clusters at each depth."""
    depths, counts = moving.counted
    line = curve("clusters", STYLES[0], depths, counts)
    line["line"] = {**line["line"], "shape": "hv"}
    said = f"Number of clusters over depth: from {counts[0]} to {counts[-1]}."
    top = math.log10(max(10, int(counts.max()))) + 0.08
    y = {"title": {"text": "clusters"}, "type": "log", "range": [-0.05, top], "tickvals": _ROUND}
    x = {"title": {"text": "depth"}, "range": [0, float(moving.times[-1])]}
    return line_figure([line], x, y, said)


def sphere_figure(moving: MovingTokens) -> dict[str, Any]:
    """Ways of the tokens on the sphere, in space: hollow where they start, filled where they end."""
    places, kinds = moving.space_positions, moving.clouds[0].kinds
    data = [_globe(), *_meridians()]
    for kind, name in enumerate(moving.kinds):
        own = np.flatnonzero(kinds == kind)
        if not len(own):
            continue
        mark = {"color": DATA[kind % len(DATA)], "symbol": _SYMBOLS[kind % len(_SYMBOLS)]}
        ways = places[:, own[: max(1, _TRAILS * len(own) // len(kinds))]].transpose(1, 0, 2) * 1.003
        gaps = np.full((ways.shape[0], 1, 3), np.nan, dtype=np.float32)
        x, y, z = np.concatenate([ways, gaps], 1).reshape(-1, 3).T
        shown = {"type": "scatter3d", "legendgroup": name, "hoverinfo": "name", "name": name}
        line = {"color": mark["color"], "width": 2}
        data.append(
            {**shown, "mode": "lines", "x": x, "y": y, "z": z, "line": line, "opacity": 0.55, "showlegend": False}
        )
        for at, size, opened in ((0, 3, "-open" if kind % len(_SYMBOLS) < 3 else ""), (-1, 6, "")):
            x, y, z = places[at, own].T * 1.01
            marker = {**mark, "symbol": mark["symbol"] + opened, "size": size}
            data.append({**shown, "mode": "markers", "x": x, "y": y, "z": z, "marker": marker, "showlegend": at == -1})
    axis = {"visible": False, "range": [-1.05, 1.05]}
    eye = 1.55 * towards_viewer()
    layout = {
        "scene": {
            "xaxis": axis, "yaxis": axis, "zaxis": axis, "aspectmode": "manual", "dragmode": "orbit",
            "aspectratio": dict.fromkeys("xyz", 1.6),
            "camera": {"eye": dict(zip("xyz", eye.tolist(), strict=True)), "projection": {"type": "orthographic"}},
        },
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0}, "height": 520, "showlegend": True,
        "legend": {"orientation": "h", "y": -0.02, "yanchor": "top", "x": 0},
        "meta": {"description": f"{places.shape[1]} tokens on the unit sphere, from their start to depth "
                 f"{moving.times[-1]:.3g}; {', '.join(moving.kinds)}. Drag to turn it."},
    }  # fmt: skip
    return {"data": data, "layout": layout}


def _globe() -> dict[str, Any]:
    """A ball just inside the sphere, which hides what lies behind it."""
    across, up = np.meshgrid(np.linspace(0, 2 * np.pi, 37), np.linspace(-np.pi / 2, np.pi / 2, 19))
    x, y, z = (0.985 * part for part in (np.cos(up) * np.cos(across), np.cos(up) * np.sin(across), np.sin(up)))
    return {
        "type": "surface", "x": np.float32(x), "y": np.float32(y), "z": np.float32(z), "showscale": False,
        "colorscale": [[0, PAPER], [1, PAPER]], "hoverinfo": "skip", "opacity": 1,
        "lighting": {"ambient": 1, "diffuse": 0, "specular": 0, "fresnel": 0}, "contours": _no_contours(),
    }  # fmt: skip


def _no_contours() -> dict[str, Any]:
    return {name: {"highlight": False} for name in "xyz"}


def _meridians() -> list[dict[str, Any]]:
    angle = np.linspace(0, 2 * np.pi, 73)
    circles = [np.stack([np.cos(angle), np.sin(angle), 0 * angle])]
    circles += [
        np.stack([np.cos(angle) * np.cos(a), np.cos(angle) * np.sin(a), np.sin(angle)])
        for a in (0, np.pi / 3, 2 * np.pi / 3)
    ]
    circles += [np.stack([np.cos(angle) * 0.866, np.sin(angle) * 0.866, 0 * angle + s]) for s in (-0.5, 0.5)]
    return [
        {
            "type": "scatter3d", "mode": "lines", "x": np.float32(x), "y": np.float32(y), "z": np.float32(z),
            "line": {"color": LINE, "width": 2}, "hoverinfo": "skip", "showlegend": False,
        }
        for x, y, z in circles
    ]  # fmt: skip


def sentence_figure(moving: MovingTokens) -> dict[str, Any]:
    """Who looks at whom, at the start and the end: a row is a word that looks."""
    words = list(WORDS)
    highest = float(moving.looked.max())
    maps = [
        {
            "type": "heatmap", "x": words, "y": words, "z": np.float32(100 * weights), "zmin": 0, "zmax": 100 * highest,
            "xaxis": f"x{n or ''}", "yaxis": f"y{n or ''}", "showscale": n == 2, "xgap": 1, "ygap": 1,
            "colorscale": [[i / (len(SEQUENTIAL) - 1), c] for i, c in enumerate(SEQUENTIAL)],
            "colorbar": {"title": {"text": "%"}, "outlinewidth": 0, "thickness": 12},
            "hovertemplate": "“%{y}” looks at “%{x}”: %{z:.0f} %<extra></extra>",
        }
        for n, weights in zip((0, 2), moving.looked, strict=True)
    ]  # fmt: skip
    x, y = {"tickangle": -60, "title": {"text": "looked at"}}, {"autorange": "reversed"}
    titles = [
        {"text": text, "showarrow": False, "xref": "paper", "yref": "paper", "x": at, "y": 1.02, "yanchor": "bottom",
         "font": {"color": INK}}
        for text, at in (("at the start", 0.21), (f"at depth {moving.times[-1]:.3g}", 0.79))
    ]  # fmt: skip
    most = [words[int(row.argmax())] for row in moving.looked[1]]
    said = "; ".join(f"{word} looks most at {other}" for word, other in zip(words, most, strict=True))
    layout = {
        "xaxis": {**x, "domain": [0, 0.42]}, "yaxis": {**y, "title": {"text": "who looks"}},
        "xaxis2": {**x, "domain": [0.58, 1], "anchor": "y2"}, "yaxis2": {**y, "anchor": "x2"},
        "annotations": titles, "margin": {"l": 60, "r": 12, "t": 30, "b": 90}, "height": 400,
        "meta": {"description": f"Attention between ten words at the start and the end. At the end {said}."},
    }  # fmt: skip
    return {"data": maps, "layout": layout}


def law_figure(moving: MovingTokens) -> dict[str, Any]:
    """Both variances of the Gaussian law by its equation, and of the tokens, up to where it blows up."""
    law, places = moving.law, moving.space_positions
    exact = np.linalg.eigvalsh(law.covariance[: len(moving.times)])
    seen = np.arange(0, len(places), 4)
    centred = places[seen] - places[seen].mean(1, keepdims=True)
    found = np.linalg.eigvalsh(centred.transpose(0, 2, 1) @ centred / max(1, places.shape[1] - 1))
    data = []
    for which, side in ((1, "largest"), (0, "smallest")):
        style = STYLES[1 - which]
        line = curve(f"{side}, the law", style, moving.times, exact[:, which])
        data.append({**line, "mode": "lines"})
        data.append({
            "type": "scatter", "mode": "markers", "name": f"{side}, the tokens", "x": np.float32(moving.times[seen]),
            "y": np.float32(found[:, which]),
            "marker": {"color": style.colour, "symbol": style.marker + "-open", "size": 7},
        })  # fmt: skip
    x = {"title": {"text": "depth"}, "range": [0, 1.03 * float(moving.times[-1])]}
    said = (
        f"Largest variance from {exact[0, 1]:.3g} to {exact[-1, 1]:.3g} by the law, {found[-1, 1]:.3g} of the tokens."
    )
    if math.isfinite(law.blow_up) and law.blow_up < 1.5 * moving.times[-1]:
        x["range"] = [0, 1.05 * law.blow_up]
    figure = line_figure(data, x, {"title": {"text": "variance"}, "type": "log", "tickvals": _ROUND}, said)
    if law.blow_up <= x["range"][1]:
        figure["layout"]["shapes"] = [
            {"type": "line", "x0": law.blow_up, "x1": law.blow_up, "y0": 0, "y1": 1, "yref": "paper",
             "line": {"color": MUTED, "dash": "dot", "width": 1.5}}
        ]  # fmt: skip
        figure["layout"]["annotations"] = [
            {"x": law.blow_up, "y": 1, "yref": "paper", "text": "the law blows up", "showarrow": False,
             "xanchor": "right", "yanchor": "top", "xshift": -4}
        ]  # fmt: skip
    return figure
