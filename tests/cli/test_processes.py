"""The commands as processes: pipes, terminals, exit codes, and a worker at work meanwhile."""

from __future__ import annotations

import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from importlib.metadata import version
from types import MappingProxyType
from typing import NamedTuple

import pytest

from hueyio.cli.main import main
from tests.cli.letters import bury_tasks
from tests.cli.shop import Shop
from tests.conftest import first_and

ON_SQLITE = pytest.mark.parametrize("shop", ["sqlite"], indirect=True)
TWO = pytest.mark.parametrize(
    "shop", first_and("test_steering has each command on each storage", ["sqlite", "valkey"]), indirect=True
)


def hueyio(shop: Shop, *line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hueyio", *line],
        cwd=shop.folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@contextmanager
def worker(shop: Shop) -> Iterator[None]:
    command = [sys.executable, "-m", "hueyio", "worker", "shop:huey", "--pool", "1"]
    with subprocess.Popen(command, cwd=shop.folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "is ready" in line:
                break
        try:
            yield
        finally:
            process.terminate()
            process.communicate(timeout=60)
    assert process.returncode == 0


@TWO
def test_commands_steer_a_worker_that_runs(shop: Shop) -> None:
    shop.put()
    with worker(shop):
        told = hueyio(shop, "put", "shop.mail", '["you"]', "--wait", "60s", "--json", *shop.app)
        assert json.loads(told.stdout.splitlines()[-1])["result"] == "'you'"
        # One as a process; the others are the same commands on the same storage.
        (row,) = shop.run("workers", "--json").json["workers"]
        assert (row["version"], row["thread"] > 0) == (version("hueyio"), True)
        codes = {it["code"] for it in shop.run("doctor", "--json", where=shop.app).json["findings"]}
        assert codes <= {"danger", "elsewhere"}
        assert shop.run("pause").code == 0
        id = shop.run("put", "shop.mail", '["me"]', where=shop.app).out.strip()
        assert shop.run("ls", "ready").out.startswith(id)
        assert shop.run("cancel", id).out == "1 task cancelled.\n"
        assert shop.run("resume").code == 0
        told = hueyio(shop, "put", "shop.mail", '["us"]', "--wait", "60s", *shop.app)
        assert told.stdout.splitlines()[-1] == "'us'"


@ON_SQLITE
def test_reader_that_has_seen_enough_is_no_failure(shop: Shop) -> None:
    shop.put(*(shop.module.mail.s(str(number)) for number in range(1000)))
    line = f"{sys.executable} -m hueyio ls ready --limit 1000 {' '.join(shop.bare)} | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, timeout=100, check=False
    )
    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (0, "", 1)


class Moment(NamedTuple):
    """When this is shown, do that, and then type something."""

    shown: str
    act: Callable[[subprocess.Popen[bytes]], object]
    typed: str = ""


def on_terminal(
    shop: Shop,
    *line: str,
    typed: str = "",
    moments: Sequence[Moment] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
) -> tuple[int, str]:
    """Run a command in a terminal of 80 columns; return the exit code and all that is shown.

    ``typed`` is there from the beginning; what is to happen at moments happens one after the other.
    """
    ours, theirs = pty.openpty()
    os.write(ours, typed.encode())
    waiting = list(moments)
    with subprocess.Popen(
        [sys.executable, "-m", "hueyio", *line],
        cwd=shop.folder,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80", "PYTHONIOENCODING": "utf-8", **environment},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
            while waiting and waiting[0].shown.encode() in shown:
                moment = waiting.pop(0)
                moment.act(process)
                os.write(ours, moment.typed.encode())
        code = process.wait(100)
    os.close(ours)
    return code, shown.decode().replace("\r\n", "\n")


@ON_SQLITE
@pytest.mark.parametrize(
    ("environment", "has_colours"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        pytest.param({"TERM": "dumb"}, False, marks=pytest.mark.again("no colour is no colour")),
    ],
)
def test_table_is_drawn_on_a_terminal(shop: Shop, environment: dict[str, str], has_colours: bool) -> None:
    (id,) = shop.put(shop.module.mail.s("you"))
    environment = {"NO_COLOR": "", **environment}
    code, shown = on_terminal(shop, "ls", "ready", *shop.bare, environment=environment)
    head, row = shown.splitlines()
    assert code == 0
    assert head.strip("\x1b[20m").split() == ["ID", "NAME", "LANE", "MADE"]
    assert row.split()[:3] == [id[-12:], "shop.mail", "loop"]
    assert row.endswith("ago")
    assert ("\x1b" in shown) is has_colours


@ON_SQLITE
@pytest.mark.parametrize(
    ("typed", "code", "left"),
    [
        ("y\n", 0, 0),
        pytest.param("n\n", 130, 2, marks=pytest.mark.again("the default is no, and so is taken")),
        ("\n", 130, 2),
    ],
)
def test_question_is_asked_on_a_terminal(shop: Shop, typed: str, code: int, left: int) -> None:
    shop.put(shop.module.mail.s("a"), shop.module.mail.s("b"))
    ended, shown = on_terminal(shop, "purge", "ready", *shop.bare, typed=typed)
    assert "Delete 2 ready tasks of SQLite file" in shown
    assert (ended, shop.do(lambda huey: huey.count())) == (code, left)


@ON_SQLITE
@pytest.mark.parametrize(("typed", "code"), [("150\n", 0), ("y\n", 130)])
def test_large_number_must_be_typed(shop: Shop, typed: str, code: int) -> None:
    shop.put(*(shop.module.mail.s(str(number)) for number in range(150)))
    ended, shown = on_terminal(shop, "purge", "ready", *shop.bare, typed=typed)
    assert "Type 150" in shown
    assert ended == code


@ON_SQLITE
def test_what_fails_after_the_question_is_left_alone(shop: Shop) -> None:
    bury_tasks(shop, 250)
    code, shown = on_terminal(
        shop, "retry", "--failed", *shop.bare, moments=[Moment("[y/N]", lambda _: bury_tasks(shop), "y\n")]
    )
    assert (code, shown.splitlines()[-1]) == (0, "250 are ready.")
    assert "250  shop.mail\nRetry 250 failed tasks? They are ready at once." in shown
    assert "Retrying" in shown  # the bar
    counts = shop.do(lambda huey: huey.counts())
    assert (counts.queued["loop"], counts.failed) == (250, 1)


def _press_ctrl_c(process: subprocess.Popen[bytes]) -> None:
    """Press it again where nothing comes of it: Python may be about to read, and see the signal only afterwards."""
    for _ in range(30):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(2)
            return
    pytest.fail("the question goes on")


@ON_SQLITE
def test_ctrl_c_answers_a_question_with_no(shop: Shop) -> None:
    bury_tasks(shop, 2)
    code, shown = on_terminal(shop, "purge", "failed", *shop.bare, moments=[Moment("[y/N]", _press_ctrl_c)])
    assert code == 130
    assert shown.endswith("hueyio: interrupted\n")
    assert shop.do(lambda huey: huey.counts()).failed == 2


@ON_SQLITE
def test_ctrl_c_ends_a_retry_that_says_how_far_it_came(shop: Shop) -> None:
    bury_tasks(shop, 250)
    with closing(sqlite3.connect(shop.bare[1], isolation_level=None)) as other:

        def interrupt(process: subprocess.Popen[bytes]) -> None:
            process.send_signal(signal.SIGINT)
            other.execute("COMMIT")  # only now the first step can be written

        moments = [
            Moment("[y/N]", lambda _: other.execute("BEGIN IMMEDIATE"), "y\n"),
            Moment("Retrying", interrupt),
        ]
        code, shown = on_terminal(shop, "retry", "--failed", "--as", "ana", *shop.bare, moments=moments)
    assert (code, shown.splitlines()[-1]) == (130, "Interrupted after 100 of 250. 100 are ready.")
    counts = shop.do(lambda huey: huey.counts())
    assert (counts.queued["loop"], counts.failed) == (100, 150)
    (entry,) = shop.do(lambda huey: huey.audit())
    assert (entry.actor, entry.action, entry.count) == ("ana", "retry", 100)


@ON_SQLITE
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("ls", 2),
        ("ls sleeping", 2),
        ("ls ready --limit 0", 2),
        ("ls ready --nonsense", 2),
        ("ls ready -a nowhere:huey", 78),
        ("ls ready", 78),
        ("lss ready", 2),
        ("schedules lsit", 2),
        ("doctor --timeout 0", 2),
    ],
)
def test_wrong_line_is_one_sentence_without_a_traceback(shop: Shop, line: str, code: int) -> None:
    done = shop.run(*line.split(), where=())
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith("hueyio: ")
    assert len(done.err.splitlines()) == 1


