"""The processes that a worker starts, by what they are."""

from __future__ import annotations

from pathlib import Path

__all__ = ["beaters_of"]


def beaters_of(pid: int) -> list[int]:
    """List the processes that send heartbeats for this one and have not ended."""
    children: list[int] = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        children += map(int, (thread / "children").read_text().split())
    return [child for child in children if b"beater_process" in Path(f"/proc/{child}/cmdline").read_bytes()]
