"""Who may do what: one table of role × act, asked by every desk verb; who somebody is lives in people.py.

An act is `room.verb`. Where the table says "own", the subject must be the actor's own. Rules across people (no approval
of one's own text, one person one identity) are decided where the review is decided, and cannot be granted away here.
A token never approves, resolves, or changes people and rules, whatever scopes were written on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hub.domain.errors import FieldError, Invalid, NotAllowed
from hub.domain.people import NAMES, Actor, Role

E, R, M, H = Role.EDITOR, Role.REVIEWER, Role.MONITOR, Role.HANDLER
SYS, SEC, AUD = Role.SYSADMIN, Role.SECADMIN, Role.AUDITOR
OFFICE = frozenset({E, R, M, H})

RIGHTS: Mapping[str, frozenset[Role]] = {
    # act: roles that may
    "content.read": frozenset({E, R, M, H}),
    "content.write": frozenset({E}),
    "content.submit": frozenset({E}),
    "content.review": frozenset({R}),
    "content.schedule": frozenset({E, R}),
    "content.correct": frozenset({E, R}),
    "content.withdraw": frozenset({E, R, M}),
    "publication.read": frozenset({E, R, M}),
    "publication.hold": frozenset({E, R, M}),
    "publication.release": frozenset({E, R}),
    "publication.resolve": frozenset({E, R}),
    "account.read": frozenset({E, R, M, SYS}),
    "account.write": frozenset({SYS}),
    "hold.all": frozenset({E, R, M, SYS}),
    "hold.lift": frozenset({R}),
    "quiet.write": frozenset({R}),
    "reply.read": frozenset({E, R, M, H}),
    "reply.write": frozenset({M}),
    "reply.import": frozenset({M}),
    "reply.take": frozenset({M}),
    "reply.reveal": frozenset({M, H}),
    "model.read": frozenset({R, M, SYS}),
    "model.train": frozenset({M, SYS}),
    "model.use": frozenset({M, SYS}),
    "dictionary.read": frozenset({R, M, SYS}),
    "dictionary.write": frozenset({M, SYS}),
    "topic.write": frozenset({M, H}),
    "urgency.write": frozenset({E, R, M, H}),
    "urgency.train": frozenset({M, SYS}),
    "topic.tree": frozenset({M, SYS}),
    "issue.read": frozenset({E, R, M, H}),
    "alert.act": frozenset({M, R}),
    "issue.decide": frozenset({M}),
    "watchword.read": frozenset({R, M}),
    "watchword.write": frozenset({M}),
    "board.read": frozenset({E, R, M, H}),
    "case.read": frozenset({R, M, H}),
    "case.open": frozenset({M, H}),
    "case.accept": frozenset({M, H}),
    "case.note": frozenset({R, M, H}),
    "case.handle": frozenset({H}),
    "case.extend": frozenset({R, M}),
    "case.close": frozenset({M, H}),
    "canned.read": frozenset({R, M, H}),
    "canned.write": frozenset({R, H}),
    "answer.review": frozenset({R}),
    "answer.send": frozenset({R, H}),
    "answer.resolve": frozenset({R, H}),
    "notice.read": frozenset({E, R, M, H, SYS, SEC, AUD}),
    "user.read": frozenset({SEC, AUD}),
    "user.write": frozenset({SEC}),
    "token.write": frozenset({SEC}),
    "policy.read": frozenset({E, R, M, H, SYS, SEC, AUD}),
    "policy.write": frozenset({SEC}),
    "policy.confirm": frozenset({SEC, SYS}),
    "column.write": frozenset({SYS}),
    "service.read": frozenset({E, R, M, H, SYS}),
    "service.write": frozenset({E, SYS}),
    "audit.read": frozenset({AUD}),
}

PROGRAMS: Mapping[str, frozenset[str]] = {
    # the hub's own duties and the acts they carry out
    "program:dispatcher": frozenset({"publication.send"}),
    "program:preflight": frozenset({"publication.preflight"}),
    "program:settler": frozenset({"publication.settle"}),
    "program:caretaker": frozenset({"account.look"}),
    "program:worker": frozenset({"beat.write"}),
    "program:guard": frozenset({"workers.guard", "outbox.carry", "notice.send"}),
    "program:tidier": frozenset({"leftover.discard"}),
    "program:renderer": frozenset({"rendition.make"}),
    "program:keeper": frozenset({"short_lived.purge"}),
    "program:mirror": frozenset({"column.mirror"}),
    "program:listener": frozenset({"reply.take"}),
    "program:reader": frozenset({"reply.analyse", "reply.group"}),
    "program:trainer": frozenset({"model.make"}),
    "program:watcher": frozenset({"issue.watch"}),
    "program:receiver": frozenset({"case.follow"}),
    "program:deliverer": frozenset({"delivery.send"}),
    "program:carrier": frozenset({"outbox.carry", "notice.send"}),
    "program:console": frozenset(
        {
            "user.read",
            "user.write",
            "token.write",
            "policy.read",
            "audit.read",
            "hold.all",
            "hold.lift",
            "publication.read",
            "publication.release",
            "reply.import",
            "reply.recount",
            "column.write",
            "dictionary.read",
            "dictionary.write",
            "service.write",
            "account.write",
            "reply.take",
            "topic.tree",
            "urgency.train",
        }
    ),
    "program:frame": frozenset({"content.read"}),
    "program:demo": frozenset({"incident.play"}),
}

PERSON_ONLY = frozenset(
    {
        "content.review",
        "hold.lift",
        "quiet.write",
        "publication.release",
        "publication.resolve",
        "reply.reveal",
        "model.use",
        "topic.tree",
        "case.extend",
        "answer.review",
        "answer.send",
        "answer.resolve",
        "user.write",
        "token.write",
        "policy.write",
        "policy.confirm",
        "account.write",
    }
)


def may(actor: Actor, act: str) -> bool:
    """Whether this actor may do this at all; scope and people's rules come on top."""
    if actor.kind == "program":
        return act in PROGRAMS.get(actor.id, frozenset())
    if actor.kind == "token" and (act not in actor.scopes or act in PERSON_ONLY):
        return False
    return bool(actor.roles & RIGHTS.get(act, frozenset()))


