"""Counts that are too old are dropped, and what a file of an earlier version lacks is added."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.support.servers import Server

from hueyio.storage.contract import Session, Storage
from hueyio.storage.file import FileStorage
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.records import COUNT_SPANS, Counted
from hueyio.storage.redis import RedisStorage
from hueyio.storage.redis.layout import Layout
from hueyio.storage.sqlite import SqliteStorage

COUNTED = Counted({"done": 1}, {"app.add": 1}, {"app.add\nValueError": 1}, {"app.add": {"done": 1}})


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


async def spans_with_counts(session: Session, until: float) -> set[int]:
    spans = set()
    for span in COUNT_SPANS:
        last = int(until // span)
        rows = await session.read_counts(span, last - 2, last, ["app.add"])
        assert bool(rows) == bool(await session.read_slots(span, last - 2, last))
        if rows:
            spans.add(span)
    return spans


@pytest.mark.parametrize("kind", ["memory", "file", "sqlite"])
async def test_slots_are_dropped_when_their_time_is_over(kind: str, tmp_path: Path) -> None:
    clock = Clock()
    make: dict[str, Callable[[], Storage]] = {
        "memory": lambda: MemoryStorage("it", clock=clock),
        "file": lambda: FileStorage("it", tmp_path, fsync=False, clock=clock),
        "sqlite": lambda: SqliteStorage("it", str(tmp_path / "it.db"), clock=clock),
    }
    session = await make[kind]().connect()
    await session.register("me", b"")
    await session.publish("me", 1, b"", COUNTED)
    begun, left = clock.now, set(COUNT_SPANS)
    for span, kept in COUNT_SPANS.items():
        clock.now = begun + kept - span
        await session.promote(clock.now, 10)
        assert await spans_with_counts(session, begun) == left
        clock.now = begun + kept + 2 * span
        await session.promote(clock.now, 10)
        left.discard(span)
        assert await spans_with_counts(session, begun) == left
    await session.close()


async def test_slots_are_dropped_when_their_time_is_over_on_redis(server: Server) -> None:
    name = uuid.uuid4().hex
    session = await RedisStorage(name, url=server.url).connect()
    await session.register("me", b"")
    await session.publish("me", 1, b"", COUNTED)
    now = await session.time()
    assert await spans_with_counts(session, now) == set(COUNT_SPANS)
    layout = Layout(name)
    with redis.Redis.from_url(server.url) as admin:
        slots, counts = layout.key("COUNT_SLOTS"), layout.key("COUNTS")
        listed: Any = admin.zrange(slots, 0, -1, withscores=True)
        for slot, until in listed:
            span, number = map(int, slot.split(b":"))
            assert until == (number + 1) * span + COUNT_SPANS[span]
            admin.zadd(slots, {slot: now - 1})
        await session.promote(now, 10)
        assert not admin.exists(slots, counts)
    assert await spans_with_counts(session, now) == set()
    await session.close()


async def test_counts_are_kept_when_a_journal_is_written_anew(tmp_path: Path) -> None:
    clock = Clock()
    first = await FileStorage("it", tmp_path, fsync=False, journal_mb=0.001, clock=clock).connect()
    await first.register("me", b"")
    for number in range(1, 50):
        await first.publish("me", number, b"x" * 100, COUNTED)
    second = await FileStorage("it", tmp_path, fsync=False, clock=clock).connect()
    assert await second.publish("me", 49, b"", COUNTED)  # its number is known there too
    (slot,) = await second.read_slots(3600, 0, int(clock.now // 3600))
    assert slot.totals == {"done": 49}
    await first.close()
    await second.close()
