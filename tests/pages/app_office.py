"""A site with an app's content as tests meet it: cards, notices of districts, services, an article behind a card."""

from __future__ import annotations

from typing import Any

from tests.pages.site_office import PIXEL_NAME, Office, article, column, paragraph, picture

LONG = "关于进一步做好全市冬季供暖保障和老旧小区供热管网改造有关工作情况的通报以及后续安排的说明"


def card(title: str = "城区公交线路 12 月 1 日起调整", **more: Any) -> dict[str, Any]:
    body = {
        "title": title,
        "digest": "3 路、7 路、15 路改走新建成的云溪大桥。",
        "kind": "news",
        "column": "yw",
        "source": "交通运输局",
        "article": "",
        "link": "https://www.yunchuan.example/articles/a1",
        "districts": [],
        "pictures": [],
    }
    return {**body, **more}


def service(name: str, icon: str = "list", **more: Any) -> dict[str, Any]:
    return {"name": name, "icon": icon, "link": "/articles", "department": "政务服务中心", **more}


SERVICES = (
    ("水电气报修", "drop"), ("办社保卡", "card"), ("租房和买房", "house"), ("孩子上学", "child"),
    ("看病和医保", "heart"), ("出行", "bus"), ("找工作", "book"), ("身份证户口", "user"), ("养老", "people"),
)  # fmt: skip


async def fill(office: Office) -> None:
    """What an office has published to its app on an ordinary day."""
    await office.put("column", "yw", column())
    await office.put("file", PIXEL_NAME, picture())
    words = paragraph("清源路一带部分住户自来水发黄，正在冲洗管道。")
    text = [words, {"kind": "img", "media": PIXEL_NAME, "alt": "送水车"}]
    await office.put("article", "a1", article("清源路一带供水发黄情况通报", blocks=text))
    for number, (name, icon) in enumerate(SERVICES):
        await office.put("service", f"s{number}", service(name, icon, order=number, needs="打电话或上门都能办"))
    shown = [{"sha256": PIXEL_NAME, "type": "image/png", "width": 1, "height": 1, "alt": "云溪大桥"}]
    for number, (title, more) in enumerate((
        ("取暖补贴今起发放，看看您有没有", {"source": "民政局"}),
        (LONG, {"source": "住房和城乡建设局"}),
        ("城区公交线路 12 月 1 日起调整", {"pictures": shown}),
        ("北岭区今晚停水检修", {"kind": "notice", "digest": "20 时至次日 6 时，请先存好水。", "source": "水务局"}),
        ("自来水发黄", {"kind": "notice", "digest": "放水 5 至 10 分钟，水清再用；发黄的水不要喝。",
                   "districts": ["临江区"], "source": "水务局", "article": "a1"}),
        ("清源路一带供水发黄情况通报", {"source": "水务局", "article": "a1"}),
    )):  # fmt: skip
        office.clock.move(60)
        done = await office.put("card", f"c{number}", card(title, **more))
        assert done.status == 201, done.text
