"""Hears from the Sentinels that another server is the master now, before the old one knows of it itself.

Theory of operation. In a planned fail-over the old master goes on to take writes until the Sentinels make it a
replica, seconds later, and these writes are lost. So a session listens to every Sentinel, each on a connection that
is quiet but for signs of life and is made again, less and less often, when it breaks. Whoever announces the new
master first has all connections to the old one cut. What was under way there fails, and is done on the new one by
whoever repeats it. When a connection to a Sentinel is made, that Sentinel is asked who the master is, because an
announcement may have been missed; the answer is no more than a hint, since this Sentinel may be the last to know.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from hueyio.exceptions import HueyException
from hueyio.storage.redis.connection.connecting import ask
from hueyio.storage.redis.connection.deployment import Address, Question, Sentinels, Standalone
from hueyio.storage.redis.connection.mailbox import Mailbox
from hueyio.storage.redis.connection.options import RedisOptions
from hueyio.storage.shared.lifetime import Lifetime

__all__ = ["Succession", "read_promotion", "read_switch"]

logger = logging.getLogger(__name__)

_LONGEST_BACK_OFF: Final = 10.0
"""Seconds: the other Sentinels can be heard meanwhile."""


class Succession:
    """Listens for one session. ``leave`` is told where the master is, and has what is connected elsewhere cut."""

    def __init__(self, sentinels: Sentinels, lifetime: Lifetime, leave: Callable[[RedisOptions], None]) -> None:
        self._sentinels = sentinels
        self._lifetime = lifetime
        self._leave = leave

    def begin(self) -> None:
        """Listen to every Sentinel from now on, until the session ends."""
        for sentinel in self._sentinels.sentinels:
            self._lifetime.spawn(self._listen(sentinel))

    async def _listen(self, sentinel: RedisOptions) -> None:
        mailbox = Mailbox(
            Standalone(sentinel),
            self._lifetime,
            is_needed=lambda: True,
            on_connected=partial(self._look, sentinel),
            longest_back_off=_LONGEST_BACK_OFF,
        )
        # One that cannot be reached now is tried again by the mailbox; there is nothing to raise.
        await asyncio.gather(
            mailbox.subscribe(b"+switch-master", lambda message: self._take(read_switch(message, self._name))),
            mailbox.subscribe(b"+promoted-slave", lambda message: self._take(read_promotion(message, self._name))),
            return_exceptions=True,
        )

    @property
    def _name(self) -> str:
        return self._sentinels.master

    def _take(self, address: Address | None) -> None:
        if address is None:
            return
        server = self._sentinels.options.at(*address)
        if self._sentinels.announce(address):
            logger.info("%s is the master %r now", server, self._name)
        self._leave(server)

    async def _look(self, sentinel: RedisOptions) -> None:
        address = await ask(Question(sentinel, ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._name)))
        if address is not None and not isinstance(address, HueyException):
            self._leave(self._sentinels.options.at(address[0].decode(), int(address[1])))


def read_switch(message: bytes, name: str) -> Address | None:
    """Read ``<master name> <old ip> <old port> <new ip> <new port>``; None if another master is meant."""
    words = message.decode(errors="replace").split()
    if len(words) != 5 or words[0] != name or not words[4].isdigit():
        return None
    return Address(words[3], int(words[4]))


def read_promotion(message: bytes, name: str) -> Address | None:
    """Read ``slave <name> <ip> <port> @ <master name> <ip> <port>``; None if another master is meant.

    The server has taken the role, and the switch is announced when all other replicas follow it: that may take long.
    """
    words = message.decode(errors="replace").split()
    if len(words) != 8 or words[5] != name or not words[3].isdigit():
        return None
    return Address(words[2], int(words[3]))
