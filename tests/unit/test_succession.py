"""What Sentinels announce, as they write it."""

from __future__ import annotations

import pytest

from hueyio.storage.redis.connection.deployment import Address
from hueyio.storage.redis.connection.succession import read_promotion, read_switch


@pytest.mark.parametrize(
    ("message", "address"),
    [
        (b"main 10.0.0.1 6379 10.0.0.2 6380", Address("10.0.0.2", 6380)),
        (b"main ::1 6379 ::2 6380", Address("::2", 6380)),
        (b"other 10.0.0.1 6379 10.0.0.2 6380", None),
        (b"main 10.0.0.1 6379", None),
        (b"main 10.0.0.1 6379 10.0.0.2 none", None),
        (b"\xff", None),
    ],
)
def test_switch_names_the_new_master(message: bytes, address: Address | None) -> None:
    assert read_switch(message, "main") == address


@pytest.mark.parametrize(
    ("message", "address"),
    [
        (b"slave 10.0.0.2:6380 10.0.0.2 6380 @ main 10.0.0.1 6379", Address("10.0.0.2", 6380)),
        (b"slave [::2]:6380 ::2 6380 @ main ::1 6379", Address("::2", 6380)),
        (b"slave 10.0.0.2:6380 10.0.0.2 6380 @ other 10.0.0.1 6379", None),
        (b"slave 10.0.0.2:6380 10.0.0.2 6380", None),
        (b"", None),
    ],
)
def test_promotion_names_the_new_master(message: bytes, address: Address | None) -> None:
    assert read_promotion(message, "main") == address
