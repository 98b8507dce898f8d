"""Lists of tasks: what is particular to each storage."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import pytest
import redis
from tests.conftest import SERVER_KINDS, ServerOf

from hueyio import HueyException, Inspector
from hueyio.control.wish import LISTED_STATES
from hueyio.storage.file import FileStorage
from hueyio.storage.memory.line import Line, LiveTask
from hueyio.storage.records import Entry, Header, ListedState
from hueyio.storage.redis import PriorityRedisStorage, RedisStorage
from hueyio.storage.redis.layout import Layout
from hueyio.storage.shared.places import read_place, write_place
from hueyio.storage.sqlite import SqliteStorage

GARBAGE = [
    b"",
    b"x",
    b"Lz9999999999:",
    b"La5:{x}",
    b"Lc99999999999999999:{",
    b"\xff\xfe",
    b"La2:[]",
    b'La12:{"odd":true}',
]


async def all_states(inspector: Inspector) -> dict[str, tuple[str, str | None]]:
    page = await inspector.tasks(LISTED_STATES)
    found = page.tasks
    while not page.complete:
        page = await inspector.tasks(LISTED_STATES, after=page.next)
        found += page.tasks
    return {it.id: (it.state, it.name) for it in found}


@pytest.mark.parametrize("kind", [RedisStorage, PriorityRedisStorage])
async def test_record_that_no_hueyio_wrote_is_listed_as_unreadable(
    kind: type[RedisStorage], server_of: ServerOf
) -> None:
    name, url = f"foreign-{uuid.uuid4().hex}", server_of(SERVER_KINDS[0]).url
    async with Inspector(kind(name, url=url)) as inspector:
        session = await inspector.storage.connect()
        ids = [f"t{at}" for at in range(len(GARBAGE))]
        await session.enqueue([Entry(Header(id), b"") for id in (*ids, "whole")])
        with redis.Redis.from_url(url) as client:
            client.hset(Layout(name).key("TASKS"), mapping=dict(zip(ids, GARBAGE, strict=True)))
            states = await all_states(inspector)
            assert states.pop("whole") == ("ready", None)
            assert {state for state, _ in states.values()} <= {"unreadable"}
            assert set(states) == set(ids)
            assert (await inspector.task("t3")).state == "unreadable"
            client.delete(*client.keys(f"{Layout(name).prefix.decode()}*"))
        await session.close()


@pytest.mark.parametrize("kind", [RedisStorage, PriorityRedisStorage])
async def test_queue_is_found_by_its_address_whichever_class_wrote_it(
    kind: type[RedisStorage], server_of: ServerOf
) -> None:
    name, url = f"found-{uuid.uuid4().hex}", server_of(SERVER_KINDS[0]).url
    session = await kind(name, url=url).connect()
    await session.enqueue([Entry(Header("a"), b"")])
    async with await Inspector.from_url(url, name) as inspector:
        assert type(inspector.storage) is kind
        assert [it.id for it in (await inspector.tasks("ready")).tasks] == ["a"]
    await session.clear(["queue"])
    await session.close()
    with pytest.raises(HueyException, match="there is no queue 'nowhere'"):
        await Inspector.from_url(url, "nowhere")


async def test_row_that_is_damaged_is_listed_as_unreadable(tmp_path: Path) -> None:
    file = tmp_path / "app.db"
    async with Inspector(SqliteStorage("app", file)) as inspector:
        session = await inspector.storage.connect()
        await session.enqueue([Entry(Header(id), b"") for id in ("a", "b", "c", "d", "whole")])
        with closing(sqlite3.connect(file)) as connection:
            for id, change in {"a": "more = '{'", "b": "more = '[1]'", "c": "lane = 7", "d": "data = 'text'"}.items():
                connection.execute(f"UPDATE hueyio_tasks SET {change} WHERE id = ?", (id,))
            connection.commit()
        assert await all_states(inspector) == {
            "a": ("unreadable", None), "b": ("unreadable", None), "d": ("ready", None), "whole": ("ready", None)
        }  # fmt: skip
        assert (await inspector.task("c")).state == "unreadable"  # in a lane that there is not, so in no list
        await session.close()


async def test_pages_are_short_when_messages_are_large(server_of: ServerOf) -> None:
    storage = RedisStorage(f"large-{uuid.uuid4().hex}", url=server_of(SERVER_KINDS[0]).url)
    session = await storage.connect()
    await session.enqueue([Entry(Header(f"t{at}"), bytes(100_000)) for at in range(50)])
    part = await session.page("ready", 100)
    assert 0 < len(part.items) < 50
    found = part.items
    while part.next is not None:
        part = await session.page("ready", 100, part.next)
        found += part.items
    assert [it.id for it in found] == [f"t{at}" for at in range(50)]
    await session.clear(["queue"])
    await session.close()


@pytest.mark.parametrize("state", ["ready", "scheduled"])
async def test_place_is_that_of_the_task_when_another_process_goes_on(tmp_path: Path, state: ListedState) -> None:
    # Each process that reads a journal counts the seats of tasks anew.
    eta = 4e9 if state == "scheduled" else None
    first = await FileStorage("app", tmp_path).connect()
    await first.enqueue([Entry(Header(f"t{at}", eta=eta), b"") for at in range(9)])
    part = await first.page(state, 4)
    await first.enqueue([Entry(Header("x"), b"")])
    other = await FileStorage("app", tmp_path, journal_mb=0).connect()
    assert [it.id for it in (await other.page(state, 3, part.next)).items] == ["t4", "t5", "t6"]
    await first.close()
    await other.close()


def test_tasks_behind_a_place_are_in_order_when_some_were_taken_out() -> None:
    line = Line()
    tasks = [LiveTask(Header(f"t{at}", priority=at % 3), b"") for at in range(60)]
    for task in tasks:
        line.push(task, -task.header.priority)
    for task in tasks[::7]:
        line.take_out(task)
    line.put_back(tasks[0], 0.0)
    in_order = line.in_order()
    everything = list(line.behind(float("-inf"), 0))
    assert [it[2] for it in everything] == in_order
    for at, (rank, seat, _) in enumerate(everything):
        assert [it[2] for it in line.behind(rank, seat)] == in_order[at + 1 :]


def test_header_of_a_retry_has_the_fields_that_0_1_0_knows() -> None:
    # Its workers refuse a record with another field, and a task that they take would never end.
    header = Header("a", eta=5.0).attempted(2)
    assert Header._fields == (
        "id", "lane", "priority", "eta", "max_deliveries", "unique_key", "once_token", "once_ttl", "once_key", "latch",
        "latch_index", "first_seen", "defers", "expects", "collects",
    )  # fmt: skip
    assert header == Header("a", eta=5.0, once_ttl=2.0)
    assert (header.attempt, Header("a").attempt, Header("a", once_token="t", once_ttl=60.0).attempt) == (2, 0, 0)
    assert header.attempted(0) == Header("a", eta=5.0)


@pytest.mark.parametrize("text", ["", "~", "a~b", "%", "ünï\x00", "\ud800", " ", "1"])
def test_place_is_read_as_it_was_written(text: str) -> None:
    written = write_place(3, -0.5, text)
    assert written.isascii()
    assert read_place(written, int, float, str) == [3, -0.5, text]
