"""预览框: signed addresses under which a sandboxed frame, which has no session, sees one preview and its pictures.

Whoever may read the text is handed the address; it names the exact version and ends after ten minutes.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from channels.contract import Prepared
from hub.desk import filing, previewing, writing
from hub.desk.desk import Desk
from hub.desk.variants import package_of
from hub.domain.errors import NotFound
from hub.domain.people import Actor, program
from hub.domain.rights import require
from hub.store.base import Document

LASTS = timedelta(minutes=10)
PURPOSE = "preview"
FRAME = program("frame")


def address_of(actor: Actor, desk: Desk, path: str) -> str:
    """The address of a preview or of a picture in one, for whoever may read texts."""
    require(actor, "content.read")
    until = int((desk.clock.now() + LASTS).timestamp())
    return f"{path}?until={until}&mark={_mark(desk, path, until)}"


def _mark(desk: Desk, path: str, until: int) -> str:
    return desk.sealer.mac(f"{path}\n{until}".encode(), purpose=PURPOSE).hex()


def check_address(desk: Desk, path: str, given: Mapping[str, str]) -> None:
    """NotFound unless the address was made here and is still good."""
    until, mark = given.get("until", ""), given.get("mark", "")
    good = until.isascii() and until.isdigit() and len(until) <= 11
    if not good or not hmac.compare_digest(_mark(desk, path, int(until)).encode(), mark.encode()):
        raise NotFound("没有这个预览，请回到稿件页。")
    if datetime.fromtimestamp(int(until), UTC) < desk.clock.now():
        raise NotFound("这个预览已过时，请刷新稿件页。")


async def preview_of(actor: Actor, desk: Desk, content: str, account: str, hash: str) -> Prepared:
    """What this very version becomes on this account; NotFound where the text has changed since."""
    require(actor, "content.read")
    found = await writing.content_of(desk, content)
    revision = await writing.revision_of(desk, content, found["revision"])
    known = await desk.store.get("accounts", account)
    if known is None or package_of(found, revision) != hash:
        raise NotFound("稿件改过了，请看新的预览。")
    return (await previewing.preview(actor, desk, found, revision, known)).prepared


async def picture_of(actor: Actor, desk: Desk, sha256: str) -> tuple[Document, bytes]:
    """A picture of a preview."""
    require(actor, "content.read")
    return await filing.file(actor, desk, sha256)
