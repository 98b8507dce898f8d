"""Each page and each kind of action once, in one browser: what plain ``nox`` does where there is a browser."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from playwright.sync_api import Page, expect

from hueyio import SqliteHuey
from hueyio.web.frame import PAGES, STATES
from hueyio.web.live import stop_feeds
from hueyio.web.serving import listen
from tests.web.conftest import MAIL, PACK, Shop

ALL = [
    *("overview", *(path for path, _ in PAGES), *(f"tasks/{state}" for state in STATES)),
    *(
        "tasks/failed?text=address&since=2h",
        f"names/{PACK}",
        "zone",
        "act/edit-schedule?name=tea",
        "act/free?name=report",
    ),
]


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a queue in which there is something of everything, with its code; give the address of its pages."""
    with listen("127.0.0.1", 0) as listening:
        stop = threading.Event()
        server = threading.Thread(target=lambda: asyncio.run(_serve(folder, listening, stop)), name="smoke")
        server.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/shop/"
        finally:
            stop.set()
            server.join()


async def _serve(folder: Path, listening: object, stop: threading.Event) -> None:
    async with SqliteHuey("shop", filename=str(folder / "shop.db")) as huey:
        shop = Shop(huey)
        await shop.fill()
        app = huey.dashboard(authorize="open", arguments=True)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", timeout_graceful_shutdown=1))
        serving = asyncio.ensure_future(server.serve(sockets=[listening]))  # type: ignore[list-item]
        await asyncio.to_thread(stop.wait)
        stop_feeds([shop.core])
        server.should_exit = True
        await serving


def press(page: Page, name: str, answer: str, scope: str = "main") -> None:
    """Press a button, and agree if it asks; the next page says what was done."""
    page.locator(scope).get_by_role("button", name=name, exact=True).first.click()
    agree(page, answer)


def agree(page: Page, answer: str) -> None:
    """Agree to what a page asks, if it does; the next page says what was done."""
    if page.locator(".confirm").count():
        field = page.locator(".confirm [name=typed]")
        if field.count():
            field.fill(page.locator(".confirm [name=asked]").get_attribute("value") or "")
        page.locator(".confirm .acts button").click()
    expect(page.locator(".answer:visible").first).to_contain_text(answer)


def test_each_page_is_shown_and_each_action_done_without_a_complaint_of_the_browser(tmp_path: Path, page: Page) -> None:
    with serving(tmp_path) as address:
        for path in ALL:
            answer = page.goto(address + path)
            assert answer is not None
            assert answer.ok, path
            expect(page.locator("h1")).to_be_visible()
        change_tasks(page, address)
        change_schedules(page, address)
        change_the_queue(page, address)
        watch(page, address)


def change_tasks(page: Page, address: str) -> None:
    page.goto(f"{address}failures")
    press(page, "Retry…", "1 is ready.", "tr:has-text('the carrier is closed')")
    page.goto(f"{address}tasks/failed")
    page.locator("tbody a").first.click()
    expect(page.locator("#main h2", has_text="Arguments")).to_be_visible()
    press(page, "Retry", "1 is ready.")
    page.goto(f"{address}tasks/failed")
    page.locator("tbody input[type=checkbox]").first.check()
    expect(page.locator(".bulk b")).to_have_text("1 selected")
    press(page, "Delete…", "Deleted 1 task.", ".bulk")
    press(page, "Retry all…", "1 is ready.")
    page.goto(f"{address}tasks/ready")
    page.locator("tbody input[type=checkbox]").first.check()
    press(page, "Cancel…", "1 task cancelled.", ".bulk")
    page.goto(f"{address}names/{MAIL}")
    page.goto(f"{address}limits")
    press(page, "Restore", f"{MAIL} is restored.")
    page.goto(f"{address}names/{MAIL}")
    press(page, "Revoke all…", f"{MAIL} is revoked.")
    press(page, "Undo", f"{MAIL} is restored.")


def change_schedules(page: Page, address: str) -> None:
    page.goto(f"{address}schedules")
    tea = "tr:has-text('tea')"
    press(page, "Run now", "tea is enqueued.", tea)
    press(page, "Pause", "tea rests.", tea)
    press(page, "Resume", "tea goes on.", tea)
    page.locator(tea).get_by_role("button", name="Edit…").click()
    page.get_by_label("When").fill("61 * * * *")
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_label("When")).to_have_accessible_description("minute='61': must be from 0 to 59.")
    page.get_by_label("When").fill("0 17 * * *")
    page.get_by_label("Arguments", exact=True).fill("[3]")
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator(".confirm")).to_contain_text("It is called with [3]")
    agree(page, "tea is changed: 0 17 * * *.")
    press(page, "Remove…", "tea is removed.", tea)


def change_the_queue(page: Page, address: str) -> None:
    page.goto(f"{address}overview")
    press(page, "Pause queue", "The queue is paused.")
    press(page, "Undo", "The queue goes on.")
    page.goto(f"{address}limits")
    press(page, "Free…", "report is free.")
    page.goto(f"{address}audit")
    expect(page.locator("tbody tr")).to_have_count(16)


def watch(page: Page, address: str) -> None:
    """Look at what scripts do: the zone, the stream, the keys."""
    zone = page.locator("[data-zone]")
    zone.click()
    page.get_by_label("Show times in").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Show").click()
    expect(zone).to_have_text("Times in Asia/Tokyo")
    page.goto(f"{address}tasks/ready")
    expect(page.locator("#live span")).to_have_text("Live")
    page.keyboard.press("j")
    expect(page.locator("tr.at")).to_have_count(1)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
