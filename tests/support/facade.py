"""Write the blocking classes from the coroutines that they wait for: ``python -m tests.support.facade``.

A blocking class has two parts. What differs from its twin is written by hand. Below the marker comment stands the rest,
made here from the source of the twin: the same signature, the first line of the docstring, and a body that waits. So
type checkers, editors and ``help()`` see methods like any other, and one that is added to the twin is a run away.
``tests/unit/test_facade.py`` fails where the files are not what this module writes.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

SOURCE: Final = Path(__file__).resolve().parents[2] / "src" / "hueyio"

WIDTH: Final = 120
"""Columns of a line, as ruff formats them."""

_HANDLE: Final = re.compile(
    r"\b(Result|ResultGroup|ChordResult|TaskWrapper|BoundOptions|NamedTask|TaskLock|Semaphore|RateLimit|Schedules)\b"
)
"""What a method returns that has a blocking form."""

_GIVE_ANY_HANDLE: Final = frozenset({"Huey", "Schedules", "Result"})
"""Classes whose methods return a handle where they say ``Any``."""

_MARKER: Final = "    # --- made from {} by `python -m tests.support.facade`; what is above is by hand\n"


class Twin(NamedTuple):
    """A blocking class, and the classes whose methods it has: ``file:class`` each."""

    blocking: str
    sources: tuple[str, ...]
    without: frozenset[str] = frozenset()
    """Methods that only the source has."""


TWINS: Final = (
    Twin("handles/sync_result.py:SyncResult", ("handles/result.py:Result",)),
    Twin("handles/sync_result.py:SyncResultGroup", ("handles/result.py:ResultGroup",)),
    Twin("handles/sync_result.py:SyncChordResult", ("handles/chord_result.py:ChordResult",)),
    Twin("handles/sync_task.py:SyncTask", ("handles/wrapper.py:TaskWrapper",), frozenset({"sync"})),
    Twin("handles/sync_task.py:SyncBoundOptions", ("handles/wrapper.py:BoundOptions",), frozenset({"sync"})),
    Twin("handles/sync_task.py:SyncNamedTask", ("handles/by_name.py:NamedTask",), frozenset({"sync"})),
    Twin(
        "limits/sync.py:SyncSemaphore",
        ("limits/lock.py:Semaphore",),
        frozenset({"sync", "enter", "leave"}),  # the last two are for those who write a limit of their own
    ),
    Twin(
        "limits/sync.py:SyncRateLimit",
        ("limits/rate_limit.py:RateLimit",),
        frozenset({"sync", "enter", "leave"}),
    ),
    Twin("schedules/sync.py:SyncSchedules", ("schedules/stored.py:Schedules",)),
    Twin("app/sync_consumer.py:SyncConsumer", ("consumer/consumer.py:Consumer",)),
    Twin("app/sync_base_storage.py:SyncBaseStorage", ("app/base_storage.py:BaseStorage",), frozenset({"sync"})),
    Twin("app/sync_inspector.py:SyncInspector", ("app/inspector.py:Inspector",), frozenset({"sync", "from_url"})),
    Twin(
        "app/sync_huey.py:SyncHuey",
        ("app/huey.py:Huey", "app/settings.py:Settings"),
        # These are overridden, in a subclass of the source.
        frozenset(
            {
                "sync",
                "get_task_wrapper_class",
                "create_storage",
                "get_immediate_storage",
                "get_storage",
                "build_error_result",
            }
        ),
    ),
)


def write_all() -> dict[Path, str]:
    """Return what each file with a blocking class must be."""
    texts: dict[Path, str] = {}
    for twin in TWINS:
        path = SOURCE / twin.blocking.partition(":")[0]
        texts[path] = write_into(texts.get(path) or path.read_text(), twin)
    return texts


def write_into(text: str, twin: Twin) -> str:
    """Return the text of a file with the part of one class written anew."""
    name = twin.blocking.partition(":")[2]
    sources = " and ".join(f"``{source.partition(':')[2]}``" for source in twin.sources)
    begin = text.index(f"class {name}")
    marker = _MARKER.format(sources)
    at = text.index(marker, begin) + len(marker)
    end = re.compile(r"^\S", re.MULTILINE).search(text, at)
    rest = "" if end is None else "\n\n" + text[end.start() :]
    own = _names_above(text, name, text.count("\n", 0, at))
    made = "\n".join(_members(twin, own))
    return text[:at] + ("\n" + made if made else "") + rest


@functools.cache
def members_of(place: str) -> list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, list[str]]]:
    """Return the public methods and properties of a class, with the lines of its file."""
    path, _, name = place.partition(":")
    text = (SOURCE / path).read_text()
    (found,) = [it for it in ast.parse(text).body if isinstance(it, ast.ClassDef) and it.name == name]
    functions = [it for it in found.body if isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef)]
    lines = text.splitlines()
    return [(it, lines) for it in functions if not it.name.startswith("_")]


def _members(twin: Twin, own: set[str]) -> Iterator[str]:
    seen: set[str] = set(own) | twin.without
    for place in twin.sources:
        for function, lines in members_of(place):
            is_setter = any(ast.unparse(it).endswith(".setter") for it in function.decorator_list)
            if function.name in seen and not (is_setter and function.name not in own):
                continue
            seen.add(function.name)
            yield _Member(function, lines, place.partition(":")[2]).written()


def _names_above(text: str, name: str, line: int) -> set[str]:
    """Return what a class defines before a line."""
    (found,) = [it for it in ast.parse(text).body if isinstance(it, ast.ClassDef) and it.name == name]
    names: set[str] = set()
    for it in found.body:
        if it.lineno > line:
            continue
        if isinstance(it, ast.FunctionDef):
            names.add(it.name)
        elif isinstance(it, ast.Assign):
            names.update(target.id for target in it.targets if isinstance(target, ast.Name))
        elif isinstance(it, ast.AnnAssign) and isinstance(it.target, ast.Name):
            names.add(it.target.id)
    return names


class _Member:
    """One method or property of the source, and its blocking form."""

    def __init__(self, function: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str], owner: str) -> None:
        self.function = function
        self.lines = lines
        self.owner = owner
        self.decorators = [self._of(it) for it in function.decorator_list]
        if any(it == "overload" or it == "classmethod" for it in self.decorators):
            raise ValueError(f"{owner}.{function.name} has several signatures, or a class: write it by hand")
        self.returned = self._of(function.returns)
        self.is_iterated = self.returned.startswith("AsyncIterator[")
        self.is_waited_for = isinstance(function, ast.AsyncFunctionDef) or self.returned.startswith("Coroutine[")
        self.gives = _HANDLE.sub(r"Sync\1", self._given())

    def written(self) -> str:
        """Return the source of the blocking form."""
        shown = [it for it in self.decorators if it == "property" or it.endswith(".setter") or it.startswith("shows_")]
        lines = [f"    @{it}" for it in shown]
        return "\n".join([*lines, *self._head(), *self._docstring(), *self._body()]) + "\n"

    def _given(self) -> str:
        if self.is_iterated:
            return self.returned.removeprefix("Async")
        if found := re.fullmatch(r"Coroutine\[None, None, (.*)\]", self.returned):
            return found[1]
        return self.returned

    def _head(self) -> list[str]:
        opening, closing = f"    def {self.function.name}(", f") -> {self.gives}:"
        parameters = list(self._parameters())
        line = opening + ", ".join(parameters) + closing
        if len(line) <= WIDTH and not self._is_one_per_line():
            return [line]
        together = " " * 8 + ", ".join(parameters)
        inner = [f"        {it}," for it in parameters]
        if len(together) <= WIDTH and not self._is_one_per_line():
            inner = [together]
        return [opening, *inner, "    " + closing]

    def _is_one_per_line(self) -> bool:
        """Say whether the source has a comma at the end, which keeps it apart."""
        lines = self.lines[self.function.lineno - 1 : self.function.body[0].lineno]
        return re.search(r",\s*\)\s*->", "\n".join(lines)) is not None

    def _parameters(self) -> Iterator[str]:
        arguments = self.function.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
        for position, (each, default) in enumerate(zip(positional, defaults, strict=True)):
            yield self._parameter(each, default)
            if position + 1 == len(arguments.posonlyargs):
                yield "/"
        if arguments.vararg is not None:
            yield "*" + self._parameter(arguments.vararg, None)
        elif arguments.kwonlyargs:
            yield "*"
        for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            yield self._parameter(each, default)
        if arguments.kwarg is not None:
            yield "**" + self._parameter(arguments.kwarg, None)

    def _parameter(self, parameter: ast.arg, default: ast.expr | None) -> str:
        if parameter.annotation is None:
            return parameter.arg
        shown = f"{parameter.arg}: {self._of(parameter.annotation)}"
        return shown if default is None else f"{shown} = {self._of(default)}"

    def _docstring(self) -> list[str]:
        documented = ast.get_docstring(self.function)
        if documented is None:
            return []
        first, _, rest = documented.partition("\n")
        if not rest:
            return [f'        """{first}"""']
        return [f'        """{first}', "", f"        See ``{self.owner}.{self.function.name}``.", '        """']

    def _body(self) -> list[str]:
        name, arguments = self.function.name, self.function.args
        target = f"self._wrapped.{name}"
        if "property" in self.decorators:
            return [f"        answer: {self.gives} = {target}", "        return answer"]
        if f"{name}.setter" in self.decorators:
            return [f"        {target} = {arguments.args[1].arg}"]
        passed = [it.arg for it in (*arguments.posonlyargs, *arguments.args)[1:]]
        passed += [f"*{arguments.vararg.arg}"] if arguments.vararg is not None else []
        passed += [f"{it.arg}={it.arg}" for it in arguments.kwonlyargs]
        passed += [f"**{arguments.kwarg.arg}"] if arguments.kwarg is not None else []
        calls = [*self._around(), target]
        if self.gives == "None":
            return _call("", calls, passed)
        return [*_call(f"answer: {self.gives} = ", calls, passed), "        return answer"]

    def _around(self) -> Iterable[str]:
        """Return what is called with what the source's method returns, the outermost first."""
        changes = self.gives != self._given()
        if not (self.is_waited_for or self.is_iterated):
            return [self.gives.partition("[")[0]] if changes else []
        first = [*self.function.args.posonlyargs, *self.function.args.args][1:2]
        # A connection belongs to the thread of the caller, which has to do all that is done with it.
        here = "block_here" if first and first[0].arg == "connection" else "self._wait"
        waits = "iterate" if self.is_iterated else here
        may_change = changes or (self.gives == "Any" and self.owner in _GIVE_ANY_HANDLE)
        return ["to_sync", waits] if may_change else [waits]

    def _of(self, node: ast.expr | None) -> str:
        """Return the source of a piece. (``ast.get_source_segment`` splits the whole file each time.)"""
        if node is None or node.end_lineno is None:
            return ""
        lines = self.lines[node.lineno - 1 : node.end_lineno]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        return re.sub(r"\s+", " ", " ".join(lines))


def _call(before: str, calls: list[str], passed: list[str], indent: int = 8) -> list[str]:
    """Return nested calls as lines, as ruff formats them."""
    line = " " * indent + before + "(".join(calls) + "(" + ", ".join(passed) + ")" * len(calls)
    if len(line) <= WIDTH:
        return [line]
    margin = " " * indent
    if len(calls) > 1:
        return [f"{margin}{before}{calls[0]}(", *_call("", calls[1:], passed, indent + 4), f"{margin})"]
    together = " " * (indent + 4) + ", ".join(passed)
    inner = [together] if len(together) <= WIDTH else [f"{margin}    {it}," for it in passed]
    return [f"{margin}{before}{calls[0]}(", *inner, f"{margin})"]


if __name__ == "__main__":
    for path, text in write_all().items():
        path.write_text(text)
