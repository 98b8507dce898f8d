"""The files that hosts read: they name what there is, and only one job may publish."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
NOXFILE = (ROOT / "noxfile.py").read_text()


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_only_the_job_that_publishes_may_sign_and_it_runs_no_code_of_ours() -> None:
    jobs = {(path.stem, name): job for path in WORKFLOWS for name, job in read(path)["jobs"].items()}
    signing = [name for name, job in jobs.items() if "id-token" in job.get("permissions", {})]
    assert signing == [("publish", "publish")]
    steps = jobs["publish", "publish"]["steps"]
    assert [step["uses"].partition("@")[0] for step in steps] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]
    assert [read(path)["permissions"] for path in WORKFLOWS] == [{"contents": "read"}] * len(WORKFLOWS)


def test_every_action_is_pinned_to_a_version() -> None:
    used = [use for path in WORKFLOWS for use in re.findall(r"uses: (\S+)", path.read_text())]
    assert used
    assert [use for use in used if not re.fullmatch(r"[\w-]+/[\w-]+@v\d+(\.\d+)*", use)] == []


def test_sessions_that_hosts_run_are_there() -> None:
    texts = [path.read_text() for path in [*WORKFLOWS, ROOT / ".readthedocs.yaml"]]
    named = {name for text in texts for name in re.findall(r"nox -s ([\w-]+)", text)}
    assert named == {"package", "docs"}
    assert [name for name in named if f"def {name}(session" not in NOXFILE] == []


def test_tests_on_a_new_machine_are_the_second_command_of_the_readme() -> None:
    (job,) = read(ROOT / ".github" / "workflows" / "ci.yml")["jobs"].values()
    assert job["steps"][-1] == {"run": ".ci/run"}
    pattern = re.search(r"grep -m 1 -E '([^']+)' README\.md", (ROOT / ".ci" / "run").read_text())
    assert pattern is not None
    assert re.search(pattern[1], (ROOT / "README.md").read_text(), flags=re.MULTILINE)


def test_host_of_the_docs_serves_the_folder_that_nox_builds() -> None:
    (session,) = re.findall(r'"sphinx-build".*"html", "docs", "([^"]+)"', NOXFILE)
    commands = read(ROOT / ".readthedocs.yaml")["build"]["jobs"]["build"]["html"]
    assert commands[-1] == f"cp -r {session} $READTHEDOCS_OUTPUT/html"
