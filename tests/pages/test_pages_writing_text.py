"""The plain way of writing a body: whatever was in it comes back, whatever one types has a place."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.blocks import check, text_of
from hub.domain.difference import compare_blocks
from hub.pages import plain_text
from hub.pages.changes import grouped
from hub.pages.drafts import replaced

WORDS = st.text(alphabet="清源路供水一二三 ab1.-#>【】，。\n", min_size=1, max_size=12)
RUNS = st.lists(
    st.fixed_dictionaries({"text": WORDS}, optional={"marks": st.sampled_from([["bold"], ["italic"]])}),
    min_size=1,
    max_size=3,
)
BLOCK = st.one_of(
    st.fixed_dictionaries({"kind": st.sampled_from(["p", "h2", "h3", "quote", "note"]), "runs": RUNS}),
    st.fixed_dictionaries({"kind": st.sampled_from(["ul", "ol"]), "items": st.lists(RUNS, min_size=1, max_size=3)}),
    st.just({"kind": "hr"}),
    st.just({"kind": "img", "media": "a" * 64, "alt": "取水样"}),
    st.just({"kind": "table", "rows": [[{"runs": [{"text": "线路"}]}]]}),
)
BODIES = st.lists(BLOCK, max_size=6).map(check)


@given(BODIES)
def test_a_body_that_nobody_touched_comes_back_with_all_its_marks(blocks: list[dict[str, Any]]) -> None:
    assert check(plain_text.read(plain_text.write(blocks), blocks)) == blocks


@given(st.text(max_size=200), BODIES)
def test_whatever_is_typed_becomes_blocks_that_can_be_kept(text: str, before: list[dict[str, Any]]) -> None:
    assert isinstance(check(plain_text.read(text, before)), list)


def test_signs_at_the_start_of_a_line_make_headings_lists_and_quotations() -> None:
    read = plain_text.read("## 标题\n正文一\n正文二\n- 甲\n- 乙\n\n1. 先\n2. 后\n> 引文\n---")
    assert [block["kind"] for block in read] == ["h2", "p", "p", "ul", "ol", "quote", "hr"]
    assert [item[0]["text"] for item in read[3]["items"]] == ["甲", "乙"]


def test_a_table_that_was_moved_is_taken_from_the_text_as_it_was() -> None:
    table = {"kind": "table", "rows": [[{"runs": [{"text": "线路"}]}]]}
    assert plain_text.read("前言\n【第 1 块：表格】", [table])[1] == table
    assert plain_text.read("【第 9 块：表格】", [table])[0]["kind"] == "p"


@given(BODIES, st.data())
def test_a_proposal_changes_exactly_its_stretch(blocks: list[dict[str, Any]], data: st.DataObject) -> None:
    plain = text_of(blocks)
    if not plain.pieces:
        return
    piece = data.draw(st.sampled_from(plain.pieces))
    start = data.draw(st.integers(piece.start, piece.end - 1)) if piece.end > piece.start else piece.start
    end = data.draw(st.integers(start, piece.end))
    if start == end:
        return
    changed = replaced({"blocks": blocks}, "body", start, end, "换")["blocks"]
    assert text_of(changed).text == plain.text[:start] + "换" + plain.text[end:]


def test_what_stayed_is_joined_and_what_went_has_no_number() -> None:
    def p(text: str) -> dict[str, Any]:
        return {"kind": "p", "runs": [{"text": text}]}

    rows = grouped(compare_blocks([p("一"), p("二"), p("三"), p("四")], [p("一"), p("二"), p("四")]))
    assert [(row.change is None, row.number, row.first, row.last) for row in rows] == [
        (True, None, 1, 2),
        (False, None, 0, 0),
        (True, None, 3, 3),
    ]
