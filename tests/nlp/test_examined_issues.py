"""The detector before streams of another hand and before the demonstration's texts: what is told, and by when."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from nlp.contract import IssueChange, Voice
from nlp.detectors.clusters import Detector
from nlp.reading import Reader

ROOT = Path(__file__).parents[2]
EXAMINATIONS = ROOT / "tests" / "examinations"
DEMO = ROOT / "hub" / "demo"
STREAMS = ("issues_1.jsonl", "issues_2.jsonl", "issues_3.jsonl")
NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
KINDS = {"site": "letter", "letter": "letter"}


@dataclass(frozen=True)
class Alert:
    """One alert: what it says, its rows, and the rows that had been heard when it was raised."""

    change: IssueChange
    heard: frozenset[str]

    def about(self, rows: Iterable[str]) -> bool:
        """Most of what it is made of belongs to this matter."""
        return 2 * len(set(rows) & set(self.change.reply_ids)) > len(self.change.reply_ids)

    def voices_of(self, voices: Sequence[Voice], rows: Iterable[str]) -> int:
        """How many people had spoken of the matter by then."""
        matter = set(rows) & self.heard
        return len({voice.author for voice in voices if voice.id in matter})


@cache
def reader() -> Reader:
    return Reader(with_reasons=False)


def heard(voice: Voice) -> Voice:
    """With the sentiment and the place that the shipped reader finds."""
    found = reader().read(voice.text, KINDS.get(voice.channel, "comment"), district=voice.district or None)
    return replace(voice, negative=found.sentiment.negative, district=found.district or "", topic=found.topic or "")


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]


def replay(voices: Sequence[Voice]) -> list[Alert]:
    detector, alerts, so_far = Detector(), [], set()
    for voice in voices:
        so_far.add(voice.id)
        alerts += [Alert(change, frozenset(so_far)) for change in detector.take([voice]) if change.alert]
    return alerts


@cache
def examined(name: str) -> tuple[tuple[Voice, ...], tuple[Alert, ...]]:
    rows = sorted(rows_of(EXAMINATIONS / name), key=lambda row: (row["at"], row["id"]))
    times = [datetime.fromisoformat(row["at"]) for row in rows]
    voices = tuple(
        heard(Voice(row["id"], row["author"], row["text"], at, row["channel"], row["district"]))
        for row, at in zip(rows, times, strict=True)
    )
    return voices, tuple(replay(voices))


def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXAMINATIONS / "issues_expected.json").read_text("utf-8"))[name]
    return found


def spread(matter: dict[str, Any]) -> list[str]:
    """The rows of a matter with its copies, which count as rows of it and never as voices."""
    return [*matter["rows"], *matter.get("copies", ())]


@pytest.mark.parametrize("name", STREAMS)
def test_every_matter_is_told_by_the_voice_it_has_to_be(name: str) -> None:
    voices, alerts = examined(name)
    for matter in expected(name)["must_alert"]:
        told = [alert.voices_of(voices, matter["rows"]) for alert in alerts if alert.about(spread(matter))]
        assert told and min(told) <= matter["by_voice"], matter["matter"]


@pytest.mark.parametrize("name", STREAMS)
def test_nothing_else_is_told(name: str) -> None:
    _, alerts = examined(name)
    matters = [row for matter in expected(name)["must_alert"] for row in spread(matter)]
    assert [alert.change.title for alert in alerts if not alert.about(matters)] == []


# the demonstration


def said(name: str, times: Iterable[datetime]) -> list[Voice]:
    """The texts of one file at these times, as the desk hands them to the watch."""
    found = []
    for number, (row, at) in enumerate(zip(rows_of(DEMO / f"{name}.jsonl"), times, strict=False)):
        text = f"{row['title']}\n{row['text']}" if row.get("title") else row["text"]
        found.append(heard(Voice(f"{name}-{number}", row["who"], text, at, row["channel"], row["district"])))
    return found


@cache
def history() -> tuple[Voice, ...]:
    """Four weeks before today, by day, the first line the newest."""
    count = len(rows_of(DEMO / "history.jsonl"))
    back = [timedelta(hours=2 + number * 24 * 28 / count, minutes=number * 37 % 60) for number in range(count)]
    voices = said("history", [NOW - each for each in back])
    return tuple(sorted(voices, key=lambda voice: (voice.at, voice.id)))


@cache
def today(incident_after: int) -> tuple[Voice, ...]:
    """The crowd as it speaks, and the incident played after so many minutes, a text every four seconds."""
    crowd = [NOW + timedelta(seconds=0.8 * min(number, 40) + 12 * max(0, number - 40)) for number in range(1000)]
    played = [NOW + timedelta(minutes=incident_after, seconds=4 * number) for number in range(1000)]
    return tuple(sorted([*said("crowd", crowd), *said("incident", played)], key=lambda voice: (voice.at, voice.id)))


def is_water(voice: Voice) -> bool:
    return voice.id.startswith("incident-")


def is_heating(voice: Voice) -> bool:
    return any(word in voice.text for word in ("暖", "松苑里", "室温", "供热", "不热", "测温"))


# By minute 55 citizens of four channels have talked of the waterworks' notice: one voice more is needed to stand out.
@pytest.mark.parametrize(("after", "by_voice"), [(2, 6), (20, 6), (55, 7)])
@pytest.mark.parametrize("with_history", [False, True])
def test_in_the_demonstration_the_water_is_told_early_and_chatter_is_not(
    after: int, by_voice: int, with_history: bool
) -> None:
    voices = [*(history() if with_history else ()), *today(after)]
    alerts = replay(voices)
    water = [voice.id for voice in voices if is_water(voice)]
    told = [alert.voices_of(voices, water) for alert in alerts if alert.about(water)]
    assert told and min(told) <= by_voice
    known = [*water, *(voice.id for voice in voices if is_heating(voice))]
    assert [alert.change.title for alert in alerts if not alert.about(known)] == []


def test_four_weeks_of_the_demonstrations_history_tell_nobody() -> None:
    assert [alert.change.title for alert in replay(history())] == []
