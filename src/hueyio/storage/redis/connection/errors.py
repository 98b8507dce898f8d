"""redis-py's errors become ours at the edge, with a sentence that says where and never a password."""

from __future__ import annotations

import os
import re
import ssl
from typing import Final

from redis import exceptions

from hueyio.exceptions import ConfigurationError, HueyException, StorageError, StorageUnavailable

__all__ = ["NothingDone", "QueueMoved", "WrongKind", "is_astray", "is_broken", "translate"]

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
    ("UNBLOCKED", "has become a replica"),
    ("max number of clients", "has too many clients"),
)
"""What a server says when the same call may work later."""

_OTHER_KIND: Final = re.compile(r"WRONGKIND (\w*?)(?:Storage)?(?!\w)")

_FORBIDDEN: Final = ("NOPERM", "ACL failure in script", "The user executing the script can't")
"""What servers of different versions say, to a command and in a script."""

_COMMAND: Final = re.compile(r"permissions? to run the '([\w|]+)'")

_REPLICA: Final = re.compile(r"replica of (\S+:\d+)")

_UNKNOWN: Final = re.compile(r"UNKNOWN command '(\w+)'")

_NUMBER: Final = re.compile(r"\[Errno (\d+)\]")

_REFUSED: Final = (
    exceptions.AuthenticationError,
    exceptions.AuthorizationError,
    exceptions.AuthenticationWrongNumberOfArgsError,
)

_BY_CLASS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (exceptions.OutOfMemoryError, "is out of memory"),
    (exceptions.ReadOnlyError, "is a read-only replica"),
    (exceptions.BusyLoadingError, "is loading its data"),
    (exceptions.MasterDownError, "has lost its master"),
    (exceptions.ClusterDownError, "belongs to a cluster that is down"),
    (exceptions.TryAgainError, "is moving this queue"),
    (exceptions.AskError, "is moving this queue"),
)


_ASTRAY: Final = ("READONLY", "MASTERDOWN", "CLUSTERDOWN", "UNBLOCKED")


class NothingDone(StorageUnavailable):
    """The server was not reached, or has refused: whatever the call is, it may be repeated."""


class QueueMoved(NothingDone):
    """The queue is on another node of the cluster."""


class WrongKind(StorageError):
    """A key holds a value of another type."""


def is_astray(error: exceptions.RedisError) -> bool:
    """Say whether the server is, or may be, not the one to talk to: then it is looked for again.

    An ASK does not count: a node that is being given a slot takes no script whose keys are not all there, and a queue
    never has all of its keys. So nothing can be done until the slot is where it goes to; then the node says MOVED.
    """
    if isinstance(error, exceptions.MovedError):
        return True
    kinds = (exceptions.ReadOnlyError, exceptions.ClusterDownError)
    return isinstance(error, kinds) or any(sign in str(error) for sign in _ASTRAY)


def is_broken(error: Exception) -> bool:
    """Say whether the connection is of no use after this error."""
    return isinstance(error, (exceptions.ConnectionError, exceptions.TimeoutError, OSError, TimeoutError))


def translate(error: Exception, server: str) -> HueyException:
    """Return our error for one that came from redis-py or the system; ``server`` says which server, as a subject."""
    if isinstance(error, HueyException):
        return error
    text = str(error)
    if isinstance(error, exceptions.NoPermissionError) or any(sign in text for sign in _FORBIDDEN):
        return ConfigurationError(f"{server} does not let this user {_forbidden(text)}; which rights are needed is in "
                                  "the documentation, under 'Users with few rights'")  # fmt: skip
    if isinstance(error, _REFUSED) or "NOAUTH" in text or "unauthenticated" in text:
        return ConfigurationError(f"{server} refuses the login, or what it may do: check username, password and ACL")
    if isinstance(error, exceptions.MovedError):
        return QueueMoved(f"{server} does not keep this queue any more")
    followed = _REPLICA.search(text)
    if followed is not None and isinstance(error, exceptions.ReadOnlyError):
        return NothingDone(f"{server} is a replica of {followed[1]}")
    for kind, what in _BY_CLASS:
        if isinstance(error, kind):
            return NothingDone(f"{server} {what}")
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
        return WrongKind(
            f"{server}: a queue of another kind of Huey lives under this name; take another name, or empty that queue"
        )
    unknown = _UNKNOWN.search(text)
    if unknown is not None:
        return ConfigurationError(f"{server} does not know the command {unknown[1].upper()}, or it is renamed there")
    if "REPLICATES" in text:
        return ConfigurationError(f"{server} replicates scripts as a whole: set lua-replicate-commands to yes")
    if "invalid DB index" in text or "DB index is out of range" in text:
        return ConfigurationError(f"{server} has no such database")
    for sign, what in _LATER:
        if sign in text:
            return NothingDone(f"{server} {what}")
    return StorageError(f"{server} refused: {text}")


def _forbidden(text: str) -> str:
    command = _COMMAND.search(text)
    if command is not None:
        return f"use the command {command[1].upper()}"
    for word in ("channel", "key"):
        if word in text:
            return f"use the {word}s of this queue"
    return "use a command that is needed"


def _reason(error: Exception) -> str:
    """Say why in a few words. Only what the system says: texts of redis-py name what it was connected with."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is refused: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS fails: {(cause.reason or 'for an unknown reason').replace('_', ' ').lower()}"
        if isinstance(cause, OSError):
            # asyncio puts texts of its own there, and one for all addresses that it tried.
            number = cause.errno or int((_NUMBER.search(str(cause)) or ["", "0"])[1])
            if number > 0 or cause.strerror:
                return (os.strerror(number) if number > 0 else str(cause.strerror)).lower()
        cause = cause.__cause__ or cause.__context__
    return "the connection is closed" if "closed" in str(error).lower() else "the connection failed"
