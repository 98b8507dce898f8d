"""A whole project in a folder of its own, as Django runs it: its own tests, its worker, its commands."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parent / "shop-project"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project."""
    folder = tmp_path / "project"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def run(project: Path, *line: str) -> subprocess.CompletedProcess[str]:
    """Run a file of the project with Python."""
    command = [sys.executable, "-W", "error", *line]
    return subprocess.run(
        command, cwd=project, env=environment(), capture_output=True, text=True, timeout=100, check=False
    )


def environment() -> dict[str, str]:
    """Return that of this process, without what says which Huey or project is meant."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("HUEYIO_", "DJANGO_"))}


def test_tests_in_django_s_way_pass(project: Path) -> None:
    ended = run(project, "manage.py", "test", "--no-input")
    assert ended.returncode == 0, ended.stderr
    assert "\nOK" in ended.stderr


def test_worker_and_commands_serve_the_project(project: Path) -> None:
    ended = run(project, "drive.py")
    assert ended.returncode == 0, ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout)
    assert told["before"] == ""
    tasks = ["shop.framework_tasks.double", "shop.tasks.pay", "shop.tasks.pay_in_process", "shop.tasks.thank"]
    assert sorted(it["name"] for it in told["ready"]) == tasks
    assert (told["thread"], told["coroutine"], told["process"], told["mail"]) == ("ada", "ada", "ada", "to ada")
    assert told["framework"] == [
        [2, [1], "default", "default", 1, []],
        [4, [2], "mails", "default", 1, []],
        [6, [3], "default", "again", 1, []],
    ]
    assert told["fresh"] == [True] * 6
    assert told["is paid"] is True
    assert told["exit code"] == 0, told["log"]
    assert "hueyio.contrib.django.project:mails" in told["log"]
    assert "Traceback" not in told["log"]
    assert told["wrong queue"] == "ConfigurationError: HUEYIO has no queue 'nails'; there are: default, mails, files"


@pytest.mark.again("workers of other applications are restarted by the same supervisor; what watches is Django's own")
def test_worker_is_replaced_when_a_file_of_the_project_changes(project: Path) -> None:
    tasks, broken = project / "shop" / "tasks.py", project / "shop" / "new.py"

    def change() -> None:
        broken.write_text("?")
        tasks.write_text(f"{tasks.read_text()}\nfrom shop import new\n")

    def mend() -> None:
        broken.write_text("import sys\nprint('version 2', file=sys.stderr)\n")

    steps: list[tuple[str, Callable[[], object]]] = [
        ("restarting when a file of the project changes", change),
        ("did not start", mend),
        ("takes over from", lambda: worker.send_signal(signal.SIGTERM)),
    ]
    line = [sys.executable, "manage.py", "hueyio_worker", "--queue", "default", "--reload", "--loop", "asyncio"]
    worker = subprocess.Popen(line, cwd=project, env=environment(), stderr=subprocess.PIPE, text=True)
    with worker:
        assert worker.stderr is not None
        log: list[str] = []
        try:
            for said in worker.stderr:
                log.append(said)
                if steps and steps[0][0] in said:
                    steps.pop(0)[1]()
        finally:
            worker.kill() if worker.poll() is None else None
    assert "version 2\n" in log
    assert any(f"{tasks} changed" in said for said in log)
    assert any(f"{broken} changed" in said for said in log)
    assert worker.wait() == 0


@pytest.mark.again("it is about two handlers of the module logging")
@pytest.mark.parametrize("own", ["", "LOGGING = {'version': 1, 'disable_existing_loggers': False}\n"])
def test_lines_of_django_are_in_the_log_once_unless_the_project_says_how_it_logs(project: Path, own: str) -> None:
    settings = project / "site_of_shop" / "settings.py"
    settings.write_text(f"{settings.read_text()}\nDEBUG = True\n{own}")
    program = project / "program.py"
    program.write_text(
        "import logging, os\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'site_of_shop.settings'\n"
        "logging.basicConfig(format='worker: %(message)s', level='INFO')\n"
        "import hueyio.contrib.django.project\n"
        "logging.getLogger('django').info('hello')\n"
    )
    ended = run(project, "program.py")
    assert ended.stderr.splitlines() == ["worker: hello"] if not own else ["hello", "worker: hello"], ended.stderr


@pytest.mark.again("the sentences are tested without a process")
def test_commands_say_in_one_sentence_what_is_wrong_with_the_settings(project: Path) -> None:
    settings = project / "site_of_shop" / "settings.py"
    settings.write_text(settings.read_text() + "\nHUEYIO = {'default': {'FIEL': 'a'}}\n")
    (project / "shop" / "tasks.py").write_text("")
    (project / "site_of_shop" / "urls.py").write_text("urlpatterns = []")
    ended = run(project, "manage.py", "hueyio_worker")
    assert ended.returncode == 78
    assert ended.stderr.startswith("hueyio: HUEYIO['default'] knows CLASS, NAME, URL, FILE, OPTIONS, not 'FIEL'")
    assert "Traceback" not in ended.stderr


@pytest.mark.again(
    "these are the tasks of hueyio.contrib.django in their blocking form, and the setting is read elsewhere"
)
def test_project_of_huey_works_with_its_import_changed(project: Path) -> None:
    settings = project / "site_of_shop" / "settings.py"
    huey = "{'huey_class': 'huey.SqliteHuey', 'name': 'old', 'connection': {'filename': 'old.db'}, 'immediate': True}"
    settings.write_text(f"{settings.read_text()}\ndel HUEYIO\nHUEY = {huey}\nROOT_URLCONF = 'shop'\n")
    shutil.copy(PROJECT.parent / "old_tasks.py", project / "shop" / "tasks.py")
    shutil.copy(PROJECT.parent / "old_program.py", project)
    ended = run(project, "old_program.py")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "old True 3 ada ['complete', 'complete']",
        "ada 7 ada shop.tasks.clean",
    ]
