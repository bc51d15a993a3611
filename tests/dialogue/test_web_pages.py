"""Pages for people who don't chat: loans, friends' shared stock, the ledger, each friend, and the figures."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import date, timedelta

import pytest

from fedbot.rules.model.catalogue import Want
from fedbot.rules.model.from_anyone import Rota
from fedbot.rules.model.lending import OutsideLoan
from fedbot.web import qr
from fedbot.web.site.lists import curve
from fedbot.web.site.reader import Reader
from fedbot_demo.inventree.faults import FaultKind
from tests.scenarios.browsing import URL, Visitor, Web, encrypted
from tests.scenarios.world import World, friends, sharing


def words_on(browser: Visitor) -> str:
    """The text of the last page."""
    main = re.sub(r"(?s).*<main[^>]*>|</main>.*|<(style|script).*?</\1>", "", browser.last.text)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


async def page(browser: Visitor, path: str) -> str:
    answer = await browser.gets(path)
    assert answer.status_code == 200, answer.text
    assert not re.search(
        r"\sstyle=|<style|\son\w+=|https?://(?!www\.w3\.org)",
        re.sub("http://(attraktor|betaspace).test", "", answer.text),
    )
    return words_on(browser)


async def signed_in(world: World, person: str = "kim") -> Visitor:
    browser = Web(world, world.alpha).visitor()
    await browser.signs_in(getattr(world, person))
    return browser


async def lends(world: World, line: str) -> None:
    """Somebody of attraktor lends, and Cem approves."""
    world.anna.says(f"!fed lend {line}")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()


async def test_an_empty_bots_pages_say_that_there_is_nothing() -> None:
    world = await friends(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    kim = await signed_in(world)
    assert "Nothing is borrowed. Find something to borrow" in await page(kim, "/loans")
    assert "We have lent Nothing is lent. Find one of your items to lend" in words_on(kim)
    assert "Nothing is waiting for you. Find something to borrow" in await page(kim, "/")
    assert "Nothing yet. Every transfer appears here" in await page(kim, "/ledger")
    assert "Nothing matches that. Show the whole ledger" in await page(kim, "/ledger?words=lens")
    assert "0 given 0 received" in await page(kim, "/spaces/betaspace")
    assert "We share nothing yet." in words_on(kim)
    assert (await kim.gets("/spaces/elsewhere")).status_code == 404
    assert (await kim.gets("/ledger?cursor=no")).status_code == 404
    for path in ("/loans", "/find", "/ledger", "/ledger.csv", "/spaces", "/spaces/betaspace", "/figures"):
        assert (await Web(world, world.alpha).visitor().gets(path)).status_code == 303


async def test_an_unexpected_error_is_shown_as_a_page_and_as_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await friends(alpha={"pages_url": URL, "language": "de"})
    await encrypted(world)
    kim = await signed_in(world)
    program = Web(world, world.alpha).visitor(await kim.makes_token())
    for each in (kim, program):
        each.client._transport.raise_app_exceptions = False  # type: ignore[attr-defined]  # as a server answers

    def fails(_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(Reader, "now", fails)
    for answer in (await kim.gets("/"), await program.gets("/api/v1/now")):
        assert answer.status_code == 500
        assert "a secret" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.json()["type"] == "urn:fedbot:problem:failed"
    assert 'lang="de"' in kim.last.text
    assert 'href="/lending/ledger"' in kim.last.text, "the way on"
    assert 'href="/lending/ledger"' in (await kim.gets("/transfers/zzzz")).text
    assert 'href="/lending/ledger"' not in (await Web(world, world.alpha).visitor().gets("/nothing")).text


async def test_loans_and_the_ledger_show_what_went_and_when_it_is_due() -> None:
    world = await friends(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    kim = await signed_in(world)
    await world.hand_over("M3-NUT 10")
    await world.passes(timedelta(minutes=1))
    await world.push("M3X10 40", note="=for <b>you</b>")
    await world.passes(timedelta(minutes=1))
    await lends(world, "2 Arduino Nano to betaspace for 2 days")
    assert "2 × Arduino Nano to Betaspace, by Anna due in 2 days" in await page(kim, "/loans")
    assert "due in 2 days" in await page(kim, "/")
    await world.passes(timedelta(days=3))
    assert "We have lent 1 2 × Arduino Nano to Betaspace, by Anna overdue by 1 day" in await page(kim, "/loans")
    assert "We have borrowed Nothing is borrowed." in words_on(kim)

    ledger = await page(kim, "/ledger")
    assert ledger.index("Arduino Nano") < ledger.index("Cap screw") < ledger.index("M3 nut")
    assert "M3 nut" not in await page(kim, "/ledger?kind=loan&state=on_loan&direction=out&space=betaspace")
    assert "Arduino Nano" in words_on(kim)
    assert "Cap screw" in await page(kim, "/ledger?words=for+anna+m3x")
    assert "Arduino" not in words_on(kim)
    answer = await kim.gets("/ledger.csv?words=m3x10")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["part"], row["quantity"], row["note"]) == ("Cap screw M3×10", "40", "'=for <b>you</b>")
    transfer = await page(kim, re.findall(r'href="/lending(/transfers/[^"]+)"', (await kim.gets("/ledger")).text)[0])
    assert "overdue by 1 day" in transfer

    space = await page(kim, "/spaces/betaspace")
    assert "1 given 10 pieces 0 received 1 lent now 2 pieces 0 borrowed now" in space
    assert re.search(r"Its bot answers Its key (\w{4}-){4}\w{4} Our key (\w{4}-){4}\w{4}", space)
    world.kim.leaves()
    await world.settle()
    assert "Nothing yet." in await page(kim, "/ledger")
    assert "Nothing is lent." in await page(kim, "/loans")
    assert "Betaspace" not in await page(kim, "/figures")
    assert (await kim.gets("/spaces/betaspace")).status_code == 404


async def test_the_ledger_is_read_page_by_page() -> None:
    world = await friends(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    kim = await signed_in(world)
    for number in range(1, 28):
        await world.push(f"M3X10 {number}")
        await world.passes(timedelta(minutes=30))
    first = await page(kim, "/ledger?words=screw")
    (older,) = re.findall(r'href="/lending(/ledger\?[^"]*cursor[^"]*)"', kim.last.text)
    program = Web(world, world.alpha).visitor(await kim.makes_token("read"))
    newest = await program.reads("/transfers", limit=10)
    await world.push("M3X10 20")  # a new entry doesn't move others to another page
    second = await page(kim, html.unescape(older))
    shown = [int(each) for each in re.findall(r"(\d+) × Cap screw", f"{first} {second}")]
    assert shown == list(range(27, 0, -1))
    assert "Older" not in second
    assert "words=screw" in re.findall(r'href="/lending/ledger\?([^"]*)">Newest', kim.last.text)
    told = newest["items"]
    while newest["next"]:
        newest = await program.reads("/transfers", limit=10, cursor=newest["next"])
        told += newest["items"]
    assert [int(each["lines"][0]["quantity"]) for each in told] == list(range(27, 0, -1))


async def test_somebody_finds_and_requests_a_friends_shared_item_on_a_page() -> None:
    world = await sharing(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    kim = await signed_in(world)
    before = len(world.room.messages())
    await kim.gets("/find")
    await kim.submits("/find", words="nut", space="betaspace")
    await kim.follows()
    assert "Found 1 M3 nut N-M3 900 free at Betaspace" in words_on(kim)
    assert len(world.room.messages()) == before  # the room doesn't read it
    word = html.unescape(re.findall(r'name="word" value="([^"]*)"', kim.last.text)[0])
    await kim.submits("/find/request", word=word, space="betaspace", quantity="20", until="2026-12-15")
    await kim.follows()
    asked = world.beta.transfer()
    assert (asked.terms.kind, str(asked.terms.lines[0].quantity)) == ("request", "20")
    assert str(asked.terms.loan_until) == "2026-12-15"
    await kim.gets("/find")
    await kim.submits("/find", words="unobtainium")
    await kim.follows()
    assert "unobtainium" in words_on(kim)
    assert "Found" not in words_on(kim)
    await kim.submits("/find", words="", space="")
    await kim.follows()
    assert "Thermal camera" in words_on(kim)
    assert "Cap screw" in words_on(kim)  # our own shared item, which can't be requested
    assert 'value="attraktor"' not in kim.last.text


async def test_find_shows_when_an_item_is_free_again_and_books_it_or_joins_its_queue() -> None:
    world = await sharing(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    kim = await signed_in(world)
    with world.alpha.by_hand():
        category = world.alpha.part("M3-NUT").category
        fields = {"description": "camera", "category": getattr(category, "pk", category), "trackable": True}
        world.alpha.admin("POST", "part/", name="Thermal camera", IPN="THERMO-1", salable=True, **fields)

    async def finds(words: str) -> str:
        await kim.gets("/find")
        await kim.submits("/find", words=words, space="betaspace")
        await kim.follows()
        return words_on(kim)

    async def takes(path: str, **fields: str) -> None:
        (word,) = {html.unescape(each) for each in re.findall(r'name="word" value="([^"]*)"', kim.last.text)}
        await kim.submits(path, word=word, space="betaspace", **fields)
        await kim.follows()

    assert "1 free at Betaspace Request it Thermal camera, Betaspace" in await finds("thermal")
    await takes("/find/request", quantity="1", first="2026-12-12", until="2026-12-19")
    assert (world.beta.transfer().terms.starts, world.beta.transfer().terms.loan_until) == (
        date(2026, 12, 12),
        date(2026, 12, 19),
    )
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert "1 free at Betaspace, 1 booked from Sat 12 Dec, free from Sun 20 Dec 2026" in await finds("thermal")
    assert "Wait for it" not in words_on(kim), "it is there now"
    world.cem.says("!fed lend 5 N-M3 to attraktor until 1.12.")
    await world.settle()
    card = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1]
    world.anna.reacts(card, "✅")
    await world.grace()
    assert "895 free at Betaspace, 5 more lent until Tue 1 Dec 2026" in await finds("nut"), world.room.transcript()
    await takes("/find/wait", quantity="897")
    await world.settle()
    assert ", 1 waits for it, our place is 1" in await finds("nut"), words_on(kim)
    assert "See your place" in words_on(kim)
    assert "Wait for it" not in words_on(kim)
    assert "Stop waiting" in await page(kim, "/loans")
    assert "Lend or give it Cap screw" in (await finds_ours(kim))


async def finds_ours(kim: Visitor) -> str:
    await kim.gets("/find")
    await kim.submits("/find", words="m3x10")
    await kim.follows()
    return words_on(kim)


async def test_requests_from_friends_in_turn_are_listed_beside_the_loans() -> None:
    world = await sharing(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    kim = await signed_in(world)
    world.kim.says("!fed request 20 N-M3 from anyone")
    await world.settle()
    (rota,) = world.alpha.turn.all(Rota)
    assert f"Requests to friends, in turn 20 × N-M3 by Kim, {rota.code} Asked: Betaspace" in await page(kim, "/loans")
    world.kim.says(f"!fed cancel {rota.code}")
    await world.settle()
    assert "in turn" not in await page(kim, "/loans")


async def test_neighbours_loans_are_listed_beside_the_others() -> None:
    world = await sharing(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    world.piet.says('!fed lend 10 M3-NUT to outside "Repair Café" for 2 days')
    await world.settle()
    (loan,) = world.alpha.turn.all(OutsideLoan)
    kim = await signed_in(world)
    words = f"With neighbours who have no bot 1 10 × M3 nut to Repair Café, {loan.code}. On loan until Thu 26 Nov 2026."
    assert words in await page(kim, "/loans")
    assert "10 × M3 nut back from Repair Café" in await page(kim, "/calendar?month=2026-11")
    (screen,), (mine, every) = await address(kim, "screen"), await address(kim, "feed")
    passer_by = Web(world, world.alpha).visitor()
    assert "We have lent 10 × M3 nut to Repair Café Thu 26 Nov" in await page(passer_by, screen)
    assert "SUMMARY:10 × M3 nut back from Repair Café" in (await passer_by.gets(every)).text
    assert (await passer_by.gets(mine)).text.count("BEGIN:VEVENT") == 0, "it was Piet who lent it"
    await world.passes(timedelta(days=4))
    assert "overdue by 2 days" in await page(kim, "/loans")
    assert "10 × M3 nut overdue from Repair Café" in await page(kim, "/calendar")
    world.piet.says(f"!fed return {loan.code}")
    await world.settle()
    assert "neighbours" not in await page(kim, "/loans")


async def test_the_ledger_has_neighbours_loans_on_the_page_in_the_api_and_in_the_csv() -> None:
    world = await sharing(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    await world.push("M3X10 1")
    await world.passes(timedelta(minutes=1))
    world.piet.says('!fed lend 10 M3-NUT to outside "Repair Café" for 2 days')
    await world.passes(timedelta(minutes=1))
    await world.push("M3X10 2")
    kim = await signed_in(world)
    ledger = await page(kim, "/ledger")
    assert "10 × M3 nut Loan to a neighbour to Repair Café On loan until Thu 26 Nov 2026." in ledger
    assert ledger.index("2 × Cap screw") < ledger.index("10 × M3 nut") < ledger.index("1 × Cap screw")
    program = Web(world, world.alpha).visitor(await kim.makes_token("read"))
    told: list[dict[str, object]] = []
    cursor = ""
    for _ in range(3):  # one on each page
        newest = await program.reads("/transfers", limit=1, cursor=cursor)
        told, cursor = told + newest["items"], newest["next"]
    assert [each["kind"] for each in told] == ["give", "outside", "give"]
    assert told[1]["neighbour"] == "Repair Café"
    table = list(csv.DictReader(io.StringIO((await kim.gets("/ledger.csv")).text)))
    assert [row["id"] for row in table] == [each["id"] for each in told]
    for query, there in (
        ("kind=outside", True),
        ("kind=give", False),
        ("state=on_loan", True),
        ("state=done", False),
        ("words=repair+m3-nut", True),
        ("direction=in", False),
        ("space=betaspace", False),
    ):
        assert ("to Repair Café" in await page(kim, f"/ledger?{query}")) is there, query
        assert ("Repair Café" in (await kim.gets(f"/ledger.csv?{query}")).text) is there, query
    (loan,) = world.alpha.turn.all(OutsideLoan)
    world.piet.says(f"!fed return {loan.code}")
    await world.settle()
    assert "to Repair Café" in await page(kim, "/ledger?state=done")
    assert "to Repair Café" not in await page(kim, "/ledger?state=on_loan")


async def test_an_items_page_has_its_loans_to_neighbours_and_offers_nothing_that_is_out() -> None:
    world = await sharing(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    world.piet.says('!fed lend #42 to outside "Repair Café" for 2 days')
    world.piet.says('!fed lend 10 M3-NUT to outside "Repair Café" for 2 days')
    await world.settle()
    kim, piet = await signed_in(world), await signed_in(world, "piet")
    told = await page(piet, "/items/42")
    assert told.startswith("Laser lens 2.0″ ZnSe (#42)")
    assert "It is on loan 1 × Laser lens 2.0″ ZnSe (SN 0042) to Repair Café" in told
    assert "Lend or give it" not in told
    assert "It is back" not in await page(kim, "/items/42"), "kim may not end it"
    (nuts,) = [loan for loan in world.alpha.turn.all(OutsideLoan) if loan.quantity == 10]
    assert nuts.item != nuts.source
    told = await page(piet, f"/items/{nuts.source}")
    assert told.startswith(f"M3 nut (#{nuts.source})")
    assert "10 × M3 nut to Repair Café" in told
    assert "Lend or give it" in words_on(piet), "the others are still there"
    await piet.gets("/items/42")
    (line,) = re.findall(r'value="(return [^"]*)">It is back from Repair Café', piet.last.text)
    await piet.submits("/say", line=line)
    await world.settle()
    told = await page(piet, "/items/42")
    assert "It is on loan" not in told
    assert "Lend or give it" in told
    assert "What happened 1 × Laser lens 2.0″ ZnSe (SN 0042) to Repair Café" in told
    assert "Returned" in told.partition("What happened")[2], told


async def test_the_api_lists_wants_of_both_sides() -> None:
    world = await sharing(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    world.tom.says("!fed want 5 M3-NUT until 20.12. – for the camp")
    world.kim.says("!fed want 7 lamp until 10.12.")
    await world.settle()
    kim = await signed_in(world)
    ours, theirs = await Web(world, world.alpha).visitor(await kim.makes_token()).reads("/wants")
    (wanted,) = world.alpha.turn.all(Want)
    assert (ours["ours"], ours["code"], ours["word"], ours["lacking"], ours["until"]) == (
        True,
        wanted.code,
        "lamp",
        "7",
        "2026-12-10",
    )
    assert (ours["by"]["user"], ours["told_at"]) == ("kim", None)
    assert (theirs["ours"], theirs["space"]["id"], theirs["quantity"], theirs["by"]) == (False, "betaspace", "5", None)
    assert (ours["note"], theirs["note"]) == ("", "for the camp")


async def test_queues_are_listed_beside_the_loans() -> None:
    world = await sharing(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    await lends(world, "#42 to betaspace for 2 days")
    world.kim.says("!fed wait LENS-2#0042 from attraktor")
    await world.settle()
    kim = await signed_in(world)
    told = await page(kim, "/loans")
    (entry,) = world.alpha.turn.queue()
    assert f"Waiting lists 1 {entry.code} – 1 × Laser lens 2.0″ ZnSe#0042: Kim, place 1 for one of our items" in told
    (waiting,) = await Web(world, world.alpha).visitor(await kim.makes_token()).reads("/queues")
    assert (waiting["place"], waiting["ours"], waiting["by"]["user"]) == (1, False, "kim")
    world.kim.says("!fed wait N-M3 from betaspace")
    world.beta.goes_down()  # so it can't say yet whether it is there
    await world.settle()
    assert "1 × N-M3 of Betaspace: not answered yet our place at Betaspace Stop waiting" in await page(kim, "/loans")


async def test_figures_are_the_same_as_in_a_direct_chat() -> None:
    world = await friends(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    kim = await signed_in(world)
    await world.hand_over("M3-NUT 10")
    told = await page(kim, "/figures")
    assert re.search(r"\d+ parts \d+ stock items \d+ categories \d+ locations 0 shared with friends", told)
    assert "low" not in told  # stats.disclose leaves that out
    assert "Betaspace 1 0 0 0" in told
    await world.passes(timedelta(days=31))
    kim = await signed_in(world)
    assert "Betaspace 0 0 0 0" in await page(kim, "/figures?days=30")
    await world.passes(timedelta(minutes=2))
    world.alpha.fails(FaultKind.ERROR_BEFORE, path="(part|stock)/", times=None)
    assert "InvenTree doesn't answer." in await page(kim, "/figures")
    world.alpha.comes_back()
    await world.alpha.restart(disclose_in_room=())
    kim = await signed_in(world)
    assert await page(kim, "/figures") == "Figures We show our figures only in the admin room."


async def test_every_link_leads_to_a_page() -> None:
    world = await sharing(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    await lends(world, "#42 to betaspace for 2 days")
    world.piet.says('!fed lend 10 M3-NUT to outside "Repair Café & Söhne" for 2 days')
    world.kim.says("!fed wait LENS-2#0042 from attraktor")
    world.cem.says("!fed push 3 N-M3 to attraktor")
    await world.settle()
    browser = await signed_in(world, "piet")
    seen, waiting = set[str](), ["/"]
    while waiting:
        path = waiting.pop()
        answer = await browser.gets(path)
        assert answer.status_code == 200, (path, words_on(browser))
        for link in re.findall(r'(?:href|src)="/lending([^"#]*)"', answer.text if "<html" in answer.text else ""):
            found = html.unescape(link)
            if found not in seen and "month=" not in found:  # a month leads to the next one for ever
                seen.add(found)
                waiting.append(found)
    assert "/ledger?space=outside%3ARepair%20Caf%C3%A9%20%26%20S%C3%B6hne" in seen
    assert "10 × M3 nut" in await page(browser, "/ledger?space=outside%3ARepair%20Caf%C3%A9%20%26%20S%C3%B6hne")
    assert "Laser lens" not in words_on(browser)
    assert len(seen) > 25


def test_the_curve_of_stock_follows_the_days_and_begins_at_zero() -> None:
    days = [(date(2026, 11, 1), 50), (date(2026, 11, 2), 100), (date(2026, 11, 11), 0)]
    assert curve(days) == "0.00,52.00 10.00,4.00 100.00,100.00"
    assert curve(days[:1]) == ""


async def address(browser: Visitor, kind: str) -> list[str]:
    """Create an address of that kind on the page; return what it opens."""
    await browser.gets("/access")
    await browser.submits("/access/addresses", name="hall", kind=kind, days="30")
    return re.findall(rf"<code>{URL}(/(?:screen|calendar)/[^<]+)</code>", browser.last.text)


async def test_a_wall_screen_and_calendars_open_by_an_address_until_it_is_ended() -> None:
    world = await friends(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    anna, kim = await signed_in(world, "anna"), await signed_in(world)
    (screen,), (mine, every), (kims, _) = (
        await address(anna, "screen"),
        await address(anna, "feed"),
        await address(kim, "feed"),
    )
    await lends(world, "2 Arduino Nano to betaspace for 2 days")
    await world.push("M3-NUT 10")
    passer_by = Web(world, world.alpha).visitor()
    told = await page(passer_by, screen)
    assert told.index("We have borrowed Nothing.") < told.index(
        "We have lent 2 × Arduino Nano to Betaspace due in 2 days"
    )
    assert "Waiting for a decision 10 × M3 nut to Betaspace Until" in told
    assert "Anna" not in passer_by.last.text
    assert '<main data-again="60">' in passer_by.last.text
    assert "http-equiv" not in passer_by.last.text
    assert "<form" not in passer_by.last.text
    assert re.findall(r".*<a .*", passer_by.last.text) == re.findall("<noscript>.*", passer_by.last.text)

    answer = await passer_by.gets(every)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    (loan,) = [transfer for transfer in world.alpha.turn.transfers() if transfer.is_loan]
    assert f"UID:{loan.id}@fed.attraktor.test\r\n" in answer.text.replace("\r\n ", "")
    assert "SUMMARY:2 × Arduino Nano back from Betaspace" in answer.text.replace("\r\n ", "")
    assert "DTSTART;VALUE=DATE:20261126\r\nDTEND;VALUE=DATE:20261127" in answer.text
    assert (await passer_by.gets(mine)).text.count("BEGIN:VEVENT") == 1
    assert (await passer_by.gets(kims)).text.count("BEGIN:VEVENT") == 0
    assert (await passer_by.gets(kims.replace("/calendar/", "/screen/").removesuffix("/mine.ics"))).status_code == 404
    assert (await passer_by.gets(every.replace("all.ics", "other.ics"))).status_code == 422
    secret = screen.rpartition("/")[2]
    assert (await Web(world, world.alpha).visitor(secret).gets("/api/v1/now")).status_code == 401
    assert secret not in "\n".join(world.alpha.journal._database._connection.iterdump())

    world.alpha.goes_down()
    await world.passes(timedelta(minutes=1))
    down = await passer_by.gets(screen)
    assert down.status_code == 503
    assert '<main data-again="60">' in down.text
    world.alpha.comes_back()
    await world.passes(timedelta(minutes=20))
    await anna.gets("/access")
    assert "Wall screen" in words_on(anna)
    held = re.findall(r'<th scope="row">hall</th>.*?/access/(\w+)/end', anna.last.text, re.DOTALL)
    assert len(held) == 2
    for identifier in held:
        await anna.gets("/access")
        await anna.submits(f"/access/{identifier}/end")
    for path in (screen, mine, every):
        assert (await passer_by.gets(path)).status_code == 404


async def test_a_booked_loan_in_a_parcel_is_a_loan_on_pages_and_in_the_api_and_no_booking() -> None:
    world = await friends(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    await lends(world, "#42 to betaspace from 12.12. until 19.12.")
    await world.passes(timedelta(days=18))
    handed_over = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1]
    world.anna.reacts(handed_over, "📦")
    await world.grace()
    assert {space.transfer().state.value for space in world.spaces} == {"sent"}, world.room.transcript()
    piet = await signed_in(world, "piet")
    assert "We have lent 1 1 × Laser lens 2.0″ ZnSe (SN 0042) to Betaspace, by Anna on its way Sat 19 Dec" in (
        await page(piet, "/loans")
    )
    assert "Booked" not in words_on(piet)
    assert "back from Betaspace" in await page(piet, "/calendar?month=2026-12")
    program = await Web(world, world.alpha).program_of(world.piet)
    assert await program.reads("/bookings") == []
    (loan,) = await program.reads("/loans")
    assert (loan["state"], loan["on_its_way"], loan["on_loan"]) == ("sent", True, False)


async def test_the_calendar_has_what_is_still_out_of_a_loan_that_came_back_in_part() -> None:
    world = await friends(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    await lends(world, "10 M3-NUT to betaspace until 19.12.")
    world.cem.says(f"!fed return {world.beta.transfer().code} 4")
    await world.settle()
    world.piet.reacts(world.room.message("Is it here"), "✅")
    await world.grace()
    piet = await signed_in(world, "piet")
    assert "6 × M3 nut back from Betaspace" in await page(piet, "/calendar?month=2026-12")


async def test_a_booking_is_in_the_month_and_a_loan_is_extended_and_returned_on_its_page() -> None:
    world = await friends(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    piet = await signed_in(world, "piet")
    (_, every) = await address(piet, "feed")
    await lends(world, "#42 to betaspace from 12.12. until 19.12.")
    assert "Booked 1 1 × Laser lens 2.0″ ZnSe (SN 0042) to Betaspace, by Anna Sat 12 Dec – Sat 19 Dec" in (
        await page(piet, "/loans")
    )
    december = await page(piet, "/calendar?month=2026-12")
    assert "Calendar, December 2026" in december
    assert "12 Sat 12 Dec 1 × Laser lens 2.0″ ZnSe (SN 0042) Betaspace picks up 13" in december
    assert "19 Sat 19 Dec 1 × Laser lens 2.0″ ZnSe (SN 0042) back from Betaspace 20" in december
    assert "month=2026-11" in piet.last.text
    assert "month=2027-01" in piet.last.text
    assert "No pick-ups or returns in this month." in await page(piet, "/calendar?month=2027-02")
    assert (await piet.gets("/calendar?month=2026-13")).status_code == 422
    told = (await piet.gets(every)).text.replace("\r\n ", "")
    assert "DTSTART;VALUE=DATE:20261212\r\nDTEND;VALUE=DATE:20261220\r\nSUMMARY:Booked: 1 × Laser lens" in told

    world.cem.says('!fed lend 2 "Nozzle 0.4 mm brass" to attraktor for 2 days')
    await world.settle()
    (offer,) = [t for t in world.alpha.turn.open_transfers() if t.state.value == "open"]
    await piet.gets(f"/transfers/{offer.id}")
    await piet.submits(f"/transfers/{offer.id}/decision", choice="approve")
    await world.grace()
    assert "26 Thu 26 Nov 2 × Nozzle 0.4 mm brass back to Betaspace 27" in await page(piet, "/calendar")
    assert "Give it back" in await page(piet, f"/transfers/{offer.id}")
    await piet.submits(f"/transfers/{offer.id}/extend", until="2026-12-20")
    (asked,) = [t for t in world.beta.turn.open_transfers() if t.terms.kind == "extension"]
    assert str(asked.terms.loan_until) == "2026-12-20"
    cem = Web(world, world.beta).visitor()
    await cem.signs_in(world.cem)
    told = await page(cem, f"/transfers/{asked.id}")
    assert "Due so far Thu 26 Nov Due then Sun 20 Dec" in told, told
    await piet.gets(f"/transfers/{offer.id}")
    await piet.submits("/say", line=f"return {offer.code}", subject=offer.id)
    assert [t.terms.parent for t in world.beta.turn.open_transfers() if t.terms.kind == "return"] == [offer.id]


async def test_unchanged_content_is_not_sent_again() -> None:
    world = await friends(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    anna = await signed_in(world, "anna")
    (screen,), (mine, _) = await address(anna, "screen"), await address(anna, "feed")
    await lends(world, "2 Arduino Nano to betaspace for 2 days")
    web = Web(world, world.alpha)
    program = web.visitor(await anna.makes_token("read"))
    paths = (screen, mine, "/api/v1/loans", "/api/v1/transfers")
    tags = {}
    for path in paths:
        answer = await program.gets(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-cache"), path
        tags[path] = answer.headers["etag"]
    await world.passes(timedelta(minutes=5))
    for path in paths:
        answer = await program.gets(path, headers={"If-None-Match": f'"other", {tags[path]}'})
        assert (answer.status_code, answer.content) == (304, b""), path
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert (await program.gets(path, headers={"If-None-Match": '"other"'})).status_code == 200
    assert (await program.gets("/api/v1/loans", headers={"Accept-Language": "de"})).status_code == 200
    world.anna.says("!fed lend #42 to betaspace for 3 days")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    for path in paths:
        assert (await program.gets(path, headers={"If-None-Match": tags[path]})).status_code == 200, path
    for path in ("/api/v1/transfers.csv", "/api/v1/nothing", "/", "/screen/fed_x"):
        answer = await program.gets(path)
        assert "etag" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
    world.alpha.deactivates("anna")
    await world.passes(timedelta(seconds=11))
    assert (await program.gets(paths[2], headers={"If-None-Match": tags[paths[2]]})).status_code == 403


async def test_a_page_refused_before_sign_in_uses_the_browsers_language() -> None:
    world = await friends(alpha={"pages_url": URL})
    browser = Web(world, world.alpha).visitor()
    speaks = (("de-AT, en;q=0.5", "de", "Das hat nicht geklappt"), ("fr", "en", "That did not work"))
    for language, lang, word in speaks:
        headers = {"Accept-Language": language}
        refused = await browser.calls("POST", "/sign-in", content=b"x" * 100_000, headers=headers)
        missing = await browser.gets("/nothing", headers=headers)
        assert (refused.status_code, missing.status_code) == (413, 404)
        for answer in (refused, missing):
            assert f'lang="{lang}"' in answer.text
            assert word in answer.text
    answer = await browser.calls("POST", "/api/v1/lines", content=b"x" * 100_000, headers={"Accept-Language": "de"})
    assert answer.json()["type"] == "urn:fedbot:problem:too_large"


async def test_a_screen_shows_no_more_than_the_settings_say() -> None:
    world = await friends(alpha={"pages_url": URL, "screen_shows": ("lent", "people")}, beta={"pages_url": URL})
    await encrypted(world)
    (screen,) = await address(await signed_in(world), "screen")
    await lends(world, "2 Arduino Nano to betaspace for 2 days")
    await world.push("M3-NUT 10")
    told = await page(Web(world, world.alpha).visitor(), screen)
    assert "2 × Arduino Nano to Betaspace, by Anna due in 2 days" in told
    assert "M3 nut" not in told
    assert "borrowed" not in told


async def test_a_labels_code_leads_to_the_item_and_lends_it() -> None:
    world = await friends(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    anna = await signed_in(world, "anna")
    assert "Item #42" in await page(anna, "/items/42")
    drawn = await anna.gets("/items/42/code.svg")
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert drawn.content == qr.as_svg(f"{URL}/items/42")
    assert drawn.content != qr.as_svg(f"{URL}/items/41")
    await anna.gets("/items/42")
    await anna.submits("/items/42/offer", quantity="1", space="betaspace", until="2026-12-15")
    await anna.follows()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    told = await page(anna, "/items/42")
    assert "Laser lens 2.0″ ZnSe (#42)" in told
    assert "It is on loan 1 × Laser lens 2.0″ ZnSe (SN 0042) to Betaspace, by Anna due in 21 days" in told
    assert "Lend or give it" not in told
    line = world.kim.says("!fed qr #42")
    await world.settle()
    assert f"{URL}/items/42" in world.room.answers(line)[0].text
    (picture,) = [e["content"] for e in world.server.log if e["content"].get("msgtype") == "m.image"]
    assert world.server.media[picture["url"]] == qr.as_png(f"{URL}/items/42")
    assert (picture["body"], picture["filename"]) == ("QR code for the label of item #42", "label-42.png")
    assert picture["m.relates_to"] == {"m.in_reply_to": {"event_id": line}}
    several = world.kim.says("!fed qr RPI-4")
    await world.settle()
    assert world.answer_to(several).count(f"{URL}/items/") > 1
    assert len([e for e in world.server.log if e["content"].get("msgtype") == "m.image"]) == 1
    assert "Laser lens 2.0″ ZnSe #42 #43" in await page(anna, "/labels?items=42,+43+42")
    assert re.findall(r"/lending/items/(\d+)/code", anna.last.text) == ["42", "43"]
    assert (await anna.gets("/labels?items=x")).status_code == 422
    world.kim.leaves()
    await world.settle()
    kim = await signed_in(world, "piet")
    assert "on loan" in await page(kim, "/items/42")


async def test_a_typed_decision_stands_once_in_the_story_and_all_details_stand_on_the_page() -> None:
    world = await friends(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    await world.push("RES-10K 5")
    bea = Web(world, world.beta).visitor()
    await bea.signs_in(world.bea)
    transfer = world.beta.transfer()
    told = await page(bea, f"/transfers/{transfer.id}")
    assert "packaging reel, status OK" in told, "the card on a page has room for all details"
    assert "!fed show" not in told
    world.cem.reacts(world.card(), "📦")
    await world.grace()
    world.bea.says("!fed received", reply_to=world.card())
    await world.grace()
    told = await page(bea, f"/transfers/{transfer.id}")
    assert told.count("typed !fed received") == 1, told
    assert told.count("chose 📦") == 1, "Cem's, by a reaction"
    world.bea.says(f"!fed show {transfer.code}")
    await world.settle()
    shown = world.room.messages(sender=world.beta.chat.user_id)[-1].text
    assert (shown.count("typed !fed received"), shown.count("chose 📦")) == (1, 1)
