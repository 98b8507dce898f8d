"""Keep the own lease alive, whatever the tasks do.

Theory of operation. A task that blocks the loop makes the others late and not double: a thread sends the heartbeats.
Code that holds the interpreter lock (one long regular expression, a big pickle, a C library) stops this thread too. In
a worker the thread therefore has a small process beat (``beater.py``), tells it that this process lives, and hears what
came of the beats. Where that cannot be (a storage in memory, a storage whose keeper is not ``Portable``, a consumer
inside another program, no process to be had) the thread beats by itself. Nothing here waits for a log handler.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hueyio.consumer.beater import Beater, Report
from hueyio.consumer.outage import Outage
from hueyio.consumer.side_log import side_log
from hueyio.exceptions import HueyException, StorageUnavailable
from hueyio.storage.beat_recipe import BeatRecipe
from hueyio.storage.contract import LeaseKeeper, Portable

__all__ = ["Heartbeat", "HeartbeatOptions"]

logger = logging.getLogger(__name__)

_BEATS_PER_LEASE: Final = 3

_SIGNS_PER_BLOCK: Final = 4
"""How often within ``max_block`` this process says that it lives, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatOptions:
    """How to beat."""

    lease: float
    apart: bool = False
    """Whether a process of its own may beat, which kills this one after ``max_block`` seconds without a sign."""
    max_block: float | None = None
    running: Callable[[], Sequence[str]] = tuple
    """Names the tasks that run now, from any thread."""
    last_ended: Callable[[], str | None] = lambda: None
    """Names the task whose body ended last, from any thread."""


