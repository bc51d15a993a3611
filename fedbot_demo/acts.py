"""The acts of the story, one for each use case: its people's lines and reactions, and the checks afterwards.

Each act can be played alone and in any order once the two spaces are friends. Each has a page in docs/use-cases.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from fedbot_demo import plot
from fedbot_demo.checks import Check, Handover, check_access, check_loan, check_no_access, in_stock, new_items
from fedbot_demo.performance import Performance, stocked
from fedbot_demo.stage import TIME_ZONE, Space
from fedbot_demo.stocktake import StockItem

IPN = "RES-10K"
#: The number, in Attraktor's InvenTree, of the only lens with this IPN.
LENS, LENS_IPN = 42, "LENS-2"
#: A part that all three spaces have, and the number of one of Attraktor's stock items of it.
BOLT, BOLTS = "M3-BOLT", 1
#: The lens that a booking reserves: the other one of the two.
BOOKED, BOOKED_ITEM = "LENS-2#0041", 41
#: A part that only Attraktor has under this IPN.
NUT, WANTED = "M3-NUT", 40
#: A part with lending rules.
COMPUTER = "RPI-4"
#: An item lent to a neighbour without a bot.
CABLE, NEIGHBOUR = "CAB-USBC-1", "Repair Café"
#: The customer that stood for Betaspace in Attraktor's InvenTree before Betaspace had a bot.
FORMER = "Betaspace e.V."


@dataclass(frozen=True)
class Act:
    """`name` is also the name of its page. `play` returns the checks at the end."""

    name: str
    title: str
    play: Callable[[Performance], Awaitable[list[Check]]]


async def connect(play: Performance) -> list[Check]:
    """UC1: two spaces become friends."""
    stage = play.stage
    card = await plot.ask_to_connect(stage)
    await play.read(card)
    await play.tap(stage.betaspace.superuser, card, plot.YES)
    attraktor, betaspace = stage.pair
    for space, peer in ((attraktor, betaspace), (betaspace, attraktor)):
        await play.make_access_if_need_be(space, peer)
    await play.read(await plot.connected(stage, card))
    return [*await check_access(attraktor, betaspace), *await check_access(betaspace, attraktor)]


async def push(play: Performance) -> list[Check]:
    """UC2: one space gives items to the other."""
    stage, asker, approver = play.stage, play.stage.people["piet"], play.stage.people["cem"]
    before = await play.inventories("Before", IPN)
    play.narrator.heading("In the room")
    words = f'!fed push 50 {IPN} to betaspace --note "for your soldering course on Saturday"'
    offer = await plot.offer(stage, asker, words, seen_by=approver)
    await play.read(offer.card)
    await play.tap(approver, offer.card, plot.YES)
    await play.end(asker, offer.transfer, said_by=stage.attraktor)
    handover = Handover(IPN, Decimal(50), "Piet", "Cem", offer.transfer, offer.card.event_id)
    return await play.handed_over(handover, before)


async def request(play: Performance) -> list[Check]:
    """UC3: one space asks for items and is granted fewer."""
    stage, asker, owner = play.stage, play.stage.people["tom"], play.stage.people["piet"]
    before = await play.inventories("Before", IPN)
    play.narrator.heading("In the room")
    await play.say(owner, f"!fed share {IPN}")
    answer = await play.say(asker, f"!fed request 200 {IPN} from attraktor")
    transfer = plot.subject_of(answer)
    card = await play.card(owner, stage.attraktor, transfer)
    await play.narrator.has_told(await owner.say(stage.room, "!fed approve 120", reply_to=card.event_id))
    less = await play.card(asker, stage.betaspace, transfer)
    await play.tap(asker, less, plot.YES)
    await play.end(asker, transfer, said_by=stage.attraktor)
    handover = Handover(IPN, Decimal(120), "Tom", "Piet", transfer, card.event_id)
    return await play.handed_over(handover, before)


async def loan(play: Performance) -> list[Check]:
    """A loan that is returned in another condition."""
    stage, owner, borrower = play.stage, play.stage.people["piet"], play.stage.people["cem"]
    attraktor, betaspace = stage.pair
    offer = await plot.offer(stage, owner, f"!fed lend #{LENS} to betaspace for 3 weeks", seen_by=borrower)
    await play.read(offer.card)
    await play.tap(borrower, offer.card, plot.YES)
    await play.end(owner, offer.transfer, said_by=attraktor)
    lent = await play.inventories("While it is lent", LENS_IPN)
    notes = await play.notes_of(LENS_IPN, attraktor, betaspace)
    play.narrator.heading("Some days later, in the room")
    answer = await play.say(borrower, "!fed return", reply_to=offer.card.event_id)
    card = await play.card(owner, attraktor, plot.subject_of(answer))
    await play.tap(owner, card, plot.DAMAGED)
    await play.end(owner, plot.subject_of(answer), said_by=betaspace)
    back = await play.inventories("Back again", LENS_IPN, lent)
    lends = f"Lent to {betaspace.name}", f"Borrowed from {attraktor.name}"
    tell = all(any(words in note for note in there) for words, there in zip(lends, notes, strict=True))
    told = Check("The notes of both InvenTrees named the loan while it ran", tell, str(notes))
    return [told, *await check_loan(attraktor, betaspace, LENS, lent, back)]


async def parcel(play: Performance) -> list[Check]:
    """A push that takes days to arrive."""
    stage, asker, approver = play.stage, play.stage.people["piet"], play.stage.people["cem"]
    before = await play.inventories("Before", IPN)
    play.narrator.heading("In the room")
    offer = await plot.offer(stage, asker, f"!fed push 30 {IPN} to betaspace", seen_by=approver)
    await play.read(offer.card)
    await play.tap(approver, offer.card, plot.PARCEL)
    await play.read(await plot.on_its_way(approver, offer))
    travelling = await play.inventories("On its way", IPN, before)
    play.narrator.heading("When it has come, in the room")
    await play.say(stage.people["dilek"], "!fed received", reply_to=offer.card.event_id)
    await play.end(asker, offer.transfer, said_by=stage.attraktor)
    handover = Handover(IPN, Decimal(30), "Piet", "Cem", offer.transfer, offer.card.event_id)
    booked_too_early = new_items(before[1], travelling[1])
    return [
        Check("On its way: not yet booked in at Betaspace", not booked_too_early, str(booked_too_early)),
        *await play.handed_over(handover, before),
    ]


async def find(play: Performance) -> list[Check]:
    """Ask two friends at once who has a part, then request one of the hits."""
    stage, asker, owner = play.stage, play.stage.people["kim"], play.stage.people["dilek"]
    attraktor, betaspace = stage.pair
    await play.befriend(attraktor, stage.gammaspace)
    play.narrator.heading("Two friends share something")
    for person in (stage.people["cem"], stage.people["mia"]):
        await play.say(person, f"!fed share {BOLT}")
    play.narrator.heading("Kim looks for it")
    before = [in_stock(await stocked(space), BOLT) for space in stage.spaces]
    hits = await play.say(asker, f"!fed find {BOLT}")
    answer = await play.say(asker, "ask 1 2", reply_to=hits.event_id)
    card = await play.card(owner, betaspace, plot.subject_of(answer))
    await play.tap(owner, card, plot.YES)
    await play.end(asker, plot.subject_of(answer), said_by=betaspace)
    after = [in_stock(await stocked(space), BOLT) for space in stage.spaces]
    moved = [now - then for then, now in zip(before, after, strict=True)]
    return [
        Check("Both friends' hits are named", all(f"{s.name}" in hits.body for s in stage.spaces[1:]), hits.body),
        Check(f"2 × {BOLT} went from Betaspace to Attraktor", moved == [2, -2, 0], str(moved)),
    ]


async def from_anyone(play: Performance) -> list[Check]:
    """Ask the friends who have enough, one after the other: the first declines, the second gives."""
    stage, asker = play.stage, play.stage.people["kim"]
    friends = (stage.betaspace, stage.gammaspace)
    approvers = {stage.betaspace.party: stage.people["dilek"], stage.gammaspace.party: stage.people["mia"]}
    await play.befriend(stage.attraktor, stage.gammaspace)
    play.narrator.heading("Two friends share what Kim needs")
    for person in approvers.values():
        await play.say(person, f"!fed share {BOLT}")
    play.narrator.heading("Kim asks anyone")
    before = {space.party: in_stock(await stocked(space), BOLT) for space in stage.spaces}
    rota = await play.say(asker, f"!fed request 5 {BOLT} from anyone")
    card = await play.next_card(asker, *friends, after=rota)
    first, second = friends if card.sender == friends[0].account.user_id else friends[::-1]
    await play.tap(approvers[first.party], card, plot.NO)
    card = await play.next_card(asker, second, after=card)
    await play.tap(approvers[second.party], card, plot.YES)
    await play.end(asker, plot.subject_of(card), said_by=second)
    told = await play.edit(asker, rota, after=card, says=plot.YES)
    after = {space.party: in_stock(await stocked(space), BOLT) for space in stage.spaces}
    moved = {party: after[party] - before[party] for party in after}
    return [
        Check("One message tells of both who were asked", all(space.name in told.body for space in friends), told.body),
        Check(
            f"5 × {BOLT} came from who said yes, and none from who said no",
            moved == {stage.attraktor.party: 5, first.party: 0, second.party: -5},
            str(moved),
        ),
    ]


async def booking(play: Performance) -> list[Check]:
    """A loan that is booked, kept, picked up on its first day, and returned. A third space gets the days behind it."""
    stage, asker, owner = play.stage, play.stage.people["tom"], play.stage.people["piet"]
    attraktor, betaspace, gammaspace = stage.spaces
    other = stage.people["mia"]
    await play.befriend(attraktor, gammaspace)
    await gammaspace.add_part(LENS_IPN, "Laser lens 2.0″ ZnSe", "For the laser")
    await play.say(owner, f"!fed share {LENS_IPN}")
    play.narrator.heading("Tom books a lens")
    answer = await play.say(asker, f"!fed request {BOOKED} from attraktor from today for 1 week")
    booked = plot.subject_of(answer)
    card = await play.card(owner, attraktor, booked)
    await play.tap(owner, card, plot.YES)
    hand_over = await play.next_card(owner, attraktor, after=card)
    play.narrator.heading("Mia wants it from tomorrow on")
    too_late = await play.say(other, f"!fed request {BOOKED} from attraktor from tomorrow for 1 week")
    no = await plot.ended(stage, other, plot.subject_of(too_late), "declined", by=attraktor)
    await play.read(no)
    answer = await play.say(other, f"!fed request {BOOKED} from attraktor from {_in_days(8)} for 1 week")
    later = plot.subject_of(answer)
    card = await play.card(owner, attraktor, later)
    await play.tap(owner, card, plot.YES)
    await play.edit(owner, card, after=card, says="📅")
    play.narrator.heading("Until it is picked up")
    (notes,) = await play.notes_of(LENS_IPN, attraktor)
    calendar = await play.say(asker, "!fed calendar")
    refused = await play.say(owner, f'!fed lend {BOOKED} to outside "{NEIGHBOUR}" for 2 weeks')
    play.narrator.heading("Tom picks it up")
    await play.tap(owner, hand_over, plot.YES)
    await play.end(owner, booked, said_by=attraktor)
    out = await _row(attraktor, BOOKED_ITEM)
    play.narrator.heading("A week later")
    answer = await play.say(asker, f"!fed return {BOOKED}")
    card = await play.card(owner, attraktor, plot.subject_of(answer))
    await play.tap(owner, card, plot.YES)
    await play.end(owner, plot.subject_of(answer), said_by=betaspace)
    home = await _row(attraktor, BOOKED_ITEM)
    await play.say(other, f"!fed cancel {later[:4]}")
    await play.read(await plot.ended(stage, other, later, "cancelled", by=attraktor))
    code = booked[:4]
    codes = code, later[:4]
    named = [any(f"fedbot {each}" in note for note in notes) for each in codes]
    return [
        Check("The owner's InvenTree named both bookings", all(named), str(notes)),
        Check("The calendar named Tom's", code in calendar.body, calendar.body),
        Check("Mia was told the nearest free days", "free" in no.body, no.body),
        Check("Who wanted to lend it to somebody else was told of it", code in refused.body, refused.body),
        Check(
            "It was picked up, and it is back", (out.customer, home.customer) == (betaspace.name, ""), f"{out}, {home}"
        ),
    ]


def _in_days(days: int) -> str:
    """The day in so many days, as a line names it, in the spaces' time zone."""
    return (datetime.now(ZoneInfo(TIME_ZONE)) + timedelta(days=days)).date().isoformat()


