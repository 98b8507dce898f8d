"""Deployments of several servers, started when the first test of a module asks for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.conftest import SERVER_KINDS, SERVERS

from hueyio.testing.deployments import SentinelGroup, ServerCluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[ServerCluster]:
    made = ServerCluster(SERVERS[SERVER_KINDS[0]])
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def sentinels() -> Iterator[SentinelGroup]:
    made = SentinelGroup(SERVERS[SERVER_KINDS[-1]])
    yield made
    made.dispose()
