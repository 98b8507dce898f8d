"""``python -m benchmarks``: compare with Huey; ``table``: everything; ``waiters``, ``due`` and others: one question."""

from __future__ import annotations

import sys

from benchmarks.command_line import main

sys.exit(main())
