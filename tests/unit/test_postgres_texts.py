"""Texts that PostgreSQL would refuse come back as they were."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hueyio.storage.postgres.texts import escape, from_json, to_json, unescape

TEXTS = st.text(st.sampled_from(["\x00", "\x01", "0", "1", "\\", "u", "a", "ü", '"']), max_size=12)
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=8
)


@given(TEXTS)
def test_escaped_text_has_no_nul_and_comes_back(text: str) -> None:
    assert "\x00" not in escape(text)
    assert unescape(escape(text)) == text


@given(TEXTS, TEXTS)
def test_no_two_texts_are_escaped_alike(one: str, other: str) -> None:
    assert (escape(one) == escape(other)) == (one == other)


@given(VALUES)
def test_json_has_no_nul_and_comes_back(value: Any) -> None:
    written = to_json(value)
    assert from_json(written) == from_json(written.encode()) == value


def test_json_has_strings_as_columns_have_them() -> None:
    assert to_json(["a\x00b\x01"]) == '["a\\u00010b\\u00011"]'
