"""``crontab()``: the times of a periodic task, as the usual fields say them.

A crontab is data without a clock: ``matches(moment)`` says whether one falls due, ``next_after(moment)`` when the
next one does. How it meets a clock that is changed (daylight saving time):

* Where the hour is a wildcard or a step (``*``, ``*/2``), time is taken as it passes: an hour that occurs twice counts
  twice, one that is left out not at all.
* Where the hour is fixed (``2``, ``9-17``), a time that occurs twice counts the first time only, and one that is left
  out counts at the moment at which the clock is put forward.
"""

from __future__ import annotations

import sys
import warnings
from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from hueyio.exceptions import DeclarationWarning
from hueyio.times import cron_fields as fields
from hueyio.times.cron_fields import Field, is_spread, read_field, without_blanks
from hueyio.times.cron_numbers import check_days, numbers_of
from hueyio.times.wall_time import change_within, earliest_showing, load_zone, shown_in

__all__ = ["crontab"]

_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)
_A_DAY_AND_MORE: Final = timedelta(hours=26)
"""No clock was ever put back or forward by more than a day."""

_EVERY: Final = "*"

_IN_A_LINE: Final = (fields.MINUTE, fields.HOUR, fields.DAY, fields.MONTH, fields.DAY_OF_WEEK)

_FIELDS_AND_MORE: Final = {*(field.name for field in _IN_A_LINE), "second", "tz", "strict"}

_NAMED_LINES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


