"""Attacks by web: other sites, forged headers, names with markup, crowds, and lost addresses."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import chain, repeat
from urllib.parse import unquote

import pytest
from fastapi.routing import APIRoute
from starlette.types import Message

from fedbot.engine import gateway
from fedbot.rules import web as rules
from fedbot.rules.model.command import WebAccess, WebLine
from fedbot.rules.model.lifecycles import TransferState
from fedbot.web.site import access, api, guard, lists, pages, screen_and_calendars
from fedbot.web.site.guard import Turnstile
from tests.scenarios.browsing import URL, Visitor, Web, encrypted
from tests.scenarios.world import World, friends, told

MARKUP = '"><script>x</script>'
EVIL = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


async def two_friends(**options: object) -> tuple[World, Web]:
    world = await friends(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    return world, Web(world, world.alpha, **options)


async def signed_in(web: Web) -> Visitor:
    browser = web.visitor()
    await browser.signs_in(web.world.anna)
    return browser


async def test_no_other_site_signs_anybody_in_or_out_and_no_forged_header_leads_away() -> None:
    world, web = await two_friends()
    browser = await signed_in(web)
    for origin in (EVIL, {"Origin": "null"}, {}):
        answer = await browser.calls("POST", "/sign-in", headers=origin)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
    assert (await browser.gets("/")).status_code == 200
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    for path in ("/loans/", "/ledger//", "//evil.example", "/%2f%2fevil.example", "/api/v1/now/", "/loans", "/sign-in"):
        for visitor in (browser, web.visitor()):
            answer = await visitor.gets(path, headers=forged)
            assert "evil.example" not in str(answer.headers)
            assert answer.headers.get("location", "/lending/").startswith("/lending/")
    assert (await browser.calls("POST", "/say", data={"line": "todo", "form": "ü"}, headers=EVIL)).status_code == 403
    own = {"Origin": "https://fed.attraktor.test"}
    assert (await browser.calls("POST", "/say", data={"line": "todo", "form": "ü"}, headers=own)).status_code == 403
    await browser.gets("/")
    await browser.submits("/say", line="todo", subject="x\r\nSet-Cookie: a=b&z=//evil.example")
    assert browser.last.headers["location"].startswith("/lending/lines/")
    assert "set-cookie" not in browser.last.headers
    assert world.alpha.turn.transfers() == []


async def test_a_session_is_a_cookie_that_nobody_else_can_set_or_read_and_pages_are_not_cached() -> None:
    _, web = await two_friends()
    browser = web.visitor()
    before = await browser.submits("/sign-in")
    cookie = before.headers["set-cookie"]
    assert cookie.startswith("__Host-fedbot=fed_")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    planted = web.visitor()
    planted.client.cookies.set("__Host-fedbot", "fed_" + "a" * 43)
    assert (await planted.gets("/")).status_code == 303
    for path, kept in (("/sign-in", "no-store"), ("/nothing", "no-store"), ("/static/fedbot.css", "max-age=600")):
        answer = await browser.gets(path)
        assert answer.headers["cache-control"] == kept
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
    anna = await signed_in(web)
    await anna.gets("/access")
    await anna.submits("/access/addresses", name="hall", kind="screen", days="30")
    (screen,) = re.findall(rf"<code>{URL}(/screen/[^<]+)</code>", anna.last.text)
    assert (await web.visitor().gets(screen)).headers["referrer-policy"] == "no-referrer"


async def test_pages_of_two_bots_on_one_machine_keep_apart() -> None:
    """Browsers send a host's cookies to each of its ports."""
    world, _ = await two_friends()
    cookies = set()
    for port, space in ((8322, world.alpha), (8323, world.beta)):
        browser = Web(world, space, url=f"http://127.0.0.1:{port}/lending").visitor()
        answer = await browser.calls("POST", "/sign-in", headers={"Origin": f"http://127.0.0.1:{port}"})
        cookies.add(answer.headers["set-cookie"].partition("=")[0])
    assert cookies == {"fedbot-8322", "fedbot-8323"}


