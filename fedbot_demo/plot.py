"""The steps of the story's people, and what they wait for: connect, offer, react, see the end.

The demo, the end-to-end tests and the benches run it on a `Stage`. It tells messages apart by their envelopes, because
their texts are for people and may change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fedbot_demo.person import Person
from fedbot_demo.room_event import RoomEvent
from fedbot_demo.stage import Space, Stage

ENVELOPE = "dev.fedbot"
YES = "✅"
NO = "❌"
PARCEL = "📦"
DAMAGED = "🔧"
IN_LINE = "⏳"
#: Under Synapse's default limits a bot that has sent much waits 5 s for each event.
PATIENCE_S = 60.0
#: A bot looks once a minute for a token that an admin has added.
CONNECTED_WITHIN_S = 2 * PATIENCE_S


class OffScriptError(Exception):
    """A bot answered with something that the story doesn't expect."""


def envelope_of(event: RoomEvent) -> dict[str, Any]:
    """The machine-readable part of a bot's message; empty when it has none."""
    envelope = event.content.get(ENVELOPE)
    return dict(envelope) if isinstance(envelope, dict) else {}


def kind_of(event: RoomEvent) -> str:
    """The kind of the event's envelope; empty if it has none."""
    return str(envelope_of(event).get("kind", ""))


def subject_of(event: RoomEvent) -> str:
    """The id of the transfer or connection in the event's envelope; empty if there is none."""
    envelope = envelope_of(event)
    return str(envelope.get("transfer") or envelope.get("connection") or "")


@dataclass(frozen=True)
class Offer:
    """An offered push: its id, the line that asked for it, the sender's answer, the receiver's card."""

    transfer: str
    line: str
    answer: RoomEvent
    card: RoomEvent


async def answer_to(stage: Stage, person: Person, words: str, *, reply_to: str | None = None) -> RoomEvent:
    """Write a line to the bots in the room; return the one message that answers it."""
    line = await person.say(stage.room, words, reply_to=reply_to)
    return await person.wait_for(
        lambda event: event.type == "m.room.message" and event.replies_to == line and event.sender != person.user_id,
        PATIENCE_S,
        what=f"an answer to {words!r}",
    )


async def card_of(stage: Stage, person: Person, space: Space, subject: str) -> RoomEvent:
    """The card that the bot of `space` posts about `subject`, once `person` sees it with its suggested reactions."""
    card = await person.wait_for(
        lambda event: (
            event.type == "m.room.message"
            and event.room == stage.room
            and event.sender == space.account.user_id
            and kind_of(event) == "noted"
            and subject_of(event) == subject
            and event.relation != "m.replace"
        ),
        PATIENCE_S,
        what=f"the card of {space.name} about {subject}",
    )
    for key in (YES, NO):
        await person.wait_for(
            lambda event, key=key: event.relates_to == card.event_id and event.key == key,  # type: ignore[misc]
            PATIENCE_S,
            what=f"{key} under the card",
        )
    return card


async def next_card(person: Person, spaces: Sequence[Space], *, after: RoomEvent) -> tuple[RoomEvent, RoomEvent]:
    """The next card that the bot of any of these spaces posts after an event, and its suggested ❌."""
    bots = {space.account.user_id for space in spaces}
    suggestion = await person.wait_for(
        lambda event: event.sender in bots and event.key == NO and event.relates_to != after.event_id,
        PATIENCE_S,
        after=after,
        what=f"a card of {' or '.join(space.name for space in spaces)}",
    )
    card = next(event for event in person.seen if event.event_id == suggestion.relates_to)
    return card, suggestion


async def told_by(space: Space, person: Person, *, after: RoomEvent | None = None) -> RoomEvent:
    """The message in which the bot of `space` mentions `person` without replying to anything."""
    bot = space.account.user_id
    return await person.wait_for(
        lambda event: (
            event.type == "m.room.message"
            and event.sender == bot
            and person.user_id in event.content.get("m.mentions", {}).get("user_ids", [])
            and event.relation != "m.replace"
            and not event.replies_to
            and not kind_of(event)
        ),
        PATIENCE_S,
        after=after,
        what=f"{space.name}'s bot to mention them",
    )


async def told_in_reply(space: Space, person: Person, *, to: str, after: RoomEvent) -> RoomEvent:
    """The message behind `after` in which the bot of `space` replies to that line once more."""
    bot = space.account.user_id
    return await person.wait_for(
        lambda event: event.sender == bot and event.replies_to == to and event.relation != "m.replace",
        PATIENCE_S,
        after=after,
        what=f"{space.name}'s bot to ask them something",
    )


async def ask_to_connect(stage: Stage, asking: Space | None = None, asked: Space | None = None) -> RoomEvent:
    """Ask to connect, as the superuser of one space (Attraktor); return the card at the other (Betaspace)."""
    asking, asked = asking or stage.attraktor, asked or stage.betaspace
    answer = await answer_to(stage, asking.superuser, f"!fed connect {asked.party}")
    if kind_of(answer) != "connect":
        raise OffScriptError(f"no request to connect came of it, but: {answer.body}")
    return await card_of(stage, asked.superuser, asked, subject_of(answer))


