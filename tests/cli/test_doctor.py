"""``doctor`` names the cause in each of these situations, and nothing else."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis

from hueyio import Huey
from hueyio.control.consumers import read_consumers
from hueyio.control.pause import PauseInfo
from hueyio.doctor.diagnosis import Facts, Worker, diagnose
from hueyio.storage.contract import Session
from hueyio.storage.records import Counts, EndKind, Entry, Header, Owner
from hueyio.storage.redis.examining import read_persistence
from tests.cli.letters import bury_tasks
from tests.cli.shop import Shop
from tests.conftest import EACH_SERVER

ON_SERVERS = pytest.mark.parametrize("shop", EACH_SERVER, indirect=True)


def codes(shop: Shop, where: tuple[str, ...] | None = None) -> list[str]:
    done = shop.run("doctor", "--json", where=where)
    findings = done.json["findings"]
    assert done.code == bool(findings)
    # A test's server keeps nothing on disk, and has queues of other tests.
    return [it["code"] for it in findings if it["code"] not in ("danger", "elsewhere")]


def text(shop: Shop, code: str, where: tuple[str, ...] | None = None) -> str:
    (found,) = [it for it in shop.run("doctor", "--json", where=where).json["findings"] if it["code"] == code]
    return str(found["text"])


def test_nothing_is_found_where_a_worker_is_at_work(shop: Shop) -> None:
    shop.put(shop.module.mail.s("you"))
    shop.register("owner")
    assert codes(shop) == codes(shop, shop.app) == []


@pytest.mark.parametrize("shop", ["sqlite", "file"], indirect=True)
def test_queue_that_does_well_is_said_to_and_ends_with_0(shop: Shop) -> None:
    shop.put(shop.module.mail.s("you"))
    shop.register("owner")
    done = shop.run("doctor")
    assert (done.code, done.out) == (0, "Nothing is wrong: 1 worker, 1 ready.\n")


def test_missing_worker_is_found(shop: Shop) -> None:
    shop.put(shop.module.mail.s("you"))
    assert codes(shop) == ["no-worker"]
    assert text(shop, "no-worker", shop.app).endswith("1 task waiting. Start one: hueyio worker shop:huey")


def test_pause_is_found(shop: Shop) -> None:
    shop.register("owner")
    shop.do(lambda huey: huey.pause(actor="ana"))
    assert codes(shop) == ["paused"]
    said = text(shop, "paused")
    assert said.startswith(f"{shop.huey.name} is paused by ana, ")
    assert said.endswith(" ago: no worker starts another task. hueyio resume")


def test_task_that_no_worker_declares_is_found(shop: Shop) -> None:
    shop.put(shop.module.mail.s("you"))
    shop.register("owner")
    assert shop.run("put", "shop.mial").code == 0
    assert codes(shop) == ["undeclared"]
    assert text(shop, "undeclared").startswith("1 x shop.mial: no living worker declares it")


def test_task_that_was_put_off_is_found(shop: Shop) -> None:
    async def enqueue(session: Session) -> None:
        header = Header("id", eta=time.time() + 60, first_seen=time.time(), defers=3)
        await session.enqueue([Entry(header, b'[1, "id", "shop.mail"]')])

    shop.register("owner")
    shop.on_session(enqueue)
    assert codes(shop) == ["put-off", "later"]


def test_lane_without_slots_is_found(shop: Shop) -> None:
    shop.put(shop.module.pack.s(1))
    shop.register("owner", slots={"loop": 4})
    assert codes(shop) == ["no-slots"]


def test_full_lane_is_found_with_what_fills_it(shop: Shop) -> None:
    old = "00000000-0000-7000-8000-000000000000"  # made in 1970
    shop.put(*(shop.module.mail.s(str(number)) for number in range(2)))
    shop.register("owner")
    shop.claim("owner", 2)
    shop.on_session(lambda session: session.enqueue([Entry(Header(old), f'[1, "{old}", "shop.mail"]'.encode())]))
    assert codes(shop) == ["full"]
    assert text(shop, "full").startswith("loop: all 2 slots are taken, most by shop.mail; 1 wait, one for ")


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("unreadable", "2 messages could not be read"),
        ("undeclared", "2 tasks were known to no worker for a day"),
        ("lost", "2 tasks took their workers down with them"),
    ],
)
def test_dead_letters_are_found_by_their_kind(shop: Shop, kind: EndKind, says: str) -> None:
    shop.register("owner")
    bury_tasks(shop, 2, kind=kind)
    bury_tasks(shop, 2)  # failed: that is no reason why nothing is consumed
    assert codes(shop) == [f"dead-{kind}"]
    assert text(shop, f"dead-{kind}").startswith(says)


def test_revoked_name_is_found(shop: Shop) -> None:
    shop.register("owner")
    shop.do(lambda huey: huey.revoke_all(shop.module.mail))
    assert codes(shop) == ["revoked"]


def test_queue_whose_tasks_are_all_for_later_is_found(shop: Shop) -> None:
    shop.register("owner")
    shop.put(shop.module.mail.s("you", delay=3600))
    assert codes(shop) == ["later"]


def test_workers_that_do_not_tick_are_found(shop: Shop) -> None:
    shop.register("owner", periodic=False)
    assert codes(shop) == []
    assert codes(shop, shop.app) == ["no-periodic"]


def test_clock_of_a_worker_is_found(shop: Shop) -> None:
    shop.register("owner", ahead=38.0)
    assert text(shop, "clock") == "web-1's clock is 38 s ahead of the server's."


def test_workers_of_several_versions_are_found(shop: Shop) -> None:
    shop.register("one", version="0.9.0")
    shop.register("two", version=None)
    assert text(shop, "versions") == "Workers run 0.9.0 and before 0.2.0."


def test_other_queue_of_the_place_is_found(shop: Shop) -> None:
    # Of many queues the first ones are named, and other tests have theirs on the same server.
    other = type(shop.huey)("!mails", **shop.huey._storage_kwargs)

    asyncio.run(_put(other))
    found = [it["code"] for it in shop.run("doctor", "--json", where=shop.app).json["findings"]]
    assert "elsewhere" in found
    assert "mails" in text(shop, "elsewhere", shop.app)


async def _put(huey: Huey) -> None:
    @huey.task
    async def work() -> None: ...

    async with huey:
        await huey.enqueue(work.s())


def test_storage_that_is_away_is_found(shop: Shop) -> None:
    done = shop.run("doctor", "--json", where=("--url", "redis://127.0.0.1:1/0"))
    assert (done.code, [it["code"] for it in done.json["findings"]]) == (1, ["away"])


@ON_SERVERS
def test_queue_of_another_kind_is_found(shop: Shop) -> None:
    shop.put(shop.module.mail.s("you"))
    source = f"import hueyio\nhuey = hueyio.RedisHuey({shop.huey.name!r}, url={shop.bare[1]!r})"
    (shop.folder / "other.py").write_text(source)
    done = shop.run("doctor", "--json", where=("-a", "other:huey"))
    assert [it["code"] for it in done.json["findings"]] == ["kind"]
    listed = shop.run("ls", "ready", where=("-a", "other:huey"))
    assert (listed.code, len(listed.err.splitlines())) == (69, 1)


@ON_SERVERS
def test_server_that_keeps_nothing_is_found(shop: Shop) -> None:
    shop.put()
    assert "keeps nothing on disk" in text(shop, "danger")


@ON_SERVERS
def test_server_that_evicts_keys_is_found(shop: Shop) -> None:
    shop.put()
    with redis.Redis.from_url(shop.bare[1]) as client:
        client.config_set("maxmemory", "1gb")
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            found = [it["text"] for it in shop.run("doctor", "--json").json["findings"]]
        finally:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", "0")
    assert any("maxmemory-policy is allkeys-lru" in it for it in found)


@ON_SERVERS
def test_queue_of_huey_is_found_on_a_server(shop: Shop) -> None:
    shop.put()
    name = f"huey.redis.{shop.huey.name.replace('-', '')}"
    with redis.Redis.from_url(shop.bare[1]) as client:
        client.lpush(name, b"task", b"task")
        found = [it["text"] for it in shop.run("doctor", "--json").json["findings"]]
        client.delete(name)
    assert any("holds 2 tasks of Huey" in it for it in found)


@pytest.mark.parametrize("shop", ["sqlite"], indirect=True)
def test_tasks_of_huey_are_found_in_the_file(shop: Shop) -> None:
    shop.register("owner")
    with closing(sqlite3.connect(shop.bare[1])) as connection, connection:
        connection.execute("CREATE TABLE task (id INTEGER PRIMARY KEY, queue TEXT, data BLOB, priority REAL)")
        connection.execute("INSERT INTO task (queue, data) VALUES ('shop', 'x'), ('other', 'x')")
        connection.execute("CREATE TABLE schedule (queue TEXT, data BLOB)")  # the application's own
    assert text(shop, "danger") == "The file holds 1 tasks of Huey under this name; `hueyio import-huey` moves them."


@pytest.mark.parametrize("shop", ["sqlite"], indirect=True)
def test_no_more_than_a_thousand_tasks_of_huey_are_counted(shop: Shop) -> None:
    shop.register("owner")
    with closing(sqlite3.connect(shop.bare[1])) as connection, connection:
        connection.execute("CREATE TABLE task (id INTEGER PRIMARY KEY, queue TEXT, data BLOB, priority REAL)")
        connection.executemany("INSERT INTO task (queue, data) VALUES (?, 'x')", [("shop",)] * 1001)
    said = "The file holds 1,000 or more tasks of Huey under this name; `hueyio import-huey` moves them."
    assert text(shop, "danger") == said


@pytest.mark.parametrize("shop", ["file"], indirect=True)
def test_no_more_than_a_thousand_tasks_of_huey_are_counted_in_the_folder(shop: Shop) -> None:
    shop.register("owner")
    queue = Path(shop.bare[1]) / "queue"
    queue.mkdir()
    for number in range(1001):
        (queue / f"ffff-{number:012x}").touch()
    assert text(shop, "danger") == "The folder holds 1,000 or more tasks of Huey; `hueyio import-huey` moves them."


@pytest.mark.parametrize("shop", ["file"], indirect=True)
def test_tasks_of_huey_are_found_in_the_folder(shop: Shop) -> None:
    shop.register("owner")
    queues = Path(shop.bare[1])
    for name in ("queue/ffff-0193f2c4a1b0", "queue/ffff-0193f2c4a1b0.001", "schedule/0193f2c4a1b0", "queue/notes.txt"):
        (queues / name).parent.mkdir(exist_ok=True)
        (queues / name).write_bytes(b"task")
    assert text(shop, "danger") == "The folder holds 3 tasks of Huey; `hueyio import-huey` moves them."


@pytest.mark.parametrize(
    ("info", "saves", "says"),
    [
        (b"aof_enabled:1\r\naof_last_write_status:ok\r\n", b"", None),
        (b"aof_enabled:1\r\naof_last_write_status:err\r\n", b"", "append-only"),
        (b"aof_enabled:0\r\nrdb_last_bgsave_status:ok\r\n", b"3600 1", None),
        (b"aof_enabled:0\r\nrdb_last_bgsave_status:err\r\n", b"3600 1", "snapshot"),
        (b"aof_enabled:0\r\nrdb_last_bgsave_status:ok\r\n", b"", "keeps nothing on disk"),
        (b"aof_enabled:0\r\nrdb_last_bgsave_status:ok\r\n", None, None),
    ],
)
def test_persistence_is_read(info: bytes, saves: bytes | None, says: str | None) -> None:
    danger = read_persistence(info, saves)
    assert danger is None if says is None else danger is not None and says in danger


def worker(silence: float = 0.0, **told: Any) -> Worker:
    info = {"host": "web-1", "pid": 7, "started": 1.0, "lease": 15.0, "slots": {"loop": 1}, **told}
    owner = Owner("owner", 1, str(info).replace("'", '"').encode(), 3, silence)
    return Worker(read_consumers([owner])[0], owner.info)


def facts(**changes: Any) -> Facts:
    counts = Counts(queued={}, suspects=0, scheduled=0, running=0, expected=0, results=0, dead=0, dead_dropped=0)
    return Facts(**{"name": "shop", "where": "here", "now": 100.0, "counts": counts, **changes})


def test_silent_worker_is_found() -> None:
    (found,) = diagnose(facts(workers=[worker(silence=12.0)]))
    assert found.text == "web-1:7 is silent for 12 s (lease 15 s), with 3 tasks."
    assert diagnose(facts(workers=[worker(silence=6.0)])) == []


def test_worker_that_was_blocked_is_found_for_an_hour() -> None:
    block = ["task shop.feed id-1", 2.1, 40.0]
    (found,) = diagnose(facts(workers=[worker(blocks=3, block=block)]))
    assert found.text == "web-1:7 was blocked 3 times, last 60 s ago for 2.1 s by task shop.feed id-1."
    assert diagnose(facts(workers=[worker(blocks=3, block=block)], now=5000.0)) == []


@pytest.mark.parametrize(("ahead", "says"), [(3.0, "3 s ahead of"), (-200.0, "3 min behind"), (1.0, None)])
def test_own_clock_is_found(ahead: float, says: str | None) -> None:
    found = [it.text for it in diagnose(facts(workers=[worker()], ahead=ahead))]
    assert found == ([] if says is None else [f"The clock of this host is {says} the server's."])


def test_what_stops_everything_comes_first() -> None:
    found = diagnose(facts(dangers=["it is dangerous"], pause=PauseInfo()))
    assert [it.level for it in found] == ["wrong", "wrong", "warning"]
