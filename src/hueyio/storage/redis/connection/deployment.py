"""Where the server of a queue is: known, told by Sentinels, or one of a cluster.

Theory of operation. Whoever opens a connection searches first, every time: what was true before a fail-over is not
worth keeping, but for one thing: what a Sentinel has announced a moment ago (``succession.py``), because the other
Sentinels may not know it yet, and the old master neither. A search does no I/O. It is a generator of questions to
servers; it is sent what they answered, or the error in an answer's place, and returns the server to connect to.
``connecting.py`` asks, for asyncio and for the thread of a heartbeat.
"""

from __future__ import annotations

import random
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from hueyio.exceptions import ConfigurationError, HueyException, StorageUnavailable
from hueyio.named_tuple import NamedTuple
from hueyio.storage.redis.connection.inside_redis_py import key_slot
from hueyio.storage.redis.connection.options import RedisOptions

__all__ = ["Address", "Cluster", "Deployment", "Question", "Search", "Sentinels", "Standalone"]


class Address(NamedTuple):
    """Where a server says that another is."""

    host: str
    port: int


class Question(NamedTuple):
    """What to ask which server."""

    server: RedisOptions
    command: tuple[str, ...]


Search: TypeAlias = Generator[Question, Any, RedisOptions]

_NEWS: Final = 30.0
"""Seconds for which an announcement is believed first; by then all Sentinels know."""


class Deployment(Protocol):
    """A way to find the server of a queue. Loops and threads share it."""

    @property
    def options(self) -> RedisOptions:
        """Time-outs, and all that servers are reached with."""
        ...

    @property
    def announced(self) -> Address | None:
        """The last new master that was announced. When it changes, connections that were made before are of no use."""
        ...

    def search(self, moved_to: Address | None = None) -> Search:
        """Find the server; ``moved_to`` is where the one before says that the queue is.

        Raises StorageUnavailable or ConfigurationError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Standalone:
    """One address."""

    options: RedisOptions

    @property
    def announced(self) -> Address | None:
        """Nothing is."""
        return None

    def search(self, moved_to: Address | None = None) -> Search:
        """Return the one server."""
        if moved_to is not None:
            raise ConfigurationError(f"{self.options} is part of a cluster: give its url as redis+cluster://")
        return self.options
        yield  # makes it a generator

    def __str__(self) -> str:
        return str(self.options)


class Sentinels:
    """The present master of one name, as the Sentinels say."""

    def __init__(self, options: RedisOptions, sentinels: Iterable[RedisOptions], master: str) -> None:
        self.options: Final = options
        self.sentinels: Final = tuple(sentinels)
        self.master: Final = master
        self._news: tuple[Address, float] | None = None
        """What was announced and when; replaced as a whole."""

    @property
    def announced(self) -> Address | None:
        """The last new master that a session which listens has heard of."""
        return None if self._news is None else self._news[0]

    def announce(self, address: Address) -> bool:
        """Take note of a new master; say whether it is news."""
        is_news = address != self.announced
        self._news = address, time.monotonic()
        return is_news

    def search(self, moved_to: Address | None = None) -> Search:
        """Ask one Sentinel after the other, until one names a server that takes itself for the master."""
        if self._news is not None and time.monotonic() - self._news[1] < _NEWS:
            server = self.options.at(*self._news[0])
            role = yield Question(server, ("ROLE",))
            if not isinstance(role, HueyException) and role[0] == b"master":
                return server
        problem: HueyException | None = None
        for sentinel in _shuffled(self.sentinels):
            address = yield Question(sentinel, ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.master))
            if isinstance(address, HueyException):
                problem = problem or address
                continue
            if address is None:
                problem = ConfigurationError(f"the Sentinel at {sentinel.address} knows no master {self.master!r}")
                continue
            server = self.options.at(address[0].decode(), int(address[1]))
            role = yield Question(server, ("ROLE",))
            if isinstance(role, HueyException):
                problem = role
            elif role[0] == b"master":
                return server
            else:
                problem = StorageUnavailable(f"{server} is the master no more, and no Sentinel knows another yet")
        raise problem or ConfigurationError("there are no Sentinels to ask")

    def __str__(self) -> str:
        return f"Redis master {self.master!r} by the Sentinels at {_addresses(self.sentinels)}/{self.options.db}"


class Cluster:
    """The node that serves the slot of one queue: all of its keys carry the same hash tag."""

    def __init__(self, options: RedisOptions, seeds: Iterable[RedisOptions], key: bytes) -> None:
        if options.db != 0:
            raise ConfigurationError(f"a cluster has one database, which is 0, not {options.db}")
        self.options: Final = options
        self.slot: Final[int] = key_slot(key)
        self._seeds = tuple(seeds)
        self._others: tuple[RedisOptions, ...] = ()
        """Nodes that a node has told of: seeds may be gone one day. Replaced as a whole."""

    @property
    def announced(self) -> Address | None:
        """Nothing is: a node that lost the slot says so itself."""
        return None

    def search(self, moved_to: Address | None = None) -> Search:
        """Ask one node after the other who serves the slot."""
        if moved_to is not None:
            return self.options.at(*moved_to)
        problem: HueyException | None = None
        for node in _shuffled(dict.fromkeys((*self._seeds, *self._others))):
            ranges = yield Question(node, ("CLUSTER", "SLOTS"))
            if isinstance(ranges, HueyException):
                problem = problem or ranges
                continue
            masters = [self._read_range(row, node) for row in ranges]
            self._others = tuple(dict.fromkeys(server for _, _, server in masters))
            for first, last, server in masters:
                if first <= self.slot <= last:
                    return server
            problem = StorageUnavailable(f"{self}: no node serves slot {self.slot}")
        raise problem or ConfigurationError("there are no nodes to ask")

    def _read_range(self, row: Any, asked: RedisOptions) -> tuple[int, int, RedisOptions]:
        first, last, master = row[:3]
        host, port = (master[0] or b"").decode(), int(master[1])
        # A node that does not know its own address leaves it out; "?" is what it says of unknown ones.
        return first, last, self.options.at(host if host not in ("", "?") else asked.settings["host"], port)

    def __str__(self) -> str:
        return f"Redis Cluster at {_addresses(self._seeds)}"


def _shuffled(servers: Iterable[RedisOptions]) -> list[RedisOptions]:
    """Return them in any order: one that does not answer must not be the first that everybody asks."""
    listed = list(servers)
    return random.sample(listed, len(listed))


def _addresses(servers: Iterable[RedisOptions]) -> str:
    return ",".join(server.address for server in servers)
