"""The reference of the commands, made of the commands: ``python -m tests.cli.reference`` writes it into the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from hueyio.cli.options import FORM, PLACE
from hueyio.cli.registry import COMMANDS

__all__ = ["PAGE", "insert", "reference"]

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "command-line.md"
_BEGIN: Final = "<!-- made by python -m tests.cli.reference -->\n"
_END: Final = "<!-- end of what is made -->\n"


def reference() -> str:
    """Return the text for the page."""
    parts = ["### Options of all commands\n", _table(_common()), *_commands()]
    return "\n".join(parts)


def insert(page: str, text: str) -> str:
    """Return the page with the text between its marks."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{text}\n{_END}{after}"


def _commands() -> Iterator[str]:
    for entry in COMMANDS:
        if entry.name != "worker":
            yield from _describe(f"hueyio {entry.name}", entry.load())


def _describe(name: str, command: click.Command) -> Iterator[str]:
    if isinstance(command, click.Group):
        for each in command.commands.values():
            yield from _describe(f"{name} {each.name}", each)
        return
    examples, _, text = (command.help or "").removeprefix("\b\n").partition("\n\n")
    arguments = [it for it in command.params if isinstance(it, click.Argument)]
    usage = " ".join([name, *(it.make_metavar(click.Context(command)) for it in arguments)])
    yield f"### `{name}`\n"
    yield f"```text\n{usage} [OPTIONS]\n\n{examples}\n```\n"
    yield f"{text.strip()}\n"
    common = {it.name for it in _common()}
    own = [it for it in command.params if isinstance(it, click.Option) and it.name not in common]
    if own:
        yield _table(own)


def _common() -> list[click.Option]:
    """Return what all commands take, as Click sees it."""

    def nothing(**given: Any) -> None: ...

    made: Any = nothing
    for option in reversed((*PLACE, *FORM)):
        made = option(made)
    command: click.Command = click.command()(made)
    return [it for it in command.params if isinstance(it, click.Option)]


def _table(options: list[click.Option]) -> str:
    rows = ["| option | default | meaning |", "|---|---|---|"]
    for option in options:
        flags = ", ".join(f"`{flag}`" for flag in option.opts)
        value = "" if option.is_flag else f" `{option.make_metavar(click.Context(click.Command('x')))}`"
        default = f"{option.default:g}" if isinstance(option.default, float | int) and not option.is_flag else ""
        rows.append(f"| {_cell(flags + value)} | {default} | {_cell(option.help or '')} |")
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(insert(PAGE.read_text(), reference()))
