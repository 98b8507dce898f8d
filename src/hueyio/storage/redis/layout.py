"""The names of a queue's keys and channels.

Every key of a queue starts with ``hueyio:{<name, percent-encoded>}:``. The braces make it one hash tag, so that a
Cluster keeps a queue on one node; the encoding leaves no character in which two names could run into each other. In
Lua a key is called by the upper case of its last part: ``READY_LOOP`` is ``hueyio:{app}:ready:loop``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal, TypeAlias
from urllib.parse import quote

from hueyio.exceptions import ConfigurationError
from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import Area, Bell

__all__ = ["CLIENT_LENGTH", "Flavour", "Layout", "QueueKind"]

QueueKind: TypeAlias = Literal["list", "sorted"]
"""What the ready queues are: lists, or sorted sets, which know priorities."""

CLIENT_LENGTH: Final = 12
"""Characters of a client's name; ``_waiting.lua`` cuts its rows by it."""


class Flavour(NamedTuple):
    """In what the classes of storages differ; each field chooses a part of the scripts."""

    queue: QueueKind = "list"
    results: Literal["once", "kept"] = "once"
    """Whether a result is deleted by who read it, or stays until its time is over."""


_USUAL: Final = Flavour()
_OTHER: Final[dict[QueueKind, QueueKind]] = {"list": "sorted", "sorted": "list"}


class Layout:
    """The keys and channels of one queue."""

    def __init__(self, name: str, flavour: Flavour = _USUAL) -> None:
        if not name:
            raise ConfigurationError("a queue needs a name")
        self.flavour: Final = flavour
        self._markers: Final = {"OWN_KIND": f"KIND_{flavour.queue}", "OTHER_KIND": f"KIND_{_OTHER[flavour.queue]}"}
        self.prefix: Final = f"hueyio:{{{_encode(name)}}}:".encode()

    def key(self, lua_name: str) -> bytes:
        """Return the key that Lua calls by this name."""
        return self.prefix + self._markers.get(lua_name, lua_name).lower().replace("_", ":").encode()

    def held(self, owner: str) -> bytes:
        """Return the key of what is in flight under an owner's lease."""
        return self.prefix + b"held:" + _encode(owner).encode()

    def helds(self, owners: Iterable[str]) -> tuple[bytes, ...]:
        """Return the same for several owners."""
        return tuple([self.held(owner) for owner in owners])

    def area(self, area: Area) -> tuple[bytes, bytes]:
        """Return the keys of an area: its values, and when those end that do not last for ever."""
        key = self.prefix + area.encode()
        return key, key + b":ttl"

    def bell(self, bell: Bell) -> bytes:
        """Return the key of a bell."""
        return self.prefix + b"bell:" + bell.encode()

    def client_channel(self, client: str) -> bytes:
        """Return the channel on which a client is told of outcomes."""
        return self.prefix + b"client:" + client.encode()

    def owner_channel(self, owner: str) -> bytes:
        """Return the channel that says that an owner has new notices."""
        return self.prefix + b"notice:" + _encode(owner).encode()

    def progress_channel(self, id: str) -> bytes:
        """Return the channel on which the progress of a task is told."""
        return self.prefix + b"progress:" + _encode(id).encode()

    @property
    def notice_channel(self) -> bytes:
        """Return the channel that says that all owners have new notices."""
        return self.prefix + b"notices"


@lru_cache(1000)  # a consumer writes its own name with each claim and each settlement
def _encode(name: str) -> str:
    return quote(name, safe="", errors="surrogatepass")
