"""Read pickles of Huey's without running what they say.

A pickle may name any function and have it called. Here it may name a few: Huey's own kinds, in whose place stand ours,
so that Huey need not be installed; kinds of the standard library that only hold values; and what the user trusts. Any
other name is refused before it is imported.
"""

from __future__ import annotations

import builtins
import pickle
from collections.abc import Iterable
from io import BytesIO
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from hueyio import exceptions
from hueyio.exceptions import HueyException
from hueyio.messages.member_result import SKIPPED
from hueyio.migration.huey_values import HueyError, HueyMessage
from hueyio.migration.renames import NO_RENAMES, Renames

__all__ = ["NotTrusted", "Trust", "unpickle", "unpickle_around"]

_HUEYS: Final[dict[tuple[str, str], Any]] = {
    ("huey.registry", "Message"): HueyMessage,
    ("huey.utils", "Error"): HueyError,
    ("huey.utils", "SKIPPED"): SKIPPED,
    **{
        ("huey.exceptions", name): getattr(exceptions, name)
        for name in (
            *("HueyException", "ConfigurationError", "TaskLockedException", "ResultTimeout", "TaskTimeout"),
            *("RateLimitExceeded", "CancelExecution", "RetryTask", "TaskException"),
        )
    },
}
"""What stands for a kind of Huey's."""

_HARMLESS: Final[dict[str, frozenset[str]]] = {
    "_codecs": frozenset({"encode"}),  # bytes, in early protocols
    "builtins": frozenset(
        {
            *("bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "object", "range"),
            *("set", "slice", "str", "tuple"),
        }
    ),
    "collections": frozenset({"Counter", "OrderedDict", "defaultdict", "deque"}),
    "copyreg": frozenset({"_reconstructor"}),  # makes an object of a class that must be named too
    "datetime": frozenset({"date", "datetime", "time", "timedelta", "timezone"}),
    "decimal": frozenset({"Decimal"}),
    "fractions": frozenset({"Fraction"}),
    "ipaddress": frozenset(
        {"IPv4Address", "IPv4Interface", "IPv4Network", "IPv6Address", "IPv6Interface", "IPv6Network"}
    ),
    "pathlib": frozenset({"Path", "PosixPath", "PurePosixPath", "PureWindowsPath"}),
    "pathlib._local": frozenset({"Path", "PosixPath", "PurePosixPath", "PureWindowsPath"}),
    "types": frozenset({"SimpleNamespace"}),
    "uuid": frozenset({"SafeUUID", "UUID"}),
    "zoneinfo": frozenset({"ZoneInfo"}),
}
"""Names of the standard library that make a value and do nothing else."""

_EARLY_NAMES: Final = {
    **{("__builtin__", name): ("builtins", name) for name in _HARMLESS["builtins"]},
    ("__builtin__", "getattr"): ("builtins", "getattr"),
    ("__builtin__", "xrange"): ("builtins", "range"),
    ("copy_reg", "_reconstructor"): ("copyreg", "_reconstructor"),
    **{("exceptions", name): ("builtins", name) for name in vars(builtins)},
}
"""Names of Python 2, as protocols 0 to 2 still write them."""


class NotTrusted(HueyException):
    """A pickle names what nobody has said to trust."""


class Trust:
    """Which names of the application's own a pickle may have: ``shop.models`` and all below it; ``*``: any.

    They are the names of now, also where a pickle has an old one.
    """

    def __init__(self, names: Iterable[str] = (), renames: Renames = NO_RENAMES) -> None:
        self._names = frozenset(names)
        self.renames = renames

    def covers(self, module: str, name: str) -> bool:
        """Say whether this name of this module is trusted."""
        if "*" in self._names:
            return True
        parts = [*module.split("."), *name.split(".")]
        return any(".".join(parts[:length]) in self._names for length in range(1, len(parts) + 1))


def unpickle(data: bytes, trust: Trust) -> Any:
    """Return the value of a pickle; raises NotTrusted, or whatever a pickle that is damaged makes of itself."""
    return _Unpickler(data, trust).load()


def unpickle_around(data: bytes) -> Any:
    """Return the value of a pickle with something inert in the place of all that is not trusted; raises likewise."""
    return _UnpicklerAround(data, Trust()).load()


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes, trust: Trust) -> None:
        super().__init__(BytesIO(data))
        self._trust = trust

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """Return what a name of the pickle stands for."""
        module, name = _EARLY_NAMES.get((module_name, global_name), (module_name, global_name))
        module, name = self._trust.renames.new_place(module, name)
        if (module, name) == ("builtins", "getattr"):
            return _get_maker
        own = _HUEYS.get((module, name))
        if own is not None:
            return own
        if _is_harmless(module, name) or self._trust.covers(module, name):
            return super().find_class(module, name)
        raise NotTrusted(f"it holds {module}.{name}, which nobody has said to trust: --trust {module}")


class _UnpicklerAround(_Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """Return what a name of the pickle stands for, or what stands for anything."""
        try:
            found = super().find_class(module_name, global_name)
        except NotTrusted:
            return _Inert
        return _Inert if found is _get_maker else found


class _Inert:
    """Takes whatever a pickle does to an object, and does nothing."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        return super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> Self:
        return self

    def __setstate__(self, state: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, item: Any) -> None:
        pass

    def extend(self, items: Any) -> None:
        pass

    def add(self, item: Any) -> None:
        pass


def _get_maker(owner: Any, name: str) -> Any:
    """Stand for ``getattr``, which would reach anything from anywhere: it finds what makes a zone, and nothing else."""
    if owner is ZoneInfo and name == "_unpickle":
        return ZoneInfo._unpickle  # type: ignore[attr-defined]
    raise NotTrusted(f"it asks for the attribute {name!r} of something")


def _is_harmless(module: str, name: str) -> bool:
    if name in _HARMLESS.get(module, ()):
        return True
    kind = getattr(builtins, name, None) if module == "builtins" else None
    return isinstance(kind, type) and issubclass(kind, BaseException)
