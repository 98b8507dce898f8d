"""Names of tasks, classes and modules that have changed since Huey wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["NO_RENAMES", "Renames"]


class Renames:
    """Old names to new ones: of one thing, or of a module with all that is in it. The longest that fits counts."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)

    def new_name(self, name: str) -> str:
        """Return what a name with its module is called now."""
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            new = self._names.get(".".join(parts[:length]))
            if new is not None:
                return ".".join([new, *parts[length:]])
        return name

    def new_place(self, module: str, name: str) -> tuple[str, str]:
        """Return in which module something is now, and under which name there."""
        new = self.new_name(f"{module}.{name}")
        if new == f"{module}.{name}":
            return module, name
        depth = name.count(".") + 1  # a class inside of another has a dot
        parts = new.split(".")
        return ".".join(parts[:-depth]), ".".join(parts[-depth:])


NO_RENAMES: Final = Renames({})
