"""What may stand in no file: a machine's path, a registry's host, raw markup, careless comparing, foreign hosts."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.house import house

TEXT = {
    ".py",
    ".md",
    ".html",
    ".css",
    ".js",
    ".toml",
    ".yml",
    ".txt",
    ".in",
    ".json",
    ".jsonl",
    ".tsv",
    ".lock",
    ".csv",
    ".svg",
    "",
}


def shipped() -> list[Path]:
    """The files that git knows or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=house.ROOT,
        capture_output=True,
        check=True,
    )
    paths = [house.ROOT / name for name in listed.stdout.decode().split("\n") if name]
    return [path for path in paths if path.suffix in TEXT and path.is_file()]


# written so that no pattern finds itself: this file is looked through as well
FORBIDDEN_WORDS = (
    r"/[w]ork/",
    r"/[h]ome/\w",
    r"/[r]oot/",
    r"pypi[.]org",
    r"files[.]pythonhosted",
    r"registry[.]npmjs",
)


@pytest.mark.parametrize("word", FORBIDDEN_WORDS)
def test_no_file_names(word: str) -> None:
    pattern = re.compile(word, re.IGNORECASE)
    wrong = [
        str(path.relative_to(house.ROOT)) for path in shipped() if pattern.search(path.read_text("utf-8", "replace"))
    ]
    assert wrong == []


def templates() -> list[Path]:
    return sorted((house.ROOT / "hub" / "templates").rglob("*.html"))


def test_no_template_unescapes_or_runs_inline_script() -> None:
    bad = re.compile(
        r"\|\s*safe\b|autoescape\s+false|\son[a-z]+\s*=|<script(?![^>]*\bsrc=)[^>]*>|\sstyle\s*=|javascript:", re.I
    )
    wrong = [
        f"{path.name}:{number}"
        for path in templates()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if bad.search(line)
    ]
    assert wrong == []


def test_every_attribute_with_a_value_from_outside_is_quoted() -> None:
    bad = re.compile(r"\s[a-zA-Z-]+=\{\{")
    wrong = [f"{path.name}" for path in templates() if bad.search(path.read_text("utf-8"))]
    assert wrong == []


def test_nothing_is_marked_as_safe_markup_in_code() -> None:
    named = {"hub.rendering"}
    pattern = re.compile(r"\bMarkup\(")
    wrong = [n for n, path in house.modules().items() if n not in named and pattern.search(path.read_text("utf-8"))]
    assert wrong == []


def test_secrets_are_compared_in_constant_time() -> None:
    bad = re.compile(r"\b\w*(signature|token|digest_hex|secret|mac)\w*\s*[!=]=\s*(?!None|\"\"|b\"\")", re.I)
    wrong = []
    for name, path in house.modules().items():
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if bad.search(line.split("#")[0]) and "compare_digest" not in line:
                wrong.append(f"{name}:{number}: {line.strip()}")
    assert wrong == []


def test_no_page_or_style_asks_a_foreign_host() -> None:
    pattern = re.compile(r"(?:src|href)\s*=\s*[\"']https?://|url\(\s*[\"']?https?://|@import\s+[\"']?https?:", re.I)
    places = [*templates(), *(house.ROOT / "hub" / "static" / "css").glob("*.css")]
    allowed = re.compile(r"https://beian\.miit\.gov\.cn/?")
    wrong = [path.name for path in places if pattern.search(allowed.sub("", path.read_text("utf-8")))]
    assert wrong == []
