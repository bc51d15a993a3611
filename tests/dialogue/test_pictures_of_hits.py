"""Pictures of friends' shared parts: encrypted, of shared parts only, fetched when a page shows them, and checked."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from fedbot.ports.inventory import Unavailable
from fedbot.rules.catalogue import search
from fedbot.rules.model.catalogue import Hit, PartPicture, Search
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.wire import canonical
from fedbot.web import pictures
from tests.dialogue.test_files_that_travel import picture
from tests.dialogue.test_web_pages import page, signed_in
from tests.scenarios.browsing import URL, Visitor, Web, encrypted
from tests.scenarios.world import World, sharing
from tests.web.test_pictures import JPEG, a_png

PNG = a_png(40, 30)


async def pictured(**settings: bool) -> tuple[World, Visitor]:
    """Betaspace shares bolts with a picture, and Kim of attraktor is on the pages."""
    world = await sharing(alpha={"pages_url": URL}, beta={"pages_url": URL, **settings})
    await encrypted(world)
    picture(world.beta, world.beta.part("M3-BOLT").pk, "bolt.png", PNG)
    return world, await signed_in(world)


async def finds(browser: Visitor, words: str = "bolt in betaspace") -> str:
    """Search on the page; return the path of its first picture, or ''."""
    await browser.gets("/find")
    await browser.submits("/find", words=words, space="")
    await browser.follows()
    assert "Bolt" in browser.last.text, browser.last.text
    found: list[str] = re.findall(r'<img class="picture" src="/lending(/[^"]+)"', browser.last.text)
    return found[0] if found else ""


async def test_a_picture_of_a_friends_shared_part_is_shown_and_stored_encrypted() -> None:
    world, kim = await pictured()
    answer = await kim.gets(await finds(kim))
    made = pictures.rebuilt(PNG)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, made.content, made.kind)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "private" in answer.headers["cache-control"]
    assert len(world.server.media) == 1
    assert made.content not in world.server.media.values()
    assert "mxc://" not in str([event["content"] for event in world.server.log])
    await world.passes(timedelta(minutes=11))
    assert await finds(kim), "known from then on"
    assert len(world.server.media) == 1
    program = Web(world, world.alpha).visitor(await kim.makes_token("read"))
    (hit,) = (await program.reads(f"/searches/{world.alpha.turn.all(Search)[0].id}"))["hits"]
    assert hit["picture"]
    path = f"/api/v1/searches/{world.alpha.turn.all(Search)[0].id}/pictures/{hit['number']}"
    assert (await program.gets(path)).content == made.content
    assert (await program.gets(path.removesuffix("1") + "2")).json()["type"] == "urn:fedbot:problem:no_such_picture"


async def test_a_new_picture_replaces_the_old_one() -> None:
    world, kim = await pictured()
    await finds(kim)
    await world.passes(timedelta(days=2))
    await finds(kim)
    assert len(world.server.media) == 1, "it has not changed"
    picture(world.beta, world.beta.part("M3-BOLT").pk, "better.jpg", JPEG)
    assert (await kim.gets(await finds(kim))).headers["content-type"] == "image/jpeg"
    assert len(world.server.media) == 2
    await world.passes(timedelta(days=70))
    picture(world.beta, world.beta.part("M3-BOLT").pk, "best.png", a_png(9, 9))
    await finds(await signed_in(world))
    assert len(world.beta.turn.all(PartPicture)) == 1


async def test_a_search_in_chat_requests_and_uploads_no_pictures() -> None:
    world, _ = await pictured()
    world.kim.says("!fed find bolt in betaspace")
    await world.settle()
    assert world.server.media == {}


async def test_pictures_can_be_kept_from_friends() -> None:
    world, kim = await pictured(tells_pictures=False)
    assert await finds(kim) == ""
    cem = Web(world, world.beta).visitor()
    await cem.signs_in(world.cem)
    assert await finds(cem, "bolt") == "", "nor are they put anywhere for our own people"
    assert world.server.media == {}


async def test_only_a_shared_parts_picture_is_sent() -> None:
    world, kim = await pictured()
    picture(world.beta, world.beta.part("W-M3").pk, "washer.png", PNG)
    for line in ("unshare all", "share M3-BOLT"):
        world.cem.says(f"!fed {line}")
        await world.settle()
    await finds(kim, "M3 in betaspace")
    assert "Washer" not in kim.last.text
    assert len(world.server.media) == 1


async def test_nobody_else_sees_the_picture_of_somebodys_search() -> None:
    world, kim = await pictured()
    path = await finds(kim)
    assert (await Web(world, world.alpha).visitor().gets(path)).status_code == 303
    assert (await (await signed_in(world, "piet")).gets(path)).status_code == 404
    for number in ("0", "-1", "2", "99999999999999999999"):
        assert (await kim.gets(f"{path[:-1]}{number}")).status_code == 404


async def test_without_the_homeserver_hits_come_without_pictures() -> None:
    world, kim = await pictured()
    world.beta.chat.is_withholding_files = True
    assert await finds(kim) == ""
    world.beta.chat.is_withholding_files = False
    await world.passes(timedelta(minutes=11))
    path = await finds(kim)
    world.alpha.chat.is_withholding_files = True
    assert (await kim.gets(path)).status_code == 404
    world.alpha.chat.is_withholding_files = False
    assert (await kim.gets(path)).status_code == 200


async def test_one_picture_that_inventree_does_not_give_holds_back_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    world, kim = await pictured()
    picture(world.beta, world.beta.part("W-M3").pk, "washer.png", a_png(9, 9))
    given, asked = world.beta.inventory.picture, list[str]()

    async def slow_at_first(where: str) -> bytes | None:
        asked.append(where)
        if len(asked) == 1:
            raise Unavailable(Plain(Fault.SILENT))
        return await given(where)

    monkeypatch.setattr(world.beta.inventory, "picture", slow_at_first)
    await finds(kim, "M3 in betaspace")
    assert len(asked) == 2
    assert len(world.server.media) == 1
    assert kim.last.text.count('<img class="picture"') == 1
    assert world.beta.bot.health()["inventree"]
    await world.passes(timedelta(minutes=11))
    await finds(kim, "M3 in betaspace")
    assert kim.last.text.count('<img class="picture"') == 2


@pytest.mark.parametrize(
    "content", [b'<svg xmlns="http://www.w3.org/2000/svg"/>', b"<script>alert(1)</script>", a_png(raw=bytes(9_000_000))]
)
async def test_a_friends_invalid_picture_is_not_shown(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    _, kim = await pictured()
    made = pictures.rebuilt
    monkeypatch.setattr(pictures, "rebuilt", lambda _: pictures.Picture(content, "image/png"))
    path = await finds(kim)
    monkeypatch.setattr(pictures, "rebuilt", made)
    answer = await kim.gets(path)
    assert answer.status_code == 404
    assert content not in answer.content
    assert "Bolt M3" in await page(kim, path.partition("/pictures")[0])


@pytest.mark.parametrize(
    "told",
    [
        {"url": "https://evil.test/x.png", "iv": "a", "key": {"k": "b"}, "hashes": {"sha256": "c"}},
        {"url": "mxc://fed.test/gone", "iv": "a", "key": {"k": "b"}, "hashes": {"sha256": "c"}},
        {"url": "mxc://fed.test/" + 600 * "a", "iv": "a", "key": {"k": "b"}, "hashes": {"sha256": "c"}},
        {"url": 5},
        "picture",
        [],
    ],
)
async def test_a_hit_is_shown_whatever_a_friend_sends_as_its_picture(
    told: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, kim = await pictured()
    written = search._written
    monkeypatch.setattr(search, "_written", lambda hit: {**written(hit), "picture": told})
    monkeypatch.setattr(search, "_picture", lambda *_: {})
    path = await finds(kim)
    assert not path or (await kim.gets(path)).status_code == 404
    assert "Bolt M3" in kim.last.text or path


async def test_pictures_that_do_not_fit_into_the_message_are_left_out() -> None:
    hit = Hit(1, "n" * 100, "i" * 100, "", Decimal(5), picture={"url": "mxc://a/b" + "c" * 480})
    told = search._with_pictures([hit] * 60)
    assert "picture" in told[0]
    assert "picture" not in told[-1]
    assert len(canonical({"hits": told})) < search._ROOM_FOR_PICTURES + 1_000
