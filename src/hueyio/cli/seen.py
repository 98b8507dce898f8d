"""Tasks as a command sees them: where each is and what its header says; what it carries is never read.

Every look is bounded, because a queue may hold millions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Final, Literal, NamedTuple, TypeAlias

from hueyio.cli.failures import NothingFound
from hueyio.cli.text import Id, made_at
from hueyio.control.consumers import read_consumers
from hueyio.exceptions import LeaseLost
from hueyio.messages.glance import glance_at_path
from hueyio.storage.contract import Session
from hueyio.storage.records import DeadLetter, Delivery, Found, Header, LiveState, Owner

__all__ = ["STATES", "Filter", "Seen", "SeenState", "Sight", "find_id", "find_ids", "look"]

SeenState: TypeAlias = Literal["ready", "scheduled", "running", "dead"]
STATES: Final[tuple[SeenState, ...]] = ("ready", "scheduled", "running", "dead")

_SCANNED: Final = 1000
"""How many tasks of a state are looked at where a filter, or a part of an id, says which are meant: 1 ms of a
server."""

_LEAST_PART: Final = 4
"""Characters of an id that can stand for all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One task. ``worker`` and ``deliveries`` are known while it runs, ``reason`` and ``buried`` when it is dead."""

    id: Id
    state: SeenState
    name: str | None
    """None: its message is in a format of the application's own."""
    header: Header
    worker: str | None = None
    started: bool = False
    deliveries: int | None = None
    reason: str | None = None
    buried: datetime | None = None

    @property
    def due(self) -> datetime | None:
        """When its time comes, if it waits for one."""
        eta = self.header.eta
        return None if eta is None else datetime.fromtimestamp(eta, UTC)

    @property
    def made(self) -> datetime | None:
        """When its call was made."""
        return made_at(self.id)


class Sight(NamedTuple):
    """What a look found; ``is_complete``: there is no more that was not looked at."""

    tasks: list[Seen]
    is_complete: bool


class Filter(NamedTuple):
    """Which tasks are meant: by a pattern of names, and by a part of the reason for which one is dead."""

    name: str | None = None
    error: str | None = None

    def fits(self, task: Seen) -> bool:
        """Say whether this task is meant. One whose name is not known fits no pattern."""
        if self.name is not None and not (task.name is not None and fnmatchcase(task.name, self.name)):
            return False
        return self.error is None or (task.reason is not None and self.error.lower() in task.reason.lower())

    @property
    def is_given(self) -> bool:
        """Whether it leaves anything out."""
        return self.name is not None or self.error is not None


NO_FILTER: Final = Filter()


async def look(session: Session, state: SeenState, limit: int, which: Filter = NO_FILTER) -> Sight:
    """List at most ``limit`` tasks of a state, in the order in which they come up."""
    # One more than is wanted tells whether there is more.
    room = max(limit, _SCANNED) if which.is_given else limit
    seen = await _scan(session, state, room + 1)
    found = [task for task in seen[:room] if which.fits(task)]
    return Sight(found[:limit], len(seen) <= room and len(found) <= limit)


async def find_id(session: Session, part: str) -> Found:
    """Find a task by its id or a part at either end of it; raises NothingFound, which names those that have the part.

    A part is looked for in the first 1,000 tasks of each state.
    """
    (found,) = await session.locate([part])
    if found.state != "unknown" or len(part) < _LEAST_PART:
        return _known(found)
    ids = [task.id for state in STATES for task in await _scan(session, state, _SCANNED)]
    fitting = list(dict.fromkeys(str(id) for id in ids if id.startswith(part) or id.endswith(part)))
    if len(fitting) > 1:
        raise NothingFound(f"{part} is a part of {len(fitting)} ids: {', '.join(fitting[:5])}")
    if fitting:
        (found,) = await session.locate(fitting)
    return _known(found)


async def find_ids(session: Session, parts: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the ids that are meant by these, and for each that is not found the reason."""
    ids: list[str] = []
    missing: dict[str, str] = {}
    for part, found in zip(parts, await session.locate(parts), strict=True):
        try:
            ids.append(found.id if found.state != "unknown" else (await find_id(session, part)).id)
        except NothingFound as error:
            missing[part] = str(error)
    return ids, missing


def _known(found: Found) -> Found:
    if found.state == "unknown":
        raise NothingFound(f"nothing is known of a task {found.id}")
    return found


async def _scan(session: Session, state: SeenState, room: int) -> list[Seen]:
    match state:
        case "dead":
            return [_from_letter(letter) for letter in await session.dead(room)]
        case "running":
            return await _scan_running(session, room)
        case "ready" | "scheduled":
            live: LiveState = "queued" if state == "ready" else "scheduled"
            entries = await session.scan_tasks(live, room)
            return [_seen(state, entry.header, entry.data) for entry in entries]


async def _scan_running(session: Session, room: int) -> list[Seen]:
    """Ask owner by owner, because a task that runs does not say who has it."""
    tasks: list[Seen] = []
    for owner, worker in _names(await session.owners()):
        if owner.held and len(tasks) < room:
            tasks += [_from_delivery(delivery, worker) for delivery in await _held(session, owner.owner)]
    return tasks[:room]


async def _held(session: Session, owner: str) -> Sequence[Delivery]:
    try:
        return await session.held(owner)
    except LeaseLost:
        return []  # it ended meanwhile, and what it held went back


def _names(owners: Sequence[Owner]) -> list[tuple[Owner, str]]:
    known = {it.id: f"{it.host}:{it.pid}" for it in read_consumers(owners)}
    return [(owner, known.get(owner.owner, owner.owner)) for owner in owners]


def _seen(state: SeenState, header: Header, data: bytes) -> Seen:
    return Seen(id=Id(header.id), state=state, name=glance_at_path(data, header.id), header=header)


def _from_delivery(delivery: Delivery, worker: str) -> Seen:
    return Seen(
        id=Id(delivery.header.id),
        state="running",
        name=glance_at_path(delivery.data, delivery.header.id),
        header=delivery.header,
        worker=worker,
        started=delivery.started,
        deliveries=delivery.receipt.deliveries + 1,
    )


def _from_letter(letter: DeadLetter) -> Seen:
    return Seen(
        id=Id(letter.header.id),
        state="dead",
        name=glance_at_path(letter.data, letter.header.id),
        header=letter.header,
        reason=letter.reason,
        buried=datetime.fromtimestamp(letter.buried_at, UTC),
    )