async def test_an_item_with_an_absurd_number_is_no_unforeseen_error() -> None:
    _, web = await two_friends()
    browser = await signed_in(web)
    for number in ("0", "-1", str(2**31), "9" * 4_000, "x"):
        for path in (f"/items/{number}", f"/items/{number}/code.svg"):
            assert (await browser.gets(path)).status_code == 422, path
    assert (await browser.gets(f"/items/{2**31 - 1}/code.svg")).status_code == 200


async def test_a_program_that_never_stops_fills_no_memory_and_may_use_its_key_again() -> None:
    world, web = await two_friends()
    program = await web.program_of(world.anna)
    answers = [await program.says("whoami", key=f"{number}") for number in range(60)]
    assert answers[-1].status_code == 429
    assert answers[-1].json()["type"].endswith(":says_too_much")
    assert len(world.alpha.turn.all(WebLine)) < 45
    await world.passes(timedelta(seconds=int(answers[-1].headers["retry-after"])))
    assert (await program.says("whoami", key="59")).status_code == 200


async def test_a_caller_that_invents_addresses_counts_as_one_caller() -> None:
    _, web = await two_friends(strangers_calls_a_minute=8, proxies=("192.0.2.7",))
    stranger = web.visitor()

    async def calls(*forwarded: str) -> list[int]:
        return [
            (await stranger.gets("/api/v1/now", headers={"X-Forwarded-For": each})).status_code for each in forwarded
        ]

    assert set(await calls("198.51.100.1", "198.51.100.2", "198.51.100.3")) == {401}
    assert (await calls(*(f"2001:db8:0:1::{n:x}" for n in range(6))))[-1] == 429
    assert (await calls(*(f"not an address {n}" for n in range(6))))[-1] == 429
    assert (await calls(*(f"10.0.0.{n}, 198.51.100.9, 192.0.2.7" for n in range(6))))[-1] == 429
    assert await calls("2001:db8:0:2::1") == [401]


async def test_a_caller_that_writes_a_header_before_the_proxys_own_counts_as_one_caller() -> None:
    _, web = await two_friends(strangers_calls_a_minute=8, proxies=("192.0.2.7",))
    stranger = web.visitor()
    calls = []
    for number in range(6):  # HAProxy doesn't touch what the caller wrote, and adds a header of its own behind it
        headers = [("X-Forwarded-For", f"198.51.100.{number}"), ("X-Forwarded-For", "203.0.113.5")]
        calls.append((await stranger.gets("/api/v1/now", headers=headers)).status_code)
    assert calls[-1] == 429


async def test_callers_by_ipv4_are_told_apart_on_a_socket_for_both() -> None:
    _, web = await two_friends(strangers_calls_a_minute=8, proxies=("192.0.2.7",))
    crowd, other = web.visitor(host="::ffff:198.51.100.1"), web.visitor(host="::ffff:198.51.100.2")
    assert [(await crowd.gets("/api/v1/now")).status_code for _ in range(6)][-1] == 429
    assert (await other.gets("/api/v1/now")).status_code == 401
    behind = web.visitor(host="::ffff:192.0.2.7")  # the proxy is known by that form of its address, too
    for number in range(6):
        named = {"X-Forwarded-For": f"::ffff:203.0.113.{number}"}
        assert (await behind.gets("/api/v1/now", headers=named)).status_code == 401


async def test_no_stranger_pushes_out_a_code_that_waits_for_its_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "MOST_WAITING", 20)
    world, web = await two_friends()
    browser, neighbour = web.visitor(), web.visitor(host="2001:db8:7:1::1")
    codes = [await each.shows_code() for each in (browser, neighbour)]
    crowds = (
        ["198.51.100.1"] * 25,  # one machine
        [f"198.51.100.{n}" for n in range(25)],  # a rack
        [f"2001:db8:6:{n:x}::1" for n in range(25)],  # a home connection has this many networks
        [f"2001:bad:{n:x}::1" for n in range(25)],  # and a provider has this many lines
    )
    for host in chain.from_iterable(crowds):
        await web.visitor(host=host).submits("/sign-in")
    world.anna.says(f"!fed web {codes[0]}")
    world.kim.says(f"!fed web {codes[1]}")
    await world.settle()
    assert [(await each.gets("/")).status_code for each in (browser, neighbour)] == [200, 200]
    again = web.visitor()
    first, second = await again.shows_code(), await again.shows_code()
    world.kim.says(f"!fed web {first}")  # the page shows another one by now
    await world.settle()
    assert (await again.gets("/")).status_code == 303
    world.kim.says(f"!fed web {second}")
    await world.settle()
    assert (await again.gets("/")).status_code == 200


