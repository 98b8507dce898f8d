"""The command line says in one line what is wrong, and exits with a code of its own."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest

from hueyio import ConfigurationError
from hueyio.cli.main import main
from hueyio.storage.sqlite import SqliteStorage
from hueyio.worker.loading import load_huey


def run(folder: Path, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hueyio", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def write(folder: Path, text: str, name: str = "shop") -> None:
    (folder / f"{name}.py").write_text(text)


Load = Callable[[str], list[str]]


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Give a function that loads an app here and returns the lines that say why not: a process takes half a second."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def load(path: str) -> list[str]:
        with pytest.raises(ConfigurationError) as error:
            load_huey(path)
        return [*str(error.value).splitlines(), *getattr(error.value, "__notes__", ())]

    yield load
    for name in ("shop", "deep"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("", "nowhere:huey", "there is no module 'nowhere'"),
        ("", "shop:huey", "module 'shop' has no attribute 'huey'"),
        ("huey = 7", "shop:huey", "shop:huey is a int, not a Huey"),
        ("", "shop", "'shop' is no path of a Huey"),
    ],
)
def test_app_that_cannot_be_loaded_is_said_in_one_line(
    tmp_path: Path, refused: Load, text: str, path: str, says: str
) -> None:
    write(tmp_path, text)
    (line,) = refused(path)
    assert line.startswith(says)


def test_app_in_immediate_mode_is_said_in_one_line(tmp_path: Path) -> None:
    write(tmp_path, "import hueyio\nhuey = hueyio.MemoryHuey(immediate=True)")
    done = run(tmp_path, "worker", "shop:huey")
    (line,) = done.stderr.splitlines()
    assert (done.returncode, line.startswith("hueyio: "), "immediate mode" in line) == (78, True, True)


def test_stop_in_an_exit_handler_of_an_app_that_did_not_import_shows_nothing_of_its_own(tmp_path: Path) -> None:
    write(
        tmp_path,
        "import atexit, os, time\natexit.register(time.sleep, 60)\natexit.register(os.write, 2, b'!\\n')\n1 / 0",
    )
    command = [sys.executable, "-m", "hueyio", *WORKER]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as worker:
        assert worker.stderr is not None
        while worker.stderr.readline() != "!\n":
            pass
        worker.terminate()
        assert (worker.stderr.read(), worker.wait()) == ("", -signal.SIGTERM)


WORKER = ("worker", "shop:huey")


@pytest.mark.parametrize(
    ("command", "text", "says", "line"),
    [
        ((), "import nowhere_at_all", "No module named 'nowhere_at_all'", "import nowhere_at_all"),
        ((), "def read():\n    return {}['KEY']\nread()", "KeyError: 'KEY'", "return {}['KEY']"),
        ((), "def (", "SyntaxError: invalid syntax", "def ("),
        ((), "import hueyio\nhueyio.RedisHuey(url='redis://h', port=1)", "ConfigurationError: ", "hueyio.RedisH"),
        (WORKER, "raise SystemExit(5)", "ends the process while it is imported", "raise SystemExit(5)"),
        (("ls", "ready", "-a", "shop:huey"), "1 / 0", "ZeroDivisionError", "1 / 0"),
    ],
)
def test_app_that_does_not_import_shows_where_in_the_users_files(
    tmp_path: Path, refused: Load, command: tuple[str, ...], text: str, says: str, line: str
) -> None:
    write(tmp_path, "import deep", name="shop")
    write(tmp_path, text, name="deep")
    if command:
        done = run(tmp_path, *command)
        assert (done.returncode, done.stdout, done.stderr.startswith("hueyio: ")) == (78, "", True)
        first, *frames = done.stderr.removeprefix("hueyio: ").splitlines()
    else:
        first, *frames = refused("shop:huey")
    assert first.startswith("module 'shop' ")
    assert says in first
    assert all(it.startswith("  ") for it in frames)
    files = {it.split('"')[1] for it in frames if it.startswith("  File ")}
    assert files == {str(tmp_path / "shop.py"), str(tmp_path / "deep.py")}
    assert any(line in it for it in frames)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hueyio.SqliteHuey(filename='no/such/folder/app.db')", "no/such/folder"),
        ("hueyio.SqliteHuey(filename='shop.py')", "shop.py"),
        ("hueyio.RedisHuey(url='redis://:secret@127.0.0.1:1/0')", "127.0.0.1:1"),
    ],
)
def test_storage_that_is_not_there_is_said_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    write(tmp_path, f"import hueyio\nhuey = {text}")
    done = run(tmp_path, "worker", "shop:huey", "-q")
    assert done.returncode in (69, 78)
    assert says in done.stderr
    assert "secret" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


FULL = """
import sqlite3
import hueyio

