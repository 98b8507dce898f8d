"""Every serializer from the call to the result, on every storage."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from hueyio import (
    ConfigurationError,
    EncryptedSerializer,
    Huey,
    JSONSerializer,
    MemoryHuey,
    SerializationError,
    Serializer,
    SignedSerializer,
    TaskArgumentError,
    TaskException,
)
from hueyio.core import Core, core_of
from hueyio.messages.entry import make_entry
from hueyio.storage.records import Bury, Entry, Header
from tests.unit.test_serializer import LIBRARIES, Armed


class Bytes(Serializer):
    """A user's format that has bytes, and no exceptions."""

    def _serialize(self, value: Any) -> bytes:
        return json.dumps(value, default=_hex).encode()

    def _deserialize(self, data: bytes) -> Any:
        return json.loads(data, object_hook=lambda found: bytes.fromhex(found["hex"]) if "hex" in found else found)


def _hex(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    raise TypeError(f"no {type(value).__name__} here")


MAKERS: Final[dict[str, Callable[[], Serializer]]] = {
    "pickle": Serializer,
    "gzip": lambda: Serializer(compression=True),
    "zlib": lambda: Serializer(compression=True, use_zlib=True),
    "signed": lambda: SignedSerializer("secret", compression=True),
    **{f"JSON by {library}": partial(JSONSerializer, library=library) for library in LIBRARIES},
    "signed JSON": lambda: SignedSerializer("secret", serializer=JSONSerializer()),
    "typed JSON": partial(JSONSerializer, typed=True),
    "encrypted": lambda: EncryptedSerializer(EncryptedSerializer.new_key(), compression=True),
    "own": Bytes,
}
WITH_EXCEPTIONS: Final = ("pickle", "gzip", "zlib", "signed", "encrypted")


@pytest.fixture(params=MAKERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("immediate", [False, True])
async def test_values_errors_and_handlers_work(make_huey: Callable[..., Huey], kind: str, immediate: bool) -> None:
    huey = make_huey(serializer=MAKERS[kind](), immediate=immediate)
    handled: list[Any] = []

    @huey.task
    async def add(a: int, b: int = 0) -> int:
        return a + b

    @huey.task(retries=1)
    async def fail() -> None:
        raise ValueError("no")

    @huey.task
    async def alert(why: str, error: Exception) -> None:
        handled.append((why, error))

    async def use() -> None:
        assert await (await add(1, b=2)) == 3
        assert await (await huey.enqueue(add.s(1, 2).then(add, 10))) == [3, 13]
        with pytest.raises(TaskException, match="no") as caught:
            await (await huey.enqueue(fail.s().error(alert, "because")))
        assert caught.value.metadata.keys() == {"error", "retries", "traceback", "task_id"}
        assert isinstance(caught.value.__cause__, ValueError) == (kind in WITH_EXCEPTIONS)

    if immediate:
        await use()
    else:
        async with huey.create_consumer():
            await use()
            while await huey.count() or len(handled) < 2:
                await (await add(0))
    await huey.close()
    assert [why for why, _ in handled] == ["because", "because"]
    kinds = {type(error) for _, error in handled}
    # Immediate mode passes arguments by reference, yet gives a handler only what a consumer could give it.
    assert kinds == {ValueError if kind in WITH_EXCEPTIONS else TaskException}
    assert "no" in str(handled[0][1])


@pytest.mark.parametrize("library", LIBRARIES)
async def test_argument_that_is_no_json_raises_at_the_call(make_huey: Callable[..., Huey], library: Any) -> None:
    huey = make_huey(serializer=JSONSerializer(library=library))

    @huey.task(name="load")
    async def load(names: Any, options: Any = None) -> None: ...

    with pytest.raises(TaskArgumentError, match=r"load: argument 'options' .*value\['a'\]\[1\] is of type set"):
        _ = load([], options={"a": [0, {1}]})
    with pytest.raises(TaskArgumentError, match=r"load: argument 1 .*value has the key 1"):
        _ = load({1: 2})
    await huey.close()


async def test_result_that_is_no_json_is_a_failure_that_says_where(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey(serializer=JSONSerializer())

    @huey.task
    async def odd() -> Any:
        return {"a": b"x"}

    async with huey.create_consumer():
        with pytest.raises(TaskException, match=r"odd returned: value\['a'\] is of type bytes"):
            await (await odd())
    await huey.close()


@pytest.mark.parametrize("kind", ["signed", "signed JSON", "own", "JSON by json"], indirect=True)
async def test_forged_message_is_dead_lettered_and_never_unpickled(
    make_huey: Callable[..., Huey], kind: str, tmp_path: Path
) -> None:
    huey = make_huey(serializer=MAKERS[kind]())

    @huey.task
    async def add(a: Any, b: int) -> Any:
        return b

    session = await core_of(huey).session()
    entry = make_entry(add.s(1, 2), add.spec, core_of(huey).serializer, core_of(huey).now())
    bait = tmp_path / "bait"
    await session.enqueue([entry._replace(data=pickle.dumps((1, entry.header.id, add.path, (Armed(bait), 2))))])
    async with huey.create_consumer():
        with pytest.raises(TaskException, match="cannot be read"):
            await huey.result_of(entry.header.id)
        assert await (await add(1, 2)) == 2
    assert [letter.id for letter in await huey.dead()] == [entry.header.id]
    assert not bait.exists()
    await huey.close()


@pytest.mark.parametrize("kind", ["signed", "signed JSON", "own", "JSON by json"], indirect=True)
async def test_forged_result_and_forged_cause_are_never_unpickled(
    make_huey: Callable[..., Huey], kind: str, tmp_path: Path
) -> None:
    huey = make_huey(serializer=MAKERS[kind]())
    session = await core_of(huey).session()
    bait = tmp_path / "bait"
    forged = pickle.dumps(Armed(bait))
    metadata = {"error": "x", "retries": 0, "traceback": "", "task_id": "cause"}
    await session.put("results", {"whole": forged})
    with pytest.raises(SerializationError, match="the result of task whole cannot be read"):
        await huey.result_of("whole")
    try:
        cause = core_of(huey).serializer.within("result", "cause").serialize(["failed", metadata, forged])
    except SerializationError:
        pass  # JSON has no way to say it
    else:
        await session.put("results", {"cause": cause})
        with pytest.raises(TaskException) as caught:
            await huey.result_of("cause")
        assert caught.value.__cause__ is None
    assert not bait.exists()
    await huey.close()


async def test_compression_is_switched_on_over_what_is_queued(make_huey: Callable[..., Huey]) -> None:
    before, after = make_huey(), make_huey(compression=True)
    if not before.storage.capabilities.across_processes:
        pytest.skip("two Hueys share no tasks in memory")

    async def add(a: int, b: int) -> int:
        return a + b

    result = await before.task(name="add")(add)(1, 2)
    after.task(name="add")(add)
    async with after.create_consumer():
        assert await after.result_of(result.id) == 3
    await before.close()
    await after.close()


@pytest.mark.parametrize("options", [{"serializer": pickle}, {"serializer": Serializer(), "compression": True}])
def test_serializer_that_is_none_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="serializer"):
        MemoryHuey(**options)


class JsonSerializer(Serializer):
    """A format that cannot hold the bytes of an exception."""

    def _serialize(self, value: Any) -> bytes:
        return json.dumps(value).encode()

    def _deserialize(self, data: bytes) -> Any:
        return json.loads(data)


async def test_error_in_a_format_without_bytes_is_kept_by_its_text(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey(serializer=JsonSerializer())

    @huey.task
    async def fail() -> None:
        raise ValueError("no")

    async with huey.create_consumer():
        with pytest.raises(TaskException, match="no"):
            await (await fail())
    await huey.close()


@pytest.mark.parametrize(("serializer", "is_run"), [(Serializer(), True), (SignedSerializer("secret"), False)])
async def test_whatever_a_producer_reads_is_unpickled_unless_it_is_signed(
    tmp_path: Path, serializer: Serializer, is_run: bool
) -> None:
    bait = tmp_path / "bait"
    async with MemoryHuey(serializer=serializer) as huey:
        await lay(core_of(huey), pickle.dumps(Armed(bait)))
        reads: dict[str, Callable[[], Awaitable[Any]]] = {
            "get": huey.result_of("id").get,
            "await": partial(huey.result_of("id").get, blocking=True),
            "status": huey.result_of("id").status,
            "value": partial(huey.get, "id"),
            "pending": huey.pending,
            "dead": huey.dead,
            "failed": lambda: first_task(huey),
            "requeue": partial(huey.requeue, "dead"),
            "inspect": partial(huey.inspect, "queued"),
            "schedules": huey.schedules().list,
        }
        ran = set()
        for name, read in reads.items():
            with suppress(SerializationError):
                await read()
            if bait.exists():
                ran.add(name)
                bait.unlink()
    assert ran == (set(reads) if is_run else set())


async def first_task(huey: Huey) -> Any:
    return (await huey.failed()).items[0].task


async def lay(core: Core, data: bytes) -> None:
    """Put bytes wherever something is read, as whoever can write to the storage can."""
    session = await core.session()
    await session.put("results", {"id": data})
    await session.put("data", {"id": data})
    schedule = {"times": {"hour": "3", "minute": "0"}, "task": base64.b64encode(data).decode()}
    await session.put("schedules", {"id": json.dumps(schedule).encode()})
    await session.enqueue([Entry(Header("queued"), data), Entry(Header("dead"), data)])
    await session.register("owner", b"")
    (_, delivery) = await session.claim({"loop": 2}, "owner")
    await session.settle([Bury(delivery.receipt, "unreadable")], "owner", 1)
    await session.deregister("owner")


class Exiting:
    """A value that ends the program when it is written."""

    def __reduce__(self) -> Any:
        raise SystemExit(1)


async def test_value_that_ends_the_program_when_it_is_written_is_a_failure(huey: Huey) -> None:
    @huey.task
    async def work() -> Any:
        return Exiting()

    async with huey.create_consumer():
        with pytest.raises(TaskException, match="cannot be serialised"):
            await (await work())


class Noted(Exception):
    """Notes when it is made and when it is taken apart."""

    made, taken_apart = 0, 0

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        Noted.made += 1

    def __reduce__(self) -> tuple[Any, ...]:
        Noted.taken_apart += 1
        return (Noted, self.args)


async def test_exception_is_made_again_only_where_it_is_passed_on() -> None:
    """Making one may count, or send a notice."""
    huey = MemoryHuey()
    handled: list[BaseException] = []

    @huey.task()
    async def note() -> None:
        raise Noted("once")

    @huey.task()
    async def handle(error: BaseException) -> None:
        handled.append(error)

    async def run_next() -> None:
        task = await huey.dequeue()
        assert task is not None
        await huey.execute(task)

    Noted.made = Noted.taken_apart = 0
    async with huey:
        result = await note()
        await run_next()
        assert (Noted.made, Noted.taken_apart) == (1, 1)
        with pytest.raises(TaskException) as caught:
            await result
        assert isinstance(caught.value.__cause__, Noted)
        Noted.made = 0
        await huey.enqueue(note.s().error(handle))
        await run_next()
        assert Noted.made == 2, "to see whether the handler's message could be read"
        await run_next()
        assert isinstance(handled[0], Noted)
