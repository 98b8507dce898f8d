"""What changes while somebody looks: one read of the storage a second for all browsers, and of each only what is new.

A ``Feed`` reads while it has listeners, and else does nothing. Each reading replaces the one before, so that a slow
browser misses what was in between and never makes anything grow. A stream ends by itself after a while and the browser
opens it anew: who may look no longer is turned away then, and a server that stops does not wait for long.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from hueyio.control.consumers import read_consumers
from hueyio.control.listing import list_tasks
from hueyio.control.pause import read_pause
from hueyio.control.statistics import read_statistics
from hueyio.control.task_details import describe_task
from hueyio.control.task_info import TaskInfo
from hueyio.control.wish import make_wish
from hueyio.core import Core
from hueyio.exceptions import HueyException
from hueyio.named_tuple import NamedTuple
from hueyio.storage.contract import Session
from hueyio.storage.records import COUNTED
from hueyio.storage.shared.background import make_task
from hueyio.storage.texts import is_storable
from hueyio.tasks.states import ENDED_STATES, TaskState
from hueyio.web.actions.jobs import Jobs
from hueyio.web.charts import slots_of
from hueyio.web.filters import RANGES
from hueyio.web.frame import STATES, count_of, counted_to
from hueyio.web.pages.overview import figures_of
from hueyio.web.pages.tasks import state_of
from hueyio.web.redaction import Redaction
from hueyio.web.refusal import Refusal
from hueyio.web.shown import plain

__all__ = ["Feed", "Topics", "feed_of", "read_topics", "stop_feeds"]

logger = logging.getLogger(__name__)

_PERIOD: Final = 1.0
_STATISTICS_PERIOD: Final = 5.0
"""Workers tell every five seconds what they have counted."""

_LASTS: Final = 25.0
"""Seconds after which a stream ends."""

_SILENCE: Final = 5.0
"""Seconds without a reading after which a stream gives a sign of life."""

_MOST_TASKS: Final = 50
"""Tasks that are looked at in one reading, whoever looks at which."""

_MOST_NEW: Final = 100


class Topics(NamedTuple):
    """What one page shows that may change, beside the counts of states."""

    figures: bool = False
    """Those of the overview."""
    state: TaskState | None = None
    """A list: of tasks that ended, how many are new since ``since`` (epoch seconds); of those that run, how far."""
    since: float = 0.0
    task: str | None = None
    """A task by its id."""


@dataclass(slots=True)
class _Reading:
    """What was read last. Owned by the feed."""

    counts: dict[str, str] = field(default_factory=dict)
    paused: bool = False
    figures: list[list[str]] = field(default_factory=list)
    ended: dict[TaskState, list[float]] = field(default_factory=dict)
    """When the latest of a state ended, the latest first."""
    tasks: dict[str, TaskInfo] = field(default_factory=dict)
    running: list[TaskInfo] = field(default_factory=list)
    """Some that run."""
    are_all: bool = True
    """Whether these are all that run."""
    jobs: list[list[Any]] = field(default_factory=list)
    """What goes on in the background: its id, how far it is in words and as a fraction, and what it did at its end."""

    def of(self, topics: Topics, redaction: Redaction) -> dict[str, Any]:
        """Return what a page with these topics shows."""
        shown: dict[str, Any] = {"counts": self.counts, "paused": self.paused, "jobs": self.jobs}
        if topics.figures:
            shown["figures"] = self.figures
        if topics.state == "running":
            far = {it.id: _how_far(it, redaction) for it in self.running}
            shown["running"] = {"tasks": far, "all": self.are_all}
        elif topics.state is not None:
            new = sum(at > topics.since for at in self.ended.get(topics.state, []))
            shown["new"] = f"{new}{'+' if new >= _MOST_NEW else ''}" if new else ""
        if topics.task is not None and (task := self.tasks.get(topics.task)) is not None:
            fraction, said = _how_far(task, redaction) or [None, ""]
            shown["task"] = {"state": task.state, "progress": said, "fraction": fraction}
        return shown


class Feed:
    """Reads one queue for all who look at it. ``lasts`` is how long a stream is open, in seconds."""

    def __init__(
        self,
        core: Core,
        session: Session,
        *,
        period: float = _PERIOD,
        lasts: float = _LASTS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._core = core
        self._session = session
        self._period = period
        self._lasts = lasts
        self._monotonic = monotonic
        self._reading = _Reading()
        self._counted_at: float | None = None
        self._listeners: list[Topics] = []
        self._changed = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._is_closed = False

    async def once(self, topics: Topics, redaction: Redaction) -> dict[str, Any]:
        """Read now, and return what a page shows."""
        self._listeners.append(topics)
        try:
            await self.step()
        finally:
            self._listeners.remove(topics)
        return self._reading.of(topics, redaction)

    async def follow(self, topics: Topics, redaction: Redaction) -> AsyncIterator[bytes]:
        """Yield events with what has changed, beginning with everything, until the stream's time is over."""
        self._listeners.append(topics)
        if self._reader is None or self._reader.done():
            self._reader = make_task(self._read())
        sent: dict[str, Any] = {}
        until = self._monotonic() + self._lasts
        try:
            yield b"retry: 1000\n\n"
            while not self._is_closed and self._monotonic() < until:
                changed = self._changed
                try:
                    async with asyncio.timeout(_SILENCE):
                        await changed.wait()
                except TimeoutError:  # the storage is away, and the stream stays alive
                    yield b":\n\n"
                    continue
                shown = self._reading.of(topics, redaction)
                news = {key: value for key, value in shown.items() if sent.get(key) != value}
                sent = shown
                # Also where nothing changed: the page learns that it is up to date, the server whether it is there.
                yield f"data: {json.dumps(news)}\n\n".encode()
        finally:
            self._listeners.remove(topics)

    def stop(self) -> None:
        """End all streams."""
        self._is_closed = True
        self._tell()

    async def end_with_session(self) -> None:
        """End all streams, and the reading."""
        self.stop()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait([self._reader])

    async def step(self) -> None:
        """Read what those who look now want to know: a bounded number of bounded reads."""
        listeners = list(self._listeners)
        reading = self._reading
        counts, paused = await asyncio.gather(self._session.counts(COUNTED), self._session.paused())
        found = {state: count_of(counts, state) for state in STATES}
        reading.counts = {state: counted_to(count) for state, count in found.items() if count is not None}
        reading.paused = read_pause(paused) is not None
        watched = {it.state for it in listeners}
        reading.ended = {
            state: await self._ends(state, min(it.since for it in listeners if it.state == state))
            for state in ENDED_STATES
            if state in watched
        }
        if "running" in watched:
            await self._run()
        jobs = self._core.peek_beside_session(Jobs)
        reading.jobs = [] if jobs is None else [[it.id, it.said, it.fraction, it.answer] for it in jobs.shown()]
        ids = list(dict.fromkeys(it.task for it in listeners if it.task is not None))[:_MOST_TASKS]
        reading.tasks = dict(zip(ids, await asyncio.gather(*map(self._look, ids)), strict=True))
        if any(it.figures for it in listeners):
            await self._count()

    async def _read(self) -> None:
        while self._listeners and not self._is_closed:
            try:
                await self.step()
                self._tell()
            except HueyException as error:  # the storage is away: the pages say themselves that nothing comes
                logger.warning("pages are not kept up to date: %s", error)
            except Exception:  # a defect: the next look may do
                logger.exception("pages are not kept up to date")
            await asyncio.sleep(self._period)

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _ends(self, state: TaskState, since: float) -> list[float]:
        """Return when the latest ended, of those that some page has not shown: mostly none, and letters are large."""
        earliest = datetime.fromtimestamp(since, UTC) if since else None
        page = await list_tasks(self._session, make_wish(state, None, None, earliest), _MOST_NEW)
        return [it.ended.timestamp() for it in page.tasks if it.ended is not None]

    async def _run(self) -> None:
        page = await list_tasks(self._session, make_wish("running", None, None), _MOST_NEW)
        self._reading.running, self._reading.are_all = page.tasks, page.complete

    async def _look(self, id: str) -> TaskInfo:
        return await describe_task(self._session, id, None)

    async def _count(self) -> None:
        now = self._monotonic()
        if self._counted_at is not None and now - self._counted_at < _STATISTICS_PERIOD:
            return
        statistics, owners = await asyncio.gather(
            read_statistics(self._session, RANGES["1h"], by_name=False), self._session.owners()
        )
        figures = figures_of(statistics, read_consumers(owners), slots_of(statistics))
        self._reading.figures = [[it.value, it.unit, it.note] for it in figures]
        self._counted_at = now


