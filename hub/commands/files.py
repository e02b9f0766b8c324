"""Files in and out of the commands: plain, gzipped or piped, line by line; results appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import gzip
import io
import os
import shutil
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from hub.domain.errors import Misconfigured

LONGEST_LINE = 1 << 24  # bytes: a text of a megabyte fits however it is written
_LOOKED_AT = 1 << 20  # bytes by which the encoding is told
_FOREIGN = {
    b"PK\x03\x04": "Office 文档（xlsx、docx）或压缩包",
    b"\xd0\xcf\x11\xe0": "旧版 Office 文档（xls、doc）",
    b"%PDF": "PDF",
    b"7z\xbc\xaf": "压缩包",
    b"\xfd7zX": "压缩包",
    b"Rar!": "压缩包",
    b"BZh9": "压缩包",
    b"\x28\xb5\x2f\xfd": "压缩包",
}
_UNPACKED = (gzip.BadGzipFile, EOFError, zlib.error)


@dataclass(frozen=True)
class Line:
    """One line of a file, its number from 1 on; `wrong` says why its text cannot be read."""

    number: int
    text: str
    wrong: str = ""


class Lines:
    """The lines of a file (`-` is standard input), read as they are asked for; `encoding` is known once the first
    sign beyond ASCII was met."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.encoding = "utf-8"
        self._known = False

    def __iter__(self) -> Iterator[Line]:
        with opened(self.name) as stream:
            sample = stream.peek(_LOOKED_AT)[:_LOOKED_AT]
            _refuse_foreign(self.name, sample)
            self._tell(sample)
            for number, raw in enumerate(_raw_lines(self._plain(stream, sample)), 1):
                yield self._line(number, raw)

    def count(self) -> int | None:
        """How many lines there are, for a bar of progress; None where they can be read only once."""
        path = Path(self.name)
        if self.name == "-" or (path.exists() and not path.is_file() and not path.is_dir()):
            return None
        with opened(self.name) as stream:
            return sum(1 for _ in _raw_lines(stream))

    def _tell(self, sample: bytes) -> None:
        """By which encoding reads most of what is not ASCII, so that one spoilt line spoils no other. A line in GB18030
        may be UTF-8 by chance (谢谢 is лл), most of a file never is."""
        whole = sample.split(b"\n")[: -1 if len(sample) == _LOOKED_AT else None]  # the last line may be cut
        beyond = [(sum(sign > 127 for sign in line), line) for line in whole if not line.isascii()]
        if beyond:
            right = sum(signs for signs, line in beyond if _decodes(line, "utf-8"))
            self._known = True
            self.encoding = "utf-8" if right * 2 >= sum(signs for signs, _ in beyond) else "gb18030"

    def _plain(self, stream: io.BufferedReader, sample: bytes) -> BinaryIO:
        """The stream, its lines ended by \\n and ASCII one byte each; what is neither is brought there whole."""
        wide = _wide_encoding(sample)
        if wide:
            try:
                text = stream.read().decode(wide)
            except UnicodeDecodeError:
                raise Misconfigured(f"{self.name} 像是 UTF-16 编码，但读不通。请另存为 UTF-8 再试。") from None
            self.encoding, self._known = "utf-16", True
            return io.BytesIO(_with_ends(text.encode("utf-8", "replace")))
        return io.BytesIO(_with_ends(stream.read())) if _has_old_ends(sample) else stream

    def _line(self, number: int, raw: bytes | None) -> Line:
        if raw is None:
            return Line(number, "", f"这一行超过 {LONGEST_LINE >> 20} MB")
        if not self._known and not raw.isascii():
            self.encoding = "utf-8" if _decodes(raw, "utf-8") or not _decodes(raw, "gb18030") else "gb18030"
            self._known = True
        try:
            text = raw.decode("utf-8" if self.encoding == "utf-16" else self.encoding)
        except UnicodeDecodeError:
            return Line(number, "", f"文字编码有误，不是 {self.encoding.upper()}")
        return Line(number, text.removeprefix("\ufeff") if number == 1 else text)


def _has_old_ends(data: bytes) -> bool:
    """Whether lines end as they did on old machines."""
    return b"\r" in data and b"\n" not in data


def _with_ends(data: bytes) -> bytes:
    return data.replace(b"\r", b"\n") if _has_old_ends(data) else data


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _wide_encoding(sample: bytes) -> str:
    """UTF-16 by its mark, or by the zeros beside the first sign; nothing where it is none."""
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if len(sample) >= 4 and sample[0] and not sample[1] and sample[2] and not sample[3]:
        return "utf-16-le"
    if len(sample) >= 4 and not sample[0] and sample[1] and not sample[2] and sample[3]:
        return "utf-16-be"
    return ""


