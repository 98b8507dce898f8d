"""Several processes at once for the suite: ``python -m hueyio.testing.storage.crowd RECIPE SIZE ROOM TICKS``.

They are forked from one that has everything imported, before it has a loop, a thread or a connection. All open the
storage at the same moment; when told on standard input, all enqueue as many ticks, each with the same once tokens as
everybody else's, and then run tasks until there are none.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sys
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier, Event
from typing import Any

from hueyio.storage.contract import Session
from hueyio.storage.records import Entry, Finish, Header
from hueyio.testing.storage.recipe import Recipe

__all__ = ["main"]

PATIENCE = 90.0


def main(recipe: str, size: int, room: int, ticks: int) -> int:
    """Start the crowd; say "open", and then who ran what. Return 0 if all ended well."""
    Recipe.from_json(recipe).find()  # once for all
    context = multiprocessing.get_context("fork")
    together, go, said = context.Barrier(size), context.Event(), context.SimpleQueue()
    crowd = [
        context.Process(
            target=_take_part, args=(recipe, f"member {index}", (room, ticks), together, go, said), daemon=True
        )
        for index in range(size)
    ]
    for process in crowd:
        process.start()
    for _ in crowd:
        assert said.get() == "open"
    print(json.dumps("open"), flush=True)
    sys.stdin.readline()
    go.set()
    print(json.dumps([said.get() for _ in crowd]), flush=True)
    for process in crowd:
        process.join(PATIENCE)
    return sum(process.exitcode != 0 for process in crowd)


def _take_part(
    recipe: str, owner: str, work: tuple[int, int], together: Barrier, go: Event, said: SimpleQueue[Any]
) -> None:
    room, ticks = work

    async def take_part() -> list[str]:
        storage = Recipe.from_json(recipe).build()
        together.wait(PATIENCE)
        session = await storage.connect()
        await session.register(owner, b"")
        said.put("open")
        await asyncio.to_thread(go.wait, PATIENCE)
        for number in range(ticks):
            header = Header(f"{owner}: tick {number}", once_token=f"tick {number}", once_ttl=600.0)
            await session.enqueue([Entry(header, b"")])
        done = await _run_tasks(session, owner, room)
        await session.deregister(owner)
        await session.close()
        return done

    said.put(asyncio.run(take_part()))


async def _run_tasks(session: Session, owner: str, room: int) -> list[str]:
    done: list[str] = []
    number = 0
    while deliveries := await session.claim({"loop": room}, owner):
        number += 1
        answers = await session.settle([Finish(it.receipt, it.data) for it in deliveries], owner, number)
        done += [it.receipt.id for it, answer in zip(deliveries, answers, strict=True) if answer == "accepted"]
    return done


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
