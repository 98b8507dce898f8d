"""Huey's queue in a folder: a file for each message, whose name says its priority or its time.

What is taken is renamed into a folder of ours, ``aside-of-huey``, under a name that says from where. Huey keeps others
out by a lock on ``.lock``, and so does this.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

from hueyio.exceptions import StorageUnavailable
from hueyio.loops.carry_through import carry_through
from hueyio.migration.source import PLACES, Aside, Held, Place

__all__ = ["FolderSource"]

T = TypeVar("T")

_NAMES: Final = {
    "queue": re.compile(r"[0-9a-f]{4}-[0-9a-f]{12}(\.\d+)?"),
    "schedule": re.compile(r"[0-9a-f]{12}(\.\d+)?"),
}
_MOST_LEVELS: Final = 4
_POLL: Final = 0.1
_LOCK_POLL: Final = 0.01


class FolderSource:
    """The queue of Huey's in one folder; it has one, whatever its name is."""

    def __init__(self, path: Path, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._aside = path / "aside-of-huey"
        self._results = path / "results"

    @property
    def name(self) -> str:
        return self._path.name

    def __str__(self) -> str:
        return f"folder {self._path}"

    @classmethod
    def is_one(cls, path: Path) -> bool:
        """Say whether Huey has something in this folder, or nothing is in it yet."""
        found = {it.name for it in path.iterdir()}
        return not found or not found.isdisjoint((*PLACES, "results", "aside-of-huey", ".lock"))

    async def count(self) -> dict[Place, int]:
        return await self._run(lambda: {place: len(self._names(place)) for place in PLACES})

    async def page(self, place: Place, skip: int, limit: int) -> list[Held]:
        def read() -> list[Held]:
            names = self._names(place)[skip : skip + limit]
            return [Held(place, name, (self._path / place / name).read_bytes()) for name in names]

        return await self._run(read)

    async def take(self, messages: Mapping[str, Held], *, all_or_none: bool = False) -> set[str]:
        def take() -> set[str]:
            found = {token: it for token, it in messages.items() if self._is_there(it)}
            if all_or_none and len(found) < len(messages):
                return set()
            self._aside.mkdir(mode=0o700, exist_ok=True)
            for token, it in found.items():
                os.rename(self._path / it.place / it.mark, self._aside / f"{token}.{it.place}.{it.mark}")
            return set(found)

        return await self._run(take) if messages else set()

    async def aside(self) -> list[Aside]:
        return await self._run(lambda: [Aside(it.name.split(".")[0], it.read_bytes()) for it in self._list_aside()])

    async def drop(self, tokens: Sequence[str]) -> None:
        def drop() -> None:
            for path in self._list_aside(tokens):
                path.unlink(missing_ok=True)

        await self._run(drop)

    async def give_back(self, tokens: Sequence[str]) -> None:
        def give_back() -> None:
            for path in self._list_aside(tokens):
                _, place, name = path.name.split(".", 2)
                folder = self._path / place
                folder.mkdir(exist_ok=True)
                os.rename(path, _free_name(folder / name))

        await self._run(give_back)

    async def keys(self) -> list[str]:
        def read() -> list[str]:
            files = (it for it in self._results.rglob("*") if it.is_file() and it.suffix != ".tmp")
            return [key for it in files if (key := _unpack(it)[0]) is not None]

        return await self._run(read)

    async def values(self, keys: Sequence[str]) -> dict[str, bytes]:
        def read() -> dict[str, bytes]:
            found = ((key, path) for key in keys for path in self._paths_of(key) if path.is_file())
            return {key: _unpack(path)[1] for key, path in found}

        return await self._run(read)

    async def delete(self, keys: Sequence[str]) -> None:
        def delete() -> None:
            for key in keys:
                for path in self._paths_of(key):
                    path.unlink(missing_ok=True)

        await self._run(delete)

    async def wait(self, timeout: float) -> None:
        await asyncio.sleep(min(timeout, _POLL))

    async def close(self) -> None:
        def close() -> None:
            with suppress(OSError):  # it is not there, or something is aside
                self._aside.rmdir()

        await self._run(close)

    def _names(self, place: Place) -> list[str]:
        try:
            names = os.listdir(self._path / place)
        except FileNotFoundError:
            return []
        return sorted(name for name in names if _NAMES[place].fullmatch(name))

    def _is_there(self, message: Held) -> bool:
        try:
            found: bytes = (self._path / message.place / message.mark).read_bytes()
        except FileNotFoundError:
            return False
        return found == message.data

    def _list_aside(self, tokens: Sequence[str] | None = None) -> list[Path]:
        if not self._aside.is_dir():
            return []
        wanted = None if tokens is None else set(tokens)
        return [it for it in sorted(self._aside.iterdir()) if wanted is None or it.name.split(".")[0] in wanted]

    def _paths_of(self, key: str) -> list[Path]:
        """List where a value may be: in so many folders, one in another, as its Huey has levels."""
        digest = hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()
        return [self._results.joinpath(*digest[:levels], digest) for levels in range(_MOST_LEVELS + 1)]

    async def _run(self, act: Callable[[], T]) -> T:
        def within() -> T:
            with self._locked():
                return act()

        return await carry_through(asyncio.to_thread(within))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            descriptor = os.open(self._path / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
            try:
                self._lock(descriptor)
                yield
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StorageUnavailable(f"folder {self._path}, which has Huey's queue: {error}") from error

    def _lock(self, descriptor: int) -> None:
        ends_at = time.monotonic() + self._timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= ends_at:
                    raise
                time.sleep(_LOCK_POLL)
            else:
                return


def _free_name(path: Path) -> Path:
    """Return this path, or one behind it that is not taken, as Huey names what comes in the same millisecond."""
    free, number = path, 0
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name.split('.')[0]}.{number:03}")
    return free


def _unpack(path: Path) -> tuple[str | None, bytes]:
    """Return the key and the value of a file of results; no key for what is none."""
    data = path.read_bytes()
    if len(data) < 4:
        return None, b""
    (length,) = struct.unpack(">I", data[:4])
    return data[4 : 4 + length].decode(errors="replace"), data[4 + length :]
