"""脱敏: the one masking policy, used at every edge; where personal data stand is domain/personal.py's to know.

手机 138****1234 · 身份证 first 2, last 3 · 银行卡 last 4 · 邮箱 first sign and domain · 车牌 first 2 ·
地址 to the township · 姓名 张**. All occurrences; stars stand for digits one by one and separators stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from hub.domain.personal import (
    ADDRESS,
    BANK_CARD,
    EMAIL,
    ID_CARD,
    MOBILE,
    PLATE,
    Found,
    digits_of,
    find_bank_cards,
    find_doors,
    find_emails,
    find_id_cards,
    find_mobiles,
    find_plates,
    plain_signs,
)

STAR = "*"
NAME_STARS = "**"

_COMPOUND = (
    "欧阳", "太史", "上官", "司马", "东方", "独孤", "南宫", "夏侯", "诸葛", "尉迟", "皇甫", "公孙", "慕容", "司徒",
    "令狐", "宇文", "长孙", "轩辕", "端木", "百里", "东郭", "呼延",
)  # fmt: skip
_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳"
    "史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞"
    "熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫房裘缪干解应宗丁宣邓"
    "郁单杭洪包诸左石崔吉龚程邢裴陆荣翁荀甄曲家封芮储靳段焦巴牧隗山谷车侯宓全班仰秋仲伊宫宁仇栾甘厉戎祖武符刘景詹束龙叶"
    "幸司黎薄印宿白怀蒲台从鄂索赖卓蔺屠蒙池乔阴苍闻莘党翟谭贡劳姬申扶冉宰雍桑桂牛寿通边燕冀尚农温庄晏柴瞿阎连习艾容向古"
    "易廖庾终步耿满弘匡国文寇广东沃利蔚越隆师巩聂晁勾敖融冷辛阚那简饶曾沙养鞠须丰巢关查后荆游竺权盖益桓公闫肖付代兰覃尧"
)
_SURNAME = rf"(?:{'|'.join(_COMPOUND)}|[{_SURNAMES}])"
_POLITE = "先生|女士|小姐|同志"
_TITLES = "师傅|阿姨|大爷|大妈|大叔|大娘|老师|医生|大夫|奶奶|爷爷|老人"
_POLITE_OR_TITLE = f"(?:{_POLITE}|{_TITLES})"
_NO_NAMES = (
    f"谢谢|麻烦|司机|[和及向]{_SURNAME}{_POLITE_OR_TITLE}|"
    "家里|家中|家有|高龄|古稀|花甲|温和|高中|金融|和平|方便|安全|党员|全体|历史|应急|全职|文化|柔道|包工|水电|万能|年轻|广大|温柔"
)
_TITLED = re.compile(
    rf"(?!{_NO_NAMES})({_SURNAME}[\u4e00-\u9fff·]{{1,3}}?)(?={_POLITE})"
    rf"|(?<![\u4e00-\u9fff])(?!{_NO_NAMES})({_SURNAME}[\u4e00-\u9fff]{{1,2}}?)(?={_TITLES})"
)
_LABELS = (
    "姓名|户名|来信人|写信人|反映人|投诉人|申请人|联系人|举报人|求助人|留言人|收件人|寄件人|收货人|代办人|经办人|领款人|当事人|监护人|"
    "承租人|持卡人|患者|学生|家长|机主|车主|失主|户主|业主|房主|低保户|特困户|脱贫户|称呼|署名|本人|我叫|我是|名叫|拟录用|拟聘用"
)
_LABELLED = re.compile(
    rf"(?:{_LABELS})(?:是|为|叫)?[：: \u3000]{{0,2}}({_SURNAME}[\u4e00-\u9fff]{{1,2}})"
    r"(?=[，。；、,;.\s（(！!？?]|$)"
)


def mask_mobile(number: str) -> str:
    """138****1234, separators as they stand."""
    return _starred(number, keep_first=3, keep_last=4)


def mask_id_card(number: str) -> str:
    """35*************123."""
    return _starred(number, keep_first=2, keep_last=3)


def mask_bank_card(number: str) -> str:
    """************1234."""
    return _starred(number, keep_first=0, keep_last=4)


def mask_email(address: str) -> str:
    """z***@qq.com."""
    at = max(address.find("@"), address.find("＠"))
    return f"{address[:1]}***{address[at:]}"


def mask_plate(plate: str) -> str:
    """云A*****."""
    return plate[:2] + "".join(sign if sign in " ·•.-" else STAR for sign in plate[2:])


def mask_name(name: str) -> str:
    """张**: the surname (two signs where it has two) and two stars; one sign stands for a name that is none."""
    name = name.strip()
    if not name:
        return ""
    surname = name[:2] if name[:2] in _COMPOUND and len(name) > 2 else name[:1]
    return surname + NAME_STARS


def mask_address(address: str) -> str:
    """What is below the township is hidden; the township itself is not part of `address`."""
    return NAME_STARS


def _starred(number: str, *, keep_first: int, keep_last: int) -> str:
    total = len(digits_of(plain_signs(number)))
    result: list[str] = []
    place = 0
    for sign in number:
        if digits_of(plain_signs(sign)):
            hidden = keep_first <= place < total - keep_last
            result.append(STAR if hidden else sign)
            place += 1
        else:
            result.append(sign)
    return "".join(result)


_MASKS: Mapping[str, Callable[[str], str]] = {
    MOBILE: mask_mobile, ID_CARD: mask_id_card, BANK_CARD: mask_bank_card, EMAIL: mask_email, PLATE: mask_plate,
    ADDRESS: mask_address,
}  # fmt: skip
# a number with a mistaken check digit is somebody's all the same
_LIKE_ID = re.compile(
    r"(?<![\dA-Za-z])[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dA-Za-z])"
)


def _like_id(text: str) -> Iterable[Found]:
    return (Found(ID_CARD, match.start(), match.end()) for match in _LIKE_ID.finditer(text))


_FINDERS = (find_id_cards, _like_id, find_bank_cards, find_mobiles, find_emails, find_plates, find_doors)


def _found(text: str) -> list[Found]:
    signs = plain_signs(text)
    taken = bytearray(len(signs))
    result: list[Found] = []
    for find in _FINDERS:
        for found in find(signs):
            if not any(taken[found.start : found.end]):
                taken[found.start : found.end] = b"\x01" * (found.end - found.start)
                result.append(found)
    return sorted(result, key=lambda found: found.start)


def _mask_names(text: str, names: Sequence[str]) -> str:
    known = sorted({name.strip() for name in names if len(name.strip()) > 1}, key=len, reverse=True)
    if known:
        text = re.sub("|".join(map(re.escape, known)), lambda match: mask_name(match[0]), text)
    text = _LABELLED.sub(lambda match: match[0][: match.start(1) - match.start()] + mask_name(match[1]), text)
    return _TITLED.sub(lambda match: mask_name(match[1] or match[2]), text)


def mask_text(text: str, names: Sequence[str] = ()) -> str:
    """The text with all personal data hidden; `names` are known names of writers and handlers."""
    parts: list[str] = []
    at = 0
    for found in _found(text):
        parts.append(text[at : found.start])
        parts.append(_MASKS[found.kind](text[found.start : found.end]))
        at = found.end
    parts.append(text[at:])
    return _mask_names("".join(parts), names)
