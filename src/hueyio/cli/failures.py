"""What ends a command early: one sentence on standard error, and an exit code that does not change."""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Final

import click

from hueyio.cli.text import clean
from hueyio.exceptions import ConfigurationError, HueyException, StorageError
from hueyio.worker.exit_codes import EXIT_CONFIGURATION, EXIT_CRASHED, EXIT_UNAVAILABLE, EXIT_USAGE

__all__ = ["EXIT_INTERRUPTED", "EXIT_NOTHING", "NothingFound", "code_of", "leave_quietly", "tell"]

logger = logging.getLogger(__name__)

EXIT_NOTHING: Final = 1
"""Nothing matched, an id is unknown, a part was refused, or the doctor found something."""

EXIT_INTERRUPTED: Final = 130
"""Ctrl-C, as shells say it."""


class NothingFound(HueyException):
    """What the command was asked for is not there."""


def code_of(error: BaseException) -> int:
    """Return the exit code of a command that ended with this error."""
    match error:
        case click.Abort() | KeyboardInterrupt():
            return EXIT_INTERRUPTED
        case click.ClickException():
            return EXIT_USAGE
        case ConfigurationError():
            return EXIT_CONFIGURATION
        case StorageError():
            return EXIT_UNAVAILABLE
        case HueyException():
            return EXIT_NOTHING
        case _:
            return EXIT_CRASHED


def tell(error: BaseException, *, as_json: bool) -> int:
    """Say on standard error what went wrong; return the exit code."""
    code = code_of(error)
    logger.debug("", exc_info=error)
    text = _sentence(error, code)
    if as_json:
        print(json.dumps({"v": 1, "error": {"code": code, "text": text}}), file=sys.stderr)
    else:
        print("\n".join([f"hueyio: {text}", *map(clean, getattr(error, "__notes__", ()))]), file=sys.stderr)
    return code


def leave_quietly() -> int:
    """End after a reader that has seen enough, as ``head`` has: nobody is there to be told."""
    # What is still buffered would be written at the exit of the interpreter, and fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _sentence(error: BaseException, code: int) -> str:
    if code == EXIT_INTERRUPTED:
        return "interrupted"
    if isinstance(error, click.ClickException):
        return clean(error.format_message().replace("\n\t", " "))  # click lists in lines what can be chosen
    text = clean(str(error)) or type(error).__name__
    return f"a defect of hueyio, please report it: {type(error).__name__}: {text}" if code == EXIT_CRASHED else text
