"""The storage contract: what any storage must be able to do.

``Storage`` is configuration; ``connect()`` gives a ``Session`` that belongs to the running loop. The operations are
grouped into small roles, and each part of hueyio asks only for the role that it uses. Bytes in, bytes out, many at
a time; every operation that changes something is one atomic step. Rules that hold for all of them:

* An id is *alive* while it is queued, scheduled or running, *expected* while a live task named it in ``expects``, or
  a stage of a pipeline that is expected itself comes before it, else *over*. An end leaves a *tombstone* that says
  which way it was: bounded by count (the storage's ``keep_ended``) and age (a day), so that in time nothing is known of
  the id again. What is alive or expected wins over a tombstone, a later end over an earlier one.
* Operations may raise ``StorageUnavailable``; whether they took effect is then unknown, and they can be repeated:
  ``enqueue`` finds the id alive, ``settle`` repeats its answer, ``held`` shows what a lost ``claim`` took.
* Once begun, a write is carried through even when the task that awaits it is cancelled.
* ``wait_for_work``, ``notices``, ``await_outcomes`` and ``follow`` may be cancelled at any time; nothing is lost by it.
* After ``close`` every call raises ``SessionClosed``; a second ``close`` does nothing.

``operations`` has the same operations as data, and a session that spells them once for every storage.
``hueyio.testing.storage`` has the conformance suite that says the same as code.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from hueyio.storage.beat_recipe import BeatRecipe
from hueyio.storage.clock import Clock
from hueyio.storage.records import (
    ALL_LETTERS,
    Answer,
    Area,
    Bell,
    Burial,
    Clearable,
    Counted,
    CountedSlot,
    CountedTask,
    Counts,
    Cursor,
    DeadLetter,
    Delivery,
    Described,
    Ended,
    Enqueued,
    Entry,
    Found,
    Header,
    HistoryBatch,
    HistoryEntry,
    Lane,
    Latch,
    ListedState,
    Listing,
    LiveState,
    MemberResults,
    Note,
    Notices,
    Over,
    Owner,
    Page,
    Pause,
    Promoted,
    Receipt,
    Requeue,
    Requeued,
    Settlement,
    Unknown,
    Wanted,
)

__all__ = [
    "BlockingCompletion",
    "Capabilities",
    "Completing",
    "Completion",
    "Consuming",
    "Counting",
    "Dead",
    "Examined",
    "History",
    "Keys",
    "LeaseKeeper",
    "Limits",
    "Looking",
    "Portable",
    "Producing",
    "Restricted",
    "Session",
    "Storage",
    "Telling",
    "Transactional",
    "Waiting",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What differs between storages by nature; everything else is the same for all."""

    priorities: bool = True
    """Whether ``Header.priority`` orders the queue."""
    across_processes: bool = True
    """Whether another process sees the same tasks."""
    most_priority: int | None = None
    """Priorities are whole numbers from 0 to this; None: any number."""
    keeps: bool = True
    """Whether anything that is written can be read again."""
    result_ttl: float | None = None
    """Seconds for which every result stays, for any number of reads. None: it is gone once it was read, and its writer
    says how long it waits for that."""
    keeps_history: bool = True
    """Whether it remembers what ``settle`` gets for the history; where not, nobody need make it."""
    claims_with_settlement: bool = False
    """Whether ``settle_and_claim`` does both in one step; where not, a claim is sent right behind the settlement."""


class Producing(Protocol):
    """For whoever adds tasks or takes them back."""

    async def enqueue(self, entries: Sequence[Entry], latches: Sequence[Latch] = ()) -> list[Enqueued]:
        """Add all entries in one step; answer for each, in order.

        An id that is alive is left alone. An entry with an ``eta`` goes to the schedule, others to the back of
        their lane. ``expects`` become expected (unless alive), and so do ``stages``, up to one that is alive: they
        stand in the storage, each until it becomes a task, or until the stage before it is over and did not make it
        one. Rings the lanes that got work, and the schedule if its first entry changed. Checked per entry in this
        order: alive, once token, unique key. Latches are made in the same step, unless they are there or their callback
        is alive; one of size 0 fires at once.
        """
        ...

    async def cancel(self, ids: Sequence[str], owner: str) -> list[Delivery]:
        """Flag every id that is alive; hand over the queued and scheduled ones under ``owner``'s lease.

        The caller settles what it gets as cancelled. The owners of running ones get a notice.
        The flag stays until the task is over. Raises LeaseLost without a live lease.
        """
        ...

    async def locate(self, ids: Sequence[str]) -> list[Found]:
        """Say where each id is now, in the order asked."""
        ...


