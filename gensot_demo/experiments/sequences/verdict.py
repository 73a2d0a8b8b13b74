"""What a finished sequence says, in sentences made of its numbers; and the numbers themselves."""

from __future__ import annotations

from typing import Any

from .measures import STILL, Steadiness
from .request import SequenceRequest
from .run import MethodFilm, SequenceResult


def sentences(result: SequenceResult) -> tuple[str, ...]:
    """What one sees and why."""
    return (_seen(result), _why(result))


def _seen(result: SequenceResult) -> str:
    films = list(result.methods.values())
    deaf = [film for film in films if film.steadiness.change < STILL]
    moving = [film for film in films if film not in deaf]
    own = result.steadiness
    said = f"The reference changes by {own.change:.1f} grey levels from frame to frame"
    if moving:
        said += ", " + ", ".join(f"{film.label} by {film.steadiness.change:.1f}{_leap(film)}" for film in moving)
        nearest = min(moving, key=lambda film: film.success.value)
        said += f"; nearest to it stays {nearest.label}, {_success(nearest)} grey levels away"
    said += "."
    if deaf:
        names = " and ".join(f"{film.label}, {_success(film)} grey levels away," for film in deaf)
        said += f" {names} {'does' if len(deaf) == 1 else 'do'} not move at all: steady, and deaf to the reference."
    return said


def _leap(film: MethodFilm) -> str:
    jump = film.steadiness.jump
    if jump is None or jump < 3:
        return ""
    return " (in leaps)" if jump == float("inf") else f" (one leap of {jump:.1f} times the usual change)"


def _why(result: SequenceResult) -> str:
    request = result.request
    if request.noise == "shared":
        said = (
            "All frames start from the same noise, so what changes between them is the reference's doing alone, until "
            "it tips the model from one kind of picture to another: that is a leap"
        )
    else:
        said = "Every frame starts from noise of its own, so the films also show how much the noise decides"
    match request.memory:
        case "reference":
            said += (
                f"; each frame also follows the one before with trust {request.trust:g}, which is another law than "
                "that of single frames and may drag behind the reference"
            )
        case "guide":
            said += "; GenSOT's path is held to the frame before on the way, which is not what decides where it arrives"
    return said + "."


def _success(film: MethodFilm) -> str:
    found = film.success
    return f"{found.value:.1f} ± {found.error:.1f}"


def numbers(result: SequenceResult) -> dict[str, Any]:
    """The whole outcome without its pictures, for JSON."""
    from .links import to_query

    names = result.backbone.names
    return {
        "query": to_query(result.request)[0],
        "notes": list(result.notes),
        "verdict": list(sentences(result)),
        "seconds": result.seconds,
        "reference": _steady(result.steadiness),
        "methods": {
            name: {
                "label": film.label,
                **_steady(film.steadiness),
                "success": {"value": film.success.value, "error": film.success.error, "unit": film.success.unit},
                "distances": list(film.success.values),
                "nearest": [] if film.nearest is None else [names[i] for i in film.nearest],
                "switches": film.switches,
                "kinetic": [None if value != value else float(value) for value in film.kinetic],
                "calls": film.calls,
                "backwards": film.backwards,
                "seconds": film.seconds,
            }
            for name, film in result.methods.items()
        },
    }


def _steady(found: Steadiness) -> dict[str, Any]:
    jump = found.jump
    return {
        "change": found.change,
        "changes": found.changes.tolist(),
        "energy": found.energy,
        "energy_over_least": found.excess,
        "jump": None if jump is None or jump == float("inf") else jump,
    }


def settings(request: SequenceRequest) -> str:
    """How it was made, in a line."""
    linked = {"none": "frames apart", "guide": "path guided by the frame before", "reference": "frame before followed"}
    return (
        f"{request.frames} frames, view noise {request.view_noise:g}, {request.steps} steps, {request.noise} noise, "
        f"{linked[request.memory]}"
    )
