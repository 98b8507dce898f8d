"""The Lua scripts: read from their files at import, put together from parts, and run by their digest.

All files are read when this module is imported, and never again. A worker that is upgraded in place would otherwise
run the new version's script at its first use, or find none while the files are exchanged; and a process that has no
descriptor left could not open one.

A script has the name of its operation and stands in the folder of its role; ``lua/parts`` holds what several are made
of. A file says in its first comment which keys and which parts it needs, and what shall stand before these parts::

    -- keys: OWNERS HELD
    -- parts: _held _clock _queue_<queue>
    -- first: _claim_plain

``<queue>`` and ``<results>`` are the flavour of the storage: there is a part for each, and nothing else differs. Parts
are put in front, each once, and the name of a key is replaced by its ``KEYS[n]``, so that each script declares all keys
that it touches. (Local variables would cost more: every function that uses one has to find it when
it is made.) Most names are fixed for a queue (``Layout.key``). HELD (one owner's), AREA and AREA_TTL are given with
the call and come after the fixed ones; ``HELD*`` stands for any number of owners', from ``KEYS[FIRST_HELD]`` on. ``*``
stands for all fixed keys of the queue.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Mapping, Sequence
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final, TypeAlias

from hueyio.named_tuple import NamedTuple
from hueyio.storage.redis.connection.command import Command, pack_end, pack_parts
from hueyio.storage.redis.connection.wire import Wire
from hueyio.storage.redis.layout import Flavour, Layout
from hueyio.storage.redis.records import no_utf8

__all__ = ["SCRIPTS", "Argument", "PreparedScript", "Scripts", "commands_of", "read_script"]

Argument: TypeAlias = bytes | str | int | float

_GIVEN: Final = ("HELD", "AREA", "AREA_TTL", "HELD*")
_DECLARATION: Final = re.compile(r"^-- (keys|parts|first): (.+)$", re.MULTILINE)
_NAME: Final = re.compile(r"\b[A-Z][A-Z_]+\b")
_CALL: Final = re.compile(r"(?:redis\.p?call|fetch|apply)\(\s*'([A-Z]+)'")
_ALL: Final = "*"


class Script(NamedTuple):
    """A script as the server gets it."""

    source: bytes
    digest: bytes
    keys: tuple[str, ...]
    """The names of the fixed keys; those that are given with the call follow."""


class PreparedScript(NamedTuple):
    """A script for one queue. What is the same in every call is packed once: a script may have sixty keys."""

    script: Script
    fixed: tuple[bytes, ...]
    """The keys that are fixed."""
    packed_name: bytes
    packed_fixed: bytes

    @classmethod
    def of(cls, script: Script, layout: Layout) -> PreparedScript:
        """Prepare it for the queue of this layout."""
        fixed = tuple([layout.key(key) for key in script.keys])
        return cls(script, fixed, bytes(pack_end((b"EVALSHA", script.digest))), bytes(pack_end(fixed)))

    def pack(self, keys: Sequence[bytes], args: Sequence[Argument]) -> bytes:
        """Return the call that names the script by its digest."""
        count = len(self.fixed) + len(keys)
        begin = b"*%d\r\n" % (3 + count + len(args))
        return b"".join((begin, self.packed_name, _pack_number(count), self.packed_fixed, pack_end((*keys, *args))))

    def pack_in_full(self, keys: Sequence[bytes], args: Sequence[Argument]) -> bytes:
        """Return the call that brings the source along."""
        return pack_parts((b"EVAL", self.script.source, len(self.fixed) + len(keys), *self.fixed, *keys, *args))


class Scripts:
    """The scripts of one queue, on the connection of one session."""

    def __init__(self, layout: Layout, wire: Wire) -> None:
        self._layout = layout
        self._wire = wire
        self._ready: dict[str, PreparedScript] = {}

    def run(self, name: str, args: Sequence[Argument] = (), keys: Sequence[bytes] = ()) -> Awaitable[Any]:
        """Run a script, also if the caller is cancelled meanwhile; ``keys`` are those that are not fixed."""
        prepared = self._ready.get(name)
        if prepared is None:
            script = read_script(name, self._layout.flavour)
            prepared = self._ready[name] = PreparedScript.of(script, self._layout)
        try:
            packed = prepared.pack(keys, args)
        except UnicodeEncodeError as error:
            raise no_utf8(error) from None
        return self._wire.call(Command(packed, lambda: prepared.pack_in_full(keys, args)))


@lru_cache(1000)
def _pack_number(number: int) -> bytes:
    return bytes(pack_end((number,)))


@cache
def read_script(name: str, flavour: Flavour) -> Script:
    """Put a script together from its file and its parts."""
    order = _files_of(name, flavour)
    keys = _declared("keys", order, flavour)
    if _ALL in keys:
        keys = [key for key in _declared("keys", sorted(_TEXTS), flavour) if key not in _GIVEN]
    fixed = [key for key in keys if key not in (*_GIVEN, _ALL)]
    names = [*fixed, *(key for key in _GIVEN if key in keys)]
    numbered = {key: f"KEYS[{number}]" for number, key in enumerate(names, 1)}
    numbered["FIRST_HELD"] = str(len(names))
    text = "\n".join(_TEXTS[file] for file in order)
    source = _NAME.sub(lambda match: numbered.get(match[0], match[0]), text).encode()
    return Script(source, hashlib.sha1(source).hexdigest().encode(), tuple(fixed))


@cache
def commands_of(names: frozenset[str], flavour: Flavour) -> list[str]:
    """List the commands that these scripts may call."""
    files = {file for name in names for file in _files_of(name, flavour)}
    return sorted({command for file in files for command in _CALL.findall(_TEXTS[file])})


def _files_of(name: str, flavour: Flavour) -> list[str]:
    """List the files of a script, each after those that it needs."""
    order: list[str] = []
    for file in (*_declared("first", [name], flavour), name):
        _collect(file, order, flavour)
    return order


def _collect(name: str, order: list[str], flavour: Flavour) -> None:
    """Append a file to the order, after all parts that it needs."""
    for part in _declared("parts", [name], flavour):
        if part not in order:
            _collect(part, order, flavour)
    order.append(name)


def _declared(what: str, names: Sequence[str], flavour: Flavour) -> list[str]:
    found: dict[str, None] = {}
    for name in names:
        for declared, listed in _declarations(name):
            if declared == what:
                found.update(dict.fromkeys(_names(listed, flavour)))
    return list(found)


@cache
def _declarations(name: str) -> list[tuple[str, str]]:
    return _DECLARATION.findall(_TEXTS[name])


def _names(listed: str, flavour: Flavour) -> list[str]:
    return listed.replace("<queue>", flavour.queue).replace("<results>", flavour.results).split()


def _read_all() -> Mapping[str, str]:
    """Return the text of every file by its name: in which folder one stands is for the reader."""
    top = resources.files("hueyio.storage.redis").joinpath("lua")
    folders = [top, *(it for it in top.iterdir() if it.is_dir())]
    files = [file for folder in folders for file in folder.iterdir() if file.name.endswith(".lua")]
    return {file.name.removesuffix(".lua"): file.read_text("utf-8") for file in files}


_TEXTS: Final = _read_all()

SCRIPTS: Final = frozenset([name for name in _TEXTS if not name.startswith("_")])
"""The names of all scripts."""
