"""What all tests share: real servers, and the storages that they stand for."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings

from tests.support.deployments import SentinelGroup, ServerCluster
from tests.support.leftovers import Leftovers
from tests.support.logging_state import logging_kept
from tests.support.postgres_server import find_postgres
from tests.support.servers import NO_SERVER, Server, find_servers
from tests.support.shared_postgres import Address, SharedServers, join, made_database, own_database

# How long an example takes on a busy machine says nothing about it.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


# A shell that starts this in the background has it ignore Ctrl-C, and what it starts too; some tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# ``nox -s browser`` tests the dashboard in Chromium. Where one is, plain ``nox`` visits each page once: "smoke".
_IN_BROWSER: Final = {"": ["browser"], "smoke": ["browser/test_browser.py"]}
collect_ignore = _IN_BROWSER.get(os.environ.get("HUEYIO_TEST_BROWSER", ""), [])

# ``nox -s django`` fetches the tests that Django has for its own backends.
if "HUEYIO_TEST_DJANGO_TESTS" not in os.environ:
    collect_ignore = [*collect_ignore, "contrib/django/test_framework_suite.py"]

# ``nox -s package`` builds what the index gets.
if "HUEYIO_TEST_DIST" not in os.environ:
    collect_ignore = [*collect_ignore, "test_built.py"]


class _EagerLoops(asyncio.DefaultEventLoopPolicy):
    """Makes loops whose tasks begin while they are made."""

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        loop = super().new_event_loop()
        loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined,unused-ignore]
        return loop


# ``nox -s eager``: the same tests, with the task factory that changes the order in which things begin.
if os.environ.get("HUEYIO_TEST_EAGER"):
    asyncio.set_event_loop_policy(_EagerLoops())

SERVERS: Final = find_servers()
SERVER_KINDS: Final = sorted(SERVERS) or ["none"]
POSTGRES: Final = find_postgres()
POSTGRES_KINDS: Final = list(POSTGRES) or ["none"]
"""Versions of PostgreSQL, the newest of the wheel first."""


def first_and(others: str, kinds: Sequence[str]) -> list[Any]:
    """Parametrize by the first kind, and in the long lane by the others; say why they show nothing new."""
    return [kinds[0], *(pytest.param(kind, marks=pytest.mark.again(others)) for kind in kinds[1:])]


EACH_SERVER: Final = first_and("where servers differ, the contract shows it: it is run on each", SERVER_KINDS)
ON_POSTGRES: Final = pytest.param(
    "postgres", marks=pytest.mark.again("the contract is shown on it, and what is built on that on other storages")
)
EACH_STORAGE: Final = ["sqlite", *EACH_SERVER, ON_POSTGRES]
"""Storages that several processes can share."""
on_one_storage: Final = pytest.mark.parametrize(
    "huey_source", first_and("the storage plays no part in it", ["sqlite", *SERVER_KINDS]), indirect=True
)

EACH_POSTGRES: Final = first_and("where versions differ, the contract shows it: it is run on each", POSTGRES_KINDS)

ServerOf = Callable[[str], Server]

_shared: Final[list[SharedServers]] = []


def pytest_configure(config: pytest.Config) -> None:
    """Hold the servers that all processes of this run share, in the process that began it."""
    if not hasattr(config, "workerinput"):
        _shared.append(SharedServers())


def pytest_unconfigure() -> None:
    """Let them end."""
    while _shared:
        _shared.pop().close()


_LONG: Final = (
    "browser/",
    "workers/",
    "examples/",
    "production/",
    "test_docs",
    "test_processes",
    "django/test_project",
    "flow/test_exit",
    "flow/test_loops",
)
"""Where tests start processes: seconds of waiting, where others take milliseconds of work."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Insist on a reason for each test that the short lane leaves out, and begin with the long tests."""
    for item in items:
        _insist_on_reasons(item.nodeid, item.iter_markers("again"))
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes > 1:
        items[:] = _long_ones_first(items, processes)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while the tests are read, nor ever among them: ten thousand, and all of them stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Iterator[None]:
    """Make no items of what ``-m "not again"`` would deselect: a third of all, in each process that runs tests."""
    yield
    made = metafunc._calls  # it has no public name
    for call in made:
        _insist_on_reasons(metafunc.definition.nodeid, (mark for mark in call.marks if mark.name == "again"))
    if "not again" in metafunc.config.option.markexpr and made:
        is_again = metafunc.definition.get_closest_marker("again") is not None
        wanted = [] if is_again else [call for call in made if all(mark.name != "again" for mark in call.marks)]
        made[:] = wanted or made[:1]  # no call at all would mean that there are no parameters; that one is deselected


