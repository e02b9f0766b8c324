"""微信公众号 as a Channel: which calls in which order, and which outcome each answer means; the protocol is in wire.py.

发布 (freepublish) is meant, which has an address and reaches nobody's phone; 群发 is another act. A draft vanishes when
it is published: a second submission of it is refused, and a draft still in the box was certainly not published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from channels.contract import (
    Accepted,
    Capabilities,
    Found,
    Health,
    Heard,
    Json,
    Outcome,
    Page,
    Pending,
    PictureBytes,
    Prepared,
    Probed,
    Refused,
    Staged,
    Unknown,
    Variant,
    Verdict,
    Who,
)
from channels.exchange import Transport
from channels.surroundings import Custody
from channels.wechat import callback, codes, wire
from channels.wechat.codes import Again
from channels.wechat.line import InHand, Line, refusal
from channels.wechat.listening import Round
from channels.wechat.preparing import Cover, prepare
from channels.wechat.profile import Profile, capabilities, profile_of
from channels.wechat.staging import Staging

LOOK_AGAIN = timedelta(seconds=30)
_LATER = timedelta(hours=1)
_REASONS = {
    2: "原创声明没有通过微信的检查",
    3: "微信没有发布成功，也没有说明原因；请在公众平台上手工试发一次",
    4: "没有通过微信的审核",
    5: "发布后被账号自己删除",
    6: "发布后被微信屏蔽",
}
_BY_HAND = Refused("manual", "微信不能修改已发布的文章：请在公众平台手工处理，再在待办里填写结果", Who.EDITOR)


@dataclass(repr=False)
class Wechat:
    """One 公众号. Holds the token in its line, so it has no `repr` of its fields."""

    line: Line
    now: Callable[[], datetime]
    profile: Profile
    cover: Cover
    capabilities: Capabilities
    keys: callback.Keys
    staging: Staging = field(init=False)

    def __post_init__(self) -> None:
        self.staging = Staging(self.line, self.profile)

    @property
    def transport(self) -> Transport:
        """What carries the calls; tests exchange it."""
        return self.line.transport

    @transport.setter
    def transport(self, other: Transport) -> None:
        self.line.transport = other

    def prepare(self, variant: Variant) -> Prepared:
        return prepare(variant, self.profile, self.cover)

    async def preflight(self) -> Health:
        """The drafts are counted, then the rights looked at, all without effect."""
        said = await self.line.ask(self.line.protocol.count_drafts)
        if not isinstance(said, Unknown | Refused):
            said = await self._rights()
        if isinstance(said, Unknown):
            return Health("unreachable", said.reason)
        if isinstance(said, Refused):
            return Health(_health(said), said.reason)
        return Health("ok", "连接正常")

    def entrust(self, custody: Custody) -> None:
        self.line.custody = custody

    async def probe(self) -> Sequence[Probed]:
        """凭证 first: where it cannot be had, nothing else can be asked."""
        drafts = await self.line.ask(self.line.protocol.count_drafts)
        if isinstance(drafts, Unknown | Refused) and not _of_right(drafts):
            return [_probed("访问凭证与 IP 白名单", drafts)]
        found = [Probed("访问凭证与 IP 白名单", True, "可以取得"), _probed("草稿", drafts)]
        found.append(_probed("发布", await self.line.ask(self.line.protocol.newest_articles)))
        return [*found, await self._comments_right()]

    async def _comments_right(self) -> Probed:
        if not self.profile.comments:
            return Probed("留言", None, "账号设置里关着，不读留言")
        return _probed("留言", await self._rights())

    async def _rights(self) -> dict[str, object] | Refused:
        """Drafts are open to accounts that may not publish: what tells is a question for the comments of no article,
        which only a certified account may ask and which uses up none of the day's few looks."""
        said = await self.line.ask(lambda token: self.line.protocol.comments(token, "0", 0, 1))
        lacking = ("48001", "48004", "88000") if self.profile.comments else ("48001", "48004")
        return said if isinstance(said, Refused) and said.code in lacking else {}

    async def stage(self, prepared: Prepared, key: str, pictures: PictureBytes) -> Staged | Refused | Unknown:
        return await self.staging.stage(prepared, key, pictures)

    async def discard(self, refs: Json) -> Outcome:
        """删除草稿: only the one these refs name; one that has gone already is as good as thrown away."""
        media_id = str(refs.get("media_id") or "")
        if not media_id:
            return Accepted("", None, self.now(), "没有草稿")
        said = await self.line.ask(lambda token: self.line.protocol.delete_draft(token, media_id))
        gone = isinstance(said, Refused) and said.code == "40007"
        if isinstance(said, Refused | Unknown) and not gone:
            return said
        return Accepted(media_id, None, self.now(), "草稿早已不在" if gone else "")

    async def publish(self, staged: Staged, key: str) -> Outcome:
        """提交发布. Taken is not yet public: the verdict comes by an event, or by asking."""
        media_id = str(staged.refs.get("media_id") or "")
        if not media_id:
            return Refused("no_draft", "草稿需要重新准备", Who.NOBODY, timedelta())
        said = await self.line.once(lambda token: self.line.protocol.submit(token, media_id))
        if not isinstance(said, wire.Said):
            return said
        if said.body is not None:
            return _taken(said.body)
        code = codes.CODES.get(said.code or 0) if said.code is not None else None
        if code is None:
            return Unknown("微信的答复看不懂", {"status": str(said.status), "code": str(said.code), "rid": said.rid})
        if code.again is Again.LOOK:
            return await self._gone(staged)
        evidence = {"code": str(code.number), "rid": said.rid}
        return codes.refused(code, said.address) if code.sure else Unknown(code.reason, evidence)

    async def _gone(self, staged: Staged) -> Outcome:
        """The draft is no longer there: perhaps an earlier call of ours published it."""
        found = await self._published(staged, None)
        if isinstance(found, wire.Piece):
            return Accepted(found.id, found.url or None, found.at)
        return Unknown("草稿已不在草稿箱里，可能已提交发布，请到公众平台核对", {"code": "40007"})

    async def check(self, ticket: str) -> Outcome:
        publish_id, _, msg_data_id = ticket.partition(":")
        still = Pending(ticket, "audit", LOOK_AGAIN, "微信正在发布或审核")
        said = await self.line.ask(lambda token: self.line.protocol.verdict(token, publish_id))
        if isinstance(said, Refused) and said.spent and said.retry_after:
            return Pending(ticket, "audit", said.retry_after, "已提交；查结果的次数今天已用完，等平台通知或次日再查")
        if isinstance(said, Refused | Unknown):
            return still
        status = wire.whole(said.get("publish_status"))
        if status is None or status == 1:
            return still
        return _verdict(status, said, msg_data_id) or still

    async def find_published(self, key: str, staged: Staged, since: datetime) -> Found | Unknown | None:
        """In the box: certainly not published. Gone: among the newest articles, or nobody can say."""
        found = await self._published(staged, since - timedelta(seconds=self.profile.skew_seconds))
        if isinstance(found, wire.Piece):
            return Found(found.id, found.url or None, found.at)
        if isinstance(found, Unknown):
            return found
        media_id = str(staged.refs.get("media_id") or "")
        if not media_id:
            return Unknown("没有草稿的编号，无从核对")
        there = await self.line.ask(lambda token: self.line.protocol.get_draft(token, media_id))
        if not isinstance(there, Refused | Unknown):
            return None
        if isinstance(there, Refused) and there.code == "40007":
            return Unknown("草稿已提交，文章还没有出现在已发布列表里")
        return _unseen("现在查不到草稿：", there)

    async def _published(self, staged: Staged, since: datetime | None) -> wire.Piece | Unknown | None:
        """Our article among the newest twenty: by its words, and by the mark that its draft carried.

        Without a mark (no website's address) the same words may be an older article's: then only `since` tells.
        """
        said = await self.line.ask(self.line.protocol.newest_articles)
        if isinstance(said, Refused | Unknown):
            return _unseen("现在查不到已发布的文章：", said)
        rows = wire.pieces(said, "article_id")
        if rows is None:
            return Unknown("微信的答复里没有文章列表")
        source, mark = str(staged.refs.get("source") or ""), str(staged.refs.get("mark") or "")
        same = [row for row in rows if not row.deleted and row.mark == mark and row.source == source]
        if not source:
            same = [row for row in same if since and row.at and row.at >= since]
        if len(same) > 1:
            return Unknown("账号上有不止一篇相同的文章，请到公众平台核对")
        return same[0] if same else None

    async def withdraw(self, external_id: str, reason: str, key: str) -> Outcome:
        """删除: for ever; the platform shows no notice in its place."""
        article_id, _ = wire.parts_of(external_id)
        said = await self.line.call(lambda token: self.line.protocol.delete_article(token, article_id))
        if not isinstance(said, wire.Said):
            return said
        if said.done:
            return Accepted(external_id, None, self.now())
        code = codes.CODES.get(said.code or 0) if said.code is not None else None
        if code is None or not code.sure:
            return Unknown("微信没有说明是否删除成功", {"status": str(said.status), "code": str(said.code)})
        return codes.refused(code, said.address)

    async def correct(self, external_id: str, staged: Staged, note: str, key: str) -> Outcome:
        return _BY_HAND

    async def poll(self, cursor: str, ids: Sequence[str]) -> Page | Refused | Unknown:
        """Comments, one page of one article a call; messages come by the site's callback."""
        now = self.now()
        readable = [id for id in ids if wire.parts_of(id)[1]] if self.profile.comments else []
        round_ = Round.read(cursor).among(readable, now)
        id = round_.due(self.profile, now)
        if id is None:
            return Page((), round_.write(), False)
        msg_data_id, begin = wire.parts_of(id)[1], round_.places[id].begin
        count = self.profile.comments_page
        said = await self.line.ask(lambda token: self.line.protocol.comments(token, msg_data_id, begin, count))
        if isinstance(said, Refused) and said.code in ("88001", "88002"):
            return Page((), round_.put_off(id, now, _LATER).write(), True)
        if isinstance(said, Refused | Unknown):
            return said
        rows = wire.comment_rows(said)
        if rows is None:
            return Unknown("微信的答复里没有留言列表")
        total = wire.whole(said.get("total")) or len(rows)
        heard = [wire.heard_comment(row, id, msg_data_id, now) for row in rows]
        after = round_.asked(id, [one.external_id for one in heard], total, self.profile, now)
        fresh = [one for one in heard if one.external_id not in round_.places[id].recent]
        return Page(fresh, after.write(), after.due(self.profile, now) is not None)

    async def set_menu(self, buttons: Sequence[Json]) -> Outcome:
        """自定义菜单: readers see it within five minutes."""
        menu = {"button": list(buttons)}
        said = await self.line.ask(lambda token: self.line.protocol.create_menu(token, menu))
        return said if isinstance(said, Refused | Unknown) else Accepted("menu", None, self.now())

    def callback_keys(self) -> Json | None:
        """Never the AppSecret: whoever holds these can be written to, and can do nothing."""
        return asdict(self.keys) if self.keys.token else None

    def receive(self, fields: Json, seen_at: datetime) -> Heard | Verdict | None:
        submission = callback.published_id(fields)
        return Verdict(submission) if submission else callback.heard(fields, seen_at)

    async def answer(self, to: Json, text: str, key: str) -> Outcome:
        """回复留言 under the article, or 客服消息 to who wrote in, within the platform's window."""
        return await (self._reply(to, text) if to.get("msg_data_id") else self._message(to, text))

    async def _reply(self, to: Json, text: str) -> Outcome:
        if len(text) > self.profile.reply:
            return codes.refused(codes.CODES[88007])
        msg_data_id, comment = str(to["msg_data_id"]), str(to.get("user_comment_id") or "")
        if not comment:
            return Refused("no_comment", "这条留言没有编号，无法回复", Who.EDITOR)
        said = await self.line.call(lambda token: self.line.protocol.reply(token, msg_data_id, comment, text))
        if isinstance(said, wire.Said) and said.code == 88005:
            return await self._replied(to, text)
        return _delivered(said, f"{msg_data_id}-{comment}")

    async def _replied(self, to: Json, text: str) -> Outcome:
        """The comment has an answer already: ours of an earlier call, or somebody else's."""
        msg_data_id, comment = str(to["msg_data_id"]), str(to.get("user_comment_id"))
        count = self.profile.comments_page
        said = await self.line.ask(lambda token: self.line.protocol.comments(token, msg_data_id, 0, count))
        rows = None if isinstance(said, Refused | Unknown) else wire.comment_rows(said)
        row = next((one for one in rows or () if str(one.get("user_comment_id")) == comment), None)
        if row is None:
            return Unknown("微信说这条留言已回复过，但现在看不到回复的内容", {"code": "88005"})
        if text in wire.office_replies(row):
            return Accepted(f"{msg_data_id}-{comment}", None, None)
        return Refused("88005", "这条留言已经有别的回复，微信不收第二条", Who.EDITOR)

    async def _message(self, to: Json, text: str) -> Outcome:
        openid, written = str(to.get("FromUserName") or ""), wire.moment(to.get("CreateTime"))
        if not openid:
            return Refused("no_citizen", "这条来信没有发信人，无法回复", Who.EDITOR)
        if len(text.encode("utf-8", "replace")) > self.profile.message_bytes:
            return codes.refused(codes.CODES[45002])
        window = timedelta(hours=self.profile.window_hours)
        if written is None or self.now() - written > window:
            return Refused("window_closed", codes.CODES[45015].reason, Who.EDITOR)
        said = await self.line.call(lambda token: self.line.protocol.message(token, openid, text))
        if isinstance(said, wire.Said) and said.code in codes.CLOSED_CODES:
            return Refused("window_closed", codes.CODES[said.code].reason, Who.EDITOR)
        return _delivered(said, f"message-{key_of(to)}")


