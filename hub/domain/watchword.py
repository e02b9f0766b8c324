"""关注词: what one must hold, and how its rule is said; reading a line is nlp's, keeping the list the desk's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.domain.alert import LEVEL_NAMES, LEVELS
from hub.domain.errors import FieldError, Invalid
from nlp.detectors.expressions import LONGEST, Misspelt, parse

TOLD = LEVELS[1:]  # a watch word always tells somebody
LONGEST_LINE = LONGEST
LONGEST_NAME = 20
MOST_PEOPLE, MOST_HOURS, MOST_PAUSE = 100, 14 * 24, 30 * 24
LONGEST_LIFE = timedelta(days=366)
USUAL: Mapping[str, Any] = {
    "name": "", "line": "", "channels": [], "districts": [], "people": 1, "hours": 24, "pause_hours": 72,
    "level": "yellow", "night": False, "until": None,
}  # fmt: skip


@dataclass(frozen=True)
class Places:
    """Where this office hears people: a watch word may be bound to some of it."""

    channels: Collection[str]
    districts: Collection[str]


def check_watchword(said: Mapping[str, Any], now: datetime, places: Places) -> dict[str, Any]:
    """The fields in clean shape; Invalid names every one that is not acceptable."""
    name, line = " ".join(str(said["name"]).split()), " ".join(str(said["line"]).split())
    errors = [
        *_line_errors(line),
        *_bounded("people", said["people"], 1, MOST_PEOPLE, "人"),
        *_bounded("hours", said["hours"], 1, MOST_HOURS, "小时"),
        *_bounded("pause_hours", said["pause_hours"], 1, MOST_PAUSE, "小时"),
        *_unknown("channels", said["channels"], places.channels, "渠道"),
        *_unknown("districts", said["districts"], places.districts, "区县"),
        *_until_errors(said["until"], now),
    ]
    if not 2 <= len(name) <= LONGEST_NAME:
        errors.insert(0, FieldError("name", f"名称请写 2 到 {LONGEST_NAME} 字，提醒时先说它，如“桥梁安全”。"))
    if said["level"] not in TOLD:
        errors.append(FieldError("level", "请选" + "、".join(LEVEL_NAMES[level] for level in TOLD) + "中的一个。"))
    if errors:
        raise Invalid("这个关注词有几处要改。", tuple(errors))
    kept = {field: said[field] for field in ("people", "hours", "pause_hours", "level", "until")}
    bound = {field: sorted(set(said[field])) for field in ("channels", "districts")}
    return {"name": name, "line": line, **kept, **bound, "night": bool(said["night"])}


def is_readable(line: str) -> bool:
    """Whether a kept line can still be read."""
    return not _line_errors(line)


def _line_errors(line: str) -> list[FieldError]:
    try:
        parse(line)
    except Misspelt as error:
        return [FieldError("line", str(error))]
    return []


def _bounded(field: str, value: Any, least: int, most: int, unit: str) -> list[FieldError]:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return [] if whole and least <= value <= most else [FieldError(field, f"请写 {least} 到 {most} {unit}的整数。")]


def _unknown(field: str, values: Sequence[str], known: Collection[str], what: str) -> list[FieldError]:
    return [] if set(values) <= set(known) else [FieldError(field, f"有的{what}本单位没有，请重新勾选。")]


def _until_errors(until: datetime | None, now: datetime) -> list[FieldError]:
    if until is None or now < until <= now + LONGEST_LIFE:
        return []
    return [FieldError("until", "请选今天以后、一年以内的日期；长期有效请留空。")]


def span(hours: int) -> str:
    """36 小时, 3 天."""
    return f"{hours // 24} 天" if hours >= 48 and hours % 24 == 0 else f"{hours} 小时"


def rule(word: Mapping[str, Any]) -> str:
    """When it tells, in one line."""
    return f"{span(word['hours'])}内满 {word['people']} 人提醒，{span(word['pause_hours'])}内不重复"


def is_over(word: Mapping[str, Any], now: datetime) -> bool:
    """Whether its last day has passed."""
    return word["until"] is not None and word["until"] < now
