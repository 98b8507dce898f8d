"""``ls``, ``show`` and ``workers``: what there is, in each form, without the app."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hueyio import Huey
from hueyio.storage.contract import Session
from hueyio.storage.records import Bury, Entry, Finish, Header
from tests.cli.shop import Shop
from tests.unit.test_glance import Trap


def test_ready_tasks_are_listed_in_the_order_in_which_they_run(shop: Shop) -> None:
    ids = shop.put(shop.module.mail.s("you"), shop.module.mail.s("me"), shop.module.pack.s(1))
    for where in (shop.app, shop.bare):
        done = shop.run("ls", "ready", where=where)
        assert [row[:3] for row in done.rows] == [
            [ids[0], "shop.mail", "loop"],
            [ids[1], "shop.mail", "loop"],
            [ids[2], "shop.pack", "thread"],
        ]
        assert (done.code, done.err) == (0, "")
        assert datetime.fromisoformat(done.rows[0][3]).tzinfo is not None


def test_scheduled_tasks_are_listed_with_the_time_at_which_they_are_due(shop: Shop) -> None:
    (id,) = shop.put(shop.module.mail.s("you", delay=3600))
    (task,) = shop.run("ls", "scheduled", "--json").json["tasks"]
    assert (task["id"], task["name"], task["state"]) == (id, "shop.mail", "scheduled")
    due = datetime.fromisoformat(task["due"])
    made = datetime.fromisoformat(task["made"])
    assert timedelta(seconds=3590) < due - made < timedelta(seconds=3610)


def test_running_tasks_are_listed_with_their_worker(shop: Shop) -> None:
    (id,) = shop.put(shop.module.mail.s("you"))
    shop.register("owner", longest=[[id, "shop.mail", 1_700_000_000], ["other", "", 1]])
    shop.claim("owner")
    (task,) = shop.run("ls", "running", "--json").json["tasks"]
    assert (task["id"], task["worker"], task["delivery"]) == (id, "web-1:7", 1)
    assert task["since"] == "2023-11-14T22:13:20.000Z"
    assert shop.run("ls", "ready").rows == []


def test_dead_letters_are_listed_with_the_reason(shop: Shop) -> None:
    ids = bury(shop, "SerializationError: the signature does not fit", 2)
    done = shop.run("ls", "dead", "--error", "SIGNATURE")
    assert sorted(row[0] for row in done.rows) == sorted(ids)
    assert done.rows[0][2] == "unreadable"
    assert done.rows[0][4] == "SerializationError: the signature does not fit"
    none = shop.run("ls", "dead", "--error", "disk")
    assert (none.code, none.out) == (1, "")
    assert "no dead task that fits" in none.err


def test_list_is_cut_and_says_so(shop: Shop) -> None:
    shop.put(*(shop.module.mail.s(str(number)) for number in range(5)))
    done = shop.run("ls", "ready", "--limit", "3")
    assert len(done.rows) == 3
    said, place = done.err.strip().split(" --after ")
    assert said == "3 of 5. More:"
    rest = shop.run("ls", "ready", "--after", place)
    assert [row[0] for row in (*done.rows, *rest.rows)] == [row[0] for row in shop.run("ls", "ready", "--all").rows]
    told = shop.run("ls", "ready", "--limit", "3", "--json")
    assert (len(told.json["tasks"]), told.json["complete"], told.err) == (3, False, "")
    assert shop.run("ls", "ready", "--limit", "5", "--json").json["complete"] is True


def test_names_filter_a_list(shop: Shop) -> None:
    shop.put(shop.module.mail.s("you"), shop.module.pack.s(1))
    assert [row[1] for row in shop.run("ls", "ready", "--name", "*.p*").rows] == ["shop.pack"]


def test_failed_tasks_are_listed_by_name_error_and_time(shop: Shop) -> None:
    (id, other) = shop.put(shop.module.mail.s("you", retries=0), shop.module.pack.s(1))

    async def fail(session: Session) -> None:
        await session.register("undertaker", b"{}")
        taken = await session.claim({"loop": 1, "thread": 1}, "undertaker")
        errors = {id: "ValueError: no address", other: "OSError: no box"}
        ends = [Bury(it.receipt, errors[it.receipt.id], into="failed") for it in taken]
        await session.settle(ends, "undertaker", 1)

    shop.on_session(fail)
    row = shop.run("ls", "failed", "--name", "shop.m*", "--since", "1h").rows[0]
    assert [*row[:2], *row[3:]] == [id, "shop.mail", "1", "ValueError: no address"]
    assert [it[0] for it in shop.run("ls", "failed", "--error", "NO BOX").rows] == [other]
    assert [it[0] for it in shop.run("ls", "failed", "--text", "pack").rows] == [other]
    assert shop.run("ls", "failed", "--until", "1h").code == 1
    told = shop.run("show", id, "--json").json
    assert (told["state"], told["name"], told["error"]) == ("failed", "shop.mail", "ValueError: no address")


def test_waiting_and_retrying_tasks_are_listed(shop: Shop) -> None:
    first, last = shop.module.mail.s("you"), shop.module.pack.s()
    shop.put(first.then(last))
    (task,) = shop.run("ls", "waiting", "--json").json["tasks"]
    assert (task["id"], task["waits for"], task["name"]) == (last.id, [first.id], None)
    assert shop.run("show", last.id, "--json").json["waits for"] == [first.id]

    async def retry(session: Session) -> None:
        await session.register("owner", b"{}")
        (taken,) = await session.claim({"loop": 1}, "owner")
        again = Entry(taken.header.attempted(1), taken.data)
        await session.settle([Finish(taken.receipt, follow_ups=(again,))], "owner", 1)

    shop.on_session(retry)
    (task,) = shop.run("ls", "retrying", "--json").json["tasks"]
    assert (task["id"], task["name"], task["attempt"]) == (first.id, "shop.mail", 2)
    assert shop.run("ls", "ready").rows == []


def test_filter_that_makes_no_sense_is_a_wrong_line(shop: Shop) -> None:
    shop.put()
    assert shop.run("ls", "ready", "--since", "1h").code == 2
    done = shop.run("ls", "ready", "--after", "somewhere")
    assert (done.code, len(done.err.splitlines())) == (1, 1)


def test_empty_list_is_no_failure(shop: Shop) -> None:
    shop.put()
    done = shop.run("ls", "ready", where=shop.app)
    assert (done.code, done.out) == (0, "")
    assert "no ready task in" in done.err
    assert shop.run("ls", "ready", "--json", where=shop.app).json["tasks"] == []


@pytest.mark.parametrize("line", ["ls ready", "show {}", "cancel {} --dry-run", "doctor", "ls scheduled", "ls running"])
def test_nothing_that_a_task_carries_is_run(shop: Shop, line: str, tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    (id,) = shop.put(shop.module.mail.s(Trap(trap)))
    shop.run(*line.format(id).split())
    shop.run(*line.format(id).split(), where=shop.app)
    assert not trap.exists()


def test_control_characters_are_shown_as_escapes(shop: Shop) -> None:
    entry = Entry(Header("id\x1b[31m"), b'[1,"id\\u001b[31m","name\\n\\u202e"]')
    shop.on_session(lambda session: session.enqueue([entry]))
    done = shop.run("ls", "ready")
    assert done.rows[0][:2] == ["id\\x1b[31m", "name\\n\\u202e"]
    assert "\x1b" not in shop.run("show", "id\x1b[31m").out


def test_task_is_shown_by_its_id_and_by_a_part_of_it(shop: Shop) -> None:
    (id,) = shop.put(shop.module.mail.s("you", delay=60))
    for part in (id, id[-8:], id[:20]):
        told = shop.run("show", part, "--json").json
        assert (told["id"], told["state"], told["name"], told["lane"]) == (id, "scheduled", "shop.mail", "loop")
    assert "args" not in told


def test_arguments_are_shown_if_asked_for_and_the_app_is_there(shop: Shop) -> None:
    (id,) = shop.put(shop.module.mail.s("you", copies=2))
    told = shop.run("show", id, "--args", "--json", where=shop.app).json
    assert (told["args"], told["kwargs"], told["retries left"], told["attempt"]) == (["'you'"], {"copies": "2"}, 2, 1)
    refused = shop.run("show", id, "--args")
    assert (refused.code, refused.out) == (78, "")
    assert "needs the app" in refused.err


def test_task_that_ended_is_shown_with_its_result(shop: Shop) -> None:
    (id,) = shop.put(shop.module.mail.s("you"))

    async def run(huey: Huey) -> None:
        task = await huey.dequeue()
        assert task is not None
        await huey.execute(task)

    shop.do(run)
    assert shop.run("show", id, "--json").json["state"] == "done"
    assert shop.run("show", id, "--args", "--json", where=shop.app).json["result"] == "'you'"


def test_part_that_several_ids_have_names_them(shop: Shop) -> None:
    ids = shop.put(shop.module.mail.s("you"), shop.module.mail.s("me"))
    done = shop.run("show", ids[0][:4])
    assert done.code == 1
    assert all(id in done.err for id in ids)


@pytest.mark.parametrize(
    "line",
    [
        "show no-such-id",
        "cancel ready --yes",
        "restore no-such-id",
        "locks free nothing",
        "schedules pause nothing",
        "schedules remove nothing",
        "purge ready --yes",
        "retry --failed --yes",
        "retry no-such-id",
        "purge dead --yes",
        "purge no-such-id --yes",
    ],
)
def test_what_is_not_there_is_one_sentence_and_1(shop: Shop, line: str) -> None:
    shop.put()
    for where in (shop.bare, shop.app):
        done = shop.run(*line.split(), where=where)
        assert done.code == 1
        assert "Traceback" not in done.err
        assert len(done.err.splitlines()) == 1, done.err


def test_workers_are_listed_with_what_they_tell(shop: Shop) -> None:
    shop.register("one", version="0.9.0")
    shop.register("old", host="web-2", pid=8)
    rows = {row["worker"]: row for row in shop.run("workers", "--json").json["workers"]}
    assert rows["web-1:7"]["version"] == "0.9.0"
    assert (rows["web-2:8"]["loop"], rows["web-2:8"]["lease"]) == (2, 15.0)
    assert [row[0] for row in shop.run("workers").rows] == ["web-1:7", "web-2:8"]


def bury(shop: Shop, reason: str, count: int = 1) -> list[str]:
    """Let tasks become dead letters."""
    ids = shop.put(*(shop.module.mail.s(str(number)) for number in range(count)))

    async def settle(session: Session) -> None:
        await session.register("undertaker", b"{}")
        taken = await session.claim({"loop": count}, "undertaker")
        await session.settle([Bury(it.receipt, reason, kind="unreadable") for it in taken], "undertaker", 1)
        await session.deregister("undertaker")

    shop.on_session(settle)
    return ids
