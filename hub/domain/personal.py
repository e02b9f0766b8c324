"""个人信息: where personal data stand in a text, by form and check digit; hiding is masking.py's, judging the checks'.

All patterns are bounded and have no nested repetition, so that no text makes them slow. Full-width signs are read as
their plain form; offsets stay those of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

MOBILE, LANDLINE, ID_CARD = "mobile", "landline", "id_card"
BANK_CARD, EMAIL, PLATE, ADDRESS = "bank_card", "email", "plate", "address"
NAMES = {
    MOBILE: "手机号码", LANDLINE: "固定电话", ID_CARD: "身份证号", BANK_CARD: "银行卡号", EMAIL: "电子邮箱",
    PLATE: "车牌号", ADDRESS: "详细住址",
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """One piece of personal data. `certain`: a check digit or sum proves its form."""

    kind: str
    start: int
    end: int
    certain: bool = False


_WIDE = {number: number - 0xFEE0 for number in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


def plain_signs(text: str) -> str:
    """The text with full-width letters, digits and signs as plain ones; the length stays."""
    return text.translate(_WIDE)


def digits_of(text: str) -> str:
    """The digits (and a closing X) of a number, without separators."""
    return "".join(sign for sign in text.upper() if sign.isdigit() or sign == "X")


# ---- check digits


_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_card_holds(number: str) -> bool:
    """Whether 18 signs are an identity number by date and check digit (GB 11643)."""
    if len(number) != 18 or not number[:17].isdigit():
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(sign) * weight for sign, weight in zip(number, _WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == number[17].upper()


def luhn_holds(number: str) -> bool:
    """Whether the digits pass Luhn's sum (ISO/IEC 7812-1)."""
    total = 0
    for place, sign in enumerate(reversed(number)):
        value = int(sign) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


# ---- patterns


_SEP = r"[ \-\u2010-\u2014·]?"
_MOBILE = re.compile(
    rf"(?<![\dA-Za-z.])(?:\+?86{_SEP})?(1[3-9]\d"
    rf"(?:{_SEP}\d{{4}}{_SEP}\d{{4}}|{_SEP}\d{{5}}{_SEP}\d{{3}}|\d{{2}}{_SEP}\d{{3}}{_SEP}\d{{3}}))"
    r"(?!\d|\.\d| ?(?:元|万元|亿元|平方米|千瓦|吨|立方米|人次|%))"
)
_ID = re.compile(rf"(?<![\dA-Za-z])[1-9]\d{{5}}{_SEP}(?:18|19|20)\d{{6}}{_SEP}\d{{3}}[\dXx](?![\dA-Za-z])")
_OLD_ID = re.compile(r"(?<![\dA-Za-z])[1-9]\d{5}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?![\dA-Za-z])")
_CARD = re.compile(rf"(?<![\dA-Za-z.])[2-9]\d{{3}}(?:{_SEP}\d{{4}}){{3}}(?:{_SEP}\d{{1,3}})?(?![\dA-Za-z])")
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+*-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,18}(?![A-Za-z0-9])"
)
_PLATE = re.compile(
    r"[京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新][A-HJ-NP-Za-hj-np-z][ ·•.\-]?"
    r"(?:[A-HJ-NP-Za-hj-np-z0-9]{5,6}|[A-HJ-NP-Za-hj-np-z0-9]{4}[挂学警港澳])(?![A-Za-z0-9])"
)
_AREA = r"(?:[(]0\d{2,3}[)]|0\d{2,3})"
_LANDLINE = re.compile(rf"(?<![\d\-.])(?:{_AREA}[ \-\u2010-\u2014]?)[2-8]\d{{6,7}}(?:(?:转|-)\d{{1,5}})?(?![\d\-.])")
_LOCAL_LINE = re.compile(r"(?<![\d\-.])[2-8]\d{6,7}(?![\d\-.])")
_PHONE_WORDS = re.compile(r"(?:电话|座机|联系方式|热线|拨打|致电|传真|咨询)[^\d\n]{0,6}$")
_ID_WORDS = re.compile(r"(?:身份证|证件号)[^\d\n]{0,8}$")


def _after_words(pattern: re.Pattern[str], text: str, at: int) -> bool:
    return pattern.search(text, max(0, at - 24), at) is not None


def find_mobiles(text: str) -> Iterator[Found]:
    """手机号码, also with separators or +86 before it; the country's code is not part of it."""
    for match in _MOBILE.finditer(text):
        yield Found(MOBILE, match.start(1), match.end(1))


def find_id_cards(text: str) -> Iterator[Found]:
    """身份证号 of 18 signs with a true check digit (certain), or named as one; of 15 digits only where named as one."""
    for match in _ID.finditer(text):
        if id_card_holds(digits_of(match[0])):
            yield Found(ID_CARD, match.start(), match.end(), certain=True)
    for match in _OLD_ID.finditer(text):
        if _after_words(_ID_WORDS, text, match.start()):
            yield Found(ID_CARD, match.start(), match.end())


def find_bank_cards(text: str) -> Iterator[Found]:
    """银行卡号: 16 to 19 digits that pass Luhn's sum and are no identity number."""
    for match in _CARD.finditer(text):
        number = digits_of(match[0])
        if luhn_holds(number) and not id_card_holds(number):
            yield Found(BANK_CARD, match.start(), match.end(), certain=True)


