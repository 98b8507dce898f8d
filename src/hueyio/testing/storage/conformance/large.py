"""Tasks with large messages, which storages may read and hand out in another way."""

from __future__ import annotations

from typing import Final

from hueyio.storage.records import CLAIM_BYTES, Delivery, Entry, Stage
from hueyio.testing.storage.conformance.basis import Basis
from hueyio.testing.storage.conformance.worker import Worker, make_entry

__all__ = ["LargeMessages"]

SIZE: Final = 300_000
"""Bytes of a message of which a claim brings a few."""


def make_large(id: str, size: int = SIZE) -> Entry:
    """Make a task whose message is all its id, so that one with another's message is found."""
    return make_entry(id, (id.encode() * size)[:size])


async def claim_all(worker: Worker) -> list[list[Delivery]]:
    """Claim until nothing comes."""
    claims = []
    while taken := await worker.claim():
        claims.append(taken)
    return claims


class LargeMessages(Basis):
    """A claim may end early with them; all come in the end, whole, in order."""

    async def test_large_messages_come_whole_and_in_order(self, worker: Worker) -> None:
        sizes = [SIZE, 10, SIZE, SIZE, SIZE, SIZE, 10, 10, *[70_000] * 20, *[10] * 30, SIZE]
        entries = [make_large(f"<{number}>", size) for number, size in enumerate(sizes)]
        for entry in entries:
            await worker.session.enqueue([entry])
        claims = await claim_all(worker)
        taken = [delivery for claim in claims for delivery in claim]
        assert [(it.header, it.data) for it in taken] == [(it.header, it.data) for it in entries]
        assert all(it.unrevoked for it in taken) or not any(it.unrevoked for it in taken)
        for claim in claims[:-1]:
            assert sum(len(it.data) for it in claim) > CLAIM_BYTES // 2  # or nobody would know that there is more
        await worker.finish(*taken)
        assert (await worker.session.counts()).running == 0

    async def test_claim_that_ended_early_leaves_the_other_lanes_their_share(self, worker: Worker) -> None:
        for number in range(10):
            await worker.session.enqueue([make_large(f"l{number}", CLAIM_BYTES // 2)])
        await worker.session.enqueue([make_entry("t", lane="thread")])
        assert "t" in await worker.claim_ids()

    async def test_large_message_comes_again_where_suspects_wait(self, worker: Worker) -> None:
        # Something is known of another delivery, so this is no ordinary claim for any storage.
        await worker.session.enqueue([make_large("a"), make_large("b")])
        lost = await worker.claim(loop=1)
        other = await Worker.register(worker.session)
        (owner,) = [it for it in await worker.session.owners() if it.owner == worker.owner]
        assert await worker.session.reclaim(owner.owner, owner.beat) == 1
        taken = [it for claim in await claim_all(other) for it in claim]
        assert [(it.receipt.id, it.receipt.deliveries, len(it.data)) for it in taken] == [
            ("a", 1, SIZE),
            ("b", 0, SIZE),
        ]
        assert taken[0].data == lost[0].data

    async def test_end_of_a_large_task_gives_its_unique_key_back(self, worker: Worker) -> None:
        large = make_large("a")
        entry = large._replace(header=large.header._replace(unique_key="only one"))
        (delivery,) = await worker.take(entry)
        assert delivery.header.unique_key == "only one"
        (answer,) = await worker.session.enqueue([make_entry("b", unique_key="only one")])
        assert (answer.verdict, answer.holder) == ("taken", "a")
        await worker.finish(delivery)
        (answer,) = await worker.session.enqueue([make_entry("b", unique_key="only one")])
        assert answer.verdict == "added"

    async def test_large_stage_brings_the_message_of_the_next(self, worker: Worker) -> None:
        large = make_large("a")
        next_data = b"b" * SIZE
        head = large._replace(header=large.header._replace(expects=("b",)), stages=(Stage("b", next_data),))
        (delivery,) = await worker.take(head)
        assert (delivery.data, delivery.header.expects, delivery.following) == (large.data, ("b",), next_data)
        await worker.finish(delivery, follow_ups=(make_large("b"),))
        (last,) = await worker.claim()
        assert (last.receipt.id, last.data, last.following) == ("b", make_large("b").data, None)
        await worker.finish(last)
        assert [found.state for found in await worker.session.locate(["a", "b"])] == ["ended", "ended"]

    async def test_large_messages_come_with_a_settlement(self, worker: Worker) -> None:
        first = await worker.take_one("first")
        entries = [make_large(f"<{number}>") for number in range(3)]
        await worker.session.enqueue(entries)
        worker.number += 1
        answers, taken = await worker.session.settle_and_claim(
            [worker.end(first)], worker.owner, worker.number, None, {"loop": 100}
        )
        assert answers == ["accepted"]
        found = [*(taken or []), *[it for claim in await claim_all(worker) for it in claim]]
        assert [it.data for it in found] == [it.data for it in entries]
