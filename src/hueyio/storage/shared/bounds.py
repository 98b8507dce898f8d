"""The bounds that options give to what a storage remembers."""

from __future__ import annotations

from hueyio.exceptions import ConfigurationError

__all__ = ["check_age", "check_count"]


def check_count(whose: str, name: str, value: object) -> None:
    """Raise ConfigurationError unless this says how many of something are kept; 0 switches it off."""
    if type(value) is not int or value < 0:
        raise ConfigurationError(f"{whose}: {name} must be a whole number, 0 or more, not {value!r}")


def check_age(whose: str, name: str, value: object) -> None:
    """Raise ConfigurationError unless this says for how many seconds something is kept; 0 switches it off."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ConfigurationError(f"{whose}: {name} must be a number of seconds, 0 or more, not {value!r}")
