"""What the house tests look at: the project's modules, their imports and their functions, read as text only."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("hub", "channels", "nlp", "scheduler")


@dataclass(frozen=True)
class Import:
    """One import: the module that imports, the dotted name it takes, its line, and whether a function hides it."""

    module: str
    name: str
    line: int
    inside_function: bool


@cache
def modules() -> dict[str, Path]:
    """Dotted name -> file of every module that ships."""
    found = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = list(path.relative_to(ROOT).with_suffix("").parts)
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def parsed(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text("utf-8"))


def is_package(module: str) -> bool:
    return modules()[module].name == "__init__.py"


@cache
def imports() -> tuple[Import, ...]:
    """Every import of every module, those inside functions too, each name resolved to a module where it is one."""
    found = []
    for module in modules():
        for node, inside in _walk(parsed(module), False):
            if isinstance(node, ast.Import):
                found += [Import(module, alias.name, node.lineno, inside) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = _base(module, node)
                for alias in node.names:
                    full = f"{base}.{alias.name}"
                    found.append(Import(module, full if full in modules() else base, node.lineno, inside))
    return tuple(found)


def _base(module: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".") if is_package(module) else module.split(".")[:-1]
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, node.module] if node.module else parts)


def _walk(node: ast.AST, inside: bool) -> list[tuple[ast.AST, bool]]:
    found = []
    for child in ast.iter_child_nodes(node):
        deeper = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        found.append((child, deeper))
        found += _walk(child, deeper)
    return found


@cache
def functions() -> tuple[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef], ...]:
    """(module, function) of every function and method."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return tuple((name, node) for name in modules() for node in ast.walk(parsed(name)) if isinstance(node, kinds))


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1
