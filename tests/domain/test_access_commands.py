"""The console's commands for people, tokens and the audit: what they print, what they refuse, their exit status."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from hub.commands import audit, token, user
from hub.desk import signing_in
from hub.desk.auditing import seal_heads
from hub.desk.carrying import carry
from hub.desk.desk import Desk
from hub.domain.errors import HubError, Invalid, NotFound
from hub.domain.session import Wants
from hub.store.heads import HeadsFile
from tests.domain.trust_office import CARRIER, PASSWORD, make_desk


async def run(module: ModuleType, desk: Desk, *words: str) -> int:
    parser = argparse.ArgumentParser()
    module.add(parser)
    status: int = await module.run(parser.parse_args(words), desk)
    return status


async def add_wang(desk: Desk, *more: str) -> int:
    """A person added as by somebody at the terminal who types the password."""
    parser = argparse.ArgumentParser()
    user.add(parser)
    arguments = parser.parse_args(["add", "wang", "--name", "王某", *more])
    return await user.run(arguments, desk, ask=lambda: PASSWORD)


async def test_a_person_added_at_the_console_signs_in_and_is_asked_for_a_new_password() -> None:
    desk = make_desk()
    assert await add_wang(desk, "--role", "reviewer", "--level", "1", "--duty") == 0
    _, signed = await signing_in.sign_in(desk, "wang", PASSWORD, "console")
    assert signed.wants is Wants.PASSWORD and signed.actor.levels == {1}


async def test_a_console_keeps_administrators_apart_too() -> None:
    with pytest.raises(Invalid, match="三员分立"):
        await add_wang(make_desk(), "--role", "auditor", "--role", "editor")


async def test_lists_are_json_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    desk = make_desk()
    await add_wang(desk, "--role", "editor")
    capsys.readouterr()
    assert await run(user, desk, "list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["login"] == "wang" and "password" not in rows[0]
    assert await run(user, desk, "list") == 0
    assert "王某" in capsys.readouterr().out


async def test_an_unknown_person_is_said_and_nothing_is_read_from_the_terminal() -> None:
    with pytest.raises(NotFound):
        await run(user, make_desk(), "disable", "nobody")


async def test_a_token_is_shown_once_and_can_be_revoked(capsys: pytest.CaptureFixture[str]) -> None:
    desk = make_desk()
    await add_wang(desk, "--role", "editor")
    capsys.readouterr()
    assert await run(token, desk, "create", "媒体中心", "--user", "wang", "--scope", "content.read") == 0
    secret = capsys.readouterr().out.strip()
    assert re.fullmatch(r"hub_[\w-]{43}", secret)
    assert await run(token, desk, "list") == 0
    listed = capsys.readouterr().out
    assert secret not in listed and "媒体中心" in listed
    assert await run(token, desk, "revoke", listed.split()[0]) == 0
    assert await signing_in.actor_of_token(desk, secret, "") is None
    for short in ("", "abc", "0" * 12):
        with pytest.raises(HubError):
            await run(token, desk, "revoke", short)


async def test_verify_says_yes_with_0_and_no_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = replace(make_desk(), heads=HeadsFile(tmp_path / "heads"))
    await add_wang(desk, "--role", "editor")
    await carry(CARRIER, desk)
    await seal_heads(CARRIER, desk)
    capsys.readouterr()
    assert await run(audit, desk, "verify", "--heads", str(tmp_path / "heads")) == 0
    assert "与外存的链头一致" in capsys.readouterr().out
    assert await run(audit, desk, "export") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["act"] == "user.add"
    await desk.store.change("audit", {"number": 1}, {"$set": {"actor": "u-else"}})
    assert await run(audit, desk, "verify", "--json") == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["ok"], said["fault"], said["outside"]) == (False, {"number": 1, "kind": "altered"}, False)
