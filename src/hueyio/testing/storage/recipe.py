"""How to build a storage, written so that another process can build the same one."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

from hueyio.storage.contract import Storage

__all__ = ["Recipe"]


class Recipe:
    """A storage class, as ``package.module:Class``, and the options that it is called with.

    The options must be writable as JSON. The class must take ``name``, ``dead_limit``, the bound of its dead letters,
    ``keep_ended``, that of the ended ids which it remembers, ``keep_failed``, ``failed_bytes`` and ``failed_ttl``,
    those of the failed tasks that it keeps, ``keep_history`` and ``history_ttl``, those of its history, by keyword: the
    suite sets all of them.
    """

    def __init__(self, target: str, **options: Any) -> None:
        module, _, attribute = target.partition(":")
        if not module or not attribute:
            raise ValueError(f"not of the form 'package.module:Class': {target!r}")
        self.target = target
        self.options = options

    def find(self) -> Any:
        """Import the class."""
        module, _, attribute = self.target.partition(":")
        return getattr(import_module(module), attribute)

    def build(self, **overrides: Any) -> Storage:
        """Import the class and call it; ``overrides`` win over the recipe's own options."""
        storage = self.find()(**{**self.options, **overrides})
        if not isinstance(storage, Storage):
            raise TypeError(f"{self.target} is no Storage: see hueyio.storage.contract")
        return storage

    def to_json(self) -> str:
        """Write it down."""
        return json.dumps({"target": self.target, "options": self.options})

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read what ``to_json`` wrote."""
        written = json.loads(text)
        return cls(written["target"], **written["options"])

    def __repr__(self) -> str:
        options = "".join(f", {key}={value!r}" for key, value in self.options.items())
        return f"Recipe({self.target!r}{options})"