async def calendar(play: Performance) -> list[Check]:
    """A loan, a booking and a neighbour's loan, in one list of days."""
    stage, owner, asker = play.stage, play.stage.people["piet"], play.stage.people["tom"]
    attraktor, betaspace = stage.pair
    await play.say(owner, f"!fed share {LENS_IPN}")
    play.narrator.heading("Something is lent, something is booked, a neighbour has something")
    loan = await plot.offer(stage, owner, f"!fed lend {IPN} 4 to betaspace for 1 week", seen_by=stage.people["cem"])
    await play.read(loan.card)
    await play.tap(stage.people["cem"], loan.card, plot.YES)
    await play.end(owner, loan.transfer, said_by=attraktor)
    answer = await play.say(asker, f"!fed request {BOOKED} from attraktor from {_in_days(3)} for 1 week")
    booked = plot.subject_of(answer)
    card = await play.card(owner, attraktor, booked)
    await play.tap(owner, card, plot.YES)
    await play.edit(owner, card, after=card, says="📅")
    lent = await play.say(owner, f'!fed lend {CABLE} 2 to outside "{NEIGHBOUR}" for 5 days')
    await play.edit(owner, lent, after=lent, says=plot.YES)
    play.narrator.heading("Kim wants to know")
    kim = stage.people["kim"]
    every = await play.say(kim, "!fed calendar")
    lens = await play.say(kim, f"!fed calendar {LENS_IPN}")
    theirs = await play.say(kim, "!fed calendar betaspace")
    neighbours = await play.say(kim, f'!fed calendar "{NEIGHBOUR}"')
    play.narrator.heading("Back again")
    await play.say(asker, f"!fed cancel {booked[:4]}")
    await play.read(await plot.ended(stage, asker, booked, "cancelled", by=attraktor))
    await play.say(owner, "!fed return", reply_to=lent.event_id)
    back = await play.say(stage.people["cem"], f"!fed return {loan.transfer[:4]}")
    card = await play.card(owner, attraktor, plot.subject_of(back))
    await play.tap(owner, card, plot.YES)
    await play.end(owner, plot.subject_of(back), said_by=betaspace)
    counts = [answer.body.count("•") for answer in (every, lens, theirs, neighbours)]
    return [Check("Four days, and those of one item, space and neighbour", counts == [4, 2, 3, 1], str(counts))]


