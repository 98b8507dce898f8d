"""Run the code of the README and of every page of the docs, as a reader would.

Per page, in a folder of its own and in the order of the page:

* a ``python`` block whose first line is a comment with a file name (``# app.py``) is saved under that name;
* any other ``python`` block is run, with ``await`` allowed at the top; the blocks of a page share one namespace;
* in a ``console`` block ``$ hueyio worker ...`` starts a worker that is stopped at ``$ kill %1``, or at the end of the
  page; ``$ python ...`` and any other ``$ hueyio ...`` is run to its end, and the lines that follow it, if any, are
  what it must print, but for times and ids; with ``--file`` or ``--url`` it is run in an empty folder, where no
  application can be imported;
* other blocks (``bash``, ``text``) are not run.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import shlex
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
import sentry_sdk

import hueyio
from hueyio.cli.main import main
from tests.conftest import POSTGRES_KINDS, SERVER_KINDS, ServerOf
from tests.support.docs_code import DOCS, PAGES, ROOT, Block, find_blocks, name_of_file
from tests.support.shared_postgres import own_database

_CHANGING = {
    "ID": re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"),
    "order-N": re.compile(r"\border-\d+\b"),
    "TIME": re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)"),
    "AGE ago": re.compile(r"\b\d+ (?:s|min|h|d) ago\b"),
}
"""What is another one each time a page is followed."""


PAGES_WITH_CODE = [page for page in PAGES if find_blocks(page)]


class Reader:
    """Does what one page says, in one folder."""

    def __init__(self, page: Path, folder: Path, stack: ExitStack) -> None:
        self.page = page
        self.folder = folder
        self._stack = stack
        self._workers: list[ExitStack] = []
        self._elsewhere = folder / "elsewhere"
        self._runner = stack.enter_context(asyncio.Runner())
        self._namespace: dict[str, Any] = {"__name__": "page"}

    def follow(self, block: Block) -> None:
        if block.language == "console":
            self._type(block)
        elif name := name_of_file(block):
            (self.folder / name).write_text(block.text)
        elif block.language == "python":
            self._run(block)

    def _run(self, block: Block) -> None:
        source = "\n" * (block.line - 1) + block.text  # so that a traceback shows the page's line
        code = compile(source, str(self.page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        outcome = eval(code, self._namespace)
        if inspect.iscoroutine(outcome):
            self._runner.run(outcome)

    def _type(self, block: Block) -> None:
        for lines in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, expected = lines.partition("\n")
            match shlex.split(command):
                case ["hueyio", "worker", *arguments]:
                    self._workers.append(self._stack.enter_context(ExitStack()))
                    self._workers[-1].enter_context(worker(arguments, self.folder))
                case ["kill", "%1"]:
                    self._workers.pop(0).close()
                case ["python", *arguments]:
                    printed = run_python(arguments, self.folder)
                    assert not expected or printed == expected, f"{self.page.name}:{block.line}"
                case ["hueyio", *arguments]:
                    printed = self._run_hueyio(arguments)
                    assert not expected or normal(printed) == normal(expected), f"{self.page.name}:{block.line}"
                case other:
                    pytest.fail(f"{self.page.name}:{block.line}: cannot run {other}")

    def _run_hueyio(self, arguments: list[str]) -> str:
        if "--file" not in arguments and "--url" not in arguments:
            return run_hueyio(arguments, self.folder)
        self._elsewhere.mkdir(exist_ok=True)
        if "--url" in arguments:
            return run_hueyio(arguments, self._elsewhere)
        at = arguments.index("--file") + 1
        return run_hueyio([*arguments[:at], str(self.folder / arguments[at]), *arguments[at + 1 :]], self._elsewhere)


def normal(text: str) -> str:
    """Return a text without what is another one each time."""
    for word, pattern in _CHANGING.items():
        text = pattern.sub(word, text)
    return text


@contextmanager
def worker(arguments: list[str], folder: Path) -> Iterator[None]:
    """Run the installed command in the background, from when it consumes; it must stop gracefully."""
    command = [str(Path(sys.executable).with_name("hueyio")), "worker", *arguments]
    log: list[str] = []
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process, ExitStack() as at_least:
        at_least.callback(process.kill)  # also where it never became ready, or the wait for it was interrupted
        assert process.stderr is not None
        for line in process.stderr:
            log.append(line)
            if "is ready" in line:
                break
        rest = threading.Thread(target=log.extend, args=(process.stderr,))
        rest.start()
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            rest.join(60)
            code = process.wait(60)
    assert code == 0, "".join(log)


def run_hueyio(arguments: list[str], folder: Path) -> str:
    """Run another of the commands in this process, whatever it found, and return what it printed.

    tests/cli/test_processes.py shows that the installed command does the same; here there are dozens of them, and a
    process takes half a second to begin.
    """
    printed, said = (TextIOWrapper(BytesIO(), encoding="utf-8") for _ in range(2))
    with as_in_a_process(folder), redirect_stdout(printed), redirect_stderr(said):
        code = main(arguments)
    assert code in (0, 1), content(printed) + content(said)
    return content(printed)


def content(stream: TextIOWrapper[BytesIO]) -> str:
    """Return what was written."""
    stream.seek(0)
    return stream.read()


@contextmanager
def as_in_a_process(folder: Path) -> Iterator[None]:
    """Let nothing be imported or importable that is not in this folder, which is the current one."""
    path = sys.path[:]
    forget(folder.parent)
    sys.path[:] = [entry for entry in path if not entry.startswith(str(folder.parent))]
    try:
        with chdir(folder):
            yield
    finally:
        sys.path[:] = path
        forget(folder.parent)


def forget(folder: Path) -> None:
    """Forget what was imported from a folder."""
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


def run_python(arguments: list[str], folder: Path) -> str:
    """Run a program to its end and return what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty current folder; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sentry_sdk.get_global_scope().set_client(None)  # a page sets it up; it would go on to change what Huey enqueues
    forget(tmp_path)


