"""The reading commands as people call them: files, pipes, gzip, office spreadsheets, bad rows, wrong models."""

from __future__ import annotations

import argparse
import gzip
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hub.commands import analyse, bench_analyse, bench_detect, bench_replay, evaluate, replay, train
from hub.commands.rows import needs_text, read_rows
from hub.domain.errors import Invalid, Misconfigured
from nlp.training import own_corpus


def call(command: ModuleType, *words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add(parser)
    return int(command.run(parser.parse_args(list(words))))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@contextmanager
def piped(data: bytes) -> Iterator[None]:
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(data))
    try:
        yield
    finally:
        sys.stdin = before


def test_analyse_gives_the_rows_back_in_order_with_what_was_read(tmp_path: Path) -> None:
    rows = [
        {"id": number, "text": text, "extra": [1]} for number, text in enumerate(["停水了没人管", "谢谢", "几点开门"])
    ]
    assert call(analyse, write(tmp_path / "in.jsonl", rows), "--out", str(tmp_path / "out.jsonl")) == 0
    found = lines(tmp_path / "out.jsonl")
    assert [{k: v for k, v in row.items() if k != "analysis"} for row in found] == rows
    assert [row["analysis"]["sentiment"]["label"] for row in found] == ["neg", "pos", "neu"]
    assert found[0]["analysis"]["topic"] == "供水"


def test_two_processes_read_like_one(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", [{"text": row.text} for row in own_corpus()[:450]])
    assert call(analyse, source, "--out", str(tmp_path / "one.jsonl")) == 0
    assert call(analyse, source, "--out", str(tmp_path / "two.jsonl"), "--workers", "2") == 0
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()


def test_bad_rows_are_named_by_line_and_the_rest_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(
        '{"text": "停水"}\n不是\n\n{"id": 3}\n{"text": 5}\n[1]\n{"text": "来水了", "kind": "诗"}\n', "utf-8"
    )
    assert call(analyse, str(source), "--out", str(tmp_path / "out.jsonl")) == 1
    assert len(lines(tmp_path / "out.jsonl")) == 1
    said = capsys.readouterr().err
    assert all(f"第 {number} 行" in said for number in (2, 4, 5, 6, 7))


def test_a_pipe_and_gzip_are_read_and_written(tmp_path: Path) -> None:
    data = gzip.compress(json.dumps({"text": "停水"}).encode())
    with piped(data):
        assert call(analyse, "-", "--out", str(tmp_path / "out.jsonl.gz")) == 0
    with gzip.open(tmp_path / "out.jsonl.gz", "rt", encoding="utf-8") as stream:
        assert json.loads(stream.read())["text"] == "停水"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_spreadsheet_is_read_in_the_encodings_offices_use(tmp_path: Path, encoding: str) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes('id,text\n1,"路灯坏了，没人修"\n2,谢谢\n'.encode(encoding))
    found = read_rows(str(source), needs_text)
    assert [row["text"] for row in found.rows] == ["路灯坏了，没人修", "谢谢"]
    assert found.encoding == ("gb18030" if encoding == "gb18030" else "utf-8")


def test_a_piped_spreadsheet_is_known_by_its_columns_and_a_bad_first_line_is_no_spreadsheet(tmp_path: Path) -> None:
    with piped("id,text\n1,停水\n".encode()):
        assert [row["text"] for row in read_rows("-", needs_text).rows] == ["停水"]
    source = tmp_path / "in.jsonl"
    source.write_text('坏了\n{"text": "停水"}\n', "utf-8")
    found = read_rows(str(source), needs_text)
    assert ([row["text"] for row in found.rows], found.bad[0].line) == (["停水"], 1)


def test_a_missing_file_and_a_wrong_model_are_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="没有这个文件"):
        call(analyse, str(tmp_path / "none.jsonl"))
    source = write(tmp_path / "in.jsonl", [{"text": "停水", "label": "neg"}])
    (tmp_path / "model.npz").write_bytes(b"nothing")
    for command in (analyse, evaluate):
        with pytest.raises(Misconfigured, match="不是情感模型"):
            call(command, source, "--model", str(tmp_path / "model.npz"))
        with pytest.raises(Misconfigured, match="读不了模型文件"):
            call(command, source, "--model", str(tmp_path / "none.npz"))