async def lending_rules(play: Performance) -> list[Check]:
    """Rules for a part: how long, how often, and a text to agree to."""
    stage, owner, asker = play.stage, play.stage.people["piet"], play.stage.people["tom"]
    attraktor, betaspace = stage.pair
    text = "wipe its SD card before you bring it back"
    rule = {"parts": [COMPUTER], "longest_days": 14, "extensions": 1, "agree": text, "photo_back": True}
    attraktor.settings["lending"] = [rule]
    attraktor.write_settings()
    await attraktor.bot.stop()
    await attraktor.bot.start()
    play.narrator.lines(
        f"Anna writes into the settings of Attraktor's bot, and starts it again: lending: [{rule}]", "2"
    )
    await betaspace.add_part(COMPUTER, "Raspberry Pi 4", "For workshops")
    await play.say(owner, f"!fed share {COMPUTER}")
    play.narrator.heading("Tom asks for too long")
    answer = await play.say(asker, f"!fed borrow 1 {COMPUTER} from attraktor for 3 weeks")
    no = await plot.ended(stage, asker, plot.subject_of(answer), "declined", by=attraktor)
    await play.read(no)
    play.narrator.heading("For a week, then")
    begun = await play.say(asker, f"!fed borrow 1 {COMPUTER} from attraktor for 1 week")
    question = await plot.told_in_reply(betaspace, asker, to=begun.replies_to, after=begun)
    await play.read(question)
    await play.narrator.has_told(await asker.say(stage.room, "1", reply_to=question.event_id))
    card = await play.next_card(asker, attraktor, after=question)
    loan = plot.subject_of(card)
    await play.tap(owner, card, plot.YES)
    await play.end(owner, loan, said_by=attraktor)
    play.narrator.heading("They need more time, twice")
    more = await play.say(stage.people["cem"], f"!fed extend {loan[:4]} 1 week")
    card_of_more = await play.card(owner, attraktor, plot.subject_of(more))
    await play.tap(owner, card_of_more, plot.YES)
    await play.end(owner, plot.subject_of(more), said_by=attraktor)
    refused = await play.say(stage.people["cem"], f"!fed extend {loan[:4]} 1 week")
    play.narrator.heading("It comes back")
    back = await play.say(asker, f"!fed return {loan[:4]}")
    home = await play.card(owner, attraktor, plot.subject_of(back))
    await play.tap(owner, home, plot.YES)
    await play.end(owner, plot.subject_of(back), said_by=betaspace)
    return [
        Check("Three weeks were refused, with the last day that is possible", "14 days" in no.body, no.body),
        Check("Tom read the text before Piet was asked", text in question.body, question.body),
        Check("Piet's card shows it, too", text in card.body, card.body),
        Check("A second extension was refused", "1 extension" in refused.body, refused.body),
        Check("At the return a photo was asked for", "📷" in home.body, home.body),
    ]


