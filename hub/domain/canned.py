"""常用答复: what one must hold, the places in it that a case fills, and which of them still stand in a text; pure.

A place without a value stays as it is written, so that nobody sends a sentence with a hole in it unseen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hub.domain.answer import check_text
from hub.domain.errors import FieldError, Invalid

VARIABLES: Mapping[str, str] = {
    "称呼": "“市民朋友”，几个人反映的是“各位市民”",
    "工单号": "如 26-11-00684",
    "部门": "承办单位",
    "时限": "应在哪一天前答复，如 11 月 24 日",
    "电话": "承办单位在服务事项里的电话",
}
LONGEST_TITLE, LONGEST = 30, 1_000
_PLACE = re.compile(r"[{｛]([^{}｛｝\s]{1,12})[}｝]")
_GREETING = re.compile(
    r"^\s*(?:尊敬的)?[\u4e00-\u9fff*·]{1,8}?(?:先生|女士|小姐|同志|市民|居民|朋友|老师|阿姨|师傅)(?:/女士)?[，,：:、\s]*(?=您好|你好)"
)


def check_canned(title: str, text: str) -> tuple[str, str]:
    """The two in clean shape; Invalid names every field that is not acceptable."""
    title, text = " ".join(title.split()), text.strip()
    errors = []
    if not 2 <= len(title) <= LONGEST_TITLE:
        errors.append(FieldError("title", f"名称请写 2 到 {LONGEST_TITLE} 字，调用时按它找。"))
    if len(text) > LONGEST:
        errors.append(FieldError("text", f"正文请写在 {LONGEST} 字以内。"))
    unknown = [name for name in places(text) if name not in VARIABLES]
    if unknown:
        known = "、".join(f"{{{name}}}" for name in VARIABLES)
        errors.append(FieldError("text", f"没有 {_listed(unknown)} 这样的变量。可用：{known}。"))
    try:
        check_text(text, "")
    except Invalid as error:
        errors += error.errors
    if errors:
        raise Invalid("这条常用答复有几处要改。", tuple(errors))
    return title, text


def places(text: str) -> list[str]:
    """The names in braces that stand in a text, each once, in their order."""
    return list(dict.fromkeys(_PLACE.findall(text)))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with every place filled for which there is a value."""
    return _PLACE.sub(lambda found: values.get(found[1]) or found[0], text)


def require_filled(text: str, short: str = "") -> None:
    """Invalid while a place stands open: named, so that it is found."""
    errors = [
        FieldError(name, f"还有 {_listed(open_places)} 没有填，请改成具体内容，再送审。")
        for name, said in (("text", text), ("short", short)) if (open_places := places(said))
    ]  # fmt: skip
    if errors:
        raise Invalid("答复里还有没填的地方。", tuple(errors))


def quotable(text: str) -> str:
    """An answer of the past without the greeting of the one it was written to: that name is nobody else's business."""
    return _GREETING.sub("{称呼}，", text)


def _listed(names: list[str]) -> str:
    return "、".join(f"{{{name}}}" for name in names)
