"""The annotations of a function, as types.

They are read when they are first needed, not where the function is declared: a class may stand below it.
"""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from hueyio.exceptions import ConfigurationError

__all__ = ["Names", "name_of", "read_annotation", "returned_by", "without_outcomes"]

_ITEMS: Final = (list, tuple)

_OUTCOMES_IN: Final = ("hueyio.messages.", "hueyio.tasks.")
"""Where Error and SKIPPED are, and Task: modules above this one."""


class Names:
    """The names that a function's annotations may use: those of its module, and what it has around itself."""

    def __init__(self, function: Callable[..., Any]) -> None:
        if not hasattr(function, "__globals__"):  # an object that is called
            function = type(function).__call__
        module = sys.modules.get(getattr(function, "__module__", ""), None)
        self.of_module: dict[str, Any] = getattr(function, "__globals__", {} if module is None else vars(module))
        self.around = _around(function)


def read_annotation(annotation: Any, names: Names, what: str) -> Any:
    """Return the type that an annotation says, also one that is a text; ``what`` is for the error."""
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        return get_type_hints(holder, names.of_module, names.around, include_extras=True)["it"]
    except NameError as error:
        raise ConfigurationError(
            f"{what}: its annotation {_shown(annotation)} names {error.name!r}, which is not there when the task runs: "
            "declare it at the top of a module, import it outside of `if TYPE_CHECKING`, or leave the annotation out"
        ) from None
    except Exception as error:  # an annotation is any expression
        raise ConfigurationError(
            f"{what}: its annotation {_shown(annotation)} cannot be read: {type(error).__name__}: {error}"
        ) from error


def returned_by(annotation: Any) -> Any:
    """Return what a caller gets in the end from a function whose annotation of what it returns is this."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Awaitable and parts:
        return parts[0]
    return parts[2] if origin is Coroutine and len(parts) == 3 else annotation


def without_outcomes(annotation: Any) -> Any:
    """Leave out what never is in JSON: exceptions, and hueyio's own Error and SKIPPED. Return Any if nothing is left.

    A chord's callback gets them among the values of its members, and says so. An Iterable is a list.
    """
    if _is_outcome(annotation):
        return Any
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        left = tuple(part for part in parts if not _is_outcome(part))
        if len(left) == len(parts):
            return annotation
        return Any if left in ((), (types.NoneType,)) else Union[left]  # noqa: UP007  of a tuple
    if origin is Iterable:
        return types.GenericAlias(list, parts)
    if origin in _ITEMS and parts:
        inside = tuple(map(without_outcomes, parts))
        return annotation if inside == parts else types.GenericAlias(origin, inside)
    return annotation


def name_of(annotation: Any) -> str:
    """Return an annotation as people write it: classes by their names, without modules, and no constraints."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return name_of(parts[0])
    if origin in (Union, types.UnionType):
        return " | ".join(map(name_of, parts))
    if isinstance(annotation, list):  # of a Callable
        return f"[{', '.join(map(name_of, annotation))}]"
    if annotation in (None, types.NoneType):
        return "None"
    if not parts:
        return annotation.__qualname__ if isinstance(annotation, type) else inspect.formatannotation(annotation)
    inside = map(repr, parts) if origin is Literal else map(name_of, parts)
    return f"{getattr(origin, '__qualname__', origin)}[{', '.join(inside)}]"


def _is_outcome(annotation: Any) -> bool:
    if not isinstance(annotation, type) or get_origin(annotation) is not None:
        return False
    return issubclass(annotation, BaseException) or annotation.__module__.startswith(_OUTCOMES_IN)


def _around(function: Any) -> Mapping[str, Any]:
    """Return the variables of the functions around it that it uses, and its own type parameters."""
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None) or ()
    found: dict[str, Any] = {it.__name__: it for it in getattr(function, "__type_params__", ())}
    for name, cell in zip(() if code is None else code.co_freevars, cells, strict=False):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # nothing was assigned to it yet
            continue
    return found


def _shown(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else name_of(annotation)
