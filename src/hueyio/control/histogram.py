"""Durations in buckets: two for each doubling, from a microsecond to a day.

A bucket is found without a logarithm: that of ``us`` microseconds is the number of bits of ``us * us``. The bounds are
powers of the square root of two; every second one is a power of two, so that sums up to there are exact. A percentile
is said as the middle of its bucket, and so is wrong by 19 % at most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

__all__ = ["BUCKETS", "EXACT", "bucket_of", "percentile", "upper_bound"]

BUCKETS: Final = 76
"""How many buckets there are; the last has all that is longer."""

EXACT: Final = tuple(range(0, BUCKETS - 1, 2))
"""The buckets whose upper bounds are powers of two."""


def bucket_of(us: int) -> int:
    """Return the bucket of a duration in microseconds."""
    return min((us * us).bit_length(), BUCKETS - 1)


def upper_bound(bucket: int) -> float:
    """Return the duration in seconds below which all of a bucket is."""
    return math.pow(2.0, bucket / 2) / 1e6


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """Return about how many seconds this share of the durations takes at most; None if there are none.

    ``counts`` says how many there are in each bucket.
    """
    total = sum(counts.values())
    if not total:
        return None
    left = share * total
    bucket = 0
    for bucket in sorted(counts):
        left -= counts[bucket]
        if left <= 0:
            break
    return math.pow(2.0, (bucket - 0.5) / 2) / 1e6 if bucket else 0.0
