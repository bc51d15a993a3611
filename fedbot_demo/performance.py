"""One performance on a stage: the methods with which its acts speak, wait, print and look into the InvenTrees."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from fedbot_demo import plot
from fedbot_demo.checks import Check, Handover, Inventories, check_receiver, check_sender, in_stock, new_items, shown
from fedbot_demo.narrator import Narrator
from fedbot_demo.person import Person
from fedbot_demo.room_event import RoomEvent
from fedbot_demo.stage import Space, Stage
from fedbot_demo.stocktake import StockItem

#: Reading time in seconds for each message: at least, for each character, and at most.
_READ_AT_LEAST_S = 1.5
_READ_PER_CHARACTER_S = 0.03
_READ_AT_MOST_S = 6.0
_PUT_AWAY_WITHIN_S = 20.0
_LOOK_EVERY_S = 0.2


@dataclass
class Performance:
    """The stage, the narrator, and the `pictures` that the acts leave behind, by name.

    `reading_s` counts the seconds of pauses for reading. With `fast` they are counted but not waited for.
    """

    stage: Stage
    narrator: Narrator
    fast: bool
    pictures: dict[str, bytes] = field(default_factory=dict)
    reading_s: float = 0.0
    friends: set[tuple[str, str]] = field(default_factory=set)

    # --- what people do

    async def befriend(self, asking: Space, asked: Space) -> None:
        """Make two spaces friends and print it, unless an earlier act did."""
        if (asking.party, asked.party) in self.friends:
            return
        self.friends.add((asking.party, asked.party))
        await self.read(await plot.connect(self.stage, asking, asked))

    async def make_access_if_need_be(self, space: Space, peer: Space) -> None:
        """Make the peer's account by hand where the bot can't, as its message asks an admin to."""
        if space.version.edits_rule_sets:
            return
        await plot.asked_for_access(space, peer)
        await space.make_access_by_hand(peer.party)
        who = space.superuser.user_id.partition(":")[0].lstrip("@").capitalize()
        self.narrator.lines(
            f"{space.name}'s InvenTree can't make accounts over REST. Its bot tells its admins what to click; {who} "
            f"does it, and gives it the token: fedbot credentials add {peer.party}-1. It looks within a minute.",
            "2",
        )

    async def say(self, person: Person, words: str, *, reply_to: str | None = None) -> RoomEvent:
        """Say a line to the bots; return their answer after printing it."""
        answer = await plot.answer_to(self.stage, person, words, reply_to=reply_to)
        await self.read(answer)
        return answer

    async def card(self, person: Person, space: Space, subject: str) -> RoomEvent:
        """The card that the bot of `space` posts for `person` to react to, after printing it."""
        card = await plot.card_of(self.stage, person, space, subject)
        await self.read(card)
        return card

    async def next_card(self, person: Person, *spaces: Space, after: RoomEvent) -> RoomEvent:
        """The next card after an event that a bot of these spaces posts, after printing it."""
        card, suggestion = await plot.next_card(person, spaces, after=after)
        await self.narrator.has_told(suggestion.event_id)
        await self.read(card)
        return card

    async def tap(self, person: Person, card: RoomEvent, key: str) -> None:
        """React to a card and print the reaction."""
        await self.narrator.has_told(await person.react(self.stage.room, card.event_id, key))

    async def end(self, person: Person, transfer: str, *, said_by: Space) -> RoomEvent:
        """The message that reports a transfer as done, after printing it.

        Raises:
            OffScriptError: It ended in another way.
        """
        kinds = ("done", "aborted", "reverted", "disputed", "declined")
        end = await plot.ended(self.stage, person, transfer, *kinds, by=said_by)
        await self.read(end)
        if plot.kind_of(end) != "done":
            raise plot.OffScriptError(f"it isn't done, but: {end.body}")
        return end

    async def edit(self, person: Person, message: RoomEvent, *, after: RoomEvent, says: str) -> RoomEvent:
        """The edit that makes a bot's message begin with `says`, after printing it."""
        edit = await person.wait_for(
            lambda event: (
                event.relation == "m.replace" and event.relates_to == message.event_id and event.body.startswith(says)
            ),
            plot.PATIENCE_S,
            after=after,
            what=f"{message.body!r} to read {says}",
        )
        await self.read(edit)
        return edit

    async def read(self, event: RoomEvent) -> None:
        """Wait until it is printed, and as long as a person takes to read it."""
        await self.narrator.has_told(event.event_id)
        await self.pause(len(event.body))

    async def pause(self, characters: int) -> None:
        """Pause as long as a person takes to read that many characters."""
        seconds = min(_READ_AT_LEAST_S + characters * _READ_PER_CHARACTER_S, _READ_AT_MOST_S)
        self.reading_s += seconds
        if not self.fast:
            await asyncio.sleep(seconds)

    # --- reading the InvenTrees

    async def inventories(self, when: str, ipn: str, before: Inventories | None = None) -> Inventories:
        """Print what both InvenTrees hold of the part, and what is new since `before`; return all their rows."""
        self.narrator.heading(f"{when}: what both InvenTrees say of {ipn}")
        found: list[list[StockItem]] = []
        for number, space in enumerate(self.stage.pair):
            async with space.stocktake() as stocktake:
                items = await stocktake.items()
                found.append(items)
                self._tell_stock(space, items, ipn)
                for item in new_items(before[number], items) if before else ():
                    self.narrator.line(f"    history of #{item.pk}:", "2")
                    for entry in await stocktake.history(item.pk):
                        said = f" – {entry.notes}" if entry.notes else ""
                        self.narrator.line(f"      {entry.label}, by {entry.user}{said}", "2")
        await self.pause(100)
        return found[0], found[1]

    async def notes_of(self, ipn: str, *spaces: Space) -> list[list[str]]:
        """Print the notes of the InvenTrees' items of the part; return them as one list for each space."""
        found: list[list[str]] = []
        for space in spaces:
            async with space.stocktake() as stocktake:
                items = await stocktake.items(ipn)
                notes = {item.pk: await stocktake.notes(item.pk) for item in items}
            for pk, note in notes.items():
                if note:
                    self.narrator.line(f"  notes of #{pk} at {space.name}:")
                    for paragraph in filter(None, note.split("\n")):
                        self.narrator.line(f"    {paragraph}")
            found.append([note for note in notes.values() if note])
        await self.pause(100)
        return found

    async def is_put_away(self, before: Inventories) -> None:
        """Wait until the new items are at their destination. The bot reports the end before it moves them there."""
        betaspace = self.stage.betaspace
        async with betaspace.stocktake() as stocktake:
            loop = asyncio.get_running_loop()
            deadline = loop.time() + _PUT_AWAY_WITHIN_S
            while loop.time() < deadline:
                new = new_items(before[1], await stocktake.items())
                if new and all(item.place == betaspace.cast.destination for item in new):
                    return
                await asyncio.sleep(_LOOK_EVERY_S)

    async def handed_over(self, handover: Handover, before: Inventories) -> list[Check]:
        """Check a handover from Attraktor to Betaspace."""
        await self.is_put_away(before)
        await self.inventories("After", handover.ipn, before)
        attraktor, betaspace = self.stage.pair
        return [
            *await check_sender(attraktor, betaspace, handover, before[0]),
            *await check_receiver(betaspace, attraktor, handover, before[1]),
        ]

    def _tell_stock(self, space: Space, items: Sequence[StockItem], ipn: str) -> None:
        total = shown(in_stock(items, ipn))
        self.narrator.line(f"{space.name} ({space.inventree.url}): {total} in stock", "1")
        for item in items:
            if item.ipn == ipn:
                where = item.place or f"with customer {item.customer}"
                self.narrator.line(f"  #{item.pk:<4} {item.part:<22} {shown(item.quantity):>6}  {where}")


async def stocked(space: Space) -> list[StockItem]:
    """All stock rows of the space's InvenTree, oldest first."""
    async with space.stocktake() as stocktake:
        return await stocktake.items()
