"""The blocking side: the same names, the same signatures, for code without a loop."""

from __future__ import annotations

import asyncio
import inspect
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from hueyio import (
    Huey,
    HueyException,
    MemoryHuey,
    Result,
    ResultGroup,
    ResultTimeout,
    TaskArgumentError,
    TaskException,
    chord,
    group,
)
from hueyio.app.huey import SyncHuey
from hueyio.handles.chord_result import ChordResult
from hueyio.handles.sync_result import SyncChordResult, SyncResult, SyncResultGroup
from hueyio.handles.sync_task import SyncTask
from hueyio.handles.wrapper import TaskWrapper
from hueyio.loops.portal import block_on
from hueyio.schedules.stored import Schedules
from hueyio.schedules.sync import SyncSchedules

LIFE_CYCLE = {"session", "send", "send_in", "send_instead", "notify_interrupted_tasks"}
"""Coroutine methods of Huey that only the async side has: they are about its own loop."""


def coroutine_methods(kind: type) -> dict[str, Any]:
    found = dict(inspect.getmembers(kind, lambda it: inspect.iscoroutinefunction(it) or inspect.isasyncgenfunction(it)))
    return {name: method for name, method in found.items() if not name.startswith("_")}


def parameters(method: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    return [(it.name, it.kind, it.default) for it in inspect.signature(method).parameters.values()]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (Huey, SyncHuey),
        (Result, SyncResult),
        (ResultGroup, SyncResultGroup),
        (ChordResult, SyncChordResult),
        (Schedules, SyncSchedules),
        (TaskWrapper, SyncTask),
    ],
)
def test_every_coroutine_has_a_blocking_twin_of_the_same_signature(theirs: type, ours: type) -> None:
    methods = {name: method for name, method in coroutine_methods(theirs).items() if name not in LIFE_CYCLE}
    assert methods
    for name, method in methods.items():
        assert hasattr(ours, name), f"{ours.__name__} lacks {name}"
        assert parameters(getattr(ours, name)) == parameters(method), name


def methods_that_return_coroutines(kind: type) -> dict[str, Any]:
    """Find those that check their arguments at once, and so are no coroutines themselves."""
    found = inspect.getmembers(kind, inspect.isfunction)
    return {
        name: method
        for name, method in found
        if not name.startswith("_") and str(inspect.signature(method).return_annotation).startswith("Coroutine[")
    }


@pytest.mark.parametrize(("theirs", "ours"), [(Huey, SyncHuey), (TaskWrapper, SyncTask)])
def test_what_returns_a_coroutine_has_a_twin_too(theirs: type, ours: type) -> None:
    methods = methods_that_return_coroutines(theirs)
    assert "enqueue_in" in methods
    for name, method in methods.items():
        assert hasattr(ours, name), f"{ours.__name__} lacks {name}"
        assert parameters(getattr(ours, name)) == parameters(method), name


@pytest.fixture
def served(make_huey: Callable[..., Huey]) -> Iterator[Huey]:
    """A Huey whose consumer runs in a loop of another thread."""
    huey = make_huey()

    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    @huey.task
    def fail() -> None:
        raise ValueError("broken")

    @huey.task
    def nested(a: int) -> int:
        return int(add.sync(a, 1).get(timeout=30))

    @huey.task
    def total(values: list[int]) -> int:
        return sum(values)

    huey.declared = (add, fail, nested, total)  # type: ignore[attr-defined]
    started, stop = threading.Event(), threading.Event()

    async def consume() -> None:
        async with huey, huey.create_consumer(lease=5.0):
            started.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=asyncio.run, args=(consume(),))
    thread.start()
    assert started.wait(30)
    yield huey
    stop.set()
    thread.join(30)
    huey.sync.close()


def test_plain_thread_enqueues_and_waits(served: Huey) -> None:
    add, fail, *_ = served.declared  # type: ignore[attr-defined]
    result = add.sync(1, 2)
    assert isinstance(result, SyncResult)
    assert result.get(timeout=30) == 3
    with pytest.raises(TaskException, match="broken"):
        fail.sync().get(blocking=True)
    assert add.sync.map([(1, 2), (3, 4)]).get(blocking=True) == [3, 7]
    assert add.sync.map([(1, 2), (3, 4)]).get(timeout=30) == [3, 7]
    assert add.sync.map([(1, 2), (3, 4)]).get(False, 30) == [3, 7]
    assert sorted(add.sync.map([(1, 2), (3, 4)]).as_completed()) == [3, 7]
    assert add.options(priority=None).sync(2, 2).get(timeout=30) == 4


