"""Request something, accept less, and end the friendship, on a real homeserver; the first test has default limits."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
import pytest_asyncio

from fedbot_demo import plot
from fedbot_demo.person import Person
from fedbot_demo.room_event import RoomEvent
from fedbot_demo.stage import Space, Stage
from tests.e2e import scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

STAGE = {"access": "direct", "rules": {"grace_seconds": 1.0}}
IPN = "RES-10K"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def friends(stage: Stage) -> Stage:
    await scene.connect_unlimited(stage)
    await plot.answer_to(stage, stage.people["piet"], f"!fed share {IPN}")
    return stage


async def requested(stage: Stage, asker: Person, approver: Person) -> tuple[RoomEvent, RoomEvent]:
    """Somebody of Betaspace requests 25 from Attraktor; return the answer and the card at Attraktor."""
    answer = await plot.answer_to(stage, asker, f"!fed request 25 {IPN} from attraktor")
    assert plot.kind_of(answer) == "request"
    return answer, await plot.card_of(stage, approver, stage.attraktor, plot.subject_of(answer))


async def test_a_request_is_sent_once_the_owner_approves_within_the_limits(friends: Stage) -> None:
    await scene.restore_limits(friends)
    tom, piet = friends.people["tom"], friends.people["piet"]
    given, got = await scene.amounts(friends, IPN)
    answer, card = await requested(friends, tom, piet)
    await piet.react(friends.room, card.event_id, plot.YES)
    end = await plot.ended(friends, tom, plot.subject_of(answer), "done")
    await scene.at_rest(friends)
    assert await scene.amounts(friends, IPN) == (given - 25, got + 25)
    assert set(end.content["m.mentions"]["user_ids"]) == {tom.user_id, piet.user_id}
    sent = scene.by_account(await plot.events_of(friends, answer.replies_to, end.event_id), friends)
    assert sum(sent.values()) <= 9
    assert max(sent.values()) <= 6
    await scene.lift_limits(friends)  # the other tests are about something else


async def test_a_reply_grants_less_and_a_reaction_accepts_it(friends: Stage) -> None:
    tom, piet = friends.people["tom"], friends.people["piet"]
    given, got = await scene.amounts(friends, IPN)
    answer, card = await requested(friends, tom, piet)
    await piet.say(friends.room, "!fed approve 10", reply_to=card.event_id)
    less = await plot.card_of(friends, tom, friends.betaspace, plot.subject_of(answer))
    await tom.react(friends.room, less.event_id, plot.YES)
    await plot.ended(friends, tom, plot.subject_of(answer), "done")
    await scene.at_rest(friends)
    assert await scene.amounts(friends, IPN) == (given - 10, got + 10)


async def test_a_token_is_renewed_between_two_running_bots(friends: Stage) -> None:
    anna = friends.attraktor.superuser
    before = peers_token(friends.attraktor)
    answer = await plot.answer_to(friends, anna, f"!fed rotate {friends.betaspace.party}")
    assert "rotating the token" in answer.body
    await scene.eventually(lambda: is_dead(friends.attraktor, before), "the old token to be revoked")
    await scene.at_rest(friends)
    assert not await is_dead(friends.attraktor, peers_token(friends.attraktor))
    secrets = scene.secrets_of(friends)
    handed = [value for name, value in secrets.items() if name.startswith("betaspace/") and "got-from" in name]
    assert handed == [peers_token(friends.attraktor)]


async def test_a_loan_is_returned_by_a_reaction_with_its_note(friends: Stage) -> None:
    piet, cem = friends.people["piet"], friends.people["cem"]
    given, got = await scene.amounts(friends, IPN)
    offer = await plot.answer_to(friends, piet, f"!fed lend {IPN} 5 to betaspace for 3 weeks")
    card = await plot.card_of(friends, cem, friends.betaspace, plot.subject_of(offer))
    await cem.react(friends.room, card.event_id, plot.YES)
    await plot.ended(friends, piet, plot.subject_of(offer), "done")
    await scene.at_rest(friends)
    assert await scene.amounts(friends, IPN) == (given - 5, got + 5)
    back = await plot.answer_to(friends, cem, "!fed return", reply_to=card.event_id)
    home = await plot.card_of(friends, piet, friends.attraktor, plot.subject_of(back))
    noted = await plot.answer_to(friends, piet, "one leg is bent", reply_to=home.event_id)
    assert "history" in noted.body
    await piet.react(friends.room, home.event_id, "🔧")
    await plot.ended(friends, cem, plot.subject_of(back), "done", by=friends.betaspace)
    await scene.at_rest(friends)
    assert await scene.amounts(friends, IPN) == (given, got)


async def test_the_friendship_ends_and_the_access_with_it(friends: Stage) -> None:
    anna = friends.attraktor.superuser
    tokens = [(space, peers_token(space)) for space in friends.spaces]
    preview = await plot.answer_to(friends, anna, f"!fed disconnect {friends.betaspace.party}")
    assert not [space for space, token in tokens if await is_dead(space, token)]
    await anna.say(friends.room, "1", reply_to=preview.event_id)
    for space, token in tokens:
        await scene.eventually(lambda space=space, token=token: is_dead(space, token), f"no access at {space.name}")  # type: ignore[misc]
    await scene.at_rest(friends)
    assert [name for name in scene.secrets_of(friends) if re.search("made-for|got-from", name)] == []


def peers_token(space: Space) -> str:
    """The token that this space made for the other."""
    (token,) = [
        path.read_text().strip() for path in (space.folder / "state" / "identity").rglob("*made-for*") if path.is_file()
    ]
    return token


async def is_dead(space: Space, token: str) -> bool:
    """Whether the space's InvenTree refuses that token."""
    headers = {"Authorization": f"Token {token}"}
    answer = await asyncio.to_thread(httpx.get, f"{space.inventree.url}/api/stock/?limit=1", headers=headers)
    return answer.status_code in {401, 403}
