"""What somebody should know who wonders why a queue does not do what he expects: settings of the server, other queues.

Each question may be forbidden to this user, or be unknown to the server; then there is no answer to it, and no error.
"""

from __future__ import annotations

import logging
import re
from typing import Any, Final
from urllib.parse import unquote

from hueyio.exceptions import HueyException
from hueyio.storage.redis.connection.command import pack
from hueyio.storage.redis.connection.eviction import find_danger
from hueyio.storage.redis.connection.wire import Wire

__all__ = ["find_dangers", "find_neighbours", "read_persistence"]

logger = logging.getLogger(__name__)

_SCAN_CHUNK: Final = 1000
_MOST_SCANS: Final = 200
"""How often the server is asked for a part of its keys: 200,000 keys are looked at, which takes it about 50 ms."""

_FIELD: Final = re.compile(rb"^(\w+):(\S*)", re.MULTILINE)


async def find_dangers(wire: Wire, name: str) -> list[str]:
    """Return what may lose tasks of this queue, or hide them, each as a sentence."""
    memory = await _ask(wire, "INFO", "memory")
    persistence = await _ask(wire, "INFO", "persistence")
    saves = await _ask(wire, "CONFIG", "GET", "save")
    strangers = await _ask(wire, "LLEN", _key_of_huey(name))
    found = [
        None if memory is None else find_danger(memory),
        None if persistence is None else read_persistence(persistence, _value(saves)),
        None
        if not strangers
        else f"huey.redis.{name} holds {strangers} tasks of Huey; `hueyio import-huey` moves them",
    ]
    return [it for it in found if it is not None]


async def find_neighbours(wire: Wire, sign: str = "tasks") -> list[str]:
    """Return the names of the queues on this server that a bounded look finds, by name: those that have this key."""
    names: set[str] = set()
    cursor: Any = b"0"
    for _ in range(_MOST_SCANS):
        part = await _ask(wire, "SCAN", cursor, "MATCH", f"hueyio:{{*}}:{sign}", "COUNT", _SCAN_CHUNK)
        if part is None:
            break
        cursor, keys = part
        names.update(unquote(key.decode().partition("{")[2].rpartition("}")[0]) for key in keys)
        if cursor in (b"0", 0):
            break
    return sorted(names)


def read_persistence(info: bytes, saves: bytes | None) -> str | None:
    """Read what INFO says of persistence, and CONFIG of snapshots (None: not known); return what is dangerous."""
    found = dict(_FIELD.findall(info))
    has_log = found.get(b"aof_enabled") == b"1"
    if has_log and found.get(b"aof_last_write_status", b"ok") != b"ok":
        return "the server cannot write its append-only file: see its log"
    if not has_log and found.get(b"rdb_last_bgsave_status", b"ok") != b"ok":
        return "the server cannot write its snapshot: see its log"
    if not has_log and saves == b"":
        return "the server keeps nothing on disk: its end is the end of all tasks. Set appendonly yes"
    return None


async def _ask(wire: Wire, *command: Any) -> Any:
    try:
        return await wire.call(pack(*command))
    except HueyException as error:
        logger.debug("%s: %s", command[0], error)
        return None


def _value(reply: Any) -> bytes | None:
    """Return the value of the one setting that CONFIG GET was asked for."""
    if isinstance(reply, dict):
        reply = [part for pair in reply.items() for part in pair]
    return bytes(reply[1]) if isinstance(reply, list) and len(reply) == 2 else None


def _key_of_huey(name: str) -> str:
    # Huey leaves all other characters out.
    return f"huey.redis.{re.sub('[^A-Za-z0-9_]', '', name)}"
