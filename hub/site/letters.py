"""互动交流: the letter form and 我要找错; what is sent is sealed before it is written, and cannot be read here."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sanic import HTTPResponse, Request
from sanic.response import redirect

from hub.domain.errors import FieldError, TooMany
from hub.domain.query_code import read as read_code
from hub.site.codes import LEAST_WORD, MOST_WORD, plain_proof
from hub.site.demands import LETTER_KINDS, plain_of, take_demand
from hub.site.pictures import drawn
from hub.site.routes import FORM_BYTES, Route, Site, address_of
from hub.site.surroundings import show

MOST_TEXT = 1_000
CODE_COOKIE = "demand-code"  # from the form to the page after it, ten minutes
_KEY = re.compile(r"[a-z0-9]{20,40}")
_ARTICLE = re.compile(r"/articles/([A-Za-z0-9_-]{1,80})/?")


@dataclass(frozen=True)
class Draft:
    """A form as it was sent; `errors` says what is still to be filled in, field by field."""

    values: dict[str, str]
    errors: list[FieldError] = field(default_factory=list)

    def error(self, name: str) -> str:
        return next((each.message for each in self.errors if each.field == name), "")


def _line(value: str) -> str:
    """One line: breaks and runs of blanks are one blank, unseen signs are gone."""
    return " ".join(prose(value).split())


def prose(value: str) -> str:
    """Text with its breaks; other control signs and half characters are gone."""
    value = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(sign for sign in value if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cs")).strip()


def given(request: Request, names: tuple[str, ...]) -> dict[str, str]:
    form: Any = request.form or {}
    return {name: str(form.get(name) or "") for name in names}


# --- the letter

LETTER = ("title", "text", "kind", "district", "place", "author", "contact", "word", "agreed", "key")


def read_letter(given: dict[str, str], districts: tuple[str, ...]) -> Draft:
    """The letter in clean form, and what is missing, each with a sentence that says what to write."""
    values = {name: prose(value) if name == "text" else _line(value) for name, value in given.items()}
    errors = []
    for name, most, missing in (
        ("title", 50, "请用一句话写明是什么事，如“松苑街路灯不亮”。"),
        ("text", MOST_TEXT, "请写明事情的经过：什么时候、什么情况、您希望怎么办。"),
        ("place", 60, "请写明事情发生在哪里，如“北苑路与松苑街口”。"),
    ):
        if not values[name]:
            errors.append(FieldError(name, missing))
        elif (over := len(values[name]) - most) > 0:
            errors.append(FieldError(name, f"超出 {over} 字，请删到 {most} 字以内。"))
    if values["kind"] not in ("", *LETTER_KINDS):
        errors.append(FieldError("kind", "请从列表里选一类；不清楚可以不选。"))
    if values["district"] not in ("", *districts):
        errors.append(FieldError("district", "请从列表里选一个区县；不清楚可以不选。"))
    for name, most, words in (("author", 20, "称呼"), ("contact", 60, "联系方式")):
        if len(values[name]) > most:
            errors.append(FieldError(name, f"{words}请写在 {most} 字以内。"))
    if values["word"] and not LEAST_WORD <= len(plain_proof(values["word"])) <= MOST_WORD:
        errors.append(FieldError("word", f"口令请用 {LEAST_WORD} 到 {MOST_WORD} 个字或数字。"))
    if values["agreed"] != "on":
        errors.append(FieldError("agreed", "请先读“个人信息怎样处理”，同意后在前面打勾。"))
    return Draft(values, errors)


async def show_entry(request: Request, site: Site) -> HTTPResponse:
    return await show(request, site, "letters", here="letters", kept="public, max-age=300")


async def show_letter(request: Request, site: Site) -> HTTPResponse:
    empty = Draft(dict.fromkeys(LETTER, "") | {"key": site.ids.new()})
    return await _form(request, site, "letter", empty)


async def send_letter(request: Request, site: Site) -> HTTPResponse:
    """A letter is a demand: it gets a query code, which the next page shows and no address holds."""
    draft = read_letter(given(request, LETTER), site.facts.districts)
    refused = await _refused(request, site, "letter", draft)
    if refused is not None:
        return refused
    code = await take_letter(site, draft)
    answer = redirect("/letters/sent", status=303)
    answer.add_cookie(
        CODE_COOKIE, code, path="/letters/sent", max_age=600, httponly=True, samesite="Strict",
        secure=site.base_url.startswith("https://") and site.mark != "demo", host_prefix=False,
    )  # fmt: skip
    return answer


# --- 我要找错

MISTAKE = ("page", "text", "contact", "key")


def read_mistake(given: dict[str, str], base_url: str) -> Draft:
    """The report in clean form. A page may be named by its whole address or by its path."""
    values = {name: prose(value) if name == "text" else _line(value) for name, value in given.items()}
    errors = []
    if not values["page"] or len(values["page"]) > 300:
        errors.append(FieldError("page", f"请写出错页面的网址，如“{base_url}/articles/…”，300 字以内。"))
    if not values["text"]:
        errors.append(FieldError("text", "请写明哪里错了，正确的应当是什么。"))
    elif (over := len(values["text"]) - MOST_TEXT) > 0:
        errors.append(FieldError("text", f"超出 {over} 字，请删到 {MOST_TEXT} 字以内。"))
    if len(values["contact"]) > 60:
        errors.append(FieldError("contact", "联系方式请写在 60 字以内。"))
    return Draft(values, errors)


def article_of(page: str) -> str:
    """The id of the article that an address names, empty where it names none."""
    try:
        found = _ARTICLE.fullmatch(urlsplit(page).path)
    except ValueError:
        return ""
    return found[1] if found else ""


def mistake_text(values: dict[str, str]) -> str:
    """An article is named by the row's `about`; any other page by its address, in the title."""
    title = "我要找错" if article_of(values["page"]) else f"我要找错：{values['page']}"
    kept = {"title": title, "text": values["text"], "matter": "mistake"}
    if values["contact"]:
        kept["contact"] = values["contact"]
    return json.dumps({**kept, "agreed": True}, ensure_ascii=False)


