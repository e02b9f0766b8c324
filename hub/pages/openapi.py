"""The description of the API, made from the route table: an OpenAPI document and a page; no call of it lives here."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, get_args

import msgspec
from sanic import HTTPResponse, Request
from sanic.response import raw

from hub.access import ROUTES as SESSION_ROUTES
from hub.domain.people import NAMES
from hub.domain.rights import PERSON_ONLY, RIGHTS
from hub.pages import (
    api_canned,
    api_cases,
    api_contents,
    api_copies,
    api_listening,
    api_models,
    api_office,
    api_publications,
    api_services,
    api_topics,
    api_watchwords,
)
from hub.pages.api_answers import API
from hub.pages.routes import Route
from hub.pages.shell import show_bare

DESCRIBED: Sequence[Route] = (
    *api_contents.ROUTES,
    *api_publications.ROUTES,
    *api_listening.ROUTES,
    *api_copies.ROUTES,
    *api_models.ROUTES,
    *api_topics.ROUTES,
    *api_cases.ROUTES,
    *api_canned.ROUTES,
    *api_watchwords.ROUTES,
    *api_office.ROUTES,
    *api_services.ROUTES,
)
PART = re.compile(r"<(?P<name>\w+):(?P<kind>[^>]+)>")
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                "required": ["field", "message"],
            },
        },
    },
}
NUMBERS = {"limit": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}}
ABOUT = "采编端的接口。错误是 RFC 9457 问题文档，文字为中文。"
MOMENTS = ("from", "to", "until")
SESSION_FIELDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    # calls of the session room and the texts that their bodies hold
    ("POST", f"{API}/session"): ("login", "password"),
    ("POST", f"{API}/session/second"): ("code",),
    ("POST", f"{API}/session/confirm"): ("password",),
    ("PUT", f"{API}/session/password"): ("old", "new"),
    ("PUT", f"{API}/session/factor"): ("code",),
}


def described_path(path: str) -> str:
    """`/contents/<id:str>` as OpenAPI writes it."""
    return PART.sub(lambda found: "{" + found["name"] + "}", path)


@cache
def document() -> bytes:
    """The OpenAPI 3.1 document, the same for everybody."""
    bodies = {_body_type(route.body): None for route in DESCRIBED if route.body is not None}
    _, schemas = msgspec.json.schema_components(list(bodies), ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in DESCRIBED:
        paths[described_path(route.path)][route.method.lower()] = _operation(route)
    for call in (each for each in SESSION_ROUTES if each.form == "api"):
        paths[call.path][call.method.lower()] = _session_operation(call.method, call.path, call.summary)
    found = {
        "openapi": "3.1.0",
        "info": {"title": "政声接口", "version": "1", "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"session": [], "form": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Problem": PROBLEM},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "hub"},
                "form": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
            },
        },
    }
    return msgspec.json.encode(found)


def _body_type(body: Any) -> Any:
    inner = get_args(body)
    return inner[0] if inner else body


def _operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [_subject(route)],
        "parameters": [*_parts(route), *map(_asked, route.query), *_headers(route)],
        "responses": _responses(route),
        "x-right": route.right,
        "x-password-again": route.sensitive,
    }
    if route.body is not None:
        ref = {"$ref": f"#/components/schemas/{_body_type(route.body).__name__}"}
        schema = {"type": "array", "items": ref, "minItems": 1, "maxItems": 1_000} if get_args(route.body) else ref
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return found


def _session_operation(method: str, path: str, summary: str) -> dict[str, Any]:
    names = SESSION_FIELDS.get((method, path), ())
    words = [each for each in path.removeprefix(f"{API}/").split("/") if each]
    found: dict[str, Any] = {
        "operationId": "_".join([method.lower(), *words]),
        "summary": summary,
        "tags": ["session"],
        "responses": {"2XX": {"description": "好"}, "default": _refused()},
    }
    if names:
        texts = {name: {"type": "string"} for name in names}
        schema = {"type": "object", "properties": texts, "required": list(names), "additionalProperties": False}
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return found


def _subject(route: Route) -> str:
    return route.path.removeprefix(f"{API}/").split("/")[0]


def _parts(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": found["name"], "in": "path", "required": True, "schema": _part(found["kind"])}
        for found in PART.finditer(route.path)
    ]


def _part(kind: str) -> dict[str, Any]:
    if kind == "int":
        return {"type": "integer", "minimum": 0}
    return {"type": "string", "minLength": 1} if kind == "str" else {"type": "string", "enum": kind.split("|")}


def _asked(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = NUMBERS.get(name, {"type": "string"})
    if name in MOMENTS:
        schema = {"type": "string", "format": "date-time"}
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _headers(route: Route) -> list[dict[str, Any]]:
    if "If-Match" not in route.summary:
        return []
    return [
        {"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string", "pattern": '^"[0-9]+"$'}}
    ]


def _responses(route: Route) -> dict[str, Any]:
    kind = "text/event-stream" if route.form == "stream" else "application/json"
    shape: dict[str, Any] = {} if route.form == "stream" else {"type": "object"}
    return {"2XX": {"description": "好", "content": {kind: {"schema": shape}}}, "default": _refused()}


def _refused() -> dict[str, Any]:
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": "没有做成，原因在 detail 和 errors 里", "content": {"application/problem+json": problem}}


# ---- the page


async def show_document(_request: Request) -> HTTPResponse:
    return raw(document(), content_type="application/json", headers={"Cache-Control": "no-store"})


async def show_docs(request: Request) -> HTTPResponse:
    return show_bare(request, "desk/docs.html", subjects=_subjects())


@cache
def _subjects() -> list[tuple[str, list[dict[str, Any]]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for route in DESCRIBED:
        found[_subject(route)].append(
            {
                "method": route.method,
                "path": described_path(route.path),
                "summary": route.summary,
                "who": "、".join(NAMES[role] for role in NAMES if role in RIGHTS[str(route.right)]),
                "right": route.right,
                "token": route.right not in PERSON_ONLY,
                "sensitive": route.sensitive,
                "query": route.query,
                "fields": _fields(route.body),
            }
        )
    return list(found.items())


def _fields(body: Any) -> list[tuple[str, bool]]:
    """(name, needed) of each field of a body."""
    if body is None:
        return []
    return [(field.encode_name, field.required) for field in msgspec.structs.fields(_body_type(body))]


ROUTES = (
    Route("GET", "/docs", show_docs, None),
    Route("GET", "/docs/openapi.json", show_document, None, "file"),
)
