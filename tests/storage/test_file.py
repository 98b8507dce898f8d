"""What only the file storage has: its journal, and what becomes of it."""

from __future__ import annotations

import asyncio
import os
import pickle
import resource
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias
from zlib import crc32

import pytest

from hueyio import FileHuey
from hueyio.exceptions import ConfigurationError, StorageFull, StorageUnavailable
from hueyio.storage.contract import Session
from hueyio.storage.file import FileStorage
from hueyio.storage.file.encoding import decode, encode
from hueyio.storage.file.replica import Replica
from hueyio.storage.records import Bury, Entry, Finish, Header, HistoryBatch, Latch, LatchMark, Over

Open: TypeAlias = Callable[..., Awaitable[Session]]


@pytest.fixture
async def open_session(tmp_path: Path) -> AsyncIterator[Open]:
    sessions: list[Session] = []

    async def open(**options: Any) -> Session:
        sessions.append(await FileStorage("app", tmp_path, **options).connect())
        return sessions[-1]

    yield open
    for session in sessions:
        await session.close()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "queue-app" / "journal"


@pytest.mark.parametrize(
    ("bound", "value"),
    [
        ("dead_limit", 1),
        ("keep_ended", 1),
        ("keep_failed", 1),
        ("failed_bytes", 100),
        ("failed_ttl", 0),
        ("keep_history", 1),
        ("history_ttl", 0),
    ],
)
async def test_each_copy_is_bounded_as_the_one_that_wrote(bound: str, value: float, open_session: Open) -> None:
    usual, bounded, reading = await open_session(), await open_session(**{bound: value}), await open_session()
    ids = [f"{turn}{letter}" for turn in range(3) for letter in "abcde"]
    for turn, session in enumerate((bounded, usual, bounded)):
        owner = str(turn)
        await session.enqueue([Entry(Header(id), bytes(60)) for id in ids[5 * turn : 5 * turn + 5]])
        await session.register(owner, b"")
        done, *bad = (it.receipt for it in await session.claim({"loop": 5}, owner))
        ends: list[Finish | Bury] = [Finish(done)]
        ends += [Bury(it, "why", into="failed" if it in bad[:2] else "dead") for it in bad]
        for number, end in enumerate(ends, 1):
            history = HistoryBatch((end.receipt.id,), (0,), b"run")
            assert await session.settle([end], owner, number, history) == ["accepted"]
    seen = [
        (
            [it.header.id for it in (await session.failed(100)).items],
            [it.ids for it in (await session.history(100)).items],
            await session.locate(ids),
        )
        for session in (bounded, usual, reading, await open_session())
    ]
    assert all(it == seen[0] for it in seen)


def write_something_else(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"something else")


def mark_journal(path: Path, mark: bytes) -> bytes:
    """Write over the mark of a journal's version; return what was there."""
    with path.open("r+b") as file:
        before = file.read(len(mark))
        file.seek(0)
        file.write(mark)
    return before


def entries(*ids: str, **header: Any) -> list[Entry]:
    return [Entry(Header(id, **header), id.encode()) for id in ids]


async def claim(session: Session, owner: str, most: int = 100) -> list[str]:
    return [it.receipt.id for it in await session.claim({"loop": most}, owner)]


