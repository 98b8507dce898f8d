"""An annotation to what checks values of it and reads them: msgspec, or pydantic for what is pydantic's.

Which of the two: pydantic if anything in the annotation is its own, or asks it for something; else msgspec; and what
msgspec does not know goes to pydantic where it is installed. Whoever reads, all is written in one way; see ``plain``.
"""

from __future__ import annotations

import inspect
from typing import Any, Final, Never, NoReturn, Protocol

import msgspec

from hueyio.exceptions import ConfigurationError, SerializationError
from hueyio.serializer.json_values import MisfitError, check_json
from hueyio.serializer.typed.annotations import name_of, without_outcomes
from hueyio.serializer.typed.likeness import is_kept
from hueyio.serializer.typed.models import (
    Adapter,
    adapter_of,
    has_pydantic,
    is_model,
    is_of_pydantic,
    read_model,
)
from hueyio.serializer.typed.plain import to_plain

__all__ = ["UNTYPED", "Converter", "WrongTypeError", "converter_of"]

_EXACT: Final = (str, int, bool, float)
"""Types whose values are JSON: one look says that nothing is to be done."""

_ANYTHING: Final = (Any, object, Never, NoReturn, inspect.Parameter.empty)
"""Annotations that say nothing of a value: there is none, or it may be any."""

_AT: Final = " - at `$"


class WrongTypeError(Exception):
    """A value that does not fit, or something at a ``place`` inside of it."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(reason, place)
        self._reason = reason
        self._place = place

    def sentence(self, name: str) -> str:
        """Say what is wrong; goes on behind the name of the argument, which is ``name`` in a place."""
        return f"{self._reason} at {name}{self._place}" if self._place else self._reason


class Converter(Protocol):
    """What is done for one annotation. Both raise WrongTypeError."""

    def check(self, value: Any) -> None:
        """Look whether a value would arrive as it is."""
        ...

    def read(self, plain: Any) -> Any:
        """Return the value of a JSON form."""
        ...


def converter_of(annotation: Any, what: str) -> Converter:
    """Return what is done for an annotation; raises ConfigurationError, with ``what`` at its beginning."""
    annotation = without_outcomes(annotation)
    if any(annotation is it for it in _ANYTHING):
        return UNTYPED
    if any(annotation is it for it in _EXACT):
        return _Exact(annotation)
    adapter = adapter_of(annotation) if is_of_pydantic(annotation) else None
    if adapter is not None:
        return _OfPydantic(annotation, adapter)
    try:
        strangers = _strangers_in(msgspec.inspect.type_info(annotation), [])
        reason = f"{' and '.join(strangers)} cannot be made of JSON" if strangers else ""
    except NameError as error:
        reason = f"it names {error.name!r}, which is not there"
    except Exception as error:  # msgspec says in its own words which of its rules a type breaks
        reason = str(error)
    if not reason:
        return _OfMsgspec(annotation)
    adapter = adapter_of(annotation)
    if adapter is not None:
        return _OfPydantic(annotation, adapter)
    cure = "" if has_pydantic() else "; pydantic knows more types, if it is installed"
    raise ConfigurationError(f"{what}: its annotation {name_of(annotation)} is of no use to JSON: {reason}{cure}")


class _Untyped:
    """JSON, as it is."""

    __slots__ = ()

    def check(self, value: Any) -> None:
        try:
            check_json(value)
        except MisfitError as misfit:
            raise WrongTypeError(f"has no annotation that says how to write it: {misfit}") from None

    def read(self, plain: Any) -> Any:
        return plain


UNTYPED: Final = _Untyped()
"""For what has no annotation, and for ``Any``."""


class _OfMsgspec:
    """A type that msgspec knows; models of pydantic may be inside."""

    __slots__ = ("_annotation",)

    def __init__(self, annotation: Any) -> None:
        self._annotation = annotation

    def check(self, value: Any) -> None:
        try:
            plain = to_plain(value)
        except SerializationError as error:
            raise WrongTypeError(f"does not fit {name_of(self._annotation)}: {error}") from None
        arrived = self.read(plain)
        if not is_kept(value, plain, arrived):
            raise WrongTypeError(f"does not fit {name_of(self._annotation)}: {_how_changed(value, arrived)}")

    def read(self, plain: Any) -> Any:
        try:
            return self._read(plain)
        except Exception as error:  # a class of the user's may raise anything while it is made
            reason, place = _reason_of(error)
            raise WrongTypeError(f"does not fit {name_of(self._annotation)}: {reason}", place) from None

    def _read(self, plain: Any) -> Any:
        return msgspec.convert(plain, self._annotation, str_keys=True, dec_hook=read_model)


class _Exact(_OfMsgspec):
    """A type whose values are JSON."""

    __slots__ = ()

    def check(self, value: Any) -> None:
        if type(value) is not self._annotation:
            super().check(value)

    def read(self, plain: Any) -> Any:
        return plain if type(plain) is self._annotation else super().read(plain)


class _OfPydantic(_OfMsgspec):
    """A type that pydantic reads."""

    __slots__ = ("_adapter",)

    def __init__(self, annotation: Any, adapter: Adapter) -> None:
        super().__init__(annotation)
        self._adapter = adapter

    def _read(self, plain: Any) -> Any:
        return self._adapter.read(plain)


def _strangers_in(info: Any, seen: list[int]) -> list[str]:
    """Name the classes in a type that nobody here can read."""
    if id(info) in seen:  # a type that has itself in it
        return []
    seen.append(id(info))
    if isinstance(info, msgspec.inspect.CustomType):
        return [] if is_model(info.cls) else [info.cls.__qualname__]
    if isinstance(info, tuple):
        parts = list(info)
    elif isinstance(info, msgspec.inspect.Type | msgspec.inspect.Field):
        parts = [getattr(info, name) for name in info.__struct_fields__]
    else:
        return []
    return [name for part in parts for name in _strangers_in(part, seen)]


def _reason_of(error: Exception) -> tuple[str, str]:
    """Return in one line what is wrong, and where: msgspec writes the place behind it, from ``$`` on.

    Where a model is inside, the place in it comes first.
    """
    if isinstance(error, RecursionError):
        return "it is nested too deep", ""
    if not isinstance(error, ValueError | TypeError):
        return f"{type(error).__name__}: {error}", ""
    reason, *places = " ".join(str(error).split()).split(_AT)
    text = reason.replace("`", "")
    return f"{text[:1].lower()}{text[1:]}", "".join(place.rstrip("`") for place in reversed(places))


def _how_changed(value: Any, arrived: Any) -> str:
    kind, other = type(value), type(arrived)
    if kind is not other:
        return f"a value of type {kind.__qualname__} would arrive as {other.__qualname__}"
    return "its JSON form does not say all of it, so that it would arrive changed"
