"""What the fields of a crontab stand for together, and which days of a month those are."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping

from hueyio.named_tuple import NamedTuple
from hueyio.times.cron_fields import LAST, Chosen

__all__ = ["Numbers", "check_days", "numbers_of"]


class Numbers(NamedTuple):
    """The numbers that match; those of a time of day are in ascending order."""

    second: tuple[int, ...]
    minute: tuple[int, ...]
    hour: tuple[int, ...]
    day: frozenset[int]
    month: frozenset[int]
    day_of_week: frozenset[int]
    last_day: bool
    """Whether the last day of the month matches too."""
    weekdays_in_month: frozenset[tuple[int | None, int]]
    """Days of the week that match too, each with which of the month's it must be."""

    def has_day(self, day: int, length: int) -> bool:
        """Say whether a day of a month with so many days matches, whatever its day of the week."""
        return day in self.day or (self.last_day and day == length)

    def has_weekday(self, weekday: int, day: int, length: int) -> bool:
        """Say whether a day of the week matches on this day of a month with so many days."""
        if weekday in self.day_of_week:
            return True
        found = self.weekdays_in_month
        return (weekday, (day + 6) // 7) in found or (day + 7 > length and (weekday, LAST) in found)


def numbers_of(read: Mapping[str, Chosen]) -> Numbers:
    """Put together what was read of each field, by its name."""
    return Numbers(
        second=read["second"].numbers,
        minute=read["minute"].numbers,
        hour=read["hour"].numbers,
        day=frozenset(read["day"].numbers),
        month=frozenset(read["month"].numbers),
        day_of_week=frozenset(read["day_of_week"].numbers),
        last_day=bool(read["day"].in_month),
        weekdays_in_month=read["day_of_week"].in_month,
    )


def check_days(texts: Mapping[str, str], numbers: Numbers) -> None:
    """Raise ValueError if no month has such a day.

    Over the years each day of a month falls on each day of the week, the 29th of February too.
    """
    lengths = {monthrange(year, month)[1] for month in numbers.month for year in (2000, 2001)}
    for length in lengths:
        days = [day for day in range(1, length + 1) if numbers.has_day(day, length)]
        if any(numbers.has_weekday(weekday, day, length) for day in days for weekday in range(7)):
            return
    named = ["day", "month", *(["day_of_week"] if numbers.weekdays_in_month else ())]
    raise ValueError(f"crontab {', '.join(f'{name}={texts[name]!r}' for name in named)} never occurs")
