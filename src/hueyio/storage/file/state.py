"""The memory storage's model as one of several copies, which stay the same because they are told the same.

Every step gets its time from outside, a question changes nothing (what is over is passed over, not deleted), and who
waits for ids is part of the state, since that decides how long a result stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from hueyio.storage.memory.shelf import Shelf
from hueyio.storage.memory.state import MemoryState
from hueyio.storage.memory.waiters import Pokes, Waiters
from hueyio.storage.records import AREAS, Area, EndKind, Over

__all__ = ["Clients", "FileShelf", "FileState"]


class FileShelf(Shelf):
    """A shelf whose reads change nothing."""

    __slots__ = ()

    def get(self, key: str) -> bytes | None:
        """Read a value."""
        item = self._items.get(key)
        return None if item is None or item[1] <= self._clock() else item[0]

    def items(self) -> list[tuple[str, bytes]]:
        """List everything."""
        now = self._clock()
        return [(key, value) for key, (value, until) in self._items.items() if until > now]

    def __len__(self) -> int:
        now = self._clock()
        return sum(until > now for _, until in self._items.values())

    def is_due(self) -> bool:
        """Say whether there is something to prune."""
        return bool(self._deadlines) and self._deadlines[0][0] <= self._clock()

    def dump(self) -> list[tuple[str, bytes, float]]:
        """List everything with its deadline."""
        return [(key, value, until) for key, (value, until) in self._items.items()]

    def load(self, items: Sequence[tuple[str, bytes, float]]) -> None:
        """Take what ``dump`` listed."""
        for key, value, until in items:
            self._items[key] = (value, until)
            if until != inf:
                self._deadlines.append((until, key))
        self._deadlines.sort()


class Clients(Waiters):
    """Who waits for an id: sessions by their names, each with the number of its registration.

    ``mail`` gathers what is for this session, ``told`` the others that were told. ``own`` are the registrations of this
    session that were not told.
    """

    __slots__ = ("client", "clients", "mail", "own", "told")

    def __init__(self, client: str) -> None:
        super().__init__()
        self.client = client
        self.clients: dict[str, dict[str, int]] = {}
        self.own: dict[str, int] = {}
        self.mail: list[tuple[int, Over]] = []
        self.told: set[str] = set()

    def is_awaited(self, id: str) -> bool:
        """Say whether anybody waits for an id."""
        return id in self.clients

    def is_shared(self, id: str) -> bool:
        """Say whether several clients wait for an id."""
        return len(self.clients.get(id, ())) > 1

    def tell(self, id: str, data: bytes | None, kind: EndKind) -> None:
        """Tell all who wait for an id."""
        over = Over(id, data, self.is_shared(id), kind)
        for client, number in self.clients.pop(id, {}).items():
            if client == self.client:
                self.own.pop(id, None)
                self.mail.append((number, over))
            else:
                self.told.add(client)

    def enter(self, client: str, id: str, number: int) -> None:
        """Register a client for an id; a newer number replaces an older one."""
        self.clients.setdefault(id, {})[client] = number
        if client == self.client:
            self.own[id] = number

    def number_of(self, client: str, id: str) -> int | None:
        """Say under which number a client is registered for an id."""
        return self.clients.get(id, {}).get(client)

    def withdraw(self, client: str, id: str) -> bool:
        """Take back whatever registration a client has for an id; say whether there was one."""
        number = self.number_of(client, id)
        if number is not None:
            self.leave(client, id, number)
        return number is not None

    def leave(self, client: str, id: str, number: int) -> None:
        """Take back a registration, unless a newer one has replaced it."""
        clients = self.clients.get(id)
        if clients is not None and clients.get(client) == number:
            del clients[client]
            if not clients:
                del self.clients[id]
            if client == self.client:
                self.own.pop(id, None)

    def forget(self, client: str) -> None:
        """Take back all registrations of a client."""
        for id, clients in list(self.clients.items()):
            if client in clients:
                self.leave(client, id, clients[client])


class _Pokes(Pokes[str]):
    """Remembers that somebody was poked; who waits finds out by looking."""

    __slots__ = ("is_poked",)

    def __init__(self) -> None:
        super().__init__()
        self.is_poked = False

    def poke(self, key: str) -> None:
        self.is_poked = True

    def poke_all(self) -> None:
        self.is_poked = True


class FileState(MemoryState):
    """One copy. ``now``, ``dead_limit`` and the bounds of what is kept of ended tasks are set before each step."""

    waiters: Clients

    def __init__(self, client: str) -> None:
        self.now = 0.0
        self.is_replaying = False
        super().__init__(self._read_clock, 0, 0)
        self.tokens: FileShelf = FileShelf(self._read_clock)
        self.shelves: dict[Area, FileShelf] = {area: FileShelf(self._read_clock) for area in AREAS}
        self.areas = {**self.shelves}
        self.waiters = Clients(client)
        self.noticed = self._noticed = _Pokes()
        self.followed = self._followed = _Pokes()

    def note_dropped(self, id: str) -> None:
        """Say so once, not in every copy."""
        if not self.is_replaying:
            super().note_dropped(id)

    def settle_down(self) -> bool:
        """Say whether anybody was poked since the last call."""
        poked = self._noticed.is_poked or self._followed.is_poked
        self._noticed.is_poked = self._followed.is_poked = False
        return poked

    def _read_clock(self) -> float:
        return self.now
