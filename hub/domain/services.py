"""服务事项: what an entry of the service directory must hold, and which entries a citizen's everyday words mean."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from hub.domain.errors import FieldError, Invalid
from hub.domain.runs import is_link, line

Service = Mapping[str, Any]

MOST_ALIASES = 30
LAST = 10_000  # the largest place in the office's order
ICONS = ("drop", "card", "house", "child", "heart", "bus", "book", "user", "people", "pin", "clock", "globe", "list")
LENGTHS = {"name": 40, "needs": 400, "where": 200, "hours": 100, "phone": 40, "link": 300, "department": 40}
NAMES = {
    "name": "名称", "needs": "需要什么", "where": "办理地点", "hours": "办理时间", "phone": "电话", "link": "网上办理",
    "department": "承办单位",
}  # fmt: skip
_SLUG = re.compile(r"[a-z][a-z0-9-]{0,39}")
_OWN_PATH = re.compile(r"/(?:[\w.~%-]+/?)*(?:\?[\w.~%=&-]*)?", re.ASCII)
_NOISE = re.compile(r"[\W_]+")


def check_service(value: Mapping[str, Any]) -> dict[str, Any]:
    """The entry in canonical form; Invalid names every field that is not acceptable."""
    errors: list[FieldError] = []
    id = str(value.get("_id") or "")
    if not _SLUG.fullmatch(id):
        errors.append(FieldError("_id", "代号用小写字母开头，只含小写字母、数字和短横线，40 个字符以内。"))
    service: dict[str, Any] = {"_id": id}
    for name, most in LENGTHS.items():
        service[name] = _text(value.get(name), name, most, errors)
    if not service["name"]:
        errors.append(FieldError("name", "请写事项名称，用群众平时的叫法。"))
    if service["link"] and not (is_link(service["link"]) or _OWN_PATH.fullmatch(service["link"])):
        errors.append(FieldError("link", "网上办理的地址应以 http:// 或 https:// 开头，或是本网站的路径。"))
    if not (service["needs"] or service["where"] or service["link"]):
        errors.append(FieldError("needs", "请至少写明需要什么、到哪里办或网上办理地址之一。"))
    service["aliases"] = _aliases(value.get("aliases"), errors)
    service["public"] = bool(value.get("public", True))
    service["icon"], service["order"] = value.get("icon") or "list", value.get("order", 100)
    if service["icon"] not in ICONS:
        errors.append(FieldError("icon", "图标请从中选一个。"))
    if not isinstance(service["order"], int) or isinstance(service["order"], bool) or not 0 <= service["order"] <= LAST:
        errors.append(FieldError("order", f"排序请写 0 到 {LAST} 的整数。"))
    if errors:
        raise Invalid("服务事项有几处要修改。", tuple(errors))
    return service


def _text(value: Any, name: str, most: int, errors: list[FieldError]) -> str:
    text = line(value) if isinstance(value, str) else ""
    if len(text) > most or not isinstance(value, str | None):
        errors.append(FieldError(name, f"{NAMES[name]}在 {most} 字以内。"))
    return text


def _aliases(value: Any, errors: list[FieldError]) -> list[str]:
    """别名: how people ask for it; one in a line, or in a list."""
    rows = re.split(r"[\n,，、;；]+", value) if isinstance(value, str) else value if isinstance(value, list) else []
    found = list(dict.fromkeys(filter(None, (line(str(row)) for row in rows))))
    if len(found) > MOST_ALIASES or any(len(one) > 20 for one in found):
        errors.append(FieldError("aliases", f"别名最多 {MOST_ALIASES} 个，每个 20 字以内。"))
    return found


def plain(text: str) -> str:
    """What is compared: one form of every sign, no punctuation, no blanks, small letters."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).lower())


def find_services(text: str, services: Sequence[Service], most: int = 3) -> list[Service]:
    """The entries whose name or alias stands in the text, the longest match first.

    A very short text is also looked for the other way round: 落户 means 新生儿落户.
    """
    words = plain(text)
    scored = [(score, service) for service in services if (score := _score(words, service))]
    return [service for _, service in sorted(scored, key=lambda pair: (-pair[0], _id_of(pair[1])))][:most]


def _id_of(service: Service) -> str:
    return str(service.get("_id") or service.get("id") or "")


def _score(words: str, service: Service) -> int:
    names = [plain(name) for name in (service["name"], *service.get("aliases", ())) if plain(str(name))]
    inside = [len(name) for name in names if len(name) >= 2 and name in words]
    if inside:
        return 2 * max(inside)
    return len(words) if 2 <= len(words) <= 8 and any(words in name for name in names) else 0
