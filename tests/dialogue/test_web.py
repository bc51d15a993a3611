"""People on pages and programs on the API: the rules, permissions and sentences of chat; the room stays the record."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from gettext import NullTranslations
from typing import Any

import pytest

from fedbot.commands.registry import catalogue
from fedbot.messages import language
from fedbot.rules.ledger import history
from fedbot.rules.model.care import Care
from fedbot.rules.model.command import WebAccess
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Transfer
from tests.scenarios.books import assert_books_balance
from tests.scenarios.browsing import URL, Web, encrypted
from tests.scenarios.world import World, a_world, friends, sharing, told


async def pages(space: str = "attraktor", **options: Any) -> tuple[World, Web]:  # noqa: ANN401
    """Two friends in an encrypted room, and the pages of one of them."""
    world = await friends(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    return world, Web(world, world.alpha if space == "attraktor" else world.beta, **options)


async def test_the_ledger_as_csv_is_read_in_the_thread_of_the_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    world, web = await pages()
    await world.hand_over("M3-NUT 10")
    program = await web.program_of(world.anna)
    threads, rows_of = set(), history.rows

    def rows(transfers: Iterable[Transfer]) -> list[history.Row]:
        threads.add(threading.get_ident())
        return rows_of(transfers)

    monkeypatch.setattr(history, "rows", rows)
    table = (await program.gets("/api/v1/transfers.csv")).text.splitlines()
    assert len(table) == 2
    assert threads == {threading.get_ident()}, "the bot's state is changed there, and may be read nowhere else"


async def test_a_person_signs_in_by_code_and_offers_and_decides_without_chatting() -> None:
    world, web = await pages()
    browser = web.visitor()
    await browser.signs_in(world.anna)
    assert told(world.room, "your page is signed in")
    program = web.visitor(await browser.makes_token())

    said = await program.says("push 10 M3-NUT to betaspace", key="one")
    assert said.status_code == 200, said.text
    assert said.json()["outcome"] == "done"
    assert (await program.says("push 10 M3-NUT to betaspace", key="one")).json() == said.json()
    assert len(world.alpha.turn.transfers()) == 1
    assert told(world.room, 'Anna, by API token "script": Offered')

    other = Web(world, world.beta)
    cem = await other.program_of(world.cem)
    (waiting,) = (await cem.reads("/now"))["to_decide"]
    assert waiting["card"]["yours"]
    decided = await cem.decides(waiting["id"], "approve")
    assert decided.status_code == 200, decided.text
    await world.grace()
    assert world.alpha.transfer().state.value == "done"
    assert 'Cem, by API token "script"' in world.card().text
    assert_books_balance(world)
    story = await cem.reads(f"/transfers/{waiting['id']}")
    assert story["transfer"]["state"] == "done"
    assert story["transfer"]["decided_by"]["text"] == 'Cem, by API token "script"'
    shown = (await browser.gets(f"/transfers/{waiting['id']}")).text
    assert "<dd>Anna, by API token &#34;script&#34;, " in shown
    assert "<strong>Anna, by API token &#34;script&#34;</strong>" in shown, "what happened"
    assert any(entry["event_id"].startswith("api-") for entry in story["entries"])

    await world.alpha.restart()  # the key still stands for that line
    again = Web(world, world.alpha).visitor(program.token.removeprefix("Bearer "))
    assert (await again.says("push 10 M3-NUT to betaspace", key="one")).json() == said.json()
    assert len(world.alpha.turn.transfers()) == 1
    page = await again.reads("/transfers", limit="1")
    assert [each["id"] for each in page["items"]] == [waiting["id"]]
    assert (await again.reads("/transfers", cursor=page["next"] or "")) is not None
    table = (await again.gets("/api/v1/transfers.csv")).text.splitlines()
    assert len(table) == 2
    assert waiting["id"] in table[1]

    world.piet.says("!fed share all")
    await world.settle()
    await again.says("wait 500 M3-NUT")
    await cem.says("wait 500 M3-NUT from attraktor")
    await world.settle()
    (ours, theirs), (place,) = await again.reads("/queues"), await cem.reads("/queues")
    assert (ours["space"]["id"], ours["place"]) == ("attraktor", 1)
    assert (theirs["space"]["id"], theirs["place"]) == ("betaspace", 2)
    assert (place["code"], place["ours"], place["place"]) == (theirs["code"], True, 2), "one id at both sides"


async def test_the_api_refuses_in_the_words_of_chat_and_only_the_caller_reads_them() -> None:
    world, web = await pages()
    kim = await web.program_of(world.kim)  # kim may request, and nothing else
    before = len(world.room.messages())
    assert (await kim.says("share M3-NUT")).status_code == 403
    assert "urn:fedbot:problem:not_entitled" in kim.last.text
    assert (await kim.says("push 10 M3-NUT to betaspace")).status_code == 403
    assert (await kim.says("connect betaspace")).status_code == 403
    assert (await kim.says("pusch 10")).status_code == 422
    assert kim.last.json()["type"] == "urn:fedbot:problem:no_such_verb"
    assert (await kim.says("cancel zzzz")).status_code == 404
    assert (await kim.says("push", key="a")).status_code == 422
    assert (await kim.says("find nut", key="a")).status_code == 422  # the key stands for another line
    assert (await kim.says("web K7M2-Q4ZT")).status_code == 409  # a token starts no session
    assert len(world.room.messages()) == before
    world.alpha.deactivates("kim")
    await world.passes(timedelta(seconds=11))
    assert (await kim.gets("/api/v1/now")).status_code == 403
    assert (await web.visitor().gets("/api/v1/now")).status_code == 401
    assert (await web.visitor("fed_wrong").gets("/api/v1/now")).status_code == 401


class Marking(NullTranslations):
    """A German in which every sentence begins with a mark."""

    def gettext(self, message: str) -> str:
        return f"§{message}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"§{super().ngettext(msgid1, msgid2, n)}"


async def test_the_api_refuses_in_the_language_of_the_space(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await friends(alpha={"pages_url": URL, "language": "de"})
    await encrypted(world)
    web = Web(world, world.alpha, strangers_calls_a_minute=60)
    browser = web.visitor()
    await browser.signs_in(world.anna)
    program, reader = web.visitor(await browser.makes_token()), web.visitor(await browser.makes_token("read"))
    await program.says("todo", key="one")
    monkeypatch.setattr(language, "_catalogue", lambda _: Marking())
    problems = [
        await reader.says("push 10 M3-NUT to betaspace"),
        await reader.calls("DELETE", "/api/v1/tokens/12345678"),
        await program.calls("DELETE", "/api/v1/tokens/12345678"),
        await program.says("status", key="one"),
        await program.gets("/api/v1/transfers?limit=0"),
        await program.gets("/api/v1/transfers?cursor=none"),
        await program.gets("/api/v1/nothing"),
        await program.gets("/api/v1/transfers/zzzz"),
        await program.gets("/api/v1/searches/zzzz"),
        await program.gets("/api/v1/lines/zzzz"),
        await program.calls("PATCH", "/api/v1/now"),
        await program.calls("POST", "/api/v1/lines", content=b"x" * 100_000),
        *[await web.visitor().gets("/api/v1/now") for _ in range(40)],
    ]
    for answer in problems:
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        assert answer.json()["title"].startswith("§"), answer.text
    assert problems[-1].status_code == 429
    assert len({answer.json()["type"] for answer in problems}) == 14
    world.alpha.goes_down()
    await world.passes(timedelta(minutes=1))
    assert (await program.gets("/api/v1/now")).json()["detail"].startswith("§Not done: our InvenTree")


async def test_no_verb_of_the_permissions_table_does_more_by_api_than_in_chat() -> None:
    world, web = await pages()
    kim = await web.program_of(world.kim)  # a member, and nothing else
    before = len(world.room.messages())
    refused = {}
    for spec in catalogue():
        if spec.permission in {Permission.APPROVER, Permission.SUPERUSER}:
            answer = await kim.says(spec.examples[0])
            refused[spec.name] = (answer.status_code, answer.json().get("type"))
            await world.passes(timedelta(seconds=6))  # the budget for one line is available again
    assert len(refused) > 12
    assert set(refused.values()) == {(403, "urn:fedbot:problem:not_entitled")}, refused
    assert len(world.room.messages()) == before
    piet, superuser = await web.program_of(world.piet), (403, "urn:fedbot:problem:not_entitled")
    for spec in catalogue():  # an approver isn't a superuser
        if spec.permission is Permission.SUPERUSER:
            answer = await piet.says(spec.examples[0])
            assert (answer.status_code, answer.json()["type"]) == superuser, spec.name
            await world.passes(timedelta(seconds=6))
    world.alpha.deactivates("piet")
    await world.passes(timedelta(minutes=1))
    documents = world.alpha.turn.transfers(), world.alpha.turn.connections()
    for spec in catalogue():  # an inactive person may do nothing
        assert (await piet.says(spec.examples[0])).status_code == 403, spec.name
        await world.passes(timedelta(seconds=6))
    assert (world.alpha.turn.transfers(), world.alpha.turn.connections()) == documents
    stranger = web.visitor(kim.token.removeprefix("Bearer "))
    people = {person: user for person, user in world.alpha.us.people.items() if user != "kim"}
    world.alpha.bot.engine.state.configure(replace(world.alpha.us, people=people))
    assert (await stranger.says("todo")).status_code == 401


async def test_a_session_ends_by_itself_and_the_budget_is_enforced() -> None:
    world = await friends(alpha={"pages_url": URL, "pages_session": timedelta(minutes=30)})
    await encrypted(world)
    web = Web(world, world.alpha)
    browser = web.visitor()
    await browser.signs_in(world.kim)
    kim = web.visitor(await browser.makes_token())
    codes = [(await kim.says("status")).status_code for _ in range(31)]
    assert codes[-1] == 429
    assert codes[0] == 200
    await world.passes(timedelta(minutes=31))
    assert (await browser.gets("/")).status_code == 303
    assert (await kim.reads("/me"))["user"] == "kim"  # the token lasts as long as it was made for
    assert [access.kind.value for access in world.alpha.turn.all(WebAccess)] == ["token"]


async def test_a_line_that_only_reads_is_answered_to_the_caller_alone() -> None:
    world, web = await pages()
    world.cem.says("!fed share all")
    await world.settle()
    kim = await web.program_of(world.kim)
    before = len(world.room.messages())
    found = await kim.says("find nut")
    assert found.json()["outcome"] == "told", found.text
    hits = await kim.reads(f"/searches/{found.json()['search']}")
    assert {hit["space"]["id"] for hit in hits["hits"]} >= {"betaspace"}
    assert "stock items of" in (await kim.says("stats betaspace")).json()["answers"][0]["text"]
    assert [space["id"] for space in await kim.reads("/spaces")] == ["betaspace"]
    assert len(world.room.messages()) == before
    world.kim.leaves()
    await world.settle()
    assert await kim.reads("/spaces") == []
    assert (await kim.says("request 1 N-M3 from betaspace")).status_code == 409
    assert "in none of the rooms" in kim.last.json()["detail"]


async def test_an_inventree_token_acts_by_api_and_an_unknown_browser_is_called_so() -> None:
    world, web = await pages(inventree_login=True)
    program = web.visitor()
    program.token = f"Token {world.alpha.seeded.token('anna')}"
    assert (await program.says("push 10 M3-NUT to betaspace")).json()["outcome"] == "done"
    assert told(world.room, "Anna, by API: Offered")
    browser = web.visitor()
    browser.client.headers["User-Agent"] = "curl/8.5"
    await browser.signs_in(world.anna)
    assert told(world.room, "It is open in: unknown browser")
    await browser.gets("/access")
    assert '<th scope="row">unknown browser (this page)</th>' in browser.last.text
    line = world.anna.says("!fed web")
    await world.settle()
    assert "Page: unknown browser, until" in world.room.answers(line)[0].text


async def test_a_tokens_name_is_a_line_that_misleads_nobody() -> None:
    world, web = await pages()
    browser = web.visitor()
    await browser.signs_in(world.anna)
    await browser.gets("/access")
    for name in ("  ", "\u200b", "\u202e"):
        assert (await browser.submits("/access/tokens", name=name, scope="act", days="30")).status_code == 422
        await browser.gets("/access")
    await browser.submits("/access/tokens", name='a\n\u202eb <b> [x](y) "', scope="act", days="30")
    (token,) = re.findall(r"<code>(fed_[^<]+)</code>", browser.last.text)
    await web.visitor(token).says("push 10 M3-NUT to betaspace")
    (offered,) = told(world.room, "Offered to")
    assert offered.text.startswith('Anna, by API token "a b <b> [x](y) "": Offered')
    assert "<b>" not in offered.html.partition("Offered")[0]


async def test_nobody_else_gets_in_by_a_code_and_each_code_counts_once() -> None:
    world, web = await pages()
    world.anna.sets("m.room.topic", {"topic": "lending"})
    browser, thief = web.visitor(), web.visitor()
    code = await browser.shows_code()
    world.kim.says("!fed web AAAA-AAAA")
    world.bea.says(f"!fed web {code}")  # she belongs to the other space, whose bot shows no such code
    world.kim.says(f"!fed web {code.lower()}.")
    await world.settle()
    world.anna.says(f"!fed web {code}")
    await world.settle()
    assert len(told(world.room, "no page shows the code")) == 3
    assert len(told(world.room, "your page is signed in")) == 1
    assert "Kim" in (await browser.gets("/")).text
    assert (await thief.gets("/")).status_code == 303
    late = web.visitor()
    code = await late.shows_code()
    await world.passes(timedelta(minutes=10))
    world.kim.says(f"!fed web {code}")
    await world.settle()
    assert (await late.gets("/")).status_code == 303
    world.kim.app_encrypts = False
    world.kim.says("!fed web CCCC-CCCC")
    await world.settle()
    assert len(told(world.room, "no page shows the code")) == 4  # an unencrypted line there isn't even read
    world.kim.app_encrypts = True
    world.kim.says("!fed web end")
    await world.settle()
    assert (await browser.gets("/")).status_code == 303


async def test_forms_of_other_pages_and_tokens_that_only_read_do_nothing() -> None:
    world, web = await pages()
    browser = web.visitor()
    await browser.signs_in(world.anna)
    await browser.gets("/")
    line = {"line": "push 10 M3-NUT to betaspace"}
    form = dict(re.findall(r'name="(form|key)" value="([^"]*)"', browser.last.text))
    assert (await browser.calls("POST", "/say", data=line)).status_code == 403
    other = {"Origin": "https://evil.example"}
    assert (await browser.calls("POST", "/say", data={**line, **form}, headers=other)).status_code == 403
    reader = web.visitor(await browser.makes_token("read"))
    assert (await reader.says(line["line"])).status_code == 403
    assert (await reader.reads("/me"))["scope"] == "read"
    (token,) = [each for each in await reader.reads("/tokens") if each["this"]]
    (session,) = [each for each in await reader.reads("/tokens") if not each["this"]]
    assert (await reader.calls("DELETE", f"/api/v1/tokens/{session['id']}")).status_code == 403
    assert world.alpha.turn.transfers() == []
    assert (await browser.submits("/say", **line)).status_code == 303
    await browser.follows()
    assert "Offered to Betaspace" in browser.last.text
    assert (await browser.submits(f"/access/{token['id']}/end")).status_code == 303
    assert (await reader.gets("/api/v1/me")).status_code == 401
    for header in ("content-security-policy", "x-content-type-options", "referrer-policy"):
        assert header in browser.last.headers
    await browser.gets("/")
    await browser.submits("/sign-out")
    assert (await browser.gets("/")).status_code == 303


async def test_a_decision_counts_for_what_the_page_showed_and_no_secret_is_stored() -> None:
    world, web = await pages("betaspace")
    browser = web.visitor()
    await browser.signs_in(world.cem)
    cem = web.visitor(await browser.makes_token())
    await world.push("M3-NUT 10")
    transfer = world.beta.transfer()
    assert (await cem.decides(transfer.id, "approve", shown="0" * 64)).status_code == 409
    assert "page_is_outdated" in cem.last.text
    tom = await web.program_of(world.tom)  # he may request, and nothing else
    assert (await tom.decides(transfer.id, "approve")).status_code == 403, tom.last.text
    assert not told(world.room, "on a page")
    assert not told(world.room, "by API")
    await browser.gets(f"/transfers/{transfer.id}")
    assert "offers Betaspace" in browser.last.text
    assert "✅ book it in" in world.card().text
    assert "✅ book it in" not in browser.last.text, "how to answer in chat: the page has buttons"
    await browser.submits(f"/transfers/{transfer.id}/decision", choice="decline", note="too <b>many</b>")
    await browser.follows()
    assert "counts in" in browser.last.text or "Noted" in browser.last.text, browser.last.text
    await world.grace()
    assert world.alpha.transfer().state.value == "declined"
    assert "Cem, on a page" in world.card().text
    await browser.gets(f"/transfers/{transfer.id}")
    assert re.search(r"<dt>Decided by</dt><dd>Cem, on a page, ", browser.last.text), browser.last.text
    assert "<strong>Cem, on a page</strong>" in browser.last.text, "what happened"
    assert "<b>many" not in browser.last.text
    kept = "\n".join(world.beta.journal._database._connection.iterdump())
    for secret in (browser.client.cookies["__Host-fedbot"], cem.token.removeprefix("Bearer ")):
        assert len(secret) > 30
        assert secret not in kept


async def test_only_a_superuser_decides_on_a_friendship_by_page_or_api() -> None:
    world = await a_world(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    await world.asks_to_connect()
    web = Web(world, world.beta)
    cem, bea = await web.program_of(world.cem), await web.program_of(world.bea)
    browser = web.visitor()
    await browser.signs_in(world.cem)
    (asked,) = await cem.reads("/connections")
    at, body = f"/connections/{asked['id']}", {"choice": "approve", "shown": asked["card"]["shown"]}
    refused = await cem.calls("POST", f"/api/v1{at}/decision", json=body)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:fedbot:problem:not_entitled_to_decide")
    assert "Somebody else has to decide on this." in (await browser.gets(at)).text
    await browser.submits(f"{at}/decision", **body)
    assert "Not counted" in (await browser.follows()).text
    old = await bea.calls("POST", f"/api/v1{at}/decision", json={**body, "shown": "0" * 64})
    assert old.json()["type"] == "urn:fedbot:problem:page_is_outdated"
    assert not told(world.room, "by API")
    assert (await bea.calls("POST", f"/api/v1{at}/decision", json=body)).status_code == 200
    await world.grace()
    assert 'Bea, by API token "script"' in world.card().text
    (friendship,) = await bea.reads("/connections")
    assert (friendship["state"], friendship["decided_by"]["user"]) == ("active", "bea")
    assert any(each["who"] and each["who"]["user"] == "bea" for each in await bea.reads(f"/audit/{asked['id']}"))


async def test_every_list_of_the_api_has_what_chat_tells() -> None:
    world = await sharing(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    for line in ("#42 to betaspace for 2 days", "2 Arduino Nano to betaspace from 12.12. until 19.12."):
        world.anna.says(f"!fed lend {line}")
        await world.settle()
        world.cem.reacts(world.card(), "✅")
        await world.grace()
    world.kim.says("!fed request 20 N-M3 from anyone")
    await world.settle()
    kim = await Web(world, world.alpha).program_of(world.kim)
    (loan,), (booked,), (rota,) = await kim.reads("/loans"), await kim.reads("/bookings"), await kim.reads("/rotas")
    assert (loan["due_day"], loan["on_loan"], loan["peer"]["id"]) == ("2026-11-26", True, "betaspace")
    assert (booked["first_day"], booked["due_day"], booked["state"]) == ("2026-12-12", "2026-12-19", "booked")
    assert (rota["wanted"], rota["asked"][0]["space"]["id"]) == ("20", "betaspace")
    figures = await kim.reads("/figures")
    assert figures["counts"]["stock_items"] > 0
    assert [each["lent"]["lines"] for each in figures["dealings"]] == [1]
    entries = await kim.reads(f"/audit/{loan['id']}")
    assert next(each["who"]["user"] for each in entries if each["who"]) == "anna"
    assert entries == (await kim.reads(f"/transfers/{loan['code']}"))["entries"]
    assert (await kim.reads("/spaces/betaspace"))["connection"]["state"] == "active"
    assert [each["id"] for each in (await kim.reads("/transfers", state="on_loan"))["items"]] == [loan["id"]]
    schema = (await kim.gets("/api/v1/openapi.json")).json()["paths"]
    read = {"loans", "bookings", "rotas", "figures", "audit/{subject}", "transfers/{transfer}", "spaces/{space}"}
    assert {f"/api/v1/{each}" for each in read} <= schema.keys()


async def test_high_value_takes_two_people_or_a_code_typed_on_a_page_that_no_homeserver_can_open() -> None:
    world = await sharing(alpha={"pages_url": URL, "care": Care(parts=("M3-NUT",))})
    await encrypted(world)
    web = Web(world, world.alpha)
    for person in (world.anna, world.piet):
        person.says("!fed whoami")
    world.cem.says("!fed request 10 M3-NUT from attraktor")
    await world.settle()
    code = world.alpha.transfer().code
    anna = await web.program_of(world.anna)
    assert (await anna.decides(code, "approve", code=code)).status_code == 200  # a token's code is no proof
    await world.grace()
    assert world.alpha.transfer().first_yes is not None
    assert (await anna.decides(code, "approve")).status_code == 403
    assert "second approver" in anna.last.json()["detail"]
    at = f"/transfers/{world.alpha.transfer().id}"
    shown = (await anna.reads(at))["transfer"]["card"]["shown"]
    for person in (world.anna, world.piet):  # on pages, too, it takes another person
        page = web.visitor()
        await page.signs_in(person)
        await page.gets(at)
        await page.submits(f"{at}/decision", choice="approve", shown=shown)
        await world.grace()
        assert (world.alpha.transfer().state.value == "done") == (person is world.piet)

    world.cem.says("!fed request 5 M3-NUT from attraktor")
    await world.settle()
    transfer = world.alpha.transfer()
    browser = web.visitor()
    await browser.signs_in(world.anna)
    await browser.gets(f"/transfers/{transfer.id}")
    await browser.submits(f"/transfers/{transfer.id}/decision", choice="approve", code=transfer.code)
    await world.grace()
    assert world.alpha.transfer().state.value == "done"


async def test_programs_of_both_spaces_offer_decide_and_read_the_ledger_by_ids_alone() -> None:
    world, ours = await pages()
    world.anna.says("!fed lend 2 Arduino Nano to betaspace for 3 days")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    await world.passes(timedelta(days=5))
    program, theirs = await ours.program_of(world.anna), await Web(world, world.beta).program_of(world.cem)
    assert [loan["overdue_days"] for loan in await program.reads("/loans")] == [2]
    said = (await program.says("push 10 M3-NUT to betaspace", key="order-17")).json()
    (offer,) = said["transfers"]
    card = (await theirs.reads(f"/transfers/{offer}"))["transfer"]["card"]
    assert card["yours"]
    assert (await theirs.decides(offer, "approve", shown=card["shown"])).status_code == 200
    await world.grace()
    assert (await program.reads(f"/transfers/{offer}"))["transfer"]["state"] == "done"
    csv = (await program.gets("/api/v1/transfers.csv", params={"words": "M3-NUT"})).text.splitlines()
    assert [line.split(",")[0] for line in csv[1:]] == [offer]


async def test_a_page_asks_a_person_with_a_second_factor_for_its_code() -> None:
    world, web = await pages(inventree_login=True)
    (anna,) = world.alpha.tables.users.find("username", "anna")
    world.alpha.tables.users.put(replace(anna, second_factor="123456"))
    browser = web.visitor()
    login = {"username": "anna", "password": world.alpha.seeded.passwords["anna"]}
    await browser.gets("/sign-in")
    refused = await browser.submits("/sign-in/inventree", **login)
    assert refused.status_code == 403
    assert "InvenTree asks you for a second factor" in refused.text
    assert 'autocomplete="one-time-code"' in refused.text
    assert login["password"] not in refused.text
    assert (await browser.gets("/")).status_code == 303
    assert (await browser.submits("/sign-in/inventree", **login, code="654321")).status_code == 403
    assert (await browser.submits("/sign-in/inventree", **login, code="123 456")).status_code == 303
    assert (await browser.follows()).status_code == 200


async def test_people_and_programs_get_in_by_inventree_only_where_the_settings_allow_it_and_it_is_safe() -> None:
    world, web = await pages(inventree_login=True)
    password = world.alpha.seeded.passwords["anna"]
    browser = web.visitor()
    await browser.gets("/sign-in")
    assert (await browser.submits("/sign-in/inventree", username="anna", password="wrong")).status_code == 401
    assert (await browser.submits("/sign-in/inventree", username="anna", password=password)).status_code == 303
    assert (await browser.follows()).status_code == 200
    program = web.visitor()
    program.token = f"Token {world.alpha.seeded.token('kim')}"
    assert (await program.reads("/me"))["user"] == "kim"
    program.token = f"Token {world.alpha.seeded.token('fedbot')}"  # the bot's own user is none of our people
    assert (await program.gets("/api/v1/me")).status_code == 401
    kept = "\n".join(world.alpha.journal._database._connection.iterdump())
    assert password not in kept
    tried = [await browser.submits("/sign-in/inventree", username="anna", password=f"{n}") for n in range(5)]
    assert [answer.status_code for answer in tried][-1] == 429
    off = Web(world, world.alpha).visitor()
    assert (await off.submits("/sign-in/inventree", username="anna", password=password)).status_code == 404
    old = await a_world(alpha_version="1.0", alpha={"pages_url": URL})
    late = Web(old, old.alpha, inventree_login=True).visitor()
    password = old.alpha.seeded.passwords["anna"]
    assert (await late.submits("/sign-in/inventree", username="anna", password=password)).status_code == 403
    assert "472" in late.last.text
