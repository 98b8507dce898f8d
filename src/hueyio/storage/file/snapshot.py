"""A copy of the state as one plain value, and back."""

from __future__ import annotations

from typing import Any

from hueyio.storage.file.state import FileState
from hueyio.storage.memory.latches import LiveLatch
from hueyio.storage.memory.line import Line, LiveTask
from hueyio.storage.memory.state import Lease
from hueyio.storage.memory.waiting_stages import WaitingStage
from hueyio.storage.records import Latch, Pause

__all__ = ["dump", "load"]

_PLAIN = ("unique", "expected", "dead", "dead_dropped", "revocations", "paused", "now")


def dump(state: FileState) -> dict[str, Any]:
    """Describe everything."""
    lines = {id(line): name for name, line in _lines(state).items()}
    tasks = sorted(state.tasks.values(), key=lambda task: task.seat)
    return {
        **{name: getattr(state, name) for name in _PLAIN},
        "tasks": [_dump_task(task, None if task.line is None else lines[id(task.line)]) for task in tasks],
        "leases": {
            owner: (lease.info, lease.seen, lease.number, lease.answers, list(lease.held))
            for owner, lease in state.leases.items()
        },
        "latches": [(it.size, it.callback, it.absent, it.values) for it in state.latches.values()],
        # Beside them, because 0.1.0 reads four fields of a latch.
        "members": {key: it.members for key, it in state.latches.items()},
        "areas": {area: shelf.dump() for area, shelf in state.shelves.items()},
        "tokens": state.tokens.dump(),
        "rings": state.bells.rings,
        "clients": state.waiters.clients,
        "tombstones": state.tombstones.dump(),
        "forgotten_at": state.tombstones.forgotten_at,
        "failed": state.failed.dump(),
        "counted": {owner: lease.counted for owner, lease in state.leases.items()},
        "slots": state.slots.dump(),
        "notes": state.notes,
        "past_runs": state.past_runs.dump(),
        "stages": [(id, *stage) for id, stage in state.stages.items()],
    }


def load(client: str, dumped: dict[str, Any]) -> FileState:
    """Make the state that was described, as the copy of this client."""
    state = FileState(client)
    for name in _PLAIN:
        setattr(state, name, dumped[name])
    lines = _lines(state)
    for described in dumped["tasks"]:  # by their seats, so that they take new ones in the same order
        _load_task(state, lines, described)
    for owner, (info, seen, number, answers, held) in dumped["leases"].items():
        lease = state.leases[owner] = Lease(info, seen)
        lease.number, lease.answers = number, answers
        for id in held:
            lease.held[id] = task = state.tasks[id]
            lease.suspects += task.is_suspect
    for size, callback, absent, values in dumped["latches"]:
        latch = state.latches[callback.header.id] = LiveLatch(Latch(size, callback, absent))
        latch.values = values
        latch.members = dumped.get("members", {}).get(callback.header.id, [])
    for area, items in dumped["areas"].items():
        state.shelves[area].load(items)
    state.tokens.load(dumped["tokens"])
    state.bells.rings.update(dumped["rings"])
    state.waiters.clients = dumped["clients"]
    # Those of hueyio 0.1 have none: it remembered no end.
    state.tombstones.load(dumped.get("tombstones", []), dumped.get("forgotten_at", dumped["now"]))
    state.failed.load(dumped.get("failed", ()))
    # Nor did it count.
    for owner, number in dumped.get("counted", {}).items():
        state.leases[owner].counted = number
    state.slots.load(dumped.get("slots", {}))
    state.notes = dumped.get("notes", [])
    if not isinstance(state.paused, Pause):  # 0.1.0 wrote whether it is paused, and no more
        state.paused = Pause() if state.paused else None
    state.stages = {id: WaitingStage(*stage) for id, *stage in dumped.get("stages", ())}
    if "past_runs" in dumped:
        state.past_runs.load(dumped["past_runs"])
    return state


def _lines(state: FileState) -> dict[str, Line]:
    lanes: dict[str, Line] = dict(state.lanes.items())
    return {**lanes, "suspects": state.suspects, "schedule": state.schedule}


def _dump_task(task: LiveTask, line: str | None) -> tuple[Any, ...]:
    flags = (task.started, task.cancelled)
    return task.header, task.data, task.deliveries, *flags, task.owner, task.progress, line


def _load_task(state: FileState, lines: dict[str, Line], described: tuple[Any, ...]) -> None:
    header, data, deliveries, started, cancelled, owner, progress, line = described
    task = state.tasks[header.id] = LiveTask(header, data)
    task.deliveries, task.started, task.cancelled = deliveries, started, cancelled
    task.owner, task.progress = owner, progress
    if line is None:
        task.take_seat()
    else:
        lines[line].push(task, header.eta if line == "schedule" else -header.priority)
