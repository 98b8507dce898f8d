"""psycopg's errors become ours at the edge, with a sentence that says where and never a password."""

from __future__ import annotations

import re
from typing import Final

import psycopg
from psycopg import errors

from hueyio.exceptions import (
    ConfigurationError,
    HueyException,
    LeaseLost,
    StorageError,
    StorageFull,
    StorageUnavailable,
)

__all__ = [
    "ANOTHER_TRANSACTION",
    "LOST_LEASE",
    "NOT_ACCEPTED",
    "TIME_IS_OVER",
    "NothingDone",
    "is_collision",
    "translate",
]

LOST_LEASE: Final = "HU001"
"""What our functions raise for an owner without a live lease."""

_NO_NUMBER: Final = "HU002"
"""What our functions raise for a counter that holds no number."""

ANOTHER_TRANSACTION: Final = "HU003"
"""What ``complete_1`` raises if it is not called in the transaction that was begun."""

NOT_ACCEPTED: Final = "HU004"
"""What it raises for a settlement that is not accepted; the message is the letter of the answer."""

TIME_IS_OVER: Final = ("25P03", "25P04")
"""What the server ends a session with whose transaction is idle, or open, for too long."""

_COLLISIONS: Final = ("40P01", "40001", "55P03")
"""Deadlock, serialization, lock time-out: nothing was done, and the next try may go through."""

_FULL: Final = ("53100", "53200")
_BUSY: Final = ("53", "57", "58", "25006", "08", "55000")
"""Resources, an operator's doing, the system, a read-only server, the connection."""

_FORBIDDEN: Final = "42501"
_MISSING: Final = ("42P01", "42883", "3F000")
_LOGIN: Final = ("28", "3D000")
_TOO_LARGE: Final = ("54000", "22P05", "22021")


class NothingDone(StorageUnavailable):
    """The server was not reached, or has refused: whatever the call is, it may be repeated."""


def is_collision(error: Exception) -> bool:
    """Say whether the call met another one, and may be repeated at once."""
    return isinstance(error, psycopg.Error) and error.sqlstate in _COLLISIONS


def translate(error: Exception, server: str) -> Exception:
    """Return our error for one of psycopg or the system; ``server`` says which server, as a subject."""
    if isinstance(error, (HueyException, UnicodeEncodeError)):
        return no_utf8() if isinstance(error, UnicodeEncodeError) else error
    if isinstance(error, (TimeoutError, errors.ConnectionTimeout)):
        return StorageUnavailable(f"{server} does not answer in time")
    if isinstance(error, psycopg.Error):
        if error.sqlstate is not None:
            return _translate_reply(error, error.sqlstate, server)
        if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
            return _translate_connection(str(error), server)
    if isinstance(error, OSError):
        return StorageUnavailable(f"{server} cannot be reached: {error.strerror or 'the connection failed'}")
    return StorageError(f"{server} could not be used: {type(error).__name__}: {error}")


def no_utf8() -> StorageError:
    """Return the error for a text that is none."""
    return StorageError("an id, a name or a key is no text that can be written as UTF-8")


def _translate_reply(error: psycopg.Error, state: str, server: str) -> Exception:
    text = str(error.diag.message_primary or error).strip()
    if state == LOST_LEASE:
        return LeaseLost(text)
    if state == _NO_NUMBER:
        return ValueError(text)
    if state in _FULL:
        return StorageFull(f"{server} has no room: {text}")
    if state in _COLLISIONS:
        return NothingDone(f"{server} is busy with another transaction: {text}")
    if state.startswith(_LOGIN):
        return ConfigurationError(f"{server} refuses the login: {text}")
    if state == _FORBIDDEN:
        return ConfigurationError(f"{server} does not let this role do that: {text}")
    if state in _MISSING:
        return ConfigurationError(
            f"{server} has not the tables and functions of this hueyio: run `hueyio migrate`: {text}"
        )
    if state in _TOO_LARGE:
        return StorageError(f"{server} cannot take an id or a key as long as that: {text}")
    if state.startswith(_BUSY):
        return StorageUnavailable(f"{server}: {text}")
    return StorageError(f"{server} refused: {text}")


def _translate_connection(text: str, server: str) -> HueyException:
    if re.search(
        r"password authentication failed|no pg_hba.conf entry|role \S+ does not exist|database \S+ does not", text
    ):
        return ConfigurationError(f"{server} refuses the login: {_last_line(text)}")
    if "closed the connection unexpectedly" in text:  # what follows is libpq's guess
        return StorageUnavailable(f"{server} has closed the connection")
    return StorageUnavailable(f"{server} cannot be reached: {_last_line(text)}")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "the connection failed"
