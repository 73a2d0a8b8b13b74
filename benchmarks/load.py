"""How long visitors wait when there are many of them, and whether memory grows.

The app runs in a process of its own. 1, 10 and 30 visitors, each with a session of their own, come for an equal part
of ``--minutes`` each. A visitor thinks 1 to 3 s, then does something light (a slider's work: a protocol's closed form,
maps between Gaussians, schedules on two modes, particles on straight lines) or, every sixth time, a comparison on the
embedded network (2 methods x 2 pictures x 6 steps) with a seed that nobody has used. Each speaks the HTTP protocol of
the queue, as gradio_client does.

``p50_slider``, ``p95_slider``, ``p50_compare``, ``p95_compare``: seconds from the question to the whole answer.
``errors``: calls that failed; their sentences are on stderr. ``refused``: calls that were told that the app is busy.
``rss_growth``: slope of the app's resident memory in MB a minute, once the first half of the last group's time has
warmed it up, with its standard error ``rss_growth_error`` from the means of 8 equal stretches, which are nearly
independent; and ``rss``, its last value in MB. It says something after some minutes only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from tools.running_app import started_app

from .report import progress, report

THINKS = (1.0, 3.0)  # seconds
HEAVY_EVERY = 6
STRETCHES = 8
PATIENCE = 300.0  # seconds for one answer
_HEAVY = "backbone=network&condition=hearts&steps=6&samples=2&method=unguided&method=cfg"
_LIGHT = (
    ("protocol", lambda n: f"shape=V&stiffness={5 + n % 90}"),
    ("gaussian_maps", lambda n: f"target_angle={n % 180}"),
    ("schedules", lambda n: f"separation={0.5 + (n % 150) / 100:.2f}&schedules=cosine,condot,ot"),
    ("lagrangian_interpolation", lambda n: f"particles=200&seed={n % 10**6}"),
)
_BUSY = ("queue is full", "busy", "at once")
_ONCE = httpx.Limits(max_keepalive_connections=0)  # a kept connection may be closed while a visitor thinks


@dataclass
class Seen:
    """What a group of visitors saw: seconds of each kind of call, and the sentences that they got instead."""

    slider: list[float] = field(default_factory=list)
    compare: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        figures: dict[str, Any] = {}
        for name in ("slider", "compare"):
            seconds = getattr(self, name)
            for share in (50, 95):
                figures[f"p{share}_{name}"] = float(np.percentile(seconds, share)) if seconds else None
            figures[f"calls_{name}"] = len(seconds)
        return {**figures, "errors": len(self.errors), "refused": len(self.refused)}


class Failed(Exception):
    """A call was answered by a sentence instead of a result."""


async def call(client: httpx.AsyncClient, session: str, name: str, data: list[Any]) -> Any:
    """The last value that an endpoint yields; raises Failed with the sentence where there is none."""
    begun = await client.post(f"/gradio_api/call/{name}", json={"data": data, "session_hash": session})
    if begun.status_code != 200:
        raise Failed(f"{begun.status_code}: {begun.text[:200]}")
    last, event = None, ""
    address = f"/gradio_api/call/{name}/{begun.json()['event_id']}"
    async with client.stream("GET", address) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif line.startswith("data: ") and event in ("generating", "complete"):
                last = line
            elif line.startswith("data: ") and event == "error":
                told = json.loads(line.removeprefix("data: "))
                raise Failed(told.get("error") or str(told) if isinstance(told, dict) else str(told))
    if last is None:
        raise Failed("no answer came")
    return last


async def visitor(number: int, address: str, end: float, seen: Seen) -> None:
    """Comes, thinks, asks, until the end; waits for the last answer."""
    chosen = random.Random(number)
    asked = chosen.randrange(HEAVY_EVERY)  # so that they do not all compare at once
    session = f"load{number}x{chosen.randrange(10**9)}"
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE, limits=_ONCE) as client:
        await asyncio.sleep(chosen.uniform(0, THINKS[1]))
        while time.monotonic() < end:
            asked += 1
            fresh = chosen.randrange(10**9)
            if asked % HEAVY_EVERY == 0:
                name, query, kind = "compare", f"{_HEAVY}&seed={fresh}", seen.compare
            else:
                name, make = chosen.choice(_LIGHT)
                query, kind = make(fresh), seen.slider
            began = time.monotonic()
            try:
                await call(client, session, name, [query] if name != "protocol" else [query, None])
                kind.append(time.monotonic() - began)
            except (Failed, httpx.HTTPError) as error:
                text = f"/{name}: {type(error).__name__} {error}"
                (seen.refused if any(word in text.lower() for word in _BUSY) else seen.errors).append(text)
            await asyncio.sleep(chosen.uniform(*THINKS))


async def watched(process: int, taken: list[tuple[float, float]]) -> None:
    """Appends (seconds, MB resident) four times a second until cancelled."""
    while True:
        taken.append((time.monotonic(), resident(process)))
        await asyncio.sleep(0.25)


def resident(process: int) -> float:
    """MB of memory that a process holds, from /proc (Linux)."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"process {process} tells no resident memory")


