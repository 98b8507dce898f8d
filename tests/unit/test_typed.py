"""Arguments and results by annotations: what arrives, what is refused and in which words."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from functools import partial, wraps
from ipaddress import IPv4Address
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Generic,
    Literal,
    NamedTuple,
    Never,
    Required,
    TypedDict,
    TypeVar,
    Unpack,
)
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hueyio import (
    ConfigurationError,
    EncryptedSerializer,
    Error,
    JSONSerializer,
    MemoryHuey,
    SerializationError,
    Serializer,
    SignedSerializer,
    Task,
    TaskArgumentError,
    TaskException,
)
from hueyio.contrib.depends import Depends, inject
from hueyio.messages.message import read_task, write_task
from hueyio.messages.stored_result import Returned, read_ending, write_ending
from hueyio.tasks.declared import TaskOptions, TaskSpec

if TYPE_CHECKING:
    from fractions import Fraction

T = TypeVar("T")


@dataclass
class Line:
    sku: str
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    id: UUID
    lines: list[Line] = field(default_factory=list)
    price: Decimal = Decimal(0)
    paid: datetime | None = None


@dataclass
class Invoice:
    """It looks like a Line."""

    sku: str
    count: int = 1


@dataclass
class Special(Line):
    discount: int = 0


@dataclass(eq=False)
class Unequal:
    at: datetime
    lines: list[Line]


@dataclass
class Node:
    value: int
    next: Node | None = None


@dataclass
class Page(Generic[T]):
    items: list[T]


@dataclass
class Checked:
    """Whose making may raise anything."""

    least: int

    def __post_init__(self) -> None:
        if self.least < 0:
            raise KeyError("negative")


class Point(msgspec.Struct):
    x: int
    raw: bytes = b""


class Cat(msgspec.Struct, tag=True):
    lives: int


class Dog(msgspec.Struct, tag=True):
    name: str


class Options(TypedDict, total=False):
    size: Required[int]
    until: date


class Span(NamedTuple):
    start: date
    days: int = 1


class Colour(Enum):
    RED = "r"
    BLUE = "b"


class Level(IntEnum):
    LOW = 1


class Word(StrEnum):
    YES = "y"


class Mixed(Enum):
    """Whose values have several types: msgspec knows none such."""

    ONE = 1
    TWO = "two"


class Customer(pydantic.BaseModel):
    name: str
    born: date | None = None
    tags: set[str] = set()


class Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True, extra="forbid")
    at: datetime


class Aliased(pydantic.BaseModel):
    size: int = pydantic.Field(alias="theSize")


class Login(pydantic.BaseModel):
    password: pydantic.SecretStr


class Priced(pydantic.BaseModel):
    x: int
    hidden: int = pydantic.Field(default=0, exclude=True)

    @pydantic.computed_field
    def double(self) -> int:
        return 2 * self.x


class Numbered(pydantic.BaseModel, Generic[T]):
    items: list[T]


class Numbers(pydantic.RootModel[list[int]]):
    pass


@pydantic.dataclasses.dataclass
class Few:
    count: Annotated[int, pydantic.Field(lt=5)]


class Mongrel(msgspec.Struct):
    """A model inside of what pydantic does not know."""

    customer: Customer


NOW: Final = datetime(2026, 10, 25, 2, 30, tzinfo=UTC)
ORDER: Final = Order(id=UUID(int=7), lines=[Line("book"), Line("pen", 3)], price=Decimal("1.10"), paid=NOW)

VALUES: Final[list[tuple[Any, Any]]] = [
    (Order, ORDER),
    (Node, Node(1, Node(2))),
    (Page[date], Page([date(2026, 1, 2)])),
    (Unequal, Unequal(NOW, [Line("a")])),
    (Point, Point(1, b"\x00\xff")),
    (Cat | Dog, Dog("Rex")),
    (Options, {"size": 1, "until": date(2026, 1, 2)}),
    (Span, Span(date(2026, 1, 2), 3)),
    (Colour, Colour.BLUE),
    (Level, Level.LOW),
    (Word, Word.YES),
    (Mixed, Mixed.TWO),
    (datetime, NOW),
    (datetime, datetime(2026, 10, 25, 2, 30)),
    (datetime, datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))),
    (date, date(2026, 1, 2)),
    (time, time(1, 2, 3, 4)),
    (timedelta, timedelta(days=-3, microseconds=5)),
    (UUID, UUID(int=7)),
    (Decimal, Decimal("1.100")),
    (bytes, b"\x00\xff"),
    (set[int], {1, 2}),
    (frozenset[date], frozenset([date(2026, 1, 2)])),
    (tuple[int, str], (1, "a")),
    (tuple[UUID, ...], (UUID(int=1), UUID(int=2))),
    (list[Order], [ORDER]),
    (Sequence[int], [1, 2]),
    (Iterable[date], [date(2026, 1, 2)]),
    (Checked, Checked(1)),
    (Never, None),
    (Priced, Priced(x=1)),
    (Numbered[date], Numbered[date](items=[date(2026, 1, 2)])),
    (dict[str, Order], {"a": ORDER}),
    (dict[int, date], {1: date(2026, 1, 2)}),
    (Mapping[UUID, Colour], {UUID(int=7): Colour.RED}),
    (Order | None, None),
    (int | str | None, "a"),
    (Literal["a", 2], 2),
    (float, 1),
    (Annotated[int, msgspec.Meta(ge=1)], 1),
    (Customer, Customer(name="Ada", born=date(2026, 1, 2), tags={"a"})),
    (list[Customer | Strict], [Strict(at=NOW), Customer(name="Ada")]),
    (Customer | int, 5),
    (Strict, Strict(at=NOW)),
    (Aliased, Aliased(theSize=3)),
    (Numbers, Numbers([1, 2])),
    (Few, Few(4)),
    (Annotated[int, pydantic.Field(gt=3)], 5),
    (Mongrel, Mongrel(Customer(name="Ada"))),
    (Line | Order, ORDER),  # two data classes in a union: pydantic tells them apart
    (Path, Path("/tmp")),
    (IPv4Address, IPv4Address("10.0.0.1")),
    (deque[int], deque([1, 2])),
    (Any, [1, {"a": None}]),
    (object, "a"),
]
"""Types, and values of them."""

SERIALIZERS: Final[dict[str, Callable[[], Serializer]]] = {
    "pickle": Serializer,
    "typed": partial(JSONSerializer, typed=True),
    "typed by json": partial(JSONSerializer, typed=True, library="json"),
    "typed, compressed": partial(JSONSerializer, True, typed=True),
    "typed, signed": lambda: SignedSerializer("secret", serializer=JSONSerializer(typed=True)),
    "typed, encrypted": lambda: EncryptedSerializer(bytes(32), serializer=JSONSerializer(typed=True)),
}


def declare(function: Callable[..., Any], serializer: Serializer | None = None, **options: Any) -> TaskSpec:
    spec = TaskSpec("shop.work", function, TaskOptions(**options))
    spec.use_types((serializer or JSONSerializer(typed=True)).types)
    return spec


def taking(annotation: Any) -> Callable[..., Any]:
    """Return a function that takes and returns such a value."""

    def work(it: Any) -> Any: ...

    work.__annotations__ = {"it": annotation, "return": annotation}
    return work


def refusal(spec: TaskSpec, *args: Any, **kwargs: Any) -> str:
    assert spec.types is not None
    with pytest.raises(TaskArgumentError) as caught:
        spec.types.check(args, kwargs)
    return str(caught.value)


def carried(spec: TaskSpec, serializer: Serializer, *args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], Any]:
    """Return what the function gets of a call that goes through its message."""
    if spec.types is not None:
        spec.types.check(args, kwargs)
    return spec.arguments(read_task(write_task(Task("shop.work", args, kwargs), serializer), serializer))


def is_alike(one: Any, other: Any) -> bool:
    if isinstance(one, Unequal):
        return bool(vars(one) == vars(other))
    if isinstance(one, datetime) and one.tzinfo is not None:
        return bool(one.timestamp() == other.timestamp())  # in an hour that occurs twice zones are never equal
    return bool(one == other)


@pytest.mark.parametrize(("annotation", "value"), VALUES, ids=[str(annotation) for annotation, _ in VALUES])
def test_value_arrives_as_it_was_as_argument_and_as_result_by_each_serializer(annotation: Any, value: Any) -> None:
    for make in SERIALIZERS.values():
        carry(annotation, value, make())


def carry(annotation: Any, value: Any, serializer: Serializer) -> None:
    spec = declare(taking(annotation), serializer)
    (argument,), keywords = carried(spec, serializer, value)
    assert is_alike(value, argument)
    assert is_alike(value, carried(spec, serializer, it=value)[1]["it"])
    assert keywords == {}
    ending = read_ending(write_ending(Returned(value), serializer), serializer)
    assert isinstance(ending, Returned)
    if spec.types is not None:
        spec.types.check_result(value)
        assert is_alike(value, spec.types.read_result(ending.value))


orders = st.builds(
    Order,
    id=st.uuids(),
    lines=st.lists(st.builds(Line, st.text(), st.integers()), max_size=3),
    price=st.decimals(allow_nan=False, allow_infinity=False),
    paid=st.none() | st.datetimes(timezones=st.just(UTC) | st.builds(timezone, st.just(timedelta(hours=5)))),
)
customers = st.builds(Customer, name=st.text(), born=st.none() | st.dates(), tags=st.sets(st.text(), max_size=3))


@given(orders, st.lists(customers, max_size=3), st.dictionaries(st.dates(), st.binary() | st.none(), max_size=3))
@settings(max_examples=25)
def test_any_order_arrives_as_it_was(order: Order, customers: list[Customer], kept: dict[date, bytes | None]) -> None:
    def work(order: Order, customers: list[Customer], *, kept: dict[date, bytes | None]) -> None: ...

    serializer = JSONSerializer(typed=True)
    args, kwargs = carried(declare(work), serializer, order, customers, kept=kept)
    assert (args, kwargs) == ((order, customers), {"kept": kept})


@given(orders)
@settings(max_examples=25)
def test_what_was_carried_once_may_be_carried_again(order: Order) -> None:
    """A message that was read back from the queue has the JSON forms; so has one of the command line."""
    serializer = JSONSerializer(typed=True)
    spec = declare(taking(Order))
    task = read_task(write_task(Task("shop.work", (order,)), serializer), serializer)
    assert carried(spec, serializer, *task.args) == ((order,), {})


REFUSED: Final[list[tuple[Any, Any, str]]] = [
    (Order, "x", "does not fit Order: expected object, got str"),
    (Order, {"lines": []}, "does not fit Order: object missing required field id"),
    (Order, Order(id=7), "does not fit Order: expected uuid, got int at it.id"),  # type: ignore[arg-type]
    (list[Line], [Line("a"), Line("b", "c")], "does not fit list[Line]: expected int, got str at it[1].count"),  # type: ignore[arg-type]
    (Line, Invoice("a"), "does not fit Line: a value of type Invoice would arrive as Line"),
    (Line, Special("a"), "does not fit Line: a value of type Special would arrive as Line"),
    (list[Line], [Special("a")], "does not fit list[Line]: its JSON form does not say all of it"),
    (Login, Login(password=pydantic.SecretStr("x")), "does not fit Login: its JSON form does not say all of it"),
    (datetime, "soon", "does not fit datetime: invalid RFC3339 encoded datetime"),
    (int, "5", "does not fit int: expected int, got str"),
    (int, True, "does not fit int: expected int, got bool"),
    (int, Level.LOW, "does not fit int: a value of type Level would arrive as int"),
    (Decimal, Decimal("NaN"), "does not fit Decimal: its JSON form does not say all of it"),
    (int | None, 1.5, "does not fit int | None: expected int | null, got float"),
    (Colour, "green", "does not fit Colour: invalid enum value 'green'"),
    (Literal["a", "b"], "c", "does not fit Literal['a', 'b']: invalid enum value 'c'"),
    (Annotated[int, msgspec.Meta(ge=1)], 0, "does not fit int: expected int >= 1"),
    (Annotated[int, pydantic.Field(gt=3)], 2, "does not fit int: input should be greater than 3"),
    (Checked, {"least": -1}, "does not fit Checked: KeyError: 'negative'"),
    (Priced, Priced(x=1, hidden=2), "does not fit Priced: its JSON form does not say all of it"),
    (set, {date(2026, 1, 2)}, "does not fit set: its JSON form does not say all of it"),
    (bytes, bytearray(b"a"), "does not fit bytes: a value of type bytearray would arrive as bytes"),
    (Customer, {"name": 5}, "does not fit Customer: input should be a valid string at it.name"),
    (Strict, {"at": "2026-01-02T03:04:05Z", "b": 1}, "extra inputs are not permitted at it.b"),
    (Mongrel, {"customer": {"name": 5}}, "does not fit Mongrel: input should be a valid string at it.customer.name"),
    (Few, {"count": 7}, "does not fit Few: input should be less than 5 at it.count"),
    (dict[str, int], {"a": object()}, "does not fit dict[str, int]: it has something of type object"),
    (list[int], (it for it in [1]), "does not fit list[int]: it has something of type generator"),
    (Any, ORDER, "has no annotation that says how to write it: value is of type Order"),
    (Any, {1: 2}, "has no annotation that says how to write it: value has the key 1"),
    (list[Any], [ORDER], "does not fit list[Any]: its JSON form does not say all of it"),
]


@pytest.mark.parametrize(("annotation", "value", "complaint"), REFUSED, ids=[it[2] for it in REFUSED])
def test_value_that_does_not_fit_is_refused_in_a_sentence(annotation: Any, value: Any, complaint: str) -> None:
    text = refusal(declare(taking(annotation)), value)
    assert text.startswith("task shop.work: argument 'it' ")
    assert complaint in text
    assert "\n" not in text


def test_message_of_yesterdays_model_is_read_by_todays() -> None:
    serializer = JSONSerializer(typed=True)

    @dataclass
    class Yesterday:
        sku: str
        colour: str = "red"

    message = write_task(Task("shop.work", (Yesterday("a"),)), serializer)
    args, _ = declare(taking(Line)).arguments(read_task(message, serializer))
    assert args == (Line("a", count=1),)  # a new field has its default, one that was removed is left out
    for today in (Strict, UUID, Order):
        with pytest.raises(TaskArgumentError, match=rf"task shop.work: argument 'it' does not fit {today.__name__}: "):
            declare(taking(today)).arguments(read_task(message, serializer))
    spec = declare(taking(Strict))
    task = read_task(message, serializer)
    assert spec.refuses(task, TaskArgumentError("whatever it says"))
    assert not declare(taking(Line)).refuses(task, TaskArgumentError("of another task that the body called"))


def test_each_kind_of_parameter_has_its_annotation() -> None:
    class Fields(TypedDict):
        since: date

    def work(first: Line, /, second: date, *more: Decimal, last: Line, **others: UUID) -> None: ...

    def named(first: Line, **fields: Any) -> None: ...

    named.__annotations__["fields"] = Unpack[Fields]
    serializer, day = JSONSerializer(typed=True), date(2026, 1, 2)
    args, kwargs = (Line("a"), day, Decimal(1), Decimal(2)), {"last": Line("b"), "z": UUID(int=1)}
    assert carried(declare(work), serializer, *args, **kwargs) == (args, kwargs)
    assert "argument 4 does not fit Decimal" in refusal(declare(work), Line("a"), day, Decimal(1), "x", last=Line("b"))
    assert "argument 'z' does not fit UUID" in refusal(declare(work), Line("a"), day, last=Line("b"), z=1)
    assert carried(declare(named), serializer, Line("a"), since=day) == ((Line("a"),), {"since": day})
    assert "argument 'since' does not fit date" in refusal(declare(named), Line("a"), since=3)


def test_parameters_that_no_caller_gives_are_left_out() -> None:
    def open_shop() -> Any: ...

    @inject
    def injected(line: Line, shop: object = Depends(open_shop)) -> None: ...

    def in_context(task: Task, line: Line) -> None: ...

    def with_default(line: Line = None, *, at: datetime = NOW) -> None: ...  # type: ignore[assignment]

    serializer = JSONSerializer(typed=True)
    assert carried(declare(injected), serializer, Line("a")) == ((Line("a"),), {})
    task = Task("shop.work", ({"sku": "a"},))
    assert declare(in_context, context=True).arguments(task) == ((task, Line("a")), {})
    assert carried(declare(with_default), serializer) == ((), {})
    assert carried(declare(with_default), serializer, None) == ((None,), {})


def test_decorator_that_passes_on_what_it_gets_shows_the_annotations_inside() -> None:
    def work(line: Line) -> Line: ...  # type: ignore[empty-body]

    @wraps(work)
    def passing(*args, **kwargs): ...  # type: ignore[no-untyped-def]

    serializer = JSONSerializer(typed=True)
    assert carried(declare(passing), serializer, Line("a")) == ((Line("a"),), {})
    assert carried(declare(partial(work, Line("b"))), serializer) == ((), {})


def test_errors_and_the_values_of_a_chord_pass_as_they_are() -> None:
    def handle(why: str, error: Exception) -> None: ...

    def collect(prefix: str, values: list[Line | Error]) -> None: ...

    def collect_some(values: list[Line] | None = None) -> None: ...

    some = Task("shop.work", values=[{"sku": "a"}])
    assert declare(collect_some).arguments(some) == (([Line("a")],), {})
    error = TaskException({"error": "x"})
    assert declare(handle).arguments(Task("shop.work", ("why", error))) == (("why", error), {})
    failure = Error({"error": "x"})
    callback = Task("shop.work", ("a",), values=[{"sku": "a"}, failure])
    assert declare(collect).arguments(callback) == (("a", [Line("a"), failure]), {})
    callback.values = [{"sku": 1}]
    with pytest.raises(
        TaskArgumentError, match=r"argument 'values' does not fit Line: expected str, got int at values\.sku"
    ):
        declare(collect).arguments(callback)


def test_class_below_the_function_and_class_around_it_are_found() -> None:
    @dataclass
    class Local:
        a: int

    def work(it: Local, later: list[Later]) -> Any:
        return Local

    assert carried(declare(work), JSONSerializer(typed=True), Local(1), [Later(2)]) == ((Local(1), [Later(2)]), {})


class Strange:
    """Neither library knows such a class."""


@dataclass
class Later:
    b: int


def test_annotation_that_cannot_be_used_is_an_error_that_says_what_to_do() -> None:
    @dataclass
    class Local:
        a: int

    def hidden(it: Local) -> None: ...

    def only_checked(it: Fraction) -> None: ...

    def strange(it: list[Strange]) -> None: ...

    def nowhere(it: list[Nowhere]) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    def returns() -> Fraction: ...  # type: ignore[empty-body]

    huey = MemoryHuey(serializer=JSONSerializer(typed=True))
    cases: list[tuple[Any, str]] = [
        (hidden, "Local names 'Local', which is not there when the task runs: declare it"),
        (only_checked, "Fraction names 'Fraction', which is not there .* import it outside of `if TYPE_CHECKING`"),
        (strange, r"list\[Strange\] is of no use to JSON: Strange cannot be made of JSON"),
        (nowhere, r"list\[Nowhere\] names 'Nowhere'"),
    ]
    for function, complaint in cases:
        task: Any = huey.task(function)
        with pytest.raises(
            ConfigurationError, match=rf"^task {re.escape(task.path)}: parameter 'it': its annotation {complaint}"
        ):
            task(1)
        task.unregister()
    huey.task(returns)
    with pytest.raises(ConfigurationError, match=r"returns: what it returns: its annotation Fraction names"):
        huey.create_consumer()


def test_pydantic_is_not_imported_where_nothing_needs_it() -> None:
    program = (
        "import sys; from hueyio import JSONSerializer, MemoryHuey; from datetime import date\n"
        "huey = MemoryHuey(serializer=JSONSerializer(typed=True))\n"
        "@huey.task\ndef work(it: list[date]) -> date: ...\n"
        "work.s([date(2026, 1, 2)]); huey.create_consumer(); print('msgspec' in sys.modules, 'pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True False\n"


def test_types_come_and_go_with_the_serializer() -> None:
    huey = MemoryHuey()

    @huey.task
    def work(line: Line) -> None: ...

    assert work.spec.types is None
    huey.serializer = JSONSerializer(typed=True)
    with pytest.raises(TaskArgumentError, match="argument 'line' does not fit Line"):
        work.s(3)
    huey.serializer = JSONSerializer()
    assert work.spec.types is None
    with pytest.raises(ConfigurationError, match="returns= is for a serializer with types"):
        huey.result_of("id", returns=Line)
    with pytest.raises(ConfigurationError, match="typed must be True or False"):
        JSONSerializer(typed="yes")  # type: ignore[arg-type]


def test_calls_are_unique_by_what_they_say_however_it_is_written() -> None:
    def work(customer: Customer, at: datetime = NOW) -> None: ...

    spec, serializer = declare(work), JSONSerializer(typed=True)
    task = Task("shop.work", (Customer(name="Ada"),))
    read = read_task(write_task(task, serializer), serializer)
    other = Task("shop.work", (Customer(name="Bob"),))
    assert spec.unique_key(task, None) == spec.unique_key(read, None) != spec.unique_key(other, None)

    def name_of(customer: Customer) -> str:
        return customer.name

    assert spec.unique_key(task, name_of) == spec.unique_key(read, name_of) == "shop.work:Ada"


def test_stored_value_that_does_not_fit_is_refused_when_it_is_read() -> None:
    spec = declare(taking(Line))
    assert spec.types is not None
    with pytest.raises(
        SerializationError, match=r"shop\.work returned does not fit Line: expected str, got int at value\.sku"
    ):
        spec.types.read_result({"sku": 1})
    with pytest.raises(SerializationError, match="the value does not fit Line: a value of type Invoice"):
        spec.types.check_result(Invoice("a"))


def test_dataclass_that_is_an_error_is_no_argument() -> None:
    @dataclass
    class Refused(Exception):
        code: int

    with pytest.raises(SerializationError, match="Refused, which has no JSON form"):
        write_ending(Returned(Refused(1)), JSONSerializer(typed=True))
