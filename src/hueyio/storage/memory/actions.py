"""What each operation of the contract that does not wait does to the state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from hueyio.storage.memory import consuming, dead, keys, limits, looking, producing, settling

__all__ = ["ACTIONS"]

ACTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "enqueue": producing.enqueue,
    "cancel": producing.cancel,
    "locate": producing.locate,
    "register": consuming.register,
    "deregister": consuming.deregister,
    "owners": consuming.owners,
    "claim": consuming.claim,
    "held": consuming.held,
    "start": consuming.start,
    "settle": settling.settle,
    "promote": consuming.promote,
    "reclaim": consuming.reclaim,
    "report": consuming.report,
    "collect": consuming.collect,
    "put": keys.put,
    "put_if_absent": keys.put_if_absent,
    "peek": keys.peek,
    "pop": keys.pop,
    "delete": keys.delete,
    "compare_delete": keys.compare_delete,
    "compare_extend": keys.compare_extend,
    "add": keys.add,
    "acquire": limits.acquire,
    "renew": limits.renew,
    "release": limits.release,
    "holders": limits.holders,
    "take": limits.take,
    "dead": dead.dead,
    "requeue": dead.requeue,
    "purge": dead.purge,
    "counts": looking.counts,
    "scan_tasks": looking.scan_tasks,
    "scan_keys": looking.scan_keys,
    "clear": looking.clear,
    "pause": looking.pause,
    "resume": looking.resume,
    "is_paused": looking.is_paused,
}
