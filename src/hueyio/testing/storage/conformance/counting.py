"""What owners count."""

from __future__ import annotations

from hueyio.storage.contract import Session, Storage
from hueyio.storage.records import COUNT_SPANS, MOST_COUNTED, OTHERS, Counted, Counters, Lane
from hueyio.testing.storage.conformance.basis import Basis
from hueyio.testing.storage.conformance.worker import Worker, die, make_entries, make_entry

__all__ = ["Counting"]

_ODD = 'app.größe "\\ \n{}'
"""A name may have anything in it."""


def make_counted(name: str = "app.add", group: str = "app.add\nValueError: no", **counters: int) -> Counted:
    """Make what an owner counted: one task that ended, and failed."""
    return Counted({"done": 1, **counters}, {name: 1}, {group: 1}, {name: {"done": 1, **counters}})


async def read_sums(session: Session, *names: str, span: int = 60) -> tuple[Counted, dict[Lane, int]]:
    """Add up all that was counted: a slot may have ended meanwhile."""
    sums = Counted({}, {}, {}, {})
    enqueued: dict[Lane, int] = {}
    last = int(await session.time() // span)
    for slot in await session.read_slots(span, last - 2, last):
        _add(sums.totals, slot.totals)
        _add(sums.names, slot.names)
        _add(sums.failures, slot.failures)
        for lane, count in slot.enqueued.items():
            enqueued[lane] = enqueued.get(lane, 0) + count
    for it in await session.read_counts(span, last - 2, last, names):
        _add(sums.tasks.setdefault(it.name, {}), it.counters)
    return sums, enqueued


def _add(known: Counters, more: Counters) -> None:
    for key, count in more.items():
        known[key] = known.get(key, 0) + count


class Counting(Basis):
    """``publish``, ``read_slots``, ``read_counts`` and ``heads``."""

    async def test_counts_of_owners_are_added_up_in_every_span(self, session: Session) -> None:
        one, two = await Worker.register(session), await Worker.register(session)
        big = 10**12
        assert await session.publish(one.owner, 1, b"{}", make_counted(r20=3, rs=big))
        assert await session.publish(two.owner, 1, b"{}", make_counted(r20=1, w3=2, rs=big))
        assert await session.publish(two.owner, 2, b"{}", make_counted(_ODD, f"{_ODD}\nError"))
        for span in COUNT_SPANS:
            sums, _ = await read_sums(session, "app.add", _ODD, "unheard of", span=span)
            assert sums.totals == {"done": 3, "r20": 4, "w3": 2, "rs": 2 * big}
            assert sums.names == {"app.add": 2, _ODD: 1}
            assert sums.failures == {"app.add\nValueError: no": 2, f"{_ODD}\nError": 1}
            assert sums.tasks == {"app.add": {"done": 2, "r20": 4, "w3": 2, "rs": 2 * big}, _ODD: {"done": 1}}

    async def test_nothing_is_counted_where_nobody_counts(self, session: Session) -> None:
        last = int(await session.time() // 60)
        assert await session.read_slots(60, last - 10, last) == []
        assert await session.read_counts(60, last - 10, last, ["app.add"]) == []
        assert await session.read_counts(60, last - 10, last, []) == []

    async def test_repeat_of_a_number_adds_nothing(self, worker: Worker) -> None:
        session = worker.session
        for number in (1, 1, 2, 2, 1):
            assert await session.publish(worker.owner, number, b"{}", make_counted())
        sums, _ = await read_sums(session)
        assert sums.totals == {"done": 2}

    async def test_info_is_replaced_also_without_counts(self, worker: Worker) -> None:
        session = worker.session
        assert await session.publish(worker.owner, 0, b"one")
        assert [it.info for it in await session.owners()] == [b"one"]
        await session.publish(worker.owner, 1, b"two", make_counted())
        await session.publish(worker.owner, 1, b"three", make_counted())
        assert [it.info for it in await session.owners()] == [b"three"]
        sums, _ = await read_sums(session)
        assert sums.totals == {"done": 1}

    async def test_owner_without_a_lease_counts_nothing(self, session: Session) -> None:
        worker = await Worker.register(session)
        await session.publish(worker.owner, 1, b"", make_counted())
        await die(worker)
        assert not await session.publish(worker.owner, 2, b"info", make_counted())
        assert await session.owners() == []
        # A new lease begins with number 1.
        await session.register(worker.owner, b"")
        assert await session.publish(worker.owner, 1, b"", make_counted())
        sums, _ = await read_sums(session)
        assert sums.totals == {"done": 2}
        await session.deregister(worker.owner)
        assert not await session.publish(worker.owner, 2, b"info", make_counted())

    async def test_added_tasks_are_counted_once_by_lane(self, worker: Worker) -> None:
        session = worker.session
        await session.enqueue(make_entries(3))
        await session.enqueue(make_entries(3))  # they are alive
        await session.enqueue([
            make_entry("thread", lane="thread"), make_entry("unique", lane="thread", unique_key="u"),
            make_entry("taken", lane="thread", unique_key="u"), make_entry("later", lane="process", eta=2e9),
        ])  # fmt: skip
        await session.publish(worker.owner, 1, b"", make_counted())
        await session.publish(worker.owner, 2, b"", make_counted())
        _, enqueued = await read_sums(session)
        assert enqueued == {"loop": 3, "thread": 2, "process": 1}

    async def test_retry_is_not_added_and_a_follow_up_is(self, worker: Worker) -> None:
        session = worker.session
        (first,) = await worker.take(make_entry("first"))
        await worker.retry(first, make_entry("first"))
        await worker.finish(await worker.claim_one(), follow_ups=(make_entry("second"),))
        await worker.release(await worker.claim_one())
        await session.publish(worker.owner, 1, b"", make_counted())
        _, enqueued = await read_sums(session)
        assert enqueued == {"loop": 2}

    async def test_names_and_groups_of_a_slot_are_bounded(self, worker: Worker) -> None:
        session = worker.session
        number, names = 0, [""]
        for part in range(5):
            names = [f"app.task{part}_{index}" for index in range(30)]
            number += 1
            ones = dict.fromkeys(names, 1)
            counted = Counted({"done": 30}, ones, ones, {name: {"done": 1} for name in names})
            await session.publish(worker.owner, number, b"", counted)
        last = int(await session.time() // 3600)
        slots = await session.read_slots(3600, last - 1, last)
        assert sum(it.totals["done"] for it in slots) == 150
        for slot in slots:
            for bounded in (slot.names, slot.failures):
                assert len(bounded.keys() - {OTHERS}) <= MOST_COUNTED
                assert sum(bounded.values()) == slot.totals["done"]
        sums, _ = await read_sums(session, OTHERS, *names, span=3600)
        assert sums.tasks.get(OTHERS, {}).get("done", 0) == sums.names.get(OTHERS, 0)
        # One that is known is told apart although there is room for no other.
        await session.publish(worker.owner, number + 1, b"", make_counted("app.task0_0", OTHERS))
        after, _ = await read_sums(session, "app.task0_0", span=3600)
        assert after.tasks["app.task0_0"] == {"done": 2}

    async def test_heads_are_the_first_of_the_lanes(self, worker: Worker) -> None:
        session = worker.session
        assert await session.heads() == []
        entries = [*make_entries(3), make_entry("big", b"x" * 100_000, lane="process", max_deliveries=7)]
        await session.enqueue([*entries, make_entry("later", eta=2e9, lane="thread")])
        assert await session.heads() == [entries[0].header, entries[3].header]
        await worker.claim(loop=1, thread=0, process=1)
        assert [it.id for it in await session.heads()] == ["t1"]

    async def test_heads_are_of_the_highest_and_the_lowest_priority(self, storage: Storage, worker: Worker) -> None:
        session = worker.session
        if not storage.capabilities.priorities:
            return
        for id, priority in (("a", 1), ("b", 9), ("c", 9), ("d", 1), ("e", 5)):
            await session.enqueue([make_entry(id, priority=float(priority))])
        assert [it.id for it in await session.heads()] == ["b", "a"]
        assert await worker.claim_ids(loop=3) == ["b", "c", "e"]
        assert [it.id for it in await session.heads()] == ["a"]
