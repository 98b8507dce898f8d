"""A chord of Huey's is moved whole, or left to Huey."""

from __future__ import annotations

from typing import Any

import huey
import pytest

from hueyio import MemoryHuey
from hueyio.migration.chords import Chords, Member
from hueyio.migration.entries import chord_entries, with_token
from hueyio.migration.huey_values import chord_place
from hueyio.migration.source import make_tokens
from tests.migration.conftest import source_of, transfer_from
from tests.migration.queues import Written
from tests.migration.test_transfer import drained, left, moved


def nested(tasks: dict[str, Any]) -> Any:
    """A chord of a task, a pipeline, and a chord inside."""
    add, total = tasks["add"], tasks["total"]
    inner = huey.chord([add.s(1), add.s(2)], total.s())
    return huey.chord([add.s(10), add.s(20).then(add, 5), inner], total.s().then(add, 1000))


async def test_chord_runs_here_with_all_that_is_inside(written: Written, here: MemoryHuey) -> None:
    written.huey.enqueue(nested(written.tasks))
    transfer = await moved(written, here)
    assert (written.size, transfer.tally.tasks, transfer.tally.refused) == (0, 4, 0)
    returned = await drained(here)
    assert returned[-2:] == [38, 1038]
    assert sorted(returned) == [1, 2, 3, 10, 20, 25, 38, 1038]


async def test_chord_that_has_begun_stays_for_huey(written: Written, here: MemoryHuey) -> None:
    result = written.huey.enqueue(nested(written.tasks))
    written.huey.execute(written.huey.dequeue())
    transfer = await moved(written, here)
    assert (transfer.tally.tasks, left(transfer)) == (0, [("add", "chord", 3)])
    for _ in range(8):
        task = written.huey.dequeue()
        if task is not None:
            written.huey.execute(task)
    assert result.get() in (38, 1038)
    assert written.size == 0


@pytest.mark.parametrize("moment", ["taken", "enqueued"])
async def test_chord_of_an_import_that_was_killed_runs_once(written: Written, here: MemoryHuey, moment: str) -> None:
    written.huey.enqueue(nested(written.tasks))
    async with source_of(written) as source:
        held = await source.page("queue", 0, 9)
        await source.take(dict(zip(make_tokens(len(held)), held, strict=True)), all_or_none=True)
        if moment == "enqueued":
            aside = await source.aside()
            transfer = await transfer_from(source, here)
            await transfer.recover()
            await source.give_back([it.token for it in aside])  # nothing is aside: nothing comes back
    assert written.size == 0
    await moved(written, here)
    returned = await drained(here)
    await moved(written, here)
    assert sorted([*returned, *await drained(here)]) == [1, 2, 3, 10, 20, 25, 38, 1038]


@pytest.mark.parametrize("written", ["list"], indirect=True)
async def test_chord_that_two_imports_bring_runs_once(written: Written, here: MemoryHuey) -> None:
    written.huey.enqueue(nested(written.tasks))
    chords: Chords[None] = Chords()
    async with source_of(written) as source:
        transfer = await transfer_from(source, here)
        for it in await source.page("queue", 0, 9):
            message = transfer.reading.read_message(it.data)
            place = chord_place(message)
            assert place is not None
            chords.add(place, Member(message, None))
        (found,), _ = chords.split()
        made = chord_entries(transfer.core, transfer.reading, found)
        entries = [with_token(it, token) for it, token in zip(made.entries, make_tokens(4), strict=True)]
        for _ in range(2):
            await transfer.session.enqueue(entries, made.latches)
    assert sorted(await drained(here)) == [1, 2, 3, 10, 20, 25, 38, 1038]


@pytest.mark.parametrize("written", ["file"], indirect=True)
@pytest.mark.parametrize("was_enqueued", [False, True])
async def test_part_of_a_chord_that_is_aside_is_neither_lost_nor_doubled(
    written: Written, here: MemoryHuey, was_enqueued: bool
) -> None:
    written.huey.enqueue(nested(written.tasks))
    async with source_of(written) as source:
        held = await source.page("queue", 0, 9)
        tokens = make_tokens(len(held))
        await source.take(dict(zip(tokens, held, strict=True)))
        if was_enqueued:
            await (await transfer_from(source, here)).recover()
            for it in held:  # whoever dropped them was killed before the last two
                written.huey.storage.enqueue(it.data)
            held = await source.page("queue", 0, 9)
            await source.take(dict(zip(tokens[:2], held[:2], strict=True)))
            for _ in held[2:]:
                written.huey.dequeue()
        else:
            await source.give_back(tokens[:2])
    await moved(written, here)
    assert written.size == 0
    assert sorted(await drained(here)) == [1, 2, 3, 10, 20, 25, 38, 1038]
