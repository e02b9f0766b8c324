"""折叠: HTML from the editor or from Word becomes blocks; the only place that reads HTML of people; it is never stored.

The HTML is cleaned to a closed list of tags first, then read into blocks; what the blocks do not know folds to its
text, and `dropped` says so in sentences for the writer. hub/templates/parts/blocks.html is the way back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import nh3
from lxml import etree, html  # type: ignore[import-untyped]

from hub.domain.blocks import check
from hub.domain.errors import FieldError, Invalid
from hub.domain.runs import MARKS, Run, is_link, line

Json = dict[str, Any]

LARGEST = 4_000_000  # signs of HTML
DEEPEST = 60  # levels read as structure; below them only the text is kept

_MEDIA = re.compile(r"(?:https?://media\.invalid)?/media/([0-9a-f]{64})(?:/[a-z0-9]{1,12})?")
_MARK_TAGS = {"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
              "sup": "sup", "sub": "sub"}  # fmt: skip
_HEADINGS = {"h1": "h2", "h2": "h2", "h3": "h3", "h4": "h3", "h5": "h3", "h6": "h3"}
_FLOW = {"div", "section", "article", "main", "header", "footer", "figure", "figcaption", "dl", "dt", "dd", "center"}
_PARTS = {"p", "blockquote", "aside", "ul", "ol", "li", "hr"}
_TABLE = {"table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th"}
_INLINE = {"a", "br", "span", "img", "video", "source", "font", *_MARK_TAGS}
_BLOCKS = {*_FLOW, *_PARTS, *_TABLE, *_HEADINGS}
_TAGS = _BLOCKS | _INLINE
_EMPTIED = {"script", "style", "title", "noscript", "template", "xml"}
_STYLES = {"text-align", "font-weight", "font-style", "text-decoration", "text-decoration-line", "vertical-align"}
_DATA = {"data-block", "data-part", "data-role", "data-align"}
_ATTRIBUTES = {
    "*": {"style", "align", *_DATA},
    "a": {"href", "name", "id"},
    "img": {"src", "alt"},
    "video": {"src", "poster"},
    "source": {"src"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_NOTED = {
    "iframe": "嵌入的网页", "script": "脚本", "svg": "矢量图", "math": "公式", "form": "表单", "input": "表单",
    "select": "表单", "textarea": "表单", "button": "按钮", "object": "插件", "embed": "插件", "audio": "音频",
    "del": "删除线", "s": "删除线", "strike": "删除线", "mark": "底色", "marquee": "滚动文字", "canvas": "画布",
    "link": "外部样式", "base": "网址前缀",
}  # fmt: skip
_TAG_NAMES = re.compile(r"<([a-zA-Z][a-zA-Z0-9:]{0,20})[\s/>]")
_LOOKS = re.compile(r"style\s*=[^>]{0,400}?(?:color|font-size|font-family|background)", re.I)
_WRAP = re.compile("(?<=[\u2e80-\u9fff\uff00-\uffef])[ \t\r\f]*\n\\s*(?=[\u2e80-\u9fff\uff00-\uffef])")
_SPACE = re.compile(r"[ \t\r\n\f]+")


@dataclass(frozen=True)
class Folded:
    """What became of the HTML: blocks in canonical form, and a sentence for each thing that was left out."""

    blocks: list[Json]
    dropped: list[str]


def _relative(address: str) -> str | None:
    """Of addresses without a host only our own stored files stay."""
    return address if _MEDIA.fullmatch(address) else None


def _cleaned(text: str) -> str:
    return nh3.clean(
        text,
        tags=_TAGS,
        clean_content_tags=_EMPTIED,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https"},
        url_relative=_relative,
        filter_style_properties=_STYLES,
        link_rel=None,
    )


def _media_of(element: etree._Element, name: str = "src") -> str | None:
    match = _MEDIA.fullmatch(element.get(name) or "")
    return match[1] if match else None


def _words_of(element: etree._Element) -> str:
    return line("".join(element.itertext(with_tail=False)))


def _marks_of(element: etree._Element) -> set[str]:
    """The marks that the tag and its style stand for."""
    found = {_MARK_TAGS[element.tag]} if element.tag in _MARK_TAGS else set()
    style = (element.get("style") or "").replace(" ", "").lower()
    if re.search(r"font-weight:(?:bold|[6-9]00)", style):
        found.add("bold")
    if "font-style:italic" in style:
        found.add("italic")
    if re.search(r"text-decoration[a-z-]*:[a-z-]*underline", style):
        found.add("underline")
    for mark, value in (("sup", "super"), ("sub", "sub")):
        if f"vertical-align:{value}" in style:
            found.add(mark)
    return found


def _align_of(element: etree._Element) -> str:
    style = (element.get("style") or "").replace(" ", "").lower()
    match = re.search(r"text-align:(center|right|end)", style)
    value = element.get("data-align") or (match[1] if match else element.get("align", ""))
    return {"center": "center", "right": "end", "end": "end"}.get(value, "")


Item = tuple[Literal["run"], Run] | tuple[Literal["block"], Json]


@dataclass
class _Folding:
    """One folding under way: the blocks so far and what was left out (each sentence once, in order)."""

    blocks: list[Json] = field(default_factory=list)
    dropped: dict[str, None] = field(default_factory=dict)

    def note(self, sentence: str) -> None:
        self.dropped.setdefault(sentence)

    # -- inline content

    def _own_text(self, text: str | None, marks: frozenset[str], link: str) -> Iterator[Item]:
        if text:
            yield from self._run(_SPACE.sub(" ", _WRAP.sub("", text)), marks, link)

    def _run(self, text: str, marks: frozenset[str], link: str) -> Iterator[Item]:
        run: Run = {"text": text}
        if marks:
            run["marks"] = [mark for mark in MARKS if mark in marks]
        if link:
            run["link"] = link
        yield "run", run

    def inline(
        self, element: etree._Element, marks: frozenset[str] = frozenset(), link: str = "", depth: int = 0
    ) -> Iterator[Item]:
        """The element's content as runs, and as blocks what cannot stand in a text (pictures, videos, files)."""
        if depth > DEEPEST:
            self.note("嵌套太深的部分只保留了文字。")
            yield from self._own_text(_words_of(element), marks, link)
            return
        yield from self._own_text(element.text, marks, link)
        for child in element:
            yield from self._child(child, marks, link, depth)
            yield from self._own_text(child.tail, marks, link)

    def _child(self, child: etree._Element, marks: frozenset[str], link: str, depth: int) -> Iterator[Item]:
        if child.tag == "br":
            yield from self._run("\n", marks, link)
        elif child.tag in ("img", "video"):
            if block := self._picture(child) if child.tag == "img" else self._video(child):
                yield "block", block
        elif child.tag == "a":
            yield from self._anchor(child, marks | _marks_of(child), link, depth)
        else:
            apart = child.tag in _BLOCKS
            if apart:
                yield "run", {"text": "\n"}
            yield from self.inline(child, marks | _marks_of(child), link, depth + 1)
            if apart:
                yield "run", {"text": "\n"}

    def _anchor(self, element: etree._Element, marks: frozenset[str], link: str, depth: int) -> Iterator[Item]:
        address = element.get("href") or ""
        if media := _media_of(element, "href"):
            yield "block", {"kind": "file", "media": media, "name": _words_of(element) or "附件"}
            return
        if is_link(address):
            link = address
        elif address or not (element.get("name") or element.get("id")):
            self.note("有的链接不是完整的 http 网址，已去掉链接，文字保留。")
        yield from self.inline(element, marks, link, depth + 1)

    def _picture(self, element: etree._Element) -> Json | None:
        media = _media_of(element)
        if media is None:
            self.note("有图片不在媒体库里，已去掉。请先上传，再插入。")
            return None
        return {"kind": "img", "media": media, "alt": element.get("alt") or ""}

    def _video(self, element: etree._Element) -> Json | None:
        sources = [element, *element.iter("source")]
        block: Json = {"kind": "video"}
        for source in sources:
            if media := _media_of(source):
                block["media"] = media
                break
            if is_link(source.get("src")):
                block["link"] = source.get("src")
                break
        else:
            self.note("有视频没有可用的网址，已去掉。")
            return None
        if cover := _media_of(element, "poster"):
            block["cover"] = cover
        return block

    # -- blocks

    def put(self, items: Iterable[Item], shape: Json) -> None:
        """Runs become blocks of this shape, an empty line parts two; pictures and files stand between them."""
        runs: list[Run] = []
        for kind, value in items:
            if kind == "run":
                runs.append(value)
            else:
                self._put_runs(runs, shape)
                self.blocks.append(value)
                runs = []
        self._put_runs(runs, shape)

    def _put_runs(self, runs: list[Run], shape: Json) -> None:
        part: list[Run] = []
        broken = False
        for run in runs:
            if run["text"] == "\n" and broken and shape["kind"] == "p":
                self._put_part(part, shape)
                part = []
            elif run["text"].strip(" \xa0"):
                broken = run["text"] == "\n"
            part.append(run)
        self._put_part(part, shape)

    def _put_part(self, part: list[Run], shape: Json) -> None:
        if any(run["text"].strip() for run in part):
            self.blocks.append({**shape, "runs": part})

    def text_only(self, element: etree._Element) -> list[Run]:
        """Runs of an item or a cell; pictures in it are put before the block that holds it."""
        runs: list[Run] = []
        for kind, value in self.inline(element):
            if kind == "run":
                runs.append(value)
            else:
                self.note("列表、表格和引文里的图片、附件移到了它们前面。")
                self.blocks.append(value)
        return runs

    def flow(self, element: etree._Element, depth: int = 0) -> None:
        """Read an element that holds paragraphs, or text between them."""
        loose: list[Item] = list(self._own_text(element.text, frozenset(), ""))
        for child in element:
            if child.tag in _BLOCKS and depth < DEEPEST:
                self.put(loose, {"kind": "p"})
                loose = []
                self.block(child, depth + 1)
            else:
                loose.extend(self._child(child, frozenset(), "", depth))
            loose.extend(self._own_text(child.tail, frozenset(), ""))
        self.put(loose, {"kind": "p"})

    def block(self, element: etree._Element, depth: int) -> None:
        """Read one block-level element."""
        tag, named = element.tag, element.get("data-block")
        if named in _NAMED:
            _NAMED[named](self, element)
        elif tag in _HEADINGS:
            self.put(self.inline(element), {"kind": _HEADINGS[tag]})
        elif tag == "p":
            shape = {"kind": "p", "align": _align_of(element), "role": _role_of(element)}
            self.put(self.inline(element), shape)
        elif tag in _SIMPLE:
            _SIMPLE[tag](self, element)
        else:
            self.flow(element, depth)

    def rule(self, element: etree._Element) -> None:
        self.blocks.append({"kind": "hr"})

    def quote(self, element: etree._Element) -> None:
        self.put([("run", run) for run in self.text_only(element)], {"kind": "quote"})

    def aside(self, element: etree._Element) -> None:
        self.put([("run", run) for run in self.text_only(element)], {"kind": "note"})

    def list(self, element: etree._Element) -> None:
        items = []
        for item in element.iter("li"):
            if any(True for _ in item.iterancestors("li")):
                self.note("多层列表已展开成一层。")
            items.append(self.text_only(_without_lists(item)))
        self.blocks.append({"kind": element.tag, "items": items})

    def table(self, element: etree._Element) -> None:
        table = element if element.tag == "table" else element.find(".//table")
        if table is None:
            self.flow(element)
            return
        rows = [row for row in table.iter("tr") if next(row.iterancestors("table")) is table]
        caption = table.find("caption")
        read = [[self._cell(cell) for cell in row if cell.tag in ("td", "th")] for row in rows]
        block: Json = {"kind": "table", "rows": [row for row in read if row]}
        if caption is not None:
            block["caption"] = _words_of(caption)
        if block["rows"]:
            self.blocks.append(block)

    def _cell(self, element: etree._Element) -> Json:
        cell: Json = {"runs": self.text_only(element)}
        if element.tag == "th":
            cell["head"] = True
        for name in ("colspan", "rowspan"):
            value = element.get(name, "")
            if value.isascii() and value.isdigit() and 1 < int(value[:4]) <= 60:
                cell[name] = int(value)
        return cell

    def picture(self, element: etree._Element) -> None:
        image = element.find(".//img")
        if image is not None and (block := self._picture(image)):
            self.blocks.append({**block, **_captions_of(element)})

    def pictures(self, element: etree._Element) -> None:
        items = []
        for figure in element.iter("figure"):
            image = figure.find(".//img")
            if image is not None and (block := self._picture(image)):
                items.append({**{name: block[name] for name in ("media", "alt")}, **_captions_of(figure)})
        if 2 <= len(items) <= 9:
            self.blocks.append({"kind": "images", "items": items})
        else:
            self.blocks.extend({"kind": "img", **item} for item in items)

    def video(self, element: etree._Element) -> None:
        player = element.find(".//video")
        if player is not None:
            if block := self._video(player):
                self.blocks.append({**block, **_captions_of(element)})
            return
        link = next((each.get("href") for each in element.iter("a") if each.get("data-part") == "video"), None)
        if not is_link(link):
            self.note("有视频没有可用的网址，已去掉。")
            return
        cover = next((media for each in element.iter("img") if (media := _media_of(each))), None)
        block = {"kind": "video", "link": link, **({"cover": cover} if cover else {}), **_captions_of(element)}
        self.blocks.append(block)

    def file(self, element: etree._Element) -> None:
        self.put(self.inline(element), {"kind": "p"})

    def footnote(self, element: etree._Element) -> None:
        parts = {part.get("data-part"): part for part in element if part.get("data-part")}
        if "mark" not in parts or "text" not in parts or not _words_of(parts["mark"]):
            self.aside(element)
            return
        runs = self.text_only(parts["text"])
        self.blocks.append({"kind": "footnote", "mark": _words_of(parts["mark"]), "runs": runs})


