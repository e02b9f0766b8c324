"""Rights: the table's shape, 三员分立, what tokens and programs may never do."""

from __future__ import annotations

import itertools

import pytest

from hub.domain.errors import Invalid, NotAllowed
from hub.domain.people import APART, Actor, Role, checked_levels, checked_login, checked_name, checked_roles, program
from hub.domain.rights import OFFICE, PERSON_ONLY, PROGRAMS, RIGHTS, checked_scopes, describe, may, require

WRITES = {act for act in RIGHTS if not act.endswith(".read")}


def actor(*roles: Role, **more: object) -> Actor:
    return Actor("u", "某", frozenset(roles), **more)  # type: ignore[arg-type]


def test_the_auditor_changes_nothing() -> None:
    assert {act for act in RIGHTS if may(actor(Role.AUDITOR), act)} & WRITES == set()


@pytest.mark.parametrize("role", sorted(APART))
def test_an_administrator_writes_approves_and_publishes_nothing(role: Role) -> None:
    held = {act for act in RIGHTS if may(actor(role), act)}
    assert not {act for act in held if act.startswith(("content.", "publication.", "reply.", "issue.", "alert."))}


def test_the_security_administrator_alone_keeps_people_and_rules() -> None:
    for act in ("user.write", "token.write", "policy.write"):
        assert RIGHTS[act] == {Role.SECADMIN}


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(Role, 2)))
def test_administrators_go_with_no_other_role(one: Role, other: Role) -> None:
    if {one, other} & APART:
        with pytest.raises(Invalid, match="三员分立"):
            checked_roles([one, other])
    else:
        assert set(checked_roles([one, other])) == {one, other}


def test_roles_are_known_ones_and_at_least_one() -> None:
    for wrong in ([], ["boss"]):
        with pytest.raises(Invalid):
            checked_roles(wrong)


def test_levels_belong_to_reviewers() -> None:
    assert checked_levels([2, 1, 2], ["reviewer"]) == [1, 2]
    with pytest.raises(Invalid):
        checked_levels([1], ["editor"])
    with pytest.raises(Invalid):
        checked_levels([4], ["reviewer"])


@pytest.mark.parametrize("act", sorted(PERSON_ONLY))
def test_a_token_never_does_what_only_a_person_does(act: str) -> None:
    every = actor(*Role, kind="token", scopes=frozenset(RIGHTS))
    assert not may(every, act)
    with pytest.raises(Invalid, match="令牌不能审批"):
        checked_scopes([act])


def test_a_token_has_no_more_than_its_scopes_and_its_owners_rights() -> None:
    token = actor(Role.EDITOR, kind="token", scopes=frozenset({"content.read", "audit.read"}))
    assert may(token, "content.read")
    assert not may(token, "content.write")
    assert not may(token, "audit.read")


def test_scopes_are_known_acts() -> None:
    assert checked_scopes(["reply.read", "board.read", "reply.read"]) == ["board.read", "reply.read"]
    for wrong in ([], ["reply.delete"]):
        with pytest.raises(Invalid):
            checked_scopes(wrong)


def test_programs_approve_nothing_and_unknown_ones_may_nothing() -> None:
    for name, acts in PROGRAMS.items():
        assert not acts & {"content.review", "content.write", "publication.resolve", "policy.confirm"}, name
        assert name == "program:console" or not acts & PERSON_ONLY, name  # at the console stands a person
    assert not any(may(program("stranger"), act) for act in RIGHTS)


def test_a_refusal_says_whom_to_ask() -> None:
    with pytest.raises(NotAllowed, match="安全管理员"):
        require(actor(Role.MONITOR), "content.write")


def test_every_role_holds_some_right_and_every_right_some_role() -> None:
    assert all(any(role in held for held in RIGHTS.values()) for role in Role)
    assert all(held for held in RIGHTS.values())
    assert OFFICE.isdisjoint(APART) and set(Role) == OFFICE | APART


def test_the_matrix_shows_every_right_once() -> None:
    lines = describe().splitlines()
    for act, held in RIGHTS.items():
        found = [line for line in lines if line.startswith(f"| `{act}` |")]
        assert len(found) == 1
        assert found[0].count("●") == len(held) + (act not in PERSON_ONLY)


@pytest.mark.parametrize("login", ["", "a", "1abc", "张三", "a b", "a" * 33, "a\n", "admin'--"])
def test_a_strange_login_is_refused_with_the_rule(login: str) -> None:
    with pytest.raises(Invalid, match="登录名"):
        checked_login(login)


def test_a_login_is_kept_small() -> None:
    assert checked_login(" Editor.1 ") == "editor.1"


@pytest.mark.parametrize("name", ["", "  ", "字" * 41, "甲\x00", "甲\u202e乙"])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        checked_name(name)
