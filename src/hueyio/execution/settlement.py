"""Effects to Settlement: all that a finished task changes, as one value of headers and bytes."""

from __future__ import annotations

from hueyio.execution.again import text_of, write_again
from hueyio.execution.effects import Effects
from hueyio.messages.entry import CUT_FROM, make_entry
from hueyio.messages.member_result import member_place, write_member_result
from hueyio.messages.stored_result import write_ending
from hueyio.messages.tick_token import tick_of
from hueyio.serializer import Serializer
from hueyio.storage.records import Bury, Defer, Delivery, Entry, Finish, Header, LatchMark, Release, Settlement
from hueyio.tasks.registry import Registry

__all__ = ["make_settlement"]


def make_settlement(
    effects: Effects,
    delivery: Delivery,
    *,
    name: str,
    registry: Registry,
    serializer: Serializer,
    result_ttl: float | None,
    now: float,
    cut_from: int = CUT_FROM,
) -> Settlement:
    """Encode the effects for a task of this name. A pipeline that begins is cut from so many later stages on.

    Raises SerializationError or TaskArgumentError if a value or a follow-up cannot be encoded.
    """
    receipt = delivery.receipt
    match effects.settle:
        case "release":
            return Release(receipt, effects.counted)
        case "defer":
            header = delivery.header._replace(
                eta=effects.defer_until,
                first_seen=effects.first_seen,
                defers=effects.defers,
                max_deliveries=_deliveries_left(delivery),
            )
            return Defer(receipt, header)
        case "finish" | "bury":
            pass
    data = None if effects.ending is None else write_ending(effects.ending, serializer.within("result", receipt.id))
    follow_ups = tuple(
        [make_entry(task, registry.get(task.path), serializer, now, cut_from=cut_from) for task in effects.enqueue]
    )
    if follow_ups and (delivery.header.unique_key is not None or delivery.header.once_token is not None):
        follow_ups = tuple([_with_keys(entry, delivery.header) for entry in follow_ups])
    if effects.is_put_back and receipt.deliveries:
        follow_ups = tuple([_with_deliveries(entry, delivery) for entry in follow_ups])
    mark = None if delivery.header.latch is None else _mark(effects, delivery, serializer, data)
    if effects.settle == "bury":
        return Bury(
            receipt,
            text_of(effects.reason),
            data,
            result_ttl,
            effects.downstream,
            follow_ups,
            effects.deletes,
            mark,
            effects.kind,
            effects.into,
            "" if effects.kind == "unreadable" else text_of(name),
            None if effects.kind == "unreadable" else write_again(delivery.data, effects.kind, serializer, now),
        )
    lives_on = bool(follow_ups) and any(entry.header.id == receipt.id for entry in follow_ups)
    return Finish(
        receipt,
        None if lives_on else data,
        result_ttl,
        effects.downstream,
        data if lives_on else None,
        follow_ups,
        effects.deletes,
        effects.take,
        mark,
        effects.kind,
    )


def _with_keys(entry: Entry, header: Header) -> Entry:
    """Let a retry keep the unique key of its task, and the once token, which says of which tick it is."""
    if entry.header.id != header.id:
        return entry
    kept = entry.header._replace(unique_key=header.unique_key)
    if tick_of(header.once_token) is not None:  # another one is spent, and would hide which attempt this is
        kept = kept._replace(once_token=header.once_token, once_ttl=header.once_ttl, once_key=header.once_key)
    return entry._replace(header=kept)


def _with_deliveries(entry: Entry, delivery: Delivery) -> Entry:
    """Let what goes back without having been run keep its count of deliveries."""
    if entry.header.id != delivery.header.id:
        return entry
    return entry._replace(header=entry.header._replace(max_deliveries=_deliveries_left(delivery)))


def _deliveries_left(delivery: Delivery) -> int:
    """Return how many deliveries are left: the storage counts anew from 0, and a crash loop must end all the same."""
    return max(delivery.header.max_deliveries - delivery.receipt.deliveries, 1)


def _mark(effects: Effects, delivery: Delivery, serializer: Serializer, data: bytes | None) -> LatchMark | None:
    """Make the report to the chord. By the header, because a message that cannot be read reports too."""
    header = delivery.header
    if header.latch is None or header.latch_index is None or effects.member_result is None:
        return None
    place = member_place(serializer, header.latch, header.latch_index)
    # What is signed for one place is not signed for the other.
    if data is None or effects.member_result is not effects.ending or place is not serializer:
        data = write_member_result(effects.member_result, place)
    return LatchMark(header.latch, header.latch_index, data)
