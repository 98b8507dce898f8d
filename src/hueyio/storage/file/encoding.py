"""Operations and snapshots as bytes: pickles of plain values and of the contract's records, and of nothing else.

Reading calls no code but the constructors of those, whatever the bytes are. Writing turns subclasses of plain types
into these and refuses what could not be read again, before anything has happened.
"""

from __future__ import annotations

import io
import pickle
from typing import Any, Final

from hueyio.storage import records

__all__ = ["decode", "encode"]

_RECORDS: Final = {
    name: value
    for name in records.__all__
    if isinstance(value := getattr(records, name), type) and issubclass(value, tuple)
}
_PLAIN: Final[dict[type, Any]] = {
    str: str.__str__,
    bytes: lambda it: b"".join((it,)),
    int: int.__int__,
    float: float.__float__,
}
_CLASSES: Final = {
    **{(records.__name__, name): value for name, value in _RECORDS.items()},
    **{("builtins", kind.__name__): kind for kind in (*_PLAIN, set, frozenset, bytearray)},
}
_KNOWN: Final = frozenset(_CLASSES.values())


class _Writer(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if kind in _KNOWN or (kind is type and obj in _KNOWN):
            return NotImplemented
        for plain, convert in _PLAIN.items():
            if isinstance(obj, plain):
                return plain, (convert(obj),)
        raise TypeError(f"a storage takes records, text, bytes and numbers, not {kind.__name__}")


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = _CLASSES.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a journal")
        return found


def encode(value: Any) -> bytes:
    """Write. Raises TypeError for what is neither plain nor a record."""
    buffer = io.BytesIO()
    _Writer(buffer, 5).dump(value)
    return buffer.getvalue()


def decode(data: bytes) -> Any:
    """Read what ``encode`` wrote."""
    return _Reader(io.BytesIO(data)).load()
