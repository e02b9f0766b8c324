"""Signatures: the plain form against an independent implementation, the content API's form against tampering."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from channels import webhooks
from channels.webhooks import BadSignature, key_text

NOW = datetime(2026, 11, 24, 6, 50, tzinfo=UTC)
OLD, NEW, OTHER = (key_text(letter * 32) for letter in (b"a", b"b", b"c"))
ID = "request-0001"
TARGET = "/content/v1/items/article/content-1"

secrets = st.binary(min_size=24, max_size=64).map(key_text)
ids = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=8, max_size=64)
bodies = st.text(max_size=200).map(str.encode)


@given(secrets, ids, bodies)
def test_what_we_sign_an_independent_library_verifies(secret: str, id: str, body: bytes) -> None:
    headers = webhooks.sign([secret], id, datetime.now(UTC), body)
    with contextlib.suppress(json.JSONDecodeError):  # it reads the body as JSON once the signature fits
        Webhook(secret).verify(body, headers)


@given(secrets, ids, bodies)
def test_what_an_independent_library_signs_we_verify(secret: str, id: str, body: bytes) -> None:
    headers = {
        "Webhook-Id": id,
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, NOW, body.decode()),
    }
    assert webhooks.verify([secret], headers, body, NOW) == id


@given(secrets, bodies, bodies)
def test_a_changed_body_is_not_verified(secret: str, body: bytes, other: bytes) -> None:
    headers = webhooks.sign([secret], ID, NOW, body)
    if body != other:
        with pytest.raises(BadSignature):
            webhooks.verify([secret], headers, other, NOW)


def request(keys: list[str] | None = None) -> dict[str, str]:
    return webhooks.request_headers(keys or [NEW], ID, NOW, "PUT", TARGET, b'{"version":1}')


def check(headers: dict[str, str], keys: list[str] | None = None, **other: object) -> str:
    given = {"method": "PUT", "target": TARGET, "body": b'{"version":1}', "now": NOW, **other}
    return webhooks.check_request(keys or [NEW], headers, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "other",
    [{"method": "DELETE"}, {"target": TARGET + "?x=1"}, {"target": "/content/v1/inbox"}, {"body": b'{"version":2}'}],
)
def test_a_request_is_bound_to_its_method_target_and_body(other: dict[str, object]) -> None:
    assert check(request()) == ID
    with pytest.raises(BadSignature):
        check(request(), **other)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_or_changed_header_is_refused(name: str) -> None:
    for change in ({}, {name: request()[name][:-2] + "0="}, {name: ""}, {name: "é"}):
        headers = {key: value for key, value in request().items() if key != name} | change
        with pytest.raises(BadSignature):
            check(headers)


def test_five_minutes_either_way_are_tolerated_and_no_more() -> None:
    for minutes in (-5, 5):
        assert check(request(), now=NOW + timedelta(minutes=minutes)) == ID
        with pytest.raises(BadSignature):
            check(request(), now=NOW + timedelta(minutes=minutes) + timedelta(seconds=minutes))


def test_during_a_rotation_old_and_new_keys_are_both_valid() -> None:
    assert check(request([OLD]), [OLD, NEW]) == ID
    assert check(request([OLD, NEW]), [NEW]) == ID
    assert check(request([OLD, NEW]), [OLD]) == ID
    with pytest.raises(BadSignature):
        check(request([OLD]), [NEW, OTHER])


def answer(status: int = 200, id: str = ID) -> dict[str, str]:
    return webhooks.answer_headers([NEW], id, NOW, status, "PUT", TARGET, b"{}")


def test_an_answer_is_bound_to_its_request_and_status() -> None:
    webhooks.check_answer([NEW], answer(), ID, 200, "PUT", TARGET, b"{}", NOW)
    for headers, status in ((answer(409), 200), (answer(200, "request-0002"), 200), (answer(200), 409)):
        with pytest.raises(BadSignature):
            webhooks.check_answer([NEW], headers, ID, status, "PUT", TARGET, b"{}", NOW)


def test_an_answer_cannot_be_played_back_as_a_request() -> None:
    with pytest.raises(BadSignature):
        webhooks.check_request([NEW], answer(), "PUT", TARGET, b"{}", NOW)


@pytest.mark.parametrize(
    "key", ["", "whsec_", "whsec_" + "A" * 8, "whsec_不是", key_text(b"x" * 65), key_text(b"x" * 23)]
)
def test_a_weak_or_odd_key_is_refused_with_a_sentence(key: str) -> None:
    with pytest.raises(ValueError, match="签名密钥"):
        webhooks.sign([key], ID, NOW, b"")


def test_nothing_is_signed_without_a_key_and_nothing_verified() -> None:
    with pytest.raises(ValueError, match="签名密钥"):
        webhooks.sign([], ID, NOW, b"")
    with pytest.raises(BadSignature):
        check(request(), [OTHER])


def test_an_odd_id_is_refused() -> None:
    headers = webhooks.request_headers([NEW], "a.b.c.d.e", NOW, "PUT", TARGET, b'{"version":1}')
    with pytest.raises(BadSignature):
        check(headers)
