"""检索: the terms of a text, and finding a phrase by them; which index answers lives in each store.

A text's terms are the character pairs of its Chinese runs, a single character where a run is only one long, and its
other words and numbers in lower case. A phrase is found by all of its terms at once, then looked for in the rows
themselves, because its pairs may also stand apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from hub.store.base import Document, Filter, Sort, Store
from hub.store.values import value_at

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff々〇"
_RUN = re.compile(f"([{_HAN}]+)|([^\\W_{_HAN}]+)")
_HAN_SIGN = re.compile(f"[{_HAN}]")
NEWEST: Sort = (("at", -1),)
TEXTS = ("text", "title")
MARGIN = 4  # rows looked at for each row wanted, at first
MOST = 2_000  # rows looked at for one search


def folded(text: str) -> str:
    """The text as terms see it: wide signs as narrow ones, small letters."""
    return unicodedata.normalize("NFKC", text).lower()


def terms_of(text: str, words: Iterable[str] = ()) -> list[str]:
    """The terms of a text, each once, in their order; `words` adds one-character words that a segmenter found."""
    terms: dict[str, None] = {}
    for han, other in _RUN.findall(folded(text)):
        if other:
            terms[other] = None
        elif len(han) == 1:
            terms[han] = None
        else:
            terms.update(dict.fromkeys(han[place : place + 2] for place in range(len(han) - 1)))
    terms.update(dict.fromkeys(word for word in words if len(word) == 1))
    return list(terms)


def asked_of(phrase: str) -> list[str]:
    """The terms to ask for. A single character counts only alone: in the text it may be part of a longer run."""
    terms = terms_of(phrase)
    longer = [term for term in terms if len(term) > 1 or not _HAN_SIGN.fullmatch(term)]
    return longer or terms


async def find_text(
    store: Store, table: str, phrase: str, where: Filter, limit: int, *, sort: Sort = NEWEST,
    texts: Sequence[str] = TEXTS,
) -> list[Document]:
    """The first rows that match the filter and hold every part of the phrase (parts stand between spaces).

    Empty for a phrase without a word. At most `MOST` rows are looked at, so a phrase whose terms are common but never
    stand together may find fewer than there are.
    """
    parts, terms = folded(phrase).split(), asked_of(phrase)
    if not terms:
        return []
    test: Filter = {"$and": [where, *({"terms": term} for term in terms)]}
    looked = min(limit * MARGIN, MOST)
    while True:
        rows = await store.find(table, test, sort=sort, limit=looked)
        found = [row for row in rows if _holds(row, parts, texts)][:limit]
        if len(found) == limit or len(rows) < looked or looked == MOST:
            return found
        looked = min(looked * MARGIN, MOST)


def _holds(row: Document, parts: Sequence[str], texts: Sequence[str]) -> bool:
    whole = folded("\n".join(str(value_at(row, path) or "") for path in texts))
    return all(part in whole for part in parts)