@pytest.mark.parametrize(
    "rest", [b"\x01", struct.pack("<II", 9, 9) + b"cut", struct.pack("<II", 3, 9) + b"bad", bytes(64)]
)
async def test_write_that_was_cut_short_is_passed_over_and_cut_off(
    rest: bytes, open_session: Open, journal: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = await open_session()
    await first.enqueue(entries("a"))
    with journal.open("ab") as file:
        file.write(rest)
    assert (await first.locate(["a"]))[0].state == "queued"
    second = await open_session()
    assert f"the last {len(rest)} bytes were never written to their end" in caplog.text
    await second.enqueue(entries("b"))
    await first.register("owner", b"")
    assert await claim(first, "owner") == ["a", "b"]


async def test_journal_is_written_anew_and_everything_is_still_there(open_session: Open, journal: Path) -> None:
    """Every kind of thing goes through a snapshot, and comes out in its order."""
    session = await open_session(journal_mb=0)
    await session.register("owner", b"info")
    await session.enqueue(entries("low", "low2") + entries("high", priority=5.0) + entries("later", eta=1e10))
    await session.enqueue(entries("held", priority=9.0, unique_key="key", once_token="token", expects=("next",)))
    await session.enqueue(entries("bad", priority=8.0))
    held, bad = await session.claim({"loop": 2}, "owner")
    assert await session.settle([Bury(bad.receipt, "why")], "owner", 1) == ["accepted"]
    await session.report(held.receipt, b"half")
    latch = Latch(2, Entry(Header("callback", collects=True), b""))
    await session.enqueue(entries("one", lane="thread", latch="callback", latch_index=0), [latch])
    await session.put("data", {"k": b"v", "e": b"x"}, ttl=1000)
    await session.add("data", "n", 7)
    await session.acquire("lock", "token", 1, 60, "owner")
    await session.pause("ops")
    await session.note(b"line")
    with journal.open() as first:  # while it is open, no other file gets its number
        for number in range(200):
            await session.put("data", {"k": b"%d" % number})
        assert os.stat(journal).st_ino != os.fstat(first.fileno()).st_ino
    await session.close()

    again = await open_session()
    assert os.stat(journal).st_size < 20_000
    paused = await again.paused()
    assert paused is not None
    assert paused.by == "ops"
    assert [it.line for it in await again.notes(10)] == [b"line"]
    await again.resume()
    assert await claim(again, "owner") == ["high", "low", "low2"]
    assert [entry.header.id for entry in await again.scan_tasks("scheduled")] == ["later"]
    assert await again.peek("data", ["k", "e", "n"]) == [b"199", b"x", b"7"]
    assert await again.holders("lock") == ["token"]
    assert [(it.header.id, it.reason) for it in await again.dead()] == [("bad", "why")]
    assert await again.collect(["callback", "none"]) == [(None, None), None]
    assert [it.state for it in await again.locate(["held", "next", "callback"])] == ["running", "expected", "expected"]
    assert await again.follow("held", None) == b"half"
    assert [
        it.verdict for it in await again.enqueue(entries("x", unique_key="key") + entries("y", once_token="token"))
    ] == [
        "taken",
        "done",
    ]
    finish = Finish(held.receipt, b"", latch=LatchMark("callback", 0, b"0"))
    assert await again.settle([Bury(bad.receipt, "why")], "owner", 1) == ["accepted"], "the answer of number 1"
    assert await again.settle([finish], "owner", 2) == ["accepted"]
    assert await again.collect(["callback"]) == [(b"0", None)]


async def test_session_that_slept_through_new_journals_finds_what_it_missed(open_session: Open) -> None:
    sleeper, busy = await open_session(journal_mb=0), await open_session(journal_mb=0)
    await busy.register("owner", b"")
    await busy.enqueue(entries("a"))
    (delivery,) = await busy.claim({"loop": 1}, "owner")
    assert (await sleeper.counts()).running == 1
    for number in range(300):
        await busy.put("data", {"k": b"%d" % number})
    await busy.settle([Finish(delivery.receipt, b"result")], "owner", 1)
    assert await sleeper.peek("data", ["k"]) == [b"299"]
    assert await sleeper.await_outcomes(["a"]) == [Over("a", b"result", kind="done")]


async def test_waiter_is_told_whatever_becomes_of_the_journal(open_session: Open) -> None:
    waiter, busy = await open_session(journal_mb=0), await open_session(journal_mb=0)
    await busy.register("owner", b"")
    for number in range(30):
        await busy.enqueue(entries(f"t{number}"))
        (delivery,) = await busy.claim({"loop": 1}, "owner")
        waiting = asyncio.create_task(waiter.await_outcomes([f"t{number}"]))
        await busy.settle([Finish(delivery.receipt, b"%d" % number)], "owner", number + 1)
        await asyncio.gather(*(busy.put("data", {"k": bytes(2000)}) for _ in range(5)))
        assert [over.data for over in await asyncio.wait_for(waiting, 20)] == [b"%d" % number]


def delete_journal(folder: Path) -> None:
    (folder / "journal").unlink()


def delete_folder(folder: Path) -> None:
    """At once: while its files go one by one, whoever uses it may put new ones there."""
    shutil.rmtree(folder.rename(folder.with_name("to-be-deleted")))


def put_another_folder(folder: Path) -> None:
    """As a restored backup that is another queue's."""

    async def make() -> None:
        session = await FileStorage("app", folder.with_name("other")).connect()
        await session.enqueue(entries("of the backup"))
        await session.close()

    asyncio.run(make())
    backup = folder.with_name("other").joinpath(folder.name)
    delete_folder(folder)
    while backup.exists():
        try:
            backup.rename(folder)
        except OSError:  # whoever uses it was faster, and has made an empty one
            delete_folder(folder)


each_exchange = pytest.mark.parametrize("exchange", [delete_journal, delete_folder, put_another_folder])


@each_exchange
async def test_folder_that_was_exchanged_is_another_queue(
    exchange: Callable[[Path], None], open_session: Open, journal: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session = await open_session()
    await session.enqueue(entries("a"))
    await asyncio.to_thread(exchange, journal.parent)
    before = (await session.counts()).queued["loop"]
    await session.enqueue(entries("b"))
    assert (await session.peek("results", ["a"]), (await session.counts()).queued["loop"]) == ([None], before + 1)
    other = await open_session()
    assert (await other.counts()).queued["loop"] == before + 1
    assert len([it for it in caplog.records if "going on with" in it.getMessage()]) == 1, "one line, of one session"


@each_exchange
async def test_waits_of_a_folder_that_was_exchanged_end(
    exchange: Callable[[Path], None], open_session: Open, journal: Path
) -> None:
    session = await open_session()
    await session.enqueue(entries("a"))
    over = asyncio.create_task(session.await_outcomes(["a"]))
    work = asyncio.create_task(session.wait_for_work(["loop"], 60.0))
    assert await asyncio.wait_for(work, 30)
    await asyncio.to_thread(exchange, journal.parent)
    assert [it.data for it in await asyncio.wait_for(over, 30)] == [None]


async def test_what_joins_a_write_goes_into_the_journal_that_is_there_now(
    open_session: Open, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await open_session()
    loop = asyncio.get_running_loop()
    asleep, awake = asyncio.Event(), threading.Event()
    monkeypatch.setattr(
        Replica, "prepare", then_sleep(Replica.prepare, lambda: loop.call_soon_threadsafe(asleep.set), awake)
    )
    first = asyncio.ensure_future(session.put("data", {"k": b"first"}))
    await asyncio.wait_for(asleep.wait(), 30)
    delete_journal(journal.parent)
    second = asyncio.ensure_future(session.enqueue(entries("a")))
    await asyncio.sleep(0)  # so that it is sent
    awake.set()
    await asyncio.gather(first, second)
    assert (await session.counts()).queued["loop"] == 1


def then_sleep(do: Callable[..., Any], asleep: Callable[[], object], awake: threading.Event) -> Callable[..., Any]:
    def done(*args: Any) -> Any:
        answer = do(*args)
        asleep()
        assert awake.wait(30)
        return answer

    return done


@each_exchange
async def test_consumer_on_a_folder_that_was_exchanged_goes_on(
    exchange: Callable[[Path], None], journal: Path, tmp_path: Path
) -> None:
    huey = FileHuey("app", path=tmp_path)

    @huey.task(name="double")
    async def double(value: int) -> int:
        return 2 * value

    async with huey.create_consumer(workers=2, lease=1.5):
        assert await asyncio.wait_for(await double(1), 30) == 2
        await asyncio.to_thread(exchange, journal.parent)
        assert await asyncio.wait_for(await double(2), 30) == 4
    await huey.close()


async def test_append_that_fails_ends_no_wait(open_session: Open, journal: Path) -> None:
    """The limit on the size of files, as a quota, is one for this process alone."""
    session = await open_session()
    await session.register("owner", b"")
    await session.enqueue(entries("a"))
    over = asyncio.create_task(session.await_outcomes(["a"]))
    await session.await_outcomes(["unknown"])
    with at_most_bytes(os.stat(journal).st_size):
        with pytest.raises(StorageFull, match="quota is full"):
            await session.enqueue([Entry(Header("b"), bytes(100_000))])
        assert (await session.counts()).queued["loop"] == 1
    await session.enqueue(entries("c"))
    deliveries = await session.claim({"loop": 1}, "owner")
    await session.settle([Finish(it.receipt, b"value") for it in deliveries], "owner", 1)
    assert [it.data for it in await asyncio.wait_for(over, 30)] == [b"value"]


async def test_what_fits_is_written_beside_what_does_not(open_session: Open, journal: Path) -> None:
    session = await open_session()
    large = [Entry(Header("large"), bytes(100_000))]
    with at_most_bytes(os.stat(journal).st_size + 50_000):
        answers = await asyncio.gather(
            session.enqueue(entries("a")), session.enqueue(large), session.enqueue(entries("b")), return_exceptions=True
        )
    assert [isinstance(it, StorageFull) for it in answers] == [False, True, False]
    assert (await (await open_session()).counts()).queued["loop"] == 2


async def test_journal_is_written_anew_when_there_is_no_room_for_more(open_session: Open, journal: Path) -> None:
    session = await open_session()
    for number in range(100):
        await session.put("data", {"k": bytes(1_000 + number)})
    with at_most_bytes(os.stat(journal).st_size):
        await session.put("data", {"k": b"last"})
    assert os.stat(journal).st_size < 10_000
    assert await (await open_session()).peek("data", ["k"]) == [b"last"]


@contextmanager
def at_most_bytes(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_what_is_no_journal_is_refused(open_session: Open, journal: Path) -> None:
    write_something_else(journal)
    with pytest.raises(ConfigurationError, match="no journal of this version"):
        await open_session()


async def test_record_of_another_version_is_refused_and_changes_nothing(open_session: Open, journal: Path) -> None:
    session = await open_session()
    await session.enqueue(entries("a"))
    record = encode((1.0, 1, [encode(("unheard_of", ()))]))
    before = os.stat(journal).st_size
    with journal.open("ab") as file:
        file.write(struct.pack("<II", len(record), crc32(record)) + record)
    with pytest.raises(ConfigurationError, match="another version"):
        await session.counts()
    os.truncate(journal, before)
    assert (await session.counts()).queued["loop"] == 1


async def test_call_that_cannot_be_written_fails_alone(open_session: Open) -> None:
    session = await open_session()
    bad: Any = {"k": object()}
    answers = await asyncio.gather(
        session.put("data", {"a": b"1"}),
        session.put("data", bad),
        session.put("data", {"b": b"2"}),
        return_exceptions=True,
    )
    assert (answers[0], type(answers[1]), answers[2]) == (None, TypeError, None)
    assert await (await open_session()).peek("data", ["a", "k", "b"]) == [b"1", None, b"2"]


def test_subclasses_of_plain_types_are_written_as_these() -> None:
    class Name(str):
        def __str__(self) -> str:
            return "other"

    class Number(float):
        pass

    read = decode(encode((Name("a"), Number(1.5), True, None, Header(Name("id")))))
    assert read == ("a", 1.5, True, None, Header("id"))
    assert [type(it) for it in read[:2]] == [str, float]
    assert type(read[4].id) is str


def test_reading_a_journal_calls_nothing_but_records() -> None:
    for foreign in (os.system, subprocess.Popen, pickle.loads):
        with pytest.raises(pickle.UnpicklingError, match="no place in a journal"):
            decode(pickle.dumps(foreign))


async def test_queues_of_any_name_have_folders_of_their_own(tmp_path: Path) -> None:
    names = [".", "..", "a/b", "a%2Fb", "A", "a", "x" * 300, "x" * 301, "\udcff", "é"]
    sessions = [await FileStorage(name, tmp_path / "root").connect() for name in names]
    for number, session in enumerate(sessions):
        await session.add("data", "k", number)
    assert [await session.peek("data", ["k"]) for session in sessions] == [[b"%d" % n] for n in range(len(names))]
    for session in sessions:
        await session.close()
    assert os.listdir(tmp_path) == ["root"]


def test_without_the_library_it_says_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['filelock'] = None\n"
        "from hueyio import FileHuey\n"
        f"FileHuey('app', {str(tmp_path / 'queue')!r})"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "ConfigurationError" in ended.stderr
    assert "pip install 'hueyio[file]'" in ended.stderr


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", 7),
        ("fsync", "yes"),
        ("timeout", -1),
        ("journal_mb", "8"),
        ("dead_limit", 0),
        ("dead_limit", True),
        ("keep_ended", -1),
        ("keep_failed", 1.5),
        ("failed_bytes", "1 MB"),
        ("failed_ttl", "1 d"),
        ("keep_ended", True),
        ("clock", 3),
    ],
)
def test_an_option_that_cannot_work_is_named(field: str, value: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=field):
        FileStorage(**{"name": "app", "path": tmp_path, field: value})


async def test_lock_that_others_keep_is_waited_for_no_longer_than_told(open_session: Open, tmp_path: Path) -> None:
    from filelock import FileLock

    session = await open_session(timeout=0.05)
    with FileLock(tmp_path / "queue-app" / "lock"):
        with pytest.raises(StorageUnavailable, match=r"held it for more than 0\.05 s"):
            await session.enqueue(entries("a"))
        assert (await session.counts()).queued["loop"] == 0  # questions need no lock
    await session.enqueue(entries("a"))
    assert (await session.counts()).queued["loop"] == 1


async def test_a_question_passes_a_write_that_waits_for_the_lock(open_session: Open, tmp_path: Path) -> None:
    from filelock import FileLock

    session = await open_session(timeout=60)
    await session.enqueue(entries("a"))
    with FileLock(tmp_path / "queue-app" / "lock"):
        write = asyncio.ensure_future(session.enqueue(entries("b")))
        found, _ = await asyncio.wait_for(asyncio.gather(session.locate(["a", "b"]), session.counts()), 30)
        (again,) = await asyncio.wait_for(session.locate(["a"]), 30)
        assert ([it.state for it in found], again.state) == (["queued", "unknown"], "queued")
        assert not write.done()
    assert [it.verdict for it in await write] == ["added"]


async def test_a_question_sees_the_write_whose_caller_was_cancelled(open_session: Open, tmp_path: Path) -> None:
    from filelock import FileLock

    session, other = await open_session(timeout=60), await open_session()
    with FileLock(tmp_path / "queue-app" / "lock"):
        write = asyncio.ensure_future(session.enqueue(entries("a")))
        await asyncio.wait_for(session.locate(["a"]), 30)
        write.cancel()
        await asyncio.wait([write])
        located = asyncio.ensure_future(session.locate(["a"]))
        for _ in range(20):
            await other.counts()  # meanwhile it had time to answer
        assert not located.done()
    assert [it.state for it in await located] == ["queued"]


FORKING = """
import asyncio, os, sys
from hueyio.storage.file import FileStorage
from hueyio.storage.records import Entry, Header

async def main():
    session = await FileStorage("app", sys.argv[1]).connect()
    async def enqueue():
        for number in range(40):
            await session.enqueue([Entry(Header(f"t{number}"), b"")])
    enqueueing = asyncio.create_task(enqueue())
    for _ in range(5):
        await asyncio.sleep(0.005)
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
    await enqueueing
    print((await session.counts()).queued["loop"])
    await session.close()

asyncio.run(main())
"""


def test_forks_amid_writes_hold_up_nobody(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORKING, str(tmp_path / "queue")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.stdout, ended.stderr) == ("40\n", "")


FULL_DISK = """
import asyncio, os, resource, sys
from hueyio.exceptions import StorageUnavailable
from hueyio.storage.file import FileStorage
from hueyio.storage.records import Entry, Finish, Header

def allow(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main(path, journal_mb):
    session = await FileStorage("app", path, journal_mb=journal_mb).connect()
    other = await FileStorage("app", path, journal_mb=journal_mb).connect()
    await session.register("owner", b"")
    await session.enqueue([Entry(Header(id, expects=("later",) if id == "a" else ()), id.encode()) for id in "abc"])
    waits = [asyncio.create_task(it.await_outcomes(["a", "b", "later"])) for it in (session, other)]
    patient = asyncio.create_task(session.await_outcomes(["not yet"], "wait"))
    await session.await_outcomes(["nobody has this id"])
    await other.await_outcomes(["nobody has this id"])
    deliveries = await session.claim({"loop": 10}, "owner")
    # More than there is room for even in a journal that is written anew.
    ends = [Finish(it.receipt, it.data * 100_000, also=it.header.expects) for it in deliveries]
    allow(os.stat(os.path.join(path, "queue-app", "journal")).st_size)
    for writer in (session, other):
        for _ in range(3):
            try:
                await writer.put("data", {"k": b"x" * 1000})
            except StorageUnavailable:
                pass
            else:
                raise SystemExit("the disk is not full")
    try:
        await session.settle(ends, "owner", 1)
    except StorageUnavailable:
        pass
    assert [it.state for it in await other.locate(["a", "later"])] == ["running", "expected"]
    assert not any(it.done() for it in (*waits, patient)), [it for it in (*waits, patient) if it.done()]
    allow(resource.RLIM_INFINITY)
    assert await session.settle(ends, "owner", 1) == ["accepted"] * 3
    for it in waits:
        async with asyncio.timeout(20):
            assert [over.data[:2] for over in await it] == [b"aa", b"bb", b"aa"]
    assert not patient.done()
    await session.enqueue([Entry(Header("not yet"), b"")])
    (delivery,) = await session.claim({"loop": 10}, "owner")
    await session.settle([Finish(delivery.receipt, kind="expired")], "owner", 2)
    async with asyncio.timeout(20):
        assert [over.kind for over in await patient] == ["expired"]
    await session.close()
    await other.close()
    print("ok")

asyncio.run(main(sys.argv[1], float(sys.argv[2])))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the size of files has no limit there")
@pytest.mark.parametrize("journal_mb", ["8", "0"])
def test_waits_go_on_when_the_disk_was_full(tmp_path: Path, journal_mb: str) -> None:
    command = [sys.executable, "-W", "ignore", "-c", FULL_DISK, str(tmp_path / "queue"), journal_mb]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (ended.stdout, ended.returncode) == ("ok\n", 0), ended.stderr


async def test_waits_are_asked_again_when_the_journal_was_exchanged(open_session: Open, journal: Path) -> None:
    await (await FileStorage("app", journal.parent / "another").connect()).close()
    session = await open_session()
    await session.enqueue(entries("lost", "again"))
    lost = asyncio.create_task(session.await_outcomes(["lost"]))
    again = asyncio.create_task(session.await_outcomes(["again", "never"], "wait"))
    await session.await_outcomes(["nobody has this id"])
    os.replace(journal.parent / "another" / "queue-app" / "journal", journal)
    other = await open_session()
    await other.register("owner", b"")
    await other.enqueue(entries("again", "never"))
    async with asyncio.timeout(20):
        assert await lost == [Over("lost", None)]
        ends = [Finish(it.receipt, kind="failed") for it in await other.claim({"loop": 10}, "owner")]
        assert await other.settle(ends, "owner", 1) == ["accepted", "accepted"]
        assert [over.kind for over in await again] == ["failed", "failed"]


async def test_journal_of_an_earlier_version_is_begun_anew_and_knows_no_ends(open_session: Open, journal: Path) -> None:
    session = await open_session()
    await session.register("owner", b"")
    await session.enqueue(entries("over", "alive"))
    (delivery,) = await session.claim({"loop": 1}, "owner")
    await session.settle([Finish(delivery.receipt, kind="failed")], "owner", 1)
    await session.close()
    assert mark_journal(journal, b"hueyio journal 1") == b"hueyio journal 2"
    session = await open_session()
    assert mark_journal(journal, b"hueyio journal 2") == b"hueyio journal 2"
    assert [it.state for it in await session.locate(["over", "alive"])] == ["unknown", "queued"]
    ended = await session.ended(["over"])
    assert ended.kinds == [None]
    assert ended.since is not None
