"""``hueyio completion``."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

from hueyio.cli.main import COMPLETION_VARIABLE

__all__ = ["completion"]

_SHELLS: Final = ("bash", "zsh", "fish")


def _print(shell: str) -> int:
    made_by = get_completion_class(shell)
    assert made_by is not None, shell
    click.echo(made_by(click.Command("hueyio"), {}, "hueyio", COMPLETION_VARIABLE).source())
    return 0


completion = click.Command(
    "completion",
    callback=_print,
    params=[click.Argument(["shell"], type=click.Choice(_SHELLS), metavar="bash|zsh|fish")],
    help='\b\n$ eval "$(hueyio completion bash)"\n$ hueyio completion fish > ~/.config/fish/completions/hueyio.fish\n\n'
    "Print what completes commands, options and states in a shell.",
)
