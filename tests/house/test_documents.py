"""The documents: links that resolve, files, tests, commands and settings that exist and are written about."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from hub.__main__ import COMMANDS
from hub.settings import SETTINGS
from tests.house import house

DOCS = house.ROOT / "docs"
DOCUMENTS = sorted([*DOCS.rglob("*.md"), house.ROOT / "README.md", house.ROOT / "CONTRIBUTING.md"])
ADDING = sorted(DOCS.glob("adding-*.md"))
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
NAMED_FILE = re.compile(r"`((?:hub|channels|nlp|scheduler|tests|docs)/[A-Za-z0-9_./-]*)`")
NAMED_TEST = re.compile(r"`(test_[A-Za-z0-9_]+)`")
NAMED_SETTING = re.compile(r"\bHUB_[A-Z][A-Z_]*[A-Z]\b")
NAMED_COMMAND = re.compile(r"python -m hub ([a-z][a-z-]*(?: [a-z]+)?)")
ELSEWHERE = {"HUB_DOMAIN", "HUB_BENCH_DATA"}  # the compose file's own name; where a bench finds labelled texts


def name_of(path: Path) -> str:
    return str(path.relative_to(house.ROOT))


def prose(path: Path) -> str:
    return FENCED.sub("", path.read_text("utf-8"))


def anchors(path: Path) -> set[str]:
    """The places inside a page that a link may name, as the usual renderers make them of its heads."""
    heads = re.findall(r"^#+\s+(.+)$", prose(path), re.M)
    plain = (re.sub(r"[^\w\s-]", "", head.replace("`", "")).strip().lower() for head in heads)
    return {re.sub(r"\s", "-", head) for head in plain}


def broken(path: Path, target: str) -> bool:
    """Whether a link of this page leads nowhere; addresses of other hosts are not asked."""
    if re.match(r"[a-z]+:", target):
        return False
    place, _, anchor = unquote(target).partition("#")
    goal = (path.parent / place).resolve() if place else path
    if not goal.exists():
        return True
    return bool(anchor) and goal.suffix == ".md" and anchor not in anchors(goal)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_link_of_a_document_leads_somewhere(path: Path) -> None:
    assert [target for target in LINK.findall(prose(path)) if broken(path, target)] == []


def test_a_link_to_nowhere_is_seen() -> None:
    page = DOCS / "architecture.md"
    assert broken(page, "no-such-page.md")
    assert broken(page, "#no-such-head")
    assert not broken(page, "states.md")
    assert not broken(page, "https://www.yunchuan.example/")


@pytest.mark.parametrize("path", [*DOCS.rglob("*.md"), house.ROOT / "CONTRIBUTING.md"], ids=name_of)
def test_every_file_and_test_that_a_document_names_exists(path: Path) -> None:
    text = path.read_text("utf-8")
    assert sorted({name for name in NAMED_FILE.findall(text) if not (house.ROOT / name).exists()}) == []
    assert sorted(set(NAMED_TEST.findall(text)) - known_tests()) == []


def known_tests() -> set[str]:
    """The names of every test and of every file of tests."""
    found: set[str] = set()
    for path in (house.ROOT / "tests").rglob("test_*.py"):
        found |= {path.stem, *re.findall(r"^\s*(?:async )?def (test_\w+)", path.read_text("utf-8"), re.M)}
    return found


@pytest.mark.parametrize("path", ADDING, ids=name_of)
def test_a_page_on_adding_something_names_the_files_to_touch_and_the_tests_that_will_run(path: Path) -> None:
    named = set(NAMED_FILE.findall(path.read_text("utf-8")))
    assert len({name for name in named if name.endswith(".py") and not name.startswith("tests/")}) >= 3
    assert any(name.startswith("tests/") for name in named)


def test_there_is_a_page_on_adding_each_kind_of_thing() -> None:
    wanted = {"a-channel", "a-check", "a-detector", "a-page", "a-job"}
    assert {path.stem.removeprefix("adding-") for path in ADDING} >= wanted


def written() -> str:
    """All documents but the generated table of settings, which cannot miss one."""
    return "\n".join(path.read_text("utf-8") for path in DOCUMENTS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_every_command_is_written_about(command: object) -> None:
    words = str(getattr(command, "words", ""))
    assert re.search(rf"`(?:python -m hub )?{re.escape(words)}\b[^`]*`", written())


def test_every_command_that_a_document_tells_one_to_run_exists() -> None:
    known = {command.words for command in COMMANDS}
    told = {found for path in DOCUMENTS for found in NAMED_COMMAND.findall(path.read_text("utf-8"))}
    assert told
    assert sorted(words for words in told if not {words, words.split()[0]} & known) == []


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_in_the_table_of_settings(setting: object) -> None:
    assert f"| `{getattr(setting, 'name', '')}` |" in (DOCS / "settings.md").read_text("utf-8")


def test_no_document_names_a_setting_that_is_none() -> None:
    known = {setting.name for setting in SETTINGS} | ELSEWHERE
    told = {found for path in DOCUMENTS for found in NAMED_SETTING.findall(path.read_text("utf-8"))}
    assert sorted(told - known) == []
