"""Count lines and words of all files of a folder, one task per file, in worker processes.

    python examples/count_files.py [FOLDER] [--workers N] [--top N] [--db FILE | --redis URL]

Without arguments it counts the checkout that it stands in, on an SQLite file in a temporary folder.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from hueyio import HueyException

if TYPE_CHECKING:
    from counting import FileCount

HERE = Path(__file__).resolve().parent
SKIPPED_FOLDERS = {".git", ".hg", ".svn", ".venv", "venv", ".nox", ".tox", "__pycache__", "node_modules", ".hypothesis"}
PROGRESS_COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
STOP_TIME = 40.0  # more than a worker gives its running tasks


class CannotCount(Exception):
    """The user has to change something; the text says what."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    options = parse(arguments)
    try:
        paths = find_files(options.folder)
        with tempfile.TemporaryDirectory(prefix="count_files-") as scratch:
            asyncio.run(count_all(paths, options, Path(scratch)))
    except (CannotCount, HueyException) as error:
        print(f"count_files: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("count_files: interrupted", file=sys.stderr)
        return 130
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="count_files", description="Count lines and words of all files of a folder.")
    parser.add_argument("folder", nargs="?", type=Path, default=HERE.parent, help="default: this checkout")
    parser.add_argument("--workers", type=_positive, default=1, metavar="N", help="worker processes (default: 1)")
    parser.add_argument("--top", type=_positive, default=15, metavar="N", help="files in the first table (default: 15)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--db", type=Path, metavar="FILE", help="SQLite file of the queue (default: a temporary one)")
    where.add_argument("--redis", metavar="URL", help="use Redis: redis://host:port/db")
    return parser.parse_args(arguments)


def find_files(folder: Path) -> list[str]:
    """List the regular files below a folder; what version control, environments and caches keep is left out."""
    if not folder.exists():
        raise CannotCount(f"there is no folder {folder}")
    if not folder.is_dir():
        raise CannotCount(f"{folder} is not a folder")
    paths: list[str] = []
    for parent, folders, names in os.walk(folder, onerror=_tell_unreadable):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS and not name.endswith("_cache"))
        candidates = (Path(parent, name) for name in sorted(names))
        paths += [str(path.resolve()) for path in candidates if path.is_file() and not path.is_symlink()]
    if not paths:
        raise CannotCount(f"there are no files in {folder}")
    return paths


async def count_all(paths: list[str], options: argparse.Namespace, scratch: Path) -> None:
    """Enqueue a task for each path, have workers run them, and print what came of it."""
    if options.redis:
        os.environ["COUNT_FILES_REDIS"] = options.redis
    else:
        os.environ["COUNT_FILES_DB"] = str((options.db or scratch / "queue.db").resolve())
    # Only now: the module opens the queue that the environment names. The workers inherit the environment.
    from counting import collect, count, huey

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(huey)
        results = list(await count.map(paths))
        log = scratch / "worker.log"
        workers = [await start_worker(stack, log) for _ in range(options.workers)]
        with Progress(*PROGRESS_COLUMNS, console=Console(stderr=True)) as progress:
            bar = progress.add_task("counting files", total=len(results))
            counting = collect(results, paths, lambda: progress.advance(bar))
            rows = await unless_a_worker_ends(counting, workers, log)
    print_tables(rows, options.folder.resolve(), options.top)


async def start_worker(stack: AsyncExitStack, log: Path) -> asyncio.subprocess.Process:
    """Start a worker process that is stopped gracefully at the end."""
    with log.open("ab") as output:
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hueyio", "worker", "-q", "counting:huey", cwd=HERE, stdout=output, stderr=output
        )
    stack.push_async_callback(stop_worker, worker)
    return worker


async def stop_worker(worker: asyncio.subprocess.Process) -> None:
    """Ask a worker to finish; one that does not is killed."""
    if worker.returncode is None:
        worker.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(worker.wait(), STOP_TIME)
    except TimeoutError:
        worker.kill()
        await worker.wait()
        print(f"count_files: worker {worker.pid} had to be killed", file=sys.stderr)


async def unless_a_worker_ends(
    counting: Coroutine[Any, Any, list[FileCount]], workers: Iterable[asyncio.subprocess.Process], log: Path
) -> list[FileCount]:
    """Wait for the rows, but not for ever: a worker that ends before they are there has failed."""
    rows = asyncio.create_task(counting)
    ends = [asyncio.create_task(worker.wait()) for worker in workers]
    try:
        await asyncio.wait({rows, *ends}, return_when=asyncio.FIRST_COMPLETED)
        if not rows.done():
            raise worker_ended(log)
        return await rows
    finally:
        for task in (rows, *ends):
            task.cancel()
        await asyncio.gather(rows, *ends, return_exceptions=True)


def worker_ended(log: Path) -> CannotCount:
    """Say what a worker wrote before it ended."""
    return CannotCount(f"a worker ended too early; it said:\n{log.read_text(errors='replace')}")


def print_tables(rows: Sequence[FileCount], folder: Path, top: int) -> None:
    """Print the files with the most lines, those without lines, and totals per suffix."""
    console = Console()
    counted = [row for row in rows if row.lines is not None]
    others = [row for row in rows if row.lines is None]
    console.print(_files_table(sorted(counted, key=lambda row: (-(row.lines or 0), row.path))[:top], folder))
    if others:
        console.print(_notes_table(others, folder))
    console.print(_totals_table(rows))


def _files_table(rows: Iterable[FileCount], folder: Path) -> Table:
    table = Table("file", title="most lines")
    for heading in ("lines", "words", "bytes"):
        table.add_column(heading, justify="right")
    table.add_column("sha256")
    for row in rows:
        table.add_row(
            _name(row.path, folder), _number(row.lines), _number(row.words), _number(row.size), row.sha256[:12]
        )
    return table


def _notes_table(rows: Iterable[FileCount], folder: Path) -> Table:
    table = Table("file", "why", title="without lines")
    for row in rows:
        table.add_row(_name(row.path, folder), Text(row.note))
    return table


def _totals_table(rows: Iterable[FileCount]) -> Table:
    by_suffix: dict[str, list[FileCount]] = defaultdict(list)
    for row in rows:
        by_suffix[Path(row.path).suffix or "(none)"].append(row)
    table = Table("suffix", title="totals")
    for heading in ("files", "lines", "words", "bytes"):
        table.add_column(heading, justify="right")
    for suffix, group in sorted(by_suffix.items(), key=lambda item: -sum(row.lines or 0 for row in item[1])):
        table.add_row(Text(suffix), *_totals(group))
    table.add_section()
    table.add_row("all", *_totals([row for group in by_suffix.values() for row in group]))
    return table


def _totals(rows: Sequence[FileCount]) -> Iterator[str]:
    yield _number(len(rows))
    yield _number(sum(row.lines or 0 for row in rows))
    yield _number(sum(row.words or 0 for row in rows))
    yield _number(sum(row.size or 0 for row in rows))


def _name(path: str, folder: Path) -> Text:
    """Return a path as it can be printed: names are bytes, and not all of them are text."""
    relative = os.path.relpath(path, folder)
    return Text(os.fsencode(relative).decode("utf-8", "replace"))


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {text}")
    return value


def _tell_unreadable(error: OSError) -> None:
    print(f"count_files: {error.filename}: {error.strerror}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
