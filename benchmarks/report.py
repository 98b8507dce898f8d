"""Print and keep what was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.comparison import compare
from benchmarks.contenders import THREADS, Kind
from benchmarks.protocol import Figures
from benchmarks.table import format_rows

__all__ = ["print_all", "write_json"]


def print_all(rounds: Mapping[Kind, Sequence[Mapping[str, Figures]]], best: bool) -> None:
    """Print a table for each storage."""
    for kind, of_kind in rounds.items():
        title = f"{kind}, {'best' if best else 'medians'} of {len(of_kind)} rounds"
        print("\n" + format_rows(title, compare(of_kind, best), list(of_kind[0])))
    within = "from best to best" if best else "within the same round, median"
    print(f"\nin brackets: how many times better hueyio is {within}")
    print(f"Huey drains with {', '.join(map(str, THREADS))} threads; the best of each round counts")


def write_json(
    file: Path, rounds: Mapping[Kind, Sequence[Mapping[str, Figures]]], facts: Mapping[str, str], tasks: int
) -> None:
    """Write the figures of all rounds."""
    everything = {"facts": dict(facts), "tasks": tasks, "rounds": {kind: list(of) for kind, of in rounds.items()}}
    file.write_text(json.dumps(everything, indent=2) + "\n")
