"""Leave logging as it was: pages and programs that run in the tests' own process set it up for themselves."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

__all__ = ["logging_kept"]


class _State(NamedTuple):
    level: int
    propagate: bool
    disabled: bool
    handlers: list[logging.Handler]
    filters: list[Any]


@contextmanager
def logging_kept() -> Iterator[None]:
    """Undo afterwards what was done to loggers meanwhile; pytest's own handlers come and go as it likes."""
    before = {logger: _state_of(logger) for logger in _loggers()}
    fresh = _State(logging.NOTSET, True, False, [], [])
    try:
        yield
    finally:
        for logger in _loggers():
            state = before.get(logger, fresh)
            if _state_of(logger) != state:  # to set a level forgets what all loggers know of their levels
                _restore(logger, state)


def _loggers() -> list[logging.Logger]:
    named = logging.Logger.manager.loggerDict.values()
    return [logging.getLogger(), *(it for it in named if isinstance(it, logging.Logger))]


def _state_of(logger: logging.Logger) -> _State:
    handlers = [it for it in logger.handlers if not _is_pytests(it)]
    return _State(logger.level, logger.propagate, logger.disabled, handlers, list(logger.filters))


def _restore(logger: logging.Logger, state: _State) -> None:
    logger.setLevel(state.level)
    logger.propagate, logger.disabled = state.propagate, state.disabled
    logger.handlers[:] = [*state.handlers, *filter(_is_pytests, logger.handlers)]
    logger.filters[:] = state.filters


def _is_pytests(handler: logging.Handler) -> bool:
    return type(handler).__module__.startswith("_pytest.")
