"""What a job knows of the transaction that its body opened: whether it is open, and which end it wrote."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from hueyio.execution.end import End
from hueyio.storage.records import Answer

__all__ = ["Block"]


class Block:
    """Owned by the body until that has ended, then by whoever ends the job."""

    __slots__ = ("answer", "end", "roll_back")

    def __init__(self, roll_back: Callable[[], Coroutine[Any, Any, None] | None]) -> None:
        self.roll_back: Callable[[], Coroutine[Any, Any, None] | None] | None = roll_back
        """Rolls it back, a coroutine's by what is to be awaited; None: the block was left."""
        self.end: End | None = None
        """The end that was committed, with the answer to it."""
        self.answer: Answer = "stale"

    @property
    def is_open(self) -> bool:
        """Whether the body has entered it and not left it."""
        return self.roll_back is not None

    def note_written(self, end: End, answer: Answer) -> None:
        """Remember what was committed."""
        self.end, self.answer = end, answer
