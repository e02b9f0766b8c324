"""People of the office and what they are: roles, and the actor of each act; what a role may do lives in rights.py."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hub.domain.errors import FieldError, Invalid


class Role(StrEnum):
    """Roles are separate from rights; 三员分立: the last three never go together with each other or with any above."""

    EDITOR = "editor"  # 编辑
    REVIEWER = "reviewer"  # 审核
    MONITOR = "monitor"  # 舆情监测
    HANDLER = "handler"  # 承办
    SYSADMIN = "sysadmin"  # 系统管理员
    SECADMIN = "secadmin"  # 安全管理员
    AUDITOR = "auditor"  # 审计员


APART = frozenset({Role.SYSADMIN, Role.SECADMIN, Role.AUDITOR})

NAMES: Mapping[Role, str] = {
    Role.EDITOR: "编辑",
    Role.REVIEWER: "审核",
    Role.MONITOR: "舆情监测",
    Role.HANDLER: "承办",
    Role.SYSADMIN: "系统管理员",
    Role.SECADMIN: "安全管理员",
    Role.AUDITOR: "审计员",
}


@dataclass(frozen=True)
class Actor:
    """Who does something: a person signed in, a token, or one of the hub's own duties (`kind` program).

    `second_factor` says whether this session passed one; `levels` are the approval levels the person may give.
    """

    id: str
    name: str
    roles: frozenset[Role]
    kind: str = "person"  # person, token, program
    department: str | None = None
    levels: frozenset[int] = frozenset()
    scopes: frozenset[str] = frozenset()
    second_factor: bool = False
    address: str = ""


def program(name: str) -> Actor:
    """One of the hub's own duties as an actor: named in the audit, with no role of a person."""
    return Actor(id=f"program:{name}", name=name, roles=frozenset(), kind="program")


def actor_of(
    user: Mapping[str, Any],
    *,
    kind: str = "person",
    scopes: Iterable[str] = (),
    second: bool = False,
    address: str = "",
) -> Actor:
    """The actor that a users document stands for."""
    return Actor(
        id=user["_id"],
        name=user["name"],
        roles=frozenset(Role(role) for role in user["roles"]),
        kind=kind,
        department=user.get("department"),
        levels=frozenset(user.get("levels") or ()),
        scopes=frozenset(scopes),
        second_factor=second,
        address=address,
    )


def checked_roles(roles: Iterable[str]) -> list[str]:
    """The roles in order, once each; raises Invalid for unknown ones and for what 三员分立 keeps apart."""
    try:
        taken = {Role(role) for role in roles}
    except ValueError:
        known = "、".join(role.value for role in Role)
        raise Invalid("没有这个角色。", (FieldError("roles", f"可选：{known}"),)) from None
    if not taken:
        raise Invalid("请至少选择一个角色。", (FieldError("roles", "至少一个角色"),))
    if taken & APART and len(taken) > 1:
        apart = "、".join(NAMES[role] for role in Role if role in taken & APART)
        message = f"{apart}只能单独任职，不能兼任其他角色（三员分立）。请为另一职责另设一人。"
        raise Invalid(message, (FieldError("roles", message),))
    return [role.value for role in Role if role in taken]


def checked_levels(levels: Iterable[int], roles: Iterable[str]) -> list[int]:
    """The approval levels a person may give: 1 to 3, and only for reviewers."""
    taken = sorted(set(levels))
    if any(level not in (1, 2, 3) for level in taken):
        raise Invalid("审批级别只能是 1、2、3。", (FieldError("levels", "1、2、3"),))
    if taken and Role.REVIEWER.value not in set(roles):
        raise Invalid("只有审核人员才有审批级别。请先给他审核角色。", (FieldError("levels", "须先有审核角色"),))
    return taken


_LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,31}\Z")


def checked_login(login: str) -> str:
    """The login in small letters; raises Invalid."""
    plain = login.strip().lower()
    if not _LOGIN.match(plain):
        message = "登录名用 2–32 个小写字母、数字、点、横线或下划线，以字母开头。"
        raise Invalid(message, (FieldError("login", message),))
    return plain


def checked_name(name: str) -> str:
    """The person's name as shown beside what they do; raises Invalid."""
    plain = " ".join(name.split())
    if not 1 <= len(plain) <= 40 or not plain.isprintable():
        raise Invalid("姓名应为 1–40 个字。", (FieldError("name", "1–40 个字"),))
    return plain
