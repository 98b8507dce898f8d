"""What a call returns: a coroutine that tells, at the line of the call, that nobody awaited it.

A call of a task enqueues nothing before it is awaited, and ``huey.revoke(...)`` revokes nothing. Python's own warning
blames the line at which the coroutine happens to be dropped, which is the framework's where a view, a receiver or a
lambda made it. So the call remembers its place: the code and the instruction, which cost nothing until a line is made
of them.

It is a ``collections.abc.Coroutine``: ``await``, ``asyncio.gather``, ``create_task`` and ``run`` take it. Whoever asks
``inspect.iscoroutine``, which knows those of ``async def`` only (anyio before 4.10 does), is told yes by ``__class__``.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Coroutine, Generator
from types import CodeType, CoroutineType, FrameType, TracebackType
from typing import Any, Final, NoReturn, TypeVar

from hueyio.exceptions import NotEnqueuedWarning

__all__ = ["Unawaited"]

T_co = TypeVar("T_co", covariant=True)


class Unawaited(Coroutine[Any, Any, T_co]):
    """A call that does nothing until it is awaited."""

    __slots__ = ("__qualname__", "_code", "_coroutine", "_instruction", "_way")

    def __init__(self, coroutine: Coroutine[Any, Any, T_co], called: str, way: str, frame: FrameType) -> None:
        """Wrap the coroutine of a call that ``frame`` makes; ``called`` is the path of a task, or a method.

        ``way`` is what to write in code that blocks, ``{}`` in it the task's name. The frame itself is not kept: it
        would keep the caller's variables.
        """
        self._coroutine = coroutine
        self.__qualname__ = called
        self._way = way
        self._code: CodeType | None = frame.f_code
        self._instruction = frame.f_lasti

    @property  # type: ignore[misc]
    def __class__(self) -> type[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return CoroutineType

    def __await__(self) -> Generator[Any, Any, T_co]:
        self._code = None
        return self._coroutine.__await__()

    def send(self, value: Any) -> Any:
        """Run to the next wait."""
        self._code = None
        return self._coroutine.send(value)

    def throw(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
    ) -> Any:
        """Raise an error where it waits."""
        self._code = None
        # Python 3.12 deprecates the form with three arguments, which is all that is left of ``typ`` as a class.
        if not isinstance(typ, BaseException):
            typ = val if isinstance(val, BaseException) else typ() if val is None else typ(val)
        return self._coroutine.throw(typ if tb is None else typ.with_traceback(tb))

    def close(self) -> None:
        """Give it up; then it does not warn."""
        self._code = None
        self._coroutine.close()

    def __del__(self) -> None:
        if self._code is not None:
            self._coroutine.close()  # or Python warns too
            _warn(f"{self.__qualname__} was called and not awaited: {self._cure()}", self._code, self._instruction)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("cr_"):  # what asyncio and debuggers look at
            return getattr(self._coroutine, name)
        raise AttributeError(f"this call has no {name!r}, {self._advice()}", name=name, obj=self)

    def __call__(self, *args: object, **kwargs: object) -> NoReturn:
        """Refuse: it is no Result."""
        raise TypeError(f"this call cannot be called, {self._advice()}")

    def __bool__(self) -> bool:
        # From Python 3.12 on the repr of a task asks whether it has a coroutine.
        if self._code is None or sys._getframe(1).f_globals.get("__name__", "").startswith("asyncio."):
            return True
        raise TypeError(f"this call is neither true nor false, {self._advice()}")

    def __len__(self) -> NoReturn:
        raise TypeError(f"this call has no length, {self._advice()}")

    def __iter__(self) -> NoReturn:
        raise TypeError(f"this call cannot be iterated over, {self._advice()}")

    def __getitem__(self, position: object) -> NoReturn:
        raise TypeError(f"this call has no items, {self._advice()}")

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"this call cannot be pickled, {self._advice()}")

    def __repr__(self) -> str:
        return f"<call of {self.__qualname__}: it does nothing until it is awaited>"

    def _advice(self) -> str:
        return f"and no Result yet: {self.__qualname__} does nothing until it is awaited; {self._cure()}"

    def _cure(self) -> str:
        return f"await it, or use {self._way.format(self.__qualname__.rpartition('.')[2])}(...)"


def _warn(text: str, code: CodeType, instruction: int) -> None:
    """Warn at the place of an instruction, once for each place."""
    lines = (line for start, end, line in code.co_lines() if start <= instruction < end)
    line = next(lines, None) or code.co_firstlineno
    registry = _told.setdefault(code.co_filename, {})
    warnings.warn_explicit(text, NotEnqueuedWarning, code.co_filename, line, registry=registry)


_told: Final[dict[str, dict[Any, Any]]] = {}
"""What ``warnings`` notes of the places at which it has warned, by file."""
