"""The liar of the histories forges each field of each kind of message, and bots believe none of it."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from fedbot.rules.model.room import Announcement
from fedbot.rules.protocol import bodies
from tests.simulation.federation import Federation, Setup
from tests.simulation.lying import ANNOUNCED, FORGEABLE, FRAME

WORLD = Setup(2, (0, 0), direct=False, friends=True, open_for=timedelta(days=7), lies=True)
WHAT_THERE_IS = ("!fed push #{} 1 to p1", "!fed lend #{} 1 to p1 for 3 days")


async def test_each_field_of_each_kind_is_forged_and_no_honest_bot_takes_it_for_consent() -> None:
    federation = Federation(WORLD)
    await federation.begins()
    honest, liar = federation.parties
    superuser = federation.people[honest.person(honest.people.superuser)]
    items = [row.pk for row in honest.inventree.stock if row.quantity > 1 and row.customer is None]
    for line, item in zip(WHAT_THERE_IS, items, strict=False):
        superuser.says(line.format(item))
    await federation.rests()
    assert {transfer.state for transfer in honest.transfers()} == {"open"}
    random, before = Random(9), len(federation.server.log)
    for kind, field in FORGEABLE:
        federation.liar.forges(liar, random, kind, field)
    await federation.rests()
    known, friends = honest.us, [(each.peer, each.peer_bot, each.peer_key) for each in honest.connections()]
    for field in ANNOUNCED * 5:
        federation.liar.announces(liar, random, field)
        await federation.passes(timedelta(seconds=1))
        announced = honest.documents["Announcement", f"{federation.room} {liar.chat.user_id}"]
        assert isinstance(announced, Announcement)
        assert {party.key for party in announced.parties} <= {liar.identity.key}, (
            "what its owner didn't sign isn't known"
        )
    assert honest.us == known
    assert [(each.peer, each.peer_bot, each.peer_key) for each in honest.connections()] == friends
    assert {kind for kind, _ in federation.liar.forged} == set(bodies.KINDS)
    assert all(federation.liar.forged["announce", field] for field in ANNOUNCED)
    assert all(federation.liar.forged[kind, field] for kind in bodies.KINDS if kind != "announce" for field in FRAME)
    assert len(federation.server.log) - before > len(FORGEABLE) * 0.9  # a message that homeservers refuse isn't sent
    await federation.passes(timedelta(hours=1))
    assert not federation.auditor.violations
    assert not [transfer for transfer in honest.transfers() if transfer.asked.party == "p1" and transfer.decided]
