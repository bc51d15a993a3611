"""UC1, UC4, UC5 and a new token, played on a pair whose bots may die, and checked at the end."""

from __future__ import annotations

from typing import Any

from fedbot_demo.plot import YES
from tests.crash import transfers
from tests.crash.checks import answers_to, must, of_kind, said, secrets_of
from tests.crash.pair import NotRight, Pair, Party
from tests.crash.transfers import IPN, most_of, stock_of

# --- UC1 ---


async def connect(pair: Pair) -> str:
    """Become friends, starting with the bots' first start; return the connection's id."""
    await pair.until(lambda: all(_knows_the_other(pair, party) for party in pair.parties), "both announced")
    known = {each["id"] for each in pair.take.documents("Connection")}
    await pair.give.person.say(pair.room, f"!fed connect {pair.take.id}")
    (asked,) = await pair.until(
        lambda: [c["id"] for c in pair.take.documents("Connection") if c["id"] not in known], "the request to connect"
    )
    card = await pair.until(lambda: pair.take.post(f"card:{asked}"), "the card")
    await pair.take.person.react(pair.room, card, YES)
    await pair.until(lambda: _all_are(pair, asked, "active"), "both active")
    await pair.rest()
    return str(asked)


async def connected_right(pair: Pair, connection: str) -> None:
    """Each side has exactly one company, account, group and token, all correct; nothing was said twice."""
    for party, peer in (pair.parties, pair.parties[::-1]):
        (company,) = await _companies(party, peer)
        must('"active"' in str(company["metadata"]).replace("'", '"'), f"metadata at {party.id}: {company}")
        users = await _users(party, peer)
        must([u["username"] for u in users] == [f"fed-{peer.id}-1"], f"accounts at {party.id}: {users}")
        must(users[0].get("is_active") is not False, f"{users} isn't active")
        known = party.document("Connection", connection)
        must(known["company"] == company["pk"], "another company")
        await _one_valid_token(party, peer, connection)
    timeline = await said(pair)
    must(of_kind(timeline, "connect") == 1, "asked in the room otherwise than once")
    must(of_kind(timeline, "noted") == 1, "one card, not more")


async def _one_valid_token(party: Party, peer: Party, connection: str) -> str:
    """Only the token for the peer that our bot knows is valid; return its name."""
    async with party.stocktake() as stocktake:
        tokens = [t for t in await stocktake.tokens() if t["name"].startswith(f"fed-{peer.id}-")]
    valid = [t["name"] for t in tokens if t.get("active") and not t.get("revoked")]
    name = str(party.document("Connection", connection)["token_name"])
    must(valid == [name], f"valid tokens at {party.id}: {tokens}, and not {name}")
    return name


async def _companies(party: Party, peer: Party) -> list[dict[str, Any]]:
    async with party.stocktake() as stocktake:
        companies = [c for c in await stocktake.companies() if peer.account.user_id in (c.get("link") or "")]
        if len(companies) != 1:
            raise NotRight(f"{party.id} has {len(companies)} companies for {peer.id}")
        metadata = await stocktake.metadata("company", companies[0]["pk"])
    return [companies[0] | {"metadata": metadata.get("fedbot", {})}]


async def _users(party: Party, peer: Party) -> list[dict[str, Any]]:
    async with party.stocktake() as stocktake:
        return [u for u in await stocktake.users() if u["username"].startswith(f"fed-{peer.id}-")]


def _knows_the_other(pair: Pair, party: Party) -> bool:
    other = next(each for each in pair.parties if each is not party)
    announced = [p["id"] for a in party.documents("Announcement") for p in a["parties"]]
    return other.id in announced


def _all_are(pair: Pair, connection: str, state: str) -> bool:
    return all(party.document("Connection", connection).get("state") == state for party in pair.parties)


