"""Failed tasks, as users see and requeue them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import islice
from typing import Final, get_args

from hueyio.control.audit import name_some
from hueyio.core import Core
from hueyio.exceptions import HueyException, SerializationError, TaskArgumentError
from hueyio.execution.again import count_times_anew
from hueyio.messages.message import read_task, write_task
from hueyio.messages.tick_token import tick_of
from hueyio.serializer import Serializer
from hueyio.storage.contract import Session
from hueyio.storage.records import Cursor, DeadLetter, EndKind, Page, Requeue, Requeued, Wanted
from hueyio.storage.texts import check_text
from hueyio.tasks.given import items_of
from hueyio.tasks.task import Task, aware

__all__ = [
    "FailedTask",
    "describe",
    "find_failed",
    "is_pattern",
    "requeue_all",
    "requeue_by_id",
    "requeue_some",
    "wanted_of",
]

_AT_ONCE: Final = 100
"""Letters that are requeued in one step of the storage."""


_ALIVE: Final = ("queued", "scheduled", "running")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTask:
    """A task that ended without success, with its message. ``kind`` says how, ``reason`` why, ``name`` is its path.

    ``tick`` is the time for which a periodic run was enqueued, None of other tasks; a requeued one keeps it.
    ``task`` is read when it is asked for, and is None if the message cannot be read here.
    """

    id: str
    kind: EndKind
    name: str
    reason: str
    ended_at: datetime
    data: bytes = field(repr=False)
    serializer: Serializer = field(repr=False, compare=False)
    tick: datetime | None = None

    @property
    def task(self) -> Task | None:
        """The task as it will run if it is requeued."""
        try:
            return read_task(self.data, self.serializer, self.id)
        except SerializationError:
            return None  # it is listed all the same, by what stands beside its message


def wanted_of(
    kind: EndKind | Iterable[EndKind] | None,
    name: str | None,
    text: str | None,
    since: datetime | None,
    until: datetime | None,
) -> Wanted:
    """Check a filter; raises HueyException."""
    takes = "kind is a way in which tasks end, or several of them"
    kinds = () if kind is None else (kind,) if isinstance(kind, str) else items_of(kind, takes)
    for it in kinds:
        if it not in get_args(EndKind):
            raise HueyException(f"no task ends as {it!r}, but as one of {', '.join(get_args(EndKind))}")
    for field_name, value in (("name", name), ("text", text)):
        if value is not None and not isinstance(value, str):
            raise HueyException(f"{field_name} must be a text, not {value!r}")
        if value is not None:
            check_text(field_name, value, HueyException)
    return Wanted(kinds, name, text, _seconds("since", since), _seconds("until", until))


def is_pattern(name: str) -> bool:
    """Say whether a name stands for several: ``*``, ``?`` and ``[...]`` are as in the names of files."""
    return any(it in name for it in "*?[")


def describe(wanted: Wanted, ids: Sequence[str] | None = None) -> str:
    """Say in a line which letters are meant, for the audit log."""
    if ids is not None:
        return name_some(ids)
    times = {"since": wanted.since, "until": wanted.until}
    said = [
        ", ".join(wanted.kinds),
        "" if wanted.name is None else f"name {wanted.name}",
        "" if wanted.text is None else f"error {wanted.text}",
        *(f"{key} {datetime.fromtimestamp(it, UTC):%Y-%m-%dT%H:%M:%SZ}" for key, it in times.items() if it is not None),
    ]
    return "; ".join(it for it in said if it)


async def find_failed(
    session: Session, serializer: Serializer, limit: int, after: Cursor | None, wanted: Wanted
) -> Page[FailedTask]:
    """List as many as are asked for, if there are as many, the latest first."""
    if after is not None and not (isinstance(after, tuple) and [type(it) for it in after] == [float, str]):
        raise HueyException(f"{after!r} is no place in this list: `after` is the `next` of the page before")
    found: list[DeadLetter] = []
    while len(found) < limit:
        page = await _find(session, limit - len(found), after, wanted)
        found += page.items
        after = page.next
        if after is None:
            break
    return Page([_read(letter, serializer) for letter in found], after)


async def requeue_by_id(core: Core, session: Session, ids: Sequence[str]) -> dict[str, Requeued]:
    """Run these tasks again; say of each what became of it."""
    answers: dict[str, Requeued] = {}
    remaining = iter(dict.fromkeys(ids))
    while some := list(islice(remaining, _AT_ONCE)):
        checked = [check_text("the id", id, HueyException) for id in some]
        answers.update(await requeue_some(core, session, dict.fromkeys(checked)))
    return answers


async def requeue_some(core: Core, session: Session, buried: Mapping[str, float | None]) -> dict[str, Requeued]:
    """Run some tasks again, in one step; each only if its letter is the one that was buried then (None: whichever).

    One that has no letter and is queued, scheduled or running already is ``alive``.
    """
    found = await session.locate(list(buried))
    asked = [_ask(core, it.id, buried[it.id], it.data if it.state == "dead" else None) for it in found]
    answers = zip(found, await session.requeue(asked), strict=True)
    return {it.id: "alive" if answer == "missing" and it.state in _ALIVE else answer for it, answer in answers}


async def requeue_all(core: Core, session: Session, wanted: Wanted) -> dict[str, Requeued]:
    """Run all tasks again that a filter finds now; what fails again meanwhile is left out."""
    if wanted.until is None:
        wanted = wanted._replace(until=await session.time())
    answers: dict[str, Requeued] = {}
    async for letters in _pages(session, wanted):
        asked = [_ask(core, it.header.id, it.buried_at, it.data) for it in letters]
        done = await session.requeue(asked)
        answers.update(zip((it.id for it in asked), done, strict=True))
    return answers


async def _find(session: Session, limit: int, after: Cursor | None, wanted: Wanted) -> Page[DeadLetter]:
    """Read a part of the list. The storage compares whole names; a pattern is compared here."""
    name = wanted.name
    if name is None or not is_pattern(name):
        return await session.failed(limit, after, wanted)
    page = await session.failed(limit, after, wanted._replace(name=None))
    return page._replace(items=[it for it in page.items if fnmatchcase(it.name, name)])


async def _pages(session: Session, wanted: Wanted) -> AsyncIterator[list[DeadLetter]]:
    after: Cursor | None = None
    while True:
        page = await _find(session, _AT_ONCE, after, wanted)
        if page.items:
            yield page.items
        after = page.next
        if after is None:
            return


def _ask(core: Core, id: str, buried_at: float | None, data: bytes | None) -> Requeue:
    """Ask for a letter; its times are counted from now, as far as its message can be read here."""
    if data is None:
        return Requeue(id, buried_at)
    try:
        task = read_task(data, core.serializer, id)
        if task.expires is None and task.deadline is None:
            return Requeue(id, buried_at)
        return Requeue(id, buried_at, write_task(count_times_anew(task, core.now()), core.serializer))
    except (SerializationError, TaskArgumentError):
        return Requeue(id, buried_at)  # as the letter has it: a consumer may be able to read it


def _read(letter: DeadLetter, serializer: Serializer) -> FailedTask:
    tick = tick_of(letter.header.once_token)
    return FailedTask(
        id=letter.header.id,
        kind=letter.kind or "lost",
        name=letter.name,
        reason=letter.reason,
        ended_at=datetime.fromtimestamp(letter.buried_at, UTC),
        data=letter.data,
        serializer=serializer,
        tick=None if tick is None else datetime.fromtimestamp(tick, UTC),
    )


def _seconds(name: str, moment: datetime | None) -> float | None:
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        raise HueyException(f"{name} must be a datetime, not {moment!r}")
    return aware(moment).timestamp()
