"""Fill queues with all that hueyio keeps, to be drained by later versions: ``test_drain.py``.

The fixtures in ``filled`` were made by the code before a change that must not touch what queues hold. To make them
anew (only when a stored format was changed on purpose), from the root of the checkout, with the ``src`` of the
hueyio that is to fill them first on the path, and Redis 7.0 as ``redis-server``::

    PYTHONPATH=path/to/that/src:. python -m tests.upgrade.fill

A newer server's dumps cannot be restored by an older one. Results keep no tracebacks. All that ends by time ends in the
past or after 2035. A retry in the queue is due half a minute after it was filled: until then its tests wait for it.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sqlite3
import sys
import tempfile
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hueyio import BaseStorage, Task, TaskException, chord, crontab, group
from tests.support.patience import until
from tests.support.servers import Server, find_servers
from tests.upgrade.app import DAYS, FUTURE, JSON_VALUES, PAST, PICKLED_VALUES, QUEUES, App, make_objects
from tests.upgrade.stored import EXPECTED, FILLED, dump_redis, pack_folder, pack_sqlite

LEASE = 1.0
"""Of the workers that die: whoever drains the queue waits so long for them."""


def values_of(name: str) -> tuple[Any, ...]:
    """Return what the queue's serializer can carry."""
    return JSON_VALUES if name.endswith("json") else PICKLED_VALUES


async def fill(name: str, at: str) -> dict[str, Any]:
    """Fill one queue; return what this hueyio says of it."""
    early = App(QUEUES[name](at))
    await early.huey.enqueue(early.lost.s("lost", id="lost").error(early.handle, "lost"))
    await die(name, at, 1)
    await run_some(early, name)
    await early.huey.close()
    huey = QUEUES[name](at)
    app = App(huey)
    await leave_in_flight(app, name, at)
    await enqueue_calls(app, values_of(name))
    await enqueue_limited_by_time(app)
    await enqueue_canvas(app)
    await revoke(app)
    await keep(app, name)
    await limit(app)
    await huey.pause()
    await huey.resume()
    if name == "file-snapshot":
        await write_snapshot(app, Path(at, "queue-snapshot", "journal"))
    said = await describe(app)
    await huey.close()
    return said


async def run_some(app: App, name: str) -> None:
    """Leave what a consumer leaves: results of each kind, dead letters, retries, half a chord, the note of a tick."""
    huey = app.huey
    await app.echo.options(id="value")(*values_of(name))
    await app.nothing.options(id="none")()
    await huey.enqueue(app.fail.s("kept", id="failed").error(app.handle, "kept"))
    await app.slow.options(id="slow")()
    revoked = app.echo.s("never", id="was-revoked")
    await huey.enqueue(revoked)
    await huey.revoke(revoked)
    await app.echo.options(id="was-expired", expires=PAST)("never")
    await app.echo.options(id="was-cancelled", eta=FUTURE)("never")
    await huey.cancel("was-cancelled")
    await huey.put_result("was-put", "put")
    over = ["value", "none", "failed", "slow", "was-revoked", "was-expired", "was-cancelled", "lost"]
    if not name.endswith("json"):
        skipped = app.echo.s("never", id="skipped")
        members = [app.join.s("a", id="returned"), app.fail.s("chord", id="failing"), skipped]
        await huey.revoke(skipped)
        await huey.enqueue(chord(members, app.values.s(id="values")))
        over += ["returned", "failing", "skipped", "values"]
    skipped = app.echo.s("never", id="open-skipped")
    await huey.revoke(skipped)
    waiting = app.flaky.s("open", id="open-flaky", retries=1, retry_delay=30)
    failing = app.fail.s("open", id="open-failed")
    members = [app.join.s("a", id="open-returned"), failing, skipped, waiting]
    await huey.enqueue(chord(members, app.collect.s("open", id="open")).then(app.echo.s("next", id="open-next")))
    over += ["open-returned", "open-failed", "open-skipped"]
    await huey.enqueue(app.join.s("begun", id="begun").then(app.ghost.s("rest", id="begun-rest")))
    over.append("begun")
    base = BaseStorage(huey.storage)
    await base.enqueue(b"no message")
    await huey.schedules().add("paused", app.tick, crontab("*", second="*"), ["paused"])
    # Neither is known to this consumer, so that what calls them is put off.
    app.handle.unregister()
    app.ghost.unregister()
    async with huey.create_consumer(lease=LEASE):
        for id in over:
            await read(app, id)
        await app.ticked.wait()
        await huey.schedules().pause("paused")
        await until(lambda: is_settled(app))
    await base.close()


