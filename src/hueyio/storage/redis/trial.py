"""What a session tries when it opens: whether the server lets it do all that will be needed.

A script that may not call one of its commands stops there, and what it wrote before stays. So no operation may be the
first to find that a right is missing. A session tries the commands of all scripts when it opens: a program that runs no
tasks may cancel one, which takes it out as a worker does. What only a consumer needs is tried before its first lease.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Any, Final

from hueyio.exceptions import ConfigurationError, StorageUnavailable
from hueyio.storage.redis.connection.command import pack
from hueyio.storage.redis.connection.deployment import Standalone
from hueyio.storage.redis.connection.errors import WrongKind
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.layout import CLIENT_LENGTH
from hueyio.storage.redis.scripts import SCRIPTS, commands_of

__all__ = ["try_consuming", "try_producing"]

_OLDEST: Final = "6.2"
"""The first that knows LPOP with a count, SMISMEMBER and ZMSCORE."""

_REPLICA: Final = "is a replica of"


async def try_producing(core: RedisCore) -> None:
    """Find out whether this session can serve its storage.

    Raises StorageUnavailable, ConfigurationError, or StorageError where another kind of storage has tasks under this
    name.
    """

    async def attempt() -> Any:
        commands = commands_of(SCRIPTS, core.layout.flavour)
        asked_at = core.clock.steady()
        version, *told = await core.run("open", (core.writer, *commands))
        if version is None:
            core.clock.hear(float(told[0]), asked_at)
            await _try_directly(core)
        return version

    try:
        version: bytes | None = await core.through_outage(attempt, is_idempotent=True)
    except StorageUnavailable as error:
        if isinstance(core.deployment, Standalone) and _REPLICA in str(error):
            raise ConfigurationError(f"{error}: give the address of that one, or of its Sentinels") from error
        raise
    if version is not None:
        raise ConfigurationError(
            f"{core.deployment} is version {version.decode()} and lacks commands: "
            f"hueyio needs Redis {_OLDEST} or later, or Valkey"
        )


async def try_consuming(core: RedisCore) -> None:
    """Find out whether this session can wait for work; raises StorageUnavailable or ConfigurationError."""
    marker = core.layout.key("OWN_KIND")
    directly = [pack("LPOP", marker)]
    if core.is_blocking:
        directly += [pack("CLIENT", "ID"), pack("BLPOP", marker, 1)]
    for command in directly:
        with suppress(WrongKind):  # the marker is a string, and no list
            await core.wire.call(command)


async def _try_directly(core: RedisCore) -> None:
    """Try what is no script's, on the ordinary connection: nobody else uses it yet."""
    await core.wire.call(pack("EVAL", "return 0", 0))
    channel = core.layout.client_channel(secrets.token_hex(CLIENT_LENGTH // 2))  # on which nobody publishes
    for command in (pack("SUBSCRIBE", channel), pack("PING"), pack("UNSUBSCRIBE", channel)):
        await core.wire.call(command)
