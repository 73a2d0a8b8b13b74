"""What the page Energy, part Schedules, says of its numbers. HTML only; every value is escaped."""

from __future__ import annotations

from gensot_demo.experiments.energy.schedules_result import Ride, SchedulesResult
from gensot_demo.figures.schedule_style import schedule_style

from . import report

_HEADS = (
    ("Schedule", ""),
    ("Energy", "kinetic energy per coordinate: the integral of E|v|^2 / d over time; times d it is the dissipation"),
    ("Least possible", "W2^2 / d between the schedule's own start and the data: no motion between them needs less"),
    ("Ratio", "energy over the least possible"),
    ("Counted over", "the times over which the energy is finite"),
    ("Farthest end", "largest distance of an accurate end from the shared end of the same noise, standard deviations"),
    ("At 8 steps", "root mean square distance from the exact end of the same noise, standard deviations"),
    ("At 32 steps", "root mean square distance from the exact end of the same noise, standard deviations"),
)


def listed(lines: list[str]) -> str:
    """Sentences as a list; nothing for none."""
    if not lines:
        return ""
    return f'<ul class="gensot-verdict">{"".join(f"<li>{report.escape(line)}</li>" for line in lines)}</ul>'


def table(result: SchedulesResult) -> str:
    """A row for every schedule."""
    head = "".join(
        f'<th scope="col" title="{report.escape(about)}">{report.escape(name)}</th>' for name, about in _HEADS
    )
    rows = "".join(_row(ride) for ride in result.rides)
    return (
        '<div class="gensot-scroll" tabindex="0" role="region" aria-label="Energies and ends of all schedules">'
        f'<table class="gensot-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _row(ride: Ride) -> str:
    low, high = ride.interval
    style = schedule_style(ride.name)
    floor, energy = _with_error(ride.floor, ride.floor_error), _with_error(ride.energy, ride.energy_error)
    cells = [
        energy,
        floor,
        f"{ride.energy / ride.floor:.2f}" if ride.floor > 0 else "–",
        _interval(low, high),
        "–" if ride.parting is None else ("< 1e-9" if ride.parting < 1e-9 else f"{ride.parting:.1e}"),
        *(_at(ride, steps) for steps in (8, 32)),
    ]
    mark = f'<span style="color:var({style.variable})">{style.glyph}</span>'
    return (
        f'<tr><th scope="row">{mark} {report.escape(ride.label)}</th>'
        + "".join(f"<td>{report.escape(cell)}</td>" for cell in cells)
        + "</tr>"
    )


def _interval(low: float, high: float) -> str:
    if (low, high) == (0.0, 1.0):
        return "all times"
    return ", ".join([f"t > {low:g}"] * (low > 0) + [f"t < 1 - {1 - high:.0e}"] * (high < 1))


def _with_error(value: float, error: float) -> str:
    return f"{value:.4g}" + (f" ± {error:.1g}" if error > 1e-4 * value else "")


def _at(ride: Ride, steps: int) -> str:
    if not ride.errors or steps not in ride.errors:
        return "–"
    return "0" if ride.name == "ot" else f"{ride.errors[steps]:.3g}"
