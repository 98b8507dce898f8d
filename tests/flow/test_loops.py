"""One Huey in several loops, threads and runs; and a script that never closes it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from hueyio import ConfigurationError, Huey, MemoryHuey, ResultTimeout, StorageError
from hueyio.core import core_of
from hueyio.loops.sessions import Sessions
from tests.support.patience import until


def declare(huey: Huey) -> Callable[[], object]:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    async def main() -> int:
        async with huey.create_consumer():
            value: int = await (await add(1, 2))
            return value

    return lambda: asyncio.run(main())


def test_two_runs_one_after_the_other(make_huey: Callable[..., Huey]) -> None:
    run = declare(make_huey())
    assert [run(), run()] == [3, 3]


def test_two_loops_in_two_threads(make_huey: Callable[..., Huey]) -> None:
    run = declare(make_huey())
    answers: list[object] = []
    threads = [threading.Thread(target=lambda: answers.append(run())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [3, 3]


@pytest.mark.parametrize("turns", range(8))
async def test_session_that_is_opened_for_nobody_is_closed(turns: int, make_huey: Callable[..., Huey]) -> None:
    """What stayed open would show as a thread that still runs, or a connection."""
    huey = make_huey()
    opening = asyncio.ensure_future(core_of(huey).session())
    for _ in range(turns):
        await asyncio.sleep(0)
    opening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await opening
    await huey.close()


async def test_first_uses_at_the_same_time_share_one_session(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    first, second = await asyncio.gather(core_of(huey).session(), core_of(huey).session())
    assert first is second
    await huey.close()
    assert await core_of(huey).session() is not first
    await huey.close()
    await huey.close()


async def test_session_that_cannot_be_opened_is_tried_again(tmp_path: Path) -> None:
    from hueyio.storage.sqlite import SqliteStorage

    folder = tmp_path / "later"
    sessions = Sessions(SqliteStorage("q", str(folder / "q.db")))
    with pytest.raises((StorageError, ConfigurationError), match="later"):
        await sessions.get()
    folder.mkdir()
    await sessions.get()
    await sessions.close()


def test_sessions_of_ended_loops_are_dropped(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    loops: list[weakref.ref[Any]] = []

    @huey.task
    async def work() -> None: ...

    async def enqueue() -> None:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        await work()

    for _ in range(10):
        asyncio.run(enqueue())
    gc.collect()
    assert sum(loop() is not None for loop in loops) <= 2


def run_in_child(answers: Any) -> None:
    async def main() -> Any:
        async with asyncio.timeout(20):
            return await (await FORKED())

    answers.put(asyncio.run(main()))


FORKED_HUEY = MemoryHuey("forked", immediate=True)


@FORKED_HUEY.task
def FORKED() -> int:  # noqa: N802
    return 1


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_threads_work_after_a_fork() -> None:
    async def main() -> Any:
        return await (await FORKED())

    assert asyncio.run(main()) == 1
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=run_in_child, args=(answers,))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    assert answers.get() == 1


SCRIPT = """
import asyncio, {module}
huey = {huey}

@huey.task
async def add(a, b):
    return a + b

@huey.task
def plain(a):
    return a

async def main():
    {body}
"""

BODIES = {
    "enqueued": "await add(1, 2)",
    "waited in vain": """try:
        await (await add(1, 2))(blocking=True, timeout=0.01)
    except hueyio.ResultTimeout:
        pass""",
    "waiting": "asyncio.ensure_future((await add(1, 2)).get(blocking=True)); await asyncio.sleep(0.01)",
    "consuming": """await huey.create_consumer(lease=60, block_warning=60).start()
    assert await (await add(1, 2)) == 3
    assert await (await plain(4)) == 4""",
}


IN_A_ROW = """
asyncio.run(main())
asyncio.run(main())
"""

IN_THREADS = """
import threading
threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


LEFT_OPEN = ("waiting", "consuming")
DONE_WITH = pytest.mark.again("it leaves the same in threads, and those that go on show what a row does")


# Not two that consume in threads: the one that goes on says that the other is gone, and runs what that one held.
@pytest.mark.parametrize(
    ("body", "runs"),
    [
        *(
            pytest.param(body, IN_A_ROW, id=f"{body}, in a row", marks=() if body in LEFT_OPEN else DONE_WITH)
            for body in BODIES
        ),
        *(pytest.param(body, IN_THREADS, id=f"{body}, in threads") for body in BODIES if body != "consuming"),
    ],
)
def test_script_that_never_closes_ends_and_prints_nothing(
    tmp_path: Path, body: str, runs: str, huey_source: str
) -> None:
    script = SCRIPT.format(module="hueyio", huey=huey_source, body=BODIES[body]) + runs
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", script],  # not "-X dev", which also says when a busy machine was slow
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class Marker:
    """Something that is known while it is referred to."""


MARKER: ContextVar[Marker | None] = ContextVar("marker", default=None)


async def test_session_that_a_body_opens_keeps_nothing_of_its_context(make_huey: Callable[..., Huey]) -> None:
    runs, other = MemoryHuey("runs"), make_huey()
    markers: list[weakref.ref[Marker]] = []

    @runs.task
    async def work() -> None:
        marker = Marker()
        MARKER.set(marker)
        markers.append(weakref.ref(marker))
        assert await other.count() == 0
        with contextlib.suppress(ResultTimeout):
            await other.result_of("none").get(blocking=True, timeout=0.01)

    @runs.task
    async def nothing() -> None: ...

    async with runs, other, runs.create_consumer(workers=1):
        for task in (work, nothing):  # the slot knows the last one until the next begins
            await asyncio.wait_for(await task(), 30)

        async def is_gone() -> bool:
            gc.collect()
            return [marker() for marker in markers] == [None]

        await until(is_gone)  # what is still on its way to the storage is over soon
