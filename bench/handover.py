"""`handover_ratio` and `handover_calls`: pushes by two bots on a real homeserver, compared with the bare chain."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench import chain
from bench.hops import Hops, ProtocolMessage
from bench.observed import Call, at_rest, calls_since, until_noted
from fedbot.inventree.client.transport import InvenTreeTransport
from fedbot_demo import plot
from fedbot_demo.stage import Space, Stage

#: Short, because each push waits for it; the measurement begins when it is over.
GRACE_S = 0.5
#: The messages that a transfer waits for, in order.
MESSAGES = ("approve", "sent", "received", "done")
_GRACE_BEGINS, _PUT_AWAY, _DONE = "Decided approve in grace", "StepWasDone PutAway", "TransferIs done"


@dataclass(frozen=True)
class Push:
    """One push by the bots: seconds from the end of the grace, all its calls, those of the transfer, its messages."""

    seconds: float
    calls: list[Call]
    handover: list[Call]
    messages: list[ProtocolMessage]


@dataclass(frozen=True)
class Bare:
    """One run of the bare chain: the seconds of its InvenTree calls and of its hops."""

    calls: float
    hops: float

    @property
    def seconds(self) -> float:
        """The seconds of both."""
        return self.calls + self.hops


@dataclass(frozen=True)
class Handovers:
    """The measurements, round by round."""

    pushes: Sequence[Push]
    chains: Sequence[Bare]

    @property
    def ratio(self) -> float:
        """The median of the pushes over the median of the chains."""
        return median(push.seconds for push in self.pushes) / median(bare.seconds for bare in self.chains)

    @property
    def calls(self) -> int:
        """The InvenTree calls of one push on both sides, mirrors in metadata included (the median)."""
        return round(median(len(push.calls) for push in self.pushes))


class MeasuredWrongError(Exception):
    """The bots' calls differ from the chain's, so the ratio means nothing."""


async def measure(stage: Stage, rounds: int) -> Handovers:
    """Make `rounds` pushes, each followed by the chain, so a busy moment of the machine affects both.

    The spaces are connected and all limits lifted.
    """
    pushes: list[Push] = []
    chains: list[Bare] = []
    sender, receiver = (_client(space) for space in stage.spaces)
    on = chain.ground(sender, receiver)
    async with Hops(stage) as hops:
        for number in range(rounds):
            pushed = await push(stage)
            sides = chain.Side("attraktor", sender), chain.Side("betaspace", receiver)
            chain.walk(*sides, on, f"bench{number}")
            walked = [call for side in sides for call in side.calls]
            if difference := chain.differs(pushed.handover, walked):
                raise MeasuredWrongError(f"bench/chain.py must follow the product: {difference}")
            in_hops = sum([await hops.hop(message) for message in pushed.messages])
            pushes.append(pushed)
            chains.append(Bare(sum(side.seconds for side in sides), in_hops))
    sender.close()
    receiver.close()
    return Handovers(pushes, chains)


def _client(space: Space) -> InvenTreeTransport:
    return InvenTreeTransport(space.inventree.url, space.inventree.tokens["fedbot"])


async def push(stage: Stage) -> Push:
    """Make one push, and measure it.

    It is done when both journals say so and the item is at its destination. Nobody waits for mirrors of the journal in
    metadata. They don't count among the transfer's calls, but still compete with them.
    """
    asker, approver = stage.people["piet"], stage.people["cem"]
    started = time.time()
    words = f"!fed push {chain.AMOUNT} {chain.PART} to betaspace"
    offer = await plot.push(stage, words, asker=asker, approver=approver)
    ours = await until_noted(stage.attraktor, offer.transfer, _DONE)
    theirs = await until_noted(stage.betaspace, offer.transfer, _GRACE_BEGINS, _PUT_AWAY, _DONE)
    await at_rest(stage)
    begins, ends = theirs[_GRACE_BEGINS] + GRACE_S, max(ours[_DONE], theirs[_DONE], theirs[_PUT_AWAY])
    calls = await calls_since(stage, started)
    handover = [call for call in calls if begins <= call.at <= ends and "/metadata/" not in call.path]
    return Push(ends - begins, calls, handover, await _messages(stage, offer))


async def _messages(stage: Stage, offer: plot.Offer) -> list[ProtocolMessage]:
    """The messages between the bots during the transfer, in order."""
    bots = {space.account.user_id: space.party for space in stage.spaces}
    timeline = await stage.attraktor.superuser.messages(stage.room, most=100)
    events = {
        plot.kind_of(event): event
        for event in timeline
        if event.sender in bots and plot.subject_of(event) == offer.transfer
    }
    return [ProtocolMessage(bots[events[kind].sender], events[kind].type, events[kind].content) for kind in MESSAGES]
