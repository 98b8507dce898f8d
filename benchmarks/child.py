"""A fresh process of one contender."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from benchmarks.contenders import Contender
from benchmarks.peer_environments import python_of
from benchmarks.protocol import Figures, Request, Setup

__all__ = ["Child", "ChildFailed"]

_ROOT: Final = Path(__file__).resolve().parent.parent
_STOP_TIME: Final = 10.0
_PATIENCE: Final = 600.0


class ChildFailed(Exception):
    """A measured process ended, or took too long, before it had answered; what it wrote is above."""


class Child:
    """A process that does what it is asked, one action after another, until the ``with`` block ends."""

    def __init__(self, contender: Contender, address: str, **consumer: Any) -> None:
        options = {**contender.consumer, **consumer}
        setup = Setup(
            contender.kind,
            address,
            dict(contender.options),
            options,
            contender.poll,
            contender.loop,
            contender.task,
            contender.profile,
        )
        self._name = contender.name
        self._process = subprocess.Popen(
            [python_of(contender.library), "-m", f"benchmarks.{contender.library}_side", setup.to_argument()],
            cwd=_ROOT,
            env=None if contender.source is None else {**os.environ, "PYTHONPATH": str(contender.source)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # what it starts is killed with it
        )

    @property
    def pid(self) -> int:
        """Which process it is."""
        return self._process.pid

    def ask(self, action: str, *, patience: float = _PATIENCE, **arguments: Any) -> Figures:
        """Have it do one thing, and return what it measured."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(Request(action, arguments).to_line())
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended; the missing answer says so below
        # There is one line for each request, so that nothing is in the buffer now.
        if not select.select([self._process.stdout], [], [], patience)[0]:
            self._kill()
            raise ChildFailed(f"{self._name}, {action}: no answer within {patience:g} s")
        answer = self._process.stdout.readline()
        if not answer:
            raise ChildFailed(f"{self._name}, {action}: the process ended with exit code {self._process.wait()}")
        figures: Figures = json.loads(answer)
        return figures

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_TIME if kind is None else 1.0)
        self._kill()  # also what it has forked, if it ended by itself
        self._process.wait()
        self._process.stdout.close()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
