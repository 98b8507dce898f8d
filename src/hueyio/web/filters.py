"""What an address asks for: the filter of a list, the range of a chart. Pure; bad values are refused in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from hueyio.control.wish import Wish, make_wish
from hueyio.exceptions import HueyException
from hueyio.named_tuple import NamedTuple
from hueyio.tasks.states import LIVE_STATES, TaskState
from hueyio.times.span import find_span
from hueyio.web.redaction import Redaction
from hueyio.web.refusal import Refusal

__all__ = ["RANGES", "ListFilter", "read_filter", "read_moment", "read_number", "read_range"]

_HOUR: Final = 3600.0
RANGES: Final = {"1h": _HOUR, "6h": 6 * _HOUR, "24h": 24 * _HOUR, "7d": 168 * _HOUR, "30d": 720 * _HOUR}

_MOST_TEXT: Final = 1000


class ListFilter(NamedTuple):
    """Which tasks of a list are meant, as the address says it: texts, or empty."""

    name: str = ""
    text: str = ""
    error: str = ""
    worker: str = ""
    since: str = ""
    until: str = ""

    @property
    def is_given(self) -> bool:
        """Whether it leaves anything out."""
        return any(self)

    def to_query(self, **more: object) -> dict[str, object]:
        """Return it as the query of an address, changed by ``more``."""
        return {**{key: value for key, value in self._asdict().items() if value}, **more}

    def wish(self, states: tuple[TaskState, ...], now: datetime, redaction: Redaction | None = None) -> Wish:
        """Return what this and the states wish for, and search what may be seen of errors; raises Refusal.

        Its times are those of the end; of live tasks, which have none yet, those of the call.
        """
        since, until = read_moment("since", self.since, now), read_moment("until", self.until, now)
        are_live = set(states) <= set(LIVE_STATES)
        ends = (None, None) if are_live else (since, until)
        try:
            wish = make_wish(
                states,
                self.name or None,
                self.text or None,
                *ends,
                error=self.error or None,
                worker=self.worker or None,
            )
        except HueyException as error:
            raise Refusal(400, f"{error}.") from None
        if redaction is not None and not redaction.hides_nothing:
            wish = wish._replace(seen=redaction.error)
        return wish._replace(made=(_seconds(since), _seconds(until))) if are_live else wish

    def fixed(self, now: datetime) -> ListFilter:
        """Return the same with moments in the place of spans back from now; raises Refusal."""
        since, until = read_moment("since", self.since, now), read_moment("until", self.until, now)
        return self._replace(
            since="" if since is None else since.isoformat(), until="" if until is None else until.isoformat()
        )

    def describe(self, state: str) -> str:
        """Say in a line what is meant, for the audit log."""
        return "; ".join([state, *(f"{key} {value}" for key, value in self._asdict().items() if value)])


def read_filter(query: Mapping[str, str]) -> ListFilter:
    """Read a filter; raises Refusal."""
    found = {key: query.get(key, "").strip() for key in ListFilter._fields}
    for key, value in found.items():
        if len(value) > _MOST_TEXT:
            raise Refusal(400, f"{key} is longer than {_MOST_TEXT:,} characters.")
    return ListFilter(**found)


def read_range(query: Mapping[str, str]) -> str:
    """Read which of the ranges is asked for; raises Refusal."""
    asked = query.get("range", "1h")
    if asked not in RANGES:
        raise Refusal(400, f"range is one of {', '.join(RANGES)}.")
    return asked


def read_number(query: Mapping[str, str], key: str) -> int | None:
    """Read a whole number; raises Refusal."""
    text = query.get(key, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise Refusal(400, f"{key} is a whole number.")
    return int(text)


def read_moment(key: str, text: str, now: datetime) -> datetime | None:
    """Read a moment, or a span back from now; None where there is none. Raises Refusal."""
    if not text:
        return None
    try:
        span = find_span(text)
        read = now - span if span is not None else datetime.fromisoformat(text)
        return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refusal(400, f"{key} is a moment such as 2026-11-29T03:00 (UTC), or a span back such as 15m.") from None


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
