"""配置监测: a worker's watch, made with the office's own figures and its dictionary; the watching is watching.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from hub.desk.desk import Desk
from hub.desk.dictionary import WordsInForce
from hub.desk.watching import Watch
from hub.domain.people import program
from hub.store import schema
from nlp.detectors.deciding import Deciding
from nlp.detectors.ensemble import Ensemble
from nlp.detectors.settings import GRADES, ClusterSettings, Grade
from nlp.words import Words, office_dictionary


async def new_watch(desk: Desk) -> Watch:
    """The watch of one worker, with the office's own figures and its dictionary, as they are whenever it saves."""
    knows = WordsInForce(None if await schema.mark_of(desk.store) == "demo" else "")

    async def fit() -> tuple[object, Callable[[], Ensemble]]:
        settings, words = await _cluster_settings(desk), await knows.look(program("reader"), desk)
        return (settings, words), lambda: Ensemble(lambda: Deciding(settings, _words_of(words)))

    return Watch((await fit())[1], fit)


@lru_cache(maxsize=1)
def _words_of(dictionary: str | None) -> Words:
    """Made once for all streams: it takes a third of a second."""
    return Words(office_dictionary(dictionary))


async def _cluster_settings(desk: Desk) -> ClusterSettings:
    value = desk.policies.value
    return ClusterSettings(
        least_voices=int(await value("alert_voices")),
        chance=float(await value("alert_chance")),
        cool_down_days=float(await value("cooldown_days")),
        alerts_a_week=int(await value("alerts_a_week")),
        grades=tuple([await _grade(desk, grade) for grade in GRADES]),
    )


async def _grade(desk: Desk, grade: Grade) -> Grade:
    """A level above yellow with the office's own figures."""
    voices, unhappy, quick = [
        float(await desk.policies.value(f"{grade.level}_{name}")) for name in ("voices", "unhappy", "day")
    ]
    return replace(grade, voices=int(voices), unhappy=unhappy, quick=int(quick))
