"""The consumer: claims tasks, runs them, settles what came of them.

``Consumer`` is imported when it is first looked up: a program that only enqueues makes none.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hueyio.consumer.options import ConsumerOptions

if TYPE_CHECKING:
    from hueyio.consumer.consumer import Consumer

__all__ = ["Consumer", "ConsumerOptions"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name == "Consumer":
            return import_module("hueyio.consumer.consumer").Consumer
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
