"""Claim as many tasks as there is room for, and wait at the doorbell when there are no more."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol

from hueyio.consumer.joint_claim import JointClaim
from hueyio.consumer.ledger import Ledger
from hueyio.consumer.loans import Loans
from hueyio.consumer.service import Service
from hueyio.exceptions import LeaseLost
from hueyio.storage.contract import Consuming, Producing
from hueyio.storage.records import CLAIM_BYTES, Bell, Delivery, Lane

__all__ = ["Fetcher"]

logger = logging.getLogger(__name__)

_LONGEST_WAIT: Final = 5.0
"""Seconds at the bell: a ring that got lost costs no more than this."""

_LOOK_WHILE_IN_DOUBT: Final = 0.02
"""Seconds between two looks at what is held, until the settlements under way are answered."""

_FIRST_WAY: Final = 0.05
_LONGEST_WAY: Final = 0.5
"""Seconds for which nothing is claimed after a claim of tasks that are mostly unknown here; doubles while they are."""

_LOOK_WHILE_HELD_BACK: Final = 0.05
"""Seconds between two looks into the own ledger while held back; the storage is not asked."""

_LOOK_FOR_AWAITED: Final = 0.5
"""Seconds at the bell while a lane starts only what bodies wait for: nothing rings for a single task."""

_STANDSTILL: Final = 1.0
"""Seconds after which one more task is started when all bodies wait, for what is to come from tasks unknown here."""


class _Claiming(Consuming, Producing, Protocol):
    """Tasks are claimed, and sometimes located first."""


class Fetcher(Service):
    """Feeds the dispatcher.

    A claim is never cancelled. When its reply was lost, what it took is under our lease without our knowing:
    ``held`` says what that is, and it starts at once. The same after a fail-over: the server that took over may never
    have been told of a settlement, so that a task which is done here is in flight there.

    What bodies wait for with their slots lent (``loans``) is asked for by its ids where an ordinary claim would not
    bring it: at the bound of the loans, beside a suspect that waits, and while it is held back for one.

    With ``joins`` the storage claims together with a settlement that makes tasks ready. What comes of that is
    dispatched while the fetcher goes on waiting at the bells; ``on_late`` is called if it has stopped meanwhile.
    """

    def __init__(
        self,
        session: _Claiming,
        ledger: Ledger,
        owner: Callable[[], str],
        dispatch: Callable[[list[Delivery]], Awaitable[None]],
        on_schedule_rung: Callable[[], None],
        on_lease_lost: Callable[[str], None],
        lease: float,
        monotonic: Callable[[], float] = time.monotonic,
        loans: Loans | None = None,
        *,
        joins: bool = False,
        on_late: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self._joins = joins
        self._on_late = on_late
        self._joint: JointClaim | None = None
        self._loans = loans
        self._stands_since: float | None = None
        self._session = session
        self._ledger = ledger
        self._owner = owner
        self._dispatch = dispatch
        self._on_schedule_rung = on_schedule_rung
        self._on_lease_lost = on_lease_lost
        self._monotonic = monotonic
        self._again: list[Delivery] = []
        self._longest_wait = min(_LONGEST_WAIT, lease / 3)
        self._in_doubt = False
        self.is_listening = False
        """Whether it waits at the bells, that of the schedule among them."""
        self._held_back_until = 0.0
        self._paused = False
        self._ways = 0
        """How many claims in a row brought mostly what is unknown here."""
        self._gave_way = False
        self._gives_way_until = 0.0

    async def step(self) -> float:
        """Claim once, or wait for room or work."""
        owner = self._owner()
        try:
            return await self._fetch(owner)
        except LeaseLost:
            self._in_doubt = False
            self._on_lease_lost(owner)
            raise
        except Exception:
            self._in_doubt = True  # whatever was claimed and not dispatched is under our lease
            raise

    def doubt(self) -> None:
        """Look first at what is held: the storage may have lost what it acknowledged."""
        self._in_doubt = True
        self.wake()

    def expect_work(self) -> JointClaim | None:
        """Say what is claimed together with a settlement that is about to be written, and makes tasks ready.

        None: nothing is. If it waits at the bells, it claims right behind that settlement instead of after its ring.
        """
        if not self.is_listening or self._joint is not None:
            return None
        if self._may_join() and (room := self._ledger.room()):
            self._joint = JointClaim(room, self._ledger.revocations, self._end_joint)
            return self._joint
        self.wake()
        return None

    def hold_back(self, until: float) -> None:
        """Claim nothing until this monotonic time, or until nothing is held any more."""
        self._held_back_until = until

    def give_way(self) -> None:
        """Let consumers that know these tasks claim first: called while a claim is dispatched."""
        self._gave_way = True

    def pause(self, paused: bool) -> None:
        """Claim nothing until the queue is resumed. The storage gives nothing either; this only spares the asking."""
        self._paused = paused
        self.wake()

    def dispatch_again(self, delivery: Delivery) -> None:
        """Decide anew about a delivery that is held already."""
        self._again.append(delivery._replace(unrevoked=False))
        self.wake()

    def _may_join(self) -> bool:
        """Say whether nothing keeps it from an ordinary claim now."""
        if not self._joins or self.stopping or self._in_doubt or self._again or self._paused or self._loans:
            return False
        return self._monotonic() >= max(self._held_back_until, self._gives_way_until)

    async def _end_joint(self, joint: JointClaim) -> None:
        """Dispatch what was claimed together with a settlement."""
        try:
            if not joint.is_answered:
                self._in_doubt = True
            elif joint.deliveries is not None:
                await self._take(joint.deliveries, joint.heard)
        except Exception as error:  # it is not the settler's: the next step finds what is held, and meets it again
            logger.debug("what was claimed with a settlement is looked for again: %s", error)
            self._in_doubt = True
        finally:
            self._joint = None
        if self.stopping:
            self._on_late()
        elif not (self.is_listening and joint.deliveries is not None and _is_exhausted(joint.room, joint.deliveries)):
            self.wake()

    async def _fetch(self, owner: str) -> float:
        if self._joint is not None:
            await self.interruptible(asyncio.sleep(self._longest_wait))
            return 0
        if self._in_doubt:
            await self._recover_held(owner)
            if self._in_doubt:
                return _LOOK_WHILE_IN_DOUBT
        if self._again:
            await self._dispatch_again()
        if self._monotonic() < self._held_back_until and len(self._ledger):
            return 0 if await self._claim_awaited(owner) else _LOOK_WHILE_HELD_BACK
        if (left := self._gives_way_until - self._monotonic()) > 0:
            return min(left, _LOOK_WHILE_HELD_BACK)
        if self._paused:
            await self.interruptible(asyncio.sleep(self._longest_wait))
            return 0
        room = self._ledger.room()
        if room:
            heard = self._ledger.revocations
            deliveries = await self._session.claim(room, owner)
            await self._take(deliveries, heard)
            if not _is_exhausted(room, deliveries):
                return 0
        if self._loans and await self._claim_awaited(owner):
            return 0
        await self._wait_for_more(room)
        return 0

    async def _take(self, deliveries: list[Delivery], heard: int) -> None:
        """Dispatch what was claimed; ``heard`` is what the ledger knew of revocations before."""
        if self._ledger.revocations != heard:
            # Something was revoked since, perhaps one of these, which the listener did not find in the ledger.
            deliveries = [it._replace(unrevoked=False) for it in deliveries]
        if deliveries:
            self._gave_way = False
            await self._dispatch(deliveries)
            self._rest_if_unknown()

    async def _claim_awaited(self, owner: str) -> bool:
        """Claim what bodies wait for, where nothing else is claimed; say whether there was any."""
        if not self._loans or not (room := self._loans.room()):
            self._stands_since = None
            return False
        alone = self._loans.stands_still()
        for ids in self._loans.awaited():
            heard = self._ledger.revocations
            deliveries = await self._session.claim_awaited(ids, room, owner, alone)
            if deliveries:
                self._stands_since = None
                await self._take(deliveries, heard)
                return True
        return alone and await self._claim_any(self._loans, room, owner)

    async def _claim_any(self, loans: Loans, room: Mapping[Lane, int], owner: str) -> bool:
        """Go one beyond the bound after a while, if what is awaited is to come from tasks that are not known here."""
        now = self._monotonic()
        if self._stands_since is None:
            self._stands_since = now
        if now < self._stands_since + _STANDSTILL:
            return False
        self._stands_since = None
        ids = next(loans.awaited(), [])
        if not any(found.state == "expected" for found in await self._session.locate(ids)):
            return False
        heard = self._ledger.revocations
        deliveries = await self._session.claim(dict.fromkeys(room, 1), owner)
        await self._take(deliveries, heard)
        return bool(deliveries)

    async def _wait_for_more(self, room: Mapping[Lane, int]) -> None:
        """Wait for work that there is room for, or for room."""
        longest_wait = self._longest_wait
        if self._loans and self._loans.room():
            longest_wait = min(longest_wait, _LOOK_FOR_AWAITED)
        if not room:
            await self.interruptible(asyncio.sleep(longest_wait))
            return
        # Asking once more would cost a script for each task that comes alone, in front of its settlement.
        bells: set[Bell] = {*room, "schedule"}
        self.is_listening = True
        try:
            rung = await self.interruptible(self._session.wait_for_work(bells, longest_wait))
        finally:
            self.is_listening = False
        if rung and "schedule" in rung:
            self._on_schedule_rung()

    def _rest_if_unknown(self) -> None:
        self._ways = self._ways + 1 if self._gave_way else 0
        if self._ways:
            self._gives_way_until = self._monotonic() + min(_FIRST_WAY * 2.0 ** min(self._ways, 10), _LONGEST_WAY)

    async def _recover_held(self, owner: str) -> None:
        # What is in the ledger now may be settled, and struck out, before the answer is here: it is not unknown.
        known = self._ledger.ids()
        self._in_doubt = False  # and true again, if there is a reason for it before the answer is here
        deliveries = await self._session.held(owner)
        unknown = [it._replace(unrevoked=False) for it in deliveries if it.receipt.id not in known]
        if unknown:
            await self._dispatch(unknown)
        # An id whose outcome is being written may have become a retry that the lost claim took. Its settlement's answer
        # tells, so that is waited for.
        self._in_doubt = self._in_doubt or any(
            self._ledger.get(it.receipt.id) is None or self._ledger.has_ended(it.receipt.id) for it in deliveries
        )

    async def _dispatch_again(self) -> None:
        again, self._again = self._again, []
        try:
            await self._dispatch(again)
        except BaseException:
            self._again = again + self._again
            raise


def _is_exhausted(room: Mapping[Lane, int], deliveries: Sequence[Delivery]) -> bool:
    """Say whether a claim found less than it had room for in every lane; whatever may be claimed later rings."""
    taken = Counter(delivery.header.lane for delivery in deliveries)
    if any(taken[lane] >= asked for lane, asked in room.items()):
        return False
    # With so many bytes it may have ended early. A storage counts more than the messages.
    return sum(len(delivery.data) for delivery in deliveries) < CLAIM_BYTES // 2
