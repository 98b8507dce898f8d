"""The PostgreSQL server of the benchmarks: what it counts of what others do with it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

pytest.importorskip("benchmarks", reason="the source distribution has no benchmarks")

from benchmarks.postgres_server import MeasuredPostgres
from tests.support.postgres_server import NO_POSTGRES, find_postgres

pytestmark = [
    pytest.mark.again("the benchmarks are no part of what users run"),
    pytest.mark.skipif(not find_postgres(), reason=NO_POSTGRES),
]

_NESTED = "DO $$ BEGIN FOR i IN 1..50 LOOP PERFORM count(*) FROM pg_class; END LOOP; END $$"


@pytest.fixture(scope="module")
def server() -> Iterator[MeasuredPostgres]:
    with MeasuredPostgres() as server:
        yield server


def test_statements_of_clients_are_counted_when_they_are_prepared_and_not_those_inside_of_them(
    server: MeasuredPostgres,
) -> None:
    server.clear()
    with psycopg.connect(server.url, autocommit=True, prepare_threshold=0) as client:
        client.execute("SELECT 1")
        with server.counting() as counted:
            with psycopg.connect(server.url, autocommit=True) as another:
                another.execute(_NESTED)
            for number in range(10):
                client.execute("SELECT %s::int", [number])
            with psycopg.connect(server.own_url, autocommit=True) as own:
                own.execute("SELECT 1")
        client.execute("SELECT 1")
    assert counted == [11]


def test_used_grows_when_a_client_works_also_when_it_has_gone(server: MeasuredPostgres) -> None:
    server.clear()
    before = server.used()
    with psycopg.connect(server.url, autocommit=True) as client:
        client.execute("CREATE TABLE numbers AS SELECT n, md5(n::text) FROM generate_series(1, 300000) AS n")
        living = server.used().since(before)
    assert living.wal > 300_000 * 30
    assert living.cpu > 0.05
    client.close()
    assert server.used().since(before).cpu > 0.05


def test_commits_are_flushed_and_the_settings_are_those_of_a_new_server(server: MeasuredPostgres) -> None:
    names = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_connections")
    assert [server.ask(f"SHOW {name}")[0][0] for name in names] == ["on", "on", "on", "128MB", "100"]
