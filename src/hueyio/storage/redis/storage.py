"""Storage on a Redis or Valkey server (6.2 or later), or on anything that speaks its protocol and runs its scripts.

Theory of operation. Every task is in the hash ``tasks`` from its enqueue to its end; queues hold ids. A claim moves
ids from a lane's list to the in-flight hash of their owner, a settlement takes them out of both; each operation is
one Lua script, so one atomic step and one round trip. Idle consumers block on bells, which carry no tasks. Keys, all
with the prefix of ``layout.py``:

=====================  ==========  ====================================================================
tasks                  hash        id → record (``lua/parts/_records.lua``)
ready:<lane>           list        ids, the next to be claimed first; a sorted set in the priority classes
suspects:<lane>        list        ids with a single delivery left; a sorted set likewise
sequence               counter     numbers in sorted sets
kind:<list or sorted>  string      the class that writes this queue
schedule               sorted set  ids by eta
held:<owner>           hash        id → deliveries and marks: what is in flight under a lease
deliveries             hash        the same for redelivered tasks while they are not in flight
owners                 hash        owner → heartbeat; ``owners:info``, ``:answers``, ``:seen`` beside it
solitary               hash        owner → the suspect that it holds
bell:<lane>            list        tokens, at most 64; ``bell:schedule`` too
waiting                hash        id → the clients that wait for it (``lua/parts/_waiting.lua``)
results, data, ...     hash        one per area, each with ``<area>:ttl``, a sorted set of deadlines
shared                 sorted set  results that several clients waited for, until they expire
unique                 hash        unique key → id that holds it
once                   sorted set  once tokens by the end of their time
expected               hash        id → the live tasks that expect it, or the latch
stages                 hash        id → the message of a later stage, and the id of the one after it
latches                hash        id of a chord's callback → size and callback; ``latch:counts`` beside it
reports                hash        id of a chord's callback and position → the member result
progress               hash        id → what the run that is under way reported last
paused                 string      there while the queue is paused: when and by whom
audit                  list        lines of the audit log, the latest last; ``audit:number`` beside it
cancelled              set         flagged ids
dead                   hash        dead letters; ``dead:times``, ``dead:kinds``, ``dead:dropped`` beside it
failed                 hash        failed tasks; ``failed:times``, ``failed:size`` beside it
history                list        what is remembered of ended tasks, an entry a batch; ``history:state`` beside it
attempts               hash        what is remembered of attempts, by ids; ``attempts:order`` beside it
revocations:written    counter     how often revocations were written
=====================  ==========  ====================================================================
"""

from __future__ import annotations

from typing import Any, ClassVar

from hueyio.exceptions import ConfigurationError
from hueyio.storage.clock import ServerClock
from hueyio.storage.contract import Capabilities
from hueyio.storage.records import (
    DEAD_LIMIT,
    FAILED_BYTES,
    FAILED_TTL,
    HISTORY_TTL,
    KEEP_ENDED,
    KEEP_FAILED,
    KEEP_HISTORY,
)
from hueyio.storage.redis.connection.arguments import read_deployment
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.heartbeat import RedisLeaseKeeper
from hueyio.storage.redis.layout import Flavour, Layout
from hueyio.storage.redis.session import RedisSession
from hueyio.storage.shared.ended import check_keep_ended
from hueyio.storage.shared.history import check_history_bounds
from hueyio.storage.shared.letters import check_failed_bounds

__all__ = ["RedisStorage"]


