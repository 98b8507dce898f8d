"""About how many rows an operation touches at most, or pages that it writes: what is short may run on the loop.

Whatever stands nowhere here may touch any number.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from hueyio.storage.records import Entry, Finish, Header, Lane, Latch, Receipt, Settlement, Stage
from hueyio.storage.sqlite.engine.calls import TOO_MUCH

__all__ = ["effort_of"]

_PAGE: Final = 4_096
_MANY: Final = 64
"""Of so many nobody asks how large they are."""


def effort_of(name: str, args: Sequence[Any]) -> int:
    """Measure an operation by its arguments."""
    measure = _MEASURES.get(name)
    return TOO_MUCH if measure is None else measure(*args)


def _enqueue(entries: Sequence[Entry], latches: Sequence[Latch]) -> int:
    if latches or len(entries) > _MANY:
        return TOO_MUCH
    return _entry(*entries[0]) if len(entries) == 1 else sum(_entry(*entry) for entry in entries)


def _entry(header: Header, data: bytes, stages: Sequence[Stage] = ()) -> int:
    own = 1 + len(header.expects) + len(data) // _PAGE
    return own + sum(1 + len(stage.data) // _PAGE for stage in stages) if stages else own


def _claim(room: Mapping[Lane, int], owner: str) -> int:
    return 1 + sum(room.values()) // 8  # most of it stays empty, or the claim goes with what was settled


def _settle(settlements: Sequence[Settlement], *rest: object) -> int:
    return TOO_MUCH if len(settlements) > _MANY else sum(_settlement(it) for it in settlements)


def _settlement(it: Settlement) -> int:
    if not isinstance(it, Finish):
        return TOO_MUCH
    follow_ups = sum(_entry(*entry) for entry in it.follow_ups) if it.follow_ups else 0
    return 2 + len(it.also) + len(it.result or b"") // _PAGE + follow_ups


def _report(receipt: Receipt, data: bytes) -> int:
    return 1 + len(data) // _PAGE


def _put(area: str, items: Mapping[str, bytes], ttl: float | None) -> int:
    return TOO_MUCH if len(items) > _MANY else sum(1 + len(value) // _PAGE for value in items.values())


def _put_if_absent(area: str, key: str, value: bytes, ttl: float | None) -> int:
    return 2 + len(value) // _PAGE


def _count_first(many: Collection[object], *rest: object) -> int:
    return len(many)


def _count_second(first: object, many: Collection[object], *rest: object) -> int:
    return len(many)


def _few(*args: object) -> int:
    return 3


_MEASURES: Final[Mapping[str, Callable[..., int]]] = {
    "enqueue": _enqueue,
    "claim": _claim,
    "claim_awaited": _count_first,
    "settle": _settle,
    "start": _count_first,
    "report": _report,
    "put": _put,
    "put_if_absent": _put_if_absent,
    "peek": _count_second,
    "delete": _count_second,
    **dict.fromkeys(
        ("pop", "compare_delete", "compare_extend", "add", "acquire", "renew", "release", "take", "time"), _few
    ),
}
