"""The audit log: who changed what in a queue, and when.

Whatever an operator does writes an entry: each command that changes something, and each call with ``actor=``. What an
application does without it writes none, and costs nothing. An entry is written when the change was made, so a
process that is killed in between leaves none.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from hueyio.exceptions import HueyException
from hueyio.storage.contract import Session
from hueyio.storage.records import Note

__all__ = ["AuditEntry", "check_actor", "name_some", "read_audit", "record", "this_user"]

_MOST_OF_ACTOR: Final = 100
_MOST_IDS: Final = 5
_MOST_OF_TARGET: Final = 300
"""Characters: the log is bounded by its number of lines, so lines are bounded too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One change that somebody made to a queue.

    ``action`` is what was done, such as ``pause`` or ``retry``; ``target`` what it was done to: an id, a name, a state,
    or the filter that chose the tasks. ``count`` says how many were changed; None where that is no question.
    """

    number: int
    """Rises with each entry; ``after`` of ``Huey.audit`` takes it."""
    at: datetime
    """By the storage's clock."""
    actor: str
    action: str
    target: str = ""
    count: int | None = None


def this_user() -> str:
    """Return who runs this process, as ``user@host``."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run under an id that has no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def check_actor(actor: object) -> str:
    """Return the name of who does something; raises HueyException if it is none."""
    if not isinstance(actor, str) or not actor.strip():
        raise HueyException(f"actor must be a name that is not empty, not {actor!r:.100}")
    return _valid(actor.strip())[:_MOST_OF_ACTOR]


def name_some(ids: Sequence[str]) -> str:
    """Return the first of several ids, and how many more there are: a target."""
    listed = ", ".join(ids[:_MOST_IDS])
    return f"{listed} and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else listed


async def record(session: Session, actor: str, action: str, target: str = "", count: int | None = None) -> None:
    """Write an entry."""
    fields: dict[str, Any] = {"by": actor[:_MOST_OF_ACTOR], "did": action, "what": target[:_MOST_OF_TARGET]}
    if count is not None:
        fields["count"] = count
    await session.note(json.dumps(fields).encode())


async def read_audit(session: Session, limit: int, after: int | None = None) -> list[AuditEntry]:
    """List entries, the latest first; what is no entry is left out."""
    return [it for it in map(_read, await session.notes(limit, after)) if it is not None]


def _read(note: Note) -> AuditEntry | None:
    try:
        fields: dict[str, Any] = json.loads(note.line)
        return AuditEntry(
            number=note.number,
            at=datetime.fromtimestamp(note.at, UTC),
            actor=str(fields["by"]),
            action=str(fields["did"]),
            target=str(fields.get("what", "")),
            count=None if fields.get("count") is None else int(fields["count"]),
        )
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, OSError):
        return None


def _valid(text: str) -> str:
    """Return a text that every storage takes: a lone surrogate, as in arguments that are no UTF-8, is none."""
    return text.encode("utf-8", "backslashreplace").decode()
