"""Functions that take ``**options``: what their signatures show, and what they refuse."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, get_type_hints, is_typeddict

from hueyio.exceptions import ConfigurationError
from hueyio.tasks.given import closest

__all__ = ["check_names", "merged", "shows_options"]

F = TypeVar("F", bound=Callable[..., Any])


def shows_options(*sources: Callable[..., Any], names: Iterable[str] = ()) -> Callable[[F], F]:
    """Let the signature of a function with ``**options`` list the keywords of ``sources``, or only these names.

    A source is a function, a class, or a TypedDict, whose names have the default None.
    """

    def decorate(function: F) -> F:
        own = inspect.signature(function)
        wanted = frozenset(names)
        shown = {name: it for name, it in own.parameters.items() if it.kind is not it.VAR_KEYWORD}
        for source in sources:
            for name, parameter in _keywords_of(source).items():
                if name not in shown and (not wanted or name in wanted):
                    shown[name] = parameter.replace(kind=parameter.KEYWORD_ONLY)
        parameters = sorted(shown.values(), key=lambda it: it.kind)
        function.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        return function

    return decorate


def merged(given: Mapping[str, Any], storage_kwargs: Any) -> dict[str, Any]:
    """Return options with those of ``storage_kwargs`` over them; raises ConfigurationError if that is no mapping."""
    if storage_kwargs is not None and not isinstance(storage_kwargs, Mapping):
        raise ConfigurationError(f"storage_kwargs must be a dict of options, not {storage_kwargs!r}")
    return {**given, **(storage_kwargs or {})}


def _keywords_of(source: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    if is_typeddict(source):
        kind = inspect.Parameter.KEYWORD_ONLY
        hints = get_type_hints(source)
        return {name: inspect.Parameter(name, kind, default=None, annotation=hint) for name, hint in hints.items()}
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(source).parameters
    return {name: it for name, it in parameters.items() if it.kind in kinds and name != "self"}


def check_names(whose: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise ConfigurationError for an option that nobody knows, and say which one may have been meant."""
    known = frozenset(known)
    for name in given:
        if name not in known:
            close = closest(name, known, 0.6)
            meant = f"; did you mean {close!r}?" if close else ""
            raise ConfigurationError(f"{whose} has no option {name!r}{meant}")
