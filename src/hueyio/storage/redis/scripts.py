"""The Lua scripts: read from their files, put together from parts, and run by their digest.

A script has the name of its operation and stands in the folder of its role; ``lua/parts`` holds what several are made
of. A file says in its first comment which keys and which parts it needs, and what shall stand before these parts::

    -- keys: OWNERS HELD
    -- parts: _held _clock _queue_<queue>
    -- first: _claim_plain

``<queue>`` and ``<results>`` are the flavour of the storage: there is a part for each, and nothing else differs. Parts
are put in front, each once, and the name of a key is replaced by its ``KEYS[n]``, so that each script declares all keys
that it touches. (Local variables would cost more: every function that uses one has to find it when
it is made.) Most names are fixed for a queue (``Layout.key``). HELD (one owner's), AREA and AREA_TTL are given with
the call and come after the fixed ones; ``HELD*`` stands for any number of owners', from ``KEYS[FIRST_HELD]`` on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Mapping, Sequence
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final, NamedTuple, TypeAlias

from hueyio.storage.redis.connection.command import Command, pack_parts
from hueyio.storage.redis.connection.wire import Wire
from hueyio.storage.redis.layout import Flavour, Layout
from hueyio.storage.redis.records import no_utf8

__all__ = ["Argument", "Scripts", "read_script"]

Argument: TypeAlias = bytes | str | int | float

_GIVEN: Final = ("HELD", "AREA", "AREA_TTL", "HELD*")
_DECLARATION: Final = re.compile(r"^-- (keys|parts|first): (.+)$", re.MULTILINE)
_NAME: Final = re.compile(r"\b[A-Z][A-Z_]+\b")


class Script(NamedTuple):
    """A script as the server gets it."""

    source: bytes
    digest: bytes
    keys: tuple[str, ...]
    """The names of the fixed keys; those that are given with the call follow."""


class Scripts:
    """The scripts of one queue, on the connection of one session."""

    def __init__(self, layout: Layout, wire: Wire) -> None:
        self._layout = layout
        self._wire = wire
        self._ready: dict[str, tuple[Script, tuple[bytes, ...]]] = {}

    def run(self, name: str, args: Sequence[Argument] = (), keys: Sequence[bytes] = ()) -> Awaitable[Any]:
        """Run a script, also if the caller is cancelled meanwhile; ``keys`` are those that are not fixed."""
        prepared = self._ready.get(name)
        if prepared is None:
            script = read_script(name, self._layout.flavour)
            prepared = self._ready[name] = (script, tuple([self._layout.key(key) for key in script.keys]))
        script, fixed = prepared
        rest: tuple[Any, ...] = (len(fixed) + len(keys), *fixed, *keys, *args)
        try:
            packed = pack_parts((b"EVALSHA", script.digest, *rest))
        except UnicodeEncodeError as error:
            raise no_utf8(error) from None
        return self._wire.call(Command(packed, lambda: pack_parts((b"EVAL", script.source, *rest))))


@cache
def read_script(name: str, flavour: Flavour) -> Script:
    """Put a script together from its file and its parts."""
    order: list[str] = []
    for file in (*_declared("first", [name], flavour), name):
        _collect(file, order, flavour)
    keys = _declared("keys", order, flavour)
    fixed = [key for key in keys if key not in _GIVEN]
    names = [*fixed, *(key for key in _GIVEN if key in keys)]
    numbered = {key: f"KEYS[{number}]" for number, key in enumerate(names, 1)}
    numbered["FIRST_HELD"] = str(len(names))
    text = "\n".join(_text(file) for file in order)
    source = _NAME.sub(lambda match: numbered.get(match[0], match[0]), text).encode()
    return Script(source, hashlib.sha1(source).hexdigest().encode(), tuple(fixed))


def _collect(name: str, order: list[str], flavour: Flavour) -> None:
    """Append a file to the order, after all parts that it needs."""
    for part in _declared("parts", [name], flavour):
        if part not in order:
            _collect(part, order, flavour)
    order.append(name)


def _declared(what: str, names: Sequence[str], flavour: Flavour) -> list[str]:
    found: dict[str, None] = {}
    for name in names:
        for declared, listed in _DECLARATION.findall(_text(name)):
            if declared == what:
                found.update(dict.fromkeys(_names(listed, flavour)))
    return list(found)


def _names(listed: str, flavour: Flavour) -> list[str]:
    return listed.replace("<queue>", flavour.queue).replace("<results>", flavour.results).split()


@cache
def _text(name: str) -> str:
    return _files()[f"{name}.lua"].read_text("utf-8")


@cache
def _files() -> Mapping[str, Traversable]:
    """Return all files by their names: in which folder one stands is for the reader."""
    top = resources.files("hueyio.storage.redis").joinpath("lua")
    folders = [top, *(it for it in top.iterdir() if it.is_dir())]
    return {file.name: file for folder in folders for file in folder.iterdir()}
