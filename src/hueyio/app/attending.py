"""Hooks around tasks and around the life of a consumer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hueyio.app.base import Base
from hueyio.exceptions import HueyException
from hueyio.execution.hooks import Hook, HookKind

__all__ = ["Attending"]

H = TypeVar("H", bound=Hook)


class Attending(Base):
    """Register hooks by ``@huey.pre_execute()``, ``@huey.post_execute()``, ``@huey.on_startup()``, ...

    Hooks may be ``def`` or ``async def``. One that is registered under the name of another takes its place.
    """

    def pre_execute(self, name: str | None = None) -> Callable[[H], H]:
        """Call ``hook(task)`` before each attempt; CancelExecution cancels the task, other errors are logged."""
        return self._hook("pre_execute", name)

    def post_execute(self, name: str | None = None) -> Callable[[H], H]:
        """Call ``hook(task, value, exception)`` after each attempt whose body ran, when its outcome is written."""
        return self._hook("post_execute", name)

    def on_startup(self, name: str | None = None) -> Callable[[H], H]:
        """Call ``hook()`` when a consumer starts, before it claims anything."""
        return self._hook("on_startup", name)

    def on_shutdown(self, name: str | None = None) -> Callable[[H], H]:
        """Call ``hook()`` when a consumer has stopped, after its last task."""
        return self._hook("on_shutdown", name)

    def unregister_pre_execute(self, hook: Hook | str) -> bool:
        """Remove a hook, given itself or its name; False if there is none."""
        return self.hooks.unregister("pre_execute", hook)

    def unregister_post_execute(self, hook: Hook | str) -> bool:
        """Remove a hook, given itself or its name; False if there is none."""
        return self.hooks.unregister("post_execute", hook)

    def unregister_on_startup(self, hook: Hook | str) -> bool:
        """Remove a hook, given itself or its name; False if there is none."""
        return self.hooks.unregister("on_startup", hook)

    def unregister_on_shutdown(self, hook: Hook | str) -> bool:
        """Remove a hook, given itself or its name; False if there is none."""
        return self.hooks.unregister("on_shutdown", hook)

    def _hook(self, kind: HookKind, name: str | None) -> Callable[[H], H]:
        def register(hook: H) -> H:
            self.hooks.register(kind, hook, name)
            return hook

        if callable(name):
            raise HueyException(f"write @huey.{kind}() with parentheses")
        return register
