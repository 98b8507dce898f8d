"""Encrypted bytes: read with a key that made them, at their place, and by nobody else."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hueyio import ConfigurationError, EncryptedSerializer, JSONSerializer, SerializationError, SignedSerializer
from hueyio.messages.glance import glance_at_path
from hueyio.messages.message import read_task, write_task
from hueyio.tasks.task import Task
from tests.unit.test_serializer import Armed

OLD, NEW = EncryptedSerializer.new_key(), EncryptedSerializer.new_key()

PLACES = [("a", "message"), ("b", "message"), ("a", "result", "1"), ("a", "result", "2"), ("ab",), ("a", "b"), ()]


@given(st.recursive(st.none() | st.integers() | st.text() | st.binary(), st.lists, max_leaves=5))
@settings(max_examples=25)
def test_value_comes_back_and_is_not_to_be_seen(value: Any) -> None:
    serializer = EncryptedSerializer(OLD)
    data = serializer.serialize([value, "this is secret"])
    assert serializer.deserialize(data) == [value, "this is secret"]
    assert b"secret" not in data
    assert data != serializer.serialize([value, "this is secret"])


def test_key_is_replaced_without_losing_what_is_queued() -> None:
    before, between, after = (EncryptedSerializer(keys) for keys in (OLD, [NEW, OLD], NEW))
    assert between.deserialize(before.serialize(1)) == between.deserialize(after.serialize(1)) == 1
    assert after.deserialize(between.serialize(1)) == 1
    with pytest.raises(SerializationError, match="cannot be decrypted: made with another key"):
        after.deserialize(before.serialize(1))


def test_any_serializer_can_be_encrypted_and_an_encrypted_one_signed() -> None:
    inside = EncryptedSerializer(OLD, serializer=JSONSerializer(typed=True))
    assert inside.types is not None
    around = SignedSerializer("secret", serializer=inside)
    assert around.types is inside.types
    data = around.within("a", "message").serialize({"a": [1]})
    assert around.within("a").within("message").deserialize(data) == {"a": [1]}
    with pytest.raises(ConfigurationError, match="give a serializer, or compression for a new one"):
        EncryptedSerializer(OLD, serializer=inside, compression=True)


@pytest.mark.parametrize("written", PLACES, ids="/".join)
def test_data_of_one_place_is_refused_at_every_other(written: tuple[str, ...]) -> None:
    serializer = EncryptedSerializer(OLD)
    data = serializer.within(*written).serialize("x")
    for place in PLACES:
        if place == written:
            assert serializer.within(*place).deserialize(data) == "x"
        else:
            with pytest.raises(SerializationError, match="for another place than this one"):
                serializer.within(*place).deserialize(data)


def test_data_with_a_changed_byte_or_cut_short_is_refused_and_never_unpickled(tmp_path: Any) -> None:
    serializer = EncryptedSerializer(OLD)
    data = serializer.serialize(Armed(tmp_path / "ran"))
    changed = [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in range(len(data))]
    for forged in (*changed, *(data[:size] for size in range(len(data))), SignedSerializer("x").serialize(1)):
        with pytest.raises(SerializationError):
            serializer.deserialize(forged)
    assert not (tmp_path / "ran").exists()


def test_message_of_another_id_is_refused_and_shows_no_name() -> None:
    serializer = EncryptedSerializer(OLD).within("queue")
    data = write_task(Task("shop.charge", (1,), id="one"), serializer)
    assert read_task(data, serializer, "one").args == (1,)
    with pytest.raises(SerializationError, match="it is the message of task 'one'"):
        read_task(data, serializer, "two")
    assert glance_at_path(data) is None


@pytest.mark.parametrize("key", [None, [], "short", "é" * 44, b"31 bytes" * 3, [OLD, "short"], 5, [None]])
def test_what_is_no_key_is_refused_and_not_shown(key: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"EncryptedSerializer (is 32 bytes|needs at least one key)") as caught:
        EncryptedSerializer(key)
    assert "short" not in str(caught.value)
    raw = base64.urlsafe_b64decode(OLD)
    assert EncryptedSerializer(raw).deserialize(EncryptedSerializer(OLD).serialize(1)) == 1
