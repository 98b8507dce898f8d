"""The consumer's lease: begin it, notice its loss, begin a new one under a new owner id."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from hueyio.consumer.heartbeat import Heartbeat, HeartbeatOptions
from hueyio.consumer.service import Service
from hueyio.storage.contract import Consuming, LeaseKeeper
from hueyio.storage.owner_names import make_owner_name

__all__ = ["Lease"]

logger = logging.getLogger(__name__)


class Lease(Service):
    """Owns the owner id and its heartbeat.

    Others may give this consumer up while it lives: when it was stopped, or cut off, for longer than the lease.
    What it held is for others to run, if the storage still has it. It drops all that (``on_lost``), takes a new id and
    goes on. ``about`` says what else it tells of itself: which tasks it knows (see ``fleet``), its version; and
    ``presence`` what changes while it lives.
    """

    def __init__(
        self,
        session: Consuming,
        make_keeper: Callable[[str], LeaseKeeper],
        options: HeartbeatOptions,
        slots: dict[str, int],
        on_lost: Callable[[], None],
        on_renewed: Callable[[], None],
        about: Callable[[], Mapping[str, Any]] = dict,
        presence: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        super().__init__()
        self.owner = ""
        self._session = session
        self._make_keeper = make_keeper
        self._options = options
        self._slots = slots
        self._on_lost = on_lost
        self._on_renewed = on_renewed
        self._about = about
        self._presence = presence
        self._identity: Mapping[str, Any] = {}
        self._heartbeat: Heartbeat | None = None
        self._heartbeat_ended = asyncio.Event()
        self._lost = False

    async def begin(self) -> None:
        """Register under a new owner id and begin to beat; returns when no task can keep the beats from being sent."""
        owner = make_owner_name()
        self._identity = self._identify()
        await self._session.register(owner, self.info())
        self.owner = owner
        loop = asyncio.get_running_loop()

        def tell(call: Callable[..., object], *args: object) -> None:
            try:
                loop.call_soon_threadsafe(call, *args)
            except RuntimeError:
                return  # the loop has ended, and the consumer with it

        ended = self._heartbeat_ended = asyncio.Event()
        ready = asyncio.Event()
        self._heartbeat = Heartbeat(
            self._make_keeper(owner),
            self._options,
            lambda: tell(self.mark_lost, owner),
            self.outage,
            lambda: tell(ended.set),
            lambda: tell(ready.set),
        )
        self._lost = False
        self._heartbeat.start()
        if self._options.apart:
            await ready.wait()

    async def end(self) -> None:
        """Stop the heartbeat and deregister: what is still held goes back at once."""
        if self._heartbeat is not None:
            self._heartbeat.stop()
        await self._session.deregister(self.owner)
        if self.beater_pid is not None:
            await self._heartbeat_ended.wait()  # a process that nobody waited for would stay as a zombie after an exec

    def abandon(self) -> None:
        """Stop the heartbeat and keep what is held: it counts as delivered to an owner that died."""
        if self._heartbeat is not None:
            self._heartbeat.stop()

    def give_up(self) -> None:
        """Let the lease run out although this process lives, from any thread; the loop begins a new one when it can."""
        if self._heartbeat is not None:
            self._heartbeat.give_up()

    def mark_lost(self, owner: str) -> None:
        """Say that this owner has no lease any more."""
        if owner == self.owner and not self._lost:
            self._lost = True
            self.wake()

    @property
    def beater_pid(self) -> int | None:
        """The process that sends the heartbeats; None if a thread does."""
        return None if self._heartbeat is None else self._heartbeat.beater_pid

    def steady_since(self) -> float | None:
        """Return since when the own heartbeats got through, monotonic; None while they do not."""
        return None if self._heartbeat is None else self._heartbeat.steady_since

    async def step(self) -> float:
        """Wait for the loss of the lease and begin a new one."""
        if not self._lost:
            await self.interruptible(asyncio.Event().wait())
            return 0
        logger.warning(
            "consumer %s was given up by others, or the storage lost its lease: "
            "it drops what it held, and goes on anew",
            self.owner,
        )
        if self._heartbeat is not None:
            self._heartbeat.stop_lost()
        self._on_lost()
        await self.begin()
        self._on_renewed()
        return 0

    def info(self) -> bytes:
        """Say who this is and how it is now; the reaper of another consumer reads ``lease``."""
        return json.dumps({**self._identity, **self._presence()}).encode()

    def _identify(self) -> dict[str, Any]:
        return {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "started": time.time(),
            "lease": self._options.lease,
            "slots": self._slots,
            **self._about(),
        }
