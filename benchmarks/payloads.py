"""What it costs to carry a model as the argument of a task: checked, written, read and made again.

The same order with two lines, as each kind of model, by each serializer. Everything is done in one process without any
storage, so that nothing else is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
import pydantic

from hueyio import EncryptedSerializer, JSONSerializer, MemoryHuey, Serializer, SignedSerializer
from hueyio.client.prepare import encode
from hueyio.core import core_of
from hueyio.messages.message import read_task

__all__ = ["measure_and_print"]

_ROUNDS: Final = 7


@dataclass
class Line:
    """One line of an order."""

    sku: str
    price: Decimal
    count: int


@dataclass
class Order:
    """As a data class."""

    id: UUID
    lines: list[Line]


class StructLine(msgspec.Struct):
    """The same as a Struct."""

    sku: str
    price: Decimal
    count: int


class StructOrder(msgspec.Struct):
    """The same as a Struct."""

    id: UUID
    lines: list[StructLine]


class ModelLine(pydantic.BaseModel):
    """The same as a model of pydantic."""

    sku: str
    price: Decimal
    count: int


class ModelOrder(pydantic.BaseModel):
    """The same as a model of pydantic."""

    id: UUID
    lines: list[ModelLine]


_ORDER: Final = Order(UUID(int=7), [Line("book", Decimal("12.50"), 2), Line("pen", Decimal("1.10"), 1)])
_PLAIN: Final = {
    "id": str(_ORDER.id),
    "lines": [{**asdict(line), "price": str(line.price)} for line in _ORDER.lines],
}
_STRUCT: Final = msgspec.convert(_PLAIN, StructOrder)
_MODEL: Final = ModelOrder.model_validate(_PLAIN)


def _take_order(order: Order) -> None: ...


def _take_struct(order: StructOrder) -> None: ...


def _take_model(order: ModelOrder) -> None: ...


def _take_dict(order: dict[str, Any]) -> None: ...


def _take_number(number: int) -> None: ...


class _Variant(NamedTuple):
    name: str
    serializer: Callable[[], Serializer]
    function: Callable[..., None]
    value: Any


def _typed() -> JSONSerializer:
    return JSONSerializer(typed=True)


def _encrypted() -> Serializer:
    return EncryptedSerializer(EncryptedSerializer.new_key(), serializer=_typed())


_VARIANTS: Final = (
    _Variant("pickle, number", Serializer, _take_number, 7),
    _Variant("typed JSON, number", _typed, _take_number, 7),
    _Variant("pickle, dataclass", Serializer, _take_order, _ORDER),
    _Variant("JSON, dict", JSONSerializer, _take_dict, _PLAIN),
    _Variant("typed JSON, dataclass", _typed, _take_order, _ORDER),
    _Variant("typed JSON, Struct", _typed, _take_struct, _STRUCT),
    _Variant("typed JSON, pydantic", _typed, _take_model, _MODEL),
    _Variant("pickle, pydantic", Serializer, _take_model, _MODEL),
    _Variant("signed typed JSON, dataclass", lambda: SignedSerializer("x", serializer=_typed()), _take_order, _ORDER),
    _Variant("encrypted typed JSON, dataclass", _encrypted, _take_order, _ORDER),
)


def measure_and_print(count: int) -> None:
    """Measure each variant and print: microseconds of CPU to write and to read one message, and its bytes."""
    for variant in _VARIANTS:
        written, read, size = _measure(variant, count)
        print(f"  {variant.name}: write {written:.1f} us, read {read:.1f} us, {size} bytes", flush=True)


def _measure(variant: _Variant, count: int) -> tuple[float, float, int]:
    huey = MemoryHuey("payloads", serializer=variant.serializer())
    core = core_of(huey)
    task: Any = huey.task(variant.function)
    spec, call = task.spec, task.s(variant.value)
    data = encode(core, call).data

    def read() -> None:
        spec.arguments(read_task(data, core.serializer))

    return _best_of(lambda: encode(core, call), count), _best_of(read, count), len(data)


def _best_of(do: Callable[[], object], count: int) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        begun = time.process_time()
        for _ in range(count):
            do()
        best = min(best, time.process_time() - begun)
    return best / count * 1_000_000
