"""What crosses the storage contract: headers and bytes, never meaning.

Plain named tuples, because several of each are made for every task: they cost half of a frozen data class.
Times are epoch seconds, durations seconds. A storage reads headers and never looks into ``data``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Generic, Literal, TypeAlias, TypeVar

from hueyio.named_tuple import NamedTuple

__all__ = [
    "ALL_LETTERS",
    "AREAS",
    "CLAIM_BYTES",
    "COUNTED",
    "COUNT_SPANS",
    "DEAD_LIMIT",
    "ENDED_AGE",
    "FAILED_BYTES",
    "FAILED_TTL",
    "HISTORY_LOOKED_AT",
    "HISTORY_TTL",
    "KEEP_ENDED",
    "KEEP_FAILED",
    "KEEP_HISTORY",
    "LANES",
    "LETTERS_LOOKED_AT",
    "LISTED_AT_ONCE",
    "LISTED_BYTES",
    "MAX_DELIVERIES",
    "MEMBER_RESULT_TTL",
    "MOST_ATTEMPTS",
    "MOST_COUNTED",
    "OTHERS",
    "RUNS_AGAIN",
    "SHARED_RESULT_TTL",
    "Answer",
    "Area",
    "Bell",
    "Burial",
    "Bury",
    "Clearable",
    "Counted",
    "CountedSlot",
    "CountedTask",
    "Counters",
    "Counts",
    "Cursor",
    "DeadLetter",
    "Defer",
    "Delivery",
    "Described",
    "EndKind",
    "Ended",
    "Enqueued",
    "Entry",
    "Finish",
    "Found",
    "Header",
    "HistoryBatch",
    "HistoryEntry",
    "Lane",
    "Latch",
    "LatchMark",
    "Listed",
    "ListedState",
    "Listing",
    "LiveState",
    "MemberResults",
    "Note",
    "Notices",
    "Over",
    "Owner",
    "Page",
    "Pause",
    "Promoted",
    "Receipt",
    "Release",
    "Requeue",
    "Requeued",
    "Settlement",
    "Stage",
    "State",
    "Unknown",
    "Wanted",
]

T = TypeVar("T")

Lane: TypeAlias = Literal["loop", "thread", "process"]
"""Where code runs. Each lane has a ready queue of its own, so that none starves another."""

LANES: Final[tuple[Lane, ...]] = ("loop", "thread", "process")

Bell: TypeAlias = Literal["loop", "thread", "process", "schedule"]
"""What can ring: a lane that got work, or the schedule that got an earlier first entry."""

Area: TypeAlias = Literal["results", "data", "revocations", "locks", "windows", "ticks", "schedules"]
"""A namespace of keys, so that no user's key can forge another's."""

AREAS: Final[tuple[Area, ...]] = ("results", "data", "revocations", "locks", "windows", "ticks", "schedules")

State: TypeAlias = Literal["queued", "scheduled", "running", "expected", "stored", "dead", "ended", "unknown"]
"""Where an id is: see ``Found``."""

EndKind: TypeAlias = Literal["done", "failed", "expired", "cancelled", "revoked", "lost", "undeclared", "unreadable"]
"""How a task ended, as its tombstone says it.

``done`` returned, whatever became of its value. ``revoked`` is told apart from ``cancelled``, so that whoever shows
both as one word can give the reason.
"""

Unknown: TypeAlias = Literal["return", "wait"]
"""What a wait does with an id of which nothing is known: return at once, or wait until it was enqueued and ended."""

Burial: TypeAlias = Literal["dead", "failed"]
"""Where a letter stands: among those that never ran to an end, or those that failed, expired or were cancelled."""

Cursor: TypeAlias = tuple[float, str]
"""A place in a list of letters: when the last one was buried that was looked at, and its id; or one in the history."""

Requeued: TypeAlias = Literal["added", "late", "alive", "taken", "missing"]
"""What became of a letter that was to run again.

``added``; ``late``: added too, but it is a member of a chord that has fired, or is over, and does not count it any
more; ``alive``: its id is; ``taken``: another task has its unique key; ``missing``: there is no such letter. But for
``added`` and ``late``, nothing was changed.
"""

RUNS_AGAIN: Final[tuple[Requeued, ...]] = ("added", "late")
"""The answers that say that a letter is a task again."""

LiveState: TypeAlias = Literal["queued", "scheduled", "running"]
"""Where live tasks can be listed."""

ListedState: TypeAlias = Literal["ready", "scheduled", "waiting", "running"]
"""What ``page`` lists. ``waiting`` are the expected ids."""

Clearable: TypeAlias = Literal[
    "queue", "schedule", "dead", "failed", "history",
    "results", "data", "revocations", "locks", "windows", "ticks", "schedules",
]  # fmt: skip
"""What ``clear`` can empty."""

Answer: TypeAlias = Literal["accepted", "fired", "stale", "untaken"]
"""What became of one settlement.

