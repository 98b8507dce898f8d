"""Messages whose fields are of the wrong kind: each has an end, and the consumer, which they never disturb, goes on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import pytest

from hueyio import Huey, JSONSerializer, SerializationError, Serializer, SignedSerializer, TaskException
from hueyio.core import core_of
from hueyio.messages.message import Message, read_task
from hueyio.messages.revocation import class_key, instance_key
from hueyio.storage.records import Entry, Header, Lane
from tests.support.patience import until

SERIALIZERS: Final[dict[str, Callable[[], Serializer]]] = {
    "pickle": Serializer,
    "signed": lambda: SignedSerializer(secret="s3cret"),
    "json": lambda: JSONSerializer(library="json"),
}
VALUES: Final[list[Any]] = [
    *(None, True, False, 0, 1, -1, 10**400, 2**63, 0.5, math.inf, -math.inf, math.nan, 1e300),
    *("", "x", "\0", "1", b"", b"x", [], [1], ["x"], [None], [[]], (), {}, {"x": 1}, {1: 1}, 1j, {1}, Ellipsis),
    *([1, "x", {}], ["x", 1, "x"], ["x", "x", "x"], [9, "failed", {}], [[9, "failed", {}]], [0, -1], [1.5, 1.5]),
    *([1, "p", "app.send"], [1, "p", "app.send", 5], [1, "p", "app.send", [], "x"], [2, "p", "app.send"]),
]
BEFORE: Final = list(Message(1, "id", "name", (1,)))


def wrong_messages(serializer: Serializer, path: str, prefix: str) -> list[tuple[str, bytes]]:
    """Return messages with each value in each field, by id, as far as the format can hold them."""
    found = []
    serializer = serializer.within("message")
    for field in range(len(Message._fields) + 1):
        for number, value in enumerate(VALUES):
            id = f"{prefix}-{field}-{number}"
            fields = [*BEFORE, None]
            fields[1:3] = [id, path]
            fields[field] = value
            try:
                found.append((id, serializer.serialize(tuple(fields[: max(field + 1, 4)]))))
            except SerializationError:
                continue
    return found


@pytest.mark.parametrize("kind", SERIALIZERS)
def test_field_of_the_wrong_kind_is_refused_where_it_is_read(kind: str) -> None:
    serializer = SERIALIZERS[kind]()
    refused = 0
    for _, data in wrong_messages(serializer, "app.send", "x"):
        try:
            task = read_task(data, serializer)
        except SerializationError:
            refused += 1
        else:
            assert type(task.retries) is type(task.attempt) is int
            assert task.timeout is None or abs(task.timeout) <= 2**53
            assert isinstance(task.args, tuple)
    assert refused > 400, refused


@pytest.mark.parametrize("kind", SERIALIZERS)
async def test_messages_with_fields_of_the_wrong_kind_all_end_and_others_run(
    make_huey: Callable[..., Huey], kind: str
) -> None:
    huey = make_huey(serializer=SERIALIZERS[kind]())

    @huey.task
    def send(*args: Any, **kwargs: Any) -> int:
        return 1

    @huey.task
    async def asend(*args: Any, **kwargs: Any) -> int:
        return 1

    async with huey:
        session = await core_of(huey).session()
        lanes: dict[str, Lane] = {send.path: "thread", asend.path: "loop"}
        messages = [
            Entry(Header(id, lane), data)
            for turn, (path, lane) in enumerate(lanes.items())
            for id, data in wrong_messages(core_of(huey).serializer, path, lane)[turn::2]
        ]
        await session.enqueue(messages)
        healthy = [*await send.map([(n,) for n in range(20)]), *await asend.map([(n,) for n in range(20)])]
        async with huey.create_consumer(workers=2, threads=2):
            for result in healthy:
                assert await result == 1

            async def all_ended() -> bool:
                counts = await huey.counts()
                return not (counts.running or sum(counts.queued.values()))

            await until(all_ended)
        found = await session.locate([entry.header.id for entry in messages])
        waiting = {it.id.split("-")[1] for it in found if it.state in ("queued", "running", "scheduled")}
        assert waiting <= {"2"}  # a name that nobody knows yet
        assert len(await huey.dead(limit=10_000)) > 400


async def test_suspect_with_a_field_of_the_wrong_kind_does_not_stop_the_worker(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()

    @huey.task
    def send(x: int) -> int:
        return x

    async with huey:
        session = await core_of(huey).session()
        data = huey.serializer.serialize((1, "bad", send.path, (1,), None, 0, 0, 0.0, 0.0, "x"))
        await session.enqueue([Entry(Header("bad", "thread"), data)])
        for number in range(2):
            owner = f"dead {number}"
            await session.register(owner, b"{}")
            assert len(await session.claim({"thread": 1}, owner)) == 1
            (beat,) = [it.beat for it in await session.owners() if it.owner == owner]
            assert await session.reclaim(owner, beat) == 1
        async with huey.create_consumer():
            with pytest.raises(TaskException, match="timeout must not be str"):
                await huey.result_of("bad")
            assert await (await send(3)) == 3


GARBAGE: Final = [
    *(
        b"",
        b"\xff",
        b"null",
        b"1",
        b'"x"',
        b"[]",
        b"{}",
        b"[1]",
        b'["x", true]',
        b"[1, 2]",
        b"[[], false]",
        b"[NaN, 0]",
    ),
    *(b"[" * 100_000, b'{"times": 1}', b'{"times": {}, "task": "eA=="}', b'{"times": {"minute": 1}, "task": 5}'),
]


async def test_garbage_among_revocations_and_schedules_stops_no_worker(huey: Huey) -> None:
    @huey.task
    async def send(x: int) -> int:
        return x

    async with huey:
        session = await core_of(huey).session()
        schedules = huey.schedules()
        await schedules.add("good", send, "* * * * *", args=(1,))
        (good,) = [data for _, data in await session.scan_keys("schedules")]
        wrong = [
            good.replace(b'"since": ', b'"since": "x", "was": '),
            good.replace(b'"paused": false', b'"paused": "x"'),
            good.replace(b'"catch_up": false', b'"catch_up": []'),
        ]
        garbage = [*GARBAGE, *wrong]
        await session.put("schedules", {f"bad {number}": data for number, data in enumerate(garbage)})
        await session.put("ticks", {"schedule:good": b"garbage"})
        async with huey.create_consumer():
            for data in GARBAGE:
                call = send.s(5)
                await session.put("revocations", {class_key(send.path): data, instance_key(call.id): data})
                assert await (await huey.enqueue(call)) == 5
            assert [it.name for it in await schedules.list()] == ["good"]
