"""The Redis storage against the contract where the server has to be found first: a cluster, and Sentinels.

The whole contract on one kind of deployment, because each script must declare its keys there; of the rest what depends
on the other connections or on how keys are named.
"""

from __future__ import annotations

import uuid

import pytest

from hueyio.testing import Recipe, StorageConformance
from hueyio.testing.conformance.bells import Bells
from hueyio.testing.conformance.keys import Keys
from hueyio.testing.conformance.latches import Latches
from hueyio.testing.conformance.leases import Leases
from hueyio.testing.conformance.limits import Limits
from hueyio.testing.conformance.notices import Noticing
from hueyio.testing.conformance.settling import Settling
from hueyio.testing.conformance.waiting import Waiting
from hueyio.testing.deployments import SentinelGroup, ServerCluster

pytestmark = pytest.mark.deployment

PATIENT = 30_000
"""Milliseconds. No server dies here, and one that waits for its turn must not be taken for dead."""


@pytest.fixture(scope="module")
def patient_cluster(cluster: ServerCluster) -> ServerCluster:
    cluster.notice_after(PATIENT)
    return cluster


@pytest.fixture(scope="module")
def patient_sentinels(sentinels: SentinelGroup) -> SentinelGroup:
    sentinels.notice_after(PATIENT)
    return sentinels


class TestCluster(StorageConformance):
    @pytest.fixture
    def recipe(self, patient_cluster: ServerCluster) -> Recipe:
        return Recipe("hueyio.storage.redis:RedisStorage", name=uuid.uuid4().hex, url=patient_cluster.url)


class TestPriorityExpireCluster(Keys, Settling, Limits, Latches, Waiting):
    @pytest.fixture
    def recipe(self, patient_cluster: ServerCluster) -> Recipe:
        return Recipe("hueyio.storage.redis:PriorityRedisExpireStorage", name=uuid.uuid4().hex, url=patient_cluster.url)


class TestSentinel(Leases, Bells, Waiting, Noticing):
    @pytest.fixture
    def recipe(self, patient_sentinels: SentinelGroup) -> Recipe:
        return Recipe("hueyio.storage.redis:RedisStorage", name=uuid.uuid4().hex, url=patient_sentinels.url)
