"""The door as a terminal uses it: pipes that close, full disks, Ctrl-C, mistyped words, languages of terminals."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.__main__ import COMMANDS, main
from hub.commands.arguments import Parser
from nlp.training import own_corpus

ROOT = Path(__file__).resolve().parents[2]
ROWS = "".join(json.dumps({"text": row.text, "label": row.label}, ensure_ascii=False) + "\n" for row in own_corpus())
FOREIGN = re.compile(r"Traceback|Exception|Error|errno", re.IGNORECASE)


def _heeds_ctrl_c() -> None:
    """What is begun in the background ignores it, and so would what that begins."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def started(*words: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command in a session of its own, as a terminal starts it."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-m", "hub", *words], stdin=pipe, stdout=pipe, stderr=pipe,
        cwd=ROOT, start_new_session=True, env={**os.environ, **environment}, preexec_fn=_heeds_ctrl_c,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def is_gone(group: int) -> bool:
    """Whether no process of the group is left, some seconds later at most."""
    for _ in range(200):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def source(tmp_path: Path, rows: str = ROWS) -> str:
    (tmp_path / "in.jsonl").write_text(rows, "utf-8")
    return str(tmp_path / "in.jsonl")


def test_a_reader_that_goes_away_ends_the_command_in_silence(tmp_path: Path) -> None:
    with started("analyse", source(tmp_path, ROWS * 2)) as process:
        assert process.stdout is not None and process.stderr is not None
        assert json.loads(process.stdout.readline())["analysis"]
        process.stdout.close()
        said = process.stderr.read().decode()
        assert process.wait(60) == 1
    assert not FOREIGN.search(said)


@pytest.mark.parametrize("words", [["analyse"], ["evaluate"], ["evaluate", "--json"], ["replay"]])
def test_a_full_disk_behind_the_standard_output_is_said(tmp_path: Path, words: list[str]) -> None:
    rows = [{"id": n, "author": f"a{n}", "text": f"滨河花园停水{n}天了", "label": "neg", "created_at": f"2026-03-0{n}"}
            for n in range(1, 9)]  # fmt: skip
    name = source(tmp_path, "".join(json.dumps(row) + "\n" for row in rows))
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "hub", *words, name], stdout=full, stderr=subprocess.PIPE, cwd=ROOT, check=False
        )
    said = done.stderr.decode()
    assert done.returncode == 2 and "磁盘满了" in said
    assert not FOREIGN.search(said)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_ends_every_process_says_so_and_leaves_the_old_file_whole(tmp_path: Path, workers: str) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("old")
    with started("analyse", "-", "--out", str(target), "--workers", workers) as process:
        assert process.stdin is not None and process.stderr is not None
        process.stdin.write(ROWS[:200_000].rpartition("\n")[0].encode() + b"\n")
        process.stdin.flush()  # and left open: there may be more
        begun = process.stderr.read(1)
        os.killpg(process.pid, signal.SIGINT)
        said = (begun + process.stderr.read()).decode()
        assert process.wait(60) == 1
        assert is_gone(process.pid)
    assert said.rstrip().endswith("已停下。")
    assert not FOREIGN.search(said)
    assert (target.read_text(), sorted(os.listdir(tmp_path))) == ("old", ["out.jsonl"])


def test_results_are_utf_8_whatever_the_terminal_speaks(tmp_path: Path) -> None:
    row = json.dumps({"text": "停水了😀\ud83d"})
    for language in ({"PYTHONIOENCODING": "gbk"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        with started("analyse", source(tmp_path, row + "\n"), **language) as process:
            out, said = process.communicate(timeout=60)
            assert process.returncode == 0, said.decode()
        assert json.loads(out.decode("utf-8"))["text"] == "停水了😀\ud83d"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["analyse"], "还缺少 FILE"),
        (["analyse", "x", "--kind", "诗"], "--kind 不能是"),
        (["analyse", "x", "--workers", "0"], "--workers 应为 1 到 64 的整数"),
        (["analyse", "x", "--workers", "1000000000000000000000"], "--workers 应为 1 到 64 的整数"),
        (["analyse", "x", "--out"], "--out 后面还缺一个值"),
        (["analyse", "x", "y"], "不认识 y"),
        (["evaluate", "x", "--folds", "1"], "--folds 应为 2 到 100 的整数"),
        (["evaluate", "x", "--folds", "5"], "--folds 只用于主题"),
        (["evaluate", "x", "--topics", "--kind", "post"], "--kind 只用于情感"),
        (["evaluate", "x", "--topics", "--folds", "3", "--model", "m"], "两样只能要一样"),
        (["train", "x"], "还缺少 --out"),
        (["train", "x", "--out", "m", "--topics", "--alone"], "不能一起用"),
        (["replay", "x", "--json=5"], "--json 后面不带值"),
        (["analyze"], "没有 analyze 这个命令，是不是 analyse"),
        (["诗"], "没有 诗 这个命令"),
    ],
)
def test_what_was_mistyped_is_said_in_chinese(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    try:
        status = main(words)
    except SystemExit as ended:
        status = int(ended.code or 0)
    assert status == 2
    last = capsys.readouterr().err.rstrip().splitlines()[-1]
    assert said in last and last.endswith("。")
    assert not re.search(r"usage|error|invalid|argument", last)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_the_help_of_every_command_is_chinese(command: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command.words.split(), "--help"])  # type: ignore[attr-defined]
    page = capsys.readouterr().out
    assert ended.value.code == 0
    assert page.startswith("用法：") and "显示这段说明" in page
    assert not re.search(r"usage:|options:|positional arguments:|show this help", page)


def test_the_words_of_sub_commands_are_chinese_too(capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser(prog="x")
    parser.add_subparsers(required=True, dest="act", metavar="一|二").add_parser("一")
    for words in ([], ["三"], ["一", "--nothing"]):
        with pytest.raises(SystemExit):
            parser.parse_args(words)
        assert not re.search(r"error|invalid|required|arguments", capsys.readouterr().err)