def require(actor: Actor, act: str) -> None:
    """Raise NotAllowed unless the actor may."""
    if not may(actor, act):
        raise NotAllowed("您的角色不能做这件事。需要时请联系安全管理员调整权限。")


def checked_scopes(scopes: Iterable[str]) -> list[str]:
    """The acts a token may be made for; raises Invalid for unknown ones and for those only a person does."""
    taken = sorted(set(scopes))
    if not taken:
        raise Invalid("请至少写明一项权限。", (FieldError("scopes", "至少一项"),))
    unknown = [scope for scope in taken if scope not in RIGHTS]
    if unknown:
        raise Invalid("有的权限名不对。", (FieldError("scopes", f"没有：{'、'.join(unknown)}"),))
    personal = [scope for scope in taken if scope in PERSON_ONLY]
    if personal:
        message = f"这些事只能由本人登录后做，不能交给令牌：{'、'.join(personal)}"
        raise Invalid("令牌不能审批，也不能改动用户和规则。", (FieldError("scopes", message),))
    return taken


def describe() -> str:
    """Acts by roles, as a Markdown table."""
    roles = list(Role)
    rows = [f"| 事项 | {' | '.join(NAMES[role] for role in roles)} | 令牌 |", "|---" * (len(roles) + 2) + "|"]
    for act, allowed in RIGHTS.items():
        marks = ["●" if role in allowed else "" for role in roles]
        rows.append(f"| `{act}` | {' | '.join(marks)} | {'' if act in PERSON_ONLY else '●'} |")
    rows += ["", "| 系统自身的职责 | 事项 |", "|---|---|"]
    rows += [f"| `{name}` | {'、'.join(f'`{act}`' for act in sorted(acts))} |" for name, acts in PROGRAMS.items()]
    return "\n".join(rows) + "\n"