def find_emails(text: str) -> Iterator[Found]:
    """电子邮箱."""
    for match in _EMAIL.finditer(text):
        yield Found(EMAIL, match.start(), match.end())


def find_plates(text: str) -> Iterator[Found]:
    """车牌号 with five signs, or six for electric cars; at least two digits among them."""
    for match in _PLATE.finditer(text):
        if sum(sign.isdigit() for sign in match[0][2:]) >= 2:
            yield Found(PLATE, match.start(), match.end())


def find_landlines(text: str) -> Iterator[Found]:
    """固定电话 with an area code, or without one where the words before it speak of a telephone."""
    for match in _LANDLINE.finditer(text):
        yield Found(LANDLINE, match.start(), match.end())
    for match in _LOCAL_LINE.finditer(text):
        if _after_words(_PHONE_WORDS, text, match.start()):
            yield Found(LANDLINE, match.start(), match.end())


# An address goes on from the township (镇, 乡, 街道), or from the district where none is named, to a door:
# a step with a number is needed, and the last one must be smaller than a street number of an office.
_NUMBER = r"(?:\d{1,5}|[一二三四五六七八九十百甲乙丙丁]{1,5}|[A-Za-z]\d{0,4}|\d{1,4}[A-Za-z])"
_DOOR = re.compile(
    rf"{_NUMBER}(?:号楼|号院|栋|幢|单元|号门|门|室|组|座|楼|弄|排|号)"
    rf"(?:[-、 ]?{_NUMBER}(?:号楼|号院|号门|门|单元|栋|幢|室|户|组|队|座|层|楼|弄|排|号)){{0,5}}"
    r"(?:[-]?\d{2,4}(?!\d))?"
)
_DASHED = re.compile(r"(?<!\d)\d{1,3}[-]\d{1,2}[-]\d{3,4}(?!\d)")
_SMALL = re.compile(r"单元|室|户|栋|幢|号楼|号院|组|队|门|排|[村庄屯巷]\d+号|\d[-]\d|(?:楼|座|号|门)\d{2,4}$")
_PLACE = re.compile(
    r"[\u4e00-\u9fff]{1,12}(?:小区|社区|花园|家园|公寓|苑|园|里|村|庄|屯|胡同|巷|路|街|大道|弄|院|府|城|湾|居)$"
)
_TOWNSHIP = re.compile(r"[\u4e00-\u9fff]{1,8}?(?:街道|镇|乡)(?!办|政府|人民政府|干部|党委|卫生院|长)")
_DISTRICT = re.compile(r"[\u4e00-\u9fff]{1,6}?(?:区|县|市)(?!民|场|政)")
_BREAK = re.compile(r"[，。；！？、：:;,!?\s“”\"（）()]|(?:住在|家住|位于|住址|地址|户籍|来自|搬到|送到|寄到|在)")


def _head(text: str, at: int) -> int:
    """Where the words that lead to this door begin."""
    start = max(0, at - 40)
    breaks = list(_BREAK.finditer(text, start, at))
    return breaks[-1].end() if breaks else start


def _below(text: str, head: int, door: int) -> tuple[int | None, bool]:
    """Where the part below the township (True), the district or at the estate (False) begins; None: no address."""
    if ends := [match.end() for match in _TOWNSHIP.finditer(text, head, door)]:
        return ends[-1], True
    if district := _DISTRICT.search(text, head, door):
        return district.end(), False
    place = _PLACE.search(text, head, door)
    return (place.start() if place else None), False


def find_addresses(text: str) -> Iterator[Found]:
    """详细住址: from below the township (or the district, or the estate) to the door; a bare street number is none."""
    return (found for found in find_doors(text) if _SMALL.search(text, found.start, found.end))


def find_doors(text: str) -> Iterator[Found]:
    """Every address down to a number; below a named township a street number is enough: what hides must not judge."""
    last = 0
    for match in _doors(text):
        if match.start() < last:
            continue
        start, named = _below(text, max(_head(text, match.start()), last), match.start())
        if start is None or not (named or _SMALL.search(text, start, match.end())):
            continue
        last = match.end()
        yield Found(ADDRESS, start, last)


def _doors(text: str) -> list[re.Match[str]]:
    found = [*_DOOR.finditer(text), *_DASHED.finditer(text)]
    return sorted(found, key=lambda match: (match.start(), -match.end()))


FINDERS: tuple[Callable[[str], Iterator[Found]], ...] = (
    find_id_cards, find_bank_cards, find_mobiles, find_emails, find_plates, find_addresses, find_landlines,
)  # fmt: skip


def find_personal(text: str) -> list[Found]:
    """All personal data in the order of the text, none overlapping: the surer form wins, in the order of FINDERS."""
    signs = plain_signs(text)
    taken = bytearray(len(signs))
    result: list[Found] = []
    for find in FINDERS:
        for found in find(signs):
            if not any(taken[found.start : found.end]):
                taken[found.start : found.end] = b"\x01" * (found.end - found.start)
                result.append(found)
    return sorted(result, key=lambda found: found.start)
