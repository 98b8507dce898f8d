"""Which texts can be an id, a key or a name: the same ones on every storage.

Any text can, the empty one and one with a NUL too where nothing else speaks against it. A half of a surrogate pair
without its other half cannot: JSON from a browser may have one, and no encoding has a form for it. In arguments and
results it is kept.
"""

from __future__ import annotations

from hueyio.exceptions import ConfigurationError, HueyException

__all__ = ["check_text", "is_storable"]


def check_text(what: str, text: str, error: type[HueyException] = ConfigurationError) -> str:
    """Return the text; raises ``error`` if no storage can hold it."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        raise error(f"{what} {text!r:.100} has a lone surrogate, which no storage can keep") from None
    return text


def is_storable(text: str) -> bool:
    """Say whether a storage can hold a text."""
    try:
        check_text("a text", text)
    except ConfigurationError:
        return False
    return True