async def test_a_caller_may_guess_few_codes_and_uses_up_none() -> None:
    world, web = await two_friends()
    browser = web.visitor()
    code = await browser.shows_code()
    for guess in range(6):
        world.kim.says(f"!fed web AAAA-AAA{guess + 2}")
    world.kim.says(f"!fed web {code}")
    await world.settle()
    assert len(told(world.room, "no page shows the code")) == 5
    assert len(told(world.room, "too many codes")) == 2
    assert (await browser.gets("/")).status_code == 303
    await world.passes(timedelta(minutes=3))
    world.kim.says(f"!fed web {code}")
    await world.settle()
    assert (await browser.gets("/")).status_code == 200


async def test_no_stranger_locks_anybody_out_by_trying_passwords_or_by_their_address() -> None:
    world, web = await two_friends(inventree_login=True, calls_a_minute=40)
    stranger, owner = web.visitor(host="198.51.100.1"), web.visitor()

    async def tries(visitor: Visitor, password: str) -> int:
        return (await visitor.submits("/sign-in/inventree", username="anna", password=password)).status_code

    tried = [await tries(stranger, f"{n}") for n in range(12)]
    assert (tried[0], tried[-1]) == (401, 429)
    assert await tries(web.visitor(host="198.51.100.1"), "again") == 429  # another browser of the same machine
    assert await tries(owner, world.alpha.seeded.passwords["anna"]) == 303
    await owner.gets("/access")
    await owner.submits("/access/addresses", name="hall", kind="screen", days="30")
    (screen,) = re.findall(rf"<code>{URL}(/screen/[^<]+)</code>", owner.last.text)
    assert [(await stranger.gets(screen)).status_code for _ in range(30)][-1] == 429
    assert (await owner.gets("/")).status_code == 200


async def test_a_persons_sessions_and_tokens_are_limited_and_a_new_page_ends_the_oldest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rules, "MOST_SESSIONS", 2)
    monkeypatch.setattr(rules, "MOST_TOKENS", 2)
    monkeypatch.setattr(access, "MOST_TOKENS", 2)
    world, web = await two_friends()
    browsers = [web.visitor() for _ in range(3)]
    for each in browsers:
        await each.signs_in(world.anna)
        await world.passes(timedelta(minutes=1))
    assert [(await each.gets("/")).status_code for each in browsers] == [303, 200, 200]
    anna = browsers[-1]
    await anna.makes_token()
    await anna.gets("/access")
    for kind in ("feed", "screen"):
        made = await anna.submits("/access/addresses", name="hall", kind=kind, days="30")
    assert made.status_code == 409
    assert "Not created: you have 2 tokens and addresses" in made.text
    await anna.gets("/access")
    assert (await anna.submits("/access/tokens", name="script", scope="read", days="30")).status_code == 409
    kinds = [each.kind.value for each in world.alpha.turn.all(WebAccess)]
    assert sorted(kinds) == ["feed", "session", "session", "token"]


