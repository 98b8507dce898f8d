"""Several processes on one storage, some of which do not end well.

A storage that does not reach across processes must not pretend to: another process, or another storage object built
the same way, then sees nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import pytest_asyncio

from hueyio.storage.contract import Session, Storage
from hueyio.storage.records import Bell
from hueyio.testing.storage.conformance.basis import Basis
from hueyio.testing.storage.conformance.children import Child
from hueyio.testing.storage.conformance.worker import (
    BELLS,
    PATIENCE,
    Worker,
    die,
    make_entries,
    make_entry,
    quiet,
    start_waiting,
)
from hueyio.testing.storage.recipe import Recipe

__all__ = ["Processes"]

Spawn: TypeAlias = Callable[..., Awaitable[Child]]

CROWD = 8


class Processes(Basis):
    """What other processes see, and what becomes of tasks when they freeze or die."""

    @pytest_asyncio.fixture(loop_scope="function")
    async def spawn(self, recipe: Recipe) -> AsyncIterator[Spawn]:
        """Start children that do not outlive the test."""
        children: list[Child] = []

        async def start(role: str, *arguments: object, options: tuple[str, ...] = ()) -> Child:
            if role == "crowd":
                child = await Child.start(role, recipe.to_json(), *map(str, arguments), options=options)
            else:
                child = await Child.start("child", role, recipe.to_json(), json.dumps(arguments), options=options)
            children.append(child)
            return child

        yield start
        for child in children:
            await child.kill()

    async def test_other_processes_see_the_same_tasks_or_none(
        self, storage: Storage, session: Session, spawn: Spawn, recipe: Recipe
    ) -> None:
        await session.enqueue([make_entry("a")])
        await quiet(session)
        child = await spawn("enqueue", "a", "b")
        assert await child.hear() == "ready"
        child.go()
        heard = await child.hear()
        if storage.capabilities.across_processes:
            assert heard == ["alive", "added"]
            assert (await session.counts()).queued["loop"] == 2
        else:
            assert heard == ["added", "added"]
            assert (await session.counts()).queued["loop"] == 1
            other = await recipe.build().connect()
            assert (await other.counts()).queued["loop"] == 0
            await other.close()
        assert await child.end() == (0, "")

    async def test_program_that_forgets_to_close_ends_cleanly_and_silently(self, spawn: Spawn) -> None:
        child = await spawn("forget", "owner", options=("-W", "always"))
        assert await child.hear() == "done"
        assert await child.end() == (0, "")

    async def test_bell_rings_in_other_processes(
        self, storage: Storage, session: Session, recipe: Recipe, spawn: Spawn
    ) -> None:
        if not storage.capabilities.across_processes:
            return await _expect_nothing_shared(session, recipe)
        child = await spawn("enqueue", "a")
        await child.hear()
        await quiet(session)
        child.go()
        rung: frozenset[Bell] = frozenset()
        async with asyncio.timeout(PATIENCE):
            while "loop" not in rung:  # another bell may ring for nothing
                rung = await session.wait_for_work(BELLS, PATIENCE)
        return None

    async def test_waiter_in_another_process_is_told(
        self, storage: Storage, worker: Worker, recipe: Recipe, spawn: Spawn
    ) -> None:
        if not storage.capabilities.across_processes:
            return await _expect_nothing_shared(worker.session, recipe)
        one, two = await worker.take(*make_entries(2))
        child = await spawn("wait", "t0", "t1")
        assert await child.hear() == "waiting"
        here = await start_waiting(worker.session, "t1")
        await worker.finish(one, result=b"0")
        await worker.finish(two, result=b"1")
        assert await child.hear() == [["t0", "0", False], ["t1", "1", True]]
        assert (await here)[0].shared
        assert await child.end() == (0, "")
        return None

    async def test_eight_processes_create_the_storage_and_share_its_tasks(
        self, storage: Storage, recipe: Recipe, spawn: Spawn
    ) -> None:
        crowd = await spawn("crowd", CROWD, 7, 0)
        assert await crowd.hear() == "open"
        session = await storage.connect()  # only now: all of them found nothing there
        entries = make_entries(500)
        await session.enqueue(entries)
        crowd.go()
        done = [id for ids in await crowd.hear() for id in ids]
        if storage.capabilities.across_processes:
            assert sorted(done) == sorted(entry.header.id for entry in entries)
            counts = await session.counts()
            assert (counts.results, counts.running, sum(counts.queued.values())) == (500, 0, 0)
            assert await session.owners() == []
        else:
            assert done == []
        assert await crowd.end() == (0, "")
        await session.close()

    async def test_once_token_is_honoured_once_whatever_the_number_of_producers(
        self, storage: Storage, spawn: Spawn
    ) -> None:
        if not storage.capabilities.across_processes:
            return
        crowd = await spawn("crowd", CROWD, 7, 60)
        assert await crowd.hear() == "open"
        crowd.go()
        done = [id for ids in await crowd.hear() for id in ids]
        assert sorted(id.partition(": ")[2] for id in done) == sorted(f"tick {number}" for number in range(60))
        assert await crowd.end() == (0, "")

    async def test_process_that_froze_overwrites_nothing_and_goes_on(
        self, storage: Storage, worker: Worker, recipe: Recipe, spawn: Spawn
    ) -> None:
        session = worker.session
        if not storage.capabilities.across_processes:
            return await _expect_nothing_shared(session, recipe)
        await session.enqueue(make_entries(3))
        child = await spawn("hold", "child")
        assert sorted(await child.hear()) == ["t0", "t1", "t2"]
        child.freeze()
        assert await die(Worker(session, "child")) == 3
        deliveries = await worker.claim()
        assert [it.receipt.deliveries for it in deliveries] == [1, 1, 1]
        await worker.finish(*deliveries, result=b"parent")
        await session.enqueue([make_entry("next")])
        child.thaw()
        child.go()
        assert await child.hear() == ["stale"] * 3
        assert await child.hear() == ["next"]
        assert await child.hear() == ["accepted"]
        assert await session.peek("results", ["t0", "t1", "t2", "next"]) == [b"parent"] * 3 + [b"child"]
        assert await child.end() == (0, "")
        return None

    async def test_tasks_of_a_killed_process_are_delivered_again(
        self, storage: Storage, worker: Worker, recipe: Recipe, spawn: Spawn
    ) -> None:
        session = worker.session
        if not storage.capabilities.across_processes:
            return await _expect_nothing_shared(session, recipe)
        await session.enqueue(make_entries(3))
        child = await spawn("hold", "child")
        assert sorted(await child.hear()) == ["t0", "t1", "t2"]
        await child.kill()
        assert {it.owner: it.held for it in await session.owners()} == {"child": 3, worker.owner: 0}
        assert await worker.claim() == []
        assert await die(Worker(session, "child")) == 3
        deliveries = await worker.claim()
        assert [it.receipt.deliveries for it in deliveries] == [1, 1, 1]
        await worker.finish(*deliveries, result=b"parent")
        assert (await session.counts()).results == 3
        return None


async def _expect_nothing_shared(session: Session, recipe: Recipe) -> None:
    """Expect that a second storage of the same recipe is another one."""
    await session.enqueue(make_entries(3))
    other = await recipe.build().connect()
    worker = await Worker.register(other)
    assert await worker.claim() == []
    assert worker.owner not in [it.owner for it in await session.owners()]
    assert (await session.counts()).queued["loop"] == 3
    await other.close()
