"""What argparse says, said in Chinese: usage, help, what is wrong with the words of a command; argparse reads them."""

from __future__ import annotations

import argparse
import re
import sys
from typing import IO, NoReturn

_SAID = (
    (r"the following arguments are required: (.+)", r"还缺少 \1"),
    (r"unrecognized arguments: (.+)", r"不认识 \1"),
    (r"argument (.+?): invalid choice: (.+) \(choose from (.+)\)", r"\1 不能是 \2，应为 \3 之一"),
    (r"argument (.+?): invalid int value: (.+)", r"\1 应为整数，不能是 \2"),
    (r"argument (.+?): invalid float value: (.+)", r"\1 应为数字，不能是 \2"),
    (r"argument (.+?): expected one argument", r"\1 后面还缺一个值"),
    (r"argument (.+?): expected at least one argument", r"\1 后面至少要有一个值"),
    (r"argument (.+?): expected at most one argument", r"\1 后面最多写一个值"),
    (r"argument (.+?): expected (\d+) arguments", r"\1 后面要有 \2 个值"),
    (r"argument (.+?): not allowed with argument (.+)", r"\1 和 \2 不能一起用"),
    (r"argument (.+?): ignored explicit argument (.+)", r"\1 后面不带值，不能写 \2"),
    (r"ambiguous option: (.+) could match (.+)", r"\1 不止一个意思，可能是 \2"),
    (r"one of the arguments (.+) is required", r"\1 里要写一个"),
    (r"argument (.+?): (.+)", r"\1 \2"),
)
_HEADS = (("usage: ", "用法："), ("positional arguments:", "参数："), ("options:", "选项："))


class Parser(argparse.ArgumentParser):
    """An argparse parser whose own words are Chinese; those of its sub-commands too."""

    def __init__(self, *given: object, **more: object) -> None:
        super().__init__(*given, **{"add_help": False, **more})  # type: ignore[arg-type]
        self.add_argument("-h", "--help", action="help", help="显示这段说明")

    def format_usage(self) -> str:
        return in_chinese(super().format_usage())

    def format_help(self) -> str:
        return in_chinese(super().format_help())

    def print_usage(self, file: IO[str] | None = None) -> None:  # type: ignore[override]
        print(self.format_usage(), end="", file=file or sys.stdout)

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"{explained(message)}。加 --help 看每一项的意思。\n")


def in_chinese(page: str) -> str:
    """A page of help with Chinese headings."""
    for theirs, ours in _HEADS:
        page = re.sub(rf"^{re.escape(theirs)}", ours, page, count=1, flags=re.MULTILINE)
    return page


def explained(message: str) -> str:
    """What argparse has to say, as a Chinese sentence without its full stop; words unknown here stay as they are."""
    for theirs, ours in _SAID:
        if re.fullmatch(theirs, message, re.DOTALL):
            return re.sub(theirs, ours, message, count=1, flags=re.DOTALL)
    return message
