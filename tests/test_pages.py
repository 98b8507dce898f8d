"""What the pages say is what the code has, and a reader finds it: settings, extras, names, first sentences, links."""

from __future__ import annotations

import re

import hueyio
from tests.support.docs_code import ROOT
from tests.support.settings_tables import ENVIRONMENT, PAGE, insert, tables

_OWN = re.compile(r"(HUEYIO_TEST_\w*|HUEYIO_SUPERVISOR_\w+|HUEYIO_RELOADER|HUEYIO_COMPLETE|HUEYIO_DEMO_FILE)$")
"""Variables that hueyio's processes give to each other, and those of its own tests."""

_SETTINGS_OF_DJANGO = {"HUEYIO_DASHBOARD"}


def test_settings_are_those_of_the_code() -> None:
    page = PAGE.read_text()
    assert page == insert(page, tables()), "run python -m tests.support.settings_tables"


def test_every_huey_is_on_the_page_of_settings() -> None:
    page = PAGE.read_text()
    hueys = {name for name in hueyio.__all__ if name.endswith("Huey")} - {"Huey", "BlackHoleHuey"}
    assert [name for name in sorted(hueys) if f"`{name}`" not in page and f"## {name}\n" not in page] == []


def test_every_environment_variable_is_on_the_page_of_settings() -> None:
    page = PAGE.read_text()
    sources = [path.read_text() for path in (ROOT / "src").rglob("*.py")]
    read = {name for source in sources for name in re.findall(r"\bHUEYIO_[A-Z_]*[A-Z]\b", source)}
    public = {name for name in read if not _OWN.match(name)} - _SETTINGS_OF_DJANGO
    assert public >= {name for name in ENVIRONMENT if name.startswith("HUEYIO_")}
    assert [name for name in sorted(public) if f"`{name}`" not in page] == []
