"""Hostile visitors, second part: every page's link in Chromium, files of others, and secrets of the server."""

from __future__ import annotations

import json
import urllib.request
from urllib.parse import quote

import pytest
from gradio_client import Client

from gensot_demo.shell.build import PAGES
from tests.pages.links_of_pages import LINKS
from tools.running_app import running_app

TOKEN, PASSWORD = "hf_VerySecretTokenOfSomebody1234", "correct-horse-battery"
PAYLOADS = (
    "<img src=x onerror=window.__pwned=1>",
    "'\"></textarea></script><script>window.__pwned=1</script>",
    "${window.__pwned=1}{{window.__pwned=1}}",
    "javascript:window.__pwned=1",
    "<svg/onload=window.__pwned=1>",
)
INJECTED = "img[src='x'], svg[onload], a[href^='javascript:'], iframe, object, embed"


@pytest.mark.parametrize("path", [page.path for page in PAGES if page.path in LINKS])
def test_no_script_of_a_link_runs_and_the_page_stays_usable(app_url, page, path):
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
    page.set_default_timeout(90_000)
    fields = [name for name in LINKS[path].fields if name != "look"]
    pairs = [(name, PAYLOADS[n % len(PAYLOADS)]) for n, name in enumerate(fields)]
    pairs += [(payload, payload) for payload in PAYLOADS]
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
    page.goto(f"{app_url}{path}?{query}"[:3900])
    page.wait_for_function("[...document.querySelectorAll('#notice')].some((e) => e.innerText.trim())")
    page.wait_for_timeout(300)
    assert page.evaluate("window.__pwned") is None
    assert page.locator(INJECTED).count() == 0
    notice = page.inner_text("#notice")
    assert len(notice) < 3000
    assert page.get_by_role("button", name="Copy link").first.is_enabled()
    assert page.locator(".gensot-header nav a").count() > 3


def asked(app_url: str, api: dict, data: list) -> str:
    """What the queue answers to an event of the page, called as a program might."""
    session = "hostile" + str(api["id"])
    body = {"data": data, "fn_index": api["id"], "session_hash": session, "event_data": None, "trigger_id": None}
    send = urllib.request.Request(
        f"{app_url}/gradio_api/queue/join", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(send, timeout=60) as found:
        assert "event_id" in json.load(found)
    told = []
    with urllib.request.urlopen(f"{app_url}/gradio_api/queue/data?session_hash={session}", timeout=120) as lines:
        for line in lines:
            told.append(line.decode())
            if "process_completed" in told[-1] or "close_stream" in told[-1]:
                break
    return "".join(told)


@pytest.mark.parametrize("path", ["/etc/passwd", "requirements.txt", "../../../../etc/passwd", "http://127.0.0.1:1/x"])
def test_no_event_reads_a_file_that_the_visitor_did_not_send(app_url, path):
    with urllib.request.urlopen(f"{app_url}/config", timeout=60) as found:
        config = json.load(found)
    (dropped,) = [one for one in config["components"] if one.get("props", {}).get("elem_id") == "dropped"][:1]
    event = next(one for one in config["dependencies"] if one["inputs"] == [dropped["id"]] and len(one["outputs"]) == 2)
    told = asked(app_url, event, [{"path": path, "meta": {"_type": "gradio.FileData"}}])
    assert '"success":false' in told.replace(" ", "")
    assert "root:" not in told
    assert "gradio==" not in told


@pytest.fixture(scope="module")
def secretive(tmp_path_factory):
    """(address, file of what is printed) of an app whose failures are full of secrets."""
    folder = tmp_path_factory.mktemp("secretive")
    printed = folder / "printed.txt"
    home = folder / "ada.lovelace" / "huggingface"
    home.mkdir(parents=True)
    script = "tests/browser/secretive_app.py"
    surroundings = {"HF_TOKEN": TOKEN, "DATABASE_PASSWORD": PASSWORD, "HF_HOME": str(home)}
    with running_app(script, printed=printed, **surroundings) as address:
        yield address, printed


def test_secrets_are_in_no_answer_no_page_and_no_log(secretive):
    address, printed = secretive
    client = Client(address, verbose=False, httpx_kwargs={"timeout": 120})
    told = []
    for arguments in (
        {"query": "backbone=owner/model&method=cfg", "api_name": "/compare"},
        {"query": "backbone=google/ddpm-cifar10-32&method=unguided", "api_name": "/compare"},
        {"text": "now", "api_name": "/crash"},
    ):
        with pytest.raises(Exception) as failed:  # noqa: PT011 - whatever the client makes of it
            client.predict(**arguments)
        told.append(f"{failed.value!r} {failed.value}")
    for path in ("/", "/config", "/gradio_api/info", "/gradio_api/startup-events", "/theme.css"):
        try:
            with urllib.request.urlopen(address + path, timeout=60) as found:
                told.append(found.read().decode(errors="replace"))
        except urllib.error.HTTPError as error:
            told.append(error.read().decode(errors="replace"))
    assert "could not be fetched: OSError: 401 Client Error for $HF_HOME with Bearer" in told[0]
    logged = printed.read_text(encoding="utf-8", errors="replace")
    assert "about to crash" in logged
    assert "RuntimeError" in logged
    for text in (*told, logged):
        assert TOKEN not in text
        assert PASSWORD not in text
    assert all("ada.lovelace" not in text for text in told)