class crontab:  # noqa: N801  Huey's name: it was a function
    """When a periodic task is to run: at the times that match all fields.

    A field is ``*``, a number, ``a-b`` (also past the end, ``22-2``), ``*/n``, ``a/n`` (from a to the end) or ``a-b/n``
    (every n-th), or several of these with commas between. Months and days of the week have names (``jan``, ``mon``);
    Sunday is 0 and 7. The day ``L`` is the last of the month; the day of the week ``fri#2`` its second Friday, ``friL``
    its last one. ``day`` and ``day_of_week`` must both match.

    Without ``second`` it is the second 0. ``tz`` is the name of a time zone, such as ``Europe/Paris``; without it the
    Huey decides: UTC, or local time with ``utc=False``. Raises ValueError for what cannot be read, and for what never
    matches; with ``strict=False`` what cannot be read is left out and logged, as long as something remains, as in Huey.
    Warns of what was hardly meant: an hour without a minute, a step that leads out of the range.

    Example::

        times = crontab(minute="30", hour="7", day_of_week="mon-fri", tz="Europe/Paris")
        friday = datetime(2026, 5, 1, 12, tzinfo=UTC)
        print(times.next_after(friday))  # 2026-05-04 07:30:00+02:00
    """

    __slots__ = ("_numbers", "_passing", "_texts", "_zone", "tz")

    tz: str | None

    def __init__(
        self,
        minute: str | int | None = None,
        hour: str | int = _EVERY,
        day: str | int = _EVERY,
        month: str | int = _EVERY,
        day_of_week: str | int = _EVERY,
        strict: bool = True,
        *,
        second: str | int | None = None,
        tz: str | None = None,
    ) -> None:
        for remark in self._read(minute, hour, day, month, day_of_week, strict, second, tz):
            _warn(remark)

    def _read(
        self,
        minute: object = None,
        hour: object = _EVERY,
        day: object = _EVERY,
        month: object = _EVERY,
        day_of_week: object = _EVERY,
        strict: object = True,
        second: object = None,
        tz: object = None,
    ) -> list[str]:
        """Take the fields; return what there is to say about them."""
        if not isinstance(strict, bool):
            raise ValueError(f"crontab strict={strict!r}: must be True or False")
        if tz is not None and not isinstance(tz, str):
            raise ValueError(f"crontab tz={tz!r}: must be the name of a time zone, such as 'Europe/Paris'")
        self._zone: tzinfo = UTC if tz is None else load_zone(tz)
        self.tz = tz
        given = {
            fields.MINUTE: _EVERY if minute is None else minute,
            fields.HOUR: hour,
            fields.DAY: day,
            fields.MONTH: month,
            fields.DAY_OF_WEEK: day_of_week,
            fields.SECOND: 0 if second is None else second,
        }
        read = {field.name: read_field(field, _text_of(field, value), strict=strict) for field, value in given.items()}
        self._texts = {name: chosen.text for name, chosen in read.items()}
        if second is None:
            del self._texts["second"]
        self._numbers = numbers_of(read)
        self._passing = is_spread(fields.HOUR, self._texts["hour"], self._numbers.hour)
        check_days(self._texts, self._numbers)
        is_bare = minute is None and self._texts["hour"] != _EVERY
        return [
            *(remark for chosen in read.values() for remark in chosen.remarks),
            *([_remark_on_every_minute(self._texts["hour"])] if is_bare else ()),
        ]

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> crontab:
        """Build one from what ``to_dict`` gave, here or in an earlier version, which left out what it could not read.

        Nothing is warned of. Raises ValueError.
        """
        if not isinstance(given, Mapping):
            raise ValueError(f"a crontab is made of a dict of fields, not of {given!r}")
        unknown = [name for name in given if name not in _FIELDS_AND_MORE]
        if unknown:
            raise ValueError(f"a crontab has no field {unknown[0]!r}")
        made = object.__new__(cls)
        made._read(**{"strict": False, **given})
        return made

    @classmethod
    def hourly(cls, minute: str | int = 0, **others: Any) -> crontab:
        """Once an hour, at minute 0 unless another is given; other fields as of ``crontab``."""
        return cls(minute, **others)

    @classmethod
    def daily(cls, minute: str | int = 0, hour: str | int = 0, **others: Any) -> crontab:
        """Once a day, at midnight unless another time is given; other fields as of ``crontab``."""
        return cls(minute, hour, **others)

    @classmethod
    def parse(cls, line: str, *, second: str | int | None = None, tz: str | None = None) -> crontab:
        """Read the usual five fields, such as ``*/5 9-17 * * mon-fri``, or ``@daily`` and the like.

        Raises ValueError that names the field. ``day`` and ``day_of_week`` must both match, unlike in cron itself.
        """
        if not isinstance(line, str):
            raise ValueError(f"a crontab line must be a text such as '*/5 9-17 * * mon-fri', not {line!r}")
        texts = _NAMED_LINES.get(line.strip().lower(), line).split()
        if len(texts) != len(_IN_A_LINE):
            names = ", ".join(field.name for field in _IN_A_LINE)
            raise ValueError(f"crontab line {line!r} has {len(texts)} fields, not the five: {names}")
        minute, hour, day, month, day_of_week = texts
        return cls(minute, hour, day, month, day_of_week, second=second, tz=tz)

    def __call__(self, moment: datetime) -> bool:
        """Say whether it falls due at this moment, as Huey asks it; see ``matches``."""
        return self.matches(moment)

    def matches(self, moment: datetime) -> bool:
        """Say whether it falls due in the minute of this moment, or, where ``second`` was given, in its second.

        A naive moment is what the clocks of this crontab's zone show.
        """
        asked = self._in_utc(moment)
        wall = shown_in(self._zone, asked)
        begun = timedelta(seconds=0 if self.has_seconds else wall.second, microseconds=wall.microsecond)
        first = asked - begun
        length = _SECOND if self.has_seconds else _MINUTE
        # In nearly all minutes it is enough to look at the clock; not where the clock is changed.
        if shown_in(self._zone, first - _A_DAY_AND_MORE) - wall + begun == -_A_DAY_AND_MORE:
            return self._fits(wall - begun)
        due = self._next(first - timedelta(microseconds=1))
        return due is not None and due < first + length

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first moment after this one at which it falls due, None if that is after the year 9999.

        In the crontab's zone; naive if ``moment`` is, which then is what the clocks of that zone show.
        """
        due = self._next(self._in_utc(moment))
        if due is None:
            return None
        return due.astimezone(self._zone) if moment.tzinfo is not None else shown_in(self._zone, due)

    @property
    def has_seconds(self) -> bool:
        """Whether ``second`` was given."""
        return "second" in self._texts

    @property
    def zone(self) -> tzinfo:
        """The zone whose clocks are meant."""
        return self._zone

    def in_zone(self, zone: tzinfo) -> crontab:
        """Return the same crontab in this zone, itself if it has one of its own."""
        if self.tz is not None or zone is self._zone:
            return self
        copy = object.__new__(type(self))
        for name in self.__slots__:
            setattr(copy, name, getattr(self, name))
        copy._zone = zone
        return copy

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as texts, for ``crontab.from_dict(fields)``."""
        fields = {**self._texts} if self.tz is None else {**self._texts, "tz": self.tz}
        # A version that does not know these forms must not leave them out, but refuse the crontab.
        is_newer = self._numbers.last_day or self._numbers.weekdays_in_month
        return {**fields, "strict": True} if is_newer else fields

    def __str__(self) -> str:
        line = " ".join(self._texts[field.name] for field in _IN_A_LINE)
        second = f" second {self._texts['second']}" if self.has_seconds else ""
        return f"{line}{second}{'' if self.tz is None else ' ' + self.tz}"

    def __repr__(self) -> str:
        fields = {**self._texts} if self.tz is None else {**self._texts, "tz": self.tz}
        return f"crontab({', '.join(f'{name}={text!r}' for name, text in fields.items())})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, crontab):
            return NotImplemented
        return self._numbers == other._numbers and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((self._numbers, self._key()))

    def __reduce__(self) -> tuple[Any, ...]:
        return _build, (self.to_dict(),)

    def _key(self) -> tuple[object, ...]:
        return self.tz, self._passing, self.has_seconds

    def _in_utc(self, moment: datetime) -> datetime:
        if not isinstance(moment, datetime):
            raise ValueError(f"a crontab is asked about a datetime, not {moment!r}")
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=self._zone)).astimezone(UTC)

    def _next(self, after: datetime) -> datetime | None:
        """Return the first moment after this one, both in UTC."""
        try:
            return self._next_passing(after) if self._passing else self._next_fixed(after)
        except OverflowError:  # beyond the last year there is
            return None

    def _next_fixed(self, after: datetime) -> datetime | None:
        """Look through the matching times on the clock, each of which counts once, as early as it is shown."""
        wall: datetime | None = shown_in(self._zone, after)
        while wall is not None:
            wall = self._next_shown(wall)
            if wall is not None and (due := earliest_showing(self._zone, wall)) > after:
                return due
        return None

    def _next_passing(self, after: datetime) -> datetime | None:
        """Let time pass from here to the next change of the clock, and on from there."""
        while True:
            shown = shown_in(self._zone, after)
            wall = self._next_shown(shown)
            if wall is None:
                return None
            due = after + (wall - shown)
            change = change_within(self._zone, after, min(due, after + _A_DAY_AND_MORE))
            if change is not None:
                if self._fits(shown_in(self._zone, change)):
                    return change
                after = change
            elif due <= after + _A_DAY_AND_MORE:
                return due
            else:
                # Up to a day before that time no clock shows a time that matches: it shows none after ``shown``.
                after = max(after + _A_DAY_AND_MORE, due - 2 * _A_DAY_AND_MORE)

    def _fits(self, wall: datetime) -> bool:
        numbers = self._numbers
        return (
            wall.minute in numbers.minute
            and wall.hour in numbers.hour
            and wall.second in numbers.second
            and self._fits_day(wall.date())
        )

    def _fits_day(self, day: date) -> bool:
        numbers = self._numbers
        if day.month not in numbers.month:
            return False
        length = monthrange(day.year, day.month)[1]
        return numbers.has_day(day.day, length) and numbers.has_weekday(day.isoweekday() % 7, day.day, length)

    def _next_shown(self, wall: datetime) -> datetime | None:
        """Return the first matching time on the clock after ``wall``, by arithmetic on the fields alone."""
        if self._fits_day(wall.date()):
            later = self._next_time(wall.time())
            if later is not None:
                return datetime.combine(wall.date(), later)
        day = self._next_day(wall.date())
        if day is None:
            return None
        second, minute, hour, *_ = self._numbers
        return datetime.combine(day, time(hour[0], minute[0], second[0]))

    def _next_time(self, after: time) -> time | None:
        """Return the first matching time of a day after this one."""
        second, minute, hour, *_ = self._numbers
        found = _advance((hour, minute, second), (after.hour, after.minute, after.second))
        return None if found is None else time(found[0], found[1], found[2])

    def _next_day(self, after: date) -> date | None:
        """Return the first matching day after this one."""
        for year, month in _months_from(after):
            if month not in self._numbers.month:
                continue
            first = after.day + 1 if (year, month) == (after.year, after.month) else 1
            length = monthrange(year, month)[1]
            for day in range(first, length + 1):
                if self._numbers.has_day(day, length) and self._fits_day(found := date(year, month, day)):
                    return found
        return None


