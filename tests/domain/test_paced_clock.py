"""A demonstration's time may run faster than life, the same in each of its processes; production's never does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub import wiring
from hub.clock import PacedClock, SystemClock
from hub.domain.errors import Misconfigured
from hub.settings import Settings, read

SHOWN = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def paced(rate: float) -> str:
    return f"{rate}@{SystemClock().now().timestamp()}={SHOWN.timestamp()}"


def settings(folder: Path, pace: str, role: str = "desk") -> Settings:
    return read({"HUB_DATA": str(folder), "HUB_SITE_DATA": str(folder), "HUB_PACE": pace}, role)


def test_two_processes_with_the_same_pace_show_the_same_time() -> None:
    pace = paced(1000)
    first, second = PacedClock.of(pace), PacedClock.of(pace)
    assert abs(first.now() - second.now()) < timedelta(seconds=100)  # a tenth of a second of life between the two
    assert first.now() >= SHOWN


async def test_waiting_is_shorter_by_as_much_as_time_is_faster() -> None:
    clock, life = PacedClock.of(paced(1000)), SystemClock()
    began, alive = clock.monotonic(), life.monotonic()
    await clock.sleep(100)
    assert clock.monotonic() - began >= 99
    assert life.monotonic() - alive < 20


@pytest.mark.parametrize("pace", ["quick", "0.5@1=1", "2000@1=1", "30", "30@now=then", "nan@1=1"])
def test_a_pace_that_is_none_is_refused_with_how_it_is_written(pace: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="倍数@起点=所示时刻"):
        wiring.clock_of(settings(tmp_path, pace))


def test_without_a_pace_everybody_has_the_machines_clock(tmp_path: Path) -> None:
    assert isinstance(wiring.clock_of(settings(tmp_path, "")), SystemClock)


async def test_a_desk_and_a_site_of_production_refuse_every_other_time(tmp_path: Path) -> None:
    given = {"HUB_DATA": str(tmp_path), "HUB_SECRET_KEY": "5e" * 32, "HUB_PACE": paced(30)}
    desk = read(given, "desk")
    await wiring.birth(desk, "production")
    with pytest.raises(Misconfigured, match="HUB_PACE"):
        async with wiring.open_desk(desk):
            pass
    site = settings(tmp_path, paced(30), "site")
    assert site["HUB_SITE_MARK"] == "production"
    with pytest.raises(Misconfigured, match="HUB_PACE"):
        wiring.make_site(site, wiring.site_store(site))


async def test_a_demonstrations_desk_lives_in_its_own_time(tmp_path: Path) -> None:
    desk_settings = settings(tmp_path, paced(30))
    await wiring.birth(desk_settings, "demo")
    async with wiring.open_desk(desk_settings) as desk:
        assert SHOWN <= desk.clock.now() < SHOWN + timedelta(hours=1)
