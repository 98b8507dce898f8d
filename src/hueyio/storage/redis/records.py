"""Tasks as bytes: a short start that Lua reads, then the message. ``lua/parts/_records.lua`` says how.

Most headers hold nothing but a lane: one letter. This is on the hot path, so records are built and cut without any
detour, and named tuples are made without their constructors.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from hueyio.exceptions import LeaseLost, StorageError
from hueyio.storage.records import Delivery, Entry, Header, Lane, Receipt, Stage

__all__ = [
    "check_text",
    "no_utf8",
    "read_deliveries",
    "read_record",
    "read_start",
    "write_bundle",
    "write_record",
    "write_seconds",
    "write_start",
]

_PLAIN: Final[dict[Lane, bytes]] = {"loop": b"l", "thread": b"t", "process": b"p"}
_LANE_OF: Final[dict[int, Lane]] = {
    letter: lane for lane, byte in _PLAIN.items() for letter in (byte[0], byte.upper()[0])
}
_LANES_IN_FULL: Final[dict[Lane, bytes]] = {lane: byte.upper() for lane, byte in _PLAIN.items()}
_FIRST_PLAIN: Final = ord("a")
_DEFAULTS: Final = Header("")
_REST: Final = tuple(_DEFAULTS)[2:]
_new = tuple.__new__
_to_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_NAMES: Final = Header._fields[2:]


def check_text(texts: Iterable[str]) -> None:
    """Refuse text that cannot be written, before it is sent together with that of others."""
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise no_utf8(error) from None


def no_utf8(error: UnicodeEncodeError) -> StorageError:
    """Return our error for text that cannot be written."""
    return StorageError(f"{error.object!r} is no text that UTF-8 can hold")


def write_seconds(seconds: float | None) -> str:
    """Return a time to live as scripts get it."""
    return "" if seconds is None else repr(float(seconds))


def write_record(entry: Entry) -> bytes:
    """Return a task's record."""
    header, data, stages = entry
    if header[2:] == _REST:
        return _PLAIN[header.lane] + data
    record = write_start(header) + data
    return write_bundle(record, stages) if stages else record


def write_bundle(value: bytes, stages: Sequence[Stage]) -> bytes:
    """Return a record with the later stages that come with it, as ``lua/parts/_stages.lua`` reads it."""
    parts = [b"*%d:%b" % (len(value), value)]
    for stage in stages:
        id = stage.id.encode()
        parts.append(b"%d:%d:%b%b" % (len(id), len(stage.data), id, stage.data))
    return b"".join(parts)


def write_start(header: Header) -> bytes:
    """Return a record up to its message. Raises UnicodeEncodeError for text that UTF-8 cannot hold."""
    rest = {name: value for name, value, usual in zip(_NAMES, header[2:], _REST, strict=True) if value != usual}
    if not rest:
        return _PLAIN[header.lane]
    text = _to_json(rest).encode()
    is_bound = header.unique_key is not None or bool(header.expects) or header.collects
    needs_care = is_bound or header.eta is not None or header.once_token is not None
    kind = b"a" if not needs_care else b"d" if is_bound else b"c"
    return b"%b%b%d:%b" % (_LANES_IN_FULL[header.lane], kind, len(text), text)


def read_record(id: str, record: bytes) -> tuple[Header, bytes]:
    """Return a task's header and message."""
    first = record[0]
    lane = _LANE_OF[first]
    if first >= _FIRST_PLAIN:
        return _new(Header, (id, lane, *_REST)), record[1:]
    return read_start(id, record)


def read_start(id: str, record: bytes) -> tuple[Header, bytes]:
    """Do the same for a record with a header in full."""
    colon = record.index(b":", 2)
    stop = colon + 1 + int(record[2:colon])
    rest: dict[str, Any] = json.loads(record[colon + 1 : stop])
    if "expects" in rest:
        rest["expects"] = tuple(rest["expects"])
    return Header(id, _LANE_OF[record[0]], **rest), record[stop:]


def read_deliveries(reply: Sequence[Any] | None, owner: str) -> list[Delivery]:
    """Read what ``deliver`` in ``lua/parts/_held.lua`` answers. Raises LeaseLost where a script answered nothing."""
    if reply is None:
        raise LeaseLost(f"owner {owner} has no live lease")
    if not reply:
        return []
    ids, records, marks, revocations, following = reply
    unrevoked = not revocations
    found: list[Delivery] = []
    for raw, record in zip(ids, records, strict=True):
        id = raw.decode()
        header, data = read_record(id, record)
        found.append(_new(Delivery, (_new(Receipt, (owner, id, 0)), header, data, False, False, unrevoked, None)))
    for at in range(0, len(marks), 4):
        index, deliveries, started, cancelled = marks[at : at + 4]
        receipt, header, data, *_ = found[index - 1]
        found[index - 1] = Delivery(
            receipt._replace(deliveries=deliveries), header, data, bool(started), bool(cancelled), unrevoked
        )
    for index, message in zip(following[::2], following[1::2], strict=True):
        found[index - 1] = found[index - 1]._replace(following=message)
    return found
