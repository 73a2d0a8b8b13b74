"""A link is hostile input, on every page: it is read or refused in a sentence, soon; what is read is a link again."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.shell.build import PAGES
from tests.pages.links_of_pages import LINKS, PageLink

LONGEST_SENTENCE = 2000
LONGEST_ECHO = 90  # characters of a hostile value that a sentence may repeat
HOSTILE = (
    *("", " ", "nan", "-nan", "inf", "-inf", "1e999", "-1e308", "1e-320", "9" * 400, "-1", "0", "0.0", "-0", "1.5"),
    *("1e400,1", "0x10", "1_000", "٣", "½", "①", "NaN,NaN", ",", ";", ",;,;", ":", "*", "**", "*:*", "a*b:c*d", "a:b"),
    *("nan,nan;nan,nan", "1,2,3", "1,2;3", "1,2;" * 300, "5," * 500, "inf,inf", "1e308,1e308;-1e308,1e308", "1;2;3"),
    *("<script>window.__pwned=1</script>", "<img src=x onerror=window.__pwned=1>", "${window.__pwned=1}", "{{7*7}}"),
    *("%s%n", "{0.__class__}", "../../etc/passwd", "file:///etc/passwd", "http://127.0.0.1/", "\\\\host\\share"),
    *("\0", "a\0b", "\x1b[31m", "\r\nSet-Cookie: a=b", "\ud800", "\udfff\ud800", "\u202egnp", "\ufeff", "e\u0301" * 50),
    *(
        "ZQ" * 900,
        "x" * 3000,
        "gensot*" + "ZQ" * 900 + ":1",
        "gensot*guide:" + "ZQ" * 900,
        "class:" + "ZQ" * 90 + "*1",
        "true",
        "yes",
        "None",
        "[]",
        "{}",
        '{"a": 1}',
        "=cmd()",
        "drawn",
        "modes",
        "points",
    ),
    *(
        "custom",
        "own picture",
        "average of ",
        "average of <b>",
        "mask:drawn",
        "colour:*",
        "strength:1-1e9",
        "seed:1-9e9",
    ),
    *(
        "seed:1-9e9",
        "steps:0-1 [1000000]",
        "method:" + "cfg," * 400,
        "strength:1-10 (+0)",
        "strength:1-10 (+1e-9)",
        "method:*",
    ),
)
pages = pytest.mark.parametrize("path", LINKS)
many = settings(
    max_examples=120, deadline=2000, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


def check(link: PageLink, query: str, *, echo: str = "") -> None:
    """Read, or refused in a sentence that repeats at most a part; what was read is a link that reads alike."""
    try:
        request, notes = link.read(query)
    except InvalidRequest as error:
        said = str(error)
        assert 0 < len(said) <= LONGEST_SENTENCE, said
        assert "pydantic" not in said
        assert len(echo) <= LONGEST_ECHO or echo[: LONGEST_ECHO + 1] not in said
        assert "ZQ" * (LONGEST_ECHO // 2) not in said
        assert re.search(r"[.!)]$", said), said
        said.encode()
        return
    for note in notes:
        assert len(note) <= 300
        note.encode()
    again = link.write(request)
    assert re.fullmatch(r"[!-~]*", again), again
    assert not set(again) & set("<>\"'`{}\\^ ")
    if len(again) > 4000:
        return
    reread, _ = link.read(again)
    assert link.write(reread) == again


def test_every_page_with_a_link_is_in_the_table():
    assert [page.path for page in PAGES if page.listed and page.path not in LINKS] == []


@pages
def test_its_own_links_are_read_without_a_note(path):
    link = LINKS[path]
    for query in ("", *link.links):
        request, notes = link.read(query) if query or path != "/grid" else link.read(link.links[0])
        assert notes == []
        written = link.write(request)
        assert link.write(link.read(written)[0]) == written


@pages
def test_any_text(path):
    @many
    @given(st.text(max_size=300) | st.text("&=;,:*+%0123456789.-abcxyz\ud800", max_size=120))
    def run(text):
        check(LINKS[path], text)

    run()


@pages
def test_hostile_values_in_every_field(path):
    link = LINKS[path]
    for field in link.fields:
        for value in HOSTILE:
            check(link, f"{field}={quote(value, errors='surrogatepass')}"[:4000], echo=value)
            check(link, f"{field}={value}"[:4000])


@pages
def test_fields_and_values_together(path):
    link = LINKS[path]
    numbers = st.floats().map(str) | st.integers(-(10**40), 10**40).map(str)
    values = st.sampled_from(HOSTILE) | numbers | st.text(max_size=20)
    fields = st.sampled_from([*link.fields, "v", "", "__theme", "x", "<b>"])

    @many
    @given(st.lists(st.tuples(fields, values), max_size=70))
    def run(pairs):
        check(link, "&".join(f"{key}={quote(value, safe=',;:*', errors='surrogatepass')}" for key, value in pairs))

    run()


@pages
def test_mutations_of_its_own_links(path):
    link = LINKS[path]

    @many
    @given(st.sampled_from(link.links), st.data())
    def run(query, data):
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(query)))
            to = data.draw(st.integers(at, min(len(query), at + 6)))
            put = data.draw(st.sampled_from(["", "%", "%F", "%00", "=", "&", "e", "-", "9" * 30, ".", "nan", *HOSTILE]))
            query = (query[:at] + put + query[to:]) * data.draw(st.sampled_from([1, 1, 1, 2]))
        check(link, query)

    run()


@pages
@pytest.mark.parametrize("query", [None, 7, b"steps=5", ["steps=5"], {"steps": 5}])
def test_what_is_no_text(path, query):
    with pytest.raises(InvalidRequest, match="must be text"):
        LINKS[path].read(query)
