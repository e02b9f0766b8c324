"""check FILE…: the text checks over files, as lines or as JSON; the rules live in hub/checks."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hub.checks.finding import BLOCK, Context, Finding
from hub.checks.kinds import NAMES
from hub.checks.running import run as run_checks
from hub.checks.running import unchecked
from hub.clock import SystemClock, local
from hub.commands.files import why_unread
from hub.domain.blocks import text_of
from hub.domain.errors import HubError
from hub.domain.fold import fold

PLAIN = (".txt", ".md")
PAGES = (".html", ".htm")
WORDS = {"block": "须改正", "acknowledge": "须说明", "hint": "建议"}  # as on the desk


def add(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="txt、md、html 文件")
    parser.add_argument("--json", action="store_true", help="结果写成 JSON")


def decoded(content: bytes) -> str:
    """UTF-8 with or without a mark, else GB18030; raises ValueError where it is neither."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("文字编码认不出来，请另存为 UTF-8。")


def _text(path: Path) -> str:
    text = decoded(path.read_bytes())
    return text_of(fold(text).blocks).text if path.suffix.lower() in PAGES else text


def check_file(path: Path, context: Context, clock: SystemClock) -> tuple[str, list[Finding]]:
    """The file's text and its findings; what cannot be read is a finding, too. Raises OSError."""
    with path.open("rb"):
        pass  # a file that is not there is none that cannot be checked
    if path.suffix.lower() not in (*PLAIN, *PAGES):
        return "", [unchecked(f"附件未能检查：{path.name}。这种文件还读不了，请人工看过。")]
    try:
        text = _text(path)
    except (ValueError, HubError) as error:
        return "", [unchecked(f"附件未能检查：{path.name}。{error}")]
    return text, run_checks(text, context, elapsed=clock.monotonic)


def _lines(name: str, text: str, findings: Sequence[Finding]) -> list[str]:
    lines = []
    for each in findings:
        before = text[: each.start]
        row, column = before.count("\n") + 1, each.start - before.rfind("\n")
        better = f" → {each.suggestion}" if each.suggestion else ""
        rule = f"{WORDS[each.severity]} [{NAMES[each.rule]}]"
        lines.append(f"{name}:{row}:{column}: {rule} {each.text}{better} {each.message}")
    return lines


def run(args: argparse.Namespace) -> int:
    """0: nothing that must be changed · 1: something must be changed · 2: a file could not be opened."""
    clock = SystemClock()
    context = Context(local(clock.now()).date())
    results: list[dict[str, Any]] = []
    lines: list[str] = []
    blocked = False
    for name in args.files:
        try:
            text, findings = check_file(Path(name), context, clock)
        except OSError as error:
            print(f"打不开 {name}：{why_unread(error)}", file=sys.stderr)
            return 2
        blocked = blocked or any(each.severity == BLOCK for each in findings)
        results.append({"file": name, "findings": [each.plain() for each in findings]})
        lines.extend(_lines(name, text, findings) or [f"{name}: 没有提示。"])
    print(json.dumps(results, ensure_ascii=False, indent=1) if args.json else "\n".join(lines))
    return 1 if blocked else 0
