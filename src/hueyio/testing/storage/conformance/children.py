"""Other processes that a test starts, talks to, stops and kills."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from typing import Any

__all__ = ["Child"]

PATIENCE = 90.0
"""Seconds: eight Pythons may have to start on one busy core."""


class Child:
    """One ``hueyio.testing.storage.child``, or one ``hueyio.testing.storage.crowd``."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, module: str, *arguments: str, options: tuple[str, ...] = ()) -> Child:
        """Run a module of ``hueyio.testing.storage``; ``options`` are the interpreter's."""
        # What the recipe names is wherever this process found it.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, *options, "-m", f"hueyio.testing.storage.{module}", *arguments,
            stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment,
        )  # fmt: skip
        return cls(process)

    async def hear(self) -> Any:
        """Wait for what it says next."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        if not line:
            raise RuntimeError(f"the child process ended: {(await self.end())[1]}")
        return json.loads(line)

    def go(self) -> None:
        """Tell it to go on."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")

    def freeze(self) -> None:
        """Stop it, so that it does not even know."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it was."""
        self._process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """Kill it with the signal that nobody can catch."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()

    async def end(self) -> tuple[int, str]:
        """Wait until it has ended; return its code and what it complained about."""
        _, errors = await asyncio.wait_for(self._process.communicate(), PATIENCE)
        assert self._process.returncode is not None
        return self._process.returncode, errors.decode()
