"""What `doctor` says of the holidays it knows, before a clock runs past them."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from hub.clock import SetClock
from hub.commands.doctor import AHEAD, look_at_holidays
from hub.domain.almanac import KNOWN_UNTIL

END = datetime.combine(KNOWN_UNTIL, time(4), UTC)


def test_while_the_holidays_of_every_running_clock_are_known_nothing_is_asked() -> None:
    found = look_at_holidays(SetClock(END - AHEAD))
    assert (found.state, found.advice) == ("ok", "")


def test_before_the_known_holidays_end_the_office_is_told_what_to_bring_up_to_date() -> None:
    found = look_at_holidays(SetClock(END - AHEAD + timedelta(days=1)))
    assert found.state == "warn"
    assert "chinesecalendar" in found.advice
    assert str(KNOWN_UNTIL.year) in found.said