class Disk(sqlite3.Connection):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.execute("PRAGMA max_page_count = {pages}")

huey = hueyio.SqliteHuey("shop", filename="app.db", storage_kwargs={{"factory": Disk}})
"""


QUOTA = """
import resource
import hueyio

resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
huey = hueyio.SqliteHuey("shop", filename="app.db")
"""


@pytest.mark.parametrize(
    ("text", "is_there"),
    [(FULL.format(pages=1), False), (FULL.format(pages=20), False), (QUOTA, True)],
    ids=["nothing fits", "not all tables fit", "all tables are there"],
)
async def test_full_disk_at_the_start_is_said_in_one_line(tmp_path: Path, text: str, is_there: bool) -> None:
    if is_there:
        await (await SqliteStorage("shop", str(tmp_path / "app.db")).connect()).close()
    write(tmp_path, text)
    done = await asyncio.to_thread(run, tmp_path, "worker", "shop:huey", "-q")
    assert done.returncode == 69
    (line,) = done.stderr.splitlines()
    assert f"SQLite file {tmp_path / 'app.db'} cannot grow: its disk or its quota is full" in line


@pytest.mark.parametrize(
    "options",
    [["-w", "0"], pytest.param(["--lease", "0"], marks=pytest.mark.again("test_arguments refuses it in the same way"))],
)
def test_value_that_makes_no_sense_is_refused(tmp_path: Path, options: list[str]) -> None:
    write(tmp_path, "import hueyio\nhuey = hueyio.SqliteHuey()")
    assert run(tmp_path, "worker", "shop:huey", *options).returncode == 78
    assert not (tmp_path / "huey.db").exists()


@pytest.mark.parametrize("options", [["-w", "many"], ["-v", "-q"], ["--no-such-option"], ["--loop", "trio"]])
def test_wrong_options_are_refused(options: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*WORKER, *options])
    assert ended.value.code == 2


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["worker", "--help"])
    told = capsys.readouterr().out
    assert ended.value.code == 0
    for option in ("-w", "--workers", "--threads", "--lease", "--prefetch", "--shutdown-timeout", "-v", "-q"):
        assert option in told


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_version_is_printed(capsys: pytest.CaptureFixture[str], flag: str) -> None:
    assert main([flag]) == 0
    assert tuple(capsys.readouterr()) == (f"hueyio {version('hueyio')}\n", "")


def test_help_is_printed_where_no_command_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    codes = main([]), main(["--help"])
    told = capsys.readouterr()
    assert codes == (2, 0)
    assert told.err == told.out
    for word in ("worker", "run the tasks of apps", "--version", "--help"):
        assert word in told.out


@pytest.mark.parametrize("line", ["wroker shop:huey", "-V wroker", "help"])
def test_command_that_is_not_known_is_refused_with_those_that_are(
    capsys: pytest.CaptureFixture[str], line: str
) -> None:
    assert main(line.split()) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert f"there is no command '{'help' if line == 'help' else 'wroker'}'; commands: worker" in told.err


def test_script_is_the_same_command_as_the_module(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("hueyio")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == run(tmp_path, "--version").stdout


def test_command_that_is_not_asked_for_is_not_imported() -> None:
    program = (
        "import sys; from hueyio.cli.main import main; main(['--version']);"
        "names = 'hueyio.cli.worker', 'hueyio.worker.process', 'hueyio.cli.commands.ls';"
        "print([name for name in names if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_dotted_path_works_too(tmp_path: Path) -> None:
    write(tmp_path, "import hueyio\nclass apps:\n    mail = hueyio.SqliteHuey(filename='no/app.db')")
    assert "no/app.db" in run(tmp_path, "worker", "shop:apps.mail").stderr
    write(tmp_path, "import hueyio\nhuey = hueyio.SqliteHuey(filename='no/app.db')")
    assert "no/app.db" in run(tmp_path, "worker", "shop.huey").stderr


def test_one_consumer_serves_several_apps_by_weight(tmp_path: Path) -> None:
    write(tmp_path, SEVERAL, "several")
    done = run(tmp_path, "worker", "several:mails", "several:reports", "--weights", "3,1", "-w", "40", "--threads", "4")
    assert done.returncode == 0, done.stderr
    assert "several:mails: 'mails' in " in done.stderr
    assert "30 coroutine tasks, 3 threads and " in done.stderr
    assert "10 coroutine tasks, 1 threads and " in done.stderr
    assert (tmp_path / "ran").read_text() == "both"


SEVERAL = """
import asyncio, os, pathlib, signal
import hueyio

