"""The summary: only the text's own words, in their order, short, and none where the text is short itself."""

from __future__ import annotations

from itertools import cycle, islice

from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.normal import normalise
from nlp.reading import Reader
from nlp.summary import ELLIPSIS, LONG, SHOWN, summary_of

LETTER = normalise(
    "尊敬的领导，您好！我是青石街道梧桐苑的一名普通住户，在这里住了二十多年，邻居们都很和气。今年春天楼下新开了一家烧烤店，"
    "烟道直接对着我们的窗户，每天从下午五点一直排到凌晨两点。我们找过物业，也打过电话，都说会转交。"
    "请尽快责令烧烤店改造油烟管道。谢谢您百忙之中看完这封信，祝工作顺利！"
)
PIECES = ("烧烤店", "油烟", "请尽快", "，", "。", "！", "…", "、", " ", "我们住了二十年", "a" * 70, "：")
ANY = st.one_of(
    st.text(st.characters(), max_size=400), st.lists(st.sampled_from(PIECES), min_size=20, max_size=300).map("".join)
)


def in_order(summary: str, text: str) -> bool:
    at = 0
    for piece in summary.split(ELLIPSIS):
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True


def test_the_sentence_with_the_matter_and_the_demand_is_the_summary() -> None:
    assert summary_of(LETTER, ("烧烤店", "油烟管道", "梧桐苑")) == "请尽快责令烧烤店改造油烟管道。"


def test_a_short_text_is_its_own_summary() -> None:
    assert summary_of(LETTER[:LONG], ("烧烤店",)) == ""


def test_a_sentence_too_long_for_a_glance_is_cut_at_its_marks() -> None:
    long = "，".join(islice(cycle(["请管一管烧烤店", "楼下的油烟一直排到凌晨两点", "物业说会转交"]), 24))
    summary = summary_of(long, ("烧烤店", "油烟"))
    assert "请管一管烧烤店" in summary
    assert len(summary) <= SHOWN
    assert summary.endswith(ELLIPSIS) and in_order(summary, long)


@given(ANY, st.lists(st.sampled_from(("烧烤店", "油烟", "二十年")), max_size=3, unique=True))
@settings(max_examples=200, deadline=None)
def test_a_summarys_clauses_stand_in_the_text_in_their_order(text: str, terms: list[str]) -> None:
    plain = normalise(text)
    summary = summary_of(plain, terms)
    assert len(summary) <= SHOWN
    assert in_order(summary, plain)
    assert bool(summary) <= (len(plain) > LONG)


def test_reading_a_letter_gives_its_summary() -> None:
    assert Reader().read(LETTER, "letter").summary in LETTER
