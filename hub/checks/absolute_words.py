"""绝对化用语: 最, 第一, 国家级 and their like, as hints only; government texts may have good reason for them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.checks.finding import HINT, Context, Finding

RULE = "absolute_words"

_WORDS = re.compile(
    "最(?:好|佳|优|强|大|高|先进|著名|权威|完美|顶级|受欢迎)|全国第一|全省第一|世界第一|全球第一|史无前例|独一无二|绝无仅有|"
    "国家级|世界级|顶级|极品|首屈一指|百分之百|100%|零风险|零投诉|万无一失|永久有效"
)
_USUAL = re.compile(
    "最(?:大限度|高人民|高法|高检|好是|大程度|高气温|高温度|高限价|高额|大风力|高的)"
    "|国家级(?:贫困县|自然保护区|非物质|非遗|开发区|高新)"
)


def check(text: str, context: Context) -> Iterator[Finding]:
    """One hint per word, but for names and terms that contain it."""
    for match in _WORDS.finditer(text):
        if _USUAL.match(text, match.start()):
            continue
        message = f"“{match[0]}”是绝对化的说法。请看有没有依据，能写数字的写数字。"
        yield Finding(RULE, HINT, match.start(), match.end(), match[0], message)
