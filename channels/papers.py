"""The documents about channels made from their data: what each can do, its limits, its numbers; no decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from channels.contract import Capabilities, Limit, Who
from channels.kinds import DECLARED
from channels.push.codes import CODES as PUSH_CODES
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


def _kinds(one: Capabilities) -> str:
    """Which pictures it takes; nothing where it takes none."""
    kinds = ", ".join(f"`{type}`" for type in one.picture_types)
    return f"Pictures: {kinds}.\n\n" if kinds else ""


def describe() -> str:
    """docs/channels/README.md: every channel's abilities and limits."""
    head = ("channel", "confirms", "look-up", "honours our key", "corrects", "withdraws", "listens", "answers", "link")
    parts = [
        "# Channels\n\nMade from the channels' own data by `channels.papers.describe`; do not edit.\n",
        _table(head, (_row(one) for one in DECLARED.values())),
    ]
    for one in DECLARED.values():
        parts.append(f"## {one.name}\n\n{_kinds(one)}{_limits({**one.limits, **one.quotas})}")
    return "\n".join(parts)


def describe_weibo() -> str:
    """docs/channels/weibo.md: settings, tiers and the table of the platform's numbers."""
    figures = (
        "calls_day", "posts_day", "readbacks_day", "reconciliation_day", "checks_day", "answers_day", "comments_day",
    )  # fmt: skip
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


def describe_push() -> str:
    """docs/channels/push.md: settings and the table of the platform's numbers."""
    codes = (
        (code.number, code.reason, _WHO[code.who], "after a wait" if code.after else "no",
         "no phone was told" if code.sure else "perhaps")
        for code in PUSH_CODES.values()
    )  # fmt: skip
    return "\n".join(
        (
            "# App 推送\n\nMade from the connector's data by `channels.papers.describe_push`; do not edit.\n",
            _PUSH,
            "## The platform's numbers\n\nAny other number: 结果不明 after a push, else a refusal.\n",
            _table(("number", "said to people", "who acts", "again", "after a push"), codes),
        )
    )


_PUSH = """## An account

- `settings`: `base_url` (https://api.jpush.cn, or the rehearsal's), `page_url` (where a person looks after a lost
  answer: the platform's own pages).
- `credentials`: `app_key`, `master_secret`.
- `profile`: by name, any figure that differs.
- The override's `title` and `text` go out as they are, never cut, only found too long. Else title and digest make the
  push, the digest cut at a sentence's end where it would not fit. Both kinds of phone are counted in bytes, as sent.

## What it does

A push goes to every phone of the app and opens the article on the website, so it waits for the website's address. It
has no address of its own. JPush answers at once with a message number.

The platform gives out numbers (cid) under which a push happens at most once in a day. One is fetched while staging and
written down with the attempt; whenever the same publication is tried again under the same key, also after a person has
said that it did not go out, it goes under the same cid, and the platform gives the first answer instead of a second
push. After 23 hours a cid is not used any more. Nothing can be looked up by words or by cid, and reports are given by
message number only: a lost answer is 结果不明 until a person has looked at the platform's pages.

1011 (no phone is registered) is a refusal that calls nobody. A push cannot be taken back or changed: both are left to a
person. An answer to a citizen goes to the one phone that its record names by `alias` or `registration_id`.

## The rehearsal

One local server stands for the three hosts of the platform, on the second port after 微博's. It is held to the public
client jpush 3.4.1. It begins without a phone; one is registered with `POST /_rehearsal/replies`
`{"device"?, "platform"?, "tags"?, "alias"?, "app"?}`. Open, since the documentation is silent: what an unknown or an
old cid means (here: 1003), how soon a report grows, the numbers of the device addresses.
"""


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
