"""One task in the hands of whoever runs it."""

from __future__ import annotations

import asyncio
from typing import Any

from hueyio.execution.attempt_hooks import AttemptHooks
from hueyio.execution.block import Block
from hueyio.execution.outcome import Cancelled, Expired, Outcome, Revoked
from hueyio.storage.records import Delivery, Lane
from hueyio.tasks.declared import TaskSpec
from hueyio.tasks.log_fields import log_fields
from hueyio.tasks.task import Task

__all__ = ["Job"]


class Job:
    """A delivery that was decoded, of the Huey named ``queue``.

    ``slot`` is the asyncio task that runs its body, while it does.
    """

    __slots__ = (
        "attempt_record",
        "block",
        "cancelled",
        "delivery",
        "ended_at",
        "handed_over",
        "hooks",
        "lane",
        "lost",
        "queue",
        "refused",
        "revoked",
        "slot",
        "spec",
        "started_at",
        "task",
    )

    def __init__(self, delivery: Delivery, task: Task, spec: TaskSpec, queue: str = "") -> None:
        self.delivery = delivery
        self.queue = queue
        self.task = task
        self.spec = spec
        self.lane: Lane = spec.lane
        self.revoked: Revoked | None = None
        self.cancelled = delivery.cancelled
        self.started_at = 0.0
        """Monotonic time at which its body was started; 0: it was not."""
        self.ended_at = 0.0
        """Monotonic time at which its outcome was there."""
        self.attempt_record: bytes | None = None
        """What the history gets of this attempt, if it failed, was cut short, or others did before."""
        self.refused = 0
        """How often the storage could not take its outcome."""
        self.handed_over = False
        """Its settlement is with the settler, who ends it from there on."""
        self.lost = False
        """The lease it was claimed under is gone: whatever comes of it is dropped."""
        self.slot: asyncio.Task[Any] | None = None
        self.hooks: AttemptHooks | None = None
        """What goes around its body, while that runs."""
        self.block: Block | None = None
        """The transaction that its body opened last."""
        task.belong(spec.name, spec.options.settings)

    @property
    def started(self) -> bool:
        """Whether its body was started."""
        return self.started_at > 0

    @property
    def whereabouts(self) -> str:
        """Say for the log where the attempt is, if that is not in its body."""
        at = None if self.hooks is None else self.hooks.at
        return "" if at is None else f", in {at}"

    def log_fields(self, duration: float | None = None) -> dict[str, object]:
        """Return the ``extra`` of a log record about it."""
        return log_fields(self.task, self.queue, duration)

    def objection(self, now: float) -> Outcome | None:
        """Say why the body must not be started at ``now``, from what is known here; None if it may."""
        if self.cancelled:
            return Cancelled()
        if self.revoked is not None:
            return self.revoked
        expires = self.task.expires_resolved
        if expires is not None and expires.timestamp() < now:
            return Expired()
        return None
