"""The package as it is installed: its names, its data files, its version."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import hueyio
from hueyio import exceptions
from hueyio.version import VERSION

ROOT = Path(__file__).resolve().parent.parent
INSTALLED = Path(hueyio.__file__).parent
RARE = {
    *("redis", "aiosqlite", "psycopg", "filelock", "click"),  # a storage or a command that may not be used
    *("msgspec", "pydantic", "cryptography", "hueyio.serializer.typed", "hueyio.serializer.encrypted"),
    *("importlib.metadata", "email", "zipfile", "tempfile", "sqlite3", "http.client", "multiprocessing"),
    *("uuid", "difflib", "pickletools", "zoneinfo"),
    *("hueyio.control.history", "hueyio.control.failed_tasks", "hueyio.control.statistics", "hueyio.app.inspector"),
    *("hueyio.client.immediate", "hueyio.storage.memory", "hueyio.web.dashboard"),
}
MOST_MODULES = 180
"""Of hueyio's own. Each takes a third of a millisecond."""


def test_public_names_exist_and_are_listed_once() -> None:
    assert [name for name in hueyio.__all__ if not hasattr(hueyio, name)] == []
    assert len(set(hueyio.__all__)) == len(hueyio.__all__)


def test_every_exception_is_exported_by_its_module_and_by_the_package() -> None:
    defined = {
        name
        for name, kind in vars(exceptions).items()
        if isinstance(kind, type) and kind.__module__ == exceptions.__name__ and not name.startswith("_")
    }
    assert sorted(defined) == exceptions.__all__
    assert defined - set(hueyio.__all__) == set()


def test_star_import_gives_the_public_names_only() -> None:
    names: dict[str, object] = {}
    exec("from hueyio import *", names)
    assert set(names) - {"__builtins__"} == set(hueyio.__all__)


def test_data_files_are_installed() -> None:
    source = ROOT / "src" / "hueyio"
    wanted = [source / "py.typed", *source.rglob("*.sql"), *source.rglob("*.lua")]
    assert [path for path in wanted if not (INSTALLED / path.relative_to(source)).is_file()] == []


def test_version_is_that_of_the_build_and_in_the_changelog() -> None:
    assert version("hueyio") == VERSION
    assert f"## {VERSION}" in (ROOT / "CHANGELOG.md").read_text()


def test_project_names_the_pythons_that_are_tested_and_bounds_what_is_known_from_inside() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (line,) = re.findall(r"^PYTHONS = (\[.*\])$", (ROOT / "noxfile.py").read_text(), flags=re.MULTILINE)
    named = [it.rpartition(" ")[2] for it in project["classifiers"] if re.search(r":: 3\.\d+$", it)]
    assert named == ast.literal_eval(line)
    assert project["requires-python"] == f">={named[0]}"
    (redis,) = [it for it in project["dependencies"] if it.startswith("redis")]
    assert "<" in redis


def test_import_starts_no_thread_and_warns_of_nothing() -> None:
    program = "import hueyio, threading, sys; sys.exit(threading.active_count() - 1)"
    assert subprocess.run([sys.executable, "-X", "dev", "-W", "error", "-c", program], check=False).returncode == 0


def test_kit_for_applications_leaves_the_suite_for_storages_alone() -> None:
    heavy = {"hueyio.testing.storage", "hypothesis", "pytest"}
    program = f"import hueyio.testing, sys; print(sorted({heavy!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("module", ["hueyio", "hueyio.cli.worker"])
def test_import_brings_nothing_that_is_rarely_needed(module: str) -> None:
    """Hundreds of milliseconds of each process depend on it."""
    program = f"import {module}, sys; print(sorted({RARE!r} & sys.modules.keys())); hueyio.SqliteHuey"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_program_that_enqueues_loads_no_consumer_and_few_modules() -> None:
    program = "import hueyio, sys; print(*(it for it in sys.modules if it.startswith('hueyio')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "hueyio.consumer.consumer" not in loaded
    assert len(loaded) <= MOST_MODULES


def test_postgres_huey_can_be_imported_without_psycopg_and_says_what_it_needs() -> None:
    program = """
import sys
sys.modules["psycopg"] = None
from hueyio import *
try:
    PostgresHuey("shop")
except ConfigurationError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("PostgreSQL needs psycopg (")
    assert done.stdout.endswith("): pip install 'hueyio[postgres]'\n")


def test_name_that_does_not_exist_is_refused_as_by_any_module() -> None:
    with pytest.raises(AttributeError, match="module 'hueyio' has no attribute 'SqlHuey'"):
        hueyio.SqlHuey  # type: ignore[attr-defined] # noqa: B018
