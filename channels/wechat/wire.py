"""微信公众号's protocol, pure: requests as values, answers read; not the order of calls, nor what they mean."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import urlencode

from channels.contract import Heard, Json
from channels.exchange import Answer, Request
from channels.forms import Part, multipart
from channels.metering import Told

_RID = re.compile(r"rid: ([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})")
_ADDRESS = re.compile(r"invalid ip ([0-9a-fA-F.:]{3,45})")
_TAG = re.compile(r"<[^>]*>")
_SPACE = re.compile(r"\s+")
_WHOLE = re.compile(r"-?[0-9]{1,20}")
_UPLOAD_SECONDS = 60.0
QUOTA_CODE = 45009
BETWEEN = "~"  # of an article's two numbers in our external id


@dataclass(frozen=True)
class Said:
    """The platform's answer read: `body` where it did what was asked, else `code`; neither when unreadable.

    `rid` is the number that the platform's own support asks for; `address`: ours, where it refused that. `done`: the
    platform said so itself (errcode 0), as it does after every act; a body without it proves no act.
    """

    body: Mapping[str, Any] | None = None
    code: int | None = None
    status: int = 0
    rid: str = ""
    address: str = ""
    done: bool = False


def read(answer: Answer) -> Said:
    """What the platform said. Nearly all is HTTP 200; a success of a query has no errcode, that of an act has 0."""
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return Said(status=answer.status)
    if not isinstance(body, dict) or answer.status >= 500:
        return Said(status=answer.status)
    code = whole(body.get("errcode", 0))
    if code is None or (code == 0 and answer.status != 200):
        return Said(status=answer.status)
    if code == 0:
        return Said(body=body, status=answer.status, done="errcode" in body)
    said = str(body.get("errmsg") or "")
    rid, address = _RID.search(said), _ADDRESS.search(said)
    return Said(None, code, answer.status, rid[1] if rid else "", address[1] if address else "")


def told(request: Request, answer: Answer) -> Told | None:
    """A refusal for today's calls of this address; nothing else is told of quotas."""
    return Told(request.costs, 0, None, refused=True) if read(answer).code == QUOTA_CODE else None


def whole(value: Any) -> int | None:
    """A number, also as digits; None for anything else."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


# Requests


@dataclass(frozen=True, repr=False)
class Wire:
    """Makes the requests of one account. `base` has no slash at its end; `token` stands in every address."""

    base: str
    app_id: str
    secret: str

    def stable_token(self, *, force: bool) -> Request:
        """稳定版凭证: the same one for all who ask, so that two processes never invalidate each other's."""
        body = {
            "grant_type": "client_credential", "appid": self.app_id, "secret": self.secret, "force_refresh": force,
        }  # fmt: skip
        return self._post("/cgi-bin/stable_token", "", body, *(("forced_tokens_day",) if force else ()))

    def _post(self, path: str, token: str, body: Json, *costs: str) -> Request:
        """JSON as raw UTF-8: the platform refuses \\u escapes in titles."""
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        kind = {"Content-Type": "application/json; charset=utf-8"}
        return Request("POST", self._url(path, token), kind, content, costs=costs)

    def _url(self, path: str, token: str, **more: str) -> str:
        query = urlencode({**({"access_token": token} if token else {}), **more})
        return f"{self.base}{path}?{query}" if query else self.base + path

    def _upload(self, path: str, token: str, content: bytes, mime: str, **more: str) -> Request:
        kind, body = multipart({}, Part("media", content, mime))
        return Request("POST", self._url(path, token, **more), {"Content-Type": kind}, body, seconds=_UPLOAD_SECONDS)

    def upload_picture(self, token: str, content: bytes, type: str) -> Request:
        """正文图片: gives an address, takes no place in the library."""
        return replace(self._upload("/cgi-bin/media/uploadimg", token, content, type), costs=("pictures_day",))

    def add_cover(self, token: str, content: bytes, type: str) -> Request:
        """封面: a permanent picture, for a draft's cover must be one."""
        return self._upload("/cgi-bin/material/add_material", token, content, type, type="image")

    def add_draft(self, token: str, article: Json) -> Request:
        return self._post("/cgi-bin/draft/add", token, {"articles": [article]}, "drafts_day")

    def get_draft(self, token: str, media_id: str) -> Request:
        return self._post("/cgi-bin/draft/get", token, {"media_id": media_id}, "draft_looks_day")

    def delete_draft(self, token: str, media_id: str) -> Request:
        """For ever; what was published out of it stays public."""
        return self._post("/cgi-bin/draft/delete", token, {"media_id": media_id})

    def count_drafts(self, token: str) -> Request:
        return Request("GET", self._url("/cgi-bin/draft/count", token), costs=("draft_looks_day",))

    def newest_drafts(self, token: str) -> Request:
        newest = {"offset": 0, "count": 20, "no_content": 0}
        return self._post("/cgi-bin/draft/batchget", token, newest, "draft_looks_day")

    def submit(self, token: str, media_id: str) -> Request:
        """发布: the one public step."""
        return self._post("/cgi-bin/freepublish/submit", token, {"media_id": media_id}, "publish_day")

    def verdict(self, token: str, publish_id: str) -> Request:
        return self._post("/cgi-bin/freepublish/get", token, {"publish_id": publish_id}, "checks_day")

    def newest_articles(self, token: str) -> Request:
        newest = {"offset": 0, "count": 20, "no_content": 0}
        return self._post("/cgi-bin/freepublish/batchget", token, newest, "finds_day")

    def delete_article(self, token: str, article_id: str) -> Request:
        """The first article by its number: 0, or none, would delete all of them."""
        first = {"article_id": article_id, "index": 1}
        return self._post("/cgi-bin/freepublish/delete", token, first, "withdrawals_day")

    def comments(self, token: str, msg_data_id: str, begin: int, count: int) -> Request:
        body = {"msg_data_id": _number(msg_data_id), "index": 0, "begin": begin, "count": count, "type": 0}
        return self._post("/cgi-bin/comment/list", token, body, "comments_day")

    def reply(self, token: str, msg_data_id: str, comment: str, text: str) -> Request:
        body = {
            "msg_data_id": _number(msg_data_id), "index": 0, "user_comment_id": _number(comment), "content": text,
        }  # fmt: skip
        return self._post("/cgi-bin/comment/reply/add", token, body)

    def message(self, token: str, openid: str, text: str) -> Request:
        """客服消息 to one citizen."""
        body = {"touser": openid, "msgtype": "text", "text": {"content": text}}
        return self._post("/cgi-bin/message/custom/send", token, body)

    def create_menu(self, token: str, menu: Json) -> Request:
        return self._post("/cgi-bin/menu/create", token, menu)


