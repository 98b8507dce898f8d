"""Which folders a worker has to be told, so that it finds the project's modules."""

from __future__ import annotations

import site
import subprocess
import sys
from pathlib import Path

from hueyio.contrib.django.own_path import is_installed, own_path


def test_project_is_found_below_and_around_the_prefix() -> None:
    around, below = str(Path(sys.prefix).parent), f"{sys.base_prefix}/src/app"
    assert own_path(["", around, sys.prefix, below]) == [around, sys.prefix, below]


def test_what_every_interpreter_has_is_left_out() -> None:
    code = "import sys; print('\\n'.join(sys.path[1:]))"
    alone = subprocess.run([sys.executable, "-Sc", code], env={}, capture_output=True, text=True, check=True).stdout
    assert own_path([*alone.splitlines(), *site.getsitepackages()]) == []
    assert is_installed(f"{site.getsitepackages()[0]}/django/contrib/admin")
