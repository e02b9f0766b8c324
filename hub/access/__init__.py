"""Access: cookies, sign-in requests, form tokens and bearer tokens; what signing in means lives in the desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sanic import Sanic

from hub.access.endpoints import PROBLEMS, ROUTES, handler
from hub.access.gate import ORIGIN_ONLY, Gate, still_stands
from hub.access.proofs import Argon2Proofs
from hub.desk.desk import Desk

__all__ = ["ORIGIN_ONLY", "PROBLEMS", "ROUTES", "Argon2Proofs", "Gate", "attach", "still_stands"]


def attach(
    app: Sanic[Any, Any],
    desk: Desk | None = None,
    *,
    secure: bool = False,
    origins: Sequence[str] = (),
    proxies: int = 0,
) -> Gate:
    """Put the gate before every route of the application, and the session's own routes into it.

    Call it once, before the application starts; `desk` None takes `app.ctx.desk` at each request. The gate also stands
    in `app.ctx.gate`, for event streams and pages.
    """
    gate = Gate(desk=desk, secure=secure, origins=tuple(origins), proxies=proxies)
    app.ctx.gate = gate
    app.register_middleware(gate.admit, "request", priority=50)
    for route in ROUTES:
        app.add_route(handler(gate, route), route.path, methods=[route.method], name=route.name, ctx_route=route)
    return gate
