"""``python -m benchmarks``: compare with Huey; ``python -m benchmarks waiters``: many waits in one process."""

from __future__ import annotations

import sys

from benchmarks.command_line import main

sys.exit(main())