def _number(text: str) -> int | str:
    """Numbers go out as numbers; what is none goes as it is, and the platform will say so."""
    number = whole(text)
    return text if number is None else number


# Answers


@dataclass(frozen=True)
class Piece:
    """One draft or published article as the platform lists it; `mark` is what it looks like, `at` its last change."""

    id: str
    url: str
    mark: str
    source: str
    at: datetime | None
    deleted: bool = False


def pieces(body: Mapping[str, Any], name: str) -> list[Piece] | None:
    """The rows of a draft or article list, `name` being their id's field; None when there is no list."""
    rows = body.get("item")
    if not isinstance(rows, list):
        return None
    return [found for row in rows if isinstance(row, dict) and (found := _piece(row, name))]


def _piece(row: Mapping[str, Any], name: str) -> Piece | None:
    content = row.get("content")
    news = first_news(content) if isinstance(content, dict) else None
    if news is None or not row.get(name):
        return None
    return Piece(
        str(row[name]), str(news.get("url") or ""), mark_of(news), str(news.get("content_source_url") or ""),
        moment(row.get("update_time")), bool(news.get("is_deleted")),
    )  # fmt: skip


def first_news(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The first article of a draft or publication."""
    rows = body.get("news_item")
    return rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else None


def mark_of(article: Mapping[str, Any]) -> str:
    """What stays the same of an article when the platform rewrites its pictures and styles: title and words."""
    words = _SPACE.sub("", unescape(_TAG.sub("", str(article.get("content") or ""))))
    title = _SPACE.sub("", str(article.get("title") or ""))
    return hashlib.sha256(f"{title}\n{words}".encode("utf-8", "replace")).hexdigest()


def moment(seconds: Any) -> datetime | None:
    """Unix seconds, as number or text; None when they are no time."""
    try:
        return datetime.fromtimestamp(int(str(seconds)), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def article_address(body: Mapping[str, Any]) -> str | None:
    """The address of the first article in a verdict."""
    detail = body.get("article_detail")
    items = detail.get("item") if isinstance(detail, dict) else None
    rows = items if isinstance(items, list) else [items]
    return next((str(row["article_url"]) for row in rows if isinstance(row, dict) and row.get("article_url")), None)


def external_id(article_id: str, msg_data_id: str) -> str:
    """Our id of an article: with the number under which its comments are read, where the platform told it."""
    return f"{article_id}{BETWEEN}{msg_data_id}" if msg_data_id else article_id


def parts_of(external: str) -> tuple[str, str]:
    """(article_id, msg_data_id or nothing)."""
    article_id, _, msg_data_id = external.partition(BETWEEN)
    return article_id, msg_data_id


def comment_rows(body: Mapping[str, Any]) -> list[Json] | None:
    rows = body.get("comment")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else None


def office_replies(row: Json) -> Sequence[str]:
    """What the account answered to a comment: an object in newer documents, a list in older ones."""
    given = row.get("reply")
    rows = given if isinstance(given, list) else [given]
    return [str(one.get("content") or "") for one in rows if isinstance(one, dict)]


def heard_comment(row: Json, post: str, msg_data_id: str, seen_at: datetime) -> Heard:
    """One comment under an article of ours. Who has no openid (another kind of identity) is known by the comment."""
    number = str(row.get("user_comment_id") or "") or "sha256-" + hashlib.sha256(
        json.dumps(row, sort_keys=True).encode()
    ).hexdigest()
    id = f"{msg_data_id}-{number}"
    return Heard(
        external_id=id,
        kind="comment",
        author_id=str(row.get("openid") or id),
        author_name=str(row.get("nick_name") or ""),
        text=str(row.get("content") or ""),
        at=moment(row.get("create_time")) or seen_at,
        in_reply_to=post,
        raw={**row, "msg_data_id": msg_data_id},
    )
