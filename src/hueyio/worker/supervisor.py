"""Several consumer processes under one that replaces those that die.

Theory of operation. The supervisor imports no app and runs no task. It has a fixed number of places with one child
each, and a coroutine for each place decides:

* The child died: another one takes its place, after a rest that doubles while children die young.
* The child asks to be recycled (``--max-tasks``, ``--max-memory``), or SIGHUP or a changed file asks for it: a
  successor is started, and the child is told to stop when that one consumes. So there is no gap; a successor that
  does not become ready changes nothing.
* The first child of a place ended before it was ready with a code that says that the app or the command line is wrong:
  the supervisor ends with this code, because trying again would not help.

* It is told to stop: so are the children, and those that have not ended when their time is over are killed.

Children are sessions of their own, so that a Ctrl-C reaches the supervisor alone, and end by themselves when the
supervisor is gone (``parent.py``).
"""

from __future__ import annotations

import asyncio
import logging
import random
import signal
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

from hueyio.core import DEFAULT_GRACE
from hueyio.storage.shared.background import make_task
from hueyio.worker.child import Child, start_child
from hueyio.worker.handlers import handling
from hueyio.worker.systemd import notify, ping_watchdog

__all__ = ["Supervisor"]

logger = logging.getLogger(__name__)

_HOPELESS: Final = frozenset({2, 69, 78})
"""Exit codes of a child that never was ready which will be the same next time; see ``cli``."""

_YOUNG: Final = 5.0
"""Seconds; a place whose child does not get older rests before it is filled again."""

_KILL_MARGIN: Final = 4.7
"""Seconds beside the grace of the tasks after which a child that was told to stop is killed: by then it has ended
itself, unless it cannot."""

_FIRST_REST: Final = 0.5
_LONGEST_REST: Final = 30.0


