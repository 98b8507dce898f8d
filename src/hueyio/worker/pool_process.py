"""The inside of a pool process: import the app, run one task after another, end with whoever started it.

``python -m hueyio.worker.pool_process FD``, started by ``execution.pool``. Bodies run in the main thread, as many
libraries wish. One thread reads the line, so that its end is noticed while a body runs; another runs a loop for what
bodies ask of the storage: locks, limits, async hooks. What is logged goes to the parent, which logs it by its own
settings.
"""

from __future__ import annotations

import asyncio
import faulthandler
import importlib
import inspect
import logging
import os
import signal
import socket
import sys
import threading
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from concurrent.futures import Future
from contextvars import Context, copy_context
from itertools import count
from logging.handlers import QueueHandler
from multiprocessing.spawn import prepare
from queue import Empty, SimpleQueue
from typing import Any, Final, Literal, NoReturn, TypeVar, assert_never

from hueyio.client.deletions import LAST_TIME, finish_deletions
from hueyio.core import Core, find_core
from hueyio.exceptions import ConfigurationError, HueyException
from hueyio.execution.context import running
from hueyio.execution.entered import Entered
from hueyio.execution.lending import PLACE, SOON
from hueyio.execution.log_filter import TaskLogFilter
from hueyio.execution.pool.crossing import pack_error, pack_value, unpack_task
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
    ToPool,
    Waits,
    Welcome,
)
from hueyio.execution.run_context import RUN_CONTEXT, RunContext, mark_pool_process
from hueyio.loops.at_once import run_at_once
from hueyio.loops.serving import serve_loop
from hueyio.loops.threads import run_in
from hueyio.storage.records import Receipt
from hueyio.tasks.declared import TaskSpec
from hueyio.tasks.progress import Progress
from hueyio.tasks.task import Task
from hueyio.worker.json_lines import STANDARD, plain, text_of

__all__ = ["main"]

T = TypeVar("T")

_MOST_NOTED: Final = 1000
"""How many of the tasks that a body enqueued are told to the parent."""