async def queue(play: Performance) -> list[Check]:
    """Wait for an item on loan: the first in the queue is notified of its return and borrows it next."""
    stage, owner, waiting = play.stage, play.stage.people["piet"], play.stage.people["mia"]
    attraktor, betaspace, gammaspace = stage.spaces
    await play.befriend(attraktor, gammaspace)
    await gammaspace.add_part(LENS_IPN, "Laser lens 2.0″ ZnSe", "For the laser")
    await play.say(owner, f"!fed share {LENS_IPN}")
    play.narrator.heading("Betaspace has the lens")
    loan = await plot.offer(
        stage, owner, f"!fed lend #{BOOKED_ITEM} to betaspace for 2 weeks", seen_by=stage.people["cem"]
    )
    await play.read(loan.card)
    await play.tap(stage.people["cem"], loan.card, plot.YES)
    await play.end(owner, loan.transfer, said_by=attraktor)
    play.narrator.heading("Two people wait for it")
    first = await play.say(waiting, f"!fed wait {BOOKED} from attraktor")
    await play.edit(waiting, first, after=first, says=plot.IN_LINE)
    last = await play.say(stage.people["kim"], f"!fed wait {BOOKED}")
    line = await play.say(owner, "!fed wait")
    play.narrator.heading("It comes back")
    back = await play.say(stage.people["tom"], f"!fed return {BOOKED}")
    card = await play.card(owner, attraktor, plot.subject_of(back))
    await play.tap(owner, card, plot.YES)
    await play.end(owner, plot.subject_of(back), said_by=betaspace)
    turn = await plot.told_by(gammaspace, waiting)
    await play.read(turn)
    asked = await play.say(waiting, "borrow for 1 week", reply_to=turn.event_id)
    card = await play.card(owner, attraktor, plot.subject_of(asked))
    await play.tap(owner, card, plot.YES)
    await play.end(owner, plot.subject_of(asked), said_by=attraktor)
    out = await _row(attraktor, BOOKED_ITEM)
    return [
        Check("The line is told in its order", line.body.find(gammaspace.name) < line.body.find("place 2"), line.body),
        Check("Kim was told that she is second", "place 2" in last.body, last.body),
        Check(f"The first in line has it: {gammaspace.name}", out.customer == gammaspace.name, str(out)),
    ]


