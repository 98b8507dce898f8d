"""The example of models as arguments, run as a reader would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "typed_payloads.py"

PRINTED = """\
charged: 26.10 EUR
reminded: 26.10 EUR by 2026-12-15
refused: task typed_payloads.charge: argument 'at' does not fit datetime: invalid RFC3339 encoded datetime
"""


def test_typed_payloads_prints_what_the_tasks_made_of_the_models(tmp_path: Path) -> None:
    environment = {**os.environ, "TYPED_PAYLOADS_DB": str(tmp_path / "typed.db")}
    done = subprocess.run(
        [sys.executable, str(PROGRAM)], capture_output=True, text=True, timeout=110, env=environment, check=False
    )
    assert (done.stdout, done.returncode) == (PRINTED, 0), done.stderr
