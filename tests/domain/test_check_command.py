"""`check FILE…`: lines and JSON over text files, and what cannot be read is said."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from hub.commands import check


def run(*args: str) -> int:
    parser = argparse.ArgumentParser()
    check.add(parser)
    return check.run(parser.parse_args(args))


def test_json_has_the_agreed_shape_and_offsets_fit_the_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "我们再接再励。\n11月31日开会。"
    (tmp_path / "a.txt").write_text(text, "utf-8")
    assert run("--json", str(tmp_path / "a.txt")) == 1
    (result,) = json.loads(capsys.readouterr().out)
    assert set(result) == {"file", "findings"}
    for finding in result["findings"]:
        assert set(finding) == {"rule", "severity", "start", "end", "text", "message", "suggestion"}
        assert text[finding["start"] : finding["end"]] == finding["text"]
    assert [finding["rule"] for finding in result["findings"]] == ["wrong_words", "date_weekday"]


def test_lines_name_file_row_and_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.md"
    file.write_text("# 通知\n请用帐号登录。", "utf-8")
    assert run(str(file)) == 0
    assert f"{file}:2:3: 须说明 [错别字] 帐号 → 账号" in capsys.readouterr().out


def test_html_is_checked_by_its_words_and_not_by_its_tags(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.html").write_text("<p>请用帐<b>号</b></p><script>帐号</script>", "utf-8")
    run("--json", str(tmp_path / "a.html"))
    (result,) = json.loads(capsys.readouterr().out)
    assert [finding["text"] for finding in result["findings"]] == ["帐号"]


def test_an_old_chinese_encoding_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_bytes("请用帐号".encode("gb18030"))
    run(str(tmp_path / "a.txt"))
    assert "账号" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content"), [("名单.docx", b"PK"), ("扫描.pdf", b"%PDF"), ("坏.txt", b"\xff\xfe\xff\x81")]
)
def test_what_cannot_be_read_is_a_finding_that_names_the_file_and_never_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    assert run("--json", str(tmp_path / name)) == 0
    ((finding,),) = [result["findings"] for result in json.loads(capsys.readouterr().out)]
    assert finding["severity"] == "acknowledge"
    assert "附件未能检查" in finding["message"]
    assert name in finding["message"]


def test_a_file_that_is_not_there_is_one_sentence_and_status_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("none.txt", "none.pdf"):
        assert run(str(tmp_path / name)) == 2
        said = capsys.readouterr().err
        assert "打不开" in said and "没有这个文件" in said


def test_a_right_text_says_that_there_is_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("11月26日（星期四）恢复供热。", "utf-8")
    assert run(str(tmp_path / "a.txt")) == 0
    assert "没有提示" in capsys.readouterr().out