async def want(play: Performance) -> list[Check]:
    """Want something that nobody shares, until somebody shares it."""
    stage, asker, owner, approver = (play.stage, *(play.stage.people[name] for name in ("tom", "piet", "cem")))
    attraktor, betaspace = stage.pair
    before = in_stock(await stocked(attraktor), NUT)
    wanted = await play.say(asker, f"!fed want {WANTED} {NUT}")
    play.narrator.heading("Some days later, Attraktor shares it")
    shared = await play.say(owner, f"!fed share {NUT}")
    told = await plot.told_by(attraktor, owner, after=shared)
    await play.read(told)
    offered = await play.say(owner, f"offer {WANTED}", reply_to=told.event_id)
    card = await play.card(approver, betaspace, plot.subject_of(offered))
    await play.tap(approver, card, plot.YES)
    await play.end(owner, plot.subject_of(offered), said_by=attraktor)
    await play.edit(asker, wanted, after=wanted, says=plot.YES)
    after = in_stock(await stocked(attraktor), NUT)
    return [
        Check(f"{WANTED} × {NUT} went from Attraktor to Betaspace", before - after == WANTED, f"{before} → {after}")
    ]


async def outside(play: Performance) -> list[Check]:
    """A loan to a neighbour without a bot, recorded on one side only."""
    stage, owner = play.stage, play.stage.people["piet"]
    before = in_stock(await stocked(stage.attraktor), CABLE)
    answer = await play.say(owner, f'!fed lend {CABLE} 3 to outside "{NEIGHBOUR}" for 2 weeks')
    lent = await play.edit(owner, answer, after=answer, says=plot.YES)
    there = [row.quantity for row in await stocked(stage.attraktor) if row.customer == NEIGHBOUR]
    await play.notes_of(CABLE, stage.attraktor)
    play.narrator.heading("When it is back")
    await play.say(owner, "!fed return", reply_to=answer.event_id)
    await play.edit(owner, answer, after=lent, says=plot.YES)
    after = in_stock(await stocked(stage.attraktor), CABLE)
    return [
        Check(f"3 × {CABLE} were with {NEIGHBOUR}", there == [Decimal(3)], str(there)),
        Check(f"All {CABLE} are back", before == after, f"{before} → {after}"),
        *await _taken_over(play),
    ]


