"""Which event loop a worker runs on: uvloop where it is installed (``hueyio[uvloop]``), else asyncio's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal, TypeVar

from hueyio.exceptions import ConfigurationError

__all__ = ["run"]

R = TypeVar("R")


def _nothing(error: BaseException) -> None:
    """Stand in for what is done before a loop that failed is cleaned up."""


def run(
    main: Coroutine[Any, Any, R],
    loop: Literal["auto", "asyncio", "uvloop"],
    on_error: Callable[[BaseException], None] = _nothing,
) -> R:
    """Run the coroutine on a new loop of this kind; raises ConfigurationError if it is not installed.

    ``on_error`` is called with whatever ends the loop, before its end cancels all that still runs there.
    """
    try:
        factory = _factory(loop)
    except ConfigurationError:
        main.close()
        raise
    with asyncio.Runner(loop_factory=factory) as runner:
        try:
            return runner.run(main)
        except BaseException as error:
            on_error(error)
            raise


def _factory(loop: Literal["auto", "asyncio", "uvloop"]) -> Callable[[], asyncio.AbstractEventLoop] | None:
    if loop == "asyncio" or (loop == "auto" and find_spec("uvloop") is None):
        return None
    try:
        factory: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    except ImportError:
        raise ConfigurationError("the loop uvloop is not installed: pip install 'hueyio[uvloop]'") from None
    return factory
