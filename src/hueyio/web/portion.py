"""A portion of a list that was read whole: pages stay small whatever the number of names, schedules or workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar
from urllib.parse import urlencode

from hueyio.named_tuple import NamedTuple
from hueyio.web.filters import read_number
from hueyio.web.view import View

__all__ = ["Portion", "portion_of"]

T = TypeVar("T")


class Portion(NamedTuple, Generic[T]):
    """Some of the items, and the addresses of those before and behind; None: there are none."""

    items: Sequence[T]
    start: int
    total: int
    before: str | None
    behind: str | None

    @property
    def end(self) -> int:
        """The number of the last item, from 1."""
        return self.start + len(self.items)


def portion_of(view: View, items: Sequence[T], size: int, key: str = "from") -> Portion[T]:
    """Return the portion that the address names under ``key``: how many items are before it. Raises Refusal.

    Behind the end it is the last one: there was more when somebody copied the address.
    """
    start = min(read_number(view.query, key) or 0, max(len(items) - 1, 0) // size * size)
    return Portion(
        items=items[start : start + size],
        start=start,
        total=len(items),
        before=_address(view, key, max(start - size, 0)) if start else None,
        behind=_address(view, key, start + size) if start + size < len(items) else None,
    )


def _address(view: View, key: str, start: int) -> str:
    query = {**view.query, key: str(start)}
    if not start:
        del query[key]
    here = view.here.partition("?")[0]
    return f"{here}?{urlencode(query)}" if query else here
