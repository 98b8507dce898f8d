"""redis-py's errors become ours at the edge, with a sentence that says where and never a password."""

from __future__ import annotations

import os
import re
from typing import Final

from redis import exceptions

from hueyio.exceptions import ConfigurationError, HueyException, StorageError, StorageUnavailable

__all__ = ["is_broken", "translate"]

_LATER: Final = (
    ("OOM", "is out of memory"),
    ("READONLY", "is a read-only replica"),
    ("LOADING", "is loading its data"),
    ("BUSY ", "is busy with a long script"),
    ("MISCONF", "cannot save its data and refuses writes"),
    ("MASTERDOWN", "has lost its master"),
    ("NOREPLICAS", "has too few replicas"),
    ("CLUSTERDOWN", "belongs to a cluster that is down"),
    ("TRYAGAIN", "is moving its data"),
    ("UNKILLABLE", "is busy with a long script"),
    ("max number of clients", "has too many clients"),
)
"""What a server says when the same call may work later."""

_OTHER_KIND: Final = re.compile(r"WRONGKIND (\w*?)(?:Storage)?(?!\w)")

_NUMBER: Final = re.compile(r"\[Errno (\d+)\]")

_REFUSED: Final = (
    exceptions.AuthenticationError,
    exceptions.AuthorizationError,
    exceptions.AuthenticationWrongNumberOfArgsError,
    exceptions.NoPermissionError,
)

_BY_CLASS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (exceptions.OutOfMemoryError, "is out of memory"),
    (exceptions.ReadOnlyError, "is a read-only replica"),
    (exceptions.BusyLoadingError, "is loading its data"),
)


def is_broken(error: Exception) -> bool:
    """Say whether the connection is of no use after this error."""
    return isinstance(error, (exceptions.ConnectionError, exceptions.TimeoutError, OSError, TimeoutError))


def translate(error: Exception, server: str) -> HueyException:
    """Return our error for one that came from redis-py or the system; ``server`` says which server, as a subject."""
    if isinstance(error, HueyException):
        return error
    text = str(error)
    if isinstance(error, _REFUSED) or "NOPERM" in text or "NOAUTH" in text:
        return ConfigurationError(f"{server} refuses the login, or what it may do: check username, password and ACL")
    for kind, what in _BY_CLASS:
        if isinstance(error, kind):
            return StorageUnavailable(f"{server} {what}")
    if isinstance(error, exceptions.ResponseError):
        return _translate_reply(text, server)
    if isinstance(error, (exceptions.TimeoutError, TimeoutError)):
        return StorageUnavailable(f"{server} does not answer in time")
    if is_broken(error):
        return StorageUnavailable(f"{server} cannot be reached: {_reason(error)}")
    return StorageError(f"{server} could not be used: {type(error).__name__}")


def _translate_reply(text: str, server: str) -> HueyException:
    other = _OTHER_KIND.search(text)
    if other is not None:
        return StorageError(
            f"{server}: the queue of this name was written by {other[1]}Huey, another kind, and still has tasks: "
            "use that class, take another name, or drain the queue first"
        )
    if "WRONGTYPE" in text:
        return StorageError(
            f"{server}: a queue of another kind of Huey lives under this name; take another name, or empty that queue"
        )
    if "invalid DB index" in text or "DB index is out of range" in text:
        return ConfigurationError(f"{server} has no such database")
    for sign, what in _LATER:
        if sign in text:
            return StorageUnavailable(f"{server} {what}")
    return StorageError(f"{server} refused: {text}")


def _reason(error: Exception) -> str:
    """Say why in a few words. Only what the system says: texts of redis-py name what it was connected with."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError):
            # asyncio puts texts of its own there, and one for all addresses that it tried.
            number = cause.errno or int((_NUMBER.search(str(cause)) or ["", "0"])[1])
            if number > 0 or cause.strerror:
                return (os.strerror(number) if number > 0 else str(cause.strerror)).lower()
        cause = cause.__cause__ or cause.__context__
    return "the connection is closed" if "closed" in str(error).lower() else "the connection failed"
