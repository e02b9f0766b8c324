"""告知: what a notice about one publication says: what happened, where, whose turn it is, what to press; pure words.

The platform's own words stand before any code. Where nobody knows whether it is out, the first thing said is not to
send it again. Buttons are named as the page names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from channels.contract import Refused, Who
from hub.domain.moves import Document

_VERBS: Mapping[str, str] = {"correct": "更正", "withdraw": "撤下"}
AGAIN, RELEASE, CANCEL = "“改好了，重新发送”", "“恢复，现在发出”", "“取消发布”"


def named(document: Document) -> str:
    """The document in a sentence: by its content's title."""
    return f"《{document.get('title', '')}》"


def verb(document: Document) -> str:
    """What is being done with it: a publication goes out, an operation corrects or withdraws."""
    return _VERBS.get(str(document.get("kind", "")), "发出")


@dataclass(frozen=True)
class Tell:
    """Somebody must hear of it: what it is about, what is so, whose turn it is and what to press."""

    matter: str
    what: str
    turn: str

    @property
    def reason(self) -> str:
        """For the post's own page, where title and account stand above."""
        return f"{self.what}{self.turn}"

    def text(self, document: Document, account: str) -> str:
        """For a bell or a letter."""
        where = f"（{account}）" if account else ""
        return f"{named(document)}{where}{self.what}{self.turn}"


def late(document: Document, minutes: int) -> Tell:
    """Its time has passed; what its late rule did is in the matter."""
    what = f"过了原定时间 {minutes} 分钟，没有自动{verb(document)}，现在停着。"
    matter = "publication.ask" if document.get("late") == "ask" else "publication.late"
    return Tell(matter, what, f"请编辑或审核点{RELEASE}，或点{CANCEL}。")


def unknown(document: Document, reason: str) -> Tell:
    """Perhaps out, perhaps not."""
    what = f"是否{verb(document)}，不清楚（{reason}）。"
    if document.get("kind"):
        return Tell("publication.unknown", what, "请编辑或审核打开账号看一眼，再到这一条里办理。")
    look = "请勿重新发送。请编辑或审核打开账号看一眼，再点“已发出，填地址”或“没有发出”；系统也在查，查到会自己改。"
    return Tell("publication.unknown", what, look)


def refused(document: Document, outcome: Refused) -> Tell:
    """Certainly not done, with the platform's words."""
    part = f"{outcome.part}：" if outcome.part and not outcome.reason.startswith(outcome.part) else ""
    what = f"没有{verb(document)}：{part}{outcome.reason.rstrip('。')}。"
    return Tell(f"publication.refused.{outcome.who.value}", what, _cure(document, outcome))


def _cure(document: Document, outcome: Refused) -> str:
    if document.get("kind"):
        return "请编辑或审核按上面说的办好，再点“已在平台上做完”。"
    if outcome.who is Who.ADMINISTRATOR:
        return f"请系统管理员点“检查账号”；好了以后，由编辑或审核点{AGAIN}。"
    if outcome.picture:
        return f"请编辑点“压缩图片并重发”；不发了点{CANCEL}。"
    return f"请编辑点“修改稿件”，重新审签后点{AGAIN}；不发了点{CANCEL}。"


def worn_out(document: Document, reason: str) -> Tell:
    """Tried as often as the office's rule says."""
    what = f"试了多次都没有{verb(document)}，已停下，确定没有公开：{reason.rstrip('。')}。"
    return Tell("publication.held", what, f"请系统管理员看账号是否正常；好了以后，由编辑或审核点{RELEASE}。")


def spent(document: Document, reason: str) -> Tell:
    """What the platform gives is used up, and waiting for more would take longer than its late rule allows."""
    what = f"没有{verb(document)}，停着：{reason.rstrip('。')}，那时已超过迟发的时限。"
    return Tell("publication.held", what, "请编辑改期，或到平台手工办理。")


def no_address(document: Document, cause: str) -> Tell:
    """It needs the website's address, and there is none to come."""
    what = f"没有发出，停着：{cause}。"
    return Tell("publication.held", what, f"请编辑先办好网站上的那一篇，再在这一条里点{RELEASE}。")


def changed(document: Document) -> Tell:
    """Perhaps out once, and other words by now."""
    what = "停着没有再发：上次发送的结果查清之前，稿件有了改动。"
    return Tell("publication.held", what, f"请编辑或审核先到平台上核对发出过没有，再点{RELEASE}或{CANCEL}。")


def unapproved(document: Document) -> Tell:
    """Its time came and its approval did not."""
    what = "到了时间还没有审签完，没有发出，停着。"
    return Tell("publication.unapproved", what, f"请审核先审；审完以后，由编辑或审核点{RELEASE}。")


def by_hand(document: Document, reason: str) -> Tell:
    """The platform waits for a person of the office."""
    what = f"平台收下了，还没有公开，等人在平台上确认：{(reason or '没有说明').rstrip('。')}。"
    return Tell("publication.pending", what, "请管这个账号的编辑登录平台确认；公开以后系统会自己查到，不用再按什么。")
