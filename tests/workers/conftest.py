"""A bench of workers on each storage that processes can share, and the test's own Huey on the same tasks."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.workers.process import Bench, bench


@pytest.fixture
def workers(huey_source: str) -> Iterator[Bench]:
    with bench({"HUEYIO_TEST_HUEY": huey_source}) as made:
        yield made


@pytest.fixture
def app(workers: Bench, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module that the workers run, imported here on the same storage."""
    for name, value in workers.environment.items():
        monkeypatch.setenv(name, value)
    import tests.workers.app as module

    return importlib.reload(module)
