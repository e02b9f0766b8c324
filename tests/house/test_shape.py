"""First lines, sizes and lists: what keeps the house easy to walk through."""

from __future__ import annotations

import ast
import importlib
import statistics
import warnings
from pathlib import Path

import pytest

from hub.__main__ import COMMANDS
from tests.house import house

LARGEST_FILE, LARGEST_FUNCTION = 450, 60
NINETIETH_FILE, NINETIETH_FUNCTION = 300, 30


def test_every_module_says_in_its_first_line_what_lives_there() -> None:
    silent = [
        name for name in house.modules() if len((ast.get_docstring(house.parsed(name)) or "").split("\n")[0]) < 20
    ]
    assert silent == []


def test_no_file_grows_out_of_its_room() -> None:
    sizes = {name: len(path.read_text("utf-8").splitlines()) for name, path in house.modules().items()}
    over = {name: size for name, size in sizes.items() if size > LARGEST_FILE}
    near = {name: size for name, size in sizes.items() if LARGEST_FILE >= size > LARGEST_FILE * 0.93}
    if near:
        warnings.warn(f"soon too large: {near}", ResourceWarning, stacklevel=1)
    assert over == {}
    assert statistics.quantiles(sizes.values(), n=10)[8] <= NINETIETH_FILE


def test_no_function_grows_out_of_its_file() -> None:
    sizes = {f"{module}.{node.name}:{node.lineno}": house.length(node) for module, node in house.functions()}
    assert {name: size for name, size in sizes.items() if size > LARGEST_FUNCTION} == {}
    assert statistics.quantiles(sizes.values(), n=10)[8] <= NINETIETH_FUNCTION


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_every_listed_command_has_its_room(command: object) -> None:
    module = importlib.import_module(command.module)  # type: ignore[attr-defined]
    assert callable(module.add)
    assert callable(module.run)


def test_every_command_room_is_listed() -> None:
    named = {module for module, node in house.functions() if node.name == "add" and module.startswith("hub.commands.")}
    rooms = {name for name in named if house.modules()[name].parent.name == "commands"}
    assert sorted(rooms - {command.module for command in COMMANDS}) == []


def test_every_test_is_a_sentence() -> None:
    short = []
    for path in (house.ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                short += [f"{path.name}:{node.name}"] if node.name.count("_") < 3 else []
    assert short == []


def test_tests_patch_nothing() -> None:
    wrong = []
    for path in (house.ROOT / "tests").rglob("*.py"):
        if path == Path(__file__):
            continue
        text = path.read_text("utf-8")
        wrong += [
            f"{path.name}: {word}" for word in ("monkeypatch.setattr", "unittest.mock", "mock.patch") if word in text
        ]
    assert wrong == []
