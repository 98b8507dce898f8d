"""Values to bytes and back, by each serializer; what is damaged, forged or foreign is refused."""

from __future__ import annotations

import gzip
import json
import logging
import pickle
import tracemalloc
import zlib
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hueyio import (
    CancelExecution,
    ConfigurationError,
    JSONSerializer,
    RetryTask,
    SerializationError,
    Serializer,
    SignedSerializer,
    TaskException,
    TaskRevoked,
)
from hueyio.messages.message import read_task, write_task
from hueyio.tasks.task import Task

LIBRARIES: Final[list[Any]] = ["json", *(["msgspec"] if find_spec("msgspec") else [])]

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
json_values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5), max_leaves=20
)
pickle_values = st.recursive(
    leaves | st.binary() | st.datetimes(), lambda inner: st.lists(inner) | st.tuples(inner, inner), max_leaves=20
)


class Armed:
    """Does something when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


class Colour(IntEnum):
    RED = 1


class Point(NamedTuple):
    x: int
    y: int


class Text(str):
    """A text that is more than one."""


class Hex(Serializer):
    """A user's own format."""

    def _serialize(self, value: Any) -> bytes:
        return bytes(value).hex().encode()

    def _deserialize(self, data: bytes) -> Any:
        return bytes.fromhex(data.decode())


COMPRESSIONS: Final[list[dict[str, Any]]] = [
    {},
    {"compression": True},
    {"compression": True, "use_zlib": True},
    {"compression": True, "compression_level": 0},
]


@pytest.mark.parametrize("options", COMPRESSIONS, ids=str)
@pytest.mark.parametrize("make", [Serializer, lambda **options: SignedSerializer("secret", **options)])
@given(value=pickle_values)
def test_pickle_gives_back_what_it_got(make: Callable[..., Serializer], options: dict[str, Any], value: Any) -> None:
    serializer = make(**options)
    assert serializer.deserialize(serializer.serialize(value)) == value


@pytest.mark.parametrize("use_zlib", [False, True])
def test_compression_makes_less(use_zlib: bool) -> None:
    value = "same " * 1000
    assert len(Serializer(True, use_zlib=use_zlib).serialize(value)) < len(Serializer().serialize(value)) / 10


def test_compression_is_of_the_kind_that_was_asked_for() -> None:
    assert pickle.loads(gzip.decompress(Serializer(compression=True).serialize("x"))) == "x"
    assert pickle.loads(zlib.decompress(Serializer(compression=True, use_zlib=True).serialize("x"))) == "x"


