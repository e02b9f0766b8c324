"""Danger words (险情词表): a table of words by class, and where they stand in a text; weights live elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nlp.finder import Finder

NOTHING = "nothing"  # the class of what only looks like a word of danger

Word = tuple[int, int, tuple[str, ...]]  # where a word of the table begins and ends, and its classes


class WordTable:
    """Words by class, found the longest first and without overlap; those of the class `nothing` only keep a word
    from being seen inside another (下沉式, 资金链断裂)."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        classes: dict[str, tuple[str, ...]] = {}
        for kind, word in entries:
            classes[word] = (*classes.get(word, ()), kind)
        self.classes = classes
        self._classes = [() if kinds == (NOTHING,) else kinds for kinds in classes.values()]
        self._find = Finder(classes).matches

    def find(self, text: str) -> list[Word]:
        """In order of their beginning."""
        classes = self._classes
        return [(start, end, classes[number]) for number, start, end in self._find(text) if classes[number]]


def entries_of(table: str) -> Iterator[tuple[str, str]]:
    """The pairs (class, word) of a table's lines."""
    for line in table.splitlines():
        if line and not line.startswith("#"):
            kind, _, words = line.partition("\t")
            yield from ((kind, word) for word in words.split())
