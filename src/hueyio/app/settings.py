"""The settings of a Huey after it was made: each can be read; one that can be changed is heeded from then on.

What was used to build something else (the name, ``utc`` for the times of periodic tasks) can only be read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hueyio.core import Core
from hueyio.exceptions import ConfigurationError
from hueyio.serializer import Serializer, check_serializer
from hueyio.tasks.given import check_switches

__all__ = ["Settings", "check_seconds", "is_positive"]


class Settings:
    """What can be read and changed of a Huey; it has ``_core``, the same Huey below its surface."""

    _core: Core

    @property
    def utc(self) -> bool:
        """Whether crontabs are in UTC."""
        return self._core.utc

    @property
    def propagate(self) -> tuple[str, ...]:
        """The keys of the headers that the calls of a body inherit."""
        return self._core.propagate

    @property
    def history_args(self) -> bool:
        """Whether the history has the arguments of calls, in short form."""
        return self._core.history_args

    @property
    def serializer(self) -> Serializer:
        """What turns values into bytes, as it was given; what was written before must be readable by a new one."""
        return self._core.rules.serializer

    @serializer.setter
    def serializer(self, serializer: Serializer) -> None:
        check_serializer(serializer)
        self._change(serializer=serializer)
        self._core.serializer = serializer.within(self._core.storage.name)
        self._core.registry.use_types(serializer.types)

    @property
    def results(self) -> bool:
        """Whether what tasks return is stored."""
        return self._core.rules.results

    @results.setter
    def results(self, results: bool) -> None:
        check_switches({"results": results})
        self._change(results=results)

    @property
    def store_none(self) -> bool:
        """Whether None is stored too."""
        return self._core.rules.store_none

    @store_none.setter
    def store_none(self, store_none: bool) -> None:
        check_switches({"store_none": store_none})
        self._change(store_none=store_none)

    @property
    def store_intermediate_errors(self) -> bool:
        """Whether the error of an attempt that will be retried is stored too."""
        return self._core.rules.store_intermediate_errors

    @store_intermediate_errors.setter
    def store_intermediate_errors(self, store: bool) -> None:
        check_switches({"store_intermediate_errors": store})
        self._change(store_intermediate_errors=store)

    @property
    def max_put_back_age(self) -> float | None:
        """Seconds for which a task may go back again and again; None: for ever."""
        return self._core.rules.max_put_back_age

    @max_put_back_age.setter
    def max_put_back_age(self, seconds: float | None) -> None:
        check_seconds("max_put_back_age", seconds)
        self._change(max_put_back_age=seconds)

    @property
    def raise_errors(self) -> bool:
        """Whether a task's error reaches whoever enqueued it, in immediate mode."""
        return self._core.raise_errors

    @raise_errors.setter
    def raise_errors(self, raise_errors: bool) -> None:
        check_switches({"raise_errors": raise_errors})
        self._core.raise_errors = raise_errors

    @property
    def result_ttl(self) -> float | None:
        """Seconds that a result which nobody reads is kept; None: for ever."""
        return self._core.result_ttl

    @result_ttl.setter
    def result_ttl(self, seconds: float | None) -> None:
        check_seconds("result_ttl", seconds)
        if self._core.keeps_results:
            raise ConfigurationError(f"result_ttl: {self._core.storage} has an expire_time of its own")
        self._core.result_ttl = seconds

    def _change(self, **rules: Any) -> None:
        self._core.rules = replace(self._core.rules, **rules)


def check_seconds(name: str, seconds: object) -> None:
    """Raise ConfigurationError that names the setting, for what is neither seconds > 0 nor None."""
    if seconds is not None and not is_positive(seconds):
        raise ConfigurationError(f"{name} must be seconds > 0 or None, not {seconds!r}")


def is_positive(seconds: object) -> bool:
    """Say whether this is a number of seconds > 0."""
    return isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and seconds > 0
