"""``hueyio doctor``."""

from __future__ import annotations

import time
from collections import Counter
from typing import Final

from hueyio.cli.diagnosis import Facts, Finding, Worker, diagnose
from hueyio.cli.failures import EXIT_NOTHING
from hueyio.cli.options import command
from hueyio.cli.output import Output
from hueyio.cli.seen import look
from hueyio.cli.text import counted
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.control.consumers import read_consumers
from hueyio.control.pause import read_pause
from hueyio.exceptions import ConfigurationError, StorageError, StorageUnavailable
from hueyio.messages.revocation import class_key
from hueyio.storage.contract import Examined, Session
from hueyio.storage.records import EndKind, Owner

__all__ = ["doctor"]

_MOST: Final = 1000
"""How many tasks of a state are looked at."""

_MARKS: Final = {"wrong": ("✗", "red"), "warning": ("!", "yellow")}


@command(["doctor -a app:huey", "doctor --url redis://cache:6379/0 --queue shop --json"])
def doctor(asked: Asked) -> int:
    """Say why nothing is consumed.

    It looks for a storage that is away, a queue of another kind or another name, workers that are not there, silent,
    full, of several versions or without the tasks that wait, a pause, revocations, dead letters, clocks that differ,
    and settings of a server that lose tasks. Ends with 1 if it found something.
    """
    try:
        return visit(asked, _examine)
    except ConfigurationError:
        raise
    except StorageUnavailable as error:
        finding = Finding("wrong", "away", str(error))
    except StorageError as error:
        finding = Finding("wrong", "kind", str(error))
    return _report(asked.output(), [finding], "")


async def _examine(at: Visit) -> int:
    facts = await _gather(at)
    fine = f"Nothing is wrong: {counted(len(facts.workers), 'worker')}, {facts.waiting:,} ready."
    return _report(at.output, diagnose(facts), fine, queue=at.huey.name)


def _report(output: Output, findings: list[Finding], fine: str, **more: object) -> int:
    if output.as_json:
        output.print_object({**more, "findings": [finding._asdict() for finding in findings]})
    else:
        for finding in findings:
            mark, colour = _MARKS[finding.level]
            output.line(f"{mark} {finding.text}", colour)
        if not findings:
            output.line(fine, "green")
    return EXIT_NOTHING if findings else 0


async def _gather(at: Visit) -> Facts:
    session = at.session
    owners = await session.owners()
    examined = session if isinstance(session, Examined) else None
    stored = [data for _, data in await session.scan_keys("schedules", _MOST) if data]
    declared = [spec for spec in at.core.registry if spec.timetable is not None] if at.has_app else []
    return Facts(
        name=at.huey.name,
        where=at.where,
        now=at.now,
        counts=await session.counts(),
        pause=read_pause(await session.paused()),
        workers=_workers(owners),
        ready=(await look(session, "ready", _MOST)).tasks,
        running=(await look(session, "running", _MOST)).tasks,
        scheduled=(await look(session, "scheduled", _MOST)).tasks,
        dead_kinds=await _dead_kinds(session),
        revoked_names=await _revoked_names(session),
        schedules=len(stored) + len(declared),
        ahead=await _ahead(session),
        dangers=[] if examined is None else await examined.find_dangers(),
        neighbours=[] if examined is None else await examined.find_neighbours(),
        start=f"hueyio worker {at.app or 'MODULE:ATTRIBUTE'}",
    )


def _workers(owners: list[Owner]) -> list[Worker]:
    told = {owner.owner: owner.info for owner in owners}
    return [Worker(info, told[info.id]) for info in read_consumers(owners)]


async def _dead_kinds(session: Session) -> Counter[EndKind]:
    return Counter(letter.kind or "lost" for letter in await session.dead(_MOST))


async def _revoked_names(session: Session) -> list[str]:
    prefix = class_key("")
    keys = [key for key, _ in await session.scan_keys("revocations", _MOST)]
    return sorted(key.removeprefix(prefix) for key in keys if key.startswith(prefix))


async def _ahead(session: Session) -> float:
    """Compare with the middle of the question: the answer takes its time."""
    before = time.time()
    told = await session.time()
    return (before + time.time()) / 2 - told
