"""Every endpoint keeps what its description promises: called with the real gradio_client, and as a tool with the real
client of MCP. One table, small settings."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

UNKNOWN = "zebra"
UNSETTLED = ("seconds", "notes", "verdict")  # the last may say how long it took


@dataclass(frozen=True)
class Contract:
    """smaller: settings after the description's own example, so that it takes a moment.  more: other arguments.  bad:
    arguments that are refused, with words of the sentence.  streams: whether a share of progress comes first.  example:
    a query where the description refers to another endpoint's."""

    smaller: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    bad: tuple[dict[str, Any], str] = ({}, "")
    streams: bool = False
    example: str = ""


def refused(query: str, words: str) -> tuple[dict[str, Any], str]:
    return {"query": query}, words


SMALL = "resolution=32&steps=4&samples=1"
FOLLOWED = "follow_average=faces&method=unguided&method=gensot"
CONTRACTS = {
    "compare": Contract(SMALL, bad=refused("steps=9999", "9999"), streams=True),
    "measure": Contract(SMALL, {"draws": 64}, ({"query": FOLLOWED, "draws": 1}, "64"), True, FOLLOWED),
    "inspect": Contract(SMALL, {}, ({"query": FOLLOWED, "column": 99}, "99|sample|column"), True, FOLLOWED),
    "grid": Contract("steps=4&x=strength:1,2", bad=refused("x=moon:1", "moon"), streams=True),
    "transport": Contract("steps=10&particles=200", bad=refused("steps=1e9", "from 2 to 500"), streams=True),
    "sequence": Contract("frames=8&steps=4&method=unguided", bad=refused("frames=99", "99"), streams=True),
    "schedules": Contract(bad=refused("separation=99", "99"), streams=True),
    "kinetic_optimal": Contract("dimension=16&count=16", bad=refused("data=moon", "moon")),
    "speed_accuracy": Contract("", {"plane": True}, refused("shift=9", "from -3 to 3"), True),
    "train_flow": Contract("updates=50&points=64&paths=vp", bad=refused("updates=0", "0"), streams=True),
    "later_start": Contract(
        "model=truth&draws=16&budgets=2,3&tau=0", bad=refused("signal=100", "from 0.1 to 99"), streams=True
    ),
    "train_pairing": Contract(
        "points=16&minibatch=16&updates=50&pairings=independent", bad=refused("minibatch=5", "Minibatch is 5"),
        streams=True,
    ),
    "transport_cells": Contract("count=5", bad=refused("time=0", "0.1")),
    "gaussian_maps": Contract(bad=refused("target_x=9", "Target x is 9")),
    "solve_heights": Contract("number=5", bad=refused("points=random&number=500", "from 1 to 200"), streams=True),
    "protocol": Contract(bad=refused("stiffness=-3", "conjugate")),
    "learn_guide": Contract("pieces=5", bad=refused("pieces=1", "from 2 to 60")),
    "experts": Contract(bad=refused("trusts=0,0", "nobody is trusted")),
    "adaptive_stiffness": Contract(
        "particles=300", {"particles": True}, refused("pulls=5,x", "must be numbers"), True
    ),
    "matrix_stiffness": Contract("particles=100", {"particles": True}, refused("height=9", "from 0 to 3")),
    "neurons_luck": Contract("time=1", bad=refused("neurons=5", "from 20 to 1000"), streams=True),
    **{
        f"lagrangian_{name}": Contract(smaller, bad=refused("view=sideways", "sideways"))
        for name, smaller in (
            ("diffusion", "particles=50"), ("interpolation", "particles=50"), ("gradient_flows", "particles=50"),
            ("controlled", "particles=50"), ("neurons", ""), ("tokens", "tokens=8"),
        )
    },
}  # fmt: skip
WITHOUT_A_QUERY = {
    "scoreboard": ({"backbone": "plane", "task": "follow"}, None, ""),
    "draw_scoreboard": ({}, {"question": "moon"}, "moon"),
    "failure": ({"name": "prior_error"}, {"name": "moon"}, "oversaturation"),
    "count_clusters": ({"tokens": 4}, {"tokens": 999}, "999"),
}


