"""/api/v1/services: the service directory; what an entry must hold is the domain's."""

from __future__ import annotations

import msgspec
from sanic import HTTPResponse, Request

from hub.desk import serving
from hub.pages.api_answers import API, answer, cursor_of, limit_of, listed
from hub.pages.api_contents import LIST
from hub.pages.routes import Body, Route, desk_of, take
from hub.pages.shell import actor_of


class ServiceBody(Body):
    """An entry of the service directory."""

    name: str
    aliases: list[str] = msgspec.field(default_factory=list)
    needs: str = ""
    where: str = ""
    hours: str = ""
    phone: str = ""
    link: str = ""
    department: str = ""
    public: bool = True
    icon: str = "list"
    order: int = 100


async def list_entries(request: Request) -> HTTPResponse:
    limit = limit_of(request)
    rows = await serving.list_services(actor_of(request), desk_of(request), after=cursor_of(request), limit=limit)
    return listed(rows, str(rows[-1]["_id"]) if len(rows) == limit else None)


async def put_entry(request: Request, id: str) -> HTTPResponse:
    body: ServiceBody = take(request, ServiceBody)
    value = {"_id": id, **msgspec.structs.asdict(body)}
    return answer(await serving.save_service(actor_of(request), desk_of(request), value))


ROUTES = (
    Route("GET", f"{API}/services", list_entries, "service.read", "api", None, "服务事项", query=LIST),
    Route("PUT", f"{API}/services/<id:str>", put_entry, "service.write", "api", ServiceBody, "新建或改一个服务事项"),
)
