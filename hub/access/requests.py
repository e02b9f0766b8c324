"""Reading what a request claims: its client's address, its Origin, where to go next; pure, and believing nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from sanic import Request

HOME = "/"


def client_address(peer: str, forwarded: Sequence[str], proxies: int) -> str:
    """Who asks: the peer, or what the innermost of `proxies` trusted proxies wrote; anything else is the peer."""
    if proxies <= 0:
        return peer
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    if len(hops) < proxies:
        return peer
    try:
        return str(ip_address(hops[-proxies]))
    except ValueError:
        return peer


def own_origin(request: Request, origins: Iterable[str]) -> bool:
    """Whether the browser says that the request comes from our own pages; no Origin is a foreign one."""
    said = request.headers.getall("origin", [])
    if len(said) != 1:
        return False
    allowed = {origin.rstrip("/") for origin in origins if origin}
    if not allowed:
        secure = bool(request.transport and request.transport.get_extra_info("sslcontext"))
        allowed = {f"{'https' if secure else 'http'}://{request.headers.get('host', '')}"}
    return said[0] in allowed


def own_path(wanted: str | None) -> str:
    """The path to go to afterwards, if it is one of ours; else the home page."""
    if not wanted or not wanted.startswith("/") or not wanted.isprintable() or "\\" in wanted or len(wanted) > 500:
        return HOME
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return HOME
    return HOME if parts.scheme or parts.netloc or wanted.startswith("//") else wanted


def bearer(request: Request) -> str | None:
    """The token of an Authorization header; None where there is no such header."""
    said = request.headers.getall("authorization", [])
    if not said:
        return None
    kind, _, token = said[0].partition(" ")
    return token.strip() if len(said) == 1 and kind.lower() == "bearer" else ""