def with_tools(address: str, do: Callable):
    """What `do` makes of a session of MCP, in a thread of its own: in this one Playwright's loop may run."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _with_tools(address, do)).result()


async def _with_tools(address: str, do: Callable):
    async with (
        streamablehttp_client(f"{address}/gradio_api/mcp/") as (reading, writing, _),
        ClientSession(reading, writing) as session,
    ):
        await session.initialize()
        return await do(session)


@pytest.fixture(scope="module")
def client(app_url):
    return Client(app_url, verbose=False, httpx_kwargs={"timeout": 120})


@pytest.fixture(scope="module")
def tools(app_url):
    """By name, as the real client of MCP lists them."""
    found = with_tools(app_url, lambda session: session.list_tools())
    return {tool.name: tool for tool in found.tools}


def settled(value: Any, near: Callable[[float], Any] = float) -> Any:
    """Without what differs between two runs of one request: seconds, and notes on the link."""
    match value:
        case dict():
            return {key: settled(one, near) for key, one in value.items() if key not in UNSETTLED}
        case list():
            return [settled(one, near) for one in value]
        case float():
            return near(value)
    return value


def nearly(value: float) -> Any:
    return pytest.approx(value, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("name", CONTRACTS)
def test_an_endpoint_keeps_its_description(client, tools, name):
    contract = CONTRACTS[name]
    described = tools[name].inputSchema["properties"]["query"]["description"]
    example = contract.example or re.search(r'"([^"]*=[^"]*)"', described)[1]
    query = "&".join(filter(None, (example, contract.smaller, f"{UNKNOWN}=1")))
    job = client.submit(query=query, **contract.more, api_name=f"/{name}")
    last = job.result()
    shares = [one["done"] for one in job.outputs() if "done" in one]
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    assert bool(shares) == contract.streams
    assert any(UNKNOWN in note for note in last["notes"])
    undescribed = [key for key in last if key not in tools[name].description]
    assert not undescribed
    again = client.predict(query=last["query"], **contract.more, api_name=f"/{name}")
    assert not any(UNKNOWN in note for note in again["notes"])
    assert settled(last, nearly) == settled(again)
    arguments, words = contract.bad
    with pytest.raises(AppError, match=words):
        client.predict(**arguments, api_name=f"/{name}")


@pytest.mark.parametrize("name", WITHOUT_A_QUERY)
def test_an_endpoint_without_a_query_answers_and_refuses(client, tools, name):
    arguments, wrong, words = WITHOUT_A_QUERY[name]
    job = client.submit(**arguments, api_name=f"/{name}")
    if name == "draw_scoreboard":  # all of it takes a minute
        first = next(iter(job))
        assert 0 < first["done"] <= 1
        assert first["row"]["method"]
        job.cancel()
    else:
        undescribed = [key for key in job.result() if key not in tools[name].description]
        assert not undescribed
        shares = [one["done"] for one in job.outputs() if "done" in one]
        assert shares == sorted(shares)
    if wrong:
        with pytest.raises(AppError, match=words):
            client.predict(**wrong, api_name=f"/{name}")


def test_every_named_endpoint_has_a_contract_and_is_a_tool(client, tools):
    named = {name.lstrip("/") for name in client.view_api(return_format="dict")["named_endpoints"]}
    assert named == {*CONTRACTS, *WITHOUT_A_QUERY}
    assert set(tools) == named  # no private event among the tools


def test_every_tool_says_what_it_does_and_takes(tools):
    for name, tool in tools.items():
        assert "Returns:" in tool.description, name
        for argument, schema in tool.inputSchema["properties"].items():
            assert schema.get("description"), (name, argument)
            assert {"type", "enum", "anyOf", "oneOf"} & set(schema), (name, argument)


def test_tools_answer_tell_their_progress_and_refuse(app_url):
    told = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        told.append(message or "")

    async def calls(session):
        maps = await session.call_tool("gaussian_maps", {"query": "source_angle=46"})
        query = "follow_average=faces&resolution=32&steps=30&samples=1&method=unguided&seed=77"
        made = await session.call_tool("compare", {"query": query}, progress_callback=heard)
        return maps, made, await session.call_tool("gaussian_maps", {"query": "target_x=9"})

    maps, made, bad = with_tools(app_url, calls)
    assert not maps.isError
    assert "'commutator'" in maps.content[0].text
    assert not made.isError
    assert "'verdict'" in made.content[0].text  # the last value, not the first
    steps = [int(found[1]) for found in (re.search(r"Step (\d+) of 100", text) for text in told) if found]
    assert steps
    assert steps == sorted(steps)
    assert bad.isError
    assert "Target x is 9" in bad.content[0].text


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_no_other_page_may_read_the_tools(app_url, origin):
    import httpx

    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    accepted = "application/json, text/event-stream"
    answer = httpx.post(f"{app_url}/gradio_api/mcp/", json=body, headers={"Origin": origin, "Accept": accepted})
    assert answer.headers.get("access-control-allow-origin") not in ("*", origin)
