"""微信's error numbers as data: what each means in Chinese, who must act, whether and when to try again; no calls.

Read 2026-11-24 from copies of the platform's own pages and public threads. `sure` says that the number proves that
nothing became public; what is not in the table, or not sure, is 结果不明 after a publication.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from channels.contract import Refused, Who


class Again(StrEnum):
    """Whether the same call may be made again."""

    NEVER = "never"  # until a person has changed something
    LATER = "later"  # after the time in `after`
    LOOK = "look"  # perhaps done already: look before saying anything
    RENEW = "renew"  # once, with a new access token


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


def _later(number: int, reason: str, after: timedelta, *, sure: bool = True) -> Code:
    return Code(number, reason, _N, Again.LATER, after, sure)


def _token(number: int, reason: str) -> Code:
    return Code(number, reason, _A, Again.RENEW)


_TABLE = (
    _later(-1, "微信系统繁忙", _MINUTE, sure=False),
    _token(40001, "微信不认可访问凭证，请核对 AppSecret"),
    Code(40002, "凭证类型不对，请联系管理员", _A),
    Code(40003, "收信人不对：对方可能已取消关注", _E),
    Code(40004, "微信不支持这种媒体类型，请更换图片", _E),
    Code(40005, "微信不支持这种文件类型，正文图片只收 JPG 和 PNG", _E),
    Code(40006, "文件大小不对，请压缩后再传", _E),
    Code(40007, "草稿或素材已不在", _E, Again.LOOK, None, sure=False),
    Code(40009, "图片太大，正文图片须小于 1 MB", _E),
    Code(40013, "AppID 不对，请核对账号设置", _A),
    _token(40014, "访问凭证无效"),
    Code(40033, "内容里有微信不接受的字符，请联系管理员", _A),
    Code(40125, "AppSecret 不对，请核对账号设置", _A),
    Code(40164, "本机的出口地址不在公众号的 IP 白名单里，请在公众平台“基本配置”中添加", _A),
    Code(40200, "这类账号不能发这种消息", _A),
    Code(40243, "AppSecret 已冻结，请在公众平台解冻", _A),
    _token(41001, "缺少访问凭证"),
    Code(41002, "缺少 AppID，请核对账号设置", _A),
    Code(41004, "缺少 AppSecret，请核对账号设置", _A),
    _token(42001, "访问凭证已过期"),
    Code(43002, "请求方法不对，请联系管理员", _A),
    Code(43004, "对方没有关注本公众号，不能给他发消息", _E),
    Code(44002, "请求没有内容，请联系管理员", _A),
    Code(44003, "图文内容为空，请补上正文", _E),
    Code(45001, "文件超过微信的大小限制，请压缩后再传", _E),
    Code(45002, "消息太长，请缩短", _E),
    Code(45003, "标题超过微信的长度限制，请缩短", _E),
    Code(45004, "摘要超过微信的长度限制，请缩短", _E),
    _later(45009, "今天这个接口的调用次数已用完", timedelta(hours=6)),
    _later(45011, "调用太频繁，微信要求稍后再试", _MINUTE),
    Code(45015, "已超过 48 小时的回复期限，或对方已取消关注", _E),
    Code(45028, "本月的群发次数已用完", _E),
    Code(45034, "素材库已满，请在公众平台清理素材", _A),
    Code(45047, "给这位群众的客服消息已到条数上限，要等对方再来信", _E),
    Code(45064, "小程序没有关联到公众号", _A),
    Code(45166, "正文里有微信不接受的内容或链接，请修改", _E),
    Code(47001, "请求的格式不对，请联系管理员", _A),
    Code(48001, "账号没有这个接口的权限：须为已认证的公众号", _A),
    Code(48004, "这个接口被微信封禁，请登录公众平台查看通知", _A),
    Code(48006, "本月清零次数已用完", _A),
    Code(50002, "账号被微信限制，请登录公众平台查看", _A),
    Code(50004, "账号被停用，请登录公众平台查看", _A),
    Code(50007, "账号已被停用，请登录公众平台查看", _A),
    Code(53503, "草稿没有通过微信的发布检查，请登录公众平台查看原因", _E),
    Code(53504, "这篇草稿须在公众平台上操作", _E),
    Code(53505, "请先在公众平台上手工保存这篇草稿", _E),
    Code(53600, "微信上没有这篇文章，可能已被删除", _E),
    Code(87009, "签名无效，请联系管理员", _A),
    Code(88000, "账号没有留言功能，请在账号设置里关掉留言", _A),
    Code(88001, "微信没有这篇文章的留言记录", _E),
    Code(88002, "这篇文章的留言被微信限制", _E),
    Code(88003, "精选留言已到上限", _E),
    Code(88004, "这条留言已被用户删除", _E),
    Code(88005, "这条留言已经回复过", _E, Again.LOOK, None, sure=False),
    Code(88007, "回复为空或太长，请修改", _E),
    Code(88008, "这条留言不存在，可能已被删除", _E),
    Code(88010, "一次读取的留言太多，请联系管理员", _A),
    Code(89503, "微信要求管理员确认这次调用，请管理员在微信上点确认", _A),
    Code(89501, "管理员还没有确认这次调用", _A),
    Code(89506, "管理员 24 小时内拒绝了这个地址的调用", _A),
    Code(89507, "管理员 1 小时内拒绝了这个地址的调用", _A),
)
CODES = {code.number: code for code in _TABLE}
TOKEN_CODES = frozenset(code.number for code in _TABLE if code.again is Again.RENEW)
PICTURE_CODES = frozenset({"40005", "40006", "40009", "45001"})  # kind or size of what was uploaded
CLOSED_CODES = frozenset({45015, 45047, 43004, 40003})  # the window for an answer is shut: another way must be found


def refused(code: Code, said: str = "") -> Refused:
    """The refusal that this number means; `said` is what the platform added and a person may need (an address)."""
    reason = f"{code.reason}（{said}）" if said else code.reason
    return Refused(str(code.number), reason, code.who, code.after)


def unlisted(number: int) -> Refused:
    """A number that nobody has told us about; only for calls that make nothing public."""
    return Refused(str(number), f"微信返回了未知的错误代码 {number}，请联系管理员", Who.ADMINISTRATOR)