async def _taken_over(play: Performance) -> list[Check]:
    """A neighbour's item becomes an ordinary loan once the neighbour has a bot."""
    stage, owner, approver = play.stage, play.stage.people["piet"], play.stage.people["cem"]
    attraktor, betaspace = stage.pair
    before = in_stock(await stocked(attraktor), IPN), in_stock(await stocked(betaspace), IPN)
    play.narrator.heading("A neighbour that gets a bot")
    answer = await play.say(owner, f'!fed lend {IPN} 5 to outside "{FORMER}" for 2 weeks')
    await play.edit(owner, answer, after=answer, says=plot.YES)
    offered = await play.say(attraktor.superuser, f'!fed outside "{FORMER}" is betaspace')
    card = await play.card(approver, betaspace, plot.subject_of(offered))
    await play.tap(approver, card, plot.YES)
    await play.end(attraktor.superuser, plot.subject_of(offered), said_by=attraktor)
    after = in_stock(await stocked(attraktor), IPN), in_stock(await stocked(betaspace), IPN)
    there = sum(row.quantity for row in await stocked(attraktor) if row.customer == FORMER)
    play.narrator.heading("Then it goes back like any loan")
    back = await play.say(approver, f"!fed return {plot.subject_of(offered)[:4]}")
    card = await play.card(owner, attraktor, plot.subject_of(back))
    await play.tap(owner, card, plot.YES)
    await play.end(owner, plot.subject_of(back), said_by=betaspace)
    home = in_stock(await stocked(attraktor), IPN)
    moved = (int(before[0] - after[0]), int(after[1] - before[1]))
    return [
        Check(f"5 × {IPN} left Attraktor's stock once, and are in Betaspace's books", moved == (5, 5), str(moved)),
        Check(f"All {IPN} are back", home == before[0], f"{before[0]} → {home}"),
        Check(f"{FORMER} has nothing more by Attraktor's books", there == 0, str(there)),
    ]


