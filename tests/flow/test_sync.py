"""The blocking side: the same names, the same signatures, for code without a loop."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

import pytest

from hueyio import (
    ConfigurationError,
    Huey,
    HueyException,
    MemoryHuey,
    ResultTimeout,
    SqliteHuey,
    TaskArgumentError,
    TaskException,
    chord,
    group,
)
from hueyio.handles.sync_result import SyncResult
from hueyio.loops.portal import block_on


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

    with pytest.raises(HueyException, match=r"\.add: .*use `await add\(\.\.\.\)` there .*`await add\.aio\(\.\.\.\)`$"):
        add.sync(1, 2)
    with pytest.raises(HueyException, match=r"^huey\.count: .*use `await huey\.count\(\.\.\.\)` there"):
        huey.sync.count()
    result = await add(1, 2)
    with pytest.raises(HueyException, match=r"^result\.get: .*use `await result\.get\(\.\.\.\)` there"):
        huey.sync.result_of(result.id).get(timeout=5)
    with pytest.raises(HueyException, match=r"^consumer\.start: .*use `await consumer\.start\(\.\.\.\)` there"):
        huey.sync.create_consumer().start()
    with pytest.raises(HueyException, match=r"^result\.updates: .*use `await result\.updates\(\.\.\.\)` there"):
        list(huey.sync.result_of(result.id).updates())
    with pytest.raises(HueyException, match=r"^huey\.enqueue: .*use `await huey\.enqueue\(\.\.\.\)` there"):
        huey.sync.enqueue(add.s(1, 2))


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


FORKING_WITH_CONSUMER = """
import os, sys
import hueyio

huey = hueyio.SqliteHuey("forked", filename=sys.argv[1])
with huey.sync.create_consumer() as consumer:
    child = os.fork()
if child:
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), consumer.statistics().state)
"""


@pytest.mark.parametrize(("program", "said"), [(FORKING, "3\n"), (FORKING_WITH_CONSUMER, "0 stopped\n")])
def test_forked_child_waits_for_no_thread_of_its_parent_and_says_nothing(
    tmp_path: Path, program: str, said: str
) -> None:
    done = subprocess.run(
        # From 3.12 on Python warns of any fork beside a thread, which is what this test does on purpose.
        [sys.executable, "-W", "default", "-W", "ignore:This process", "-c", program, str(tmp_path / "app.db")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")


READING = """
import sys

from hueyio import SqliteHuey

huey = SqliteHuey("app", filename=sys.argv[1])
for number in range(50):
    huey.sync.put_result(str(number), number)
