"""The part of a traceback that is the user's own."""

from __future__ import annotations

import json

import pytest

from hueyio.worker.user_frames import user_frames


def refused(text: str) -> ValueError:
    try:
        json.loads(text)
    except ValueError as error:
        return error
    raise AssertionError("it was read")


def files_of(lines: list[str]) -> list[str]:
    return [line.split('"')[1] for line in lines if line.startswith("  File ")]


def test_frames_are_the_users_and_the_one_that_raised() -> None:
    own, last = files_of(user_frames(refused("{")))
    assert own == __file__
    assert last.endswith("/json/decoder.py")


def test_frames_of_libraries_are_shown_when_there_are_no_others() -> None:
    error = refused("{")
    assert error.__traceback__ is not None
    files = files_of(user_frames(error.with_traceback(error.__traceback__.tb_next)))
    assert [it.rpartition("/")[2] for it in files] == ["__init__.py", "decoder.py", "decoder.py"]


def test_only_the_last_frames_are_shown_when_there_are_many() -> None:
    def fall(depth: int) -> None:
        fall_on(depth) if depth else [][0]

    def fall_on(depth: int) -> None:
        fall(depth - 1)

    with pytest.raises(IndexError) as caught:
        fall(10)
    assert files_of(user_frames(caught.value)) == [__file__] * 4


def test_there_are_no_frames_when_nothing_was_raised() -> None:
    assert user_frames(ValueError("made by hand")) == []
