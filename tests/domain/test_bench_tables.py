"""The tables of docs/benchmarks.md: each stands between its marks, and columns stay columns with Chinese signs."""

from __future__ import annotations

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.commands import bench_tables
from hub.commands.bench_tables import BENCHES, DOCUMENT, aligned, placed
from hub.domain.errors import Misconfigured

PAGE = "头\n<!-- table of bench store -->\n旧\n<!-- end of table -->\n尾\n"


def test_a_new_table_takes_the_place_of_the_old_one_and_of_nothing_else() -> None:
    once = placed(PAGE, "store", "今天", "新 \\1 表")
    assert once == "头\n<!-- table of bench store -->\n今天:\n```\n新 \\1 表\n```\n<!-- end of table -->\n尾\n"
    assert placed(once, "store", "今天", "新 \\1 表") == once


def test_a_page_without_the_mark_says_which_lines_are_missing() -> None:
    with pytest.raises(Misconfigured, match="table of bench chaos"):
        placed(PAGE, "chaos", "", "")


@pytest.mark.parametrize("name", BENCHES)
def test_every_bench_has_its_place_in_the_document(name: str) -> None:
    assert "新表" in placed(DOCUMENT.read_text("utf-8"), name, "今天", "新表")


def test_a_bench_that_is_none_is_named() -> None:
    parser = argparse.ArgumentParser()
    bench_tables.add(parser)
    with pytest.raises(Misconfigured, match="没有“weather”这一项"):
        bench_tables.run(parser.parse_args(["weather"]))


def test_columns_stand_under_each_other_whatever_the_script() -> None:
    assert aligned("方法\t条/秒\n本系统\t6,355\nold\t1\n\n说明") == "方法    条/秒\n本系统  6,355\nold     1\n\n说明"


cells = st.lists(st.lists(st.text("ab文字 ", min_size=1, max_size=6), min_size=2, max_size=4), min_size=1, max_size=5)


@given(cells)
def test_alignment_changes_blanks_alone(rows: list[list[str]]) -> None:
    shown = aligned("\n".join("\t".join(row) for row in rows))
    assert shown.replace(" ", "").replace("\n", "") == "".join("".join(row) for row in rows).replace(" ", "")
