"""The page of the command line says what the commands say."""

from __future__ import annotations

import click

from hueyio.cli.registry import COMMANDS
from tests.cli.reference import PAGE, insert, reference


def test_page_has_the_reference_that_the_commands_make() -> None:
    page = PAGE.read_text()
    assert page == insert(page, reference()), "run python -m tests.cli.reference"


def test_every_command_begins_with_two_examples_and_has_a_summary() -> None:
    for entry in COMMANDS:
        if entry.name == "worker":
            continue
        loaded = entry.load()
        for command in loaded.commands.values() if isinstance(loaded, click.Group) else [loaded]:
            lines = (command.help or "").splitlines()
            assert [line[:2] for line in lines[1:3]] == ["$ ", "$ "], command.name
            assert entry.summary in PAGE.read_text()
