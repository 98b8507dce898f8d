"""Which questions may pass the writes that they wait behind, when a lock of somebody else holds those up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from hueyio.storage.operations import Durability

__all__ = ["split_questions"]


class _Call(Protocol):
    @property
    def durability(self) -> Durability: ...

    @property
    def future(self) -> asyncio.Future[Any] | None: ...


C = TypeVar("C", bound=_Call)


def split_questions(calls: Sequence[C]) -> tuple[list[C], list[C]]:
    """Return the questions that may be answered now, and the rest, in order.

    A write that is under way is seen by no question that is asked meanwhile, or by each: its caller has no answer yet.
    One whose caller was cancelled has ended for him, so that what he asks afterwards must see it.
    """
    passing: list[C] = []
    staying: list[C] = []
    for number, call in enumerate(calls):
        if call.durability is Durability.READ:
            passing.append(call)
            continue
        if call.future is not None and call.future.cancelled():
            return passing, [*staying, *calls[number:]]
        staying.append(call)
    return passing, staying
