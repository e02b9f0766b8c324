"""A local mail server for rehearsals: speaks SMTP on loopback, keeps what it took, fails on order; sends nothing on.

`Dialogue` is pure: a line in, an answer out. The shell around it reads and writes sockets and keeps letters in a file,
one JSON line each, flushed to disk before 250 is said.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from pathlib import Path

LARGEST = 1_000_000
_CLOSE = "close"


@dataclass(frozen=True)
class Letter:
    """One letter taken."""

    id: str
    to: tuple[str, ...]
    subject: str
    text: str


def read_letter(raw: bytes, to: tuple[str, ...]) -> Letter:
    """The parts of a letter that a test or a demo looks at."""
    letter = message_from_bytes(raw, policy=default)
    body = letter.get_body(("plain",))
    text = body.get_content() if body is not None else ""
    return Letter(str(letter["Message-ID"] or ""), to, str(letter["Subject"] or ""), text)


@dataclass
class Faults:
    """What goes wrong next: each order is used once, in turn. Kinds: a code for a step, or drop_before, drop_after."""

    orders: list[tuple[str, int]] = field(default_factory=list)  # (step or kind, code)

    def order(self, step: str, code: int = 0, times: int = 1) -> None:
        """`step` is connect, mail, rcpt, data, end, drop_before (at the end of data) or drop_after."""
        self.orders += [(step, code)] * times

    def take(self, step: str) -> int | None:
        """The code ordered for this step, used up; None: nothing is wrong."""
        for place, (wanted, code) in enumerate(self.orders):
            if wanted == step:
                del self.orders[place]
                return code
        return None


class Dialogue:
    """One client's conversation. `feed` takes a line without its end; None means: cut the connection."""

    def __init__(self, faults: Faults, keep: Callable[[Letter], None]) -> None:
        self._faults = faults
        self._keep = keep
        self._to: list[str] = []
        self._from: str | None = None
        self._lines: list[bytes] | None = None

    def greet(self) -> str | None:
        code = self._faults.take("connect")
        return None if code == 0 else f"{code} busy" if code else "220 rehearsal ESMTP"

    def feed(self, line: bytes) -> str | None:
        if self._lines is not None:
            return self._body(line)
        word, _, rest = line.decode("ascii", "replace").partition(" ")
        steps: dict[str, Callable[[str], str | None]] = {
            "EHLO": self._hello,
            "HELO": self._hello,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._reset,
            "NOOP": self._reset,
            "QUIT": self._quit,
        }
        step = steps.get(word.upper())
        return "500 unknown" if step is None else step(rest)

    def _quit(self, _: str) -> str | None:
        return _CLOSE

    def _hello(self, _: str) -> str | None:
        return "250 rehearsal"

    def _reset(self, _: str) -> str | None:
        self._from, self._to, self._lines = None, [], None
        return "250 ok"

    def _mail(self, rest: str) -> str | None:
        self._from = rest
        return self._answer("mail", "250 ok")

    def _rcpt(self, rest: str) -> str | None:
        if self._from is None:
            return "503 MAIL first"
        answer = self._answer("rcpt", "250 ok")
        if answer == "250 ok":
            self._to.append(rest.partition(":")[2].strip().strip("<>"))
        return answer

    def _data(self, _: str) -> str | None:
        if not self._to:
            return "503 RCPT first"
        answer = self._answer("data", "354 go on")
        if answer == "354 go on":
            self._lines = []
        return answer

    def _answer(self, step: str, good: str) -> str | None:
        code = self._faults.take(step)
        return good if code is None else None if code == 0 else f"{code} ordered"

    def _body(self, line: bytes) -> str | None:
        if line != b".":
            assert self._lines is not None  # noqa: S101 - only called inside DATA
            self._lines.append(line[1:] if line.startswith(b".") else line)
            return ""
        return self._end()

    def _end(self) -> str | None:
        raw = b"\r\n".join(self._lines or []) + b"\r\n"
        to = tuple(self._to)
        self._reset("")
        if self._faults.take("drop_before") is not None:
            return None
        code = self._faults.take("end")
        if code:
            return f"{code} ordered"
        self._keep(read_letter(raw, to))
        return None if self._faults.take("drop_after") is not None else "250 taken"


class MailRehearsal:
    """The server: loopback only, letters kept in `folder` (or in memory where there is none)."""

    def __init__(self, folder: Path | None = None) -> None:
        self.faults = Faults()
        self._file = None if folder is None else folder / "letters.jsonl"
        self._letters: list[Letter] = self._read()
        self._server: asyncio.Server | None = None

    @property
    def letters(self) -> tuple[Letter, ...]:
        """What was taken, oldest first."""
        return tuple(self._letters)

    @property
    def port(self) -> int:
        if self._server is None:
            raise RuntimeError("not started")
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; 0 takes a free port."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", port, limit=LARGEST)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _read(self) -> list[Letter]:
        if self._file is None or not self._file.exists():
            return []
        rows = [json.loads(line) for line in self._file.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
        return [Letter(row["id"], tuple(row["to"]), row["subject"], row["text"]) for row in rows]

    def _keep(self, letter: Letter) -> None:
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            row = {"id": letter.id, "to": letter.to, "subject": letter.subject, "text": letter.text}
            with open(self._file, "a", encoding="utf-8") as file:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
        self._letters.append(letter)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        dialogue = Dialogue(self.faults, self._keep)
        try:
            answer = dialogue.greet()
            while answer is not None and answer != _CLOSE:
                if answer:
                    writer.write(answer.encode() + b"\r\n")
                    await writer.drain()
                line = await reader.readline()
                if not line.endswith(b"\n"):
                    break
                answer = dialogue.feed(line.rstrip(b"\r\n"))
            if answer == _CLOSE:
                writer.write(b"221 bye\r\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass
        finally:
            writer.close()