async def test_names_and_notes_of_others_stay_text_on_every_page() -> None:
    world, web = await two_friends()
    part = next(each for each in world.beta.tables.parts if each.IPN == "N-M3")
    world.beta.tables.parts.put(replace(part, name=f"{MARKUP} nut"))
    world.cem.says("!fed share all")
    await world.settle()
    kim = await signed_in(web)
    world.cem.says(f'!fed push 3 N-M3 to attraktor --note "{MARKUP} note"')
    await world.settle()
    (transfer,) = world.alpha.turn.transfers()
    await kim.gets("/find")
    await kim.submits("/find", words="nut")
    shown = [(await kim.follows()).text]
    await kim.gets("/")
    await kim.submits("/say", line=f"find {MARKUP}")
    shown.append((await kim.follows()).text)
    paths = ("/", "/ledger", f"/ledger?words={MARKUP}", f"/transfers/{transfer.id}", "/spaces/betaspace", "/loans")
    shown += [(await kim.gets(path)).text for path in paths]
    assert sum(html.escape("<script>x</script>") in text for text in shown) >= 6
    for text in shown:
        assert "<script>x" not in text
        assert MARKUP not in text


@pytest.mark.parametrize("is_slow", [False, True])
async def test_a_call_waits_while_the_bot_moves_something_but_not_for_ever(
    is_slow: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guard, "LOOKS_AGAIN", 0.001)
    busy: Iterator[bool] = chain((True, True), repeat(False))
    seen: list[bool] = []

    def is_busy() -> bool:
        seen.append(next(busy))
        return seen[-1]

    async with Turnstile(is_busy, 1.0).entered():
        assert seen == [True, True, False]
    looked, inside = Counter[str](), asyncio.Event()

    def looks() -> bool:
        looked["busy"] += 1
        return True

    turnstile = Turnstile(looks, 0.003)

    async def enters() -> None:
        async with turnstile.entered():
            inside.set()

    async with turnstile.entered():
        before = looked["busy"]
        other = asyncio.create_task(enters())
        await asyncio.sleep(0)  # it begins
        assert looked["busy"] == before, "one after the other: it doesn't even look yet"
        if is_slow:
            await asyncio.wait_for(inside.wait(), 5)  # a caller that waits for somebody else lets the next one in
    await asyncio.wait_for(other, 5)
    assert 6 <= looked["busy"] <= 10
    world, web = await two_friends(patience=0.01)
    assert (await web.visitor().gets("/sign-in")).status_code == 200
    world.anna.says("!fed help")
    await world.settle()
    for seconds in (3600, -1):
        monkeypatch.setattr(gateway, "BUSY_FOR", seconds)
        assert world.alpha.bot.gateway().is_busy() == (seconds > 0)


async def test_a_calendar_ends_with_its_person_and_its_address_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    world, web = await two_friends()
    caplog.set_level("DEBUG")
    anna = await signed_in(web)
    await anna.gets("/access")
    await anna.submits("/access/addresses", name="phone", kind="feed", days="30")
    mine, _ = re.findall(rf"<code>{URL}(/calendar/[^<]+)</code>", anna.last.text)
    passer_by = web.visitor()
    assert (await passer_by.gets(mine)).status_code == 200
    world.alpha.deactivates("anna")
    await world.passes(timedelta(seconds=11))
    assert (await passer_by.gets(mine)).status_code == 403
    secret = mine.split("/")[2]
    told = [each.getMessage() for each in caplog.records if not each.name.startswith("httpx")]
    assert not [line for line in told if secret in line]


def every_call() -> list[tuple[str, str]]:
    """Method and path of each call, with a value for each parameter."""
    filled = {"whose": "mine", "number": "1"}
    routes = [each for part in (api, pages, lists, screen_and_calendars) for each in part.router.routes]
    return [
        (method, re.sub(r"{(\w+)}", lambda name: filled.get(name[1], "k" * 20), route.path))
        for route in routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    ]


OPEN = {"/sign-in", "/sign-in/state", "/sign-in/inventree", "/api/v1/openapi.json"}
"""The pages that anybody may load."""


