"""From figures to the geometry of the small charts on our pages; pure arithmetic, no markup and no colour.

Coordinates are SVG user units, the origin at the top left. The words that describe a chart to a screen reader are
written here from the same figures, so that the picture and the sentence cannot part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from hub.wording import number

LABEL_ROOM = 95  # how wide one label of the time axis stands, with the gap beside it
TICKS = 4  # how many steps the value axis has, at most one more
STEPS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Spark:
    """A small line without axes: `points` for a polyline, the last point for its dot."""

    width: int
    height: int
    points: str
    last_x: float
    last_y: float
    label: str


@dataclass(frozen=True)
class Tick:
    """One mark on an axis: where it is and what it says."""

    at: float
    text: str


@dataclass(frozen=True)
class Flag:
    """One of our own acts or a threshold on the time axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Curve:
    """One series: its line's points and its last point."""

    points: str
    last_x: float
    last_y: float


@dataclass(frozen=True)
class LinePlot:
    """Curves against a usual band, inside axes."""

    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    curves: tuple[Curve, ...]
    band: str
    values: tuple[Tick, ...]
    times: tuple[Tick, ...]
    flags: tuple[Flag, ...]
    label: str


@dataclass(frozen=True)
class Bar:
    """One place on the time axis: the lower part (people) and the part stacked on it (copies)."""

    x: float
    width: float
    low_y: float
    low_height: float
    high_y: float
    high_height: float


@dataclass(frozen=True)
class StackPlot:
    """Bars in two parts inside axes."""

    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    bars: tuple[Bar, ...]
    values: tuple[Tick, ...]
    times: tuple[Tick, ...]
    flags: tuple[Flag, ...]
    label: str


@dataclass(frozen=True)
class _Frame:
    """Where the axes stand in a drawing of this size."""

    width: int
    height: int
    left: float = 38.0
    top: float = 26.0
    side: float = 10.0
    foot: float = 24.0

    @property
    def right(self) -> float:
        return self.width - self.side

    @property
    def bottom(self) -> float:
        return self.height - self.foot

    def y(self, value: float, most: float) -> float:
        return round(self.bottom - (self.bottom - self.top) * value / most, 1)

    def x(self, place: float, places: int) -> float:
        return round(self.left + (self.right - self.left) * place / max(places - 1, 1), 1)


def spark(values: Sequence[float], name: str, *, width: int = 96, height: int = 28) -> Spark:
    """A line of `values` in time order; a flat or single value lies in the middle."""
    edge = 3.0
    least, most = (min(values), max(values)) if values else (0.0, 0.0)
    apart = (most - least) or 1.0
    flat = most == least
    step = (width - 2 * edge) / max(len(values) - 1, 1)
    spots = [
        (
            round(edge + step * place, 1),
            round(height / 2 if flat else height - edge - (height - 2 * edge) * (value - least) / apart, 1),
        )
        for place, value in enumerate(values)
    ]
    last = spots[-1] if spots else (edge, height / 2)
    return Spark(width, height, _joined(spots), last[0], last[1], described(name, values))


def line_plot(
    series: Sequence[Sequence[float]],
    names: Sequence[str],
    times: Sequence[str],
    *,
    band: Sequence[tuple[float, float]] = (),
    flags: Sequence[tuple[float, str]] = (),
    width: int = 860,
    height: int = 220,
) -> LinePlot:
    """Series of equal length over the same `times` (their labels); `band` is the usual from–to at each time.

    `flags` are (place on the time axis, fractions allowed, text).
    """
    frame = _Frame(width, height)
    places = len(times)
    most = _ceiling([value for line in series for value in line] + [high for _, high in band])
    curves = tuple(
        _curve([(frame.x(place, places), frame.y(value, most)) for place, value in enumerate(line)]) for line in series
    )
    upper = [(frame.x(place, places), frame.y(high, most)) for place, (_, high) in enumerate(band)]
    lower = [(frame.x(place, places), frame.y(low, most)) for place, (low, _) in enumerate(band)]
    return LinePlot(
        width, height, frame.left, frame.right, frame.top, frame.bottom, curves,
        _joined(upper + lower[::-1]),
        _value_ticks(frame, most),
        _time_ticks([frame.x(place, places) for place in range(places)], times, frame),
        tuple(Flag(frame.x(at, places), text) for at, text in flags),
        "；".join(described(name, line) for name, line in zip(names, series, strict=True)),
    )  # fmt: skip