def _how_far(task: TaskInfo, redaction: Redaction) -> list[Any] | None:
    """Return the fraction and the words of a task's progress, if it has told any."""
    progress = redaction.task(task).progress
    if progress is None:
        return None
    return [progress.fraction, f"{progress.fraction:.0%} {plain(progress.message, 200)}".strip()]


def stop_feeds(cores: Sequence[Core]) -> None:
    """End the streams of these queues, in the running loop."""
    for core in cores:
        feed = core.peek_beside_session(Feed)
        if feed is not None:
            feed.stop()


def read_topics(query: Mapping[str, str]) -> Topics:
    """Read what a page asks to be told; raises Refusal."""
    try:
        since = float(query.get("since", "0"))
        datetime.fromtimestamp(since, UTC)
    except (ValueError, OverflowError, OSError):
        raise Refusal(400, "since is a number of seconds.") from None
    state = state_of(query["state"]) if query.get("state") else None
    task = query.get("task") or None
    if task is not None and not is_storable(task):
        raise Refusal(400, "task is no id.")
    return Topics(figures=bool(query.get("figures")), state=state, since=since, task=task)


async def feed_of(core: Core) -> Feed:
    """Return the feed of a queue, in the running loop."""
    return await core.beside_session(Feed, lambda session: Feed(core, session))
