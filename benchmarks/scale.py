"""Very many tasks through one queue on PostgreSQL: whether the last ones cost the server what the first ones did.

A producer keeps a short backlog ahead of one worker. For a part of it a transaction stays open elsewhere, with a
snapshot and an id, so that nothing that was deleted since can be removed. Looked at are stretches that end at a tenth,
at half and at the end, and the sizes of tables and indexes, also when that transaction has ended and a vacuum is done.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg

from benchmarks.child import Child, ChildFailed
from benchmarks.contenders import Contender
from benchmarks.environment import describe, facts
from benchmarks.page import check_place, put
from benchmarks.postgres_server import MeasuredPostgres
from benchmarks.scale_report import Run, Sizes, Stretch, to_markdown

__all__ = ["add_options", "run"]

_MARKS: Final = (0.1, 0.5, 1.0)
"""Where stretches end, as shares of all tasks."""
_STRETCH: Final = 0.05
"""How long each is."""
_OPEN: Final = (0.3, 0.6)
"""From where to where the transaction is open."""
_BACKLOG: Final = 20_000
_PORTION: Final = 10_000
_CHUNK: Final = 1_000
_LOOK_EVERY: Final = 0.02
_TELL_EVERY: Final = 10.0
_STILL: Final = 120.0
"""Seconds in which at least one task has to end."""

_PAGES: Final = "SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = current_database()"
_SIZES: Final = (
    "SELECT relname::text, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class "
    "WHERE relnamespace = 'hueyio'::regnamespace AND relkind = 'r' ORDER BY relname"
)


class _Look(NamedTuple):
    done: int
    at: float
    cpu: float
    wal: int
    pages: int

    def to(self, later: _Look) -> Stretch:
        tasks = later.done - self.done
        return Stretch(
            until=later.done,
            rate=tasks / (later.at - self.at),
            cpu=1e6 * (later.cpu - self.cpu) / tasks,
            pages=(later.pages - self.pages) / tasks,
            wal=(later.wal - self.wal) / tasks,
        )


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--tasks", type=_tasks, default=10_000_000, metavar="N", help="(default: 10,000,000)")
    parser.add_argument("--ttl", type=float, default=60.0, help="seconds that a result is kept (default: 60)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="write the report into a page of the docs")


def run(options: argparse.Namespace, postgres: MeasuredPostgres, folder: Path) -> None:
    """Run very many tasks through one queue, a transaction open elsewhere for a part of it; report costs and sizes."""
    if options.write is not None:
        check_place(options.write, "scale")
    postgres.clear()
    ours = Contender(name="hueyio", library="hueyio", kind="postgres", options={"result_ttl": options.ttl})
    with Child(ours, postgres.url) as producer, Child(ours, postgres.url) as worker:
        producer.ask("connect")  # makes the tables
        with psycopg.connect(postgres.own_url, autocommit=True) as connection:
            worker.ask("consume")
            found = _Drive(options.tasks, postgres, connection, producer, worker).drive()
    told = to_markdown(found, describe(facts(None, (), postgres)), options.ttl)
    print(told, flush=True)
    if options.write is not None:
        put(options.write, "scale", told)


class _Drive:
    """One run: feeds the worker, and looks at what is told at which count."""

    def __init__(
        self,
        tasks: int,
        postgres: MeasuredPostgres,
        connection: psycopg.Connection[tuple[Any, ...]],
        producer: Child,
        worker: Child,
    ) -> None:
        self._tasks = tasks
        self._postgres = postgres
        self._connection = connection
        self._producer = producer
        self._worker = worker
        self._portion = max(min(_PORTION, tasks // 100), 1)
        self._sent = 0
        self._begun = self._told_at = time.monotonic()

    def drive(self) -> Run:
        """Run all tasks."""
        run = Run(self._tasks, [], [])
        early, middle, end = _MARKS
        self._measure(run, early)
        self._go_to(self._count(_OPEN[0]))
        self._weigh(run, "before the transaction")
        with psycopg.connect(self._postgres.own_url) as elsewhere:
            elsewhere.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            elsewhere.execute("SELECT pg_current_xact_id()")
            _say("a transaction is open elsewhere")
            self._measure(run, middle)
            self._go_to(self._count(_OPEN[1]))
            self._weigh(run, "at its end")
            elsewhere.rollback()
        self._vacuum()
        self._weigh(run, "after one vacuum")
        self._measure(run, end)
        self._vacuum()
        self._weigh(run, "at the end, after another")
        return run

    def _measure(self, run: Run, mark: float) -> None:
        """Go to where the stretch before a mark begins, and measure from there to the mark."""
        self._go_to(self._count(mark - _STRETCH))
        before = self._look()
        self._go_to(self._count(mark))
        run.stretches.append(before.to(self._look()))

    def _count(self, share: float) -> int:
        return round(share * self._tasks)

    def _go_to(self, count: int) -> None:
        """Run tasks until so many are done; more are on their way then, but at the end."""
        moved_at, done = time.monotonic(), self._done()
        while done < count:
            if self._sent < self._tasks and self._sent - done < min(_BACKLOG, 2 * self._portion):
                portion = min(self._portion, self._tasks - self._sent)
                self._producer.ask("bulk", count=portion, chunk=min(_CHUNK, portion))
                self._sent += portion
            else:
                time.sleep(_LOOK_EVERY)
            before, done = done, self._done()
            if done > before:
                moved_at = time.monotonic()
            elif time.monotonic() > moved_at + _STILL:
                raise ChildFailed(f"no task has ended for {_STILL:g} s, {done:,} of {self._tasks:,} have")
            self._tell(done)

    def _done(self) -> int:
        return int(self._worker.ask("runs")["runs"])

    def _look(self) -> _Look:
        used = self._postgres.used()
        ((pages,),) = self._connection.execute(_PAGES).fetchall()
        return _Look(self._done(), time.monotonic(), used.cpu, used.wal, int(pages))

    def _weigh(self, run: Run, when: str) -> None:
        found = self._connection.execute(_SIZES.encode()).fetchall()
        run.sizes.append(Sizes(when, self._done(), {name: (table, indexes) for name, table, indexes in found}))

    def _vacuum(self) -> None:
        """Vacuum what the worker uses, as anybody does by hand: the end of a table that is empty goes to the disk."""
        _say("vacuum")
        for name, _, _ in self._connection.execute(_SIZES.encode()).fetchall():
            self._connection.execute(f"VACUUM (TRUNCATE) hueyio.{name}".encode())

    def _tell(self, done: int) -> None:
        now = time.monotonic()
        if now < self._told_at + _TELL_EVERY or not done:
            return
        self._told_at = now
        rate = done / (now - self._begun)
        left = (self._tasks - done) / rate / 60
        _say(f"{done:,} of {self._tasks:,}, {rate:,.0f} tasks/s, {self._sent - done:,} wait, {left:.0f} min left")


def _tasks(text: str) -> int:
    value = int(text.replace(",", "").replace("_", ""))
    if value < 1_000:
        raise argparse.ArgumentTypeError("must be at least 1,000")
    return value


_BEGUN: Final = time.monotonic()


def _say(what: str) -> None:
    """Show progress."""
    print(f"[{time.monotonic() - _BEGUN:6.1f} s] {what}", file=sys.stderr, flush=True)
