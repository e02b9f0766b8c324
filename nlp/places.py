"""Places (地名): an office's gazetteer and what looks like a place in a list of words; no maps, no coordinates."""

from __future__ import annotations

from collections.abc import Iterable

from nlp.words import OwnWord

PLACE_TAG = "ns"
# What the names of places and of local bodies end with; longest first.
_ENDING_WORDS = """
小区 花园 社区 路口 小学 中学 学校 大学 学院 医院 大道 公园 广场 市场 车站 家园 新城 新村 公寓 大厦 幼儿园 工业园
派出所 卫生院 水库 大桥 高速 国道 工地 厂 路 街 巷 镇 乡 村 县 区 苑 园 湾 府 里 城 站 桥 河 湖
"""
ENDINGS = tuple(sorted(_ENDING_WORDS.split(), key=len, reverse=True))
LAST = frozenset(ending[-1] for ending in ENDINGS)
_GENERIC_WORDS = """
小区 社区 路口 学校 医院 公园 广场 市场 车站 公寓 工地 大道 高速 幼儿园 派出所 小学 中学 大学 城区 县城 农村 乡镇
街道 马路 道路 公路 全区 全市 我区 我县 本区 本村 全村 我村 我镇 该区 该村 该路 园区 校园 地区 片区 景区 山区 郊区
辖区 城镇 乡村 一路 这里 那里 哪里 手里 家里 心里 夜里 公里 屋里 网站 走路 修路 让路 半路 铁路 线路 思路 套路 出路
电路 水路 工厂 上街 逛街 城里 村里 县里 区里 市里 镇里 店里 车里 嘴里 眼里 院里 水里 工业园
电话里 手机里 文章里 通知里 新闻里 视频里 评论里 地里 山里 脸盆里 冰箱里 群里
"""
GENERIC = frozenset(_GENERIC_WORDS.split())


def looks_like_place(word: str) -> bool:
    """A word of three characters and more, or two words run together, that ends like the name of a place."""
    return len(word) >= 3 and word[-1] in LAST and word not in GENERIC and word.endswith(ENDINGS)


def is_generic(word: str) -> bool:
    """小区, 学校 …: names a kind of place, and no place by itself."""
    return word in GENERIC


class Places:
    """The gazetteer of one office: names with the district they lie in, found in a text longest first."""

    def __init__(self, own: Iterable[OwnWord] = ()) -> None:
        """Words tagged `ns` or `ns:district` are places; all others are left to the segmenter."""
        self._districts: dict[str, str | None] = {}
        self._names: dict[str, str] = {}  # what a place is called by, and its name
        for word in own:
            if word.kind == PLACE_TAG:
                self._districts[word.word] = word.district or None
                self._names[word.word] = word.same_as or word.word
        for other, name in self._names.items():
            self._districts[name] = self._districts.get(name) or self._districts[other]
            self._districts[other] = self._districts[name]
        lengths: dict[str, set[int]] = {}
        for name in self._names:
            lengths.setdefault(name[0], set()).add(len(name))
        self._lengths = {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}

    def __contains__(self, word: object) -> bool:
        return word in self._names

    def find(self, text: str) -> tuple[tuple[str, ...], str | None]:
        """The places named, each once in order and by its one name, and the district most of them lie in (the first
        named on a tie)."""
        named: dict[str, int] = {}
        lengths, start, end = self._lengths, 0, len(text)
        while start < end:
            for length in lengths.get(text[start], ()):
                name = text[start : start + length]
                if name in self._names:
                    place = self._names[name]
                    named[place] = named.get(place, 0) + 1
                    start += length
                    break
            else:
                start += 1
        return tuple(named), self._district(named)

    def _district(self, named: dict[str, int]) -> str | None:
        votes: dict[str, int] = {}
        for name, count in named.items():
            district = self._districts.get(name)
            if district:
                votes[district] = votes.get(district, 0) + count
        return max(votes, key=lambda district: votes[district]) if votes else None
