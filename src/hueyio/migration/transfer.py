"""Move the tasks of one queue of Huey's, page by page; ``source`` says what is where in between.

A pass reads all that is in Huey's queue and schedule, and moves what it can. What is refused stays, and is read again
in the next pass: a chord may have become whole, an id free. Passes are repeated until one moves nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from hueyio.client.early_workers import fit_workers
from hueyio.core import Core
from hueyio.exceptions import SerializationError
from hueyio.migration.chords import Chords, FoundChord, Member
from hueyio.migration.entries import ChordEntries, Refused, chord_entries, entry_of, with_token
from hueyio.migration.huey_values import ChordPlace, HueyMessage, chord_place
from hueyio.migration.keys import carry_revocations
from hueyio.migration.reading import Reading
from hueyio.migration.source import PLACES, Aside, Held, Place, Source, make_tokens
from hueyio.migration.tally import Refusal, Tally
from hueyio.named_tuple import NamedTuple
from hueyio.storage.contract import Session
from hueyio.storage.records import Entry, State
from hueyio.tasks.task import Task

__all__ = ["PAGE", "Ready", "Transfer"]

logger = logging.getLogger(__name__)

PAGE: Final = 200
"""Messages that are read and moved at once."""

_ALIVE: Final[frozenset[State]] = frozenset({"queued", "scheduled", "running", "expected"})


class Ready(NamedTuple):
    """A message that can be moved."""

    held: Held
    task: Task
    entry: Entry


class Transfer:
    """Moves from a source into the queue of a Huey. ``tally`` counts; ``advance`` is told of each page.

    ``is_dry``: only count what would be moved.
    """

    def __init__(
        self,
        core: Core,
        session: Session,
        source: Source,
        reading: Reading,
        *,
        is_dry: bool = False,
        advance: Callable[[int], object] = lambda count: None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.core = core
        self.session = session
        self.source = source
        self.reading = reading
        self.tally = Tally()
        self.is_dry = is_dry
        self._advance = advance
        self._is_stopped = is_stopped
        self._chords: Chords[Held] = Chords()

    async def recover(self) -> None:
        """Go on with what somebody left aside who was killed; what cannot be moved any more is given back."""
        kept = await self.source.aside()
        if self.is_dry:
            self.tally.moved.update((self.reading.path_in(it.data), "aside") for it in kept)
            return
        chords: Chords[Aside] = Chords()
        for start in range(0, len(kept), PAGE):
            await self._recover_page(kept[start : start + PAGE], chords)
        whole, others = chords.split()
        for found in whole:
            await self._recover_chord(found)
        await self._recover_members(others)

    async def move_all(self) -> None:
        """Make passes until one of them moves nothing."""
        while await self.pass_once() and not self.is_dry and not self._is_stopped():
            self._advance = lambda count: None  # what is left was counted

    async def pass_once(self) -> int:
        """Read all that is there, and move what can be moved; return how many were."""
        before = self.tally.tasks
        self.tally.left.clear()
        self._chords = Chords()
        for place in PLACES:
            await self._pass_place(place)
        whole, others = self._chords.split()
        for it in others:
            reason = "its chord is under way in Huey, or being written: not all members are in the queue"
            self.tally.refuse(self.reading.name_of(it.message.name), "chord", reason)
        for found in whole:
            if not self._is_stopped():
                await self._move_chord(found)
        return self.tally.tasks - before

    async def _pass_place(self, place: Place) -> None:
        skip = 0
        while not self._is_stopped():
            page = await self.source.page(place, skip, PAGE)
            if not page:
                return
            moved = await self._move_page(page)
            skip += len(page) - moved
            self._advance(len(page))

    async def _move_page(self, page: Sequence[Held]) -> int:
        """Move what can be moved of a page; return how many are not in Huey's queue any more."""
        ready = await self._refuse_alive([it for it in map(self.decide, page) if it is not None])
        if self.is_dry:
            self._count([(it.task, it.entry) for it in ready])
            return 0
        if not ready:
            return 0
        tokens = dict(zip(make_tokens(len(ready)), ready, strict=True))
        taken = await self.source.take({token: it.held for token, it in tokens.items()})
        mine = {token: (it.task, it.entry) for token, it in tokens.items() if token in taken}
        await self._enqueue(mine)
        self._count(list(mine.values()))
        return len(ready)  # those that are not mine somebody else has taken

    def decide(self, held: Held) -> Ready | None:
        """Return the message ready to be moved; None if it is refused, or waits for the rest of its chord."""
        try:
            message, place = self._read(held.data)
            if place is not None:
                self._chords.add(place, Member(message, held))
                return None
            task = self.reading.to_task(message)
            return Ready(held, task, self._entry_of(message, task))
        except Refused as error:
            self.tally.refuse(self.reading.path_in(held.data), error.refusal, str(error))
        except SerializationError as error:
            self.tally.refuse(self.reading.path_in(held.data), "unreadable", str(error))
        return None

    def _read(self, data: bytes) -> tuple[HueyMessage, ChordPlace | None]:
        message = self.reading.read_message(data)
        try:
            return message, chord_place(message)
        except ValueError as error:
            raise SerializationError(str(error)) from error

    def _entry_of(self, message: HueyMessage, task: Task) -> Entry:
        now = datetime.fromtimestamp(self.core.now(), UTC)
        return entry_of(self.core, task, self.reading.expiry(message, now))

    async def _refuse_alive(self, ready: Sequence[Ready]) -> list[Ready]:
        """Leave out what has the id of a task that is alive here, or of one before it: Huey would run both."""
        if not ready:
            return []
        found = await self.session.locate([it.task.id for it in ready])
        seen: set[str] = {it.id for it in found if it.state in _ALIVE}
        free: list[Ready] = []
        for it in ready:
            if it.task.id in seen:
                self.tally.refuse(it.task.path, "alive", "a task with its id is alive")
            else:
                seen.add(it.task.id)
                free.append(it)
        return free

    async def _enqueue(self, mine: dict[str, tuple[Task, Entry]]) -> None:
        """Enqueue what is aside under these tokens, and drop it there."""
        if not mine:
            return
        tasks = [task for task, _ in mine.values()]
        self.tally.revocations += await carry_revocations(self.session, self.source, self.reading, tasks)
        entries = await fit_workers(self.core, self.session, tasks, [entry for _, entry in mine.values()])
        await self.session.enqueue([with_token(it, token) for token, it in zip(mine, entries, strict=True)])
        await self.source.drop(list(mine))

    def _count(self, moved: Sequence[tuple[Task, Entry]]) -> None:
        for task, entry in moved:
            self.tally.moved[task.path, "ready" if entry.header.eta is None else "scheduled"] += 1

    async def _move_chord(self, found: FoundChord[Held]) -> None:
        members = [*found.all_members()]
        made = self._encode_chord(found)
        if made is None:
            return
        if not self.is_dry:
            tokens = dict(zip(make_tokens(len(members)), members, strict=True))
            if not await self.source.take({token: it.held for token, it in tokens.items()}, all_or_none=True):
                return  # Huey's consumer was faster; the next pass sees what is left
            await self._enqueue_chord(list(tokens), made)
        self._count(list(zip(made.tasks, made.entries, strict=True)))

    def _encode_chord(self, found: FoundChord[Any]) -> ChordEntries | None:
        try:
            return chord_entries(self.core, self.reading, found)
        except (Refused, SerializationError) as error:
            refusal: Refusal = error.refusal if isinstance(error, Refused) else "unreadable"
            for it in found.all_members():
                self.tally.refuse(self.reading.name_of(it.message.name), refusal, f"its chord: {error}")
            return None

    async def _enqueue_chord(self, tokens: Sequence[str], made: ChordEntries) -> None:
        tasks = [*made.tasks, *made.callbacks]
        self.tally.revocations += await carry_revocations(self.session, self.source, self.reading, tasks)
        entries = await fit_workers(self.core, self.session, made.tasks, made.entries)
        tokened = [with_token(it, token) for token, it in zip(tokens, entries, strict=True)]
        await self.session.enqueue(tokened, made.latches)
        await self.source.drop(tokens)

    async def _recover_page(self, page: Sequence[Aside], chords: Chords[Aside]) -> None:
        ready: dict[str, tuple[Task, Entry]] = {}
        refused: list[str] = []
        for it in page:
            try:
                message, place = self._read(it.data)
                if place is not None:
                    chords.add(place, Member(message, it))
                    continue
                task = self.reading.to_task(message)
                ready[it.token] = task, self._entry_of(message, task)
            except (Refused, SerializationError) as error:
                logger.warning("a message that was taken cannot be moved any more, and is given back: %s", error)
                refused.append(it.token)
        await self._enqueue(ready)
        self._count(list(ready.values()))
        await self._give_back(refused)

    async def _recover_chord(self, found: FoundChord[Aside]) -> None:
        """Enqueue a chord unless that was done: its members report to a latch, which must not be made again."""
        tokens = [it.held.token for it in found.all_members()]
        (callback,) = await self.session.locate([found.callback.id])
        if callback.state != "unknown":
            await self.source.drop(tokens)
            return
        made = self._encode_chord(found)
        if made is None:
            await self._give_back(tokens)
            return
        await self._enqueue_chord(tokens, made)
        self._count(list(zip(made.tasks, made.entries, strict=True)))

    async def _recover_members(self, members: Sequence[Member[Aside]]) -> None:
        """Drop members of chords that were enqueued; give back the others: whoever took them was killed meanwhile.

        A folder is the one storage in which several messages are moved one by one.
        """
        for it in members:
            place = chord_place(it.message)
            assert place is not None
            (callback,) = await self.session.locate([place.callback.id])
            if callback.state == "unknown":
                await self._give_back([it.held.token])
            else:
                await self.source.drop([it.held.token])

    async def _give_back(self, tokens: Sequence[str]) -> None:
        if tokens:
            await self.source.give_back(tokens)
