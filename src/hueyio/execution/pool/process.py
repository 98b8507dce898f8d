"""One process of a pool, as the process sees it that started it. All of it blocks, and is called in threads.

Theory of operation. The process leads a session of its own, so that a terminal's Ctrl-C does not reach it and that it
is killed together with what its task started. It lives as long as this end of the line is open: when this process is
gone, however it ended, the other reads the end of the stream and ends. Whoever kills it from another thread also cuts
the line, which ends the call that waits there.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, assert_never

from hueyio.exceptions import ProcessLost
from hueyio.execution.lending import PLACE, Place, Wait
from hueyio.execution.pool.crossing import unpack
from hueyio.execution.pool.line import (
    Answer,
    Back,
    Begun,
    Broken,
    Call,
    FromPool,
    Line,
    Log,
    Raised,
    Ready,
    Recall,
    Recalled,
    Regained,
    Report,
    Returned,
    Stop,
    Waits,
    Welcome,
    watch_end,
)

__all__ = ["NotBegun", "NotStarted", "PoolProcess"]

logger = logging.getLogger(__name__)


_NO_HUEYIO: Final = 1
"""Exit code of a Python that fails before ``pool_process`` runs; that one reports what the import of the app raises."""


class NotBegun(ProcessLost):
    """The process had ended before it took the call, so that the call may be given to another."""


class NotStarted(ProcessLost):
    """The process could not be started, or ended before it had begun to import the app: no fault of the app."""


class PoolProcess:
    """A process that runs one task after another. ``calls`` counts them."""

    def __init__(self) -> None:
        self.calls = 0
        self.idle_since = 0.0
        self._lock = threading.Lock()
        self._killed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Line | None = None
        self._watched: int | None = None
        self._waits: dict[int, Wait] = {}
        """What the body waits for that runs there."""

    @property
    def is_alive(self) -> bool:
        """Whether it can be given a task."""
        return not self._killed and self._process is not None and self._process.poll() is None

    def start(self, welcome: Welcome) -> None:
        """Start it, and wait until it has imported the app; raises ProcessLost, or NotStarted."""
        try:
            line = self._spawn()
            line.send(welcome)
            answer = self._listen(line, _refuse)
        except (EOFError, OSError) as error:
            end = self.reap()
            lost = NotStarted if self._is_missing(error) else ProcessLost
            raise lost(f"a process for task {welcome.task} {end} before it was ready") from None
        if not isinstance(answer, Ready):
            self.kill()
            self.reap()
            reason = answer.reason if isinstance(answer, Broken) else f"it answered {answer!r}"
            raise ProcessLost(f"a process for task {welcome.task} could not be started: {reason}")

    def call(self, call: Call, report: Callable[[Report], bool]) -> tuple[Any, BaseException | None]:
        """Run a task; return what its body returned and raised.

        Raises ProcessLost if the process ends under it, NotBegun if it had ended while it was idle.
        """
        assert self._line is not None
        self.calls += 1
        began = False
        try:
            self._line.send(call)
            began = isinstance(self._listen(self._line, report), Begun)
            answer = self._listen(self._line, report)
        except (EOFError, OSError):
            lost = ProcessLost if began else NotBegun
            raise lost(f"the process of task {call.name} {self.reap()}") from None
        except BaseException:  # what came cannot be read: what comes next would be taken for the answer to another call
            self.kill()
            raise
        assert isinstance(answer, (Returned, Raised))
        return unpack(answer, call.name)

    def send(self, *messages: Call | Recall) -> None:
        """Give it calls, to be run one after another, or ask it for those back that have not begun.

        Raises EOFError or OSError when it is over.
        """
        if self._line is None:
            raise EOFError("the process is over")
        self.calls += sum(isinstance(message, Call) for message in messages)
        self._line.send(*messages)

    def listen(
        self, report: Callable[[Report], bool], until: float | None = None, pause: float = 0.0
    ) -> Begun | Recalled | Returned | Raised | None:
        """Do what the body asks for until there is news of a call; None if there is none at this monotonic time.

        Raises EOFError or OSError when it is over. The context is that of the call under way. If nothing was received
        yet it pauses first, so that more may come together: to wake for each message costs more than a short body.
        """
        if self._line is None:
            raise EOFError("the process is over")
        if pause and not self._line.has_unread:
            time.sleep(pause)
        message = self._listen(self._line, report, until)
        assert not isinstance(message, Ready | Broken)
        return message

    def stop(self, seconds: float) -> None:
        """Let it run its shutdown hooks and end; it is killed after so many seconds."""
        assert self._line is not None
        killing = threading.Timer(seconds, self.kill)
        killing.daemon = True
        killing.start()
        try:
            self._line.send(Stop())
            while True:
                self._listen(self._line, _refuse)
        except (EOFError, OSError):
            self.reap()
        finally:
            killing.cancel()

    def kill(self) -> None:
        """Kill it and what it started, at once; from any thread, also while another one starts it."""
        with self._lock:
            self._killed = True
            if self._process is not None and self._process.poll() is None:
                try:
                    os.killpg(self._process.pid, signal.SIGKILL)
                except ProcessLookupError:  # it has not made its session yet, or is over
                    self._process.kill()
            if self._line is not None:
                self._line.cut()

    def _spawn(self) -> Line:
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            if self._killed:
                ours.close()
                raise EOFError("it was killed before it was started")
            number = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hueyio.worker.pool_process", str(number)],
                stdin=subprocess.DEVNULL,
                pass_fds=(number,),
                start_new_session=True,
            )
            self._watched = watch_end(self._process.pid)
            self._line = Line(ours, self._watched)
            return self._line

    def _listen(
        self, line: Line, report: Callable[[Report], bool], until: float | None = None
    ) -> Ready | Broken | Begun | Recalled | Returned | Raised | None:
        """Do what the process asks for until it has an answer, or it is time."""
        while True:
            message: FromPool | None = line.receive(None if until is None else until - time.monotonic())
            match message:
                case Log(record):
                    _log(record)
                case Report():
                    line.send(Answer(report(message)))
                case Waits() | Back():
                    _lend(line, message, self._waits)
                case Begun():
                    self._waits.clear()
                    return message
                case None | Ready() | Broken() | Recalled() | Returned() | Raised():
                    return message
                case _:
                    assert_never(message)

    def _is_missing(self, error: Exception) -> bool:
        """Say whether there is no process, or one that could not import hueyio; call it after ``reap``."""
        if self._process is None:
            return isinstance(error, OSError)
        return self._process.returncode == _NO_HUEYIO

    def reap(self) -> str:
        """Make sure that it has ended, and say how it did."""
        if self._process is None:
            return "was not started"
        try:
            code = self._process.wait(1.0)
        except subprocess.TimeoutExpired:  # it closed the line, or another process holds it
            self.kill()
            code = self._process.wait()
        with self._lock:
            self._killed = True
            line, self._line = self._line, None
            watched, self._watched = self._watched, None
        if line is not None:
            line.close()
        if watched is not None:
            os.close(watched)
        return _describe(code)


def _describe(code: int) -> str:
    if code >= 0:
        return f"exited with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed by {name}{' (was the memory used up?)' if -code == signal.SIGKILL else ''}"


def _lend(line: Line, message: Waits | Back, waits: dict[int, Wait]) -> None:
    """Lend the slot of the body in the process, which is that in whose context this thread serves it."""
    place = PLACE.get()
    if isinstance(message, Waits):
        if isinstance(place, Place):
            waits[message.number] = place.begin_elsewhere(message.ids)
        return
    wait = waits.pop(message.number, None)
    if wait is not None and isinstance(place, Place):
        place.end_elsewhere(wait, message.is_patient)
    if message.is_patient:
        line.send(Regained(message.number))


def _refuse(report: Report) -> bool:
    return False


def _log(record: logging.LogRecord) -> None:
    """Log here what was logged there, by the settings of here."""
    target = logging.getLogger(record.name)
    if target.isEnabledFor(record.levelno):
        with suppress(Exception):  # of a filter of the application's: a line must not end the call that said it
            target.handle(record)
