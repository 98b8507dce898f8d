"""Places in lists of tasks as text, for cursors that a user hands back: their parts, each with its type."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, unquote

from hueyio.exceptions import HueyException

__all__ = ["read_place", "write_place"]

_BETWEEN: Final = "~"
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]*")


def write_place(*parts: str | float) -> str:
    """Return the text of a place: no blanks, nothing that a shell reads."""
    return _BETWEEN.join([_quote(part) if isinstance(part, str) else repr(part) for part in parts])


def _quote(text: str) -> str:
    if _PLAIN.fullmatch(text):  # nearly all are, and a list has a place for each task
        return text
    return quote(text, safe="", errors="surrogatepass").replace(_BETWEEN, "%7E")


def read_place(text: str, *kinds: Callable[[str], Any]) -> list[Any]:
    """Return the parts of a place, each as its kind reads it; raises HueyException for what is none."""
    parts = text.split(_BETWEEN)
    try:
        if len(parts) != len(kinds):
            raise ValueError(text)
        return [kind(unquote(part, errors="surrogatepass")) for kind, part in zip(kinds, parts, strict=True)]
    except ValueError:
        raise HueyException(f"{text!r} is no place in this list: `after` is the `next` of the part before") from None
