"""One look at a queue: whose it is, at which moment, and what the address asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hueyio.core import Core
from hueyio.named_tuple import NamedTuple
from hueyio.storage.contract import Session
from hueyio.web.access import Visitor
from hueyio.web.addresses import Addresses
from hueyio.web.redaction import Redaction
from hueyio.web.settings import Permission, Settings
from hueyio.web.zones import BROWSERS, Zone

__all__ = ["Page", "Source", "View"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A queue of the dashboard. ``app`` says where its code is; None: it is not there, and tasks are not known."""

    core: Core
    app: str | None

    @property
    def name(self) -> str:
        """The queue's name, which its addresses have."""
        return self.core.name


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a page is made of."""

    source: Source
    visitor: Visitor
    settings: Settings
    session: Session
    now: datetime
    """By the storage's clock."""
    at: Addresses
    here: str
    """The address of this page, to come back to."""
    query: Mapping[str, str] = field(default_factory=dict)
    zone: Zone = BROWSERS
    """That in which times are shown."""
    part: str = ""
    """What the last part of the path names: a task, a state, a name."""
    redaction: Redaction = field(init=False)
    """What may be seen of tasks."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "redaction", Redaction(self.settings))

    @property
    def shows_arguments(self) -> bool:
        """Whether the arguments of tasks are read: where that is allowed, and the code is there that knows them."""
        return self.settings.arguments and self.source.app is not None

    @property
    def shows_remembered_arguments(self) -> bool:
        """Whether the short form in the history is shown, which is a text."""
        return self.settings.arguments and not self.redaction.hides_texts

    @property
    def may_see_tracebacks(self) -> bool:
        """Whether the visitor sees where in the code a task failed."""
        return self.visitor.may_operate or self.settings.tracebacks

    def may(self, permission: Permission | None) -> bool:
        """Say whether the visitor may take such an action; None: any action at all."""
        return bool(self.visitor.allowed) if permission is None else permission in self.visitor.allowed


class Page(NamedTuple):
    """A template, the title of the page, and what the template shows."""

    template: str
    title: str
    values: dict[str, Any]
    status: int = 200
