"""What can be declared as a task, and what a declaration keeps of the function."""

from __future__ import annotations

import asyncio
import functools
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from hueyio import ConfigurationError, Huey, MemoryHuey, NotEnqueuedWarning, Task, TaskArgumentError, UnknownTaskError
from hueyio.handles.decorators import make_spec
from tests.facts.steps import consuming, later, run_all


def test_docstring_and_name_are_those_of_the_function() -> None:
    @MemoryHuey().task()
    def work() -> None:
        """Do the work."""

    assert (work.__doc__, work.__name__, work.__wrapped__) == ("Do the work.", "work", work.func)


async def test_function_may_be_declared_on_two_hueys(huey: Huey) -> None:
    other = MemoryHuey("other")

    @huey.task(retries=3)
    async def work() -> int:
        return 1

    elsewhere = other.task(work)
    assert (elsewhere.path, elsewhere.retries, work.retries) == (work.path, 0, 3)
    await elsewhere()
    assert (await huey.count(), await other.count()) == (0, 1)


async def test_unregistered_task_can_neither_be_enqueued_nor_listed(huey: Huey) -> None:
    @huey.task
    async def work() -> int:
        return 1

    await work.schedule(60)
    await work.schedule(600)
    await huey.read_schedule(later(61))
    assert (len(await huey.pending()), len(await huey.scheduled())) == (1, 1)
    assert (work.unregister(), work.unregister()) == (True, False)
    with pytest.raises(UnknownTaskError, match="no task named"):
        await work()
    assert (await huey.pending(), await huey.scheduled()) == ([], [])
    assert (await huey.pending_count(), await huey.scheduled_count()) == (1, 1)


async def test_static_method_is_a_task_and_other_methods_are_refused() -> None:
    huey = MemoryHuey("methods", immediate=True)

    class Shop:
        @staticmethod
        @huey.task
        async def outside(amount: int) -> int:
            return amount

        @huey.task
        @staticmethod
        async def inside(amount: int) -> int:
            return amount + 1

    assert await (await Shop.outside(1)) == 1
    assert await (await Shop().inside(1)) == 2
    with pytest.raises(ConfigurationError, match=r"Order\.pay is a method, and a worker has no object"):
        exec(METHOD, {"huey": huey})
    with pytest.raises(ConfigurationError, match=r"Order\.make is a class method"):
        exec(CLASS_METHOD, {"huey": huey})


def test_generator_function_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="generator"):

        @MemoryHuey().task
        def generate() -> Any:
            yield 1


METHOD = """
class Order:
    @huey.task
    async def pay(self): ...
"""
CLASS_METHOD = """
class Order:
    @huey.task
    @classmethod
    def make(cls): ...
"""


class Doubler:
    def __call__(self, number: int) -> int:
        return 2 * number


def scale(factor: int, number: int) -> int:
    return factor * number


async def test_callables_of_other_kinds_are_tasks() -> None:
    huey = MemoryHuey("callables", immediate=True)
    double: Any = huey.task(Doubler())
    triple: Any = huey.task(name="triple")(functools.partial(scale, 3))
    assert (double.path, triple.path) == (f"{__name__}.Doubler", f"{__name__}.triple")
    assert [await (await double(4)), await (await triple(4))] == [8, 12]
    with pytest.raises(ConfigurationError, match="has no name of its own"):
        huey.task(functools.partial(scale, 3))
    with pytest.raises(ConfigurationError, match="only a function can be a task, not 'work'"):
        huey.task("work")  # type: ignore[call-overload]
    with pytest.raises(ConfigurationError, match="name must be a text"):
        huey.task(name=5)(scale)  # type: ignore[call-overload]


async def test_hidden_coroutine_function_is_run(huey: Huey) -> None:
    def decorate(function: Callable[[], Any]) -> Callable[[], Any]:
        @functools.wraps(function)
        def inner() -> Any:
            return function()

        return inner

    @huey.task
    @decorate
    async def hidden() -> str:
        await asyncio.sleep(0)
        return "ran"

    result = await hidden()
    await run_all(huey)
    assert await result == "ran"


async def test_context_gives_the_task_wherever_its_parameter_stands(huey: Huey) -> None:
    @huey.task(context=True, name="first")
    async def first(task: Task, a: int, b: int = 0) -> list[Any]:
        return [task.id, a, b]

    @huey.task(context=True, name="last")
    def last(a: int, task: Task | None = None) -> list[Any]:
        assert task is not None
        return [task.id, a]

    async with consuming(huey):
        for results, rest in ((await first(1, b=2), [1, 2]), (await last(1), [1])):
            assert await results.get(blocking=True, preserve=True) == [results.id, *rest]
    with pytest.raises(TaskArgumentError, match="'task'"):
        await last(1, task=None)
    assert await first.call_local(Task("by hand"), 1) != []  # type: ignore[arg-type]


async def test_settings_of_the_declaration_are_readable_on_the_task(huey: Huey) -> None:
    async def body(task: Task) -> tuple[Any, Any]:
        if task.attempt == 0:
            raise ValueError
        return task.team, dict(task.settings)

    extra: Any = {"team": "billing"}  # type checkers refuse it; at run time it is one of the user's settings
    work: Any = huey.task(context=True, retries=1, **extra)(body)

    assert work.settings == {"team": "billing"}
    assert work.s().team == "billing"
    await work.schedule(60)
    (scheduled,) = await huey.scheduled()
    assert scheduled.team == "billing"
    with pytest.raises(AttributeError, match="has no attribute 'colour'"):
        _ = scheduled.colour
    async with consuming(huey):
        assert await (await work()) == ("billing", {"team": "billing"})


def test_dropped_map_warns_by_the_name_of_its_task() -> None:
    @MemoryHuey().task
    async def work(number: int) -> None: ...

    calls = [work.map([1, 2])]
    with pytest.warns(NotEnqueuedWarning, match=r"\.work was called and not awaited: .*use work\.sync\.map\(\.\.\.\)"):
        calls.clear()


@pytest.mark.parametrize("items", [5, [(1, 2, 3)], [asyncio]])
def test_map_refuses_bad_arguments_at_the_call(items: Any) -> None:
    @MemoryHuey().task
    async def work(number: int) -> None: ...

    with pytest.raises(TaskArgumentError, match=r"task .*\.work"):
        _ = work.map(items)


def test_task_that_is_typed_in_again_takes_the_place_of_the_first() -> None:
    """In a REPL or notebook; elsewhere two functions of one name are a mistake, and the way out is told."""
    cell = "@huey.task()\ndef add(x):\n    return x + {}\n"
    asked = "print(add.sync(1).get(blocking=True, timeout=30))\n"
    cell += "@huey.signal('complete')\ndef hear(signal, task):\n    print('heard')\n"
    cell += "@huey.around_attempt\n@contextmanager\ndef trace(task):\n    print('traced')\n    yield\n"
    begin = "import hueyio\nfrom contextlib import contextmanager\nhuey = hueyio.MemoryHuey('q', immediate=True)\n"
    program = f"{begin}{cell.format(1)}{cell.format(2)}{asked}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("traced\nheard\n3\n", "")

    huey = MemoryHuey()
    huey.task(name="add")(scale)
    with pytest.raises(ValueError, match=r"huey\.unregister\('tests.facts.test_declaring.add'\)"):
        huey.task(name="add")(scale)


@pytest.mark.parametrize("option", ["unique", "task_base"])
def test_option_that_would_do_nothing_is_refused(option: str) -> None:
    with pytest.raises(ConfigurationError, match=option):
        make_spec(print, {option: True})
