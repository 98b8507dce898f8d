"""Which dependencies a function has, and in which order they are made: read once, where it is declared."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from hueyio.contrib.depends.marker import Marker
from hueyio.exceptions import ConfigurationError
from hueyio.tasks.declared import is_async
from hueyio.tasks.signature import shown_signature_of

__all__ = ["Plan", "Step", "make_plan"]

Kind: TypeAlias = Literal["value", "coroutine", "manager", "async manager"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One dependency. ``make`` gives what ``kind`` says; ``needs`` are its parameters, and whose values they get."""

    kind: Kind
    make: Callable[..., Any]
    needs: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The dependencies of a task: each once, after those that it needs. ``gives`` is as ``needs``, for the body."""

    steps: tuple[Step, ...]
    gives: Mapping[str, int]

    def without(self, given: Collection[str]) -> Plan:
        """Return what is left to do if these parameters are given already."""
        gives = {name: at for name, at in self.gives.items() if name not in given}
        wanted = set(gives.values())
        for at in range(len(self.steps) - 1, -1, -1):  # those that need others stand behind them
            if at in wanted:
                wanted.update(self.steps[at].needs.values())
        kept = sorted(wanted)
        places = {at: place for place, at in enumerate(kept)}
        steps = [_moved(self.steps[at], places) for at in kept]
        return Plan(steps=tuple(steps), gives={name: places[at] for name, at in gives.items()})


def make_plan(function: Callable[..., Any]) -> Plan:
    """Read the dependencies of a function; raises ConfigurationError if it has none, or one that cannot be made."""
    reading = _Reading()
    gives = reading.needs_of(function)
    if not gives:
        raise ConfigurationError(
            f"@inject: no parameter of {_name_of(function)} has Depends(...) of hueyio.contrib.depends as its default, "
            "which is the only place where it is looked for"
        )
    return Plan(steps=tuple(reading.steps), gives=gives)


class _Reading:
    """Collects the steps of one plan."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._places: dict[Callable[..., Any], int] = {}

    def needs_of(self, function: Callable[..., Any]) -> dict[str, int]:
        """Return which parameters are dependencies, and at which step each is made."""
        parameters = shown_signature_of(function).parameters.values()
        marked = [it for it in parameters if isinstance(it.default, Marker)]
        _check_order(function, parameters)
        return {it.name: self._place_of(it.default.function) for it in marked}

    def _place_of(self, function: Callable[..., Any]) -> int:
        if function not in self._places:
            step = _step_of(function, self.needs_of(function))
            self.steps.append(step)
            self._places[function] = len(self.steps) - 1
        return self._places[function]


def _check_order(function: Callable[..., Any], parameters: Iterable[inspect.Parameter]) -> None:
    """Raise ConfigurationError where what is given by position would meet a parameter that is filled by its name."""
    filled: str | None = None
    for it in parameters:
        if isinstance(it.default, Marker) and it.kind is it.POSITIONAL_ONLY:
            raise ConfigurationError(
                f"{_name_of(function)}: {it.name} is filled by its name, so it cannot stand before /"
            )
        if isinstance(it.default, Marker):
            filled = filled or it.name
        elif filled is not None and it.kind in (it.POSITIONAL_OR_KEYWORD, it.VAR_POSITIONAL):
            raise ConfigurationError(f"{_name_of(function)}: {filled} has Depends(...); put it behind {it.name}")


def _step_of(function: Callable[..., Any], needs: Mapping[str, int]) -> Step:
    try:
        shown_signature_of(function).bind(**dict.fromkeys(needs))
    except TypeError as error:
        raise ConfigurationError(f"dependency {_name_of(function)}: {error}, and nothing gives it") from None
    if inspect.isasyncgenfunction(function):
        return Step(kind="async manager", make=asynccontextmanager(function), needs=needs)
    if inspect.isgeneratorfunction(function):
        return Step(kind="manager", make=contextmanager(function), needs=needs)
    inside = inspect.unwrap(function)
    if inspect.isasyncgenfunction(inside) or inspect.isgeneratorfunction(inside):
        raise ConfigurationError(
            f"dependency {_name_of(function)}: a generator function is one as it is, without @contextmanager or "
            "another decorator around it"
        )
    return Step(kind="coroutine" if is_async(function) else "value", make=function, needs=needs)


def _moved(step: Step, places: Mapping[int, int]) -> Step:
    return Step(kind=step.kind, make=step.make, needs={name: places[at] for name, at in step.needs.items()})


def _name_of(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__qualname__", None) or repr(function))
