"""微博's protocol, pure: requests as values, answers read, texts counted and derived; not the order of calls."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from channels.contract import Heard, Json
from channels.exchange import Answer, Request
from channels.forms import Part, multipart
from channels.metering import Told

ALL_CALLS = "calls_day"
QUOTA_CODES = frozenset({10022, 10023, 10024})
SHARE_COSTS = ("posts_hour", "posts_day", ALL_CALLS)
_MONTHS = {
    name: number
    for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)  # noqa: SIM905
}
_DATE = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{2}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2}) (\d{4})")
_LINK = re.compile(r"https?://[\w\-.~:/?#\[\]@!$&'()*+,;=%]+", re.ASCII)
_TOPIC = re.compile(r"#[^#\s][^#]*#")
_SPACE = re.compile(r"\s+")
_SENTENCE_END = "。！？；!?;"
_BASE62 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Said:
    """The platform's answer read: `body` where it did what was asked, else `code`; neither when unreadable."""

    body: Mapping[str, Any] | None = None
    code: int | None = None
    status: int = 0


def read(answer: Answer) -> Said:
    """What the platform said, whatever its HTTP status. A number may come as text; a 5xx without one says nothing."""
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return Said(status=answer.status)
    if not isinstance(body, dict):
        return Said(status=answer.status)
    code = body.get("error_code")
    if code is not None:
        number = int(code) if str(code).isdigit() else None
        return Said(code=number, status=answer.status)
    return Said(body=body, status=answer.status) if answer.status == 200 else Said(status=answer.status)


# Texts


def count(text: str, link_halves: int) -> int:
    """Length as 微博 counts: two half-widths are one, an emoji two, each link `link_halves` halves; rounded up."""
    links = _LINK.findall(text)
    rest = _LINK.sub("", text)
    halves = sum(1 if ord(sign) < 128 else 2 if ord(sign) < 0x10000 else 4 for sign in rest)
    return (halves + link_halves * len(links) + 1) // 2


def topics(text: str) -> list[str]:
    """The #话题# in a text; a link's fragment is none."""
    return _TOPIC.findall(_LINK.sub(" ", text))


def links(text: str) -> list[str]:
    return _LINK.findall(text)


def on_domain(url: str, domain: str) -> bool:
    """Whether a link lies on the approved domain or below it; what is no address (`http://[待定]`) lies nowhere."""
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        return False
    return bool(domain) and (host == domain.lower() or host.endswith("." + domain.lower()))


def derived(title: str, digest: str, limit: int, link_halves: int) -> str:
    """The text made from title and digest, with room for the link; cut at a sentence's end where there is one."""
    head = f"【{title.strip()}】"
    room = limit - (link_halves + 2) // 2  # the link and the space before it
    text = head + digest.strip()
    if count(text, link_halves) <= room:
        return text
    while text and count(text + "…", link_halves) > room:
        text = text[:-1]
    end = max(text.rfind(sign) for sign in _SENTENCE_END)
    return text[: end + 1] if end > len(head) else text + "…"


def essence(text: str) -> str:
    """A text without links and spaces: what stays the same when the platform shortens the links."""
    return _SPACE.sub("", _LINK.sub("", text))


def fingerprint(text: str, picture: str) -> str:
    """sha256 over what becomes public."""
    body = json.dumps({"text": text, "picture": picture}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(body.encode()).hexdigest()


def address(page: str, uid: str, mid: str) -> str:
    """The public address of a post: its number in base 62, seven digits at a time from the right."""
    groups = [mid[max(0, end - 7) : end] for end in range(len(mid), 0, -7)]
    words = [_base62(int(group)) for group in reversed(groups)]
    return f"{page}/{uid}/{words[0]}" + "".join(word.zfill(4) for word in words[1:])


def _base62(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number, 62)
        letters = _BASE62[rest] + letters
    return letters or "0"


def moment(text: str) -> datetime:
    """`Wed Oct 24 23:49:17 +0800 2012` in UTC, English names whatever the machine's language; ValueError otherwise."""
    match = _DATE.fullmatch(text)
    if match is None or match[1] not in _MONTHS:
        raise ValueError("not a date of this platform")
    month, day, hour, minute, second, sign, hours, minutes, year = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (1 if sign == "+" else -1)
    numbers = (int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second))
    return datetime(*numbers, tzinfo=timezone(offset)).astimezone(UTC)