def stack_plot(
    low: Sequence[float],
    high: Sequence[float],
    names: tuple[str, str],
    times: Sequence[str],
    *,
    flags: Sequence[tuple[float, str]] = (),
    width: int = 860,
    height: int = 180,
) -> StackPlot:
    """Bars of `low` with `high` stacked on each; `names` says what the two parts are."""
    frame = _Frame(width, height)
    most = _ceiling([below + above for below, above in zip(low, high, strict=True)])
    slot = (frame.right - frame.left) / max(len(times), 1)
    bars = tuple(_bar(frame, slot, place, pair, most) for place, pair in enumerate(zip(low, high, strict=True)))
    centres = [round(frame.left + slot * (place + 0.5), 1) for place in range(len(times))]
    return StackPlot(
        width, height, frame.left, frame.right, frame.top, frame.bottom, bars,
        _value_ticks(frame, most),
        _time_ticks(centres, times, frame),
        tuple(Flag(round(frame.left + slot * (at + 0.5), 1), text) for at, text in flags),
        f"{described(names[0], low)}；{described(names[1], high)}",
    )  # fmt: skip


def columns_of(times: Sequence[str], series: Sequence[Sequence[float]]) -> list[list[str | float]]:
    """The rows of the table that stands beside a chart: the time, then each series' figure."""
    return [[time, *(line[place] for line in series)] for place, time in enumerate(times)]


def described(name: str, values: Sequence[float]) -> str:
    """One sentence for those who hear the chart: how it began, its height, how it ended."""
    if not values:
        return f"{name}：没有数据"
    ends = f"由 {_plain(values[0])} 到 {_plain(values[-1])}" if len(values) > 1 else f"{_plain(values[0])}"
    return f"{name}：{ends}，最高 {_plain(max(values))}，最低 {_plain(min(values))}"


def _bar(frame: _Frame, slot: float, place: int, pair: tuple[float, float], most: float) -> Bar:
    below, above = pair
    low_y, high_y = frame.y(below, most), frame.y(below + above, most)
    return Bar(
        round(frame.left + slot * (place + 0.12), 1), round(slot * 0.76, 1),
        low_y, round(frame.bottom - low_y, 1), high_y, round(low_y - high_y, 1),
    )  # fmt: skip


def _curve(spots: Sequence[tuple[float, float]]) -> Curve:
    last = spots[-1] if spots else (0.0, 0.0)
    return Curve(_joined(spots), last[0], last[1])


def _joined(spots: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in spots)


def _ceiling(values: Sequence[float]) -> float:
    """A round top for the value axis, at or above everything drawn."""
    most = max(values, default=0.0)
    if most <= TICKS:
        return float(TICKS)
    return _step(most) * ceil(most / _step(most))


def _step(most: float) -> float:
    """The distance of two value ticks: 1, 2, 5 or 10 times a power of ten, as people count."""
    rough = most / TICKS
    scale = 10 ** floor(log10(rough))
    return float(next(step * scale for step in STEPS if step * scale >= rough))


def _value_ticks(frame: _Frame, most: float) -> tuple[Tick, ...]:
    step = _step(most) if most > TICKS else 1.0
    return tuple(Tick(frame.y(step * place, most), number(step * place)) for place in range(round(most / step) + 1))


def _time_ticks(spots: Sequence[float], times: Sequence[str], frame: _Frame) -> tuple[Tick, ...]:
    """Every n-th label, so that each has about a hundred units of room; an empty label is never shown."""
    every = max(1, ceil(len(times) * LABEL_ROOM / frame.width))
    return tuple(Tick(spots[place], text) for place, text in enumerate(times) if place % every == 0 and text)


def _plain(value: float) -> str:
    return number(value) if value == int(value) else f"{value:g}"
