"""What a command prints: a table for eyes, tabs for a pipe, or one JSON object.

Data goes to standard output. Whatever is said about it goes to standard error, so that a pipe carries data only.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from hueyio.cli.text import Id, clean, iso, relative, short

__all__ = ["Output", "Row"]

Row = Mapping[str, Any]
"""One line of a list, by its keys in JSON: Id, datetime, text, number, None (not known), or a list of these."""

_GAP: Final = "  "
_COLOURS: Final = {"red": "31", "yellow": "33", "green": "32", "blue": "34", "dim": "2"}
_MARKS: Final = {"✗": "x", "✓": "+", "▶": ">", "…": "...", "·": "|", **dict.fromkeys("▁▂▃▄▅▆▇█", "")}
"""For terminals whose encoding has none of these."""


class Output:
    """Prints in the one form that was asked for. ``now`` is the storage's time: ages are counted from it."""

    def __init__(self, *, as_json: bool, utc: bool, full: bool = False, quiet: bool = False) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show ends nothing
        self.as_json = as_json
        self.is_piped = not sys.stdout.isatty()
        self._utc = utc
        self._full = full
        self._quiet = quiet
        self._colours = (
            not self.is_piped and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
        )
        self._has_marks = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        self.now = datetime.now(UTC)

    def say(self, text: str) -> None:
        """Say something about the data, unless only errors are wanted."""
        if not self._quiet:
            print(clean(text), file=sys.stderr)

    def line(self, text: str, colour: str | None = None) -> None:
        """Print a line of data."""
        print(self.paint(self._drawable(clean(text)), colour))

    def done(self, text: str, **data: Any) -> None:
        """Say what was done: as a line, or as an object."""
        if self.as_json:
            self.print_object(data)
        else:
            self.line(text)

    def print_object(self, data: Mapping[str, Any]) -> None:
        """Print one JSON object."""
        print(json.dumps({"v": 1, **data}, default=self._to_json))

    def print_list(self, noun: str, columns: Sequence[str], rows: Sequence[Row], **more: Any) -> None:
        """Print a list: of each row these columns, in JSON all of it under ``noun``, with ``more`` beside it."""
        if self.as_json:
            self.print_object({**more, noun: rows})
        elif self.is_piped:
            for row in rows:
                print("\t".join(clean(self._whole(row.get(it))) for it in columns))
        elif rows:
            self._table([it.upper() for it in columns], [[self._cell(row.get(it)) for it in columns] for row in rows])

    def print_facts(self, facts: Mapping[str, Any]) -> None:
        """Print what is known of one thing, a line each; what is not known is left out."""
        if self.as_json:
            self.print_object(facts)
            return
        known = {key: value for key, value in facts.items() if value not in (None, [], "")}
        width = max((len(key) for key in known), default=0)
        for key, value in known.items():
            text = self._whole(value)
            if isinstance(value, datetime) and not self.is_piped:
                text += f", {relative(value, self.now)}"
            print(f"{key}\t{clean(text)}" if self.is_piped else f"{key:{width}}  {clean(text)}")

    def paint(self, text: str, colour: str | None) -> str:
        """Return a text in a colour, if there are colours here."""
        return text if colour is None or not self._colours else f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"

    def _table(self, heads: list[str], rows: list[list[str]]) -> None:
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        room = shutil.get_terminal_size().columns
        for cells in (heads, *rows):
            line = _GAP.join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
            cut = line if self._full or len(line) <= room else f"{line[: room - 1]}…"
            print(self.paint(self._drawable(cut), "dim" if cells is heads else None))

    def _cell(self, value: object) -> str:
        if isinstance(value, Id) and not self._full:
            return clean(short(value))
        if isinstance(value, datetime) and not self._full:
            return relative(value, self.now)
        return "-" if value is None else clean(self._whole(value))

    def _whole(self, value: object) -> str:
        match value:
            case None:
                return ""
            case datetime():
                return iso(value, utc=self._utc)
            case bool():
                return "yes" if value else "no"
            case float():
                return f"{value:g}"
            case list():
                return ", ".join(self._whole(it) for it in value)
            case dict():
                return ", ".join(f"{key} {self._whole(it)}" for key, it in value.items())
            case _:
                return str(value)

    def _drawable(self, text: str) -> str:
        if self._has_marks:
            return text
        for mark, plain in _MARKS.items():
            text = text.replace(mark, plain)
        return text

    @staticmethod
    def _to_json(value: object) -> object:
        return iso(value, utc=True) if isinstance(value, datetime) else str(value)
