"""What the members of a chord report to it, as values and as bytes.

A member that returned reports its value, one that failed its Error, one that was never run SKIPPED. As bytes an ending
is what ``stored_result`` writes, and SKIPPED an empty list. They belong to one position of one chord. One SKIPPED is
written with the chord, for whichever members cannot be enqueued: that is for the chord alone.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias, final

from hueyio.exceptions import SerializationError
from hueyio.messages.stored_result import Ending, Returned, ending_from, write_ending
from hueyio.serializer import Serializer

__all__ = [
    "SKIPPED",
    "MemberResult",
    "Skipped",
    "member_place",
    "read_member_result",
    "value_of",
    "write_absence",
    "write_member_result",
]


@final
class Skipped:
    """The kind of ``SKIPPED``: there is one, and it survives pickling and copying."""

    __slots__ = ()

    def __reduce__(self) -> str:
        return "SKIPPED"

    def __repr__(self) -> str:
        return "SKIPPED"


SKIPPED: Final = Skipped()
"""What a chord's callback gets for a member that was revoked, expired or cancelled."""

MemberResult: TypeAlias = Ending | Skipped


def member_place(serializer: Serializer, chord: str, position: int) -> Serializer:
    """Return the serializer for what the member at a position of a chord reports."""
    return serializer.within("member", chord, str(position))


def write_absence(serializer: Serializer, chord: str) -> bytes:
    """Return what stands for each member of a chord that cannot be enqueued."""
    return write_member_result(SKIPPED, serializer.within("absent", chord))


def write_member_result(report: MemberResult, serializer: Serializer) -> bytes:
    """Return a report as bytes, by the serializer of its place; raises SerializationError."""
    return serializer.serialize([]) if isinstance(report, Skipped) else write_ending(report, serializer)


def read_member_result(data: bytes | None, serializer: Serializer, chord: str, position: int) -> Any:
    """Return what the callback gets for these bytes; raises SerializationError."""
    if data is None:
        return SKIPPED
    try:
        return _read(data, member_place(serializer, chord, position))
    except SerializationError as error:
        if _is_absence(data, serializer.within("absent", chord)):
            return SKIPPED
        raise SerializationError(f"what a member of the chord returned cannot be read: {error}") from error


def _read(data: bytes, serializer: Serializer) -> Any:
    read = serializer.deserialize(data)
    return SKIPPED if read in ([], ()) else value_of(ending_from(read, serializer))


def _is_absence(data: bytes, serializer: Serializer) -> bool:
    try:
        return serializer.deserialize(data) in ([], ())
    except SerializationError:
        return False


def value_of(report: MemberResult) -> Any:
    """Return what the callback gets for a report."""
    return report.value if isinstance(report, Returned) else report
