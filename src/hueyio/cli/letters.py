"""Which letters a command means: failed tasks and dead letters, by their ids or by a filter, as they are at one moment.

What is buried after the question was asked is not meant, nor a letter that has taken the place of one that was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final

from hueyio.cli.moments import before
from hueyio.cli.text import clean
from hueyio.cli.visit import Visit
from hueyio.control.failed_tasks import describe, is_pattern
from hueyio.messages.glance import glance_at_path
from hueyio.named_tuple import NamedTuple
from hueyio.storage.contract import Session
from hueyio.storage.records import Burial, Cursor, DeadLetter, EndKind, Wanted

__all__ = ["KINDS", "Letter", "LetterFilter", "find_parts", "kinds_of", "letters_of", "say_what"]

KINDS: Final[Mapping[str, tuple[EndKind, ...]]] = {
    "failed": ("failed",),
    "expired": ("expired",),
    "cancelled": ("cancelled",),
    "lost": ("lost",),
    "undeclared": ("undeclared",),
    "unreadable": ("unreadable",),
    "dead": ("lost", "undeclared", "unreadable"),
}
"""The words of the command line, and the ends that each stands for."""

_FAILED_TASKS: Final = ("failed", "expired", "cancelled")
_PAGE: Final = 500
_LOOKED_AT: Final = 1000
"""How many letters are looked at for one of which only a part of the id is given."""
_LEAST_PART: Final = 4
_MOST_NAMES: Final = 10


class Letter(NamedTuple):
    """One that is meant. ``buried_at`` None: whichever has this id."""

    id: str
    buried_at: float | None = None
    store: Burial = "failed"
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """Which letters are meant: all of these kinds that fit the rest."""

    kinds: tuple[EndKind, ...]
    name: str | None = None
    """A pattern."""
    error: str | None = None
    since: datetime | timedelta | None = None
    until: datetime | timedelta | None = None

    def wanted(self, now: datetime) -> Wanted:
        """Return what the storage can compare; what was buried later than now is not meant."""
        until = before(now, self.until)
        latest = now.timestamp() if until is None else min(until, now.timestamp())
        # A dead letter that an earlier hueyio wrote has its name in its message alone.
        is_compared_here = any(kind not in _FAILED_TASKS for kind in self.kinds)
        name = None if is_compared_here or is_pattern(self.name or "") else self.name
        return Wanted(kinds=self.kinds, name=name, since=before(now, self.since), until=latest)

    def fits(self, letter: DeadLetter) -> bool:
        """Compare what the storage does not: a pattern, and upper and lower case as the user does."""
        if self.name is not None and not fnmatchcase(_name_of(letter), self.name):
            return False
        return self.error is None or self.error.lower() in letter.reason.lower()

    def describe(self, now: datetime) -> str:
        """Say in a line which are meant, for the audit log."""
        wanted = self.wanted(now)._replace(name=self.name, text=self.error, until=before(now, self.until))
        return describe(wanted)


def kinds_of(words: Sequence[str]) -> tuple[EndKind, ...]:
    """Return the ends that these words stand for, each once; what is no such word stands for none."""
    kinds: dict[EndKind, None] = {}
    for word in words:
        kinds.update(dict.fromkeys(KINDS.get(word, ())))
    return tuple(kinds)


async def letters_of(at: Visit, which: LetterFilter) -> list[Letter]:
    """List all letters that a filter finds, the latest first."""
    at.take_long()
    wanted = which.wanted(at.output.now)
    found: list[Letter] = []
    after: Cursor | None = None
    while True:
        page = await at.session.failed(_PAGE, after, wanted)
        found += [_read(it) for it in page.items if which.fits(it)]
        after = page.next
        if after is None:
            return found


async def find_parts(session: Session, words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the ids that are meant by these, whole ones or parts, and for each that is not found the reason.

    A part is a start or an end of an id, and is looked for among the latest letters.
    """
    known = {it.id for it in await session.locate(words) if it.state != "unknown"}
    latest: list[str] | None = None
    ids: list[str] = []
    missing: dict[str, str] = {}
    for word in words:
        fitting = [word]
        if word not in known:
            latest = await _latest(session) if latest is None else latest
            fitting = [id for id in latest if len(word) >= _LEAST_PART and (id.startswith(word) or id.endswith(word))]
        if len(fitting) == 1:
            ids += fitting
        elif fitting:
            missing[word] = f"{word} is a part of {len(fitting)} ids: {', '.join(fitting[:5])}"
        else:
            missing[word] = f"nothing is known of a task {word}"
    return list(dict.fromkeys(ids)), missing


def say_what(at: Visit, letters: Sequence[Letter]) -> None:
    """Say where something is going to happen, and to how many tasks of which names."""
    at.output.say(at.where)
    names = Counter(it.name or "(no name)" for it in letters)
    for name, count in names.most_common(_MOST_NAMES):
        at.output.say(f"  {count:>6,}  {clean(name)}")
    if len(names) > _MOST_NAMES:
        at.output.say(f"  and {len(names) - _MOST_NAMES} names more")


async def _latest(session: Session) -> list[str]:
    ids: list[str] = []
    after: Cursor | None = None
    while len(ids) < _LOOKED_AT:
        page = await session.failed(_PAGE, after)
        ids += [it.header.id for it in page.items]
        after = page.next
        if after is None:
            break
    return ids


def _read(letter: DeadLetter) -> Letter:
    store: Burial = "failed" if letter.kind in _FAILED_TASKS else "dead"
    return Letter(letter.header.id, letter.buried_at, store, _name_of(letter))


def _name_of(letter: DeadLetter) -> str:
    return letter.name or glance_at_path(letter.data, letter.header.id) or ""
