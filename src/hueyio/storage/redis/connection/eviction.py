"""A server that evicts keys when its memory is full loses tasks; so who consumes from it is warned, once."""

from __future__ import annotations

import logging
import re
from typing import Final

from hueyio.exceptions import HueyException
from hueyio.storage.redis.connection.command import pack
from hueyio.storage.redis.connection.wire import Wire

__all__ = ["find_danger", "warn_of_eviction"]

logger = logging.getLogger(__name__)

_FIELD: Final = re.compile(rb"^(\w+):(\S*)", re.MULTILINE)


async def warn_of_eviction(wire: Wire) -> None:
    """Ask the server how it deals with full memory, and log a warning if it may evict a queue."""
    try:
        info: bytes = await wire.call(pack("INFO", "memory"))
    except HueyException as error:
        logger.debug("cannot tell whether the server evicts keys: %s", error)
        return
    danger = find_danger(info)
    if danger is not None:
        logger.warning("%s", danger)


def find_danger(info: bytes) -> str | None:
    """Read what INFO says of memory; return what is dangerous in it.

    The keys of a queue have no time to live, so that only the policies for all keys reach them.
    """
    found = dict(_FIELD.findall(info))
    policy = found.get(b"maxmemory_policy", b"noeviction").decode()
    if found.get(b"maxmemory", b"0") == b"0" or not policy.startswith("allkeys"):
        return None
    return (
        f"the server evicts keys when its memory is full (maxmemory-policy is {policy}), and tasks with them: "
        "set maxmemory-policy to noeviction"
    )
