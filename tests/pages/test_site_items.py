"""The rules of one item under any order of PUT and DELETE, held against a model; and the site's facts and keys."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hub.domain.errors import Misconfigured
from hub.settings import Settings
from hub.site.bodies import Checked, canonical, digest_of
from hub.site.facts import FILE, demo_facts, read_facts, write_facts
from hub.site.items import Change, Decision, Item, Put, Refusal, decide_put, decide_withdrawal
from hub.site.serving import ROUTES, keys_of
from tests.pages.site_office import KEY, NOON, OLD_KEY

WORDS = st.sampled_from(["甲", "乙"])
VERSIONS = st.integers(1, 4)


class ItemsLife(RuleBasedStateMachine):
    """Any caller with any version at any time: what was promised once is never taken back."""

    def __init__(self) -> None:
        super().__init__()
        self.item: Item | None = None
        self.now = NOON
        self.first = None
        self.highest = 0
        self.withdrawn_at = 0
        self.taken: dict[str, str] = {}

    def _apply(self, decision: Decision) -> None:
        if isinstance(decision, Change):
            before = self.item or {"kind": "article", "id": "a"}
            kept = {name: value for name, value in before.items() if name not in decision.unset}
            self.item = {**kept, **decision.set} if decision.set or self.item is None else self.item

    @rule(seconds=st.integers(1, 10_000))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(version=VERSIONS, words=WORDS, key=st.sampled_from(["", "k1", "k2"]), note=st.sampled_from(["", "更正"]))
    def put(self, version: int, words: str, key: str, note: str) -> None:
        text = canonical({"title": words})
        request = f"{version}{words}{note}"
        decision = decide_put(
            self.item,
            Put("article", "a", version, key, request, note),
            Checked(text, digest_of(text), {"column": "yw"}),
            self.now,
        )
        if isinstance(decision, Refusal):
            assert decision.status in (409, 422)
            assert self.item is not None
            if decision.code == "key_reused":
                assert self.taken[key] != request
            if decision.version is not None:
                assert decision.version == self.item["version"]
            return
        if key:
            assert self.taken.setdefault(key, request) == request
        if decision.born:
            self.first = self.now
        public_before = self.item is not None and self.item["state"] == "public"
        self._apply(decision)
        assert self.item is not None
        self.highest = max(self.highest, version)
        if self.item["state"] == "public" and not public_before:
            assert version > self.withdrawn_at
            assert decision.born or not note, "a correction brought back what was withdrawn"
            assert "withdrawn_at" not in self.item

    @rule(version=VERSIONS)
    def withdraw(self, version: int) -> None:
        before = self.item
        decision = decide_withdrawal(self.item, version, "撤稿", self.now)
        if isinstance(decision, Refusal):
            assert before is None or version < before["version"]
            return
        self._apply(decision)
        assert self.item is not None
        self.highest = max(self.highest, version)
        self.withdrawn_at = self.item["version"]
        assert self.item["state"] == "withdrawn"
        assert self.item["note"] == "撤稿"

    @invariant()
    def the_first_date_and_the_highest_version_stand(self) -> None:
        if self.item is not None:
            assert self.item["published_at"] == self.first
            assert self.item["version"] == self.highest
            assert {each["key"]: each["request"] for each in self.item["keys"]} == self.taken
            assert all(each["at"] <= self.now for each in self.item["corrections"])


TestItemsLife = ItemsLife.TestCase


# --- facts


def test_the_demo_writes_the_invented_citys_facts_once_and_never_over_an_offices_own(tmp_path: Path) -> None:
    write_facts(tmp_path, demo_facts())
    assert read_facts(tmp_path) == demo_facts()
    found = json.loads((tmp_path / FILE).read_text("utf-8")) | {"name": "别的政府"}
    (tmp_path / FILE).write_text(json.dumps(found, ensure_ascii=False), "utf-8")
    write_facts(tmp_path, demo_facts())
    assert read_facts(tmp_path).name == "别的政府"


@pytest.mark.parametrize(
    ("change", "word"),
    [({"id_code": " "}, "id_code"), ({"districts": "临江区"}, "districts"), ({"nmae": "x"}, "nmae"),
     ({"name": []}, "name")],
)  # fmt: skip
def test_facts_that_are_wrong_stop_the_start_and_name_the_field(
    tmp_path: Path, change: dict[str, Any], word: str
) -> None:
    write_facts(tmp_path, demo_facts())
    found = json.loads((tmp_path / FILE).read_text("utf-8")) | change
    (tmp_path / FILE).write_text(json.dumps(found, ensure_ascii=False), "utf-8")
    with pytest.raises(Misconfigured, match=word):
        read_facts(tmp_path)


def test_missing_or_broken_facts_stop_the_start_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"没有 site\.json"):
        read_facts(tmp_path)
    (tmp_path / FILE).write_text("{", "utf-8")
    with pytest.raises(Misconfigured, match="读不了"):
        read_facts(tmp_path)


@pytest.mark.parametrize(("given", "keys"), [(KEY, (KEY,)), (f"{KEY}, {OLD_KEY}", (KEY, OLD_KEY))])
def test_one_or_two_content_keys_are_taken(given: str, keys: tuple[str, ...]) -> None:
    assert keys_of(Settings({"HUB_CONTENT_KEY": given}, {})) == keys


@pytest.mark.parametrize("given", ["", ",", f"{KEY},{KEY},{OLD_KEY}"])
def test_no_content_key_or_three_stop_the_start(given: str) -> None:
    with pytest.raises(Misconfigured, match="HUB_CONTENT_KEY"):
        keys_of(Settings({"HUB_CONTENT_KEY": given}, {}))


# --- routes


def test_every_unsafe_route_says_what_stands_in_the_place_of_a_token_and_has_a_limit() -> None:
    unsafe = [route for route in ROUTES if route.unsafe]
    assert len(unsafe) >= 7
    assert [route.path for route in unsafe if route.unsigned not in ("origin", "signature")] == []
    assert [route.path for route in unsafe if not route.most_bytes] == []
    assert all(route.unsigned == "signature" for route in ROUTES if route.path.startswith("/content/"))


def test_every_route_has_a_name_of_its_own() -> None:
    names = [route.name for route in ROUTES]
    assert len(names) == len(set(names))
