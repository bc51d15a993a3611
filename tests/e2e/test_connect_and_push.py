"""The story on real servers under default limits: connect with `direct`, push, and check both inventories."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal

import pytest
import pytest_asyncio

from fedbot_demo import plot
from fedbot_demo.checks import Check, Handover, check_access, check_receiver, check_sender, new_items
from fedbot_demo.room_event import RoomEvent
from fedbot_demo.stage import PARTY_EVENT, Stage
from fedbot_demo.stocktake import StockItem
from tests.e2e import scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

STAGE = {"access": "direct", "rules": {"grace_seconds": 1.0}}
IPN = "RES-10K"


@dataclass
class Story:
    """The stock before, the offer, and its end."""

    before: tuple[list[StockItem], list[StockItem]]
    offer: plot.Offer
    end: RoomEvent
    handover: Handover


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def friends(stage: Stage) -> Stage:
    await plot.connect(stage)
    await scene.at_rest(stage)
    return stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(friends: Stage) -> Story:
    async with friends.attraktor.stocktake() as alpha, friends.betaspace.stocktake() as beta:
        before = await alpha.items(), await beta.items()
    piet, cem = friends.people["piet"], friends.people["cem"]
    offer = await plot.offer(friends, piet, f'!fed push 50 {IPN} to betaspace --note "for Saturday"', seen_by=cem)
    await cem.react(friends.room, offer.card.event_id, plot.YES)
    end = await plot.ended(friends, piet, offer.transfer, "done")
    await scene.at_rest(friends)
    return Story(before, offer, end, Handover(IPN, Decimal(50), "Piet", "Cem", offer.transfer, offer.card.event_id))


def _bad(checks: list[Check]) -> list[Check]:
    return [check for check in checks if not check.good]


async def test_each_bot_announces_its_space_with_its_key_and_people(stage: Stage) -> None:
    for space in stage.spaces:
        announced = await space.superuser.state(stage.room, PARTY_EVENT, space.account.user_id)
        (party,) = announced["parties"]
        assert (party["id"], party["name"], party["access"]) == (space.party, space.name, "direct")
        assert party["people"] == sorted(person.user_id for person in space.people.values())


async def test_connecting_makes_an_account_with_view_permissions_only_and_a_token_that_is_used(friends: Stage) -> None:
    attraktor, betaspace = friends.spaces
    assert _bad([*await check_access(attraktor, betaspace), *await check_access(betaspace, attraktor)]) == []


async def test_with_direct_access_each_token_goes_to_the_peer_sealed(friends: Stage) -> None:
    timeline = await friends.attraktor.superuser.messages(friends.room)
    credentials = [plot.envelope_of(event) for event in timeline if plot.kind_of(event) == "credentials"]
    assert {(letter["from"], letter["to"]) for letter in credentials} == {
        ("attraktor", "betaspace"),
        ("betaspace", "attraktor"),
    }
    urls = {letter["from"]: letter["body"]["url"] for letter in credentials}
    assert urls == {space.party: space.inventree.url for space in friends.spaces}
    kept = scene.secrets_of(friends)
    for maker, holder in (friends.spaces, friends.spaces[::-1]):
        made = {value for name, value in kept.items() if name.startswith(maker.party) and "made-for" in name}
        got = {value for name, value in kept.items() if name.startswith(holder.party) and "got-from" in name}
        assert made == got != set(), "the peer holds the very token that was made for it"


async def test_the_peers_company_holds_the_connection_in_its_metadata(friends: Stage) -> None:
    for space, peer in (friends.spaces, friends.spaces[::-1]):
        async with space.stocktake() as stocktake:
            (company,) = [c for c in await stocktake.companies() if c["name"] == peer.name]
            assert company["is_customer"]
            mirror = (await stocktake.metadata("company", company["pk"]))["fedbot"]
        text = json.dumps(mirror)
        assert peer.account.user_id in text
        assert '"active"' in text


async def test_a_push_moves_exactly_the_agreed_quantity_and_both_inventories_record_it(
    friends: Stage, story: Story
) -> None:
    attraktor, betaspace = friends.spaces
    checks = [
        *await check_sender(attraktor, betaspace, story.handover, story.before[0]),
        *await check_receiver(betaspace, attraktor, story.handover, story.before[1]),
    ]
    assert _bad(checks) == []


async def test_both_items_carry_the_transfer_in_their_metadata(friends: Stage, story: Story) -> None:
    for space, before, kept in (
        (friends.attraktor, 0, ("to", "betaspace")),
        (friends.betaspace, 1, ("from", "attraktor")),
    ):
        async with space.stocktake() as stocktake:
            (item,) = new_items(story.before[before], await stocktake.items())
            mirror = (await stocktake.metadata("stockitem", item.pk))["fedbot"]
        assert mirror["transfer"] == story.offer.transfer
        assert mirror["item"] == item.pk
        assert mirror[kept[0]] == kept[1]


async def test_the_end_mentions_who_asked_and_who_approved(friends: Stage, story: Story) -> None:
    piet, cem = friends.people["piet"], friends.people["cem"]
    assert set(story.end.content["m.mentions"]["user_ids"]) == {piet.user_id, cem.user_id}
    assert story.end.event_id in [event.event_id for event in await piet.notifications(only_highlights=True)]


async def test_the_card_says_at_the_end_that_it_is_done(friends: Stage, story: Story) -> None:
    card = await friends.people["cem"].event(friends.room, story.offer.card.event_id)
    newest = card.source["unsigned"]["m.relations"]["m.replace"]["content"]["m.new_content"]["body"]
    assert newest.splitlines()[0] != story.offer.card.body.splitlines()[0]
    assert "✅" in newest


async def test_a_push_takes_at_most_nine_events_and_six_of_one_account(friends: Stage, story: Story) -> None:
    for space in friends.spaces:
        assert scene.waits_for_the_peer(space, "Transfer") == [], f"{space.party} will send more"
    timeline = await friends.attraktor.superuser.messages(friends.room)
    ids = [event.event_id for event in timeline]
    sent = scene.by_account(timeline[ids.index(story.offer.line) :], friends)
    assert sent.total() <= 9, sent
    assert max(sent.values()) <= 6, sent


async def test_no_secret_is_in_a_log_a_room_or_a_journal(friends: Stage, story: Story) -> None:
    secrets = scene.secrets_of(friends)
    assert len(secrets) >= 2 * (3 + 4), f"settings, session, key, both tokens: {sorted(secrets)}"
    rooms = [friends.room, *(space.admin_room for space in friends.spaces)]
    heard = ""
    for room in rooms:
        reader = next(person for person in friends.people.values() if room in person.rooms)
        heard += json.dumps([event.source for event in await reader.messages(room)], ensure_ascii=False)
    for name, secret in secrets.items():
        assert len(secret) >= 16, name
        assert secret not in heard, f"{name} is in a room"
        for space in friends.spaces:
            for path in scene.files_with(secret, space.folder):
                inside = path.relative_to(space.folder)
                kept_there = inside.parts[:2] == ("state", "identity") or inside.name.startswith(
                    ("matrix-", "inventree")
                )
                assert kept_there, f"{name} is in {path}"
