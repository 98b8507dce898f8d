"""``python -m benchmarks table``: every row of the table, beside every library that can do it, a round each in turn.

``python -m benchmarks postgres`` does the same with the table of what is measured on PostgreSQL.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Final, NamedTuple, cast

from benchmarks import page
from benchmarks.child import ChildFailed
from benchmarks.contenders import PEERS, POSTGRES_PEERS, Contender, Kind, Library
from benchmarks.environment import facts
from benchmarks.peer_environments import prepare
from benchmarks.postgres_rows import POSTGRES_ROWS
from benchmarks.postgres_server import MeasuredPostgres
from benchmarks.rows import ROWS, Row, contenders_of
from benchmarks.samples import Samples, sources
from benchmarks.server import RedisServer
from benchmarks.trial import Bench, Sizes
from benchmarks.verdict import Verdict, judge
from benchmarks.verdict_lines import to_text

__all__ = ["POSTGRES", "TABLE", "Table", "add_options", "run", "run_on_postgres"]


class Table(NamedTuple):
    """The rows of one command, and everybody who is measured in some of them beside hueyio."""

    command: str
    rows: Mapping[str, Row]
    peers: tuple[Library, ...]

    @property
    def file(self) -> Path:
        """Where its figures are kept unless told otherwise."""
        return Path(f".nox/bench/{self.command}.json")


TABLE: Final = Table("table", ROWS, PEERS)
POSTGRES: Final = Table("postgres", POSTGRES_ROWS, POSTGRES_PEERS)


class _Step(NamedTuple):
    row: Row
    number: int
    contender: Contender


def add_options(parser: argparse.ArgumentParser, table: Table) -> None:
    """Say what can be chosen."""
    parser.add_argument(
        "--rows", nargs="+", default=["*"], metavar="NAME", help=f"some of {', '.join(table.rows)}; 'drain*' is several"
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="(default: 3; 0: show what was measured)")
    parser.add_argument(
        "--peers", nargs="*", dest="libraries", default=list(table.peers), choices=table.peers, metavar="NAME",
        help=f"beside hueyio, some of {', '.join(table.peers)} (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--also", nargs="+", default=[], metavar="KEY=VALUE", help="hueyio once more with this option, or with 'uvloop'"
    )
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="so many times the tasks (default: 1)")
    parser.add_argument("--again", action="store_true", help="measure these rows anew, also what is in the file")
    parser.add_argument(
        "--profile", type=int, default=0, metavar="LINES", help="instead: where hueyio's time goes in these rows"
    )
    parser.add_argument(
        "--json", type=Path, default=table.file, metavar="FILE", help=f"where it is kept (default: {table.file})"
    )
    parser.add_argument("--write", type=Path, metavar="PAGE", help="write table and plots into a page of the docs")


def run(options: argparse.Namespace, kinds: Sequence[Kind], server: RedisServer | None, folder: Path) -> None:
    """Measure what is not in the file yet, show the table, and write it into a page if told so."""
    _run(options, TABLE, kinds, Bench(server, folder, Sizes(tasks=1), _say), server, None)


def run_on_postgres(options: argparse.Namespace, postgres: MeasuredPostgres, folder: Path) -> None:
    """Do the same with the table of PostgreSQL."""
    bench = Bench(None, folder, Sizes(tasks=1), _say, postgres)
    _run(options, POSTGRES, ["postgres"], bench, None, postgres)


def _run(
    options: argparse.Namespace,
    table: Table,
    kinds: Sequence[Kind],
    bench: Bench,
    server: RedisServer | None,
    postgres: MeasuredPostgres | None,
) -> None:
    rows = [
        row for row in table.rows.values() if row.kind in kinds and any(fnmatch(row.name, it) for it in options.rows)
    ]
    if options.profile:
        for row in rows:
            _say(f"{row.name}, {row.title}, under cProfile")
            row.measure(bench, replace(contenders_of(row, (), ())[0], profile=options.profile), options.scale)
        return
    samples = Samples.read(options.json)
    if options.rounds:
        libraries = cast("tuple[Library, ...]", tuple(options.libraries))
        prepare((it for it in libraries if any(it in row.libraries for row in rows)), _say)
        samples.begin(facts(server, libraries, postgres), options.scale)
        if options.again:
            samples.forget(row.name for row in rows)
        _measure_all(bench, samples, _steps(rows, options.rounds, libraries, tuple(options.also)))
    verdicts = [verdict for row in rows for verdict in judge(row, samples.rounds_of(row.name))]
    print(to_text(verdicts), flush=True)
    _tell_goals(verdicts)
    if options.write is not None:
        everything = [verdict for row in table.rows.values() for verdict in judge(row, samples.rounds_of(row.name))]
        page.write(options.write, table.command, samples, everything)


def _steps(rows: Sequence[Row], rounds: int, libraries: tuple[Library, ...], switches: tuple[str, ...]) -> list[_Step]:
    """List all steps, round by round; in every second round in the other order: none is always the first."""
    steps = []
    for number in range(rounds):
        for row in rows:
            if row.is_long and number:
                continue
            everybody = contenders_of(row, libraries, switches)
            steps += [_Step(row, number, it) for it in (everybody if number % 2 == 0 else everybody[::-1])]
    return steps


def _measure_all(bench: Bench, samples: Samples, steps: Sequence[_Step]) -> None:
    code = sources()
    left = [step for step in steps if step.contender.name not in samples.of(step.row.name, step.number, code)]
    if len(left) < len(steps):
        _say(f"{len(steps) - len(left)} of {len(steps)} steps are in {samples.file}")
    for step, told in _announced(left):
        _say(f"{told}, round {step.number + 1}, {step.row.name}: {step.contender.name}")
        try:
            figures = step.row.measure(bench, step.contender, samples.scale)
        except ChildFailed as error:
            _say(f"failed, and tried again by the next run: {error}")
            continue
        samples.of(step.row.name, step.number, code)[step.contender.name] = figures
        samples.write()


def _announced(steps: Sequence[_Step]) -> Iterator[tuple[_Step, str]]:
    """Give each step, and how far it is."""
    begun = time.monotonic()
    for done, step in enumerate(steps):
        rest = f", {(time.monotonic() - begun) / done * (len(steps) - done) / 60:.0f} min left" if done else ""
        yield step, f"{done + 1} of {len(steps)}{rest}"


def _tell_goals(verdicts: Sequence[Verdict]) -> None:
    judged = [one for one in verdicts if one.is_met is not None]
    missed = [f"{one.row.name} ({one.figure.name})" for one in judged if not one.is_met]
    print(f"\n{len(judged) - len(missed)} of {len(judged)} goals are met; missed: {', '.join(missed) or 'none'}")


_BEGUN: Final = time.monotonic()


def _say(what: str) -> None:
    """Show progress."""
    print(f"[{time.monotonic() - _BEGUN:6.1f} s] {what}", file=sys.stderr, flush=True)
