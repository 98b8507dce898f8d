"""``manage.py hueyio_worker [--queue NAME] [options of hueyio worker]``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hueyio.contrib.django.command_lines import read_line, worker_line
from hueyio.contrib.django.huey_settings import worker_variables
from hueyio.contrib.django.own_path import own_path
from hueyio.contrib.django.queues import all_hueys
from hueyio.exceptions import ConfigurationError
from hueyio.worker.exit_codes import EXIT_CONFIGURATION
from hueyio.worker.reload import RELOADER_VARIABLE

__all__ = ["Command", "become_worker"]

_RELOADER: Final = "hueyio.contrib.django.reloading:watch_project"

_USAGE: Final = """\
usage: manage.py hueyio_worker [--queue NAME]... [options of hueyio worker]

Runs the tasks of the queues in HUEYIO, of all unless --queue names some. The module `tasks` of each app is imported.
The options are those of `hueyio worker`, whose APP is left out here. --reload watches as runserver does.
"""


class Command(BaseCommand):
    """Becomes a worker of this project."""

    help = "Run the tasks of this project's queues."

    def run_from_argv(self, argv: list[str]) -> None:
        """Become the worker: its options are its own, and Django knows none of them."""
        try:
            become_worker(argv[2:])
        except ConfigurationError as error:
            self.stderr.write(f"hueyio: {error}")
            sys.exit(EXIT_CONFIGURATION)

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse to be called by a program, whose process would end."""
        raise CommandError("hueyio_worker takes the place of its process: start `manage.py hueyio_worker` as one")


def become_worker(line: Sequence[str]) -> None:
    """Replace this process by ``hueyio worker``, so that it starts, logs and restarts as any other worker does."""
    if {"-h", "--help"} & set(line):
        print(_USAGE, flush=True)
    asked = worker_line(read_line(line), list(all_hueys()))
    flags = [f"-W{it}" for it in sys.warnoptions]
    declared = {} if hasattr(settings, "HUEYIO") else worker_variables(getattr(settings, "HUEY", None))
    project = {"PYTHONPATH": os.pathsep.join(own_path(sys.path)), RELOADER_VARIABLE: _RELOADER}
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *flags, "-m", "hueyio", *asked], {**declared, **os.environ, **project})
