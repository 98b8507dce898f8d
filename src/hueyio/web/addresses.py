"""The addresses of pages, and any text as one part of a path.

A queue, a task and a name are any text: with a slash, a dot, a percent sign. Servers and proxies decode, merge and
normalise what stands between slashes, so here only letters, digits and ``-_.`` stand for themselves, and every other
byte is ``~`` and two digits. What is no queue's begins with ``~`` and a small letter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from hueyio.named_tuple import NamedTuple
from hueyio.storage.texts import is_storable

__all__ = ["ASSETS", "LOGIN", "LOGOUT", "Addresses", "read_part", "read_text", "write_part"]

ASSETS: Final = "~static"
LOGIN: Final = "~login"
LOGOUT: Final = "~logout"

_PLAIN: Final = re.compile(rb"[A-Za-z0-9_.-]")
_ESCAPED: Final = re.compile(rb"~([0-9A-F]{2})")
_READABLE: Final = re.compile(r"(?:[A-Za-z0-9_.-]|~[0-9A-F]{2})*|~")


def write_part(text: str) -> str:
    """Return a text as one part of a path."""
    if not text:
        return "~"
    dots = set(text) == {"."}  # as in a folder's path
    found = (bytes([it]) for it in text.encode(errors="surrogatepass"))
    return "".join(it.decode() if _PLAIN.match(it) and not dots else f"~{it[0]:02X}" for it in found)


def read_part(part: str) -> str | None:
    """Return the text that a part of a path stands for; None if it is none of ours."""
    if _READABLE.fullmatch(part) is None:
        return None
    data = b"" if part == "~" else _ESCAPED.sub(lambda it: bytes([int(it[1], 16)]), part.encode())
    try:
        return data.decode(errors="surrogatepass")
    except UnicodeDecodeError:
        return None


def read_text(part: str) -> str | None:
    """Return the same; None too if it is no text that a storage takes."""
    text = read_part(part)
    return text if text is None or is_storable(text) else None


class Addresses(NamedTuple):
    """The addresses of one queue's pages. ``root`` is where the dashboard is mounted, without a slash at its end."""

    root: str
    queue: str

    def page(self, path: str, query: Mapping[str, object] | None = None) -> str:
        """Return the address of a page of this queue; of the query what is neither None nor empty."""
        given = {key: value for key, value in (query or {}).items() if value not in (None, "")}
        return f"{self.root}/{write_part(self.queue)}/{path}{f'?{urlencode(given)}' if given else ''}"

    def tasks(self, state: str, query: Mapping[str, object] | None = None) -> str:
        """Return the address of a list."""
        return self.page(f"tasks/{state}", query)

    def task(self, id: str) -> str:
        """Return the address of a task."""
        return self.page(f"task/{write_part(id)}")

    def name(self, path: str, query: Mapping[str, object] | None = None) -> str:
        """Return the address of the page about the tasks of a name."""
        return self.page(f"names/{write_part(path)}", query)

    def other(self, queue: str) -> str:
        """Return the address of another queue."""
        return Addresses(self.root, queue).page("overview")

    def own(self, path: str) -> str:
        """Return the address of what is no queue's."""
        return f"{self.root}/{path}"
