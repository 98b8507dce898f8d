"""``python -m benchmarks``: compare with Huey; ``waiters``: many waits in one process; ``memory``: what tasks cost."""

from __future__ import annotations

import sys

from benchmarks.command_line import main

sys.exit(main())
