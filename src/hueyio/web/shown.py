"""Texts from outside as pages show them: escaped, cut, and without a character that changes what stands around it."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, tzinfo
from typing import Final

from markupsafe import Markup

from hueyio.wording import ACTED_ON, duration, seconds

__all__ = [
    "MOST_SHOWN",
    "brief",
    "figure",
    "moment",
    "plain",
    "since",
    "split_error",
    "split_path",
    "stamp",
    "text",
]

MOST_SHOWN: Final = 4096
"""Characters of a text that are sent at all."""

_KEPT: Final = frozenset("\n\t")
_ERROR: Final = re.compile(r"(?P<kind>[A-Za-z_][\w.]*)(?:: (?P<said>.*)|\((?P<given>.*)\)|)", re.DOTALL)
_WHOLE: Final = "%Y-%m-%d %H:%M:%S"
_DASH: Final = "\N{EN DASH}"


def plain(value: object, most: int = MOST_SHOWN) -> str:
    """Return a text without what a browser or a reader would act on, and no longer than so many characters."""
    whole = str(value)
    cut = whole if len(whole) <= most else f"{whole[:most]}…"
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(_visible(it) for it in cut)


def _visible(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in ACTED_ON:
        return character
    return f"⟨U+{ord(character):04X}⟩"


def text(value: object, most: int = 300) -> Markup:
    """Return a text whose direction is its own affair."""
    return Markup("<bdi>{}</bdi>").format(plain(value, most))


def split_path(path: str | None) -> Markup:
    """Return a task's path: the package faint, the function strong."""
    if path is None:
        return Markup('<span class="faint">not known</span>')
    package, dot, name = plain(path, 200).rpartition(".")
    return Markup('<bdi><span class="faint">{}</span><span class="name">{}</span></bdi>').format(package + dot, name)


def split_error(error: str | None) -> tuple[str, str]:
    """Return the kind of an error and what it says; of what looks like none, no kind."""
    line = plain((error or "").strip(), 600)
    found = _ERROR.fullmatch(line)
    if found is None:
        return "", line
    said = found["said"] if found["said"] is not None else _unquoted(found["given"] or "")
    return found["kind"].rpartition(".")[2], said


def _unquoted(given: str) -> str:
    """Return the one text of an error's ``repr`` without its quotes."""
    inner = given.removesuffix(",")
    if len(inner) > 1 and inner[0] == inner[-1] and inner[0] in "'\"" and inner[0] not in inner[1:-1]:
        return inner[1:-1]
    return given


def moment(
    at: datetime | None, now: datetime, *, zone: tzinfo = UTC, ahead: str = "in ", behind: str = " ago"
) -> Markup:
    """Return a moment as seen from now, with the whole of it, in ``zone``, for the pointer."""
    if at is None:
        return Markup('<span class="faint">{}</span>').format(_DASH)
    span = (at - now).total_seconds()
    said = f"{ahead}{seconds(span)}" if span > 0 else f"{seconds(-span)}{behind}"
    whole = at.astimezone(zone).strftime(f"{_WHOLE} %Z")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(_iso(at), whole, said)


def since(at: datetime | None, now: datetime, *, zone: tzinfo = UTC) -> Markup:
    """Return how long ago a moment is."""
    return moment(at, now, zone=zone, ahead="", behind="")


def stamp(at: datetime, *, zone: tzinfo = UTC) -> Markup:
    """Return the whole of a moment."""
    return Markup('<time datetime="{}" data-stamp>{}</time>').format(_iso(at), at.astimezone(zone).strftime(_WHOLE))


def figure(value: int | None) -> str:
    """Return a count."""
    return _DASH if value is None else f"{value:,}"


def brief(span: float | None) -> str:
    """Return how long something took."""
    return _DASH if span is None else duration(span)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
