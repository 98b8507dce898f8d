"""Which commands there are. A new one is a module in the folder ``commands`` and a line here."""

from __future__ import annotations

from importlib import import_module
from typing import Final, cast

import click

from hueyio.named_tuple import NamedTuple

__all__ = ["COMMANDS", "Entry"]


class Entry(NamedTuple):
    """A command: its name on the command line and its line in the help. Its module has its name, with underscores."""

    name: str
    summary: str

    def load(self) -> click.Command:
        """Import the module of the command and return what Click runs."""
        name = self.name.replace("-", "_")
        return cast("click.Command", getattr(import_module(f"hueyio.cli.commands.{name}"), name))


COMMANDS: Final = (
    Entry("worker", "run the tasks of apps until it is told to stop"),
    Entry("ls", "list the tasks of a state"),
    Entry("show", "show what is known of one task"),
    Entry("doctor", "say why nothing is consumed"),
    Entry("workers", "list the workers that are alive"),
    Entry("stats", "say how much runs, waits and fails, and how long it takes"),
    Entry("watch", "show the same, again and again"),
    Entry("put", "enqueue a task"),
    Entry("retry", "run failed tasks and dead letters again"),
    Entry("cancel", "cancel tasks, wherever they are"),
    Entry("revoke", "keep a task, or all tasks of a name, from being run"),
    Entry("restore", "take a revocation back"),
    Entry("dead", "list the dead letters"),
    Entry("purge", "delete failed tasks, dead letters, waiting tasks or results"),
    Entry("pause", "let workers start no more tasks"),
    Entry("resume", "let workers go on"),
    Entry("schedules", "list, add, pause, resume or remove schedules"),
    Entry("locks", "list or free locks and semaphores"),
    Entry("audit", "list who changed what in the queue"),
    Entry("import-huey", "move the tasks, results and revocations of a queue of Huey's here"),
    Entry("bridge-huey", "move what comes into a queue of Huey's here, until it is told to stop"),
    Entry("migrate", "make or update the tables in a PostgreSQL database"),
    Entry("web", "serve the dashboard"),
    Entry("demo", "run a small shop and its dashboard, to look at"),
    Entry("completion", "print the completion for a shell"),
)
