"""The index of all pages with what each is for: ``python -m tests.support.page_index`` writes it to ``docs/llms.txt``.

What a page is for is its first sentence, so that a page without one is found out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.support.docs_code import DOCS

__all__ = ["INDEX", "first_sentence", "index", "pages_in_order", "title"]

INDEX: Final = DOCS / "llms.txt"

_HEAD: Final = """# hueyio

> Huey's API on asyncio: a typed, durable task queue for Python 3.11 and later. No task is lost when a worker dies, no
> server is needed (SQLite), and a row and a task commit together. On several machines it uses Redis or Valkey.

Each page is here as Markdown too: that of `how-to/timeouts.html` is `_sources/how-to/timeouts.md.txt`.
"""

_SECTIONS: Final = {
    "tutorial": "Tutorial",
    "how-to": "How-to guides",
    "reference": "Reference",
    "explanation": "Explanation",
}

_TOCTREE: Final = re.compile(r"```\{toctree\}\n(?::.*\n)*\n?(?P<names>[^`]*)```")
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_NO_PROSE: Final = ("```", ":::", "#", "|", "- ", "* ", "1. ", "!", ">", "<")


def index() -> str:
    """Return the text of the index."""
    return "\n".join([_HEAD, *_sections()])


def pages_in_order(folder: str) -> list[Path]:
    """List the pages of a folder in the order of its table of contents."""
    listed = DOCS / folder / "index.md" if folder != "tutorial" else DOCS / "index.md"
    names = [name for found in _TOCTREE.finditer(listed.read_text()) for name in found["names"].split()]
    paths = [listed.parent / f"{name}.md" for name in names]
    return [path for path in paths if path.parent.name == folder and path.stem != "index"]


def title(page: Path) -> str:
    """Return the heading of a page."""
    return page.read_text().splitlines()[0].removeprefix("# ")


def first_sentence(page: Path) -> str | None:
    """Return what a page says first, without its links; None if it begins with something else than a sentence."""
    paragraph = page.read_text().split("\n\n")[1].strip()
    if paragraph.startswith(_NO_PROSE):
        return None
    text = _LINK.sub(r"\1", " ".join(paragraph.split()))
    found = re.match(r"(.+?(?:[.?](?= |$)|:$))", text)
    return None if found is None else f"{found[1][:-1]}."


def _sections() -> Iterator[str]:
    for folder, name in _SECTIONS.items():
        yield f"## {name}\n"
        for page in pages_in_order(folder):
            yield f"- [{title(page)}]({folder}/{page.stem}.html): {first_sentence(page)}"
        yield ""


if __name__ == "__main__":
    INDEX.write_text(index())
