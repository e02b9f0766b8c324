"""What 演练推送 answers has the shape that the documentation shows, and the connector reads each, one fixture each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from channels.exchange import Answer
from channels.faults import parse
from channels.push import wire
from channels.push.codes import CODES
from tests.rehearsal.shapes import wanting
from tests.rehearsal.test_push_rules import Client

FIXTURES = Path(__file__).parents[1] / "fixtures/push"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.json"))
Scene = Callable[[Client], tuple[int, Any]]


def ordered(code: int) -> Scene:
    def scene(client: Client) -> tuple[int, Any]:
        client.phone()
        client.stage.orders.add(parse({"match": "/v3/push", "kind": "code", "value": code}))
        return client.push()

    return scene


def pushed(client: Client) -> tuple[int, Any]:
    client.phone()
    return client.push()


def reported(client: Client) -> tuple[int, Any]:
    id = pushed(client)[1]["msg_id"]
    return client.ask("GET", f"/v3/received/detail?msg_ids={id}")


def registered(client: Client) -> tuple[int, Any]:
    phone = client.phone(tags=["临江区"])
    return client.ask("GET", f"/v3/devices/{phone}")


def stranger(client: Client) -> tuple[int, Any]:
    client.secret = "wrong"
    return client.push()


SCENES: Mapping[str, Scene] = {
    "cid": lambda client: client.ask("GET", "/v3/push/cid?count=1&type=push"),
    "push_accepted": pushed,
    "push_validated": lambda client: (
        client.phone() and client.ask("POST", "/v3/push/validate", {
            "platform": "all", "audience": "all", "notification": {"alert": "供暖恢复"},
        })
    ),
    "no_target": lambda client: client.push(),
    "rate": ordered(2002),
    "no_login": stranger,
    "wrong_value": lambda client: client.push(audience="nobody"),
    "too_big": lambda client: (client.phone() and client.push("字" * 3_000)),
    "received_detail": reported,
    "device": registered,
}  # fmt: skip


def fixture(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_has_the_documented_shape(name: str) -> None:
    documented = fixture(name)
    status, given = SCENES[name](Client())
    assert status == documented["status"]
    assert wanting(documented["body"], given) == []
    if "error" in documented["body"]:
        assert given["error"]["code"] == documented["body"]["error"]["code"]


@pytest.mark.parametrize("name", NAMES)
def test_a_fixture_names_its_page_and_day_and_is_read_by_the_connector(name: str) -> None:
    documented = fixture(name)
    assert documented["source"] and documented["read_on"] and documented["mark"] in ("page", "code")
    said = wire.read(Answer(documented["status"], {}, json.dumps(documented["body"]).encode()))
    error = documented["body"].get("error") if isinstance(documented["body"], dict) else None
    assert said.code == (error["code"] if error else None)
    assert error is None or said.code in CODES
