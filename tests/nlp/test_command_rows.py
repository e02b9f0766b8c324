"""Files as strangers bring them: every encoding, every broken line, every way to fail to write; said in a sentence."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.commands.files import LONGEST_LINE, Lines, placed, read_whole, written_to
from hub.commands.rows import Rows, needs_text, quoted, read_rows
from hub.domain.errors import Misconfigured
from tests.nlp.test_commands import piped


def read(tmp_path: Path, data: bytes, name: str = "in.jsonl") -> Rows:
    (tmp_path / name).write_bytes(data)
    return read_rows(str(tmp_path / name), needs_text)


def texts(found: Rows) -> list[str]:
    return [row["text"] for row in found.rows]


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


TWO = lines({"text": "停水了没人管"}, {"text": "路灯不亮"})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_and_line_end_of_an_office_is_read(tmp_path: Path, encoding: str, end: str) -> None:
    found = read(tmp_path, TWO.replace("\n", end).encode(encoding))
    assert (texts(found), found.bad) == (["停水了没人管", "路灯不亮"], [])
    assert encoding.startswith(found.encoding)


def test_a_table_of_a_spreadsheet_program_is_read_with_what_stands_between_its_cells(tmp_path: Path) -> None:
    table = "id,text\r\n1,停水了没人管\r\n,\r\n2,路灯不亮\r\n"
    for sign in (",", "\t", ";"):
        for encoding in ("utf-8", "utf-16", "gb18030"):
            found = read(tmp_path, table.replace(",", sign).encode(encoding), "in.csv")
            assert found.rows == [{"id": "1", "text": "停水了没人管"}, {"id": "2", "text": "路灯不亮"}]
            assert found.bad == []


def test_one_spoilt_byte_costs_its_line_and_no_other(tmp_path: Path) -> None:
    spoilt = TWO.encode() + b'{"text": "\xe5\x81\x9c\xff"}\n' + '{"text": "有水了"}\n'.encode()
    found = read(tmp_path, spoilt)
    assert texts(found) == ["停水了没人管", "路灯不亮", "有水了"]
    assert [(bad.line, bad.reason) for bad in found.bad] == [(3, "文字编码有误，不是 UTF-8")]
    table = "id,text\n1,停水\n".encode() + b"2,\xff\n" + "3,有水\n".encode()
    found = read(tmp_path, table, "in.csv")
    assert (texts(found), [bad.line for bad in found.bad]) == (["停水", "有水"], [3])


def test_a_line_that_two_encodings_read_follows_the_rest_of_its_file(tmp_path: Path) -> None:
    assert "谢谢".encode("gb18030").decode() == "лл"  # nothing is wrong with it as UTF-8
    found = read(tmp_path, '{"text": "谢谢"}\n{"text": "停水了没人管"}\n'.encode("gb18030"))
    assert texts(found) == ["谢谢", "停水了没人管"]


def test_what_comes_after_a_megabyte_of_ascii_still_tells_the_encoding(tmp_path: Path) -> None:
    plain = '{"text": "ok"}\n' * 80_000
    for encoding in ("utf-8", "gb18030"):
        found = read(tmp_path, (plain + TWO).encode(encoding))
        assert (texts(found)[-2:], found.encoding) == (["停水了没人管", "路灯不亮"], encoding)


def test_a_quote_that_is_left_open_costs_its_own_line_and_not_the_rest_of_the_table(tmp_path: Path) -> None:
    found = read(tmp_path, 'id,text\n1,"停水,急\n2,没水\n3,"有""水"\n4,"两行\n的"\n5,好\n'.encode(), "in.csv")
    assert texts(found) == ["没水", '有"水', "两行\n的", "好"]
    assert [bad.line for bad in found.bad] == [2]
    assert "引号不成对" in found.bad[0].reason


def test_a_quote_left_open_in_every_line_of_a_long_table_is_read_in_one_go(tmp_path: Path) -> None:
    rows = 20_000
    table = "id,text\n" + "".join(f'{n},"停水""\n' if n % 2 else f"{n},没水\n" for n in range(rows))
    found = read(tmp_path, table.encode(), "in.csv")
    assert len(found.bad) + len(found.rows) == rows


def test_a_comma_without_quotes_does_not_shift_the_cells_in_silence(tmp_path: Path) -> None:
    found = read(tmp_path, "text,label\n停水,急,neg\n没水,neg,\n有水,pos\n".encode(), "in.csv")
    assert [(row["text"], row["label"]) for row in found.rows] == [("没水", "neg"), ("有水", "pos")]
    assert [(bad.line, bad.reason[:6]) for bad in found.bad] == [(2, "比表头多出 ")]


def test_bad_rows_of_a_table_are_named_by_their_first_line(tmp_path: Path) -> None:
    found = read(tmp_path, 'id,text\n1,"一\n二\n三"\n2\n3,有水\n'.encode(), "in.csv")
    assert [(bad.line, bad.reason) for bad in found.bad] == [(5, "缺少 text")]


def test_a_head_that_names_a_column_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="有两列都叫“text”"):
        read(tmp_path, "text,text\n停水,有水\n".encode(), "in.csv")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"text": "停水"', "不是完整的 JSON"),
        ("[" * 200_000, "括号套得太深"),
        ('{"text": "a", "x": ' + "[" * 500 + "]" * 500 + "}", "括号套得太深"),
        ('{"text": "a", "x": NaN}', "有一个数读不了"),
        ('{"text": "a", "x": 1e999}', "有一个数读不了"),
        ('{"text": "a", "x": ' + "9" * 5_000 + "}", "有一个数读不了"),
        ('["text"]', "不是一个 JSON 对象"),
        ('"text"', "不是一个 JSON 对象"),
        ("null", "不是一个 JSON 对象"),
        ("\0\0", "不是完整的 JSON"),
        ('{"id": 1}', "缺少 text"),
        ('{"text": null}', "text 应为文字"),
    ],
)
def test_whatever_stands_in_a_line_the_others_are_read(tmp_path: Path, line: str, reason: str) -> None:
    found = read(tmp_path, (TWO + line + "\n" + TWO).encode())
    assert len(found.rows) == 4
    assert [(bad.line, bad.reason.startswith(reason)) for bad in found.bad] == [(3, True)]


def test_a_line_longer_than_any_text_is_left_out_and_the_rest_goes_on(tmp_path: Path) -> None:
    found = read(tmp_path, b'{"text": "' + b"a" * LONGEST_LINE + b'"}\n' + TWO.encode())
    assert (texts(found), [bad.line for bad in found.bad]) == (["停水了没人管", "路灯不亮"], [1])


@pytest.mark.parametrize("head", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF-1.7", b"Rar!"])
def test_a_file_of_an_office_program_is_named_and_what_to_do_said(tmp_path: Path, head: bytes) -> None:
    with pytest.raises(Misconfigured, match=r"不是文字文件。.*另存为 CSV"):
        read(tmp_path, head + bytes(100), "in.csv")


def test_an_empty_file_and_one_of_bad_rows_alone_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read(tmp_path, b"\n \n").report() == 0
    assert "文件是空的" in capsys.readouterr().err
    assert read(tmp_path, b'[{"text": "a"},\n{"text": "b"},\n').report() == 1
    said = capsys.readouterr().err
    assert "没有一行用得上" in said and "不用方括号" in said
    assert read(tmp_path, "编号,内容\n1,停水\n".encode(), "in.csv").report() == 1
    assert "第一行应写列名" in capsys.readouterr().err


def test_only_the_first_bad_rows_are_named_and_the_rest_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read(tmp_path, b"x\n" * 25 + TWO.encode()).report() == 1
    said = capsys.readouterr().err.splitlines()
    assert (len(said), said[-1]) == (21, "另有 5 行没有用上。")


def test_a_value_in_a_sentence_is_short_and_holds_nobody() -> None:
    assert quoted("诗") == "“诗”"
    assert quoted("水" * 1_000_000) == "“" + "水" * 20 + "…”"
    assert "13912345678" not in quoted("打 13912345678 找我")


# ---- fuzz


@given(data=st.binary(max_size=400), name=st.sampled_from(["in.jsonl", "in.csv", "in", "in.gz"]))
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_give_rows_and_reasons_or_one_sentence(tmp_path: Path, data: bytes, name: str) -> None:
    for each in (data, gzip.compress(data), gzip.compress(data)[:-4], b"\x1f\x8b" + data):
        with contextlib.suppress(Misconfigured):
            found = read(tmp_path, each, name)
            assert all(isinstance(row["text"], str) for row in found.rows)
            assert all(bad.line >= 1 and bad.reason for bad in found.bad)


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=12)
ROWS = st.lists(st.fixed_dictionaries({"text": CELLS, "id": CELLS}), max_size=8)


@given(rows=ROWS, broken=st.lists(st.integers(0, 8)), tail=st.sampled_from(["", "\n"]))
@settings(max_examples=150, deadline=None)
def test_good_rows_survive_any_bad_ones_among_them(rows: list[dict[str, str]], broken: list[int], tail: str) -> None:
    """Each bad line is named by its own number; every good row is found, in order."""
    written = [json.dumps(row, ensure_ascii=False) for row in rows]
    for place in sorted((place % (len(rows) + 1) for place in broken), reverse=True):
        written.insert(place, '{"text"')
    with piped(("\n".join(written) + tail).encode()):
        found = read_rows("-", needs_text)
    assert found.rows == rows
    assert [bad.line for bad in found.bad] == [n for n, line in enumerate(written, 1) if line == '{"text"']


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=8))
@settings(max_examples=150, deadline=None)
def test_a_table_written_by_the_rules_is_read_back_whole(rows: list[tuple[str, str]]) -> None:
    quoted_rows = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    with piped("\n".join(["id,text", *quoted_rows]).encode()):
        found = read_rows("-", needs_text)
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    assert [(row["id"], row["text"]) for row in found.rows] == kept
    assert found.bad == []


# ---- reading and writing


def test_what_cannot_be_opened_is_said_with_what_to_do(tmp_path: Path) -> None:
    whole = gzip.compress(TWO.encode() * 100)
    (tmp_path / "cut.gz").write_bytes(whole[:-10])
    (tmp_path / "turned.gz").write_bytes(whole[:30] + bytes([whole[30] ^ 255]) + whole[31:])
    for name, said in (
        ("none.jsonl", "没有这个文件"),
        (".", "这是文件夹"),
        ("cut.gz", "压缩包不完整或已损坏"),
        ("turned.gz", "压缩包不完整或已损坏"),
    ):
        for reads in (lambda path: read_rows(path, needs_text), read_whole, lambda path: Lines(path).count()):
            with pytest.raises(Misconfigured, match=said):
                reads(str(tmp_path / name))


def test_a_pipe_says_nothing_of_its_length_and_a_file_does(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl.gz").write_bytes(gzip.compress(TWO.encode()))
    assert Lines(str(tmp_path / "in.jsonl.gz")).count() == 2
    with piped(TWO.encode()):
        assert Lines("-").count() is None
        assert texts(read_rows("-", needs_text)) == ["停水了没人管", "路灯不亮"]


def test_what_stood_there_stays_whole_until_all_is_written(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("old")
    target.chmod(0o600)
    with pytest.raises(ZeroDivisionError), written_to(str(target)) as stream:
        stream.write("new")
        1 / 0  # noqa: B018
    assert (target.read_text(), os.listdir(tmp_path)) == ("old", ["out.jsonl"])
    with written_to(str(target)) as stream:
        stream.write("new")
        assert target.read_text() == "old"
    assert (target.read_text(), os.listdir(tmp_path)) == ("new", ["out.jsonl"])
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_name_that_points_elsewhere_still_points_there(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "name").symlink_to(tmp_path / "real")
    with written_to(str(tmp_path / "name")) as stream:
        stream.write("new")
    assert (tmp_path / "name").is_symlink() and (tmp_path / "real").read_text() == "new"


@pytest.mark.parametrize(
    ("name", "said"),
    [("none/out", "文件夹不存在"), ("", "这是文件夹"), ("/dev/full", "磁盘满了")],
)
def test_what_cannot_be_written_is_said_with_what_to_do(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(Misconfigured, match=said), written_to(str(tmp_path / name)) as stream:
        stream.write("x" * 100_000)


def test_half_a_character_is_written_as_json_writes_it(tmp_path: Path) -> None:
    row = {"text": "停\ud83d水\udc00", "emoji": "😀"}
    with written_to(str(tmp_path / "out")) as stream:
        stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    assert json.loads((tmp_path / "out").read_bytes().decode()) == row


def test_a_device_is_written_to_itself() -> None:
    with placed("/dev/null") as part:
        part.write_bytes(b"x")
    assert not Path("/dev/null").is_file()