def _of_right(said: Refused | Unknown) -> bool:
    return isinstance(said, Refused) and said.code in ("48001", "48004", "88000")


def _probed(name: str, said: Mapping[str, object] | Refused | Unknown) -> Probed:
    """Only a refusal that names the right, or who we are, says that it lacks; a fault of the moment says nothing."""
    if isinstance(said, Unknown) or (isinstance(said, Refused) and said.who is Who.NOBODY):
        return Probed(name, None, f"现在问不到：{said.reason}")
    return Probed(name, False, said.reason) if isinstance(said, Refused) else Probed(name, True, "可以使用")


def _unseen(words: str, said: Refused | Unknown) -> Unknown:
    """A look that could not be made; where none is left today, until there is one again."""
    again = said.retry_after if isinstance(said, Refused) and said.spent else None
    return Unknown(words + said.reason, retry_after=again)


def key_of(to: Json) -> str:
    return str(to.get("MsgId") or to.get("CreateTime") or "")


def _taken(body: Mapping[str, Any]) -> Outcome:
    publish_id = str(body.get("publish_id") or "")
    if not publish_id:
        return Unknown("微信的答复缺少发布编号")
    ticket = f"{publish_id}:{body.get('msg_data_id') or ''}"
    return Pending(ticket, "audit", LOOK_AGAIN, "已提交，微信正在发布或审核")


