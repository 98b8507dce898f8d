"""What is said of failed tasks that were to run again: how many are ready, and why the others are not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hueyio.storage.records import RUNS_AGAIN, Requeued

__all__ = ["REFUSALS", "tell_requeued"]

REFUSALS: Final[Mapping[Requeued, tuple[str, str]]] = {
    "missing": ("was gone", "were gone"),
    "taken": ("has a living twin (unique)", "have a living twin (unique)"),
    "alive": ("is alive already", "are alive already"),
}
"""Of each refusal what is said of one, and of several."""


def tell_requeued(counts: Mapping[Requeued, int]) -> str:
    """Say how many there were of each answer."""
    refused = [
        f"{count:,} {one if count == 1 else several}"
        for word, (one, several) in REFUSALS.items()
        if (count := counts.get(word, 0))
    ]
    count = sum(counts.get(word, 0) for word in RUNS_AGAIN)
    ready = f"{count:,} {'is' if count == 1 else 'are'} ready."
    if counts.get("late"):
        ready += f" {counts['late']:,} of them for themselves alone: the chord that had them as members is over."
    return f"{ready} {', '.join(refused)}." if refused else ready
