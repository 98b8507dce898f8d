"""The tests that Django has for its own task backends, out of its source distribution, with hueyio in their place.

``nox -s django`` fetches them; ``HUEYIO_TEST_DJANGO_TESTS`` is their folder, ``tests/tasks`` of Django's sources.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

HARNESS: Final = Path(__file__).parent / "framework-suite"

_CHANGES_A_LIST: Final = (
    "changes an object in the dummy's list of results, and expects every later read to be that object"
)
_EXPECTS_LESS: Final = "expects of the immediate backend that it cannot do this, and hueyio's can"
_BLOCKS_A_LOOP: Final = "makes a blocking call on a running loop: SynchronousOnlyOperation, as of Django's database"

CANNOT_PASS: Final = {
    "test_dummy_backend.DummyBackendTestCase.test_refresh_result": _CHANGES_A_LIST,
    "test_dummy_backend.DummyBackendTestCase.test_refresh_result_async": _CHANGES_A_LIST,
    "test_dummy_backend.DummyBackendTestCase.test_get_missing_result": _BLOCKS_A_LOOP,
    "test_immediate_backend.ImmediateBackendTestCase.test_cannot_get_result": _EXPECTS_LESS,
    "test_immediate_backend.ImmediateBackendTestCase.test_cannot_pass_run_after": _EXPECTS_LESS,
    "test_immediate_backend.ImmediateBackendTestCase.test_cannot_refresh_result": _EXPECTS_LESS,
    "test_tasks.TaskTestCase.test_get_missing_result": _BLOCKS_A_LOOP,
    "test_tasks.TaskTestCase.test_refresh_result": _BLOCKS_A_LOOP,
}
"""Why some tests cannot pass. One of them that passes is an error too: then this list says too much."""


def test_all_of_django_s_own_tests_pass_but_those_that_cannot(tmp_path: Path) -> None:
    shutil.copytree(HARNESS, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(os.environ["HUEYIO_TEST_DJANGO_TESTS"], tmp_path / "tasks")
    for path in (tmp_path / "tasks").glob("*.py"):
        path.write_text(re.sub(r"django\.tasks\.backends\.(dummy|immediate)\b", "stand_ins", path.read_text()))
    line = [sys.executable, "-m", "django", "test", "tasks", "--settings", "settings"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(
        line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    failed = re.findall(r"^(?:FAIL|ERROR): \w+ \(tasks\.([\w.]+)\)", ended.stderr, re.MULTILINE)
    assert sorted(set(failed)) == sorted(CANNOT_PASS), ended.stderr
    (ran,) = re.findall(r"^Ran (\d+) tests", ended.stderr, re.MULTILINE)
    print(f"{int(ran) - len(CANNOT_PASS)} of Django's {ran} tests pass")
    assert int(ran) >= 85, "some were not found"
