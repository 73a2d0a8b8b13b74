"""What ships is free for any use, and an audit that asked nobody does not call itself clean."""

from __future__ import annotations

import json
import subprocess
from email.message import Message
from types import SimpleNamespace

import pytest

from tools import dependencies
from tools.dependencies import audit, is_free, licence, not_free, shipped


def package(version="1.0", **fields):
    told = Message()
    for name, value in fields.items():
        told[name.replace("_", "-")] = value
    return SimpleNamespace(metadata=told, version=version)


def test_everything_that_ships_is_free_for_any_use():
    packages = shipped()
    assert {"gradio", "torch", "diffusers", "av", "huggingface-hub", "starlette"} <= set(packages)
    assert list(not_free(packages)) == []


@pytest.mark.parametrize(
    ("said", "free"),
    [
        ("MIT", True),
        ("mit license", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("Apache-2.0 AND GPL-3.0-only", False),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("MIT AND (GPL-3.0-only AND BSD-3-Clause)", False),
        ("(MIT)", True),
        ("CC-BY-NC-4.0", False),
        ("MIT-NonCommercial", False),
        ("Free for non-commercial use", False),
        ("Other/Proprietary License", False),
        ("GNU General Public License v3 (GPLv3)", False),
        ("", False),
    ],
)
def test_licences_are_judged_by_name(said, free):
    assert is_free(said) == free


def test_the_one_that_is_not_free_is_named():
    found = list(
        not_free({"good": package(License_Expression="MIT"), "bad": package(License="CC-BY-NC-4.0\nlong text")})
    )
    assert found == ["bad 1.0 is under CC-BY-NC-4.0, which is not known as free."]
    assert licence(package(Classifier="License :: OSI Approved :: MIT License")) == "MIT License"
    assert "no licence that it names" in next(not_free({"silent": package()}))


def answers(monkeypatch, stdout="", stderr="", status=1):
    told = subprocess.CompletedProcess([], status, stdout, stderr)
    monkeypatch.setattr(dependencies.subprocess, "run", lambda *_, **__: told)


def test_an_audit_without_an_answer_is_no_verdict(monkeypatch):
    answers(monkeypatch, stderr="ERROR: Connection refused")
    status, said = audit({"a": package()})
    assert status == 2
    assert "NOT AUDITED" in said[0]
    assert "Connection refused" in said[0]


def test_half_an_answer_is_no_verdict(monkeypatch):
    answers(monkeypatch, json.dumps({"dependencies": [{"name": "a", "version": "1.0", "vulns": []}]}), status=0)
    assert audit({"a": package(), "b": package()})[0] == 2


def test_packages_that_the_service_does_not_know_are_no_verdict(monkeypatch):
    found = [{"name": "a", "skip_reason": "Dependency not found"}, {"name": "b", "version": "1.0", "vulns": []}]
    answers(monkeypatch, json.dumps({"dependencies": found}), status=0)
    status, said = audit({"a": package(), "b": package()})
    assert status == 2
    assert said == ["NOT AUDITED: nothing is known of 1 of 2 packages (a)."]


def test_holes_are_named_with_what_mends_them(monkeypatch):
    hole = {"id": "CVE-2026-1", "fix_versions": ["1.1"]}
    found = [{"name": "a", "version": "1.0", "vulns": [hole]}, {"name": "b", "version": "1.0", "vulns": []}]
    answers(monkeypatch, json.dumps({"dependencies": found}))
    assert audit({"a": package(), "b": package()}) == (1, ["a 1.0: CVE-2026-1, mended in 1.1."])
    answers(monkeypatch, json.dumps({"dependencies": [found[1]]}), status=0)
    assert audit({"b": package()}) == (0, ["1 packages, no known hole."])
