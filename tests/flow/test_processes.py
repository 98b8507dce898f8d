"""Tasks that run in processes of their own: real processes, that die, are killed and end with whoever started them."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hueyio import (
    ConfigurationError,
    Consumer,
    MemoryHuey,
    ProcessLost,
    SerializationError,
    StorageError,
    TaskCancelled,
    TaskException,
    TaskLockedException,
    TaskTimeout,
)
from hueyio.execution.pool import ProcessPool
from tests.support.patience import is_alive, until, until_gone

_IN_MEMORY = pytest.mark.again("what differs where the storage is in memory is asked with only_memory")


@pytest.fixture(params=[pytest.param("memory", marks=_IN_MEMORY), "sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def app(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """The module of the tasks, imported here on the storage that the pool processes use."""
    path = str(tmp_path / "processes.db")
    source = "hueyio.MemoryHuey('processes')" if kind == "memory" else f"hueyio.SqliteHuey('p', filename={path!r})"
    monkeypatch.setenv("HUEYIO_TEST_HUEY", source)
    import tests.flow.process_app as module

    module = importlib.reload(module)
    yield module
    await module.huey.close()


only_memory = pytest.mark.parametrize("kind", ["memory"], indirect=True)
only_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@asynccontextmanager
async def consuming(app: Any, **options: Any) -> AsyncIterator[Consumer]:
    async with app.huey.create_consumer(**{"pool": 2, **options}) as consumer:
        yield consumer


async def cause_of(result: Any) -> BaseException:
    with pytest.raises(TaskException) as raised:
        await result
    assert raised.value.__cause__ is not None
    return raised.value.__cause__


async def there(path: Path) -> None:
    def has_text() -> bool:
        return path.exists() and path.read_text() != ""

    async def is_there() -> bool:
        return has_text()

    await until(is_there)


@only_sqlite
async def test_process_that_dies_costs_its_own_task_alone(app: Any, tmp_path: Path) -> None:
    go, began = tmp_path / "go", tmp_path / "began"
    async with consuming(app) as consumer:
        neighbour = await app.wait_for(str(go), str(began))
        await there(began)
        ends = {"exit": "exited with code 3", "kill": "was killed by SIGKILL", "segv": "was killed by SIGSEGV"}
        for how, says in ends.items():
            error = await cause_of(await app.die(how))
            assert isinstance(error, ProcessLost)
            assert says in str(error)
        assert await (await app.echo("after it")) == "after it"
        go.touch()
        assert await neighbour == int(began.read_text())
        assert consumer.statistics().outcomes == {"Failed": 3, "Succeeded": 2}
        assert consumer.statistics().pool_processes == 2


@only_sqlite
async def test_death_of_the_process_uses_up_a_retry_like_any_failure(app: Any, tmp_path: Path) -> None:
    async with consuming(app):
        assert await (await app.die_once(str(tmp_path / "mark"))) == "second"


@only_memory
async def test_death_is_noticed_although_a_fork_holds_what_was_open(app: Any, tmp_path: Path) -> None:
    async with consuming(app):
        error = await cause_of(await app.leave_a_fork_behind(str(tmp_path / "fork")))
        assert "exited with code 3" in str(error)
        fork = int((tmp_path / "fork").read_text())
        assert is_alive(fork)
        os.kill(fork, signal.SIGKILL)


@pytest.mark.parametrize(
    "end", ["timeout", pytest.param("deadline", marks=pytest.mark.again("a timeout takes the same way")), "cancel"]
)
@only_sqlite
async def test_process_is_killed_with_what_it_started(app: Any, tmp_path: Path, end: str) -> None:
    began = tmp_path / "began"
    async with consuming(app):
        await (await app.pid())  # so that the deadline does not end while a process is started
        result = await app.hang.options(**({} if end == "cancel" else {end: 15.0}))(str(began))
        await there(began)
        if end == "cancel":
            await result.cancel()
            with pytest.raises(TaskCancelled):
                await result
        else:
            assert isinstance(await cause_of(result), TaskTimeout)
        for pid in began.read_text().split():
            await until_gone(int(pid))


@only_sqlite
async def test_stop_at_once_kills_the_process_and_gives_the_task_back(app: Any, tmp_path: Path) -> None:
    began = tmp_path / "began"
    async with consuming(app) as consumer:
        result = await app.hang(str(began))
        await there(began)
        consumer.stop(graceful=False)
        await consumer.wait_stopped()
    assert await result.status() == "ready"
    for pid in began.read_text().split():
        await until_gone(int(pid))


async def test_graceful_stop_lets_the_task_finish_and_ends_the_processes(
    app: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    monkeypatch.setenv("HUEYIO_TEST_SHUTDOWN", str(told))
    go, began = tmp_path / "go", tmp_path / "began"
    async with consuming(app) as consumer:
        result = await app.wait_for(str(go), str(began))
        await there(began)
        consumer.stop()
        go.touch()
        await consumer.wait_stopped()
        assert consumer.statistics().pool_processes == 0
    pid = int(began.read_text())
    assert await result == pid
    await until_gone(pid)
    assert told.read_text().split() == [str(pid), str(os.getpid())]


async def test_task_is_known_in_its_process(app: Any) -> None:
    async with consuming(app, pool=1):
        result = await app.look.options(timeout=60)(7)
        assert await result == (7, result.id, True, "red", True)
        assert await (await app.enter()) is True
        assert await (await app.interrupt()) == "still here"
        pid, started_in = await (await app.started())
        assert started_in == [pid] != [os.getpid()]
        assert await (await app.pid()) == pid


async def test_progress_from_a_process_reaches_followers(app: Any, tmp_path: Path) -> None:
    result = await app.report(str(tmp_path / "go"))
    updates = result.updates()
    following = asyncio.ensure_future(anext(updates))
    async with consuming(app, pool=1):
        assert (await following).message == "half"
        (tmp_path / "go").touch()
        assert await result is True
    await updates.aclose()


@only_memory
async def test_hooks_run_in_the_consumer(app: Any) -> None:
    seen: list[tuple[Any, ...]] = []
    app.huey.pre_execute("before")(lambda task: seen.append(("before", os.getpid())))
    app.huey.post_execute("after")(lambda task, value, error: seen.append(("after", os.getpid(), value)))
    async with consuming(app):
        assert await (await app.echo(5)) == 5
    assert seen == [("before", os.getpid()), ("after", os.getpid(), 5)]


@only_sqlite
async def test_lock_of_a_process_keeps_others_out(app: Any, tmp_path: Path) -> None:
    go, began = tmp_path / "go", tmp_path / "began"
    async with consuming(app):
        first = await app.hold(str(go), str(began))
        await there(began)
        assert isinstance(await cause_of(await app.hold(str(go), str(began))), TaskLockedException)
        go.touch()
        await first
        assert await (await app.enqueue_another()) == 3


@only_memory
async def test_storage_in_memory_is_refused_inside_a_process(app: Any) -> None:
    async with consuming(app, pool=1):
        for task in (app.hold.s("", ""), app.enqueue_another.s()):
            error = await cause_of(await app.huey.enqueue(task))
            assert isinstance(error, StorageError)
            assert "take SqliteHuey" in str(error)


@only_memory
async def test_what_is_logged_in_a_process_is_logged_by_the_consumer(
    app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "process_app")
    async with consuming(app, pool=1):
        await (await app.log(logging.DEBUG))
        await (await app.log(logging.INFO))
    (record,) = [it for it in caplog.records if it.name == "process_app"]
    assert record.getMessage() == "said in the process"
    assert record.process != os.getpid()


@only_memory
async def test_what_a_body_raises_crosses_or_is_described(app: Any, tmp_path: Path) -> None:
    async with consuming(app, pool=1):
        error = await cause_of(await app.fail("no such"))
        assert isinstance(error, KeyError)
        assert error.args == ("no such",)
        assert isinstance(await cause_of(await app.fail("exit")), SystemExit)
        value = await cause_of(await app.fail("value"))
        assert isinstance(value, SerializationError)
        assert "its value, of function, cannot be pickled" in str(value)
        with pytest.raises(TaskException) as raised:
            await (await app.fail("exception"))
        assert raised.value.metadata["error"] == "Unpicklable('1 and 2')"
        assert "raise Unpicklable(1, 2)" in raised.value.metadata["traceback"]
        assert await (await app.snooze_once(str(tmp_path / "mark"))) == "rested"


@only_memory
async def test_big_arguments_and_values_cross(app: Any) -> None:
    big = os.urandom(30_000_000)
    async with consuming(app, pool=1):
        assert await (await app.echo(big)) == big


@only_memory
async def test_process_is_replaced_after_pool_max_tasks(app: Any) -> None:
    async with consuming(app, pool=1, pool_max_tasks=2):
        pids = [await (await app.pid()) for _ in range(3)]
        assert pids[0] == pids[1] != pids[2]
        await until_gone(pids[0])


@only_memory
async def test_process_that_is_killed_while_idle_is_replaced(app: Any) -> None:
    async with consuming(app, pool=1):
        pid = await (await app.pid())
        os.kill(pid, signal.SIGKILL)
        await until_gone(pid)
        assert await (await app.pid()) != pid


@only_memory
async def test_idle_process_ends_after_a_while(app: Any) -> None:
    pool = ProcessPool("processes", None, idle_time=0.05)
    spec = app.pid.spec
    async with pool.worker(spec) as place:
        pid = await place.call(app.pid.s())

    async def is_empty() -> bool:
        return len(pool) == 0

    await until(is_empty)
    await until_gone(pid)
    await pool.close()


@only_memory
async def test_task_that_its_module_does_not_declare_fails_with_the_reason(app: Any) -> None:
    def work() -> None: ...

    local = app.huey.task(run_in="process")(work)
    async with consuming(app, pool=1):
        error = await cause_of(await local())
    assert isinstance(error, ProcessLost)
    assert "must be declared when its module is imported" in str(error)


@only_sqlite
async def test_task_that_is_executed_by_hand_runs_in_a_process(app: Any) -> None:
    await app.pid()
    task = await app.huey.dequeue()
    pid = await app.huey.execute(task)
    assert pid != os.getpid()
    await app.huey.close()
    await until_gone(pid)


async def test_immediate_mode_runs_it_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    huey = MemoryHuey("now", immediate=True)

    @huey.task(run_in="process")
    def pid() -> int:
        return os.getpid()

    assert await (await pid()) == os.getpid()
    await huey.close()


def test_function_of_a_module_that_cannot_be_imported_is_refused() -> None:
    def work() -> None: ...

    work.__module__ = "nowhere"
    with pytest.raises(ConfigurationError, match="'nowhere' is none; move the function into a file of its own"):
        MemoryHuey("nowhere").task(run_in="process")(work)


_PROGRAM = """
import asyncio, os
from hueyio import SqliteHuey

