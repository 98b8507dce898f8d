"""What the steps are made of: few ids and few keys, so that they meet often."""

from __future__ import annotations

from typing import Final, TypeAlias, get_args

from hypothesis import strategies as st

from hueyio.storage.records import (
    AREAS,
    LANES,
    Area,
    Burial,
    Bury,
    Clearable,
    Counted,
    Defer,
    Delivery,
    EndKind,
    Entry,
    Finish,
    Header,
    HistoryBatch,
    Latch,
    LatchMark,
    Receipt,
    Release,
    Settlement,
)

__all__ = [
    "AREA",
    "AREA_OF_VALUES",
    "CLEARABLE",
    "COUNTED",
    "DATA",
    "ID",
    "IDS",
    "KEY",
    "LOCKS",
    "NAMES",
    "OWNER",
    "OWNERS",
    "ROOM",
    "TTL",
    "entries",
    "history_of",
    "latches",
    "receipts_of",
    "settlements_of",
]

IDS: Final = ["a", "b", "c", "d", "e", "f", "g", "h"]
OWNERS: Final = ["one", "two"]
LOCKS: Final = ["lock", "other"]
CALLBACKS: Final = ["g", "h"]
LONG: Final = 1e6
"""Seconds; no time to live is over while a machine runs."""

ID: Final = st.sampled_from(IDS)
OWNER: Final = st.sampled_from(OWNERS)
DATA: Final = st.sampled_from([b"", b"x", b"\x00\xff"])
KEY: Final = st.sampled_from(["k", "l"])
TTL: Final = st.sampled_from([None, LONG])
AREA: Final[st.SearchStrategy[Area]] = st.sampled_from(AREAS)
AREA_OF_VALUES: Final[st.SearchStrategy[Area]] = st.sampled_from(
    [area for area in AREAS if area not in ("locks", "windows")]
)
_CLEARABLES: Final[list[Clearable]] = ["queue", "schedule", "dead", "failed", "history", *AREAS]
CLEARABLE: Final = st.lists(st.sampled_from(_CLEARABLES), min_size=1, max_size=2, unique=True)
NAMES: Final = ["app.a", "app.b"]
_COUNTERS: Final = st.dictionaries(st.sampled_from(["done", "r20"]), st.integers(1, 10**12), max_size=2)
_ENDED: Final = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 5), max_size=2)
COUNTED: Final = st.one_of(
    st.none(),
    st.builds(
        lambda totals, names, failures, counters: Counted(
            totals, names, failures, {name: dict(counters) for name in names}
        ),
        _COUNTERS, _ENDED, _ENDED, _COUNTERS,
    ),
)  # fmt: skip
ROOM: Final = st.fixed_dictionaries({}, optional={lane: st.sampled_from([0, 1, 2, 100]) for lane in LANES})
_ETAS: Final = {id: [at + number / 100 for at in (10.0, 20.0, 30.0)] for number, id in enumerate(IDS)}
"""Times to which no two ids are put off: among those that are due at the same time no order is promised."""
_ETA: Final = {id: st.sampled_from([None, None, *times]) for id, times in _ETAS.items()}
_Keys: TypeAlias = tuple[tuple[Area, str], ...]
_DELETES: Final[st.SearchStrategy[_Keys]] = st.sampled_from([(), (), (("data", "k"),), (("revocations", "k"),)])
_TAKES: Final[st.SearchStrategy[tuple[Area, str] | None]] = st.sampled_from([None, None, ("revocations", "k")])
_KIND: Final = st.sampled_from(["finish", "finish", "retry", "release", "defer", "bury"])
_END: Final[st.SearchStrategy[EndKind]] = st.sampled_from(["done", "done", "done", *get_args(EndKind)])
_BURIALS: Final[list[Burial]] = ["dead", "failed"]
_MOSTLY: Final = st.sampled_from([True, True, True, False])
_EXPECTS: Final = st.one_of(st.just(()), st.lists(ID, max_size=2, unique=True).map(tuple))


@st.composite
def headers(draw: st.DrawFn, id: str, priorities: bool, plain: bool) -> Header:
    """Make the header of a task; ``plain`` ones are what most tasks are."""
    lane = draw(st.sampled_from(LANES))
    priority = draw(st.sampled_from([0.0, 1.0, -2.5])) if priorities else 0.0
    if plain:
        return Header(id, lane, priority)
    token = draw(st.sampled_from([None, None, "t", "u"]))
    latch = draw(st.sampled_from([None, None, *CALLBACKS]))
    return Header(
        id,
        lane,
        priority,
        eta=draw(_ETA[id]),
        max_deliveries=draw(st.integers(1, 3)),
        unique_key=draw(st.sampled_from([None, None, "p", "q"])),
        once_token=token,
        once_ttl=None if token is None else LONG,
        once_key=None if token is None else draw(st.sampled_from([None, "k"])),
        latch=latch,
        latch_index=None if latch is None else draw(st.integers(0, 2)),
        expects=tuple(it for it in draw(_EXPECTS) if it != id),
    )


