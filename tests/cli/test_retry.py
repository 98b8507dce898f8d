"""``retry`` and ``purge`` of failed tasks and dead letters: which are meant, and what became of each."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Sequence

import pytest

from hueyio.cli.bulk import AT_ONCE, in_steps
from hueyio.cli.place import Place
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.storage.contract import Session
from hueyio.storage.records import EndKind, Entry, Finish, Header
from tests.cli.letters import bury_tasks
from tests.cli.shop import Shop
from tests.cli.test_steering import BOTH, status, where

ON_SQLITE = pytest.mark.parametrize("shop", ["sqlite"], indirect=True)


def states(shop: Shop, *ids: str) -> list[str]:
    return [status(shop, id) for id in ids]


@BOTH
def test_failed_tasks_are_retried_by_their_name_and_error(shop: Shop, has_app: bool) -> None:
    tea = bury_tasks(shop, 3)
    (milk,) = bury_tasks(shop, reason="ValueError('milk')")
    (expired,) = bury_tasks(shop, kind="expired", reason="KeyError('tea')")
    line = ("retry", "--failed", "--name", "*.mail", "--error", "TEA")
    tried = shop.run(*line, "--dry-run", where=where(shop, has_app))
    assert (tried.code, tried.out) == (0, "3 tasks would be retried.\n")
    assert "3  shop.mail" in tried.err
    done = shop.run(*line, "--yes", where=where(shop, has_app))
    assert (done.code, done.out) == (0, "3 are ready.\n")
    assert states(shop, *tea, milk, expired) == [*["ready"] * 3, "failed", "expired"]
    assert shop.run(*line, "--yes").code == 1
    (task, *_) = shop.do(lambda huey: huey.pending())
    assert task.id in tea


def test_retried_tasks_are_named_by_ids_and_parts_of_them(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third, fourth = bury_tasks(shop, 4)
    (dead,) = bury_tasks(shop, kind="undeclared")
    assert shop.run("retry", first, second[-12:]).out == "2 are ready.\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{third}\tshop.mail\n{dead}\tshop.mail\n"))
    assert shop.run("retry", "-").out == "2 are ready.\n"
    assert states(shop, first, second, third, fourth, dead) == ["ready", "ready", "ready", "failed", "ready"]
    missing = shop.run("retry", fourth, "no-such-id", "--json")
    assert (missing.code, missing.json["added"], missing.json["unknown"]) == (1, [fourth], ["no-such-id"])


def test_refusals_are_told_apart(shop: Shop) -> None:
    async def prepare(session: Session) -> None:
        await session.register("owner", b"{}")
        await session.enqueue([Entry(Header("gone"), b"")])
        (gone,) = await session.claim({"loop": 1}, "owner")
        await session.settle([Finish(gone.receipt, b"result")], "owner", 1)
        await session.enqueue([Entry(Header("alive"), b""), Entry(Header("twin", unique_key="key"), b"")])

    shop.on_session(lambda session: session.enqueue([Entry(Header("taken", unique_key="key"), b"")]))
    bury_tasks(shop, 2, ids=["added", "alive"])
    shop.on_session(prepare)
    done = shop.run("retry", "added", "alive", "taken", "gone", "--json")
    told = done.json
    assert done.code == 1
    assert {key: told[key] for key in ("added", "alive", "taken", "missing")} == {
        "added": ["added"], "alive": ["alive"], "taken": ["taken"], "missing": ["gone"],
    }  # fmt: skip
    again = shop.run("retry", "added", "alive", "taken", "gone")
    assert again.out == "0 are ready. 1 was gone, 1 has a living twin (unique), 2 are alive already.\n"


@pytest.mark.parametrize("kind", ["failed", "expired", "cancelled"])
def test_failed_tasks_are_purged_by_their_kind(shop: Shop, kind: EndKind) -> None:
    kinds: list[EndKind] = ["failed", "expired", "cancelled", "lost"]
    ended = {it: bury_tasks(shop, 2, kind=it)[0] for it in kinds}
    refused = shop.run("purge", kind)
    assert (refused.code, refused.out) == (2, "")
    assert shop.run("purge", kind, "--yes").out == f"Deleted 2 {kind} tasks.\n"
    left = [it.id for it in shop.do(lambda huey: huey.failed()).items]
    assert len(left) == 6
    assert ended[kind] not in left
    assert shop.run("purge", kind, "--yes").code == 1


def test_letters_are_purged_by_filters_and_ids(shop: Shop) -> None:
    (tea,), (milk,) = bury_tasks(shop), bury_tasks(shop, reason="ValueError('milk')")
    (lost, _), (unread,) = bury_tasks(shop, 2, kind="lost"), bury_tasks(shop, kind="unreadable")
    assert shop.run("purge", "failed", "lost", "--error", "tea", "--dry-run").out.startswith("3 failed or lost tasks")
    assert shop.run("purge", "failed", "--since", "1h", "--until", "1h", "--yes").code == 1
    assert shop.run("purge", "failed", "lost", "--error", "tea", "--yes").out == "Deleted 3 failed or lost tasks.\n"
    assert shop.run("purge", milk[-12:], unread, "--yes").out == "Deleted 2 tasks.\n"
    assert shop.do(lambda huey: huey.failed()).items == []
    assert shop.run("purge", tea, lost, "--yes").code == 1


@ON_SQLITE
@pytest.mark.parametrize(
    "line",
    [
        "retry", "retry id --failed", "retry id --name a", "retry --name a", "purge", "purge ready failed",
        "purge ready --name a", "purge id failed", "cancel id --since 1h", "cancel ready --worker a:1",
    ],
)  # fmt: skip
def test_line_that_does_not_say_what_is_meant_is_refused(shop: Shop, line: str) -> None:
    shop.put()
    done = shop.run(*line.split())
    assert (done.code, done.out) == (2, "")


def test_waiting_tasks_are_cancelled_by_the_time_of_their_calls_and_their_worker(shop: Shop) -> None:
    running, ready = shop.put(shop.module.mail.s("a"), shop.module.mail.s("b"))
    shop.register("owner")
    shop.claim("owner")
    assert shop.run("cancel", "ready", "--until", "1h", "--yes").code == 1
    assert shop.run("cancel", "ready", "--since", "1h", "--yes", "--json").json["cancelled"] == [ready]
    assert shop.run("cancel", "running", "--worker", "web-2:7", "--yes").code == 1
    assert shop.run("cancel", "running", "--worker", "web-1:7", "--yes", "--json").json["cancelled"] == [running]


@ON_SQLITE
def test_ctrl_c_ends_a_long_operation_after_the_step_under_way(shop: Shop) -> None:
    shop.put()
    done: list[int] = []

    async def work(at: Visit) -> int:
        async def act(some: Sequence[int]) -> None:
            if done:
                os.kill(os.getpid(), signal.SIGINT)
            await at.session.time()
            done.extend(some)

        return int(not await in_steps(at, "Doing", range(10 * AT_ONCE), act))

    place = Place(file=shop.bare[1])
    asked = Asked(place=place, as_json=False, utc=False, timeout=60.0, no_input=True, quiet=False)
    assert visit(asked, work) == 1
    assert len(done) == 2 * AT_ONCE
