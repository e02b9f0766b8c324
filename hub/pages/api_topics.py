"""/api/v1/topics: the tree in force with its names, filing a reply under one of them, asking for a training."""

from __future__ import annotations

from typing import Annotated

import msgspec
from sanic import HTTPResponse, Request

from hub.desk import refiling, topics
from hub.pages.api_answers import API, answer, cursor_of, limit_of, listed
from hub.pages.api_contents import LIST
from hub.pages.routes import Body, Route, desk_of, take
from hub.pages.shell import actor_of


class TopicBody(Body):
    """改正主题: a name of the tree in force, or the whole way to it with strokes between."""

    topic: Annotated[str, msgspec.Meta(min_length=1, max_length=150)]


async def list_topics(request: Request) -> HTTPResponse:
    """Every node of the tree in force: its name, which is unique, and its way from the first level on."""
    tree = await topics.tree(actor_of(request), desk_of(request))
    return answer({"items": [{"name": topic.name, "path": list(topic.path)} for topic in tree.topics]})


async def file_reply(request: Request, id: str) -> HTTPResponse:
    body: TopicBody = take(request, TopicBody)
    return answer(await topics.file_reply(actor_of(request), desk_of(request), id, body.topic))


async def list_models(request: Request) -> HTTPResponse:
    """The trainings, the newest first, and what is in force (`names`: routing by the tree's names alone)."""
    actor, desk = actor_of(request), desk_of(request)
    found = await refiling.list_topic_models(actor, desk, cursor=cursor_of(request), limit=limit_of(request))
    return listed(found.rows, found.cursor, in_force=await topics.in_force(actor, desk))


async def train(request: Request) -> HTTPResponse:
    """Asked for; a worker trains, and the list says how it went."""
    return answer(await refiling.retrain_topics(actor_of(request), desk_of(request)), status=202)


async def use(request: Request, id: str) -> HTTPResponse:
    return answer(await topics.use_topic_model(actor_of(request), desk_of(request), id))


ROUTES = (
    Route("GET", f"{API}/topics", list_topics, "reply.read", "api", None, "在用的主题分类"),
    Route("POST", f"{API}/replies/<id:str>/topic", file_reply, "topic.write", "api", TopicBody, "改正主题"),
    Route("GET", f"{API}/topic-models", list_models, "model.read", "api", None, "主题模型的历次训练", query=LIST),
    Route("POST", f"{API}/topic-models", train, "model.train", "api", None, "训练主题模型"),
    Route("POST", f"{API}/topic-models/<id:str>/use", use, "model.use", "api", None, "换回这一版主题模型"),
)
