"""Wake-ups between sessions of one file: a nudge within the process, a datagram to other processes.

A session that waits binds a socket in a directory beside the file, ``<client>.work`` for bells and notices or
``<client>.mail`` for the ends of tasks; whoever commits something of interest sends a byte there. A ring carries no
data and may be lost (a full socket has a ring in it already): it only says that a look is worth while, and the slow
look finds whatever no ring told. A socket that refuses belongs to a process that died, and is removed.

The path of a Unix socket is short (104 to 108 bytes). Where the file's own path is too long, the directory is in
the system's temporary one, under a name made of the path: one that somebody else made there is left alone. Where there
are no such sockets, nothing is bound or sent.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import selectors
import socket
import tempfile
import threading
from collections.abc import Collection
from typing import Final, Literal, TypeAlias

from hueyio.exceptions import ConfigurationError
from hueyio.storage.shared.private_files import check_path, is_exposed, make_folders

__all__ = ["Doorbell", "Kind"]

Kind: TypeAlias = Literal["work", "mail"]

_LONGEST_PATH: Final = 100
_NAME_LENGTH: Final = 24

# One that is no file itself: nothing to close after a fork.
_Selector: Final[type[selectors.BaseSelector]] = getattr(selectors, "PollSelector", selectors.SelectSelector)

log = logging.getLogger(__name__)

_neighbours: dict[str, dict[str, Doorbell]] = {}
"""The doorbells of this process, by the real path of their file and their client."""
_neighbours_lock = threading.Lock()


class Doorbell:
    """One session's bell: ``listen`` is called on its loop, ``wait`` by the thread that looks, ``ring`` by its writer.

    That thread binds what the loop asked for before its next look, so what is committed before that needs no ring.
    """

    def __init__(self, path: str, client: str, mode: int) -> None:
        self._path = path
        self._client = client
        self._mode = mode
        self._directory = _directory(path)
        self._is_exposed = is_exposed(self._directory, mode)
        self._kinds: set[Kind] = set()
        self._sockets: dict[Kind, socket.socket | None] = {}
        self._selector: selectors.BaseSelector | None = None
        self._nudged: tuple[socket.socket, socket.socket] | None = None
        self._sender: socket.socket | None = None
        self._is_stale = False
        with _neighbours_lock:
            _neighbours.setdefault(path, {})[client] = self

    def listen(self, kind: Kind) -> None:
        """Be reachable for rings of this kind; a second call does nothing."""
        self.prepare()
        self._kinds.add(kind)

    def prepare(self) -> None:
        """Be reachable for nudges."""
        if self._nudged is None:
            self._nudged = socket.socketpair()
            for end in self._nudged:
                end.setblocking(False)

    def nudge(self) -> None:
        """End the wait that is under way, or the next one; from any thread."""
        nudged = self._nudged
        if nudged is not None:
            with contextlib.suppress(OSError):  # full: it is nudged already; closed: there is nobody to nudge
                nudged[1].send(b"!")

    def renew(self) -> None:
        """Bind anew before the next wait: the file was removed, and perhaps the directory beside it."""
        self._is_stale = True
        self.nudge()

    def wait(self, timeout: float | None) -> None:
        """Wait for a ring, a nudge, or the time-out."""
        assert self._nudged is not None
        if self._is_stale:
            self._is_stale = False
            self._unbind()
        for kind in self._kinds - self._sockets.keys():
            self._sockets[kind] = self._bind(kind)
        ears = [self._nudged[0], *(bound for bound in self._sockets.values() if bound is not None)]
        selector = self._selector
        if selector is None or len(selector.get_map()) != len(ears):
            selector = self._selector = _Selector()
            for ear in ears:
                selector.register(ear, selectors.EVENT_READ, ear)
        for key, _ in selector.select(timeout):
            with contextlib.suppress(OSError):
                while key.data.recv(64):
                    pass

    def ring(self, work: bool, clients: Collection[str]) -> list[str]:
        """Ring everybody who waits for work, if told so, and these clients; return the clients that are dead."""
        with _neighbours_lock:
            near = dict(_neighbours.get(self._path, {}))
        for client, bell in near.items():
            if (work and "work" in bell._kinds) or client in clients:
                bell.nudge()
        if work:
            for client in self._workers():
                if client not in near:
                    self._send(client, "work")
        if not clients:
            return []
        return [client for client in clients if client not in near and not self._send(client, "mail")]

    def close(self) -> None:
        """Be unreachable; leave nothing beside the file. Nobody may be waiting any more."""
        with _neighbours_lock:
            bells = _neighbours.get(self._path, {})
            bells.pop(self._client, None)
            if not bells:
                _neighbours.pop(self._path, None)
        for kind, bound in self._sockets.items():
            if bound is not None:
                _unlink(self._address(self._client, kind))
        if self._sockets:
            with contextlib.suppress(OSError):  # others are still there
                os.rmdir(self._directory)
        self.hang_up()

    def hang_up(self) -> None:
        """Close this process's copies of the sockets."""
        nudged, self._nudged = self._nudged, None
        for it in (*self._sockets.values(), *(nudged or ()), self._sender):
            if it is not None:
                it.close()
        self._sockets.clear()
        self._sender = None

    def _unbind(self) -> None:
        for kind, bound in self._sockets.items():
            if bound is not None:
                _unlink(self._address(self._client, kind))
                bound.close()
        self._sockets.clear()
        self._selector = None

    def _bind(self, kind: Kind) -> socket.socket | None:
        bound = None
        try:
            bound = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            bound.setblocking(False)
            self._bind_in_directory(bound, self._address(self._client, kind))
        except (OSError, AttributeError, ConfigurationError) as error:
            log.debug("no doorbell for other processes, the slow look must do: %s", error)
            if bound is not None:
                bound.close()
            return None
        return bound

    def _bind_in_directory(self, bound: socket.socket, address: str) -> None:
        """Bind; the directory may vanish in between when its last user leaves."""
        for _ in range(10):
            make_folders(self._directory, self._mode)
            with contextlib.suppress(FileNotFoundError):
                bound.bind(address)
                os.chmod(address, self._mode)
                return
        raise FileNotFoundError(self._directory)

    def _workers(self) -> list[str]:
        """Find the clients that wait for work."""
        try:
            names = os.listdir(self._trusted_directory())
        except (OSError, ConfigurationError):
            return []
        return [name[: -len(".work")] for name in names if name.endswith(".work")]

    def _send(self, client: str, kind: Kind) -> bool:
        """Ring one client; False if it is dead for certain."""
        address = self._address(client, kind)
        try:
            self._trusted_directory()
            if self._sender is None:
                self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._sender.setblocking(False)
            self._sender.sendto(b"!", address)
        except ConnectionRefusedError:
            _unlink(address)
            return False
        except (OSError, AttributeError, ConfigurationError):
            pass  # not bound, not ours to reach, or already rung: the slow look finds it
        return True

    def _trusted_directory(self) -> str:
        """Return the directory; raises ConfigurationError if it is not ours: nothing is sent or deleted there."""
        if self._is_exposed:
            check_path(self._directory, self._mode)
        return self._directory

    def _address(self, client: str, kind: Kind) -> str:
        return f"{self._directory}/{client}.{kind}"


def _directory(path: str) -> str:
    beside = f"{path}-bells"
    if len(os.fsencode(beside)) + _NAME_LENGTH <= _LONGEST_PATH:
        return beside
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return os.path.join(tempfile.gettempdir(), f"hueyio-bells-{name}")


def _unlink(address: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(address)


def _in_child() -> None:
    """Keep nothing of the parent's: neither its callbacks nor its sockets."""
    global _neighbours_lock
    _neighbours_lock = threading.Lock()
    for bells in _neighbours.values():
        for bell in bells.values():
            bell.hang_up()
    _neighbours.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
