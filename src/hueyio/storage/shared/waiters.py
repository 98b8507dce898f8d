"""Who in this session waits for which ids: any number of calls for any number of ids share one registration each.

The first call that wants an id registers it under a number; later ones join. The registration and the check whether
the id is over are one operation, so an end cannot fall between them. An answer counts only for the registration whose
number it carries: what was addressed to an earlier one, taken back since, is not taken for the end of the same id's
next life. Registrations are gathered for one turn of the loop, unless a storage asks at once for a wait that is alone.
All state belongs to the loop.

A storage may forget what it was told (a server without persistence, a file that was exchanged), and then nobody is
ever told of an end. So all pending registrations are asked again now and then, and by the storage after a reconnect.
An id of which nothing is known ends the calls that did not say that they wait for it nevertheless; while one of these
is among the calls for an id, the storage is asked for all of them and does not register what it does not know, and
when that one has ended the others register anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextvars import Context
from functools import partial
from typing import Final

from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import Over, Unknown
from hueyio.storage.shared.answers import Refused, reject

__all__ = ["ASK_AGAIN", "AtOnce", "Exchange", "Waiters"]

ASK_AGAIN: Final = 10.0
"""Seconds after which the storage is asked again of everything that is still awaited."""

_LARGEST_NUMBER: Final = 2**32 - 1
"""Of a registration; then they begin anew, because Redis has eight hex digits for them."""


class Exchange(NamedTuple):
    """What one step registers and takes back (ids with their numbers), and who is told on the loop what came of it.

    ``answered`` gets the ends of those wanted ids that are over already, or ``Refused``. So it does for an id of which
    nothing is known, unless that is among the ``patient``: these are registered. ``again`` are those of the wanted that
    are registered already and may have been told meanwhile; if these cannot be asked, their waits go on.
    """

    wanted: Sequence[tuple[str, int]]
    unwanted: Sequence[tuple[str, int]]
    answered: Callable[[Collection[tuple[int, Over]] | Refused], None]
    patient: frozenset[str] = frozenset()
    again: frozenset[str] = frozenset()


class AtOnce(NamedTuple):
    """How a wait for one id is registered by who waits, without a turn of the loop for others to come along."""

    is_possible: Callable[[], bool]
    ask: Callable[[Exchange], Awaitable[None]]
    """Returns when the answer is handed out; where there is none, all will be registered again. May be cancelled."""


class _Call:
    """One await, which ends when nothing is missing; who wants to ``hear`` each end gets it, else all are kept."""

    __slots__ = ("future", "got", "hear", "is_patient", "missing")

    def __init__(
        self,
        future: asyncio.Future[None],
        ids: Collection[str],
        is_patient: bool = False,
        hear: Callable[[Over], object] | None = None,
    ) -> None:
        self.future = future
        self.is_patient = is_patient
        self.missing = set(ids)
        self.hear = hear
        self.got: dict[str, Over] = {}

    def take(self, over: Over) -> None:
        self.missing.discard(over.id)
        if self.hear is None:
            self.got[over.id] = over
        else:
            self.hear(over)
        if not self.missing and not self.future.done():
            self.future.set_result(None)


class _Registration:
    __slots__ = ("asked_patiently", "calls", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.calls: set[_Call] = set()
        self.asked_patiently = False
        """Whether the storage was told last that it is to be registered even if it is not known."""

    @property
    def is_patient(self) -> bool:
        """Whether all calls wait for what is not known yet."""
        return all(call.is_patient for call in self.calls)


class Waiters:
    """Who in one session waits for which ids.

    ``exchange`` sends registrations; all of them again every ``period`` seconds while there are any.
    """

    def __init__(
        self, exchange: Callable[[Exchange], None], period: float = ASK_AGAIN, at_once: AtOnce | None = None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._exchange = exchange
        self._at_once = at_once
        self._period = period
        self._registrations: dict[str, _Registration] = {}
        self._number = 0
        self._wanted: dict[str, int] = {}
        self._again: set[str] = set()
        """Those of the wanted that are registered already."""
        self._unwanted: list[tuple[str, int]] = []
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits."""
        return bool(self._registrations)

    async def wait(self, ids: Sequence[str], unknown: Unknown = "return") -> list[Over]:
        """Return when all ids are over, in the order asked; ``unknown`` says what of ids of which nothing is known."""
        if not ids:
            return []
        call = _Call(self._loop.create_future(), ids, unknown == "wait")
        await self._see_through(call)
        return [call.got[id] for id in ids]

    async def hear(self, ids: Sequence[str], hear: Callable[[Over], object]) -> None:
        """Have each end told as it comes; return after the last. ``hear`` must not raise."""
        if ids:
            await self._see_through(_Call(self._loop.create_future(), ids, hear=hear))

    def pending(self, ids: Collection[str] | None = None) -> list[tuple[str, int]]:
        """Return the registrations of these ids, or all."""
        if ids is None:
            return [(id, it.number) for id, it in self._registrations.items()]
        return [(id, it.number) for id in ids if (it := self._registrations.get(id)) is not None]

    def patient(self) -> frozenset[str]:
        """Return the pending ids that are waited for even if nothing is known of them, as the storage is to be told."""
        return frozenset(id for id, it in self._registrations.items() if self._note_patience(id, it.number))

    def ask_again(self, ids: Collection[str] | None = None) -> None:
        """Ask the storage again of these pending ids, or of all."""
        pending = self.pending(ids)
        if pending:
            self._again.update(id for id, _ in pending if id not in self._wanted)
            self._want(pending)

    def tell(self, mail: Collection[tuple[int, Over]]) -> None:
        """Hand out answers, each to the registration that it is for."""
        for number, over in mail:
            registration = self._registrations.get(over.id)
            if registration is not None and registration.number == number:
                del self._registrations[over.id]
                is_unknown = over.data is None and over.kind is None
                for call in registration.calls:
                    if is_unknown and call.is_patient:
                        self._join_one(call, over.id)
                    else:
                        call.take(over)

    def receive(self, mail: Collection[tuple[int, Over]]) -> None:
        """Hand out what other sessions left for this one, and delete their rows."""
        if mail:
            self.tell(mail)
            self._unwant([(over.id, number) for number, over in mail])

    def fail(self, error: BaseException, ids: Collection[str] | None = None) -> None:
        """Fail every call that waits for these ids, or for any; each takes its registrations back."""
        for id in tuple(self._registrations) if ids is None else ids:
            registration = self._registrations.get(id)
            for call in registration.calls if registration is not None else ():
                reject(call.future, error)

    def close(self, error: BaseException) -> None:
        """Fail every call, and let no timer keep the loop busy."""
        if self._timer is not None:
            self._timer.cancel()
        self.fail(error)
        self._registrations.clear()

    async def _see_through(self, call: _Call) -> None:
        is_first = not self._wanted and not self._unwanted
        self._join(call)
        asked: Exchange | None = None
        try:
            if is_first and len(self._wanted) == 1 and self._at_once is not None and self._at_once.is_possible():
                asked = self._take_exchange()
                await self._at_once.ask(asked)
                asked = None
            await call.future
        finally:
            if call.missing:
                self._leave(call)
            if asked is not None:  # cancelled: the answer is lost, and others may wait for it by now
                self.ask_again([id for id, _ in asked.wanted])

    def _join(self, call: _Call) -> None:
        for id in call.missing:
            self._join_one(call, id)

    def _join_one(self, call: _Call, id: str) -> None:
        registration = self._registrations.get(id)
        if registration is None:
            self._number = self._number % _LARGEST_NUMBER + 1
            registration = self._registrations[id] = _Registration(self._number)
            self._want([(id, self._number)])
        elif registration.asked_patiently and not call.is_patient:
            self.ask_again([id])
        registration.calls.add(call)

    def _leave(self, call: _Call) -> None:
        """Take back what nobody else waits for."""
        for id in call.missing:
            registration = self._registrations.get(id)
            if registration is not None:
                registration.calls.discard(call)
                if not registration.calls:
                    del self._registrations[id]
                    self._unwant([(id, registration.number)])

    def _want(self, registered: Sequence[tuple[str, int]]) -> None:
        self._send_soon()
        self._wanted.update(registered)

    def _unwant(self, registered: Sequence[tuple[str, int]]) -> None:
        self._send_soon()
        self._unwanted += registered

    def _send_soon(self) -> None:
        if not self._wanted and not self._unwanted:
            self._loop.call_soon(self._send)

    def _send(self) -> None:
        if self._wanted or self._unwanted:
            self._exchange(self._take_exchange())

    def _take_exchange(self) -> Exchange:
        wanted, self._wanted = self._wanted, {}
        unwanted, self._unwanted = self._unwanted, []
        again, self._again = self._again, set()
        if wanted:
            self._keep_asking()
        patient = frozenset(id for id, number in wanted.items() if self._note_patience(id, number))
        answered = partial(self._take_answer, [id for id in wanted if id not in again])
        return Exchange(list(wanted.items()), unwanted, answered, patient, frozenset(again))

    def _note_patience(self, id: str, number: int) -> bool:
        registration = self._registrations.get(id)
        if registration is None or registration.number != number:
            return False
        registration.asked_patiently = registration.is_patient
        return registration.asked_patiently

    def _take_answer(self, ids: Collection[str], answer: Collection[tuple[int, Over]] | Refused) -> None:
        if isinstance(answer, Refused):  # what was only asked again is still registered, and asked once more later
            self.fail(answer.error, ids)
        else:
            self.tell(answer)

    def _keep_asking(self) -> None:
        if self._timer is None:
            # In an empty context: one look follows the other, and that of the body that began it would be kept.
            self._timer = self._loop.call_later(self._period, self._ask_all, context=Context())

    def _ask_all(self) -> None:
        self._timer = None
        self.ask_again()
