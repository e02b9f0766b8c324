"""微博's error numbers as data: what each means in Chinese, who must act, whether and when to try again; no calls.

Read 2026-11-24 from copies of open.weibo.com/wiki/Error_code and public threads. `sure` says that the number proves
that nothing became public; numbers that are not sure are 结果不明 after a publication.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from channels.contract import Refused, Who


class Again(StrEnum):
    """Whether the same call may be made again."""

    NEVER = "never"  # until a person has changed something
    SOON = "soon"  # the platform had a fault of its own
    WAIT = "wait"  # a limit in time
    LOOK = "look"  # perhaps done already: look before saying anything
    DONE = "done"  # it is a success


@dataclass(frozen=True)
class Code:
    """One number of the table."""

    number: int
    reason: str
    who: Who
    again: Again = Again.NEVER
    after: timedelta | None = None
    sure: bool = True


_E, _A, _N = Who.EDITOR, Who.ADMINISTRATOR, Who.NOBODY
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


def _soon(number: int, reason: str, *, sure: bool) -> Code:
    return Code(number, reason, _N, Again.SOON, 2 * _MINUTE, sure)


def _wait(number: int, reason: str, after: timedelta) -> Code:
    return Code(number, reason, _N, Again.WAIT, after)


def _look(number: int, reason: str) -> Code:
    return Code(number, reason, _E, Again.LOOK, None, sure=False)


_TABLE = (
    _soon(10001, "微博系统出错", sure=False),
    _soon(10002, "微博服务暂停", sure=False),
    _soon(10003, "微博的内部服务出错", sure=False),
    Code(10004, "本机的网络地址受微博限制，请联系微博开放平台", _A),
    Code(10005, "这个接口需要更高级别的应用权限，请向微博申请", _A),
    Code(10006, "缺少应用标识，请检查账号设置", _A),
    Code(10007, "微博不支持这种媒体类型，请更换图片", _E),
    Code(10008, "请求参数有误，请联系管理员", _A),
    _soon(10009, "微博排队的任务太多", sure=True),
    _soon(10010, "微博处理任务超时", sure=False),
    _soon(10011, "微博的内部调用出错", sure=False),
    Code(10012, "微博认为请求不合法，请联系管理员", _A),
    Code(10013, "微博用户状态异常，请登录微博查看", _A),
    Code(10014, "应用没有这个接口的权限，请向微博申请", _A),
    Code(10016, "请求缺少参数，请联系管理员", _A),
    Code(10017, "微博不接受其中一项参数：正文须有本单位已备案域名下的链接，且不能带话题", _E),
    Code(10018, "内容太大，请缩短正文或压缩图片", _E),
    Code(10020, "微博没有这个接口，请联系管理员", _A),
    Code(10021, "请求方法不对，请联系管理员", _A),
    _wait(10022, "本机调用微博的次数已到上限", _HOUR),
    _wait(10023, "账号调用微博的次数已到上限", _HOUR),
    _wait(10024, "账号调用这个微博接口的次数已到上限", _HOUR),
    Code(20001, "没有给出编号，请联系管理员", _A),
    Code(20002, "没有给出用户编号，请联系管理员", _A),
    Code(20003, "微博上没有这个用户", _A),
    Code(20005, "微博不支持这种图片格式，请换成 JPG、PNG 或 GIF", _E),
    Code(20006, "图片太大，请压缩到 5 MB 以内", _E),
    Code(20007, "图片没有按要求上传，请联系管理员", _A),
    Code(20008, "正文为空，请填写", _E),
    Code(20009, "一次查询的编号太多，请联系管理员", _A),
    Code(20012, "正文超过 140 字，请缩短", _E),
    Code(20013, "正文超过 300 字，请缩短", _E),
    Code(20014, "微博不接受请求参数，请联系管理员", _A),
    Code(20015, "账号、应用或网络地址被微博限制，请登录微博查看", _A),
    _wait(20016, "发布太频繁", 10 * _MINUTE),
    _look(20017, "微博认为与刚发的内容相似"),
    Code(20018, "正文里的网址被微博禁止，请更换链接", _E),
    _look(20019, "微博认为与已发的内容重复"),
    Code(20020, "微博认为内容是广告，请修改", _E),
    Code(20021, "微博认为内容违规，请修改", _E),
    Code(20022, "本机的网络地址行为异常，请联系微博", _A),
    Code(20023, "微博的这项功能暂不可用", _A),
    Code(20031, "微博要求输入验证码，请登录微博操作一次", _A),
    Code(20032, "已经发出，一两分钟后可见", _N, Again.DONE, 2 * _MINUTE, sure=False),
    Code(20033, "账号登录异常，请登录微博查看", _A),
    Code(20101, "这条微博不存在", _E),
    Code(20102, "这条微博不是本账号的", _A),
    Code(20103, "不能转发自己的微博", _E),
    Code(20104, "这条微博不合法", _E),
    Code(20109, "没有给出微博编号，请联系管理员", _A),
    _look(20111, "微博认为正文重复"),
    Code(20112, "这条微博设为仅自己可见", _E),
    Code(20120, "微博的可见范围参数不对，请联系管理员", _A),
    Code(20121, "没有设置这种可见范围的权限", _A),
    Code(20201, "这条评论不存在，可能已被删除", _E),
    Code(20203, "这条评论不是本账号的", _A),
    Code(20204, "没有给出评论编号，请联系管理员", _A),
    Code(20206, "对方只允许关注的人评论", _E),
    Code(20207, "对方只允许信任的人评论", _E),
    Code(21301, "微博认证失败，请重新授权", _A),
    Code(21314, "授权已被使用，请重新授权", _A),
    Code(21315, "授权已过期，请重新授权", _A),
    Code(21316, "授权已被撤销，请重新授权", _A),
    Code(21317, "授权被微博拒绝，请重新授权", _A),
    Code(21321, "未审核的应用超出使用限制，请在微博提交审核", _A),
    Code(21322, "授权回调地址不符，请检查账号设置", _A),
    Code(21323, "授权请求不合法，请检查账号设置", _A),
    Code(21324, "应用标识或密钥不对，请检查账号设置", _A),
    Code(21325, "授权码无效，请重新授权", _A),
    Code(21326, "应用没有获得授权，请重新授权", _A),
    Code(21327, "授权已过期，请重新授权", _A),
    Code(21328, "授权类型不支持，请联系管理员", _A),
    Code(21329, "授权应答类型不支持，请联系管理员", _A),
    Code(21330, "授权被拒绝，请登录微博重新授权", _A),
    _soon(21331, "微博授权服务暂不可用", sure=True),
    Code(21332, "授权无效，请重新授权", _A),
    Code(21602, "正文含有微博禁止的词，请修改", _E),
)
CODES = {code.number: code for code in _TABLE}
PICTURE_CODES = frozenset({10007, 10018, 20005, 20006})  # kind or size of the picture that went along
TOKEN_CODES = frozenset({10006, 21301, 21314, 21315, 21316, 21317, 21327, 21332})


def refused(code: Code) -> Refused:
    """The refusal that this number means."""
    return Refused(str(code.number), code.reason, code.who, code.after)


def unlisted(number: int) -> Refused:
    """A number that nobody has told us about; only for calls that make nothing public."""
    return Refused(str(number), f"微博返回了未知的错误代码 {number}，请联系管理员", Who.ADMINISTRATOR)
