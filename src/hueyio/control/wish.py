"""Which tasks somebody wants to see: their states, and a filter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final

from hueyio.control.failed_tasks import wanted_of
from hueyio.control.task_info import TaskInfo
from hueyio.exceptions import HueyException
from hueyio.messages.glance import glance_at_path
from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import ALL_LETTERS, EndKind, Listed, Wanted
from hueyio.tasks.given import items_of
from hueyio.tasks.states import ENDED_STATES, LIVE_STATES, ListName, TaskState

__all__ = ["LISTED_STATES", "LISTS", "Wish", "make_wish"]

LISTED_STATES: Final[tuple[TaskState, ...]] = (*LIVE_STATES, *ENDED_STATES)
"""The states of which there are lists."""

LISTS: Final[tuple[ListName, ...]] = (*LISTED_STATES, "ended")
"""All lists."""

_LETTER_KINDS: Final[dict[TaskState, EndKind]] = {
    "failed": "failed",
    "expired": "expired",
    "cancelled": "cancelled",
    "lost": "lost",
    "undeclared": "undeclared",
    "unreadable": "unreadable",
}


class Wish(NamedTuple):
    """Checked. ``wanted`` is what storages compare of letters; the rest is compared here."""

    states: frozenset[TaskState]
    name: str | None = None
    text: str | None = None
    error: str | None = None
    worker: str | None = None
    wanted: Wanted = ALL_LETTERS
    made: tuple[float | None, float | None] = (None, None)
    """Between which moments the calls were made, in epoch seconds: for live tasks, which have no end yet."""
    seen: Callable[[str | None, str | None], str | None] | None = None
    """Given a name and an error, what of the error may be seen, and so be found; None: all of it."""

    @property
    def is_filtered(self) -> bool:
        """Whether it leaves out tasks of the states that are wanted."""
        return any(it is not None for it in (self.name, self.text, self.error, self.worker, *self.made))

    def fits(self, task: TaskInfo) -> bool:
        """Say whether a task is meant, of those whose state is. One whose name is not known fits no pattern."""
        if self.worker is not None and self.worker not in (task.worker, task.consumer):
            return False
        return self._fits_made(task.made) and self._fits_texts(task.name, task.error)

    def may_fit(self, listed: Listed) -> bool:
        """Say the same of a live task by its name alone: of those that are searched, most do not fit."""
        if self.name is None and self.text is None and self.error is None:
            return True
        return self._fits_texts(glance_at_path(listed.head, listed.id), None)

    def _fits_made(self, made: datetime | None) -> bool:
        since, until = self.made
        if made is None:  # an id of the application's own does not say it
            return since is None and until is None
        at = made.timestamp()
        return (since is None or at >= since) and (until is None or at < until)

    def _fits_texts(self, name: str | None, error: str | None) -> bool:
        if self.name is not None and not (name is not None and fnmatchcase(name, self.name)):
            return False
        if self.seen is not None and error and (self.error is not None or self.text is not None):
            error = self.seen(name, error)
        return _has(self.error, error) and _has(self.text, name, error)


def _has(text: str | None, *places: str | None) -> bool:
    """Say whether a text stands in one of the places, in upper or lower case; None stands everywhere."""
    return text is None or any(it is not None and text.casefold() in it.casefold() for it in places)


def make_wish(
    states: ListName | Iterable[ListName],
    name: str | None,
    text: str | None,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    error: str | None = None,
    worker: str | None = None,
) -> Wish:
    """Check what is asked for; raises HueyException."""
    named = (states,) if isinstance(states, str) else items_of(states, "state is one of tasks, or several of them")
    chosen = frozenset(_states_of(named))
    if not chosen:
        raise HueyException(f"say which tasks to list: {', '.join(LISTS)}")
    kinds: list[EndKind] = [kind for state, kind in _LETTER_KINDS.items() if state in chosen]
    wanted = wanted_of(kinds, name, text, since, until)
    # Compared here: a storage takes whole names, tells upper and lower case apart, and a letter of 0.1.0 has no name.
    return Wish(chosen, name, text, error, worker, wanted._replace(name=None, text=None))


def _states_of(names: Iterable[ListName]) -> Iterator[TaskState]:
    for it in names:
        if it == "ended":
            yield from ENDED_STATES
        elif it in LISTED_STATES:
            yield it
        else:
            raise HueyException(f"there is no list of {it!r} tasks, but of {', '.join(LISTS)}")