async def read(app: App, id: str) -> None:
    """Wait for a result and leave it where it is."""
    with suppress(TaskException):
        await app.huey.result_of(id).get(blocking=True, timeout=60, preserve=True)


async def is_settled(app: App) -> bool:
    """Say whether nothing is left but what waits: the retry, and three calls of what is not known."""
    counts = await app.huey.counts()
    return (counts.dead, counts.scheduled, counts.running, counts.suspects) == (2, 4, 0, 0) and not any(
        counts.queued.values()
    )


async def leave_in_flight(app: App, name: str, at: str) -> None:
    """Leave a task that has one delivery left, and three under the lease of a dead worker, one of them cancelled."""
    huey = app.huey
    opener: Any = getattr(huey, "_core", huey)  # of the version that filled them: the Huey itself
    session = await opener.session()
    await app.suspect.options(id="suspect")("suspect")
    await die(name, at, 1)
    (dead,) = await session.owners()
    await app.holding.options(id="held")("held")
    await app.holding.options(id="held-cancelled")("cancelled")
    await app.once.options(id="once")("once")
    await die(name, at, 3)
    await session.reclaim(dead.owner, dead.beat)
    await huey.cancel("held-cancelled")


async def enqueue_calls(app: App, values: tuple[Any, ...]) -> None:
    """Leave calls of each kind in the queue and in the schedule."""
    huey = app.huey
    await app.echo.options(id="plain")(*values, key="word")
    await app.threaded.options(id="threaded")(1, b=2)
    await app.flaky.options(id="retried", retries=1, timeout=60.0)("retried")
    await huey.enqueue(app.fail.s("handled", id="handled").error(app.handle, "handled"))
    await huey.add_schedule(app.join.s("due", id="due", eta=PAST))
    await app.join.options(id="future", eta=FUTURE)("future")
    await app.only.options(id="only-future", eta=FUTURE)(1, "held")
    await app.only.options(id="only-now")(2)
    if huey.storage.capabilities.priorities:
        for priority in (1, 3, 2):
            await app.join.options(id=f"priority-{priority}", priority=priority)(f"priority {priority}")


async def enqueue_limited_by_time(app: App) -> None:
    """Leave calls that are, or are not, too late whenever the queue is drained."""
    await app.join.options(id="expired", expires=PAST)("expired")
    await app.join.options(id="expired-soon", expires=0.001)("expired")
    await app.join.options(id="expires-late", expires=FUTURE)("expires late")
    await app.flaky.options(id="deadline-over", retries=3, deadline=0.001)("deadline over")
    await app.flaky.options(id="deadline-late", retries=3, deadline=FUTURE)("deadline late")


async def enqueue_canvas(app: App) -> None:
    """Leave a group, a pipeline, and a chord with a pipeline and a chord in it."""
    huey = app.huey
    await huey.enqueue(group([app.join.s("group", str(n), id=f"group-{n}") for n in range(2)]))
    pipeline = app.join.s("a", id="pipe-1").then(app.join.s("b", id="pipe-2")).then(app.join.s("c", id="pipe-3"))
    await huey.enqueue(pipeline.error(app.handle, "pipe"))
    inner = chord([app.join.s("inner", id="inner-1")], app.collect.s("inner", id="inner"))
    piped = app.join.s("x", id="member-1").then(app.join.s("y", id="member-2"))
    failing = app.fail.s("member", id="member-failed")
    await huey.enqueue(chord([piped, inner, failing], app.collect.s("outer", id="outer")))


