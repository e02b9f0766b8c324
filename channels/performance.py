"""One rehearsal platform at work: faults on order, ledger, request log, and the in-process Transport; no sockets."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Protocol, runtime_checkable

from channels.exchange import Answer, MaybeSent, NotSent, Request, Result
from channels.faults import Fault, Orders
from channels.ledger import Effect, Ledger, MemoryLedger

_LOGGED = 1000
_PUSH_ANSWER = 64 << 10  # bytes
_HTML = b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>Bad Gateway</h1></center></body></html>"


class Platform(Protocol):
    """A platform as a pure object: it decides, and changes only by `apply`."""

    def birth(self, now: datetime) -> Sequence[Effect]:
        """The facts a fresh platform begins with."""
        ...

    def handle(self, request: Request, now: datetime, code: int = 0) -> tuple[Answer, Sequence[Effect]]:
        """The answer and the facts it makes; `code` orders the platform's own error of that number."""
        ...

    def apply(self, effect: Effect) -> None:
        """Let a fact be so."""
        ...

    def accounts(self) -> list[dict[str, Any]]:
        """The made-up credentials it accepts."""
        ...

    def posts(self, now: datetime) -> list[dict[str, Any]]:
        """What truly became public."""
        ...

    def speak(self, said: Mapping[str, Any], now: datetime) -> tuple[str, Sequence[Effect]]:
        """A citizen speaks: the id of what was said; ValueError (Chinese) when it cannot be said."""
        ...

    def page(self, now: datetime) -> str:
        """Its public face as an HTML page."""
        ...


@dataclass(frozen=True, repr=False)
class Delivery:
    """One push of a platform to the account's callback address, `seconds` to be answered in."""

    id: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    seconds: float = 5.0

    def request(self) -> Request:
        return Request(self.method, self.url, self.headers, self.body, seconds=self.seconds, limit=_PUSH_ANSWER)


@runtime_checkable
class Controlled(Protocol):
    """A platform with control looks and orders of its own."""

    def look(self, what: str, now: datetime) -> Any:
        """What is asked for; None when there is no look of that name."""
        ...

    def order(self, what: str, body: Mapping[str, Any], now: datetime) -> Sequence[Effect] | None:
        """The facts it makes; None when there is no order of that name, ValueError (Chinese) when it is wrong."""
        ...


@runtime_checkable
class Pushing(Protocol):
    """A platform that calls the account back. The stage sends what is due and says what came of it."""

    def due(self, now: datetime) -> Sequence[Delivery]: ...

    def delivered(self, id: str, result: Result, now: datetime) -> Sequence[Effect]: ...


@dataclass(frozen=True)
class Played:
    """What became of one request: `answer` is None when the connection is cut before the work."""

    answer: Answer | None
    fault: Fault | None


