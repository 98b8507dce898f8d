"""What a test does to logging does not reach the next one."""

from __future__ import annotations

import logging

from tests.support.logging_state import logging_kept


def test_logging_is_as_it_was() -> None:
    root, ours = logging.getLogger(), logging.getLogger("hueyio.run")
    level, handlers = root.level, list(root.handlers)
    with logging_kept():
        root.setLevel(logging.DEBUG)
        root.addHandler(logging.NullHandler())
        ours.disabled = True
        ours.setLevel(logging.ERROR)
        logging.getLogger("hueyio.made.meanwhile").propagate = False
    assert (root.level, root.handlers) == (level, handlers)
    assert (ours.level, ours.disabled) == (logging.NOTSET, False)
    assert logging.getLogger("hueyio.made.meanwhile").propagate