huey = SqliteHuey("program", filename="program.db")

class Answer:
    def __init__(self, pid):
        self.pid = pid

@huey.task(run_in="process")
def work(answer):
    return Answer(os.getpid())

async def main():
    async with huey.create_consumer(pool=1, **{}):
        answer = await (await work(Answer(1)))
        print(type(answer) is Answer, answer.pid != os.getpid())
    await huey.close()

"""
_GUARDED = f"{_PROGRAM}\nif __name__ == '__main__':\n    asyncio.run(main())\n"
_UNGUARDED = f"{_PROGRAM}\nasyncio.run(main())\n"


def run_program(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=60)


def test_main_module_that_is_a_file_is_imported_by_the_process(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(_GUARDED)
    done = run_program(tmp_path, "program.py")
    assert done.stdout == "True True\n", done.stderr


def test_main_module_without_a_guard_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(_UNGUARDED)
    done = run_program(tmp_path, "program.py")
    assert done.returncode != 0
    assert 'put what the program does under `if __name__ == "__main__":`' in done.stderr


def test_main_module_that_is_no_file_is_refused_at_the_decorator(tmp_path: Path) -> None:
    done = run_program(tmp_path, "-c", _PROGRAM)
    assert "ConfigurationError: task __main__.work cannot run in a process" in done.stderr


@only_sqlite
async def test_body_lends_its_slot_when_it_waits_for_other_tasks(app: Any) -> None:
    async with consuming(app, pool=1, prefetch=0) as consumer:
        assert await asyncio.wait_for(await app.parent.map(range(4)), 60) == [2 * x for x in range(4)]
        assert consumer.statistics().lent == {}


@only_sqlite
async def test_slot_is_there_again_when_a_waiting_process_is_killed(app: Any) -> None:
    async with consuming(app, pool=1, prefetch=0) as consumer:
        assert isinstance(await cause_of(await app.patient_parent(1)), TaskTimeout)
        assert consumer.statistics().lent == {}
        assert await asyncio.wait_for(await app.leaf.map(range(2)), 60) == [0, 1]


@only_memory
async def test_what_a_process_logs_costs_no_call_its_answer(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with consuming(app, pool=1):
        assert await (await app.log_what_cannot_cross()) == "logged"
        first = await (await app.pid())
        assert isinstance(first, int)  # its own answer, and not that of the call before
        (record,) = [record for record in caplog.records if record.name == "shop"]
        fields = vars(record)
        assert (fields["error"], fields["plain"], fields["task"]) == ("Unpicklable('1 and 2')", {"a": [1]}, "own")
        assert fields["lock"].startswith("<unlocked _thread.lock")

        class Refusing(logging.Filter):
            def filter(self, record: logging.LogRecord) -> bool:
                raise ValueError("the filter of the application")

        refusing = Refusing()
        logging.getLogger("shop").addFilter(refusing)
        try:
            assert await (await app.log_what_cannot_cross()) == "logged"
            assert await (await app.pid()) == first
        finally:
            logging.getLogger("shop").removeFilter(refusing)


@only_sqlite
async def test_transaction_of_a_body_in_a_process_is_refused(app: Any) -> None:
    async with consuming(app):
        with pytest.raises(TaskException, match="runs in a process, which cannot end it"):
            await asyncio.wait_for(await app.transact(), 60)
