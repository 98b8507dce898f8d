"""What people see and do: every page, what changes by itself, the keyboard, actions with scripts and without."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from hueyio import Task
from hueyio.core import core_of
from hueyio.messages.entry import make_entry
from hueyio.storage.records import Bury
from hueyio.tasks.progress import Progress, write_progress
from hueyio.web.frame import PAGES, STATES
from tests.browser.conftest import Served
from tests.web.conftest import PACK, Shop
from tests.web.test_pages import HOSTILE

STATE_LISTS = [f"tasks/{state}" for state in STATES]
ALL = ["overview", *(path for path, _ in PAGES), *STATE_LISTS, "act/pause", "zone", "act/edit-schedule?name=tea"]
ONE = ["act/retry?state=failed&before=2099-01-01", "names/tests.web.conftest.pack"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_fault_that_axe_finds(served: Served, browser: Browser, scheme: Literal["light", "dark"]) -> None:
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)  # axe is a script of its own
    page = context.new_page()
    page.goto(f"{served.address}tasks/failed")
    task = page.locator("tbody a").first.get_attribute("href")
    assert task is not None
    found = {}
    for path in [*ALL, *ONE, task.partition("/shop/")[2]]:
        page.goto(served.address + path)
        violations = Axe().run(page).response["violations"]
        found[path] = [(it["id"], it["nodes"][0]["html"]) for it in violations]
    context.close()
    assert {path: it for path, it in found.items() if it} == {}


def test_pages_never_scroll_sideways(served: Served, page: Page) -> None:
    wide = []
    for width in (380, 760, 1180, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        for path in [*ALL, *ONE]:
            page.goto(served.address + path)
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if over > 0:
                wide.append((width, path, over))
    assert wide == []


def test_numbers_change_in_place_when_the_queue_does(served: Served, page: Page) -> None:
    page.goto(f"{served.address}overview")
    count = page.locator("[data-count=ready]")
    expect(count).to_have_text("1")
    expect(page.locator("#live span")).to_have_text("Live")
    served.do(lambda shop: shop.pack(7))
    expect(count).to_have_text("2")
    page.keyboard.press("p")
    expect(page.locator("#live span")).to_have_text("Held")


def test_new_rows_wait_behind_a_banner(served: Served, page: Page) -> None:
    page.goto(f"{served.address}tasks/failed")
    ids = page.locator("td .id")
    before = ids.all_inner_texts()
    expect(page.locator("#fresh")).to_be_hidden()
    served.do(lambda shop: shop.fail(2))
    # Those two, and what was ready beside them.
    expect(page.locator("#fresh b")).to_have_text(re.compile(r"^[34] new$"))
    assert ids.all_inner_texts() == before
    page.keyboard.press("n")
    expect(ids).not_to_have_count(len(before))
    assert ids.all_inner_texts()[-len(before) :] == before


def test_keys_move_select_and_retry(served: Served, page: Page) -> None:
    page.goto(f"{served.address}tasks/failed")
    for key in ("j", "j", "x", "j", "X"):
        page.keyboard.press(key)
    expect(page.locator(".bulk b")).to_have_text("2 selected")
    page.keyboard.press("r")
    expect(page.locator("h1")).to_have_text("Retry 2 tasks?")
    page.get_by_role("button", name="Retry 2").click()
    expect(page.locator(".answer:visible")).to_have_text("2 are ready.")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.locator("#keys input").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("w")
    expect(page.locator("h1")).to_have_text("Failed")  # they are off


def test_actions_work_without_scripts(served: Served, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{served.address}tasks/failed")
    page.locator("tbody input[type=checkbox]").first.check()
    page.get_by_role("button", name="Delete…").click()
    expect(page.locator("h1")).to_have_text("Delete 1 task for good?")
    page.get_by_role("button", name="Delete 1").click()
    expect(page.locator(".answer:visible")).to_have_text("Deleted 1 task.")
    page.goto(f"{served.address}act/pause")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".answer bdi")).to_have_text("The queue goes on.")
    page.goto(f"{served.address}act/free?name=report")
    page.get_by_label("Type report to confirm").fill("report")
    page.get_by_role("button", name="Free").click()
    expect(page.locator(".answer:visible")).to_have_text("report is free.")
    context.close()


def test_task_says_that_it_has_changed(served: Served, page: Page) -> None:
    id = served.do(lambda shop: _ready(shop))
    page.goto(f"{served.address}task/{id}")
    expect(page.locator("#changed")).to_be_hidden()
    served.do(lambda shop: shop.huey.cancel(id))
    expect(page.locator("#changed b")).to_have_text("cancelled")
    expect(page.locator(".head .chip")).to_have_text("ready")


@pytest.mark.parametrize("has_scripts", [True, False])
def test_times_are_in_the_zone_of_the_browser_or_in_the_one_that_was_chosen(
    served: Served, browser: Browser, has_scripts: bool
) -> None:
    context = browser.new_context(timezone_id="Asia/Tokyo", java_script_enabled=has_scripts)
    page = context.new_page()
    page.goto(f"{served.address}overview")
    zone = "Asia/Tokyo" if has_scripts else "UTC"
    place, table = page.locator(".rail .foot a"), page.locator("[data-chart]").first
    expect(place).to_have_text(f"Times in {zone}")
    expect(table.locator("th").first).to_have_text(zone)
    begin = datetime.fromtimestamp(float(table.get_attribute("data-from") or 0), ZoneInfo(zone))
    expect(table.locator("tbody td").first).to_have_text(begin.strftime("%d %b %H:%M"))
    expect(table.locator(".x span").first).to_have_text(begin.strftime("%H:%M"))
    place.click()
    page.get_by_label("Show times in").select_option("America/New_York")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("h1")).to_have_text("Overview")
    expect(place).to_have_text("Times in America/New_York")
    begin = datetime.fromtimestamp(float(table.get_attribute("data-from") or 0), ZoneInfo("America/New_York"))
    expect(table.locator("tbody td").first).to_have_text(begin.strftime("%d %b %H:%M"))
    page.goto(f"{served.address}tasks/failed")
    page.locator("tbody a", has_text="ship").first.click()
    expect(page.locator("time[data-stamp]").first).to_have_text(re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"))
    context.close()


async def _ready(shop: Shop) -> str:
    return str((await shop.pack(1)).id)


def test_hostile_names_are_texts(served: Served, page: Page) -> None:
    async def put(shop: Shop) -> None:
        core = core_of(shop.huey)
        task = Task(f"app.{HOSTILE}", (), {}, id=HOSTILE)
        await (await core.session()).enqueue([make_entry(task, None, core.serializer, core.now())])
        await shop.fail(1, f"{HOSTILE}: {HOSTILE}", f"app.{HOSTILE}")

    served.do(put)
    for path in ALL:
        page.goto(served.address + path)
    page.goto(f"{served.address}failures")
    page.locator("tbody a", has_text="alert(1)").last.click()
    expect(page.locator("h1")).to_contain_text("⟨U+202E⟩")


def test_login_asks_for_the_password(tmp_path: Path, page: Page) -> None:
    served = Served(tmp_path)
    served.do(lambda shop: shop.pack(1))
    with served.serving(HUEYIO_WEB_PASSWORD="tea"):
        page.goto(f"{served.address}tasks/ready")
        expect(page.locator("h1")).to_have_text("Log in")
        page.get_by_label("Password").fill("tea")
        page.get_by_role("button", name="Log in").click()
        expect(page.locator("h1")).to_have_text("Ready")
        page.get_by_role("button", name="Log out").click()
        expect(page.locator("h1")).to_have_text("Log in")


def test_progress_of_running_tasks_changes_in_their_rows(served: Served, page: Page) -> None:
    page.goto(f"{served.address}tasks/running")
    row = page.locator("tbody tr").first
    expect(row.locator("[data-said]")).to_be_hidden()

    async def report(shop: Shop) -> None:
        session = await shop.session()
        (held,) = await session.held("me")
        await session.report(held.receipt, write_progress(Progress(0.25, "a quarter"), shop.core.serializer))

    served.do(report)
    expect(row.locator("[data-said]")).to_have_text("25% a quarter")
    expect(row.locator("rect.v")).to_have_attribute("width", "25%")

    async def end(shop: Shop) -> None:
        session = await shop.session()
        (held,) = await session.held("me")
        await session.settle(
            [Bury(held.receipt, "KeyError", b"error", kind="failed", into="failed", name=PACK)], "me", 2
        )

    served.do(end)
    expect(row).to_contain_text("no longer running")
    expect(row).to_have_class("dim")


def test_undo_is_offered_for_a_while(served: Served, page: Page) -> None:
    page.clock.install()
    page.goto(f"{served.address}act/pause")
    page.get_by_role("button", name="Pause").click()
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    page.clock.run_for(8500)
    expect(undo).to_be_hidden()
