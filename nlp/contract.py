"""What reading a text gives: the analysis as plain data, shared by the readers, the detectors and whoever asks.

What is made of every text is a named tuple: of the two kinds of frozen things the one that costs a third.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple


class Reason(NamedTuple):
    """One piece of the text that moved the judgement, and by how much (towards negative above zero)."""

    piece: str
    weight: float


class Sentiment(NamedTuple):
    """情感: `negative` is 0..1, calibrated; `label` is decided at the threshold in force; `sure` is False in doubt."""

    label: str  # neg, neu, pos
    negative: float
    sure: bool
    why: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Urgency:
    """可能紧急: which kind (life, gathering, deadline, vulnerable) the reading takes for possible, the clause that
    says so, and the words that moved it. A possibility for a person to look at, never a finding."""

    kind: str
    clause: str
    words: tuple[str, ...] = ()


class Analysis(NamedTuple):
    """分析: what was read from one text. `copy_key` is the same for exact copies after normalising. `model` and
    `threshold` say what decided the sentiment's label, so that a figure of the past can still be understood."""

    sentiment: Sentiment
    terms: tuple[str, ...]  # the words that carry the matter, strongest first
    places: tuple[str, ...]
    district: str | None
    topic: str | None
    copy_key: str
    simhash: int
    kind: str  # comment, post, letter, message
    kind_guessed: bool
    model: str = ""
    threshold: float = 0.5
    branch: str | None = None  # the first level of the tree, under which the topic stands
    summary: str = ""  # one sentence of a long text, in its own words
    urgency: Urgency | None = None

    def plain(self) -> dict[str, Any]:
        """By name, down to the last reason."""
        why = [reason._asdict() for reason in self.sentiment.why]
        sentiment = {**self.sentiment._asdict(), "why": why}
        urgency = asdict(self.urgency) if self.urgency else None
        return {**self._asdict(), "sentiment": sentiment, "urgency": urgency}


@dataclass(frozen=True)
class Voice:
    """One reply on its way through a detector. `author` is any stable mark of the person; `negative` is 0..1;
    `confidential` words (举报, 信访) are shown in no list, and no watch word hits them."""

    id: str
    author: str
    text: str
    at: datetime
    channel: str = ""
    district: str = ""
    topic: str = ""
    negative: float = 0.5
    confidential: bool = False


@dataclass(frozen=True)
class IssueChange:
    """What a detector says of one cluster after a tick: its numbers, and the level it has reached (or None).

    `level` is None (not told), "watch" (观察), "yellow", "orange" or "red". `alert` is True when this change should
    tell people: the level was reached for the first time, or rose, and no cool-down holds it.
    """

    issue: str
    at: datetime
    level: str | None
    alert: bool
    title: str
    voices: int
    copies: int
    negative: int
    channels: tuple[str, ...]
    districts: tuple[str, ...]
    usual: float
    chance: float
    terms: tuple[str, ...]
    reply_ids: tuple[str, ...]
    first_at: datetime
    explanation: str
    into: str = ""  # the issue that its voices went over to
    doubt: int = 0  # number of the decision (误报) for which this matter must be surer before it tells
    word: str = ""  # the watch word that gathered it; empty where a cluster is meant
    telling: int = 0  # of a watch word: how often this gathering has told
    cell: str = ""  # district and topic that rose, where no cluster and no watch word is meant
