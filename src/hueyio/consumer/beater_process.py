"""The program of a beater: a small process beside a worker that sends the heartbeats of one owner.

Theory of operation. A thread of the worker cannot beat while a task holds the interpreter lock, so this process does.
It is run by its path with ``-I -S`` and imports a few light modules of the standard library and nothing of hueyio: it
costs some 6 MB and 6 ms of CPU per minute. The worker tells it over a socket pair what to do
(``storage/beat_recipe.py``), and gives a sign of life by each later line; it tells what came of each beat. Rules:

* It ends with its worker, however that dies: at the end of the stream, of the parent's pidfd, or when it has another
  parent. A process that a task forked may hold the stream open, therefore the others.
* It does not beat for a worker that is stopped (SIGSTOP): that one is to be taken over. Only the state of the process
  (``/proc``) tells this from a held lock; without ``/proc`` a stopped worker is beaten for until the next rule.
* A worker that gave no sign for ``max_block`` seconds is killed. Time in which this process stood still itself, as on a
  suspended machine, does not count, and neither does time in which the worker was stopped.
* Signals to the whole group (Ctrl-C, a service manager) are for the worker: it starts this process with them blocked.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import sys
import time
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:  # the module typing takes a quarter of the time in which this process starts
    from typing import Any, Final, Protocol

    class Keeper(Protocol):
        """What sends one beat; False if the owner was given up. Any exception is a beat that failed."""

        def beat(self) -> bool: ...

        def close(self) -> None: ...


_STOOD_STILL: Final = 1.0
"""Seconds by which a wait may be late before it says that this process stood still."""

_LONGEST_WAIT: Final = 1.0
"""Seconds between two looks at the parent where nothing announces its end."""

_LAST_WORDS: Final = 2
"""Seconds for the line that says that the worker was killed: standard error may be a full pipe."""

_SHORTEST_PAUSE: Final = 0.0005
_LONGEST_PAUSE: Final = 0.005
"""Seconds between two attempts to take a lock that another process holds."""


class SqliteKeeper:
    """One update, on a connection that is opened anew when another file stands in the place of the first."""

    def __init__(
        self,
        target: str,
        is_uri: bool,
        pragmas: list[str],
        statement: str,
        parameters: list[str],
        timeout: float,
    ) -> None:
        # Here, because the other kinds of storage need no SQLite.
        self._sqlite3 = import_module("sqlite3")
        self._target = target
        self._is_uri = is_uri
        self._pragmas = pragmas
        self._statement = statement
        self._parameters = parameters
        self._timeout = timeout
        self._connection: Any = None
        self._file: tuple[int, int] | None = None

    def beat(self) -> bool:
        deadline = time.monotonic() + self._timeout
        pause = _SHORTEST_PAUSE
        has_made_room = False
        while True:
            try:
                return self._attempt()
            except self._sqlite3.OperationalError as error:
                code = error.sqlite_errorcode & 0xFF
                if code == self._sqlite3.SQLITE_FULL and not has_made_room:
                    has_made_room = True
                    self._make_room()
                    continue
                is_busy = code in (self._sqlite3.SQLITE_BUSY, self._sqlite3.SQLITE_LOCKED)
                if not is_busy or time.monotonic() >= deadline:
                    self.close()
                    raise
            pause = _sleep(pause)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _attempt(self) -> bool:
        file = None if self._is_uri else _identity(self._target)
        if self._file is not None and file != self._file:
            self.close()
            return False  # the owner is in a file that nobody else will see any more
        if file is None and not self._is_uri:
            return False  # SQLite would make an empty one
        self._file = file
        if self._connection is None:
            self._connection = self._open()
        return bool(self._connection.execute(self._statement, (time.time(), *self._parameters)).rowcount == 1)

    def _make_room(self) -> None:
        """Have the log begin anew: on a full disk the room that it has is all there is."""
        try:
            self._connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        except self._sqlite3.Error:
            return  # the next attempt says what is wrong

    def _open(self) -> Any:
        connection = self._sqlite3.connect(self._target, timeout=0, isolation_level=None, uri=self._is_uri)
        try:
            for pragma in self._pragmas:
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection


class FileKeeper:
    """A counter in a file of its own, under the lock of the folder."""

    _beat: Final = struct.Struct("<Qd")

    def __init__(self, lock: str, beat: str, timeout: float, mode: int) -> None:
        self._fcntl = import_module("fcntl")
        self._lock = lock
        self._path = beat
        self._timeout = timeout
        self._mode = mode

    def beat(self) -> bool:
        deadline = time.monotonic() + self._timeout
        pause = _SHORTEST_PAUSE
        while (lock := self._take()) is None:
            if time.monotonic() >= deadline:
                raise TimeoutError(
                    f"{self._lock} is locked: another process has held it for more than {self._timeout:g} s"
                )
            pause = _sleep(pause)
        try:
            return self._raise()
        finally:
            os.close(lock)  # and with it the lock goes

    def close(self) -> None:
        """Nothing is kept open."""

    def _take(self) -> int | None:
        """Return the lock file, locked; None if another process has it, or has deleted it meanwhile."""
        fd = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, self._mode)
        try:
            self._fcntl.flock(fd, self._fcntl.LOCK_EX | self._fcntl.LOCK_NB)
            if os.fstat(fd).st_nlink:
                return fd
        except BlockingIOError:
            pass  # somebody else's
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
        return None

    def _raise(self) -> bool:
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            data = os.pread(fd, self._beat.size, 0)
            number = self._beat.unpack(data)[0] if len(data) == self._beat.size else 0
            os.pwrite(fd, self._beat.pack(number + 1, time.time()), 0)
        finally:
            os.close(fd)
        return True


class RedisKeeper:
    """One script on a connection that is made anew after each failure."""

    def __init__(
        self,
        host: str,
        port: int,
        path: str,
        login: list[str],
        client_name: str,
        db: int,
        timeout: float,
        script: str,
        keys: list[str],
        argument: str,
    ) -> None:
        self._where = path or (host, port)
        self._timeout = timeout
        self._greeting = [["AUTH", *login]] if login else []
        self._greeting += [["CLIENT", "SETNAME", client_name]] if client_name else []
        self._greeting += [["SELECT", str(db)]] if db else []
        self._command = ["EVAL", script, str(len(keys)), *keys, argument]
        self._socket: socket.socket | None = None

    def beat(self) -> bool:
        try:
            if self._socket is None:
                self._socket = self._connect()
                for command in self._greeting:
                    self._ask(command)
            return self._ask(self._command) == b":1"
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()

    def _connect(self) -> socket.socket:
        if isinstance(self._where, tuple):
            return socket.create_connection(self._where, self._timeout)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(self._timeout)
        connection.connect(self._where)
        return connection

    def _ask(self, command: list[str]) -> bytes:
        """Send a command, return its reply: one line, which is all that these commands answer."""
        assert self._socket is not None
        parts = [part.encode("utf-8", "surrogatepass") for part in command]
        self._socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(it), it) for it in parts))
        line = b""
        while not line.endswith(b"\r\n"):
            data = self._socket.recv(4096)
            if not data:
                raise ConnectionError("the server closed the connection")
            line += data
        if line.startswith(b"-"):
            raise ConnectionError(line[1:-2].decode(errors="replace"))
        return line[:-2]


_KEEPERS: Final[dict[str, type[Any]]] = {"SqliteBeat": SqliteKeeper, "FileBeat": FileKeeper, "RedisBeat": RedisKeeper}


class Beater:
    """Beats for one worker until that has ended."""

    def __init__(self, link: socket.socket, worker: int) -> None:
        self._link = link
        self._worker = worker
        self._keeper: Keeper | None = None
        self._rest = b""
        self._interval = _LONGEST_WAIT
        self._max_block: float | None = None
        self._running: list[str] = []
        self._heard_at = self._due_at = time.monotonic()
        self._beat_at = float("-inf")
        self._poll = select.poll()
        self._poll.register(link, select.POLLIN)
        self._announces = _watch_end(worker)
        if self._announces is not None:
            self._poll.register(self._announces, select.POLLIN)

    def run(self) -> None:
        """Beat when it is due, hear the worker, and kill it when it gives no sign."""
        while self._wait():
            now = time.monotonic()
            if now < self._due_at:
                continue
            if is_stopped(self._worker):
                self._heard_at = now
                self._report(at=now, stopped=True)
            elif self._keeper is not None:
                self._beat_at = now
                self._beat(self._keeper)
            silent_for = time.monotonic() - self._heard_at
            if self._max_block is not None and silent_for > self._max_block:
                self._kill(silent_for)
                return
            self._due_at = now + self._interval

    def _wait(self) -> bool:
        """Wait until something is to be done; False: the worker has ended."""
        began = time.monotonic()
        seconds = max(self._due_at - began, 0.0)
        if self._announces is None:
            seconds = min(seconds, _LONGEST_WAIT)
        ready = {fd for fd, _ in self._poll.poll(seconds * 1000)}
        late = time.monotonic() - began - seconds
        if late > _STOOD_STILL:
            self._heard_at += late
        if self._announces in ready or os.getppid() != self._worker:
            return False
        return self._link.fileno() not in ready or self._hear()

    def _hear(self) -> bool:
        """Take what the worker says; False: it says nothing more."""
        try:
            data = self._link.recv(1 << 20)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._heard_at = time.monotonic()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._obey(json.loads(line))
        return data != b""

    def _obey(self, order: dict[str, Any]) -> None:
        self._running = order.get("running", self._running)
        if "recipe" in order:
            self._interval, self._max_block = order["interval"], order["max_block"]
            if self._keeper is not None:
                self._keeper.close()
            self._keeper = _KEEPERS[order["kind"]](*order["recipe"])
            # At once, unless it beat just now: where two places refuse it in turn, this is an outage.
            self._due_at = max(time.monotonic(), self._beat_at + self._interval / 4)

    def _beat(self, keeper: Keeper) -> None:
        try:
            alive = keeper.beat()
        except Exception as error:  # whatever the storage says: the worker logs it, the next beat is due soon
            self._report(at=time.monotonic(), error=f"{error or type(error).__name__}")
            return
        self._report(at=time.monotonic(), alive=alive)
        if not alive:
            keeper.close()
            self._keeper = None  # only to see whether the worker lives: a new lease has a beater of its own

    def _report(self, **what: Any) -> None:
        try:
            self._link.send(json.dumps(what).encode() + b"\n")
        except OSError:
            return  # it has not read for a very long time, or is gone; both show elsewhere

    def _kill(self, silent_for: float) -> None:
        """Kill the worker, then say so."""
        os.kill(self._worker, signal.SIGKILL)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_LAST_WORDS)
        running = ", ".join(self._running) or "a task that began a moment ago"
        os.write(
            2,
            f"hueyio: worker {self._worker} gave no sign of life for {silent_for:.0f} s (--max-block) and was killed: "
            f"something held the interpreter lock (GIL); it ran: {running}. "
            'Such code belongs into a process: run_in="process"\n'.encode(),
        )


def is_stopped(pid: int) -> bool:
    """Say whether a process is stopped by a signal or a debugger; False where nothing tells."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in (b"T", b"t")
    except (OSError, IndexError):
        return False


def _watch_end(pid: int) -> int | None:
    """Return what becomes readable at the end of a process; None where the system has none."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _sleep(pause: float) -> float:
    """Sleep for about so long; return how long the next time. (The module random would cost a megabyte.)"""
    time.sleep(pause * (0.5 + time.perf_counter_ns() % 1000 / 1000))
    return min(pause * 1.5, _LONGEST_PAUSE)


def main() -> None:
    """Serve the worker that started this: ``argv`` has the socket's number and the worker's pid."""
    link = socket.socket(fileno=int(sys.argv[1]))
    link.setblocking(False)
    Beater(link, int(sys.argv[2])).run()


if __name__ == "__main__":
    main()
