"""The arguments and the result of one function, by its annotations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple, Optional, Unpack, get_args, get_origin

from hueyio.exceptions import SerializationError, TaskArgumentError
from hueyio.serializer.json_values import SIMPLE
from hueyio.serializer.typed.annotations import Names, read_annotation, returned_by, without_outcomes
from hueyio.serializer.typed.converters import UNTYPED, Converter, WrongTypeError, converter_of
from hueyio.serializer.typed.plain import to_plain

__all__ = ["AnnotatedCall"]

_BY_POSITION: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_BY_NAME: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_PLAIN_KINDS: Final = SIMPLE | {float, list, dict, tuple}


class _Parameters(NamedTuple):
    """What is done for each argument, by position and by name, and for those that ``*`` and ``**`` take."""

    by_position: tuple[tuple[str, Converter], ...]
    others: Converter
    by_name: Mapping[str, Converter]
    other_names: Converter
    annotations: tuple[Any, ...]
    """Those of the parameters by position."""


class AnnotatedCall:
    """One function; see ``TypedCall``. Its annotations are read when they are first needed, once."""

    def __init__(self, path: str, function: Callable[..., Any], signature: inspect.Signature) -> None:
        self._path = path
        self._function = function
        self._signature = signature

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
        by_position: list[tuple[str, Converter]] = []
        by_name: dict[str, Converter] = {}
        others: Converter = UNTYPED
        other_names: Converter = UNTYPED
        annotations: list[Any] = []
        for parameter in self._signature.parameters.values():
            what = f"task {self._path}: parameter {parameter.name!r}"
            annotation = _annotation_of(parameter, names, what)
            if parameter.kind is parameter.VAR_KEYWORD and get_origin(annotation) is Unpack:
                by_name.update(_of_fields(get_args(annotation)[0], names, what))
                continue
            converter = converter_of(annotation, what)
            if parameter.kind in _BY_POSITION:
                by_position.append((parameter.name, converter))
                annotations.append(annotation)
            if parameter.kind in _BY_NAME:
                by_name[parameter.name] = converter
            if parameter.kind is parameter.VAR_POSITIONAL:
                others = converter
            if parameter.kind is parameter.VAR_KEYWORD:
                other_names = converter
        return _Parameters(tuple(by_position), others, by_name, other_names, tuple(annotations))

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
            (name, converter, value) for (name, converter), value in zip(by_position, args, strict=False)
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
        name: str | int = position + 1
        annotation: Any = Any
        if position < len(self._parameters.by_position):
            name, annotation = self._parameters.by_position[position][0], self._parameters.annotations[position]
        converter = converter_of(_item_of(annotation), f"task {self._path}: parameter {name!r}")
        return [self._read(name, converter, it) if type(it) in _PLAIN_KINDS else it for it in values]

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
    return annotation if parameter.default is not None or annotation is Any else Optional[annotation]  # noqa: UP045  whatever it is


def _of_fields(fields: Any, names: Names, what: str) -> dict[str, Converter]:
    """Return what is done for the keywords that ``**kwargs: Unpack[Fields]`` names."""
    hints = {name: read_annotation(it, names, what) for name, it in fields.__annotations__.items()}
    return {name: converter_of(get_args(it)[0] if _is_qualified(it) else it, what) for name, it in hints.items()}


def _is_qualified(annotation: Any) -> bool:
    return getattr(get_origin(annotation), "_name", "") in ("Required", "NotRequired", "ReadOnly")


def _item_of(annotation: Any) -> Any:
    """Return the type of what is in a list; of anything else nothing is known."""
    parts = get_args(without_outcomes(annotation))
    return next(iter(parts), Any) if isinstance(get_origin(annotation), type) and len(parts) <= 2 else Any
