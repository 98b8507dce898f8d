"""What was measured for the table, kept in a file after every step, so that an interrupted run goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hueyio
from benchmarks.protocol import Figures

__all__ = ["Samples", "sources"]


def sources() -> str:
    """Return a digest of hueyio's code: what was measured with other code is not continued."""
    digest = hashlib.sha256()
    for file in sorted(Path(hueyio.__file__).parent.rglob("*")):
        if file.suffix in (".py", ".sql", ".lua"):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


@dataclass(slots=True)
class Samples:
    """Figures by row, round and contender."""

    file: Path
    facts: dict[str, str] = field(default_factory=dict)
    """Machine and versions, of the last run."""
    scale: float = 1.0
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of each row ``sources``, and ``rounds``: a list of contenders' figures."""

    @classmethod
    def read(cls, file: Path) -> Samples:
        """Read what an earlier run has left, if there was one."""
        if not file.exists():
            return cls(file)
        found = json.loads(file.read_text())
        return cls(file, found["facts"], found["scale"], found["rows"])

    def begin(self, facts: dict[str, str], scale: float) -> None:
        """Go on with the same scale; what was measured with another is forgotten."""
        if scale != self.scale:
            self.rows.clear()
        self.facts, self.scale = facts, scale

    def forget(self, names: Iterable[str]) -> None:
        """Let rows be measured anew."""
        for name in names:
            self.rows.pop(name, None)

    def of(self, row: str, number: int, code: str) -> dict[str, Figures]:
        """Return the contenders' figures of a round, to add to; those of other code are forgotten first."""
        kept = self.rows.get(row)
        if kept is None or kept["sources"] != code:
            kept = self.rows[row] = {"sources": code, "rounds": []}
        rounds: list[dict[str, Figures]] = kept["rounds"]
        while len(rounds) <= number:
            rounds.append({})
        return rounds[number]

    def rounds_of(self, row: str) -> list[dict[str, Figures]]:
        """Return all rounds of a row in which something was measured."""
        return [one for one in self.rows.get(row, {}).get("rounds", []) if one]

    def write(self) -> None:
        """Keep everything, whole or not at all."""
        everything = {"facts": self.facts, "scale": self.scale, "rows": self.rows}
        new = self.file.with_suffix(".new")
        new.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(json.dumps(everything, indent=1) + "\n")
        new.replace(self.file)
