"""`export dictionary`: the dictionary in force as a table that `import dictionary` takes back."""

from __future__ import annotations

import argparse
import csv
import sys

from hub.desk.desk import Desk
from hub.desk.dictionary import all_words
from hub.domain.people import program
from nlp.dictionary import HEAD, table_of

MARK = "\ufeff"  # by which spreadsheets know UTF-8


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=("dictionary",), help="导出什么")


async def run(arguments: argparse.Namespace, desk: Desk) -> int:
    words = await all_words(program("console"), desk)
    sys.stdout.write(MARK)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows(table_of(words))
    print(f"词典里有 {len(words)} 个词。", file=sys.stderr)
    return 0
