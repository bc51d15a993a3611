"""The acts of the story, one a use case: what its people say and tap, and what must be so afterwards.

Each plays by itself once the two spaces are friends, in whatever order; each has its page in docs/use-cases.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

from fedbot.demo import plot
from fedbot.demo.checks import Check, Handover, check_access, check_no_access
from fedbot.demo.performance import Performance

IPN = "RES-10K"


@dataclass(frozen=True)
class Act:
    """`name` is its page's too. `play` returns what was checked in the end."""

    name: str
    title: str
    play: Callable[[Performance], Awaitable[list[Check]]]


async def connect(play: Performance) -> list[Check]:
    """UC1."""
    stage = play.stage
    card = await plot.ask_to_connect(stage)
    await play.read(card)
    await play.tap(stage.betaspace.superuser, card, plot.YES)
    await play.read(await plot.connected(stage, card))
    attraktor, betaspace = stage.spaces
    return [*await check_access(attraktor, betaspace), *await check_access(betaspace, attraktor)]


async def push(play: Performance) -> list[Check]:
    """UC2."""
    stage, asker, approver = play.stage, play.stage.people["piet"], play.stage.people["cem"]
    before = await play.inventories(IPN)
    play.narrator.heading("In the room")
    words = f'!fed push 50 {IPN} to betaspace --note "for your soldering course on Saturday"'
    offer = await plot.offer(stage, asker, words, seen_by=approver)
    await play.read(offer.card)
    await play.tap(approver, offer.card, plot.YES)
    await play.end(asker, offer.transfer, said_by=stage.attraktor)
    handover = Handover(IPN, Decimal(50), "Piet", "Cem", offer.transfer, offer.card.event_id)
    return await play.handed_over(handover, before)


async def request(play: Performance) -> list[Check]:
    """UC3, with less granted than asked for."""
    stage, asker, owner = play.stage, play.stage.people["tom"], play.stage.people["piet"]
    before = await play.inventories(IPN)
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


async def stats(play: Performance) -> list[Check]:
    """UC4, asked for, with its chart."""
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
    """UC5."""
    stage, anna = play.stage, play.stage.attraktor.superuser
    preview = await play.say(anna, f"!fed disconnect {stage.betaspace.party}")
    await play.narrator.has_told(await anna.say(stage.room, "1", reply_to=preview.event_id))
    for space in stage.spaces:
        await play.read(await plot.parted(stage, anna, space, preview))
    attraktor, betaspace = stage.spaces
    return [*await check_no_access(attraktor, betaspace), *await check_no_access(betaspace, attraktor)]


ACTS = (
    Act("connect", "They connect: a superuser asks, a superuser of the other space taps ✅", connect),
    Act("push", "A push: one line, one tap", push),
    Act("request", "A request: the owner grants less, the asker takes it", request),
    Act("stats", "Figures of both, with a chart", stats),
    Act("disconnect", "They part: preview, word, and the access is gone", disconnect),
)
#: What `make demo` plays.
SHORT = ("connect", "push", "stats")
