"""What SQLite does on the loop in place of its thread: when, and that nothing is lost or done twice there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.support.patience import until

from hueyio.storage.operations import Durability
from hueyio.storage.records import Entry, Finish, Header
from hueyio.storage.sqlite import SqliteStorage
from hueyio.storage.sqlite.engine import shortcut
from hueyio.storage.sqlite.engine.calls import TOO_MUCH, Call
from hueyio.storage.sqlite.engine.shortcut import Shortcut
from hueyio.storage.sqlite.engine.turn import Turn
from hueyio.storage.sqlite.session import SqliteSession

Connect = Callable[..., Awaitable[SqliteSession]]


def _look_on(sql: str) -> None:
    pass


class Watched(sqlite3.Connection):
    """A connection that says which thread runs what, and lets a test step in."""

    ran: ClassVar[list[tuple[bool, str]]] = []
    """Whether it was the main thread, where the loop of a test is, and the statement."""
    before: ClassVar[Callable[[str], object]]
    after: ClassVar[Callable[[str], object]]

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        is_here = threading.current_thread() is threading.main_thread()
        self.ran.append((is_here, sql))
        if is_here:
            Watched.before(sql)
        cursor = super().execute(sql, parameters)
        if is_here:
            Watched.after(sql)
        return cursor


@pytest.fixture(autouse=True)
def watched() -> Iterator[None]:
    Watched.ran.clear()
    Watched.before = Watched.after = _look_on
    yield
    Watched.before = Watched.after = _look_on


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
async def connect(file: Path) -> AsyncIterator[Connect]:
    async with contextlib.AsyncExitStack() as stack:

        async def connect_one(**options: Any) -> SqliteSession:
            session = await SqliteStorage("app", file, factory=Watched, **options).connect()
            stack.push_async_callback(session.close)
            await session.register("me", b"")
            return session

        yield connect_one


def entry(id: str, data: bytes = b"") -> Entry:
    return Entry(Header(id), data)


def commits() -> list[bool]:
    """Say of each commit whether it was on the loop."""
    return [is_here for is_here, sql in Watched.ran if sql == "COMMIT"]


async def runs_here(act: Callable[[int], Awaitable[object]]) -> None:
    """Act until it happens on the loop; on a busy machine the thread has its turns."""
    numbers = iter(range(10**6))

    async def was_here() -> bool:
        Watched.ran.clear()
        await act(next(numbers))
        return commits() == [True]

    await until(was_here)


@pytest.mark.parametrize("fsync", [True, False])
async def test_short_operations_run_on_the_loop_when_they_need_no_sync(fsync: bool, connect: Connect) -> None:
    session = await connect(fsync=fsync)
    await runs_here(lambda _: session.claim({"loop": 100}, "me"))
    await runs_here(lambda _: session.peek("data", ["key"]))
    if not fsync:
        await runs_here(lambda number: session.enqueue([entry(f"t{number}")]))
        await runs_here(lambda number: session.put("data", {"key": b"%d" % number}))


async def test_call_is_answered_in_the_turn_in_which_it_is_made(connect: Connect) -> None:
    session = await connect(fsync=False)
    numbers = iter(range(10**6))

    async def was_at_once() -> bool:
        turns: list[None] = []
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(turns.append, None)
        await session.enqueue([entry(f"t{next(numbers)}")])
        return not turns

    await until(was_at_once)


async def test_calls_of_several_tasks_go_together_but_for_the_first(connect: Connect) -> None:
    session = await connect(fsync=False)
    numbers = iter(range(10**6))

    async def go_together() -> bool:
        await asyncio.sleep(0)
        Watched.ran.clear()
        await asyncio.gather(*(session.enqueue([entry(f"t{next(numbers)}")]) for _ in range(20)))
        return commits() == [True, True]

    await until(go_together)


async def test_who_calls_again_and_again_lets_others_go_on(connect: Connect) -> None:
    session = await connect(fsync=False)
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.ensure_future(count_turns())
    for number in range(160):
        await session.enqueue([entry(f"t{number}")])
    counting.cancel()
    assert turns >= 9


async def test_turn_is_one_tasks_and_for_few_calls_and_little_time() -> None:
    now = 1.0
    turn = Turn(lambda: now)

    async def take() -> bool:
        return turn.take()

    assert [turn.take() for _ in range(18)] == [True] * 16 + [False] * 2
    await asyncio.sleep(0)
    assert turn.take()
    now = 1.0011
    assert not turn.take(), "it has had its millisecond"

    first, second = await asyncio.gather(take(), take())
    assert (first, second) == (True, False), "a new turn, and another task's"


async def test_durable_commits_are_synced_on_the_loop_when_that_is_allowed(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shortcut, "_SHORT_SYNC", 1e9)  # whatever the disk of this machine does
    session = await connect(sync_on_loop=True)

    async def claim_and_enqueue(number: int) -> None:
        await session.claim({"loop": 1}, "me")
        Watched.ran.clear()
        await session.enqueue([entry(f"t{number}")])

    for _ in range(3):
        await runs_here(claim_and_enqueue)
        assert (True, "PRAGMA synchronous = FULL") in Watched.ran, "the claim was not synced"


@pytest.mark.parametrize(
    "options", [{}, {"fsync": False, "journal_mode": "truncate"}], ids=["durable", "other journal"]
)
async def test_writes_are_left_to_the_thread_when_they_sync(options: dict[str, Any], connect: Connect) -> None:
    session = await connect(**options)
    for number in range(20):
        await session.enqueue([entry(f"t{number}")])
    assert set(commits()) == {False}


async def test_what_may_take_long_is_left_to_the_thread(connect: Connect) -> None:
    session = await connect(fsync=False)
    for number in range(5):
        await session.enqueue([entry(f"{number}-{place}") for place in range(65)])
        await session.enqueue([entry(f"large{number}", bytes(300_000))])
        await session.promote(0.0, 10)
        await session.locate(["unknown"])
    assert True not in commits()


async def test_end_is_found_in_the_thread_when_it_was_long_ago(connect: Connect) -> None:
    session = await connect(fsync=False)
    for number in range(70):
        await session.enqueue([entry(f"t{number}")])
        (task,) = await session.claim({"loop": 1}, "me")
        await session.settle([Finish(task.receipt, b"value")], "me", number + 1)
    for id in ("t69", "t0"):
        (over,) = await session.await_outcomes([id])
        assert (over.data, over.kind) == (b"value", "done")
    (over,) = await session.await_outcomes(["never"])
    assert (over.data, over.kind) == (None, None)


async def test_log_is_copied_in_the_thread_and_stays_short(connect: Connect, file: Path) -> None:
    session = await connect(fsync=False)
    for number in range(250):
        await session.enqueue([entry(f"t{number}", bytes(160_000))])
    checks = "PRAGMA wal_autocheckpoint"
    settings = [(is_here, sql) for is_here, sql in Watched.ran if sql.startswith(checks) or sql == "COMMIT"]
    last = ""
    for is_here, sql in settings:
        if sql == "COMMIT":
            assert not is_here or last == f"{checks} = 0"
        else:
            last = sql
    assert os.stat(f"{file}-wal").st_size < 20_000_000


async def test_thread_waits_for_a_foreign_lock_that_the_loop_met(connect: Connect, file: Path) -> None:
    session = await connect(fsync=False)
    await runs_here(lambda number: session.enqueue([entry(f"t{number}")]))
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        Watched.ran.clear()
        write = asyncio.ensure_future(session.enqueue([entry("a")]))
        await asyncio.sleep(0)  # it begins
        assert await session.peek("data", ["key"]) == [None], "a question passes it"
        assert not write.done()
        other.execute("COMMIT")
    assert [it.verdict for it in await write] == ["added"]
    assert commits()[-1] is False


async def test_operation_that_fails_leaves_its_neighbours_alone(connect: Connect) -> None:
    session = await connect(fsync=False)
    await session.put("data", {"text": b"no number"})
    for number in range(3):
        answers = await asyncio.gather(
            session.enqueue([entry(f"a{number}")]), session.add("data", "text"), return_exceptions=True
        )
        assert [type(it) for it in answers] == [list, ValueError]


class Interrupt(BaseException):
    """What a signal handler raises."""


async def interrupted(act: Callable[[int], Awaitable[object]], step_in: Callable[[], object], at: str) -> object:
    """Act until a statement on the loop is stepped into, once; return what was answered."""
    moment, statement = at.split()
    done: list[str] = []

    def step(sql: str) -> None:
        if sql.startswith(statement) and not done:
            done.append(sql)
            step_in()

    setattr(Watched, moment, step)
    answers: list[object] = []

    async def was_there() -> bool:
        answers.append(await asyncio.wait_for(act(len(answers)), 60))
        return bool(done)

    await until(was_there)
    return answers[-1]


MOMENTS = ["before BEGIN", "after BEGIN", "after UPDATE", "before COMMIT", "after COMMIT"]


@pytest.mark.parametrize("at", MOMENTS)
async def test_claim_is_neither_lost_nor_doubled_when_a_signal_handler_raises(at: str, connect: Connect) -> None:
    session = await connect(fsync=False)
    raised: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: raised.append(context["exception"]))

    def step_in() -> None:
        raise Interrupt

    async def claim_new(number: int) -> list[str]:
        await session.enqueue([entry(f"t{number}")])
        taken = await session.claim({"loop": 1}, "me")
        assert [it.receipt.id for it in taken] == [f"t{number}"]
        return [it.receipt.id for it in taken]

    last = await interrupted(claim_new, step_in, at)
    assert [type(it) for it in raised] == [Interrupt]
    assert isinstance(last, list)
    held = [it.receipt.id for it in await session.held("me")]
    assert len(held) == len(set(held))
    assert held[-1] == last[0]
    await session.put("data", {"key": b"goes on"})
    assert await session.peek("data", ["key"]) == [b"goes on"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("at", MOMENTS)
async def test_write_is_carried_through_when_a_signal_handler_forks(at: str, connect: Connect, file: Path) -> None:
    session = await connect(fsync=False)
    children: list[int] = []

    def step_in() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that threads are running
            child = os.fork()
        if child == 0:
            os._exit(0)
        children.append(child)

    asked: list[str] = []

    async def enqueue_new(number: int) -> list[str]:
        asked.append(f"t{number}")
        return [it.verdict for it in await session.enqueue([entry(asked[-1])])]

    await interrupted(enqueue_new, step_in, at)
    await asyncio.to_thread(os.waitpid, children[0], 0)
    assert [it.state for it in await session.locate(asked)] == ["queued"] * len(asked)


def call(durability: Durability = Durability.VOLATILE, effort: int = 1) -> Call:
    return Call(lambda tx: None, durability, lambda answer: None, effort)


def shortcut_of(sync_time: float = 0.0, **options: Any) -> Shortcut:
    return Shortcut(SqliteStorage("app", "app.db", **options)._options, lambda: sync_time)


def test_calls_are_short_together_or_not_at_all() -> None:
    made = shortcut_of()
    assert made.is_short([call()] * 64, 1.0)
    assert not made.is_short([call()] * 65, 1.0)
    assert not made.is_short([call(), call(effort=TOO_MUCH)], 1.0)
    assert not made.is_short([call(), call(Durability.DURABLE)], 1.0)
    assert shortcut_of(fsync=False).is_short([call(), call(Durability.DURABLE)], 1.0)
    assert not shortcut_of(journal_mode="persist").is_short([call()], 1.0)


def test_thread_has_everything_for_a_while_when_two_attempts_took_long() -> None:
    made = shortcut_of()
    made.note(1.0, 1.004)
    assert made.is_short([call()], 1.005)
    made.note(2.0, 2.01)
    assert made.is_short([call()], 2.02)
    made.note(3.0, 3.01)
    assert not made.is_short([call()], 3.1)
    assert made.is_short([call()], 3.2)


def test_log_that_may_begin_anew_is_left_to_the_thread() -> None:
    made = shortcut_of()
    assert [made.is_calm(at) for at in (None, None, 5, 5, 6, 6)] == [False, False, False, True, False, True]


def test_syncs_are_for_the_loop_when_that_is_allowed_and_they_are_short() -> None:
    durable = [call(Durability.DURABLE)]
    assert not shortcut_of(0.0002).is_short(durable, 1.0)
    assert shortcut_of(0.0002, sync_on_loop=True).is_short(durable, 1.0)
    assert not shortcut_of(0.002, sync_on_loop=True).is_short(durable, 1.0)
    assert not shortcut_of(sync_on_loop=True, journal_mode="delete").is_short(durable, 1.0)
