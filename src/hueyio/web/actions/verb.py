"""What an action is: who may take it, what it asks, and what it does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from hueyio.named_tuple import NamedTuple
from hueyio.web.forgery import Form
from hueyio.web.settings import Permission
from hueyio.web.view import View

__all__ = ["SURE", "Ask", "Do", "Done", "Field", "Question", "Undo", "Verb"]

SURE: Final = "sure"
"""The field of a form whose fields were shown once more."""


class Field(NamedTuple):
    """A field of a form. With ``options`` it is a choice; ``error`` says what is wrong with what was typed."""

    name: str
    label: str
    value: str
    hint: str = ""
    error: str = ""
    options: Sequence[str] = ()


class Question(NamedTuple):
    """What stands on the page that asks. ``typed`` must be typed before it is done; ``carried`` goes with the form.

    With ``fields`` it asks for these first, and once more, without them, whether that is what shall be done.
    """

    title: str
    effect: str
    yes: str
    no: str = "Leave it"
    names: Sequence[tuple[str, int]] = ()
    typed: str = ""
    is_grave: bool = False
    carried: Sequence[tuple[str, str]] = ()
    fields: Sequence[Field] = ()
    notes: Sequence[str] = ()

    @property
    def is_wrong(self) -> bool:
        """Whether something that was typed cannot be taken."""
        return any(it.error for it in self.fields)


class Undo(NamedTuple):
    """The action that takes another one back, with what its form sends."""

    verb: str
    fields: Sequence[tuple[str, str]] = ()


class Done(NamedTuple):
    """What was done, in a sentence. ``undo`` is there only where it leaves nothing of it."""

    said: str
    undo: Undo | None = None


Ask: TypeAlias = Callable[[View, Form], Awaitable[Question]]
Do: TypeAlias = Callable[[View, Form], Awaitable[str | Done]]
"""Does it, notes it, and returns a sentence that says what was done, or that with what undoes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One action. ``name`` stands in addresses. ``permission`` None: ``do`` finds out which one it takes.

    ``has_fields``: what was typed is shown once more before it is done.
    """

    name: str
    permission: Permission | None
    ask: Ask
    do: Do
    has_fields: bool = False