@pytest.mark.parametrize("use_zlib", [False, True])
def test_uncompressed_data_is_read_with_a_warning_when_compression_is_on(
    use_zlib: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert Serializer(compression=True, use_zlib=use_zlib).deserialize(Serializer().serialize("x")) == "x"
    assert "uncompressed" in caplog.text


def test_data_of_either_compression_is_read_by_the_other() -> None:
    one, two = Serializer(compression=True), Serializer(compression=True, use_zlib=True)
    assert two.deserialize(one.serialize("x")) == one.deserialize(two.serialize("x")) == "x"


@pytest.mark.parametrize("data", [b"\x1f\x8b damaged", b"\x78 damaged", b""])
def test_damaged_compressed_data_is_refused(data: bytes) -> None:
    with pytest.raises(SerializationError):
        Serializer(compression=True).deserialize(data)


@pytest.mark.parametrize("options", [{"compression_level": 10}, {"compression_level": True}, {"pickle_protocol": 99}])
def test_settings_that_cannot_be_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        Serializer(**options)


@pytest.mark.parametrize(
    "error", [TaskException({"error": "x"}), TaskRevoked({"task_id": "i"}), RetryTask("m", delay=3)]
)
def test_our_exceptions_survive_pickling(error: Any) -> None:
    copy = Serializer().deserialize(Serializer().serialize(error))
    assert (type(copy), copy.__dict__, copy.args) == (type(error), error.__dict__, error.args)


def test_cancel_execution_survives_pickling() -> None:
    assert Serializer().deserialize(Serializer().serialize(CancelExecution("m", retry=False))).retry is False


# --- signed


def test_signed_data_is_read_with_the_same_secret_and_salt_only() -> None:
    data = SignedSerializer("secret", "salt").serialize([1])
    assert SignedSerializer(b"secret", b"salt").deserialize(data) == [1]
    for other in (SignedSerializer("Secret", "salt"), SignedSerializer("secret", "Salt"), SignedSerializer("secret")):
        with pytest.raises(ValueError, match="signature does not fit"):
            other.deserialize(data)


@given(value=pickle_values, position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_signed_data_with_a_flipped_bit_is_refused(value: Any, position: int, bit: int) -> None:
    serializer = SignedSerializer("secret")
    data = bytearray(serializer.serialize(value))
    data[position % len(data)] ^= 1 << bit
    with pytest.raises(SerializationError):
        serializer.deserialize(bytes(data))


@given(st.binary())
def test_bytes_that_nobody_signed_are_refused(data: bytes) -> None:
    with pytest.raises(SerializationError):
        SignedSerializer("secret").deserialize(data)


@pytest.mark.parametrize("options", [{}, {"compression": True}], ids=str)
def test_forged_data_is_never_unpickled(options: dict[str, Any], tmp_path: Path) -> None:
    bait = tmp_path / "bait"
    plain = Serializer(**options)
    forged = plain.serialize(Armed(bait))
    for data in (forged, b"\0" * 32 + forged, SignedSerializer("guess", **options).serialize(Armed(bait))):
        with pytest.raises(SerializationError):
            SignedSerializer("secret", **options).deserialize(data)
    assert not bait.exists()
    plain.deserialize(forged)
    assert bait.exists()


def test_secret_is_replaced_without_losing_what_is_queued() -> None:
    old, both, new = SignedSerializer("old"), SignedSerializer(["new", "old"]), SignedSerializer("new")
    assert both.deserialize(old.serialize(1)) == 1
    assert new.deserialize(both.serialize(2)) == 2
    with pytest.raises(SerializationError):
        old.deserialize(both.serialize(2))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({}, "needs a secret"),
        ({"secret": ""}, "secret .* must not be empty"),
        ({"secret": []}, "at least one secret"),
        ({"secret": ["a", None]}, "secret .* must be a text or bytes, not NoneType"),
        ({"secret": 7}, "secret"),
        ({"secret": "a", "salt": ""}, "salt .* must not be empty"),
        ({"secret": "a", "salt": None}, "salt .* must be a text or bytes"),
        ({"secret": "a", "serializer": JSONSerializer(), "compression": True}, "not both"),
    ],
)
def test_secret_or_salt_that_is_none_is_refused(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        SignedSerializer(**arguments)


def test_any_serializer_can_be_signed() -> None:
    serializer = SignedSerializer("secret", serializer=JSONSerializer())
    data = serializer.serialize([1, "two"])
    assert json.loads(data[36:]) == [1, "two"]
    assert serializer.deserialize(data) == [1, "two"]


PLACES: Final = [
    *[("q", "message"), ("q2", "message"), ("q", "value", "message"), ("q", "result", "1"), ("q", "result", "2")],
    *[("q", "value", "1"), ("q", "progress", "1"), ("q", "schedule", "1", "message"), ("q", "member", "1", "1")],
    *[
        ("q", "member", "11", ""),
        ("q", "member", "1", "1", ""),
        ("qvalue", "1"),
        ("q", "value", "1\0"),
        ("\ud800",),
        (),
    ],
]


@pytest.mark.parametrize("written", PLACES, ids=str)
def test_signed_data_of_one_place_is_refused_at_every_other(written: tuple[str, ...]) -> None:
    serializer = SignedSerializer("secret")
    data = at(serializer, written).serialize([1])
    for read in PLACES:
        if read == written:
            assert at(serializer, read).deserialize(data) == [1]
            continue
        with pytest.raises(SerializationError, match="another place"):
            at(serializer, read).deserialize(data)


def at(serializer: Serializer, place: tuple[str, ...]) -> Serializer:
    """Go there step by step, which must not matter, if there are steps."""
    for part in place:
        serializer = serializer.within(part)
    assert not place or serializer.serialize(0) == SignedSerializer("secret").within(*place).serialize(0)
    return serializer


def test_place_reaches_the_serializer_that_is_signed() -> None:
    signed = SignedSerializer("outer", serializer=SignedSerializer("inner"))
    data = signed.within("q", "value", "1").serialize(1)
    inner = SignedSerializer("inner")
    assert inner.within("q", "value", "1").deserialize(data[36:]) == 1
    with pytest.raises(SerializationError):
        inner.deserialize(data[36:])


def test_own_signing_serializer_keeps_its_class_and_what_it_has_within_a_place() -> None:
    class Counting(SignedSerializer):
        def __init__(self) -> None:
            super().__init__("secret")
            self.read: list[Any] = []

        def deserialize(self, data: bytes) -> Any:
            self.read.append(super().deserialize(data))
            return self.read[-1]

    counting = Counting()
    place = counting.within("q").within("message")
    place.deserialize(place.serialize("x"))
    assert counting.read == ["x"]


# --- bounds


@pytest.mark.parametrize("options", COMPRESSIONS, ids=str)
@pytest.mark.parametrize("make", [Serializer, JSONSerializer, lambda **options: SignedSerializer("secret", **options)])
def test_what_is_larger_than_the_bound_is_neither_written_nor_read(
    make: Callable[..., Serializer], options: dict[str, Any]
) -> None:
    small, large = make(**options, max_size=1000), make(**options)
    assert small.deserialize(small.serialize("x" * 900)) == "x" * 900
    with pytest.raises(SerializationError, match=r"at most 1,000 are .* raise max_size"):
        small.serialize("x" * 1000)
    with pytest.raises(SerializationError, match=r"at most 1,000 are .* raise max_size"):
        small.deserialize(large.serialize("x" * 1000))


def test_bound_holds_for_own_formats_that_do_not_know_of_it() -> None:
    class Own(Serializer):
        def __init__(self) -> None:
            self.compression = False

        def _serialize(self, value: Any) -> bytes:
            return bytes(value)

        def _deserialize(self, data: bytes) -> Any:
            return data

    assert Own().deserialize(Own().serialize(b"x")) == b"x"
    with pytest.raises(SerializationError, match="64,000,000"):
        Own().serialize(bytes(64_000_001))


@pytest.mark.parametrize("wbits", [31, 15], ids=["gzip", "zlib"])
@pytest.mark.parametrize("make", [Serializer, JSONSerializer, Hex])
def test_small_data_that_unpacks_to_much_is_unpacked_no_further_than_the_bound(
    make: Callable[..., Serializer], wbits: int
) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    bomb = b"".join([packer.compress(bytes(1_000_000)) for _ in range(100)]) + packer.flush()
    serializer = make(compression=True)
    serializer.max_size = 1_000_000
    tracemalloc.start()
    try:
        with pytest.raises(SerializationError, match="at most 1,000,000"):
            serializer.deserialize(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


def test_compressed_data_that_is_cut_short_is_refused() -> None:
    data = Serializer(compression=True).serialize("x" * 10_000)
    for short in (data[:-1], data[: len(data) // 2], data + b"x"):
        with pytest.raises(SerializationError):
            Serializer(compression=True).deserialize(short)


@pytest.mark.parametrize("max_size", [0, -1, True, 1.5, "64 MB", None])
def test_bound_that_is_no_number_of_bytes_is_refused(max_size: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_size"):
        Serializer(max_size=max_size)


# --- JSON


@pytest.mark.parametrize("reader", LIBRARIES)
@pytest.mark.parametrize("writer", LIBRARIES)
@given(value=json_values)
def test_json_gives_back_what_it_got_whichever_library_wrote_and_reads(writer: Any, reader: Any, value: Any) -> None:
    back = JSONSerializer(library=reader).deserialize(JSONSerializer(library=writer).serialize(value))
    assert repr(back) == repr(value)  # 1 and 1.0 and True are equal, but not the same


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("value", [2**200, -(2**64), 1e308, 5e-324, "\ud800", "\0", {"": {"": []}}], ids=repr)
def test_json_keeps_values_at_the_edge(library: Any, value: Any) -> None:
    serializer = JSONSerializer(library=library)
    assert serializer.deserialize(serializer.serialize(value)) == value


@pytest.mark.parametrize("library", LIBRARIES)
def test_json_gives_tuples_back_as_lists(library: Any) -> None:
    serializer = JSONSerializer(library=library)
    assert serializer.deserialize(serializer.serialize((1, (2,), {"a": (3,)}))) == [1, [2], {"a": [3]}]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (b"x", "value is of type bytes"),
        ({"a": [1, {2}]}, r"value\['a'\]\[1\] is of type set"),
        ({"a": {1: 2}}, r"value\['a'\] has the key 1"),
        ([0.0, float("nan")], r"value\[1\] is nan"),
        ((float("-inf"),), r"value\[0\] is -inf"),
        (datetime(2030, 1, 1, tzinfo=UTC), "value is of type datetime"),
        (Colour.RED, "value is of type Colour"),
        (Text("x"), "value is of type Text"),
        ([Point(1, 2)], r"value\[0\] is of type Point"),
        (OrderedDict(a=1), "value is of type OrderedDict"),
        (ValueError("x"), "value is of type ValueError"),
    ],
    ids=repr,
)
def test_json_refuses_what_would_come_back_as_something_else(library: Any, value: Any, complaint: str) -> None:
    with pytest.raises(SerializationError, match=complaint):
        JSONSerializer(library=library).serialize(value)


@pytest.mark.parametrize("library", LIBRARIES)
def test_json_refuses_a_value_that_is_in_itself(library: Any) -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(SerializationError, match="or in itself"):
        JSONSerializer(library=library).serialize(value)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("data", [b"", b"{", b"NaN", b"1e999", b"[1,]", b"\xff", b"'x'", pickle.dumps(1)])
def test_json_refuses_what_is_no_json(library: Any, data: bytes) -> None:
    with pytest.raises(SerializationError):
        JSONSerializer(library=library).deserialize(data)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("digits", [1, 19, 20, 639, 641, 4299, 4300, 4301, 9_999, 10_000])
@pytest.mark.parametrize("sign", [1, -1])
def test_json_keeps_integers_of_up_to_10_000_digits(library: Any, digits: int, sign: int) -> None:
    serializer = JSONSerializer(library=library)
    number = sign * (10**digits - 1)
    value = {"a": [number, "x", {"b": number}], "c": (1, number)}
    assert serializer.deserialize(serializer.serialize(value)) == {**value, "c": [1, number]}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("number", [10**10_000, -(10**10_000), 10**30_000], ids=["positive", "negative", "longer"])
def test_json_refuses_longer_integers_when_they_are_written_and_read(library: Any, number: int) -> None:
    serializer = JSONSerializer(library=library)
    with pytest.raises(SerializationError, match="more than 10,000 digits"):
        serializer.serialize([number])
    with pytest.raises(SerializationError, match="more than 10,000 digits"):
        serializer.deserialize(b"[" + str(Decimal(number)).encode() + b"]")


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("opened", [(b"[", b"]"), (b'{"a":', b"}")], ids=["lists", "objects"])
def test_json_is_200_deep_and_not_deeper(library: Any, opened: tuple[bytes, bytes]) -> None:
    serializer = JSONSerializer(library=library)
    start, end = opened
    value = serializer.deserialize(start * 200 + b"1" + end * 200)
    assert serializer.deserialize(serializer.serialize(value)) == value
    for depth in (201, 900, 100_000):
        with pytest.raises(SerializationError, match="nested in more than 200"):
            serializer.deserialize(start * depth + b"1" + end * depth)
    with pytest.raises(SerializationError, match="nested in more than 200"):
        serializer.serialize([value])


@pytest.mark.parametrize("library", LIBRARIES)
def test_json_takes_the_last_of_a_key_that_is_there_twice(library: Any) -> None:
    assert JSONSerializer(library=library).deserialize(b'{"a": 1, "b": 2, "a": 3}') == {"a": 3, "b": 2}


@pytest.mark.parametrize("library", LIBRARIES)
def test_json_is_compressed_too(library: Any) -> None:
    serializer = JSONSerializer(compression=True, library=library)
    assert json.loads(gzip.decompress(serializer.serialize(["x"]))) == ["x"]
    assert serializer.deserialize(b'["x"]') == ["x"]


def test_json_takes_the_fast_library_where_it_is_installed() -> None:
    assert JSONSerializer().library == LIBRARIES[-1]


def test_json_library_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="library"):
        JSONSerializer(library="simplejson")  # type: ignore[arg-type]


# --- a user's own


@given(st.binary())
def test_own_format_is_compressed_like_any(data: bytes) -> None:
    serializer = Hex(compression=True)
    assert serializer.deserialize(serializer.serialize(data)) == data


def test_own_format_whose_bytes_look_compressed_is_read_as_it_is() -> None:
    class Marked(Serializer):
        def _serialize(self, value: Any) -> bytes:
            return b"x" + bytes(value)

        def _deserialize(self, data: bytes) -> Any:
            return data[1:]

    assert Marked(compression=True).deserialize(Marked().serialize(b"value")) == b"value"


@pytest.mark.parametrize("error", [ZeroDivisionError(), RecursionError(), SystemExit(1)])
def test_whatever_an_own_format_raises_is_a_serialization_error(error: BaseException) -> None:
    class Raising(Serializer):
        def _serialize(self, value: Any) -> bytes:
            raise error

        def _deserialize(self, data: bytes) -> Any:
            raise error

    for act in (Raising().serialize, Raising().deserialize):
        with pytest.raises(SerializationError) as caught:
            act(b"")
        assert caught.value.__cause__ is error


def test_own_format_that_makes_no_bytes_is_refused() -> None:
    class Texts(Serializer):
        def _serialize(self, value: Any) -> bytes:
            return str(value)  # type: ignore[return-value]

    with pytest.raises(SerializationError, match="Texts made str of a value, not bytes"):
        Texts().serialize(1)


# --- messages


@pytest.mark.parametrize("library", LIBRARIES)
@given(args=st.lists(json_values, max_size=3), kwargs=st.dictionaries(st.text(), json_values, max_size=3))
def test_task_survives_json(library: Any, args: list[Any], kwargs: dict[str, Any]) -> None:
    serializer = JSONSerializer(library=library)
    task = Task("app.add", tuple(args), kwargs, retries=2, timeout=1.5).then(Task("app.next", (1,)))
    read = read_task(write_task(task, serializer), serializer)
    assert (read.args, read.kwargs, read.retries, read.timeout) == (task.args, task.kwargs, 2, 1.5)
    assert read.on_complete is not None
    assert read.on_complete.args == (1,)


def test_task_exception_among_the_arguments_survives_a_format_without_exceptions() -> None:
    serializer = JSONSerializer()
    metadata = {"error": "x", "retries": 0, "traceback": "", "task_id": "i"}
    read = read_task(write_task(Task("app.alert", ("why", TaskRevoked(metadata))), serializer), serializer)
    why, error = read.args
    assert why == "why"
    assert type(error) is TaskRevoked
    assert error.metadata == metadata
