"""Damaged messages: none ends the consumer, none gets lost, and what cannot be read is a dead letter with its bytes.

``HUEYIO_TEST_CORRUPTED`` says how many.
"""

from __future__ import annotations

import os
import pickle
import random
from collections.abc import Callable
from typing import Any, Final

import pytest

from hueyio import Huey, SignedSerializer, TaskException
from hueyio.client.prepare import prepare
from hueyio.core import core_of
from hueyio.exceptions import SerializationError
from hueyio.messages.message import read_task
from hueyio.storage.records import Entry, Header
from tests.support.patience import until

CORRUPTED: Final = int(os.environ.get("HUEYIO_TEST_CORRUPTED", "200"))

Damage = Callable[[random.Random, bytes], bytes]


def flip_a_bit(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def cut_off(chance: random.Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data))]


def replace_a_stretch(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + chance.randbytes(chance.randrange(1, 9)) + data[at + 4 :]


def be_of_another_version(chance: random.Random, data: bytes) -> bytes:
    """The version is the first number of the tuple: K, one byte."""
    at = data.index(b"K\x01")
    return data[: at + 1] + bytes([chance.randrange(2, 256)]) + data[at + 2 :]


DAMAGES: Final[list[Damage]] = [flip_a_bit, cut_off, replace_a_stretch, be_of_another_version]


def is_readable(huey: Huey, entry: Entry) -> bool:
    try:
        return read_task(entry.data, core_of(huey).serializer).id == entry.header.id
    except SerializationError:
        return False


@pytest.mark.parametrize("signed", [False, True])
async def test_damaged_messages_are_dead_letters_and_the_consumer_goes_on(
    make_huey: Callable[..., Huey], signed: bool
) -> None:
    huey = make_huey(serializer=SignedSerializer(secret="s3cret")) if signed else make_huey()
    chance = random.Random(20)

    @huey.task(name="task")
    async def echo(number: Any, text: Any = "text") -> Any:
        return number

    entries = []
    for number in range(CORRUPTED):
        header, data, _ = prepare(core_of(huey), echo.s(number, text="some text"))
        entries.append(Entry(header, chance.choice(DAMAGES)(chance, data)))
    unreadable = {it.header.id: it.data for it in entries if not is_readable(huey, it)}
    assert len(unreadable) == CORRUPTED if signed else len(unreadable) > CORRUPTED / 2

    session = await core_of(huey).session()
    async with huey.create_consumer():
        for at in range(0, len(entries), 100):
            await session.enqueue(entries[at : at + 100])
        assert await (await echo(7)) == 7
        await until(lambda: nothing_is_ready(huey))
        assert await (await echo(8)) == 8
    assert {letter.header.id: letter.data for letter in await session.dead()} == unreadable
    await huey.close()


async def nothing_is_ready(huey: Huey) -> bool:
    counts = await huey.counts()
    return not (sum(counts.queued.values()) + counts.suspects + counts.running)


@pytest.mark.parametrize(
    "data",
    [pickle.dumps((1, "id", "name", 5)), pickle.dumps((1, "id", "name", (), {}, 0, 0, 0.0, 0.0, None, None, "noon"))],
)
async def test_message_with_fields_of_the_wrong_kind_is_a_dead_letter_that_can_be_listed(
    huey: Huey, data: bytes
) -> None:
    session = await core_of(huey).session()
    await session.enqueue([Entry(Header("odd"), data)])
    assert await huey.pending() == []
    async with huey.create_consumer():
        with pytest.raises(TaskException, match="cannot be read"):
            await huey.result_of("odd")
    (letter,) = await huey.dead()
    assert (letter.id, letter.task) == ("odd", None)
