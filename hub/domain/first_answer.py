"""自动答复 (M2M): the first answer to a citizen's message, from the service directory and the account's table; pure.

It is never the answer to a demand: whatever it says, the message also goes to a person, and no clock stops for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.domain.errors import FieldError, Invalid
from hub.domain.runs import clean, line
from hub.domain.services import Service, find_services, plain

MOST_RULES = 100
LONGEST, MOST_BYTES = 600, 2048  # characters of one automatic answer, ours; bytes, the platform's
ASK, SERVICES, PROGRESS = "ask", "services", "progress"  # keys of the menu's buttons
WELCOME = (
    "欢迎关注。您可以直接在这里说事、提问，工作人员会在这里回复您；也可以点下方菜单找办事指南。"
    "请勿在消息里写身份证号、银行卡号。"
)
ASK_WORDS = "请直接回复：什么事、在哪里、什么时候发现的。不用注册。工作人员会在这里回复您。"
PROGRESS_WORDS = "请打开网站的“互动交流”，凭查询码看办理进度：{site}/letters"
NOT_FOUND = (
    "没有找到对应的办事指南。您的话已经收到，工作人员看到后会在这里回复您。"
    "要找办事指南，请换个说法，或点菜单“找服务”。"
)
NO_WORDS = "已收到。请再用文字写一句：什么事、在哪里。工作人员会在这里回复您。"
END = "没解决？直接回复您的问题，工作人员会答复。"


@dataclass(frozen=True)
class Said:
    """An automatic answer; `found`: it answered from the directory or the table, and was not only a receipt."""

    text: str
    found: bool = False


@dataclass(frozen=True)
class Table:
    """The account's own words: a welcome, and answers by keyword; `site` is the website's address."""

    site: str
    welcome: str = ""
    rules: Sequence[Mapping[str, Any]] = ()


def check_table(value: Mapping[str, Any]) -> dict[str, Any]:
    """An account's welcome and keyword answers in canonical form; Invalid says what must change."""
    errors: list[FieldError] = []
    welcome = clean(str(value.get("welcome") or "")).strip()
    if len(welcome) > LONGEST:
        errors.append(FieldError("welcome", f"欢迎语在 {LONGEST} 字以内。"))
    rules = [_rule(rule, place, errors) for place, rule in enumerate(value.get("rules") or (), 1)]
    if len(rules) > MOST_RULES:
        errors.append(FieldError("rules", f"关键词答复最多 {MOST_RULES} 条。"))
    if errors:
        raise Invalid("自动答复有几处要修改。", tuple(errors))
    return {"welcome": welcome, "rules": rules}


def _rule(rule: Any, place: int, errors: list[FieldError]) -> dict[str, Any]:
    given = rule if isinstance(rule, Mapping) else {}
    words = [line(str(word)) for word in given.get("words") or () if plain(str(word))]
    text = clean(str(given.get("text") or "")).strip()
    if not words or not 1 <= len(text) <= LONGEST:
        errors.append(FieldError("rules", f"第 {place} 条要有关键词和 {LONGEST} 字以内的答复。"))
    return {"words": words, "text": text}


# 公众号菜单: three buttons, each of which says something; the platform shows four characters of each
MENU: Sequence[Mapping[str, str]] = (
    {"type": "click", "name": "找服务", "key": SERVICES},
    {"type": "click", "name": "我要说", "key": ASK},
    {"type": "click", "name": "看进度", "key": PROGRESS},
)


def greet(table: Table) -> Said:
    return Said(_cut(table.welcome) or WELCOME)


def answer_button(key: str, services: Sequence[Service], table: Table) -> Said | None:
    """What a button of the menu says; None for a button that is not ours."""
    if key == SERVICES:
        return Said(_list(services), bool(services))
    said = {ASK: ASK_WORDS, PROGRESS: PROGRESS_WORDS.format(site=table.site)}.get(key)
    return Said(said, True) if said else None


def answer_words(text: str, services: Sequence[Service], table: Table) -> Said:
    """By the account's own table first, then by the directory; else a receipt that says who answers and where."""
    words = plain(text)
    if not words:
        return Said(NO_WORDS)
    for rule in table.rules:
        if said := _ruled(rule, words):
            return Said(said, True)
    found = find_services(text, services)
    return Said(_fits(found), True) if found else Said(NOT_FOUND)


def _ruled(rule: Mapping[str, Any], words: str) -> str:
    """What a rule of the table says to these words; nothing where it does not fit or has nothing to say."""
    said, asked = rule.get("text"), rule.get("words")
    if not isinstance(said, str) or not isinstance(asked, list | tuple):
        return ""
    return _cut(said) if any(word in words for word in map(plain, map(str, asked)) if word) else ""


def _cut(text: str) -> str:
    return text.strip()[:LONGEST].encode("utf-8", "replace")[:MOST_BYTES].decode("utf-8", "ignore")


def _whole_lines(lines: Sequence[str], tail: str) -> str:
    """The lines that fit before the tail, each whole: half an address leads nowhere."""
    text = ""
    for one in lines:
        longer = f"{text}{one}\n"
        if len(longer + tail) <= LONGEST and len((longer + tail).encode("utf-8", "replace")) <= MOST_BYTES:
            text = longer
    return text + tail


def _list(services: Sequence[Service]) -> str:
    if not services:
        return "服务事项还在整理。请直接回复您的问题，工作人员会答复。"
    names = [f"· {service['name']}" for service in services[:12]]
    return _whole_lines(["回复事项名称看办事指南：", *names], "").rstrip()


def _fits(found: Sequence[Service]) -> str:
    """The first in full; the others by name, for whoever meant them."""
    others = "、".join(str(service["name"]) for service in found[1:])
    return _whole_lines(_one(found[0]), (f"您也可能想找：{others}。\n" if others else "") + END)


def _one(service: Service) -> list[str]:
    lines = [f"【{service['name']}】"]
    for name, word in (("needs", "需要"), ("where", "地点"), ("hours", "时间"), ("phone", "电话"), ("link", "网上办")):
        if service.get(name):
            lines.append(f"{word}：{service[name]}")
    return lines
