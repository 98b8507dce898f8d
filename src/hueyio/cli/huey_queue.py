"""Where a queue of Huey's is and how it is read: what the commands that move one have in common."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import click

from hueyio.cli.visit import Visit
from hueyio.exceptions import ConfigurationError
from hueyio.migration.codec import Codec
from hueyio.migration.reading import Reading
from hueyio.migration.renames import Renames
from hueyio.migration.source import Source
from hueyio.migration.sources import open_source
from hueyio.migration.unpickling import Trust

__all__ = ["HUEY_QUEUE", "HueyQueue"]

_VARIABLE: Final = "env:"

HUEY_QUEUE: Final[tuple[Callable[[Callable[..., int]], Callable[..., int]], ...]] = (
    click.argument("where", metavar="FROM"),
    click.option("--from-queue", metavar="NAME", help="the name of Huey's queue there (default: the only one)"),
    click.option(
        "--trust",
        multiple=True,
        metavar="NAME",
        help="a module or a class that messages may name, such as shop.models; may be given repeatedly",
    ),
    click.option(
        "--rename",
        "renames",
        multiple=True,
        metavar="OLD=NEW",
        help="a task, a class, or a module with all that is in it, that has moved; may be given repeatedly",
    ),
    click.option("--secret", metavar="SECRET", help="that of Huey's SignedSerializer; env:NAME reads it from there"),
    click.option("--salt", metavar="SALT", default="huey", help="that of Huey's SignedSerializer (default: huey)"),
    click.option("--local-time", is_flag=True, help="Huey was made with utc=False"),
)
"""The argument and the options of both commands; ``HueyQueue`` takes what they give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HueyQueue:
    """A queue of Huey's, as the command line names it."""

    where: str
    from_queue: str | None
    trust: Sequence[str]
    renames: Sequence[str]
    secret: str | None
    salt: str
    local_time: bool

    def reading(self) -> Reading:
        """Return how it is read; raises ConfigurationError or click.BadParameter."""
        renames = Renames(dict(map(_pair, self.renames)))
        codec = Codec(Trust(self.trust, renames), self._secret(), self.salt.encode())
        return Reading(codec=codec, utc=not self.local_time, renames=renames)

    @asynccontextmanager
    async def opened(self, at: Visit) -> AsyncIterator[Source]:
        """Open it, and close it in the end; raises ConfigurationError without the app, which knows its tasks."""
        if not at.has_app:
            raise ConfigurationError("Huey's tasks are moved with the app, which knows them: say -a module:attribute")
        at.take_long()
        source = await open_source(self.where, self.from_queue, at.asked.timeout)
        try:
            yield source
        finally:
            await source.close()

    def _secret(self) -> bytes | None:
        if self.secret is None or not self.secret.startswith(_VARIABLE):
            return None if self.secret is None else self.secret.encode()
        name = self.secret.removeprefix(_VARIABLE)
        if not os.environ.get(name):
            raise ConfigurationError(f"the environment has no {name}, which --secret names")
        return os.environ[name].encode()


def _pair(given: str) -> tuple[str, str]:
    old, equals, new = given.partition("=")
    if not (old and equals and new):
        raise click.BadParameter(f"{given!r} is no renaming, such as tasks=shop.tasks", param_hint="--rename")
    return old, new
