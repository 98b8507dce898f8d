"""What is told of a PostgreSQL server, and what is not worth a word."""

from __future__ import annotations

import pytest

from hueyio.storage.postgres.examining import read_server


@pytest.mark.parametrize(
    ("kind", "what", "amount", "says"),
    [
        (
            "transaction",
            "psql (process 7, user ana)",
            1500,
            "a transaction of psql (process 7, user ana) has been open",
        ),
        ("transaction", "psql (process 7, user ana)", 1500, "open for 25 min: until it ends"),
        ("transaction", "export (process 7, user ana)", 36000, "open for 10 h: until it ends"),
        ("prepared", "two-phase", 400, "the prepared transaction 'two-phase' has waited for 7 min"),
        ("slot", "old", 3.2e9, "nobody reads the replication slot 'old', for which the server keeps 3.0 GB"),
        ("old rows", "standby", 0, "nobody reads the replication slot 'standby', whose standby may still need"),
        ("setting", "autovacuum", 0, "autovacuum is off"),
        ("setting", "synchronous_commit", 0, "synchronous_commit is off"),
    ],
)
def test_what_is_dangerous_is_told(kind: str, what: str, amount: float, says: str) -> None:
    (told,) = read_server([(kind, what, amount)])
    assert says in told


@pytest.mark.parametrize(
    ("kind", "what", "amount"),
    [("transaction", "psql", 299), ("prepared", "two-phase", 20), ("slot", "new", 1e6), ("of a newer hueyio", "x", 0)],
)
def test_what_is_usual_is_not_told(kind: str, what: str, amount: float) -> None:
    assert read_server([(kind, what, amount)]) == []
