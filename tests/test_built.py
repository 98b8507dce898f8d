"""What the index gets, and what comes of it in an empty environment; ``nox -s package`` builds it and runs this.

The folder ``HUEYIO_TEST_DIST`` holds the source distribution, the wheel that was built out of it, and below
``from-tree`` the wheel that was built out of the repository.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path

import pytest

from hueyio.version import VERSION
from tests.support.docs_code import ROOT, find_blocks, name_of_file

DIST = Path(os.environ["HUEYIO_TEST_DIST"])
WHEEL = DIST / f"hueyio-{VERSION}-py3-none-any.whl"
SOURCES = DIST / f"hueyio-{VERSION}.tar.gz"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of an environment in which there is nothing but the wheel."""
    made = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", made], check=True)
    subprocess.run([made / "bin" / "pip", "install", "-q", "--disable-pip-version-check", WHEEL], check=True)
    return made / "bin"


def test_wheel_has_the_package_alone_and_says_that_it_is_typed() -> None:
    with zipfile.ZipFile(WHEEL) as wheel:
        names = wheel.namelist()
    assert {name.split("/")[0] for name in names} == {"hueyio", f"hueyio-{VERSION}.dist-info"}
    assert "hueyio/py.typed" in names
    assert [name for name in names if re.search(r"__pycache__|\.pyc$|\.db$|/tests?/|/test_|conftest", name)] == []


def test_sources_have_all_that_a_check_needs_and_build_the_same_wheel() -> None:
    with tarfile.open(SOURCES) as sources:
        names = {name.partition("/")[2] for name in sources.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "noxfile.py", "docs/index.md", "tests/test_built.py"} <= names
    assert [name for name in names if re.search(r"__pycache__|\.pyc$|\.db$|_build/|^\.venv", name)] == []
    assert WHEEL.read_bytes() == (DIST / "from-tree" / WHEEL.name).read_bytes()


def test_description_on_the_index_has_no_link_that_leads_nowhere() -> None:
    with zipfile.ZipFile(WHEEL) as wheel:
        metadata = message_from_bytes(wheel.read(f"hueyio-{VERSION}.dist-info/METADATA"))
    text = str(metadata.get_payload())
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert text.startswith("# hueyio\n")
    links = re.findall(r"\]\(([^)]*)\)", text)
    assert links
    assert [link for link in links if not link.startswith("https://")] == []


def test_installed_command_says_its_version(programs: Path) -> None:
    done = subprocess.run([programs / "hueyio", "--version"], capture_output=True, text=True, check=True)
    assert VERSION in done.stdout


def test_first_example_of_the_readme_works_with_the_wheel_alone(programs: Path, tmp_path: Path) -> None:
    blocks = find_blocks(ROOT / "README.md")
    commands = next(block for block in blocks if block.language == "console")
    for block in blocks[: blocks.index(commands)]:
        (tmp_path / str(name_of_file(block))).write_text(block.text)
    serving, calling = re.split(r"^\$ ", commands.text, flags=re.MULTILINE)[1:]
    command, _, expected = calling.partition("\n")
    with _running(programs, serving, tmp_path):
        program = shlex.split(command)
        done = subprocess.run(
            [programs / program[0], *program[1:]], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
    assert (done.stdout, done.returncode) == (expected, 0), done.stderr


@contextmanager
def _running(programs: Path, line: str, folder: Path) -> Iterator[None]:
    """Run a worker from when it is ready; it must stop gracefully."""
    program, *arguments = shlex.split(line)
    with subprocess.Popen([programs / program, *arguments], cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        log = []
        for said in process.stderr:
            log.append(said)
            if "is ready" in said:
                break
        try:
            yield
        finally:
            process.terminate()
            log += process.communicate(timeout=60)[1].splitlines(keepends=True)
    assert process.returncode == 0, "".join(log)
