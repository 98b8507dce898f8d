"""Models as arguments and results, from the call to the handle, on every storage."""

from __future__ import annotations

import importlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hueyio import (
    ConfigurationError,
    EncryptedSerializer,
    Huey,
    JSONSerializer,
    MemoryHuey,
    SerializationError,
    Task,
    TaskArgumentError,
    TaskException,
    chord,
    crontab,
    group,
)
from hueyio.blocking import MemoryHuey as BlockingMemoryHuey
from hueyio.client.prepare import prepare
from hueyio.core import core_of
from hueyio.execution.policy import UNKNOWN_TASK_PATIENCE
from hueyio.storage.records import Entry
from hueyio.testing import HueyQueue
from tests.flow import typed_app
from tests.flow.typed_app import Line, Order, Receipt, Way
from tests.support.patience import until

ORDER = Order(UUID(int=7), [Line("book", Decimal("1.10")), Line("pen", Decimal(2))], datetime(2026, 1, 2, tzinfo=UTC))
RECEIPT = Receipt(order=UUID(int=7), total=Decimal("3.10"), way=Way.CASH)


def declared(huey: Huey) -> dict[str, Any]:
    """Declare the tasks of the app on a Huey."""
    names = ("charge", "remind", "add_up", "refuse")
    return {name: huey.task(name=name)(getattr(typed_app, name).func) for name in names}


@pytest.fixture
def encrypted() -> Any:
    return EncryptedSerializer(EncryptedSerializer.new_key(), serializer=JSONSerializer(typed=True))


@pytest.mark.parametrize("immediate", [False, True])
async def test_bodies_and_handles_get_models(make_huey: Callable[..., Huey], immediate: bool, encrypted: Any) -> None:
    huey = make_huey(serializer=encrypted, immediate=immediate)
    tasks = declared(huey)
    charge, remind, add_up, refuse = tasks.values()
    failures: list[Any] = []

    @huey.task
    async def handle(order: Order, error: Exception) -> None:
        failures.append((order, str(error)))

    async def use() -> None:
        assert await (await charge(ORDER, Way.CASH)) == RECEIPT
        assert await (await remind(RECEIPT, after=timedelta(days=2))) == datetime(2026, 1, 4, tzinfo=UTC)
        stages = await huey.enqueue(charge.s(ORDER, way=Way.CASH).then(remind, after=timedelta(0)))
        assert await stages == [RECEIPT, datetime(2026, 1, 2, tzinfo=UTC)]
        members = [charge.s(ORDER), refuse.s(ORDER), charge.s(ORDER)]
        result = await huey.enqueue(chord(members, add_up.s("EUR")))
        assert await result == "6.20 EUR, 1 failed"
        assert await (await charge.map([ORDER, (ORDER, Way.CASH)]))[1] == RECEIPT
        with pytest.raises(TaskException, match="no book"):
            await (await huey.enqueue(refuse.s(ORDER).error(handle, ORDER)))
        result = await charge(ORDER, Way.CASH)
        assert await result.get(blocking=True, preserve=True) == RECEIPT
        plain = await huey.result_of(result.id).get(blocking=True, preserve=True)
        assert plain == {"order": str(UUID(int=7)), "total": "3.10", "way": "cash"}
        with pytest.raises(SerializationError, match=f"the result of task {result.id} cannot be read: it does not fit"):
            await huey.result_of(result.id, returns=Line)
        assert await huey.result_of(result.id, returns=Receipt) == RECEIPT

    if immediate:
        await use()
    else:
        async with huey.create_consumer():
            await use()
            while not failures:
                await (await charge(ORDER))
    await huey.close()
    assert failures == [(ORDER, "ValueError('no book')")]


async def test_value_that_does_not_fit_is_refused_wherever_it_is_given(tmp_path: Path) -> None:
    huey = MemoryHuey(serializer=JSONSerializer(typed=True))
    charge, remind, add_up, _ = declared(huey).values()
    good, bad = charge.s(ORDER), Task(charge.path, (RECEIPT,))
    refusals: list[Callable[[], object]] = [
        lambda: charge(RECEIPT),
        lambda: charge(order=RECEIPT),
        lambda: charge.options(delay=5)(RECEIPT),
        lambda: charge.s(RECEIPT),
        lambda: charge.options(delay=5).s(RECEIPT),
        lambda: charge.schedule((RECEIPT,), delay=5),
        lambda: charge.map([ORDER, RECEIPT]),
        lambda: good.then(charge, RECEIPT),
        lambda: huey.by_name(charge.path)(RECEIPT),
        lambda: huey.enqueue(bad),
        lambda: huey.enqueue(Task(charge.path, (ORDER,), on_complete=bad)),
        lambda: huey.enqueue(Task(charge.path, (ORDER,), on_error=bad)),
        lambda: huey.enqueue_many([good, bad]),
        lambda: huey.enqueue(group([good, bad])),
        lambda: huey.enqueue(chord([good, bad], add_up.s("EUR"))),
        lambda: huey.enqueue(chord([good], Task(charge.path, (RECEIPT,)))),
        lambda: huey.schedules().add("daily", charge, crontab(minute="0"), args=(RECEIPT,)),
        lambda: huey.schedules().add("daily", bad, crontab(minute="0")),
    ]
    for refuse in refusals:
        with pytest.raises(TaskArgumentError, match=rf"^task {charge.path}: argument 'order' does not fit Order: "):
            await followed(refuse)
    assert await huey.count() == 0
    with pytest.raises(TaskArgumentError, match="argument 'after' does not fit timedelta"):
        remind.s(after="soon")
    await huey.close()


