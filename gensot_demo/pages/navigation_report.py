"""What the Draw part writes around its figures: costs, case A, the terminal law. HTML only; every value is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from gensot_demo.experiments.navigation.case_a import findings
from gensot_demo.experiments.navigation.closed_form import ClosedForm, Costs
from gensot_demo.experiments.navigation.cloud import Cloud
from gensot_demo.experiments.navigation.request import ProtocolRequest
from gensot_demo.transport.targets import Target

SHAPES = {
    "straight": "Straight", "V": "V-neck", "S": "S-tunnel", "V frozen": "Frozen V", "none": "Rests at the start",
    "knots": "Your knots", "curve": "Freehand", "pieces": "Imported",
}  # fmt: skip
_MOST_MODES = 4


def said(form: ClosedForm) -> str:
    """What one sees and why, in two sentences, and what a reader must know."""
    costs = form.costs
    lines = [
        f"The mean is {costs.lag:.2f} from the guide (root mean square) and the tube is {form.half_width.max():.2f} "
        "wide at its widest: stiffness holds both to the guide, and at the end the target alone decides.",
        f"Guiding costs {costs.guiding:.2f}, moving {costs.kinetic:.2f}, together {costs.total:.2f} nats; the target's "
        f"widest direction starts to be decided at t = {costs.splitting:.2f}.",
    ]
    body = "".join(f"<li>{escape(line)}</li>" for line in lines)
    notes = "".join(f'<li class="gensot-note">{escape(note)}</li>' for note in form.notes)
    return f'<ul class="gensot-verdict">{body}{notes}</ul>'


def case_table(request: ProtocolRequest, found: dict[str, Costs], target: Target) -> str:
    """The templates side by side at the same stiffness and temperature, and what is true of them."""
    head = ("Guide", "Lag, data units", "Splits at t", "Gain", "Guiding, nats", "Kinetic, nats", "Total, nats")
    rows = ""
    for shape, costs in found.items():
        cells = [
            f"{costs.lag:.4f}", f"{costs.splitting:.4f}", "–" if costs.gain is None else f"{costs.gain:.3f}",
            f"{costs.guiding:.3f}", f"{costs.kinetic:.3f}", f"{costs.total:.3f}",
        ]  # fmt: skip
        rows += f'<tr><th scope="row">{escape(SHAPES[shape])}</th>{_cells(cells)}</tr>'
    shares = target.by_mode(target.mixture.log_prior.exp()[None])[0].tolist()
    modes = dict(list(zip(target.modes, shares, strict=True))[:_MOST_MODES])
    lines = "".join(f"<li>{escape(line)}</li>" for line in findings(request, found, modes))
    return _table(head, rows, "Costs and times of the templates") + f'<ul class="gensot-verdict">{lines}</ul>'


def terminal_table(cloud: Cloud) -> str:
    """Weights with their standard errors, and W2 with its floor and what a wrong law would score."""
    m = cloud.result.panels[0].measures
    if m is None:
        return ""
    rows = ""
    for name, share, error, exact in zip(cloud.result.target.modes, m.shares, m.errors, m.truth, strict=True):
        rows += (
            f'<tr><th scope="row">Mode {escape(name)}</th>{_cells([f"{share:.3f} ± {error:.3f}", f"{exact:.3f}"])}</tr>'
        )
    head = ("Where particles end", "Share ± standard error", "Exact share")
    far = "farther than exact draws would be" if m.off else "as near as exact draws"
    told = (
        f"W₂ to the target {m.w2:.2f} ± {m.w2_error:.2f}, floor {m.floor:.2f} (as many exact draws), wrong law "
        f"{m.power:.2f} (a law whose largest mode lost 0.2): the cloud is {far}."
    )
    if not m.telling:
        told = f"W₂ {m.w2:.2f}, floor {m.floor:.2f}, wrong law {m.power:.2f}: so few particles cannot tell them apart."
    return _table(head, rows, "Where the particles end") + f'<p class="gensot-law">{escape(told)}</p>'


def _table(head: Sequence[str], rows: str, name: str) -> str:
    top = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    return (
        f'<div class="gensot-scroll" tabindex="0" role="region" aria-label="{escape(name)}">'
        f'<table class="gensot-table"><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _cells(texts: Sequence[str]) -> str:
    return "".join(f"<td>{escape(text)}</td>" for text in texts)
