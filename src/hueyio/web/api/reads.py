"""What can be asked of a queue: each is a function of the same view that the pages get."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from hueyio.control.audit import read_audit
from hueyio.control.consumers import read_consumers
from hueyio.control.pause import read_pause
from hueyio.control.revoke import find_revoked_names
from hueyio.control.statistics import read_statistics
from hueyio.control.task_details import describe_task
from hueyio.limits.held import find_held
from hueyio.limits.rates import find_rates
from hueyio.schedules.seen import see_schedules
from hueyio.storage.records import COUNTED
from hueyio.web.api import shapes
from hueyio.web.filters import RANGES, read_filter, read_number, read_range
from hueyio.web.frame import STATES, count_of
from hueyio.web.pages.overview import findings_of
from hueyio.web.pages.task import arguments_of, result_of
from hueyio.web.pages.tasks import list_state, state_of
from hueyio.web.refusal import Refusal
from hueyio.web.view import View

__all__ = [
    "read_audit_part",
    "read_findings",
    "read_limits",
    "read_queue",
    "read_queue_statistics",
    "read_schedules",
    "read_task",
    "read_tasks",
    "read_workers",
]

_MOST: Final = 1000
_PER_PART: Final = 100


async def read_queue(view: View) -> shapes.Queue:
    """Say what there is."""
    counts, paused, owners = await asyncio.gather(
        view.session.counts(COUNTED), view.session.paused(), view.session.owners()
    )
    found = {state: count_of(counts, state) for state in STATES}
    return shapes.Queue(
        name=view.source.name,
        kind=view.source.core.kind,
        counts={state: count for state, count in found.items() if count is not None},
        paused=read_pause(paused),
        workers=len(read_consumers(owners)),
        may=sorted(view.visitor.allowed),
    )


async def read_findings(view: View) -> shapes.Findings:
    """Say what is wrong."""
    found = await findings_of(view)
    return shapes.Findings(findings=[shapes.Finding(level=it.level, code=it.code, text=it.text) for it in found])


async def read_tasks(view: View) -> shapes.TaskList:
    """List tasks of a state."""
    tasks, after = await list_state(view, state_of(view.part), read_filter(view.query))
    return shapes.TaskList(tasks=tasks, next=after)


async def read_task(view: View) -> shapes.TaskPart:
    """Say what is known of one task."""
    serializer = view.source.core.serializer if view.shows_arguments else None
    task = await describe_task(view.session, view.part, serializer)
    if task.state == "unknown":
        raise Refusal(404, f"No task {view.part} is known.")
    task = view.redaction.details(task)
    attempts = task.timeline
    if not view.may_see_tracebacks:
        attempts = tuple(replace(it, traceback="") for it in attempts)
    remembered = task.arguments if view.shows_remembered_arguments else None
    arguments = arguments_of(task.task, view.settings.redact, task.id)
    shown = replace(task, timeline=attempts, arguments=remembered)
    return shapes.TaskPart(task=shown, attempts=attempts, arguments=arguments, result=result_of(task, view))


async def read_queue_statistics(view: View) -> shapes.Statistics:
    """Say what happened in a range, of all tasks or those of a name."""
    seconds = RANGES[read_range(view.query)]
    found = await read_statistics(view.session, seconds, view.query.get("name") or None)
    return shapes.Statistics(statistics=view.redaction.statistics(found))


async def read_workers(view: View) -> shapes.Workers:
    """List the workers."""
    return shapes.Workers(workers=read_consumers(await view.session.owners()))


async def read_schedules(view: View) -> shapes.Schedules:
    """List the schedules."""
    has_code = view.source.app is not None
    found = await see_schedules(view.source.core, view.session, _MOST, view.now.timestamp(), with_code=has_code)
    return shapes.Schedules(schedules=found)


async def read_limits(view: View) -> shapes.Limits:
    """Say what holds tasks back."""
    held, revoked, rates = await asyncio.gather(
        find_held(view.session, _MOST), find_revoked_names(view.session, _MOST), find_rates(view.session, _MOST)
    )
    redaction = view.redaction
    return shapes.Limits(
        held=[redaction.held(it) for it in held], revoked=revoked, rates=[redaction.rate(it) for it in rates]
    )


async def read_audit_part(view: View) -> shapes.Audit:
    """List who changed what."""
    entries = await read_audit(view.session, _PER_PART, read_number(view.query, "after"))
    return shapes.Audit(entries=entries, next=entries[-1].number if len(entries) == _PER_PART else None)
