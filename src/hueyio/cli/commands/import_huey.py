"""``hueyio import-huey``."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from hueyio.cli.bulk import bar
from hueyio.cli.failures import EXIT_INTERRUPTED, EXIT_NOTHING
from hueyio.cli.huey_queue import HUEY_QUEUE, HueyQueue
from hueyio.cli.options import AS, DRY_RUN, command
from hueyio.cli.text import counted
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.migration.keys import move_results, move_revocations
from hueyio.migration.source import Source
from hueyio.migration.tally import Tally
from hueyio.migration.transfer import Transfer

__all__ = ["import_huey"]

_COLUMNS = ("name", "state", "count", "reason")


@command(
    ["import-huey redis://cache:6379/0 --from-queue shop -a app:huey --dry-run", "import-huey huey.db -a app:huey"],
    *HUEY_QUEUE,
    DRY_RUN,
    AS,
)
def import_huey(asked: Asked, dry_run: bool, **given: Any) -> int:
    """Move the tasks, results and revocations of a queue of Huey's here.

    FROM is the URL of Huey's Redis server, its SQLite file, or the folder of its FileHuey. Each task comes with its id,
    its arguments, what is left of its retries, its eta, and all that follows it; it runs once. Whoever is interrupted,
    or killed, runs the command again. What cannot be moved stays in Huey's queue: the list says what and why, and the
    command then ends with 1.
    """
    queue = HueyQueue(**given)
    return visit(asked, lambda at: _import(at, queue, dry_run))


async def _import(at: Visit, queue: HueyQueue, dry_run: bool) -> int:
    reading = queue.reading()
    async with queue.opened(at) as source:
        total = sum((await source.count()).values())
        with bar(at, "Moving", total) as advance:
            stopped = asyncio.Event()
            transfer = Transfer(
                at.core,
                at.session,
                source,
                reading,
                is_dry=dry_run,
                advance=advance,
                is_stopped=stopped.is_set,
            )
            is_whole = await _until_stopped(_move(at, transfer), stopped)
        if transfer.tally.tasks and not dry_run:
            await at.note("import-huey", str(source), transfer.tally.tasks)
        _tell(at, source, transfer.tally, dry_run, is_whole)
    if not is_whole:
        return EXIT_INTERRUPTED
    return EXIT_NOTHING if transfer.tally.refused else 0


async def _move(at: Visit, transfer: Transfer) -> None:
    source, reading, tally = transfer.source, transfer.reading, transfer.tally
    is_dry = transfer.is_dry
    tally.revocations += await move_revocations(at.session, source, reading, is_dry=is_dry)
    await transfer.recover()
    await transfer.move_all()
    await move_results(at.core, at.session, source, reading, tally, is_dry=is_dry)


async def _until_stopped(work: Coroutine[Any, Any, None], stopped: asyncio.Event) -> bool:
    """Do the work; at Ctrl-C end it after the step under way, and say False."""
    running = asyncio.ensure_future(work)
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if running.cancelled() or current is None:
            raise
        current.uncancel()
        stopped.set()
        await running
    return not stopped.is_set()


def _tell(at: Visit, source: Source, tally: Tally, dry_run: bool, is_whole: bool) -> None:
    rows = _rows(tally)
    numbers = {
        "moved": tally.tasks,
        "left": tally.refused,
        "results": tally.results,
        "revocations": tally.revocations,
        "keys_left": tally.keys_left,
    }
    more = {"queue": at.huey.name, "from": str(source), "dry_run": dry_run, "complete": is_whole}
    at.output.print_list("tasks", _COLUMNS, rows, **more, **numbers)
    if at.output.as_json:
        return
    verb = "would be moved" if dry_run else "moved"
    also = f"{counted(tally.results, 'result')} and {counted(tally.revocations, 'revocation')}"
    at.output.say(f"{'' if is_whole else 'Interrupted. '}{counted(tally.tasks, 'task')}, {also} {verb} from {source}.")
    if tally.refused:
        at.output.say(f"Left there: {counted(tally.refused, 'task')}, which Huey's consumer can still run.")
    if tally.keys_left:
        at.output.say(f"Left there too: {counted(tally.keys_left, 'other value')}, such as locks.")


def _rows(tally: Tally) -> list[dict[str, object]]:
    moved = [{"name": name, "state": state, "count": count} for (name, state), count in sorted(tally.moved.items())]
    left = [
        {"name": name, "state": "left", "count": count, "refused": refusal, "reason": reason}
        for (name, refusal, reason), count in sorted(tally.left.items())
    ]
    return [*moved, *left]
