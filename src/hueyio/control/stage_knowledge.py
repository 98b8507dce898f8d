"""Whether the consumers of a queue know of pipelines whose stages are messages of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hueyio.storage.records import Owner

__all__ = ["all_know_stages"]


def all_know_stages(owners: Iterable[Owner]) -> bool:
    """Say whether all consumers among the owners run stages of pipelines that are cut; those of hueyio 0.1 do not."""
    return all(_knows_stages(owner) for owner in owners)


def _knows_stages(owner: Owner) -> bool:
    try:
        info: dict[str, Any] = json.loads(owner.info)
        return "slots" not in info or bool(info.get("stages"))  # without slots it runs nothing
    except (ValueError, TypeError, AttributeError):
        return True  # it is no consumer
