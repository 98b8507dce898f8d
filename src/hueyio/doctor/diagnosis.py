"""Why nothing is consumed: from what is known of a queue to findings, the worst first. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from hueyio.consumer.fleet import is_told
from hueyio.control.consumers import ConsumerInfo
from hueyio.control.pause import PauseInfo
from hueyio.control.task_info import TaskInfo
from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import LANES, Counts, EndKind
from hueyio.wording import counted, seconds, tell_pause

__all__ = ["Facts", "Finding", "Level", "Worker", "diagnose"]

Level: TypeAlias = Literal["wrong", "warning"]

_FAR_APART: Final = 2.0
"""Seconds between two clocks from which on they are said to differ."""

_LONG: Final = 10.0
"""Seconds for which a task waits before full slots are worth a word: full slots alone are a queue at work."""

_RECENT: Final = 3600.0
"""Seconds for which a loop that was blocked is worth a word."""

_MOST_NAMES: Final = 5


class Finding(NamedTuple):
    """``code`` stays the same in all versions, ``text`` is for people."""

    level: Level
    code: str
    text: str


class Worker(NamedTuple):
    """One worker: what it says of itself, and the bytes in which it says which tasks it knows."""

    info: ConsumerInfo
    told: bytes

    @property
    def name(self) -> str:
        """Where it runs."""
        return f"{self.info.host}:{self.info.pid}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was found at one moment. Lists are the beginnings of what there is."""

    name: str
    where: str
    now: float
    counts: Counts
    pause: PauseInfo | None = None
    workers: Sequence[Worker] = ()
    ready: Sequence[TaskInfo] = ()
    running: Sequence[TaskInfo] = ()
    scheduled: Sequence[TaskInfo] = ()
    dead_kinds: Mapping[EndKind, int] = field(default_factory=dict)
    revoked_names: Sequence[str] = ()
    schedules: int = 0
    """Those that are kept in the storage, and the periodic tasks of the app."""
    ahead: float = 0.0
    """Seconds that the clock of this host is ahead of the storage's."""
    dangers: Sequence[str] = ()
    neighbours: Sequence[str] = ()
    start: str = "hueyio worker MODULE:ATTRIBUTE"
    """The command that would start a worker."""

    @property
    def waiting(self) -> int:
        """How many tasks are ready."""
        return sum(self.counts.queued.values()) + self.counts.suspects


def diagnose(facts: Facts) -> list[Finding]:
    """Return what is wrong, then what somebody should know."""
    found = [finding for rule in _RULES for finding in rule(facts)]
    return sorted(found, key=lambda it: it.level != "wrong")


def _find_other_queues(facts: Facts) -> Iterator[Finding]:
    counts = facts.counts
    others = [name for name in facts.neighbours if name != facts.name]
    if others and not (facts.waiting or counts.scheduled or counts.running or facts.workers):
        listed = ", ".join(others[:_MOST_NAMES])
        yield Finding("wrong", "elsewhere", f"Queue {facts.name} is empty; in the same place there are: {listed}.")


def _find_no_worker(facts: Facts) -> Iterator[Finding]:
    if not facts.workers:
        yield Finding(
            "wrong",
            "no-worker",
            f"No worker is alive; {counted(facts.waiting, 'task')} waiting. Start one: {facts.start}",
        )


def _find_pause(facts: Facts) -> Iterator[Finding]:
    if facts.pause is not None:
        now = datetime.fromtimestamp(facts.now, UTC)
        paused = tell_pause(facts.name, facts.pause.by, facts.pause.at, now)
        yield Finding("wrong", "paused", f"{paused}: no worker starts another task. hueyio resume")


def _find_unserved_lanes(facts: Facts) -> Iterator[Finding]:
    for lane in LANES if facts.workers else ():
        waiting = facts.counts.queued.get(lane, 0)
        if waiting and not _slots(facts, lane):
            yield Finding(
                "wrong", "no-slots", f"{lane}: {counted(waiting, 'task')} waiting, and no worker has slots there."
            )


def _find_silence(facts: Facts) -> Iterator[Finding]:
    for worker in facts.workers:
        info = worker.info
        if info.is_silent:
            held = counted(info.running, "task")
            text = f"{worker.name} is silent for {seconds(info.silence)} (lease {info.lease:g} s), with {held}."
            yield Finding("warning", "silent", text)


def _find_undeclared(facts: Facts) -> Iterator[Finding]:
    if not facts.workers:
        return
    put_off = [task for task in facts.scheduled if task.undeclared_since is not None]
    names = Counter(task.name for task in (*facts.ready, *put_off) if task.name is not None)
    unknown = {name: count for name, count in names.items() if not _is_declared(facts, name)}
    for name, count in list(unknown.items())[:_MOST_NAMES]:
        text = f"{count} x {name}: no living worker declares it. Deploy it, or import its module in the workers."
        yield Finding("warning", "undeclared", text)
    misfits = Counter(task.name or "?" for task in put_off if task.name not in unknown)
    for name, count in misfits.most_common(_MOST_NAMES):
        text = f"{count} x {name} are put off: a worker did not know it, or its arguments do not fit there."
        yield Finding("warning", "put-off", text)


