"""演练微信's drafts: an article's limits and the draft box; publishing them lives in rehearsal_publishing.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.ledger import Effect
from channels.wechat.rehearsal_content import filtered, foreign_links, text_of, without_links
from channels.wechat.rehearsal_material import Material
from channels.wechat.rehearsal_rules import Act, Body, Call, Done, Refusal, Rules, made, seconds, whole, words
from channels.wechat.rehearsal_state import State, in_the_box


def listed(call: Call, rows: Sequence[Body]) -> Body:
    """One page of a list, newest first, as every list of the platform is asked for."""
    offset, count = call.number("offset", 0), call.number("count", 20)
    if not 1 <= count <= 20 or offset < 0:
        raise Refusal(40035)
    page = list(rows[offset : offset + count])
    return {"item": page, "total_count": len(rows), "item_count": len(page)}


def told(article: Mapping[str, Any], url: str, *, content: bool) -> Body:
    """An article as the platform gives it back."""
    row = {name: value for name, value in article.items() if content or name != "content"}
    return {**row, "show_cover_pic": 0, "url": url}


@dataclass
class Drafts:
    """The draft box."""

    seed: str
    state: State
    rules: Rules
    material: Material
    domains: Sequence[str]

    def acts(self) -> dict[str, Act]:
        return {
            "/cgi-bin/draft/add": Act(self.add),
            "/cgi-bin/draft/get": Act(self.get),
            "/cgi-bin/draft/batchget": Act(self.several),
            "/cgi-bin/draft/update": Act(self.update),
            "/cgi-bin/draft/delete": Act(self.remove),
            "/cgi-bin/draft/count": Act(self.count, "GET"),
        }

    # An article's own limits

    def _article(self, given: Any, alone: bool) -> Body:
        if not isinstance(given, dict):
            raise Refusal(47001)
        kind = words(given.get("article_type")) or "news"
        if kind not in ("news", "newspic"):
            raise Refusal(40035)
        article = self._words(given)
        article["article_type"] = kind
        for flag in ("need_open_comment", "only_fans_can_comment"):
            article[flag] = whole(given.get(flag, 0))
        if article["need_open_comment"] and self.state.switches.get("comment_privilege") is False:
            raise Refusal(88000)
        if kind == "newspic":
            return {**article, **self._pictures(given), "content": text_of(filtered(article["content"]))}
        article["content"] = self._content(article["content"])
        if not article["digest"] and alone:
            article["digest"] = text_of(article["content"]).replace("\n", "")[: self.rules.digest_made]
        for crop in ("pic_crop_235_1", "pic_crop_1_1"):
            if given.get(crop):
                article[crop] = words(given[crop])
        return {**article, **self._cover(given)}

    def _words(self, given: Mapping[str, Any]) -> Body:
        names = ("title", "author", "digest", "content", "content_source_url")
        article = {name: words(given.get(name)) for name in names}
        if not article["title"].strip():
            raise Refusal(44003)
        for name, code in (("title", 45003), ("author", 45110), ("digest", 45004)):
            if len(article[name]) > getattr(self.rules, name):
                raise Refusal(code)
        if len(article["content_source_url"].encode()) > self.rules.link_bytes:
            raise Refusal(45005)
        if not article["content"].strip() and given.get("article_type") != "newspic":
            raise Refusal(44004)
        if (
            len(article["content"]) >= self.rules.content
            or len(article["content"].encode()) >= self.rules.content_bytes
        ):
            raise Refusal(45002)
        return article

    def _content(self, content: str) -> str:
        kept = filtered(content)
        if foreign_links(kept, self.domains):
            if self.rules.foreign_links == "refuse":
                raise Refusal(45166)
            kept = without_links(kept)
        return kept

    def _cover(self, given: Mapping[str, Any]) -> Body:
        media_id = words(given.get("thumb_media_id"))
        image = self.material.image(media_id)
        if image is None:
            raise Refusal(40007)
        return {"thumb_media_id": media_id, "thumb_url": image["url"]}

    def _pictures(self, given: Mapping[str, Any]) -> Body:
        info = given.get("image_info")
        rows = info.get("image_list") if isinstance(info, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Refusal(47001)
        if not 1 <= len(rows) <= self.rules.images:
            raise Refusal(45008)
        ids = [words(row.get("image_media_id")) for row in rows]
        if any(self.material.image(media_id) is None for media_id in ids):
            raise Refusal(40007)
        more = {name: given[name] for name in ("cover_info", "product_info") if given.get(name)}
        return {"image_info": {"image_list": [{"image_media_id": id} for id in ids]}, "thumb_media_id": "", **more}

    # The box

    def one(self, call: Call) -> dict[str, Any]:
        draft = self.state.draft(call.text("media_id", 41006), call.now)
        if draft is None:
            raise Refusal(40007)
        return draft

    def _box(self, now: datetime) -> list[dict[str, Any]]:
        rows = [draft for draft in self.state.drafts.values() if in_the_box(self.state, draft, now)]
        return rows[::-1]

    def add(self, call: Call) -> Done:
        given = call.body.get("articles")
        if not isinstance(given, list):
            raise Refusal(47001)
        if not given:
            raise Refusal(44003)
        if len(given) > self.rules.articles:
            raise Refusal(45008)
        media_id = made(self.seed, "draft/" + self.state.salt(call.now))
        fact: Effect = {
            "kind": "draft", "media_id": media_id, "at": call.now.isoformat(),
            "updated": call.now.isoformat(), "articles": [self._article(row, len(given) == 1) for row in given],
        }  # fmt: skip
        return {"media_id": fact["media_id"], "item": []}, [fact]

    def update(self, call: Call) -> Done:
        draft, index = self.one(call), call.number("index", 0)
        if not 0 <= index < len(draft["articles"]):
            raise Refusal(40114)
        articles = list(draft["articles"])
        articles[index] = self._article(call.body.get("articles"), len(articles) == 1)
        fact = {**draft, "kind": "draft", "articles": articles, "updated": call.now.isoformat()}
        return {"errcode": 0, "errmsg": "ok"}, [fact]

    def _told(self, draft: Mapping[str, Any], base: str, *, content: bool) -> Body:
        rows = [
            told(article, f"{base}/s/preview-{made(self.seed, draft['media_id'])[:24]}-{place}", content=content)
            for place, article in enumerate(draft["articles"])
        ]
        at = {"create_time": seconds(draft["at"]), "update_time": seconds(draft["updated"])}
        return {"news_item": rows, **at}

    def get(self, call: Call) -> Done:
        return self._told(self.one(call), call.base, content=True), []

    def several(self, call: Call) -> Done:
        content = not call.number("no_content", 0)
        rows = [
            {
                "media_id": draft["media_id"],
                "content": self._told(draft, call.base, content=content),
                "update_time": seconds(draft["updated"]),
            }
            for draft in self._box(call.now)
        ]
        return listed(call, rows), []

    def remove(self, call: Call) -> Done:
        fact = {"kind": "draft_removed", "media_id": self.one(call)["media_id"]}
        return {"errcode": 0, "errmsg": "ok"}, [fact]

    def count(self, call: Call) -> Done:
        return {"total_count": len(self._box(call.now))}, []
