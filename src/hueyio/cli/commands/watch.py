"""``hueyio watch``."""

from __future__ import annotations

import asyncio
import contextlib
import io
import shutil
import sys
from collections.abc import Iterator
from typing import Final

import click

from hueyio.cli.board import Board, look_at_queue, print_board, summary_of, to_object
from hueyio.cli.moments import read_span
from hueyio.cli.options import command
from hueyio.cli.visit import Asked, Visit, visit

__all__ = ["watch"]

_REST: Final = 1.0
"""Seconds between two looks."""


@command(
    ["watch -a app:huey", "watch --file app.db --range 15m"],
    click.option(
        "--range", "span", metavar="SPAN", default="15m", help="how far back, such as 15m or 6h (default: 15m)"
    ),
    click.option("--times", type=click.IntRange(min=1), metavar="N", help="look so many times (default: until Ctrl-C)"),
)
def watch(asked: Asked, span: str, times: int | None) -> int:
    """Show what stats shows, again and again until Ctrl-C.

    Where standard output is no terminal, there is a line for each look, and with --json an object.
    """
    seconds = read_span(span).total_seconds()
    return visit(asked, lambda at: _watch(at, seconds, times))


async def _watch(at: Visit, seconds: float, times: int | None) -> int:
    at.take_long()
    is_drawn = not (at.output.is_piped or at.output.as_json)
    looks = 0
    with _whole_screen() if is_drawn else contextlib.nullcontext():
        while True:
            async with asyncio.timeout(at.asked.timeout):
                board = await look_at_queue(at, seconds, None)
            at.output.now = board.statistics.until
            _show(at, board, is_drawn=is_drawn)
            looks += 1
            if looks == times:
                return 0
            await asyncio.sleep(_REST)


def _show(at: Visit, board: Board, *, is_drawn: bool) -> None:
    if is_drawn:
        _draw(at, board)
    elif at.output.as_json:
        at.output.print_object(to_object(board))
    else:
        at.output.line("   ".join(summary_of(board)[1:]))
    sys.stdout.flush()


def _draw(at: Visit, board: Board) -> None:
    """Write over what is there, line by line, so that nothing flickers; what does not fit is left out."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        print_board(at.output, board)
    lines = text.getvalue().splitlines()[: shutil.get_terminal_size().lines - 1]
    sys.stdout.write("\x1b[H" + "".join(f"{line}\x1b[K\n" for line in lines) + "\x1b[J")


@contextlib.contextmanager
def _whole_screen() -> Iterator[None]:
    """Use the terminal's other screen, and give the first one back as it was."""
    sys.stdout.write("\x1b[?1049h\x1b[?25l")
    try:
        yield
    finally:
        sys.stdout.write("\x1b[?25h\x1b[?1049l")
        sys.stdout.flush()