def test_replay_sorts_by_time_and_writes_alerts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = ["搅拌站夜里开工", "搅拌站的灰落满阳台", "又是搅拌站，整夜轰隆隆", "谁来管管红星搅拌站", "红星搅拌站扰民"]
    rows = [
        {
            "id": n,
            "author": f"a{n}",
            "title": f"红星搅拌站扰民{n}",
            "text": text,
            "created_at": f"2026-03-0{9 - n}T08:00:00",
        }
        for n, text in enumerate(texts)
    ]
    rows.append({"id": 9, "author": "a9", "text": "没有时间", "created_at": "昨天"})
    assert call(replay, write(tmp_path / "in.jsonl", rows), "--out", str(tmp_path / "out.jsonl")) == 1
    found = lines(tmp_path / "out.jsonl")
    assert len(found) == 1
    assert found[0]["at"].endswith("+08:00") and found[0]["level"] == "yellow"
    assert {"issue", "voices", "copies", "terms", "reply_ids", "explanation"} <= set(found[0])
    assert found[0]["reply_ids"] == ["4", "3", "2", "1"]
    assert "created_at 不是时间" in capsys.readouterr().err


def test_train_and_evaluate_report_before_and_after(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"text": row.text, "label": row.label, "kind": row.kind} for row in own_corpus()[:80]]
    source, model = write(tmp_path / "labels.jsonl", rows), str(tmp_path / "model.npz")
    assert call(train, source, "--out", model, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["labels"] == 80
    assert set(told["before"]) == {"against_positive", "against_rest", "labels", "calibration", "unsure"}
    assert told["after"]["against_rest"]["texts"] == 16
    assert call(evaluate, source, "--model", model, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["against_rest"]["macro_f1"] > 0.8
    assert sum(band["texts"] for band in report["calibration"]) == 80


def test_labels_of_no_known_class_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "labels.jsonl", [{"text": "停水", "label": "bad"}])
    with pytest.raises(Misconfigured, match="没有一行可用的标注"):
        call(train, source, "--out", str(tmp_path / "m.npz"))
    assert "label 应为" in capsys.readouterr().err


def test_bench_prints_snownlp_jieba_and_ours_on_the_own_texts_where_no_folder_is_given(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(bench_analyse, "--data", "", "--json") == 0
    said = capsys.readouterr()
    rows = json.loads(said.out)
    assert [row["method"].split()[0] for row in rows] == ["snownlp", "jieba", "本系统"]
    assert rows[2]["macro_f1"] > rows[0]["macro_f1"]
    assert rows[2]["macro_f1"] == rows[1]["macro_f1"]
    assert "自带语料" in said.err


def test_analyse_gives_the_summary_of_a_long_text(tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", [{"text": text} for text in ("路灯不亮。" * 30, "谢谢")])
    assert call(analyse, str(tmp_path / "in.jsonl"), "--out", str(tmp_path / "out.jsonl")) == 0
    long, short = (row["analysis"] for row in lines(tmp_path / "out.jsonl"))
    assert (long["summary"], short["summary"]) == ("路灯不亮。", "")


def test_replay_listens_for_watch_words_and_says_what_is_wrong_with_a_line(tmp_path: Path) -> None:
    rows = [
        {"id": n, "author": f"a{n}", "text": text, "created_at": f"2026-03-0{n}T08:00:00"}
        for n, text in enumerate(["滨河大桥裂了", "大桥裂得更大了", "路灯不亮"], 1)
    ]
    source = write(tmp_path / "in.jsonl", rows)
    assert call(replay, source, "--words", "桥 + 塌|裂", "--words", "路灯", "--out", str(tmp_path / "out.jsonl")) == 0
    assert [row["reply_ids"] for row in lines(tmp_path / "out.jsonl")] == [["1"], ["3"]]
    with pytest.raises(Invalid, match="后面少一个词"):
        call(replay, source, "--words", "桥 +")


def test_the_replay_bench_shows_every_method_beside_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(bench_replay, "--data", "", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["method"] for row in rows] == list(bench_replay.METHODS)
    ours = rows[-1]
    assert ours["voices"]["突发事件"] <= 6 and ours["other"] == 0
    assert rows[0]["texts"] == ours["texts"] > 300
    assert [sum(row["other_halves"]) for row in rows] == [row["other"] for row in rows]


def test_a_file_of_marks_that_is_none_is_named_with_its_line(tmp_path: Path) -> None:
    letter = {"id": "1", "author": "a", "text": "路灯不亮", "created_at": "2026-03-01T08:00:00+08:00"}
    letters, marks = write(tmp_path / "in.jsonl", [letter]), write(tmp_path / "marks.jsonl", [{"matter": "路灯"}])
    with pytest.raises(Misconfigured, match="第 1 行"):
        call(bench_replay, str(letters), "--marked", str(marks))


def test_the_detect_bench_shows_every_method_and_what_a_long_stream_leaves(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(bench_detect, "--data", "", "--texts", "1000", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert [row["method"] for row in shown["speed"]] == list(bench_detect.METHODS)
    assert [row["texts"] for row in shown["held"]] == [200, 400, 600, 800, 1000]
    assert all(row["texts_per_second"] > 0 for row in shown["speed"]) and shown["held"][-1]["clusters"] > 100
