"""What the members of a chord report to it, as values and as bytes.

A member that returned reports its value, one that failed its Error, one that was never run SKIPPED. As bytes an ending
is what ``endings`` writes, and SKIPPED an empty list.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias, final

from hueyio.exceptions import SerializationError
from hueyio.messages.stored_result import Ending, Returned, read_ending, write_ending
from hueyio.serializer import Serializer

__all__ = ["SKIPPED", "MemberResult", "Skipped", "read_member_result", "value_of", "write_member_result"]


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


def write_member_result(report: MemberResult, serializer: Serializer) -> bytes:
    """Return a report as bytes; raises SerializationError."""
    return serializer.serialize([]) if isinstance(report, Skipped) else write_ending(report, serializer)


def read_member_result(data: bytes | None, serializer: Serializer) -> Any:
    """Return what the callback gets for these bytes; raises SerializationError."""
    if data is None or serializer.deserialize(data) in ([], ()):
        return SKIPPED
    try:
        return value_of(read_ending(data, serializer))
    except SerializationError as error:
        raise SerializationError(f"what a member of the chord returned cannot be read: {error}") from error


def value_of(report: MemberResult) -> Any:
    """Return what the callback gets for a report."""
    return report.value if isinstance(report, Returned) else report
