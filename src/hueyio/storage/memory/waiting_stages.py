"""The later stages of pipelines in memory: each stands here until it becomes a task, or until nobody expects it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import Header, Stage
from hueyio.storage.stages import join

__all__ = ["WaitingStage", "chain_of", "following", "keep", "whole", "with_later"]


class WaitingStage(NamedTuple):
    """A stage's message, and the id of the one after it."""

    data: bytes
    then: str | None


class _State(Protocol):
    """What the stages need of the state that they are part of."""

    stages: dict[str, WaitingStage]
    expected: dict[str, set[str]]

    @property
    def tasks(self) -> Mapping[str, object]: ...


def keep(state: _State, stages: Sequence[Stage]) -> None:
    """Let stages wait, each after the one before; those behind an id that is alive never come."""
    before: str | None = None
    for stage, after in zip(stages, (*stages[1:], None), strict=False):
        if stage.id in state.tasks:
            return
        if before is not None:
            state.expected.setdefault(stage.id, set()).add(before)
        state.stages[stage.id] = WaitingStage(stage.data, None if after is None else after.id)
        before = stage.id


def following(state: _State, header: Header) -> bytes | None:
    """Return the message of the stage that comes next."""
    stage = state.stages.get(header.expects[0]) if len(header.expects) == 1 else None
    return None if stage is None else stage.data


def chain_of(state: _State, header: Header) -> list[Stage]:
    """List the stages that come after a task, as far as they stand here."""
    return [Stage(id, state.stages[id].data) for id in with_later(state, header.expects) if id in state.stages]


def whole(state: _State, header: Header, data: bytes) -> bytes:
    """Return a task's message with those of its later stages."""
    return join(header.id, data, chain_of(state, header)) if state.stages and header.expects else data


def with_later(state: _State, ids: Iterable[str]) -> list[str]:
    """List ids, each with the stages that come after it; those of an id that is alive are its own business."""
    found: dict[str, None] = {}
    for first in ids:
        id: str | None = first
        while id is not None and id not in found:
            found[id] = None
            stage = None if id in state.tasks else state.stages.get(id)
            id = None if stage is None else stage.then
    return list(found)