async def test_no_call_does_or_shows_anything_without_the_right_secret() -> None:
    world, web = await two_friends(strangers_calls_a_minute=6000)
    anna = await signed_in(web)
    token = await anna.makes_token("read")
    secrets = {"session": anna.client.cookies["__Host-fedbot"], "token": token}
    for kind in ("feed", "screen"):
        await anna.gets("/access")
        await anna.submits("/access/addresses", name="hall", kind=kind, days="30")
        (secrets[kind],) = set(re.findall(r"/(?:screen|calendar)/(fed_[^/<]+)", anna.last.text))
    fitting = {"session": "cookie", "token": "bearer", "feed": "/calendar", "screen": "/screen"}
    calls = [(method, path) for method, path in every_call() if path not in OPEN]
    assert len(calls) > 50
    stranger = web.visitor()
    documents = sorted(each.id for each in world.alpha.turn.everything())
    for name, secret in {"nothing": "", **secrets}.items():
        for way in {"cookie", "bearer", "/calendar", "/screen"} - {fitting.get(name, "")}:
            stranger.client.cookies.clear()
            headers = {"Origin": "https://fed.attraktor.test"}
            if way == "cookie":
                stranger.client.cookies.set("__Host-fedbot", secret)
            elif way == "bearer":
                headers["Authorization"] = f"Bearer {secret}"
            for method, path in calls if way in {"cookie", "bearer"} else [("GET", f"{way}/{secret or 'x'}")]:
                at = f"{path}/mine.ics" if path.startswith("/calendar/fed_") else path
                answer = await stranger.client.request(method, f"/lending{at}", headers=headers)
                came = (answer.status_code, answer.headers.get("location", ""))
                allowed = {(401, ""), (404, ""), (405, ""), (303, "/lending/sign-in"), (422, "")}
                assert came in allowed, (name, way, method, path, came)
                assert "Betaspace" not in answer.text
    assert sorted(each.id for each in world.alpha.turn.everything()) == documents
    assert (await anna.gets("/")).status_code == 200, "and nothing was ended"


async def test_no_form_does_anything_for_another_site_or_without_its_token() -> None:
    world, web = await two_friends(inventree_login=True)
    anna = await signed_in(web)
    await anna.gets("/")
    (token,) = set(re.findall(r'name="form" value="([^"]*)"', anna.last.text))
    fields = {"line": "push 10 M3-NUT to betaspace", "space": "betaspace", "word": "M3-NUT", "until": "2026-12-20"}
    fields |= {"quantity": "1", "choice": "approve", "shown": "0" * 64, "name": "x", "scope": "act", "days": "9"}
    fields |= {"kind": "feed", "username": "anna", "password": world.alpha.seeded.passwords["anna"]}
    own = {"Origin": "https://fed.attraktor.test"}
    forms = [path for method, path in every_call() if method == "POST" and not path.startswith("/api/")]
    assert len(forms) > 12
    documents = world.alpha.turn.everything()
    for path in forms:
        attempts = [
            (EVIL, token),
            ({"Origin": "null"}, token),
            ({}, token),
            ({"Referer": "https://evil.example"}, token),
        ]
        if path not in OPEN:  # a page on which nobody is signed in yet has no token
            attempts += [(own, ""), (own, "0" * 64), (own, token[:-1])]
        for headers, form in attempts:
            answer = await anna.calls("POST", path, data={**fields, "form": form}, headers=headers)
            assert answer.status_code == 403, (path, headers, form, answer.status_code)
            assert "set-cookie" not in answer.headers
    assert [each.id for each in world.alpha.turn.everything()] == [each.id for each in documents]