class Supervisor:
    """Keeps ``count`` children running; ``command(n)`` is the command line of the ``n``th.

    A child that is told to stop gets ``grace`` seconds for its tasks, and some more, before it is killed.
    ``one_first``: the others are started when the first consumes, because it has something to do before.
    """

    def __init__(
        self,
        command: Callable[[int], Sequence[str]],
        count: int,
        *,
        grace: float = DEFAULT_GRACE,
        one_first: bool = False,
    ) -> None:
        self._command = command
        self._count = count
        self._grace = grace
        self._may_start = asyncio.Event()
        """Whether all places may be filled."""
        if not one_first:
            self._may_start.set()
        self._children: set[Child] = set()
        self._recycle = [asyncio.Event() for _ in range(count)]
        self._stopping = asyncio.Event()
        self._waiting_for = count
        self._exit_code = 0
        self._stops = 0

    async def run(self) -> int:
        """Supervise until told to stop; return the exit code."""
        logger.info("supervisor: starting %d consumer processes", self._count)
        pinging = make_task(ping_watchdog())
        try:
            with self._signal_handlers():
                async with asyncio.TaskGroup() as group:
                    for place in range(self._count):
                        group.create_task(self._keep(place, group))
        finally:
            pinging.cancel()
        logger.info("supervisor: stopped")
        return self._exit_code

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop all children: as this signal says the first two times, by SIGKILL the third or if it takes too long."""
        self._stops += 1
        grace = self._grace if self._stops == 1 and number != signal.SIGQUIT else 0.0
        asyncio.get_running_loop().call_later(grace + _KILL_MARGIN, self._kill_all)
        self._stopping.set()
        self._may_start.set()
        for child in self._children:
            child.send(number if self._stops < 3 else signal.SIGKILL)

    def _kill_all(self) -> None:
        for child in self._children:
            logger.error("supervisor: process %d did not end in time; it is killed", child.pid)
            child.send(signal.SIGKILL)

    def recycle_all(self) -> None:
        """Replace every child by one that consumes already when the old one stops."""
        for event in self._recycle:
            event.set()

    def _signal_handlers(self) -> AbstractContextManager[object]:
        return handling(
            {
                signal.SIGINT: lambda: self._stop_by_signal(signal.SIGINT),
                signal.SIGTERM: lambda: self._stop_by_signal(signal.SIGTERM),
                signal.SIGQUIT: lambda: self._stop_by_signal(signal.SIGQUIT),
                signal.SIGHUP: self.recycle_all,
                signal.SIGUSR1: lambda: self._forward(signal.SIGUSR1),
            }
        )

    def _stop_by_signal(self, number: signal.Signals) -> None:
        logger.info("supervisor: %s: stopping %d consumer processes", number.name, len(self._children))
        notify("STOPPING=1")
        self.stop(number)

    def _forward(self, number: signal.Signals) -> None:
        for child in self._children:
            if child.is_ready:  # before, it may not handle the signal yet, and would end
                child.send(number)

    async def _keep(self, place: int, group: asyncio.TaskGroup) -> None:
        """Keep one place filled until the supervisor stops."""
        current: Child | None = None
        rest = _FIRST_REST
        first = True
        if place > 0:
            await self._may_start.wait()
        while not self._stopping.is_set():
            self._recycle[place].clear()
            try:
                successor = await self._start(place, first)
            except OSError as error:
                logger.error("supervisor: cannot start a process: %s; trying again", error)
                rest = await self._rest(rest)
                continue
            if await successor.wait_ready():
                self._note_ready(first)
                first = False
                if current is not None:
                    logger.info("supervisor: process %d takes over from %d", successor.pid, current.pid)
                    current.replace()
                    group.create_task(self._see_off(current))
                current = successor
            elif current is not None:
                await self._see_off(successor)
                logger.error("supervisor: process %d did not start; %d goes on", successor.pid, current.pid)
            else:
                self._give_up_if_hopeless(await self._see_off(successor), first)
                rest = await self._rest(rest)
                continue
            code = await self._wait_until_needed(place, current)
            if code is None or self._stopping.is_set():
                continue
            logger.error("supervisor: process %d ended with %s; it is replaced", current.pid, _describe(code))
            rest = await self._rest(rest) if current.age < _YOUNG else _FIRST_REST
            current = None
        if current is not None:
            await self._see_off(current)

    async def _start(self, place: int, first: bool) -> Child:
        child = await start_child(self._command(place), first and place == 0)
        self._children.add(child)
        if self._stopping.is_set():
            child.send(signal.SIGTERM)  # it was not there yet when all others were told
        return child

    async def _see_off(self, child: Child) -> int:
        code = await child.wait_ended()
        self._children.discard(child)
        return code

    async def _wait_until_needed(self, place: int, child: Child) -> int | None:
        """Wait until a new child is needed; return the exit code of the present one if it has ended."""
        ended = make_task(child.wait_ended())
        asked = [make_task(event.wait()) for event in (child.recycle, self._recycle[place])]
        await asyncio.wait([ended, *asked], return_when=asyncio.FIRST_COMPLETED)
        for each in asked:
            each.cancel()
        if ended.done():
            self._children.discard(child)
            return ended.result()
        ended.cancel()
        child.recycle.clear()
        return None

    async def _rest(self, seconds: float) -> float:
        """Rest, unless the supervisor stops; return how long to rest the next time."""
        try:
            async with asyncio.timeout(seconds * random.uniform(0.5, 1.0)):
                await self._stopping.wait()
        except TimeoutError:
            pass
        return min(2 * seconds, _LONGEST_REST)

    def _note_ready(self, first: bool) -> None:
        self._may_start.set()
        if first:
            self._waiting_for -= 1
            if self._waiting_for == 0:
                notify("READY=1")

    def _give_up_if_hopeless(self, code: int, first: bool) -> None:
        if self._stopping.is_set():
            return
        logger.error("supervisor: a process ended with %s before it was ready", _describe(code))
        if first and code in _HOPELESS:
            self._exit_code = code
            self.stop()


def _describe(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
