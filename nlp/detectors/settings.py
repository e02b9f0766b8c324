"""Settings of the detectors: every figure with its meaning, as data; an office's policies may replace them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Grade:
    """What an issue that is told must have besides to stand a level higher; everything in it is needed.

    It spreads where it comes from more than one channel or district; `quick`: so many voices within a day. `either`:
    one of these two is enough.
    """

    level: str
    voices: int
    chance: float
    unhappy: float  # share of the voices
    quick: int
    either: bool


DAY = 86_400_000  # milliseconds
LEVELS = ("yellow", "orange", "red")  # those that tell people, the lowest first
GRADES = (
    Grade("orange", 12, 1e-4, 0.5, 8, either=True),
    Grade("red", 30, 1e-6, 0.6, 15, either=False),
)


@dataclass(frozen=True)
class ClusterSettings:
    """Figures of the cluster detector, found on half a year of letters and on streams of short comments."""

    window_days: float = 14.0  # voices are counted over so long
    short_hours: tuple[float, ...] = (1.0, 6.0, 24.0)  # and over these, so that a burst is seen in a busy stream
    area_hours: float = 24.0  # so long after its last voice an issue told about a sudden matter takes its district's
    least_voices: int = 4  # distinct people, whatever the chance
    watch_voices: int = 3  # from so many on an issue stands on the board,
    watch_chance: float = 0.2  # if the chance is below this
    chance: float = 0.01  # an alert needs a chance below this, all that is looked at together
    likeness: float = 0.12  # cosine from which a text belongs to a cluster
    shared: float = 0.5  # share of the voices that must hold the same two terms: a place alone is no matter
    place_weight: float = 1.5  # what a place's name weighs beside another word
    matter_weight: float = 9.0  # what a matter (水质, 供暖 …) weighs, in the units of rarity
    stray: float = 0.0012  # chance that a text falls on a given cluster, before a channel has shown its own
    plain_pair: float = 13.0  # information (natural log) of two shared terms that makes them neither rare nor common
    pair_scale: float = 3.0  # so much more information makes strays e times rarer
    rarest: float = 0.05  # no pair makes strays rarer than this
    commonest: float = 6.0  # or more common than this
    name_bonus: float = 3.0  # information a name adds: places and matters are independent, words of one talk are not
    unhappy: float = 0.5  # share of unhappy voices before a channel has shown its own
    kindly: float = 0.2  # mean of `negative` below which people only praise: no alert
    grades: tuple[Grade, ...] = GRADES
    alerts_a_week: int = 2  # beyond so many, each further one needs a tenth of the chance
    same: float = 0.6  # share of three-letter pieces from which a voice is a copy of another in its cluster
    cool_down_days: float = 30.0  # no second alert of a cluster within
    forget_days: float = 45.0  # a cluster with no voice for so long is forgotten
    half_life_days: float = 30.0  # of the baseline
    terms_per_text: int = 40
    terms_per_cluster: int = 80
    clusters: int = 20_000  # live ones, the oldest go first
    texts_counted: int = 10_000  # texts over which the commonness of terms is counted
    crowded: int = 200  # a term in more clusters than this points to none
    ids: int = 200  # newest reply ids told
    events_in_all: int = 200_000  # voices and copies of all clusters; beyond, the most silent clusters go first
    events: int = 2_000  # newest voices and copies that a cluster remembers
    cell_voices: int = 6  # people who make a topic of a district rise: they need share no word
    cells: int = 2_000  # topics of districts that are counted, the most silent go first
    mentions: int = 2_000  # newest voices that one of them remembers
    mentions_in_all: int = 100_000  # and all of them
    heads: int = 12  # newest voices of a cluster whose wording is kept, to know copies by

    @cached_property
    def window(self) -> int:
        """`window_days` in milliseconds."""
        return int(self.window_days * DAY)
