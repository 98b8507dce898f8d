"""``python -m benchmarks``: compare with Huey; ``waiters``, ``due``, ``delay``, ``memory``: one question each."""

from __future__ import annotations

import sys

from benchmarks.command_line import main

sys.exit(main())
