"""The code that docs/API.md shows runs as it stands there, but for the address."""

import re

from tools.running_app import ROOT


def test_the_client_s_example(app_url, capsys):
    text = (ROOT / "docs" / "API.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(block.replace("http://127.0.0.1:7860", app_url), {})
    printed = capsys.readouterr().out.strip().splitlines()
    assert any(line.startswith("1.21") for line in printed)
    assert printed[-1] == "finished"
