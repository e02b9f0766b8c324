"""The documents about channels made from their data: what each can do, its limits, its numbers; no decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from channels.contract import Capabilities, Limit, Who
from channels.kinds import DECLARED
from channels.wechat import codes as wechat_codes
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


def describe_wechat() -> str:
    """docs/channels/wechat.md: settings, what it does, and the table of the platform's numbers."""
    again = {each: each.value for each in wechat_codes.Again}
    codes = (
        (code.number, code.reason, _WHO[code.who], again[code.again], "nothing public" if code.sure else "perhaps")
        for code in wechat_codes.CODES.values()
    )
    return "\n".join(
        (
            "# 微信公众号\n\nMade from the connector's data by `channels.papers.describe_wechat`; do not edit.\n",
            _WECHAT,
            "## The platform's numbers\n\nAny other number: 结果不明 after a publication, else a refusal.\n",
            _table(("number", "said to people", "who acts", "again", "after a publication"), codes),
        )
    )


_WECHAT = """## An account

- `settings`: `app_id`, `base_url` (https://api.weixin.qq.com, or the rehearsal's), `page_url` (where articles
  are read) and `default_cover` (the content address of a picture for texts without one).
- `credentials`: `secret` (AppSecret), and for messages `callback_token` and `aes_key`, which the website gets
  too: it proves with them what the platform posts to `/callbacks/wechat/ACCOUNT` and can do nothing else.
- `profile`: by name, any figure of `channels/wechat/profile.py` that differs; `comments` 0 where the account
  has none.
- The account must be certified: others have lost the interface for publishing in July 2025 (48001).

## What it does

This is 发布 (freepublish): the article has an address and can stand in the menu, and nobody's phone rings. 群发
is another act with other quotas, and is not built yet.

Pictures are uploaded one by one and named in a refusal; the draft carries a mark of the publication behind the
website's address (阅读原文), so that a second try takes up the same draft. Submitting it is the one public
step: the platform takes it and decides later. Its event wakes the question; without one we ask ever more
rarely, since a day has 100 questions. A draft vanishes when it is published: a second submission is refused by
the platform itself, and a draft still in the box was certainly not published, which is why a look-up here can
be trusted. Gone and not yet among the articles: nobody can say, and a person is asked in the end. An article
cannot be changed; it can be deleted, for ever and without a notice.

Comments are read under the number that the submission gave (`msg_data_id`). Where the platform gave none, or
the article was found by a look, they cannot be read. Messages are answered by 客服消息 within 48 hours, five of
them at most; what comes later is `window_closed`, and another way has to be found.
"""
