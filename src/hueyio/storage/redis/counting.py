"""The role of those who count, and of those who read what was counted. Who reads rides out an outage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from hueyio.storage.records import Counted, CountedSlot, CountedTask, Counters, Header, Lane
from hueyio.storage.redis.calls import ScriptCall, Sent, Table, as_bool
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.records import read_record

__all__ = ["COUNTING"]

_LANES: Final[dict[str, Lane]] = {"l": "loop", "t": "thread", "p": "process"}


def _write_publish(_: Layout, owner: str, number: int, info: bytes, counted: Counted | None) -> Sent:
    return Sent((owner, number, info, "" if counted is None else json.dumps(counted._asdict())))


def _read_counters(text: bytes | None) -> Counters:
    """Read what Lua wrote: there a large number is one with an exponent."""
    return {} if text is None else {key: int(count) for key, count in json.loads(text).items()}


def _read_slots(reply: Any, span: int, *_: int) -> list[CountedSlot]:
    found: list[CountedSlot] = []
    for at in range(0, len(reply), 5):
        totals, names, failures, enqueued = map(_read_counters, reply[at + 1 : at + 5])
        lanes: dict[Lane, int] = {_LANES[letter]: count for letter, count in enqueued.items()}
        found.append(CountedSlot(reply[at] * span, totals, names, failures, lanes))
    return found


def _read_counts(reply: Any, span: int, _first: int, _last: int, names: Sequence[str]) -> list[CountedTask]:
    rows = zip(reply[::3], reply[1::3], reply[2::3], strict=True)
    found = [CountedTask(number * span, names[int(index)], _read_counters(text)) for number, index, text in rows]
    return [it for it in found if it.counters]


def _read_heads(reply: Any) -> list[Header]:
    return [read_record(id.decode(), start)[0] for id, start in zip(reply[::2], reply[1::2], strict=True)]


COUNTING: Final[Table] = {
    "publish": ScriptCall(_write_publish, as_bool),
    "read_slots": ScriptCall(lambda _, *span: Sent(span), _read_slots, rides_out=True),
    "read_counts": ScriptCall(
        lambda _, span, first, last, names: Sent((span, first, last, *names)) if names else None,
        _read_counts,
        rides_out=True,
    ),
    "heads": ScriptCall(lambda _: Sent(), _read_heads, rides_out=True),
}