def _verdict(status: int, said: Mapping[str, Any], msg_data_id: str) -> Outcome | None:
    """What the platform has decided; None for a success that does not name its article yet."""
    if status == 0:
        article_id = str(said.get("article_id") or "")
        if not article_id:
            return None
        return Accepted(wire.external_id(article_id, msg_data_id), wire.article_address(said))
    if status not in _REASONS:
        return Unknown(f"微信给出了未知的发布结果 {status}", {"status": str(status)})
    failed = said.get("fail_idx")
    places = [str(each) for each in failed] if isinstance(failed, list) else []
    where = f"（第 {'、'.join(places)} 篇）" if places else ""
    return Refused(f"status_{status}", _REASONS[status] + where, Who.EDITOR)


def _health(said: Refused) -> str:
    if said.code in ("not_sent", "no_token") or said.who is Who.NOBODY:
        return "quota_low" if said.code in ("45009", "quota") else "unreachable"
    return "not_connected"


def _delivered(said: wire.Said | Refused | Unknown, id: str) -> Outcome:
    """An answer to one citizen: done, certainly not, or nobody can say."""
    if not isinstance(said, wire.Said):
        return said
    if said.done:
        return Accepted(id)
    code = codes.CODES.get(said.code or 0) if said.code is not None else None
    if code is None or not code.sure:
        return Unknown("微信没有说明回复是否成功", {"status": str(said.status), "code": str(said.code)})
    return refusal(said) or Unknown("微信没有说明回复是否成功")


