"""``hueyio stats``."""

from __future__ import annotations

import click

from hueyio.cli.board import look_at_queue, print_board, to_object
from hueyio.cli.failures import NothingFound
from hueyio.cli.moments import read_span
from hueyio.cli.options import FULL, command
from hueyio.cli.visit import Asked, Visit, visit

__all__ = ["stats"]


@command(
    ["stats -a app:huey", "stats shop.mail.send --range 6h --file app.db"],
    click.argument("name", required=False, metavar="[NAME]"),
    click.option(
        "--range", "span", metavar="SPAN", default="1h", help="how far back, such as 15m, 6h or 7d (default: 1h)"
    ),
    FULL,
)
def stats(asked: Asked, name: str | None, span: str) -> int:
    """Say how much runs, waits and fails, and how long it takes: of all tasks, or of those of one name.

    OLDEST says for how long the first of a lane has been ready. Percentiles are wrong by 19 % at most. Workers tell
    what they have counted every 5 s. In a pipe there is a line for each name.
    """
    seconds = read_span(span).total_seconds()
    return visit(asked, lambda at: _show(at, seconds, name))


async def _show(at: Visit, seconds: float, name: str | None) -> int:
    board = await look_at_queue(at, seconds, name)
    if at.output.as_json:
        at.output.print_object(to_object(board))
    else:
        print_board(at.output, board)
    if name is not None and not board.statistics.tasks:
        raise NothingFound(f"nothing was counted of {name} in this time")
    return 0
