"""How the rows are measured that only the table of PostgreSQL has, of one contender, once."""

from __future__ import annotations

import time
from typing import Final

from benchmarks.child import Child, ChildFailed
from benchmarks.contenders import Contender
from benchmarks.measures import idle_worker, share_of
from benchmarks.postgres_server import Used
from benchmarks.protocol import Figures
from benchmarks.trial import Bench

__all__ = ["wait_for_body", "weigh_a_task"]

_BATCH: Final = 100
_REST: Final = 0.5
"""Seconds after which the last outcomes are written, by those who do that behind the last body."""
_PATIENCE: Final = 90.0
_LOOK_EVERY: Final = 0.02


def wait_for_body(bench: Bench, contender: Contender, scale: float) -> Figures:
    """Enqueue one after another beside an idle worker; how long it takes from each call to its body."""
    with idle_worker(bench, contender) as (worker, producer):
        count = producer.ask("stamped", count=max(round(300 * min(scale, 1.0)), 20), pause=0.005)["tasks"]
        give_up = time.monotonic() + _PATIENCE
        while worker.ask("runs")["runs"] < count:
            if time.monotonic() > give_up:
                raise ChildFailed(f"{contender.name}: not all of {count:g} tasks have run after {_PATIENCE:g} s")
            time.sleep(_LOOK_EVERY)
        took = worker.ask("delays")
    return {"p50 ms": took["p50"], "p99 ms": took["p99"]}


def weigh_a_task(bench: Bench, contender: Contender, scale: float) -> Figures:
    """Enqueue and drain, 100 at a time; what that is to the server, and once more how many statements it takes."""
    count = share_of(contender, 20_000, scale, least=_BATCH) // _BATCH * _BATCH
    enqueued, drained = _use(bench, contender, count)
    used = Used(enqueued.cpu + drained.cpu, enqueued.wal + drained.wal)
    fewer = max(count // 4 // _BATCH * _BATCH, _BATCH)
    with bench.postgres.counting() as counted:
        _use(bench, contender, fewer)
    return {
        "statements": counted[0] / fewer,
        "bytes of WAL": used.wal / count,
        "CPU us": 1e6 * used.cpu / count,
        "bytes of WAL, in": enqueued.wal / count,
        "CPU us, in": 1e6 * enqueued.cpu / count,
    }


def _use(bench: Bench, contender: Contender, count: int) -> tuple[Used, Used]:
    """Return what the server has used for the enqueues, and for the drain with the start of its worker."""
    server = bench.postgres
    with bench.empty(contender) as address:
        with Child(contender, address) as producer:
            producer.ask("connect")  # makes the tables
            before = server.used()
            producer.ask("bulk", count=count, chunk=_BATCH)
            enqueued = server.used().since(before)
        with Child(contender, address) as worker:
            worker.ask("cpu")  # it has been imported
            before = server.used()
            worker.ask("drain", count=count, patience=_PATIENCE)
            time.sleep(_REST)
            return enqueued, server.used().since(before)
