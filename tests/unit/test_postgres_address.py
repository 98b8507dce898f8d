"""How the server is named in messages: every host with its port, and no password."""

from __future__ import annotations

import psycopg
import pytest

from hueyio.storage.postgres.address import describe
from hueyio.storage.postgres.connection.errors import translate


@pytest.mark.parametrize(
    ("dsn", "shown"),
    [
        ("postgresql://me:secret@db/shop", "db/shop"),
        ("postgresql://me@db:5433/shop", "db:5433/shop"),
        ("postgresql://me@one,two/shop", "one,two/shop"),
        ("postgresql://me@one:1,two:2/shop", "one:1,two:2/shop"),
        ("host=one,two port=5433 dbname=shop", "one:5433,two:5433/shop"),
        ("host=one,two port=,5433 dbname=shop", "one,two:5433/shop"),
        ("host=/run/postgresql user=me", "/run/postgresql/me"),
        ("", "localhost/"),
    ],
)
def test_server_is_named_as_it_is_written(dsn: str, shown: str) -> None:
    assert describe(dsn) == f"PostgreSQL at {shown}"


def test_connection_that_was_closed_is_no_riddle() -> None:
    libpq = (
        "consuming input failed: server closed the connection unexpectedly\n"
        "\tThis probably means the server terminated abnormally\n\tbefore or while processing the request."
    )
    told = str(translate(psycopg.OperationalError(libpq), "db"))
    assert told == "db has closed the connection"
