"""What Huey's bytes say, and what is refused without being run."""

from __future__ import annotations

import datetime
import ipaddress
import pathlib
import pickle
import uuid
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from huey.exceptions import CancelExecution, RateLimitExceeded, RetryTask, TaskException
from huey.registry import Message
from huey.serializer import Serializer, SignedSerializer
from huey.utils import SKIPPED, Error

import hueyio
from hueyio.exceptions import SerializationError
from hueyio.migration.codec import Codec
from hueyio.migration.huey_values import HueyError, HueyMessage
from hueyio.migration.reading import Reading
from hueyio.migration.renames import Renames
from hueyio.migration.unpickling import Trust
from tests.migration.tasks import Order

CODEC = Codec(Trust())
ORDER = "tests.migration.tasks.Order"

HARMLESS: list[Any] = [
    {"a": [1, 2.5, None, True, b"x", 3 + 4j], "b": {"c"}, "d": frozenset({1}), "e": (1, bytearray(b"y"))},
    [datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), datetime.date(2026, 1, 2), datetime.timedelta(3)],
    [datetime.time(1, 2), datetime.timezone(datetime.timedelta(hours=2)), zoneinfo.ZoneInfo("Europe/Berlin")],
    [Decimal("1.5"), Fraction(1, 3), uuid.uuid4(), range(3), slice(1, 2), pathlib.Path("/a/b")],
    [ipaddress.ip_address("::1"), ipaddress.ip_network("10.0.0.0/8")],
    [Counter("aab"), OrderedDict(a=1), defaultdict(list, a=[1]), deque([1], 3)],
]


@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
def test_values_of_the_standard_library_are_read_in_each_protocol(protocol: int) -> None:
    for value in HARMLESS:
        assert CODEC.read(pickle.dumps(value, protocol)) == value


def test_exceptions_and_hueys_own_kinds_become_ours() -> None:
    def read(value: Any) -> Any:
        return CODEC.read(pickle.dumps(value))

    assert repr(read(ValueError("x"))) == "ValueError('x')"
    assert read(Error({"error": "x"})) == HueyError({"error": "x"})
    assert read(SKIPPED) is hueyio.SKIPPED
    failed = read(TaskException({"error": "boom"}))
    assert (type(failed), failed.metadata) == (hueyio.TaskException, {"error": "boom"})
    limited = read(RateLimitExceeded("key", 5.0))
    assert (type(limited), limited.delay) == (hueyio.RateLimitExceeded, 5.0)
    assert read(RetryTask(delay=3)).delay == 3
    assert read(CancelExecution(retry=True)).retry is True


@pytest.mark.parametrize("options", [{}, {"compression": True}, {"compression": True, "use_zlib": True}])
def test_what_is_compressed_and_signed_is_read(options: dict[str, Any]) -> None:
    message = Message("1", "shop.mail", args=(1,))
    signed = SignedSerializer("secret", **options).serialize(message)
    read = Codec(Trust(), b"secret").read(signed)
    assert (type(read), read.id, read.args) == (HueyMessage, "1", (1,))
    assert CODEC.read(Serializer(**options).serialize(message)) == read
    for wrong in (CODEC, Codec(Trust(), b"other"), Codec(Trust(), b"secret", b"salt")):
        with pytest.raises(SerializationError, match="sign"):
            wrong.read(signed)
    with pytest.raises(SerializationError, match="not signed"):
        Codec(Trust(), b"secret").read(pickle.dumps(message))


class Harmful:
    """Runs something where it is unpickled."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    "call",
    [
        Harmful(eval, "1/0"), Harmful(getattr, Order, "__init__"), Harmful(pathlib.Path.home),
        Harmful(print, "run"), Harmful(pickle.loads, b"N."), Harmful(__import__, "os"),
    ],
)  # fmt: skip
def test_nothing_is_run_that_is_not_trusted(call: Harmful, capsys: pytest.CaptureFixture[str]) -> None:
    data = pickle.dumps(Message("1", "shop.mail", args=(call,)))
    with pytest.raises(SerializationError):
        CODEC.read(data)
    assert Reading(codec=CODEC).path_in(data) == "shop.mail"  # its name is known all the same
    assert capsys.readouterr().out == ""


def test_what_is_trusted_is_made() -> None:
    data = pickle.dumps(Order(3))
    with pytest.raises(SerializationError, match=r"--trust tests\.migration\.tasks"):
        CODEC.read(data)
    for name in ("*", "tests", "tests.migration.tasks", "tests.migration.tasks.Order"):
        assert Codec(Trust([name])).read(data) == Order(3)
    for name in ("tests.migration.task", "tests.migration.tasks.Orders"):
        with pytest.raises(SerializationError):
            Codec(Trust([name])).read(data)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x1f\x8b", pickle.dumps([1]), pickle.dumps(Message(1, "a")), pickle.dumps(Message("1", "")),
        pickle.dumps(Message("1", "a", args=3)), pickle.dumps(Message("1", "a", on_complete="b")),
        pickle.dumps(Message("1", "a", eta=5)), b"\x80\x04X",
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(SerializationError):
        Reading(codec=CODEC).read_message(data)


def test_messages_of_earlier_versions_have_fewer_fields() -> None:
    message = pickle.dumps(Message("1", "a", None, 0, 0, None, (1,), {}))
    assert Reading(codec=CODEC).read_message(message).chord_config is None
    shorter = pickle.loads(pickle.dumps(tuple(pickle.loads(message))[:8]))
    assert HueyMessage(*shorter).expires is None


def test_names_move_alone_or_with_their_module() -> None:
    reading = Reading(codec=CODEC, renames=Renames({"old": "new.tasks", "old.mail": "post.letter"}))
    names = {"old.pack": "new.tasks.pack", "old.mail": "post.letter", "older.mail": "older.mail", "a.b": "a.b"}
    assert {name: reading.name_of(name) for name in names} == names


def test_class_that_has_moved_is_found_and_trusted_by_its_new_name() -> None:
    data = pickle.dumps(Order(3)).replace(b"tests.migration.tasks", b"tests.migration.other")
    for renames in ({"tests.migration.other": "tests.migration.tasks"}, {"tests.migration.other.Order": ORDER}):
        assert Codec(Trust([ORDER], Renames(renames))).read(data) == Order(3)
        with pytest.raises(SerializationError, match=r"--trust tests\.migration\.tasks"):
            Codec(Trust(["tests.migration.other"], Renames(renames))).read(data)


def test_naive_times_are_utc_or_local() -> None:
    naive = datetime.datetime(2026, 7, 1, 12)
    assert Reading(codec=CODEC).moment(naive) == naive.replace(tzinfo=datetime.UTC)
    assert Reading(codec=CODEC, utc=False).moment(naive) == naive.astimezone()
