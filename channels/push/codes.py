"""JPush's error numbers as data: what each means in Chinese, who must act, when to try again; no calls.

Read 2026-11-24 from copies of the platform's documentation (github.com/jpush/jpush-docs). `sure` says that the number
proves that no phone was told; numbers that are not sure are 结果不明 after a push.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from channels.contract import Refused, Who

NOBODY_THERE = 1011


@dataclass(frozen=True)
class Code:
    """One number of the table."""

    number: int
    reason: str
    who: Who
    after: timedelta | None = None
    sure: bool = True


_E, _A, _N = Who.EDITOR, Who.ADMINISTRATOR, Who.NOBODY
_MINUTE = timedelta(minutes=1)

_TABLE = (
    Code(1000, "推送平台的内部服务出错", _N, 2 * _MINUTE, sure=False),
    Code(1001, "推送平台不接受这种请求方法，请联系管理员", _A),
    Code(1002, "推送缺少必填的内容，请联系管理员", _A),
    Code(1003, "推送平台不接受其中一项内容，请联系管理员", _A),
    Code(1004, "推送账号的密钥不对，请检查账号设置", _A),
    Code(1005, "推送内容太大，请缩短标题或提醒文字", _E),
    Code(1008, "推送账号的 AppKey 不对，请检查账号设置", _A),
    Code(1009, "推送平台不认识其中一项内容，请联系管理员", _A),
    Code(NOBODY_THERE, "暂无可达设备：还没有手机登记接收推送，这一条没有推送", _N),
    Code(1012, "推送次数已到平台的上限，请联系推送平台", _A),
    Code(1020, "推送平台只接受 HTTPS，请检查账号设置里的接口地址", _A),
    Code(1030, "推送平台内部超时", _N, 2 * _MINUTE, sure=False),
    Code(2002, "推送太频繁，稍后自动再试", _N, _MINUTE),
    Code(2003, "推送账号已被平台限制，请联系推送平台", _A),
    Code(2004, "本机的网络地址不在推送平台的白名单里，请在平台上添加", _A),
    Code(2005, "推送平台认为请求频率异常，已暂停服务，请联系推送平台", _A),
    Code(2006, "这项功能需要付费版的推送账号", _A),
    Code(2007, "推送账号没有这项权限，请联系推送平台", _A),
)
CODES = {code.number: code for code in _TABLE}
KEY_CODES = frozenset({1004, 1008, 2003, 2004, 2005})


def refused(code: Code, wait: timedelta | None = None) -> Refused:
    """The refusal that this number means; `wait` is what the platform said instead of the table."""
    return Refused(str(code.number), code.reason, code.who, wait if wait and code.after else code.after)


def unlisted(number: int) -> Refused:
    """A number that nobody has told us about; only for calls that reach no phone."""
    return Refused(str(number), f"推送平台返回了未知的错误代码 {number}，请联系管理员", Who.ADMINISTRATOR)
