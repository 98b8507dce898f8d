"""How far a running task has come: what its body reports, and what followers get."""

from __future__ import annotations

from hueyio.exceptions import SerializationError
from hueyio.named_tuple import NamedTuple
from hueyio.serializer import Serializer

__all__ = ["Progress", "make_progress", "read_progress", "write_progress"]


class Progress(NamedTuple):
    """A fraction from 0 to 1, and what to say about it."""

    fraction: float
    message: str = ""


def make_progress(fraction: float, message: str) -> Progress:
    """Check what a body reports; raises ValueError."""
    if isinstance(fraction, bool) or not isinstance(fraction, (int, float)) or not 0 <= fraction <= 1:
        raise ValueError(f"progress is a fraction from 0 to 1, not {fraction!r}; divide by the total")
    if not isinstance(message, str):
        raise ValueError(f"the message of a progress is a text, not {message!r}")
    return Progress(float(fraction), message)


def write_progress(progress: Progress, serializer: Serializer) -> bytes:
    """Return it as bytes."""
    return serializer.serialize(list(progress))


def read_progress(data: bytes, serializer: Serializer) -> Progress:
    """Return the progress of these bytes; raises SerializationError."""
    match serializer.deserialize(data):
        case [float(fraction), str(message)]:
            return Progress(fraction, message)
        case other:
            raise SerializationError(f"not a progress: {type(other).__name__}")
