"""How often a worker's process looks for cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from hueyio.worker.garbage import Garbage


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Leave the collector of this process as it was."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)
    gc.enable()


def test_worker_looks_more_rarely_and_not_at_what_was_there() -> None:
    garbage, before = Garbage(), gc.get_threshold()
    garbage.calm()
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold() == (50_000, *before[1:])


def test_collector_that_the_application_has_set_stays() -> None:
    garbage = Garbage()
    gc.set_threshold(5_000)  # where an application is imported
    garbage.calm()
    assert (gc.get_freeze_count(), gc.get_threshold()[0]) == (0, 5_000)


def test_collector_that_the_application_has_switched_off_stays_off() -> None:
    garbage = Garbage()
    gc.disable()
    garbage.calm()
    assert (gc.get_freeze_count(), gc.isenabled()) == (0, False)


def test_worker_looks_rarely_while_the_application_is_imported() -> None:
    before = gc.get_threshold()
    Garbage()
    assert gc.get_threshold() == (50_000, *before[1:])
