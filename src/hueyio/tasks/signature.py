"""What a function takes, as its callers must know it: the signature of what is called.

A decorator that was made with ``functools.wraps`` shows the signature of the function inside, and may give that one
arguments of its own: a session, a record. What is called is what the decorator made, so its own parameters count, and
``*args, **kwargs`` take anything. What is shown still says which names the author of the function gave to parameters.
"""

from __future__ import annotations

import functools
import inspect
import logging
import types
from collections.abc import Callable, Mapping
from typing import Any, Final, Unpack, get_args, get_origin, get_type_hints

__all__ = [
    "binds",
    "innermost",
    "names_of",
    "passes_any_keyword",
    "positional_range",
    "shown_signature_of",
    "signature_of",
    "takes_any_keyword",
    "takes_anything",
    "takes_task",
    "takes_task_first",
    "without_task",
]

logger = logging.getLogger(__name__)

_POSITIONAL: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

_ANYTHING: Final = inspect.Signature(
    [
        inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
        inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD),
    ]
)


def signature_of(func: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of what is called; it takes anything where it cannot be told."""
    if _shows_that_of_another(func):
        func = _without_attributes(func)
    try:
        return inspect.signature(func, follow_wrapped=False)
    except ValueError:  # it is written in C and does not tell; functools.cache takes what the function inside takes
        return shown_signature_of(func)


def shown_signature_of(func: Callable[..., Any]) -> inspect.Signature:
    """Return the signature that a callable shows, which may be that of the function inside."""
    try:
        return inspect.signature(func)
    except ValueError:  # some callables written in C do not tell
        return _ANYTHING


def without_task(signature: inspect.Signature) -> inspect.Signature:
    """Return the signature as callers see it: without the injected ``task``."""
    return signature.replace(parameters=[it for it in signature.parameters.values() if it.name != "task"])


def takes_task_first(called: inspect.Signature, shown: inspect.Signature) -> bool:
    """Say whether the first positional parameter is ``task``: by keyword it would meet the first argument.

    Where what is called takes any arguments, the function inside says it.
    """
    first = _first_of(called)
    if first is not None and first.kind is first.VAR_POSITIONAL:
        first = _first_of(shown)
    return first is not None and first.name == "task" and first.kind in _POSITIONAL


def takes_task(called: inspect.Signature, shown: inspect.Signature) -> bool:
    """Say whether a run can be given its Task as ``task``."""
    if takes_task_first(called, shown):
        return True
    named = called.parameters.get("task")
    if named is not None:
        return named.kind in (named.POSITIONAL_OR_KEYWORD, named.KEYWORD_ONLY)
    return takes_any_keyword(called)


def takes_any_keyword(signature: inspect.Signature) -> bool:
    """Say whether there is a ``**kwargs``."""
    return any(it.kind is it.VAR_KEYWORD for it in signature.parameters.values())


def takes_anything(signature: inspect.Signature) -> bool:
    """Say whether it is ``*args, **kwargs`` without annotations, as of a decorator that passes on what it gets."""
    kinds = [it.kind for it in signature.parameters.values()]
    named = any(it.annotation is not it.empty for it in signature.parameters.values())
    return kinds == [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD] and not named


def names_of(func: Callable[..., Any], called: inspect.Signature) -> frozenset[str]:
    """Return the names by which arguments can be given: to what is called, and where it passes them on to."""
    passes_on = takes_any_keyword(called)
    inside = shown_signature_of(inspect.unwrap(func)) if passes_on else called
    named = frozenset(
        it.name
        for signature in (called, inside)
        for it in signature.parameters.values()
        if it.kind in (it.POSITIONAL_OR_KEYWORD, it.KEYWORD_ONLY)
    )
    return named | _names_of_any_keyword(inspect.unwrap(func), inside) if passes_on else named


def passes_any_keyword(func: Callable[..., Any], called: inspect.Signature) -> bool:
    """Say whether a name that nobody declared is an argument too: of what is called, and of the function inside.

    Not of ``**_``, which says that nobody looks at them, nor of ``**kwargs: Unpack[Fields]``, which says the names.
    """
    func = inspect.unwrap(func)
    inside = shown_signature_of(func)
    name = _any_keyword_of(inside)
    if not takes_any_keyword(called) or name is None or name.startswith("_") or inside is _ANYTHING:
        return False
    return not _names_of_any_keyword(func, inside)


def binds(signature: inspect.Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Say whether these arguments fit."""
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def positional_range(signature: inspect.Signature) -> tuple[float, float]:
    """Return how few and how many positional arguments alone are a valid call; an empty range if none is."""
    least, most = 0, 0.0
    for parameter in signature.parameters.values():
        required = parameter.default is parameter.empty
        match parameter.kind:
            case inspect.Parameter.POSITIONAL_ONLY | inspect.Parameter.POSITIONAL_OR_KEYWORD:
                least += required
                most += 1
            case inspect.Parameter.VAR_POSITIONAL:
                most = float("inf")
            case inspect.Parameter.KEYWORD_ONLY if required:
                return 1, 0
            case _:
                pass
    return least, most


def _any_keyword_of(signature: inspect.Signature) -> str | None:
    return next((it.name for it in signature.parameters.values() if it.kind is it.VAR_KEYWORD), None)


def _names_of_any_keyword(func: Any, signature: inspect.Signature) -> frozenset[str]:
    """Return the names that ``**kwargs: Unpack[Fields]`` says, with a TypedDict."""
    name = _any_keyword_of(signature)
    if name is None or signature.parameters[name].annotation is inspect.Parameter.empty:
        return frozenset()
    try:
        hint = get_type_hints(func).get(name)
    except Exception:  # an annotation is any expression, and may name what is imported for type checkers only
        logger.debug("the annotations of %r cannot be read", func, exc_info=True)
        return frozenset()
    return frozenset(get_args(hint)[0].__annotations__) if get_origin(hint) is Unpack else frozenset()


def _first_of(signature: inspect.Signature) -> inspect.Parameter | None:
    return next(iter(signature.parameters.values()), None)


def _shows_that_of_another(func: Any) -> bool:
    """Say whether ``functools.wraps`` has copied a signature that was set on the function inside."""
    own = getattr(func, "__signature__", None)
    inside = getattr(func, "__wrapped__", None)
    return own is not None and own is getattr(inside, "__signature__", None)


def _without_attributes(func: Any) -> Callable[..., Any]:
    """Return the same function without what was set on it; of another callable the method that is called."""
    if not inspect.isfunction(func):
        called: Callable[..., Any] = func.__call__
        return called
    copy = types.FunctionType(func.__code__, func.__globals__, func.__name__, func.__defaults__, func.__closure__)
    copy.__kwdefaults__ = func.__kwdefaults__
    return copy


def innermost(func: Any) -> Any:
    """Return the function inside of decorators and partials."""
    while True:
        inside = func.func if isinstance(func, functools.partial) else inspect.unwrap(func)
        if inside is func:
            return func
        func = inside