def growth(taken: list[tuple[float, float]]) -> tuple[float, float]:
    """(slope in MB a minute, its standard error) of the means of equal stretches, by least squares.

    >>> slope, error = growth([(6.0 * n, 100.0 + n) for n in range(80)])  # 1 MB in 6 s
    >>> round(slope, 6), error < 1e-6
    (10.0, True)
    """
    means = np.array([np.mean(part, axis=0) for part in np.array_split(np.array(taken), STRETCHES)])
    minutes, held = means[:, 0] / 60, means[:, 1]
    offset = minutes - minutes.mean()
    slope = float(offset @ held / (offset @ offset))
    left = held - held.mean() - slope * offset
    return slope, float(np.sqrt(left @ left / (STRETCHES - 2) / (offset @ offset)))


async def measured(address: str, process: int, counts: list[int], minutes: float) -> dict[str, Any]:
    """The figures of all groups, one after the other."""
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE) as client:  # what is loaded once does not count
        for name, make in _LIGHT:
            await call(client, "warm", name, [make(1)] if name != "protocol" else [make(1), None])
        await call(client, "warm", "compare", [f"{_HEAVY}&seed=1"])
    taken: list[tuple[float, float]] = []
    watching = asyncio.create_task(watched(process, taken))
    groups, began = {}, time.monotonic()
    for count in counts:
        seen, began = Seen(), time.monotonic()
        end = began + 60 * minutes / len(counts)
        await asyncio.gather(*(visitor(100 * count + n, address, end, seen) for n in range(count)))
        groups[str(count)] = seen.told()
        progress(f"{count} visitors: {groups[str(count)]}, {taken[-1][1]:.0f} MB")
        for text in seen.errors:
            progress(f"  error: {text}")
        for text in set(seen.refused):
            progress(f"  refused {seen.refused.count(text)} times: {text}")
    watching.cancel()
    half = statistics.mean((began, time.monotonic()))
    slope, error = growth([one for one in taken if one[0] >= half])
    return {"visitors": groups, "rss_growth": slope, "rss_growth_error": error, "rss": taken[-1][1]}


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__.splitlines()[0])
    options.add_argument("--minutes", type=float, default=1.0, help="of all groups together, default 1")
    options.add_argument("--visitors", default="1,10,30", help="sizes of the groups, default 1,10,30")
    chosen = options.parse_args()
    counts = [int(count) for count in chosen.visitors.split(",")]
    with started_app(patience=300) as (address, process):
        progress(f"the app is up, {resident(process.pid):.0f} MB")
        report(asyncio.run(measured(address, process.pid, counts, chosen.minutes)))


if __name__ == "__main__":
    main()
