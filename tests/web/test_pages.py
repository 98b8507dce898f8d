"""Each page of a queue, empty and filled, and what hostile texts do there: nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from hueyio import MemoryHuey, Task, crontab
from hueyio.core import core_of
from hueyio.limits.held import find_held
from hueyio.limits.rates import CountedRate, find_rates
from hueyio.messages.entry import make_entry
from hueyio.messages.revocation import Revocation, class_key
from hueyio.messages.stored_result import Returned
from hueyio.web.access import Visitor
from hueyio.web.addresses import Addresses
from hueyio.web.frame import PAGES, STATES
from hueyio.web.guard import POLICY
from hueyio.web.pages.task import result_of
from hueyio.web.rendering import FOLDER
from hueyio.web.settings import Settings
from hueyio.web.view import Source, View
from tests.web.conftest import Shop
from tests.web.site import Site, visiting

IN_MEMORY = pytest.mark.parametrize("shop", ["memory"], indirect=True)
ALL = ["overview", *(path for path, _ in PAGES), *(f"tasks/{state}" for state in STATES)]
HOSTILE = "\"'><script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}/../{{ 7*7 }}\x1b[31m"


async def test_pages_say_what_to_do_when_there_is_nothing(shop: Shop) -> None:
    async with visiting(shop.huey.dashboard(authorize="open"), shop.base) as site:
        pages = {path: await site.get(path) for path in ALL}
    assert "No task has been enqueued." in pages["overview"]
    assert "No worker is alive." in pages["workers"]
    assert "No failed task is kept." in pages["failures"]
    assert "Nothing is held back." in pages["limits"]
    assert "Nobody has changed anything." in pages["audit"]
    assert "No task is ready." in pages["tasks/ready"]


@IN_MEMORY
async def test_all_links_lead_somewhere_when_it_is_mounted_below_a_path(shop: Shop) -> None:
    await shop.fill()
    app = Starlette(routes=[Mount("/queue", shop.huey.dashboard(authorize="open", arguments=True))])
    async with visiting(app, f"/queue{shop.base}") as site:
        found = await site.crawl()
    assert all(address.startswith("/queue/") for address in found)
    assert len(found) > 60


async def test_pages_show_what_there_is_when_there_is_something_of_everything(shop: Shop) -> None:
    running = await shop.fill()
    async with visiting(shop.huey.dashboard(authorize="open", arguments=True), shop.base) as site:
        pages = {path: await site.get(path) for path in ALL}
        task = await site.get(f"task/{running}")
    for state, count in {"ready": 1, "scheduled": 1, "running": 1, "retrying": 1, "failed": 4, "waiting": 1}.items():
        assert pages[f"tasks/{state}"].count('<td class="s-a nowrap">') == count, state
    assert "no such &lt;b&gt;address&lt;/b&gt; 17" in pages["failures"]
    assert "RuntimeError" in pages["tasks/failed"]
    assert "web-1:7" in pages["workers"]
    assert "tea" in pages["schedules"]
    assert "sweep" in pages["schedules"]
    assert "report" in pages["limits"]
    assert "16.7 %" in pages["overview"]
    assert "was blocked 1 time" in pages["overview"]
    assert "a chord" in task


@IN_MEMORY
async def test_task_shows_what_happened_to_it(shop: Shop) -> None:
    result = await shop.ship()
    await shop.run()
    app = shop.huey.dashboard(authorize="open", arguments=True)
    async with visiting(app, shop.base) as site:
        page = await site.get(f"task/{result.id}")
        assert "the carrier is closed" in page
        assert "raise RuntimeError" in page
        assert "attempt 1" in page
        assert "No task 17 is known" in await site.get("task/17", 404)
        assert "There are 1 attempts" in await site.get(f"task/{result.id}?attempt=9", 404)
    reader = shop.huey.dashboard(authorize=lambda request: "read")
    async with visiting(reader, shop.base) as site:
        page = await site.get(f"task/{result.id}")
        assert "raise RuntimeError" not in page
        assert "Shown to those who may operate." in page
        assert "/act/" not in page


@IN_MEMORY
async def test_arguments_are_shown_only_where_that_is_allowed(shop: Shop) -> None:
    result = await shop.pack("a secret")

    def redact(name: str, args: tuple[object, ...], kwargs: dict[str, object]) -> tuple[list[str], dict[str, object]]:
        if args == ("fails",):
            raise LookupError(name)
        return ["hidden by us"], kwargs

    path = f"task/{result.id}"
    async with visiting(shop.huey.dashboard(authorize="open"), shop.base) as site:
        assert "a secret" not in await site.get(path)
    async with visiting(shop.huey.dashboard(authorize="open", arguments=True), shop.base) as site:
        assert "a secret" in await site.get(path)
    failing = await shop.pack("fails")
    async with visiting(shop.huey.dashboard(authorize="open", arguments=True, redact=redact), shop.base) as site:
        page = await site.get(path)
        assert "a secret" not in page
        assert "hidden by us" in page
        assert "hidden: the redaction failed" in await site.get(f"task/{failing.id}")


@IN_MEMORY
async def test_result_is_shown_where_arguments_are_and_stays_for_who_awaits_it(shop: Shop) -> None:
    class Odd:
        def __repr__(self) -> str:
            raise LookupError("no words")

    result, odd, failing = await shop.pack("tea"), await shop.pack("odd"), await shop.ship()
    await shop.run(3)
    paths = [f"task/{it.id}" for it in (result, odd, failing)]
    async with visiting(shop.huey.dashboard(authorize="open"), shop.base) as site:
        assert "packed" not in await site.get(paths[0])
    hook = shop.huey.dashboard(authorize="open", arguments=True, redact=lambda name, args, kwargs: (args, kwargs))
    async with visiting(hook, shop.base) as site:
        assert "packed" not in await site.get(paths[0])
    async with visiting(shop.huey.dashboard(authorize="open", arguments=True), shop.base) as site:
        assert "packed (&#39;tea&#39;,)" in await site.get(paths[0])
        assert "None is kept." in await site.get(paths[2])
        told = (await site.client.get(f"/api/v1/queues{shop.base}/{paths[0]}")).json()
        assert told["result"] == repr("packed ('tea',)")
    details = await shop.huey.inspect(odd.id)
    view = View(
        source=Source(core=shop.core, app="app:huey"), visitor=Visitor("read", "ana", frozenset()),
        settings=Settings(authorize="open"), session=await shop.session(), now=datetime.now(UTC),
        at=Addresses("", "shop"), here="/",
    )  # fmt: skip
    assert result_of(replace(details, returned=Returned(Odd())), view) == "hidden: it cannot be shown"
    assert await result == "packed ('tea',)"


async def test_rate_limits_say_what_they_have_counted(shop: Shop) -> None:
    window, bucket = shop.huey.rate_limit("mails", 5, 3600), shop.huey.rate_limit("calls", 1, 60, burst=1)
    for _ in range(2):
        await window.acquire()
    await bucket.acquire()
    session = await shop.session()
    await session.put("windows", {"window:odd:x": b"1", "bucket:odd": b"x", "else": b"1"})
    calls, mails = await find_rates(session, 10)
    assert (calls.name, calls.count, 50 < (calls.full_in or 0.0) <= 60) == ("calls", None, True)
    assert mails == CountedRate(name="mails", count=2)
    async with visiting(shop.huey.dashboard(authorize="open"), shop.base) as site:
        page = await site.get("limits")
    assert "2 in its window" in page
    assert "full again in" in page


@IN_MEMORY
async def test_times_of_live_tasks_are_those_of_their_calls(shop: Shop) -> None:
    await shop.pack(1)
    await shop.huey.enqueue(shop.pack.s(2).replaced(id="of-the-application"))
    async with visiting(shop.huey.dashboard(authorize="open"), shop.base) as site:
        listed = {path: (await site.get(path)).count('name="id"') for path in (
            "tasks/ready", "tasks/ready?since=1h", "tasks/ready?until=1h", "tasks/ready?since=1h&until=2099-01-01",
        )}  # fmt: skip
        assert list(listed.values()) == [2, 1, 0, 1]
        # What is acted on is what is seen.
        assert "No task matches any more" in await site.get("act/cancel?state=ready&until=1h&all=1", 404)
        assert await site.agree("act/cancel?state=ready&since=1h&all=1") == "1 task cancelled."
    assert await shop.huey.count() == 1


@IN_MEMORY
async def test_hostile_texts_are_shown_as_they_are_when_everything_is_named_by_them(shop: Shop) -> None:
    huey = MemoryHuey(f"shop{HOSTILE}")
    core = core_of(huey)
    session = await core.session()
    for at in range(3):
        task = Task(f"app.{HOSTILE}", ("x" * 1_000_000,), {}, id=f"{at}{HOSTILE}")
        await session.enqueue([make_entry(task, None, core.serializer, core.now())])
    hostile = Shop(huey)
    await hostile.fail(1, f"{HOSTILE}: {HOSTILE}" + "y" * 1_000_000, f"app.{HOSTILE}")
    await session.enqueue([make_entry(Task(f"app.{HOSTILE}", (), {}, id=HOSTILE), None, core.serializer, core.now())])
    await session.register("me", b"{}")
    await session.acquire(f"lock:{HOSTILE}", HOSTILE, 1, 60.0, "me")
    await huey.pause(actor=HOSTILE)
    await huey.schedules().add(HOSTILE, hostile.pack, "0 16 * * *")
    app = huey.dashboard(authorize="open", arguments=True)
    async with visiting(app, "") as site:
        first = await site.client.get("/")
        site = Site(site.client, first.headers["location"].removesuffix("/overview"))
        found = await site.crawl()
    await huey.close()
    assert len(found) > 50
    for address, whole in found.items():
        page = re.sub(r'value="[^"]*"', "", whole)  # what a form sends back has to be what it is
        assert "<script>alert" not in whole, address
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in page, address
        assert "\x1b" not in page, address
        assert len(whole) < 100_000, address
    everything = unescape("".join(found.values()))
    assert "⟨U+202E⟩" in everything
    assert "{{ 7*7 }}" in everything


async def test_locks_and_semaphores_name_all_who_hold_them(shop: Shop) -> None:
    session = await shop.session()
    for number in range(3):
        await session.acquire("semaphore:api", f"token {number}", 3, 60.0)
    await session.acquire("lock:report", "token", 1, 60.0)
    await session.put("locks", {"lock:odd": b"\xff", "lock:older": b'{"token": {"until": 1.0}}'})
    found = [(it.kind, it.name, sorted(it.holders)) for it in await find_held(session, 10)]
    assert found == [("semaphore", "api", ["token 0", "token 1", "token 2"]), ("lock", "report", ["token"])]


@IN_MEMORY
async def test_pages_of_a_list_have_each_task_once_when_they_are_followed(shop: Shop) -> None:
    calls = [shop.pack.s(number) for number in range(120)]
    ids = [task.id for task in calls]
    await shop.huey.enqueue_many(calls)
    async with visiting(shop.huey.dashboard(authorize="open"), shop.base) as site:
        seen: list[str] = []
        path: str | None = f"{shop.base}/tasks/ready"
        while path is not None:
            page = (await site.client.get(path)).text
            seen += re.findall(r'name="id" value="([^"]+)"', page)
            more = re.search(r'<a class="btn" href="([^"]+)">More</a>', page)
            path = None if more is None else unescape(more[1])
        assert seen == ids
        assert "No ready task matches." in await site.get("tasks/ready?text=nothing")


@IN_MEMORY
async def test_pages_stay_small_and_lead_to_everything_when_there_is_much(shop: Shop) -> None:
    numbers, long = [f"{it:03d}" for it in range(100)], "a_package_with_a_long_name.and_a_module"
    session = await shop.session()
    for it in numbers:
        shop.huey.periodic_task(crontab("*/5"), name=f"sweep{it}")(shop.pass_by)
        letters = it.translate(str.maketrans("0123456789", "abcdefghij"))
        await shop.fail(1, f"ValueError: {letters} is {'no such thing ' * 20}", name=f"{long}.{letters}")
        await session.acquire(f"lock:{long}{it}", f"token{it}", 1, 60.0)
        await session.put("revocations", {class_key(f"{long}.revoked{it}"): Revocation().to_bytes()})
        await shop.register(f"worker{it}", host=f"{long}-{it}")
    await shop.huey.enqueue_many([shop.pack.s(it) for it in range(5 * len(numbers))])
    for it in numbers:
        await session.claim({"loop": 5}, f"worker{it}")
    marks = {
        "names": ["sweep{}<"],
        "schedules": ["sweep{}<"],
        "limits": ["module{}<", ">revoked{}<"],
        "workers": ["-{}:7"],
    }
    async with visiting(shop.huey.dashboard(authorize="open", arguments=True), shop.base) as site:
        for path, some in {**marks, "failures": []}.items():
            pages = await site.follow(path)
            assert len(pages) > 2, path
            assert max(len(it.encode()) for it in pages) < 61_440, path
            whole = "".join(pages)
            assert [it for mark in some for it in numbers if mark.format(it) not in whole] == [], path
        assert (await site.get("names?name=SWEEP04")).count("<tr>") == 11
        assert (await site.get("names?name=*.sweep04[02]")).count("<tr>") == 3
        assert "No name matches." in await site.get("names?name=nobody")
        task = await shop.pack.options(headers={f"key{it}": "v" * 200 for it in range(15)})(*range(1000), "x" * 10**6)
        page = await site.get(f"task/{task.id}")
        assert re.search("and [0-9]+ more", page) is not None
        assert len(page.encode()) < 61_440
        assert "from is a whole number" in await site.get("names?from=-1", 400)
        assert "91 to 104 of 104 names" in await site.get("names?from=9999")


@IN_MEMORY
async def test_bad_values_are_refused_in_a_sentence(shop: Shop) -> None:
    async with visiting(shop.huey.dashboard(authorize="open"), shop.base) as site:
        assert "since is a moment" in await site.get("tasks/failed?since=tomorrow", 400)
        assert "since is a moment" in await site.get("tasks/failed?since=999999999999d", 400)
        assert "range is one of 1h" in await site.get("overview?range=2y", 400)
        assert "after is a whole number" in await site.get("audit?after=-1", 400)
        assert "no place in this list" in await site.get("tasks/ready?after=x", 400)
        assert "no place in this list" in await site.get("tasks/done?after=x", 400)
        assert "longer than" in await site.get(f"tasks/ready?text={'x' * 1001}", 400)
        assert "There is no such list" in await site.get("tasks/lazy", 404)
        assert "no such page" in await site.get("names/~FF", 404)
        assert (await site.client.get("/other/overview")).status_code == 404
        assert (await site.client.get("/~static/no.css")).status_code == 404


@IN_MEMORY
async def test_search_leads_to_the_task_or_to_failed_ones(shop: Shop) -> None:
    result = await shop.pack(1)
    async with visiting(shop.huey.dashboard(authorize="open"), shop.base) as site:
        found = await site.client.get(f"{shop.base}/find", params={"q": f" {result.id} "})
        assert found.headers["location"] == f"{shop.base}/task/{result.id}"
        lost = await site.client.get(f"{shop.base}/find", params={"q": "a&b"})
        assert lost.headers["location"] == f"{shop.base}/tasks/failed?text=a%26b"


@IN_MEMORY
async def test_answers_allow_nothing_but_their_own_files(shop: Shop) -> None:
    async with visiting(shop.huey.dashboard(authorize="open"), shop.base) as site:
        page = await site.client.get(f"{shop.base}/overview")
        (sheet,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.text)
        style = await site.client.get(sheet)
        answers = [page, style, await site.client.get("/nothing/at/all"), await site.client.get("/")]
    for answer in answers:
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-store"
    assert "immutable" in style.headers["cache-control"]
    cookie = page.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_templates_leave_nothing_unescaped_and_need_no_inline_code() -> None:
    refused = re.compile(r"\|\s*safe\b|autoescape|<script(?! type=.module. src=)|\sstyle=|\son\w+=")
    for path in (FOLDER / "templates").iterdir():
        assert not refused.search(path.read_text()), path.name
    sizes = {path.suffix: 0 for path in (FOLDER / "static").iterdir()}
    for path in (FOLDER / "static").iterdir():
        sizes[path.suffix] += path.stat().st_size
    assert sizes[".css"] <= 26_000
    assert sizes[".js"] <= 15_000


@IN_MEMORY
async def test_page_says_that_the_storage_is_away(shop: Shop) -> None:
    async with visiting(shop.huey.dashboard(authorize="open"), shop.base) as site:
        shop.core.refuse_storage("it is out of reach")
        answer = await site.client.get(f"{shop.base}/overview")
        assert answer.status_code == 503
        assert "it is out of reach" in answer.text
        assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize("shop", ["sqlite"], indirect=True)
async def test_queue_can_be_looked_at_where_its_code_is_not(shop: Shop, tmp_path: Path) -> None:
    await shop.fill()
    from_file = type(shop.huey)(shop.huey.name, filename=str(tmp_path / "flow.db"))
    async with visiting(from_file.dashboard(authorize="open"), shop.base) as site:
        assert "RuntimeError" in await site.get("tasks/failed")
        assert "Its code is not here" not in await site.get("names")
    await from_file.close()
