"""``manage.py hueyio COMMAND``: the operator's commands, for the queues of this project."""

from __future__ import annotations

import os
import sys
from argparse import REMAINDER
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hueyio.cli.main import main
from hueyio.contrib.django.command_lines import command_line, place_of, read_line
from hueyio.contrib.django.management.commands.hueyio_worker import become_worker
from hueyio.contrib.django.queues import all_hueys
from hueyio.exceptions import ConfigurationError
from hueyio.worker.exit_codes import EXIT_CONFIGURATION

__all__ = ["Command"]


class Command(BaseCommand):
    """Runs one command of hueyio's."""

    help = "Look at this project's queues, and steer them: manage.py hueyio ls, show, retry, pause, web, ..."

    def run_from_argv(self, argv: list[str]) -> None:
        """Run the command; its options are its own, and so is its exit code."""
        try:
            if argv[2:3] == ["worker"]:
                become_worker(argv[3:])
            sys.exit(_run(argv[2:]))
        except ConfigurationError as error:
            self.stderr.write(f"hueyio: {error}")
            sys.exit(EXIT_CONFIGURATION)

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what ``call_command("hueyio", "ls")`` gives."""
        parser.add_argument("line", nargs=REMAINDER)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run a command for a program; raises CommandError if it fails."""
        line: list[str] = options["line"]
        if code := _run(line):
            raise CommandError(f"hueyio {' '.join(line)} ended with {code}", returncode=code)


def _run(line: Sequence[str]) -> int:
    asked, path = command_line(read_line(line), list(all_hueys()))
    with _environment(place_of(path)):
        return main(asked)


@contextmanager
def _environment(changes: Mapping[str, str | None]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    _change(changes)
    try:
        yield
    finally:
        _change(before)


def _change(changes: Mapping[str, str | None]) -> None:
    for name, value in changes.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
