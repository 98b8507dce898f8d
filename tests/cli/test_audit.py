"""``audit``: whatever a command changes is written down, with who did it."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import pytest

from hueyio.cli.registry import COMMANDS
from hueyio.storage.contract import Session
from tests.cli.letters import bury_tasks
from tests.cli.shop import Shop

CHANGING = {
    "put", "retry", "cancel", "revoke", "restore", "purge", "pause", "resume", "free", "add", "remove", "import-huey",
}  # fmt: skip


def test_every_change_is_an_entry_with_who_did_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUEYIO_ACTOR", "cron")
    (failed,) = bury_tasks(shop)
    bury_tasks(shop, 2, kind="lost", reason="its worker died")
    shop.on_session(lambda session: session.acquire("lock:report", "outside", 1, 600.0))
    (ready,) = shop.put(shop.module.mail.s("you"))
    for line in (
        "pause --as ana", "resume --as ana", f"retry {failed}", "purge dead --error died --yes", f"cancel {ready}",
        "revoke shop.mail --by name", "restore shop.mail", "locks free report --yes", "purge ready --yes",
        "schedules add tea RULE shop.mail", "schedules pause tea", "schedules resume tea",
        "schedules remove tea --yes",
    ):  # fmt: skip
        words = ["0 16 * * *" if word == "RULE" else word for word in line.split()]
        assert shop.run(*words).code == 0, line
    id = shop.run("put", "shop.mail", '["me"]', "--header", "trace=4f21").out.strip()
    shop.run("ls", "ready")
    shop.run("doctor")
    entries = list(reversed(shop.run("audit", "--json").json["entries"]))
    assert [(it["actor"], it["action"], it["target"], it["count"]) for it in entries] == [
        ("ana", "pause", "", None),
        ("ana", "resume", "", None),
        ("cron", "retry", failed, 1),
        ("cron", "purge", "lost, undeclared, unreadable; error died", 2),
        ("cron", "cancel", ready, 1),
        ("cron", "revoke", "name shop.mail", None),
        ("cron", "restore", "shop.mail", None),
        ("cron", "free lock", "report", 1),
        ("cron", "purge", "ready", 1),
        ("cron", "add schedule", "tea: shop.mail 0 16 * * *", None),
        ("cron", "pause schedule", "tea", None),
        ("cron", "resume schedule", "tea", None),
        ("cron", "remove schedule", "tea", None),
        ("cron", "put", f"shop.mail {id}", None),
    ]
    (task,) = shop.do(lambda huey: huey.pending())
    assert task.headers == {"trace": "4f21"}
    at = datetime.fromisoformat(entries[0]["at"])
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60


def test_entries_are_listed_a_page_at_a_time(shop: Shop) -> None:
    shop.put()
    for actor in ("a", "b", "c"):
        shop.run("pause", "--as", actor)
    first = shop.run("audit", "--limit", "2")
    assert [row[1:3] for row in first.rows] == [["c", "pause"], ["b", "pause"]]
    after = first.err.split()[-1]
    second = shop.run("audit", "--limit", "2", "--after", after)
    assert ([row[1] for row in second.rows], second.err) == (["a"], "")


def test_what_is_no_entry_is_left_out(shop: Shop) -> None:
    async def write(session: Session) -> None:
        for line in (b"", b"[]", b'{"by": "x"}', b'{"by": "x", "did": "y", "count": "many"}', b"\xff"):
            await session.note(line)

    shop.on_session(write)
    shop.run("pause", "--as", "\x1b[31mred")
    (row,) = shop.run("audit").rows
    assert row[1] == "\\x1b[31mred"


@pytest.mark.parametrize("shop", ["sqlite"], indirect=True)
def test_user_of_the_process_is_written_down_where_nobody_is_named(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "maria")
    monkeypatch.setenv("HUEYIO_ACTOR", " ")
    shop.put()
    by = shop.run("pause", "--json").json["by"]
    assert by.startswith("maria@")
    assert shop.run("workers", "--json").json["paused"]["by"] == by
    assert f"shop is paused by {by}, " in shop.run("workers").err


def test_every_command_that_changes_something_takes_a_name() -> None:
    for entry in COMMANDS:
        if entry.name == "worker":
            continue
        loaded = entry.load()
        for command in loaded.commands.values() if isinstance(loaded, click.Group) else [loaded]:
            takes = any("--as" in it.opts for it in command.params)
            assert takes is (command.name in CHANGING), command.name
