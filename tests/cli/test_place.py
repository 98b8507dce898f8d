"""Where a command looks, what it says of a place that is none, and that it makes nothing there."""

from __future__ import annotations

import socket
import sqlite3
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from hueyio.cli.main import main
from hueyio.cli.place import Place, find_place
from hueyio.exceptions import ConfigurationError
from tests.cli.shop import Done, Shop
from tests.conftest import SERVER_KINDS, ServerOf

PROJECT = '[tool.hueyio]\nurl = "env:SHOP_URL"\nqueue = "from-project"\n'


@pytest.mark.parametrize(
    ("given", "environment", "project", "expected"),
    [
        (Place(app="a:b"), {"HUEYIO_URL": "redis://e"}, PROJECT, Place(app="a:b")),
        (Place(url="redis://g"), {"HUEYIO_QUEUE": "e"}, PROJECT, Place(url="redis://g")),
        (Place(), {"HUEYIO_FILE": "e.db", "HUEYIO_QUEUE": "e"}, PROJECT, Place(file="e.db", queue="e")),
        (Place(queue="g"), {"HUEYIO_FILE": "e.db", "HUEYIO_QUEUE": "e"}, "", Place(file="e.db", queue="g")),
        (Place(), {"HUEYIO_APP": "", "SHOP_URL": "redis://p"}, PROJECT, Place(url="redis://p", queue="from-project")),
        (Place(), {}, '[tool.hueyio]\napp = "shop:huey"', Place(app="shop:huey")),
    ],
)
def test_first_that_names_a_place_wins_whole(
    tmp_path: Path, given: Place, environment: dict[str, str], project: str, expected: Place
) -> None:
    (tmp_path / "pyproject.toml").write_text(project)
    below = tmp_path / "src" / "deep"
    below.mkdir(parents=True)
    (below / "pyproject.toml").write_text("[project]\nname = 'other'")  # it says nothing of hueyio
    assert find_place(given, environment, below) == expected


