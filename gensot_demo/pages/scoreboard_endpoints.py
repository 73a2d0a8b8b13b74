"""The Scoreboard as named, typed endpoints: the shipped rows, and rows drawn now."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Literal

from gensot_demo.experiments.links import fields_of
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.scoreboard.own_rows import own_rows, shown_rows
from gensot_demo.experiments.scoreboard.rows import Row
from gensot_demo.experiments.scoreboard.run import SMALL_DRAWS, rows_of
from gensot_demo.experiments.scoreboard.tasks import BUDGETS, ScoreTask, variants

from . import named


def scoreboard_endpoint(backbone: str = "", task: str = "", query: str = "") -> dict[str, Any]:
    """The rows that the Scoreboard shows: every guidance method against the law asked for, with floor, power and cost.

    Args:
        backbone: "plane", "collection" or "network"; empty for all.
        task: "condition", "follow", "restore" or "reward"; empty for all.
        query: or one question as in a shared link of the page, for example "ask=collection*follow*3&at=steps".

    Returns:
        rows: what was asked (backbone, task, level), who answered (method, label, setting, value), at what budget,
            distance with error, floor, spread and power, effective number, the judge's opinion, and costs per sample.
    """
    asked = dict(fields_of(query, "ask=collection*follow*3")[0])
    place, kind, level = ([*asked.get("ask", "**").split("*"), "", ""])[:3]
    wanted = {"backbone": backbone or place, "task": task or kind, "level": level, "budget": asked.get("at", "")}
    rows = [asdict(row) for row in shown_rows(own_rows())]
    return {"rows": [row for row in rows if all(text in ("", _plain_text(row[key])) for key, text in wanted.items())]}


def _plain_text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float | int) else str(value)


def publish(asked: Mapping[str, tuple[ScoreTask, float]], first: str) -> None:
    """Register the endpoints with the Blocks that is being built. asked: the questions by name, first: one of them."""

    def draw(question: str = first, budget: Literal["steps", "calls"] = "steps") -> Iterator[dict[str, Any]]:
        if question not in asked:
            raise InvalidRequest(f"The question is {str(question)[:40]!r}; there are {', '.join(asked)}.")
        if budget not in BUDGETS:
            raise InvalidRequest(f"The budget is {str(budget)[:40]!r}; there are {', '.join(BUDGETS)}.")
        task, level = asked[question]
        total, rows, began = len(list(variants(task))), [], time.perf_counter()
        for row in rows_of(task, draws=SMALL_DRAWS[task.backbone], levels=(level,), budgets=(budget,)):
            rows.append(row)
            done = min(len(rows) / (total + 1), 1.0)
            yield {"doing": row.label, "done": done, "seconds": time.perf_counter() - began, "row": asdict(row)}
        yield _drawn(question, budget, rows, time.perf_counter() - began)

    draw.__doc__ = f"""Draw a small version of one of the Scoreboard's questions now, method by method. Streams
    {{"doing", "done", "seconds", "row"}}, then all rows.

    Args:
        question: one of {", ".join(asked)}.
        budget: equal steps, or equal network calls.

    Returns:
        question, budget, seconds and rows: as in /scoreboard.
    """
    named.publish(scoreboard_endpoint, "scoreboard", "light")
    named.publish(draw, "draw_scoreboard", "long")


def _drawn(question: str, budget: str, rows: list[Row], seconds: float) -> dict[str, Any]:
    return {"question": question, "budget": budget, "seconds": seconds, "rows": [asdict(row) for row in rows]}
