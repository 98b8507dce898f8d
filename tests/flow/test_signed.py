"""Signed bytes hold for the place that they were signed for: all that a queue does works, and nothing can be moved."""

from __future__ import annotations

import hashlib
import hmac
import pickle
from collections.abc import Callable
from typing import Any, Final

import pytest

from hueyio import (
    SKIPPED,
    Error,
    Huey,
    SerializationError,
    SignedSerializer,
    Snooze,
    Task,
    TaskException,
    chord,
    crontab,
)
from hueyio.core import core_of
from hueyio.storage.contract import Session
from hueyio.storage.records import Entry, Header

Make = Callable[..., Huey]

SECRET: Final = "a secret of these tests"


class Encrypting(SignedSerializer):
    """A user's own on top: what it makes of the bytes depends on the place too."""

    def serialize(self, value: Any) -> bytes:
        return bytes(byte ^ 0x5A for byte in super().serialize(value))

    def deserialize(self, data: bytes) -> Any:
        return super().deserialize(bytes(byte ^ 0x5A for byte in data))


def declare(huey: Huey) -> dict[str, Any]:
    """Declare what the tests call."""

    @huey.task(name="echo")
    async def echo(*args: Any) -> list[Any]:
        return list(args)

    @huey.task(name="fail", retries=1, context=True)
    async def fail(task: Task) -> None:
        await task.progress(0.5, "half")
        raise ValueError(f"no {task.attempt}")

    @huey.task(name="snooze", context=True)
    async def snooze(task: Task) -> str:
        if task.put_back is None:
            raise Snooze(0.0)
        return "slept"

    @huey.task(name="collect")
    async def collect(values: list[Any]) -> list[str]:
        return [type(it).__name__ if isinstance(it, Error) else repr(it) for it in values]

    return {"echo": echo, "fail": fail, "snooze": snooze, "collect": collect}


@pytest.mark.parametrize("kind", [SignedSerializer, Encrypting])
async def test_all_that_a_queue_does_works_when_it_is_signed(make_huey: Make, kind: type[SignedSerializer]) -> None:
    huey = make_huey(serializer=kind(SECRET))
    tasks = declare(huey)
    echo, fail, collect = tasks["echo"], tasks["fail"], tasks["collect"]
    async with huey, huey.create_consumer():
        assert await (await huey.enqueue(echo.s(1).then(echo, 2))) == [[1], [2, [1]]]
        assert await (await tasks["snooze"]()) == "slept"
        with pytest.raises(TaskException, match="no 1"):
            await (await huey.enqueue(fail.s(id="failing").error(echo, "handled")))
        assert "no 1" in str(await huey.result_of("failing:e1"))
        revoked = echo.s(3)
        await huey.revoke(revoked)
        answer = await huey.enqueue(chord([echo.s(4), fail.s(), revoked], collect.s()))
        assert await answer == ["[4]", "Error", "SKIPPED"]
        await echo.options(id="alive", delay=600)()
        unable = await huey.enqueue(chord([echo.s(5), echo.s(id="alive")], collect.s()))
        assert await unable == ["[5]", repr(SKIPPED)]
        await huey.put("key", {"a": 1})
        assert await huey.get("key") == {"a": 1}
        await huey.put_result("put", "result")
        assert await huey.result_of("put") == "result"
        later = await huey.result_of("alive").reschedule(delay=0)
        assert await later == []
        assert (await huey.requeue(["failing"])) == {"failing": "added"}
        with pytest.raises(TaskException, match="no"):
            await huey.result_of("failing")
        await huey.schedules().add("daily", echo, crontab("0", "0"), [6])
        assert await (await huey.schedules().run_now("daily")) == [6]
        assert [it.name for it in await huey.schedules().list()] == ["daily"]


async def stored(huey: Huey, tasks: dict[str, Any]) -> dict[str, bytes]:
    """Write one of each kind of signed bytes, and read them from the storage."""
    core, session = core_of(huey), await core_of(huey).session()
    await tasks["echo"].options(id="message", delay=600)("a message")
    await huey.put("key", [1, "forged", "echo", ["as a value"]])
    await huey.put_result("result", [1, "forged", "echo", ["as a result"]])
    await huey.schedules().add("name", tasks["echo"], crontab("0", "0"), ["a schedule"])
    (found,) = await session.locate(["message"])
    assert found.data is not None
    progress = core.serializer.within("progress", "result").serialize([0.5, "half"])
    (value,), (result,) = await session.peek("data", ["key"]), await session.peek("results", ["result"])
    assert value is not None
    assert result is not None
    return {"message": found.data, "value": value, "result": result, "progress": progress}


async def assert_is_refused(huey: Huey, session: Session, id: str, data: bytes) -> None:
    """Put bytes where a message lies, as whoever can write to the storage can; the consumer must not run them."""
    await session.enqueue([Entry(Header(id), data)])
    with pytest.raises(TaskException, match="cannot be read"):
        await huey.result_of(id)


