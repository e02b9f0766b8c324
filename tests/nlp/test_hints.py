"""可能紧急, as it ships: short texts by clauses, longer ones by words, alone as in a hundred; what is counted."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.commands import bench_hints
from hub.desk.reading_pool import InUse, make_reader
from nlp.danger import danger_in
from nlp.hints import BY_MODEL_TO, BY_WORDS_FROM, shipped_hints
from nlp.normal import normalise
from nlp.reading import Reader
from nlp.urgency_training import own_marks

SHORT = "楼道里煤气味特别重，打燃气公司电话没人接，整栋楼都不敢睡"
PLAIN = "我想问一下办理老年卡要带什么材料，周末窗口开不开门。上次来的时候排队的人多，保安很客气，还给大家倒水。"
LONG = f"{PLAIN}{PLAIN}我家屋后的护坡昨晚开始垮塌，一家老小不敢住在里面。{PLAIN}"


def test_a_short_text_is_read_by_clauses_and_a_long_one_by_words() -> None:
    short, long = shipped_hints().read_many([SHORT, LONG])
    assert len(SHORT) <= BY_WORDS_FROM and short is not None and short.kind == "life"
    assert len(LONG) > BY_MODEL_TO and long is not None and long == danger_in(LONG)


def test_a_long_text_is_not_read_by_clauses() -> None:
    marked = [normalise(row.text) for row in own_marks() if row.kinds and len(row.text) <= BY_WORDS_FROM][:40]
    padded = [f"{PLAIN}{PLAIN}{PLAIN}{text}" for text in marked]
    said = [hint is not None for hint in shipped_hints().read_many(padded)]
    assert said == [danger_in(text) is not None for text in padded]


@given(st.lists(st.one_of(st.sampled_from([SHORT, LONG, PLAIN, ""]), st.text(max_size=150)), max_size=8))
def test_each_text_is_read_as_by_itself(texts: list[str]) -> None:
    plains = [normalise(text) for text in texts]
    together = shipped_hints().read_many(plains)
    assert together == [shipped_hints().read_many([plain])[0] for plain in plains]
    assert all(hint is None or hint.clause in plain for hint, plain in zip(together, plains, strict=True))


def test_on_the_first_day_a_reading_process_reads_hints_and_a_bare_reader_none() -> None:
    found = make_reader(InUse()).read(f"护坡垮塌\n{LONG}", "letter")
    assert found.urgency is not None and "护坡" in found.urgency.words
    assert Reader().read(LONG, "letter").urgency is None


# ---- bench hints


ROWS = [
    {"title": "求助", "text": LONG, "marks": ["life"], "doubtful": True},
    {"text": SHORT, "urgent": ["life"]},
    {"text": SHORT},
    {"text": "路灯不亮，请修一修", "marks": ["vulnerable"]},
    {"text": "谢谢", "marks": [], "doubtful": True},
]


def test_the_bench_counts_what_was_found_and_what_was_right_with_and_without_the_doubtful() -> None:
    found = bench_hints.count(ROWS)
    assert found.kinds["life"] == [2, 2] and found.kinds["vulnerable"] == [1, 0]
    assert (found.shown, found.right, found.shown_sure, found.right_and_sure) == (3, 2, 2, 1)
    assert found.unmarked == [1, 1] and found.doubtful_unmarked == [1, 0]


def test_the_bench_reads_a_list_or_lines_and_prints_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed, lines = tmp_path / "rows.json", tmp_path / "rows.jsonl"
    listed.write_text(json.dumps(ROWS, ensure_ascii=False), encoding="utf-8")
    lines.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS), encoding="utf-8")
    assert bench_hints.run(argparse.Namespace(files=[str(listed), str(lines)], json=False)) == 0
    out = capsys.readouterr().out
    assert out.count("危及人身：2 条，认出 2 条") == 2 and "护坡" not in out and "煤气" not in out
