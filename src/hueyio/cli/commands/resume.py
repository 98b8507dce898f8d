"""``hueyio resume``."""

from __future__ import annotations

from hueyio.cli.options import AS, command
from hueyio.cli.visit import Asked, Visit, visit

__all__ = ["resume"]


@command(["resume -a app:huey", "resume --file app.db"], AS)
def resume(asked: Asked) -> int:
    """Let workers go on after `hueyio pause`."""
    return visit(asked, _resume)


async def _resume(at: Visit) -> int:
    await at.session.resume()
    await at.note("resume")
    at.output.done(f"{at.huey.name} is not paused.", queue=at.huey.name, paused=False)
    return 0
