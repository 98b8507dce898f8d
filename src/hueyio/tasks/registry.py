"""The tasks that one Huey knows, by path."""

from __future__ import annotations

from collections.abc import Iterator

from hueyio.exceptions import UnknownTaskError
from hueyio.serializer.types import Types
from hueyio.tasks.declared import TaskSpec
from hueyio.tasks.typed_in import is_typed_in_again

__all__ = ["Registry"]


class Registry:
    """Path to TaskSpec."""

    def __init__(self) -> None:
        self._specs: dict[str, TaskSpec] = {}
        self._types: Types | None = None

    def use_types(self, types: Types | None) -> None:
        """Have the arguments and results of all tasks, also of later ones, written and read by these types."""
        self._types = types
        for spec in self:
            spec.use_types(types)

    def check_types(self) -> None:
        """Raise ConfigurationError for the first annotation that is of no use to the types."""
        for spec in self:
            if spec.types is not None:
                spec.types.prepare()

    def register(self, spec: TaskSpec) -> None:
        """Add a task; raises ValueError if another one has its path.

        In a REPL or a notebook the same function that is declared again, because it was corrected, takes its place.
        """
        known = self._specs.get(spec.path)
        if known is not None and not is_typed_in_again(spec.func, known.func):
            raise ValueError(
                f"there is a task named {spec.path!r} already; give one of them another name=, or forget the first one "
                f"by huey.unregister({spec.path!r})"
            )
        spec.use_types(self._types)
        self._specs[spec.path] = spec

    def unregister(self, path: str) -> bool:
        """Forget a task; False if there is none of that path."""
        return self._specs.pop(path, None) is not None

    def find(self, path: str) -> TaskSpec:
        """Return the task of that path; raises UnknownTaskError."""
        spec = self._specs.get(path) or self._of_a_script(path)
        if spec is None:
            raise UnknownTaskError(f"no task named {path!r}; is its module imported, and was it declared on this Huey?")
        return spec

    def _of_a_script(self, path: str) -> TaskSpec | None:
        """Return the task of a file that runs as a script, by the name that 0.1.0 gave it."""
        module, _, name = path.partition(".")
        if module != "__main__":
            return None
        return next((spec for spec in self if spec.module == module and spec.name == name), None)

    def get(self, path: str) -> TaskSpec | None:
        """Return the task of that path, or None."""
        return self._specs.get(path) or self._of_a_script(path)

    def __iter__(self) -> Iterator[TaskSpec]:
        return iter(self._specs.values())

    def __len__(self) -> int:
        return len(self._specs)
