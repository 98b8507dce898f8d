"""Takes the pictures of the dashboard that the README and the docs show: ``nox -s screenshots``.

It runs ``hueyio demo`` until there is something to see, and lets Chromium take each page. Pictures differ by the fonts
of the machine; Debian's ``chromium`` and ``fonts-inter`` made those that are kept.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

IMAGES = Path(__file__).parent / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
AT_WORK = 150.0
"""Seconds for which the shop is at work before anybody looks."""


class Shot(NamedTuple):
    """One picture: of which page, how large, light or dark."""

    name: str
    page: str
    size: tuple[int, int]
    is_dark: bool = False


SHOTS = (
    Shot("dashboard-light", "overview", (1440, 1000)),
    Shot("dashboard-dark", "overview", (1440, 1000), is_dark=True),
    Shot("dashboard-phone", "overview", (500, 1000)),
    Shot("dashboard-failed", "tasks/failed", (1440, 700)),
)


def main() -> None:
    """Take all of them."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit(f"none of {', '.join(BROWSERS)} is on PATH: apt-get install chromium fonts-inter")
    IMAGES.mkdir(exist_ok=True)
    wait = float(sys.argv[1]) if len(sys.argv) > 1 else AT_WORK
    line = [sys.executable, "-m", "hueyio", "demo", "--port", "0"]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as demo, TemporaryDirectory() as profile:
        try:
            assert demo.stderr is not None
            demo.stderr.readline()
            address = demo.stderr.readline().partition(" ")[0]
            print(f"the shop is at work for {wait:g} s")
            time.sleep(wait)
            for shot in SHOTS:
                take(browser, profile, address, shot)
        finally:
            demo.terminate()


def take(browser: str, profile: str, address: str, shot: Shot) -> None:
    """Take one picture."""
    path = IMAGES / f"{shot.name}.png"
    width, height = shot.size
    line = [browser, "--headless=new", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={profile}"]
    line += [f"--window-size={width},{height}", f"--blink-settings=preferredColorScheme={0 if shot.is_dark else 1}"]
    # The stream of events never ends: the picture is taken after so many milliseconds.
    line += ["--timeout=4000", f"--screenshot={path}", f"{address}shop/{shot.page}"]
    subprocess.run(line, check=True, stderr=subprocess.DEVNULL, timeout=120)
    print(path)


if __name__ == "__main__":
    main()
