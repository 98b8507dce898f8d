"""Who may open what hueyio makes, and what it refuses in folders that others may write to.

What another user of the host does and sees is done and seen by a process with another uid, where the tests run as root.
"""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from tests.support.patience import until

from hueyio import ConfigurationError, FileHuey, Huey, SqliteHuey
from hueyio.storage.shared.doorbell import Doorbell
from hueyio.storage.shared.private_files import check_path, make_folders

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owners here")

ANOTHER: Final = 65_432
"""A uid that is nobody's."""

as_root: Final = pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() != 0, reason="only root can be another")

KINDS: Final = ("sqlite", "file")


def make(kind: str, folder: Path, name: str = "q.db", **options: Any) -> Huey:
    """Make a Huey below ``folder / "made"``, which a SqliteHuey needs."""
    if kind == "file":
        return FileHuey("q", path=folder / "made" / "queue", **options)
    (folder / "made").mkdir(mode=0o755, exist_ok=True)
    return SqliteHuey("q", filename=folder / "made" / name, **options)


async def use(huey: Huey) -> None:
    """Make all the files that there ever are, and look at them while they are there."""

    @huey.task(name="double")
    async def double(number: int) -> int:
        return 2 * number

    async with huey, huey.create_consumer(lease=1.0):
        assert await (await double(2)) == 4
        await huey.put("key", "value")


