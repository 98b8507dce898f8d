"""The arguments and the result of one function, by its annotations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from types import NoneType, UnionType
from typing import Any, Final, Optional, Union, Unpack, get_args, get_origin

from hueyio.exceptions import SerializationError, TaskArgumentError
from hueyio.named_tuple import NamedTuple
from hueyio.serializer.json_values import SIMPLE
from hueyio.serializer.typed.annotations import Names, read_annotation, returned_by, without_outcomes
from hueyio.serializer.typed.converters import UNTYPED, Converter, WrongTypeError, converter_of
from hueyio.serializer.typed.plain import to_plain

__all__ = ["AnnotatedCall"]

_BY_POSITION: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_BY_NAME: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_REST: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_PLAIN_KINDS: Final = SIMPLE | {float, list, dict, tuple}


class _Parameter(NamedTuple):
    """One parameter, and what is done for its arguments."""

    kind: Any
    name: str
    annotation: Any
    converter: Converter


class _Parameters(NamedTuple):
    """What is done for each argument, by position and by name, and for those that ``*`` and ``**`` take."""

    by_position: tuple[_Parameter, ...]
    others: Converter
    by_name: Mapping[str, Converter]
    other_names: Converter


class AnnotatedCall:
    """One function; see ``TypedCall``. Its annotations are read when they are first needed, once."""

    def __init__(self, path: str, function: Callable[..., Any], signature: inspect.Signature) -> None:
        self._path = path
        self._function = function
        self._signature = signature
        self._items: dict[str, Converter] = {}
        """What is done for each value of a parameter that gets those of a chord's members."""

    def prepare(self) -> None:
        """Read the annotations; raises ConfigurationError for one that cannot be used."""
        _ = self._parameters, self._returns

    def check(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Raise TaskArgumentError for the first argument that would not arrive as it is given."""
        for name, converter, value in self._matched(args, kwargs):
            try:
                if not isinstance(value, BaseException):  # an error handler's: it has a way of its own
                    converter.check(value)
            except WrongTypeError as wrong:
                raise self._refusal(name, wrong) from None

    def read(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], collects: bool
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return what the function is called with, given what a message has; raises TaskArgumentError.

        ``collects``: the last one is what the members of a chord returned.
        """
        values: tuple[Any, ...] = ()
        if collects:
            args, values = args[:-1], (self._read_collected(len(args) - 1, args[-1]),)
        read = [self._read(name, converter, value) for name, converter, value in self._matched(args, kwargs)]
        return (*read[: len(args)], *values), dict(zip(kwargs, read[len(args) :], strict=True))

    def to_plain(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return what JSON has in the place of these arguments, defaults too; raises TaskArgumentError."""
        try:
            return {name: to_plain(value) for name, value in arguments.items()}
        except SerializationError as error:
            raise TaskArgumentError(f"task {self._path}: an argument cannot be serialised: {error}") from None

    def check_result(self, value: Any) -> None:
        """Raise SerializationError unless what the function returned would arrive as it is."""
        try:
            self._returns.check(value)
        except WrongTypeError as wrong:
            raise SerializationError(f"the value {wrong.sentence('value')}") from None

    def read_result(self, plain: Any) -> Any:
        """Return what the function returned, given what is stored; raises SerializationError."""
        try:
            return self._returns.read(plain)
        except WrongTypeError as wrong:
            raise SerializationError(f"what {self._path} returned {wrong.sentence('value')}") from None

    @cached_property
    def _parameters(self) -> _Parameters:
        names = Names(self._function)
        every = [it for declared in self._signature.parameters.values() for it in self._read_one(declared, names)]
        rest = {it.kind: it.converter for it in every if it.kind in _REST}
        return _Parameters(
            tuple(it for it in every if it.kind in _BY_POSITION),
            rest.get(inspect.Parameter.VAR_POSITIONAL, UNTYPED),
            {it.name: it.converter for it in every if it.kind in _BY_NAME},
            rest.get(inspect.Parameter.VAR_KEYWORD, UNTYPED),
        )

    def _read_one(self, declared: inspect.Parameter, names: Names) -> list[_Parameter]:
        """Read the annotation of a parameter; ``**kwargs: Unpack[Fields]`` is one for each field."""
        what = f"task {self._path}: parameter {declared.name!r}"
        annotation = _annotation_of(declared, names, what)
        if declared.kind is not declared.VAR_KEYWORD or get_origin(annotation) is not Unpack:
            return [_Parameter(declared.kind, declared.name, annotation, converter_of(annotation, what))]
        fields = get_args(annotation)[0].__annotations__
        hints = {name: _unqualified(read_annotation(it, names, what)) for name, it in fields.items()}
        return [_Parameter(declared.KEYWORD_ONLY, name, it, converter_of(it, what)) for name, it in hints.items()]

    @cached_property
    def _returns(self) -> Converter:
        annotation = self._signature.return_annotation
        if annotation is inspect.Signature.empty:
            return UNTYPED
        what = f"task {self._path}: what it returns"
        return converter_of(returned_by(read_annotation(annotation, Names(self._function), what)), what)

    def _matched(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[tuple[str | int, Converter, Any]]:
        """List the arguments in order, with their names (or places, counted from 1) and what is done for each."""
        parameters = self._parameters
        by_position = parameters.by_position
        matched: list[tuple[str | int, Converter, Any]] = [
            (it.name, it.converter, value) for it, value in zip(by_position, args, strict=False)
        ]
        for place in range(len(by_position), len(args)):
            matched.append((place + 1, parameters.others, args[place]))
        for name, value in kwargs.items():
            matched.append((name, parameters.by_name.get(name, parameters.other_names), value))
        return matched

    def _read(self, name: str | int, converter: Converter, value: Any) -> Any:
        if isinstance(value, BaseException):
            return value
        try:
            return converter.read(value)
        except WrongTypeError as wrong:
            raise self._refusal(name, wrong) from None

    def _read_collected(self, position: int, values: list[Any]) -> list[Any]:
        """Read what members returned; what is none of it, because one failed or was never run, stays as it is."""
        by_position = self._parameters.by_position
        if position >= len(by_position):
            return values
        parameter = by_position[position]
        if parameter.name not in self._items:
            what = f"task {self._path}: parameter {parameter.name!r}"
            self._items[parameter.name] = converter_of(_item_of(parameter.annotation), what)
        converter = self._items[parameter.name]
        return [self._read(parameter.name, converter, it) if type(it) in _PLAIN_KINDS else it for it in values]

    def _refusal(self, name: str | int, wrong: WrongTypeError) -> TaskArgumentError:
        shown, place = (f"argument {name!r}", name) if isinstance(name, str) else (f"argument {name}", "value")
        return TaskArgumentError(f"task {self._path}: {shown} {wrong.sentence(place)}")


def _annotation_of(parameter: inspect.Parameter, names: Names, what: str) -> Any:
    if parameter.annotation is parameter.empty:
        return Any
    annotation = read_annotation(parameter.annotation, names, what)
    if getattr(annotation, "__origin__", None) is not None and type(annotation).__name__.startswith("ParamSpec"):
        return Any  # *args: P.args, **kwargs: P.kwargs
    if get_origin(annotation) is Unpack and parameter.kind is parameter.VAR_POSITIONAL:
        return Any
    if parameter.default is not None or annotation is Any:
        return annotation
    return Optional[annotation]  # noqa: UP045  not all annotations have the operator


def _unqualified(annotation: Any) -> Any:
    """Return the type of a field of a TypedDict, whether or not it says that it is required."""
    is_qualified = getattr(get_origin(annotation), "_name", "") in ("Required", "NotRequired", "ReadOnly")
    return get_args(annotation)[0] if is_qualified else annotation


def _item_of(annotation: Any) -> Any:
    """Return the type of what is in a list, which may be left out; of anything else nothing is known."""
    annotation = without_outcomes(annotation)
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        left = [part for part in parts if part is not NoneType]
        return _item_of(left[0]) if len(left) == 1 else Any
    return parts[0] if isinstance(origin, type) and len(parts) in (1, 2) else Any
