"""What an action is: who may take it, what it asks, and what it does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from hueyio.web.forgery import Form
from hueyio.web.settings import Permission
from hueyio.web.view import View

__all__ = ["Ask", "Do", "Question", "Verb"]


class Question(NamedTuple):
    """What stands on the page that asks. ``typed`` must be typed before it is done; ``carried`` goes with the form."""

    title: str
    effect: str
    yes: str
    no: str = "Leave it"
    names: Sequence[tuple[str, int]] = ()
    typed: str = ""
    is_grave: bool = False
    carried: Sequence[tuple[str, str]] = ()


Ask: TypeAlias = Callable[[View, Form], Awaitable[Question]]
Do: TypeAlias = Callable[[View, Form], Awaitable[str]]
"""Does it, notes it, and returns a sentence that says what was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One action. ``name`` stands in addresses. ``permission`` None: ``do`` finds out which one it takes."""

    name: str
    permission: Permission | None
    ask: Ask
    do: Do
