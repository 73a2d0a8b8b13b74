"""Tokens, passwords and places on the machine: in no log, no answer, and nothing that the app serves."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from gensot_demo.backbones.errors import BackboneUnavailable
from gensot_demo.redaction import Redacted, for_strangers, guard_output, without_secrets
from gensot_demo.transport.errors import reason

TOKEN = "hf_VerySecretTokenOfSomebody1234"
OTHER = "correct-horse-battery"


@pytest.fixture
def surroundings(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("SERVICE_PASSWORD", OTHER)
    monkeypatch.setenv("HF_HOME", "/home/ada.lovelace/.cache/huggingface")
    monkeypatch.setenv("HOME", "/home/ada.lovelace")


@pytest.mark.parametrize(
    "text",
    [
        f"OSError: 401 for {TOKEN}",
        f"https://user:{OTHER}@proxy.example:8080/",
        f"{{'authorization': 'Bearer {TOKEN}'}}",
        f"...?token={TOKEN}&x=1",
        f"Basic {OTHER}==",
        f"{OTHER}{OTHER}",
    ],
)
def test_secrets_of_the_surroundings_are_cut_out(surroundings, text):
    found = for_strangers(without_secrets(text))
    assert TOKEN not in found
    assert OTHER not in found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("hf_abcdefghijklmnop in a text", "hf_… in a text"),
        ("http://me:word@host/", "http://…@host/"),
        ("password=letmein&a=1", "password=…&a=1"),
        ("a token of the text", "a token of the text"),
        ("Authorization: Basic bWU6eA==", "Authorization: Basic …"),
        ("{'authorization': 'Bearer abcdef'}", "{'authorization': 'Bearer …'}"),
        ("refused: Bearer abcdefghij.klmnopq", "refused: Bearer …"),
        ("Basic bWU6bGV0bWVpbjEyMw==", "Basic …"),
        ("basic settings are fine", "basic settings are fine"),
        ("the bearer of this letter", "the bearer of this letter"),
        ("password: letmein, user: me", "password: …, user: me"),
        ("token: letmein", "token: …"),
        ("'api_key': 'letmein'", "'api_key': '…'"),
        ("the key is 7: monkey=3", "the key is 7: monkey=3"),
        ("https://huggingface.co/owner/model@main: 404", "https://huggingface.co/owner/model@main: 404"),
    ],
)
def test_what_has_the_shape_of_a_secret_is_cut_out_and_the_rest_is_not(text, found):
    assert without_secrets(text) == found


def test_a_stranger_does_not_learn_who_owns_the_machine(surroundings):
    said = "OSError: /home/ada.lovelace/.cache/huggingface/hub/x and /home/ada.lovelace/models are missing"
    assert for_strangers(said) == "OSError: $HF_HOME/hub/x and $HOME/models are missing"
    assert "ada" not in str(BackboneUnavailable(said))
    assert "ada" not in reason(OSError(said))
    assert TOKEN not in reason(ValueError(f"no {TOKEN}"))


@pytest.mark.parametrize("name", ["SERVICE_KEY", "KEYS", "SIGNING_KEY_PROD", "OPENAI_KEYS_2", "GITHUB_PAT"])
def test_what_a_variables_name_calls_a_secret_is_one(name, monkeypatch):
    monkeypatch.setenv(name, OTHER)
    monkeypatch.setenv("KEYBOARD", "a usual layout")
    monkeypatch.setenv("MONKEY", "a usual animal")
    assert without_secrets(f"{OTHER}, a usual layout, a usual animal") == "…, a usual layout, a usual animal"


def test_short_and_empty_variables_cut_nothing(monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "")
    monkeypatch.setenv("OTHER_TOKEN", "a")
    assert without_secrets("a plain sentence") == "a plain sentence"


def test_prints_logs_and_tracebacks_are_written_without_them(surroundings, monkeypatch):
    written = io.StringIO()
    monkeypatch.setattr(sys, "stdout", written)
    monkeypatch.setattr(sys, "stderr", written)
    guard_output()
    guard_output()
    assert isinstance(sys.stderr, Redacted)
    print(f"token {TOKEN}")
    log = logging.getLogger("a test of secrets")
    log.propagate = False
    log.addHandler(logging.StreamHandler())
    try:
        raise OSError(f"{OTHER} was refused")
    except OSError:
        log.exception("failed with %s", TOKEN)
    sys.stderr.writelines([f"{TOKEN}\n", "fine\n"])
    said = written.getvalue()
    assert said.count("…") >= 4
    assert "fine" in said
    assert "was refused" in said
    assert TOKEN not in said
    assert OTHER not in said
