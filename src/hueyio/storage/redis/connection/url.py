"""The url of a server, taken apart so that no error shows a part of its password.

A password that is not quoted ends where it has a ``#``, ``/`` or ``?``: what stands before becomes a host and a port,
and what stands after it a path. Errors of the libraries name those; so their texts, and they themselves, are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from hueyio.exceptions import ConfigurationError
from hueyio.storage.redis.connection.inside_redis_py import parse_url

__all__ = ["read_port", "read_settings", "split_url", "unusable"]

_HARMLESS: Final = ("Invalid value for", "Redis URL must")
"""How the errors of redis-py begin that name nothing but settings and schemes."""

_MAY_HAVE_AT: Final = frozenset({"client_name", "password", "sentinel_password", "sentinel_username", "username"})
"""Settings in a url in which a ``@`` is no sign of a login that was cut."""


def unusable(reason: str) -> ConfigurationError:
    """Say what is wrong with a url."""
    return ConfigurationError(f"unusable Redis url: {reason}")


def split_url(url: str) -> SplitResult:
    """Take a url apart. Raises ConfigurationError if it cannot be read, or its login was cut."""
    parts = _split(url)
    if parts is None or parts.fragment or _is_cut(parts):
        raise _unreadable()
    return parts


def read_settings(url: str) -> Mapping[str, Any]:
    """Return what connections to a single server are made with. Raises ConfigurationError."""
    split_url(url)
    try:
        return parse_url(url)
    except ValueError as error:
        reason = str(error)
    # Not where it was caught: whoever logs an error logs what it came from.
    raise unusable(reason) if reason.startswith(_HARMLESS) else _unreadable()


def read_port(parts: SplitResult) -> int | None:
    """Return the port. Raises ConfigurationError."""
    try:
        return parts.port
    except ValueError:
        pass
    raise _unreadable()


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _is_cut(parts: SplitResult) -> bool:
    """Say whether the ``@`` behind a login stands where a login cannot be."""
    login, _, host = parts.netloc.rpartition("@")
    if "@" in parts.path and (host or not parts.scheme.startswith("unix")):
        return True
    fields = [field.partition("=")[0] for field in parts.query.split("&") if "@" in field]
    return not login and not all(name in _MAY_HAVE_AT for name in fields)


def _unreadable() -> ConfigurationError:
    return unusable(
        "it cannot be read, and is not shown because of its password. It looks like redis://user:password@host:6379/0; "
        "in user and password each of # / ? @ : [ ] % must be quoted, as urllib.parse.quote(password, safe='') does"
    )
