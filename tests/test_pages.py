"""What the pages say is what the code has, and a reader finds it: settings, extras, names, first sentences, links."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

import hueyio
import hueyio.blocking
import hueyio.testing
import hueyio.testing.storage
from tests.support import page_index, settings_tables
from tests.support.docs_code import DOCS, PAGES, ROOT
from tests.support.sought import SOUGHT, headings

SETTINGS = settings_tables.PAGE

ROOT_PAGES = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")]
"""Pages with links that are not built with the others."""

_OWN = re.compile(r"(HUEYIO_TEST_\w*|HUEYIO_SUPERVISOR_\w+|HUEYIO_RELOADER|HUEYIO_COMPLETE|HUEYIO_DEMO_FILE)$")
"""Variables that hueyio's processes give to each other, and those of its own tests."""

_SETTINGS_OF_DJANGO = {"HUEYIO_DASHBOARD"}


def test_settings_are_those_of_the_code() -> None:
    page = SETTINGS.read_text()
    assert page == settings_tables.insert(page, settings_tables.tables()), "run python -m tests.support.settings_tables"


def test_every_huey_is_on_the_page_of_settings() -> None:
    page = SETTINGS.read_text()
    hueys = {name for name in hueyio.__all__ if name.endswith("Huey")} - {"Huey", "BlackHoleHuey"}
    assert [name for name in sorted(hueys) if f"`{name}`" not in page and f"## {name}\n" not in page] == []


def test_every_environment_variable_is_on_the_page_of_settings() -> None:
    page = SETTINGS.read_text()
    sources = [path.read_text() for path in (ROOT / "src").rglob("*.py")]
    read = {name for source in sources for name in re.findall(r"\bHUEYIO_[A-Z_]*[A-Z]\b", source)}
    public = {name for name in read if not _OWN.match(name)} - _SETTINGS_OF_DJANGO
    assert public >= {name for name in settings_tables.ENVIRONMENT if name.startswith("HUEYIO_")}
    assert [name for name in sorted(public) if f"`{name}`" not in page] == []


def test_extras_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    rows = re.findall(r"^\| `([\w-]+)` \| .* \| (.*) \|$", (DOCS / "tutorial" / "install.md").read_text(), re.MULTILINE)
    shown = {extra: set(re.findall(r"`([\w-]+)`", installs)) for extra, installs in rows}
    assert shown == {
        extra: {re.split(r"[\[<>=;]", need, maxsplit=1)[0] for need in needs}
        for extra, needs in project["optional-dependencies"].items()
    }


def test_every_public_name_has_its_page() -> None:
    reference = "".join(page.read_text() for page in (DOCS / "reference").glob("*.md"))
    contrib = {name for path in (ROOT / "src/hueyio/contrib").glob("*/__init__.py") for name in _exported(path)}
    public = {*hueyio.blocking.__all__, *hueyio.testing.__all__, *hueyio.testing.storage.__all__, *contrib}
    # Those that are not named there are shown with the whole of their module; test_docs.py asks for them.
    missing = [name for name in public - set(hueyio.__all__) if not re.search(rf"\b{name}\b", reference)]
    assert len(contrib) > 30
    assert sorted(missing) == []


def _exported(path: Path) -> list[str]:
    """Read ``__all__`` of a package without importing it: that of djhuey needs the settings of a project."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_says_first_what_it_is_for(page: Path) -> None:
    sentence = page_index.first_sentence(page)
    assert sentence is not None, "it begins with a list, a table or code"
    assert len(sentence) > 20


def test_index_for_programs_has_every_page() -> None:
    assert page_index.INDEX.read_text() == page_index.index(), "run python -m tests.support.page_index"
    listed = {page for folder in ("tutorial", "how-to", "reference", "explanation") for page in pages_of(folder)}
    assert listed == {page for page in PAGES if page.parent != DOCS and page.parent != ROOT and page.stem != "index"}


def pages_of(folder: str) -> list[Path]:
    pages = page_index.pages_in_order(folder)
    assert len(pages) == len(set(pages))
    return pages


@pytest.mark.parametrize("word", SOUGHT)
def test_heading_of_the_page_has_the_word_that_is_sought(word: str) -> None:
    """The docs session asks the search that is built; here its titles are read."""
    stem = word.lower()[: max(4, len(word) - 2)]
    assert any(stem in heading.lower() for heading in headings(SOUGHT[word]))


@pytest.mark.parametrize("page", ROOT_PAGES, ids=lambda page: page.name)
def test_links_beside_the_built_pages_lead_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        linked = (page.parent / path) if path else page
        if not linked.exists() or (anchor and anchor not in _anchors(linked)):
            broken.append(target)
    assert broken == []


def _anchors(page: Path) -> set[str]:
    found = re.findall(r"^#+ +(.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}
