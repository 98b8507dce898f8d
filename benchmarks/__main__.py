"""``python -m benchmarks``: compare with Huey; ``waiters``, ``due``, ``unread`` and others: one question each."""

from __future__ import annotations

import sys

from benchmarks.command_line import main

sys.exit(main())
