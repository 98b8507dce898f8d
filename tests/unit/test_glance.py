"""The name of a message is read in every format, and nothing that is in it is run."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from hueyio import JSONSerializer, Serializer, SignedSerializer
from hueyio.messages.glance import glance_at_path
from hueyio.messages.message import write_task
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
