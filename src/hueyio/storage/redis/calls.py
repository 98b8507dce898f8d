"""The operations of the contract as calls of scripts: how arguments become the script's, and its reply the answer.

Each role has a table of its operations. Nearly all are a ``ScriptCall``: one call of the script of that name, hence one
round trip and one atomic step. What is more than that is a function, ``composed``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from hueyio.exceptions import StorageUnavailable
from hueyio.named_tuple import NamedTuple
from hueyio.storage.operations import OPERATIONS
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.records import no_utf8
from hueyio.storage.redis.scripts import Argument

__all__ = ["Operation", "ScriptCall", "Sent", "Table", "as_bool", "composed"]

Operation: TypeAlias = Callable[..., Awaitable[Any]]
"""An operation in one session; it gets the arguments of the contract's method, in order."""

Table: TypeAlias = Mapping[str, Callable[[RedisCore, str], Operation]]
"""The operations of a role by their names; each is bound to a session's core and its name."""


class Sent(NamedTuple):
    """What a script gets."""

    args: Sequence[Argument] = ()
    keys: Sequence[bytes] = ()
    """Those that are not fixed."""


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """One call of the script that has the operation's name."""

    write: Callable[..., Sent | None]
    """Gets the layout and the operation's arguments. None: there is nothing to do, as if the script answered ``()``."""
    read: Callable[..., Any] = lambda reply, *_: reply
    """Gets the reply and the operation's arguments."""
    rides_out: bool = False
    """Whether the caller waits for a server that is away. Consumers have a patience of their own."""
    is_over_fleet: bool = False
    """Whether the script looks at what every owner holds."""

    def __call__(self, core: RedisCore, name: str) -> Operation:
        """Bind it to a session."""
        call = partial(self._run, core, name)
        return partial(self._ride_out, core, call, OPERATIONS[name].is_idempotent) if self.rides_out else call

    async def _run(self, core: RedisCore, name: str, *args: Any) -> Any:
        try:
            sent = self.write(core.layout, *args)
        except UnicodeEncodeError as error:
            raise no_utf8(error) from None
        if sent is None:
            core.lifetime.check()
            return self.read((), *args)
        reply = await (core.run_over_fleet(name, sent.args) if self.is_over_fleet else core.run(name, *sent))
        return self.read(reply, *args)

    async def _ride_out(self, core: RedisCore, call: Operation, is_idempotent: bool, *args: Any) -> Any:
        # As `core.through_outage`, but without its detour.
        since = core.time()
        try:
            return await call(*args)
        except StorageUnavailable as error:
            return await core.ride_out(lambda: call(*args), error, since, is_idempotent=is_idempotent)


def composed(function: Callable[..., Awaitable[Any]]) -> Callable[[RedisCore, str], Operation]:
    """Return a table's row for a function that gets the core before the operation's arguments."""
    return lambda core, _: partial(function, core)


def as_bool(reply: Any, *_: Any) -> bool:
    """Answer whether the script did it."""
    return bool(reply)
