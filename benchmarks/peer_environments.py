"""An environment for each library that hueyio is compared with: their requirements contradict each other.

taskiq-redis needs redis-py 8, arq one before 6, saq one before 8. Each is installed once, in ``.nox/peers``, where nox
keeps its own environments; what runs in one of them needs nothing but the standard library and that library.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

__all__ = ["PeerMissing", "prepare", "python_of", "versions_of"]

_FOLDER: Final = Path(__file__).resolve().parent.parent / ".nox" / "peers"

# Where a library runs on any loop of asyncio's it gets uvloop, with which it is faster; taskiq's worker takes it by
# itself where it is installed. hiredis is what redis-py reads answers with where it is there.
_REQUIREMENTS: Final[dict[str, tuple[str, ...]]] = {
    "huey": ("huey>=3.5", "redis[hiredis]>=5", "psycopg[binary]>=3.2"),
    "saq": ("saq[redis,hiredis]>=0.26", "typing-extensions", "uvloop"),
    "streaq": ("streaq>=7.2", "uvloop"),
    "taskiq": ("taskiq>=0.13", "taskiq-redis>=1.2", "hiredis", "orjson", "uvloop"),
    "dramatiq": ("dramatiq[redis]>=2.2", "hiredis"),
    "arq": ("arq>=0.28", "uvloop"),
    "pgqueuer": ("pgqueuer>=1.6", "asyncpg", "uvloop"),
    "oban": ("oban>=0.7", "uvloop"),
    "procrastinate": ("procrastinate>=3.10", "psycopg[binary]>=3.2", "uvloop"),
}

_NEEDS: Final = {"oban": (3, 12)}
"""The oldest Python of a library that does not run on all of ours."""

_VERSIONS: Final = """
import json
from importlib import metadata
print(json.dumps({one.metadata["Name"].lower(): one.version for one in metadata.distributions()}))
"""


class PeerMissing(Exception):
    """A library could not be installed."""


def prepare(libraries: Iterable[str], say: Callable[[str], None]) -> None:
    """Make the environments that are not there yet; raises PeerMissing."""
    for library in libraries:
        if library in _REQUIREMENTS and not _marker(library).exists():
            say(f"{library}: install {', '.join(_REQUIREMENTS[library])}")
            _make(library)


def python_of(library: str) -> str:
    """Return the interpreter that runs a library: for hueyio, and whatever has no environment, this one."""
    if library not in _REQUIREMENTS or not _marker(library).exists():
        return sys.executable
    return str(_python(library))


def versions_of(library: str) -> dict[str, str]:
    """Return the versions of the packages that were asked for, of a library that is installed."""
    if not _marker(library).exists():
        return {}
    found: dict[str, str] = json.loads(_marker(library).read_text())
    names = [library, "taskiq-redis"] if library == "taskiq" else [library]
    return {name: found[name] for name in names}


def _make(library: str) -> None:
    folder = _FOLDER / library
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    python, interpreter = str(_python(library)), _interpreter(library)
    made = [interpreter, "-m", "venv", str(folder)]
    installed = [python, "-m", "pip", "install", "-q"]
    if uv := shutil.which("uv"):
        made = [uv, "venv", "-q", "-p", interpreter, str(folder)]
        installed = [uv, "pip", "install", "-q", "-p", python]
    elif find_spec("pip") is not None:  # a pip for each would take longer than the library
        made.append("--without-pip")
        installed = [sys.executable, "-m", "pip", "--python", python, "install", "-q"]
    for command in (made, [*installed, *_REQUIREMENTS[library]]):
        # Its own standard output would end up in what is measured.
        if subprocess.run(command, stdout=sys.stderr, env=_plain_environment(), check=False).returncode != 0:
            raise PeerMissing(f"{library} could not be installed: {' '.join(command)}")
    told = subprocess.run([python, "-c", _VERSIONS], stdout=subprocess.PIPE, text=True, check=True)
    _marker(library).write_text(told.stdout)


def _interpreter(library: str) -> str:
    """Find a Python that is new enough: this one, or another on PATH or of pyenv's; raises PeerMissing."""
    needed = _NEEDS.get(library, (0, 0))
    if sys.version_info >= needed:
        return sys.executable
    name = "python" + ".".join(map(str, needed))
    on_path = shutil.which(name)
    for found in ([Path(on_path)] if on_path else []) + sorted(Path.home().glob(f".pyenv/versions/*/bin/{name}")):
        if subprocess.run([found, "-c", ""], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return str(found)  # what pyenv has on PATH may be only a name
    raise PeerMissing(f"{library} needs {name}, which is neither on PATH nor among the versions of pyenv")


def _python(library: str) -> Path:
    return _FOLDER / library / "bin" / "python"


def _marker(library: str) -> Path:
    """Return the file that says that all of these requirements, and no others, were installed by this Python."""
    asked = "\n".join((sys.version, *_REQUIREMENTS[library]))
    return _FOLDER / library / f"installed-{hashlib.sha256(asked.encode()).hexdigest()[:12]}"


def _plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
