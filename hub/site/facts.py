"""网站信息: who runs this site and what its foot must say, read once from the site's own folder; no page, no store."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from hub.domain.errors import Misconfigured

FILE = "site.json"


@dataclass(frozen=True)
class Facts:
    """What the office states about its site. `id_code` is the 网站标识码, `icp` and `police` the two filing numbers."""

    name: str
    domain: str
    id_code: str
    organiser: str
    phone: str
    icp: str
    undertaker: str = ""
    address: str = ""
    police: str = ""
    description: str = ""
    districts: tuple[str, ...] = ()
    words: tuple[str, ...] = ()  # 大家在找: words offered under the search box
    app_name: str = ""  # what the app is called on a phone's screen; the site's name where nothing is stated
    own_domains: tuple[str, ...] = (".gov.cn",)  # links elsewhere are marked as leaving government websites


def demo_facts() -> Facts:
    """The invented city of demonstrations."""
    return Facts(
        name="云川市人民政府",
        domain="www.yunchuan.example",
        id_code="0000000000",
        organiser="云川市人民政府办公室",
        undertaker="云川市新闻办",
        phone="0000-12345",
        address="云川市临江区松苑街 1 号",
        icp="示ICP备00000000号",
        police="示公网安备00000000000000号",
        description="云川市人民政府门户网站：要闻动态、通知公告、政策文件，听您说事。",
        app_name="云川通",
        districts=("临江区", "北岭区", "高新区", "云溪区", "青禾县", "石桥县"),
        own_domains=(".gov.cn", "yunchuan.example"),
    )


_NEEDED = ("name", "domain", "id_code", "organiser", "phone", "icp")


def _checked(found: Any) -> Facts:
    if not isinstance(found, dict):
        raise Misconfigured(f"{FILE} 应是一个 JSON 对象。")
    known = {field.name: field for field in fields(Facts)}
    if unknown := sorted(set(found) - set(known)):
        raise Misconfigured(f"{FILE} 里的“{unknown[0]}”不认识。可写的有：{'、'.join(known)}。")
    for name in _NEEDED:
        if not str(found.get(name, "")).strip():
            raise Misconfigured(f"{FILE} 缺少“{name}”：网站每页都要写明。请补上后重新启动。")
    given: dict[str, Any] = {}
    for name, value in found.items():
        listed = isinstance(known[name].default, tuple)
        if isinstance(value, list) != listed:
            raise Misconfigured(f"{FILE} 的“{name}”应是{'列表' if listed else '文本'}。")
        given[name] = tuple(map(str, value)) if isinstance(value, list) else str(value).strip()
    return Facts(**given)


def read_facts(folder: Path) -> Facts:
    """What the file says; Misconfigured names what is missing."""
    path = folder / FILE
    try:
        return _checked(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        raise Misconfigured(
            f"公众网的数据文件夹里没有 {FILE}（网站名称、标识码、备案号）。请按 docs/site.md 写好后重新启动。"
        ) from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise Misconfigured(f"{FILE} 读不了：{type(error).__name__}。请改正后重新启动。") from error


def write_facts(folder: Path, facts: Facts) -> None:
    """Write the file, unless one stands there already: an office's own words are never overwritten."""
    path = folder / FILE
    folder.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(asdict(facts), ensure_ascii=False, indent=2) + "\n", "utf-8")
    os.replace(aside, path)
