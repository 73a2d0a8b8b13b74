"""A stiff protocol with too few steps: particles end in the wrong mode."""

from __future__ import annotations

import math

from ..plane.request import TransportRequest
from .failure import SURE, Column, Evidence, Failure, Finished, Number, Variant
from .statistics import percent

_SETTINGS = (
    ("10", "Euler, 10 steps", "euler", 10),
    ("50", "Euler, 50 steps", "euler", 50),
    ("200", "Euler, 200 steps", "euler", 200),
    ("bridge", "Bridge step, 10 steps", "bridge", 10),
    ("averaged", "Second order, 10 steps", "averaged", 10),
)
_STIFFNESS = 50.0


def variants(seed: int) -> tuple[Variant, ...]:
    """Euler's method with 10, 50 and 200 steps, and two better steps with 10."""
    return tuple(
        Variant(name, label, _request(solver, steps, seed), mended=name in ("200", "averaged"))
        for name, label, solver, steps in _SETTINGS
    )


def _request(solver: str, steps: int, seed: int) -> TransportRequest:
    return TransportRequest(
        source="point",
        methods=("gensot_s",),
        stiffness=_STIFFNESS,
        solver=solver,
        steps=steps,
        seed=seed,
        show=("target", "trails", "guide"),
    )


def look(finished: Finished) -> Evidence:
    """The weight of the larger mode against the exact one, and the distance to the law."""
    rows, off = {}, {}
    for name, _, _, _ in _SETTINGS:
        m = finished.panel(name).measures
        mode = int(m.truth.argmax())
        share = Number(float(m.shares[mode]), float(m.errors[mode]))
        binomial = math.sqrt(m.truth[mode] * (1 - m.truth[mode]) / finished.panel(name).motion.x.shape[1])
        off[name] = (share.value - float(m.truth[mode])) / max(share.error, binomial)
        rows[name] = (
            percent(share),
            percent(Number(float(m.truth[mode]))),
            Number(m.w2, m.w2_error),
            Number(m.floor, m.floor_spread),
        )
    label = finished.results["10"].target.modes[mode]
    shown, mended = abs(off["10"]) > SURE, abs(off["averaged"]) < abs(off["10"]) / SURE
    sentence = (
        f"With 10 Euler steps, {rows['10'][0].value:.0f} ± {rows['10'][0].error:.0f} % of the particles end in mode "
        f"{label}; the law has {rows['10'][1].value:.0f} %."
        if shown
        else "In this run 10 Euler steps keep the weights within chance: take another seed."
    )
    sentence += (
        f" 200 such steps give {rows['200'][0].value:.0f} %, and 10 steps of second order "
        f"{rows['averaged'][0].value:.0f} %"
    )
    bridge = rows["bridge"][0].value
    sentence += (
        f"; 10 bridge steps err to the other side, with {bridge:.0f} %."
        if off["bridge"] * off["10"] < 0 and abs(off["bridge"]) > SURE
        else f"; 10 bridge steps {bridge:.0f} %."
    )
    return Evidence(_COLUMNS, rows, sentence, shown, mended)


_COLUMNS = (
    Column("Larger mode", "%", "Share of the particles that end there ± standard error."),
    Column("Exact", "%", "The same in the law asked for."),
    Column("W₂ to the law", "length", "Distance to exact draws, mean over blocks of particles ± standard error."),
    Column("Floor", "length", "What a perfect sampler scores, with its spread."),
)

FAILURE = Failure(
    name="stiff",
    title="A stiff protocol with too few steps",
    sees="Ten steps through a stiff tunnel, and the smaller mode gets more particles than the larger; with more steps, "
    "or better ones, the weights come right.",
    why="A stiff protocol decides late and within a short time, which a plain step leaps over: the drift of one "
    "moment is applied to a stretch in which it turns round.",
    mends="More steps, or a step that knows the path between its ends: the second-order step (the default in Compare).",
    equation=r"\mathrm dx = (-a^-_t x + b_t \hat y + r_t)\,\mathrm dt + \sqrt\kappa\,\mathrm dW,\qquad"
    r" a^-_t = \sqrt{\beta\kappa}\,\coth\!\bigl(\sqrt{\beta\kappa}\,(1-t)\bigr)",
    source="Chertkov, arXiv 2512.11859; Behjoo & Chertkov, arXiv 2409.15166",
    variants=variants,
    look=look,
)