async def test_signed_bytes_are_no_message_when_they_are_of_another_kind_id_or_queue(make_huey: Make) -> None:
    huey = make_huey(serializer=SignedSerializer(SECRET))
    tasks = declare(huey)
    async with huey:
        session = await core_of(huey).session()
        found = await stored(huey, tasks)
        foreign = SignedSerializer(SECRET).within("another queue", "message")
        found["another queue"] = foreign.serialize((1, "from another queue", tasks["echo"].path, ()))
        key = hmac.digest(SECRET.encode(), b"huey", hashlib.sha256)
        data = pickle.dumps((1, "from old version", tasks["echo"].path, ()))
        found["old version"] = hmac.digest(key, data, hashlib.sha256) + data
        found["unsigned"] = pickle.dumps((1, "from unsigned", tasks["echo"].path, ()))
        async with huey.create_consumer():
            for name, data in found.items():
                await assert_is_refused(huey, session, f"from {name}", data)
            assert await (await tasks["echo"]("well")) == ["well"]
        reasons = {it.id: it.reason for it in await huey.dead()}
    assert "message of task 'message'" in reasons["from message"]
    assert "hueyio 0.1" in reasons["from old version"]
    assert "not signed" in reasons["from unsigned"]
    assert all("another place" in reasons[f"from {it}"] for it in ("value", "result", "progress", "another queue"))


async def test_signed_value_result_and_schedule_are_refused_when_they_lie_under_another_key(make_huey: Make) -> None:
    huey = make_huey(serializer=SignedSerializer(SECRET))
    tasks = declare(huey)
    async with huey:
        session = await core_of(huey).session()
        found = await stored(huey, tasks)
        for name, data in found.items():
            await session.put("data", {f"other {name}": data})
            with pytest.raises(SerializationError, match="another place"):
                await huey.get(f"other {name}")
            await session.put("results", {f"other {name}": data})
            with pytest.raises(SerializationError, match="another place"):
                await huey.result_of(f"other {name}")
        ((_, schedule),) = await session.scan_keys("schedules")
        await session.put("schedules", {"other": schedule})
        assert [it.name for it in await huey.schedules().list()] == ["name"]
        assert await huey.get("key") == [1, "forged", "echo", ["as a value"]]
        assert await huey.result_of("result") == [1, "forged", "echo", ["as a result"]]


async def test_progress_is_refused_when_it_is_that_of_another_task(make_huey: Make) -> None:
    huey = make_huey(serializer=SignedSerializer(SECRET))
    tasks = declare(huey)
    async with huey:
        session = await core_of(huey).session()
        await tasks["echo"].options(id="running")()
        await session.register("owner", b"{}")
        (delivery,) = await session.claim({"loop": 1}, "owner")
        progress = core_of(huey).serializer.within("progress", "another").serialize([1.0, "done"])
        assert await session.report(delivery.receipt, progress)
        with pytest.raises(SerializationError, match="another place"):
            await anext(huey.result_of("running").updates())
        await session.deregister("owner")


async def test_result_of_a_chords_member_is_refused_when_it_is_that_of_another(make_huey: Make) -> None:
    huey = make_huey(serializer=SignedSerializer(SECRET))
    tasks = declare(huey)
    async with huey:
        core = core_of(huey)
        place = core.serializer.within
        handle = await huey.enqueue(chord([tasks["echo"].s(), tasks["echo"].s()], tasks["collect"].s()))
        latch = handle.callback.id
        one, two = place("member", latch, "0").serialize([1]), place("member", latch, "1").serialize([2])
        for data in (one, place("member", "another", "1").serialize([1]), place("result", latch).serialize([1])):
            with pytest.raises(SerializationError, match="another place"):
                place("member", latch, "1").deserialize(data)
        assert place("member", latch, "1").deserialize(two) == [2]
        async with huey.create_consumer():
            assert await handle.callback == ["[]", "[]"]


async def test_queue_of_one_name_is_read_when_another_huey_wrote_to_it(make_huey: Make) -> None:
    """The place names the queue of the storage; what the Huey is called, and whose serializer it is, is no matter."""
    writer, reader = make_huey(serializer=SignedSerializer(SECRET)), make_huey(serializer=SignedSerializer(SECRET))
    if not writer.storage.capabilities.across_processes:
        pytest.skip("two Hueys share no tasks in memory")
    serializer = SignedSerializer(SECRET)
    assert make_huey(serializer=serializer).serializer is serializer
    sent = await declare(writer)["echo"](1)
    declare(reader)
    async with reader.create_consumer():
        assert await reader.result_of(sent.id) == [1]
    await writer.close()
    await reader.close()
