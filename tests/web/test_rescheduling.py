"""A stored schedule is changed in a form whose fields are checked; what an action did can be taken back."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from hueyio import crontab
from hueyio.messages.revocation import class_key
from hueyio.schedules.changes import ScheduleChange, change_schedule, version_of
from hueyio.schedules.switches import outline
from tests.web.conftest import MAIL, PACK, Shop
from tests.web.site import Site, visiting
from tests.web.test_actions import last_entry, operated

IN_MEMORY = pytest.mark.parametrize("shop", ["memory"], indirect=True)
EDIT = "act/edit-schedule?name=tea"


async def stored(shop: Shop, name: str = "tea") -> Any:
    (found,) = [it for it in await shop.huey.schedules().list() if it.name == name]
    return found


async def typing(site: Site, status: int = 200, **typed: str) -> str:
    """Type something into the form, and send it; return the page that comes."""
    fields = {**await site.fields(EDIT), **typed}
    return (await site.post("edit-schedule", fields, status)).text


async def agree(site: Site, page: str) -> str:
    """Agree to what a page asks."""
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page[page.index("sheet confirm") :])
    answer = await site.post("edit-schedule", {key: unescape(value) for key, value in fields})
    return site.said(await site.client.get(answer.headers["location"]))


async def test_times_of_a_schedule_are_changed_in_two_steps(shop: Shop) -> None:
    await shop.huey.schedules().add("tea", shop.pack, "0 16 * * *", args=(2,))
    async with visiting(operated(shop), shop.base) as site:
        page = await site.get(EDIT)
        assert 'name="rule" value="0 16 * * *"' in page
        assert "Its arguments are not shown whole here" in page
        page = await typing(site, rule="30 8 * * mon", second="", tz="Europe/Paris", catch_up="no")
        assert "It is 0 16 * * * now, and will be 30 8 * * mon Europe/Paris" in page
        assert "Next: Mon " in page
        assert (await stored(shop)).times == crontab.parse("0 16 * * *")
        said = await agree(site, page)
        assert said.startswith("tea is changed: 30 8 * * mon Europe/Paris. Next: Mon ")
        assert await last_entry(shop) == (
            "ana", "edit schedule", "tea: 0 16 * * * -> 30 8 * * mon Europe/Paris", None
        )  # fmt: skip
        changed = await stored(shop)
        assert changed.times == crontab.parse("30 8 * * mon", tz="Europe/Paris")
        assert (changed.task, changed.args) == (PACK, (2,))
        page = await typing(site, rule="30 8 * * mon", second="", tz="Europe/Paris", catch_up="no")
        assert await agree(site, page) == "tea stays as it is: nothing differs."


@IN_MEMORY
@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("rule", "61 * * * *", "minute"),
        ("rule", "0 16 * *", "has 4 fields, not the five"),
        ("rule", "", "Say when"),
        ("rule", "0 0 31 feb *", "never occurs"),
        ("rule", "<b>", "has 1 fields"),
        ("second", "fast", "second="),
        ("tz", "Mars/Base", "there is no such time zone"),
        ("catch_up", "perhaps", "Say yes or no."),
        ("args", "[1", "This is no JSON"),
        ("args", '{"a": 1}', "This is no JSON list"),
        ("kwargs", "[]", "This is no JSON object"),
        ("kwargs", '{"size": 1}', "size"),
    ],
)
async def test_sentence_stands_at_the_field_when_it_cannot_be_taken(
    shop: Shop, field: str, typed: str, said: str
) -> None:
    await shop.huey.schedules().add("tea", shop.pack, "0 16 * * *", args=(2,))
    async with visiting(operated(shop, arguments=True), shop.base) as site:
        page = await typing(site, 400, **{"rule": "0 17 * * *", field: typed})
        assert said in unescape(page.partition(f'id="h-{field}">')[2].partition("</span>")[0])
        assert page.count('aria-invalid="true"') == (field != "catch_up")
        fields = {**await site.fields(EDIT), "rule": "0 17 * * *", field: typed, "sure": "1"}
        assert "Nothing was changed" in (await site.post("edit-schedule", fields, 400)).text
    assert (await stored(shop)).times == crontab.parse("0 16 * * *")
    assert [it.action for it in await shop.huey.audit()] == []


@IN_MEMORY
async def test_arguments_are_changed_where_they_are_shown_whole(shop: Shop) -> None:
    await shop.huey.schedules().add("tea", shop.pack, "0 16 * * *", args=(2, "x"))
    async with visiting(operated(shop, arguments=True), shop.base) as site:
        assert 'name="args" value="[2, &#34;x&#34;]"' in await site.get(EDIT)
        page = await typing(site, rule="0 16 * * *", args="[3]", kwargs="{}")
        assert "It is called with [3]" in page
        assert "tea is changed" in await agree(site, page)
        assert (await stored(shop)).args == (3,)
        assert (await last_entry(shop))[2] == "tea: 0 16 * * * -> 0 16 * * *, arguments"
        await shop.huey.schedules().add("tea", shop.pack, "0 16 * * *", args=({1, 2},))
        assert "Its arguments are no JSON" in await site.get(EDIT)
    redacted = operated(shop, arguments=True, redact=lambda name, args, kwargs: (args, kwargs))
    async with visiting(redacted, shop.base) as site:
        assert "not shown whole here" in await site.get(EDIT)
        assert "not shown whole here" in await typing(site, 409, rule="0 16 * * *", args="[1]")


@IN_MEMORY
async def test_change_is_refused_when_somebody_else_was_faster(shop: Shop) -> None:
    await shop.huey.schedules().add("tea", shop.pack, "0 16 * * *")
    async with visiting(operated(shop), shop.base) as site:
        fields = {**await site.fields(EDIT), "rule": "0 17 * * *", "sure": "1"}
        await shop.huey.schedules().pause("tea")  # what the form does not show is no change of it
        await shop.huey.schedules().resume("tea")
        await shop.huey.schedules().add("tea", shop.pack, "0 18 * * *")
        assert "is another one since you looked" in (await site.post("edit-schedule", fields, 409)).text
        assert (await stored(shop)).times == crontab.parse("0 18 * * *")
        await shop.huey.schedules().remove("tea")
        assert "There is no stored schedule tea" in (await site.post("edit-schedule", fields, 404)).text
        await site.get(EDIT, 404)


async def test_schedule_is_changed_where_its_code_is_not(shop: Shop) -> None:
    session = await shop.session()
    await session.put("schedules", {"tea": json.dumps({"times": "?", "task": "!", "paused": True}).encode()})
    change = ScheduleChange(times=crontab.parse("0 17 * * *"), catch_up=True)
    (before,) = await session.peek("schedules", ["tea"])
    assert before is not None
    serializer = shop.core.serializer
    assert await change_schedule(session, "tea", change, serializer, 7.0, "other") == "moved"
    assert await change_schedule(session, "tea", change, serializer, 7.0, version_of(before)) == "changed"
    (after,) = await session.peek("schedules", ["tea"])
    assert after is not None
    assert json.loads(after) == {
        "times": change.times.to_dict() if change.times else None,
        "task": "!",
        "paused": True,
        "since": 7.0,
        "catch_up": True,
    }
    assert outline("tea", after).times == change.times
    assert await change_schedule(session, "tea", change, serializer, 8.0) == "same"
    assert await change_schedule(session, "milk", change, serializer, 8.0) == "gone"


@IN_MEMORY
async def test_script_says_only_what_changes(shop: Shop) -> None:
    await shop.huey.schedules().add("tea", shop.pack, crontab.parse("0 16 * * *", tz="Asia/Tokyo"), catch_up=True)
    async with visiting(operated(shop), shop.base) as site:
        address = f"/api/v1/queues{shop.base}/actions/edit-schedule"
        answer = await site.client.post(address, json={"name": "tea", "rule": "0 17 * * *"})
        assert answer.json()["answer"].startswith("tea is changed: 0 17 * * * Asia/Tokyo.")
        refused = await site.client.post(address, json={"name": "tea", "rule": "0 17"})
        assert refused.status_code == 400
        assert "has 2 fields" in refused.json()["error"]["text"]
    changed = await stored(shop)
    assert (str(changed.times), changed.catch_up) == ("0 17 * * * Asia/Tokyo", True)


# --- undo


async def undo(site: Site, page: str) -> str:
    """Press the button that a page offers; return what the next page says."""
    form = page.partition("data-undo>")[2].partition("</form>")[0]
    action = re.search(r'action="[^"]*/act/([^"]+)"', form)
    assert action is not None, page
    fields = {key: unescape(value) for key, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form)}
    answer = await site.post(action[1], fields)
    return site.said(await site.client.get(answer.headers["location"]))


async def after(site: Site, verb: str, **fields: str) -> str:
    """Take an action; return the page after it."""
    answer = await site.post(verb, {"token": await site.token(), **fields})
    return (await site.client.get(answer.headers["location"])).text


async def test_actions_are_taken_back_by_what_their_answer_offers(shop: Shop) -> None:
    session = await shop.session()
    await shop.huey.schedules().add("tea", shop.pack, "0 16 * * *")
    await shop.huey.schedules().add("late", shop.pack, "0 16 * * *", catch_up=True)
    await shop.huey.schedules().pause("late")
    await shop.huey.revoke_all(shop.mail, revoke_until=datetime.now(UTC) + timedelta(days=1), revoke_once=True)
    revoked = await session.peek("revocations", [class_key(MAIL)])
    id = (await shop.pack(1)).id
    async with visiting(operated(shop), shop.base) as site:
        for verb, fields, said in (
            ("pause", {}, "The queue goes on."),
            ("revoke", {"name": PACK}, f"{PACK} is restored."),
            ("revoke", {"id": id}, f"{id} is restored."),
            ("restore", {"name": MAIL}, f"{MAIL} is revoked."),
            ("resume-schedule", {"name": "late"}, "late rests."),
            ("pause-schedule", {"name": "tea"}, "tea goes on."),
            ("edit-schedule", {"name": "tea", "rule": "0 17 * * *", "tz": "Asia/Tokyo", "sure": "1"}, "tea is changed"),
        ):
            assert (await undo(site, await after(site, verb, **fields))).startswith(said), verb
        assert "data-undo" not in await site.get("overview")
    assert not await shop.huey.is_paused()
    assert not await shop.huey.is_revoked(shop.pack)
    assert not await shop.huey.is_revoked(id)
    tea = await stored(shop)
    assert (tea.paused, str(tea.times)) == (False, "0 16 * * *")
    assert await session.peek("revocations", [class_key(MAIL)]) == revoked
    assert len(await shop.huey.audit()) == 14


@IN_MEMORY
async def test_nothing_is_offered_that_would_take_back_more_or_less(shop: Shop) -> None:
    await shop.huey.schedules().add("tea", shop.pack, "0 16 * * *", catch_up=True)
    await shop.huey.pause(actor="ben")
    await shop.huey.revoke_all(shop.pack)
    (id,) = await shop.fail()
    async with visiting(operated(shop, arguments=True), shop.base) as site:
        for verb, fields in (
            ("pause", {}),  # it is ben's pause that would end
            ("revoke", {"name": PACK}),
            ("pause-schedule", {"name": "tea"}),  # what was to be made up is gone
            ("retry", {"id": id}),
            ("run", {"name": "tea"}),
            ("edit-schedule", {"name": "tea", "rule": "0 16 * * *", "args": "[3]", "sure": "1"}),
        ):
            assert "data-undo" not in await after(site, verb, **fields), verb


@IN_MEMORY
async def test_answer_that_nobody_sealed_is_not_shown(shop: Shop) -> None:
    """A page of a neighbouring site may set cookies, and must not offer an action."""
    async with visiting(operated(shop), shop.base) as site:
        answer = await site.post("pause", {"token": await site.token()})
        sealed = site.client.cookies["hueyio_answer"]
        await site.client.get(answer.headers["location"])
        async with visiting(operated(shop), shop.base) as other:
            await other.token()
            for forged in (sealed, f"{sealed}0", sealed.partition(".")[0], "", ".", "W10=.0", "\u00e9"):
                other.client.cookies.set("hueyio_answer", forged.encode("ascii", "replace").decode())
                page = await other.get("audit")
                assert "data-undo" not in page
                assert "The queue is paused." not in page


@IN_MEMORY
async def test_answer_is_cut_when_no_cookie_can_hold_it(shop: Shop) -> None:
    async with visiting(operated(shop), shop.base) as site:
        for name in ("x" * 5000, "\N{CRAB}" * 5000, "\x00" * 50):
            page = await after(site, "revoke", name=name)
            assert "is revoked" in page or "…" in page or "xxx" in page
            for cookie in site.client.cookies.jar:
                assert len(cookie.value or "") < 4000


@IN_MEMORY
async def test_what_was_hardly_meant_is_said_before_it_is_done(shop: Shop) -> None:
    await shop.huey.schedules().add("tea", shop.pack, "0 16 * * *")
    async with visiting(operated(shop), shop.base) as site:
        page = await typing(site, rule="*/90 * * * *")
        assert "*/90" in page.partition('<p class="dim">')[2].partition("</p>")[0]
        assert f'name="next" value="{site.base}/overview"' in page
        assert (await stored(shop)).times == crontab.parse("0 16 * * *")