def _build(texts: dict[str, Any]) -> crontab:
    return crontab.from_dict(texts)


def _months_from(day: date) -> Iterator[tuple[int, int]]:
    for number in range(day.year * 12 + day.month - 1, (MAXYEAR + 1) * 12):
        yield number // 12, number % 12 + 1


def _advance(choices: Sequence[Sequence[int]], now: Sequence[int]) -> tuple[int, ...] | None:
    """Return the first combination after ``now``, one number of each of the choices; None if there is none."""
    if not choices:
        return None
    (choice, *finer), (number, *rest) = choices, now
    at = bisect_left(choice, number)
    if at < len(choice) and choice[at] == number:
        found = _advance(finer, rest)
        if found is not None:
            return (number, *found)
        at += 1
    return None if at == len(choice) else (choice[at], *(others[0] for others in finer))


def _text_of(field: Field, value: object) -> str:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return without_blanks(str(value))
    raise ValueError(f"crontab {field.name}={value!r}: must be a text such as '*/5', or a number")


def _remark_on_every_minute(hour: str) -> str:
    return (
        f"crontab(hour={hour!r}) without a minute matches every minute of these hours; "
        "give minute=0 for once an hour, or minute='*' if that is meant"
    )


def _warn(text: str) -> None:
    """Warn at the line that made the crontab, which is none of hueyio's."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith("hueyio."):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, DeclarationWarning, stacklevel=level)