``fired``: accepted, and its member result was the last that a latch waited for: the callback is enqueued.
``stale``: the receipt is no longer in force, nothing was changed. ``untaken``: its ``take`` key is gone,
nothing was changed and the task is still held.
"""

SHARED_RESULT_TTL: Final = 60.0
"""How long a result stays that several clients were waiting for when it was written (nobody deletes it)."""


MAX_DELIVERIES: Final = 3
"""How often a task is delivered whose owners die with it, unless it says otherwise."""

CLAIM_BYTES: Final = 2**20
"""With how many bytes of messages in a lane a claim may end, though more would be there; each brings one at least."""

MEMBER_RESULT_TTL: Final = 600.0
"""Seconds for which the results of a chord's members stay when its callback is over; the callback has had them."""

DEAD_LIMIT: Final = 10_000
"""How many dead letters a storage keeps, unless told otherwise."""

KEEP_ENDED: Final = 100_000
"""How many ended ids a storage remembers, unless told otherwise; 0: none."""

ENDED_AGE: Final = 86400.0
"""How many seconds an ended id is remembered at most."""

KEEP_FAILED: Final = 10_000
"""How many failed tasks a storage keeps, unless told otherwise; 0: none."""

FAILED_TTL: Final = 30 * 86400.0
"""How many seconds a failed task is kept, unless told otherwise; 0: none is."""

FAILED_BYTES: Final = 256 * 2**20
"""How many bytes the messages of failed tasks may have together, unless told otherwise; 0: none is kept."""

NOTES_KEPT: Final = 1000
"""How many lines the audit log has; the oldest goes first."""

KEEP_HISTORY: Final = 10_000
"""How many ended tasks the history has, unless told otherwise, and how many attempts beside them; 0: none."""

HISTORY_TTL: Final = 7 * 86400.0
"""How many seconds they are in the history, unless told otherwise; 0: none is."""

MOST_ATTEMPTS: Final = 10
"""How many attempts of one task are remembered: the last ones."""

HISTORY_LOOKED_AT: Final = 500
"""At how many entries one call of ``history`` looks at most."""

LETTERS_LOOKED_AT: Final = 100
"""At how many letters one call of ``failed`` looks at most, so that no filter keeps the storage busy for long."""


LISTED_AT_ONCE: Final = 300
"""How many tasks one call of ``page`` lists at most, so that no list keeps the storage busy for long."""

LISTED_BYTES: Final = 1024
"""How much of its message a listed task comes with: its beginning, where the name stands."""

COUNT_SPANS: Final[Mapping[int, float]] = {60: 6 * 3600.0, 600: 48 * 3600.0, 3600: 30 * 86400.0}
"""How many seconds a slot of counts spans, and for how many it is kept. What is counted goes into one slot of each."""

COUNTED: Final = 10_000
"""How far a count goes that need not be exact: counting a million rows takes long."""

MOST_COUNTED: Final = 100
"""How many names, and how many groups of failures, a slot tells apart; what comes later is counted as ``OTHERS``."""

OTHERS: Final = "~other"
"""The name of all that there was no room for."""

Counters: TypeAlias = dict[str, int]
"""Numbers that are added up, by names that mean nothing to a storage."""


class Header(NamedTuple):
    """What a storage must know of a task without reading its message."""

    id: str
    lane: Lane = "loop"
    priority: float = 0.0
    """Higher first; first come, first served among equals."""
    eta: float | None = None
    """Not before this time. None: ready at once. Whoever writes the entry leaves out an eta that has passed."""
    max_deliveries: int = MAX_DELIVERIES
    unique_key: str | None = None
    """Held by this id from the enqueue to its end (retries, Defer and Release included)."""
    once_token: str | None = None
    """Remembered for ``once_ttl`` seconds; a second entry with the same token is not added."""
    once_ttl: float | None = None
    """Without a token: see ``attempt``."""
    once_key: str | None = None
    """Under this key of the area ``ticks`` the token is written together with the entry, if that is added."""
    latch: str | None = None
    """The latch (the id of a chord's callback) of which this is a member; its end leaves a result there."""
    latch_index: int | None = None
    """Its position in the latch."""
    first_seen: float | None = None
    """When a consumer first saw it without knowing its task."""
    defers: int = 0
    """How often it was put off by Defer; the writer of the Defer counts."""
    expects: tuple[str, ...] = ()
    """Ids that will follow (later stages of a pipeline); written as expected together with the entry.

    Where these stages stand in the storage (``Entry.stages``) it is the next one alone.
    """
    collects: bool = False
    """A chord's callback: the latch of its id is kept until it is over."""

    @property
    def attempt(self) -> int:
        """How many attempts of it failed, where its writer says so: what is listed as retrying.

        It has no field of its own. Workers of 0.1.0 refuse a header with one, and a token's time to live means nothing
        to them where there is no token, but they carry it along.
        """
        return int(self.once_ttl or 0) if self.once_token is None else 0

    def attempted(self, attempt: int) -> Header:
        """Return that of a task of which so many attempts failed; it must have no once token."""
        return self._replace(once_ttl=float(attempt) if attempt else None)


