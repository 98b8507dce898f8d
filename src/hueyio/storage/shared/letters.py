"""Letters as storages keep and list them: which are kept, how large they are, and which somebody wants to see."""

from __future__ import annotations

from collections.abc import Iterable

from hueyio.storage.records import (
    LETTERS_LOOKED_AT,
    Bury,
    Cursor,
    DeadLetter,
    Finish,
    Page,
    Wanted,
)
from hueyio.storage.shared.bounds import check_age, check_count

__all__ = ["cannot_be_wanted", "check_failed_bounds", "is_wanted", "page_of", "size_of", "unkept"]


def check_failed_bounds(whose: str, keep_failed: object, failed_bytes: object, failed_ttl: object) -> None:
    """Raise ConfigurationError unless these are bounds of failed tasks; a 0 switches them off."""
    check_count(whose, "keep_failed", keep_failed)
    check_count(whose, "failed_bytes", failed_bytes)
    check_age(whose, "failed_ttl", failed_ttl)


def unkept(burial: Bury) -> Finish:
    """Return the same end without a letter."""
    it = burial
    return Finish(it.receipt, it.result, it.ttl, it.also, None, it.follow_ups, it.deletes, None, it.latch, it.kind)


def size_of(letter: DeadLetter) -> int:
    """Return about how many bytes a letter takes."""
    return len(letter.header.id) + len(letter.data) + len(letter.reason) + len(letter.name)


def cannot_be_wanted(limit: int, wanted: Wanted) -> bool:
    """Say whether nothing can be found."""
    return limit <= 0 or (wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until)


def is_wanted(letter: DeadLetter, wanted: Wanted) -> bool:
    """Compare a letter with what somebody wants, but for the time."""
    return (
        (not wanted.kinds or (letter.kind or "lost") in wanted.kinds)
        and (wanted.name is None or letter.name == wanted.name)
        and (wanted.text is None or wanted.text in letter.reason)
    )


def page_of(letters: Iterable[DeadLetter], limit: int, wanted: Wanted) -> Page[DeadLetter]:
    """Take a page from letters in the order of the list, which begin behind the cursor and before ``until``."""
    found: list[DeadLetter] = []
    at: Cursor | None = None
    for looked, letter in enumerate(letters):
        if wanted.since is not None and letter.buried_at < wanted.since:
            break
        if looked == LETTERS_LOOKED_AT or len(found) == limit:
            return Page(found, at)
        at = (letter.buried_at, letter.header.id)
        if is_wanted(letter, wanted):
            found.append(letter)
    return Page(found)
