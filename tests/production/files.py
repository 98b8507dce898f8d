"""The files of ``contrib`` that start workers: what they run, and how long they let it stop."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from hueyio.worker.arguments import Arguments, add_options, read_arguments
from tests.support.docs_code import ROOT

__all__ = ["COMPOSE", "CONTRIB", "MANIFESTS", "UNIT", "Started", "image", "pods", "read_unit", "started"]

CONTRIB: Final = ROOT / "contrib"
COMPOSE: Final = sorted((CONTRIB / "docker").glob("compose*.yaml"))
MANIFESTS: Final = sorted((CONTRIB / "kubernetes").glob("*.yaml"))
UNIT: Final = CONTRIB / "systemd" / "hueyio-worker.service"


class Started(NamedTuple):
    """A worker that a file starts."""

    file: str
    line: list[str]
    """From ``hueyio`` on."""
    grace: float
    """Seconds after which it is killed."""

    @property
    def arguments(self) -> Arguments:
        """What the worker makes of the line; ends the test if it refuses it."""
        assert [Path(self.line[0]).name, self.line[1]] == ["hueyio", "worker"]
        parser = argparse.ArgumentParser()
        add_options(parser)
        return read_arguments(parser.parse_args(self.line[2:]), {}, self.line[1:])


def image() -> dict[str, list[str]]:
    """Return the two commands of the image: ``run`` and ``check``."""
    text = (CONTRIB / "docker" / "Dockerfile").read_text()
    run = re.findall(r"^CMD (\[.*\])$", text, flags=re.MULTILINE)
    check = re.findall(r"^HEALTHCHECK .*\\\n +CMD (\[.*\])$", text, flags=re.MULTILINE)
    return {"run": json.loads(run[-1]), "check": json.loads(check[-1])}


def pods(path: Path) -> list[dict[str, Any]]:
    """Return the pods that a manifest describes."""
    parts = yaml.safe_load_all(path.read_text())
    return [part["spec"]["template"]["spec"] for part in parts if part["kind"] in ("Deployment", "StatefulSet")]


def read_unit() -> dict[str, list[str]]:
    """Return what the unit sets, by name."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), flags=re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def started() -> list[Started]:
    """Return each worker that one of the files starts."""
    unit = read_unit()
    (line,) = unit["ExecStart"]
    found = [Started(UNIT.name, shlex.split(line), float(unit["TimeoutStopSec"][0]))]
    for path in COMPOSE:
        worker = yaml.safe_load(path.read_text())["services"]["worker"]
        found.append(Started(path.name, worker.get("command", image()["run"]), seconds(worker["stop_grace_period"])))
    for path in MANIFESTS:
        found += [
            Started(path.name, container["args"], float(pod["terminationGracePeriodSeconds"]))
            for pod in pods(path)
            for container in pod["containers"]
            if container["args"][0] == "hueyio"
        ]
    return found


def seconds(text: str) -> float:
    """Read a span such as ``45s``."""
    assert text.endswith("s")
    return float(text[:-1])