def test_groups_chords_and_schedules_work_without_a_loop(served: Huey) -> None:
    add = served.declared[0]  # type: ignore[attr-defined]
    total = served.declared[3]  # type: ignore[attr-defined]
    assert served.sync.enqueue(group([add.s(1, 2), add.s(3, 4)])).get(blocking=True) == [3, 7]
    made = served.sync.enqueue(chord([add.s(1, 2), add.s(3, 4)], total))
    assert made.get(timeout=30) == 10
    served.sync.schedules().add("nightly", add, "0 3 * * *", (1, 2))
    assert [found.name for found in served.sync.schedules().list()] == ["nightly"]
    assert served.sync.schedules().run_now("nightly").get(timeout=30) == 3
    result = add.options(delay=3600).sync(1, 2)
    assert result.cancel()
    assert list(result.updates()) == []


def test_body_of_a_sync_task_enqueues_and_waits(served: Huey) -> None:
    nested = served.declared[2]  # type: ignore[attr-defined]
    assert nested.sync(4).get(timeout=30) == 5


def test_many_threads_share_the_loop(served: Huey) -> None:
    add = served.declared[0]  # type: ignore[attr-defined]
    with ThreadPoolExecutor(20) as pool:
        values = list(pool.map(lambda n: add.sync(n, 1).get(timeout=30), range(100)))
    assert values == [n + 1 for n in range(100)]
    assert [thread.name for thread in threading.enumerate()].count("hueyio-sync") == 1


def test_wait_that_runs_out_raises(tmp_path: Path) -> None:
    huey = MemoryHuey("idle")

    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    result = add.sync(1, 2)
    assert result.get() is None
    assert result.status() == "ready"
    with pytest.raises(ResultTimeout):
        result.get(timeout=0.01)
    assert huey.sync.count() == 1
    huey.sync.put("key", [1])
    assert huey.sync.get("key") == [1]
    assert huey.sync.result_of(result.id).status() == "ready"
    with pytest.raises(TaskArgumentError):
        add.sync(1)  # type: ignore[call-arg]


async def test_call_on_the_thread_of_a_running_loop_raises_instead_of_hanging() -> None:
    huey = MemoryHuey("loop")

    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    with pytest.raises(HueyException, match=r"use `await.*` there"):
        add.sync(1, 2)
    with pytest.raises(HueyException, match=r"use `await.*` there"):
        huey.sync.count()


def test_interrupted_wait_does_not_leave_its_registration_behind() -> None:
    huey = MemoryHuey("interrupted")

    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    result = add.sync(1, 2)
    main = threading.get_ident()
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        """Do what SIGINT does, once, and only in the wait: Python drops what is raised in a destructor."""
        nonlocal interrupted
        if not interrupted and frame is not None and frame.f_code.co_name == "_wait":
            interrupted = True
            raise KeyboardInterrupt

    async def interrupt_when_waiting() -> None:
        """Interrupt the main thread when the wait has registered."""
        state = huey.storage._state  # type: ignore[attr-defined]
        while not state.waiters.waits:
            await asyncio.sleep(0)
        while state.waiters.waits:
            # A signal that comes just before a lock is waited for is noticed with the next one only.
            signal.pthread_kill(main, signal.SIGUSR2)
            await asyncio.sleep(0.001)

    before = signal.signal(signal.SIGUSR2, interrupt)
    interrupter = threading.Thread(target=block_on, args=(interrupt_when_waiting(),))
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        result.get(blocking=True)
    interrupter.join()
    signal.signal(signal.SIGUSR2, before)
    assert not huey.storage._state.waiters.waits  # type: ignore[attr-defined]
    assert result.status() == "ready"


FORKING = """
import os, sys
import hueyio

huey = hueyio.SqliteHuey("forked", filename=sys.argv[1])

@huey.task
def add(a, b):
    return a + b

add.sync(1, 2)
child = os.fork()
if child == 0:
    add.sync(3, 4)
    os._exit(0)
os.waitpid(child, 0)
add.sync(5, 6)
print(huey.sync.count())
"""


def test_forked_child_has_a_loop_of_its_own_and_nothing_is_printed(tmp_path: Path) -> None:
    done = subprocess.run(
        # From 3.12 on Python warns of any fork beside a thread, which is what this test does on purpose.
        [sys.executable, "-W", "default", "-W", "ignore:This process", "-c", FORKING, str(tmp_path / "app.db")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "3\n", "")


LOOKING_UP = """
import asyncio
from hueyio.loops.portal import block_on

async def look_up():
    return await asyncio.get_running_loop().getaddrinfo("localhost", 80)

print(len(block_on(look_up())) > 0)
"""


def test_program_that_looked_up_a_host_ends_without_a_word() -> None:
    """asyncio does that in a thread, and before Python 3.13 starts another one to end it."""
    done = subprocess.run([sys.executable, "-c", LOOKING_UP], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_immediate_mode_runs_the_task_at_once() -> None:
    huey = MemoryHuey("now", immediate=True)

    @huey.task
    def add(a: int, b: int) -> int:
        return a + b

    assert add.sync(1, 2).get() == 3
