"""What crosses the storage contract: headers and bytes, never meaning.

Plain named tuples, because several of each are made for every task: they cost half of a frozen data class.
Times are epoch seconds, durations seconds. A storage reads headers and never looks into ``data``.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

__all__ = [
    "AREAS",
    "DEAD_LIMIT",
    "ENDED_AGE",
    "KEEP_ENDED",
    "LANES",
    "MAX_DELIVERIES",
    "MEMBER_RESULT_TTL",
    "SHARED_RESULT_TTL",
    "Answer",
    "Area",
    "Bell",
    "Bury",
    "Clearable",
    "Counts",
    "DeadLetter",
    "Defer",
    "Delivery",
    "EndKind",
    "Ended",
    "Enqueued",
    "Entry",
    "Finish",
    "Found",
    "Header",
    "Lane",
    "Latch",
    "LatchMark",
    "LiveState",
    "MemberResults",
    "Notices",
    "Over",
    "Owner",
    "Promoted",
    "Receipt",
    "Release",
    "Settlement",
    "State",
    "Unknown",
]

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

LiveState: TypeAlias = Literal["queued", "scheduled", "running"]
"""Where live tasks can be listed."""

Clearable: TypeAlias = Literal[
    "queue", "schedule", "dead", "results", "data", "revocations", "locks", "windows", "ticks", "schedules"
]
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

MEMBER_RESULT_TTL: Final = 600.0
"""Seconds for which the results of a chord's members stay when its callback is over; the callback has had them."""

DEAD_LIMIT: Final = 10_000
"""How many dead letters a storage keeps, unless told otherwise."""

KEEP_ENDED: Final = 100_000
"""How many ended ids a storage remembers, unless told otherwise; 0: none."""

ENDED_AGE: Final = 86400.0
"""How many seconds an ended id is remembered at most."""


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
    """Ids that will follow (later stages of a pipeline); written as expected together with the entry."""
    collects: bool = False
    """A chord's callback: the latch of its id is kept until it is over."""

    def renewed(self) -> Header:
        """Return that of a dead letter that begins anew. Its eta has passed, and its once token is its own."""
        return self._replace(eta=None, once_token=None, once_ttl=None, first_seen=None, defers=0)


class Entry(NamedTuple):
    """A task on its way in."""

    header: Header
    data: bytes


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
    """The result of one member of a latch, stored under its position if absent. A latch that is gone ignores it."""

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
    the ids in ``also`` (expected ones) are over with the same bytes, the unique key is free, the cancel flag is
    gone, and the waiters of all these ids are told.
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

    The cancel flag and the unique key stay.
    """

    receipt: Receipt
    header: Header


class Bury(NamedTuple):
    """It cannot be run: a dead letter with its bytes and the reason, and otherwise what Finish does."""

    receipt: Receipt
    reason: str
    result: bytes | None = None
    ttl: float | None = None
    also: tuple[str, ...] = ()
    follow_ups: tuple[Entry, ...] = ()
    deletes: tuple[tuple[Area, str], ...] = ()
    latch: LatchMark | None = None
    kind: EndKind = "failed"


Settlement: TypeAlias = Finish | Release | Defer | Bury


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


class DeadLetter(NamedTuple):
    """A buried task: its bytes, why, and when (epoch seconds, the storage's clock)."""

    header: Header
    data: bytes
    reason: str
    buried_at: float


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
    """Chords that wait for members, or whose callback is not over."""
