"""The invented city's facts and texts, read from the files beside this one; the others say what is done with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Said:
    """One text of the crowd. `about` is the key of the article it stands under; letters have a title instead."""

    who: str
    channel: str
    district: str
    text: str
    title: str = ""
    about: str = ""


@cache
def city() -> Mapping[str, Any]:
    """Office, site, districts, departments, columns and users."""
    found: Mapping[str, Any] = json.loads((HERE / "city.json").read_text("utf-8"))
    return found


@cache
def articles() -> tuple[Mapping[str, Any], ...]:
    return tuple(json.loads((HERE / "articles.json").read_text("utf-8")))


@cache
def services() -> tuple[Mapping[str, Any], ...]:
    """The service directory, in everyday words."""
    return tuple(json.loads((HERE / "services.json").read_text("utf-8")))


@cache
def canned_answers() -> tuple[Mapping[str, str], ...]:
    """What the office says again and again."""
    return tuple(json.loads((HERE / "canned.json").read_text("utf-8")))


@cache
def crowd(name: str) -> tuple[Said, ...]:
    """The texts of one file: crowd, flood, incident or history."""
    path = HERE / f"{name}.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return tuple(Said(**json.loads(line)) for line in lines if line)