class Stage(NamedTuple):
    """A later stage of a pipeline: its id, and its message as it was enqueued."""

    id: str
    data: bytes


class Entry(NamedTuple):
    """A task on its way in.

    ``stages`` follow it one after another, and stand in the storage until it is their turn. ``header.expects`` is then
    the id of the first. Each later one is expected for as long as the one before it is alive or expected.
    """

    header: Header
    data: bytes
    stages: tuple[Stage, ...] = ()


class Receipt(NamedTuple):
    """The fence: a settlement counts only while exactly this is in force."""

    owner: str
    id: str
    deliveries: int


class Delivery(NamedTuple):
    """A task under its owner's lease."""

    receipt: Receipt
    header: Header
    data: bytes
    started: bool = False
    """``start`` was written in this or an earlier delivery."""
    cancelled: bool = False
    """Somebody asked for its cancellation: settle it as cancelled instead of running it."""
    unrevoked: bool = False
    """No revocation at all was stored when this was handed over: there is none to look for. A storage need not know."""
    following: bytes | None = None
    """The message of the stage that it expects, if that stands in the storage."""


class Enqueued(NamedTuple):
    """What became of one enqueued entry.

    ``added``; ``alive``: the id is queued, scheduled or running, it was left alone; ``taken``: the unique key is
    held by the live task ``holder``; ``done``: the once token was seen before.
    """

    verdict: Literal["added", "alive", "taken", "done"]
    holder: str | None = None


class Latch(NamedTuple):
    """A chord's counter, named by its callback's id: when ``size`` positions have a result, that is enqueued.

    Until then the callback and what it expects are expected ids. ``callback`` says that it ``collects``.
    """

    size: int
    callback: Entry
    absent: bytes = b""
    """The result of a member that cannot be added: its id is alive elsewhere, its unique key or once token is taken."""


class LatchMark(NamedTuple):
    """The result of one member of a latch, stored under its position if absent.

    A latch that is gone ignores it, and so does one that has no such position.
    """

    key: str
    position: int
    value: bytes


MemberResults: TypeAlias = tuple[bytes | None, ...]
"""The results of a latch's members, by position; None where there is none yet."""


class Finish(NamedTuple):
    """A run ended by itself.

    Applied in this order: fence, ``take``, release, ``follow_ups`` (as ``enqueue`` does), results, ``deletes``, bells,
    waiters, ``latch``. If ``follow_ups`` holds the own id (a retry) the task lives on, with deliveries back at 0 and
    its unique key kept; else it is over: its result (None: nothing stored, and what was stored is deleted) is final,
    the ids in ``also`` (expected ones) and the stages after them are over with the same bytes, the unique key is free,
    the cancel flag is gone, and the waiters of all these ids are told.
    """

    receipt: Receipt
    result: bytes | None = None
    ttl: float | None = None
    """Of ``result`` and ``intermediate``; None: for ever."""
    also: tuple[str, ...] = ()
    intermediate: bytes | None = None
    """An error of this attempt, stored as the own id's result without telling anyone. Only with a retry."""
    follow_ups: tuple[Entry, ...] = ()
    deletes: tuple[tuple[Area, str], ...] = ()
    take: tuple[Area, str] | None = None
    """This key must exist and is deleted; if it is gone the settlement is ``untaken``."""
    latch: LatchMark | None = None
    kind: EndKind = "done"
    """How it ended; what its tombstone says, and those of the ids in ``also``. Without meaning for a retry."""


class Release(NamedTuple):
    """Back to the front of its lane: it was not run, or its run does not count."""

    receipt: Receipt
    counted: bool = False
    """Whether this run counts as a delivery, as if its owner had been given up (see ``reclaim``)."""


