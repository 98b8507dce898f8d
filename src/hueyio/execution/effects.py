"""All that the end of a task changes, before it is encoded."""

from __future__ import annotations

import logging
from typing import Literal, TypeAlias

from hueyio.messages.member_result import MemberResult
from hueyio.messages.stored_result import Ending, Error
from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import Area, Burial, EndKind
from hueyio.tasks.task import Task

__all__ = ["Effects", "Settle"]

Settle: TypeAlias = Literal["finish", "release", "defer", "bury"]


class Effects(NamedTuple):
    """What ``policy.decide`` says. A named tuple, because one is made for every task.

    ``ending`` is stored if there is one: as the final result of the task and of the ids in ``downstream``, or,
    where ``enqueue`` holds the task itself (a retry), as an intermediate error. ``before`` and ``after`` are the
    signals around the settlement, those after it only if it was accepted.
    """

    settle: Settle = "finish"
    ending: Ending | None = None
    member_result: MemberResult | None = None
    """For the chord that the task is a member of, if it is."""
    enqueue: tuple[Task, ...] = ()
    deletes: tuple[tuple[Area, str], ...] = ()
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    downstream: tuple[str, ...] = ()
    take: tuple[Area, str] | None = None
    defer_until: float | None = None
    first_seen: float | None = None
    defers: int = 0
    reason: str = ""
    log: str | None = None
    """Why it goes back, or what a limit said: what the log has of it beside name, id and attempt."""
    log_level: int = logging.WARNING
    """Of what goes back."""
    counted: bool = False
    """Of a release: the run counts as a delivery."""
    is_put_back: bool = False
    """The task lives on as if it had not been run: deliveries whose owners died stay counted."""
    kind: EndKind = "done"
    """Which way it ended, if it did."""
    into: Burial = "dead"
    """Of a burial: where its letter goes."""
    error: Error | None = None
    """How the attempt failed, also where it is not stored."""
