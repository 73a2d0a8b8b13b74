"""What the page's style file must be: a rule that is never closed silently narrows all that follow it."""

from __future__ import annotations

import re
from pathlib import Path

CSS = Path(__file__).parents[1] / "assets" / "app.css"


def test_every_rule_is_closed_and_no_headline_stands_inside_one():
    depth = 0
    for number, line in enumerate(CSS.read_text(encoding="utf-8").splitlines(), 1):
        assert depth == 0 or not re.match(r"/\* ----", line), f"line {number}: the rule before this headline is open"
        depth += line.count("{") - line.count("}")
        assert depth in (0, 1, 2), f"line {number}"
    assert depth == 0