def modes(folder: Path) -> dict[str, str]:
    """Return the modes of all that is below a folder, by kind: there are many sockets and heartbeats."""
    found = {}
    for path in folder.rglob("*"):
        mode = path.lstat().st_mode
        found[str(path.relative_to(folder))] = f"{stat.filemode(mode)[0]}{stat.S_IMODE(mode):o}"
    return found


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose path is so short that the doorbells are in it."""
    with tempfile.TemporaryDirectory(prefix="h") as folder:
        yield Path(folder)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder to which other users may come; not below pytest's, which each start of pytest closes to them."""
    with tempfile.TemporaryDirectory(prefix="hueyio-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


async def modes_in_use(huey: Huey, folder: Path, mask: int) -> set[str]:
    """Use it under this umask, and return the modes of what is there meanwhile."""
    just_bound = f"s{0o777 & ~mask:o}"  # a socket gets its mode in a second step
    found: set[str] = set()
    async with huey, huey.create_consumer(lease=1.0):

        @huey.task(name="double")
        async def double(number: int) -> int:
            return 2 * number

        assert await (await double(2)) == 4

        async def are_there() -> bool:
            nonlocal found
            found = set(modes(folder).values())
            return {mode[0] for mode in found} >= {"-", "d", "s"} and just_bound not in found

        await until(are_there)
        return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mask", [0o022, 0o000, 0o077], ids=oct)
async def test_files_are_for_this_user_alone_whatever_the_umask_is(kind: str, mask: int, short_path: Path) -> None:
    with umask(mask):
        huey = make(kind, short_path)
        assert await modes_in_use(huey, short_path / "made", mask) == {"-600", "d700", "s600"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("mode", "found"), [(0o660, {"-660", "d770", "s660"}), (0o640, {"-640", "d750", "s640"})])
async def test_files_are_for_a_group_when_it_is_said(kind: str, mode: int, found: set[str], short_path: Path) -> None:
    with umask(0o077):
        assert await modes_in_use(make(kind, short_path, mode=mode), short_path / "made", 0o077) == found


@pytest.mark.parametrize("kind", KINDS)
async def test_file_that_was_there_keeps_its_mode(kind: str, tmp_path: Path) -> None:
    await use(make(kind, tmp_path))
    path = tmp_path / "made" / ("q.db" if kind == "sqlite" else "queue/queue-q/journal")
    path.chmod(0o644)
    options: dict[str, Any] = {"journal_mb": 0} if kind == "file" else {}  # it is written anew all the time
    huey = make(kind, tmp_path, **options)
    await use(huey)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("mode", [0o606, 0o662, 0o400, 0o700, 0o1600, True, "600", -1, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_mode_that_is_none_of_files_is_refused(kind: str, mode: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="mode"):
        make(kind, tmp_path, mode=mode)


# --- links


def names_of(kind: str) -> list[str]:
    """Return the files that others can know the names of."""
    if kind == "file":
        return ["queue", "queue/queue-q", "queue/queue-q/journal", "queue/queue-q/journal.new", "queue/queue-q/lock"]
    return ["q.db", "q.db-wal", "q.db-shm"]


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in KINDS for name in names_of(kind)], ids=lambda it: it.replace("/", " ")
)
@pytest.mark.parametrize("dangling", [False, True])
async def test_link_is_not_followed_when_others_may_write_to_its_folder(
    kind: str, name: str, dangling: bool, tmp_path: Path
) -> None:
    made, victim = tmp_path / "made", tmp_path / "victim"
    place = made / name
    place.parent.mkdir(parents=True)
    place.parent.chmod(0o1777)
    if name in ("queue", "queue/queue-q"):
        victim.mkdir()
    elif not dangling:
        victim.write_bytes(b"precious")
    place.symlink_to(victim)
    if name.endswith(".new"):
        await use(make(kind, tmp_path))  # what is left there is removed
    else:
        with pytest.raises(ConfigurationError, match="is a link"):
            await use(make(kind, tmp_path))
    if victim.is_dir():
        assert list(victim.iterdir()) == []
    elif dangling:
        assert not victim.exists()
    else:
        assert victim.read_bytes() == b"precious"


@pytest.mark.parametrize("kind", KINDS)
async def test_link_is_followed_when_nobody_else_may_write_to_its_folder(kind: str, tmp_path: Path) -> None:
    made, volume = tmp_path / "made", tmp_path / "volume"
    made.mkdir()
    volume.mkdir()
    (made / ("q.db" if kind == "sqlite" else "queue")).symlink_to(volume / "there")
    if kind == "file":
        (volume / "there").mkdir()
    await use(make(kind, tmp_path))
    assert (volume / "there").exists()


@pytest.mark.parametrize("name", names_of("file")[2:])
async def test_no_link_is_followed_in_the_folder_of_a_file_queue_whoever_may_write_there(
    name: str, tmp_path: Path
) -> None:
    place, victim = tmp_path / "made" / name, tmp_path / "victim"
    place.parent.mkdir(parents=True)
    victim.write_bytes(b"precious")
    place.symlink_to(victim)
    if name.endswith(".new"):
        await use(make("file", tmp_path))  # what is left there is removed
    else:
        with pytest.raises(ConfigurationError, match="is a link"):
            await use(make("file", tmp_path))
    assert victim.read_bytes() == b"precious"


# --- other users


@as_root
@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in KINDS for name in names_of(kind)], ids=lambda it: it.replace("/", " ")
)
async def test_what_belongs_to_another_is_refused_when_others_may_write_to_its_folder(
    kind: str, name: str, tmp_path: Path
) -> None:
    await use(make(kind, tmp_path))
    place = tmp_path / "made" / name
    place.parent.chmod(0o1777)
    if not place.exists():
        place.touch(0o666)
    os.chown(place, ANOTHER, ANOTHER)
    if name.endswith(".new"):
        await use(make(kind, tmp_path))  # it is removed, not opened
        return
    with pytest.raises(ConfigurationError, match=f"belongs to another user .uid {ANOTHER}"):
        await use(make(kind, tmp_path))
    place.parent.chmod(0o755)
    await use(make(kind, tmp_path))


