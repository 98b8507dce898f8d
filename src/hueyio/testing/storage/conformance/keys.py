"""Small values in named areas."""

from __future__ import annotations

import asyncio

import pytest

from hueyio.storage.contract import Session
from hueyio.storage.records import AREAS, Area
from hueyio.testing.storage.conformance.basis import Basis, Connect
from hueyio.testing.storage.conformance.worker import eventually

__all__ = ["Keys"]

SOON_OVER = 0.05
LONG = 600.0


class Keys(Basis):
    """``put``, ``peek``, ``pop``, ``delete``, comparisons and counters; times to live."""

    @pytest.mark.parametrize("area", AREAS)
    async def test_put_writes_over_what_was_there(self, session: Session, area: Area) -> None:
        await session.put(area, {"a": b"1", "b": b"", "c": bytes(range(256))})
        await session.put(area, {"a": b"2"})
        await session.put(area, {})
        assert await session.peek(area, ["c", "a", "none", "b", "a"]) == [bytes(range(256)), b"2", None, b"", b"2"]
        assert await session.peek(area, []) == []

    async def test_large_results_come_whole_beside_small_ones(self, session: Session) -> None:
        sizes = {"none": 0, "small": 10, "edge": 65_536, "above": 65_537, "large": 1_000_000, "over": 200_000}
        values = {key: bytes(range(256)) * (size // 256) + b"x" * (size % 256) for key, size in sizes.items()}
        await session.put("results", values)  # some storages read them in another way when all stay for ever
        order = ["large", "nobody", "small", "above", "none", "edge", "over", "large"]
        assert await session.peek("results", order) == [values.get(key) for key in order]
        await session.put("results", values, LONG)
        await session.put("results", {"over": values["over"]}, 0.0)
        del values["over"]
        assert await session.peek("results", order) == [values.get(key) for key in order]
        assert [it.data for it in await session.locate(order)] == [values.get(key) for key in order]
        assert [it.data for it in await session.await_outcomes(order)] == [values.get(key) for key in order]
        assert dict(await session.scan_keys("results")) == values
        assert [it.found.data for it in await session.describe(["large"])] == [values["large"]]

    async def test_areas_do_not_mix(self, session: Session) -> None:
        for area in AREAS:
            await session.put(area, {"key": area.encode()})
        await session.delete("data", ["key"])
        for area in AREAS:
            assert await session.peek(area, ["key"]) == [None if area == "data" else area.encode()]
            assert await session.scan_keys(area) == ([] if area == "data" else [("key", area.encode())])

    async def test_put_if_absent_writes_once(self, session: Session) -> None:
        assert await session.put_if_absent("data", "key", b"")
        assert not await session.put_if_absent("data", "key", b"2")
        assert await session.peek("data", ["key"]) == [b""]

    async def test_put_if_absent_lets_one_of_many_win(self, connect: Connect) -> None:
        sessions = [await connect() for _ in range(3)]
        writes = [sessions[i % 3].put_if_absent("locks", "key", b"%d" % i) for i in range(30)]
        won = await asyncio.gather(*writes)
        assert won.count(True) == 1
        assert await sessions[0].peek("locks", ["key"]) == [b"%d" % won.index(True)]

    async def test_pop_reads_and_deletes(self, session: Session) -> None:
        await session.put("results", {"key": b""})
        assert await session.pop("results", "key") == b""
        assert await session.pop("results", "key") is None
        assert await session.peek("results", ["key"]) == [None]

    async def test_pop_gives_a_value_to_one_of_many(self, connect: Connect) -> None:
        sessions = [await connect() for _ in range(3)]
        await sessions[0].put("data", {"key": b"value"})
        popped = await asyncio.gather(*[sessions[i % 3].pop("data", "key") for i in range(30)])
        assert sorted(popped, key=lambda it: it is None) == [b"value", *[None] * 29]

    async def test_delete_counts_what_was_there(self, session: Session) -> None:
        await session.put("data", {"a": b"1", "b": b"2", "c": b"3"})
        assert await session.delete("data", ["a", "none", "c"]) == 2
        assert await session.delete("data", ["a"]) == 0
        assert await session.delete("data", []) == 0
        assert await session.scan_keys("data") == [("b", b"2")]

    async def test_compare_delete_asks_for_the_very_value(self, session: Session) -> None:
        await session.put("locks", {"key": b"mine"})
        assert not await session.compare_delete("locks", "key", b"theirs")
        assert not await session.compare_delete("locks", "none", b"")
        assert await session.compare_delete("locks", "key", b"mine")
        assert not await session.compare_delete("locks", "key", b"mine")

    async def test_add_counts_up_and_down(self, session: Session) -> None:
        assert await session.add("windows", "key") == 1
        assert await session.add("windows", "key", 41) == 42
        assert await session.add("windows", "key", -50) == -8
        assert await session.peek("windows", ["key"]) == [b"-8"]
        await session.put("windows", {"key": b"7"})
        assert await session.add("windows", "key") == 8

    async def test_add_loses_no_count(self, connect: Connect) -> None:
        sessions = [await connect() for _ in range(3)]
        counts = await asyncio.gather(*[sessions[i % 3].add("data", "key") for i in range(60)])
        assert sorted(counts) == list(range(1, 61))

    # --- times to live

    async def test_key_is_gone_when_its_time_is_over(self, session: Session) -> None:
        await session.put("data", {"short": b"1", "short2": b"2"}, ttl=SOON_OVER)
        await session.put("data", {"long": b"3"}, ttl=LONG)
        await session.put("data", {"ever": b"4"})
        assert await session.put_if_absent("data", "absent", b"5", ttl=SOON_OVER)
        await eventually(lambda: _gone(session, "short", "short2", "absent"))
        assert dict(await session.scan_keys("data")) == {"long": b"3", "ever": b"4"}
        assert await session.pop("data", "short") is None
        assert await session.delete("data", ["short"]) == 0
        assert not await session.compare_delete("data", "short", b"1")
        assert not await session.compare_extend("data", "short", b"1", LONG)
        assert await session.put_if_absent("data", "short", b"6")

    async def test_put_replaces_the_time_to_live(self, session: Session) -> None:
        await session.put("data", {"a": b"1", "b": b"1", "marker": b""}, ttl=SOON_OVER)
        await session.put("data", {"a": b"2"})
        await session.put("data", {"b": b"2"}, ttl=LONG)
        await eventually(lambda: _gone(session, "marker"))
        assert await session.peek("data", ["a", "b"]) == [b"2", b"2"]
        await session.put("data", {"a": b"3"}, ttl=SOON_OVER)
        await eventually(lambda: _gone(session, "a"))

    async def test_compare_extend_asks_for_the_very_value(self, session: Session) -> None:
        await session.put("locks", {"a": b"mine", "b": b"mine", "marker": b""}, ttl=SOON_OVER)
        extended = [
            await session.compare_extend("locks", "a", b"mine", LONG),
            await session.compare_extend("locks", "b", b"theirs", LONG),
            await session.compare_extend("locks", "none", b"", LONG),
        ]
        await eventually(lambda: _gone(session, "b", "marker", area="locks"))
        if extended[0]:  # unless the machine was too busy to extend it in time
            assert await session.peek("locks", ["a"]) == [b"mine"]
        assert extended[1:] == [False, False]

    async def test_compare_extend_sets_any_time_to_live(self, session: Session) -> None:
        await session.put("locks", {"a": b"mine"}, ttl=LONG)
        assert await session.compare_extend("locks", "a", b"mine", None)
        assert await session.compare_extend("locks", "a", b"mine", SOON_OVER)
        await eventually(lambda: _gone(session, "a", area="locks"))

    async def test_counter_keeps_the_time_to_live_that_it_was_created_with(self, session: Session) -> None:
        await session.add("windows", "short", ttl=0.5)
        counted = await session.add("windows", "short", ttl=LONG)
        await session.add("windows", "ever")
        await session.add("windows", "ever", ttl=SOON_OVER)
        if counted == 2:  # unless the disk was so slow that the first was over
            await eventually(lambda: _counts_anew(session, "short"))
        assert await session.peek("windows", ["ever"]) == [b"2"]


async def _gone(session: Session, *keys: str, area: Area = "data") -> bool:
    return await session.peek(area, keys) == [None] * len(keys)


async def _counts_anew(session: Session, key: str) -> bool:
    return await session.peek("windows", [key]) == [None] and await session.add("windows", key) == 1