def living_connection(pair: Pair) -> str:
    """The connection that is active on both sides, or ''."""
    active = [c["id"] for c in pair.give.documents("Connection") if c["state"] == "active"]
    return active[0] if active and _all_are(pair, active[0], "active") else ""


# --- UC4 ---


async def ask_for_figures(pair: Pair) -> str:
    """One space asks for both spaces' figures; return the id of the line."""
    line = await pair.take.person.say(pair.room, "!fed stats all")
    await pair.until(lambda: pair.take.post(f"stats:-:{line}"), "the figures")
    await pair.until(lambda: not pair.take.documents("Survey"), "everybody's figures")
    await pair.rest()
    return line


async def figures_right(pair: Pair, line: str) -> None:
    """There is one answer with both spaces' figures, and the friend's are stored, in InvenTree too."""
    answers = answers_to(await said(pair), line)
    must(len(answers) == 1, f"{len(answers)} answers")
    for party in pair.parties:
        must(f"{party.id.capitalize()}: " in answers[0].body, f"no figures of {party.id}: {answers[0].body}")
    must(len(pair.take.documents("SpaceFigures")) == 1, "the friend's figures aren't kept once")
    (company,) = await _companies(pair.take, pair.give)
    must("stock_items" in str(company["metadata"]), f"not in the company's metadata: {company}")


# --- other spaces' stock ---


async def find(pair: Pair) -> str:
    """One space searches for a part; return the id of the line."""
    line = await pair.take.person.say(pair.room, f"!fed find {IPN} in {pair.give.id}")
    found = await pair.until(
        lambda: [s for s in pair.take.documents("Search") if s["event_id"] == line and s["came"]], "the friend's answer"
    )
    await pair.until(lambda: pair.take.post(f"found:{found[0]['id']}"), "the list")
    await pair.rest()
    return line


async def found_right(pair: Pair, line: str) -> None:
    """There is one list with the friend's shared stock."""
    answers = answers_to(await said(pair), line)
    must(len(answers) == 1, f"{len(answers)} answers")
    must(IPN in answers[0].body, f"not found: {answers[0].body}")


# --- a new token ---


async def rotate(pair: Pair) -> tuple[str, str]:
    """One space rotates the other's token; return the old value and the id of the line."""
    old = next(value for name, value in secrets_of(pair.give).items() if name.startswith("made-for/"))
    connection = living_connection(pair)
    line = await pair.give.person.say(pair.room, f"!fed rotate {pair.take.id}")
    await pair.until(lambda: pair.give.post(f"rotated:{connection}:{line}"), "the new token")
    await pair.rest()
    return old, line


async def rotated_right(pair: Pair, before: tuple[str, str]) -> None:
    """Both have the new token, the old one is invalid, nothing else is left, and it was said once."""
    old, line = before
    connection = living_connection(pair)
    await _one_valid_token(pair.give, pair.take, connection)
    kept, handed = secrets_of(pair.give), secrets_of(pair.take)
    generation = pair.give.document("Connection", connection)["generation"]
    made = f"made-for/{pair.take.id}/{generation}"
    got = f"got-from/{pair.give.id}/{generation}"
    must(len(kept) == len(handed) == 2, f"in the vaults: {sorted(kept)}, {sorted(handed)}")
    must(kept[made] == handed[got] != old, "they have not both the new token")
    must(await pair.give.lets_in(kept[made]), "the new token is no good")
    must(not await pair.give.lets_in(old), "the old token still serves")
    for party in pair.parties:
        must(party.document("Connection", connection)["renewal"] is None, "the renewal is still under way")
    answers = answers_to(await said(pair), line)
    must(len(answers) == 2, f"'I make one' and 'there it is', not {[a.body for a in answers]}")


# --- an upgraded room ---


