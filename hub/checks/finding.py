"""校对提示: what a check says about one place of a text, and what a check is told; the rules live beside this file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

BLOCK, ACKNOWLEDGE, HINT = "block", "acknowledge", "hint"
SEVERITIES = (BLOCK, ACKNOWLEDGE, HINT)


@dataclass(frozen=True)
class Finding:
    """One remark. `start` and `end` are offsets in the text that was checked; `field` says which text that was.

    block: it does not go out like this · acknowledge: a named person must give a reason · hint: worth a look.
    """

    rule: str
    severity: str
    start: int
    end: int
    text: str
    message: str
    suggestion: str = ""
    field: str = "body"

    @property
    def key(self) -> str:
        """The name under which it is acknowledged: the same as long as rule, field and wording are; shows no text."""
        return hashlib.sha256(f"{self.rule}\n{self.field}\n{self.text}".encode()).hexdigest()[:16]

    def plain(self) -> dict[str, Any]:
        """As it stands in answers and in the output of `check --json`."""
        names = ("rule", "severity", "start", "end", "text", "message", "suggestion")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Context:
    """What a check may need beside the text: the day of writing, tables of the office, problems the channels found."""

    day: date
    words: Mapping[str, str] = field(default_factory=dict)  # the office's own wrong form -> right form
    problems: Sequence[Any] = ()  # channels.contract.Problem of one account's version


Check = Callable[[str, Context], Iterable[Finding]]
