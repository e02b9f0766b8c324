"""微信公众号's figures as data: limits and quotas, with source and date; only added up here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any

from channels.contract import Capabilities, Limit, Quota

READ_ON = "2026-11-24"
DRAFT_PAGE = "developers.weixin.qq.com/doc/service/api/draftbox/draftmanage/api_draft_add"
PICTURE_PAGE = "developers.weixin.qq.com/doc/service/api/material/permanent/api_uploadimage"
CREDENTIAL_PAGE = "developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken"
LIMITS_PAGE = "developers.weixin.qq.com/doc/service/Message_Management/API_Call_Limits"
MESSAGE_PAGE = "developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage"
COMMENT_PAGE = "developers.weixin.qq.com/doc/service/api/leaving/api_listcomment"
OPEN = "未经文档证实，可在账号设置中调整"


@dataclass(frozen=True)
class Profile:
    """What one certified account may use; `account["profile"]` replaces single figures by name.

    `comments`: whether the account has the right to comments (留言); 0 leaves them off and never asks for them.
    """

    title: int = 32
    author: int = 16
    digest: int = 128
    content: int = 19_999  # “少于 2 万字符”
    content_bytes: int = 1 << 20
    source_url: int = 1 << 10
    picture_bytes: int = 1 << 20
    cover_bytes: int = 10 << 20
    publish_day: int = 100
    checks_day: int = 100
    finds_day: int = 100
    drafts_day: int = 1000
    draft_looks_day: int = 500  # of 1000, 1000 and 500 for three addresses, counted as one
    pictures_day: int = 1000
    forced_tokens_day: int = 20
    withdrawals_day: int = 10
    comments: int = 1
    comments_page: int = 49
    comments_day: int = 500
    comment_first: int = 300  # seconds between two looks at a young article's comments; an older one rests longer
    reply: int = 600
    message_bytes: int = 2048
    window_hours: int = 48
    skew_seconds: int = 30


_NAMES = frozenset(field.name for field in fields(Profile))


def profile_of(given: Mapping[str, Any]) -> Profile:
    """The certified account's figures with the account's own in their place; ValueError (Chinese) for a wrong one."""
    own = {name: value for name, value in given.items() if name in _NAMES and value is not None}
    if any(not isinstance(value, int) or value < 0 for value in own.values()):
        raise ValueError("公众号账号的各项限额应为非负整数")
    return replace(Profile(), **own)


def capabilities(profile: Profile) -> Capabilities:
    """The channel's abilities with this account's figures."""
    return Capabilities(
        kind="wechat",
        name="微信公众号",
        sign="微",
        limits={
            "title": Limit(profile.title, "字", DRAFT_PAGE, READ_ON),
            "author": Limit(profile.author, "字", DRAFT_PAGE, READ_ON),
            "digest": Limit(profile.digest, "字", DRAFT_PAGE, READ_ON),
            "content": Limit(profile.content, "字符（排版代码计入）", DRAFT_PAGE, READ_ON),
            "content_bytes": Limit(profile.content_bytes, "字节以内", DRAFT_PAGE, READ_ON),
            "picture_bytes": Limit(profile.picture_bytes, "字节以内（正文图片，JPG 或 PNG）", PICTURE_PAGE, READ_ON),
            "cover_bytes": Limit(profile.cover_bytes, "字节以内（封面）", PICTURE_PAGE, READ_ON),
            "answer": Limit(profile.reply, "字（回复留言）", OPEN, READ_ON),
            "message": Limit(profile.message_bytes, "字节（客服消息）", OPEN, READ_ON),
            "window": Limit(profile.window_hours, "小时内可回复来信，最多 5 条", MESSAGE_PAGE, READ_ON),
        },
        confirms="later",
        lookup="trusted",
        honours_key=False,
        can_withdraw=True,
        can_correct=False,
        listens="poll",
        answers=True,
        picture_types=("image/jpeg", "image/png"),
        settling=timedelta(minutes=2),
        quotas=_quotas(profile),
    )


def _quotas(profile: Profile) -> Mapping[str, Quota]:
    def of(name: str, unit: str, words: str, act: str = "", page: str = LIMITS_PAGE) -> Quota:
        return Quota(getattr(profile, name), unit, page, READ_ON, words, "day", act)

    return {
        "publish_day": of("publish_day", "次/日（提交发布）", "提交发布", "publish"),
        "checks_day": of("checks_day", "次/日（查询发布结果）", "查审核结果", "check"),
        "finds_day": of("finds_day", "次/日（查已发文章）", "核对结果", "find"),
        "drafts_day": of("drafts_day", "次/日（新建草稿）", "新建草稿", "stage"),
        "draft_looks_day": of("draft_looks_day", "次/日（查看草稿）", "查看草稿"),
        "pictures_day": of("pictures_day", "次/日（上传正文图片）", "上传图片", "stage", OPEN),
        "withdrawals_day": of("withdrawals_day", "次/日（删除文章）", "删除文章", "withdraw"),
        "comments_day": of("comments_day", "次/日（读留言，本系统的分配）", "读留言", "listen", COMMENT_PAGE),
        "forced_tokens_day": of("forced_tokens_day", "次/日（强制换取凭证）", "强制换取凭证", page=CREDENTIAL_PAGE),
    }
