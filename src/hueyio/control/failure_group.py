"""Failures that are alike: those of one task whose errors differ only in ids, numbers and addresses."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["group_of", "normalise", "split_group"]

_LONGEST: Final = 160
"""Characters of an error that tell groups apart."""

_VARIES: Final = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "<address>"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w"), "<email>"),
    # Letters and digits of a hash or a token, both among them.
    (re.compile(r"\b(?=[a-z]*\d)(?=\d*[a-z])[0-9a-z]{12,}\b", re.IGNORECASE), "<id>"),
    # Not the status of an HTTP response, which says what went wrong: those stand alone, from 100 to 599.
    (re.compile(r"(?<![\w.])(?![1-5]\d\d(?![\w.:]\w|\d))\d+(?:[.:,_-]\d+)*"), "N"),
    (re.compile(r"(?<=\w)\d{3,}"), "N"),
)


def normalise(error: str) -> str:
    """Return the first line of an error without what varies from one task to the next, cut to a bounded length."""
    line = next((it.strip() for it in error.splitlines() if it.strip()), "")
    line = line[: 4 * _LONGEST]  # the patterns look at no more
    for pattern, word in _VARIES:
        line = pattern.sub(word, line)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def group_of(name: str, error: str) -> str:
    """Return the group of a task's failure as one text; see ``split_group``."""
    return f"{name}\n{normalise(error)}"


def split_group(group: str) -> tuple[str, str]:
    """Return the name and the error of a group."""
    name, _, error = group.partition("\n")
    return name, error
