"""`hold-all`: 全部暂停 from the console; what it does lives in hub.desk.publishing."""

from __future__ import annotations

import argparse
import json

from hub.desk.desk import Desk
from hub.desk.pausing import hold_all
from hub.domain.people import program


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", required=True, help="暂停的原因，写进审计并通知值班人员")
    parser.add_argument("--json", action="store_true", help="输出 JSON")


async def run(arguments: argparse.Namespace, desk: Desk) -> int:
    """Everything stands still when this returns; what is under way at that moment is named."""
    held = await hold_all(program("console"), desk, arguments.reason)
    under_way = [{"id": row["_id"], "title": row.get("title", "")} for row in held.under_way]
    if arguments.json:
        print(json.dumps({"since": held.since.isoformat(), "under_way": under_way}, ensure_ascii=False))
        return 0
    print("已全部暂停。")
    for row in under_way:
        print(f"  已在发送，可能公开：{row['title']}（{row['id']}）")
    return 0
