"""Matters (事项): what people complain of, however they word it, and places that a cutter splits; no clusters, no time.

水黄, 黄水 and 水是黄的 have no word in common once cut. Each line below is one matter: its name, how it is spoken of (a
pattern), and after the tab the words that only repeat it, so that they are no second sign beside it. A mark (!) before
the name: it comes suddenly and over many streets at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from nlp.places import is_generic

LOOKED_AT = 160  # characters: a letter's title and first sentences; what comes later is rarely the matter

_TABLE = """
!水质	水[^，。！？,]{0,5}(?:黄|浑|锈|沙子|发白|发黑|变色)|[黄浑锈]水|铁锈|水质|水垢	自来水 发黄 水黄 供水 水龙头
!停水	停水|断水|没水|(?<!自)来水|一滴水|水压	自来水 供水 水龙头 水压
!供暖	暖气|供暖|供热|取暖|地暖|不热|室温|换热	暖气片 取暖费 供热站 热力
!停电	停电|断电|(?<!机)没电|跳闸|电压	供电 供电所
!燃气	燃气|煤气|天然气	燃气公司
!异味	[臭腥焦怪异酸]味|臭气|恶臭|刺鼻|[啥股这]味|味道|气味|呛|熏得|好臭|臭得|太臭	臭味 味儿 窗户
油烟	油烟|烧烤|油烟味	烟道
噪声	噪音|噪声|扰民|太吵|吵得|吵死|睡不着|轰鸣|高音喇叭|广场舞	噪音扰民
施工	施工|工地|打桩|渣土|扬尘|围挡	夜间施工
垃圾	垃圾|清运|环卫|脏乱	垃圾站 垃圾桶
污水	污水|化粪池|下水道|排污|偷排|黑臭|死鱼	排放
!积水	积水|内涝|被淹|倒灌	排水
道路	路面|坑洼|塌陷|断头路|路烂|没有路|修路|井盖	道路
路灯	路灯|没有灯|黑灯	灯坏
公交	公交|班次|末班|改线|首班|线路|站台|(?:路|线)车	车站 司机
地铁	地铁|轨道	地铁站
停车	停车|车位|违停|乱停	停车场
拥堵	红绿灯|信号灯|堵车|拥堵|堵死|斑马线	路口
电梯	电梯|困人	加装
物业	物业|业委会|维修资金	物业费 业主
漏水	漏水|渗水|漏雨|开裂|空鼓|墙皮	外墙
违建	违建|违章|私搭|违规加建|住改商	违规
交房	交房|烂尾|停工|延期|逾期	开发商 楼盘
办证	房产证|不动产证|产权证|办证	产权
拆迁	拆迁|征收|安置|回迁|过渡费|征地	补偿
补贴	补贴|补助|津贴|奖励	发放
公积金	公积金	提取
欠薪	欠薪|讨薪|拖欠|工钱|工资	工资
退费	退费|退款|退钱|跑路|预付卡|不退	押金
借贷	车贷|非法集资|套路贷|网贷|爆雷|受害人	立案
食品	过期|变质|食物中毒|吃坏|发霉|后厨|食堂	食品
入学	入学|划片|学位|学区|招生|分班|转学	学校
校园	校园|霸凌|体罚|补课|师德|幼儿园	老师
医疗	看病|挂号|急诊|误诊|住院|病历|疫苗	医院
医保	医保|报销|新农合|异地就医	门诊
社保	养老金|社保|退休金	认证
犬只	遛狗|养狗|狗咬|流浪狗|不拴|恶犬|犬	狗
治安	盗窃|偷了|被偷|打架|飙车|炸街|赌博	派出所
通信	信号差|没信号|宽带|基站|断网	网络
涨价	涨价|乱收费|宰客|缺斤少两	收费
!消防	消防通道|消防栓|起火|火灾|着火|飞线	消防
树木	砍树|树木|大树|修剪|绿地|绿化	绿化带
采砂	采砂|采石|挖沙|扬灰|粉尘	灰尘
"""
_SPLIT_ENDINGS = frozenset("镇乡村路街巷里苑园湾庄桥厂坊")
_NO_NAME_WORDS = """
这里 那里 哪里 家里 屋里 心里 手里 夜里 楼道 马路 公园 学校 孩子 老师 村民 单位 化工 工业
电话 手机 文章 通知 新闻 视频 评论 脸盆 冰箱
"""
_NO_NAMES = frozenset(_NO_NAME_WORDS.split())


@dataclass(frozen=True)
class Matter:
    """One matter: `name` as shown, `pattern` that finds it, `same` words that say no more than it."""

    name: str
    pattern: re.Pattern[str]
    same: frozenset[str]
    sudden: bool
    first: frozenset[str]  # characters: where none of them stands, the pattern finds nothing,
    second: frozenset[str] | None  # nor where none of these follows; None: what follows may be anything

    def holds(self, term: str) -> bool:
        """The term only repeats this matter."""
        return term == self.name or term in self.same or self.pattern.search(term) is not None


@lru_cache(maxsize=1)
def matters() -> dict[str, Matter]:
    """The table by name, read once per process."""
    found = {}
    for line in _TABLE.strip().splitlines():
        name, pattern, same = line.split("\t")
        name, is_sudden = name.lstrip("!"), name.startswith("!")
        found[name] = Matter(name, re.compile(pattern), frozenset(same.split()), is_sudden, *_openings(pattern))
    return found


def _openings(pattern: str) -> tuple[frozenset[str], frozenset[str] | None]:
    """Of all ways to word a matter the characters that one may begin with, and those that may come next (None: any)."""
    first: set[str] = set()
    second: set[str] | None = set()
    for way in _ways(re.sub(r"\(\?<?[!=][^)]*\)", "", pattern)):
        signs, rest = _sign(way)
        first |= signs
        following, after = _sign(rest) if rest else (set(), "")
        second = second | following if second is not None and following and after[:1] not in tuple("?*{") else None
    return frozenset(first), frozenset(second) if second is not None else None


def _sign(way: str) -> tuple[set[str], str]:
    """The characters that a way to word something may begin with (none: not known), and the rest of it."""
    if way.startswith("["):
        end = way.index("]")
        return (set() if way[1] == "^" else set(way[1:end])), way[end + 1 :]
    return (set() if way[0] in "(.\\" else {way[0]}), way[1:]


def _ways(pattern: str) -> list[str]:
    """The alternatives of a pattern, those of an opening group too."""
    ways, depth = [""], 0
    for letter in pattern:
        depth += (letter == "(") - (letter == ")")
        if letter == "|" and not depth:
            ways.append("")
        else:
            ways[-1] += letter
    found = []
    for way in ways:
        inner = way[3 : way.index(")")] if way.startswith("(?:") else None
        found += _ways(inner) if inner is not None else [way]
    return found


def matters_in(plain: str) -> list[str]:
    """The matters that the beginning of a normalised text speaks of."""
    return list(matters_in_many([plain])[0])


def matters_in_many(plains: Sequence[str]) -> list[tuple[str, ...]]:
    """The same of each text; only matters are sought of which two characters stand there that one may begin with."""
    heads = [plain[:LOOKED_AT] for plain in plains]
    return [
        tuple([matter.name for matter in _marked(hints) if matter.pattern.search(head)]) if hints else ()
        for head, hints in zip(heads, _hints(heads), strict=True)
    ]


def _hints(heads: Sequence[str]) -> list[int]:
    """Of each text the matters that it may speak of, a bit for each in the order of the table."""
    if not heads:
        return []
    first, second = _signs()
    row = "\n".join(heads) + "\n"
    codes = np.minimum(np.frombuffer(row.encode("utf-32-le", "surrogatepass"), dtype="<u4"), len(first) - 1)
    hints = first[codes]
    hints[:-1] &= second[codes[1:]]
    starts = np.cumsum([0, *(len(head) + 1 for head in heads[:-1])])
    found: list[int] = np.bitwise_or.reduceat(hints, starts).tolist()
    return found


@lru_cache(maxsize=1)
def _signs() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """By code of a character the matters that may begin with it, and those in which it may come next."""
    first, second = np.zeros((2, 1 << 16), dtype=np.uint64)
    for place, matter in enumerate(matters().values()):
        bit = np.uint64(1 << place)
        first[[ord(sign) for sign in matter.first]] |= bit
        if matter.second is None:
            second |= bit
        else:
            second[[ord(sign) for sign in matter.second]] |= bit
    return first, second


@lru_cache(maxsize=5_000)
def _marked(hints: int) -> tuple[Matter, ...]:
    return tuple(matter for place, matter in enumerate(matters().values()) if hints >> place & 1)


_LINE = re.compile(
    r"([A-Za-z]?[0-9]{1,3}|[一二三四五六七八九]?[十百][一二三四五六七八九十百零]{0,4})(路|线|号线)(?![口灯面段由边])"
)
_DIGITS = {letter: number for number, letter in enumerate("零一二三四五六七八九")}


def lines_in(plain: str) -> dict[str, str]:
    """线路: the bus and metro lines named in a normalised text's beginning, one way of writing each, with their matter.

    三十七路, 37路 and 37线 are one; a line alone says what is meant, so it brings its matter with it.
    """
    found: dict[str, str] = {}
    head = plain[:LOOKED_AT]
    if "路" not in head and "线" not in head:
        return found
    for number, kind in _LINE.findall(head):
        value = number.upper() if number.isascii() else str(_value(number))
        metro = kind == "号线"
        found[value + ("号线" if metro else "路")] = "地铁" if metro else "公交"
    return found


def _value(words: str) -> int:
    """一百零四 is 104; below a thousand."""
    total = digit = 0
    for letter in words:
        if letter in _DIGITS:
            digit = _DIGITS[letter]
        else:
            total, digit = total + (digit or 1) * {"十": 10, "百": 100}[letter], 0
    return total + digit


def sudden(terms: Iterable[str]) -> list[str]:
    """Of a voice's terms the matters that come suddenly and over many streets."""
    names = _sudden_names()
    return [term for term in terms if term in names]


