"""What the files of ``contrib`` say fits together, and fits the command line."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hueyio.consumer import ConsumerOptions
from hueyio.worker.leaving import STOP_MARGIN
from tests.production.files import COMPOSE, CONTRIB, MANIFESTS, UNIT, Started, image, pods, read_unit, started
from tests.support.docs_code import DOCS, ROOT

PAGES = {"/live", "/ready", "/metrics"}
WORKERS = [
    (path.name, pod, container)
    for path in MANIFESTS
    for pod in pods(path)
    for container in pod["containers"]
    if container["args"][:2] == ["hueyio", "worker"]
]


@pytest.mark.parametrize("worker", started(), ids=lambda it: it.file)
def test_command_line_is_taken_and_leaves_a_worker_the_time_to_stop(worker: Started) -> None:
    read = worker.arguments
    assert read.apps == ["app:huey"]
    assert worker.grace >= read.limits["shutdown_timeout"] + STOP_MARGIN + 5


def test_all_files_start_a_worker() -> None:
    named = {worker.file for worker in started()}
    assert named == {UNIT.name, *(path.name for path in COMPOSE), "worker.yaml", "sqlite.yaml"}


def test_image_asks_for_the_probe_that_the_worker_serves() -> None:
    (address,) = Started("Dockerfile", image()["run"], 0).arguments.addresses() or [("", 0)]
    (asked,) = re.findall(r"http://127\.0\.0\.1:(\d+)(/\w+)", " ".join(image()["check"]))
    assert (address[0], str(address[1])) == ("0.0.0.0", asked[0])
    assert asked[1] in PAGES


@pytest.mark.parametrize(("file", "pod", "container"), WORKERS, ids=[row[0] for row in WORKERS])
def test_probes_of_a_pod_are_those_that_the_worker_serves(file: str, pod: Any, container: Any) -> None:
    health = Started(file, container["args"], 0).arguments.worker.health_address()
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[name]["httpGet"]
        assert (health, asked["path"] in PAGES) == (("0.0.0.0", ports[asked["port"]]), True), name


@pytest.mark.parametrize(("file", "pod", "container"), WORKERS, ids=[row[0] for row in WORKERS])
def test_worker_that_is_blocked_gives_up_before_it_is_killed(file: str, pod: Any, container: Any) -> None:
    gives_up = ConsumerOptions().max_block
    assert gives_up is not None
    probe = container["livenessProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] > gives_up
    assert float(read_unit()["WatchdogSec"][0]) > gives_up


def test_metrics_are_scraped_where_they_are() -> None:
    manifest = yaml.safe_load((CONTRIB / "kubernetes" / "worker.yaml").read_text())
    notes = manifest["spec"]["template"]["metadata"]["annotations"]
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    assert notes["prometheus.io/path"] in PAGES
    assert int(notes["prometheus.io/port"]) in [port["containerPort"] for port in container["ports"]]


@pytest.mark.parametrize("path", [*COMPOSE, *MANIFESTS], ids=lambda path: path.name)
def test_no_program_runs_as_root_or_writes_beside_its_volumes(path: Path) -> None:
    if path in COMPOSE:
        parts = yaml.safe_load(path.read_text())["services"]
        ours = [part for name, part in parts.items() if name != "redis"]
        assert all(part["read_only"] and part["cap_drop"] == ["ALL"] for part in ours)
        assert re.search(r"^USER [1-9]\d*:", (CONTRIB / "docker" / "Dockerfile").read_text(), flags=re.MULTILINE)
    for pod in pods(path) if path in MANIFESTS else []:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert all(it["securityContext"]["capabilities"] == {"drop": ["ALL"]} for it in pod["containers"])


def test_volumes_of_a_file_are_those_that_it_makes() -> None:
    for path in COMPOSE:
        parts = yaml.safe_load(path.read_text())
        used = {it.partition(":")[0] for part in parts["services"].values() for it in part.get("volumes", ())}
        assert used == set(parts["volumes"])
    for pod in [pod for path in MANIFESTS for pod in pods(path)]:
        made = {volume["name"] for volume in pod.get("volumes", ())}
        used = {mount["name"] for it in pod["containers"] for mount in it["volumeMounts"]}
        assert used in (made, {"data"})


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze here")
    text = UNIT.read_text().replace("/srv/shop/.venv/bin/hueyio", sys.executable).replace("User=shop", "User=root")
    (tmp_path / UNIT.name).write_text(text)
    verify = ["systemd-analyze", "verify", "--man=no", str(tmp_path / UNIT.name)]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)


def test_what_the_docs_and_the_comments_name_is_there() -> None:
    for page in [DOCS / "how-to" / name for name in ("docker.md", "kubernetes.md", "systemd.md")]:
        named = re.findall(r"contrib/[\w./-]*\w", page.read_text())
        assert named, page.name
        assert [name for name in named if not (ROOT / name).exists()] == []
