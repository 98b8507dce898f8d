"""One handle's way to the end of its task.

Theory of operation. A read has two steps. The first brings what the task left into the handle, and leaves it in the
storage: it may be cancelled anywhere, or fail. The second, ``hand_over``, is the last thing that happens before the
reader gets it, without any wait; only there the value is marked to be deleted. So whatever ends a read before its
reader has the value, the value is still there, for the next read in any process.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeAlias

from hueyio import control
from hueyio.client.deletions import Deletions, delete_read, deletions_of
from hueyio.client.producer import Producer
from hueyio.core import Core
from hueyio.exceptions import HueyException, SerializationError
from hueyio.execution.lending import lending
from hueyio.handles.status import OVER, Status, absence_of, ending_of, is_alive, status_of, status_of_end
from hueyio.loops.ordered import is_in_ordered_thread
from hueyio.messages.stored_result import Ending, Error, Returned
from hueyio.storage.contract import Session
from hueyio.storage.records import EndKind, Found, Over

__all__ = ["Delete", "Reader", "check_timeout", "session_without"]

Delete: TypeAlias = Callable[[Core, Sequence[str]], object]
"""Lets the storage delete the results of ids that were handed over; waits for nothing."""

_LOOK_TIME: Final = 60.0
"""Seconds that a wait for what is over may take."""


class Reader:
    """What one handle knows of its task, and how it learns more. It belongs to the handle.

    ``seen_at``: when the task was last known to be alive (epoch seconds); None: only its id is known.
    """

    __slots__ = ("_is_stored", "_kind", "_producer", "ending", "id", "is_final", "path", "returns", "seen_at")

    def __init__(self, producer: Producer, id: str, seen_at: float | None, path: str | None = None) -> None:
        self._producer = producer
        self.id = id
        self.seen_at = seen_at
        self.path = path
        """That of the task, by whose annotation a serializer with types reads the value; None: it is not known."""
        self.returns: Callable[[Any], Any] | None = None
        """What reads the value instead, if its type was said."""
        self.ending: Ending | None = None
        """What was read."""
        self.is_final = False
        """Whether that is the final outcome; the error of an attempt that is retried is not."""
        self._is_stored = False
        """Whether it stands in the storage, to be deleted when it was handed over."""
        self._kind: EndKind | None = None

    @property
    def core(self) -> Core:
        """That of the Huey."""
        return self._producer.core

    @property
    def value(self) -> Any:
        """The value that was read; raises TaskException if the task failed."""
        ending = self.ending
        if isinstance(ending, Returned):
            return ending.value
        assert ending is not None, "read before it was there"
        raise ending.to_exception()

    async def wait(self, timeout: float | None) -> bool:
        """Wait for the end and read it into the handle; False if it does not come within ``timeout`` seconds."""
        if self.is_final:
            return True
        check_timeout(timeout)
        session = await self._session()
        if timeout is None:
            await self.refuse_to_hang()
        over = await lending([self.id], self._wait_over(session, timeout))
        if over is None:
            return False
        if over.data is None and over.kind is None:
            over = await self._explain(session)
        self._keep(over)
        return True

    async def look(self) -> bool:
        """Read what is stored, if anything is, without waiting; say whether something was read now or before."""
        if self.ending is None:
            session = await self._session()
            (data,) = await session.peek("results", [self.id])
            if data is not None:
                await self._keep_unawaited(session, data)
        return self.ending is not None

    async def is_over(self) -> bool:
        """Say whether the task has ended; what is stored is read into the handle."""
        if self.is_final:
            return True
        found = await self.find()
        if found.state == "stored":
            self._keep(Over(self.id, found.data, False, found.kind))
        return found.state in OVER

    async def status(self) -> Status:
        """Say where the task is."""
        if self.is_final and self.ending is not None:
            return status_of_end(self._kind, self.ending)
        session = await self._session()
        found = await control.history.recall(session, await self._find(session))
        ending = None
        if found.state in ("stored", "dead") and found.kind is None:
            (data,) = [found.data] if found.state == "stored" else await session.peek("results", [self.id])
            ending = None if data is None else ending_of(Over(self.id, data), self.core.serializer)
        return status_of(found, ending, self.core.serializer)

    async def find(self) -> Found:
        """Ask the storage where the task is."""
        return await self._find(await self._session())

    async def refuse_to_hang(self) -> None:
        """Raise HueyException where the end of the task may need the thread that is about to wait for it."""
        if is_in_ordered_thread() and (await self.find()).state not in OVER:
            raise HueyException(
                f"a sync hook or receiver waits for task {self.id}, whose hooks and receivers need the same thread: "
                "make it `async def`, or wait with a timeout"
            )

    def hand_over(self, preserve: bool, delete: Delete = delete_read) -> Any:
        """Return the value, or raise TaskException; without ``preserve`` it is deleted in the storage, soon.

        Nothing may be awaited between this and the moment at which the reader has it.
        """
        self.release(preserve, delete)
        return self.value

    def release(self, preserve: bool, delete: Delete = delete_read) -> None:
        """Let the storage delete what the reader is about to get."""
        if not preserve and self.note_release():
            delete(self.core, (self.id,))

    def note_release(self) -> bool:
        """Say whether there is anything to delete; from now on there is not."""
        is_stored, self._is_stored = self._is_stored, False
        return is_stored

    def take(self, over: Over) -> None:
        """Read the end that another wait was told of; not one that says nothing, or cannot be read."""
        if over.data is not None or over.kind is not None:
            with contextlib.suppress(SerializationError):  # for who asks for this one alone
                self._keep(over)

    def reset(self) -> None:
        """Forget what was read."""
        self.ending = None
        self.is_final = self._is_stored = False
        self._kind = None

    async def _session(self) -> Session:
        return await session_without(self.core, [self.id])

    async def _find(self, session: Session) -> Found:
        (found,) = await session.locate([self.id])
        if is_alive(found):
            self.seen_at = self.core.now()
        return found

    async def _wait_over(self, session: Session, timeout: float | None) -> Over | None:
        """Wait for the end; None if it does not come in time. A timeout of 0 looks once."""
        if timeout is None:
            return await self._await_end(session, "return")
        if timeout <= 0:
            found = await self._find(session)
            if found.state == "unknown" and self.seen_at is not None:
                return Over(self.id, None)
            if found.state not in OVER:
                return None
            timeout = _LOOK_TIME
        try:
            async with asyncio.timeout(timeout):
                return await self._await_end(session, "wait")
        except TimeoutError:
            return None

    async def _await_end(self, session: Session, unknown: Literal["return", "wait"]) -> Over:
        """Wait for the end; raises HueyException where nothing in this process can bring it.

        ``unknown``: what becomes of a task of which nothing is known. One that was alive is not waited for: it is lost.
        """
        capabilities = self.core.storage.capabilities
        if not capabilities.keeps:
            raise HueyException(f"{self.core.kind} keeps nothing: there will never be a result of task {self.id}")
        if self.core.immediate:
            await self._producer.immediate.wait(self.id)
        if self.seen_at is None:
            found = await self._find(session)
            if found.state in ("stored", "ended"):
                return Over(self.id, found.data, False, found.kind)
        (over,) = await session.await_outcomes([self.id], unknown if self.seen_at is None else "return")
        return over

    async def _explain(self, session: Session) -> Over:
        """Say how a task ended of which a wait has told nothing; raise if nothing is known of it."""
        ended = await session.ended([self.id])
        kind = ended.kinds[0] or (await control.history.recall(session, Found(self.id, "unknown"))).kind
        if kind is None:
            raise absence_of(self.id, str(self.core.storage), self.seen_at, ended.since)
        return Over(self.id, None, False, kind)

    async def _keep_unawaited(self, session: Session, data: bytes) -> None:
        """Keep what was found without a wait for the end; an error may be that of an attempt that is retried."""
        over = Over(self.id, data)
        ending = ending_of(over, self.core.serializer)
        if isinstance(ending, Error):
            found = await self._find(session)
            if found.state not in OVER:
                self.ending = ending
                return
            if found.state == "stored":  # the end came between the two looks
                self._keep(Over(self.id, found.data, False, found.kind))
                return
        self._keep(over, ending)

    def _keep(self, over: Over, ending: Ending | None = None) -> None:
        """Keep what a task that is over has left; ``ending``: what that is, if it is read already."""
        if not self.is_final:  # else another read of this handle was faster
            ending = ending_of(over, self.core.serializer) if ending is None else ending
            self.ending = ending if self.core.serializer.types is None else self._typed(ending)
            self.is_final = True
            self._kind = over.kind
            self._is_stored = over.data is not None and not (over.shared or self.core.keeps_results)

    def _typed(self, ending: Ending) -> Ending:
        """Read a value by the type that was said, else by the annotation of the task; raises SerializationError."""
        spec = None if self.path is None else self.core.registry.get(self.path)
        read = self.returns if spec is None or spec.types is None else spec.types.read_result
        if read is None or isinstance(ending, Error) or ending.value is None:
            return ending
        try:
            return Returned(read(ending.value))
        except SerializationError as error:
            raise SerializationError(f"the result of task {self.id} cannot be read: {error}") from error


async def session_without(core: Core, ids: Sequence[str]) -> Session:
    """Return the session, as soon as nothing that was read through it is about to be deleted under these ids."""
    deletions = core.peek_beside_session(Deletions)
    if deletions is None:
        deletions = await deletions_of(core)
    await deletions.let_go(ids)
    return deletions.session


def check_timeout(timeout: float | None) -> None:
    """Raise HueyException for what is no number of seconds."""
    if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, (int, float))):
        raise HueyException(f"timeout must be a number of seconds, or None to wait for ever, not {timeout!r}")
