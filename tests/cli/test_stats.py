"""``stats``, ``watch``, and what ``workers`` tells of how they are."""

from __future__ import annotations

import json
import os

import pytest

from hueyio.cli.commands.watch import Shown, press
from hueyio.cli.keys import Keys
from hueyio.cli.lookout import Lookout
from hueyio.cli.place import Place
from hueyio.cli.text import duration, sparks
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.storage.contract import Session
from hueyio.storage.records import Counted
from tests.cli.shop import Shop


def count(shop: Shop, **told: object) -> None:
    """Let a worker have counted 60 good ends and 2 failures of one name."""
    shop.register("one", used={"loop": 1}, longest=[["id-1", "shop.mail", 1.0]], lag=2.1, memory=64, **told)
    counters = {"done": 60, "failed": 2, "r28": 62, "rs": 992_000, "w20": 62, "ws": 62_000}
    counted = Counted(counters, {"shop.mail": 62}, {"shop.mail\nCarrierError('502')": 2}, {"shop.mail": counters})

    async def publish(session: Session) -> None:
        (owner,) = await session.owners()
        await session.publish("one", 1, owner.info, counted)

    shop.put(shop.module.mail.s("you"))
    shop.on_session(publish)


def test_stats_tell_what_was_counted(shop: Shop) -> None:
    count(shop)
    found = shop.run("stats", "--json").json
    assert (found["ended"], found["failed"], found["enqueued"], found["workers"]) == (62, 2, 1, 1)
    assert found["ends"] == {"done": 60, "failed": 2}
    assert (found["running"]["count"], found["running"]["mean"]) == (62, 0.016)
    assert found["running"]["p50"] == pytest.approx(0.0138, rel=0.01)
    assert found["lanes"]["loop"]["ready"] == 1
    assert found["tasks"][0]["name"] == "shop.mail"
    assert found["failures"][0]["error"] == "CarrierError('502')"
    assert sum(it["ended"] for it in found["series"]) == 62
    done = shop.run("stats", "--range", "6h")
    assert [row[:4] for row in done.rows] == [["shop.mail", "62", "2", "0"]]
    assert done.rows[0][6] == "14 ms"
    one = shop.run("stats", "shop.mail", "--json").json
    assert (one["name"], one["ended"], one["enqueued"]) == ("shop.mail", 62, None)


def test_stats_of_nothing_say_so(shop: Shop) -> None:
    shop.put(shop.module.mail.s("you"))
    done = shop.run("stats")
    assert (done.code, done.out) == (0, "")
    none = shop.run("stats", "shop.nobody")
    assert (none.code, none.out) == (1, "")
    assert "nothing was counted of shop.nobody" in none.err
    assert shop.run("stats", "--range", "31d").code == 78
    assert shop.run("stats", "--range", "soon").code == 2


def test_watch_prints_a_line_for_each_look_when_it_is_piped(shop: Shop) -> None:
    count(shop)
    done = shop.run("watch", "--times", "1")
    (line,) = done.out.splitlines()
    assert "ready 1   running 1/6" in line
    (told,) = shop.run("watch", "--times", "1", "--json").out.splitlines()
    assert json.loads(told)["ended"] == 62


def test_tables_are_drawn_for_eyes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    count(shop)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    done = shop.run("stats")
    assert "1 worker" in done.out.splitlines()[0]
    for head in ("LANE", "NAME", "FAILURES", "RUNNING"):
        assert head in done.out
    drawn = shop.run("watch", "--times", "1")
    assert drawn.out.startswith("\x1b[?1049h")
    assert drawn.out.endswith("\x1b[?1049l")
    assert "shop.mail" in drawn.out


class Looks:
    """In the place of a clock: each look is so many seconds later."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_watch_reads_all_as_often_as_workers_tell_and_counts_once_a_second(shop: Shop) -> None:
    count(shop)
    clock = Looks()

    async def look(at: Visit) -> int:
        lookout = Lookout(at, 900, clock)
        ready = []
        for clock.now in (10.0, 10.2, 11.2, 14.9, 15.1):
            ready.append((await lookout.look()).statistics.lanes["loop"].ready)
            await at.huey.enqueue(shop.module.mail.s("me"))
        assert ready == [1, 1, 3, 4, 5]
        statistics = (await lookout.look()).statistics
        assert (statistics.total.ended, statistics.lanes["loop"].enqueued) == (62, 1)
        return 0

    asked = Asked(place=Place(app="shop:huey"), as_json=False, utc=False, timeout=30, no_input=True, quiet=True)
    assert visit(asked, look) == 0


async def test_keys_are_told_apart_when_they_come_together() -> None:
    keys = Keys()
    ours, theirs = os.pipe()
    os.write(theirs, b"f\x1b[A\x1b[15~\x1bOP q")
    keys.read(ours)
    assert [await keys.next(0) for _ in range(7)] == ["f", "\x1b[A", "\x1b[15~", "\x1bOP", " ", "q", None]
    os.close(theirs)
    keys.read(ours)
    assert await keys.next(0) == "q"  # the terminal is gone
    os.close(ours)


def test_any_key_but_those_that_are_named_leads_back() -> None:
    assert press(Shown(), "q") is None
    assert press(Shown(), "f") == Shown("failed")
    assert press(Shown("failed"), "f") == press(Shown("failed"), "x") == Shown()
    assert press(Shown("workers"), " ") == Shown("workers", is_held=True)
    assert press(Shown("workers", is_held=True), " ") == Shown("workers")
    assert press(Shown("workers", is_held=True), "x") == Shown("workers", is_held=True)


def test_workers_tell_how_they_are(shop: Shop) -> None:
    shop.register("one", used={"loop": 1}, lag=2.1, memory=64, block=["task shop.mail id-1", 2.1, 1.0], stopping=True)
    (worker,) = shop.run("workers", "--json").json["workers"]
    assert (worker["busy"], worker["lag"], worker["memory"], worker["stopping"]) == ("1/6", 2.1, 64 * 2**20, True)
    assert worker["last_block"]["by"] == "task shop.mail id-1"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.0, "0 us"),
        (0.0004, "400 us"),
        (0.014, "14 ms"),
        (0.0998, "0.1 s"),
        (0.413, "0.4 s"),
        (1.2, "1.2 s"),
        (12.3, "12 s"),
        (252.0, "4 min"),
    ],
)
def test_durations_are_told_in_a_fitting_unit(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_sparks_are_as_high_as_the_highest() -> None:
    assert sparks([]) == ""
    assert sparks([0, 0]) == "▁▁"
    assert sparks([0, 4, 8]) == "▁▅█"
