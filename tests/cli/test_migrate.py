"""``hueyio migrate``: it makes the tables, or prints what would make them."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import psycopg
import pytest

from hueyio.cli.main import main
from hueyio.storage.postgres.migrations import VERSION


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("HUEYIO_APP", "HUEYIO_URL", "HUEYIO_FILE", "HUEYIO_QUEUE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(capture: pytest.CaptureFixture[str], *line: str) -> tuple[int, str, str]:
    code = main(["migrate", *line])
    told = capture.readouterr()
    return code, told.out, told.err


def test_tables_are_made_once(folder: Path, capsys: pytest.CaptureFixture[str], postgres_database: str) -> None:
    made = run(capsys, "--url", f"{postgres_database}?schema=jobs")
    assert made[0] == 0
    assert made[1].startswith("The schema jobs of PostgreSQL at 127.0.0.1:")
    assert made[1].endswith(f" has version {VERSION}; it had no tables.\n")
    code, out, _ = run(capsys, "--url", f"{postgres_database}?schema=jobs", "--json")
    assert (code, json.loads(out)) == (0, {"v": 1, "schema": "jobs", "before": VERSION, "after": VERSION})


def test_printed_sql_can_be_run_by_others(
    folder: Path, capsys: pytest.CaptureFixture[str], postgres_database: str
) -> None:
    code, sql, _ = run(capsys, "--url", "postgresql://localhost:1/?schema=jobs", "--sql", "--from", "0")
    assert (code, sql) == (0, run(capsys, "--url", f"{postgres_database}?schema=jobs", "--sql")[1])
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute(sql.encode())
    assert run(capsys, "--url", f"{postgres_database}?schema=jobs", "--sql")[1].startswith(
        "-- The schema jobs has version"
    )


def test_application_says_where_its_database_is(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, postgres_database: str
) -> None:
    source = f"import hueyio\nhuey = hueyio.PostgresHuey('shop', {postgres_database!r}, schema='mine')\n"
    module = f"migrated_{uuid.uuid4().hex}"  # imported once in this process
    (folder / f"{module}.py").write_text(source)
    monkeypatch.syspath_prepend(str(folder))
    code, out, err = run(capsys, "-a", f"{module}:huey")
    assert (code, err) == (0, "")
    assert out.startswith("The schema mine of ")


@pytest.mark.parametrize("place", [("--file", "app.db"), ("--url", "redis://:secret@localhost:1/0")])
def test_other_storages_need_no_migration(
    folder: Path, capsys: pytest.CaptureFixture[str], place: tuple[str, str]
) -> None:
    code, out, err = run(capsys, *place)
    assert (code, out) == (78, "")
    assert err.startswith("hueyio: only a PostgreSQL database needs this command")
    assert "secret" not in err


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://localhost/?schema=pg_mine", "schema='pg_mine' must be a name of lower-case letters"),
        ("postgresql://localhost/?schema=a;b", "schema='a;b' must be a name of lower-case letters"),
        ("postgresql://localhost/?nonsense=1", "this is no URL that PostgreSQL's clients know"),
    ],
)
def test_url_that_cannot_be_meant_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], url: str, says: str
) -> None:
    code, _, err = run(capsys, "--url", url)
    assert code == 78
    assert says in err


def test_version_without_sql_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "--url", "postgresql://localhost/", "--from", "0")
    assert code == 2
    assert "--from goes with --sql" in err
