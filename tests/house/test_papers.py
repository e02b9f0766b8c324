"""Licences, locks, generated documents and the compose file."""

from __future__ import annotations

import importlib.metadata
import re

import pytest

from hub.commands import map as tree_map
from tests.house import house

FREE = re.compile(
    r"MIT|BSD|Apache|PSF|Python Software|ISC|MPL|Zlib|Unlicense|HPND|Public Domain|0BSD|CC0|any-OSI", re.I
)
FORBIDDEN = re.compile(r"\bA?GPL|GNU (Affero )?General|SSPL|Server Side Public", re.I)
# packages whose metadata name no licence, with where it was read
KNOWN = {
    "jieba": "MIT (classifier and LICENSE file)",
    "diff-match-patch": "Apache-2.0 (LICENSE file in its package)",
}


def pinned(name: str) -> dict[str, str]:
    text = (house.ROOT / name).read_text("utf-8")
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.M))


def licence_of(package: str) -> str:
    data = importlib.metadata.metadata(package)
    parts = [data.get("License-Expression") or "", (data.get("License") or "")[:200]]
    parts += [entry for entry in data.get_all("Classifier") or [] if entry.startswith("License")]
    return " ".join(parts)


@pytest.mark.parametrize("package", sorted(pinned("requirements.txt")))
def test_what_ships_is_free_to_ship(package: str) -> None:
    try:
        licence = licence_of(package) + KNOWN.get(package, "")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{package} is for another platform")
    assert not FORBIDDEN.search(licence.replace("LGPL", "")), licence
    assert FREE.search(licence), licence or "names no licence"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_with_hashes(name: str) -> None:
    blocks = re.split(r"\n(?=\S)", (house.ROOT / name).read_text("utf-8").strip())
    assert [block.split("\n")[0] for block in blocks if "--hash=sha256:" not in block or "==" not in block] == []


def test_the_two_locks_agree() -> None:
    runtime, development = pinned("requirements.txt"), pinned("requirements-dev.txt")
    assert {name: version for name, version in runtime.items() if development.get(name) != version} == {}


def test_generated_documents_say_what_the_code_says() -> None:
    assert tree_map.stale() == [], "run: make documents"
