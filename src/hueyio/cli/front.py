"""The commands on Click: which one it is, what its errors say, and the exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Final

import click

from hueyio.cli.failures import leave_quietly, tell
from hueyio.cli.registry import COMMANDS
from hueyio.storage.texts import check_text
from hueyio.version import VERSION
from hueyio.worker.exit_codes import EXIT_USAGE

__all__ = ["COMMAND_LINE", "run"]


def run(line: Sequence[str]) -> int:
    """Run a command line and return the exit code."""
    try:
        for word in line:
            check_text("the argument", word)
        code = COMMAND_LINE.main(list(line), prog_name="hueyio", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        return leave_quietly()
    except (Exception, KeyboardInterrupt) as error:  # whatever it is, a user reads one sentence, and -v logs the rest
        return tell(error, as_json="--json" in line)


class _Commands(click.Group):
    """Imports a command when it is asked for: each has its own needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [entry.name for entry in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = next((it for it in COMMANDS if it.name == cmd_name), None)
        if entry is None:
            return None
        # ``main`` runs it; here it is only a name that can be completed.
        return click.Command("worker", help=entry.summary) if entry.name == "worker" else entry.load()

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args[0] not in known:
            near = get_close_matches(args[0], known, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"there is no command {args[0]!r}; commands: {', '.join(known)}{meant}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the summaries, for which no command needs to be imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.summary) for entry in COMMANDS])


def _begin(**given: Any) -> int | None:
    """Look after the options that stand before the command."""
    context = click.get_current_context()
    if given["version"]:
        click.echo(f"hueyio {VERSION}")
        context.exit(0)
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(EXIT_USAGE)
    return None


COMMAND_LINE: Final = _Commands(
    name="hueyio",
    callback=_begin,
    invoke_without_command=True,
    help="\b\n$ hueyio worker app:huey\n$ hueyio ls ready -a app:huey\n\nHuey's task queue, on the event loop.",
    params=[
        click.Option(["-V", "--version"], is_flag=True, help="print the version and exit"),
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
)
