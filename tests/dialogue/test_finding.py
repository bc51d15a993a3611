"""`find` in conversations between three spaces: hits, silent friends, and requesting a hit by its number."""
# ruff: noqa: ANN401 -- options have any fields that a test needs

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from fedbot.commands import stock_to_offer
from fedbot.rules.catalogue import search
from fedbot.rules.model.catalogue import Search
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.protocol import sequencing
from fedbot_demo.inventree.faults import FaultKind
from tests.fakes.people import Message, Person
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, a_world, friends, nothing, protocol_messages, sharing, told

LATE = timedelta(seconds=25)
AN_AGE = timedelta(minutes=11)


async def three(**options: Any) -> World:
    """Attraktor is a friend of betaspace and of gammaspace, which don't know each other; all share something."""
    world = await World(**options).with_gammaspace(**options.get("gamma", {})).start()
    await world.connect()
    world.anna.says("!fed connect gammaspace")
    await world.settle()
    (card,) = [m for m in world.room.messages(sender=world.gamma.chat.user_id) if m.reactions]
    world.gus.reacts(card, "✅")
    await world.grace()
    for person, words in ((world.cem, "M3-BOLT"), (world.mia, "Metal"), (world.piet, "M3-NUT")):
        person.says(f"!fed share {words}")
    await world.settle()
    return world


async def finds(world: World, words: str, by: Person | None = None, **where: Any) -> Message:
    """Kim of attraktor searches for something; return the answer."""
    line = (by or world.kim).says(f"!fed find {words}", **where)
    await world.settle()
    room = world.alpha_admins if where.get("room") else world.room
    (answer,) = room.answers(line)
    return answer


def again(world: World, message: Message) -> Message:
    """The message as it reads now."""
    return next(m for m in world.room.messages() if m.event_id == message.event_id)


# --- successful searches ---


async def test_revisions_of_a_part_are_told_apart_and_the_number_means_that_one() -> None:
    world = await sharing()
    pks: dict[str, int] = {}
    for revision, quantity in (("A", 70), ("B", 40)):
        part = world.alpha.admin(
            *("POST", "part/"), name="Jig plate", IPN="JIG", revision=revision, description="", category=1, salable=True
        )
        pks[revision] = world.alpha.admin("POST", "stock/", part=part["pk"], quantity=quantity)[0]["pk"]
    answer = await finds(world, "jig plate", by=world.tom)
    assert "Jig plate (JIG), revision A, 70" in answer.text
    assert "Jig plate (JIG), revision B, 40" in answer.text
    number = next(line[0] for line in answer.text.splitlines() if "revision B" in line)
    world.tom.says(f"ask {number} 3", reply_to=answer)
    await world.settle()
    (line,) = world.alpha.transfer().terms.lines
    assert (line.item, line.description.revision, int(line.quantity)) == (pks["B"], "B", 3)


async def test_hits_of_all_friends_are_in_one_list() -> None:
    world = await three()
    answer = await finds(world, "M3")
    assert answer.text.splitlines() == [
        '3 hits for "M3":',
        "1) Attraktor: M3 nut (M3-NUT), 350",
        "2) Betaspace: Bolt M3 (M3-BOLT), 12",
        "3) Gammaspace: M3 bolt steel (M3-BOLT), 75",
        "To request 1 of number 2, reply within 10 minutes: ask 2 1",
    ]
    assert answer.is_notice
    assert not answer.mentions
    sealed = [e for e in world.room.envelopes() if e["kind"] in {"find-ask", "find"}]
    assert len(sealed) == 4
    assert "Bolt M3" not in str(sealed)
    assert "words" not in str(sealed)


async def test_a_hit_is_requested_by_its_number_and_arrives() -> None:
    world = await three()
    answer = await finds(world, "bolt")
    world.kim.says("ask 2 60", reply_to=answer)
    await world.settle()
    card = world.room.message("Give them?")
    assert card.name == "Gammaspace bot"
    world.mia.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.DONE
    assert world.gamma.total("M3-BOLT") == 15
    assert world.alpha.total("M3-BOLT") == 270
    assert_books_balance(world)


