"""One PostgreSQL server for all processes of a test run: the first that needs it starts it.

The process that runs pytest makes a folder and holds a named pipe open, which is the server's lifeline; the processes
that run the tests inherit the name of the folder. So the server ends with the run, however that ends, and not with the
process that happened to start it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Composed, Identifier

from tests.support.postgres_server import NO_POSTGRES, PostgresServer, dsn_of, find_postgres

__all__ = ["Address", "SharedServers", "join", "made_database", "own_database"]

_FOLDER: Final = "HUEYIO_TEST_POSTGRES"
"""The variable that tells the processes of a run where its servers are."""


_PATIENCE: Final = 10.0
"""Seconds that the servers may take to end."""

_started: Final[list[PostgresServer]] = []
"""What this process started; it does not end them."""


class Address(NamedTuple):
    """Where a server is that another process may have started."""

    version: str
    port: int

    def dsn(self, database: str = "postgres", user: str = "postgres") -> str:
        """Return where a database is."""
        return dsn_of(self.port, database, user)


class SharedServers:
    """The servers of one run of tests, held by the process that began it."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="hueyio-pgs-"))
        self._folder.chmod(0o755)  # the server's own user goes through it
        os.mkfifo(self._lifeline)
        # For reading too: to open it for writing alone would wait for a server that reads.
        self._held = os.open(self._lifeline, os.O_RDWR | os.O_CLOEXEC)
        os.environ[_FOLDER] = str(self._folder)

    @property
    def _lifeline(self) -> Path:
        return self._folder / "lifeline"

    def close(self) -> None:
        """Let the servers end, and delete what is left."""
        os.close(self._held)
        del os.environ[_FOLDER]
        deadline = time.monotonic() + _PATIENCE
        while self._folder.exists() and time.monotonic() < deadline:
            shutil.rmtree(self._folder, ignore_errors=True)  # a server that is about to end still writes there
            time.sleep(0.01)


def join(version: str) -> Address:
    """Return the address of the run's server of this version; start it, if no process has done so."""
    folder = Path(os.environ[_FOLDER])
    with (folder / f"{version}.json").open("a+") as written:
        fcntl.flock(written, fcntl.LOCK_EX)
        written.seek(0)
        known = written.read()
        if not known:
            known = json.dumps(_start(version, folder))
            written.write(known)
    return Address(version, json.loads(known))


@cache
def own_database(version: str) -> str:
    """Return the address of the database that this process has for itself; its tests have a queue each in it."""
    return _make_database(join(version))


@contextmanager
def made_database(address: Address) -> Iterator[str]:
    """Make an empty database, give its address, and drop it, whoever is still connected to it."""
    dsn = _make_database(address)
    try:
        yield dsn
    finally:
        _execute(address, SQL("DROP DATABASE {} (FORCE)").format(Identifier(str(conninfo_to_dict(dsn)["dbname"]))))


def _make_database(address: Address) -> str:
    name = f"test_{uuid.uuid4().hex}"
    _execute(address, SQL("CREATE DATABASE {}").format(Identifier(name)))
    return address.dsn(name)


def _execute(address: Address, statement: Composed) -> None:
    with psycopg.connect(address.dsn(), autocommit=True) as connection:
        connection.execute(statement)


def _start(version: str, folder: Path) -> int:
    found = find_postgres()
    if version not in found:
        raise RuntimeError(NO_POSTGRES)
    directory = folder / version
    directory.mkdir()
    server = PostgresServer(found[version], directory=directory, lifeline=folder / "lifeline")
    server.start()
    _started.append(server)
    return server.port
