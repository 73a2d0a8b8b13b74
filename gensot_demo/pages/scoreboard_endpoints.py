"""The Scoreboard as named, typed endpoints: the shipped rows, and rows drawn now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Literal

from gensot_demo.experiments.links import fields_of, ignored
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.scoreboard.own_rows import own_rows, shown_rows
from gensot_demo.experiments.scoreboard.rows import Row
from gensot_demo.experiments.scoreboard.run import SMALL_DRAWS, rows_of
from gensot_demo.experiments.scoreboard.tasks import BUDGETS, TASKS, ScoreTask, variants

from . import named


def name_of(task: ScoreTask, level: float) -> str:
    """A question by its name in links."""
    return f"{task.backbone}*{task.name}*{level:g}"


QUESTIONS = {name_of(task, level): (task, level) for task in TASKS for level in task.levels}


def scoreboard_endpoint(backbone: str = "", task: str = "", query: str = "") -> dict[str, Any]:
    """The rows that the Scoreboard shows: every guidance method against the law asked for, with floor, power and cost.

    Args:
        backbone: "plane", "collection" or "network"; empty for all.
        task: "condition", "follow", "restore" or "reward"; empty for all.
        query: or one question as in a shared link of the page, for example "ask=collection*follow*3&at=steps".

    Returns:
        notes: what the query held that is not known; rows: what was asked (backbone, task, level), who answered
            (method, label, setting, value), at what budget, distance with error, floor, spread and power, effective
            number, the judge's opinion, and costs per sample.
    """
    for what, text in (("backbone", backbone), ("task", task)):
        known = list(dict.fromkeys(getattr(one, "name" if what == "task" else what) for one in TASKS))
        _require(f"The {what}", text, ["", *known])
    fields, notes = fields_of(query, "ask=collection*follow*3&at=steps")
    asked = {key: text for key, text in fields if key in ("ask", "at")}
    notes += [ignored(key) for key, _ in fields if key not in asked]
    _require("The question asked by the link", asked.get("ask", ""), ["", *QUESTIONS])
    _require("The budget asked for by the link", asked.get("at", ""), ["", *BUDGETS])
    place, kind, level = asked["ask"].split("*") if asked.get("ask") else ("", "", "")
    for what, text, other in (("backbone", backbone, place), ("task", task, kind)):
        if other:
            _require(f"Beside this link, the {what}", text, ["", other])
    wanted = {"backbone": backbone or place, "task": task or kind, "level": level, "budget": asked.get("at", "")}
    rows = [asdict(row) for row in shown_rows(own_rows())]
    found = [row for row in rows if all(text in ("", _plain_text(row[key])) for key, text in wanted.items())]
    return {"notes": notes, "rows": found}


def _require(what: str, text: str, known: list[str]) -> None:
    if text not in known:
        raise InvalidRequest(f"{what} is {str(text)[:40]!r}; there are {', '.join(filter(None, known))}.")


def _plain_text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float | int) else str(value)


def publish(first: str) -> None:
    """Register the endpoints with the Blocks that is being built. first: a question by its name."""

    def draw(question: str = first, budget: Literal["steps", "calls"] = "steps") -> Iterator[dict[str, Any]]:
        _require("The question", question, list(QUESTIONS))
        _require("The budget", budget, list(BUDGETS))
        task, level = QUESTIONS[question]
        total, rows, began = len(list(variants(task))), [], time.perf_counter()
        for row in rows_of(task, draws=SMALL_DRAWS[task.backbone], levels=(level,), budgets=(budget,)):
            rows.append(row)
            done = min(len(rows) / (total + 1), 1.0)
            yield {"doing": row.label, "done": done, "seconds": time.perf_counter() - began, "row": asdict(row)}
        yield _drawn(question, budget, rows, time.perf_counter() - began)

    draw.__doc__ = f"""Draw a small version of one of the Scoreboard's questions now, method by method. Streams
    {{"doing", "done", "seconds", "row"}}, then all rows.

    Args:
        question: one of {", ".join(QUESTIONS)}.
        budget: equal steps, or equal network calls.

    Returns:
        question, budget, seconds and rows: as in /scoreboard.
    """
    named.publish(scoreboard_endpoint, "scoreboard", "light")
    named.publish(draw, "draw_scoreboard", "long")


def _drawn(question: str, budget: str, rows: list[Row], seconds: float) -> dict[str, Any]:
    return {"question": question, "budget": budget, "seconds": seconds, "rows": [asdict(row) for row in rows]}
