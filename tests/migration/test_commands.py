"""``import-huey`` says what it moves, what it leaves and why; ``bridge-huey`` goes on while somebody writes."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from huey.serializer import SignedSerializer

from hueyio import MemoryHuey, SqliteHuey
from hueyio.cli.main import main
from hueyio.exceptions import ConfigurationError, HueyException
from hueyio.migration.bridge import Bridge
from hueyio.migration.sources import open_source
from tests.conftest import SERVER_KINDS, ServerOf
from tests.migration.conftest import source_of, transfer_from
from tests.migration.queues import Written, written_queue
from tests.migration.tasks import HERE, Order, declare
from tests.migration.test_transfer import drained

ON_SQLITE = pytest.mark.parametrize("written", ["sqlite"], indirect=True)
ADD = "tests.migration.tasks.add"


@pytest.fixture(autouse=True)
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let the application be imported anew, with a file of its own."""
    file = tmp_path / "here.db"
    monkeypatch.setenv(HERE, str(file))
    monkeypatch.setenv("SECRET", "secret")
    yield file
    sys.modules.pop("tests.migration.app", None)


def run(capsys: pytest.CaptureFixture[str], written: Written, *options: str) -> tuple[int, str, str]:
    """Import a queue; return the exit code and what was printed."""
    name = [] if written.kind == "file" else ["--from-queue", written.huey.name]
    capsys.readouterr()
    code = main(["import-huey", written.where, "-a", "tests.migration.app:huey", *name, *options])
    told = capsys.readouterr()
    return code, told.out, told.err


def pending(file: Path) -> list[Any]:
    """Return the tasks of the application's queue."""

    async def look() -> list[Any]:
        huey = SqliteHuey("shop", filename=str(file))
        declare(huey)
        async with huey:
            return [*await huey.pending()]

    return asyncio.run(look())


