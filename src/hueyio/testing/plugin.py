"""What pytest knows of hueyio: the fixtures ``huey_queue`` and ``huey_inline``. It registers itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hueyio.app import Huey
from hueyio.cli.place import Place, find_place
from hueyio.exceptions import ConfigurationError
from hueyio.testing.inline import run_inline
from hueyio.testing.queue import HueyQueue
from hueyio.worker.loading import load_huey

__all__ = ["huey_apps", "huey_inline", "huey_queue", "pytest_addoption"]

_OPTION = "hueyio_app"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting that says which Hueys are meant."""
    parser.addini(_OPTION, "the Hueys that huey_queue and huey_inline are for, such as app:huey", type="args")


@pytest.fixture
def huey_apps(request: pytest.FixtureRequest) -> list[Huey]:
    """The Hueys that the tests are about. Write a fixture of this name to say it yourself.

    By default those that the setting ``hueyio_app`` of pytest names, or HUEYIO_APP, or ``app`` in ``[tool.hueyio]`` of
    ``pyproject.toml``.
    """
    paths: list[str] = list(request.config.getini(_OPTION))
    if not paths:
        try:
            found = find_place(Place(), os.environ, Path(request.config.rootpath)).app
        except ConfigurationError:
            found = None
        if found is None:
            raise ConfigurationError(
                "which Huey is meant? Say hueyio_app = app:huey in the settings of pytest, or write a fixture "
                "huey_apps that returns [huey]"
            )
        paths = [found]
    return [load_huey(path) for path in paths]


@pytest.fixture
def huey_queue(huey_apps: list[Huey]) -> Iterator[HueyQueue]:
    """A queue in memory in the place of the application's: see ``HueyQueue``."""
    with HueyQueue(*huey_apps) as queue:
        yield queue


@pytest.fixture
def huey_inline(huey_apps: list[Huey]) -> Iterator[Huey]:
    """The application's Huey, whose tasks run where they are called and raise there; see immediate mode."""
    with run_inline(*huey_apps):
        yield huey_apps[0]
