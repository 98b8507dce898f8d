"""The table of exceptions says nothing that is not so; that each fails in immediate mode, its own run shows."""

from __future__ import annotations

import importlib
import inspect

import pytest

from tests.facts.conftest import IMMEDIATE
from tests.facts.not_immediate import NOT_IMMEDIATE


@pytest.mark.parametrize("fact", NOT_IMMEDIATE)
def test_exception_names_a_fact_that_would_run_in_immediate_mode(fact: str) -> None:
    name, _, mode = fact.partition("[")
    module, _, test = name.partition("::")
    parameters = inspect.signature(getattr(importlib.import_module(f"tests.facts.{module}"), test)).parameters
    assert not {"huey", "make_huey"}.isdisjoint(parameters)
    assert mode.removesuffix("]") in ("", *IMMEDIATE)
