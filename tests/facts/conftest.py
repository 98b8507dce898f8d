"""A Huey on each storage, and in immediate mode: in memory and on a live storage.

The facts hold in immediate mode too, but for those in the table of ``not_immediate``: they must fail there, so that
the table never says more than is true.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from hueyio import Huey
from tests.conftest import EACH_STORAGE, ServerOf
from tests.facts.not_immediate import NOT_IMMEDIATE
from tests.facts.steps import watch_runs
from tests.flow.conftest import huey, maker

__all__ = ["IMMEDIATE", "huey", "make_huey"]

IMMEDIATE: Final[dict[str, tuple[str, dict[str, bool]]]] = {
    "immediate": ("memory", {"immediate": True}),
    "immediate-live": ("sqlite", {"immediate": True, "immediate_use_memory": False}),
}
"""The storage of each, and the options."""


@pytest.fixture(params=["memory", *EACH_STORAGE, *IMMEDIATE])
def make_huey(request: pytest.FixtureRequest, tmp_path: Path, server_of: ServerOf) -> Callable[..., Huey]:
    if request.param not in IMMEDIATE:
        return maker(request.param, tmp_path, server_of)
    fact = f"{request.path.stem}::{request.node.originalname}"
    reason = NOT_IMMEDIATE.get(fact, NOT_IMMEDIATE.get(f"{fact}[{request.param}]"))
    if reason is not None:
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    storage, mode = IMMEDIATE[request.param]
    make = maker(storage, tmp_path, server_of)

    def make_watched(**options: Any) -> Huey:
        made = make(**{**mode, **options})
        watch_runs(made)
        return made

    return make_watched
