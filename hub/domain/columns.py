"""栏目: what a column of the public website carries and how many approvals its texts need; nothing is stored here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hub.domain.errors import FieldError, Invalid
from hub.domain.runs import line

# 栏目类型: the office's own list; it is printed as ColumnType in the page's government meta tags
TYPES = (
    "概况信息", "要闻动态", "通知公告", "政策文件", "政策解读",
    "回应关切", "人事信息", "办事服务", "互动交流", "数据开放",
)  # fmt: skip
FEWEST_LEVELS, MOST_LEVELS = 1, 3

_SLUG = re.compile(r"[a-z][a-z0-9-]{0,39}")


def _texts(value: Mapping[str, Any], errors: list[FieldError]) -> dict[str, Any]:
    name, description = line(str(value.get("name", ""))), line(str(value.get("description", "")))
    if not 1 <= len(name) <= 20:
        errors.append(FieldError("name", "请写栏目名称，20 字以内。"))
    if not 1 <= len(description) <= 200:
        errors.append(FieldError("description", "请用一两句话写明栏目登什么，200 字以内。"))
    keywords = value.get("keywords") or []
    if not isinstance(keywords, list | tuple) or not all(isinstance(word, str) for word in keywords):
        errors.append(FieldError("keywords", "关键词应是若干个词。"))
        keywords = []
    words = list(dict.fromkeys(word for each in keywords if (word := line(each))))
    return {"name": name, "description": description, "keywords": words[:20]}


def _whole(value: Any, lowest: int, highest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest


def check_column(value: Mapping[str, Any]) -> dict[str, Any]:
    """The column as a document (`_id` is its slug). Raises Invalid naming every field that must change."""
    errors: list[FieldError] = []
    slug = str(value.get("_id", ""))
    if not _SLUG.fullmatch(slug):
        errors.append(FieldError("_id", "栏目代号用小写字母开头，只含小写字母、数字和短横线，40 个以内。"))
    column = {"_id": slug, **_texts(value, errors)}
    if value.get("type") not in TYPES:
        errors.append(FieldError("type", f"栏目类型请从中选一个：{'、'.join(TYPES)}。"))
    if not _whole(value.get("levels"), FEWEST_LEVELS, MOST_LEVELS):
        errors.append(FieldError("levels", f"审批级数在 {FEWEST_LEVELS} 到 {MOST_LEVELS} 之间，不能不审。"))
    if not _whole(value.get("order", 0), 0, 10_000):
        errors.append(FieldError("order", "排序请写 0 到 10000 的整数。"))
    if errors:
        raise Invalid("栏目有几处要修改。", tuple(errors))
    figures = {"type": value["type"], "order": value.get("order", 0), "levels": value["levels"]}
    return {**column, **figures, "public": value.get("public", True) is not False}
