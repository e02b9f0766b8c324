"""The bench of labels on the own texts: halves beside the whole, and calibration that leaves no row out."""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path

import pytest

from hub.commands import bench_labels
from nlp.training import own_corpus


def figures_of(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, list[dict[str, object]]]:
    parser = argparse.ArgumentParser()
    bench_labels.add(parser)
    assert bench_labels.run(parser.parse_args([*words, "--json"])) == 0
    found: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out)
    return found


def test_without_a_folder_the_own_texts_are_learnt_and_measured_apart(capsys: pytest.CaptureFixture[str]) -> None:
    found = figures_of(["--data", ""], capsys)
    first, second, whole = found["results"]
    assert [row["rows"] for row in found["results"]] == ["前一半", "后一半", "全部"]
    assert int(str(first["texts"])) + int(str(second["texts"])) == int(str(whole["texts"])) > 300
    assert 0.5 < float(str(whole["macro_f1"])) < 1.0


def test_labels_of_an_office_are_never_measured_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All rows that may be learnt are labelled the wrong way round: measured on them, more labels would look better."""
    turned = {"neg": "pos", "pos": "neg"}
    rows = [row for row in own_corpus() if row.label in turned and row.kind == "comment"][:400]
    labels = [row.label if number % 5 == 0 else turned[row.label] for number, row in enumerate(rows)]
    (tmp_path / "sentiment").mkdir()
    with gzip.open(tmp_path / "sentiment" / "civic_comments.jsonl.gz", "wt", encoding="utf-8") as stream:
        for row, label in zip(rows, labels, strict=True):
            stream.write(json.dumps({"text": row.text, "label": label}, ensure_ascii=False) + "\n")
    found = figures_of(["--data", str(tmp_path)], capsys)["results"]
    drawn = [row for row in found if "标注" in str(row["rows"])]
    drawings = [(100, 1), (100, 2), (100, 3), (300, 1)]
    assert [row["rows"] for row in drawn] == [f"加 {count} 条标注，第 {draw} 次抽取" for count, draw in drawings]
    assert {row["texts"] for row in drawn} == {80}
    assert float(str(drawn[-1]["macro_f1"])) < float(str(drawn[0]["macro_f1"]))
