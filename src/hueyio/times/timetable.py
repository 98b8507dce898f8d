"""When a periodic task is due, in epoch seconds: the ticks of a crontab, or of any function that is asked.

Pure: no clock, no I/O. A tick is a whole second. It may fire late, up to ``lateness``; what is later is missed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Final, TypeAlias, cast

from hueyio.exceptions import ConfigurationError
from hueyio.times.crontab import crontab
from hueyio.times.wall_time import LOCAL

__all__ = ["AskedTimes", "CrontabTimes", "Timetable", "make_timetable", "zone_of"]

_MOST_LATENESS: Final = 60.0
_MINUTE: Final = 60
_MOST_MINUTES_ASKED: Final = 24 * 60
"""How far back a function is asked for a tick that was missed: one day."""


class CrontabTimes:
    """The ticks of a crontab; one without a zone of its own is taken in ``zone``."""

    def __init__(self, times: crontab, zone: tzinfo) -> None:
        self.times = times.in_zone(zone)

    def next(self, after: float) -> float | None:
        """Return the first tick after this time, None if there is none ever."""
        due = self.times.next_after(datetime.fromtimestamp(after, UTC))
        return None if due is None else due.timestamp()

    def latest(self, after: float, until: float) -> float | None:
        """Return the last tick after the one time and up to the other, None if there is none."""
        if not self._is_any(after, until):
            return None
        early, late = after, until  # there is a tick after early, none after late
        while late - early > 1:
            middle = (early + late) / 2
            if self._is_any(middle, until):
                early = middle
            else:
                late = middle
        tick = self.next(early)
        while tick is not None and (later := self.next(tick)) is not None and later <= until:
            tick = later
        return tick

    def lateness(self, tick: float) -> float:
        """Say how many seconds late this tick may fire: a minute, or until the next one."""
        following = self.next(tick)
        return _MOST_LATENESS if following is None else min(following - tick, _MOST_LATENESS)

    def __str__(self) -> str:
        return str(self.times)

    def fits(self, moment: datetime) -> bool:
        """Say whether it is due in the minute (with ``second``: in the second) of this moment."""
        return self.times.matches(moment)

    def _is_any(self, after: float, until: float) -> bool:
        tick = self.next(after)
        return tick is not None and tick <= until


class AskedTimes:
    """The minutes to which a function of the user's says yes. It gets naive datetimes, in ``zone``."""

    def __init__(self, ask: Callable[[datetime], bool], zone: tzinfo) -> None:
        self._ask = ask
        self._zone = zone

    def next(self, after: float) -> float:
        """Return the next minute at which to ask."""
        return float((int(after // _MINUTE) + 1) * _MINUTE)

    def latest(self, after: float, until: float) -> float | None:
        """Return the last tick after the one time and up to the other; looks back for no more than a day."""
        tick = float(until // _MINUTE * _MINUTE)
        earliest = max(after, tick - _MOST_MINUTES_ASKED * _MINUTE)
        while tick > earliest:
            if self._is_due(datetime.fromtimestamp(tick, self._zone)):
                return tick
            tick -= _MINUTE
        return None

    def lateness(self, tick: float) -> float:
        """Say how many seconds late this tick may fire."""
        return _MOST_LATENESS

    def __str__(self) -> str:
        return f"when {getattr(self._ask, '__name__', repr(self._ask))} says so"

    def fits(self, moment: datetime) -> bool:
        """Ask about this moment."""
        return self._is_due(moment if moment.tzinfo is None else moment.astimezone(self._zone))

    def _is_due(self, moment: datetime) -> bool:
        return bool(self._ask(moment.replace(tzinfo=None)))


Timetable: TypeAlias = CrontabTimes | AskedTimes


def zone_of(utc: bool) -> tzinfo:
    """Return the zone of a Huey, for times that have none of their own: UTC, or local time."""
    return UTC if utc else LOCAL


def make_timetable(times: object, *, utc: bool) -> Timetable:
    """Return the timetable of a crontab or of a function ``validate(datetime) -> bool``.

    Raises ConfigurationError for anything else.
    """
    zone = zone_of(utc)
    if isinstance(times, crontab):
        return CrontabTimes(times, zone)
    if not callable(times) or isinstance(times, type):
        raise ConfigurationError(
            f"periodic_task takes a crontab, or a function that says of a datetime whether it is due, not {times!r}"
        )
    if not _takes_moment(times):
        raise ConfigurationError(
            f"write @huey.periodic_task(crontab(...)) with parentheses: {times!r} takes no datetime, so that it cannot "
            "say whether one is due"
        )
    if inspect.iscoroutinefunction(times) or inspect.iscoroutinefunction(getattr(times, "__call__", None)):  # noqa: B004
        raise ConfigurationError(f"{times!r} is a coroutine function; what says when a task is due must be plain")
    return AskedTimes(cast("Callable[[datetime], bool]", times), zone)


def _takes_moment(function: Callable[..., object]) -> bool:
    try:
        inspect.signature(function).bind(datetime.min)
    except TypeError:
        return False
    except ValueError:  # it is written in C and does not tell
        return True
    return not hasattr(function, "call_local")
