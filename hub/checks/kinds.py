"""校对规则表: every check by the name of its rule; a new check is one file beside this one and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from hub.checks import absolute_words, channel_limits, date_weekday, personal_data, wrong_words
from hub.checks.finding import Check

CHECKS: Mapping[str, Check] = {
    personal_data.RULE: personal_data.check,
    date_weekday.RULE: date_weekday.check,
    wrong_words.RULE: wrong_words.check,
    absolute_words.RULE: absolute_words.check,
    channel_limits.RULE: channel_limits.check,
}
EXACT = frozenset({personal_data.RULE, date_weekday.RULE, wrong_words.RULE, channel_limits.RULE})  # may say `block`
NAMES: Mapping[str, str] = {
    personal_data.RULE: "个人信息",
    date_weekday.RULE: "日期与星期",
    wrong_words.RULE: "错别字",
    absolute_words.RULE: "绝对化用语",
    channel_limits.RULE: "渠道限制",
    "unchecked": "未能检查",
}
