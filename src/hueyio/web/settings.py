"""How a dashboard is set up: who may look, who may act, and what is shown.

No web library is imported here: ``Huey.dashboard`` knows these options where none is installed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, TypedDict, get_args

from hueyio.exceptions import ConfigurationError

__all__ = [
    "LEVELS",
    "PERMISSIONS",
    "ASGIApp",
    "Authorize",
    "DashboardOptions",
    "Level",
    "Permission",
    "Redact",
    "RedactText",
    "Settings",
]

Level: TypeAlias = Literal["none", "read", "operate"]
"""What a visitor may do: nothing, look, or look and act."""

LEVELS: Final[tuple[Level, ...]] = get_args(Level)

Permission: TypeAlias = Literal["retry", "delete", "cancel", "revoke", "pause", "schedule", "free"]
"""What actions are about; see the table in the reference of the dashboard."""

PERMISSIONS: Final[tuple[Permission, ...]] = get_args(Permission)

Authorize: TypeAlias = Callable[[Any], "str | Awaitable[str]"]
"""Is given the request (``starlette.requests.Request``) and says what the visitor may do: one of the levels."""

Redact: TypeAlias = Callable[[str, tuple[Any, ...], dict[str, Any]], tuple[Sequence[Any], Mapping[str, Any]]]
"""Is given a task's name and arguments, and returns the arguments that may be shown."""

RedactText: TypeAlias = Callable[[str, str], str]
"""Is given a task's name, empty where there is none, and a text of it, and returns what may be seen of the text."""

ASGIApp: TypeAlias = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]
"""An ASGI application, as servers and frameworks take it."""


class DashboardOptions(TypedDict, total=False):
    """What ``Huey.dashboard`` takes; see ``Settings``."""

    authorize: Literal["open"] | Authorize
    actor: Callable[[Any], str] | None
    read_only: bool
    actions: Collection[Permission]
    arguments: bool
    tracebacks: bool
    redact: Redact | None
    redact_text: RedactText | None
    host_names: Collection[str] | None
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Checked; raises ConfigurationError."""

    authorize: Literal["open"] | Authorize | None = None
    """``"open"``: whoever reaches it may operate. Else a function of the request, plain or async, that returns
    ``"none"``, ``"read"`` or ``"operate"``."""
    actor: Callable[[Any], str] | None = None
    """Says of a request who acts, for the audit log; by default the user that the framework has found, else the
    address from which it comes."""
    read_only: bool = False
    """Nobody may act."""
    actions: Collection[Permission] = PERMISSIONS
    """Which actions there are at all."""
    arguments: bool = False
    """Show the arguments of tasks. Messages are then read, pickled ones too."""
    tracebacks: bool = False
    """Show tracebacks also to those who may look only."""
    redact: Redact | None = None
    """What of the arguments may be shown."""
    redact_text: RedactText | None = None
    """What of texts may be shown that can have arguments in them: errors, tracebacks, progress, results, headers, keys.
    With ``redact`` alone, none of them is."""
    host_names: Collection[str] | None = None
    """The names by which it may be reached, without a port; None: any, as far as the dashboard is asked."""

    prefix: str = ""
    """The path at which it is mounted, such as ``/queue``, where the framework does not tell it as ``root_path``."""

    def __post_init__(self) -> None:
        if self.authorize is None:
            raise ConfigurationError(
                "dashboard() needs authorize=: a function that says of a request 'none', 'read' or 'operate'; "
                "authorize='open' lets everybody in who can reach it"
            )
        if self.authorize != "open" and not callable(self.authorize):
            raise ConfigurationError(f"authorize must be a function of the request, or 'open', not {self.authorize!r}")
        for name in ("read_only", "arguments", "tracebacks"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigurationError(f"{name} must be True or False, not {getattr(self, name)!r}")
        for name in ("actor", "redact", "redact_text"):
            if getattr(self, name) is not None and not callable(getattr(self, name)):
                raise ConfigurationError(f"{name} must be a function, not {getattr(self, name)!r}")
        if isinstance(self.actions, str) or not set(self.actions) <= set(PERMISSIONS):
            raise ConfigurationError(f"actions must be some of {', '.join(PERMISSIONS)}, not {self.actions!r}")
        if not isinstance(self.prefix, str) or not (self.prefix == "" or self.prefix.startswith("/")):
            raise ConfigurationError(f"prefix must be a path such as '/queue', not {self.prefix!r}")
        if isinstance(self.host_names, str):
            raise ConfigurationError(f"host_names must be several, as in [{self.host_names!r}]")