class RedisStorage:
    """One queue on a Redis or Valkey server, first come, first served: a list has no priorities.

    ``PriorityRedisStorage`` has them, ``RedisExpireStorage`` keeps results for a time and lets them be read repeatedly.
    Say where the server is in one way: ``url``, ``connection_pool``, ``client`` or parameters of the connection.

    ===================  ============================================================================================
    ``name``             the queue's name
    ``url``              redis://, rediss:// or unix://; what is None here and below counts as not given
    ``host``             the server's name or address
    ``port``             its port
    ``db``               the number of the database
    ``username``         whom to log in as
    ``password``         with which password
    ``connection_pool``  a pool of redis-py, of which only the settings are used
    ``client``           a client of redis-py, of which only the settings are used
    ``client_name``      what ``CLIENT LIST`` shows
    ``blocking``         wait for work in a blocking command; False: look at the doorbell every ``read_timeout``
    ``read_timeout``     seconds between two looks with ``blocking=False``
    ``dead_limit``       dead letters that are kept
    ``keep_ended``       about how many ended ids are remembered, at least half of that
    ``keep_failed``      failed tasks that are kept
    ``failed_bytes``     bytes that they may take together
    ``failed_ttl``       seconds for which they are kept
    ``keep_history``     ended tasks that the history has, and attempts that failed
    ``history_ttl``      seconds for which it has them
    ``outage_timeout``   seconds for which connecting, enqueueing, the beginning of a wait, and whatever else callers
                         read and write are repeated while the server cannot be used, before they raise
                         StorageUnavailable; 0: not at all
    ===================  ============================================================================================

    Further arguments (``ssl``, ``unix_socket_path``, ...) go to redis-py's connections.
    """

    _flavour: ClassVar[Flavour] = Flavour()

    def __init__(
        self,
        name: str = "huey",
        *,
        url: str | None = None,
        host: str | None = None,
        port: int | None = None,
        db: int | None = None,
        username: str | None = None,
        password: str | None = None,
        connection_pool: Any = None,
        client: Any = None,
        client_name: str | None = None,
        blocking: bool = True,
        read_timeout: float = 1,
        dead_limit: int = DEAD_LIMIT,
        keep_ended: int = KEEP_ENDED,
        keep_failed: int = KEEP_FAILED,
        failed_bytes: int = FAILED_BYTES,
        failed_ttl: float = FAILED_TTL,
        keep_history: int = KEEP_HISTORY,
        history_ttl: float = HISTORY_TTL,
        outage_timeout: float = 2,
        **connection_params: Any,
    ) -> None:
        if isinstance(read_timeout, bool) or not isinstance(read_timeout, (int, float)) or not read_timeout > 0:
            raise ConfigurationError(f"read_timeout must be seconds > 0, not {read_timeout!r}")
        if isinstance(dead_limit, bool) or not isinstance(dead_limit, int) or dead_limit < 0:
            raise ConfigurationError(f"dead_limit must be a whole number that is not negative, not {dead_limit!r}")
        check_keep_ended(type(self).__name__, keep_ended)
        check_failed_bounds(type(self).__name__, keep_failed, failed_bytes, failed_ttl)
        check_history_bounds(type(self).__name__, keep_history, history_ttl)
        if not isinstance(outage_timeout, (int, float)) or not outage_timeout >= 0:
            raise ConfigurationError(f"outage_timeout must be seconds, and not negative, not {outage_timeout!r}")
        params = {"host": host, "port": port, "db": db, "username": username, "password": password}
        self._name = name
        self._layout = Layout(name, self._flavour)
        self._deployment = read_deployment(
            self._layout.prefix,
            url=url,
            connection_pool=connection_pool,
            client=client,
            client_name=client_name,
            connection_params={**params, **connection_params},
        )
        self._poll_rest = None if blocking else float(read_timeout)
        self._dead_limit = dead_limit
        self._keep_ended = keep_ended
        self._keep_failed = keep_failed
        self._failed_bytes = failed_bytes
        self._failed_ttl = float(failed_ttl)
        self._keep_history = keep_history
        self._history_ttl = float(history_ttl)
        self._outage_timeout = float(outage_timeout)
        self._clock = ServerClock()
        keeps_history = self._keep_history > 0 and self._history_ttl > 0
        # Every read asks for them.
        self._capabilities = Capabilities(
            priorities=self._flavour.queue == "sorted", keeps_history=keeps_history, claims_with_settlement=True
        )

    @property
    def name(self) -> str:
        """The queue's name."""
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        """Seen by all processes; priorities only where the ready queues are sorted sets."""
        return self._capabilities

    @property
    def clock(self) -> ServerClock:
        """The server's; every session that opens and every worker's schedule sets it."""
        return self._clock

    async def connect(self) -> RedisSession:
        """Open a session for the running loop. Raises StorageUnavailable or ConfigurationError."""
        core = RedisCore(
            self._deployment,
            self._layout,
            type(self).__name__,
            self._clock,
            dead_limit=self._dead_limit,
            keep_ended=self._keep_ended,
            keep_failed=self._keep_failed,
            failed_bytes=self._failed_bytes,
            failed_ttl=self._failed_ttl,
            keep_history=self._keep_history,
            history_ttl=self._history_ttl,
            poll_rest=self._poll_rest,
            outage_timeout=self._outage_timeout,
        )
        return await RedisSession.open(core, self._name)

    def lease_keeper(self, owner: str) -> RedisLeaseKeeper:
        """Make the heartbeat of one owner; connects at the first beat."""
        return RedisLeaseKeeper(self._deployment, self._layout, owner)

    def __str__(self) -> str:
        return f"{self._deployment}, queue {self._name!r}"