def _insist_on_reasons(test: str, marks: Iterable[pytest.Mark]) -> None:
    if not all(mark.args for mark in marks):
        raise pytest.UsageError(f"{test}: say why it shows nothing new, as in @pytest.mark.again('why')")


def _long_ones_first(items: Sequence[pytest.Item], processes: int) -> list[pytest.Item]:
    """Deal the long tests to the processes, each of which begins with an equal part of the list.

    At the end of the list they would keep one process busy for a minute, when the others have nothing left to take.
    """
    long = [item for item in items if any(part in item.nodeid for part in _LONG)]
    short = [item for item in items if not any(part in item.nodeid for part in _LONG)]
    dealt: list[pytest.Item] = []
    for number in range(processes):
        for kind in (long, short):
            dealt += kind[len(kind) * number // processes : len(kind) * (number + 1) // processes]
    return dealt


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """Fail a test that leaves a thread or a process running, instead of the later one that this disturbs."""
    leftovers = Leftovers()
    yield
    assert leftovers.find() == []


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Undo what a test did to logging, be it a framework that sets it up: the next test would log by its levels."""
    with logging_kept():
        yield


@pytest.fixture(scope="session")
def server_of() -> Iterator[ServerOf]:
    """Give the server of a kind, started when it is first asked for; there must be one."""
    started: dict[str, Server] = {}

    def get(kind: str) -> Server:
        if kind not in SERVERS:
            pytest.fail(NO_SERVER)
        if kind not in started:
            started[kind] = Server(SERVERS[kind])
        started[kind].start()
        return started[kind]

    try:
        yield get
    finally:
        for server in started.values():
            server.dispose()


@pytest.fixture(params=EACH_SERVER)
def server(request: pytest.FixtureRequest, server_of: ServerOf) -> Server:
    """Run a server of each kind that this machine has."""
    return server_of(request.param)


@pytest.fixture(scope="session", params=EACH_POSTGRES)
def postgres(request: pytest.FixtureRequest) -> Address:
    """Run a PostgreSQL server of each version that this machine has; all tests share it."""
    return join(request.param)


@pytest.fixture
def postgres_dsn(postgres: Address) -> str:
    """Give the database of this process, which its tests share: each takes a queue for itself."""
    return own_database(postgres.version)


@pytest.fixture
def postgres_database(postgres: Address) -> Iterator[str]:
    """Make an empty database for one test."""
    with made_database(postgres) as dsn:
        yield dsn


# Not for the session: several servers that watch each other are not idle for nothing.
@pytest.fixture(scope="module")
def cluster() -> Iterator[ServerCluster]:
    """Run a cluster of one kind: the deployment is what such tests are about."""
    made = ServerCluster(SERVERS[SERVER_KINDS[0]])
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def sentinels() -> Iterator[SentinelGroup]:
    """Run a master, its replica and three Sentinels, of the other kind."""
    made = SentinelGroup(SERVERS[SERVER_KINDS[-1]])
    yield made
    made.dispose()


@pytest.fixture(params=EACH_STORAGE)
def huey_source(request: pytest.FixtureRequest, tmp_path: Path, server_of: ServerOf) -> str:
    """Source code that makes a Huey of its own for this test, to be run in any process."""
    if request.param == "file":
        return f"hueyio.FileHuey('test', path={str(tmp_path / 'queue')!r})"
    if request.param == "sqlite":
        return f"hueyio.SqliteHuey('test', filename={str(tmp_path / 'test.db')!r})"
    if request.param == "memory":
        return "hueyio.MemoryHuey('test')"
    if request.param == "file":
        return f"hueyio.FileHuey('test', path={str(tmp_path / 'files')!r})"
    if request.param == "postgres":
        return f"hueyio.PostgresHuey({uuid.uuid4().hex!r}, {own_database(POSTGRES_KINDS[0])!r})"
    return f"hueyio.RedisHuey({uuid.uuid4().hex!r}, url={server_of(request.param).url!r})"