async def test_no_answer_is_kept_by_others_or_shows_what_was_sent() -> None:
    _, web = await two_friends(calls_a_minute=6000)
    anna = await signed_in(web)
    program = web.visitor(await anna.makes_token())
    private = {"no-store", "private, no-cache", "private, max-age=600"}
    for method, path in every_call():
        if method != "GET":
            continue
        for caller in (anna, program):
            answer = await caller.gets(path, params={"cursor": MARKUP, "limit": MARKUP, "month": MARKUP, MARKUP: "x"})
            assert answer.headers["cache-control"] in private, path
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "script-src 'self'" in answer.headers["content-security-policy"]
            assert "<script>x" not in answer.text, path
    for body in (
        {"line": "a" * 2_001 + MARKUP},
        {"line": ["x"], MARKUP: 1},
        {MARKUP: MARKUP},
        MARKUP,
        {"line": "\udc80"},
    ):
        content = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        answer = await program.calls("POST", "/api/v1/lines", content=content, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text
        assert "script" not in answer.text
    wrong = await program.says(MARKUP)
    assert wrong.headers["content-type"] == "application/problem+json"


async def test_nobody_reads_or_repeats_another_persons_lines_searches_or_tokens() -> None:
    world, web = await two_friends()
    world.cem.says("!fed share all")
    await world.settle()
    kim, tom = await web.program_of(world.kim), await web.program_of(world.piet)
    found = (await kim.says("find nut", key="one")).json()
    others = [f"/api/v1/lines/{found['id']}", f"/lines/{found['id']}", f"/api/v1/searches/{found['search']}"]
    browser = web.visitor()
    await browser.signs_in(world.piet)
    for path in others:
        assert (await tom.gets(path)).status_code in {303, 404}, path
        assert (await browser.gets(path)).status_code in {401, 404}, path
    same_key = await tom.says("find bolt", key="one")
    assert same_key.status_code == 200, "a key is its person's own"
    assert same_key.json()["id"] != found["id"]
    assert (await kim.says("find bolt", key="one")).status_code == 422
    (held,) = [each for each in await kim.reads("/tokens") if each["this"]]
    assert (await tom.calls("DELETE", f"/api/v1/tokens/{held['id']}")).status_code == 404
    assert (await kim.reads("/me"))["user"] == "kim"
    for beginning in ("", "%", "0", "*" * 16):
        assert (await tom.calls("DELETE", f"/api/v1/tokens/{beginning}")).status_code in {404, 405}
    assert len(world.alpha.turn.all(WebAccess)) == 5


async def test_a_decision_is_for_one_card_even_under_an_idempotency_key_used_before() -> None:
    world = await friends(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    cem = await Web(world, world.beta).program_of(world.cem)
    await world.push("M3-NUT 10")
    first = world.beta.transfer().id
    await world.push("M3-NUT 20")
    (second,) = {each.id for each in world.beta.turn.open_transfers()} - {first}
    shown = {each: (await cem.reads(f"/transfers/{each}"))["transfer"]["card"]["shown"] for each in (first, second)}
    key = {"Idempotency-Key": "k"}

    async def decides(transfer: str, choice: str, of: str) -> int:
        body = {"choice": choice, "shown": shown[of]}
        answer = await cem.calls("POST", f"/api/v1/transfers/{transfer}/decision", json=body, headers=key)
        return answer.status_code

    assert await decides(first, "approve", second) == 409, "the hash of another card"
    assert await decides(first, "approve", first) == 422, "the key stands for the call before"
    key["Idempotency-Key"] = "l"
    assert await decides(first, "decline", first) == 200
    assert await decides(second, "decline", second) == 422
    assert await decides(first, "approve", first) == 422
    assert (await cem.calls("POST", f"/api/v1/transfers/{first}/decision", json={}, headers=key)).status_code == 422
    assert (await cem.says("todo", key="l")).status_code == 422
    await world.grace()
    states = {each.id: each.state.value for each in world.alpha.turn.transfers()}
    assert states == {first: "declined", second: "open"}


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/%2e%2e/access.py",
        "/static/..%5c..%5caccess.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/fedbot.css%00.py",
        "/static/",
        "/static",
        "/static/templates/base.html",
        "/../etc/passwd",
        "/items/1/../../static/../guard.py",
        "/calendar/%2e%2e/mine.ics",
        "/api/v1/transfers/..%2f..%2fetc%2fpasswd",
    ],
)
async def test_no_path_leads_out_of_the_static_files(path: str) -> None:
    _, web = await two_friends()
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/lending{unquote(path)}",
        "raw_path": f"/lending{path}".encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"fed.attraktor.test")],
        "client": ("192.0.2.7", 1234),
    }
    await web.app(scope, receive, send)  # as a server passes it on; a client would normalise it
    body = b"".join(each.get("body", b"") for each in sent)
    assert sent[0]["status"] in {303, 401, 404}, body
    assert b"import" not in body
    assert b"root:" not in body