async def connected(
    stage: Stage, card: RoomEvent, asking: Space | None = None, asked: Space | None = None
) -> RoomEvent:
    """Wait until both sides have made and tested each other's access; return the message that says so."""
    asking, asked = asking or stage.attraktor, asked or stage.betaspace
    person = asking.superuser
    ready = [
        await person.wait_for(
            lambda event, space=space: (  # type: ignore[misc]
                event.sender == space.account.user_id
                and kind_of(event) == "ready"
                and subject_of(event) == subject_of(card)
            ),
            CONNECTED_WITHIN_S,
            what=f"{space.name} to be ready",
        )
        for space in (asking, asked)
    ]
    return await person.wait_for(
        lambda event: (
            event.type == "m.room.message"
            and event.sender == asking.account.user_id
            and person.user_id in event.content.get("m.mentions", {}).get("user_ids", [])
        ),
        PATIENCE_S,
        after=max(ready, key=person.seen.index),
        what="the word that the spaces are connected",
    )


async def asked_for_access(space: Space, peer: Space) -> RoomEvent:
    """The message that asks the space's admins to make an account for the peer, and names it."""
    return await space.superuser.wait_for(
        lambda event: event.room == space.admin_room and f"fed-{peer.party}-1" in event.body,
        PATIENCE_S,
        what=f"{space.name}'s bot to ask for an account",
    )


async def connect(stage: Stage, asking: Space | None = None, asked: Space | None = None) -> RoomEvent:
    """Make two spaces friends: ask, react, wait for both accounts."""
    asking, asked = asking or stage.attraktor, asked or stage.betaspace
    card = await ask_to_connect(stage, asking, asked)
    await asked.superuser.react(stage.room, card.event_id, YES)
    return await connected(stage, card, asking, asked)


async def offer(stage: Stage, person: Person, words: str, *, seen_by: Person) -> Offer:
    """Offer something of Attraktor's to Betaspace; return once `seen_by` sees the card there.

    Raises:
        OffScriptError: The bot didn't answer with an offer.
    """
    answer = await answer_to(stage, person, words)
    if kind_of(answer) != "offer":
        raise OffScriptError(f"no offer came of {words!r}, but: {answer.body}")
    transfer = subject_of(answer)
    card = await card_of(stage, seen_by, stage.betaspace, transfer)
    return Offer(transfer, answer.replies_to, answer, card)


async def ended(
    stage: Stage, person: Person, transfer: str, *kinds: str, by: Space | None = None, timeout: float = PATIENCE_S
) -> RoomEvent:
    """The sender's last message about a transfer, of one of these kinds (`done`, `declined`, `aborted`…).

    The sender is `by`, or Attraktor.
    """
    sender = by or stage.attraktor
    return await person.wait_for(
        lambda event: (
            event.sender == sender.account.user_id and kind_of(event) in kinds and subject_of(event) == transfer
        ),
        timeout,
        what=f"{' or '.join(kinds)} about {transfer}",
    )


async def push(stage: Stage, words: str, *, asker: Person, approver: Person, timeout: float = PATIENCE_S) -> Offer:
    """One whole push from Attraktor to Betaspace: offered, approved, moved, received."""
    made = await offer(stage, asker, words, seen_by=approver)
    await approver.react(stage.room, made.card.event_id, YES)
    await ended(stage, asker, made.transfer, "done", timeout=timeout)
    return made


async def on_its_way(person: Person, offer: Offer) -> RoomEvent:
    """The edit that shows the card as in transit, once the sender has handed the items over."""
    sent = await person.wait_for(
        lambda event: kind_of(event) == "sent" and subject_of(event) == offer.transfer,
        PATIENCE_S,
        what="that it is sent",
    )
    return await person.wait_for(
        lambda event: event.relation == "m.replace" and event.relates_to == offer.card.event_id,
        PATIENCE_S,
        after=sent,
        what="the card to say that it is on its way",
    )


async def picture_under(stage: Stage, person: Person, answer: RoomEvent) -> RoomEvent:
    """The picture that a bot posts into the thread of its answer."""
    return await person.wait_for(
        lambda event: (
            event.room == stage.room
            and event.content.get("msgtype") == "m.image"
            and event.relates_to == answer.event_id
        ),
        PATIENCE_S,
        what="the picture",
    )


async def parted(stage: Stage, person: Person, space: Space, preview: RoomEvent) -> RoomEvent:
    """The edit in which the bot of `space` reports the end of the friendship, after the preview was agreed to."""
    bot = space.account.user_id
    begun = await person.wait_for(
        lambda event: event.room == stage.room and event.sender == bot and event.type == "m.room.message",
        PATIENCE_S,
        after=preview,
        what=f"{space.name}'s word that it ends",
    )
    return await person.wait_for(
        lambda event: event.sender == bot and event.relation == "m.replace" and event.relates_to == begun.event_id,
        PATIENCE_S,
        after=begun,
        what=f"{space.name}'s word that it has ended",
    )


async def events_of(stage: Stage, since: str, until: str) -> list[RoomEvent]:
    """The room's events from one to another, both included, as the homeserver has them now."""
    timeline = await stage.attraktor.superuser.messages(stage.room)
    ids = [event.event_id for event in timeline]
    return timeline[ids.index(since) : ids.index(until) + 1]
