"""From a line of ``manage.py`` to one of hueyio: which queues are meant, and what is passed on. No I/O.

``--queue`` is the only option that is read here, beside those of Django's own that say which project it is.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from hueyio.contrib.django.queues import path_of
from hueyio.contrib.django.settings import DEFAULT
from hueyio.exceptions import ConfigurationError
from hueyio.named_tuple import NamedTuple

__all__ = ["Asked", "command_line", "place_of", "read_line", "worker_line"]

_PLACES = ("HUEYIO_URL", "HUEYIO_FILE", "HUEYIO_QUEUE")
"""What else could say which queue is meant: here the project does."""


class Asked(NamedTuple):
    """What was asked for. No queue: all of them, or the usual one."""

    queues: list[str]
    rest: list[str]
    """As hueyio reads it."""


def read_line(line: Sequence[str]) -> Asked:
    """Split the arguments of a command."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--queue", action="append", default=[])
    parser.add_argument("--settings")  # these two were heeded by manage.py
    parser.add_argument("--pythonpath")
    given, rest = parser.parse_known_args(list(line))
    return Asked(given.queue, rest)


def worker_line(asked: Asked, known: Sequence[str]) -> list[str]:
    """Return the command line of a worker for these queues, or for all. Raises ConfigurationError."""
    return ["worker", *map(path_of, _checked(asked.queues, known) or known), *asked.rest]


def command_line(asked: Asked, known: Sequence[str]) -> tuple[list[str], str]:
    """Return the command line of any other command, and the path of the queue that it is for.

    The dashboard is for all queues, unless some are named. Raises ConfigurationError.
    """
    queues = _checked(asked.queues, known)
    if asked.rest[:1] == ["web"]:
        return ["web", *map(path_of, queues or known), *asked.rest[1:]], path_of(DEFAULT)
    if len(queues) > 1:
        raise ConfigurationError(f"this command is for one queue, not for {' and '.join(queues)}")
    return asked.rest, path_of(queues[0] if queues else DEFAULT)


def place_of(path: str) -> dict[str, str | None]:
    """Return the variables that say of a command which queue it is for, unless its own line does; None: unset."""
    return {"HUEYIO_APP": path, **dict.fromkeys(_PLACES)}


def _checked(queues: Sequence[str], known: Sequence[str]) -> list[str]:
    for alias in queues:
        if alias not in known:
            raise ConfigurationError(f"HUEYIO has no queue {alias!r}; there are: {', '.join(known)}")
    return list(dict.fromkeys(queues))