async def move(pair: Pair) -> transfers.Moved:
    """Offer one item, upgrade the room, and approve in the new one."""
    before = await stock_of(pair)
    line = f"!fed push 1 #{most_of(before)} to {pair.take.id}"
    transfer = await transfers.begun(pair, pair.give, line, seen_by=pair.take)
    old = await pair.until(lambda: pair.take.post(f"card:{transfer}"), "the card in the old room")
    await _upgrade(pair)
    await pair.until(lambda: all(party.post(f"moved:-:{pair.room}") for party in pair.parties), "what waits there")
    for party in pair.parties:
        await party.person.say(pair.room, "!fed review --room")
    await pair.until(lambda: pair.take.post(f"card:{transfer}") != old, "the card in the new room")
    await transfers.tap(pair, pair.take, transfer, YES)
    await transfers.done(pair, transfer)
    return transfers.Moved(transfer, 1, before, {"noted": 1})


async def _upgrade(pair: Pair) -> None:
    """The giver upgrades the room, and all others follow."""
    host = pair.give.person
    pair.room = await host.upgrade_room(pair.room, "12")
    for user in (pair.take.person.user_id, *(party.account.user_id for party in pair.parties)):
        await host.invite(pair.room, user)
    await pair.take.person.join(pair.room)


async def moved_along_right(pair: Pair, moved: transfers.Moved) -> None:
    """The friendship continues in the new room, and the offered item moved once."""
    rooms = [party.document("Connection", living_connection(pair))["room"] for party in pair.parties]
    must(rooms == [pair.room, pair.room], f"it goes on in {rooms}, not in {pair.room}")
    await transfers.moved_right(pair, moved)


# --- UC5 ---


async def disconnect(pair: Pair) -> tuple[str, str]:
    """End the friendship while an offer is open; return the ids of both."""
    return await _end(pair, "--sure")


async def disconnect_now(pair: Pair) -> tuple[str, str]:
    """The same without waiting for the other side."""
    return await _end(pair, "--sure --now")


async def _end(pair: Pair, how: str) -> tuple[str, str]:
    connection = living_connection(pair)
    known = {each["id"] for each in pair.take.documents("Transfer")}
    await pair.give.person.say(pair.room, f"!fed push 1 #{most_of(await stock_of(pair))} to {pair.take.id}")
    (transfer,) = await pair.until(
        lambda: [t["id"] for t in pair.take.documents("Transfer") if t["id"] not in known], "the offer at the receiver"
    )
    await pair.until(lambda: pair.take.post(f"card:{transfer}"), "the card")
    await pair.take.person.say(pair.room, f"!fed disconnect {pair.give.id} {how}")
    await pair.until(lambda: _all_are(pair, connection, "ended"), "ended on both sides")
    await pair.rest()
    return connection, str(transfer)


async def disconnected_right(pair: Pair, ended: tuple[str, str]) -> None:
    """No access and no secret is left, the companies are inactive but exist, the offer is over, no stock has moved."""
    connection, transfer = ended
    for party, peer in (pair.parties, pair.parties[::-1]):
        users = await _users(party, peer)
        generation = party.document("Connection", connection)["generation"]
        must(len(users) == generation, f"accounts at {party.id}: {users}")
        must(not any(u.get("is_active") for u in users), f"still let in at {party.id}: {users}")
        async with party.stocktake() as stocktake:
            tokens = [t for t in await stocktake.tokens() if t["name"].startswith(f"fed-{peer.id}-")]
        valid = [t["name"] for t in tokens if t.get("active") and not t.get("revoked")]
        must(not valid, f"valid tokens at {party.id}: {valid}")
        must(not secrets_of(party), f"in the vault of {party.id}: {sorted(secrets_of(party))}")
        (company,) = await _companies(party, peer)
        must(company["active"] is False, f"the company at {party.id} is open")
        state = party.document("Transfer", transfer)["state"]
        must(state == "cancelled", f"the offer at {party.id} is {state}")
    moved = [row for rows in await stock_of(pair) for row in rows if transfer in row.link]
    must(not moved, f"moved: {moved}")
    await said(pair)