@ON_SQLITE
def test_mistyped_command_is_answered_with_the_nearest(shop: Shop) -> None:
    assert "did you mean workers?" in shop.run("wrokers", where=()).err


@ON_SQLITE
def test_place_is_given_once_by_the_environment_and_by_the_project(shop: Shop) -> None:
    (id,) = shop.put(shop.module.mail.s("you"))
    assert hueyio(shop, "ls", "ready", HUEYIO_APP="shop:huey").stdout.startswith(id)
    (shop.folder / "pyproject.toml").write_text(f'[tool.hueyio]\nfile = "{shop.bare[1]}"\n')
    assert hueyio(shop, "ls", "ready").stdout.startswith(id)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_a_shell(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert main(["completion", shell]) == 0
    assert "_HUEYIO_COMPLETE" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "offers"), [("hueyio wor", {"worker", "workers"}), ("hueyio ls r", {"ready", "retrying", "running"})]
)
def test_commands_and_states_are_completed(line: str, offers: set[str]) -> None:
    asked = {"_HUEYIO_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "hueyio"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert {row.partition(",")[2] for row in done.stdout.splitlines()} == offers


@ON_SQLITE
def test_keys_choose_what_watch_shows_and_end_it(shop: Shop) -> None:
    (id,) = bury_tasks(shop)
    shop.register("one")
    keys = [("q quit", "w"), ("VERSION", "f"), (id[-12:], " "), ("held", "?"), ("go on", "\x1b[A"), ("LANE", "q")]
    moments = [Moment(shown, lambda process: None, key) for shown, key in keys]
    code, told = on_terminal(shop, "watch", *shop.bare, moments=moments)
    assert (code, "Traceback" in told) == (0, False)
    assert told.endswith("\x1b[?25h\x1b[?1049l")
    assert told.index("VERSION") < told.index(id[-12:]) < told.index("held") < told.index("go on")