_SIMPLE = {"hr": _Folding.rule, "blockquote": _Folding.quote, "aside": _Folding.aside, "ul": _Folding.list,
           "ol": _Folding.list, "table": _Folding.table}  # fmt: skip
_NAMED = {"img": _Folding.picture, "images": _Folding.pictures, "table": _Folding.table, "video": _Folding.video,
          "file": _Folding.file, "note": _Folding.aside, "footnote": _Folding.footnote}  # fmt: skip


def _role_of(element: etree._Element) -> str:
    role = element.get("data-role") or ""
    return role if role in ("salutation", "lead", "signature") else ""


def _captions_of(element: etree._Element) -> Json:
    """Caption and source of a figure: by their parts, else the whole figcaption is the caption."""
    figcaption = element.find(".//figcaption")
    if figcaption is None:
        return {}
    parts = {part.get("data-part"): _words_of(part) for part in figcaption.iter("span") if part.get("data-part")}
    if not parts:
        return {"caption": _words_of(figcaption)}
    return {name: parts[name] for name in ("caption", "source") if parts.get(name)}


def _without_lists(item: etree._Element) -> etree._Element:
    """The list item without lists nested in it, for those are read as items of their own."""
    copy = etree.fromstring(etree.tostring(item, with_tail=False))
    for nested in list(copy.iter("ul", "ol")):
        parent = nested.getparent()
        if parent is not None:
            parent.remove(nested)
    return copy


def _note_source(folding: _Folding, text: str) -> None:
    """Say what the cleaning took away, told from the tags of the source."""
    seen = {name.lower() for name in _TAG_NAMES.findall(text)}
    for name in dict.fromkeys(_NOTED[tag] for tag in _NOTED if tag in seen):
        folding.note(f"去掉了{name}，其中的文字能留的都留了。" if name != "脚本" else "去掉了脚本。")
    if _LOOKS.search(text) or "font" in seen:
        folding.note("字体、字号和颜色由网站统一决定，已去掉。")


def fold(text: str) -> Folded:
    """The HTML as blocks. Raises Invalid only where there is far too much of it."""
    if len(text) > LARGEST:
        raise Invalid("粘贴的内容太大，请分几次粘贴。", (FieldError("html", "请分几次粘贴。"),))
    folding = _Folding()
    _note_source(folding, text)
    cleaned = _cleaned(text.replace("\x00", ""))
    root = html.fragment_fromstring(cleaned, create_parent="div")
    folding.flow(root)
    return Folded(check(folding.blocks), list(folding.dropped))
