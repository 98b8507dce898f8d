"""One visit of a command to a queue: its session, how long the storage may take, and the questions to the user."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from hueyio.app import Huey
from hueyio.cli.opening import Opened, open_place
from hueyio.cli.output import Output
from hueyio.cli.place import Place, find_place
from hueyio.control.audit import check_actor, record, this_user
from hueyio.core import Core, core_of
from hueyio.exceptions import StorageError, StorageUnavailable
from hueyio.storage.contract import Session

__all__ = ["Asked", "Visit", "Work", "visit"]

_ACTOR: Final = "HUEYIO_ACTOR"

_SILENCE: Final = 1.0
"""Seconds after which the user is told that something still goes on."""

_TYPED: Final = 100
"""From so many tasks on their number must be typed before they are deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the options say that all commands have."""

    place: Place
    as_json: bool
    utc: bool
    timeout: float
    no_input: bool
    quiet: bool
    yes: bool = False
    full: bool = False
    actor: str | None = None

    def output(self) -> Output:
        """Return what prints in the form that was asked for."""
        return Output(as_json=self.as_json, utc=self.utc, full=self.full, quiet=self.quiet)


class Visit:
    """What a command works with."""

    def __init__(self, asked: Asked, opened: Opened, session: Session, now: float, limit: asyncio.Timeout) -> None:
        self.asked = asked
        self.huey: Huey = opened.huey
        self.core: Core = core_of(opened.huey)
        self.has_app = opened.has_app
        self.app = opened.app
        self.session = session
        self.output = asked.output()
        self.output.now = datetime.fromtimestamp(now, UTC)
        self.now = now
        self._limit = limit

    @property
    def where(self) -> str:
        """Where the queue is, without a password."""
        return str(self.huey.storage)

    @property
    def actor(self) -> str:
        """Who changes something: as said on the command line or in the environment, else the user of this process."""
        said = (self.asked.actor or os.environ.get(_ACTOR) or "").strip()
        return check_actor(said or this_user())

    async def note(self, action: str, target: str = "", count: int | None = None) -> None:
        """Write into the audit log what was done. It is done also where this cannot be written any more."""
        try:
            await record(self.session, self.actor, action, target, count)
        except StorageError as error:
            print(f"hueyio: it is done, but it is not in the audit log: {error}", file=sys.stderr)

    def take_long(self) -> None:
        """Say that what follows may take longer than ``--timeout``, because it is much."""
        self._limit.reschedule(None)

    def confirm(self, question: str, count: int = 0) -> None:
        """Ask before something is destroyed; raises click.Abort if the answer is no.

        A large ``count`` must be typed. ``--yes`` answers; where nobody can answer, it must be there.
        """
        if self.asked.yes:
            return
        if self.asked.no_input or not sys.stdin.isatty():
            raise click.UsageError(f"{question} Nobody can be asked here: say --yes")
        with self._waiting_for_user():
            if count < _TYPED:
                click.confirm(question, abort=True, err=True)
            elif click.prompt(f"{question}\nType {count}", err=True) != str(count):
                raise click.Abort

    @contextmanager
    def _waiting_for_user(self) -> Iterator[None]:
        self._limit.reschedule(None)
        # The loop's own handler would let Ctrl-C wait for the answer.
        handler = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, handler)
        self._limit.reschedule(asyncio.get_running_loop().time() + self.asked.timeout)


Work = Callable[[Visit], Awaitable[int]]


def visit(asked: Asked, work: Work) -> int:
    """Find the queue, open a session, do the work, close; return the exit code."""
    place = find_place(asked.place, os.environ, Path.cwd())
    opened = open_place(place, asked.timeout)
    return asyncio.run(_visit(asked, opened, work))


async def _visit(asked: Asked, opened: Opened, work: Work) -> int:
    loop = asyncio.get_running_loop()
    hint = loop.call_later(_SILENCE, lambda: asked.output().say(f"waiting for {opened.huey.storage} ..."))
    try:
        async with asyncio.timeout(asked.timeout) as limit:
            session = await core_of(opened.huey).session()
            now = await session.time()
            hint.cancel()
            return await work(Visit(asked, opened, session, now, limit))
    except TimeoutError as error:
        raise StorageUnavailable(f"{opened.huey.storage} does not answer within {asked.timeout:g} s") from error
    finally:
        hint.cancel()
        await _close(opened.huey, asked.timeout)


async def _close(huey: Huey, timeout: float) -> None:
    try:
        async with asyncio.timeout(timeout):
            await huey.close()
    except (StorageUnavailable, TimeoutError):
        return  # what was to be said of the storage has been said