@as_root
@pytest.mark.parametrize("kind", KINDS)
async def test_folder_that_another_made_in_a_shared_one_is_refused(kind: str, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    os.chown(tmp_path / "made", ANOTHER, ANOTHER)
    os.chmod(tmp_path, 0o1777)
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        await use(make(kind, tmp_path))


PEEK: Final = """
import os, sys
uid, gid, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
os.setgroups([])
os.setegid(gid)
os.seteuid(uid)
found = []
def refused(error):
    found.append(error.filename)
for at, folders, files in os.walk(folder, onerror=refused):
    for name in files:
        try:
            open(os.path.join(at, name), "rb").close()
            print("read", name)
        except PermissionError:
            pass
print("refused", len(found))
"""

WORK: Final = """
import asyncio, os, sys
import hueyio, filelock
uid, gid, source, scratch = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]

async def main(huey, *keys):
    @huey.task(name="double")
    async def double(number):
        return 2 * number

    async with huey, huey.create_consumer(lease=2.0):
        print(await (await double(21)))
        for key in keys:
            print(await huey.get(key))

asyncio.run(main(eval(scratch)))  # another user may not read the modules that are imported late
os.umask(0o022)
os.setgroups([])
os.setegid(gid)
os.seteuid(uid)
asyncio.run(main(eval(source), "of another"))
"""


def run_as(uid: int, gid: int, code: str, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, str(uid), str(gid), *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@as_root
@pytest.mark.parametrize("kind", KINDS)
async def test_another_user_reads_nothing(kind: str, open_path: Path) -> None:
    with umask(0o022):
        await use(make(kind, open_path))
    done = await asyncio.to_thread(run_as, ANOTHER, ANOTHER, PEEK, str(open_path / "made"))
    assert done.stdout.splitlines() == [f"refused {int(kind == 'file')}"], done


@as_root
@pytest.mark.parametrize("kind", KINDS)
async def test_two_users_of_a_group_share_a_queue_when_the_mode_lets_them(kind: str, open_path: Path) -> None:
    shared = open_path / "made"
    shared.mkdir()
    os.chown(shared, ANOTHER, ANOTHER)
    shared.chmod(0o2770)
    huey = make(kind, open_path, "queue", mode=0o660)
    async with huey:
        await huey.put("of another", 8)
        source, scratch = (
            f"hueyio.{type(huey).__name__}('q', {str(folder / 'queue')!r}, mode=0o660)"
            for folder in (shared, open_path)
        )
        done = await asyncio.to_thread(run_as, ANOTHER + 1, ANOTHER, WORK, source, scratch)
        assert done.stdout.split() == ["42", "42", "8"], done
        assert done.stderr == ""


# --- doorbells in the folder for temporary files


async def test_bells_of_another_in_the_temporary_folder_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    temporary.chmod(0o1777)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    path = str(tmp_path / ("long" * 30))
    bell = Doorbell(path, "client", 0o600)
    other = Doorbell(path, "other", 0o600)
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious.work").write_text("precious")
    (temporary / Path(bell._directory).name).symlink_to(victim)
    bell.listen("work")
    bell.wait(0.0)  # it binds nothing, and says nothing
    assert bell.ring(True, ["gone"]) == []
    assert [path.name for path in victim.iterdir()] == ["precious.work"]
    bell.close()
    other.close()


# --- the rules


def test_group_of_this_user_alone_is_no_stranger(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.touch()
    link.symlink_to(target)
    tmp_path.chmod(0o775)
    os.chown(tmp_path, -1, os.getegid())
    if os.geteuid() == 0:
        check_path(str(link), 0o600)  # the group root has nobody but root
    check_path(str(link), 0o660)  # whom the mode lets in is no stranger
    tmp_path.chmod(0o777)
    for mode in (0o600, 0o660):
        with pytest.raises(ConfigurationError, match="is a link"):
            check_path(str(link), mode)


def test_folders_above_are_looked_at_too(tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "open" / "link").symlink_to(away)
    with pytest.raises(ConfigurationError, match="open/link is a link"):
        make_folders(str(tmp_path / "open" / "link" / "queue" / "below"), 0o600)
    assert list(away.iterdir()) == []


def test_missing_folders_are_made_with_the_mode_of_the_files(tmp_path: Path) -> None:
    with umask(0o077):
        make_folders(str(tmp_path / "a" / "b"), 0o640)
        make_folders(str(tmp_path / "a" / "c"), 0o600)
    assert modes(tmp_path) == {"a": "d750", "a/b": "d750", "a/c": "d700"}
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        make_folders(str(tmp_path / "file" / "b"), 0o600)
