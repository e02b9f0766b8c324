"""规则: every figure of the office's rules with its default, limits and source; changing one lives in desk.governing.

Two of the sign-in rules follow the assessor (等保) where ASVS 5.0 6.2.5 and 6.2.10 ask for the opposite: kinds of
characters and regular change can be turned off for an office that is assessed by the other book.

A guarded policy is proposed by one person, confirmed by another, and holds from the next day (Asia/Shanghai) on. Limits
cannot be passed by anyone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.clock import SHANGHAI
from hub.domain.errors import FieldError, Invalid

Value = int | float | str | bool


@dataclass(frozen=True)
class Policy:
    """One figure. `floor` and `ceiling` bound numbers, `choices` words; `guarded` asks for a second person."""

    name: str
    default: Value
    unit: str
    meaning: str
    source: str
    floor: float | None = None
    ceiling: float | None = None
    guarded: bool = False
    choices: tuple[str, ...] = ()


_LEVEL3 = "GB/T 22239-2019 三级"
_PRACTICE = "行业做法"
_HOUSE = "本系统默认"

POLICIES: Mapping[str, Policy] = {
    policy.name: policy
    for policy in (
        # sign-in
        Policy("password_length", 10, "字符", "口令最短长度", _LEVEL3, floor=10, ceiling=64),
        Policy("password_kinds", 3, "类", "口令至少含几类字符", _LEVEL3, floor=1, ceiling=4),
        Policy("password_days", 90, "天", "口令多久须更换（0 为不要求）", _LEVEL3, floor=0),
        Policy("lock_failures", 5, "次", "同一用户同一来源连续失败几次即锁定", _LEVEL3, floor=3, ceiling=5),
        Policy("lock_minutes", 15, "分钟", "锁定多久", _LEVEL3, floor=15, ceiling=1440),
        Policy("address_failures", 30, "次", "同一来源一刻钟内失败几次即暂停登录", _HOUSE, floor=10, ceiling=300),
        Policy("session_idle_minutes", 30, "分钟", "无操作多久即退出", _LEVEL3, floor=5, ceiling=30),
        Policy("session_hours", 12, "小时", "一次登录最长多久", "ASVS 5.0 7.3", floor=1, ceiling=12),
        Policy("confirm_minutes", 10, "分钟", "重输口令后多久内可改敏感设置", "ASVS 5.0 7.5.1", floor=1, ceiling=30),
        Policy("second_factor", True, "", "正式环境是否人人必须用动态口令", _LEVEL3, guarded=True),
        Policy("token_days", 365, "天", "接口令牌最长有效期", _HOUSE, floor=1, ceiling=365),
        # review and publishing
        Policy("approval_levels", 2, "级", "栏目未另定时须经几级审批", "三审三校", floor=1, ceiling=3, guarded=True),
        Policy("late_minutes", 30, "分钟", "过点多久仍可自动补发，之后转待定", _PRACTICE, floor=1, ceiling=1440),
        Policy("late_tries", 8, "次", "暂时被拒时最多重试几次", _HOUSE, floor=1, ceiling=50),
        Policy("preflight_minutes", 30, "分钟", "发布前多久再检查一遍并提醒", _HOUSE, floor=5, ceiling=240),
        Policy("clock_apart_seconds", 60, "秒", "服务器与平台的时钟差多少即提醒", _HOUSE, floor=5, ceiling=600),
        Policy("fallback_minutes", 15, "分钟", "等网站地址多久后改用备用地址", _HOUSE, floor=1, ceiling=1440),
        Policy("withdraw_review_hours", 24, "小时", "撤稿后多久内复核", _PRACTICE, floor=1, ceiling=24, guarded=True),
        # public opinion
        Policy("alert_voices", 4, "人", "苗头至少几人发声才预警", _HOUSE, floor=2, ceiling=1000, guarded=True),
        Policy("alert_chance", 0.01, "", "全部苗头里偶然出一个的概率低于多少才预警", _HOUSE,
               floor=1e-9, ceiling=0.05, guarded=True),
        Policy("alerts_a_week", 2, "条", "一周预警额度；超出后每多一条，标准再严十倍", _HOUSE,
               floor=1, ceiling=50, guarded=True),
        Policy("orange_voices", 12, "人", "预警升到橙色至少几人", _HOUSE, floor=3, ceiling=10_000, guarded=True),
        Policy("orange_unhappy", 0.5, "", "预警升到橙色，其中不满的至少占多少", _HOUSE,
               floor=0.1, ceiling=1.0, guarded=True),
        Policy("orange_day", 8, "人", "橙色：一天内几人以上算快（或来自两个以上渠道或区县）", _HOUSE,
               floor=2, ceiling=10_000, guarded=True),
        Policy("red_voices", 30, "人", "预警升到红色至少几人", _HOUSE, floor=4, ceiling=100_000, guarded=True),
        Policy("red_unhappy", 0.6, "", "预警升到红色，其中不满的至少占多少", _HOUSE,
               floor=0.1, ceiling=1.0, guarded=True),
        Policy("red_day", 15, "人", "红色：一天内几人以上算快（并且来自两个以上渠道或区县）", _HOUSE,
               floor=2, ceiling=100_000, guarded=True),
        Policy("doubt_days", 90, "天", "误报以后，同一件事多少天内须再少见十倍才预警（0 为不管）", _HOUSE,
               floor=0, ceiling=365),
        Policy("cooldown_days", 30, "天", "同一苗头预警后多少天内不重复", _HOUSE, floor=0, ceiling=90),
        Policy("flood_minutes", 10, "分钟", "疑似刷屏：看多少分钟之内的同文", _HOUSE, floor=1, ceiling=60),
        Policy("flood_accounts", 10, "个", "疑似刷屏：这段时间里至少几个账号说同一段话", _HOUSE, floor=3, ceiling=1000),
        Policy("flood_new_percent", 70, "%", "疑似刷屏：其中新出现的账号至少占多少", _HOUSE, floor=30, ceiling=100),
        Policy("urgency_hints", False, "", "新到的留言可能紧急时，是否标出“可能紧急”请人看", _HOUSE),
        # answering
        Policy("reply_days", 5, "个工作日", "诉求多久内首次答复", _PRACTICE, floor=1, ceiling=60),
        Policy("complaint_days", 7, "个工作日", "投诉多久内首次答复", _PRACTICE, floor=1, ceiling=60),
        Policy("extend_days", 15, "个工作日", "经批准延期的，最长多久首次答复", _PRACTICE, floor=1, ceiling=60),
        Policy("object_hours", 24, "小时", "派办后多久内可提异议（24 小时算一个工作日）", _PRACTICE,
               floor=1, ceiling=240),
        Policy("callback_days", 5, "个工作日", "差评和重新办理多久内办好", "政务服务好差评", floor=1, ceiling=30),
        # notices and keeping
        Policy("quiet_from", 22, "时", "几点以后不发普通邮件（0–24）", _HOUSE, floor=0, ceiling=24),
        Policy("quiet_until", 7, "时", "几点起恢复发普通邮件（0–24）", _HOUSE, floor=0, ceiling=24),
        Policy("mail_tries", 6, "次", "一封通知邮件最多重试几次", _HOUSE, floor=1, ceiling=20),
    )
}


def checked(name: str, value: Any) -> Value:
    """The value as this policy takes it; raises Invalid with what would be right."""
    policy = POLICIES.get(name)
    if policy is None:
        raise Invalid("没有这条规则。请从规则列表中选择。", (FieldError("name", "没有这条规则"),))
    if isinstance(policy.default, bool):
        problem = None if isinstance(value, bool) else "只能是“是”或“否”"
    elif isinstance(policy.default, str):
        problem = None if isinstance(value, str) and value in policy.choices else f"可选：{'、'.join(policy.choices)}"
    else:
        problem = _number_problem(policy, value)
    if problem is not None:
        raise Invalid(f"{policy.meaning}：{problem}。", (FieldError("value", problem),))
    return value  # type: ignore[no-any-return]


def _number_problem(policy: Policy, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return "应为数字"
    if isinstance(policy.default, int) and not isinstance(value, int):
        return "应为整数"
    if policy.floor is not None and value < policy.floor:
        return f"不能低于 {policy.floor:g} {policy.unit}（{policy.source}）"
    if policy.ceiling is not None and value > policy.ceiling:
        return f"不能高于 {policy.ceiling:g} {policy.unit}（{policy.source}）"
    return None


def next_day(now: datetime) -> datetime:
    """The coming midnight of the office's day, in UTC."""
    local = now.astimezone(SHANGHAI)
    return (local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)).astimezone(UTC)


def in_force(name: str, document: Mapping[str, Any] | None, now: datetime) -> Value:
    """What holds now: the value once its day has come, until then the one before it, else the default."""
    default = POLICIES[name].default
    if document is None or "value" not in document:
        return default
    held: Value = document["value"] if document["from"] <= now else document.get("previous", default)
    return held


def describe() -> str:
    """All policies as a Markdown table."""
    rows = ["| 规则 | 含义 | 默认 | 可调范围 | 双人 | 来源 |", "|---|---|---|---|---|---|"]
    for policy in POLICIES.values():
        low = "" if policy.floor is None else f"{policy.floor:g}"
        high = "" if policy.ceiling is None else f"{policy.ceiling:g}"
        default = {True: "是", False: "否"}[policy.default] if isinstance(policy.default, bool) else str(policy.default)
        bounds = f"{low}–{high}" if low or high else ""
        guarded = "是" if policy.guarded else ""
        cells = (f"`{policy.name}`", policy.meaning, f"{default} {policy.unit}", bounds, guarded, policy.source)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"
