"""The history as storages write it: its bounds, and what of a batch the storage has accepted."""

from __future__ import annotations

from collections.abc import Sequence

from hueyio.storage.records import Answer, HistoryBatch, Settlement
from hueyio.storage.shared.bounds import check_age, check_count

__all__ = ["accepted_attempts", "accepted_ids", "check_history_bounds"]


def check_history_bounds(whose: str, keep_history: object, history_ttl: object) -> None:
    """Raise ConfigurationError unless these are bounds of the history; a 0 switches it off."""
    check_count(whose, "keep_history", keep_history)
    check_age(whose, "history_ttl", history_ttl)


def accepted_ids(batch: HistoryBatch, answers: Sequence[Answer]) -> tuple[str | None, ...]:
    """Return the ids that have ended, with None in the places of the others."""
    if "stale" not in answers and "untaken" not in answers:
        return batch.ids
    return tuple(
        [id if _is_accepted(answers[place]) else None for id, place in zip(batch.ids, batch.places, strict=True)]
    )


def accepted_attempts(
    batch: HistoryBatch, settlements: Sequence[Settlement], answers: Sequence[Answer]
) -> list[tuple[str, bytes]]:
    """Return the attempts that have ended, with the ids of their tasks."""
    return [(settlements[place].receipt.id, data) for place, data in batch.attempts if _is_accepted(answers[place])]


def _is_accepted(answer: Answer) -> bool:
    return answer in ("accepted", "fired")
