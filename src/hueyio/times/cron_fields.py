"""The text of one field of a crontab, such as ``*/5`` or ``mon-fri``, to what it stands for."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Final

from hueyio.named_tuple import NamedTuple

__all__ = [
    "DAY",
    "DAY_OF_WEEK",
    "HOUR",
    "LAST",
    "MINUTE",
    "MONTH",
    "SECOND",
    "Chosen",
    "Field",
    "is_spread",
    "read_field",
    "without_blanks",
]

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


class Chosen(NamedTuple):
    """What a field stands for: numbers, ascending, and days whose number differs from month to month.

    ``in_month`` has pairs of a day of the week and which one it is, from 1 to 5 or ``LAST``; of no day of the week
    (None) it is the last day. ``text`` has what could be read. ``remarks`` say what is allowed and was hardly meant.
    """

    text: str
    numbers: tuple[int, ...]
    in_month: frozenset[tuple[int | None, int]] = frozenset()
    remarks: tuple[str, ...] = ()


LAST: Final = -1

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
    r"|(?P<first>[0-9]+|[a-z]+)(?:-(?P<last>[0-9]+|[a-z]+))?(?:/(?P<step>[0-9]+))?",
    re.IGNORECASE,
)

_WEEKDAY_IN_MONTH: Final = re.compile(r"(?P<weekday>[0-9]+|[a-z]{3})(?:#(?P<nth>[0-9]+)|L)", re.IGNORECASE)

_MOST_WEEKS: Final = 5

_MORE_FORMS: Final = {DAY: ", L", DAY_OF_WEEK: ", fri#2, friL"}


def without_blanks(text: str) -> str:
    """Return a field's text without the blanks that say nothing: around a piece, and around its signs."""
    return re.sub(r"\s*([,/#-])\s*", r"\1", text.strip())


def read_field(field: Field, text: str, *, strict: bool) -> Chosen:
    """Return what a text without blanks stands for. Raises ValueError that names the field.

    A piece that cannot be read raises if ``strict``; else it is left out, as long as others remain.
    """
    numbers: set[int] = set()
    in_month: set[tuple[int | None, int]] = set()
    pieces: list[str] = []
    remarks: list[str] = []
    for piece in text.split(","):
        if (day := _read_day_in_month(field, piece)) is not None:
            in_month.add(day)
            pieces.append(piece)
        elif (found := _read_piece(field, piece)) is not None:
            numbers.update(found)
            pieces.append(_with_end(field, piece))
            remarks.extend(_remark_on_step(field, piece, found))
        elif strict:
            raise ValueError(f"crontab {field.name}={text!r}: {piece!r} is none of {_forms(field)}")
        else:
            logger.warning("crontab %s=%r: %r cannot be read and is left out", field.name, text, piece)
    if not numbers and not in_month:
        raise ValueError(f"crontab {field.name}={text!r} matches no values")
    return Chosen(",".join(pieces), tuple(sorted(numbers)), frozenset(in_month), tuple(remarks))


def is_spread(field: Field, text: str, numbers: Sequence[int]) -> bool:
    """Say whether a field is a wildcard or steps through all of it, so that it names no time of its own."""
    return all(piece.startswith("*") for piece in text.split(",")) or len(numbers) == len(field.all)


def _read_day_in_month(field: Field, piece: str) -> tuple[int | None, int] | None:
    """Return what ``L``, ``fri#2`` or ``friL`` stand for; None if it is none of them."""
    if field is DAY:
        return (None, LAST) if piece.upper() == "L" else None
    match = _WEEKDAY_IN_MONTH.fullmatch(piece) if field is DAY_OF_WEEK else None
    weekday = None if match is None else _read_number(field, match["weekday"])
    if match is None or weekday is None:
        return None
    nth = LAST if match["nth"] is None else int(match["nth"])
    if nth != LAST and not 1 <= nth <= _MOST_WEEKS:
        raise ValueError(f"crontab {field.name}={piece!r}: what follows # must be from 1 to {_MOST_WEEKS}")
    return weekday % _ALSO_SUNDAY, nth


def _read_piece(field: Field, piece: str) -> Sequence[int] | None:
    """Return the numbers of a piece, None if it cannot be read."""
    match = _PIECE.fullmatch(piece)
    if match is None:
        return None
    if match["star"]:
        return _step_through(field, piece, field.all, match["every"])
    first = _read_number(field, match["first"])
    if match["last"] is not None:
        last = _read_number(field, match["last"])
    else:
        last = first if match["step"] is None else _end_of(field)
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


def _with_end(field: Field, piece: str) -> str:
    """Return a piece that says where ``a/n`` ends: versions that do not know that form read this one."""
    first, _, step = piece.partition("/")
    return piece if not step or "-" in first or first == "*" else f"{first}-{_end_of(field)}/{step}"


def _remark_on_step(field: Field, piece: str, found: Sequence[int]) -> list[str]:
    """Say that a step leads out of the field at once, so that it does not do what it seems to do."""
    _, _, step = piece.partition("/")
    if not step or int(step) == 1 or len(found) > 1:
        return []
    return [f"crontab {field.name}={piece!r}: the step of {step} leads out of the range, and only {found[0]} matches"]


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
    if not field.least <= number <= _end_of(field):
        raise ValueError(f"crontab {field.name}={text!r}: must be from {field.least} to {_end_of(field)}")
    return number


def _end_of(field: Field) -> int:
    """Return the last number that may be written: a week may end with Sunday."""
    return _ALSO_SUNDAY if field is DAY_OF_WEEK else field.most


def _forms(field: Field) -> str:
    names = f", nor one of {', '.join(field.names)}" if field.names else ""
    return f"*, */n, n, a-b, a/n, a-b/n{_MORE_FORMS.get(field, '')}{names}"