def told(request: Request, answer: Answer) -> Told | None:
    """A refusal for the number of calls: of the user in all, of this address, or of everybody behind our address."""
    code = read(answer).code
    if code not in QUOTA_CODES:
        return None
    own = tuple(name for name in request.costs if name != ALL_CALLS)
    return Told((ALL_CALLS,) if code == 10023 else own or request.costs, 0, None, refused=True)


# Requests


@dataclass(frozen=True, repr=False)
class Wire:
    """Makes the requests of one account. `base` has no slash at its end."""

    base: str
    token: str
    rip: str

    def _get(self, path: str, budget: str, **fields: str) -> Request:
        query = urlencode({"access_token": self.token, **fields})
        return Request("GET", f"{self.base}{path}?{query}", costs=(budget, ALL_CALLS))

    def _post(self, path: str, *costs: str, **fields: str) -> Request:
        body = urlencode({"access_token": self.token, **fields}, quote_via=quote)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return Request("POST", self.base + path, form, body.encode(), costs=costs)

    def share(self, text: str, picture: bytes | None, picture_type: str) -> Request:
        """发布一条微博."""
        if picture is None:
            return self._post("/2/statuses/share.json", *SHARE_COSTS, status=text, rip=self.rip)
        fields = {"access_token": self.token, "status": text, "rip": self.rip}
        kind, body = multipart(fields, Part("pic", picture, picture_type))
        address, form = self.base + "/2/statuses/share.json", {"Content-Type": kind}
        return Request("POST", address, form, body, seconds=60.0, costs=SHARE_COSTS)

    def timeline(self, depth: int, budget: str) -> Request:
        return self._get("/2/statuses/user_timeline.json", budget, count=str(depth))

    def token_info(self) -> Request:
        """Not among the counted addresses."""
        return self._post("/oauth2/get_token_info")

    def show(self, id: str, budget: str) -> Request:
        return self._get("/2/statuses/show.json", budget, id=id)

    def comments_to_me(self, since: str, top: str, size: int) -> Request:
        more = {"max_id": top} if top else {}
        return self._get("/2/comments/to_me.json", "comments_day", since_id=since or "0", count=str(size), **more)

    def reply(self, status: str, comment: str, text: str) -> Request:
        fields = {"cid": comment, "id": status, "comment": text, "without_mention": "0", "rip": self.rip}
        return self._post("/2/comments/reply.json", "answers_day", ALL_CALLS, **fields)


# Answers


@dataclass(frozen=True)
class Status:
    """One post of our own, as the platform tells it."""

    id: str
    uid: str
    text: str
    at: datetime


def status(body: Mapping[str, Any]) -> Status | None:
    """The post, or None when a field that we need is not there. Ids are texts: they are larger than a float holds."""
    id = body.get("idstr") or body.get("mid")
    user = body.get("user")
    try:
        at = moment(str(body.get("created_at")))
    except ValueError:
        return None
    if not id or not str(id).isdigit() or not isinstance(user, dict):
        return None
    return Status(str(id), str(user.get("idstr") or user.get("id") or ""), str(body.get("text") or ""), at)


def statuses(body: Mapping[str, Any]) -> list[Status] | None:
    rows = body.get("statuses")
    if not isinstance(rows, list):
        return None
    return [found for row in rows if isinstance(row, dict) and (found := status(row))]


def comment_rows(body: Mapping[str, Any]) -> list[Json] | None:
    """The comments, newest first, or None when there is no list."""
    rows = body.get("comments")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else None


def comment_id(row: Json) -> str:
    return str(row.get("idstr") or row.get("mid") or row.get("id") or "")


def heard(row: Json, seen_at: datetime) -> Heard:
    """One comment. Without an id its content names it, so that nothing said is dropped; an odd date is `seen_at`."""
    id = comment_id(row) or "sha256-" + hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()
    user, post = _object(row.get("user")), _object(row.get("status"))
    try:
        at = moment(str(row.get("created_at")))
    except ValueError:
        at = seen_at
    return Heard(
        external_id=id,
        kind="comment",
        author_id=str(user.get("idstr") or user.get("id") or ""),
        author_name=str(user.get("screen_name") or ""),
        text=str(row.get("text") or ""),
        at=at,
        in_reply_to=str(post.get("idstr") or post.get("mid") or "") or None,
        raw=row,
    )


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def newest(ids: Sequence[str], keep: int) -> list[str]:
    """The largest ids as numbers, largest first."""
    return sorted({id for id in ids if id.isdigit()}, key=int, reverse=True)[:keep]
