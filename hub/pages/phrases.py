"""What a decoder says of a body in English, said to a person in Chinese, with the field it is about; pure."""

from __future__ import annotations

import re

KINDS = {
    "str": "文字",
    "int": "整数",
    "float": "数字",
    "bool": "是或否（true、false）",
    "array": "列表",
    "object": "对象",
    "null": "空",
    "datetime": "时间",
}
_PLACE = re.compile(r" - at `(?P<place>[^`]*)`$")
_MISSING = re.compile(r"missing required field `(?P<name>[^`]+)`")
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]+)`")
_KIND = re.compile(r"^Expected `(?P<wanted>[^`]+)`, got `(?P<given>[^`]+)`")
_LENGTH = re.compile(r"^Expected `(?P<kind>str|array|object)` of length (?P<sign><=|>=) (?P<count>\d+)")
_SIZE = re.compile(r"^Expected `(?:int|float)` (?P<sign><=|>=) (?P<count>-?[\d.]+)")
_CHOICE = re.compile(r"^Invalid enum value")
_MOMENT = re.compile(r"RFC3339|timezone|out of range")
MOMENT = "时间请写成带时区的完整时间，如 2026-11-24T09:00:00+08:00。"


def in_chinese(message: str) -> tuple[str, str]:
    """(field, sentence). The field is a path like `publications[0].at`; `body` where the whole is meant."""
    found = _PLACE.search(message)
    place = found["place"].replace("$", "").strip(".") if found else ""
    said = message[: found.start()] if found else message
    for pattern, sentence in ((_MISSING, "缺少这一项。"), (_UNKNOWN, "没有这个字段，请去掉。")):
        if named := pattern.search(said):
            return ".".join(part for part in (place, named["name"]) if part), sentence
    return place or "body", _sentence(said)


def _sentence(said: str) -> str:
    if found := _LENGTH.search(said):
        unit = "字" if found["kind"] == "str" else "项"
        return f"最{'多' if found['sign'] == '<=' else '少'} {found['count']} {unit}。"
    if found := _SIZE.search(said):
        return f"不能{'大于' if found['sign'] == '<=' else '小于'} {found['count']}。"
    if _CHOICE.search(said):
        return "不在可选的值里，请看接口说明。"
    if _MOMENT.search(said):
        return MOMENT
    if found := _KIND.search(said):
        return f"应为{_kinds(found['wanted'])}，收到的是{_kinds(found['given'])}。"
    return "写法不对，请看接口说明。"


def _kinds(words: str) -> str:
    return "或".join(KINDS.get(word.strip(), word.strip()) for word in words.split("|"))
