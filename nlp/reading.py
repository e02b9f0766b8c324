"""Reading (分析): one call from a text to its Analysis; each part lives in its own file, many texts in detectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Protocol

from nlp.contract import Analysis, Sentiment, Urgency
from nlp.copies import marks_of_many
from nlp.joined import Joined
from nlp.normal import normalise, normalise_many
from nlp.places import Places
from nlp.sentiment import THRESHOLD, Model, Snownlp, load_model
from nlp.shown_terms import ShownTerms
from nlp.summary import summary_of
from nlp.terms import Terms
from nlp.topics import Topics, civic_topics, title_length
from nlp.training import profile_of
from nlp.words import Words, office_dictionary

KINDS = ("comment", "post", "letter", "message")
SNOWNLP = "snownlp"
_LETTER_LENGTH = 160
_COMMENT_LENGTH = 60
_ADDRESSED = ("尊敬", "您好", "你好", "领导", "反映", "咨询", "请问", "关于", "本人", "我是")


class Hints(Protocol):
    """Whatever says what may be urgent in normalised texts."""

    def read_many(self, texts: Sequence[str]) -> list[Urgency | None]: ...


class Judge(Protocol):
    """Whatever says the sentiment of normalised texts."""

    def judge(self, text: str, *, with_reasons: bool = True) -> Sentiment: ...
    def judge_many(self, plains: Sequence[str], *, with_reasons: bool = True) -> list[Sentiment]: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One text to be read, with what is known of it."""

    text: str
    kind: str | None = None
    district: str | None = None


class Reader:
    """Reads texts for one office. Made once per process; reading changes nothing, so threads may share it."""

    def __init__(
        self,
        office_words: str | None = None,
        *,
        model: Model | Path | str | None = None,
        reference: bool = False,
        topics: Topics | None = None,
        with_reasons: bool = True,
        threshold: float = THRESHOLD,
        name: str = "",
        urgency: Hints | None = None,
    ) -> None:
        """`office_words` is the text of a user dictionary in jieba's format (None: the demo city's).

        Words tagged `ns` or `ns:district` are places as well. `model` is a model or its file, or "snownlp" for snownlp
        as installed; `reference` cuts with jieba itself. `threshold`: from which a text counts as negative. `name`: the
        model's, for whoever asks later. `urgency` reads what may be urgent (None: nobody does).
        """
        own = office_dictionary(office_words)
        self.words = Words(own, reference=reference)
        self.places = Places(own)
        self.terms = Terms(self.words)
        self._shown_terms = ShownTerms(self.words, self.terms)
        self.topics = topics or civic_topics()
        self._urgency = urgency
        self._judges = _judges(model, threshold)
        self._model, self._threshold = name, threshold
        self._with_reasons = with_reasons

    def read(self, text: str, kind: str | None = None, *, district: str | None = None) -> Analysis:
        """What is read from one text, of any length and content. A district that is known already is kept."""
        return self.read_many([Asked(text, kind, district)])[0]

    def read_many(self, asked: Sequence[Asked]) -> list[Analysis]:
        """The same of many texts, in their order; some dozens together cost half of one by one."""
        texts = [one.text for one in asked]
        plains = normalise_many(texts)
        sorts = list(map(_sort_of, asked, plains))
        joined = Joined(plains)
        terms, places = self._shown_terms.of(joined), self.places.find_many(joined)
        routes, marks = self.topics.route_many(joined, list(map(title_length, texts, plains))), marks_of_many(joined)
        columns = (
            self._judged(plains, sorts),
            terms,
            [names for names, _ in places],
            [one.district or found for one, (_, found) in zip(asked, places, strict=True)],
            [route.topic if route else None for route in routes],
            [key for key, _ in marks],
            [mark for _, mark in marks],
            sorts,
            [one.kind not in KINDS for one in asked],
            repeat(self._model),
            repeat(self._threshold),
            [route.branch if route else None for route in routes],
            list(map(summary_of, plains, terms)),
            self._urgency.read_many(plains) if self._urgency else repeat(None),
        )
        return list(map(Analysis, *columns))  # in the order of its fields

    def _judged(self, plains: Sequence[str], sorts: Sequence[str]) -> list[Sentiment]:
        """Each text by the judge of its kind."""
        found: dict[int, Sentiment] = {}
        profiles = list(map(profile_of, sorts))
        for profile in set(profiles):
            places = [place for place, own in enumerate(profiles) if own == profile]
            some = [plains[place] for place in places]
            answers = self._judges[profile].judge_many(some, with_reasons=self._with_reasons)
            found |= dict(zip(places, answers, strict=True))
        return [found[place] for place in range(len(plains))]

    def sentiment(self, text: str, kind: str | None = None) -> Sentiment:
        """Only the sentiment of one text."""
        plain = normalise(text)
        sort = kind if kind in KINDS else guess_kind(plain)
        return self._judges[profile_of(sort)].judge(plain, with_reasons=self._with_reasons)


def _sort_of(asked: Asked, plain: str) -> str:
    return asked.kind if asked.kind in KINDS else guess_kind(plain)


def guess_kind(plain: str) -> str:
    """The kind of text that a normalised text looks like, where nobody said."""
    if len(plain) > _LETTER_LENGTH or (len(plain) > _COMMENT_LENGTH and plain.startswith(_ADDRESSED)):
        return "letter"
    if len(plain) > _COMMENT_LENGTH or plain.count("#") > 1 or plain.startswith("【"):
        return "post"
    return "comment"


def _judges(model: Model | Path | str | None, threshold: float) -> dict[str, Judge]:
    if model == SNOWNLP:
        snownlp = Snownlp()
        return {"comment": snownlp, "post": snownlp}
    if not isinstance(model, Model):
        model = load_model(Path(model) if model else None)
    return dict(model.scorers(threshold))
