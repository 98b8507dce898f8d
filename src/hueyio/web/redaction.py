"""What may be seen of the data that tasks carry: a copy of what was read, without what is to be hidden.

Arguments are hidden unless they are shown on purpose. Whoever hides some of them by ``redact`` says that they hold
secrets, and the same secrets stand in texts: an error names the address that it could not find. So with ``redact`` no
such text is shown, unless ``redact_text`` says what may be seen of it. Searches look at what may be seen, too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final, Protocol, TypeVar

from hueyio.control.history import Attempt
from hueyio.control.statistics import FailureGroup, QueueStatistics
from hueyio.control.task_details import TaskDetails
from hueyio.control.task_info import TaskInfo
from hueyio.limits.held import Held
from hueyio.limits.rates import CountedRate
from hueyio.tasks.progress import Progress
from hueyio.web.shown import split_error

__all__ = ["FAILED", "Redaction"]

logger = logging.getLogger(__name__)

FAILED: Final = "hidden: the redaction failed"
_HIDDEN: Final = "hidden"

T = TypeVar("T", bound=TaskInfo)


class _Hooks(Protocol):
    @property
    def redact(self) -> Callable[..., object] | None: ...

    @property
    def redact_text(self) -> Callable[[str, str], str] | None: ...


class Redaction:
    """Belongs to one request, so that a hook that fails is logged once for it."""

    def __init__(self, hooks: _Hooks) -> None:
        self._hook = hooks.redact_text
        self.hides_texts = hooks.redact is not None and hooks.redact_text is None
        """Whether no text is shown."""
        self.hides_nothing = hooks.redact is None and hooks.redact_text is None
        """Whether everything that is read may be seen."""
        self._has_failed = False

    def text(self, name: str | None, text: str) -> str:
        """Return what may be seen of a text of a task, or of something that has no task."""
        if self._hook is None or not text:
            return _HIDDEN if self.hides_texts and text else text
        try:
            shown = self._hook(name or "", text)
        except Exception:  # the hook is the application's: what fails must show nothing
            if not self._has_failed:
                logger.exception("texts of %s are hidden: redact_text failed", name)
            self._has_failed = True
            return FAILED
        return shown if isinstance(shown, str) else FAILED

    def error(self, name: str | None, error: str | None) -> str | None:
        """Return what may be seen of an error: at least of which kind it is."""
        if not error or not self.hides_texts:
            return error and self.text(name, error)
        kind, _ = split_error(error)
        return f"{kind}: {_HIDDEN}" if kind else _HIDDEN

    def key(self, name: str) -> str:
        """Return what may be seen of the name of a lock or a limit: behind its colon stands what ``key`` computed."""
        own, colon, computed = name.partition(":")
        return f"{own}{colon}{self.text(None, computed)}"

    def task(self, task: T) -> T:
        """Return what may be seen of a task in a list."""
        if self.hides_nothing:
            return task
        name, progress, key = task.name, task.progress, task.unique_key
        return replace(
            task,
            error=self.error(name, task.error),
            progress=None if progress is None else Progress(progress.fraction, self.text(name, progress.message)),
            unique_key=None if key is None else self.text(name, key),
        )

    def details(self, task: TaskDetails) -> TaskDetails:
        """Return what may be seen of one task, but for its call and its value."""
        if self.hides_nothing:
            return task
        timeline = tuple(self._attempt(task.name, it) for it in task.timeline)
        arguments = None if task.arguments is None else self.text(task.name, task.arguments)
        return replace(self.task(task), timeline=timeline, arguments=arguments)

    def _attempt(self, name: str | None, it: Attempt) -> Attempt:
        return replace(it, error=self.error(name, it.error) or "", traceback=self.text(name, it.traceback))

    def statistics(self, statistics: QueueStatistics) -> QueueStatistics:
        """Return the same with what may be seen of errors; those that look alike now are put together."""
        if self.hides_nothing:
            return statistics
        return replace(statistics, failures=self._failures(statistics.failures))

    def _failures(self, groups: Iterable[FailureGroup]) -> list[FailureGroup]:
        found: dict[tuple[str, str], FailureGroup] = {}
        for it in groups:
            error = self.error(it.name, it.error) or ""
            before = found.get((it.name, error))
            found[it.name, error] = (
                replace(it, error=error)
                if before is None
                else replace(before, count=before.count + it.count, last=max(before.last, it.last))
            )
        return sorted(found.values(), key=lambda it: -it.count)

    def held(self, held: Held) -> Held:
        """Return what may be seen of a lock that is held, and of its holders."""
        if self.hides_nothing:
            return held
        return replace(held, name=self.key(held.name), tasks=[self.task(it) for it in held.tasks])

    def rate(self, rate: CountedRate) -> CountedRate:
        """Return what may be seen of a rate limit."""
        return rate if self.hides_nothing else replace(rate, name=self.key(rate.name))
