"""``cancel``, ``revoke``, ``pause``, ``purge``, ``put``, ``locks`` and ``schedules`` change what they say."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from hueyio import Huey, TaskCancelled
from hueyio.storage.contract import Session
from tests.cli.shop import Shop
from tests.cli.test_listing import bury

BOTH = pytest.mark.parametrize("has_app", [True, False], ids=["with the app", "without"])


def where(shop: Shop, has_app: bool) -> tuple[str, ...]:
    return shop.app if has_app else shop.bare


def status(shop: Shop, id: str) -> str:
    async def ask(huey: Huey) -> str:
        return await huey.result_of(id).status()

    return shop.do(ask)


@BOTH
def test_cancelled_task_is_over_for_who_waits_for_it(shop: Shop, has_app: bool) -> None:
    ready, later = shop.put(shop.module.mail.s("you"), shop.module.mail.s("me", delay=60))
    done = shop.run("cancel", ready, later[-12:], "--json", where=where(shop, has_app))
    assert (done.code, done.json["cancelled"]) == (0, [ready, later])

    async def wait(huey: Huey) -> None:
        with pytest.raises(TaskCancelled):
            await huey.result(ready, blocking=True, timeout=10)

    shop.do(wait)
    assert status(shop, later) == "cancelled"


@BOTH
def test_pipeline_is_cancelled_with_its_first_task(shop: Shop, has_app: bool) -> None:
    second = shop.module.pack.s()
    (first,) = shop.put(shop.module.mail.s("you").then(second))
    assert shop.run("cancel", first, where=where(shop, has_app)).code == 0
    assert status(shop, second.id) == "cancelled"


def test_tasks_of_a_name_are_cancelled_together(shop: Shop) -> None:
    ids = shop.put(shop.module.mail.s("a"), shop.module.pack.s(1), shop.module.mail.s("b"))
    tried = shop.run("cancel", "ready", "--name", "*.mail", "--dry-run")
    assert (tried.code, tried.out) == (0, "2 tasks would be cancelled.\n")
    assert shop.run("cancel", "ready", "--name", "*.mail", "--yes").out == "2 tasks cancelled.\n"
    assert [status(shop, id) for id in ids] == ["cancelled", "ready", "cancelled"]


def test_cancel_says_which_ids_it_does_not_know(shop: Shop) -> None:
    (id,) = shop.put(shop.module.mail.s("you"))
    done = shop.run("cancel", id, "no-such-id", "--json")
    assert (done.code, done.json["cancelled"], done.json["unknown"]) == (1, [id], ["no-such-id"])
    assert "nothing is known of a task no-such-id" in done.err


def test_ids_are_read_from_standard_input(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.put(shop.module.mail.s("a"), shop.module.mail.s("b"))
    monkeypatch.setattr("sys.stdin", io.StringIO(shop.run("ls", "ready").out))
    assert shop.run("cancel", "-").out == "2 tasks cancelled.\n"


@BOTH
@pytest.mark.parametrize("by", ["id", "name"])
def test_revoked_task_is_not_run_until_it_is_restored(shop: Shop, has_app: bool, by: str) -> None:
    (id,) = shop.put(shop.module.mail.s("you"))
    place, word = where(shop, has_app), id if by == "id" else "shop.mail"
    asked = id if by == "id" else shop.module.mail
    assert shop.run("revoke", word, where=place).code == 0
    assert shop.do(lambda huey: huey.is_revoked(asked))
    assert shop.run("restore", word, where=place).out == f"{word} is not revoked any more.\n"
    assert not shop.do(lambda huey: huey.is_revoked(asked))


def test_revocation_ends_when_it_was_said_to(shop: Shop) -> None:
    shop.put()
    assert shop.run("revoke", "shop.mail", "--until", "2h", where=shop.app).code == 0

    def at(hours: float) -> bool:
        moment = datetime.now(UTC) + timedelta(hours=hours)
        return shop.do(lambda huey: huey.is_revoked(shop.module.mail, moment))

    assert (at(1.9), at(2.1)) == (True, False)


def test_name_that_is_not_declared_is_not_revoked_by_mistake(shop: Shop) -> None:
    done = shop.run("revoke", "shop.mial", where=shop.app)
    assert (done.code, done.out) == (1, "")
    assert shop.run("revoke", "shop.mial", "--by", "name", where=shop.app).code == 0


@BOTH
def test_queue_is_paused_and_resumed(shop: Shop, has_app: bool) -> None:
    shop.put()
    assert shop.run("pause", where=where(shop, has_app)).code == 0
    assert shop.do(lambda huey: huey.is_paused())
    assert shop.run("resume", "--json", where=where(shop, has_app)).json["paused"] is False
    assert not shop.do(lambda huey: huey.is_paused())


def test_dead_letters_are_retried_by_their_reason_and_name(shop: Shop) -> None:
    first, second = (*bury(shop, "no such table"), *bury(shop, "no space left"))
    done = shop.run("retry", "--dead", "--error", "table", "--name", "shop.mail", "--yes", "--json")
    assert (done.code, done.json["added"]) == (0, [first])
    assert status(shop, first) == "ready"
    assert [row[0] for row in shop.run("dead").rows] == [second]


@pytest.mark.parametrize(("what", "left"), [("ready", (0, 1)), ("scheduled", (2, 0))])
def test_queue_is_purged_after_a_question(shop: Shop, what: str, left: tuple[int, int]) -> None:
    shop.put(shop.module.mail.s("a"), shop.module.mail.s("b"), shop.module.mail.s("c", delay=60))
    refused = shop.run("purge", what)
    assert (refused.code, refused.out) == (2, "")
    assert "say --yes" in refused.err
    assert shop.run("purge", what, "--yes").code == 0
    counts = shop.do(lambda huey: huey.counts())
    assert (sum(counts.queued.values()), counts.scheduled) == left


@BOTH
@pytest.mark.parametrize(
    ("arguments", "args", "kwargs"), [('["you", 2]', ("you", 2), {}), ('{"to": "you"}', (), {"to": "you"})]
)
def test_task_is_put_with_its_arguments(
    shop: Shop, has_app: bool, arguments: str, args: tuple[object, ...], kwargs: dict[str, object]
) -> None:
    shop.put()
    done = shop.run("put", "shop.mail", arguments, "--priority", "2", where=where(shop, has_app))
    (task,) = shop.do(lambda huey: huey.pending())
    assert (task.id, task.args, task.kwargs, task.priority) == (done.out.strip(), args, kwargs, 2)
    assert task.retries == (2 if has_app else 0)


def test_task_is_put_for_later(shop: Shop) -> None:
    shop.put()
    told = shop.run("put", "shop.mail", '["you"]', "--delay", "30m", "--json", where=shop.app).json
    assert told["new"] is True
    (task,) = shop.do(lambda huey: huey.scheduled())
    assert task.id == told["id"]
    assert task.eta is not None
    assert timedelta(minutes=29) < task.eta - datetime.now(UTC) < timedelta(minutes=31)


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        (["shop.mail", "[1"], 2, "not JSON"),
        (["shop.mail", "7"], 2, "a list, or an object"),
        (["shop.mail", "[]"], 1, "missing a required argument: 'to'"),
        (["shop.mial"], 1, "no task named 'shop.mial'"),
        (["shop.mail", '["a"]', "--delay", "soon"], 2, "no span of time"),
        (["shop.mail", '["a"]', "--delay", "1", "--eta", "2026-01-01"], 2, "give one of them"),
        (["shop.mail", '["a"]', "--format", "json"], 2, "leave --format out"),
    ],
)
def test_wrong_call_is_refused(shop: Shop, line: list[str], code: int, says: str) -> None:
    shop.put()
    done = shop.run("put", *line, where=shop.app)
    assert (done.code, done.out) == (code, "")
    assert says in done.err


def test_held_locks_are_listed_and_freed(shop: Shop) -> None:
    (id,) = shop.put(shop.module.mail.s("you"))
    shop.register("owner")
    shop.claim("owner")

    async def lock(session: Session) -> None:
        assert await session.acquire("lock:report", id, 1, 15.0, "owner")
        assert await session.acquire("semaphore:api", "outside", 3, 600.0)

    shop.on_session(lock)
    api, report = shop.run("locks", "list", "--json").json["locks"]
    assert (report["name"], report["kind"]) == ("report", "lock")
    assert (report["by"], report["worker"]) == (["shop.mail"], ["web-1:7"])
    assert (api["name"], api["holders"], api["by"]) == ("api", ["outside"], None)
    assert shop.run("locks", "free", "report", "--yes").out == "report is free.\n"
    assert not shop.do(lambda huey: huey.is_locked("report"))
    assert [row[0] for row in shop.run("locks", "list").rows] == ["api"]


@BOTH
def test_schedule_is_added_paused_resumed_and_removed(shop: Shop, has_app: bool) -> None:
    shop.put()
    place = where(shop, has_app)
    added = shop.run("schedules", "add", "tea", "0 16 * * *", "shop.mail", '["you"]', "--catch-up", where=place)
    assert added.out == "tea: shop.mail 0 16 * * *\n"
    (info,) = shop.do(lambda huey: huey.schedules().list())
    assert (info.task, info.args, info.catch_up, info.paused) == ("shop.mail", ("you",), True, False)
    assert shop.run("schedules", "pause", "tea", where=place).out == "tea rests.\n"
    (info,) = shop.do(lambda huey: huey.schedules().list())
    assert (info.paused, info.args) == (True, ("you",))
    assert shop.run("schedules", "resume", "tea", where=place).out == "tea goes on.\n"
    assert shop.run("schedules", "remove", "tea", "--yes", where=place).out == "tea is removed.\n"
    assert shop.do(lambda huey: huey.schedules().list()) == []


def test_schedules_of_the_storage_and_of_the_code_are_listed(shop: Shop) -> None:
    shop.do(lambda huey: huey.schedules().add("tea", shop.module.mail, "0 16 * * *", ("you",)))
    (bare,) = shop.run("schedules", "list", "--json").json["schedules"]
    assert (bare["name"], bare["task"], bare["rule"], bare["from"]) == ("tea", "shop.mail", "0 16 * * *", "storage")
    rows = shop.run("schedules", "list", where=shop.app).rows
    assert [(row[0], row[3]) for row in rows] == [("shop.sweep", "code"), ("tea", "storage")]


def test_schedule_that_cannot_be_read_is_listed_and_removed(shop: Shop) -> None:
    shop.on_session(lambda session: session.put("schedules", {"odd": b"{}", "broken": b"["}))
    assert [row[0] for row in shop.run("schedules", "list").rows] == ["broken", "odd"]
    assert shop.run("schedules", "remove", "odd", "--yes").code == 0
    assert [row[0] for row in shop.run("schedules", "list").rows] == ["broken"]


def test_rule_that_is_none_is_refused(shop: Shop) -> None:
    shop.put()
    done = shop.run("schedules", "add", "tea", "at four", "shop.mail")
    assert (done.code, done.out) == (2, "")


def test_periodic_task_of_the_code_is_not_a_schedule_that_can_be_paused(shop: Shop) -> None:
    shop.put()
    assert "declared in the code" in shop.run("schedules", "pause", "shop.sweep", where=shop.app).err


def test_json_output_is_one_object(shop: Shop) -> None:
    shop.put(shop.module.mail.s("you"))
    for line in ("ls ready", "workers", "schedules list", "locks list", "dead", "audit", "doctor", "pause", "resume"):
        done = shop.run(*line.split(), "--json")
        assert json.loads(done.out)["v"] == 1
        assert done.err == ""
