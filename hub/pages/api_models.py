"""/api/v1/models: trainings of the sentiment model with their figures, asking for one, going back to one."""

from __future__ import annotations

from sanic import HTTPResponse, Request

from hub.desk import model, retraining
from hub.pages.api_answers import API, answer, cursor_of, limit_of, listed
from hub.pages.api_contents import LIST
from hub.pages.routes import Body, Route, desk_of, take
from hub.pages.shell import actor_of


class ThresholdBody(Body):
    """松紧: from which likelihood on a text counts as negative; one of the measured steps."""

    threshold: float


async def list_models(request: Request) -> HTTPResponse:
    """The trainings, the newest first, and what is in force (the shipped model is called `shipped`)."""
    actor, desk = actor_of(request), desk_of(request)
    found = await retraining.list_models(actor, desk, cursor=cursor_of(request), limit=limit_of(request))
    return listed(found.rows, found.cursor, in_force=await model.pointer(actor, desk))


async def train(request: Request) -> HTTPResponse:
    """Asked for; a worker trains, and the list says how it went."""
    return answer(await retraining.retrain(actor_of(request), desk_of(request)), status=202)


async def use(request: Request, id: str) -> HTTPResponse:
    return answer(await model.use_model(actor_of(request), desk_of(request), id))


async def move(request: Request) -> HTTPResponse:
    body: ThresholdBody = take(request, ThresholdBody)
    return answer(await model.set_threshold(actor_of(request), desk_of(request), body.threshold))


ROUTES = (
    Route("GET", f"{API}/models", list_models, "model.read", "api", None, "情感模型的历次训练", query=LIST),
    Route("POST", f"{API}/models", train, "model.train", "api", None, "重新训练情感模型"),
    Route("POST", f"{API}/models/threshold", move, "model.use", "api", ThresholdBody, "调松紧"),
    Route("POST", f"{API}/models/<id:str>/use", use, "model.use", "api", None, "换回这一版模型"),
)