class Defer(NamedTuple):
    """Not now: the same bytes under a new header (same id) whose ``eta`` says when. Deliveries go back to 0.

    The cancel flag and the unique key stay, and that a body may have begun: at most once means once for all workers.
    """

    receipt: Receipt
    header: Header


class Bury(NamedTuple):
    """The task is kept as a letter with its bytes and the reason; otherwise what Finish does.

    It goes to the dead letters if nobody could run it, and to the failed tasks if it was tried, or its time was over.
    The letter takes the place of an earlier one of the same id, in either store.
    """

    receipt: Receipt
    reason: str
    result: bytes | None = None
    ttl: float | None = None
    also: tuple[str, ...] = ()
    follow_ups: tuple[Entry, ...] = ()
    deletes: tuple[tuple[Area, str], ...] = ()
    latch: LatchMark | None = None
    kind: EndKind = "failed"
    into: Burial = "dead"
    """A storage whose bounds of failed tasks are 0 keeps none: then what is for them is a Finish."""
    name: str = ""
    """What the task is called, for lists; a storage does not look into messages."""
    again: bytes | None = None
    """The message that the letter has, where it is not that of the task: what runs if the task is requeued."""


Settlement: TypeAlias = Finish | Release | Defer | Bury


class HistoryBatch(NamedTuple):
    """What is to be remembered of a batch of settlements; of what the storage refuses, nothing is.

    ``ids`` are tasks that end with it, ``places`` where each stands among the settlements, and ``data`` what is known
    of all of them, in the same order.
    """

    ids: tuple[str, ...] = ()
    places: tuple[int, ...] = ()
    data: bytes = b""
    attempts: tuple[tuple[int, bytes], ...] = ()
    """What is known of attempts, by the places of the settlements that end them."""


class HistoryEntry(NamedTuple):
    """What is remembered of a batch. ``place`` is when it was written (the storage's clock), and which it is.

    None stands among the ``ids`` where the storage refused a settlement.
    """

    place: Cursor
    ids: tuple[str | None, ...]
    data: bytes


class Over(NamedTuple):
    """The end of a task, as a waiter sees it.

    ``data`` None: nothing is stored; it returned None, or its value was read before. ``shared``: several clients
    wait for it, so that nobody deletes the value: it expires by itself. ``kind`` None: nothing is remembered of its
    end; without ``data`` nothing at all is known of this id.
    """

    id: str
    data: bytes | None
    shared: bool = False
    kind: EndKind | None = None


class Ended(NamedTuple):
    """What is remembered of ends: for each id how it ended, None where there is no tombstone.

    ``since`` (epoch seconds, the storage's clock): what ended up to then may have been forgotten, by count or by age.
    None: nothing was ever forgotten, or all of it, with everything else (a server that was wiped).
    """

    kinds: list[EndKind | None]
    since: float | None


class Promoted(NamedTuple):
    """``moved`` due entries became ready; the first of the rest is due at ``next_eta`` (None: there is none).

    ``sweep_in``: seconds after which there is more to drop whose time is over (None: nothing was found).
    """

    moved: int
    next_eta: float | None
    sweep_in: float | None = None


class Owner(NamedTuple):
    """One consumer: ``beat`` rises with each heartbeat, ``held`` counts what is under its lease.

    ``silence`` is how many seconds ago it registered or beat last, on the storage's clock.
    """

    owner: str
    beat: int
    info: bytes
    held: int
    silence: float = 0.0


class Found(NamedTuple):
    """Where an id is now.

    ``queued``, ``scheduled``, ``running`` and ``dead`` come with the message's bytes, ``stored`` with the result's.
    Where later stages stand in the storage, their messages are joined to it (``stages.join``).
    Of a live task that also has an intermediate result the live state wins, of a dead letter with a result ``dead``.
    ``ended``: nothing is left but a tombstone, whose ``kind`` comes with it; ``unknown``: not even that.
    ``stored`` and ``dead`` come with the ``kind`` too, while it is remembered. ``cancelled``: flagged, not yet over.
    """

    id: str
    state: State
    data: bytes | None = None
    cancelled: bool = False
    kind: EndKind | None = None


class Notices(NamedTuple):
    """What others asked of an owner: a level, not an edge, so that a lost push costs nothing.

    ``cancelled``: ids under this owner's lease that somebody cancelled. ``revocations``: a number that changes whenever
    a key of the areas ``revocations`` and ``schedules`` is written (puts only; a deletion may go unnoticed).
    ``paused``: the queue is paused.
    """

    cancelled: frozenset[str]
    revocations: int
    paused: bool