async def revoke(app: App) -> None:
    """Leave revocations of each kind, some of them over."""
    huey = app.huey
    soon = datetime.now(UTC) + timedelta(seconds=1)
    calls: list[tuple[Task, dict[str, Any]]] = [
        (app.join.s("revoked", id="revoked"), {}),
        (app.join.s("revoked once", id="revoked-once"), {"revoke_once": True}),
        (app.join.s("revoked until", id="revoked-until"), {"revoke_until": FUTURE}),
        (app.join.s("revoked briefly", id="revoked-briefly"), {"revoke_until": soon}),
        (app.pooled.s("revoked", id="pooled"), {}),
    ]
    for task, how in calls:
        await huey.enqueue(task)
        await huey.revoke(task, **how)
    await app.banned.options(id="banned")("all")
    await app.banned.revoke()
    for n in range(2):
        await app.banned_once.options(id=f"banned-once-{n}")("one of two")
    await app.banned_once.revoke(revoke_once=True)


async def keep(app: App, name: str) -> None:
    """Leave values of the user's own, and schedules."""
    huey = app.huey
    await huey.put("values", values_of(name))
    if not name.endswith("json"):
        await huey.put("objects", make_objects())
    await huey.put_if_empty("kept", "kept", ttl=50 * 366 * DAYS)
    await huey.put_if_empty("gone", "gone", ttl=0.001)
    base = BaseStorage(huey.storage)
    await base.incr("counter", 3)
    await base.close()
    await huey.schedules().add("minutely", app.tick, crontab("*"), ["minutely"], catch_up=True)
    await huey.schedules().add("yearly", app.tick.s(label="yearly"), crontab("0", "0", "1", "1", tz="Europe/Paris"))


async def limit(app: App) -> None:
    """Leave a lock whose holder is gone, and rate limits that have no room."""
    await app.huey.lock_task("shell").acquire()
    for _ in range(2):
        await app.window.acquire()
        await app.bucket.acquire()


async def write_snapshot(app: App, journal: Path) -> None:
    """Write until a folder's journal begins anew, with a snapshot of everything: the others have the steps to it."""
    before = inode_of(journal)
    while inode_of(journal) == before:
        await app.huey.put("padding", "padding")
        await app.huey.delete("padding")


def inode_of(path: Path) -> int:
    return path.stat().st_ino


async def describe(app: App) -> dict[str, Any]:
    """Say what is in the queue, in an order that means something where there is one."""
    huey = app.huey
    counts = await huey.counts()
    return {
        "counts": counts._asdict(),
        "pending": [task.id for task in await huey.pending()],
        "scheduled": [task.id for task in await huey.scheduled()],
        "results": sorted(await huey.all_results()),
    }


async def die(name: str, at: str, bodies: int) -> None:
    """Run a worker that is killed when so many bodies of tasks that wait for it have begun."""
    command = [sys.executable, "-m", "tests.upgrade.fill", name, at, str(bodies)]
    process = await asyncio.create_subprocess_exec(*command)
    status = await process.wait()
    if status != -9:
        raise RuntimeError(f"the worker was to be killed, and ended with {status}")


async def run_worker(name: str, at: str, bodies: int) -> None:
    """Be that worker."""
    sys.tracebacklimit = 0
    app = App(QUEUES[name](at))
    app.deaths = bodies
    app.handle.unregister()
    app.ghost.unregister()
    async with app.huey.create_consumer(lease=LEASE):
        await asyncio.Event().wait()


def main() -> None:
    """Fill all queues, and keep them."""
    sys.tracebacklimit = 0  # or results would name the paths of this machine
    print(f"filled by the code in {inspect.getfile(BaseStorage)}")
    FILLED.mkdir(exist_ok=True)
    server = Server(find_servers()["redis"])
    server.start()
    with tempfile.TemporaryDirectory() as made:
        places = {"sqlite": f"{made}/queues.db", "file": f"{made}/queues", "redis": server.url}
        expected = {name: asyncio.run(fill(name, places[name.partition("-")[0]])) for name in QUEUES}
        with closing(sqlite3.connect(places["sqlite"])) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pack_sqlite(Path(places["sqlite"]))
        pack_folder(Path(places["file"]))
        dump_redis(places["redis"])
    server.dispose()
    EXPECTED.write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(run_worker(sys.argv[1], sys.argv[2], int(sys.argv[3])))
    else:
        main()
