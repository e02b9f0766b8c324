"""Poisoned texts through the reader and the detector: to an end, looking at no more of them than of any long letter."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.commands.poisons import POISONS
from nlp.contract import Voice
from nlp.copies import marks_of
from nlp.detectors.clusters import Detector
from nlp.detectors.matters import lines_in, matters_in
from nlp.detectors.titles import LONGEST, title_of
from nlp.normal import LIMIT, LOOKED_AT, letters, normalise
from nlp.reading import KINDS, Reader
from nlp.summary import SHOWN
from tests.ending import must_end

READER = Reader()
AT = datetime(2026, 11, 29, tzinfo=UTC)
SEEDS = (
    "水", "停水，", "//@a:", "@", "[", "回复@甲：", "http://", "www.", "\ud83d", "\u200b", "a\u0301", "12号", "。", " ",
)  # fmt: skip
ANY = st.one_of(
    st.text(st.characters(), max_size=300),
    st.lists(st.sampled_from(SEEDS), max_size=40).map("".join),
    st.tuples(st.sampled_from(SEEDS), st.integers(1, 4_000)).map(lambda found: found[0] * found[1]),
)


class Looked(str):
    """A text that counts the pieces taken from it: what is looked at of it, whoever looks."""

    taken = 0

    def __getitem__(self, key: object) -> str:
        found = str.__getitem__(self, key)  # type: ignore[index]
        type(self).taken += len(found)
        return found

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("the whole of a text was walked through")


@pytest.mark.parametrize("name", POISONS)
def test_a_poisoned_text_is_read_and_watched_to_its_end(name: str) -> None:
    text, detector = POISONS[name], Detector(words=READER.words)
    with must_end():
        found = READER.read(text)
        detector.take([Voice(f"{name}-{number}", f"a{number}", text, AT, "weibo") for number in range(2)])
    assert len(found.summary) <= SHOWN and len(found.terms) <= 8
    assert found.sentiment.label in ("neg", "neu", "pos") and found.kind in KINDS
    found.summary.encode("utf-8")
    "".join(found.terms).encode("utf-8")
    again = Detector(words=READER.words)
    again.load(detector.save())
    same = again.save() == detector.save()
    assert same


@pytest.mark.parametrize("name", POISONS)
def test_of_a_text_of_any_length_only_its_beginning_is_looked_at(name: str) -> None:
    Looked.taken = 0
    plain = normalise(Looked(POISONS[name]))
    assert 0 < Looked.taken <= LOOKED_AT and len(plain) <= LIMIT
    same = plain == normalise(POISONS[name][:LOOKED_AT])
    assert same


@given(ANY, st.sampled_from([None, *KINDS]))
@settings(max_examples=25, deadline=None)
def test_whatever_follows_the_beginning_changes_nothing_that_is_read(text: str, kind: str | None) -> None:
    head = (text * (LOOKED_AT // max(1, len(text)) + 1))[:LOOKED_AT].ljust(LOOKED_AT, "。")
    same = READER.read(head, kind) == READER.read(head + text + "停水", kind)
    assert same


@given(st.lists(ANY, max_size=4))
@settings(max_examples=30, deadline=None)
def test_no_mixture_breaks_the_smaller_readers(texts: list[str]) -> None:
    plain = [normalise(text) for text in texts]
    for one in plain:
        assert set(letters(one)) <= set(one.lower()) and letters(letters(one)) == letters(one)
        key, mark = marks_of(one)
        assert len(key) == 16 and 0 <= mark < 1 << 64
        assert all(name.endswith(("路", "号线")) for name in lines_in(one))
        assert len(matters_in(one)) == len(set(matters_in(one)))
    assert len(title_of(plain, [piece for one in plain for piece in (one[:2],) if piece])) <= LONGEST
