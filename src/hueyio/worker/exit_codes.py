"""Exit codes of the command line, those of sysexits.h where it has one."""

from __future__ import annotations

from typing import Final

__all__ = ["EXIT_CONFIGURATION", "EXIT_CRASHED", "EXIT_UNAVAILABLE", "EXIT_USAGE"]

EXIT_USAGE: Final = 2
"""The command line is wrong; argparse's own."""

EXIT_UNAVAILABLE: Final = 69
"""The storage cannot be used at start."""

EXIT_CRASHED: Final = 70
"""The worker crashed, was blocked for too long, left tasks behind that ignore their cancellation, or found its storage
damaged."""

EXIT_CONFIGURATION: Final = 78
"""The app cannot be loaded or is set up wrongly."""
