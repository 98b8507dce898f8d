"""Immediate mode: tasks run where they are enqueued, and everything else is as with a consumer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hueyio import (
    SKIPPED,
    ConfigurationError,
    Error,
    Huey,
    HueyException,
    MemoryHuey,
    RateLimitExceeded,
    ResultTimeout,
    RetryTask,
    Snooze,
    Task,
    TaskArgumentError,
    TaskCancelled,
    TaskException,
    TaskNotUnique,
    TaskRevoked,
    TaskTimeout,
    chord,
    group,
)
from hueyio.core import core_of
from hueyio.handles.sync_result import to_sync
from hueyio.loops.portal import block_on

KINDS = ("async", "sync", "raising", "nested", "nested sync")


@pytest.fixture
def huey() -> Huey:
    return MemoryHuey("immediate", immediate=True)


class Hanging:
    """A task whose body begins and does not end by itself."""

    def __init__(self, huey: Huey) -> None:
        self.started = asyncio.Event()

        @huey.task(name="hang")
        async def hang() -> None:
            self.started.set()
            await asyncio.Event().wait()

        self.task = hang

    async def begin(self, call: Awaitable[Any]) -> asyncio.Future[Any]:
        """Begin a call that runs the task; return it when the body has begun."""
        calling = asyncio.ensure_future(call)
        await self.started.wait()
        return calling


@pytest.fixture
def hanging(huey: Huey) -> Hanging:
    return Hanging(huey)


async def cancel(calling: asyncio.Future[Any]) -> None:
    """Cancel a call, and wait until it has ended by that."""
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling


def declare(huey: Huey, kind: str, ran: list[str], **options: Any) -> Any:
    """Declare a task whose body is of a kind; it notes that it ran."""

    @huey.task(name="inner")
    def inner() -> str:
        ran.append("inner")
        return "inner"

    async def run_async() -> str:
        await asyncio.sleep(0)
        ran.append(kind)
        return "done"

    def run_sync() -> str:
        ran.append(kind)
        return "done"

    async def fail() -> str:
        ran.append(kind)
        raise ValueError("no")

    async def nest() -> str:
        ran.append(kind)
        return f"done after {await (await inner())}"

    def nest_sync() -> str:
        ran.append(kind)
        return f"done after {inner.sync().get()}"

    bodies: dict[str, Callable[[], Any]] = {
        "async": run_async,
        "sync": run_sync,
        "raising": fail,
        "nested": nest,
        "nested sync": nest_sync,
    }
    return huey.task(name="work", **options)(bodies[kind])


each_kind = pytest.mark.parametrize("kind", KINDS)


async def test_result_is_there_at_once(huey: Huey) -> None:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    result = await add(1, 2)
    assert await result.get() == 3
    assert await huey.count() == 0


async def test_sync_body_runs_in_a_thread(huey: Huey) -> None:
    @huey.task
    def where() -> int:
        return threading.get_ident()

    assert await (await where()) != threading.get_ident()


async def test_failure_comes_only_by_the_result(huey: Huey) -> None:
    @huey.task
    async def fail() -> None:
        raise ValueError("no")

    result = await fail()
    with pytest.raises(TaskException, match="no"):
        await result.get()


async def test_retries_loop_and_do_not_recurse(huey: Huey) -> None:
    attempts: list[int] = []

    @huey.task(retries=1500)
    async def stuck() -> int:
        attempts.append(1)
        if len(attempts) <= 1500:
            raise ValueError
        return len(attempts)

    assert await (await stuck()) == 1501


async def test_arguments_are_passed_by_reference_and_checked(huey: Huey) -> None:
    seen: list[Any] = []

    @huey.task
    async def keep(value: Any) -> None:
        seen.append(value)

    value = [1]
    await keep(value)
    assert seen[0] is value
    with pytest.raises(TaskArgumentError):
        await keep(threading.Lock())


async def test_pipeline_and_map_complete_inside(huey: Huey) -> None:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    assert await (await huey.enqueue(add.s(1, 2).then(add, 3))).get() == [3, 6]
    assert await (await add.map([(1, 2), (3, 4)])).get() == [3, 7]


async def test_scheduled_task_stays_in_the_schedule(huey: Huey) -> None:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    result = await add.schedule((1, 2), delay=60)
    assert await result.get() is None
    assert await result.status() == "scheduled"


async def test_revoked_task_is_not_run(huey: Huey) -> None:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    await add.revoke(revoke_once=True)
    with pytest.raises(TaskRevoked):
        await (await add(1, 2))
    assert await (await add(1, 2)) == 3


async def test_task_may_enqueue_others(huey: Huey) -> None:
    @huey.task
    async def inner(n: int) -> int:
        return n + 1

    @huey.task
    async def outer(n: int) -> int:
        return await (await inner(n)) + 1

    assert await asyncio.gather(*[await outer(n) for n in range(5)]) == [2, 3, 4, 5, 6]


async def test_result_that_cannot_be_passed_on_is_a_failure(huey: Huey) -> None:
    @huey.task
    async def odd(value: Any = None) -> Any:
        return threading.Lock()

    first, second = await huey.enqueue(odd.s().then(odd))
    for result in (first, second):
        with pytest.raises(TaskException, match="cannot be serialised"):
            await result


async def test_switching_swaps_the_storage() -> None:
    huey = MemoryHuey("live")

    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    await add(1, 2)
    huey.immediate = True
    assert await huey.count() == 0
    assert await (await add(1, 2)) == 3
    with pytest.raises(ConfigurationError, match="immediate"):
        huey.create_consumer()
    huey.immediate = False
    assert await huey.count() == 1


async def test_live_storage_can_be_kept() -> None:
    huey = MemoryHuey("live", immediate_use_memory=False)
    storage = huey.storage
    huey.immediate = True
    assert huey.storage is storage


async def test_status_of_a_task_that_waits_for_its_retry(huey: Huey) -> None:
    @huey.task(retries=1, retry_delay=60)
    async def fail() -> None:
        raise ValueError

    result = await fail()
    with pytest.raises(TaskException):
        await result.get()
    assert await result.status() == "retrying"


async def test_hooks_of_the_start_run_before_the_first_task_and_those_of_the_end_at_close(huey: Huey) -> None:
    ran: list[str] = []

    @huey.on_startup()
    async def open_all() -> None:
        ran.append("startup")

    @huey.on_shutdown()
    def close_all() -> None:
        ran.append("shutdown")

    @huey.task
    async def work() -> None:
        ran.append("body")

    async with huey:
        assert ran == []
        await work()
        await work()
    assert ran == ["startup", "body", "body", "shutdown"]


async def test_timeout_ends_a_coroutine_and_lets_a_thread_go(huey: Huey) -> None:
    ended: list[str] = []
    asked = threading.Event()

    @huey.task(timeout=0.05)
    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("coroutine")

    @huey.task(timeout=0.05, context=True)
    def compute(task: Task) -> None:
        try:
            while not asked.wait(0.01):
                task.check_timeout()
        except TaskTimeout:
            asked.set()
            raise

    for task in (wait, compute):
        with pytest.raises(TaskException, match="ran longer than"):
            await (await task())
    assert ended == ["coroutine"]
    assert await asyncio.to_thread(asked.wait, 30)


# --- unique calls


@each_kind
@pytest.mark.parametrize("mode", ["skip", "replace", "raise"])
async def test_unique_key_is_free_again_however_the_body_ended(huey: Huey, kind: str, mode: Any) -> None:
    ran: list[str] = []
    work = declare(huey, kind, ran, unique=mode)
    first, second = await work(), await work()
    assert first.id != second.id
    assert ran.count(kind) == 2


@pytest.mark.parametrize("mode", ["skip", "replace"])
async def test_second_call_meets_the_one_that_runs(huey: Huey, mode: Any) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    @huey.task(unique=mode)
    async def work() -> str:
        started.set()
        await go_on.wait()
        return "done"

    calling = asyncio.ensure_future(work())
    await started.wait()
    second = await work()
    waiting = asyncio.ensure_future(second.get(blocking=True, preserve=True))
    go_on.set()
    first = await calling
    assert second.id == first.id
    assert await waiting == await first == "done"


async def test_second_call_is_refused_while_the_first_runs(huey: Huey) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    @huey.task(unique="raise")
    async def work() -> str:
        started.set()
        await go_on.wait()
        return "done"

    calling = asyncio.ensure_future(work())
    await started.wait()
    with pytest.raises(TaskNotUnique):
        await work()
    go_on.set()
    assert await (await calling) == "done"


async def test_call_replaces_the_one_that_is_scheduled(huey: Huey) -> None:
    work = declare(huey, "async", [], unique="replace")
    later = await work.schedule(delay=60)
    assert await (await work()) == "done"
    with pytest.raises(TaskCancelled):
        await later


async def test_others_of_a_batch_run_when_one_is_refused(huey: Huey) -> None:
    ran: list[int] = []

    @huey.task(unique="raise")
    async def work(number: int) -> None:
        ran.append(number)
        if number == 0:
            await huey.enqueue_many([work.s(0), work.s(1)])

    with pytest.raises(TaskException, match="TaskNotUnique"):
        await (await work(0))
    assert ran == [0, 1]


async def test_call_is_unique_in_the_body_of_the_same_call(huey: Huey) -> None:
    @huey.task(unique="raise", retries=1)
    async def work() -> None:
        await work()

    with pytest.raises(TaskException, match="TaskNotUnique"):
        await (await work())


# --- groups and chords


async def test_chord_takes_members_of_all_kinds(huey: Huey) -> None:
    ran: list[str] = []
    works = {kind: declare(MemoryHuey(), kind, ran) for kind in KINDS}
    members = [huey.task(name=kind)(work.func) for kind, work in works.items() if "nested" not in kind]

    @huey.task
    async def total(values: list[int]) -> int:
        return sum(values)

    @huey.task
    async def collect(values: list[Any]) -> list[Any]:
        return [value.metadata["error"] if isinstance(value, Error) else value for value in values]

    revoked = members[0].s()
    await huey.revoke(revoked)
    add = huey.task(name="add")(lambda a, b: a + b)
    inner = chord([add.s(1, 2), add.s(3, 4).then(add, 5)], total)
    result = await huey.enqueue(chord([*(it.s() for it in members), revoked, inner], collect))
    assert await result == ["done", "done", "ValueError('no')", SKIPPED, 15]
    assert (await huey.counts()).latches == 0


async def test_member_may_cancel_one_that_comes_after_it(huey: Huey) -> None:
    late = declare(huey, "async", [])
    cancelled = late.s()

    @huey.task
    async def cancel() -> bool:
        return await huey.cancel(cancelled)

    @huey.task
    async def collect(values: list[Any]) -> list[Any]:
        return values

    result = await huey.enqueue(chord([cancel.s(), cancelled], collect))
    assert await result == [True, SKIPPED]


async def test_body_may_enqueue_a_chord_and_wait_for_it(huey: Huey) -> None:
    add = huey.task(name="add")(lambda a, b: a + b)

    @huey.task
    async def total(values: list[int]) -> int:
        return sum(values)

    @huey.task
    async def outer() -> int:
        value: int = await (await huey.enqueue(chord([add.s(1, 2), add.s(3, 4)], total)))
        return value

    assert await (await outer()) == 10


# --- revocations


@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize("how", ["instance", "class", "once", "until"])
async def test_revoked_call_does_not_run(huey: Huey, kind: str, how: str) -> None:
    ran: list[str] = []
    work = declare(huey, kind, ran)
    task = work.s()
    match how:
        case "instance":
            await huey.revoke(task)
        case "class":
            await work.revoke()
        case "once":
            await work.revoke(revoke_once=True)
        case _:
            await work.revoke(revoke_until=work.s(delay=60).eta)
    with pytest.raises(TaskRevoked):
        await (await huey.enqueue(task))
    assert ran == []
    await work()
    assert bool(ran) is (how in ("instance", "once"))


# --- limits


@each_kind
async def test_lock_and_semaphore_are_free_however_the_body_ended(huey: Huey, kind: str) -> None:
    ran: list[str] = []
    work = declare(huey, kind, ran)
    both = huey.task(name="both")(huey.lock_task("one")(huey.limit("two", 1)(work.func)))
    for _ in range(2):
        await both()
        assert not await huey.is_locked("one")
    assert ran.count(kind) == 2


async def test_held_semaphore_puts_a_call_off_and_a_held_lock_fails_it(huey: Huey) -> None:
    pool = huey.limit("pool", 1)
    limited = huey.task(name="limited")(pool(lambda: "done"))
    locked = huey.task(name="locked")(huey.lock_task("one")(lambda: "done"))
    async with pool, huey.lock_task("one"):
        later = await limited()
        with pytest.raises(TaskException, match="unable to acquire lock one"):
            await (await locked())
    assert await later.status() == "scheduled"


@pytest.mark.parametrize("retry", [True, False])
async def test_call_over_the_rate_limit_is_put_off_or_fails(huey: Huey, retry: bool) -> None:
    limit = huey.rate_limit("api", 1, per=3600, retry=retry)
    work = huey.task(name="limited")(limit(lambda: "done"))
    assert await (await work()) == "done"
    second = await work()
    if retry:
        assert await second.status() == "scheduled"
    else:
        with pytest.raises(TaskException, match="RateLimitExceeded"):
            await second


@each_kind
async def test_at_most_once_task_runs_once(huey: Huey, kind: str) -> None:
    ran: list[str] = []
    result = await declare(huey, kind, ran, at_most_once=True)()
    assert ran.count(kind) == 1
    assert await result.status() == ("failed" if kind == "raising" else "done")


# --- hooks of the start and the end


@pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])
async def test_hooks_of_the_life_may_enqueue_and_run_once(huey: Huey, is_async: bool) -> None:
    order: list[str] = []

    @huey.task
    def work(name: str) -> None:
        order.append(name)

    for kind in ("on_startup", "on_shutdown"):

        async def hook_async(kind: str = kind) -> None:
            await work(f"task of {kind}")
            order.append(kind)

        def hook(kind: str = kind) -> None:
            work.sync(f"task of {kind}")
            order.append(kind)

        getattr(huey, kind)(kind)(hook_async if is_async else hook)
    async with huey:
        await asyncio.gather(work("call"), work("call"))
    assert order == [
        *("task of on_startup", "on_startup", "call", "call"),
        *("task of on_shutdown", "on_shutdown"),
    ]
    await asyncio.to_thread(huey.sync.close)


async def test_no_task_begins_before_the_hooks_of_the_start_have_ended(huey: Huey) -> None:
    order: list[str] = []
    entered, go_on = asyncio.Event(), asyncio.Event()

    @huey.on_startup()
    async def prepare() -> None:
        entered.set()
        await go_on.wait()
        order.append("prepared")

    work = declare(huey, "async", order)
    first = asyncio.ensure_future(work())
    await entered.wait()
    second = asyncio.ensure_future(work())
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    go_on.set()
    assert await (await second) == "done"
    assert order == ["prepared", "async"]


# --- raise_errors


class Unwanted(Exception):
    """What a body raises."""


@pytest.fixture
def raising() -> Huey:
    return MemoryHuey("raising", immediate=True, raise_errors=True)


def declare_refuse(huey: Huey, is_async: bool, **options: Any) -> tuple[Any, list[Unwanted]]:
    errors: list[Unwanted] = []

    def refuse(*args: Any) -> None:
        errors.append(Unwanted(len(errors)))
        raise errors[-1]

    async def refuse_async(*args: Any) -> None:
        refuse()

    return huey.task(name="refuse", **options)(refuse_async if is_async else refuse), errors


both = pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])


@both
async def test_very_error_of_a_body_reaches_whoever_enqueues(raising: Huey, is_async: bool) -> None:
    refuse, errors = declare_refuse(raising, is_async)
    with pytest.raises(Unwanted) as caught:
        await refuse()
    assert caught.value is errors[0]
    with pytest.raises(TaskException, match="Unwanted"):
        await raising.result_of((await raising.all_results()).popitem()[0])


@both
def test_very_error_of_a_body_reaches_blocking_code(raising: Huey, is_async: bool) -> None:
    refuse, errors = declare_refuse(raising, is_async)
    with pytest.raises(Unwanted) as caught:
        refuse.sync()
    assert caught.value is errors[0]
    with pytest.raises(Unwanted) as caught:
        raising.sync.enqueue(refuse.s())
    assert caught.value is errors[1]
    raising.sync.close()


@both
@pytest.mark.parametrize("many", ["map", "group", "chord", "pipeline", "nested"])
async def test_first_error_of_many_is_raised_when_all_have_run(raising: Huey, is_async: bool, many: str) -> None:
    ran: list[str] = []
    refuse, errors = declare_refuse(raising, is_async)
    work = declare(raising, "sync", ran)

    @raising.task
    async def collect(*values: Any) -> None:
        ran.append("collected")

    @raising.task
    async def outer() -> None:
        await refuse()

    calls: dict[str, Callable[[], Awaitable[Any]]] = {
        "map": lambda: refuse.map([1, 2]),
        "group": lambda: raising.enqueue(group([refuse.s(), work.s(), refuse.s()])),
        "chord": lambda: raising.enqueue(chord([refuse.s(), work.s(), refuse.s()], collect)),
        "pipeline": lambda: raising.enqueue(work.s().then(refuse).then(collect)),
        "nested": outer,
    }
    with pytest.raises(Unwanted) as caught:
        await calls[many]()
    assert caught.value is errors[0]
    assert (len(errors), ran) == {
        "map": (2, []),
        "group": (2, ["sync"]),
        "chord": (2, ["sync", "collected"]),
        "pipeline": (1, ["sync"]),
        "nested": (1, []),
    }[many]


@pytest.mark.parametrize("is_async", [True, False])
def test_ctrl_c_in_a_body_reaches_whoever_enqueues(huey: Huey, is_async: bool) -> None:
    async def interrupt_async() -> None:
        raise KeyboardInterrupt

    def interrupt() -> None:
        raise KeyboardInterrupt

    task = huey.task(retries=3)(interrupt_async if is_async else interrupt)
    with pytest.raises(KeyboardInterrupt):
        huey.sync.enqueue_many([task.s(), task.s()])
    assert len(huey.sync.pending()) == 1  # the one that was interrupted; the other was cancelled


async def test_error_of_an_attempt_that_is_retried_is_not_raised(raising: Huey) -> None:
    @raising.task(retries=1, context=True)
    def flaky(task: Task) -> str:
        if task.attempt == 0:
            raise Unwanted
        return "done"

    assert await (await flaky()) == "done"
    refuse, errors = declare_refuse(raising, False, retries=2)
    with pytest.raises(Unwanted) as caught:
        await refuse()
    assert caught.value is errors[2]
    later, _ = declare_refuse(MemoryHuey("later", immediate=True, raise_errors=True), True, retries=1, retry_delay=60)
    assert await (await later()).status() == "retrying"


async def test_error_handler_runs_before_the_error_is_raised(raising: Huey) -> None:
    refuse, errors = declare_refuse(raising, False)
    seen: list[Any] = []
    note = raising.task(name="note")(seen.append)
    with pytest.raises(Unwanted):
        await raising.enqueue(refuse.s().error(note))
    assert seen == errors


async def test_errors_are_not_raised_without_immediate_mode(raising: Huey) -> None:
    raising.immediate = False
    refuse, _ = declare_refuse(raising, False)
    assert await (await refuse()).status() == "ready"


# --- waits that nothing ends


async def start_what_never_ends(huey: Huey, why: str) -> Any:
    """Enqueue a task that stays where it is, and return the handle."""
    limit = huey.rate_limit("api", 1, per=3600)

    def ask(*args: Any) -> None:
        match why:
            case "retry":
                raise ValueError
            case "retry asked":
                raise RetryTask(delay=60)
            case "snooze":
                raise Snooze(60)
            case _:
                raise RateLimitExceeded("api", 60)

    work = huey.task(name="work", retries=1, retry_delay=60)(ask)
    done = declare(MemoryHuey(), "sync", []).func
    other = huey.task(name="done")(lambda *args: done())
    match why:
        case "schedule":
            return await work.schedule(delay=60)
        case "rate limit":
            await limit.acquire()
            return await huey.task(name="limited")(limit(done))()
        case "later stage":
            return (await huey.enqueue(other.s(delay=60).then(other)))[1]
        case "group":
            return await huey.enqueue(group([other.s(), other.s(delay=60)]))
        case "chord":
            return await huey.enqueue(chord([other.s(), other.s(delay=60)], other))
        case _:
            return await work()


each_reason = pytest.mark.parametrize(
    "why", ["retry", "retry asked", "snooze", "schedule", "rate limit", "later stage", "group", "chord"]
)
_SAYS = "would be awaited for ever: in immediate mode nothing runs what is due later"


@each_reason
async def test_wait_that_nothing_ends_says_so_at_once(huey: Huey, why: str) -> None:
    result = await start_what_never_ends(huey, why)
    with pytest.raises(HueyException, match=_SAYS):
        await result
    with pytest.raises(HueyException, match=_SAYS):
        await result.get(blocking=True, timeout=600)


@each_reason
def test_blocking_wait_that_nothing_ends_says_so_at_once(huey: Huey, why: str) -> None:
    async def start() -> Any:
        return await start_what_never_ends(huey, why)

    result = to_sync(block_on(start()))
    with pytest.raises(HueyException, match=_SAYS):
        result.get(blocking=True)
    with pytest.raises(HueyException, match=_SAYS):
        result.get(blocking=True, timeout=600)
    huey.sync.close()


async def test_timeout_of_zero_looks_once(huey: Huey) -> None:
    with pytest.raises(ResultTimeout):
        await (await start_what_never_ends(huey, "retry")).get(blocking=True, timeout=0)


@each_reason
async def test_wait_of_a_body_for_what_is_due_later_ends_too(huey: Huey, why: str) -> None:
    @huey.task
    async def outer() -> None:
        await (await start_what_never_ends(huey, why))

    with pytest.raises(TaskException, match=_SAYS):
        await (await outer())


@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize("whose", ["the next of its batch", "its own"])
async def test_wait_of_a_body_for_what_runs_only_after_it_says_so(huey: Huey, kind: str, whose: str) -> None:
    batch: list[Task] = []

    async def wait() -> None:
        await huey.result_of(batch[whose != "its own"].id)

    def wait_blocking() -> None:
        huey.sync.result_of(batch[whose != "its own"].id).get(blocking=True)

    first: Any = huey.task(wait_blocking if kind == "sync" else wait)
    second = huey.task(name="second")(lambda: "ran")
    batch += [first.s(), second.s()]
    results = await huey.enqueue_many(batch)
    with pytest.raises(TaskException, match="cannot end before the body that waits for it"):
        await results[0]
    assert await results[1] == "ran"


async def test_wait_while_another_coroutine_runs_the_task_gets_the_value(huey: Huey) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    @huey.task
    async def work() -> str:
        started.set()
        await go_on.wait()
        return "done"

    tail = huey.task(name="tail")(lambda text: text.upper())
    task = work.s().then(tail)
    calling = asyncio.ensure_future(huey.enqueue(task))
    await started.wait()
    waiting = [asyncio.ensure_future(huey.result(stage.id, blocking=True, timeout=60)) for stage in task.stages()]
    await asyncio.sleep(0)
    go_on.set()
    assert await asyncio.gather(*waiting) == ["done", "DONE"]
    await calling


async def test_wait_while_another_thread_runs_the_task_gets_the_value(huey: Huey) -> None:
    started, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    @huey.task
    def work() -> str:
        loop.call_soon_threadsafe(started.set)
        assert go_on.wait(30)
        return "done"

    task = work.s()
    calling = asyncio.ensure_future(asyncio.to_thread(huey.sync.enqueue, task))
    await started.wait()
    waiting = asyncio.ensure_future(huey.result(task.id, blocking=True))
    await asyncio.sleep(0)
    go_on.set()
    assert await waiting == "done"
    await calling
    await asyncio.to_thread(huey.sync.close)


# --- cancelled callers, and cancelled tasks


@pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])
async def test_cancelled_caller_cancels_its_tasks(huey: Huey, is_async: bool) -> None:
    started, stop = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    async def wait(number: int) -> None:
        started.set()
        await asyncio.Event().wait()

    def wait_sync(number: int) -> None:
        loop.call_soon_threadsafe(started.set)
        stop.wait(30)

    work = huey.task(name="work", unique="raise")(wait if is_async else wait_sync)
    tasks = [work.s(1), work.s(2).then(work, 3)]
    calling = asyncio.ensure_future(huey.enqueue_many(tasks))
    await started.wait()
    waiting = [asyncio.ensure_future(huey.result(task.id, blocking=True)) for task in tasks[1].stages()]
    await asyncio.sleep(0)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    stop.set()
    with pytest.raises(TaskCancelled):
        await huey.result(tasks[0].id)
    for result in waiting:
        with pytest.raises(TaskCancelled):
            await result
    counts = await huey.counts()
    assert (counts.running, counts.expected, await huey.count()) == (0, 0, 0)
    await huey.task(name="again", unique="raise")(lambda number: number)(1)


async def test_caller_that_is_cancelled_before_the_body_cancels_its_task(huey: Huey) -> None:
    told = asyncio.Event()

    @huey.signal("enqueued")
    async def hear(signal: str, task: Task) -> None:
        told.set()
        await asyncio.Event().wait()

    ran: list[str] = []
    task = declare(huey, "async", ran).s()
    calling = asyncio.ensure_future(huey.enqueue(task))
    await told.wait()
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    with pytest.raises(TaskCancelled):
        await huey.result(task.id, blocking=True)
    assert ran == []


async def test_key_of_a_cancelled_call_is_free(huey: Huey) -> None:
    started = asyncio.Event()
    hang = [True]

    @huey.task(unique="raise")
    async def work() -> str:
        started.set()
        if hang:
            await asyncio.Event().wait()
        return "done"

    calling = asyncio.ensure_future(work())
    await started.wait()
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    hang.clear()
    assert await (await work()) == "done"


async def test_cancelled_caller_of_a_chord_cancels_its_callback(huey: Huey, hanging: Hanging) -> None:
    callback = huey.task(name="collect")(lambda values: values).s()
    calling = await hanging.begin(huey.enqueue(chord([hanging.task.s()], callback)))
    counted = await huey.counts()
    await cancel(calling)
    assert (counted.latches, await huey.count()) == (1, 0)
    kept = {it.id: it.kind for it in (await huey.failed()).items}
    assert kept[callback.id] == "cancelled"
    await (await core_of(huey).session()).clear(["failed"])
    assert (await huey.counts()).latches == 0


@pytest.mark.parametrize("turns", range(0, 40, 2))
async def test_caller_that_is_cancelled_again_leaves_nothing(huey: Huey, hanging: Hanging, turns: int) -> None:
    """The second cancellation comes so many turns of the loop after the first: at each await of what that does."""

    @huey.signal()
    async def take_turns(signal: str, task: Task, *rest: Any) -> None:
        for _ in range(3):
            await asyncio.sleep(0)

    tasks = [hanging.task.s(), hanging.task.s().then(hanging.task), hanging.task.s()]
    calling = await hanging.begin(huey.enqueue_many(tasks))
    calling.cancel()
    for _ in range(turns):
        await asyncio.sleep(0)
    await cancel(calling)
    counts = await huey.counts()
    assert (counts.running, counts.expected, await huey.count()) == (0, 0, 0)
    for task in tasks:
        with pytest.raises(TaskCancelled):
            await huey.result(task.id)


async def test_body_that_ignores_one_cancellation_is_ended_by_the_next(huey: Huey) -> None:
    ignored, started = asyncio.Event(), asyncio.Event()

    @huey.task
    async def stubborn() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ignored.set()
            await asyncio.Event().wait()

    task = stubborn.s()
    calling = asyncio.ensure_future(huey.enqueue(task))
    await started.wait()
    calling.cancel()
    await ignored.wait()
    await cancel(calling)
    with pytest.raises(TaskCancelled):
        await huey.result(task.id)


async def test_cancelled_member_leaves_its_chord_to_the_others(huey: Huey, hanging: Hanging) -> None:
    got: list[Any] = []
    collect = huey.task(name="collect")(got.extend)
    member = hanging.task.s()
    calling = await hanging.begin(huey.enqueue(chord([member, declare(huey, "sync", []).s()], collect)))
    assert await huey.cancel(member)
    await calling
    assert got == [SKIPPED, "done"]


async def test_task_may_be_cancelled_while_it_runs(huey: Huey, hanging: Hanging) -> None:
    task = hanging.task.s()
    calling = await hanging.begin(huey.enqueue(task))
    waiting = asyncio.ensure_future(huey.result(task.id, blocking=True))
    await asyncio.sleep(0)
    assert await huey.cancel(task)
    with pytest.raises(TaskCancelled):
        await waiting
    assert await huey.cancel(task) is False
    await calling


async def test_task_may_be_cancelled_by_another_thread(huey: Huey, hanging: Hanging) -> None:
    task = hanging.task.s()
    calling = await hanging.begin(huey.enqueue(task))
    assert await asyncio.to_thread(huey.sync.cancel, task)
    with pytest.raises(TaskCancelled):
        await (await calling)
    await asyncio.to_thread(huey.sync.close)


# --- switching


async def test_mode_may_be_switched_while_a_task_runs(huey: Huey) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    @huey.task
    async def slow() -> str:
        started.set()
        await go_on.wait()
        return "done"

    quick = declare(huey, "async", [])
    calling = asyncio.ensure_future(slow())
    await started.wait()
    huey.immediate = False
    queued = await quick()
    assert await queued.status() == "ready"
    go_on.set()
    result = await calling
    assert await result.get() is None, "each switch begins with an empty memory"
    async with huey.create_consumer():
        assert await queued == "done"
    huey.immediate = True
    assert await (await quick()) == "done"


async def test_handle_from_before_the_switch_reads_the_live_storage_after_it(huey: Huey) -> None:
    huey.immediate = False
    quick = declare(huey, "async", [])
    queued = await quick()
    for immediate in (True, False, True, False):
        huey.immediate = immediate
    async with huey.create_consumer():
        assert await queued == "done"
