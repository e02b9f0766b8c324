"""Blocks: canonical form, hash and plain text; folding of HTML is in test_fold.py."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.blocks import canonical, check, digest_of, length, media_of, text_of
from hub.domain.errors import Invalid
from hub.domain.runs import is_link
from tests.ending import must_end

SHA = "a" * 64


def p(text: str, **more: object) -> dict[str, object]:
    return {"kind": "p", "runs": [{"text": text}], **more}


def follow(blocks: object, path: tuple[str | int, ...]) -> str:
    for step in path:
        blocks = blocks[step]  # type: ignore[index]
    return str(blocks)


def test_an_unknown_kind_is_refused_by_its_number_and_the_known_ones_are_named() -> None:
    with pytest.raises(Invalid) as caught:
        check([p("一"), {"kind": "marquee"}])
    assert "第 2 块" in caught.value.message
    assert "段落" in caught.value.message
    assert caught.value.errors[0].field == "blocks[1]"


def test_an_unknown_field_is_refused_so_that_nothing_hides_in_a_block() -> None:
    with pytest.raises(Invalid, match="不认识的字段 onclick"):
        check([p("一", onclick="x()")])


@pytest.mark.parametrize(
    "block",
    [
        {"kind": "img"},
        {"kind": "img", "media": "../../etc/passwd"},
        {"kind": "img", "media": 5},
        {"kind": "images", "items": [{"media": SHA}]},
        {"kind": "video"},
        {"kind": "video", "media": SHA, "link": "https://video.example/1"},
        {"kind": "file", "media": SHA},
        {"kind": "table", "rows": [[{"runs": [], "colspan": 0}]]},
        {"kind": "table", "rows": [[{"runs": [], "colspan": True}]]},
        {"kind": "p", "runs": "文字"},
        {"kind": "p", "runs": [{"text": "一", "marks": ["blink"]}]},
        {"kind": "p", "runs": [{"text": "一", "link": "javascript:alert(1)"}]},
        {"kind": "p", "runs": [{"text": "一"}], "align": "justify"},
        {"kind": "footnote", "runs": [{"text": "注"}]},
        "文字",
        None,
        [],
    ],
)
def test_what_a_block_must_not_be_is_refused_with_its_number(block: object) -> None:
    with pytest.raises(Invalid, match="第 1 块"):
        check([block])


@pytest.mark.parametrize("value", [None, "正文", {"kind": "p"}, 3])
def test_a_text_that_is_no_list_is_refused(value: object) -> None:
    with pytest.raises(Invalid):
        check(value)


def test_more_blocks_or_signs_than_a_text_may_have_are_refused_with_the_number() -> None:
    with pytest.raises(Invalid, match="2001 块"):
        check([p("一")] * 2001)
    with pytest.raises(Invalid, match="200001 字"):
        check([p("字" * 200_001)])


def test_empty_blocks_are_left_out_and_empty_fields_too() -> None:
    assert check([p(" \u3000"), {"kind": "ul", "items": [[]]}, p("一", align="", role=None)]) == [p("一")]


def test_an_empty_cell_stays_because_it_holds_the_table_together() -> None:
    table = {"kind": "table", "rows": [[{"runs": [], "head": True}, {"runs": [{"text": "户数"}], "colspan": 1}]]}
    assert check([table]) == [{"kind": "table", "rows": [[{"runs": [], "head": True}, {"runs": [{"text": "户数"}]}]]}]


def test_neighbouring_runs_of_one_format_are_one_run_and_marks_stand_in_order() -> None:
    runs = [
        {"text": "停", "marks": ["sup", "bold"]},
        {"text": "水", "marks": ["bold", "sup"]},
        {"text": "", "marks": []},
    ]
    assert check([{"kind": "p", "runs": runs}])[0]["runs"] == [{"text": "停水", "marks": ["bold", "sup"]}]


def test_unseen_and_turning_characters_do_not_reach_a_text() -> None:
    assert check([p("公\u202e告\u200b\x00\ufeff")]) == [p("公告")]


@pytest.mark.parametrize(
    "link",
    ["https://www.yunchuan.example/a?b=1&c=2#d", "http://10.0.0.1:8080/", "https://云川.example/", "https://a.example"],
)
def test_web_addresses_are_links(link: str) -> None:
    assert is_link(link)


@pytest.mark.parametrize(
    "link",
    [
        "//evil.example", "\\\\evil.example", "javascript:alert(1)", "jav\tascript:alert(1)", "https://", "http:///a",
        "https://user:word@evil.example/", "https://a.example/\"onclick=", "https://a.example/<b>",
        "ftp://a.example/",
        "data:text/html,1", "/articles/1", " https://a.example", "https://a.example/ b",
        "https://a.example\n", "", None, 7,
    ],
)  # fmt: skip
def test_anything_else_is_no_link(link: object) -> None:
    assert not is_link(link)


def test_the_hash_does_not_change_with_key_order_or_composed_characters_but_with_a_single_sign() -> None:
    one = {"b": "e\u0301", "a": [1, {"y": None, "x": True}]}
    same = {"a": [1, {"x": True, "y": None}], "b": unicodedata.normalize("NFC", "e\u0301")}
    assert digest_of(one) == digest_of(same)
    assert digest_of(one) != digest_of({**one, "b": "e"})
    assert canonical({"乙": 1, "甲": "云川"}) == '{"乙":1,"甲":"云川"}'.encode()
    assert digest_of([]) == "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"


def test_no_number_that_json_lacks_can_be_hashed() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": float("nan")})


def test_the_plain_text_has_a_line_for_each_paragraph_item_cell_and_caption() -> None:
    blocks = check(
        [
            {"kind": "h2", "runs": [{"text": "供热"}]},
            {"kind": "p", "runs": [{"text": "今"}, {"text": "晚", "marks": ["bold"]}]},
            {"kind": "hr"},
            {"kind": "ul", "items": [[{"text": "甲"}], [{"text": "乙"}]]},
            {"kind": "table", "rows": [[{"runs": [{"text": "格"}]}, {"runs": []}]], "caption": "表一"},
            {"kind": "img", "media": SHA, "alt": "抢修", "source": "云川日报"},
            {"kind": "images", "items": [{"media": SHA, "alt": "左"}, {"media": SHA, "caption": "右"}]},
        ]
    )
    assert text_of(blocks).text == "供热\n今晚\n甲\n乙\n格\n表一\n抢修\n云川日报\n左\n右"
    assert length(blocks) == 17
    assert media_of(blocks) == (SHA,)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
RUNS = st.lists(
    st.builds(lambda text, marks: {"text": text, "marks": marks}, TEXTS, st.sampled_from([[], ["bold"], ["sup"]]))
)
BLOCKS = st.lists(
    st.one_of(
        st.builds(lambda runs: {"kind": "p", "runs": runs}, RUNS),
        st.builds(lambda items: {"kind": "ol", "items": items}, st.lists(RUNS, max_size=3)),
        st.builds(lambda alt: {"kind": "img", "media": SHA, "alt": alt}, TEXTS),
    ),
    max_size=5,
)


@given(BLOCKS)
def test_checking_twice_changes_nothing_more(blocks: list[dict[str, object]]) -> None:
    once = check(blocks)
    assert check(once) == once


@given(BLOCKS)
def test_each_sign_of_the_plain_text_is_found_again_in_the_blocks(blocks: list[dict[str, object]]) -> None:
    blocks = check(blocks)
    plain = text_of(blocks)
    for piece in plain.pieces:
        assert follow(blocks, piece.path) == plain.text[piece.start : piece.end]
        place = plain.place(piece.start)
        assert place is not None
        assert (place.block, place.path, place.offset) == (piece.path[0], piece.path, 0)


@given(BLOCKS)
def test_whoever_stores_the_canonical_form_reads_the_same_hash_again(blocks: list[dict[str, object]]) -> None:
    blocks = check(blocks)
    assert digest_of(check([dict(reversed(block.items())) for block in blocks])) == digest_of(blocks)


def test_an_empty_text_has_no_places() -> None:
    assert text_of([]).place(0) is None


@pytest.mark.parametrize("marks", [[], ["bold"]])
def test_very_many_short_runs_are_joined_to_the_end(marks: list[str]) -> None:
    runs = [{"text": "字", "marks": marks} for _ in range(100_000)]
    with must_end():
        assert len(check([{"kind": "p", "runs": runs}])[0]["runs"]) == 1
