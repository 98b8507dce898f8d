"""Wall-clock times and the moments at which a zone's clocks show them.

A zone's clock is at most times a constant distance from UTC. Where it is put forward there is a gap of times that
it never shows; where it is put back it shows times twice. The one assumption here: between two looks a day apart a
clock is changed at most once.
"""

from __future__ import annotations

import errno
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["LOCAL", "change_within", "earliest_showing", "load_zone", "shown_in"]

_SECOND: Final = timedelta(seconds=1)

_FOR_NOW: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""What says nothing of the zone: a schedule that a consumer reads then is not a wrong one."""


def load_zone(name: str) -> ZoneInfo:
    """Return the zone of that name; raises ValueError, and OSError when no file can be opened now."""
    try:
        zone: ZoneInfo = import_module("zoneinfo").ZoneInfo(name)  # for those who name a zone: it brings sysconfig
        return zone
    except (OSError, ValueError, LookupError) as error:
        if isinstance(error, OSError) and error.errno in _FOR_NOW:
            raise
        raise ValueError(
            f"crontab tz={name!r}: there is no such time zone; the names are like 'Europe/Paris' "
            "(where the system has none, install the package tzdata)"
        ) from None


class _Local(tzinfo):
    """The time zone of this process, whatever it is set to."""

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return None if moment is None else moment.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, moment: datetime | None) -> timedelta | None:
        return None

    def tzname(self, moment: datetime | None) -> str | None:
        return None if moment is None else moment.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, moment: datetime) -> datetime:
        shown = datetime.fromtimestamp(moment.replace(tzinfo=UTC).timestamp()).replace(microsecond=moment.microsecond)
        return shown.replace(tzinfo=self)

    def __repr__(self) -> str:
        return "LOCAL"


LOCAL: Final = _Local()


def shown_in(zone: tzinfo, moment: datetime) -> datetime:
    """Return what the zone's clocks show at a moment in UTC, naive."""
    return moment.astimezone(zone).replace(tzinfo=None)


def change_within(zone: tzinfo, after: datetime, until: datetime) -> datetime | None:
    """Return the first moment after ``after`` and up to ``until`` at which the clocks are changed, all in UTC.

    The two must be no further apart than about a day.
    """
    before = _distance(zone, after)
    if _distance(zone, until) == before:
        return None
    early, late = 0, int((until - after) / _SECOND) + 1
    while late - early > 1:
        middle = (early + late) // 2
        if _distance(zone, after + middle * _SECOND) == before:
            early = middle
        else:
            late = middle
    return after + late * _SECOND


def earliest_showing(zone: tzinfo, wall: datetime) -> datetime:
    """Return the first moment (UTC) at which the clocks show a naive time; of one in a gap, the gap's end."""
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if shown_in(zone, moment) == wall:
        return moment
    return _change_around(zone, wall)


@lru_cache(maxsize=64)
def _change_around(zone: tzinfo, wall: datetime) -> datetime:
    """Return the end of the gap in which a naive time lies."""
    # In a gap, fold=1 counts with the new distance and so comes out before the change, fold=0 after it.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC).replace(microsecond=0)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return change_within(zone, before, after) or after


def _distance(zone: tzinfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)
