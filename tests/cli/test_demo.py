"""``hueyio demo``: a shop that runs, until it is told to stop."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path


def test_shop_is_open_until_a_signal_comes_and_leaves_nothing_behind(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "hueyio", "demo", "--port", "0"]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stderr is not None
        try:
            file = Path(process.stderr.readline().rpartition(" in ")[2].strip())
            address = process.stderr.readline().partition(" ")[0]
            with urllib.request.urlopen(f"{address}shop/schedules", timeout=30) as answer:
                assert "sweep_carts" in answer.read().decode()
            assert file.exists()
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not file.parent.exists()
