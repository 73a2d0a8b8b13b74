"""A file of one's own is read again when it is saved: the page follows, and says what is wrong with its line."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.running_app import ROOT, running_app

from .compare_page import open_compare

TEMPLATE = (ROOT / "docs" / "my_guidance.py").read_text()
QUERY = "v=1&condition=hearts*1&steps=6&samples=2&resolution=32&method=conditional&method=late"
DONE = "document.querySelector('#status')?.innerText.startsWith('Done')"


def row(label: str) -> str:
    return f"[...document.querySelectorAll('#wall .gensot-wall-head b')].some((b) => b.innerText === '{label}')"


def test_saving_a_method_reloads_it_and_an_error_is_shown_with_its_line(new_page, tmp_path: Path):
    file = tmp_path / "my_guidance.py"
    file.write_text(TEMPLATE)
    command = [sys.executable, "-m", "gensot_demo", "serve", "--method", str(file)]
    with running_app(command) as address:
        page = new_page(width=390)
        open_compare(page, address, QUERY)
        page.wait_for_function(row("Late guidance"))

        file.write_text(TEMPLATE.replace("half: float", "third: float"))  # a control changes: the page is made anew
        page.get_by_text("Late guidance: what it does, settings").wait_for()
        file.write_text(TEMPLATE.replace('"Late guidance"', '"Later guidance"'))
        page.wait_for_function(row("Later guidance"))
        page.get_by_text("Later guidance: what it does, settings").wait_for()
        assert "method=late" in page.url

        file.write_text(TEMPLATE.replace("share = task", "share = = task"))
        problem = page.locator("#own-problem")
        problem.wait_for()
        line = 1 + next(n for n, text in enumerate(TEMPLATE.splitlines()) if "share = task" in text)
        assert f"SyntaxError: invalid syntax (my_guidance.py, line {line})" in problem.inner_text()
        assert "The last version that worked stays." in problem.inner_text()
        assert page.locator("#wall .gensot-wall-row").count() == 2, "nothing is lost"

        file.write_text(TEMPLATE.replace("sigma = point.m", "sigma = missing + point.m"))
        page.wait_for_function("document.querySelector('#verdict')?.innerText.includes('ended early')")
        assert "name 'missing' is not defined (my_guidance.py, line" in page.inner_text("#verdict")
        assert problem.count() == 0 or problem.is_hidden()

        page.goto(address + "/scoreboard")
        page.get_by_role("button", name="Draw a small version here").wait_for()