def _find_full_lanes(facts: Facts) -> Iterator[Finding]:
    for lane in LANES:
        taken = [task for task in facts.running if task.lane == lane]
        slots = _slots(facts, lane)
        ages = [_waited(facts, task) for task in facts.ready if task.lane == lane]
        if not slots or len(taken) < slots or max(ages, default=0.0) < _LONG:
            continue
        names = Counter(task.name or "?" for task in taken).most_common(1)
        text = f"{lane}: all {slots} slots are taken, most by {names[0][0]}; {facts.counts.queued[lane]} wait, "
        yield Finding("warning", "full", f"{text}one for {seconds(max(ages))}.")


def _find_blocks(facts: Facts) -> Iterator[Finding]:
    for worker in facts.workers:
        last = worker.info.last_block
        if last is not None and (ago := facts.now - last.at.timestamp()) < _RECENT:
            times = counted(worker.info.blocks, "time")
            when = f"last {seconds(max(ago, 0.0))} ago for {last.seconds:g} s by {last.by}"
            text = f"{worker.name} was blocked {times}, {when}."
            yield Finding("warning", "blocked", text)


def _find_later(facts: Facts) -> Iterator[Finding]:
    first = next((task.due for task in facts.scheduled if task.due is not None), None)
    if first is None or facts.waiting or facts.counts.running:
        return
    span = first.timestamp() - facts.now
    when = f"in {seconds(span)}" if span > 0 else f"{seconds(-span)} ago"
    text = f"Nothing is ready; {facts.counts.scheduled} are scheduled, the first {when}."
    yield Finding("warning", "later", text)


def _find_dead(facts: Facts) -> Iterator[Finding]:
    said: dict[EndKind, str] = {
        "unreadable": "messages could not be read: another serializer or secret wrote them",
        "undeclared": "tasks were known to no worker for a day",
        "lost": "tasks took their workers down with them",
    }
    for kind, text in said.items():
        count = facts.dead_kinds.get(kind, 0)
        if count:
            yield Finding("warning", f"dead-{kind}", f"{count} {text}. hueyio dead")


def _find_revoked(facts: Facts) -> Iterator[Finding]:
    for name in facts.revoked_names[:_MOST_NAMES]:
        text = f"All tasks named {name} are revoked: they end without being run. hueyio restore {name}"
        yield Finding("warning", "revoked", text)


def _find_nobody_ticks(facts: Facts) -> Iterator[Finding]:
    if facts.workers and facts.schedules and not any(it.info.periodic for it in facts.workers):
        text = f"All workers run with --no-periodic: nobody enqueues {counted(facts.schedules, 'schedule')}."
        yield Finding("warning", "no-periodic", text)


def _find_clocks(facts: Facts) -> Iterator[Finding]:
    hosts = {worker.info.host: worker.info.ahead for worker in facts.workers if worker.info.ahead is not None}
    for host, ahead in {**hosts, "this host": facts.ahead}.items():
        if abs(ahead) >= _FAR_APART:
            way = "ahead of" if ahead > 0 else "behind"
            owner = "The clock of this host" if host == "this host" else f"{host}'s clock"
            yield Finding("warning", "clock", f"{owner} is {seconds(abs(ahead))} {way} the server's.")


def _find_dangers(facts: Facts) -> Iterator[Finding]:
    for danger in facts.dangers:
        yield Finding("warning", "danger", f"{danger[:1].upper()}{danger[1:]}.")


def _find_versions(facts: Facts) -> Iterator[Finding]:
    versions = sorted({worker.info.version or "before 0.2.0" for worker in facts.workers})
    if len(versions) > 1:
        yield Finding("warning", "versions", f"Workers run {' and '.join(versions)}.")


_RULES: Final[tuple[Callable[[Facts], Iterator[Finding]], ...]] = (
    _find_other_queues,
    _find_no_worker,
    _find_pause,
    _find_unserved_lanes,
    _find_silence,
    _find_undeclared,
    _find_full_lanes,
    _find_blocks,
    _find_dead,
    _find_revoked,
    _find_later,
    _find_nobody_ticks,
    _find_clocks,
    _find_dangers,
    _find_versions,
)


def _slots(facts: Facts, lane: str) -> int:
    return sum(worker.info.slots.get(lane, 0) for worker in facts.workers)


def _is_declared(facts: Facts, name: str) -> bool:
    return any(is_told(worker.told, name) for worker in facts.workers)


def _waited(facts: Facts, task: TaskInfo) -> float:
    """Say for how long a ready task has been so; 0.0 where its id does not tell: it was delayed, or is retried."""
    if task.made is None or (task.attempt or 1) > 1:
        return 0.0
    return facts.now - max(task.made, task.due or task.made).timestamp()