@pytest.mark.parametrize("written", ["sqlite", "list"], indirect=True)
def test_import_reports_what_it_would_do_and_what_it_did(
    written: Written, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add = written.tasks["add"]
    add(1)
    add(2)
    written.huey.add_schedule(add.s(3, delay=600))
    written.tasks["ship"](Order(1))
    reason = "it holds tests.migration.tasks.Order, which nobody has said to trust: --trust tests.migration.tasks"
    rows = f"{ADD}\tready\t2\t\n{ADD}\tscheduled\t1\t\ntests.migration.tasks.ship\tleft\t1\t{reason}\n"
    code, out, err = run(capsys, written, "--dry-run")
    assert (code, out) == (1, rows)
    assert "3 tasks, 0 results and 0 revocations would be moved" in err
    assert (written.size, pending(app)) == (4, [])
    code, out, err = run(capsys, written)
    assert (code, out) == (1, rows)
    assert "Left there: 1 task," in err
    code, out, _ = run(capsys, written, "--trust", "tests.migration.tasks", "--json")
    told = json.loads(out)
    assert (code, told["moved"], told["left"], told["complete"], written.size) == (0, 1, 0, True, 0)
    assert len(pending(app)) == 3
    code, out, _ = run(capsys, written)
    assert (code, out) == (0, "")
    assert main(["audit", "-a", "tests.migration.app:huey"]) == 0
    assert capsys.readouterr().out.count("import-huey") == 2


def test_signed_queue_of_another_module_is_imported(
    tmp_path: Path, app: Path, capsys: pytest.CaptureFixture[str], server_of: ServerOf
) -> None:
    url = server_of(SERVER_KINDS[0]).url
    with written_queue("list", tmp_path, url, serializer=SignedSerializer("secret")) as written:
        post = written.huey.task(name="post")(lambda to: to)
        post(1)
        old = "--rename", f"{__name__}.post={ADD}"
        assert run(capsys, written, *old)[0] == 1
        assert run(capsys, written, *old, "--secret", "env:SECRET")[0] == 0
        (task,) = pending(app)
        assert (task.path, task.args) == (ADD, (1,))


def test_queue_of_huey_in_the_file_of_the_app_is_imported(
    tmp_path: Path, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with written_queue("sqlite", tmp_path, "", file="here.db") as written:
        assert pending(app) == []  # hueyio has its tables there too
        call = written.tasks["add"](1)
        assert run(capsys, written)[0] == 0
        assert [task.id for task in pending(app)] == [call.id]


@ON_SQLITE
@pytest.mark.parametrize(
    ("line", "code", "text"),
    [
        ("import-huey {where} --file {here}", 78, "say -a"),
        ("import-huey nowhere.db -a tests.migration.app:huey", 78, "there is no file"),
        ("import-huey {text} -a tests.migration.app:huey", 78, "no SQLite file"),
        ("import-huey {folder} -a tests.migration.app:huey", 78, "no queue of Huey's"),
        ("import-huey http://x -a tests.migration.app:huey", 78, "redis://"),
        ("import-huey redis://127.0.0.1:1 --from-queue a -a tests.migration.app:huey", 69, "which has Huey's queue"),
        ("import-huey {where} --rename a -a tests.migration.app:huey", 2, "no renaming"),
        ("import-huey {where} --secret env:NO_SUCH -a tests.migration.app:huey", 78, "NO_SUCH"),
        ("import-huey", 2, "FROM"),
    ],
)
def test_line_that_cannot_be_done_says_why(
    written: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, code: int, text: str
) -> None:
    written.tasks["add"](1)
    (tmp_path / "text").write_text("not a database, but long enough to look like a file of some kind" * 20)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "other").touch()
    pending(tmp_path / "here.db")  # makes it
    places = {name: str(tmp_path / name) for name in ("text", "folder")}
    words = line.format(here=tmp_path / "here.db", where=written.where, **places).split()
    assert (main(words), text in capsys.readouterr().err) == (code, True)


async def test_queue_need_not_be_named_if_it_is_the_only_one(tmp_path: Path) -> None:
    with written_queue("sqlite", tmp_path, "") as first:
        with pytest.raises(HueyException, match="are empty"):
            await open_source(first.where, None, 5.0)
        first.tasks["add"](1)
        source = await open_source(first.where, None, 5.0)
        assert source.name == first.huey.name
        await source.close()
        with written_queue("sqlite", tmp_path, "") as second:
            second.tasks["add"](1)
            with pytest.raises(ConfigurationError, match="2 queues of Huey's: say --from-queue"):
                await open_source(first.where, None, 5.0)


async def test_bridge_moves_what_comes_and_tells_once_what_stays(written: Written, here: MemoryHuey) -> None:
    told: list[tuple[str, str]] = []
    async with source_of(written) as source:
        transfer = await transfer_from(source, here)
        bridge = Bridge(transfer, asyncio.Event(), lambda path, refusal, reason: told.append((path, refusal)))
        for number in range(3):
            written.tasks["add"](number)
            written.tasks["ship"](Order(number))
            await bridge.step()
            assert await drained(here) == [number]
    assert told == [("tests.migration.tasks.ship", "unreadable")]
    assert written.size == 3


async def test_bridge_wakes_when_something_comes_and_ends_when_it_is_stopped(
    written: Written, here: MemoryHuey
) -> None:
    stopped = asyncio.Event()
    async with source_of(written) as source:
        bridge = Bridge(await transfer_from(source, here), stopped, lambda *told: None)
        running = asyncio.create_task(bridge.run())
        calls = [written.tasks["add"](number) for number in range(3)]
        async with asyncio.timeout(60):
            for call in calls:
                while await here.result_of(call.id).status() != "ready":
                    await source.wait(0.1)
            stopped.set()
            await running
    assert await drained(here) == [0, 1, 2]


@pytest.mark.parametrize("stays", [False, True], ids=["nothing left", "something left"])
async def test_bridge_that_is_cancelled_while_it_rests_ends(written: Written, here: MemoryHuey, stays: bool) -> None:
    before = asyncio.all_tasks()
    async with source_of(written) as source:
        if stays:
            written.tasks["ship"](Order(1))
        bridge = Bridge(await transfer_from(source, here), asyncio.Event(), lambda *told: None)
        await bridge.step()
        running = asyncio.create_task(bridge.run())
        while not any("Event.wait" in repr(task) for task in asyncio.all_tasks() - before):
            await source.count()
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()
        assert asyncio.all_tasks() == before  # it left no wait of its own behind


@ON_SQLITE
async def test_bridge_goes_on_after_an_outage_with_what_it_had_taken(written: Written, here: MemoryHuey) -> None:
    source = await open_source(written.where, written.huey.name, 0.05)
    transfer = await transfer_from(source, here)
    bridge = Bridge(transfer, asyncio.Event(), lambda *told: None)
    await bridge.step()
    written.tasks["add"](1)
    with closing(sqlite3.connect(written.where, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert (await bridge.step(), await bridge.step()) == (0.5, 1.0)
    assert await bridge.step() == 1.0
    assert await drained(here) == [1]
    await source.close()
