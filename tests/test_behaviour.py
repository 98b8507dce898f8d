"""Every line of the page about Huey's behaviour names tests, and they exist."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "huey-behaviour.md"

_ROW = re.compile(r"^\| (?P<behaviour>.+) \| (?P<tests>.*) \|$", re.MULTILINE)
_TEST = re.compile(r"`(?P<file>\S+\.py)::(?P<name>test_\w+)`")


def rows() -> dict[str, list[tuple[str, str]]]:
    return {
        found["behaviour"]: [(test["file"], test["name"]) for test in _TEST.finditer(found["tests"])]
        for found in _ROW.finditer(PAGE.read_text())
        if found["behaviour"] != "behaviour"
    }


@functools.cache
def names_in(file: str) -> frozenset[str]:
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, functions))


def test_every_behaviour_names_its_tests() -> None:
    assert len(rows()) > 100
    assert [behaviour for behaviour, tests in rows().items() if not tests] == []


def test_every_test_that_is_named_exists() -> None:
    named = {test for tests in rows().values() for test in tests}
    assert sorted(f"{file}::{name}" for file, name in named if name not in names_in(file)) == []
