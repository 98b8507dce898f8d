"""Every fact has a test that says its number."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
LAST = 102

_NUMBERS = re.compile(r"Facts? (\d+)(?:(?:, | and )(\d+))*")


def named_facts(source: str) -> set[int]:
    """Return the numbers that the docstrings of the tests in a module begin with."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    texts = [ast.get_docstring(node) or "" for node in ast.walk(ast.parse(source)) if isinstance(node, functions)]
    found = [_NUMBERS.match(text) for text in texts]
    return {int(number) for match in found if match for number in re.findall(r"\d+", match[0])}


def test_every_fact_is_named_by_a_test() -> None:
    named = set().union(*(named_facts(path.read_text()) for path in TESTS.rglob("test_*.py")))
    assert sorted({*range(1, LAST + 1)} - named) == []