def main() -> None:
    """Serve the parent at the socket whose number is the argument."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # Meant for the parent, which lets tasks finish; a handler, not SIG_IGN, is not inherited by what tasks start.
        signal.signal(number, lambda *_: None)
    faulthandler.enable()
    mark_pool_process()
    sock = socket.socket(fileno=int(sys.argv[1]))
    sock.set_inheritable(False)  # what tasks start must not hold the line open
    line = Line(sock)
    inside = _Inside(line)
    threading.Thread(target=inside.read, name="hueyio-parent", daemon=True).start()
    inside.serve()


class _Inside:
    """What runs in this process."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._asked: SimpleQueue[Welcome | Call | Stop] = SimpleQueue()
        self._answers: SimpleQueue[bool] = SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._reporter = _Reporter(line, self._answers)
        self._place = _PlaceInParent(line)

    def read(self) -> None:
        """Take what the parent sends; when it is gone, end, with all that tasks started."""
        try:
            while True:
                message: ToPool = self._line.receive()
                match message:
                    case Answer(kept):
                        self._answers.put(kept)
                    case Regained(number):
                        self._place.go_on(number)
                    case Recall():
                        self._line.send(Recalled(self._forget_unbegun()))
                    case Welcome() | Call() | Stop():
                        self._asked.put(message)
                    case _:
                        assert_never(message)
        except (EOFError, OSError):
            os.killpg(0, signal.SIGKILL)

    def serve(self) -> None:
        """Do what the parent asks for, one after another, until it says Stop."""
        welcome = self._asked.get()
        assert isinstance(welcome, Welcome)
        to_parent = _log_to(self._line, welcome)
        threading.Thread(target=self._loop.run_forever, name="hueyio-loop", daemon=True).start()
        serve_loop(self._loop)
        try:
            core = _load(welcome)
        except BaseException as error:
            self._line.send(Broken(str(error) if isinstance(error, ConfigurationError) else traceback.format_exc()))
            return
        _log_only_to(to_parent)
        self._run_life(core, "on_startup", to_parent)
        unsaid: list[FromPool] = [Ready()]
        while isinstance(call := self._next_call(unsaid), Call):
            if to_parent not in logging.root.handlers:  # the last body, or what it imported, has set up logging
                _log_only_to(to_parent)
            unsaid.append(self._answer(core, call))
            del call  # else the last task's arguments stay while nothing runs
        self._run_life(core, "on_shutdown", to_parent)
        self._on_loop(finish_deletions(core, LAST_TIME))
        self._on_loop(core.close_session())

    def _next_call(self, unsaid: list[FromPool]) -> Welcome | Call | Stop:
        """Wait for what comes next; tell an answer together with the beginning of the next call, if that is there."""
        try:
            call = self._asked.get_nowait()
        except Empty:
            self._say(unsaid)
            call = self._asked.get()
        if isinstance(call, Call):
            unsaid.append(Begun())
        self._say(unsaid)
        return call

    def _say(self, unsaid: list[FromPool]) -> None:
        if unsaid:
            self._line.send(*unsaid)
            unsaid.clear()

    def _forget_unbegun(self) -> int:
        """Forget the calls that wait; return how many they were. Called in the thread that reads the line."""
        count = 0
        while True:
            try:
                message = self._asked.get_nowait()
            except Empty:
                return count
            assert isinstance(message, Call), "the parent says nothing else before it has its answer"
            count += 1

    def _answer(self, core: Core, call: Call) -> Returned | Raised:
        try:
            value = self._run(core, call)
        except BaseException as error:  # SystemExit too: it ends the task and not the process
            return pack_error(error)
        return pack_value(value, call.name)

    def _run(self, core: Core, call: Call) -> Any:
        spec = _find(core, call)
        task = unpack_task(call.task)
        task.belong(spec.name, spec.options.settings)
        task.reporter = self._reporter
        task.receipt = call.receipt
        if call.seconds != float("inf"):
            task.begin_run(call.seconds)
        context = copy_context()
        context.run(self._tell_where, core, call, task)
        if core.hooks.around_attempt:
            value, error = run_at_once(self._surround(core, spec, task, context))
            if error is not None:
                raise error
            return value
        return self._run_body(spec, task, context)

    def _tell_where(self, core: Core, call: Call, task: Task) -> None:
        """Set what the body finds in its context."""
        RUN_CONTEXT.set(RunContext(self._loop, core.storage, call.lease, queue=core.name))
        if call.lends_slot:
            self._place.begin()
            PLACE.set(self._place)
        running.set(task)

    async def _surround(
        self, core: Core, spec: TaskSpec, task: Task, context: Context
    ) -> tuple[Any, BaseException | None]:
        """Run the body inside of the middleware; return what it returned and what was raised.

        Nothing of this waits: it is all in the main thread, as the body is.
        """
        entered = Entered(_MainThread(context, self._on_loop))
        value: Any = None
        raised: BaseException | None = None
        try:
            for middleware in core.hooks.around_attempt:
                await entered.enter(middleware, task)
            value = self._run_body(spec, task, context)
        except BaseException as error:  # raised again by the caller
            raised = error
        return value, await entered.leave(raised)

    def _run_body(self, spec: TaskSpec, task: Task, context: Context) -> Any:
        args, kwargs = spec.arguments(task)
        value = context.run(spec.func, *args, **kwargs)
        # A decorator may hide that the function is a coroutine function; what it returned still has to be run.
        return self._on_loop(_in_context(context, value)) if inspect.iscoroutine(value) else value

    def _run_life(self, core: Core, kind: Literal["on_startup", "on_shutdown"], to_parent: logging.Handler) -> None:
        if core.hooks[kind]:
            self._on_loop(core.hooks.run_life(kind, lambda: _log_only_to(to_parent)))

    def _on_loop(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class _MainThread:
    """Where middleware is entered: what is async on the loop, for which the main thread waits."""

    def __init__(self, context: Context, on_loop: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._context = context
        self._on_loop = on_loop

    async def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Have it run on the loop."""
        return self._on_loop(_in_context(self._context, coroutine))

    async def call(self, func: Callable[..., Any], *args: Any) -> Any:
        """Call it here."""
        return self._context.run(func, *args)


async def _in_context(context: Context, coroutine: Coroutine[Any, Any, Any]) -> Any:
    return await run_in(context, coroutine)


class _Reporter:
    """The way of a body's progress, through the parent."""

    def __init__(self, line: Line, answers: SimpleQueue[bool]) -> None:
        self._line = line
        self._answers = answers
        self._lock = threading.Lock()

    async def report(self, receipt: Receipt, progress: Progress) -> bool:
        """Have it kept, from a coroutine."""
        return await asyncio.to_thread(self.report_blocking, receipt, progress)

    def report_blocking(self, receipt: Receipt, progress: Progress) -> bool:
        """Have it kept; False if the attempt is not in force any more."""
        with self._lock:
            self._line.send(Report(progress.fraction, progress.message))
            return self._answers.get()

    def transaction(self, task: Task) -> NoReturn:
        """Refuse: who ends the task is the parent."""
        raise HueyException(
            f"task {task.path} runs in a process, which cannot end it: transaction() is for coroutines and threads"
        )

    blocking_transaction = transaction


class _PlaceInParent:
    """The slot of the body that runs here, which the parent lends."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._numbers = count()
        self._asked: dict[int, Future[None]] = {}
        self._enqueued: deque[str] = deque(maxlen=_MOST_NOTED)

    def begin(self) -> None:
        """Forget what the body before has enqueued."""
        self._enqueued.clear()

    def note(self, task: Task | None, ids: Iterable[str]) -> None:
        """Remember what the body enqueues: it may have to end first."""
        self._enqueued.extend(ids)

    async def lend_while(self, ids: Sequence[str], waiting: Awaitable[T]) -> T:
        """Await something, without the slot if it takes longer than a moment."""
        number = next(self._numbers)
        told: list[int] = []

        def tell() -> None:
            told.append(number)
            self._line.send(Waits(number, (*ids, *reversed(self._enqueued))))

        timer = asyncio.get_running_loop().call_later(SOON, tell)
        try:
            answer = await waiting
        except BaseException:
            timer.cancel()
            if told:
                self._line.send(Back(number, is_patient=False))
            raise
        timer.cancel()
        if told:
            await self._regain(number)
        return answer

    def go_on(self, number: int) -> None:
        """Let the wait of this number end; called in the thread that reads the line."""
        asked = self._asked.pop(number, None)
        if asked is not None:
            asked.set_result(None)

    async def _regain(self, number: int) -> None:
        asked = self._asked[number] = Future[None]()
        self._line.send(Back(number, is_patient=True))
        # A wait that is cancelled here goes on at once; the parent's answer finds nobody then.
        await asyncio.shield(asyncio.wrap_future(asked))


class _ToParent(QueueHandler):
    """Sends records to the parent."""

    def __init__(self, line: Line) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self.addFilter(TaskLogFilter())  # the parent knows what runs, but not in which thread here something was said
        self._line = line

    def enqueue(self, record: logging.LogRecord) -> None:
        """Send a record whose message is complete.

        What was given with ``extra`` goes as plain values: of an object that cannot be written the line would be lost,
        of one that cannot be read there the answer to the call.
        """
        fields = vars(record)
        for key in fields.keys() - STANDARD:
            fields[text_of(key)] = plain(fields.pop(key))
        self._line.send(Log(record))


def _log_to(line: Line, welcome: Welcome) -> logging.Handler:
    to_parent = _ToParent(line)
    logging.root.addHandler(to_parent)
    for name, level in welcome.levels.items():
        logging.getLogger(name or None).setLevel(level)
    return to_parent


def _log_only_to(to_parent: logging.Handler) -> None:
    """Take away the handlers that the app has made here: the parent has them too, and would write each line again."""
    known = list(logging.root.manager.loggerDict.values())
    for logger in (logging.root, *(it for it in known if isinstance(it, logging.Logger))):
        if logger.name.partition(".")[0] == "hueyio":
            logger.disabled = False
        is_last = logger.parent is None or (not logger.propagate and logger.handlers)
        logger.handlers[:] = [to_parent] if is_last else []


def _load(welcome: Welcome) -> Core:
    """Import the app as the parent did, and return its Huey; raises what an import raises, and ConfigurationError."""
    prepare({"sys_path": welcome.sys_path, "sys_argv": welcome.argv, **welcome.main})
    for module in welcome.modules:
        importlib.import_module(module)
    core = find_core(welcome.huey, welcome.task)
    if core is None:
        imported = ", ".join(welcome.modules) or "the main module"
        raise ConfigurationError(
            f"importing {imported} declares no task {welcome.task} on a Huey named {welcome.huey!r}; "
            'a run_in="process" task must be declared when its module is imported'
        )
    if not core.storage.capabilities.across_processes:
        core.refuse_storage(
            f"{type(core.storage).__name__} is in the memory of the consumer's process, and this is a pool process: "
            'a run_in="process" task cannot use locks, limits, results or other tasks there; take SqliteHuey'
        )
    return core


def _find(core: Core, call: Call) -> TaskSpec:
    if core.registry.get(call.name) is None and call.module not in ("__main__", *sys.modules):
        importlib.import_module(call.module)
    return core.registry.find(call.name)


if __name__ == "__main__":
    main()
