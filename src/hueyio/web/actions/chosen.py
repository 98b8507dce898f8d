"""Which tasks an action means: those that were selected, or all that match a filter as they were at a moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Final

from hueyio.control.audit import name_some
from hueyio.control.listing import list_tasks
from hueyio.control.task_info import TaskInfo
from hueyio.exceptions import HueyException
from hueyio.named_tuple import NamedTuple
from hueyio.tasks.states import ENDED_STATES, TaskState
from hueyio.web.filters import ListFilter, read_filter
from hueyio.web.forgery import Form
from hueyio.web.pages.failures import key_of
from hueyio.web.pages.tasks import state_of
from hueyio.web.refusal import Refusal
from hueyio.web.view import View

__all__ = ["MOST_COUNTED", "Chosen", "Count", "chosen_by", "count_chosen", "find_chosen"]

MOST_COUNTED: Final = 20_000
"""Tasks that are counted by name before somebody is asked; of more it is said that there are more."""

_PER_STEP: Final = 500
_PATIENCE: Final = 0.2
_LONGEST_LOOK: Final = 2.0
"""Seconds for which a visitor waits for a look through a long list."""

_MOST_NAMES: Final = 10


class Chosen(NamedTuple):
    """What a form chooses: ids, or a state with a filter and the moment before which tasks count."""

    ids: Sequence[str]
    state: TaskState | None
    which: ListFilter
    group: str
    before: datetime | None

    @property
    def target(self) -> str:
        """What is meant, for the audit log."""
        if self.ids:
            return name_some(self.ids)
        said = self.which.describe(self.state or "")
        return f"{said}; alike: {self.group}" if self.group else said

    def to_fields(self, now: datetime) -> list[tuple[str, str]]:
        """Return the same as the fields of a form: what is meant does not move while somebody thinks it over."""
        fields = [("id", id) for id in self.ids]
        fields += [("state", self.state)] if self.state is not None else []
        fields += [(key, value) for key, value in self.which.fixed(now)._asdict().items() if value]
        fields += [("group", self.group)] if self.group else []
        if self.ids:
            return fields
        before = now if self.before is None and self.state in ENDED_STATES else self.before
        return [*fields, ("all", "1") if before is None else ("before", before.isoformat())]


class Count(NamedTuple):
    """How many are chosen, and of which names, the most frequent first."""

    total: int
    names: Sequence[tuple[str, int]]
    is_complete: bool

    def __str__(self) -> str:
        return f"{self.total:,}{'' if self.is_complete else ' or more'}"


def chosen_by(form: Form) -> Chosen:
    """Read what is chosen; raises Refusal if nothing is."""
    ids = list(dict.fromkeys(it for it in form.all("id") if it))
    state = state_of(form.get("state")) if form.get("state") else None
    if ids:
        return Chosen(ids, state, ListFilter(), "", None)
    if state is None:
        raise Refusal(400, "Select at least one task.")
    if not form.get("before") and not form.get("all"):
        # A list that is sent with nothing selected means nothing, not everything.
        raise Refusal(400, "Select at least one task.")
    return Chosen((), state, read_filter(form.to_dict()), form.get("group"), _read_before(form.get("before")))


async def count_chosen(view: View, chosen: Chosen) -> Count:
    """Count them by name, as far as that is done: to so many, and for so long."""
    if chosen.ids:
        return Count(len(chosen.ids), (), is_complete=True)
    names: Counter[str] = Counter()
    is_complete = True
    until = monotonic() + _LONGEST_LOOK
    async for tasks in _steps(view, chosen):
        names.update(it.name or "" for it in tasks)
        if names.total() >= MOST_COUNTED or monotonic() >= until:
            is_complete = False
            break
    return Count(names.total(), names.most_common(_MOST_NAMES), is_complete)


async def find_chosen(
    view: View, chosen: Chosen, least: int | None, is_stopped: Callable[[], bool]
) -> list[str] | None:
    """Return the ids of all that are chosen, or, with ``least``, of some: at least so many, if there are as many.

    Of some, None: they are not found soon. It ends with what there is when it is stopped.
    """
    if chosen.ids:
        return list(chosen.ids)
    found: dict[str, None] = {}
    until = monotonic() + _LONGEST_LOOK
    async for tasks in _steps(view, chosen):
        found.update((it.id, None) for it in tasks)
        if is_stopped() or (least is not None and len(found) >= least):
            break
        if least is not None and monotonic() >= until:
            return None
    return list(found)


async def _steps(view: View, chosen: Chosen) -> AsyncIterator[list[TaskInfo]]:
    assert chosen.state is not None
    wish = chosen.which.wish((chosen.state,), view.now, view.redaction)
    if chosen.before is not None:
        until = chosen.before.timestamp()
        earliest = until if wish.wanted.until is None else min(until, wish.wanted.until)
        wish = wish._replace(wanted=wish.wanted._replace(until=earliest))
    after: str | None = None
    while True:
        try:
            page = await list_tasks(view.session, wish, _PER_STEP, after, patience=_PATIENCE)
        except HueyException as error:
            raise Refusal(400, f"{error}.") from None
        yield [it for it in page.tasks if not chosen.group or key_of(view.redaction.task(it)) == chosen.group]
        after = page.next
        if after is None:
            return


def _read_before(text: str) -> datetime | None:
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refusal(400, "This form cannot be read: its moment is none.") from None
