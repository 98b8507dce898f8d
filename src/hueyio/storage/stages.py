"""A task's message joined to those of the stages that follow it, for whoever gets a pipeline in one piece.

In a queue each stage has a message of its own. A letter, and an answer that says where a task is, have all of them::

    <mark> ( <length of id> ":" <length of message> ":" <id> <message> )*

The task itself comes first. ``redis/lua/parts/_stages.lua`` writes the same. No serializer writes bytes that begin with
the mark: those of hueyio begin with others, and any other one is a matter of 1 in 2**56.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from hueyio.storage.records import Header, Stage

__all__ = ["first", "header_of_whole", "join", "split"]

_MARK: Final = b"\x93hpipe1"
_LENGTHS: Final = re.compile(rb"(\d{1,9}):(\d{1,18}):")


def join(id: str, data: bytes, stages: Sequence[Stage]) -> bytes:
    """Return the task's message with those of its later stages; without any as it is."""
    if not stages or data.startswith(_MARK):
        return data
    return b"".join((_MARK, *map(_part, (Stage(id, data), *stages))))


def split(data: bytes) -> list[Stage] | None:
    """Return what was joined, the task itself first; None: nothing was. Raises ValueError for what is damaged."""
    if not (isinstance(data, bytes) and data.startswith(_MARK)):  # a reader may be given anything
        return None
    found: list[Stage] = []
    at = len(_MARK)
    while at < len(data):
        lengths = _LENGTHS.match(data, at)
        if lengths is None:
            raise ValueError(f"no stage at byte {at}")
        stop = lengths.end() + int(lengths[1])
        at = stop + int(lengths[2])
        if at > len(data):
            raise ValueError("the last stage is cut short")
        found.append(Stage(data[lengths.end() : stop].decode("utf-8", "surrogatepass"), data[stop:at]))
    return found


def first(data: bytes) -> bytes:
    """Return the message of the task itself, or as much of it as is there where only the beginning is."""
    if not data.startswith(_MARK):
        return data
    lengths = _LENGTHS.match(data, len(_MARK))
    return data if lengths is None else data[lengths.end() + int(lengths[1]) :][: int(lengths[2])]


def header_of_whole(header: Header, data: bytes) -> Header:
    """Return the header of a task whose message is the whole pipeline: it expects all of its later stages."""
    if not data.startswith(_MARK):
        return header
    try:
        stages = split(data) or []
    except ValueError:
        return header  # whoever reads the message says what is wrong
    return header._replace(expects=tuple([stage.id for stage in stages[1:]]))


def _part(stage: Stage) -> bytes:
    id = stage.id.encode("utf-8", "surrogatepass")
    return b"%d:%d:%b%b" % (len(id), len(stage.data), id, stage.data)
