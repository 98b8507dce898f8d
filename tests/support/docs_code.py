"""The code of the README and the docs: found in its pages, and written down as packages that type checkers read.

``python -m tests.support.docs_code FOLDER`` makes one package for each page: the files that the page saves, and one
module ``page`` with all that it runs, inside of a coroutine function, because the pages await at the top. The package
``docstrings`` has one module for each example in a docstring.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from textwrap import indent
from typing import Final, NamedTuple

from tests.support.docstring_code import find_examples, to_module

__all__ = ["DOCS", "PAGES", "ROOT", "Block", "find_blocks", "name_of_file", "write_packages"]

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"
PAGES: Final = [ROOT / "README.md", DOCS / "index.md", *sorted(DOCS.glob("[!_]*/**/*.md"))]

_FENCE: Final = re.compile(r"^```(?P<language>python|console|toml)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE_NAME: Final = re.compile(r"# (?P<name>\w+\.(py|toml))\n")

_HEAD: Final = "# pyright: reportRedeclaration=false, reportUnusedExpression=false, reportUnusedCoroutine=true\n"
"""A page goes on with the same example: it declares the same names again."""


class Block(NamedTuple):
    """One block of code; ``line`` is where its text begins in the page."""

    language: str
    text: str
    line: int


def find_blocks(page: Path) -> list[Block]:
    """Return the blocks that are run, in their order."""
    text = page.read_text()
    return [
        Block(found["language"], found["text"], text.count("\n", 0, found.start("text")) + 1)
        for found in _FENCE.finditer(text)
    ]


def name_of_file(block: Block) -> str | None:
    """Return the name under which a block is saved; None if it is run."""
    found = _FILE_NAME.match(block.text)
    return None if found is None else found["name"]


def write_packages(folder: Path) -> None:
    """Write a package for each page that has Python in it, and one for the docstrings."""
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    for page in PAGES:
        blocks = [block for block in find_blocks(page) if block.language == "python"]
        if blocks:
            package = folder / re.sub(r"\W", "_", str(page.relative_to(ROOT).with_suffix("")))
            package.mkdir()
            (package / "__init__.py").touch()
            _write_page(package, blocks)
    package = folder / "docstrings"
    package.mkdir()
    (package / "__init__.py").touch()
    for example in find_examples():
        (package / f"{example.name.replace('.', '_')}.py").write_text(to_module(example))


def _write_page(package: Path, blocks: list[Block]) -> None:
    saved = {name: block for block in blocks if (name := name_of_file(block)) is not None}
    modules = [Path(name).stem for name in saved]
    for name, block in saved.items():
        (package / name).write_text(_HEAD + _within_package(block.text, modules))
    run = "\n".join(block.text for block in blocks if name_of_file(block) is None)
    if run:
        body = indent(_within_package(run, modules), "    ")
        (package / "page.py").write_text(f"{_HEAD}async def page() -> None:\n{body}")


def _within_package(text: str, modules: list[str]) -> str:
    """Import what the page has saved from beside it: every page has an ``app`` of its own."""
    for module in modules:
        text = re.sub(rf"^(\s*)from {module} import", rf"\1from .{module} import", text, flags=re.MULTILINE)
        text = re.sub(rf"^(\s*)import {module}$", rf"\1from . import {module}", text, flags=re.MULTILINE)
    return text


if __name__ == "__main__":
    write_packages(Path(sys.argv[1]))