print(sum(huey.sync.result(str(number)) for number in range(50)))
"""


def test_program_that_ends_right_after_its_reads_leaves_none_of_the_values(tmp_path: Path) -> None:
    file = str(tmp_path / "app.db")
    done = subprocess.run(
        [sys.executable, "-c", READING, file], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1225\n", "")
    huey = SqliteHuey("app", filename=file)
    assert huey.sync.result_count() == 0
    huey.sync.close()


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


def test_handles_of_either_form_are_taken_in_both() -> None:
    huey = MemoryHuey("forms")

    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    steps = [huey.sync.revoke, huey.sync.is_revoked, huey.sync.restore, huey.sync.is_revoked, huey.sync.cancel]
    for result in (add.sync(1, 2), add.sync(1, 2).aio):
        assert [step(result) for step in steps] == [None, True, True, False, True]  # type: ignore[operator]
        assert block_on(huey.cancel(result)) is False
        assert result.id not in [task.id for task in huey.sync.pending()]
    for task in (add, add.sync):
        huey.sync.revoke_all(task)
        assert huey.sync.is_revoked(task)
        assert block_on(huey.restore_all(task))
        huey.sync.schedules().add("nightly", task, "0 3 * * *", (1, 2))
        assert add.s(1, 2).then(task, 3).stages()
    with pytest.raises(
        TaskArgumentError, match=r"argument 1 cannot be serialised.*give the value, or the id of the Result"
    ):
        add.sync(add.sync(1, 2), 3)  # type: ignore[arg-type]
    assert add.sync == add.sync
    assert len({huey.sync, huey.sync}) == 1
    with pytest.raises(HueyException, match="is a declared task, not one call of it"):
        huey.sync.revoke(add.sync)  # type: ignore[arg-type]


def test_consumer_runs_beside_a_program_that_blocks(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    seen: list[str] = []

    @huey.task
    def double(a: int) -> int:
        return 2 * a

    huey.on_startup()(lambda: seen.append("start"))
    huey.on_shutdown()(lambda: seen.append("stop"))
    with huey.sync.consumer(workers=2, lease=5.0) as consumer:
        assert double.sync(2).get(timeout=30) == 4
        assert consumer.statistics().state == "consuming"
        with pytest.raises(HueyException, match="was started already"):
            consumer.start()
    assert consumer.statistics().state == "stopped"
    assert seen == ["start", "stop"]
    huey.sync.close()


def test_consumer_that_cannot_start_says_so_in_the_thread_that_asked(tmp_path: Path) -> None:
    huey = SqliteHuey("none", filename=tmp_path / "no folder" / "app.db")
    with pytest.raises(ConfigurationError, match="its directory does not exist"):
        huey.sync.create_consumer().start()


def test_consumer_whose_thread_cannot_start_is_not_waited_for_and_may_be_started_later() -> None:
    consumer = MemoryHuey("later").sync.create_consumer()
    usual = threading.stack_size(1 << 50)  # more than there can be
    try:
        with pytest.raises(HueyException, match="a consumer cannot start: can't start new thread"):
            consumer.start()
    finally:
        threading.stack_size(usual)
    consumer.wait_stopped()
    with consumer:
        assert consumer.statistics().state == "consuming"


def test_ctrl_c_while_a_consumer_starts_ends_it(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    ended, seen = threading.Event(), threading.Event()

    def interrupt(number: int, frame: object) -> None:
        if not seen.is_set():
            seen.set()
            raise KeyboardInterrupt

    @huey.on_startup()
    async def hang() -> None:
        try:
            # A signal that comes just before a lock is waited for is noticed with the next one only.
            while not seen.is_set():
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                await asyncio.sleep(0.01)
            await asyncio.Event().wait()
        finally:
            ended.set()

    consumer = huey.sync.create_consumer(lease=5.0)
    usual = signal.signal(signal.SIGINT, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            consumer.start()
        assert ended.wait(30)
    finally:
        signal.signal(signal.SIGINT, usual)
    consumer.wait_stopped()
    assert consumer.statistics().state == "stopped"
    huey.sync.close()


def test_consumer_that_was_started_refuses_to_run_and_stops_all_the_same(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    with huey.sync.create_consumer(lease=5.0) as consumer, pytest.raises(HueyException, match="was started already"):
        consumer.run()
    assert consumer.statistics().state == "stopped"
    huey.sync.close()


def test_consumer_that_another_thread_runs_is_waited_for(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    begun, ended = threading.Event(), threading.Event()
    huey.on_startup()(begun.set)
    huey.on_shutdown()(ended.set)
    consumer = huey.sync.create_consumer(lease=5.0)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(consumer.run)
        assert begun.wait(30)
        consumer.stop()
        consumer.wait_stopped()
        assert ended.is_set()
        running.result(30)
    with pytest.raises(HueyException, match="was started already"):
        consumer.start()


async def test_run_on_the_thread_of_a_loop_names_what_was_called(make_huey: Callable[..., Huey]) -> None:
    with pytest.raises(HueyException, match=r"^consumer\.run: .*use `await consumer\.run\(\.\.\.\)` there"):
        make_huey().sync.create_consumer().run()


RUNNING = """
import sys
import hueyio

huey = hueyio.SqliteHuey("run", filename=sys.argv[1])

@huey.task
def add(a, b):
    return a + b

@huey.signal(hueyio.SIGNAL_COMPLETE)
def stop(signal, task):
    consumer.stop()

result = add.sync(1, 2)
consumer = huey.sync.create_consumer()
consumer.run(handle_signals=True)
print(result.get())
huey.sync.create_consumer().start()  # and nobody stops it
"""


def test_consumer_runs_in_the_main_thread_and_one_that_is_left_ends_with_the_program(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", RUNNING, str(tmp_path / "app.db")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "3\n", "")
