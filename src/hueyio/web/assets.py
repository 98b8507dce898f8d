"""The stylesheet, the scripts and the icon: read once. Their names say what is in them, so that browsers keep them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from starlette.responses import Response

from hueyio.named_tuple import NamedTuple

__all__ = ["Assets"]

_TYPES: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_IMPORT: Final = re.compile(rb'\bfrom "\./([\w.]+)"')
_FOREVER: Final = "public, max-age=31536000, immutable"


class _Asset(NamedTuple):
    data: bytes
    kind: str


class Assets:
    """The files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.names: dict[str, str] = {}
        """The name in addresses, by that of the file."""
        self._files: dict[str, _Asset] = {}
        read = {path: path.read_bytes() for path in sorted(folder.iterdir())}
        # Those that import others come after them: they import them by their names in addresses.
        for path, written in sorted(read.items(), key=lambda it: _IMPORT.search(it[1]) is not None):
            kind = _TYPES.get(path.suffix)
            if kind is not None:
                data = _IMPORT.sub(lambda it: b'from "./%b"' % self.names[it[1].decode()].encode(), written)
                name = f"{path.stem}.{hashlib.sha256(data).hexdigest()[:12]}{path.suffix}"
                self.names[path.name] = name
                self._files[name] = _Asset(data, kind)

    def answer(self, name: str) -> Response | None:
        """Return a file; None if there is none of that name."""
        found = self._files.get(name)
        if found is None:
            return None
        return Response(found.data, headers=_headers(found))


def _headers(asset: _Asset) -> Mapping[str, str]:
    return {"content-type": asset.kind, "cache-control": _FOREVER}
