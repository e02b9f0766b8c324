"""Danger (险情): what in a longer text may be a danger to life or a crowd, by words put together by hand; no learning.

A letter tells of a danger in one clause: a thing that people live in, stand under or ride in, a failure that can kill,
and beside it who is there and how near it is. Each such place is weighed by itself; what is supposed, long over, mended
or one of many complaints weighs less. The words that made it so are the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from nlp.contract import Urgency
from nlp.danger_words import NOTHING, Word, WordTable, entries_of

LOOKED_AT = 3_000  # characters of a text
EARLY = 45  # characters from the beginning: a title or a first clause says what the text is about
BEFORE, AFTER = 30, 12  # characters around a failure within which its thing stands
BESIDE = 70  # characters to both sides within which circumstances count
TAKEN_BACK = 30  # characters before a failure, in its sentence, within which it is taken back,
AND_AFTER = 14  # and after it
MENDED = 30  # characters after a failure within which it is told to be mended
WIDEST, WORDS = 70, 6  # characters of the clause that is shown, and how many words are named

# All weights are set by hand. What a failure weighs, by what fails; `""`: whatever it is.
FAILURES: Mapping[str, Mapping[str, float]] = {
    "fall": {"build": 3.0, "ground": 3.0, "lift": 3.0, "over": 2.0, "wire": 2.0, "road": 2.0, "": 1.5},
    "sink": {"build": 2.5, "ground": 2.5, "lift": 2.0, "over": 1.5, "road": 0.5},
    "crack": {"build": 1.5, "ground": 2.0, "lift": 1.0, "road": 0.5},
    "drop": {"lift": 3.0, "wire": 2.0, "over": 1.5, "ground": 1.5, "build": 1.0},
    "hang": {"over": 2.0, "lift": 2.0, "build": 1.5, "ground": 1.5},
    "trap": {"lift": 2.0},
    "leak": {"gas": 2.5, "goods": 2.5},
    "smell": {"": 2.5},
    "burn": {"wire": 2.0, "build": 2.0, "gas": 2.0, "goods": 2.0, "": 1.5},
    "fire": {"": 0.5},
    "boom": {"gas": 2.0, "goods": 2.0, "wire": 1.0, "": 0.5},
    "spark": {"wire": 2.5, "build": 1.0},
    "shock": {"wire": 2.5, "build": 2.0, "person": 2.0, "": 1.5},
    "fell": {"hole": 2.5, "water": 2.5, "person": 2.0, "over": 2.0, "lift": 2.0, "build": 1.5},
    "gone": {"hole": 2.0, "water": 1.5},
    "overload": {"bus": 2.0},
    "hoard": {"goods": 2.0},
    "flood": {"person": 1.5, "build": 1.0, "": 0.5},
    "soaked": {"build": 0.5, "person": 0.5},
    "beast": {"person": 1.5, "": 1.0},
    "poison": {"person": 2.0, "gas": 2.0, "": 1.0},
    "slow": {"person": 1.0},
    "fuel": {"build": 1.5, "": 1.0},
    "unsafe": {"": 1.5},
    "thrown": {"": 1.0},
    "jump": {"build": 2.0, "person": 2.0, "ground": 2.0, "": 1.0},
    "self": {"": 3.0},
    "deed": {"": 1.0},
    "viol": {"": 2.5},
    "beat": {"": 1.5},
    "threat": {"": 1.0},
    "hold": {"": 2.0},
    "lost": {"person": 2.5, "": 0.5},
    "still": {"person": 2.5, "lift": 2.0, "patient": 1.5, "": 0.5},
    "dying": {"": 3.0},
    "ill": {"person": 1.5, "patient": 1.5, "": 1.0},
    "short": {"patient": 2.0},
    "help": {"": 1.5},
}
CROWD: Mapping[str, float] = {"": 3.0}
# What stands beside it adds, each class once, together no more than MOST nor than the failure itself; what takes it
# back counts once, the strongest.
BESIDES: Mapping[str, float] = {
    "home": 1.5, "now": 1.0, "hurt": 1.5, "jolt": 1.0,
    "life": 0.5, "fear": 0.5, "grave": 0.5, "who": 0.5, "rain": 0.5, "idle": 0.5,
}  # fmt: skip
PLANNED: Mapping[str, float] = {"plan": 1.0}
MOST = 2.5
BACK: Mapping[str, float] = {"past": 2.5, "supposed": 2.5, "elsewhere": 2.5}
DONE, NEW = 2.0, 1.0  # what is mended; what cracks or drops in a flat just handed over
OF_NEW = frozenset({"crack", "drop"})
# Of the whole text: told by several words; a danger also: early; after a question, or as one of a list of complaints.
SOON, AGAIN, MOST_AGAIN = 1.0, 0.5, 1.5
FULL, ALSO = 2.5, 1.5  # what a place must weigh to count as early, and as one of several
ASKED, LISTED, FEW, MOST_LISTED = 1.0, 0.5, 2, 1.5
LEAST: Mapping[str, float] = {"life": 3.0, "gathering": 4.0}  # from which weight on a kind is said, in this order
_ENDS = "。！？!?；;"
_EDGES = "，,。！？!?；;、：: "


@lru_cache(maxsize=1)
def danger_words() -> tuple[WordTable, WordTable]:
    """Failures and crowds, for which every text is searched; and what may stand beside them."""
    entries = list(entries_of((files("nlp") / "lexicon" / "danger.tsv").read_text(encoding="utf-8")))
    first = {*FAILURES, "crowd"}
    return (
        WordTable(one for one in entries if one[0] in first or one[0] == NOTHING),
        WordTable(one for one in entries if one[0] not in first),
    )


@dataclass(frozen=True, slots=True)
class Sign:
    """One place of a text that speaks for a kind: its weight, whether nothing takes it back, and the words that made
    it so, its own word first."""

    kind: str
    weight: float
    firm: bool
    words: tuple[Word, ...]


def danger_in(text: str) -> Urgency | None:
    """What may be urgent in a normalised text of some length; danger to life goes before a crowd. None: nothing."""
    text = text[:LOOKED_AT]
    failures, beside = danger_words()
    found = failures.find(text)
    if not found:
        return None
    around = beside.find(text)
    signs = [sign for word in found for sign in _signs(text, word, around)]
    for kind, least in LEAST.items():
        some = [sign for sign in signs if sign.kind == kind]
        if some and weight_of(text, some, around) >= least:
            return _said(text, max(some, key=lambda sign: sign.weight))
    return None


def weight_of(text: str, signs: list[Sign], around: list[Word]) -> float:
    """What the signs of one kind weigh together."""
    best = max(sign.weight for sign in signs)
    told = {text[slice(*sign.words[0][:2])] for sign in signs if sign.weight >= ALSO}
    weight = best + min(MOST_AGAIN, AGAIN * max(0, len(told) - 1))
    if signs[0].kind != "life":
        return weight
    early = any(sign.firm and sign.weight >= FULL and sign.words[0][0] < EARLY for sign in signs)
    return weight + SOON * early - _in_passing(around)


def _in_passing(around: list[Word]) -> float:
    asked = any("ask" in kinds and start < EARLY for start, _, kinds in around)
    listed = sum("list" in kinds for _, _, kinds in around)
    return ASKED * asked + min(MOST_LISTED, LISTED * max(0, listed - FEW))


def _signs(text: str, word: Word, around: list[Word]) -> Iterator[Sign]:
    start, end, kinds = word
    near = [one for one in around if start - BESIDE <= one[0] and one[1] <= end + BESIDE]
    title = [one for one in around if one[1] <= EARLY]
    for kind in kinds:
        thing, weight = _thing(word, [*title, *near], FAILURES.get(kind, CROWD))
        if weight:
            crowd = kind == "crowd"
            beside = _circumstances(near, PLANNED if crowd else BESIDES)
            more = min(MOST, weight, sum(extra for _, extra in beside.values()))
            less = _taken_back(text, word, kind, near)
            words = (word, *thing, *(one for one, _ in beside.values()))
            yield Sign("gathering" if crowd else "life", weight + more - less, less == 0.0, words)


def _thing(word: Word, near: list[Word], weights: Mapping[str, float]) -> tuple[list[Word], float]:
    """What fails, and what it weighs that this fails: the last of the heaviest within reach."""
    start, end, _ = word
    best: list[Word] = []
    most = weights.get("", 0.0)
    for one in near:
        if one[1] <= EARLY or (start - BEFORE <= one[0] and one[1] <= end + AFTER):
            weight = max(weights.get(kind, 0.0) for kind in one[2])
            if weight >= most and weight > 0.0:
                best, most = [one], weight
    return best, most


def _circumstances(near: list[Word], weights: Mapping[str, float]) -> dict[str, tuple[Word, float]]:
    """Of each class that adds the first word."""
    found: dict[str, tuple[Word, float]] = {}
    for one in near:
        for kind in one[2]:
            if kind in weights:
                found.setdefault(kind, (one, weights[kind]))
    return found


def _taken_back(text: str, word: Word, failure: str, near: list[Word]) -> float:
    start, end, _ = word
    since = max(start - TAKEN_BACK, *(text.rfind(mark, 0, start) for mark in _ENDS))
    most = 0.0
    for first, _, kinds in near:
        for kind in kinds:
            if kind == "present" and first < start:
                most = 0.0
            elif kind in BACK and since <= first < end + AND_AFTER:
                most = max(most, BACK[kind])
            elif kind == "done" and start <= first <= end + MENDED:
                most = max(most, DONE)
            elif kind == "flat" and failure in OF_NEW:
                most = max(most, NEW)
    return most


def _said(text: str, sign: Sign) -> Urgency:
    """The sentence of the sign, or what is nearest in a long one, and its words."""
    start, end, _ = sign.words[0]
    first = max(text.rfind(mark, 0, start) for mark in _ENDS) + 1
    last = min(place if (place := text.find(mark, end)) >= 0 else len(text) for mark in _ENDS)
    if last - first > WIDEST:
        first, last = max(first, start - WIDEST // 2), min(last, end + WIDEST // 2)
    words = dict.fromkeys(text[one[0] : one[1]] for one in sign.words)
    return Urgency(sign.kind, text[first:last].strip(_EDGES), tuple(words)[:WORDS])
