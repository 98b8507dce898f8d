"""The commands of the image and of the compose files, run as a container runs them, but without Docker.

The worker is process 1 of a pid namespace. Ports are free ones of this machine; the rest is as the files say.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import pytest
import yaml

from tests.conftest import SERVER_KINDS, SERVERS
from tests.production.files import CONTRIB, image
from tests.support.servers import Server, free_port
from tests.workers.test_process_one import NAMESPACE, children

FILES: Final = CONTRIB / "docker"
PROGRAMS: Final = {
    "python": [sys.executable],
    "uvicorn": [sys.executable, "-m", "uvicorn"],
    "hueyio": [sys.executable, "-m", "hueyio"],
}


class Container:
    """What a container of the image runs, in the folder of its code."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self._folder = folder
        self._environment = {**os.environ, **settings}
        self._ports = {"8080": str(free_port()), "8000": str(free_port())}

    def command(self, line: list[str]) -> list[str]:
        """Return a command as it is run here."""
        moved = [self._with_ports(word) for word in line[1:]]
        return [*PROGRAMS[line[0]], *moved]

    def run(self, line: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.command(line), cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False
        )

    @contextmanager
    def running(self, line: list[str], ready: str, *, around: tuple[str, ...] = ()) -> Iterator[subprocess.Popen[str]]:
        """Run a command from when it has said that it is ready."""
        with subprocess.Popen(
            [*around, *self.command(line)], cwd=self._folder, env=self._environment, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            try:
                _read_until(ready, process.stderr)
                yield process
            finally:
                if process.poll() is None:
                    process.kill()  # `unshare` is deaf to anything else, and takes its namespace with it
                process.communicate(timeout=60)

    def ask(self, path: str, method: str = "GET") -> Any:
        """Ask the site."""
        url = self._with_ports(f"http://127.0.0.1:8000{path}")
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=30) as answer:
            return json.load(answer)

    def _with_ports(self, text: str) -> str:
        for port, here in self._ports.items():
            text = text.replace(port, here)
        return text


def _read_until(ready: str, log: IO[str]) -> None:
    lines = []
    for line in log:
        lines.append(line)
        if ready in line:
            return
    pytest.fail("".join(lines))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The code as the image has it."""
    for name in ("app.py", "website.py"):
        shutil.copy(FILES / name, tmp_path)
    return tmp_path


def commands(file: str) -> dict[str, Any]:
    return dict(yaml.safe_load((FILES / file).read_text())["services"])


def follow(container: Container, website: dict[str, Any]) -> None:
    """Place an order, and wait for its invoice; the checks find both programs well, and the end of the worker."""
    assert NAMESPACE is not None
    check = image()["check"]
    assert container.run(check).returncode != 0
    with (
        container.running(website["command"], "startup complete"),
        # It consumes before it serves what the check asks.
        container.running(image()["run"], "probes on", around=NAMESPACE) as worker,
    ):
        assert container.run(check).returncode == 0
        assert container.run(website["healthcheck"]["test"][1:]).returncode == 0
        id = container.ask("/orders/7", "POST")["id"]
        while (found := container.ask(f"/tasks/{id}"))["status"] != "done":
            assert found["status"] in ("ready", "running")
        assert found["value"] == "the invoice of order 7 is sent"
        (one,) = children(worker.pid)
        os.kill(one, signal.SIGTERM)
        worker.communicate(timeout=60)
        assert worker.returncode == 0
        assert container.run(check).returncode != 0


@pytest.mark.skipif(NAMESPACE is None, reason="this machine lets nobody make a pid namespace")
def test_site_and_worker_share_a_file(folder: Path) -> None:
    parts = commands("compose.sqlite.yaml")
    (folder / "data").mkdir()
    setting = parts["worker"]["environment"]["QUEUE_FILE"]
    assert setting.startswith(parts["worker"]["volumes"][0].partition(":")[2] + "/")
    follow(Container(folder, {"QUEUE_FILE": f"{folder}{setting}"}), parts["website"])


@pytest.mark.skipif(NAMESPACE is None, reason="this machine lets nobody make a pid namespace")
def test_site_and_worker_share_a_server_that_loses_nothing(folder: Path) -> None:
    parts = commands("compose.yaml")
    assert parts["worker"]["environment"]["REDIS_URL"].startswith("redis://redis:")
    server = Server(SERVERS[SERVER_KINDS[0]], *parts["redis"]["command"][1:])
    try:
        server.start()
        container = Container(folder, {"REDIS_URL": server.url})
        with container.running(image()["run"], "is ready"):
            found = container.run(["hueyio", "doctor", "-a", "app:huey", "--json"])
            assert [it["text"] for it in json.loads(found.stdout)["findings"] if it["code"] == "danger"] == []
        follow(container, parts["website"])
    finally:
        server.dispose()
