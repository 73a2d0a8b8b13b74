"""Where a page sends the frames of an animation and gets a film back: one at a time, the next few wait in line."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gensot_demo.experiments import limits
from gensot_demo.experiments.film_files import KINDS
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.sent_film import encoded, film_request, too_large
from gensot_demo.pages.visitors import address

ADDRESS = "/gensot/film"
_SENDING = 60  # seconds that frames may take to arrive
_LOOKS = 0.5  # seconds between looks whether the visitor is still there
_UNTIL_CANCELLED = 6  # looks until a film that its visitor has left is given up
_ONE = "A film of yours is being made already. Please wait for it, or cancel it."
_BUSY = "Several films are being made just now. Please try again in a minute."
_ELSEWHERE = "Films are made for this app's own pages only."


class _Refused(Exception):
    """With the status and the sentence of the answer."""

    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status = status


class Films:
    """The line of films: how many are in it, and the one that is encoded."""

    def __init__(self) -> None:
        self._inside: list[Hashable] = []  # by whom a film was asked for
        self._encoding = asyncio.Semaphore(1)

    def routes(self) -> list[Route]:
        return [Route(ADDRESS, self._answer, methods=["POST"])]

    async def _answer(self, request: Request) -> Response:
        try:
            return await self._film(request)
        except _Refused as error:
            return _said(error.status, str(error))
        except InvalidRequest as error:
            return _said(422, str(error))
        except TimeoutError:
            return _said(408, f"The frames took longer than {_SENDING} seconds to arrive.")
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception:
            logging.getLogger(__name__).exception("a film failed")
            return _said(500, "The film could not be encoded.")

    async def _film(self, request: Request) -> Response:
        if not _from_here(request):
            raise _Refused(403, _ELSEWHERE)
        asked = film_request(request.query_params)
        who = address(request)  # None where none can be believed: of such there may be several
        for _ in range(_UNTIL_CANCELLED):
            if who is None or who not in self._inside:
                break
            await asyncio.sleep(_LOOKS)
        else:
            raise _Refused(503, _ONE)
        if len(self._inside) > limits.FILMS_WAITING:
            raise _Refused(503, _BUSY)
        self._inside.append(who)
        try:
            async with asyncio.timeout(_SENDING):
                body = await _body(request)
            async with self._turn(request):
                made = await _unless_left(request, asked, body)
        finally:
            self._inside.remove(who)
        return Response(made, media_type=KINDS[asked.kind], headers={"Cache-Control": "no-store"})

    @asynccontextmanager
    async def _turn(self, request: Request) -> AsyncIterator[None]:
        """The encoder, for one film. Raises ClientDisconnect where its visitor has left before."""
        mine = asyncio.ensure_future(self._encoding.acquire())
        try:
            while not (await asyncio.wait([mine], timeout=_LOOKS))[0]:
                if await request.is_disconnected():
                    raise ClientDisconnect
            yield
        finally:
            if mine.done():
                self._encoding.release()
            else:
                mine.cancel()


def _from_here(request: Request) -> bool:
    """Whether one of this app's own pages asks. A browser says so itself; an older one gives its page's host."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host", "-")


async def _body(request: Request) -> bytes:
    """All that is sent, as long as it is not too much."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limits.FILM_BYTES:
            raise InvalidRequest(too_large(len(body)))
    return bytes(body)


async def _unless_left(request: Request, asked, body: bytes) -> bytes:
    """The film; the work ends at its next frame once nobody waits for it."""
    left = threading.Event()
    work = asyncio.ensure_future(run_in_threadpool(encoded, asked, body, left.is_set))
    try:
        while True:
            done, _ = await asyncio.wait([work], timeout=_LOOKS)
            if done:
                return work.result()
            if await request.is_disconnected():
                left.set()
    finally:
        left.set()


def _said(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status_code=status)