async def show_mistake(request: Request, site: Site) -> HTTPResponse:
    page = _line(request.args.get("page") or "")[:300]
    page = site.base_url + page if page.startswith("/") else ""
    empty = Draft(dict.fromkeys(MISTAKE, "") | {"key": site.ids.new(), "page": page})
    return await _form(request, site, "mistake", empty)


async def send_mistake(request: Request, site: Site) -> HTTPResponse:
    draft = read_mistake(given(request, MISTAKE), site.base_url)
    refused = await _refused(request, site, "mistake", draft)
    if refused is not None:
        return refused
    plain = mistake_text(draft.values)
    await site.inbox.drop("letter", row_id(_key(draft, site), plain), plain, article_of(draft.values["page"]))
    return redirect("/mistakes/sent", status=303)


# --- both


async def _form(
    request: Request, site: Site, template: str, draft: Draft, status: int = 200, sentence: str = ""
) -> HTTPResponse:
    return await show(
        request, site, template, here="letters" if template == "letter" else "mistakes", status=status,
        kept="no-store", draft=draft, values=draft.values, sentence=sentence, most=MOST_TEXT,
        districts=[("", "不清楚"), *((name, name) for name in site.facts.districts)],
        kinds=[("", "不清楚"), *LETTER_KINDS.items()],
    )  # fmt: skip


def row_id(key: str, plain: str) -> str:
    """The row of this form with these words: sent twice it is one letter, sent again with other words another.

    The form's key is never stored, so the id tells nothing about the words.
    """
    return hashlib.sha256(f"{key}\0{plain}".encode()).hexdigest()[:32]


async def _refused(request: Request, site: Site, template: str, draft: Draft) -> HTTPResponse | None:
    """Nothing that was written is lost: whatever is not taken comes back in the form. None: it may be taken."""
    if draft.errors:
        return await _form(request, site, template, draft, 422)
    try:
        await admit(request, site)
    except TooMany as error:
        answer = await _form(request, site, template, draft, 429, error.message)
        answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    return None


async def admit(request: Request, site: Site) -> None:
    """TooMany where this address, or the whole city, has sent too many just now."""
    await site.windows.admit("letter", address_of(request, site))
    await site.windows.admit("letters")


async def take_letter(site: Site, draft: Draft, via: str = "") -> str:
    """诉求: into the letter box, sealed; the query code it got. The same form again is the same demand and code.

    `via` names the part of the site where it was written, where that is not the website's own form: app.
    """
    key, values = _key(draft, site), {**draft.values, "via": via}
    row = row_id(key, plain_of(values) + "\0" + draft.values["word"])
    return await take_demand(site, values, key, row)


def _key(draft: Draft, site: Site) -> str:
    return draft.values["key"] if _KEY.fullmatch(draft.values["key"]) else site.ids.new()


async def show_sent(request: Request, site: Site) -> HTTPResponse:
    """What happens next, with the query code of whoever has just sent a letter from this browser."""
    code = read_code(str(request.cookies.get(CODE_COOKIE) or "")) or ""
    link = f"{site.base_url}/demands#{code}" if code else ""
    return await show(
        request, site, "sent", here="letters", kept="no-store", matter="letter", code=code, link=link,
        qr=drawn(link) if link else None,
    )  # fmt: skip


async def show_reported(request: Request, site: Site) -> HTTPResponse:
    return await show(request, site, "sent", here="mistakes", kept="no-store", matter="mistake", code="")


ROUTES = (
    Route("GET", "/letters", show_entry),
    Route("GET", "/letters/new", show_letter),
    Route("POST", "/letters/new", send_letter, "form", "origin", FORM_BYTES),
    Route("GET", "/letters/sent", show_sent),
    Route("GET", "/mistakes/new", show_mistake),
    Route("POST", "/mistakes/new", send_mistake, "form", "origin", FORM_BYTES),
    Route("GET", "/mistakes/sent", show_reported),
)
