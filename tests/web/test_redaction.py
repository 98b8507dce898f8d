"""What a hook hides of arguments is hidden wherever it stands: in texts, in what is live, in searches, in the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from hueyio.storage.records import Counted
from hueyio.tasks.progress import Progress, write_progress
from hueyio.web.api.routes import READS
from hueyio.web.frame import PAGES as FRAME_PAGES
from tests.web.conftest import Shop
from tests.web.site import Site, visiting

SECRET: Final = "4111-S3CRET"
PAY: Final = f"{__name__}.pay"
IN_MEMORY = pytest.mark.parametrize("shop", ["memory"], indirect=True)


def hide(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    return ["[args]" for _ in args], {}


def mask(name: str, text: str) -> str:
    return text.replace(SECRET, f"[{name.rpartition('.')[2]}]")


def ask_for_help(name: str, text: str) -> str:
    raise LookupError(SECRET)


async def fill(shop: Shop) -> list[str]:
    """Let the secret stand wherever it can; return the ids of tasks: one failed, one is done, one runs."""
    session, pay = await shop.session(), shop.huey.task(name="pay")(_pay)
    call = pay.options(headers={"card": SECRET}, unique_key=SECRET)
    ids = list[str]()
    for well in (False, True):
        ids.append((await call(SECRET, well=well)).id)
        await shop.run()
    ids.append((await call(SECRET)).id)
    info = await shop.register("me")
    (taken,) = await session.claim({"loop": 1}, "me")
    await session.report(taken.receipt, write_progress(Progress(0.5, f"charges {SECRET}"), shop.core.serializer))
    await session.publish("me", 1, info, Counted({"failed": 1}, {PAY: 1}, {f"{PAY}\nValueError: no {SECRET}": 1}, {}))
    await session.acquire(f"lock:card:{SECRET}", ids[2], 1, 60.0, "me")
    await session.take(f"bucket:card:{SECRET}", 0.01, 1)
    await shop.huey.schedules().add("again", pay, "0 16 * * *", args=(SECRET,))
    return ids


async def _pay(card: str, well: bool = False) -> str:
    if not well:
        raise ValueError(f"no such card: {card}")
    return f"charged {card}"


async def everything(site: Site, ids: list[str]) -> dict[str, str]:
    """Return all pages, all that the API tells, and what streams tell, by their addresses."""
    lists = [f"tasks/{it}" for it in ("failed", "running", "done")]
    paths = [*(it for it, _ in FRAME_PAGES), *lists, f"names/{PAY}", "overview", "act/edit-schedule?name=again"]
    found = {f"{site.base}/{path}": await site.get(path) for path in (*paths, *(f"task/{id}" for id in ids))}
    for it in READS:
        for part in ("running", "failed", "done") if it.path.startswith("tasks/") else ids:
            path = f"/api/v1/queues{site.base}/{it.path.replace('{part}', part)}"
            found[path] = (await site.client.get(path)).text
    path = f"{site.base}/events?once=1&figures=1&state=running&task={ids[2]}"
    found[path] = (await site.client.get(path)).text
    return found


@asynccontextmanager
async def operating(shop: Shop, **options: Any) -> AsyncIterator[Site]:
    async with visiting(shop.huey.dashboard(authorize="open", arguments=True, **options), shop.base) as site:
        yield site


@IN_MEMORY
async def test_secret_stands_nowhere_when_arguments_are_redacted(shop: Shop) -> None:
    ids = await fill(shop)
    async with operating(shop) as site:
        bare = await everything(site, ids)
        found = {path.partition("?")[0].removeprefix(site.base) for path, text in bare.items() if SECRET in text}
        lists = {"/tasks/failed", "/tasks/running", "/overview", "/failures", "/limits", "/events", f"/names/{PAY}"}
        assert found >= {*lists, *(f"/task/{id}" for id in ids)}
    for options in ({"redact": hide}, {"redact": hide, "redact_text": mask}, {"redact_text": ask_for_help}):
        async with operating(shop, **options) as site:
            pages = await everything(site, ids)
            if "redact" in options:
                assert {path for path, text in pages.items() if SECRET in text} == set()
            failed, done, running = (pages[f"{site.base}/task/{id}"] for id in ids)
            shown = {"mask": "[pay]", "ask_for_help": "hidden: the redaction failed"}
            word = shown[options["redact_text"].__name__] if "redact_text" in options else "hidden"
            for page in (failed, running, pages[f"{site.base}/failures"], pages[f"{site.base}/tasks/running"]):
                assert word in page
            assert ("Not shown here." in done) is ("redact_text" not in options)


async def test_searches_and_actions_find_what_may_be_seen_when_texts_are_redacted(shop: Shop) -> None:
    await fill(shop)
    for options, word, least in (({}, "S3CRE", 1), ({"redact": hide}, "S3CRE", 0), ({"redact_text": mask}, "[pay]", 1)):
        async with operating(shop, **options) as site:
            for field in ("text", "error"):
                page = await site.get(f"tasks/failed?{field}={word}")
                assert ("No failed task matches." in page) is (least == 0)
                page = await site.get(f"act/retry?state=failed&{field}={word}&all=1", 200 if least else 404)
                assert f"<h1>Retry {least} task?</h1>" in page or not least
                assert "1 on this page" in await site.get(f"tasks/failed?{field}=ValueError")


@IN_MEMORY
async def test_failures_that_look_alike_are_retried_together_when_texts_are_hidden(shop: Shop) -> None:
    await shop.fail(2, "ValueError: ana@example.org is no address of ours")
    await shop.fail(1, "ValueError: nobody knows ben")
    await shop.fail(1, "it just stopped")
    async with operating(shop, redact=hide) as site:
        page = await site.get("failures")
        assert page.count("<tr>") == 3
        fields = {"state": "failed", "group": f"{shop.mail.spec.path} ValueError: hidden", "all": "1"}
        assert await site.act("retry", **fields) == "3 are ready."


@IN_MEMORY
async def test_lock_is_not_freed_by_a_name_that_is_hidden(shop: Shop) -> None:
    await fill(shop)
    await (await shop.session()).acquire("lock:report", "token", 1, 60.0)
    for options, many in (({"redact": hide}, 1), ({"redact": hide, "redact_text": lambda name, text: text}, 2)):
        async with operating(shop, **options) as site:
            page = await site.get("limits")
            assert "report" in page
            assert page.count("Free…") == many
