"""The documents about channels made from their data: what each can do, its limits, its numbers; no decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from channels.contract import Capabilities, Limit, Who
from channels.kinds import DECLARED
from channels.weibo.codes import CODES, Again
from channels.weibo.profile import TIERS

_CONFIRMS = {"at_once": "at once", "later": "later"}
_LOOKUP = {
    "trusted": "trusted: not seen twice means not there",
    "hint": "a hint: only a find says something",
    "none": "none",
}
_AGAIN = {
    Again.NEVER: "no",
    Again.SOON: "soon",
    Again.WAIT: "after a wait",
    Again.LOOK: "look first",
    Again.DONE: "it is done",
}
_WHO = {Who.EDITOR: "editor", Who.ADMINISTRATOR: "administrator", Who.NOBODY: "nobody, it passes"}


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows)]) + "\n"


def _limits(limits: Mapping[str, Limit]) -> str:
    rows = ((name, f"{limit.value:,}", limit.unit, limit.source, limit.read_on) for name, limit in limits.items())
    return _table(("name", "value", "unit", "source", "read on"), rows)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _row(one: Capabilities) -> tuple[str, ...]:
    return (
        f"{one.sign} {one.name} (`{one.kind}`)",
        _CONFIRMS[one.confirms],
        _LOOKUP[one.lookup],
        _yes(one.honours_key),
        _yes(one.can_correct),
        _yes(one.can_withdraw),
        one.listens,
        _yes(one.answers),
        _yes(one.needs_link),
    )


def describe() -> str:
    """docs/channels/README.md: every channel's abilities and limits."""
    head = ("channel", "confirms", "look-up", "honours our key", "corrects", "withdraws", "listens", "answers", "link")
    parts = [
        "# Channels\n\nMade from the channels' own data by `channels.papers.describe`; do not edit.\n",
        _table(head, (_row(one) for one in DECLARED.values())),
    ]
    for one in DECLARED.values():
        parts.append(f"## {one.name}\n\n{_limits({**one.limits, **one.quotas})}")
    return "\n".join(parts)


def describe_weibo() -> str:
    """docs/channels/weibo.md: settings, tiers and the table of the platform's numbers."""
    figures = ("calls_day", "posts_day", "readbacks_day", "reconciliation_day", "checks_day", "comments_day")
    tiers = ((name, *(getattr(tier, figure) for figure in figures)) for name, tier in TIERS.items())
    codes = (
        (code.number, code.reason, _WHO[code.who], _AGAIN[code.again], "nothing public" if code.sure else "perhaps")
        for code in CODES.values()
    )
    return "\n".join(
        (
            "# 微博\n\nMade from the connector's data by `channels.papers.describe_weibo`; do not edit.\n",
            _WEIBO,
            "## A day of calls\n\nOne account's calls; comments get what is left, spread over the day.\n",
            _table(("tier", *figures), tiers),
            "## The platform's numbers\n\nAny other number: 结果不明 after a publication, else a refusal.\n",
            _table(("number", "said to people", "who acts", "again", "after a publication"), codes),
        )
    )


_WEIBO = """## An account

- `settings`: `base_url` (https://api.weibo.com, or the rehearsal's), `page_url` (where posts are read,
  https://weibo.com), `domain` (the app's approved domain, without scheme), `rip` (the office's address), `uid`.
- `credentials`: `access_token`, `uid`. A token ends after 30 days; the account is shown as 即将到期 a week before.
- `profile`: `tier` and, by name, any figure of the tier that differs.
- The override's `text` goes out as it is, never cut, only found too long; else title and digest make the text. One
  picture goes along, the first.

## What it does

The post waits for the website's address and carries it. A post is read back once; while it cannot be seen it is
pending. The platform knows no key: a lost answer is 结果不明 until the post is found in the newest few by its words
(links are not compared, since the platform shortens them), or until a person says what became of it. "Repeated text"
counts as published only when a post made during this very call is found. Deleting and changing are done by hand: the
open interface has neither.
"""
