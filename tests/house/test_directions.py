"""Which room may import which, and in which single room each library lives."""

from __future__ import annotations

import sys

import pytest

from tests.house import house

FLOORS = (
    # (prefix, floor); the first that fits counts
    ("hub.wiring", 4),
    ("hub.commands", 4),
    ("hub.app", 4),
    ("hub.serving", 4),
    ("hub.processes", 4),
    ("hub.household", 4),
    ("hub.demo", 4),
    ("hub.__main__", 4),
    ("hub.pages", 3),
    ("hub.site", 3),
    ("hub.access", 3),
    ("hub.desk", 2),
    ("hub.store", 1),
    ("hub.checks", 1),
    ("hub.sealing", 1),
    ("hub", 0),
)

# library -> the modules (prefixes) where it may be imported; whatever is not listed may not be imported at all
LIBRARIES = {
    "sanic": ("hub.app", "hub.pages", "hub.site", "hub.access", "hub.serving", "channels.rehearsal"),
    "msgspec": ("hub.pages", "hub.site"),
    "aiohttp": ("channels.http",),
    "yarl": ("channels.http",),
    "motor": ("hub.store.mongo",),
    "pymongo": ("hub.store.mongo",),
    "apsw": ("hub.store.sqlite",),
    "apscheduler": ("scheduler",),
    "jieba": ("nlp.words",),
    "rjieba": ("nlp.words",),
    "snownlp": ("nlp.sentiment", "nlp.training"),
    "opencc": ("nlp.normal",),
    "numpy": ("nlp",),
    # the rehearsal reads the callbacks' encryption by itself, apart from the connector: each proves the other
    "cryptography": ("hub.sealing", "channels.wechat.callback", "channels.wechat.rehearsal_sealing"),
    "nh3": ("hub.domain.fold",),
    "lxml": ("hub.domain.fold",),
    "borax": ("hub.domain.almanac",),
    "chinese_calendar": ("hub.domain.almanac",),
    "jinja2": ("hub.rendering",),
    "argon2": ("hub.access",),
    "pyotp": ("hub.access",),
    "segno": ("hub.access", "hub.site.pictures"),
    "PIL": ("hub.desk.picturing",),
    "puremagic": ("hub.desk.picturing",),
    "ahocorasick_rs": ("nlp.finder",),
    "diff_match_patch": ("hub.domain.difference",),
    "tqdm": ("hub.commands",),
}


def floor(module: str) -> int:
    return next(number for prefix, number in FLOORS if module == prefix or module.startswith(prefix + "."))


def inner(name: str) -> bool:
    return name.split(".")[0] in house.ROOMS


def test_the_scheduler_calls_the_hub_and_channels_and_nlp_know_nobody() -> None:
    allowed = {
        "scheduler": {"scheduler", "hub"},
        "hub": {"hub", "channels", "nlp"},
        "channels": {"channels"},
        "nlp": {"nlp"},
    }
    wrong = [
        f"{found.module}:{found.line} imports {found.name}"
        for found in house.imports()
        if inner(found.name) and found.name.split(".")[0] not in allowed[found.module.split(".")[0]]
    ]
    assert wrong == []


def test_a_floor_imports_only_its_own_and_lower_floors() -> None:
    wrong = [
        f"{found.module}:{found.line} imports {found.name}"
        for found in house.imports()
        if found.module.startswith("hub") and found.name.startswith("hub.") and floor(found.name) > floor(found.module)
    ]
    assert wrong == []


# What proves a request to be the hub's or a platform's; no channel, and nothing that could call one.
PROOFS = ("channels.webhooks", "channels.wechat.callback")


def test_the_site_knows_neither_desk_nor_pages() -> None:
    wrong = [
        f"{found.module}:{found.line} imports {found.name}"
        for found in house.imports()
        if found.module.startswith("hub.site")
        and (
            found.name.startswith(("hub.desk", "hub.pages", "hub.store.mongo", "nlp"))
            or (found.name.startswith("channels") and not found.name.startswith(PROOFS))
        )
    ]
    assert wrong == []


def test_pages_and_commands_of_people_never_touch_channels_but_their_contract() -> None:
    wrong = [
        f"{found.module}:{found.line} imports {found.name}"
        for found in house.imports()
        if found.module.startswith(("hub.pages", "hub.desk"))
        and found.name.startswith("channels.")
        and not found.name.startswith(("channels.contract", "channels.surroundings", "channels.notice"))
    ]
    assert wrong == []


def test_only_entry_points_import_wiring() -> None:
    doors = ("hub.__main__", "hub.commands", "hub.serving", "hub.household", "scheduler.__main__")
    wrong = [
        f"{found.module}:{found.line}"
        for found in house.imports()
        if found.name.startswith("hub.wiring") and not found.module.startswith(doors)
    ]
    assert wrong == []


def test_no_import_hides_inside_a_function() -> None:
    assert [f"{found.module}:{found.line}" for found in house.imports() if found.inside_function] == []


def test_each_library_lives_in_its_one_room() -> None:
    wrong = []
    for found in house.imports():
        top = found.name.split(".")[0]
        if inner(found.name) or top in sys.stdlib_module_names:
            continue
        rooms = LIBRARIES.get(top, ())
        if not any(found.module == room or found.module.startswith(room + ".") for room in rooms):
            wrong.append(f"{found.module}:{found.line} imports {top}")
    assert wrong == []


def _circles(edges: dict[str, set[str]]) -> list[list[str]]:
    state: dict[str, int] = {}
    circles: list[list[str]] = []

    def visit(node: str, path: list[str]) -> None:
        state[node] = 1
        for other in sorted(edges.get(node, ())):
            if state.get(other) == 1:
                circles.append([*path[path.index(other) :], other] if other in path else [node, other])
            elif other not in state:
                visit(other, [*path, other])
        state[node] = 2

    for node in sorted(edges):
        if node not in state:
            visit(node, [node])
    return circles


@pytest.mark.parametrize("unit", ["file", "folder"])
def test_there_is_no_circle_of(unit: str) -> None:
    edges: dict[str, set[str]] = {}
    for found in house.imports():
        if found.name not in house.modules():
            continue
        here, there = found.module, found.name
        if unit == "folder":
            here, there = _folder(here), _folder(there)
        if here != there:
            edges.setdefault(here, set()).add(there)
    assert _circles(edges) == []


def _folder(module: str) -> str:
    """The room a module lives in; files beside rooms (hub/clock.py, channels/kinds.py) are rooms of their own."""
    if house.is_package(module):
        return module
    parent = module.rpartition(".")[0]
    return module if parent in ("hub", "channels") else parent


def test_a_circle_is_seen_where_one_is_planted() -> None:
    assert _circles({"a": {"b"}, "b": {"c"}, "c": {"a"}})
