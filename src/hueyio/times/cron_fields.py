"""The text of one field of a crontab, such as ``*/5`` or ``mon-fri``, to the set of numbers that it stands for."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

__all__ = ["DAY", "DAY_OF_WEEK", "HOUR", "MINUTE", "MONTH", "SECOND", "Field", "is_spread", "read_field"]

logger = logging.getLogger(__name__)


class Field(NamedTuple):
    """What may stand in a field: numbers from ``least`` to ``most``, and names for some of them."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()
    """Of the numbers from ``least`` on."""

    @property
    def all(self) -> Sequence[int]:
        """Every number that ``*`` stands for."""
        return range(self.least, self.most + 1)


SECOND: Final = Field("second", 0, 59)
MINUTE: Final = Field("minute", 0, 59)
HOUR: Final = Field("hour", 0, 23)
DAY: Final = Field("day", 1, 31)
MONTH: Final = Field(
    "month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
)
DAY_OF_WEEK: Final = Field("day_of_week", 0, 6, ("sun", "mon", "tue", "wed", "thu", "fri", "sat"))

_ALSO_SUNDAY: Final = 7

_PIECE: Final = re.compile(
    r"(?P<star>\*)(?:/(?P<every>[0-9]+))?"
    r"|(?P<first>[0-9]+|[a-z]+)(?:-(?P<last>[0-9]+|[a-z]+)(?:/(?P<step>[0-9]+))?)?",
    re.IGNORECASE,
)


def read_field(field: Field, text: str, *, strict: bool) -> tuple[int, ...]:
    """Return the numbers, ascending. Raises ValueError that names the field.

    A piece that cannot be read raises if ``strict``; else it is left out, as long as others remain.
    """
    numbers: set[int] = set()
    for piece in text.split(","):
        found = _read_piece(field, piece)
        if found is not None:
            numbers.update(found)
        elif strict:
            raise ValueError(f"crontab {field.name}={text!r}: {piece!r} is none of *, */n, n, a-b, a-b/n{_hint(field)}")
        else:
            logger.warning("crontab %s=%r: %r cannot be read and is left out", field.name, text, piece)
    if not numbers:
        raise ValueError(f"crontab {field.name}={text!r} matches no values")
    return tuple(sorted(numbers))


def is_spread(field: Field, text: str, numbers: Sequence[int]) -> bool:
    """Say whether a field is a wildcard or steps through all of it, so that it names no time of its own."""
    return all(piece.startswith("*") for piece in text.split(",")) or len(numbers) == len(field.all)


def _read_piece(field: Field, piece: str) -> Sequence[int] | None:
    """Return the numbers of a piece, None if it cannot be read."""
    match = _PIECE.fullmatch(piece)
    if match is None:
        return None
    if match["star"]:
        return _step_through(field, piece, field.all, match["every"])
    first = _read_number(field, match["first"])
    last = first if match["last"] is None else _read_number(field, match["last"])
    if first is None or last is None:
        return None
    return _step_through(field, piece, _span(field, first, last), match["step"])


def _step_through(field: Field, piece: str, numbers: Sequence[int], step: str | None) -> Sequence[int]:
    if step is None:
        return numbers
    if field is DAY_OF_WEEK and piece.startswith("*"):
        raise ValueError(f"crontab {field.name}={piece!r}: every n-th day of the week is not supported; name the days")
    if int(step) == 0:
        raise ValueError(f"crontab {field.name}={piece!r}: the step cannot be zero")
    return numbers[:: int(step)]


def _span(field: Field, first: int, last: int) -> Sequence[int]:
    """Return the numbers from first to last, past the end of the field where first is the greater one."""
    if first == last:
        return (first % _ALSO_SUNDAY,) if field is DAY_OF_WEEK else (first,)
    if field is DAY_OF_WEEK:
        first %= _ALSO_SUNDAY
        return [number % _ALSO_SUNDAY for number in range(first, last + 1 if first <= last else last + 8)]
    if first < last:
        return range(first, last + 1)
    return [*range(first, field.most + 1), *range(field.least, last + 1)]


def _read_number(field: Field, text: str) -> int | None:
    if not text.isdecimal():
        names = field.names
        return field.least + names.index(text.lower()) if text.lower() in names else None
    number = int(text)
    most = _ALSO_SUNDAY if field is DAY_OF_WEEK else field.most
    if not field.least <= number <= most:
        raise ValueError(f"crontab {field.name}={text!r}: must be from {field.least} to {most}")
    return number


def _hint(field: Field) -> str:
    return f", nor one of {', '.join(field.names)}" if field.names else ""
