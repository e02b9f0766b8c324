"""What a content becomes as a 微信 article: its limits, its pictures, and every word of it, none as markup."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.contract import Refused
from channels.wechat import rendering, wire
from channels.wechat.profile import profile_of
from channels.wechat.rendering import PICTURE, render, source_of, with_addresses
from hub.domain import blocks
from tests.contracts.channel_rooms import SHA, pictures, variant, wechat

# Preparing


def test_what_is_exactly_as_long_as_the_platform_takes_is_taken_by_it_and_no_more() -> None:
    room = wechat()
    around = len(render([{"kind": "p", "runs": [{"text": "x"}]}])) - 1
    for extra, blocked in ((0, False), (1, True)):
        runs = [{"text": "长" * (20_000 - 1 - around + extra)}]
        prepared = room.channel.prepare(replace(variant(), blocks=[{"kind": "p", "runs": runs}]))
        assert [each.rule for each in prepared.problems] == (["wechat_content"] if blocked else [])


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"title": "长" * 33}, "wechat_title"), ({"title": " "}, "wechat_title"), ({"digest": "长" * 129},
        "wechat_digest"), ({"meta": {"author": "长" * 17}}, "wechat_author"), ({"blocks": []}, "wechat_content"),
        ({"link": "https://www.yunchuan.example/" + "a" * 990}, "wechat_source"),
    ],
)  # fmt: skip
async def test_what_the_platform_would_refuse_is_said_before(changes: dict[str, Any], rule: str) -> None:
    room = wechat()
    prepared = room.channel.prepare(replace(variant(), **changes))
    assert [each.rule for each in prepared.problems if each.severity == "block"] == [rule]
    staged = await room.channel.stage(prepared, "key-1", pictures)
    assert isinstance(staged, Refused)


@pytest.mark.parametrize("length", [1009, 1010])
async def test_the_address_is_measured_with_the_mark_it_will_carry(length: int) -> None:
    room = wechat()
    link = ("https://www.yunchuan.example/" + "a" * 1024)[:length]
    prepared = room.channel.prepare(replace(variant(), link=link))
    staged = await room.channel.stage(prepared, "key-1", pictures)
    blocked = any(each.severity == "block" for each in prepared.problems)
    assert blocked is isinstance(staged, Refused)


def test_the_mark_is_the_same_for_a_key_and_another_for_another() -> None:
    link = "https://www.yunchuan.example/a#part"
    assert source_of(link, "k1") == source_of(link, "k1") != source_of(link, "k2")
    assert source_of(link, "k1").startswith("https://www.yunchuan.example/a#gh")
    assert source_of("", "k1") == ""


def test_wrong_figures_are_refused_with_a_sentence() -> None:
    for figures in ({"title": -1}, {"digest": "140"}):
        with pytest.raises(ValueError, match="公众号账号"):
            profile_of(figures)


# Rendering


RUN = {"text": "供暖&<b>恢复</b>", "marks": ["bold"]}
SAMPLES: dict[str, dict[str, Any]] = {
    "h2": {"runs": [RUN]}, "h3": {"runs": [RUN]}, "quote": {"runs": [RUN]}, "note": {"runs": [RUN]},
    "p": {"runs": [RUN], "role": "lead"}, "ul": {"items": [[RUN], [RUN]]}, "ol": {"items": [[RUN]]},
    "img": {"media": SHA, "alt": 'a" onerror="x', "caption": "说明", "source": "来源"},
    "images": {"items": [{"media": SHA}, {"media": "1" * 64, "caption": "<i>"}]},
    "table": {"rows": [[{"runs": [RUN], "head": True, "colspan": 2}], [{"runs": [RUN]}, {"runs": []}]],
              "caption": "表"},
    "video": {"media": SHA, "caption": "<视频>"}, "file": {"media": SHA, "name": "<通知>.pdf"},
    "footnote": {"mark": "1", "runs": [RUN]}, "hr": {},
}  # fmt: skip


def test_every_kind_of_block_has_a_rendering() -> None:
    assert rendering.KINDS == set(blocks.KINDS) == set(SAMPLES)
    for kind, fields in SAMPLES.items():
        assert render(blocks.check([{"kind": kind, **fields}])), kind


words = st.text(st.sampled_from("汉字ab <>&\"'/\n😀1;"), max_size=12)
run = st.fixed_dictionaries(
    {"text": words},
    optional={
        "marks": st.lists(st.sampled_from(["bold", "italic", "underline", "sup", "sub"]), unique=True),
        "link": st.sampled_from(["https://a.example/?x=1&y=<2>".replace("<", "").replace(">", ""), "http://b.example/"]),
    },
)
runs = st.lists(run, max_size=4)
said = st.builds(
    lambda kind, given: {"kind": kind, ("items" if kind in ("ul", "ol") else "runs"): given},
    st.just("p") | st.sampled_from(["h2", "h3", "quote", "note"]),
    runs,
) | st.builds(
    lambda kind, items: {"kind": kind, "items": items}, st.sampled_from(["ul", "ol"]), st.lists(runs, max_size=3)
)
tables = st.builds(
    lambda rows: {"kind": "table", "rows": rows},
    st.lists(st.lists(st.builds(lambda given: {"runs": given}, runs), min_size=1, max_size=3), max_size=3),
)


def plain_of(html: str) -> str:
    return "".join(unescape(re.sub(r"<sup>［\d+］</sup>|<[^>]*>", "", html)).split())


def said_in(given: Any) -> str:
    """Every text of every run, in order."""
    if isinstance(given, dict):
        return str(given["text"]) if "text" in given else "".join(said_in(value) for value in given.values())
    return "".join(map(said_in, given)) if isinstance(given, list) else ""


@given(st.lists(said | tables, max_size=5))
def test_the_words_of_the_blocks_are_the_words_of_the_article_in_order(given: list[dict[str, Any]]) -> None:
    expected = "".join(said_in([{k: v for k, v in block.items() if k != "kind"} for block in given]).split())
    assert plain_of(render(given)).startswith(expected)


TAGS = re.compile(r"</?(p|h2|h3|section|blockquote|ul|ol|li|strong|em|u|sup|sub|br|img|table|tr|th|td|hr)(?=[\s>])")


@given(st.lists(said | tables, max_size=5), words, words)
def test_nothing_of_peoples_text_becomes_markup(given: list[dict[str, Any]], caption: str, name: str) -> None:
    more = [
        {"kind": "img", "media": SHA, "alt": caption, "caption": name, "source": caption},
        {"kind": "video", "link": "https://v.example/1", "caption": caption},
        {"kind": "file", "media": SHA, "name": name},
        {"kind": "footnote", "mark": name, "runs": [{"text": caption}]},
        {"kind": "table", "rows": [], "caption": caption},
    ]
    html = render([*given, *more])
    assert html.count("<") == html.count(">")
    assert all(TAGS.match(html, place) for place in (found.start() for found in re.finditer("<", html)))
    assert set(re.findall(r' (\w+)="', html)) <= {"style", "src", "alt", "colspan", "rowspan"}
    assert len(re.findall(r"<img ", html)) == 1


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8, unique=True))
def test_every_pictures_address_is_replaced(numbers: list[int]) -> None:
    names = [hashlib.sha256(str(number).encode()).hexdigest() for number in numbers]
    html = render([{"kind": "img", "media": name} for name in names])
    assert all(PICTURE + name in html for name in names)
    replaced = with_addresses(html, {name: f"https://mmbiz.qpic.cn/{n}?a=1&b=2" for n, name in enumerate(names)})
    assert PICTURE not in replaced
    assert re.findall(r'src="([^"]*)"', replaced) == [
        f"https://mmbiz.qpic.cn/{n}?a=1&amp;b=2" for n in range(len(names))
    ]


def test_a_link_leads_nowhere_and_is_listed_once_under_the_text() -> None:
    linked = {"text": "这里", "link": "https://a.example/?x=1&y=2"}
    html = render([{"kind": "p", "runs": [linked, {"text": "和"}, linked]}])
    assert "<a" not in html
    assert html.count("https://a.example/?x=1&amp;y=2") == 1
    assert html.count("［1］") == 3


def test_what_an_article_looks_like_survives_the_platforms_rewriting() -> None:
    html = render([{"kind": "p", "runs": [{"text": "今天 5 < 6 & “供暖”\n恢复"}]}, {"kind": "img", "media": SHA}])
    rewritten = re.sub(r' style="[^"]*"', "", html).replace("govhub-picture:", "https://mmbiz.qpic.cn/")
    assert wire.mark_of({"title": "供暖 恢复", "content": html}) == wire.mark_of(
        {"title": "供暖恢复", "content": rewritten}
    )
    assert wire.mark_of({"title": "供暖", "content": html}) != wire.mark_of({"title": "供水", "content": html})