async def _row(space: Space, item: int) -> StockItem:
    return next(row for row in await stocked(space) if row.pk == item)


async def no_passing_on(play: Performance) -> list[Check]:
    """UC6: a space may not pass on what it received from a friend."""
    stage, owner, other = play.stage, play.stage.people["piet"], play.stage.people["cem"]
    attraktor, betaspace = stage.pair
    await play.befriend(betaspace, stage.gammaspace)
    play.narrator.heading("Attraktor gives something to Betaspace")
    offer = await plot.offer(stage, owner, f"!fed push #{BOLTS} 5 to betaspace", seen_by=other)
    await play.read(offer.card)
    await play.tap(other, offer.card, plot.YES)
    await play.end(owner, offer.transfer, said_by=attraktor)
    play.narrator.heading("Betaspace tries to give it to Gammaspace")
    received = (await stocked(betaspace))[-1]
    before = [await stocked(space) for space in stage.spaces]
    refused = await play.say(other, f"!fed push #{received.pk} 2 to gammaspace")
    after = [await stocked(space) for space in stage.spaces]
    return [
        Check("It is refused, without a card", plot.kind_of(refused) == "", refused.body),
        Check("Nothing has moved", before == after, f"{received} of {before} → {after}"),
    ]


async def stats(play: Performance) -> list[Check]:
    """UC4: stats on request, with a chart."""
    stage, kim = play.stage, play.stage.people["kim"]
    answer = await play.say(kim, "!fed stats all --chart")
    picture = await plot.picture_under(stage, kim, answer)
    await play.read(picture)
    png = await kim.download(picture)
    play.pictures["stats.png"] = png
    named = [space.name for space in stage.spaces if f"{space.name}: " in answer.body]
    return [
        Check("The figures name both spaces", len(named) == len(stage.spaces), answer.body),
        Check("The chart is a picture", png.startswith(b"\x89PNG"), f"{len(png)} bytes: {png[:8]!r}"),
    ]


async def disconnect(play: Performance) -> list[Check]:
    """UC5: two spaces end their friendship."""
    stage, anna = play.stage, play.stage.attraktor.superuser
    preview = await play.say(anna, f"!fed disconnect {stage.betaspace.party}")
    await play.narrator.has_told(await anna.say(stage.room, "1", reply_to=preview.event_id))
    for space in stage.pair:
        await play.read(await plot.parted(stage, anna, space, preview))
    attraktor, betaspace = stage.pair
    return [*await check_no_access(attraktor, betaspace), *await check_no_access(betaspace, attraktor)]


ACTS = (
    Act("connect", "They connect: a superuser asks, a superuser of the other space taps ✅", connect),
    Act("push", "A push: one line, one tap", push),
    Act("request", "A request: the owner grants less, the asker takes it", request),
    Act("loan", "A loan, and its return: not quite as it was", loan),
    Act("booking", "Booked ahead: two spaces want the same days", booking),
    Act("lending-rules", "Lending rules: how long, how often, and what the borrower agrees to", lending_rules),
    Act("calendar", "The calendar: what is picked up and due back", calendar),
    Act("outside", "Lent to a neighbour without a bot", outside),
    Act("parcel", "By parcel: booked in when it has come", parcel),
    Act("find", "Who has one? Asked of all friends at once", find),
    Act("from-anyone", "From anyone: one friend is asked after the other", from_anyone),
    Act("queue", "On loan: waited for in turn", queue),
    Act("want", "Nobody shares it: wanted, and found later", want),
    Act("no-passing-on", "What came from a friend is not passed on", no_passing_on),
    Act("stats", "Figures of both, with a chart", stats),
    Act("disconnect", "They part: preview, word, and the access is gone", disconnect),
)
#: The acts of `make demo`.
SHORT = ("connect", "push", "loan")