@pytest.mark.parametrize(
    ("given", "environment", "project", "says"),
    [
        (Place(), {}, "", "where is the queue?"),
        (Place(app="a:b", url="redis://g"), {}, "", "the command line names two places, app and url"),
        (Place(), {"HUEYIO_APP": "a:b", "HUEYIO_FILE": "f"}, "", "the environment names two places, app and file"),
        (Place(app="a:b", queue="q"), {}, "", "leave --queue q out"),
        (Place(), {}, PROJECT, "SHOP_URL is not set"),
        (Place(), {}, "[tool.hueyio]\nap = 'a:b'", "knows app, url, file, queue, not ap"),
        (Place(), {}, "[tool.hueyio]\napp = 7", "must be a text that is not empty, not int"),
        (Place(), {}, "[tool", "cannot be read"),
        (Place(), {}, "[tool]\nhueyio = 1", "must be a table"),
    ],
)
def test_place_that_is_not_clear_is_refused(
    tmp_path: Path, given: Place, environment: dict[str, str], project: str, says: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(project)
    with pytest.raises(ConfigurationError) as raised:
        find_place(given, environment, tmp_path)
    assert says in str(raised.value)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("HUEYIO_APP", "HUEYIO_URL", "HUEYIO_FILE", "HUEYIO_QUEUE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(capture: pytest.CaptureFixture[str], *line: str) -> Done:
    code = main(line)
    told = capture.readouterr()
    return Done(code, told.out, told.err)


def test_nothing_is_made_where_nothing_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("ls ready", "pause", "put shop.mail", "doctor"):
        done = run(capsys, *command.split(), "--file", "nowhere.db")
        assert (done.code, done.out) == (78, "")
        assert done.err == f"hueyio: there is no file {folder / 'nowhere.db'}\n"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("content", [b"no database", b""])
def test_file_that_is_no_queue_is_said_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    (folder / "app.db").write_bytes(content)
    done = run(capsys, "ls", "ready", "--file", "app.db")
    assert (done.code, len(done.err.splitlines())) == (78, 1)
    assert (folder / "app.db").read_bytes() == content


def test_queue_that_is_not_there_is_said_with_those_that_are(shop: Shop) -> None:
    shop.put()
    where = (*shop.bare[:2], "--queue", f"none-{uuid.uuid4().hex}")
    done = shop.run("pause", where=where)
    assert done.code == 1
    assert "there is no queue 'none-" in done.err
    assert shop.huey.name in done.err
    again = shop.run("pause", where=where)
    assert again.code == 1, "the first look made it"


def test_queue_must_be_named_where_a_file_has_several(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("mails", "shop"):
        with sqlite3.connect(folder / "app.db") as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS hueyio_queues (name TEXT)")
            connection.execute("INSERT INTO hueyio_queues VALUES (?)", (name,))
        connection.close()
    done = run(capsys, "ls", "ready", "--file", "app.db")
    assert (done.code, done.err) == (78, "hueyio: app.db has 2 queues: say --queue with one of mails, shop\n")


@pytest.mark.parametrize("kind", ["RedisHuey", "PriorityRedisHuey", "RedisExpireHuey", "PriorityRedisExpireHuey"])
def test_queue_of_a_server_is_opened_as_what_it_is(
    folder: Path, capsys: pytest.CaptureFixture[str], server_of: ServerOf, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, queue = server_of(SERVER_KINDS[0]).url, uuid.uuid4().hex
    (folder / "kinds.py").write_text(
        f"import hueyio\nhuey = hueyio.{kind}({queue!r}, url={url!r})\n@huey.task\ndef work(): ...\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    sys.modules.pop("kinds", None)
    app, bare = ("-a", "kinds:huey"), ("--url", url, "--queue", queue)
    assert run(capsys, "ls", "ready", *app).code == 0
    assert run(capsys, "pause", *bare).code == 0  # while it is empty, a wrong kind would change what it is
    assert run(capsys, "resume", *app).code == 0
    assert run(capsys, "put", "kinds.work", *app).code == 0
    assert len(run(capsys, "ls", "ready", *bare).rows) == 1
    sys.modules.pop("kinds", None)


@pytest.mark.parametrize("command", ["ls ready", "show id", "pause", "workers", "put shop.mail", "locks list"])
def test_server_that_is_away_is_69_and_one_line_without_the_password(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    done = run(capsys, *command.split(), "--url", "redis://:secret@127.0.0.1:1/0", "--queue", "shop")
    assert (done.code, done.out, len(done.err.splitlines())) == (69, "", 1)
    assert "127.0.0.1:1" in done.err
    assert "secret" not in done.err


def test_server_that_never_answers_is_69_after_the_timeout(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"redis://127.0.0.1:{deaf.getsockname()[1]}/0"
        done = run(capsys, "ls", "ready", "--url", url, "--timeout", "0.2")
    assert (done.code, done.out, len(done.err.splitlines())) == (69, "", 1)


def test_error_is_an_object_where_json_is_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run(capsys, "ls", "ready", "--url", "redis://127.0.0.1:1/0", "--json")
    error: Any = Done(0, done.err, "").json["error"]
    assert (done.code, done.out, error["code"]) == (69, "", 69)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ("hueyio.MemoryHuey()", "keeps its tasks where no other process sees them"),
        ("hueyio.MemoryHuey(immediate=True)", "immediate mode"),
        ("hueyio.BlackHoleHuey()", "keeps its tasks where no other process sees them"),
    ],
)
def test_app_whose_tasks_no_other_process_sees_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, made: str, says: str
) -> None:
    (folder / "unseen.py").write_text(f"import hueyio\nhuey = {made}")
    monkeypatch.syspath_prepend(str(folder))
    done = run(capsys, "ls", "ready", "-a", "unseen:huey")
    sys.modules.pop("unseen", None)
    assert done.code == 78
    assert says in done.err
