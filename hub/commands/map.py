"""`map`: the tree with a line each, made from the modules' first lines, and the documents generated from the code."""

from __future__ import annotations

import argparse
import ast
import difflib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from channels import papers
from hub import settings
from hub.domain import policy, rights, states
from hub.store import tables

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("hub", "channels", "nlp", "scheduler")
README_START, README_END = "<!-- map -->", "<!-- end of map -->"


def first_line(path: Path) -> str:
    """The first line of the module's docstring, or nothing."""
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return text.splitlines()[0] if text else ""


def tree() -> list[tuple[str, str]]:
    """(path, first line) of every module, in the order of the folders."""
    rows = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            rows.append((str(path.relative_to(ROOT)), first_line(path)))
    return rows


def overview() -> str:
    """The README's map: one line a folder, from each package's first line."""
    rows = [(name.removesuffix("/__init__.py"), line) for name, line in tree() if name.endswith("__init__.py")]
    return "\n".join(f"- `{name}/` {line}" for name, line in rows)


def _readme() -> str:
    text = (ROOT / "README.md").read_text("utf-8")
    before, _, rest = text.partition(README_START)
    _, _, after = rest.partition(README_END)
    return f"{before}{README_START}\n{overview()}\n{README_END}{after}"


DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "README.md": _readme,
    "docs/settings.md": settings.describe,
    "docs/tables.md": tables.describe,
    "docs/rights.md": rights.describe,
    "docs/policies.md": policy.describe,
    "docs/states.md": states.describe,
    "docs/channels/README.md": papers.describe,
    "docs/channels/weibo.md": papers.describe_weibo,
    "docs/channels/wechat.md": papers.describe_wechat,
    "docs/channels/push.md": papers.describe_push,
}


def stale() -> list[str]:
    """The generated documents that differ from what the code says now."""
    return [name for name, make in DOCUMENTS.items() if not _same(ROOT / name, make())]


def _same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text("utf-8") == text


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--write", action="store_true", help="更新生成的文档")
    parser.add_argument("--check", action="store_true", help="文档过期则以 1 退出")


def run(arguments: argparse.Namespace) -> int:
    if arguments.write:
        for name in stale():
            (ROOT / name).write_text(DOCUMENTS[name](), "utf-8")
            print(f"已更新 {name}")
        return 0
    if arguments.check:
        for name in stale():
            old = (ROOT / name).read_text("utf-8") if (ROOT / name).exists() else ""
            print("\n".join(difflib.unified_diff(old.split("\n"), DOCUMENTS[name]().split("\n"), name, lineterm="")))
        return 1 if stale() else 0
    for name, line in tree():
        print(f"{name:<44}{line}", file=sys.stdout)
    return 0
