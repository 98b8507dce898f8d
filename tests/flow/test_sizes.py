"""What is too large is refused where it is made, and where it is read nothing grows beyond the bound."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, Final

import pytest

from hueyio import (
    Huey,
    JSONSerializer,
    SerializationError,
    Serializer,
    SignedSerializer,
    TaskArgumentError,
    TaskException,
)
from hueyio.core import core_of
from hueyio.storage.records import Entry, Header

MAX: Final = 5_000

SERIALIZERS: Final[dict[str, Callable[[], Serializer]]] = {
    "pickle": lambda: Serializer(max_size=MAX),
    "zlib": lambda: Serializer(compression=True, use_zlib=True, max_size=MAX),
    "json": lambda: JSONSerializer(max_size=MAX),
    "signed": lambda: SignedSerializer("secret", compression=True, max_size=MAX),
}


@pytest.mark.parametrize("kind", SERIALIZERS)
async def test_what_is_too_large_is_refused_at_the_call_and_fails_as_a_result(
    make_huey: Callable[..., Huey], kind: str
) -> None:
    huey = make_huey(serializer=SERIALIZERS[kind]())

    @huey.task(name="repeat")
    async def repeat(text: str, times: int = 1) -> str:
        return text * times

    large = "x" * MAX
    async with huey, huey.create_consumer():
        with pytest.raises(TaskArgumentError, match=r"repeat: argument 'text' .*at most 5,000 .*raise max_size"):
            await repeat(text=large)
        with pytest.raises(SerializationError, match="at most 5,000"):
            await huey.put("key", large)
        with pytest.raises(TaskException, match=r"repeat returned: it takes .*at most 5,000"):
            await (await repeat("x", MAX))
        assert await (await repeat("x", MAX // 2)) == "x" * (MAX // 2)


BOMB: Final = 20_000_000


def bomb(wbits: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join([packer.compress(bytes(1_000_000)) for _ in range(BOMB // 1_000_000)]) + packer.flush()


@pytest.mark.parametrize("wbits", [31, 15], ids=["gzip", "zlib"])
async def test_what_unpacks_to_too_much_is_refused_wherever_it_lies(make_huey: Callable[..., Huey], wbits: int) -> None:
    huey = make_huey(serializer=Serializer(compression=True, max_size=1_000_000))

    @huey.task(name="echo")
    async def echo(value: Any) -> Any:
        return value

    async with huey:
        session, data = await core_of(huey).session(), bomb(wbits)
        await session.enqueue([Entry(Header("bomb"), data)])
        await session.put("results", {"result": data})
        await session.put("data", {"value": data})
        await session.put("schedules", {"schedule": data})
        async with huey.create_consumer():
            with pytest.raises(TaskException, match="at most 1,000,000"):
                await huey.result_of("bomb")
            assert await (await echo("well")) == "well"
        with pytest.raises(SerializationError, match="at most 1,000,000"):
            await huey.result_of("result")
        with pytest.raises(SerializationError, match="at most 1,000,000"):
            await huey.get("value")
        assert await huey.schedules().list() == []
        (letter,) = (await huey.failed(kind="unreadable")).items
        assert (letter.id, letter.task) == ("bomb", None)