def connect(
    account: Mapping[str, Any], credentials: Mapping[str, Any], transport: Transport, now: Callable[[], datetime]
) -> Wechat:
    """The channel of one account.

    settings: app_id, base_url?, default_cover? (a picture's content address); profile: figures; credentials: secret
    (AppSecret), callback_token?, aes_key? (消息加解密密钥). ValueError (Chinese) when something is missing.
    """
    settings = account.get("settings") or {}
    app_id = str(settings.get("app_id") or credentials.get("app_id") or "")
    missing = [word for word, value in (("AppID", app_id), ("AppSecret", credentials.get("secret"))) if not value]
    if missing:
        raise ValueError("公众号账号缺少设置：" + "、".join(missing))
    base = str(settings.get("base_url") or "https://api.weixin.qq.com").rstrip("/")
    profile = profile_of(account.get("profile") or {})
    protocol = wire.Wire(base, app_id, str(credentials["secret"]))
    cover = Cover(str(settings.get("default_cover") or ""))
    token, aes_key = (str(credentials.get(name) or "") for name in ("callback_token", "aes_key"))
    if aes_key and not callback.is_key(aes_key):
        raise ValueError("消息加解密密钥（EncodingAESKey）应为 43 个字母和数字，请从公众平台完整复制")
    keys = callback.Keys(app_id, token, aes_key)
    return Wechat(Line(protocol, transport, now, InHand(now)), now, profile, cover, capabilities(profile), keys)

