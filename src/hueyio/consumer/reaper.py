"""Give up the owners whose heartbeat stands still, so that what they held runs again.

No clock is compared between machines: an owner is given up when this consumer has itself seen its counter
unchanged for one lease, counting only time in which its own heartbeats went through. So neither an outage, nor a
suspended machine, nor a clock that jumps makes live consumers look dead.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from hueyio.consumer.names import count_names
from hueyio.consumer.service import Service
from hueyio.messages.glance import glance_at_path
from hueyio.storage.contract import Consuming, Looking
from hueyio.storage.records import LISTED_AT_ONCE, Owner

__all__ = ["Reaper", "SilenceLog", "lease_of"]

logger = logging.getLogger(__name__)

_SWEEP: Final = 1 / 3
"""Of a lease: how often to look."""

_MOST_LOOKED_AT: Final = 2000
"""Running tasks among which those of a dead owner are looked for, to name them in the log."""


class _Session(Consuming, Looking, Protocol):
    """What is asked of a session."""


class SilenceLog:
    """What was seen of the others' heartbeats: owner → (beat, when it was first seen at that, monotonic)."""

    def __init__(self, lease: float) -> None:
        self._lease = lease
        self._seen: dict[str, tuple[int, float]] = {}
        self._last_look: float | None = None

    def observe(self, owners: Sequence[Owner], now: float, steady_since: float | None) -> tuple[list[Owner], float]:
        """Return the owners to give up, and in how many seconds the next look is due.

        ``now`` and ``steady_since`` are monotonic; None: the own heartbeats do not get through, so that nothing
        counts.
        """
        # A long gap between two looks means that we stood still ourselves.
        stood_still = self._last_look is not None and now - self._last_look > self._lease
        self._last_look = now
        if steady_since is None or stood_still:
            self._seen.clear()
        rest = self._lease * _SWEEP
        seen: dict[str, tuple[int, float]] = {}
        dead: list[Owner] = []
        for owner in owners:
            beat, since = self._seen.get(owner.owner, (owner.beat, now))
            if beat != owner.beat or (steady_since is not None and since < steady_since):
                since = now
            seen[owner.owner] = (owner.beat, since)
            left = since + lease_of(owner.info, self._lease) - now
            if left <= 0:
                dead.append(owner)
            else:
                rest = min(rest, left)
        self._seen = seen
        return dead, rest


def lease_of(info: bytes, otherwise: float) -> float:
    """Return how long the owner says its lease is; an unreadable one is taken for ours."""
    try:
        lease = json.loads(info)["lease"]
        return max(float(lease), 0.1)
    except (ValueError, KeyError, TypeError):
        return otherwise


def _nothing(owners: Sequence[Owner]) -> None:
    """Stand in for who wants to see the owners too."""


class Reaper(Service):
    """Looks at start, then three times per lease, and exactly when the next count is full."""

    def __init__(
        self,
        session: _Session,
        owner: Callable[[], str],
        steady_since: Callable[[], float | None],
        lease: float,
        monotonic: Callable[[], float] = time.monotonic,
        on_seen: Callable[[Sequence[Owner]], None] = _nothing,
    ) -> None:
        super().__init__()
        self._session = session
        self._owner = owner
        self._steady_since = steady_since
        self._monotonic = monotonic
        self._silence = SilenceLog(lease)
        self._on_seen = on_seen

    async def step(self) -> float:
        """Look once; give up who is due."""
        own = self._owner()
        others = [owner for owner in await self._session.owners() if owner.owner != own]
        self._on_seen(others)
        dead, rest = self._silence.observe(others, self._monotonic(), self._steady_since())
        for owner in dead:
            names = await self._names_of_held(owner)
            count = await self._session.reclaim(owner.owner, owner.beat)
            if count is not None:
                which = f": {names}" if names else ""
                logger.warning("consumer %s is gone; %d tasks that it held run again%s", owner.owner, count, which)
        return rest * random.uniform(0.9, 1.0) if rest > 1 else rest

    async def _names_of_held(self, owner: Owner) -> str:
        """Return the names of what an owner holds, for the log; what cannot be told at a glance counts as unknown.

        Read from the list of what runs, which has the beginnings of messages only: a dead owner may hold many large
        ones. Where very many run, those that are not found have no name here.
        """
        names: list[str] = []
        after: str | None = None
        for _ in range(_MOST_LOOKED_AT // LISTED_AT_ONCE):
            part = await self._session.page("running", LISTED_AT_ONCE, after)
            names += [glance_at_path(it.head, it.id) or "unknown" for it in part.items if it.owner == owner.owner]
            after = part.next
            if after is None or len(names) >= owner.held:
                break
        return count_names(names)
