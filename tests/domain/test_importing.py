"""Imports: a past comes in whole, once, in order, and wakes nobody; bad rows are named by their line."""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path

import pytest

from hub.commands import import_
from hub.desk.importing import import_replies
from hub.domain.errors import Invalid, Misconfigured, NotFound
from hub.domain.people import program
from hub.domain.rows import in_order, read_map, read_row
from tests.domain.listening_office import make_office

CONSOLE = program("console")
LETTER = {"id": 7, "author": "王先生", "title": "路灯", "text": "路灯不亮", "created_at": "2019-03-01 08:30:00"}


def write(path: Path, rows: list[object], *, packed: bool = False) -> str:
    content = "\n".join(row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows).encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    return str(path)


def arguments(file: str, **changes: object) -> argparse.Namespace:
    base = {
        "kind": "replies",
        "file": file,
        "account": "site-main",
        "map": "letters",
        "skip_bad": False,
        "dry_run": False,
    }
    return argparse.Namespace(**{**base, "json": True, **changes})


def test_a_time_without_an_offset_is_the_offices_own() -> None:
    row = read_row(LETTER, read_map("letters"))
    assert row.at.isoformat() == "2019-03-01T00:30:00+00:00"


def test_a_map_of_unknown_names_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Invalid, match="external_id"):
        read_map("id=nummer")


def test_every_missing_field_of_a_row_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        read_row({"title": "只有标题"}, read_map("letters"))
    assert {error.field for error in caught.value.errors} == {"external_id", "text", "at"}


def test_rows_are_taken_in_as_they_happened() -> None:
    names = read_map("letters")
    rows = [read_row({**LETTER, "id": n, "created_at": f"2019-0{n}-01 00:00:00"}, names) for n in (3, 1, 2)]
    assert [row.external_id for row in in_order(rows)] == ["1", "2", "3"]


async def test_one_bad_row_stops_all_unless_it_is_to_be_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = await make_office()
    file = write(tmp_path / "a.jsonl", [LETTER, "{not json", {"id": 8, "text": "缺时间"}])
    assert await import_.run(arguments(file), office.desk) == 1
    assert await office.desk.store.count("replies", {}) == 0
    said = capsys.readouterr().err
    assert "第 2 行" in said
    assert "第 3 行" in said
    assert await import_.run(arguments(file, skip_bad=True), office.desk) == 1
    assert await office.desk.store.count("replies", {}) == 1


async def test_a_packed_file_comes_in_once_however_often_it_is_imported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = await make_office()
    file = write(tmp_path / "a.jsonl.gz", [{**LETTER, "id": n} for n in range(450)], packed=True)
    assert await import_.run(arguments(file), office.desk) == 0
    assert json.loads(capsys.readouterr().out)["new"] == 450
    assert await import_.run(arguments(file), office.desk) == 0
    assert json.loads(capsys.readouterr().out) == {
        "new": 0,
        "known": 450,
        "aside": 0,
        "bad": 0,
        "encoding": "utf-8",
    }
    stored = (await office.desk.store.find("replies", {}, limit=1))[0]
    assert stored["stream"] == "import:site-main:2019-03-01"


async def test_a_table_in_gb18030_is_read_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    office = await make_office()
    path = tmp_path / "a.csv"
    path.write_bytes("编号,内容,时间\n1,暖气不热,2019-01-02 10:00\n".encode("gb18030"))
    done = await import_.run(arguments(str(path), map="编号=external_id,内容=text,时间=at"), office.desk)
    assert done == 0
    assert json.loads(capsys.readouterr().out)["encoding"] == "gb18030"


async def test_an_open_quote_costs_one_row_and_a_broken_line_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = await make_office()
    path = tmp_path / "a.csv"
    rows = ["external_id,text,at", '1,"停水,2019/1/2 10:00', "2,没电,2019年1月3日", "3,路灯,不亮,2019-01-04"]
    path.write_text("\n".join(rows), "utf-8")
    assert await import_.run(arguments(str(path), map="", skip_bad=True), office.desk) == 1
    said = capsys.readouterr()
    assert (json.loads(said.out)["new"], json.loads(said.out)["bad"]) == (1, 2)
    assert "第 2 行：引号不成对" in said.err and "第 4 行：比表头多出 1 格" in said.err
    file = write(tmp_path / "a.jsonl", [LETTER, "{not json"])
    assert await import_.run(arguments(file, dry_run=True), office.desk) == 1
    assert "第 2 行：不是完整的 JSON" in capsys.readouterr().err


async def test_a_file_that_cannot_be_opened_is_said_with_what_to_do(tmp_path: Path) -> None:
    office = await make_office()
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"x" * 1_000)[:-9])
    for name, said in (("none.csv", "没有这个文件"), ("", "这是文件夹"), ("cut.gz", "压缩包不完整或已损坏")):
        for kind in ("replies", "dictionary", "topics"):
            with pytest.raises(Misconfigured, match=said):
                await import_.run(arguments(str(tmp_path / name), kind=kind), office.desk)


async def test_an_unknown_account_is_answered_with_the_known_ones() -> None:
    office = await make_office()
    with pytest.raises(NotFound, match="site-main"):
        await import_replies(CONSOLE, office.desk, "nowhere", [], lambda _n: None)
