"""Texts that are ids, keys and names: what one storage cannot hold is refused on all of them, at the call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from hueyio import Huey, HueyException, JSONSerializer, Task, TaskException, crontab
from hueyio.core import core_of
from hueyio.messages.message import Message
from hueyio.storage.records import Entry, Header

ODD: Final = "a\ud800"


async def lock(huey: Huey, name: str, key: str | None = None) -> None:
    guard = huey.lock_task(name)
    async with guard if key is None else guard.of(key):
        pass


CALLS: Final[dict[str, Callable[[Huey, Any], Any]]] = {
    "id": lambda huey, work: work.options(id=ODD)(1),
    "id of a Task": lambda huey, work: huey.enqueue(Task(work.path, (1,), id=ODD)),
    "id of a stage": lambda huey, work: huey.enqueue(work.s(1).then(Task(work.path, id=ODD))),
    "id of a handler": lambda huey, work: huey.enqueue(work.s(1).error(Task(work.path, id=ODD))),
    "unique key": lambda huey, work: work.options(unique="skip", unique_key=ODD)(1),
    "unique key of arguments": lambda huey, work: work.options(unique="skip", unique_key=str)(ODD),
    "put": lambda huey, work: huey.put(ODD, 1),
    "get": lambda huey, work: huey.get(ODD),
    "peek": lambda huey, work: huey.get(ODD, peek=True),
    "put_if_empty": lambda huey, work: huey.put_if_empty(ODD, 1),
    "delete": lambda huey, work: huey.delete(ODD),
    "put_result": lambda huey, work: huey.put_result(ODD, 1),
    "result": lambda huey, work: huey.result(ODD),
    "cancel": lambda huey, work: huey.cancel(ODD),
    "revoke": lambda huey, work: huey.revoke_by_id(ODD),
    "restore": lambda huey, work: huey.restore_by_id(ODD),
    "is_revoked": lambda huey, work: huey.is_revoked(ODD),
    "requeue": lambda huey, work: huey.requeue([ODD]),
    "purge": lambda huey, work: huey.purge([ODD]),
    "failed": lambda huey, work: huey.failed(text=ODD),
    "lock": lambda huey, work: lock(huey, ODD),
    "key of a lock": lambda huey, work: lock(huey, "a", ODD),
    "is_locked": lambda huey, work: huey.is_locked(ODD),
    "rate limit": lambda huey, work: huey.rate_limit(ODD, 1, 1).acquire(),
    "schedule": lambda huey, work: huey.schedules().add(ODD, work, crontab(), [1]),
    "remove": lambda huey, work: huey.schedules().remove(ODD),
    "pause": lambda huey, work: huey.schedules().pause(ODD),
    "resume": lambda huey, work: huey.schedules().resume(ODD),
    "run_now": lambda huey, work: huey.schedules().run_now(ODD),
}


async def test_text_that_no_storage_can_hold_is_refused_at_the_call(make_huey: Callable[..., Huey]) -> None:
    async with make_huey() as huey:

        @huey.task(name="work")
        async def work(x: Any) -> Any:
            return x

        for call in CALLS.values():
            with pytest.raises(HueyException, match="lone surrogate"):
                await call(huey, work)
        assert await huey.count() == 0
        async with huey.create_consumer():
            assert await (await work([ODD, {ODD: 1}])) == [ODD, {ODD: 1}]


def test_name_that_no_storage_can_hold_is_refused_at_the_declaration(make_huey: Callable[..., Huey]) -> None:
    with pytest.raises(HueyException, match="lone surrogate"):
        make_huey().task(name=ODD)(print)


async def test_message_with_such_a_text_is_a_dead_letter_and_others_run(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey(serializer=JSONSerializer())

    @huey.task(name="work")
    async def work(x: Any) -> Any:
        return x

    path = work.path
    odd = (1, ODD, path, ())
    messages = {
        "name": Message(1, "name", ODD),
        "stage": Message(1, "stage", path, (1,), on_complete=odd),
        "handler": Message(1, "handler", path, (1,), on_error=odd),
        "chord": Message(1, "chord", path, (1,), retries=1, chord=(ODD, 0, path)),
    }
    async with huey:
        session = await core_of(huey).session()
        await session.enqueue([Entry(Header(id), huey.serializer.serialize(tuple(it))) for id, it in messages.items()])
        async with huey.create_consumer():
            for id in messages:
                with pytest.raises(TaskException, match="lone surrogate"):
                    await huey.result_of(id)
            assert await (await work(3)) == 3
