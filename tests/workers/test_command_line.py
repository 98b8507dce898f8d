"""The command line says in one line what is wrong, and exits with a code of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


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


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("", "nowhere:huey", "there is no module 'nowhere'"),
        ("import nowhere_at_all", "shop:huey", "module 'shop' does not import: No module named 'nowhere_at_all'"),
        ("1 / 0", "shop:huey", "module 'shop' does not import: ZeroDivisionError"),
        ("def (", "shop:huey", "module 'shop' does not import: SyntaxError"),
        ("", "shop:huey", "module 'shop' has no attribute 'huey'"),
        ("huey = 7", "shop:huey", "shop:huey is a int, not a Huey"),
        ("", "shop", "'shop' is no path of a Huey"),
        ("import hueyio\nhuey = hueyio.MemoryHuey(immediate=True)", "shop:huey", "immediate mode"),
        ("import hueyio\nhuey = hueyio.RedisHuey(url='redis://h', port=1)", "shop:huey", "url"),
    ],
)
def test_app_that_cannot_be_loaded_is_said_in_one_line(tmp_path: Path, text: str, path: str, says: str) -> None:
    write(tmp_path, text)
    done = run(tmp_path, "worker", path)
    assert done.returncode == 78
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


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


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["-w", "0"], 78),
        (["--lease", "0"], 78),
        (["-w", "many"], 2),
        (["-v", "-q"], 2),
        (["--no-such-option"], 2),
    ],
)
def test_wrong_options_are_refused(tmp_path: Path, options: list[str], code: int) -> None:
    write(tmp_path, "import hueyio\nhuey = hueyio.SqliteHuey()")
    assert run(tmp_path, "worker", "shop:huey", *options).returncode == code
    assert not (tmp_path / "huey.db").exists()


def test_help_names_every_option(tmp_path: Path) -> None:
    done = run(tmp_path, "worker", "--help")
    assert done.returncode == 0
    for option in ("-w", "--workers", "--threads", "--lease", "--prefetch", "--shutdown-timeout", "-v", "-q"):
        assert option in done.stdout


def test_dotted_path_works_too(tmp_path: Path) -> None:
    write(tmp_path, "import hueyio\nclass apps:\n    mail = hueyio.SqliteHuey(filename='no/app.db')")
    assert "no/app.db" in run(tmp_path, "worker", "shop:apps.mail").stderr
    write(tmp_path, "import hueyio\nhuey = hueyio.SqliteHuey(filename='no/app.db')")
    assert "no/app.db" in run(tmp_path, "worker", "shop.huey").stderr
