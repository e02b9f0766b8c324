"""The stream of events to open pages: names only, nothing that a person may not see; pages then read again."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from sanic import Request
from sanic.response import BaseHTTPResponse

from hub.access import still_stands
from hub.desk.tailing import Tail
from hub.pages.routes import Route

QUIET = 15.0  # seconds after which a comment line keeps the connection open


async def stream_events(request: Request) -> BaseHTTPResponse:
    """Server-sent events until the page goes, or its session ends. Being open is no activity."""
    tail: Tail = request.app.ctx.tail
    stands = still_stands(request.app.ctx.gate, request)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    response: Any = await request.respond(content_type="text/event-stream; charset=utf-8", headers=headers)
    async with tail.listening() as queue:
        await response.send("retry: 2000\n\n")
        while await stands():
            try:
                event = await asyncio.wait_for(queue.get(), QUIET)
            except TimeoutError:
                await response.send(": still here\n\n")
                continue
            said = json.dumps({"subject": event["subject"], "detail": event["detail"]}, ensure_ascii=False)
            await response.send(f"event: {event['name']}\ndata: {said}\n\n")
    await response.eof()
    answered: BaseHTTPResponse = response
    return answered


ROUTES = (Route("GET", "/events", stream_events, "notice.read", "stream"),)
