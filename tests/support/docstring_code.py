"""The examples in the docstrings of the package: found in the source, for a test to run and for checkers to read.

An example is what is indented below a line ``Example::``. It awaits at the top, and finds what ``given`` has; a line
``print(...)  # this`` prints exactly this. Those of ``contrib`` are left out: they need applications around them, which
the pages of these integrations have.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent
from typing import Final, NamedTuple

import hueyio

__all__ = ["Example", "find_examples", "given", "to_module"]

_ROOT: Final = Path(__file__).resolve().parents[2]
_PACKAGE: Final = _ROOT / "src" / "hueyio"
_MARK: Final = "Example::"

_BEGIN: Final = """\
import logging
import sqlite3
from datetime import UTC, datetime, timedelta

from hueyio import {names}
from hueyio.testing import HueyQueue

huey = SqliteHuey("app", filename="app.db")


@huey.task
async def add(a: int, b: int) -> int:
    return a + b
"""

_HEAD: Final = (
    "# pyright: reportUnusedImport=false, reportUnusedFunction=false, reportUnusedVariable=false\n"
    "# pyright: reportUnusedCoroutine=true\n"
)


class Example(NamedTuple):
    """One example. ``name`` is that of what it shows, such as ``Huey.task``; ``line`` is its first line in ``path``."""

    name: str
    text: str
    path: Path
    line: int


def find_examples() -> list[Example]:
    """Return all examples of the package, by the name of what they show."""
    paths = [path for path in _PACKAGE.rglob("*.py") if path.relative_to(_PACKAGE).parts[0] != "contrib"]
    found = [it for path in paths if _MARK in (text := path.read_text()) for it in _within(ast.parse(text), path, "")]
    return sorted(found)


def given(example: Example) -> str:
    """Return what docs/reference/index.md says that examples begin with, and the imports that they leave out."""
    words = {"SqliteHuey", *re.findall(r"\w+", example.text)}
    return _BEGIN.format(names=", ".join(sorted(words & set(hueyio.__all__))))


def to_module(example: Example) -> str:
    """Return a module for a type checker."""
    return f"{_HEAD}{given(example)}\n\nasync def example() -> None:\n{indent(example.text.lstrip(), '    ')}"


def _within(node: ast.AST, path: Path, outer: str) -> Iterator[Example]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{outer}{child.name}"
            text = ast.get_docstring(child, clean=False)
            if text is not None and _MARK in text:
                yield _read(name, text, path, child.body[0].lineno)
            yield from _within(child, path, f"{name}.")


def _read(name: str, text: str, path: Path, line: int) -> Example:
    lines = text.splitlines()
    begin = next(number for number, it in enumerate(lines) if it.strip() == _MARK)
    margin = len(lines[begin]) - len(lines[begin].lstrip())
    end = begin + 1
    while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > margin):
        end += 1
    return Example(name, dedent("\n".join(lines[begin + 1 : end])).rstrip() + "\n", path, line + begin + 1)
