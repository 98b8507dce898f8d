"""``hueyio watch``."""

from __future__ import annotations

import asyncio
import contextlib
import io
import shutil
import sys
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

import click

from hueyio.cli.board import Board, print_board, summary_of, to_object
from hueyio.cli.commands.ls import ENDED_COLUMNS, task_row
from hueyio.cli.commands.workers import WORKER_COLUMNS, worker_rows
from hueyio.cli.keys import Keys, keys_of
from hueyio.cli.lookout import Lookout
from hueyio.cli.moments import read_span
from hueyio.cli.options import command
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.named_tuple import NamedTuple

__all__ = ["watch"]

_REST: Final = 1.0
"""Seconds between two looks."""

View: TypeAlias = Literal["board", "failed", "workers", "keys"]

_VIEWS: Final[dict[str, View]] = {"f": "failed", "w": "workers", "?": "keys"}
_KEYS: Final = "q quit · space hold · f failed · w workers · ? keys"
_HELP: Final = (
    "q       quit",
    "space   hold what is shown, and go on",
    "f       the tasks that failed last, and back",
    "w       the workers, and back",
    "?       these keys, and back",
    "",
    "Counts of what is ready are a second old, the rest 5 s: that is how often workers tell it.",
)


class Shown(NamedTuple):
    """What the user wants to see."""

    view: View = "board"
    is_held: bool = False


@command(
    ["watch -a app:huey", "watch --file app.db --range 15m"],
    click.option(
        "--range", "span", metavar="SPAN", default="15m", help="how far back, such as 15m or 6h (default: 15m)"
    ),
    click.option("--times", type=click.IntRange(min=1), metavar="N", help="look so many times (default: until q)"),
)
def watch(asked: Asked, span: str, times: int | None) -> int:
    """Show what stats shows, again and again until q or Ctrl-C.

    On a terminal, space holds the picture, f shows the tasks that failed last, w the workers, and ? the keys. It costs
    the storage one cheap count a second, and every 5 s what stats costs. Where standard output is no terminal, there is
    a line for each look, and with --json an object.
    """
    seconds = read_span(span).total_seconds()
    return visit(asked, lambda at: _watch(at, seconds, times))


async def _watch(at: Visit, seconds: float, times: int | None) -> int:
    at.take_long()
    lookout = Lookout(at, seconds)
    if at.output.is_piped or at.output.as_json:
        return await _tell(at, lookout, times)
    with _whole_screen(), keys_of(sys.stdin) as keys:
        return await _show(at, lookout, keys, times)


async def _tell(at: Visit, lookout: Lookout, times: int | None) -> int:
    """Print a line, or an object, for each look."""
    looks = 0
    while True:
        async with asyncio.timeout(at.asked.timeout):
            board = await lookout.look()
        if at.output.as_json:
            at.output.print_object(to_object(board))
        else:
            at.output.line("   ".join(summary_of(board)[1:]))
        sys.stdout.flush()
        looks += 1
        if looks == times:
            return 0
        await asyncio.sleep(_REST)


async def _show(at: Visit, lookout: Lookout, keys: Keys, times: int | None) -> int:
    """Draw each look, and do what keys say in between."""
    shown: Shown | None = Shown()
    drawn = ""
    looks = 0
    while shown is not None:
        async with asyncio.timeout(at.asked.timeout):
            picture = await _picture(at, lookout, shown)
        if picture != drawn:
            sys.stdout.write(picture)
            sys.stdout.flush()
            drawn = picture
        looks += 1
        if looks == times:
            break
        shown = await _wait(keys, shown)
    return 0


async def _wait(keys: Keys, shown: Shown) -> Shown | None:
    """Wait until it is time to draw again; say what."""
    key = await keys.next(None if shown.is_held else _REST)
    return shown if key is None else press(shown, key)


def press(shown: Shown, key: str) -> Shown | None:
    """Return what a key makes of what is shown; None: it ends."""
    match key:
        case "q" | "Q":
            return None
        case " ":
            return shown._replace(is_held=not shown.is_held)
        case "f" | "w" | "?":
            view = _VIEWS[key]
            return Shown("board" if view == shown.view else view)
        case _:
            return shown if shown.is_held else Shown()  # any other key leads back


async def _picture(at: Visit, lookout: Lookout, shown: Shown) -> str:
    """Return what writes over what is there, line by line, so that nothing flickers; what does not fit is left out."""
    board = await lookout.look()
    at.output.now = board.statistics.until
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        await _print(at, lookout, board, shown.view)
    room = shutil.get_terminal_size().lines - 2
    foot = at.output.paint(at.output.drawable(f"held · {_KEYS}" if shown.is_held else _KEYS), "dim")
    lines = [*text.getvalue().splitlines()[:room], foot]
    return "\x1b[H" + "".join(f"{line}\x1b[K\n" for line in lines) + "\x1b[J"


async def _print(at: Visit, lookout: Lookout, board: Board, view: View) -> None:
    match view:
        case "board":
            print_board(at.output, board)
        case "failed":
            at.output.line(summary_of(board)[0])
            at.output.line("")
            at.output.print_list("", ENDED_COLUMNS, [task_row(it) for it in await lookout.failed()])
        case "workers":
            at.output.line(summary_of(board)[0])
            at.output.line("")
            at.output.print_list("", WORKER_COLUMNS, worker_rows(board.consumers))
        case "keys":
            for line in _HELP:
                at.output.line(line)


@contextlib.contextmanager
def _whole_screen() -> Iterator[None]:
    """Use the terminal's other screen, and give the first one back as it was."""
    sys.stdout.write("\x1b[?1049h\x1b[?25l")
    try:
        yield
    finally:
        sys.stdout.write("\x1b[?25h\x1b[?1049l")
        sys.stdout.flush()