@dataclass
class Performance:
    """A platform with its durable memory. `make` builds a fresh platform; `now` is the clock before any shift."""

    make: Callable[[], Platform]
    now: Callable[[], datetime]
    ledger: Ledger = field(default_factory=MemoryLedger)

    def __post_init__(self) -> None:
        self.orders = Orders()
        self.requests: deque[dict[str, Any]] = deque(maxlen=_LOGGED)
        self._restore()

    def _restore(self) -> None:
        self.platform = self.make()
        self.shift = timedelta()
        facts = self.ledger.read()
        for effect in facts:
            self._apply(effect)
        if not facts:
            self.record(self.platform.birth(self.moment()))

    def moment(self) -> datetime:
        """Now, as the platform sees it."""
        return self.now() + self.shift

    def _apply(self, effect: Effect) -> None:
        if effect["kind"] == "clock":
            self.shift = timedelta(seconds=effect["shift"])
        else:
            self.platform.apply(effect)

    def record(self, effects: Sequence[Effect]) -> None:
        """Facts become so: first on disk, then in memory, and only then may anybody be answered."""
        self.ledger.write(effects)
        for effect in effects:
            self._apply(effect)

    def play(self, request: Request) -> Played:
        """One request, with the fault that was ordered for it, if any."""
        fault = self.orders.take(request.path)
        kind = fault.kind if fault else ""
        answer: Answer | None = None
        if kind == "status" and fault:
            answer = _failed(fault)
        elif kind != "drop_before":
            answer, effects = self.platform.handle(
                request, self.moment(), fault.value if fault and kind == "code" else 0
            )
            self.record(effects)
        if kind == "status_after" and fault:
            answer = _failed(fault)
        self._log(request, answer, kind)
        return Played(self._dated(answer), fault)

    def _dated(self, answer: Answer | None) -> Answer | None:
        """With the date that every server says, by the platform's own clock."""
        if answer is None or "date" in answer.headers:
            return answer
        said = format_datetime(self.moment().astimezone(UTC), usegmt=True)
        return Answer(answer.status, {**answer.headers, "date": said}, answer.body)

    def _log(self, request: Request, answer: Answer | None, fault: str) -> None:
        self.requests.append(
            {
                "at": self.moment().isoformat(),
                "method": request.method,
                "path": request.path,
                "status": answer.status if answer else None,
                "fault": fault or None,
            }
        )

    def speak(self, said: Mapping[str, Any]) -> str:
        """A citizen speaks."""
        id, effects = self.platform.speak(said, self.moment())
        self.record(effects)
        return id

    def look(self, what: str) -> Any:
        """A control look of the platform's own; None when it has none of that name."""
        return self.platform.look(what, self.moment()) if isinstance(self.platform, Controlled) else None

    def order(self, what: str, body: Mapping[str, Any]) -> bool:
        """A control order of the platform's own; False when it has none of that name."""
        effects = self.platform.order(what, body, self.moment()) if isinstance(self.platform, Controlled) else None
        self.record(effects or ())
        return effects is not None

    def due(self) -> Sequence[Delivery]:
        """What the platform wants to push now."""
        return self.platform.due(self.moment()) if isinstance(self.platform, Pushing) else ()

    def delivered(self, id: str, result: Result) -> None:
        """What came of one push."""
        if isinstance(self.platform, Pushing):
            self.record(self.platform.delivered(id, result, self.moment()))

    def move_clock(self, seconds: float) -> None:
        """Shift the platform's clock by so much in all (absolute, not added up)."""
        self.record([{"kind": "clock", "shift": seconds}])

    def reset(self) -> None:
        """Forget everything: posts, replies, faults, clock."""
        self.ledger.clear()
        self.orders.clear()
        self.requests.clear()
        self._restore()


def _failed(fault: Fault) -> Answer:
    return Answer(fault.value or 502, {"content-type": "text/html"}, _HTML)


@dataclass
class InProcess:
    """Transport to platforms in this process, by host name. Unknown hosts are names that nobody finds."""

    stages: Mapping[str, Performance]

    async def send(self, request: Request) -> Result:
        stage = self.stages.get(request.host)
        if stage is None:
            return NotSent("找不到对方的域名")
        played = stage.play(request)
        return as_seen(played, request)


def as_seen(played: Played, request: Request) -> Result:
    """What a caller sees of it: the cuts and delays of real sockets, without waiting."""
    fault, answer = played.fault, played.answer
    if answer is None or (fault and fault.kind in ("drop_before", "drop_after", "close")):
        return MaybeSent("连接中断，没有收到完整的答复")
    if fault and fault.kind == "garbage":
        return Answer(answer.status, answer.headers, half(answer.body))
    if fault and fault.kind == "delay" and fault.value > request.seconds:
        return MaybeSent("等待对方答复超时")
    if fault and fault.kind == "drip" and len(answer.body) > request.seconds:
        return MaybeSent("等待对方答复超时")
    return answer


def half(body: bytes) -> bytes:
    """The first half of a body, no JSON any more."""
    return body[: max(1, len(body) // 2)] if body else b"{"
