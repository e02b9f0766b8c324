"""XML as 演练微信 writes its pushes and reads replies: no document types, no entities, nothing of what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.parsers import expat

_LARGEST = 1 << 16
_DEEPEST = 8


def written(fields: Mapping[str, Any]) -> str:
    """`<xml>` with the fields in their order: texts as CDATA, numbers plain, a list as the same name again."""
    return f"<xml>{_inside(fields)}</xml>"


def _inside(fields: Mapping[str, Any]) -> str:
    return "".join(
        f"<{name}>{_value(one)}</{name}>"
        for name, value in fields.items()
        for one in (value if isinstance(value, list) else [value])
    )


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return _inside(value)
    if isinstance(value, str):
        return "<![CDATA[" + value.replace("]]>", "]]]]><![CDATA[>") + "]]>"
    return str(value)


def read(body: bytes) -> dict[str, Any]:
    """What stands inside `<xml>`: texts, and dicts where there are elements inside; the first of a repeated name.

    ValueError for anything else.
    """
    if len(body) > _LARGEST:
        raise ValueError("too long")
    reader = _Reader()
    try:
        reader.parser.Parse(body, True)
    except expat.ExpatError as fault:
        raise ValueError(str(fault)) from None
    if list(reader.root) != ["xml"] or not isinstance(reader.root["xml"], dict):
        raise ValueError("no xml element")
    return reader.root["xml"]


class _Reader:
    def __init__(self) -> None:
        self.root: dict[str, Any] = {}
        self._open: list[tuple[str, dict[str, Any], list[str]]] = [("", self.root, [])]
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse

    def _refuse(self, *_given: Any) -> None:
        raise ValueError("document type")

    def _start(self, name: str, _attributes: Any) -> None:
        if len(self._open) > _DEEPEST:
            raise ValueError("too deep")
        self._open.append((name, {}, []))

    def _text(self, text: str) -> None:
        self._open[-1][2].append(text)

    def _end(self, name: str) -> None:
        _, inside, texts = self._open.pop()
        self._open[-1][1].setdefault(name, inside or "".join(texts))