@lru_cache(maxsize=1)
def _sudden_names() -> frozenset[str]:
    return frozenset(name for name, matter in matters().items() if matter.sudden)


def matter_of(terms: Iterable[str]) -> str:
    """Of a voice's terms, the strongest first, the first that is a matter; empty where none is."""
    table = matters()
    return next((term for term in terms if term in table), "")


def split_places(tokens: list[str]) -> list[str]:
    """Names that the cutter took apart: 清水 + 镇, 和平 + 里; the ending must follow its name at once."""
    found: list[str] = []
    if _SPLIT_ENDINGS.isdisjoint(tokens):
        return found
    for name, ending in pairwise(tokens):
        if ending in _SPLIT_ENDINGS and 2 <= len(name) <= 4 and _is_name(name) and not is_generic(name + ending):
            found.append(name + ending)
    return found


def _is_name(word: str) -> bool:
    return word not in _NO_NAMES and all("\u4e00" <= letter <= "\u9fff" for letter in word)


@lru_cache(maxsize=5_000)
def apart(terms: tuple[str, ...]) -> tuple[str, ...]:
    """Of terms that say one thing only the first: 汽车南站 and 南站过渡 share a word, 自来水 adds nothing to 水质."""
    kept: list[str] = []
    table = matters()
    for term in terms:
        if not any(_same(term, other, table) for other in kept):
            kept.append(term)
    return tuple(kept)


def _same(term: str, other: str, table: dict[str, Matter]) -> bool:
    if term in other or other in term or any(term[at : at + 2] in other for at in range(len(term) - 1)):
        return True
    one, two = table.get(term), table.get(other)
    return bool((one and one.holds(other)) or (two and two.holds(term)))
