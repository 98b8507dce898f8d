"""The name of a message is read in every format, and nothing that is in it is run."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from hueyio import JSONSerializer, Serializer, SignedSerializer
from hueyio.messages.glance import glance_at_end, glance_at_path, glance_at_progress
from hueyio.messages.message import write_task
from hueyio.messages.stored_result import Error, Returned, write_ending
from hueyio.tasks.progress import Progress, write_progress
from hueyio.tasks.task import Task

FORMATS = [
    *(Serializer(pickle_protocol=protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)),
    Serializer(compression=True),
    Serializer(compression=True, use_zlib=True),
    JSONSerializer(),
    JSONSerializer(library="json"),
    JSONSerializer(compression=True),
    SignedSerializer("secret"),
    SignedSerializer("secret", compression=True),
    SignedSerializer("secret", serializer=JSONSerializer()),
]


@pytest.mark.parametrize("serializer", FORMATS, ids=lambda it: type(it).__name__)
@pytest.mark.parametrize(
    "task",
    [
        Task("shop.mail"),
        Task("shop.mail", ("x" * 100_000, [1, 2]), {"to": None}, retries=3, on_complete=Task("shop.pack")),
        Task("shop.mäil ‮", id="any id"),
    ],
    ids=["plain", "large", "odd"],
)
def test_path_is_read_in_each_format(serializer: Serializer, task: Task) -> None:
    data = write_task(task, serializer)
    assert glance_at_path(data, task.id) == task.path
    assert glance_at_path(data) == task.path
    assert glance_at_path(data, "another id") is None


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_nothing_is_run_when_a_message_is_glanced_at(tmp_path: Path) -> None:
    trap = Trap(tmp_path / "ran")
    assert glance_at_path(pickle.dumps((1, "id", "shop.mail", (trap,)))) == "shop.mail"
    assert glance_at_path(pickle.dumps((1, trap, "shop.mail", ())), "id") is None
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[",
        b"[" * 5000,
        b"[1,2",
        b"x" * 100,
        b"\x80\x05",
        b"\x1f\x8b" + b"x" * 50,
        pickle.dumps({"a": 1}),
        b'[2, "a", "b"]',
    ],
    ids=range(9),
)
def test_no_path_is_read_in_what_is_no_message(data: bytes) -> None:
    assert glance_at_path(data) is None


@pytest.mark.parametrize("serializer", FORMATS, ids=lambda it: type(it).__name__)
def test_progress_is_read_in_each_format(serializer: Serializer) -> None:
    for progress in (Progress(0.5, "half"), Progress(0.0), Progress(1.0, "ünï")):
        assert glance_at_progress(write_progress(progress, serializer)) == progress


USUAL = [it for it in FORMATS if getattr(it, "pickle_protocol", 5) >= 4]


@pytest.mark.parametrize("serializer", USUAL, ids=lambda it: type(it).__name__)
@pytest.mark.parametrize("value", [None, 1, "failed", ["failed", {}], {"failed": 1}, b"x", [], {}])
def test_end_is_read_of_what_a_task_returned(serializer: Serializer, value: Any) -> None:
    if type(serializer) is not Serializer and value == b"x":
        pytest.skip("JSON has no bytes")
    assert glance_at_end(write_ending(Returned(value), serializer)) == "done"


@pytest.mark.parametrize("serializer", USUAL, ids=lambda it: type(it).__name__)
@pytest.mark.parametrize("kind", ["failed", "expired", "lost"])
def test_end_is_read_of_an_error(serializer: Serializer, kind: Any) -> None:
    error = Error({"error": "no", "retries": 0, "traceback": "x" * 5000, "task_id": "a"}, kind, ValueError("no"))
    assert glance_at_end(write_ending(error, serializer)) == kind


def test_nothing_is_read_of_what_is_damaged() -> None:
    data = write_task(Task("shop.mail", id="a"), Serializer())
    cut = [glance_at_path(data[:at], "a") for at in range(len(data))]
    assert set(cut) == {None, "shop.mail"}
    assert cut.index("shop.mail") == data.index(b"shop.mail") + len("shop.mail")
    for bad in (b"", b"\x80\x05\x95", b"{", b"[", b"\x80\x05\x95" + bytes(8) + b"(K\x01\x8c\xff"):
        assert glance_at_path(bad) is None
        assert glance_at_progress(bad) is None
