"""The hooks of one Huey: functions before and after each attempt, and around the life of a consumer.

A hook has a name, that of its function unless another is given; a second one of the same name takes the place of the
first. What a hook raises is logged and changes nothing, but for CancelExecution in a pre-execute hook.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

from hueyio.exceptions import HueyException
from hueyio.loops.ordered import OrderedThread

__all__ = ["Hook", "HookKind", "Hooks", "is_cancelled"]

logger = logging.getLogger(__name__)

Hook: TypeAlias = Callable[..., Any]
HookKind: TypeAlias = Literal["pre_execute", "post_execute", "on_startup", "on_shutdown"]

_KINDS: Final[tuple[HookKind, ...]] = ("pre_execute", "post_execute", "on_startup", "on_shutdown")


class Hooks:
    """The hooks of one Huey, by kind and name, each kind in the order of registration."""

    def __init__(self, thread: OrderedThread) -> None:
        self.thread = thread
        """Where sync hooks run that have no thread of their task: one at a time."""
        self._hooks: dict[HookKind, dict[str, Hook]] = {kind: {} for kind in _KINDS}
        self.surround_tasks = False
        """Whether there is any before or after attempts; if not, all that they need is skipped."""

    def __getitem__(self, kind: HookKind) -> Mapping[str, Hook]:
        """Return the hooks of a kind by their names."""
        return self._hooks[kind]

    def register(self, kind: HookKind, hook: Hook, name: str | None) -> None:
        """Add a hook; raises HueyException if it cannot be called or has no name."""
        name = getattr(hook, "__name__", None) if name is None else name
        if not callable(hook):
            raise HueyException(f"only a function can be a {kind} hook, not {hook!r}")
        if not isinstance(name, str) or not name:
            raise HueyException(f"a {kind} hook needs a name: {kind}(name=...), not {name!r}")
        self._hooks[kind][name] = hook
        self._look()

    def unregister(self, kind: HookKind, hook: Hook | str) -> bool:
        """Remove a hook, given itself or its name; False if there is none."""
        hooks = self._hooks[kind]
        names = [hook] if isinstance(hook, str) else [name for name, known in hooks.items() if known == hook]
        found = [name for name in names if hooks.pop(name, None) is not None]
        self._look()
        return bool(found)

    async def run_life(self, kind: Literal["on_startup", "on_shutdown"]) -> None:
        """Run the hooks of a consumer's start or end."""
        for name, hook in list(self._hooks[kind].items()):
            try:
                answer = hook() if inspect.iscoroutinefunction(hook) else await self.thread.run(hook)
                if inspect.isawaitable(answer):
                    await answer
            except asyncio.CancelledError:
                if is_cancelled():
                    raise
                logger.exception("%s hook %s cancelled itself", kind, name)
            except BaseException:  # SystemExit too: a hook must not end the consumer
                logger.exception("%s hook %s failed", kind, name)

    def _look(self) -> None:
        self.surround_tasks = bool(self._hooks["pre_execute"] or self._hooks["post_execute"])


def is_cancelled() -> bool:
    """Say whether a CancelledError was meant for the running asyncio task, and not made by a hook."""
    current = asyncio.current_task()
    return current is not None and current.cancelling() > 0
