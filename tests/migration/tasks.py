"""Tasks that are declared with Huey, which writes calls of them, and with hueyio, which runs them."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

__all__ = ["HERE", "RUNS", "Order", "declare"]

HERE: Final = "HUEYIO_TEST_HERE"
"""The variable that names the file of the queue to which tasks are moved."""

RUNS: Final = "HUEYIO_TEST_RUNS"
"""The variable that names the file in which ``mark`` notes its runs."""


class Order:
    """A value of the application's own."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Order) and self.number == other.number

    def __hash__(self) -> int:
        return hash(self.number)


def add(a: Any, b: Any = 0, *more: Any) -> Any:
    return a + b + sum(more)


def total(values: list[Any]) -> Any:
    return sum(values)


def ship(order: Order, weight: Decimal | None = None) -> int:
    return order.number


def rescue(error: Any) -> str:
    return repr(error)


def mark(number: int) -> None:
    with Path(os.environ[RUNS]).open("a") as runs:
        runs.write(f"{number}\n")


def declare(on: Any, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Declare the tasks on a Huey of either library; return what calls them, by name."""
    functions = [it for it in (add, total, ship, rescue, mark) if it.__name__ not in without]
    return {it.__name__: on.task()(it) for it in functions}
