"""The tasks that one Huey knows, by name."""

from __future__ import annotations

from collections.abc import Iterator

from hueyio.exceptions import UnknownTaskError
from hueyio.tasks.declared import TaskSpec

__all__ = ["Registry"]


class Registry:
    """Name to TaskSpec."""

    def __init__(self) -> None:
        self._specs: dict[str, TaskSpec] = {}

    def register(self, spec: TaskSpec) -> None:
        """Add a task; raises ValueError if another one has its name."""
        if spec.name in self._specs:
            raise ValueError(f"there is a task named {spec.name!r} already; give one of them another name=")
        self._specs[spec.name] = spec

    def unregister(self, name: str) -> bool:
        """Forget a task; False if there is none of that name."""
        return self._specs.pop(name, None) is not None

    def find(self, name: str) -> TaskSpec:
        """Return the task of that name; raises UnknownTaskError."""
        try:
            return self._specs[name]
        except KeyError:
            raise UnknownTaskError(
                f"no task named {name!r}; is its module imported, and was it declared on this Huey?"
            ) from None

    def get(self, name: str) -> TaskSpec | None:
        """Return the task of that name, or None."""
        return self._specs.get(name)

    def __iter__(self) -> Iterator[TaskSpec]:
        return iter(self._specs.values())

    def __len__(self) -> int:
        return len(self._specs)
