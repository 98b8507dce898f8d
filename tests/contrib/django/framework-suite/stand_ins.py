"""hueyio's backend under the names of Django's two backends, in whose place its tests are given it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from hueyio import Huey
from hueyio.contrib.django import get_huey
from hueyio.contrib.django.backend import HueyBackend

R = TypeVar("R")


class DummyBackend(HueyBackend):
    """Tasks wait. What the tests ask of Django's dummy beside a backend's methods is asked of the queue."""

    @property
    def results(self) -> list[Any]:
        """All that waits."""
        return _beside_any_loop(lambda: [self.get_result(it.id) for it in get_huey().sync.pending()])

    def clear(self) -> None:
        """Empty the queue."""
        _beside_any_loop(get_huey().sync.flush)


class ImmediateBackend(HueyBackend):
    """Tasks run where they are enqueued."""

    def _huey_of(self, queue_name: str) -> Huey:
        return get_huey("immediate")


def _beside_any_loop(call: Callable[[], R]) -> R:
    """Make a blocking call; the test that makes it may be on a loop."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(call).result()