async def test_an_approved_booking_is_not_handed_over_on_its_first_day_by_page_or_program() -> None:
    """The approver of a booking has seen no card of its day: the hash of the first card counts once."""
    world = await friends(alpha={"pages_url": URL})
    await encrypted(world)
    web = Web(world, world.alpha)
    anna, kim = await web.program_of(world.anna), await web.program_of(world.kim)
    world.anna.says("!fed share all")
    await world.settle()
    today = world.clock.now().date()
    first, last = today + timedelta(days=2), today + timedelta(days=5)
    world.cem.says(f"!fed request 1 LENS-2 from attraktor from {first} until {last}")
    await world.settle()
    booking = world.alpha.transfer().id
    shown = (await anna.reads(f"/transfers/{booking}"))["transfer"]["card"]["shown"]
    assert (await kim.decides(booking, "approve", shown=shown)).status_code == 403, "a member"
    assert (await anna.decides(booking, "approve", shown=shown)).status_code == 200
    await world.grace()
    assert world.alpha.transfer().state is TransferState.BOOKED, world.room.transcript()
    assert (await anna.decides(booking, "approve", shown=shown)).status_code in {409, 422}, "before its day"
    await world.passes(timedelta(days=2, hours=1))
    again = (await anna.reads(f"/transfers/{booking}"))["transfer"]["card"]["shown"]
    assert again != shown
    for person, of in ((anna, shown), (kim, again)):
        assert (await person.decides(booking, "approve", shown=of)).status_code in {403, 409, 422}
    await world.grace()
    assert world.alpha.transfer().state is TransferState.BOOKED, world.room.transcript()
    assert (await anna.decides(booking, "approve", shown=again)).status_code == 200
    await world.grace()
    assert world.alpha.transfer().state is TransferState.DONE, world.room.transcript()


async def test_no_program_takes_a_turn_or_a_place_of_another_space() -> None:
    """A queue has entries of our own people and of friends. A program is refused whatever chat refuses."""
    world = await friends(alpha={"pages_url": URL}, beta={"pages_url": URL})
    await encrypted(world)
    kim, tom = await Web(world, world.alpha).program_of(world.kim), await Web(world, world.beta).program_of(world.tom)
    world.anna.says("!fed share all")
    world.anna.says('!fed lend #42 to outside "Club" for 1 week')
    await world.settle()
    waits = (await tom.says("wait 1 LENS-2#0042 from attraktor")).json()
    await world.settle()
    (entry,) = world.alpha.turn.queue()
    for line in (f"cancel {entry.code}", f"borrow {entry.code} for 1 week", f"approve {entry.code}"):
        await kim.says(line)
        await world.settle()
    assert [each.id for each in world.alpha.turn.queue()] == [entry.id], (waits, world.room.transcript())
    assert not [each for each in world.alpha.turn.transfers() if each.role == "sender"]


async def test_a_signed_in_superuser_adds_nobody_by_page_or_api() -> None:
    """Whoever sits down at that browser would stay one of our people after the session has ended."""
    world = await friends(alpha={"pages_url": URL})
    await encrypted(world)
    web = Web(world, world.alpha)
    world.newcomer("mia")
    world.anna.sets("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"}, room=world.alpha_admins.id)
    await world.settle()
    before = dict(world.alpha.turn.us.people)
    browser, program = web.visitor(), await web.program_of(world.anna)
    await browser.signs_in(world.anna)
    await browser.gets("/")
    await browser.submits("/say", line="people add @mia:twin.test as anna")
    assert "that counts only in the admin room" in (await browser.follows()).text
    for room in ({}, {"room": world.alpha_admins.id}):
        answer = await program.says("people add @mia:twin.test as anna", **room)
        assert answer.json()["type"] == "urn:fedbot:problem:only_in_the_admin_room"
    assert world.alpha.turn.us.people == before