class Heartbeat:
    """Raises one owner's counter three times per lease, from a process or, where there is none, from its thread.

    ``steady_since`` is the monotonic time since which no beat failed or came late, None while they do: the reaper
    trusts its own observations only from there on. ``on_lost`` is called once, in the thread, if the owner was
    given up, ``on_ended`` at the end of the thread, and of the process. ``on_ready`` is called when a process knows
    what to do, so that no task can keep it from beating by holding the interpreter lock, or when none will do it.
    """

    def __init__(
        self,
        keeper: LeaseKeeper,
        options: HeartbeatOptions,
        on_lost: Callable[[], None],
        outage: Outage,
        on_ended: Callable[[], None] = lambda: None,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._keeper = keeper
        self._options = options
        self._outage = outage
        self._interval = options.lease / _BEATS_PER_LEASE
        self.tell_lost = on_lost
        self._tell_ended = on_ended
        self._tell_ready = on_ready
        self._stop = threading.Event()
        self._lost_with: Sequence[str] | None = None
        """What ran when another part found the lease lost."""
        self._last_beat = time.monotonic()
        self.steady_since: float | None = time.monotonic()
        self._beater: Beater | None = None
        self._ran: Sequence[str] = ()
        self._ended: str | None = None
        """What ran, and what had ended, when this thread woke up last."""
        self._thread = threading.Thread(target=self._run, name="hueyio-heartbeat", daemon=True)

    @property
    def beater_pid(self) -> int | None:
        """The process that beats; None if the thread does."""
        beater = self._beater  # the thread may take it away meanwhile
        return None if beater is None else beater.pid

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Send no further beat; does not wait for one under way."""
        self._stop.set()
        beater = self._beater
        if beater is not None:
            beater.hang_up()

    def stop_lost(self) -> None:
        """Send no further beat, for another part has found the lease lost; the thread still says why it was."""
        self._lost_with = self._options.running()
        self.stop()

    def give_up(self) -> None:
        """Send no further beat, at once, and say that the lease is lost; waits for nothing."""
        self._stop.set()
        beater = self._beater
        if beater is not None:
            beater.kill()
        self.tell_lost()

    def _run(self) -> None:
        try:
            if not self._beat_apart():
                self._tell_ready()
                self._beat_here()
        finally:
            self._keeper.close()
            self._tell_ready()
            self._tell_ended()

    # From a process

    def _beat_apart(self) -> bool:
        """Have a process beat as long as the lease lasts; False if this thread has to, from now on."""
        if not (self._options.apart and isinstance(self._keeper, Portable)):
            return False
        try:
            recipe = self._keeper.to_recipe()
            if recipe is None:
                return False
            self._beater = beater = Beater()
        except (HueyException, OSError) as error:
            self._say(
                logging.WARNING,
                "a thread sends the heartbeats, because no process can: %s. "
                "A task that holds the interpreter lock (GIL) for longer than the lease may run twice",
                error,
            )
            return False
        try:
            return self._serve(beater, self._keeper, recipe)
        finally:
            beater.hang_up()
            beater.wait_ended()
            self._beater = None

    def _serve(self, beater: Beater, keeper: Portable, recipe: BeatRecipe) -> bool:
        """Give signs and hear what comes of the beats; False if the process has ended by itself."""
        if self._stop.is_set():
            return True  # since this thread began
        order = (self._interval, self._options.max_block)
        beater.order(recipe, *order)
        self._tell_ready()
        rest = self._interval
        if self._options.max_block is not None:
            rest = min(rest, self._options.max_block / _SIGNS_PER_BLOCK)
        alive = True
        while alive and not self._stop.is_set():
            began = time.monotonic()
            reports = beater.read(rest)
            suspects = self._look_at_tasks()
            beater.give_sign(self._ran)
            if self._stop.is_set():
                return True
            if reports is None:
                self._say(
                    logging.WARNING, "the process that sends the heartbeats has ended; a thread does, from now on"
                )
                return False
            if not any(report.stopped for report in reports):
                self._note_late(time.monotonic() - began - rest, suspects)
            taken = [self._take(report, recipe) for report in reports]  # all of them, also after a loss
            alive = all(taken)
            if keeper.has_moved() or any(report.error for report in reports):
                recipe, before = self._look_again(keeper, recipe), recipe
                if recipe != before:  # it beats at once then; in the same place, it tries again when the next is due
                    beater.order(recipe, *order)
        return True

    def _take(self, report: Report, recipe: BeatRecipe) -> bool:
        """Take note of one beat; False if there is no lease any more."""
        if report.stopped:
            self.steady_since = None
            return True
        if report.error is not None:
            self._note_failure(StorageUnavailable(f"{recipe}: {report.error}"))
            return True
        self._note_beat(report.at, report.alive)
        return report.alive

    def _look_again(self, keeper: Portable, recipe: BeatRecipe) -> BeatRecipe:
        """Ask where to beat now; where that is not known, the next beat fails as the last one did."""
        try:
            return keeper.to_recipe() or recipe
        except HueyException:
            return recipe

    def _note_late(self, late: float, suspects: Sequence[str]) -> None:
        """Say who kept this process from running, if this thread woke up so late."""
        if late > self._interval:
            self._say(
                logging.WARNING,
                "no thread of this process could run for %.1f s: something held the interpreter lock (GIL). The lease "
                'was kept. It ran: %s. Such code belongs into a process: run_in="process"',
                late,
                _names(suspects),
            )

    # From this thread

    def _beat_here(self) -> None:
        while not self._stop.wait(self._interval):
            if not self._beat():
                return
        if self._lost_with is not None:
            self._say_why_lost(time.monotonic() - self._last_beat, self._look_at_tasks())

    def _beat(self) -> bool:
        """Beat once; False if there is no lease any more."""
        suspects = self._look_at_tasks()
        try:
            alive = self._keeper.beat()
        except StorageUnavailable as error:
            self._note_failure(error)
            return True
        except HueyException as error:
            if self.steady_since is not None:
                self._say(logging.WARNING, "heartbeat: %s; trying again until it works", error)
            self.steady_since = None
            return True
        except Exception as error:  # a bug, of a storage of the user's perhaps: the lease may yet be kept
            if self.steady_since is not None:
                self._say(logging.ERROR, "heartbeat failed: %r; trying again until it works", error)
            self.steady_since = None
            return True
        if not alive and (self._lost_with is not None or not self._stop.is_set()):
            self._say_why_lost(time.monotonic() - self._last_beat, suspects)
        self._note_beat(time.monotonic(), alive)
        return alive

    def _say_why_lost(self, silent_for: float, suspects: Sequence[str]) -> None:
        if silent_for > 2 * self._interval:
            self._say(
                logging.WARNING,
                "no heartbeat was sent for %.1f s, and the lease is lost: something held the interpreter lock (GIL), "
                "or this process stood still. What it held runs again elsewhere. It ran: %s. Code that holds the lock "
                'for longer than the lease (%g s) belongs into a process: run_in="process"',
                silent_for,
                _names(suspects),
                self._options.lease,
            )

    # From either

    def _look_at_tasks(self) -> list[str]:
        """Name what has run since the last look, except what began and ended before another did."""
        ran, ended = self._ran, self._ended
        self._ran, self._ended = self._options.running(), self._options.last_ended()
        suspects = [*ran, *self._ran, *(self._lost_with or ())]
        if self._ended is not None and self._ended != ended:
            suspects.append(self._ended)
        return list(dict.fromkeys(suspects))

    def _note_beat(self, at: float, alive: bool) -> None:
        if not alive and not self._stop.is_set():
            self.tell_lost()
        self._outage.note_success("heartbeat")
        # A gap means that this process, or its whole machine, stood still: others may just be waking up too.
        if self.steady_since is None or at - self._last_beat > 2 * self._interval:
            self.steady_since = at
        self._last_beat = at

    def _note_failure(self, error: StorageUnavailable) -> None:
        self._outage.note_failure("heartbeat", error)
        self.steady_since = None

    def _say(self, level: int, text: str, *args: object) -> None:
        side_log.say(logger, level, text, *args)


def _names(tasks: Sequence[str]) -> str:
    return ", ".join(tasks) or "nothing that is known"