@pytest.mark.parametrize("page", PAGES_WITH_CODE, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_works_when_followed(
    page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, server_of: ServerOf
) -> None:
    if "REDIS_URL" in page.read_text():
        monkeypatch.setenv("REDIS_URL", server_of(SERVER_KINDS[0]).url)
    if "POSTGRES_DSN" in page.read_text():
        monkeypatch.setenv("POSTGRES_DSN", own_database(POSTGRES_KINDS[0]))
    with ExitStack() as stack:
        reader = Reader(page, folder, stack)
        for block in find_blocks(page):
            reader.follow(block)


@pytest.mark.again("the page is followed without the application, and test_steering has each command with it too")
def test_operators_session_is_the_same_with_the_application(folder: Path) -> None:
    page = DOCS / "how-to" / "operate-a-queue.md"
    with ExitStack() as stack:
        reader = Reader(page, folder, stack)
        for block in find_blocks(page):
            reader.follow(block._replace(text=block.text.replace("--file shop.db", "-a app:huey")))


@pytest.mark.again("the page is followed on SQLite, and test_steering has each command on each storage")
def test_operators_session_is_the_same_on_a_server(folder: Path, server_of: ServerOf) -> None:
    page = DOCS / "how-to" / "operate-a-queue.md"
    url, queue = server_of(SERVER_KINDS[0]).url, f"shop-{uuid.uuid4().hex}"
    there = {
        "import SqliteHuey": "import RedisHuey",
        'SqliteHuey("shop", filename="shop.db")': f"RedisHuey({queue!r}, url={url!r})",
        # A server of the tests keeps nothing on disk, and says so.
        "$ hueyio doctor --file shop.db\nNothing is wrong: 1 worker, 0 ready.\n": "",
        "--file shop.db": f"--url {url} --queue {queue}",
    }
    with ExitStack() as stack:
        reader = Reader(page, folder, stack)
        for block in find_blocks(page):
            text = block.text
            for here, elsewhere in there.items():
                text = text.replace(here, elsewhere)
            reader.follow(block._replace(text=text))


def test_find_blocks_finds_what_pages_have() -> None:
    assert len(PAGES_WITH_CODE) >= 7
    for page in PAGES_WITH_CODE:
        opened = len(re.findall(r"^```(?:python|console|toml)\b", page.read_text(), flags=re.MULTILINE))
        assert opened == len(find_blocks(page)), f"{page.name} has a block that is not run"


def test_public_names_are_documented() -> None:
    reference = "".join(page.read_text() for page in (DOCS / "reference").glob("*.md"))
    # Which members of which modules autodoc shows; no names after ":members:" means all.
    shown = dict(re.findall(r"automodule:: (\S+)\n +:members:(.*)\n", reference))
    classes = set(re.findall(r"autoclass:: \S+\.(\w+)", reference))
    missing = []
    for name in sorted(set(hueyio.__all__) - classes):
        members = shown.get(getattr(getattr(hueyio, name), "__module__", ""))
        if f"`{name}`" not in reference and (members is None or (members.strip() and name not in members)):
            missing.append(name)
    assert missing == []


def test_options_are_documented() -> None:
    help_text = run_python(["-m", "hueyio", "worker", "--help"], ROOT)
    options = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", help_text)) - {"-h", "--help"}
    page = (DOCS / "reference" / "command-line.md").read_text()
    assert options
    assert sorted(option for option in options if f"`{option}`" not in page) == []


def test_security_page_names_tests_that_there_are() -> None:
    page = (DOCS / "explanation" / "security.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    missing = [test for path, test in named if f"def {test}(" not in (ROOT / path).read_text()]
    assert missing == []
    assert len(named) > 30