@st.composite
def entries(draw: st.DrawFn, priorities: bool, most: int = 3) -> list[Entry]:
    """Make a batch; half of the batches are plain."""
    plain = draw(st.booleans())
    ids = draw(st.lists(ID, max_size=most))
    return [Entry(draw(headers(id, priorities, plain)), draw(DATA)) for id in ids]


@st.composite
def latches(draw: st.DrawFn, priorities: bool) -> list[Latch]:
    """Make the latches of a call."""
    ids = draw(st.lists(st.sampled_from(CALLBACKS), max_size=2, unique=True))
    return [
        Latch(
            draw(st.integers(0, 3)),
            Entry(draw(headers(id, priorities, plain=False))._replace(collects=True), draw(DATA)),
            draw(st.sampled_from([b"", b"absent"])),
        )
        for id in ids
    ]


@st.composite
def retries(draw: st.DrawFn, before: Header, priorities: bool) -> Entry:
    """Make the entry by which a task lives on; who it is, and what holds for all its life, stays."""
    new = draw(headers(before.id, priorities, plain=False))
    header = new._replace(
        unique_key=before.unique_key,
        once_token=before.once_token,
        once_ttl=before.once_ttl,
        once_key=before.once_key,
        latch=before.latch,
        latch_index=before.latch_index,
        collects=before.collects,
    )
    return Entry(header, draw(DATA))


@st.composite
def receipts_of(draw: st.DrawFn, delivery: Delivery) -> Receipt:
    """Take a delivery's receipt, or one that is not in force."""
    receipt = delivery.receipt
    stale = [receipt._replace(deliveries=receipt.deliveries + 1), receipt._replace(owner="nobody")]
    return draw(st.sampled_from([receipt] * 6 + stale))


@st.composite
def turns_of_next(draw: st.DrawFn, receipt: Receipt, header: Header) -> Settlement:
    """End a stage of a pipeline, whose next one is enqueued; mostly as a consumer does."""
    next_id, *later = header.expects
    expects_all, is_plain, is_kept = draw(_MOSTLY), draw(_MOSTLY), draw(_MOSTLY)
    following = Header(next_id, draw(st.sampled_from(LANES)), expects=tuple(later) if expects_all else ())
    deletes: _Keys = (("revocations", f"r:{receipt.id}"),) if is_plain else ()
    ttl = LONG if is_kept else None
    return Finish(receipt, draw(st.none() | DATA), ttl, (), None, (Entry(following, draw(DATA)),), deletes)


@st.composite
def settlements_of(draw: st.DrawFn, delivery: Delivery, priorities: bool) -> Settlement:
    """Make a settlement of any kind."""
    receipt, header, kind = draw(receipts_of(delivery)), delivery.header, draw(_KIND)
    if draw(st.booleans()) and header.expects:
        return draw(turns_of_next(receipt, header))
    if kind == "release":
        return Release(receipt, draw(st.booleans()))
    if kind == "defer":
        later = header._replace(eta=draw(st.sampled_from(_ETAS[header.id])), defers=header.defers + 1, first_seen=1.5)
        return Defer(receipt, later)
    follow_ups = tuple(it for it in draw(entries(priorities, 2)) if it.header.id != header.id)
    result, ttl, deletes = draw(st.none() | DATA), draw(TTL), draw(_DELETES)
    if kind == "retry":
        again = draw(retries(header, priorities))
        return Finish(receipt, ttl=ttl, intermediate=result, follow_ups=(*follow_ups, again), deletes=deletes)
    also = tuple(it for it in draw(st.lists(ID, max_size=2, unique=True)) if it != header.id)
    mark = None
    if header.latch is not None and header.latch_index is not None:
        mark = LatchMark(header.latch, header.latch_index, draw(DATA))
    if kind == "bury":
        reason = draw(st.sampled_from(["why", ""]))
        into, kept = draw(st.sampled_from(_BURIALS)), draw(st.none() | DATA)
        return Bury(receipt, reason, result, ttl, also, follow_ups, deletes, mark, draw(_END), into, "app.task", kept)
    take = draw(_TAKES)
    return Finish(receipt, result, ttl, also, None, follow_ups, deletes, take, mark, draw(_END))


@st.composite
def history_of(draw: st.DrawFn, settlements: list[Settlement]) -> HistoryBatch | None:
    """Make what a batch leaves in the history: some of its tasks, and some of their attempts."""
    if draw(st.booleans()):
        return None
    every = range(len(settlements))
    places = tuple(draw(st.lists(st.sampled_from(every), unique=True)))
    attempts = tuple((place, draw(DATA)) for place in draw(st.lists(st.sampled_from(every), max_size=2, unique=True)))
    return HistoryBatch(tuple(settlements[place].receipt.id for place in places), places, draw(DATA), attempts)
