"""``hueyio restore``."""

from __future__ import annotations

import click

from hueyio.cli.failures import NothingFound
from hueyio.cli.options import AS, command
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.control.revoke import restore as restore_key
from hueyio.messages.revocation import class_key, instance_key

__all__ = ["restore"]


@command(
    ["restore shop.mail.send_receipt -a app:huey", "restore 019ad3c1-8a10-7c57-9a54-0c1d2f7be813 --file app.db"],
    click.argument("what", metavar="ID|NAME"),
    AS,
)
def restore(asked: Asked, what: str) -> int:
    """Take the revocation of a task, or of a name, back."""
    return visit(asked, lambda at: _restore(at, what))


async def _restore(at: Visit, what: str) -> int:
    keys = (instance_key(what), class_key(what))
    if not any([await restore_key(at.core, key) for key in keys]):
        raise NothingFound(f"{what} is not revoked")
    await at.note("restore", what)
    at.output.done(f"{what} is not revoked any more.", queue=at.huey.name, restored=what)
    return 0