def _raw_lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """Each line with its end; None for one that is too long."""
    while piece := stream.readline(LONGEST_LINE + 1):
        if len(piece) <= LONGEST_LINE:
            yield piece
            continue
        while piece and not piece.endswith(b"\n"):
            piece = stream.readline(LONGEST_LINE)
        yield None


@contextlib.contextmanager
def opened(name: str) -> Iterator[io.BufferedReader]:
    """The bytes of a file, unpacked; Misconfigured where they cannot be had, also in the middle."""
    try:
        with contextlib.ExitStack() as kept:
            # of a pipe what there is, at once: a buffer around a buffer would wait until it is full
            piped: Any = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
            raw: Any = piped if name == "-" else kept.enter_context(Path(name).open("rb", 0))
            stream = io.BufferedReader(raw, _LOOKED_AT)
            if stream.peek(2)[:2] == b"\x1f\x8b":
                unpacked: Any = kept.enter_context(gzip.GzipFile(fileobj=stream))
                stream = io.BufferedReader(unpacked, _LOOKED_AT)
            yield stream
    except _UNPACKED as trouble:
        raise Misconfigured(f"读不了 {name}：压缩包不完整或已损坏。请重新取一份再试。") from trouble
    except OSError as trouble:
        raise Misconfigured(f"读不了 {name}：{why_unread(trouble)}") from trouble


def read_whole(name: str) -> bytes:
    """All bytes of a file, unpacked."""
    with opened(name) as stream:
        return stream.read()


def why_unread(trouble: OSError) -> str:
    """Why a file cannot be opened, and what to do."""
    if isinstance(trouble, FileNotFoundError):
        return "没有这个文件。请检查文件名和所在文件夹。"
    if isinstance(trouble, IsADirectoryError):
        return "这是文件夹。请写文件夹里的一个文件。"
    if isinstance(trouble, PermissionError):
        return "无权打开。请换一个有权的用户，或请管理员改权限。"
    return "打不开。请检查文件名和磁盘。"


def _refuse_foreign(name: str, sample: bytes) -> None:
    for mark, what in _FOREIGN.items():
        if sample.startswith(mark):
            raise Misconfigured(f"{name} 是{what}，不是文字文件。请在表格软件里另存为 CSV（UTF-8）再试。")


# ---- results


@contextlib.contextmanager
def written_to(name: str | None) -> Iterator[TextIO]:
    """A place for lines of text: a file (gzipped where its name ends so), or standard output. Half a character, which
    UTF-8 cannot hold, is written as JSON's own \\ud83d."""
    if name is None or name == "-":
        with _standard_output() as stream:
            yield stream
        return
    with placed(name) as part, io.TextIOWrapper(_packed(part, name), "utf-8", "backslashreplace", "\n") as stream:
        yield stream


def _packed(part: Path, name: str) -> BinaryIO:
    return gzip.open(part, "wb") if name.endswith(".gz") else part.open("wb")  # type: ignore[return-value]


@contextlib.contextmanager
def _standard_output() -> Iterator[TextIO]:
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as trouble:
        let_go_of_output()
        raise Misconfigured(f"结果写不出去：{_why_unwritten(trouble)}") from trouble


@contextlib.contextmanager
def placed(name: str) -> Iterator[Path]:
    """Where to write what shall stand under this name: beside it until all is written, so that what stood there stays
    whole, whatever happens. Devices and pipes are written to themselves."""
    target = Path(os.path.realpath(name))
    try:
        if target.is_dir():
            raise IsADirectoryError(name)
        if target.exists() and not target.is_file():
            yield target
            return
        part = target.parent / f".{os.getpid()}.part"
        try:
            part.touch()
            yield part
            if target.exists():
                shutil.copymode(target, part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as trouble:
        raise Misconfigured(f"写不了 {name}：{_why_unwritten(trouble)}") from trouble


def _why_unwritten(trouble: OSError) -> str:
    if trouble.errno == errno.ENOSPC:
        return "磁盘满了。请腾出空间或换一个位置，再运行一次。"
    if isinstance(trouble, FileNotFoundError):
        return "文件夹不存在。请先建文件夹，或换一个位置。"
    if isinstance(trouble, IsADirectoryError):
        return "这是文件夹。请写文件夹里的一个文件名。"
    if isinstance(trouble, PermissionError):
        return "无权写入。请换一个位置，或请管理员改权限。"
    return "写的时候出错。请检查磁盘或换一个位置，再运行一次。"


def let_go_of_output() -> None:
    """Nobody reads the standard output any more: without this the interpreter tries once more as it ends, and says so
    in a language of its own."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
