"""What a hostile visitor gets from the running app: SECURITY.md says the same in words."""

import json
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPConnection

import pytest

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


def answer(app_url: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a path that is sent as it stands, dots and all."""
    address = urllib.parse.urlsplit(app_url)
    connection = HTTPConnection(address.hostname, address.port, timeout=30)
    try:
        connection.request("GET", path, headers=headers)
        found = connection.getresponse()
        return found.status, {key.lower(): value for key, value in found.getheaders()}, found.read()
    finally:
        connection.close()


def upload(app_url: str, name: str, content: bytes) -> str:
    """Where the app keeps an uploaded file."""
    border = b"--------border"
    head = f'Content-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
    body = b"--" + border + b"\r\n" + head + content + b"\r\n--" + border + b"--\r\n"
    kind = f"multipart/form-data; boundary={border.decode()}"
    request = urllib.request.Request(f"{app_url}/gradio_api/upload", body, {"Content-Type": kind})
    with urllib.request.urlopen(request, timeout=60) as found:
        return json.load(found)[0]


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=/proc/self/environ",
        "/gradio_api/file=app.py",
        "/gradio_api/file=../app.py",
        "/gradio_api/file=assets/app.css",
        "/gradio_api/file=requirements.txt",
        "/gradio_api/file=http://127.0.0.1:22",
        "/gradio_api/proxy=http://127.0.0.1:22/",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/gensot/..%2f..%2fapp.py",
        "/gensot/player/x/../../../app.py",
        "/monitoring/summary",
        "/docs",
    ],
)
def test_nothing_but_its_own_scripts_is_served(app_url, path):
    status, _, body = answer(app_url, path)
    assert status in (400, 403, 404)
    assert b"root:" not in body
    assert b"build_app" not in body
    assert len(body) < 500


@pytest.mark.parametrize(("name", "content"), [("picture.svg", SVG), ("page.html", b"<script>alert(1)</script>")])
def test_an_uploaded_file_is_never_a_page(app_url, name, content):
    kept = upload(app_url, name, content)
    status, headers, _ = answer(app_url, f"/gradio_api/file={urllib.parse.quote(kept)}")
    assert status == 200
    assert headers["content-disposition"].startswith("attachment")
    assert headers["content-type"] == "application/octet-stream"


def test_an_upload_that_is_too_large_is_refused(app_url):
    with pytest.raises((urllib.error.HTTPError, ConnectionError, urllib.error.URLError)) as refused:
        upload(app_url, "large.bin", bytes(40_000_000))
    assert getattr(refused.value, "code", 413) == 413


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_no_other_page_may_read_an_answer(app_url, origin):
    _, headers, _ = answer(app_url, "/config", Origin=origin)
    assert headers.get("access-control-allow-origin") not in ("*", origin)


@pytest.mark.parametrize("path", ["/", "/transport", "/lagrangian", "/grid"])
def test_a_hostile_query_never_reaches_the_page_as_html(app_url, page, path):
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
    hostile = urllib.parse.quote("<img src=x onerror=alert(1)>\"'></script><script>alert(2)</script>${alert(3)}")
    page.goto(f"{app_url}{path}?method={hostile}&target={hostile}&{hostile}={hostile}")
    page.wait_for_function("[...document.querySelectorAll('[role=alert], #notice')].some((e) => e.innerText.trim())")
    page.wait_for_timeout(300)
    assert page.locator("img[src=x]").count() == 0
    assert page.evaluate("[...document.scripts].filter((one) => one.text.includes('alert(2)')).length") == 0
