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
from hub.commands.topics import fold_by_fold
from hub.domain.errors import Invalid, Misconfigured
from nlp.topic_training import Filed
from nlp.topic_tree import civic_tree
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


LETTER = {"id": "1", "author": "甲", "title": "停水", "text": "滨河花园停水了", "created_at": "2026-03-01 08:00:00"}


def replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str], *rows: dict[str, Any]) -> tuple[int, str]:
    status = call(replay, write(tmp_path / "in.jsonl", list(rows)), "--out", str(tmp_path / "out.jsonl"))
    return status, capsys.readouterr().err


SPREADSHEET_TIMES = ("2026/3/1 8:05", "2026年3月1日 8时5分", "2026-03-01T00:05:00Z", "2026.3.1", "20260301")


@pytest.mark.parametrize("said", SPREADSHEET_TIMES)
def test_replay_takes_the_times_that_spreadsheets_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], said: str
) -> None:
    status, told = replayed(tmp_path, capsys, {**LETTER, "created_at": said})
    assert (status, "1 条留言" in told) == (0, True), told


@pytest.mark.parametrize("said", ["2026-13-01", "0001-01-01", "9999-12-31T23:59:59-08:00", "昨天", 1767225600, "8:00"])
def test_replay_leaves_out_what_is_no_time_of_ours_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], said: object
) -> None:
    status, told = replayed(tmp_path, capsys, LETTER, {**LETTER, "id": "2", "created_at": said})
    assert (status, "1 条留言" in told, "第 2 行没有用上：created_at 不是时间" in told) == (1, True, True), told


@pytest.mark.parametrize("field", ["id", "author", "title", "channel", "district", "kind", "text", "created_at"])
@pytest.mark.parametrize("value", [["x"], {"a": 1}, 1.5])
def test_replay_names_a_field_of_the_wrong_sort(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], field: str, value: object
) -> None:
    status, told = replayed(tmp_path, capsys, LETTER, {**LETTER, "id": "2", field: value})
    assert (status, f"第 2 行没有用上：{field}" in told, "1 条留言" in told) == (1, True, True), told


def test_replay_counts_a_letter_that_comes_again_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = replayed(tmp_path, capsys, LETTER, {**LETTER, "text": "又停水了"}, {**LETTER, "id": 0, "author": 0})
    assert (status, "2 条留言" in told) == (1, True)
    assert "第 2 行没有用上：id “1”前面已经有了" in told


def test_analyse_knows_the_words_of_the_offices_own_dictionary_and_names_its_bad_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "in.jsonl", [{"text": "青羊桥头的路灯不亮"}])
    (tmp_path / "words.csv").write_text("词,类别,区县\n青羊桥头,地名,东山区\n桥,地名\n", "utf-8")
    out = str(tmp_path / "out.jsonl")
    assert call(analyse, source, "--out", out) == 0
    assert lines(tmp_path / "out.jsonl")[0]["analysis"]["district"] is None
    assert call(analyse, source, "--dictionary", str(tmp_path / "words.csv"), "--out", out, "--workers", "2") == 1
    found = lines(tmp_path / "out.jsonl")[0]["analysis"]
    assert (found["district"], "青羊桥头" in found["places"]) == ("东山区", True)
    assert capsys.readouterr().err.count("词典第 3 行没有用上") == 1
    (tmp_path / "words.csv").write_text("词,类别\n桥,地名\n", "utf-8")
    with pytest.raises(Misconfigured, match="没有一个可用的词"):
        call(analyse, source, "--dictionary", str(tmp_path / "words.csv"))


def test_a_tree_with_bad_rows_is_used_without_them_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "in.jsonl", [{"text": "路灯不亮", "topic": "照明"}])
    (tmp_path / "tree.csv").write_text("一级分类,二级分类\n照明,路灯\n供水,停水\n,漏\n", "utf-8")
    for command in (analyse, evaluate):
        assert call(command, source, "--topics", str(tmp_path / "tree.csv")) == 1
        assert "分类表第 4 行没有用上" in capsys.readouterr().err
    with pytest.raises(Misconfigured, match="不是表格"):
        call(evaluate, source, "--topics", source)


def test_training_learns_a_text_once_and_says_which_labels_disagree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"text": f"{n}号楼停水了", "label": "neg"} for n in range(15)]
    rows += [{"text": f"谢谢{n}号楼", "label": "pos"} for n in range(15)]
    rows += [{"text": "谢谢1号楼！", "label": "neg"}] * 2
    source, model = write(tmp_path / "in.jsonl", rows), str(tmp_path / "m.npz")
    assert call(train, source, "--alone", "--out", model, "--json") == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert (told["labels"], told["after"]["against_rest"]["texts"]) == (30, 6)
    assert "有 2 条与前面的文字相同，只算第一条；其中 2 条标注与前面不同" in said.err
    assert "训练" in said.err  # its progress


def test_labels_of_one_side_alone_train_no_model(tmp_path: Path) -> None:
    source, model = write(tmp_path / "in.jsonl", [{"text": "停水了", "label": "neg"}] * 3), tmp_path / "m.npz"
    model.write_text("old")
    with pytest.raises(Misconfigured, match="至少各要有一条"):
        call(train, source, "--alone", "--out", str(model))
    assert model.read_text() == "old"


def test_a_label_without_words_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"text": " ", "label": "neg"}, {"text": "停水", "label": None}, {"text": "停水", "label": "neg"}]
    assert call(evaluate, write(tmp_path / "in.jsonl", rows)) == 1
    said = capsys.readouterr().err
    assert "第 1 行没有用上：text 是空的" in said and "第 2 行没有用上：缺少 label" in said


def test_no_text_is_measured_by_a_model_that_has_learnt_its_words() -> None:
    tree = civic_tree()
    first, second = tree.branches[:2]
    letters = [Filed(f"第{n}号泊位的系缆桩", first if n % 2 else second) for n in range(12)]
    once, twice = fold_by_fold(tree, letters, 4), fold_by_fold(tree, [*letters, *letters], 4)
    assert twice == [*once, *once]