mails = hueyio.SqliteHuey("mails", filename="app.db")
reports = hueyio.SqliteHuey("reports", filename="app.db")

@mails.task
async def mail():
    await (await report())

@reports.task
async def report():
    pathlib.Path("ran").write_text("both")
    os.kill(os.getpid(), signal.SIGTERM)

if __name__ != "__main__":
    asyncio.run(mail.huey.enqueue(mail.s()))
"""


def test_banner_says_version_storage_tasks_and_schedules_without_the_password(tmp_path: Path) -> None:
    write(
        tmp_path,
        "import hueyio\nhuey = hueyio.RedisHuey(url='redis://:secret@127.0.0.1:1/0')\n@huey.task\ndef ring(): ...\n"
        "@huey.periodic_task(hueyio.crontab('*/5', '9-17'))\ndef sweep(): ...\n"
        "@huey.periodic_task(lambda moment: False, name='rarely')\ndef polish(): ...",
    )
    done = run(tmp_path, "worker", "shop:huey")
    assert f"hueyio {version('hueyio')}, Python " in done.stderr
    assert "3 tasks: shop.rarely, shop.ring, shop.sweep" in done.stderr
    assert "2 of them periodic: shop.rarely (when <lambda> says so), shop.sweep (*/5 9-17 * * *)" in done.stderr
    assert "secret" not in done.stderr


def test_banner_says_what_only_the_storage_knows(tmp_path: Path) -> None:
    write(tmp_path, SCHEDULED)
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection, connection:
        connection.executescript(TABLES_OF_HUEY)
    done = run(tmp_path, "worker", "shop:huey")
    assert done.returncode == 0, done.stderr
    assert f"shop:huey: 'shop' in SQLite file {tmp_path / 'app.db'}, queue 'shop'" in done.stderr
    assert "shop:huey: 2 stored schedules: lunch (0 12 * * *), tea (0 16 * * *, paused)" in done.stderr
    (warning,) = [it for it in done.stderr.splitlines() if "WARNING" in it]
    assert "shop:huey: the file holds 3 tasks of Huey under this name, which hueyio does not read" in warning


TABLES_OF_HUEY = """
CREATE TABLE task (id INTEGER PRIMARY KEY, queue TEXT, data BLOB, priority REAL);
INSERT INTO task (queue, data) VALUES ('shop', 'x'), ('shop', 'x'), ('other', 'x');
CREATE TABLE schedule (id INTEGER PRIMARY KEY, queue TEXT, data BLOB, timestamp REAL);
INSERT INTO schedule (queue, data, timestamp) VALUES ('shop', 'x', 1);
"""


SCHEDULED = """
import asyncio, os, signal
import hueyio

huey = hueyio.SqliteHuey("shop", filename="app.db")

@huey.task
async def stop():
    os.kill(os.getpid(), signal.SIGTERM)

async def main():
    async with huey:
        await huey.schedules().add("lunch", stop, hueyio.crontab("0", "12"))
        await huey.schedules().add("tea", stop, hueyio.crontab("0", "16"))
        await huey.schedules().pause("tea")
        await stop()

asyncio.run(main())
"""


def test_log_in_json_is_an_object_a_line(tmp_path: Path) -> None:
    write(tmp_path, "import hueyio\nhuey = hueyio.RedisHuey(url='redis://127.0.0.1:1/0')")
    done = run(tmp_path, "worker", "shop:huey", "--log-format", "json")
    *records, last = done.stderr.splitlines()
    assert all(json.loads(line)["level"] == "INFO" for line in records)
    assert len(records) >= 3
    assert last.startswith("hueyio: ")


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_worker_runs_on_the_loop_that_was_asked_for(tmp_path: Path, loop: str) -> None:
    write(tmp_path, ONE)
    done = run(tmp_path, "worker", "shop:huey", "--loop", loop)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "loop").read_text() == loop


ONE = """
import asyncio, os, pathlib, signal
import hueyio

huey = hueyio.SqliteHuey("shop", filename="app.db")

@huey.task
async def where():
    pathlib.Path("loop").write_text(type(asyncio.get_running_loop()).__module__.partition(".")[0])
    os.kill(os.getpid(), signal.SIGTERM)

asyncio.run(huey.enqueue(where.s()))
"""
