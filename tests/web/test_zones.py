"""Times are shown in the zone that a visitor has chosen, else in the browser's; pages say which one it is."""

from __future__ import annotations

import re

import pytest

from tests.web.conftest import Shop
from tests.web.site import FORM, Site, visiting

IN_MEMORY = pytest.mark.parametrize("shop", ["memory"], indirect=True)


async def choose(site: Site, zone: str, status: int = 303) -> None:
    fields = {"token": await site.token(), "zone": zone, "next": f"{site.base}/audit"}
    answer = await site.client.post(f"{site.base}/zone", data=fields, headers=FORM)
    assert answer.status_code == status, answer.text
    if status == 303:
        assert answer.headers["location"] == f"{site.base}/audit"


@IN_MEMORY
async def test_times_are_in_the_zone_that_was_chosen_on_every_page(shop: Shop) -> None:
    await shop.fill()
    async with visiting(shop.huey.dashboard(authorize=lambda request: "read"), shop.base) as site:
        site_of_an_operator = shop.huey.dashboard(authorize="open")
        page = await site.get("tasks/failed")
        assert ">Times in UTC</a>" in page
        assert 'data-zone-name=""' in page
        assert re.search(r'title="[^"]* UTC">0 s ago', page)
        assert "<option>Asia/Tokyo</option>" in await site.get("zone")
    async with visiting(site_of_an_operator, shop.base) as site:
        await choose(site, "Asia/Tokyo")
        assert "Times are in Asia/Tokyo." in await site.get("audit")
        failed = re.search(r'href="([^"]+/task/[^"]+)"', await site.get("tasks/failed"))
        assert failed is not None
        for path in ("overview", "names", "tasks/failed", "schedules", f"task/{failed[1].rpartition('/')[2]}"):
            page = await site.get(path)
            assert ">Times in Asia/Tokyo</a>" in page
            assert re.search(r'title="[^"]* JST"| JST on', page), path
            assert not re.search(r'title="[^"]* UTC"', page), path
        assert "<option selected>Asia/Tokyo</option>" in await site.get("zone")
        await choose(site, "")
        assert "Times are in the zone of the browser." in await site.get("audit")
        assert "JST" not in await site.get("schedules")


@IN_MEMORY
async def test_zone_that_is_none_is_refused_and_left_out(shop: Shop) -> None:
    async with visiting(shop.huey.dashboard(authorize="open"), shop.base) as site:
        for name in ("Mars/Base", "../../etc/passwd", "x" * 5000, "Europe/Paris\x00"):
            await choose(site, name, 400)
        site.client.cookies.set("hueyio_zone", "Mars/Base")
        assert ">Times in UTC</a>" in await site.get("audit")
        refused = await site.client.post(f"{site.base}/zone", data={"zone": "UTC"}, headers=FORM)
        assert refused.status_code == 403


@IN_MEMORY
async def test_choice_leads_back_to_the_page_before(shop: Shop) -> None:
    async with visiting(shop.huey.dashboard(authorize="open"), shop.base) as site:
        for came_from, back in (
            (f"http://shop.test{shop.base}/tasks/failed?text=a%26b", f"{shop.base}/tasks/failed?text=a%26b"),
            ("http://evil.test//evil.test/", f"{shop.base}/overview"),
            ("", f"{shop.base}/overview"),
        ):
            page = await site.client.get(f"{shop.base}/zone", headers={"referer": came_from})
            assert f'name="next" value="{back}"' in page.text
