"""Contents: kinds and their fields, canonical drafts, the hash of all that goes out, and differences."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.domain.columns import check_column
from hub.domain.content import (
    KINDS,
    Draft,
    check_draft,
    check_meta,
    check_override,
    draft_of,
    files_of,
    missing_of,
    package_hash,
    revise,
)
from hub.domain.difference import compare
from hub.domain.errors import Invalid

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
SHA, OTHER = "a" * 64, "b" * 64
TEXT = [{"kind": "p", "runs": [{"text": "正文"}]}]
DRAFT = Draft(
    "news", "yaowen", " 标题\n ", "摘要", TEXT, (SHA, SHA), {"source": "云川市", "keywords": ["供热", "供热 "]}
)


def paragraph(text: str) -> dict[str, Any]:
    return {"kind": "p", "runs": [{"text": text}]}


def test_a_checked_draft_is_trimmed_and_says_nothing_twice() -> None:
    draft = check_draft(DRAFT)
    assert (draft.title, draft.files) == ("标题", (SHA,))
    assert draft.meta == {"source": "云川市", "keywords": ["供热"]}
    assert check_draft(draft) == draft


def test_every_wrong_field_is_named_at_once() -> None:
    bad = replace(DRAFT, title="", digest="长" * 301, files=("x",), meta={"number": "3号"}, blocks=[{"kind": "x"}])
    with pytest.raises(Invalid) as caught:
        check_draft(bad)
    assert {error.field for error in caught.value.errors} == {"title", "digest", "files", "meta.number", "blocks[0]"}


@pytest.mark.parametrize("number", ["云政发〔2026〕3号", "云川政办发〔2026〕138号"])
def test_a_document_number_with_the_right_brackets_is_taken(number: str) -> None:
    assert check_meta("policy", {"number": number}) == {"number": number}


@pytest.mark.parametrize(
    "number", ["云政发[2026]3号", "云政发（2026）3号", "云政发〔26〕3号", "云政发〔2026〕第3号", "云政发〔2026〕03号"]
)
def test_a_document_number_with_other_brackets_is_refused_with_the_right_form(number: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_meta("policy", {"number": number})
    assert "〔" in caught.value.errors[0].message


def test_read_only_fields_do_not_slip_in_through_the_facts() -> None:
    for name in ("state", "author", "hash", "published_at"):
        with pytest.raises(Invalid):
            check_meta("news", {name: "x"})


def test_a_policy_document_that_is_not_public_needs_its_reason() -> None:
    facts = {"issuer": "云川市人民政府", "number": "云政发〔2026〕3号", "signed_on": "2026-11-20", "source": "市政府"}
    draft = check_draft(replace(DRAFT, kind="policy", meta={**facts, "openness": "不予公开"}))
    assert [error.field for error in missing_of(draft)] == ["meta.openness_reason"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_written_and_says_what_it_lacks(kind: str) -> None:
    draft = check_draft(replace(DRAFT, kind=kind, meta={}))
    assert "meta.source" in {error.field for error in missing_of(draft)}


def test_a_revision_gives_its_draft_back_and_its_hash_is_of_the_text_alone() -> None:
    draft = check_draft(DRAFT)
    first, second = revise("c", 1, draft, by="liu", at=NOON), revise("c", 2, draft, by="sun", at=NOON)
    assert first["hash"] == second["hash"]
    assert check_draft(draft_of(first)) == draft


def test_the_package_hash_changes_with_text_variant_and_file_and_with_nothing_else() -> None:
    whole = package_hash("body", {"a": {"override": {"text": "x"}, "hash": "1"}}, [SHA, OTHER])
    assert whole == package_hash("body", {"a": {"override": {"text": "x"}, "hash": "1", "by": "z"}}, [OTHER, SHA, SHA])
    others = [
        package_hash("other", {"a": {"override": {"text": "x"}, "hash": "1"}}, [SHA, OTHER]),
        package_hash("body", {"a": {"override": {"text": "x"}, "hash": "2"}}, [SHA, OTHER]),
        package_hash("body", {"b": {"override": {"text": "x"}, "hash": "1"}}, [SHA, OTHER]),
        package_hash("body", {}, [SHA, OTHER]),
        package_hash("body", {"a": {"override": {"text": "x"}, "hash": "1"}}, [SHA]),
    ]
    assert len({whole, *others}) == 6


def test_pictures_in_the_text_are_among_the_files_that_go_out() -> None:
    draft = check_draft(replace(DRAFT, blocks=[{"kind": "img", "media": OTHER}], files=(SHA,)))
    assert files_of(draft) == (SHA, OTHER)


def test_a_version_by_hand_has_something_in_it_and_nothing_foreign() -> None:
    assert check_override({"text": " 一行 \r\n二行 ", "title": ""}) == {"text": "一行\n二行"}
    for override in ({}, {"title": ""}, {"state": "approved"}, {"blocks": [{"kind": "script"}]}):
        with pytest.raises(Invalid):
            check_override(override)


def test_a_column_has_at_least_one_approval_and_every_wrong_field_is_named() -> None:
    good = {"_id": "yaowen", "name": "要闻", "description": "市里的大事", "type": "要闻动态", "levels": 2}
    assert check_column(good)["order"] == 0
    for levels in (0, 4, True, "2", None):
        with pytest.raises(Invalid, match="栏目有几处"):
            check_column({**good, "levels": levels})
    with pytest.raises(Invalid) as caught:
        check_column({"_id": "要闻"})
    assert {error.field for error in caught.value.errors} == {"_id", "name", "description", "type", "levels"}


def test_a_difference_shows_changed_added_and_removed_blocks_in_place() -> None:
    before = revise(
        "c",
        1,
        check_draft(replace(DRAFT, blocks=[paragraph("一"), paragraph("今晚供热"), paragraph("三")])),
        by="l",
        at=NOON,
    )
    after = revise(
        "c",
        2,
        check_draft(replace(DRAFT, title="新标题", blocks=[paragraph("一"), paragraph("明早供热"), {"kind": "hr"}])),
        by="l",
        at=NOON,
    )
    seen = compare(before, after, {"source": "来源"})
    assert [change.change for change in seen.blocks] == ["same", "changed", "removed", "added"]
    assert [change.name for change in seen.fields if change.change != "same"] == ["标题"]
    whole = "".join(piece.text for piece in seen.blocks[1].pieces if piece.change != "removed")
    assert whole == "明早供热"


def test_a_block_whose_form_changed_but_not_its_words_says_so() -> None:
    before = revise("c", 1, check_draft(replace(DRAFT, blocks=[paragraph("字")])), by="l", at=NOON)
    after = revise(
        "c", 2, check_draft(replace(DRAFT, blocks=[{**paragraph("字"), "align": "center"}])), by="l", at=NOON
    )
    (change,) = compare(before, after, {}).blocks
    assert (change.change, change.shape) == ("changed", True)
