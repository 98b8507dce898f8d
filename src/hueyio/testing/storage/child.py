"""A process of its own for the conformance suite: ``python -m hueyio.testing.storage.child ROLE RECIPE ARGUMENTS``.

It says one line of JSON for each thing that it has done, and waits for a line on its standard input where its role
says so.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

from hueyio.storage.contract import Session, Storage
from hueyio.storage.records import LANES, Delivery, Entry, Finish, Header
from hueyio.testing.storage.recipe import Recipe

__all__ = ["ROLES", "main"]


async def enqueue(storage: Storage, go: Callable[[], Awaitable[None]], *ids: str) -> None:
    """Open the storage when told, and enqueue tasks."""
    say("ready")
    await go()
    session = await storage.connect()
    say([answer.verdict for answer in await session.enqueue([Entry(Header(id), id.encode()) for id in ids])])
    await session.close()


async def hold(storage: Storage, go: Callable[[], Awaitable[None]], owner: str) -> None:
    """Claim tasks and hold them; when told, settle them late, begin a new lease, and run what there is."""
    session = await storage.connect()
    await session.register(owner, b"")
    deliveries = await _claim(session, owner)
    say(_ids(deliveries))
    await go()
    say(await session.settle([Finish(it.receipt, b"child") for it in deliveries], owner, 1))
    await session.register(f"{owner}, again", b"")
    deliveries = await _claim(session, f"{owner}, again")
    say(_ids(deliveries))
    say(await session.settle([Finish(it.receipt, b"child") for it in deliveries], f"{owner}, again", 1))
    await session.close()


async def wait(storage: Storage, go: Callable[[], Awaitable[None]], *ids: str) -> None:
    """Wait for results; say when that is registered, and what came."""
    session = await storage.connect()
    waiting = asyncio.create_task(session.await_outcomes(ids))
    await asyncio.sleep(0)
    await session.await_outcomes(["nobody has this id"])
    say("waiting")
    overs = await waiting
    say([[over.id, None if over.data is None else over.data.decode(), over.shared] for over in overs])
    await session.close()


async def forget(storage: Storage, go: Callable[[], Awaitable[None]], owner: str) -> None:
    """Use everything, wait for everything, and end without closing anything."""
    session = await storage.connect()
    await session.register(owner, b"")
    await asyncio.to_thread(storage.lease_keeper(owner).beat)
    await session.enqueue([Entry(Header("a"), b"")])
    notices = await session.notices(owner, None)
    _waits.extend([
        asyncio.create_task(session.await_outcomes(["a"])),
        asyncio.create_task(session.wait_for_work(["process"], 60.0)),
        asyncio.create_task(session.notices(owner, notices)),
    ])  # fmt: skip
    await session.await_outcomes(["nobody has this id"])
    say("done")


_waits: Final[list[asyncio.Task[Any]]] = []

ROLES: Final[dict[str, Callable[..., Awaitable[None]]]] = {
    "enqueue": enqueue, "hold": hold, "wait": wait, "forget": forget,
}  # fmt: skip


def say(what: object) -> None:
    """Tell the parent."""
    print(json.dumps(what), flush=True)


async def hear() -> None:
    """Wait until the parent says something."""
    await asyncio.to_thread(sys.stdin.readline)


def main(role: str, recipe: str, arguments: str) -> None:
    """Play a role."""
    asyncio.run(_play(ROLES[role], Recipe.from_json(recipe).build(), json.loads(arguments)))


async def _play(role: Callable[..., Awaitable[None]], storage: Storage, arguments: list[Any]) -> None:
    await role(storage, hear, *arguments)


async def _claim(session: Session, owner: str) -> list[Delivery]:
    while True:
        deliveries = await session.claim({"loop": 100}, owner)
        if deliveries:
            return deliveries
        await session.wait_for_work(LANES, 1.0)


def _ids(deliveries: list[Delivery]) -> list[str]:
    return [it.receipt.id for it in deliveries]


if __name__ == "__main__":
    main(*sys.argv[1:])
