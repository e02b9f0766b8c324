"""演练微信's public face as HTML, the list of articles and each article's page, marked as a rehearsal; no rules."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from channels.wechat.rehearsal_content import local_pictures
from channels.wechat.rehearsal_rules import CHINA

GREY = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="360">'
    b'<rect width="100%" height="100%" fill="#d0d0d0"/></svg>'
)
_NOTE = "本页是演练用的本地平台，不是真实的微信公众平台。"
_STYLE = (
    ":root{color-scheme:light dark}body{max-width:42rem;margin:1.5rem auto;padding:0 1rem;"
    'font:1rem/1.7 "Noto Sans CJK SC","PingFang SC",sans-serif}img{max-width:100%}'
    "small,.note{color:GrayText}.note{border:1px solid;padding:.25rem .75rem}"
    ".text{white-space:pre-line}li{margin:.5rem 0}"
)


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)} · 演练微信</title><style>{_STYLE}</style>"
        f'<p class="note">{_NOTE}</p>{body}</html>'
    )


def _time(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone(CHINA):%Y-%m-%d %H:%M}"


def front(name: str, posts: Sequence[Mapping[str, Any]], menu: Sequence[Mapping[str, Any]], sent: int) -> str:
    """The account's page: its articles, newest first, and its menu."""
    rows = "".join(_row(post) for post in reversed(posts) if not post["withdrawn"])
    buttons = "".join(f"<li>{html.escape(str(button['name']))}</li>" for button in menu)
    body = f"<h1>演练微信 · {html.escape(name)}</h1>"
    body += f"<ul>{rows}</ul>" if rows else "<p>还没有发布文章。</p>"
    if buttons:
        body += f"<h2>菜单</h2><ul>{buttons}</ul>"
    return _page(name, body + f"<p><small>已向关注者发出 {sent} 条消息。</small></p>")


def _row(post: Mapping[str, Any]) -> str:
    act = "群发" if post["act"] == "mass" else "发布"
    title = html.escape(post["title"] or post["text"])
    shown = f'<a href="{html.escape(urlsplit(post["url"]).path)}">{title}</a>' if post["url"] else title
    return f"<li>{shown}<br><small>{act} {_time(post['at'])}</small></li>"


def article(
    name: str,
    publication: Mapping[str, Any],
    place: int,
    comments: Iterable[Mapping[str, Any]],
    pictures: Sequence[str],
) -> str:
    """One article's page with its comments; `pictures` are the paths of a picture post."""
    given = publication["articles"][place]
    words = given["content"]
    text = local_pictures(words) if given["article_type"] == "news" else f'<p class="text">{html.escape(words)}</p>'
    shown = "".join(f'<p><img src="{html.escape(path)}" alt=""></p>' for path in pictures)
    head = " · ".join(filter(None, (given["author"], name, _time(publication["until"]))))
    body = f"<h1>{html.escape(given['title'])}</h1><p><small>{html.escape(head)}</small></p>{shown}<div>{text}</div>"
    if given["content_source_url"]:
        body += f"<p><small>阅读原文：{html.escape(given['content_source_url'])}</small></p>"
    rows = "".join(_comment(row) for row in comments)
    return _page(given["title"], body + (f"<h2>留言</h2><ul>{rows}</ul>" if rows else ""))


def _comment(row: Mapping[str, Any]) -> str:
    mark = "（精选）" if row["elected"] else ""
    reply = f"<br>作者回复：{html.escape(row['reply']['content'])}" if row["reply"] else ""
    return f"<li>{html.escape(row['author'])}{mark}：{html.escape(row['text'])}{reply}</li>"


def gone(sentence: str) -> str:
    """The page in an article's place when there is none."""
    return _page("没有内容", f"<p>{html.escape(sentence)}</p>")
