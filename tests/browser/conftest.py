"""A dashboard in a process of its own, and Chromium that looks at it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from hueyio import SqliteHuey
from tests.web.conftest import Shop

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")


class Served:
    """A shop on SQLite, and the address of its dashboard."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "shop.db"
        self.address = ""

    def do(self, act: Callable[[Shop], Awaitable[Any]]) -> Any:
        """Do something to the queue."""

        async def within() -> Any:
            async with SqliteHuey("shop", filename=str(self.file)) as huey:
                return await act(Shop(huey))

        # Playwright has a loop in this thread.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: asyncio.run(within())).result()

    @contextmanager
    def serving(self, *options: str, **environment: str) -> Iterator[str]:
        """Serve the dashboard; give the address of the queue."""
        line = [sys.executable, "-m", "hueyio", "web", "--file", str(self.file), "--port", "0", *options]
        with subprocess.Popen(line, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}) as process:
            assert process.stderr is not None
            try:
                self.address = f"{process.stderr.readline().partition(' ')[0]}shop/"
                yield self.address
            finally:
                process.terminate()
                assert process.wait(30) == 0


# Not for the session: as long as Playwright is there its loop runs in this thread, and no test that is async can.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run Chromium: that on PATH, else Playwright's own."""
    found = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Serve a queue in which there is something of everything."""
    made = Served(tmp_path)
    made.do(lambda shop: shop.fill())
    with made.serving():
        yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open a page; nothing may be said on its console, such as a breach of the policy.

    But that an answer was a 400: then a test has typed something wrong.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda it: said.append(f"{opened.url}: {it.text}") if "status of 400" not in it.text else None)
    opened.on("pageerror", lambda error: said.append(f"{opened.url}: {error}"))
    opened.on("dialog", lambda dialog: said.append(f"{opened.url}: a dialog {dialog.message}"))
    yield opened
    context.close()
    assert said == []
