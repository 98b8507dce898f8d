"""Tasks on their way out to an owner and back, in memory, and the leases of owners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hueyio.storage.memory.limits import end_permits
from hueyio.storage.memory.line import LiveTask
from hueyio.storage.memory.settling import in_force
from hueyio.storage.memory.state import Lease, MemoryState
from hueyio.storage.records import Delivery, Lane, MemberResults, Owner, Promoted, Receipt
from hueyio.storage.shared.sweeping import next_sweep

__all__ = [
    "claim",
    "claim_awaited",
    "claim_ids",
    "collect",
    "deregister",
    "held",
    "owners",
    "promote",
    "reclaim",
    "register",
    "report",
    "start",
]

_SWEEP = 200
"""How many keys of each area a promote looks at beyond its entries."""


def register(state: MemoryState, owner: str, info: bytes) -> None:
    """Begin a lease, or replace its info."""
    lease = state.leases.get(owner)
    if lease is None:
        state.leases[owner] = Lease(info, state.clock())
    else:
        lease.info, lease.seen = info, state.clock()


def deregister(state: MemoryState, owner: str) -> None:
    """End a lease; what it held goes to the front."""
    lease = state.leases.get(owner)
    if lease is not None:
        _end_lease(state, owner, lease, 0)


def owners(state: MemoryState) -> list[Owner]:
    """List the owners with a live lease."""
    now = state.clock()
    return [
        Owner(owner, lease.beat, lease.info, len(lease.held), max(now - lease.seen, 0.0))
        for owner, lease in state.leases.items()
    ]


def claim(state: MemoryState, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
    """Take ready tasks, or one suspect alone."""
    lease = state.lease(owner)
    if lease.suspects or state.paused is not None:
        return []
    if state.suspects and not lease.held:
        suspect = _first_suspect(state, room)
        if suspect is not None:
            state.suspects.take_out(suspect)
            state.hold(suspect, owner, lease)
            return state.deliver([suspect], owner)
    taken: list[LiveTask] = []
    for lane, limit in room.items():
        pop = state.lanes[lane].pop
        while limit > 0 and (task := pop()) is not None:
            state.hold(task, owner, lease)
            taken.append(task)
            limit -= 1
    return state.deliver(taken, owner)


def claim_awaited(
    state: MemoryState, ids: Sequence[str], room: Mapping[Lane, int], owner: str, alone: bool
) -> list[Delivery]:
    """Take these tasks, as far as they are ready and their lanes have room; or one suspect of them alone."""
    lease = state.lease(owner)
    if state.paused is not None:
        return []
    left = dict(room)
    taken: list[LiveTask] = []
    for id in ids:
        task = state.tasks.get(id)
        if task is None or task.line is None or task.line is state.schedule or left.get(task.header.lane, 0) <= 0:
            continue
        is_suspect = task.line is state.suspects
        if is_suspect and (taken or not alone):
            continue
        task.line.take_out(task)
        state.hold(task, owner, lease)
        taken.append(task)
        left[task.header.lane] -= 1
        if is_suspect:
            break
    return state.deliver(taken, owner)


def claim_ids(state: MemoryState, ids: Sequence[str], owner: str) -> list[Delivery]:
    """Take these tasks, as far as they are queued, whatever stands before them."""
    lease = state.lease(owner)
    taken: list[LiveTask] = []
    for id in ids:
        task = state.tasks.get(id)
        if task is not None and task.line is not None and task.line is not state.schedule:
            task.line.take_out(task)
            state.hold(task, owner, lease)
            taken.append(task)
    return state.deliver(taken, owner)


def held(state: MemoryState, owner: str) -> list[Delivery]:
    """List what is under a lease."""
    return state.deliver(state.lease(owner).held.values(), owner)


def start(state: MemoryState, receipts: Sequence[Receipt], owner: str) -> list[bool]:
    """Mark bodies as started, fenced."""
    lease = state.leases.get(owner)
    if lease is None:
        return [False] * len(receipts)
    tasks = [in_force(lease, receipt, owner) for receipt in receipts]
    for task in tasks:
        if task is not None:
            task.started = True
    return [task is not None for task in tasks]


def promote(state: MemoryState, now: float, limit: int) -> Promoted:
    """Move what is due to the back of its lane; sweep a little of what is over."""
    moved = 0
    schedule = state.schedule
    first = schedule.first_rank()
    while first is not None and first <= now and moved < limit:
        task = schedule.pop()
        if task is not None:
            state.lanes[task.header.lane].push(task, -task.header.priority)
            state.bells.ring(task.header.lane)
            moved += 1
        first = schedule.first_rank()
    most = limit + _SWEEP
    swept = max([shelf.prune(most) for shelf in (*state.areas.values(), state.tokens)])
    state.drop_letters(state.failed.sweep())
    state.slots.sweep()
    state.past_runs.sweep()
    return Promoted(moved, first, next_sweep(swept, most))


def reclaim(state: MemoryState, owner: str, beat: int) -> int | None:
    """End the lease of an owner whose heartbeat stands still; what it held comes with one delivery more."""
    lease = state.leases.get(owner)
    if lease is None or lease.beat != beat:
        return None
    return _end_lease(state, owner, lease, 1)


def report(state: MemoryState, receipt: Receipt, data: bytes) -> bool:
    """Keep the progress of a running task, fenced, and wake its followers."""
    lease = state.leases.get(receipt.owner)
    task = None if lease is None else in_force(lease, receipt, receipt.owner)
    if task is None:
        return False
    task.progress = data
    state.followed.poke(receipt.id)
    return True


def collect(state: MemoryState, keys: Sequence[str]) -> list[MemberResults | None]:
    """Read the member results of latches."""
    latches = [state.latches.get(key) for key in keys]
    return [None if latch is None else latch.results() for latch in latches]


def _end_lease(state: MemoryState, owner: str, lease: Lease, more: int) -> int:
    tasks = list(lease.held.values())
    for task in tasks:
        state.let_go(task, owner, lease)
        task.deliveries += more
        state.put_back(task)
    del state.leases[owner]
    end_permits(state, owner)
    state.noticed.poke(owner)
    return len(tasks)


def _first_suspect(state: MemoryState, room: Mapping[Lane, int]) -> LiveTask | None:
    return next((task for task in state.suspects.in_order() if room.get(task.header.lane, 0) > 0), None)