async def followed(call: Callable[[], Any]) -> None:
    made = call()
    if isinstance(made, Awaitable):
        await made


def test_blocking_programs_have_models_too() -> None:
    huey = BlockingMemoryHuey(serializer=JSONSerializer(typed=True), immediate=True)
    charge = huey.task(typed_app.charge.func)
    wrong: Any = RECEIPT
    with pytest.raises(TaskArgumentError, match="argument 'order' does not fit Order"):
        charge(wrong)
    result = charge(ORDER, Way.CASH)
    assert result.get(timeout=30, preserve=True) == RECEIPT
    assert huey.result_of(result.id, returns=Receipt).get(timeout=30) == RECEIPT


async def test_result_that_does_not_fit_is_a_failure_that_says_so(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey(serializer=JSONSerializer(typed=True))

    @huey.task
    async def load() -> Order:
        return RECEIPT  # type: ignore[return-value]

    @huey.task
    async def load_all():  # type: ignore[no-untyped-def]
        return [ORDER]

    async with huey, huey.create_consumer():
        with pytest.raises(TaskException, match="load returned: the value does not fit Order: object missing required"):
            await (await load())
        with pytest.raises(
            TaskException, match=r"load_all returned: .* no annotation that .*: value\[0\] is of type Or"
        ):
            await (await load_all())


@dataclass
class Yesterday:
    name: str


@dataclass
class Today:
    first: str
    last: str = ""


async def greet_yesterday(who: Yesterday) -> str:
    return who.name


async def greet_today(who: Today) -> str:
    return f"{who.first} {who.last}".strip()


async def test_call_of_another_model_waits_for_a_worker_that_reads_it_and_then_is_a_dead_letter(
    make_huey: Callable[..., Huey], caplog: pytest.LogCaptureFixture
) -> None:
    old, new = (make_huey(serializer=JSONSerializer(typed=True)) for _ in range(2))
    if isinstance(old, MemoryHuey):
        pytest.skip("a queue in memory belongs to one version")
    old.task(name="greet")(greet_yesterday)
    greet = new.task(name="greet")(greet_today)
    refusal = f"task {greet.path}: argument 'who' does not fit Yesterday: object missing required field name"
    async with old, new:
        result = await greet(Today("Ada"))
        given_up = prepare(core_of(new), greet.s(Today("Bob")))
        header = given_up.header._replace(first_seen=core_of(new).now() - UNKNOWN_TASK_PATIENCE - 1, defers=2000)
        await (await core_of(new).session()).enqueue([Entry(header, given_up.data)])
        async with old.create_consumer():
            await until(lambda: is_put_off(result))
            assert f"does not take its call ({refusal}); is another version deployed?" in caplog.text
            with pytest.raises(TaskException, match="does not fit Yesterday"):
                await new.result_of(header.id)
        (letter,) = await new.dead()
        assert f"({refusal}) for 24 h" in letter.reason
        async with new.create_consumer():
            assert await result == "Ada"
            assert await new.requeue([letter.id]) == {letter.id: "added"}
            assert await new.result_of(letter.id) == "Bob"


async def is_put_off(result: Any) -> bool:
    return bool(await result.status() == "scheduled")


async def test_tests_and_handles_from_the_queue_meet_models() -> None:
    huey = MemoryHuey(serializer=JSONSerializer(typed=True))
    charge, *_ = declared(huey).values()
    seen: list[Any] = []
    huey.pre_execute()(lambda task: seen.append(task.args[0]))
    with HueyQueue(huey) as queue:
        result = await charge.options(delay=60)(ORDER)
        queue.assert_enqueued(charge, args=(ORDER,))
        (task,) = queue.enqueued(charge)
        assert task.args == (ORDER,)
        again = await huey.result_of(result.id).reschedule(delay=10)
        await queue.advance(minutes=2)
        assert await huey.result_of(again.id, returns=Receipt) == await charge.call_local(ORDER)
    assert seen[0]["lines"][0] == {"sku": "book", "price": "1.10"}  # hooks see the message, bodies the model


@pytest.mark.again("a process reads arguments by the same code as a thread")
async def test_body_in_a_process_gets_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = f"filename={str(tmp_path / 'p.db')!r}, serializer=hueyio.JSONSerializer(typed=True)"
    monkeypatch.setenv("HUEYIO_TEST_HUEY", f"hueyio.SqliteHuey('p', {options})")
    app = importlib.reload(typed_app)
    order = app.Order(ORDER.id, [app.Line("book", Decimal("1.10"))])
    async with app.huey, app.huey.create_consumer(pool=1):
        pid, found = await (await app.archive(order))
        assert (pid != os.getpid(), found) == (True, order)


def test_annotation_of_no_use_keeps_a_worker_from_starting() -> None:
    huey = MemoryHuey(serializer=JSONSerializer(typed=True))

    class Connection: ...

    @huey.task
    def query(connection: Connection) -> Any:
        return Connection

    with pytest.raises(ConfigurationError, match="Connection is of no use to JSON"):
        huey.create_consumer()
