"""``hueyio revoke``."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import get_args

import click

from hueyio.cli.moments import read_moment
from hueyio.cli.options import AS, command
from hueyio.cli.revocable import By, read_revocable
from hueyio.cli.text import iso
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.control.revoke import revoke as revoke_id
from hueyio.control.revoke import revoke_all
from hueyio.exceptions import UnknownTaskError

__all__ = ["revoke"]


@command(
    [
        "revoke shop.mail.send_receipt -a app:huey --until 2h",
        "revoke 019ad3c1-8a10-7c57-9a54-0c1d2f7be813 --file app.db",
    ],
    click.argument("what", metavar="ID|NAME"),
    click.option(
        "--until",
        type=read_moment,
        metavar="MOMENT",
        help="until then: a span such as 15m or 2h, or a moment in ISO 8601",
    ),
    click.option("--once", is_flag=True, help="only the next one"),
    click.option(
        "--by", type=click.Choice(get_args(By)), metavar="id|name", help="say which it is, where it is not clear"
    ),
    AS,
)
def revoke(asked: Asked, what: str, until: datetime | timedelta | None, once: bool, by: By | None) -> int:
    """Keep a task, or all tasks of a name, from being run.

    They stay where they are, and end as cancelled when their turn comes. A name is the whole one, with its module.
    `hueyio restore` takes it back.
    """
    return visit(asked, lambda at: _revoke(at, what, until, once, by))


async def _revoke(at: Visit, word: str, until: datetime | timedelta | None, once: bool, by: By | None) -> int:
    what = await read_revocable(at, word, by)
    end = at.output.now + until if isinstance(until, timedelta) else until
    if what.by == "id":
        await revoke_id(at.core, what.word, end, once)
    else:
        if at.has_app and by is None and at.core.registry.get(what.word) is None:
            raise UnknownTaskError(f"no task named {what.word!r} is declared, and no task has this id: --by says which")
        await revoke_all(at.core, what.word, end, once)
    await at.note("revoke", f"{what.by} {what.word}{'' if end is None else f' until {iso(end, utc=True)}'}")
    noun = f"task {what.word} is" if what.by == "id" else f"all tasks named {what.word} are"
    at.output.done(
        f"{noun} revoked. Undo: hueyio restore {what.word}",
        queue=at.huey.name, by=what.by, revoked=what.word, until=end, once=once,
    )  # fmt: skip
    return 0
