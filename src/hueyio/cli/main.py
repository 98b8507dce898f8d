"""The entry of the command line: ``hueyio COMMAND``, also as ``python -m hueyio COMMAND``.

``worker`` does not pass through Click: its options are derived from the classes that they fill, Huey's letters among
them, and it starts as fast as it did without.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

__all__ = ["COMPLETION_VARIABLE", "main"]

COMPLETION_VARIABLE: Final = "_HUEYIO_COMPLETE"
"""Set by a shell that asks what could come next, instead of running the command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    line = sys.argv[1:] if arguments is None else list(arguments)
    is_worker = line[:1] == ["worker"] and COMPLETION_VARIABLE not in os.environ
    is_own = arguments is None  # the process is this command's
    if is_own:
        gc.disable()  # what is imported stays: to look for garbage in it would take a tenth of the time of a command
    # Each of the two is imported alone: a worker's module is large, and so is Click.
    part = import_module("hueyio.cli.worker" if is_worker else "hueyio.cli.front")
    if is_own:
        gc.freeze()
        gc.enable()
    return int(part.run(line))
