"""What a revocation is for: one task by its id, or all tasks of a name."""

from __future__ import annotations

from typing import Literal, TypeAlias
from uuid import UUID

from hueyio.cli.visit import Visit
from hueyio.named_tuple import NamedTuple

__all__ = ["By", "Revocable", "read_revocable"]

By: TypeAlias = Literal["id", "name"]


class Revocable(NamedTuple):
    """``word`` is an id or a name, as ``by`` says."""

    by: By
    word: str


async def read_revocable(at: Visit, word: str, by: By | None) -> Revocable:
    """Tell an id from a name: what looks like one of our ids or is known as one is an id, all else is a name."""
    if by is not None:
        return Revocable(by, word)
    if _is_uuid(word):
        return Revocable("id", word)
    if at.core.registry.get(word) is not None:
        return Revocable("name", word)
    (found,) = await at.session.locate([word])
    return Revocable("name" if found.state == "unknown" else "id", word)


def _is_uuid(word: str) -> bool:
    try:
        UUID(word)
    except ValueError:
        return False
    return True
