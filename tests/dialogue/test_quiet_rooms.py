"""Messages in a shared room are short and suggest nothing that they don't explain."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.world import World, a_world, friends, sharing


async def _card_of(world: World, line: str) -> None:
    world.anna.says(f"!fed {line}")
    await world.settle()


@pytest.mark.parametrize(
    "line",
    [
        "push M3-NUT 10 to betaspace",
        "push M3-NUT 10 to betaspace --parcel",
        "push RES-10K 5 + M3-NUT 2 to betaspace",
        "lend M3-NUT 10 to betaspace for 2 weeks",
        "push PLY-4-BIRCH 5 to betaspace",
    ],
)
async def test_a_card_suggests_no_reaction_that_it_does_not_explain(line: str) -> None:
    world = await friends()
    await _card_of(world, line)
    card = world.card()
    assert card.reactions
    unexplained = [key for key in card.reactions if key not in card.text]
    assert not unexplained, f"{unexplained} in\n{card.text}"


@pytest.mark.parametrize("options", [{}, {"peer_access": "direct", "has_admin_token": False}])
async def test_the_card_of_a_friendship_has_ten_lines_at_most_and_show_has_the_rest(options: dict[str, Any]) -> None:
    world = await a_world(beta=options)
    await world.asks_to_connect()
    card = world.card()
    assert len(card.text.split("\n")) <= 10, card.text
    shown = world.bea.says("!fed show", reply_to=card)
    await world.settle()
    assert "its token for one year, and a customer company" in world.answer_to(shown)


async def test_the_answer_to_an_offer_or_request_has_two_lines_and_so_has_the_end() -> None:
    world = await sharing()
    offer = world.anna.says('!fed push M3-NUT 10 to betaspace --note "for the open day"')
    await world.settle()
    assert len(world.answer_to(offer).split("\n")) == 2
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert len(world.room.message("@Anna @Cem ✅").text.split("\n")) == 2
    request = world.tom.says("!fed request 5 M3-NUT from attraktor")
    await world.settle()
    assert len(world.answer_to(request).split("\n")) == 2
    world.piet.reacts(world.room.message("Give it?"), "❌")
    await world.grace()
    assert len(world.room.message("@Tom @Piet ❌").text.split("\n")) == 2


@pytest.mark.parametrize(
    ("who", "line", "begun"),
    [
        ("anna", "push 10 M3-NUT to betaspace", "Offered by Anna"),
        ("anna", "lend 10 M3-NUT to betaspace for 2 weeks", "Offered by Anna"),
        ("tom", "request 10 M3-NUT from attraktor", "Asked by Tom"),
        ("tom", "borrow 10 M3-NUT from attraktor for 2 weeks", "Asked by Tom"),
    ],
)
async def test_card_end_and_history_say_who_offered_or_asked(who: str, line: str, begun: str) -> None:
    world = await sharing()
    getattr(world, who).says(f"!fed {line}")
    await world.settle()
    card = world.room.message(f"{begun} (")
    (world.cem if who == "anna" else world.piet).reacts(card, "✅")
    await world.grace()
    assert world.room.message("is at Betaspace").text.split("\n")[1].startswith(f"{begun}, accepted by ")
    told = world.cem.says("!fed history")
    await world.settle()
    assert f", {begun[0].lower()}{begun[1:]}, " in world.answer_to(told)
    given = world.alpha.transfer().at(1).item
    assert any(f", {begun[0].lower()}{begun[1:]} (" in note for note in world.alpha.history(given or 0))
