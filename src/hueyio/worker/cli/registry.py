"""Which commands there are. A new one is a module in this folder and a line here."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NamedTuple, Protocol, cast

__all__ = ["COMMANDS", "Command", "Entry"]


class Command(Protocol):
    """What the module of a command has. It is imported when its command is asked for: a worker's is large."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options and arguments of the command."""
        ...

    def run(self, given: argparse.Namespace, line: Sequence[str]) -> int:
        """Run the command and return the exit code; ``line`` is the whole command line as it was given.

        ConfigurationError and StorageError that come out of it are said in one line, and end with 78 and 69.
        """
        ...


class Entry(NamedTuple):
    """A command: its name on the command line and its line in the help. Its module in this folder has its name."""

    name: str
    summary: str

    def load(self) -> Command:
        """Import the module of the command."""
        return cast("Command", import_module(f"hueyio.worker.cli.{self.name}"))


COMMANDS: Final = (Entry("worker", "run the tasks of apps until it is told to stop"),)
