"""Run the examples in the docstrings, with a consumer beside them, and compare what they print with what they say."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from collections.abc import Coroutine
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from hueyio import Huey
from tests.support.docstring_code import Example, find_examples, given

EXAMPLES = find_examples()

MOST_USED = [
    "BlackHoleHuey",
    "FileHuey",
    "Huey",
    "Huey.cancel",
    "Huey.create_consumer",
    "Huey.enqueue",
    "Huey.enqueue_in",
    "Huey.failed",
    "Huey.limit",
    "Huey.lock_task",
    "Huey.periodic_task",
    "Huey.put",
    "Huey.rate_limit",
    "Huey.result_of",
    "Huey.revoke",
    "Huey.signal",
    "Huey.task",
    "HueyQueue",
    "MemoryHuey",
    "PriorityRedisHuey",
    "RedisExpireHuey",
    "RedisHuey",
    "Result",
    "ResultGroup",
    "Schedules.add",
    "SignedSerializer",
    "SqliteHuey",
    "Task.then",
    "TaskWrapper.map",
    "TaskWrapper.options",
    "TaskWrapper.schedule",
    "chord",
    "crontab",
    "current_task",
    "group",
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda it: it.name)
def test_example_does_what_it_says(example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    printed = asyncio.run(_run(example))
    assert printed == re.findall(r"print\(.*\)  # (.*)\n", example.text)


async def _run(example: Example) -> list[str]:
    names: dict[str, Any] = {"__name__": "app"}
    exec(given(example), names)
    huey: Huey = names["huey"]
    source = "\n" * (example.line - 1) + example.text  # so that a traceback shows the line of the docstring
    code = compile(source, str(example.path), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    try:
        async with huey.create_consumer():
            with redirect_stdout(StringIO()) as printed:
                outcome: Coroutine[Any, Any, None] | None = eval(code, names)
                if inspect.iscoroutine(outcome):
                    await outcome
    finally:
        await huey.close()
        await names["huey"].close()  # it may have made its own
    return printed.getvalue().splitlines()


def test_most_used_names_have_an_example() -> None:
    assert sorted(set(MOST_USED) - {it.name for it in EXAMPLES}) == []


def test_what_an_example_prints_is_compared() -> None:
    """A print() without its comment would be shown to readers, and to no test."""
    for example in EXAMPLES:
        shown = [it for it in example.text.splitlines() if it.strip().startswith("print(")]
        assert all("  # " in it for it in shown), example.name