class Pause(NamedTuple):
    """Who paused a queue, and when (epoch seconds, the storage's clock).

    An earlier hueyio wrote neither.
    """

    by: str = ""
    at: float | None = None


class Note(NamedTuple):
    """A line of the audit log: bytes, and when they were written (epoch seconds, the storage's clock).

    Each has a larger ``number`` than the one before.
    """

    number: int
    at: float
    line: bytes


class DeadLetter(NamedTuple):
    """A buried task: its bytes, why, when (epoch seconds, the storage's clock), which way it ended, and its name.

    Of a dead letter that an earlier hueyio wrote neither is known: ``kind`` None counts as ``lost``.
    """

    header: Header
    data: bytes
    reason: str
    buried_at: float
    kind: EndKind | None = None
    name: str = ""

    def renewed(self) -> Header:
        """Return that of the task which begins anew. Its eta has passed.

        Its once token stays, which says of which tick it is; it is its own, and nobody asks for it again.
        """
        header = self.header._replace(eta=None, first_seen=None, defers=0)
        if header.once_token is not None:
            return header
        return header.attempted(header.attempt + (self.kind == "failed"))  # as its message counts


class Wanted(NamedTuple):
    """Which letters somebody wants to see: those that have all of this."""

    kinds: tuple[EndKind, ...] = ()
    """Any of these; none given: every kind, of failed tasks and of dead letters."""
    name: str | None = None
    text: str | None = None
    """Stands in the reason, upper and lower case told apart."""
    since: float | None = None
    until: float | None = None
    """Buried at or after ``since``, and before ``until`` (epoch seconds)."""


ALL_LETTERS: Final = Wanted()
"""Wants every letter."""


class Page(NamedTuple, Generic[T]):
    """A part of a list. ``next`` is what to ask for the following part with; None: this was the last."""

    items: list[T]
    next: Cursor | None = None


class Listed(NamedTuple):
    """A live or expected task, as a list shows it. ``place`` is what to ask for the tasks behind it with."""

    id: str
    state: ListedState
    place: str = ""
    header: Header | None = None
    """None: it cannot be read, or there is none yet; of expected ids a chord's callback alone has one."""
    head: bytes = b""
    """The first ``LISTED_BYTES`` of its message."""
    deliveries: int = 0
    started: bool = False
    cancelled: bool = False
    owner: str | None = None
    """Who runs it."""
    progress: bytes | None = None
    """What its run reported last."""
    namers: tuple[str, ...] = ()
    """The live tasks that expect it, and the stage before it, which may wait too.

    A chord's callback that waits for members names itself.
    """


class Listing(NamedTuple):
    """A part of a list of tasks. ``next`` is the place after which the following part begins; None: it was the last."""

    items: list[Listed]
    next: str | None = None


class Described(NamedTuple):
    """All that a storage knows of one id, at one moment: where it is, with its row in a list, or its letter."""

    found: Found
    listed: Listed | None = None
    letter: DeadLetter | None = None


class Requeue(NamedTuple):
    """Asks for a letter to run again. ``buried_at``: only if it is still the one that was buried then.

    ``data`` takes the place of its message, if there is one.
    """

    id: str
    buried_at: float | None = None
    data: bytes | None = None


class Counts(NamedTuple):
    """How much of what there is, at one moment."""

    queued: dict[Lane, int]
    suspects: int
    scheduled: int
    running: int
    expected: int
    results: int
    dead: int
    dead_dropped: int
    """Dead letters that the bound pushed out since the storage was created."""
    latches: int = 0
    """Chords that wait for members, or whose callback is not over, or is kept as a letter."""
    failed: int = 0
    """Failed tasks that are kept."""


class Counted(NamedTuple):
    """What an owner has counted since it said so last."""

    totals: Counters
    names: Counters
    """How many tasks of each name ended."""
    failures: Counters
    """How many there were of each group."""
    tasks: dict[str, Counters]
    """By name, what else was counted of these tasks."""


class CountedSlot(NamedTuple):
    """What all owners counted in the slot that begins at ``at`` (epoch seconds); see ``Counted``."""

    at: int
    totals: Counters
    names: Counters
    failures: Counters
    enqueued: dict[Lane, int]
    """Tasks that were added, as far as an owner has looked since."""


class CountedTask(NamedTuple):
    """What was counted of the tasks of one name in the slot that begins at ``at``."""

    at: int
    name: str
    counters: Counters
