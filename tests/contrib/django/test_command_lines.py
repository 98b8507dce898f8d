"""From a line of ``manage.py`` to one of hueyio."""

from __future__ import annotations

import pytest

from hueyio import ConfigurationError
from hueyio.contrib.django.command_lines import command_line, place_of, read_line, worker_line

HOME = "hueyio.contrib.django.project"
KNOWN = ["default", "mails"]


def test_worker_takes_all_queues_when_none_is_named() -> None:
    asked = read_line(["-w", "4", "-l", "mails", "--settings", "site.settings", "-q"])
    assert worker_line(asked, KNOWN) == ["worker", f"{HOME}:default", f"{HOME}:mails", "-w", "4", "-l", "mails", "-q"]


def test_worker_takes_the_queues_that_are_named() -> None:
    asked = read_line(["--queue", "mails", "--max-tasks=5", "--queue=mails"])
    assert worker_line(asked, KNOWN) == ["worker", f"{HOME}:mails", "--max-tasks=5"]


def test_commands_are_for_the_usual_queue_or_for_the_one_that_is_named() -> None:
    assert command_line(read_line(["ls", "ready", "--json"]), KNOWN) == (["ls", "ready", "--json"], f"{HOME}:default")
    assert command_line(read_line(["ls", "--queue", "mails"]), KNOWN) == (["ls"], f"{HOME}:mails")
    assert place_of(f"{HOME}:mails")["HUEYIO_APP"] == f"{HOME}:mails"


def test_dashboard_is_for_all_queues() -> None:
    line, _ = command_line(read_line(["web", "--port", "9000"]), KNOWN)
    assert line == ["web", f"{HOME}:default", f"{HOME}:mails", "--port", "9000"]


@pytest.mark.parametrize("line", [["--queue", "nails"], ["ls", "--queue", "default", "--queue", "mails"]])
def test_sentence_when_the_queue_is_wrong(line: list[str]) -> None:
    with pytest.raises(
        ConfigurationError, match=r"HUEYIO has no queue 'nails'|for one queue, not for default and mails"
    ):
        command_line(read_line(line), KNOWN)