class Consuming(Protocol):
    """For whoever runs tasks. ``owner`` is an id that its holder chose, unique in the fleet."""

    async def register(self, owner: str, info: bytes) -> None:
        """Begin a lease; a second call only replaces ``info``."""
        ...

    async def deregister(self, owner: str) -> None:
        """End the lease; what is still held goes to the front of its lane, nothing counted."""
        ...

    async def owners(self) -> list[Owner]:
        """List the owners with a live lease."""
        ...

    async def wait_for_work(self, bells: Collection[Bell], timeout: float) -> frozenset[Bell]:
        """Return when one of the bells rings, with those that rang, or after ``timeout`` seconds, with none.

        Carries no data, and a ring may be missed or spurious: claim and see. A ring that came while nobody waited
        is kept for the next to wait. Where several owners wait on one session, a claim that took all it had room for
        leaves its lane's bell rung for the others.
        """
        ...

    async def claim(self, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
        """Take at most ``room[lane]`` ready tasks of each lane under the owner's lease; never blocks.

        Per lane highest priority first, then first come, first served. Suspects (one delivery left) come
        first, but an owner gets one only while it holds nothing, then gets it alone, and gets nothing else while it
        holds it. Cancelled ones come flagged, and as ``unrevoked`` only if the area ``revocations`` is empty. Each
        brings the message of the stage that is ``following``, if that stands in the storage. A claim may end with the
        message that makes it ``CLAIM_BYTES`` in a lane, headers included; then whoever claims asks again. Raises
        LeaseLost without a live lease.
        """
        ...

    async def claim_awaited(
        self, ids: Sequence[str], room: Mapping[Lane, int], owner: str, alone: bool
    ) -> list[Delivery]:
        """Take those of these ids that are ready, wherever they stand in their lanes, in the order given.

        At most ``room[lane]`` of each lane, also while the owner holds a suspect. ``alone`` says that nothing that it
        holds runs now: then a suspect among them is taken too, with nothing else. Nothing while the queue is paused.
        Raises LeaseLost without a live lease.
        """
        ...

    async def held(self, owner: str) -> list[Delivery]:
        """List all that is under the owner's lease. Raises LeaseLost without a live lease."""
        ...

    async def start(self, receipts: Sequence[Receipt], owner: str) -> list[bool]:
        """Write that these bodies are about to run; answer per receipt whether it is in force."""
        ...

    async def settle(
        self, settlements: Sequence[Settlement], owner: str, number: int, history: HistoryBatch | None = None
    ) -> list[Answer]:
        """End the runs of several tasks in one step; answer for each, in order.

        All or nothing per settlement, fenced by its receipt. ``number`` rises by one with each batch of this owner,
        from 1; a repeat of the last number gives the first answer again and changes nothing.
        An owner without a live lease gets ``stale`` for all. The history is written in the same step. With an id in
        ``also`` the stages after it are over too; a letter has the messages of all later stages joined to its own
        (``stages.join``), and expects them all. When a latch's
        callback is over, the results of the members expire after ``MEMBER_RESULT_TTL`` seconds, unless they do so
        earlier.
        """
        ...

    async def settle_and_claim(
        self,
        settlements: Sequence[Settlement],
        owner: str,
        number: int,
        history: HistoryBatch | None,
        room: Mapping[Lane, int],
    ) -> tuple[list[Answer], list[Delivery] | None]:
        """Settle, and then claim, in one step. None as deliveries: nothing was claimed, ask ``claim``.

        It is no operation by itself: it does what the two do. A repeat of the last number claims nothing.
        """
        ...

    async def notices(self, owner: str, seen: Notices | None) -> Notices:
        """Return the owner's notices as soon as they differ from ``seen``; at once if that is None.

        Returns ``seen`` once when the storage was away and may have lost what it acknowledged before.
        """
        ...

    async def promote(self, now: float, limit: int) -> Promoted:
        """Move at most ``limit`` entries that are due at ``now`` to the back of their lanes, the earliest first.

        Also drops, in bounded chunks, results, keys, tokens, failed tasks, history and slots of counts whose time is
        over, and says when to look for more.
        """
        ...

    async def reclaim(self, owner: str, beat: int) -> int | None:
        """Give an owner up if its heartbeat is still ``beat``; return how many tasks it held, None if it is not.

        Each goes to the front of its lane with one delivery more; one that then has a single delivery left goes to
        the suspects instead. The lease ends: later settlements of that owner are stale, and its claims raise LeaseLost.
        """
        ...

    async def report(self, receipt: Receipt, data: bytes) -> bool:
        """Keep the latest progress of a running task and push it to its followers; False if the receipt is stale.

        It is gone when that run is over.
        """
        ...

    async def collect(self, keys: Sequence[str]) -> list[MemberResults | None]:
        """Read the member results of latches, by position; None for a latch that is not there."""
        ...


class Waiting(Protocol):
    """For whoever waits for results."""

    async def await_outcomes(self, ids: Sequence[str], unknown: Unknown = "return") -> list[Over]:
        """Return when all ids are over, in the order asked; at once for those that are.

        One step registers this client and checks. Any number of calls may wait at the same time, for the same ids
        too; they share connections and round trips. A cancelled call takes its registration back.

        An id of which nothing is known (not alive, not expected, nothing stored, no tombstone) has ended without
        ``data`` and ``kind``; with ``unknown="wait"`` it is waited for, since it may be enqueued a moment later.
        A storage that may forget (a server without persistence, an exchanged file) is asked again after each
        reconnect and now and then, so that a wait for an id that it has forgotten ends within 15 s.
        """
        ...

    async def follow(self, id: str, seen: bytes | None) -> bytes | None:
        """Return a running task's progress as soon as it differs from ``seen``; None when the task is over.

        It is a level: of several reports in a row a follower may see only the last.
        """
        ...

    async def ended(self, ids: Sequence[str]) -> Ended:
        """Say which way these ids ended, in the order asked, as far as it is remembered.

        For what is alive again the answer is that of its last end, or None.
        """
        ...


class Keys(Protocol):
    """Small values in named areas. ``ttl`` is in seconds; None means for ever."""

    async def put(self, area: Area, items: Mapping[str, bytes], ttl: float | None = None) -> None:
        """Write all items, over what was there."""
        ...

    async def put_if_absent(self, area: Area, key: str, value: bytes, ttl: float | None = None) -> bool:
        """Write the value unless the key is there; say whether it was written."""
        ...

    async def peek(self, area: Area, keys: Sequence[str]) -> list[bytes | None]:
        """Read values, in order; None for what is not there."""
        ...

    async def pop(self, area: Area, key: str) -> bytes | None:
        """Read and delete in one step."""
        ...

    async def delete(self, area: Area, keys: Sequence[str]) -> int:
        """Delete keys; return how many were there. That of results may be undone by a power failure."""
        ...

    async def compare_delete(self, area: Area, key: str, expected: bytes) -> bool:
        """Delete the key if it holds exactly ``expected``."""
        ...

    async def compare_extend(self, area: Area, key: str, expected: bytes, ttl: float | None) -> bool:
        """Give the key a new time to live if it holds exactly ``expected``."""
        ...

    async def add(self, area: Area, key: str, amount: int = 1, ttl: float | None = None) -> int:
        """Add to a counter (decimal text; absent counts as 0) and return it; ``ttl`` applies when it is created."""
        ...


class Limits(Protocol):
    """Locks, semaphores and token buckets, all on the storage's clock.

    A key has ``size`` permits; a lock has one. Whoever has the token has the permit, so that a redelivered task takes
    over what its predecessor held. Permits stand in the area ``locks`` (``scan_keys`` lists them, ``delete`` frees a
    key whoever holds it), buckets in ``windows``.
    """

    async def acquire(
        self, key: str, token: str, size: int, lease: float, owner: str | None = None, ttl: float | None = None
    ) -> bool:
        """Take one of ``size`` permits; False if others hold them all. Taking it again begins its times anew.

        Without an owner it ends ``lease`` seconds after it was taken or renewed last. With one it lives as long as
        that owner's lease, and ``lease`` seconds more when that ended; never longer than ``ttl`` seconds in all.
        Raises LeaseLost if the owner has no live lease.
        """
        ...

    async def renew(self, key: str, token: str, lease: float) -> bool:
        """Let a permit that has no owner last ``lease`` seconds from now, not beyond its ttl; False if it is gone."""
        ...

    async def release(self, key: str, token: str, owner: str | None = None) -> bool:
        """Give a permit back; False, with nothing changed, unless this very owner (None: nobody) holds it by token."""
        ...

    async def holders(self, key: str) -> list[str]:
        """List the tokens that hold a permit now."""
        ...

    async def take(self, key: str, rate: float, burst: int) -> float:
        """Take a token from a bucket that holds ``burst`` and gets ``rate`` per second.

        Returns 0.0, or, with nothing taken, the seconds until there is one.
        """
        ...


class Dead(Protocol):
    """Letters: tasks that ended without success, with their messages. Each id has one, the latest.

    Those that cannot be run are dead letters: bounded, the oldest goes first, counted and logged. Those that failed,
    expired or were cancelled are failed tasks: bounded by count (the storage's ``keep_failed``), age (``failed_ttl``)
    and size (``failed_bytes``), the oldest goes first.
    """

    async def dead(self, limit: int | None = None) -> list[DeadLetter]:
        """List dead letters, the latest first."""
        ...

    async def failed(self, limit: int, after: Cursor | None = None, wanted: Wanted = ALL_LETTERS) -> Page[DeadLetter]:
        """List letters of both stores, the latest first, of those buried at the same time the last id first.

        At most ``limit``, and fewer where it has looked at ``LETTERS_LOOKED_AT``; the rest follows ``after`` what the
        page says. What is buried or taken away meanwhile may be left out.
        """
        ...

    async def requeue(self, letters: Sequence[Requeue]) -> list[Requeued]:
        """Put letters back to their lanes as new (deliveries, first_seen and defers at 0); answer for each, in order.

        The letter is gone, with the tombstone and the stored result of its id and of each id that it expects again,
        so that whoever waits for them waits for the new run. Its once token is neither asked for nor written again, and
        stays in the header. What a member has left in its latch is taken back, as long as that has not fired.
        """
        ...

    async def purge(self, ids: Sequence[str] | None = None, store: Burial = "dead", until: float | None = None) -> int:
        """Delete these letters of one store, or all of them; return how many. The other store stays as it is.

        ``until``: of these ids only those that were buried before (epoch seconds), so that nobody deletes a letter
        that he has not seen.
        """
        ...


class History(Protocol):
    """What is remembered of tasks that have ended: for each batch of settlements an entry, written by ``settle``.

    Bounded by the number of tasks (the storage's ``keep_history``; an entry goes when those after it have as many), and
    by age (``history_ttl``); a 0 switches it off. The same bounds hold for attempts. What is too old goes at the next
    ``promote``, or before.
    """

    async def history(self, limit: int, start: Cursor | None = None) -> Page[HistoryEntry]:
        """List entries, the latest first, from the one at ``start`` on, until they have ``limit`` tasks.

        The page says where the next one begins. Fewer come where it has looked at ``HISTORY_LOOKED_AT`` entries.
        """
        ...

    async def find_ended(self, id: str) -> HistoryEntry | None:
        """Return the latest entry that has this id."""
        ...

    async def attempts(self, ids: Sequence[str]) -> list[tuple[bytes, ...]]:
        """Return what is remembered of the attempts of each id, at most ``MOST_ATTEMPTS``, the latest last."""
        ...


class Looking(Protocol):
    """Questions and housekeeping; not for the hot path."""

    async def counts(self, most: int | None = None) -> Counts:
        """Count everything; with ``most`` no further than that, where counting takes long.

        A figure above ``most`` is then a lower bound. Without it all are exact.
        """
        ...

    async def page(self, state: ListedState, limit: int, after: str | None = None) -> Listing:
        """List tasks of a state, at most ``limit`` and ``LISTED_AT_ONCE``, behind the place ``after``.

        Ready ones come as they will be claimed: the suspects, then lane by lane. Scheduled ones come the earliest
        first, running ones owner by owner, waiting ones in any order. Each part is one moment; what moves between two
        may be left out, or come twice. A part may be short, or empty, and still have a ``next``. Raises
        HueyException for an ``after`` that is no place of this list.
        """
        ...

    async def describe(self, ids: Sequence[str]) -> list[Described]:
        """Say all that is known of each id, in the order asked. A listed task has no ``place``."""
        ...

    async def scan_tasks(self, state: LiveState, limit: int | None = None) -> list[Entry]:
        """List tasks that are ``queued``, ``scheduled`` or ``running``.

        Queued ones lane by lane in claim order after the suspects, scheduled ones the earliest first.
        """
        ...

    async def scan_keys(self, area: Area, limit: int | None = None) -> list[tuple[str, bytes]]:
        """List the keys of an area with their values."""
        ...

    async def clear(self, what: Collection[Clearable]) -> None:
        """Delete all of: ``queue``, ``schedule``, ``dead``, ``failed``, ``history``, or a key area.

        What is running is left alone.
        The waiters of deleted tasks and of what they expected are told, their tombstones say ``cancelled``. A latch
        that waited for one of them is dropped with its callback.
        """
        ...

    async def pause(self, by: str = "") -> None:
        """Let claims of this queue return nothing until ``resume``; the owners get a notice.

        ``by`` says who wants it; the last to pause is remembered, with the time.
        """
        ...

    async def resume(self) -> None:
        """Undo ``pause`` and ring the lanes that have work."""
        ...

    async def paused(self) -> Pause | None:
        """Say who paused the queue, and when; None if it is not paused."""
        ...

    async def note(self, line: bytes) -> None:
        """Append a line to the audit log, which keeps the last ``NOTES_KEPT``; ``clear`` leaves it alone."""
        ...

    async def notes(self, limit: int, after: int | None = None) -> list[Note]:
        """List lines of the audit log, the latest first; ``after``: only those before the one of this number."""
        ...

    async def time(self) -> float:
        """Return the storage's time in epoch seconds; the storage's ``clock`` is set by the answer."""
        ...


class Counting(Protocol):
    """What owners count, for statistics: in slots of time by the storage's clock, each kept for its span's time.

    ``COUNT_SPANS`` has the spans; slot ``n`` of a span of ``s`` seconds begins at ``n * s``.
    """

    async def publish(self, owner: str, number: int, info: bytes, counted: Counted | None = None) -> bool:
        """Replace what an owner says of itself, and add what it counted to the slots of now.

        With it goes how many tasks were added to each lane since an owner last published counts. ``number`` rises by
        one with each call that has counts, from 1; a repeat of the last number adds nothing. False, with nothing
        changed, without a live lease. At most ``MOST_COUNTED`` names and groups in a slot are told apart.
        """
        ...

    async def read_slots(self, span: int, first: int, last: int) -> list[CountedSlot]:
        """Read the slots of a span from ``first`` to ``last`` in which something was counted, in their order."""
        ...

    async def read_counts(self, span: int, first: int, last: int, names: Sequence[str]) -> list[CountedTask]:
        """Read what was counted of the tasks of these names, slot by slot; slots without any are left out."""
        ...

    async def heads(self) -> list[Header]:
        """Return the headers of what is ready and first of its lane: of the highest priority, and of the lowest.

        That of the lowest may be left out where more than 10,000 are ready, and suspects always are.
        """
        ...


class LeaseKeeper(Protocol):
    """The heartbeat of one owner: synchronous, with a connection of its own, for a thread of its own."""

    def beat(self) -> bool:
        """Raise the owner's counter; False if the owner was given up. Raises StorageUnavailable."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


@runtime_checkable
class Portable(Protocol):
    """What a lease keeper offers beside the contract whose beats another process can send.

    A task that holds the interpreter lock stops all threads of its process, and so the heartbeat. A worker has the
    beats of such a keeper sent by a small process beside it; for all others it keeps the thread.
    """

    def to_recipe(self) -> BeatRecipe | None:
        """Say as data what ``beat`` does; None if this cannot be said.

        May look for the server, as ``beat`` does, and raise StorageUnavailable. Asked again after a beat that failed,
        and when ``has_moved``.
        """
        ...

    def has_moved(self) -> bool:
        """Say whether it is known, without asking anybody, that the last recipe is for the wrong server."""
        ...


class Session(Producing, Consuming, Waiting, Keys, Limits, Dead, History, Looking, Counting, Protocol):
    """All roles, bound to one running loop."""

    async def close(self) -> None:
        """Finish what is being written, wake every wait with SessionClosed, and let go of all connections."""
        ...


@runtime_checkable
class Restricted(Protocol):
    """What a session offers beside the contract whose storage may let a program enqueue and not consume.

    An owner that only takes tasks out (a cancelled one, say) waits for nothing, and needs no more than a producer.
    """

    async def prepare_consuming(self) -> None:
        """Raise ConfigurationError if a consumer would lack something here: it asks before its first lease."""
        ...


@runtime_checkable
class Telling(Protocol):
    """What a session offers beside the contract that tells of many ends one by one.

    Who awaits thousands, and wants each as soon as it is there, then needs no call and no task for each of them.
    """

    async def tell_outcomes(self, ids: Sequence[str], hear: Callable[[Over], object]) -> None:
        """Call ``hear`` on the loop with the end of each id as it comes; return when all are over.

        Otherwise as ``await_outcomes``. ``hear`` must not raise, and uses no session; it may be told of an id twice.
        """
        ...


@runtime_checkable
class Examined(Protocol):
    """What a session offers beside the contract to whoever wonders why nothing is consumed.

    They look at a bounded part, and leave out what they may not ask.
    """

    async def find_dangers(self) -> list[str]:
        """Return what may lose tasks of this queue, or hide them, each as a sentence: settings, another program's."""
        ...

    async def find_tasks_of_huey(self) -> list[str]:
        """Return which tasks of Huey are left there, each as a sentence: what a worker warns of at its start.

        Of ``find_dangers`` this is the part that needs no rights which a worker may lack.
        """
        ...

    async def find_neighbours(self) -> list[str]:
        """Return the names of the queues beside this one and its own, by name."""
        ...


@runtime_checkable
class Transactional(Protocol):
    """What a storage offers beside the contract whose tasks are in a database of the application's own."""

    async def enqueue_in(self, connection: Any, entries: Sequence[Entry]) -> list[Enqueued]:
        """Add entries as part of the transaction that is open on this connection, to be seen with its commit."""
        ...


class Completion(Protocol):
    """A transaction in which one held task ends, together with what its body writes there.

    ``begin`` once, then ``finish`` or not, then ``abandon``. Nothing of it takes effect but by ``finish``; a connection
    that dies, or is left, rolls back. None of the three is cancelled by hueyio while it is under way.
    """

    async def begin(self) -> Any:
        """Open a connection and a transaction; return the connection, for the body. Raises LeaseLost if it is stale."""
        ...

    async def finish(self, settlement: Settlement, history: HistoryBatch | None = None) -> Answer:
        """End the task as ``settle`` does, fenced by the receipt and without a number, and commit.

        All or nothing: with another answer than accepted or fired, and with any error, nothing is committed. Raises
        TransactionTooLong if it was rolled back because its time was over.
        """
        ...

    async def abandon(self) -> None:
        """Roll back what is not committed, and close; a second call does nothing.

        Raises TransactionTooLong, when all that is done, if its time was over before, once.
        """
        ...


class BlockingCompletion(Protocol):
    """The same for a thread, in which all of it is called."""

    def begin(self) -> Any:
        """Do what ``Completion.begin`` does."""
        ...

    def finish(self, settlement: Settlement, history: HistoryBatch | None = None) -> Answer:
        """Do what ``Completion.finish`` does."""
        ...

    def abandon(self) -> None:
        """Do what ``Completion.abandon`` does."""
        ...


@runtime_checkable
class Completing(Protocol):
    """What a storage offers beside the contract in whose database a body may write rows of its own, and end with them.

    It may be open for so many ``seconds``; then the storage rolls it back and gives its locks free, whatever the body
    does. May be called in any thread.
    """

    def completion(self, receipt: Receipt, seconds: float) -> Completion:
        """Make the transaction of a coroutine."""
        ...

    def blocking_completion(self, receipt: Receipt, seconds: float) -> BlockingCompletion:
        """Make the transaction of a thread."""
        ...


@runtime_checkable
class Storage(Protocol):
    """Configuration of one queue; opens sessions. Safe to share between loops and threads."""

    @property
    def name(self) -> str:
        """The queue's name."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """Optional features that this storage supports."""
        ...

    @property
    def clock(self) -> Clock:
        """What time it is there: what every eta, expiry and deadline is judged by. The sessions keep it right."""
        ...

    async def connect(self) -> Session:
        """Open a session for the running loop. Raises StorageUnavailable or ConfigurationError."""
        ...

    def lease_keeper(self, owner: str) -> LeaseKeeper:
        """Make the heartbeat of one owner; connects at the first beat."""
        ...

    def __str__(self) -> str:
        """Say in a few words where the tasks are, without a password."""
        ...
