"""``hueyio pause``."""

from __future__ import annotations

from hueyio.cli.options import AS, command
from hueyio.cli.visit import Asked, Visit, visit

__all__ = ["pause"]


@command(["pause -a app:huey", "pause --url redis://cache:6379/0 --queue shop"], AS)
def pause(asked: Asked) -> int:
    """Let workers start no more tasks.

    What runs goes on, what is enqueued waits, until `hueyio resume`. It is kept in the storage, so that workers
    which start later obey it too. `hueyio doctor` and `hueyio workers` say who did it, and when.
    """
    return visit(asked, _pause)


async def _pause(at: Visit) -> int:
    name, actor = at.huey.name, at.actor
    await at.session.pause(actor)
    await at.note("pause")
    at.output.done(
        f"{name} is paused: no worker starts another task. Undo: hueyio resume", queue=name, paused=True, by=actor
    )
    return 0
