"""Durations in buckets."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from hueyio.control.histogram import BUCKETS, EXACT, bucket_of, percentile, upper_bound

DAY = 86_400_000_000


@pytest.mark.parametrize("us", [1, 2, 3, 5, 1000, 1023, 1024, 1025, 999_999, DAY])
def test_duration_is_below_the_bound_of_its_bucket_and_not_below_that_before(us: int) -> None:
    bucket = bucket_of(us)
    assert upper_bound(bucket - 1) <= us / 1e6 < upper_bound(bucket)


def test_bounds_are_powers_of_two_when_a_sum_up_to_them_must_be_exact() -> None:
    assert [upper_bound(bucket) * 1e6 for bucket in EXACT] == [2.0**power for power in range(len(EXACT))]
    for us in (1023, 1024):
        assert sum(bucket_of(us) <= bucket for bucket in EXACT) == len(EXACT) - us.bit_length()


def test_whatever_lasts_for_ever_is_in_the_last_bucket() -> None:
    assert bucket_of(0) == 0
    assert bucket_of(10**18) == BUCKETS - 1 > bucket_of(DAY)


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_percentile_is_wrong_by_a_fifth_at_most(share: float) -> None:
    durations = sorted(int(random.lognormvariate(8, 2)) + 1 for _ in range(5000))
    counts = Counter(map(bucket_of, durations))
    exact = durations[round(share * len(durations)) - 1] / 1e6
    told = percentile(counts, share)
    assert told is not None
    assert exact / 1.2 < told < exact * 1.2


def test_percentile_of_nothing_is_none() -> None:
    assert percentile({}, 0.5) is None
    assert percentile({0: 5}, 0.5) == 0.0