async def test_an_item_found_and_received_may_not_go_on_to_a_third_space() -> None:
    world = await three(alpha={"new_part_category": "Material"})
    answer = await finds(world, "M8")
    world.kim.says("1 2.5 --note for the lathe", reply_to=answer)
    await world.settle()
    world.mia.reacts(world.room.message("Give it?"), "✅")
    await world.grace()
    item = world.alpha.transfer().at(1).item
    line = world.anna.says(f"!fed push #{item} 1 to betaspace")
    await world.settle()
    assert "Gammaspace" in world.answer_to(line)
    line = world.piet.says(f"!fed share #{item}")
    await world.settle()
    assert "isn't ours to share" in world.answer_to(line)
    world.piet.says("!fed share all")
    await world.settle()
    assert "Threaded rod" not in (await finds(world, "rod in attraktor")).text
    line = world.cem.says(f"!fed request 1 #{item} from attraktor")
    await world.settle()
    assert world.beta.transfer().problem == "chain"
    assert_books_balance(world)


async def test_a_space_that_passes_it_on_anyway_is_refused_by_the_third(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await three()
    answer = await finds(world, "steel")
    world.kim.says("1 5", reply_to=answer)
    await world.settle()
    world.mia.reacts(world.room.message("Give it?"), "✅")
    await world.grace()
    item = world.alpha.transfer().at(1).item
    monkeypatch.setattr(stock_to_offer, "origin_forbids", lambda _origin, _there: False)
    world.anna.says(f"!fed push #{item} 5 to betaspace")
    await world.settle()
    assert {space.transfer().state for space in (world.alpha, world.beta)} == {TransferState.DECLINED}
    assert told(world.room, "it came from a third space")
    assert_books_balance(world)


async def test_name_ipn_keywords_and_description_are_searched_and_nothing_else() -> None:
    world = await three()
    for words in ("steel", "ROD-M8", "screw", "threaded 8 ROD"):
        assert "Gammaspace:" in (await finds(world, f"{words} in gammaspace")).text, words
    for words in ("metal", "cellar", "old", "steel rod"):
        assert "Nothing found" in (await finds(world, f'"{words}" in gammaspace')).text, words


async def test_only_shared_items_in_stock_and_free_are_found() -> None:
    world = await three()
    assert "Betaspace shares nothing that matches." in (await finds(world, "nut in betaspace")).text
    row = world.beta.item("M3-BOLT")
    with world.beta.by_hand():
        world.beta.admin("POST", "stock/remove/", items=[{"pk": row.pk, "quantity": "12"}])
    assert "Nothing found" in (await finds(world, "bolt in betaspace")).text
    world.cem.says("!fed unshare M3-BOLT")
    await world.settle()
    assert "Betaspace shares nothing." in (await finds(world, "bolt in betaspace")).text


async def test_in_the_admin_room_all_our_stock_is_found() -> None:
    world = await three()
    assert "Nothing found" in (await finds(world, "0.4 nozzle in attraktor")).text
    answer = await finds(world, "0.4 nozzle in Attraktor", world.anna, room=world.alpha_admins.id)
    assert "1) Attraktor: Nozzle 0.4 mm brass (NOZ-04), 25" in answer.text


async def test_a_long_list_is_sent_in_pages_with_stable_numbers() -> None:
    world = await friends()
    for number in range(23):
        part = world.beta.admin("POST", "part/", name=f"Gadget {number:02}", category=1, salable=True)["pk"]
        place = world.beta.location("Shelf 2")
        with world.beta.by_hand():
            world.beta.admin("POST", "stock/", part=part, location=place, quantity=number + 1)
    world.cem.says("!fed share all")
    await world.settle()
    answer = await finds(world, "gadget in betaspace")
    lines = answer.text.splitlines()
    assert lines[0] == '20 hits for "gadget":'
    assert "10) Betaspace: Gadget 09, 10" in lines
    assert "… and 10 more: reply “more”" in lines
    assert "Betaspace has more hits than it can list. Type more words." in lines
    line = world.kim.says("more", reply_to=answer)
    await world.settle()
    (page,) = world.room.answers(line)
    assert "11) Betaspace: Gadget 10, 11" in page.text
    assert "20) Betaspace: Gadget 19, 20" in page.text
    line = world.kim.says("!fed more", reply_to=page)
    await world.settle()
    assert world.answer_to(line) == 'That was all for "gadget".'
    world.kim.says("12", reply_to=page)
    await world.settle()
    assert told(world.room, "How much of")
    world.kim.says("12 3", reply_to=page)
    await world.settle()
    assert told(world.room, "3 × Gadget 11")


async def test_a_number_without_a_reply_means_the_newest_list() -> None:
    world = await three()
    await finds(world, "rod")
    await world.passes(timedelta(seconds=1))
    await finds(world, "bolt")
    world.kim.says("!fed ask 1 2")
    await world.settle()
    assert world.alpha.transfer().terms.sender == "betaspace"
    line = world.piet.says("!fed ask 1 2")
    await world.settle()
    assert "missing" in world.answer_to(line)


# --- failures ---


async def test_without_friends_only_our_own_stock_is_found() -> None:
    world = await a_world()
    answer = await finds(world, "M3")
    assert answer.text.splitlines() == [
        'Nothing found for "M3".',
        "Attraktor (we) shares nothing yet: !fed share",
        "I asked no other space: we have no friends here yet.",
    ]


async def test_a_friend_whose_inventree_is_down_is_named_at_once() -> None:
    world = await three()
    world.beta.goes_down()
    answer = await finds(world, "M3")
    assert "Betaspace: not searched, because its InvenTree does not answer." in answer.text
    assert "Gammaspace: M3 bolt steel" in answer.text
    world.alpha.fails(FaultKind.REFUSED, path="/api/(?!user/)", times=None)
    assert "Attraktor: not searched" in (await finds(world, "M3 in attraktor")).text


async def test_a_friend_whose_token_was_revoked_is_told_that_nobody_could_search() -> None:
    world = await three()
    world.beta.deactivates("fed-attraktor-1")
    assert "Betaspace: not searched" in (await finds(world, "bolt in betaspace")).text


async def test_a_late_answer_is_added_and_the_numbers_stay() -> None:
    world = await three()
    line = world.kim.says("!fed find M3")
    await world.settle(asleep=(world.beta,))
    assert world.room.answers(line) == []
    await world.passes(LATE, asleep=(world.beta,))
    (answer,) = world.room.answers(line)
    assert "2) Gammaspace: M3 bolt steel" in answer.text
    assert "Betaspace: its bot has not answered for 20 seconds" in answer.text
    await world.settle()
    answer = again(world, answer)
    assert answer.is_edited
    assert "2) Gammaspace: M3 bolt steel" in answer.text
    assert "3) Betaspace: Bolt M3 (M3-BOLT), 12" in answer.text
    assert "has not answered" not in answer.text


async def test_an_answer_that_comes_when_the_list_is_too_old_changes_nothing() -> None:
    world = await three()
    line = world.kim.says("!fed find M3")
    await world.passes(AN_AGE, asleep=(world.beta,))
    (answer,) = world.room.answers(line)
    await world.settle()
    assert again(world, answer).text == answer.text
    assert all(space.bot.engine.failures == 0 for space in world.spaces)


async def test_a_lost_query_is_repaired_by_the_next() -> None:
    world = await three()
    world.server.loses = protocol_messages
    line = world.kim.says("!fed find bolt in betaspace")
    await world.passes(LATE)
    assert "has not answered" in world.room.answers(line)[0].text
    world.server.loses = nothing
    assert "1) Betaspace: Bolt M3" in (await finds(world, "bolt in betaspace")).text
    assert "1) Betaspace: Bolt M3" in world.room.answers(line)[0].text


async def test_two_people_who_search_at_once_get_one_answer_each() -> None:
    world = await three()
    lines = world.kim.says("!fed find rod"), world.cem.says("!fed find nut"), world.anna.says("!fed find steel")
    await world.settle()
    first, second, third = (world.answer_to(line) for line in lines)
    assert "Gammaspace: Threaded rod M8 (ROD-M8), 6.5 m" in first
    assert "Attraktor: M3 nut (M3-NUT), 350" in second
    assert "Gammaspace" not in second
    assert "Gammaspace: M3 bolt steel" in third


async def test_a_number_that_is_not_in_the_list_is_refused() -> None:
    world = await three()
    answer = await finds(world, "M3")
    for text in ("ask 4 1", "0 1"):
        line = world.kim.says(text, reply_to=answer)
        await world.settle()
        assert "the list goes to 3. I did nothing." in world.answer_to(line)
    line = world.kim.says("1 2", reply_to=answer)
    await world.settle()
    assert "Attraktor is our own space" in world.answer_to(line)
    assert world.alpha.turn.transfers() == []


async def test_other_replies_to_a_list_are_ignored() -> None:
    world = await three()
    answer = await finds(world, "M3")
    for text in ("thanks!", "2 people want that", "ask them"):
        line = world.kim.says(text, reply_to=answer)
        await world.settle()
        assert world.room.answers(line) == [], text


async def test_a_person_of_another_space_can_not_request_by_our_numbers() -> None:
    world = await three()
    answer = await finds(world, "M3")
    line = world.cem.says("ask 3 2", reply_to=answer)
    await world.settle()
    assert world.room.answers(line) == []
    line = world.cem.says("!fed ask 3 2", reply_to=answer)
    await world.settle()
    assert "missing" in world.answer_to(line)
    assert world.gamma.turn.transfers() == []


async def test_the_numbers_of_a_list_expire_after_ten_minutes() -> None:
    world = await three()
    answer = await finds(world, "M3")
    await world.passes(AN_AGE)
    for text in ("ask 2 2", "more"):
        line = world.kim.says(text, reply_to=answer)
        await world.settle()
        assert "older than 10 minutes" in world.answer_to(line)
    assert world.alpha.turn.all(Search) == []
    assert world.alpha.turn.transfers() == []


async def test_a_search_without_words_shows_everything_shared_or_that_it_is_nothing() -> None:
    world = await three()
    assert (await finds(world, "")).text == (await finds(world, "everything")).text
    assert 'No space "delta"' in (await finds(world, "M3 in delta")).text
    line = world.cem.says("!fed find M3 in gammaspace")
    await world.settle()
    assert "Gammaspace" in world.answer_to(line)
    assert world.beta.turn.all(Search) == []


async def test_hits_that_a_space_keeps_out_of_shared_rooms_are_shown_in_the_admin_room() -> None:
    world = await three(beta={"disclose_in_room": ("stats",)})
    answer = await finds(world, "M3")
    assert "Betaspace has some, but keeps it out of shared rooms" in answer.text
    assert "Bolt M3" not in answer.text
    answer = await finds(world, "bolt", world.anna, room=world.alpha_admins.id)
    assert "Betaspace: Bolt M3 (M3-BOLT), 12" in answer.text


async def test_a_person_who_searches_too_often_is_told_when_to_come_back() -> None:
    world = await three(beta={"questions_an_hour_per_peer": 2})
    await finds(world, "bolt")
    await world.passes(timedelta(minutes=20))
    await finds(world, "nut")
    calls = len(world.beta.wire.network.log)  # type: ignore[attr-defined]
    answer = await finds(world, "bolt")
    assert "We asked Betaspace too often. It searches again from " in answer.text
    assert "Gammaspace: M3 bolt steel" in answer.text
    assert len(world.beta.wire.network.log) == calls  # type: ignore[attr-defined]
    await world.passes(timedelta(minutes=41))
    assert "Betaspace: Bolt M3" in (await finds(world, "bolt")).text


async def test_a_person_who_searches_without_end_is_slowed_down_and_nobody_else() -> None:
    world = await three(alpha={"questions_an_hour_per_peer": 2})
    for _ in range(2):
        await finds(world, "bolt")
    sent = len(world.room.envelopes())
    assert (await finds(world, "bolt")).text.splitlines()[1] == "You can search again from 20:44."
    assert len(world.room.envelopes()) == sent
    assert "Betaspace: Bolt M3" in (await finds(world, "bolt", world.anna)).text


HOSTILE: dict[str, Any] = {
    "no list": {"shared": 1, "hits": "all of it"},
    "more than it may": {"shared": 1, "hits": [{}] * 21},
    "a hit that is a text": {"shared": 1, "hits": ["M3"]},
    "a negative count": {"shared": -1, "hits": []},
    "an endless name": {"name": "x" * 101},
    "no name": {"name": None},
    "an endless quantity": {"quantity": "9" * 30},
    "no quantity": {"quantity": "NaN"},
    "less than nothing": {"quantity": "-1"},
    "an item that is a line": {"item": "1 from gammaspace\n!fed disconnect"},
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_hostile_answer_is_not_read_at_all(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await friends()
    world.cem.says("!fed share M3-BOLT")
    await world.settle()
    hit = {"item": 1, "name": "M3", "ipn": "", "units": "", "quantity": "5"}
    lie = HOSTILE[what]
    sealed = lie if "hits" in lie else {"shared": 1, "hits": [{**hit, **lie}]}
    monkeypatch.setattr(search, "_written", lambda _hit: {})
    write = sequencing.write
    monkeypatch.setattr(
        sequencing,
        "write",
        lambda turn, connection, body, **more: write(
            turn, connection, body, **({**more, "sealed": sealed} if body.kind == "find" else more)
        ),
    )
    answer = await finds(world, "bolt in betaspace")
    assert "Betaspace: its bot's answer can't be read." in answer.text
    assert world.alpha.bot.engine.failures == 0


async def test_markup_in_a_hit_stays_text() -> None:
    world = await friends()
    part = world.beta.part("M3-BOLT")
    world.beta.tables.parts.put(replace(part, name="<b>M3</b> @room [x](http://y) `!fed"))
    world.cem.says("!fed share part:" + str(part.pk))
    await world.settle()
    answer = await finds(world, "M3 in betaspace")
    assert "&lt;b&gt;M3" in answer.html
    assert not answer.mentions


@pytest.mark.parametrize("name", ['M3" from gammaspace; push "all', "M3 'x' + 5 y", "#2 M3", "M3\u201d to betaspace"])
async def test_a_name_that_reads_like_a_line_is_not_put_into_one(name: str) -> None:
    world = await friends()
    part = world.beta.part("M3-BOLT")
    world.beta.tables.parts.put(replace(part, name=name, IPN=""))
    world.cem.says(f"!fed share part:{part.pk}")
    await world.settle()
    answer = await finds(world, "M3 in betaspace")
    world.kim.says("ask 1 2", reply_to=answer)
    await world.settle()
    (line,) = world.beta.transfer().terms.lines
    assert (line.quantity, line.part, world.beta.transfer().peer) == (Decimal(2), part.pk, "attraktor")


async def test_an_answer_under_another_key_is_not_read() -> None:
    world = await friends()
    world.cem.says("!fed share M3-BOLT")
    await world.settle()
    line = world.kim.says("!fed find bolt")
    await world.settle(asleep=(world.beta,))
    await world.beta.gets_new_key()
    await world.passes(LATE)
    (answer,) = world.room.answers(line)
    assert "Bolt M3" not in answer.text
    assert world.alpha.connection().state is ConnectionState.SUSPENDED


async def test_a_crash_in_between_loses_no_search() -> None:
    world = await three()
    line = world.kim.says("!fed find M3")
    await world.settle(asleep=(world.beta, world.gamma))
    await world.alpha.restart()
    await world.settle()
    assert "3 hits" in world.answer_to(line)


async def test_an_inventree_that_is_down_is_retried_only_as_long_as_a_read_takes() -> None:
    world = await three()
    world.beta.fails(FaultKind.REFUSED, "GET", "part/", times=1)
    answer = await finds(world, "bolt in betaspace")
    assert "not searched" in answer.text or "Bolt M3" in answer.text


# --- without words ---


async def test_all_that_a_space_shares_is_listed_in_pages_with_loans_and_due_dates() -> None:
    world = await three()
    world.mia.says("!fed share all")
    world.cem.says("!fed share all")
    world.bea.says("!fed lend 5 N-M3 to attraktor for 3 weeks")
    await world.settle()
    world.piet.reacts([m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1], "✅")
    await world.grace()
    answer = await finds(world, "in betaspace")
    assert answer.text.startswith("Shared items that are free now:")
    assert "1) Betaspace: " in answer.text
    every = [*answer.text.split("\n")]
    if "reply “more”" in answer.text:
        line = world.kim.says("more", reply_to=answer)
        await world.settle()
        every += world.answer_to(line).split("\n")
    (nuts,) = [text for text in every if "N-M3" in text]
    assert "895, 5 more lent until Tue 15 Dec 2026" in nuts, nuts
    assert "Gammaspace" not in answer.text


async def test_a_category_is_browsed_at_all_friends_and_a_long_list_names_its_next_page() -> None:
    world = await three()
    world.cem.says("!fed share all")
    await world.settle()
    part = world.beta.part("N-M3")
    categories = {row.pk: row.name for row in world.beta.tables.categories}
    name = categories[part.category]
    answer = await finds(world, f'in betaspace --category "{name.lower()}"')
    assert f'Shared items in "{name.lower()}":' in answer.text
    assert "N-M3" in answer.text
    assert "No shared item is in" in (await finds(world, "in betaspace --category nonsense")).text
    for number in range(25):
        made = world.beta.admin(
            "POST", "part/", name=f"Thing {number:02}", category=part.category, active=True, salable=True
        )
        world.beta.admin("POST", "stock/", part=made["pk"], quantity="1", location=world.beta.location("Incoming"))
    await world.passes(timedelta(days=2))
    answer = await finds(world, "in betaspace")
    assert "!fed find in betaspace --page 2" in answer.text
    line = world.kim.says("more", reply_to=answer)
    await world.settle()
    second = await finds(world, "in betaspace --page 2")
    pages = [
        set(re.findall(r"Betaspace: (.+?), \d", text)) for text in (answer.text + world.answer_to(line), second.text)
    ]
    assert len(pages[0]) > 10, "a page is twenty parts, without those of which nothing is sound and free"
    assert pages[1]
    assert not pages[0] & pages[1]
    assert "isn't a page number" in (await finds(world, "in betaspace --page x")).text


@pytest.mark.parametrize(
    ("said", "quantity", "until"),
    [
        ("ask 2 5", 5, None),
        ("request 2, 5 pcs", 5, None),
        ("ask for 2 5 for 2 weeks", 5, "2026-12-08"),
        ("borrow 2 5 over the weekend", 5, "2026-11-29"),
        ("!fed borrow 2 5 for a week", 5, "2026-12-01"),
    ],
)
async def test_a_requesting_line_right_after_the_list_needs_no_reply(
    said: str, quantity: int, until: str | None
) -> None:
    world = await sharing()
    world.bea.says("!fed find nut")
    await world.settle()
    world.bea.says(said)
    await world.settle()
    terms = world.beta.transfer().terms
    assert (terms.lines[0].description.name, int(terms.lines[0].quantity)) == ("M3 nut", quantity)
    assert (terms.loan_until and terms.loan_until.isoformat()) == until


async def test_later_lines_talk_and_other_people_request_nothing() -> None:
    world = await sharing()
    world.bea.says("!fed find nut")
    await world.settle()
    (answer,) = told(world.room, '2 hits for "nut"')
    world.cem.says("ask 2 5")
    world.bea.says("ask 2 people whether that fits")
    world.bea.says("2 of these are broken", reply_to=answer)
    await world.passes(timedelta(minutes=3))
    world.bea.says("ask 2 5")
    await world.settle()
    assert world.beta.turn.transfers() == []
    assert world.room.messages()[-1].sender == world.bea.user_id
    world.bea.says("ask 1 3 and 2 4", reply_to=answer)
    await world.settle()
    assert told(world.room, "Ask for one number at a time, then how much: ask 1 2")
