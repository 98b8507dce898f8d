"""The entry of the command line: ``hueyio COMMAND``, also as ``python -m hueyio COMMAND``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib.metadata import version

from hueyio.exceptions import ConfigurationError, StorageError
from hueyio.worker.cli.registry import COMMANDS, Command
from hueyio.worker.exit_codes import EXIT_CONFIGURATION, EXIT_UNAVAILABLE, EXIT_USAGE

__all__ = ["main"]

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; raises SystemExit as argparse does."""
    line = sys.argv[1:] if arguments is None else list(arguments)
    parser, command = _read_command(line)
    given = parser.parse_args(line)
    if given.version:
        print(f"hueyio {version('hueyio')}")
        return 0
    if command is None:
        parser.print_help(sys.stderr)
        return EXIT_USAGE
    try:
        return command.run(given, line)
    except ConfigurationError as error:
        return _refuse(error, EXIT_CONFIGURATION)
    except StorageError as error:
        return _refuse(error, EXIT_UNAVAILABLE)


def _read_command(line: Sequence[str]) -> tuple[argparse.ArgumentParser, Command | None]:
    """Return the parser of this line, and the command that it names; only that one is imported."""
    parser = argparse.ArgumentParser(prog="hueyio", description="Huey's task queue, on the event loop.")
    parser.add_argument("-V", "--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    name = next((each for each in line if not each.startswith("-")), None)
    found: Command | None = None
    for entry in COMMANDS:
        own = commands.add_parser(entry.name, help=entry.summary, description=entry.summary)
        if entry.name == name:
            found = entry.load()
            found.add_options(own)
    if name is not None and found is None:
        known = ", ".join(entry.name for entry in COMMANDS)
        parser.error(f"there is no command {name!r}; commands: {known}")
    return parser, found


def _refuse(error: Exception, code: int) -> int:
    logger.debug("", exc_info=error)
    print(f"hueyio: {error}", file=sys.stderr)
    return code
