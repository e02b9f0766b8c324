"""`bench tables`: one bench after another, each table written where docs/benchmarks.md has its mark."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from hub.clock import SystemClock, local
from hub.domain.errors import Misconfigured

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
BENCHES: Mapping[str, Sequence[str]] = {
    "store": (), "publish": ("--count", "1000"), "ingest": ("--count", "10000"), "analyse": (), "labels": (),
    "detect": (), "replay": (), "poison": (), "alerts": (), "chaos": (),
}  # fmt: skip
_END = "<!-- end of table -->"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"只测这几项（默认全部：{'、'.join(BENCHES)}）")
    parser.add_argument("--write", action="store_true", help="把表写进 docs/benchmarks.md")


def run(arguments: argparse.Namespace) -> int:
    """0 where every bench ran to its end; a fallen one leaves its old table, and the others still run."""
    unknown = [name for name in arguments.names if name not in BENCHES]
    if unknown:
        raise Misconfigured(f"没有“{unknown[0]}”这一项。可测的有：{'、'.join(BENCHES)}。")
    names = arguments.names or BENCHES
    for name in names if arguments.write else ():  # before minutes of measuring, not after
        placed(_document(), name, "", "")
    fallen = [name for name in names if not _measure(name, write=arguments.write)]
    if fallen:
        print(f"没有测成：{'、'.join(fallen)}。它们的表没有改。", file=sys.stderr)
    return 1 if fallen else 0


def _measure(name: str, *, write: bool) -> bool:
    words = ["bench", name, *BENCHES[name]]
    before = os.getloadavg()[0]
    print(f"== {' '.join(words)}", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", "hub", *words], stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
    table = aligned(done.stdout)
    print(table, flush=True)
    if done.returncode == 0 and write:
        told = f"`python -m hub {' '.join(words)}`, {_circumstances(before)}"
        DOCUMENT.write_text(placed(_document(), name, told, table), "utf-8")
    return done.returncode == 0


def _document() -> str:
    try:
        return DOCUMENT.read_text("utf-8")
    except OSError:
        raise Misconfigured(f"读不了 {DOCUMENT.name}：这里没有 docs 文件夹。不带 --write 只把表打印出来。") from None


def _circumstances(load: float) -> str:
    day = local(SystemClock().now()).date()
    version = ".".join(map(str, sys.version_info[:3]))
    data = "the development sets" if os.environ.get("HUB_BENCH_DATA") else "own texts only"
    return f"{day}, Python {version}, {os.cpu_count()} cores, load before {load:.1f}, {data}"


def placed(document: str, name: str, told: str, table: str) -> str:
    """The document with this bench's table between its marks. Misconfigured where it has no such mark."""
    start = f"<!-- table of bench {name} -->"
    found = re.search(re.escape(start) + r".*?" + re.escape(_END), document, re.DOTALL)
    if found is None:
        raise Misconfigured(f"docs/benchmarks.md 里没有“{start}”和“{_END}”，表没有地方写。请补上这两行。")
    block = f"{start}\n{told}:\n```\n{table}\n```\n{_END}"
    return document[: found.start()] + block + document[found.end() :]


def aligned(text: str) -> str:
    """Neighbouring lines with tabs as columns of one width; all else stays as it is."""
    lines: list[str] = []
    for has_tabs, found in groupby(text.rstrip().splitlines(), key=lambda line: "\t" in line):
        some = list(found)
        lines += _columns([line.split("\t") for line in some]) if has_tabs else some
    return "\n".join(lines)


def _columns(rows: list[list[str]]) -> Iterator[str]:
    count = max(map(len, rows))
    widths = [max(_width(row[place]) for row in rows if place < len(row)) for place in range(count)]
    for row in rows:
        cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=False)]
        yield "  ".join(cells).rstrip()


def _width(text: str) -> int:
    """How many columns of a terminal: a Chinese sign takes two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
