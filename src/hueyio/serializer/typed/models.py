"""Models of pydantic, in programs that use it: their annotations, and adapters that read them.

pydantic is imported where an annotation needs it: it says itself that it is pydantic's, or msgspec does not know it.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints, is_typeddict

import msgspec

__all__ = ["Adapter", "adapter_of", "has_pydantic", "is_model", "is_of_pydantic", "read_model"]

_MARKS: Final = ("__pydantic_core_schema__", "__get_pydantic_core_schema__")
_BASE64: Final = {"ser_json_bytes": "base64", "val_json_bytes": "base64"}
"""How msgspec writes bytes."""


class Adapter:
    """Reads one type in pydantic's way, and says what is wrong in one line."""

    __slots__ = ("_error", "_validate")

    def __init__(self, annotation: Any) -> None:
        pydantic = import_module("pydantic")
        self._error = pydantic.ValidationError
        try:
            adapter = pydantic.TypeAdapter(annotation, config=_BASE64)
        except pydantic.PydanticUserError as error:
            if error.code != "type-adapter-config-unused":  # a model has a config of its own
                raise
            adapter = pydantic.TypeAdapter(annotation)
        self._validate = adapter.validate_json

    def read(self, plain: Any) -> Any:
        """Return the value of a JSON form; raises ValueError."""
        try:
            # As JSON, because a model that is strict takes a text for a date there only.
            return self._validate(msgspec.json.encode(plain))
        except self._error as error:
            raise ValueError(_first_of(error)) from None


def adapter_of(annotation: Any) -> Adapter | None:
    """Return what reads a type; None if pydantic is not installed, or does not know it."""
    if not has_pydantic():
        return None
    try:
        return Adapter(annotation)
    except import_module("pydantic").PydanticUserError:
        return None


def has_pydantic() -> bool:
    """Say whether pydantic is installed."""
    return find_spec("pydantic") is not None


def is_model(kind: Any) -> bool:
    """Say whether a class is one of pydantic's, or tells pydantic what to do with it."""
    return isinstance(kind, type) and any(hasattr(kind, mark) for mark in _MARKS)


def is_of_pydantic(annotation: Any) -> bool:
    """Say whether anything in an annotation is pydantic's: msgspec would leave out what that asks for."""
    seen: list[Any] = []
    left = [annotation]
    while left:
        one = left.pop()
        if is_model(one) or any(map(_asks_pydantic, getattr(one, "__metadata__", ()))):
            return True
        if not any(one is other for other in seen):
            seen.append(one)
            left.extend(_inside(one))
    return False


def read_model(kind: type, plain: Any) -> Any:
    """Read a model that stands inside of what msgspec reads; raises ValueError."""
    adapter = _kept_adapter(kind)
    if adapter is None:
        raise ValueError(f"nothing here reads {kind.__qualname__}")
    return adapter.read(plain)


@cache
def _kept_adapter(kind: type) -> Adapter | None:
    return adapter_of(kind)


def _asks_pydantic(metadata: Any) -> bool:
    module = getattr(type(metadata), "__module__", "")
    return module.partition(".")[0] in ("pydantic", "annotated_types") or any(hasattr(metadata, it) for it in _MARKS)


def _inside(annotation: Any) -> Iterator[Any]:
    """Give the types that a type is made of; of msgspec's own ones none, because pydantic reads none of them."""
    if get_origin(annotation) is Annotated:
        yield annotation.__origin__
        return
    yield from get_args(annotation)
    kind = get_origin(annotation) or annotation
    if not isinstance(kind, type) or "pydantic" not in sys.modules:
        return
    if dataclasses.is_dataclass(kind) or is_typeddict(kind) or hasattr(kind, "_fields"):
        try:
            yield from get_type_hints(kind, include_extras=True).values()
        except NameError:  # whoever reads the type says so
            return


def _first_of(error: Any) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in found[0]["loc"])
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    text = str(found[0]["msg"])
    return f"{text[:1].lower()}{text[1:]}{more}{f' - at `${place}`' if place else ''}"
