"""Which topics of the contract the short lane shows on some storages only."""

from __future__ import annotations

from typing import Final

import pytest

from hueyio.testing.storage.conformance.leases import Leases
from hueyio.testing.storage.conformance.ordering import Ordering
from hueyio.testing.storage.conformance.processes import Processes
from hueyio.testing.storage.conformance.producing import Producing
from hueyio.testing.storage.conformance.settling import Settling
from hueyio.testing.storage.conformance.waiting import Waiting

# Each of these tests starts processes, which takes a second of a core. What they may get wrong (locks and handles that
# a child inherits, a process that freezes or is killed) is the client's, one for all classes and deployments.
_SAME_CLIENT: Final = {
    "TestPriorityRedisExpire": "processes have the client of TestRedis",
    "TestCluster": "processes have the client of TestRedis; bells and waiters are told across nodes in one process",
}

_ON_POSTGRES: Final = (Producing, Ordering, Leases, Settling, Waiting)
"""The way of a task from its enqueue to its result, which is what the short lane shows on PostgreSQL."""
_BESIDE: Final = "it stands beside the way of a task, and changes with its SQL alone"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to the long lane what starts processes again, and what is beside the way of a task on PostgreSQL."""
    for item in items:
        if not isinstance(item, pytest.Function) or item.cls is None:
            continue
        reason = _SAME_CLIENT.get(item.cls.__name__)
        if reason is not None and item.originalname in vars(Processes):
            item.add_marker(pytest.mark.again(reason))
        if item.cls.__name__ == "TestPostgres" and not any(item.originalname in vars(it) for it in _ON_POSTGRES):
            item.add_marker(pytest.mark.again(_BESIDE))
