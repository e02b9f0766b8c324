"""Nothing but the clock's and the identifiers' own rooms asks the machine for time or chance."""

from __future__ import annotations

import ast

from tests.house import house

ROOMS = ("hub.clock", "hub.identifiers", "hub.wiring")
SHELLS = ("channels.rehearsal", "channels.notice.rehearsal")  # servers of their own, outside the simulation
BENCHES = "hub.commands."  # a command may time itself with perf_counter; nothing else

FORBIDDEN = {
    "asyncio.sleep",
    "time.time",
    "time.monotonic",
    "time.sleep",
    "time.time_ns",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "uuid.uuid1",
    "uuid.uuid4",
    "secrets.token_bytes",
    "secrets.token_hex",
    "secrets.token_urlsafe",
    "secrets.choice",
    "os.urandom",
    "random.random",
    "random.Random",
    "random.choice",
    "random.randint",
}


def _calls(module: str) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(house.parsed(module)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.append((f"{node.value.id}.{node.attr}", node.lineno))
    return found


def test_nobody_asks_the_machine_for_time_or_chance() -> None:
    wrong = [
        f"{module}:{line} {name}"
        for module in house.modules()
        if module not in ROOMS and module not in SHELLS
        for name, line in _calls(module)
        if name in FORBIDDEN
    ]
    assert wrong == []


def test_random_uuid_and_secrets_are_imported_nowhere_else() -> None:
    wrong = [
        f"{found.module}:{found.line} {found.name}"
        for found in house.imports()
        if found.name in ("random", "uuid", "secrets") and found.module not in (*ROOMS, *SHELLS)
    ]
    assert wrong == []
