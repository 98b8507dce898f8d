"""What a consumer tells of itself when it registers, beside its lease and its slots."""

from __future__ import annotations

import time
from typing import Any

from hueyio.consumer.fleet import write_names
from hueyio.consumer.options import ConsumerOptions
from hueyio.core import Core
from hueyio.version import VERSION

__all__ = ["introduce"]


def introduce(core: Core, options: ConsumerOptions) -> dict[str, Any]:
    """Return it. ``names`` and ``stages`` are for others of the fleet, the rest for people."""
    return {
        "names": write_names(spec.path for spec in core.registry),
        "version": VERSION,
        "stages": True,  # see ``all_know_stages``
        "ahead": round(time.time() - core.now(), 3),
        "periodic": options.periodic,
    }
