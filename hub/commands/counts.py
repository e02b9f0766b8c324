"""`counts verify|rebuild`: the board's roll-ups and the replies; how they are counted lives in store.rollups."""

from __future__ import annotations

import argparse

from tqdm import tqdm

from hub.desk.desk import Desk
from hub.desk.reading import recount, verify_counts
from hub.domain.people import program

SHOWN = 20


def add(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", required=True, metavar="verify|rebuild")
    acts.add_parser("verify", help="看板的数字与留言逐条核对；正在收留言时可能多报")
    acts.add_parser("rebuild", help="按留言重新汇总看板的数字；服务不必停")


async def run(arguments: argparse.Namespace, desk: Desk) -> int:
    actor = program("console")
    with tqdm(unit="条", desc="留言") as bar:

        async def progress(seen: int) -> None:
            bar.update(seen - bar.n)

        if arguments.act == "rebuild":
            rows = await recount(actor, desk, progress)
            wrong = None
        else:
            rows, wrong = 0, await verify_counts(actor, desk, progress)
    return _say_rebuilt(rows) if wrong is None else _say_verified(wrong)


def _say_rebuilt(rows: int) -> int:
    print(f"已按留言重新汇总，共 {rows} 行。")
    return 0


def _say_verified(wrong: list[str]) -> int:
    if not wrong:
        print("汇总与留言一致。")
        return 0
    print(f"有 {len(wrong)} 行汇总与留言不一致，运行 python -m hub counts rebuild 重新汇总：")
    print("\n".join(wrong[:SHOWN]))
    return 1
