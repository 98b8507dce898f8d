"""hueyio.blocking: the names of hueyio for programs without ``async``, in the shapes of Huey's README and guide."""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hueyio
from hueyio import Huey, HueyException, TaskArgumentError, blocking
from hueyio.loops.portal import block_on

ROOT = Path(__file__).resolve().parents[2]

PRINTED = """\
value 3
value 4
later 7
map [3, 7]
pipeline [3, 6, 10]
group [0, 2, 4]
chord 6
retried HTTP://LOCALHOST
asked to be retried second time
context who_am_i
lock locked: True
context manager connection: rows
nested 10 6
limit to ada
failed ValueError('broken')
signal error: broken
cancelled TaskCancelled
revoked True True False
moved 2
all revoked True True
scheduled (5, 5) 0
local 3
values [1, 2] None yes
held True
periodic done
"""


def test_programs_of_the_guide_run_with_the_import_changed(tmp_path: Path) -> None:
    env = {**os.environ, "GUIDE_DB": str(tmp_path / "guide.db"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "hueyio", "worker", "tests.flow.guide_app:huey"]
    with subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True) as worker:
        assert worker.stderr is not None
        assert any("is ready" in line for line in worker.stderr)
        reader = threading.Thread(target=worker.stderr.read)
        reader.start()
        try:
            program = [sys.executable, "-W", "error", "-m", "tests.flow.guide_program"]
            done = subprocess.run(program, env=env, capture_output=True, text=True, timeout=60, check=False)
        finally:
            worker.send_signal(signal.SIGTERM)
            reader.join(30)
    assert (done.stdout, done.stderr) == (PRINTED, "")
    assert worker.returncode == 0


def test_names_are_those_of_hueyio() -> None:
    assert set(hueyio.__all__) - set(blocking.__all__) == {"SyncResult", "SyncResultGroup"}
    assert [name for name in blocking.__all__ if not hasattr(blocking, name)] == []
    with pytest.raises(AttributeError, match=r"module 'hueyio.blocking' has no attribute 'SqlHuey'"):
        blocking.SqlHuey  # type: ignore[attr-defined] # noqa: B018


@pytest.mark.parametrize("name", [name for name in blocking.__all__ if name.endswith("Huey")])
def test_huey_takes_what_its_twin_takes(name: str) -> None:
    kind, twin = getattr(blocking, name), getattr(hueyio, name)
    assert inspect.signature(kind) == inspect.signature(twin)
    if name in ("MemoryHuey", "BlackHoleHuey"):
        huey = kind("shop", results=False)
        assert type(huey.aio) is twin
        assert (huey.name, huey.results, repr(huey)) == ("shop", False, repr(huey.aio))
    if name != "BlackHoleHuey":  # which takes any option
        with pytest.raises(hueyio.ConfigurationError, match=f"^{name}"):
            kind("shop", immediat=True)


@pytest.mark.again("tests/test_package.py shows it of hueyio, whose list of presets this is")
def test_import_brings_no_storage_that_is_not_used() -> None:
    program = "from hueyio.blocking import SqliteHuey; import sys; print({'redis', 'filelock'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_any_huey_can_be_used_without_async(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey().sync

    @huey.task(retries=1)
    async def add(a: int, b: int = 0) -> int:
        """Add."""
        return a + b

    @huey.task
    def total(values: list[int]) -> int:
        return sum(values)

    assert (add.name, add.__doc__, add.retries, add.huey) == ("add", "Add.", 1, huey)
    assert str(inspect.signature(add)) == "(a: 'int', b: 'int' = 0) -> 'int'"
    assert (add.call_local(1, 2), total.call_local([1, 2])) == (3, 3)
    with pytest.raises(TaskArgumentError):
        add("a", "b", "c")  # type: ignore[arg-type, call-arg]
    with huey.consumer(lease=5.0), huey:
        result = add.options(delay=0.01)(1, 2)
        assert result.get(timeout=30) == 3
        assert result.status() == "done"
        assert total(add.map([1, 2]).get(timeout=30)).get(timeout=30) == 3
        assert huey.enqueue(hueyio.chord([add.s(1), add.s(2)], total)).get(timeout=30) == 3
        assert block_on(add_and_wait(add)) == 7


async def add_and_wait(add: Any) -> int:
    """Go the way back, on a loop; the blocking way would stop it."""
    with pytest.raises(HueyException, match=r"\.add: .* with hueyio\.blocking `await add\.aio\(\.\.\.\)`$"):
        add(3, 4)
    return int(await (await add.aio(3, 4)))


def test_storage_and_inspector_are_looked_at_without_async() -> None:
    huey = blocking.MemoryHuey("looked-at")
    huey.task(name="add")(sum)
    storage = blocking.BaseStorage(huey.storage)
    storage.enqueue(b"x")
    assert (storage.queue_size(), len(huey), storage.dequeue(), storage.dequeue()) == (1, 1, b"x", None)
    with blocking.Inspector(huey.storage) as inspector:
        assert inspector.tasks("ready").tasks == []
        assert inspector.counts().scheduled == 0


@pytest.mark.parametrize("form", ["task", "options", "decorated"])
def test_task_of_either_form_is_declared_anew(form: str) -> None:
    huey, other = blocking.MemoryHuey("one", immediate=True), hueyio.MemoryHuey("two", immediate=True)

    @other.task
    async def add(a: int, b: int) -> int:
        return a + b

    mine = {
        "task": lambda: huey.task(add),
        "options": lambda: huey.task(retries=2)(add),
        "decorated": lambda: huey.task(add.sync),
    }
    declared = mine[form]()
    assert isinstance(declared, blocking.TaskWrapper)
    assert declared(1, 2).get() == 3
    assert other.task(name="again")(declared).path.endswith(".again")
