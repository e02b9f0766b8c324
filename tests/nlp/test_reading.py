"""Reading one text: every part of the analysis on plain cases, and no text of any kind that breaks or stalls it."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.contract import Analysis
from nlp.reading import KINDS, Reader, guess_kind
from tests.ending import must_end

READER = Reader()


@given(st.text(st.characters(), max_size=400), st.sampled_from([None, *KINDS, "novel"]))
@settings(max_examples=150, deadline=None)
def test_any_text_gives_an_analysis(text: str, kind: str | None) -> None:
    found = READER.read(text, kind)
    assert found.sentiment.label in ("neg", "neu", "pos")
    assert 0.0 <= found.sentiment.negative <= 1.0
    assert (found.sentiment.label == "neg") == (found.sentiment.negative >= 0.5)
    assert found.kind in KINDS and found.kind_guessed == (kind not in KINDS)
    assert 0 <= found.simhash < 1 << 64


@pytest.mark.parametrize("poison", ["死", "？", "[泪]", "停水", "A1", "\n", "//@a:", "🤮", "不"])
def test_a_poisoned_text_is_read_to_its_end(poison: str) -> None:
    with must_end():
        READER.read(poison * (1_000_000 // len(poison)))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("又停水了，三天没人管，气死人", "neg"),
        ("说好的七天回复，等了两个月还是石沉大海", "neg"),
        ("谢谢民警同志，孩子找到了，太感谢了[赞]", "pos"),
        ("请问个体户注销需要带哪些材料", "neu"),
        ("", "neu"),
    ],
)
def test_plain_cases_of_sentiment(text: str, label: str) -> None:
    assert READER.read(text, "comment").sentiment.label == label


def test_reasons_name_pieces_of_the_text() -> None:
    text = "物业推诿，电梯坏了没人管"
    why = READER.read(text, "comment").sentiment.why
    assert why and all(reason.piece in text for reason in why)
    assert max(why, key=lambda reason: reason.weight).weight > 0


def test_place_district_topic_and_terms_of_a_letter() -> None:
    found = READER.read("反映临江区滨河花园连续三天停水，自来水公司电话打不通", "letter")
    assert found.places == ("临江区", "滨河花园")
    assert found.district == "临江区"
    assert found.topic == "供水"
    assert any("停水" in term for term in found.terms)


def test_a_district_that_is_known_already_is_kept() -> None:
    assert READER.read("临江区停水了", district="北岭区").district == "北岭区"
    assert READER.read("楼道灯坏了", district="北岭区").district == "北岭区"


def test_copies_share_their_key_however_they_are_punctuated() -> None:
    one, other = READER.read("停水了，没人管！"), READER.read("停水了。没人管……")
    assert one.copy_key == other.copy_key


def test_the_kind_is_guessed_from_length_and_address() -> None:
    assert guess_kind("路灯坏了") == "comment"
    assert guess_kind("#云川停水#第三天了") == "post"
    assert guess_kind("尊敬的领导：" + "我们小区的电梯坏了三个月，多次向物业反映无果。" * 4) == "letter"


def test_an_office_brings_its_own_words_and_places() -> None:
    reader = Reader(office_words="白鹭湾 0 ns:东城区\n东城区 0 ns:东城区")
    found = reader.read("白鹭湾的路灯不亮")
    assert (found.places, found.district) == (("白鹭湾",), "东城区")
    assert reader.read("临江区停水").places == ()


def test_threads_that_share_a_reader_read_the_same() -> None:
    texts = ["电梯又坏了", "谢谢你们", "请问几点上班", "臭水沟没人管"] * 50
    expected = [READER.read(text) for text in texts]
    found: dict[int, list[Analysis]] = {}

    def read(number: int) -> None:
        found[number] = [READER.read(text) for text in texts]

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found[number] == expected for number in range(4))


ALIASES = """
云川市第一中学 0 ns:临江区
一中 0 ns=云川市第一中学
实验学校 0 ns:北岭区=云川市实验学校
"""


def test_another_name_of_a_place_is_the_place() -> None:
    reader = Reader(ALIASES)
    for text in ("一中食堂饭菜有虫子", "云川市第一中学食堂饭菜有虫子"):
        read = reader.read(text)
        assert (read.places, read.district, read.terms[0]) == (("云川市第一中学",), "临江区", "云川市第一中学")
    assert reader.read("实验学校门口堵").places == reader.read("云川市实验学校门口堵").places == ("云川市实验学校",)
    assert reader.read("云川市实验学校门口堵").district == "北岭区"
