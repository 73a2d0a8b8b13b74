"""Which guidance follows the law asked for, at what price? Every method, task and strength; rows of the Scoreboard.

``python -m benchmarks.guidance --task follow --backbone collection`` draws one task; without options everything.
Rows go into ``--out`` as they come, and what is there already is not drawn again: a run that was cut goes on. The last
line is one JSON object {rows: [...]} of the tasks asked for. On the network a judge that no method was guided by looks
at the pictures.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from gensot_demo.experiments.scoreboard.judged import judging as judge
from gensot_demo.experiments.scoreboard.rows import SHIPPED, append_rows, load_rows
from gensot_demo.experiments.scoreboard.run import SMALL_DRAWS, draws_of, rows_of
from gensot_demo.experiments.scoreboard.tasks import tasks_of

from .report import progress, report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", help="condition, follow, restore or reward; all without it")
    parser.add_argument("--backbone", help="plane, collection or network; all without it")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="the file of rows (JSON lines)")
    parser.add_argument("--small", action="store_true", help="few draws, to see it run")
    parser.add_argument("--again", action="store_true", help="draw also what is there already")
    options = parser.parse_args()
    shown = []
    for task in tasks_of(options.backbone, options.task):
        known = {} if options.again else {row.key: row for row in load_rows(options.out)}
        judging = judge() if task.backbone == "network" else None
        draws = SMALL_DRAWS[task.backbone] if options.small else draws_of(task)
        for row in rows_of(task, draws=draws, known=known, judging=judging):
            append_rows([row], options.out)
            known[row.key] = row
            progress(f"{task.backbone} {task.name} {row.level:g} {row.label} ({row.budget}): {_said(row)}")
        asked = [row for row in known.values() if (row.backbone, row.task) == (task.backbone, task.name)]
        shown += [asdict(row) | {"strength": row.level} for row in asked]
    report({"rows": shown})


def _said(row) -> str:
    if row.failed:
        return row.failed
    if row.ratio is not None:
        return f"{row.ratio:.2f} times the floor, {row.cost:.0f} calls"
    return f"accuracy {row.accuracy}, {row.cost:.0f} calls"


if __name__ == "__main__":
    main()
