"""Lending rules: the owner's rules for a loan are on both cards, and are enforced."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from fedbot.rules.model.care import Care
from fedbot.rules.model.lending import LendingRule, LoanRules, OutsideLoan
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.transfer import Transfer
from fedbot_demo.inventree.seeds import SERVICE
from tests.dialogue.test_lending import loan, owners_card
from tests.dialogue.test_recovery import is_rebuilt
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, sharing, told

DAY = timedelta(days=1)
OPEN, DONE, DECLINED, BOOKED = TransferState.OPEN, TransferState.DONE, TransferState.DECLINED, TransferState.BOOKED
BRIEFING = "laser safety briefing needed"
LENS = LendingRule(parts=("LENS-2",), longest=14, extensions=1, agree=BRIEFING, photo_out=True, photo_back=True)
NUTS = LendingRule(parts=("M3-NUT",), longest=14, extensions=1)
RULE = "⚠ Attraktor lends it only if Betaspace agrees: laser safety briefing needed"
LIMITS = (
    "Lending rules of Attraktor: at most 14 days · 1 extension · 📷 photo at the hand-over · 📷 photo at the return"
)


async def ruled(*rules: LendingRule, **options: object) -> World:
    """Attraktor has these rules; both share all their stock. Today is 24 November."""
    return await sharing(alpha={"lending": rules, **options})


def newest(space: Space) -> Transfer:
    return list(space.turn.transfers())[-1]


async def says(world: World, who: str, words: str) -> str:
    return await world.answer(getattr(world, who), f"!fed {words}")


async def test_an_offer_for_too_long_is_refused_with_the_possible_day_and_the_strictest_rule_counts() -> None:
    world = await ruled(LENS, LendingRule(longest=60), LendingRule(locations=("Attic",), longest=2))
    answer = await says(world, "anna", 'lend #42 to betaspace for 3 weeks --note "for Saturday"')
    assert "our lending rules allow 14 days, until Tue 8 Dec 2026" in answer
    assert "2026-12-08" in answer
    assert '--note "for Saturday"' in answer
    assert not list(world.alpha.turn.transfers())
    answer = await says(world, "anna", "lend #42 to betaspace from 12.12. until 31.12.")
    assert "until Sat 26 Dec 2026" in answer, answer
    answer = await says(world, "anna", "lend M3-NUT 10 to betaspace for 61 days")
    assert "our lending rules allow 60 days" in answer
    answer = await says(world, "anna", "push M3-NUT 10 to betaspace --loan 61d")
    assert '--loan "2027-01-23"' in answer, answer
    assert not list(world.alpha.turn.transfers())
    await says(world, "anna", "push #42 to betaspace")  # a gift isn't a loan
    assert newest(world.alpha).terms.rules is None


async def test_the_rules_are_on_the_borrowers_card_and_part_of_what_it_approves() -> None:
    world = await ruled(LENS)
    await says(world, "anna", "lend #42 to betaspace for 2 weeks")
    card = world.card()
    assert RULE in card.text
    assert LIMITS in card.text
    offered = newest(world.beta)
    assert offered.terms.rules == LoanRules(14, 1, (BRIEFING,), photo_out=True, photo_back=True)
    assert offered.terms == newest(world.alpha).terms
    weaker = replace(offered, terms=replace(offered.terms, rules=LoanRules(longest=14)))
    world.beta.knows_instead({("Transfer", offered.id): weaker})
    world.cem.reacts(card, "✅")
    await world.grace()
    assert newest(world.beta).state is OPEN, "another card than was read"
    assert "the lending rules" in world.card().text
    written = newest(world.beta).exchange
    world.beta.knows_instead({("Transfer", offered.id): replace(offered, exchange=written)})
    world.bea.reacts(card, "✅")
    await world.grace()
    assert loan(world.beta).is_on_loan, world.room.transcript()
    assert LIMITS in world.card().text
    assert RULE not in world.card().text
    assert "Betaspace agreed to: laser safety briefing needed" in world.card().text
    assert "!fed extend" in world.card().text
    world.bea.says(f"!fed return {loan(world.beta).code}")
    await world.settle()
    assert newest(world.alpha).terms.rules == offered.terms.rules
    assert "📷 Please send a photo of it" in owners_card(world).text


async def test_the_requester_accepts_the_text_before_the_owner_is_asked() -> None:
    world = await ruled(LENS)
    world.bea.says("!fed request LENS-2 1 from attraktor for 2 weeks")
    await world.settle()
    assert newest(world.beta).state is TransferState.CANCELLED, world.room.transcript()
    shown = told(world.room, "1) Agree, and ask for that")[-1]
    assert RULE in shown.text
    world.bea.says("1", reply_to=shown)
    await world.settle()
    card = owners_card(world)
    assert newest(world.alpha).state is OPEN, world.room.transcript()
    assert RULE in card.text
    assert LIMITS in card.text
    world.piet.reacts(card, "✅")
    await world.grace()
    rules = LoanRules(14, 1, (BRIEFING,), photo_out=True, photo_back=True)
    assert [newest(space).terms.rules for space in world.spaces] == [rules, rules]
    assert newest(world.beta).is_on_loan, world.room.transcript()
    assert_books_balance(world)


async def test_a_text_to_agree_to_costs_one_message_which_then_shows_what_was_agreed_to() -> None:
    world = await ruled(LENS)
    before = len(world.room.messages())
    world.bea.says("!fed request LENS-2 1 from attraktor for 2 weeks")
    await world.settle()
    question = told(world.room, "1) Agree, and ask for that")[-1]
    world.bea.says("1", reply_to=question)
    await world.settle()
    said = world.room.messages()[before:]
    assert [m.name for m in said] == ["Bea", "Betaspace bot", "Betaspace bot", "Bea", "Attraktor bot"]
    assert said[2].event_id == question.event_id
    assert said[2].text.startswith("Asked Attraktor for 1 × Laser lens"), world.room.transcript()
    assert "Betaspace agreed to: laser safety briefing needed" in said[2].text
    assert RULE in owners_card(world).text
    await is_rebuilt(world.beta)
    await world.settle()
    world.bea.says("!fed cancel", reply_to=said[2])
    await world.settle()
    assert [newest(space).state for space in world.spaces] == [TransferState.CANCELLED] * 2, world.room.transcript()


async def test_no_card_asks_the_owners_people_before_the_requester_has_accepted_the_text() -> None:
    world = await ruled(LENS)
    before = world.room.messages(sender=world.alpha.chat.user_id)
    world.bea.says("!fed request LENS-2 1 from attraktor for 2 weeks")
    await world.settle()
    assert [newest(space).state for space in world.spaces] == [TransferState.CANCELLED] * 2
    assert world.room.messages(sender=world.alpha.chat.user_id) == before, world.room.transcript()
    world.bea.says("1", reply_to=told(world.room, "1) Agree, and ask for that")[-1])
    await world.settle()
    assert RULE in owners_card(world).text
    assert len(told(world.room, RULE)) == 1, "the question is the answer now"
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert newest(world.beta).is_on_loan, world.room.transcript()
    await is_rebuilt(world.alpha)
    assert ["card" in each.told for each in world.alpha.turn.transfers() if each.is_loan] == [False, True]


async def test_a_request_for_too_long_or_by_an_excluded_space_is_declined_with_the_reason() -> None:
    world = await ruled(NUTS, LendingRule(parts=("LENS-2",), spaces=("gammaspace",)))
    await says(world, "bea", "request 10 M3-NUT from attraktor for 3 weeks")
    assert newest(world.beta).state is DECLINED
    assert told(world.room, "the lending rules allow 14 days, until Tue 8 Dec 2026."), world.room.transcript()
    await says(world, "bea", "request 10 M3-NUT from attraktor from 12.12. until 31.12.")
    assert told(world.room, "the lending rules allow 14 days, until Sat 26 Dec 2026."), world.room.transcript()
    await says(world, "bea", "request LENS-2 1 from attraktor for 3 days")
    assert newest(world.beta).state is DECLINED
    assert told(world.room, "the lending rules of Attraktor don't let Betaspace borrow it."), world.room.transcript()
    assert "don't let Betaspace borrow it" in await says(world, "anna", "lend #42 to betaspace for 3 days")
    assert "don't let Makers borrow it" in await says(world, "anna", 'lend #42 to outside "Makers" for 3 days')
    assert "allow 14 days" in await says(world, "anna", 'lend M3-NUT 1 to outside "Makers" for 3 weeks')
    assert not list(world.alpha.turn.all(OutsideLoan))
    await says(world, "bea", "request 10 M3-NUT from attraktor for 2 weeks")
    assert newest(world.alpha).state is OPEN, "so long is fine"


async def test_a_loan_is_extended_as_often_and_as_long_as_both_agreed_even_after_a_rebuild() -> None:
    world = await ruled(NUTS)
    await says(world, "anna", "lend M3-NUT 10 to betaspace for 2 weeks")
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    code = loan(world.beta).code
    await world.alpha.restart(lending=())  # agreed rules stay agreed
    for who in ("bea", "anna"):
        answer = await says(world, who, f"extend {code} 3 weeks")
        assert "the lending rules allow 14 days, until Tue 22 Dec 2026." in answer, answer
    honest = loan(world.beta)
    world.beta.knows_instead({("Transfer", honest.id): replace(honest, terms=replace(honest.terms, rules=None))})
    await says(world, "bea", f"extend {code} 3 weeks")
    assert newest(world.alpha).state is DECLINED, "the owner's bot looks, whatever the borrower's does"
    world.beta.knows_instead({("Transfer", honest.id): honest})
    await says(world, "bea", f"extend {code} 2 weeks")
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert [loan(space).back_by for space in world.spaces] == [date(2026, 12, 22)] * 2
    assert "!fed extend" not in world.card().text, "nobody is told to type what is refused"
    for who in ("bea", "anna"):
        answer = await says(world, who, f"extend {code} 1 day")
        assert "the lending rules allow 1 extension, and it has had that already." in answer
        assert "Once it is back, it can be lent again" in answer
    await is_rebuilt(world.alpha)
    assert loan(world.alpha).extended == 1
    assert "it has had that already" in await says(world, "anna", f"extend {code} 1 day")
    await world.passes(37 * DAY)
    for admins in (world.alpha_admins, world.beta_admins):
        (late,) = told(admins, "8 days")
        assert "extend" not in late.text
    assert [m for m in told(world.room, "was due back") if "extend" not in m.text]
    assert not [m for m in told(world.room, "was due back") if "extend" in m.text]


async def test_a_borrowers_bot_that_asks_twice_at_once_gets_no_more_extensions_than_agreed() -> None:
    world = await ruled(NUTS)
    await says(world, "anna", "lend M3-NUT 10 to betaspace for 2 weeks")
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    code = loan(world.beta).code
    cards = []
    for days in (5, 12):
        await says(world, "bea", f"extend {code} {days} days")
        asked = newest(world.beta)
        world.beta.knows_instead({("Transfer", asked.id): replace(asked, state=DECLINED)})
        cards.append(owners_card(world))
    for card in cards:
        world.piet.reacts(card, "✅")
        await world.grace()
    assert loan(world.alpha).extended == 1
    assert loan(world.alpha).back_by == date(2026, 12, 13)
    assert newest(world.alpha).state is DECLINED


async def test_a_rule_can_require_two_people_for_an_item_of_low_value() -> None:
    world = await ruled(LendingRule(categories=("Fasteners",), two_people=True), care=Care())
    await says(world, "bea", "request 10 M3-NUT from attraktor for 2 weeks")
    card = owners_card(world)
    assert "⚠ Lending rules: two approvers of Attraktor have to approve." in card.text
    world.piet.reacts(card, "✅")
    await world.grace()
    assert newest(world.alpha).state is OPEN
    assert "Another approver of Attraktor has to approve" in owners_card(world).text
    assert "high value" not in world.room.transcript().lower()
    world.anna.reacts(card, "✅")
    await world.grace()
    assert newest(world.alpha).state is DONE, world.room.transcript()


async def test_a_booking_shows_its_rules_until_it_is_handed_over() -> None:
    world = await ruled(LENS)
    await says(world, "anna", "lend #42 to betaspace from 12.12. until 19.12.")
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert newest(world.alpha).state is BOOKED
    assert LIMITS in world.card().text
    await world.passes(18 * DAY)
    assert "Handed over?" in owners_card(world).text
    assert LIMITS in owners_card(world).text


async def test_the_admins_are_told_once_of_a_rule_in_the_settings_about_what_inventree_does_not_have() -> None:
    rules = (LENS, LendingRule(parts=("LENS-22",), longest=7), LendingRule(categories=("Lasers",), two_people=True))
    world = await ruled(*rules, look_every=DAY, care=Care(locations=("Vault",)))
    await world.passes(3 * DAY)
    await world.alpha.restart(lending=rules)
    await world.settle()
    (word,) = told(world.alpha_admins, "My settings have rules about things that InvenTree doesn't have")
    assert "These names are unknown: part LENS-22, category Lasers, location Vault" in word.text
    assert "fedbot check" in word.text
    assert not told(world.beta_admins, "My settings have rules")


async def test_a_borrowers_bot_accepts_no_rules_but_the_owners() -> None:
    world = await friends(beta={"lending": (LENS,)})
    await says(world, "anna", "lend #42 to betaspace for 3 weeks")
    assert newest(world.beta).terms.rules is None


# --- rules in InvenTree ---------------------------------------------------------------------------------------


async def ruled_in_inventree(*rules: LendingRule) -> World:
    """The same with rules in InvenTree's metadata, which the bot may read."""
    world = await ruled(*rules, lending_from_inventree=True)
    (group,) = [each for each in world.alpha.tables.groups if each.name == SERVICE]
    for rule in list(world.alpha.tables.rule_sets.find("group", group.pk)):
        if rule.name in {"part", "part_category", "stock_location"}:
            world.alpha.tables.rule_sets.put(replace(rule, can_change=True))
    world.alpha.inventory.look_again()
    return world


def says_in_inventree(world: World, model: str, pk: int, value: object) -> None:
    world.alpha.admin("PATCH", f"metadata/{model}/{pk}/", metadata={"fedbot_lending": value})


async def test_rules_in_inventrees_metadata_add_to_those_of_the_config_and_the_strictest_counts() -> None:
    world = await ruled_in_inventree(LendingRule(parts=("M3-NUT",), longest=30))
    nut, lens = world.alpha.part("M3-NUT"), world.alpha.row(42)
    says_in_inventree(world, "part", nut.pk, {"longest_days": 20, "agree": "count them"})
    says_in_inventree(world, "partcategory", world.alpha.tables.parts[lens.part].category, {"extensions": 0})
    says_in_inventree(world, "stocklocation", lens.location, {"longest_days": 10, "two_people": False})
    assert "allow 20 days" in await says(world, "anna", "lend 10 M3-NUT to betaspace for 25 days")
    refused = await says(world, "anna", "lend #42 to betaspace for 11 days")
    assert "allow 10 days" in refused
    assert "That rule comes from: location " in refused
    assert "(InvenTree)" in refused
    assert "allow 10 days" in await says(world, "anna", 'lend #42 to outside "Makers" for 11 days')
    await says(world, "bea", "request 10 M3-NUT from attraktor for 3 weeks")
    assert told(world.room, "the lending rules allow 20 days"), world.room.transcript()
    await says(world, "anna", "lend #42 to betaspace for 10 days")
    assert newest(world.alpha).terms.rules == LoanRules(10, 0)
    shown = await says(world, "anna", f"show {newest(world.alpha).code}")
    (named,) = [line for line in shown.splitlines() if line.startswith("Its lending rules come from: ")]
    assert ("location " in named, "category " in named, named.count("(InvenTree)")) == (True, True, 2), named
    assert "at most 10 days · no extension" in world.card().text
    await says(world, "anna", "push 10 M3-NUT to betaspace")  # a gift isn't a loan, and no rule is read for it
    assert newest(world.alpha).terms.rules is None


@pytest.mark.parametrize(
    "value",
    [
        {"longest_days": "14"},
        {"longest": 14},
        {"longest_days": 0},
        {"spaces": "betaspace"},
        "14 days",
        {"agree": "x" * 201},
    ],
)
async def test_an_unreadable_rule_in_inventree_lets_nobody_borrow_and_admins_are_told_once(
    value: object,
) -> None:
    world = await ruled_in_inventree()
    says_in_inventree(world, "part", world.alpha.part("M3-NUT").pk, value)
    assert "don't let Betaspace borrow it" in await says(world, "anna", "lend 10 M3-NUT to betaspace for 3 days")
    assert "don't let Betaspace borrow it" in await says(world, "anna", "lend 5 M3-NUT to betaspace for 3 days")
    (word,) = told(world.alpha_admins, "I don't understand the lending rule in InvenTree's metadata of part M3-NUT")
    assert "fedbot_lending" in word.text
    await says(world, "anna", "lend #42 to betaspace for 3 days")
    assert newest(world.alpha).state is OPEN, "what it isn't about may go"


@pytest.mark.parametrize("key", ["fedbot-lending", "Fedbot_Lending", "fedbot_lendng", "fedbot_lending_rule"])
async def test_a_rule_in_inventree_under_a_misspelt_key_is_not_passed_over(key: str) -> None:
    world = await ruled_in_inventree()
    nut = world.alpha.part("M3-NUT").pk
    world.alpha.admin("PATCH", f"metadata/part/{nut}/", metadata={key: {"longest_days": 14}, "fedbot_share": "x"})
    assert "don't let Betaspace borrow it" in await says(world, "anna", "lend 10 M3-NUT to betaspace for 3 days")
    (word,) = told(world.alpha_admins, "I don't understand the lending rule in InvenTree's metadata of part M3-NUT")
    assert "The key is fedbot_lending." in word.text


async def test_metadata_that_the_bot_may_not_read_lets_nobody_borrow() -> None:
    world = await ruled(lending_from_inventree=True)
    assert "don't let Betaspace borrow it" in await says(world, "anna", "lend 10 M3-NUT to betaspace for 3 days")
    assert told(world.alpha_admins, "InvenTree does not show me the metadata of category"), world.room.transcript()


async def test_the_reads_for_a_rule_do_not_grow_with_the_stock() -> None:
    counts = []
    for more in (0, 30):
        world = await ruled_in_inventree()
        with world.alpha.by_hand():
            for _ in range(more):
                world.alpha.admin("POST", "stock/", part=world.alpha.part("M3-BOLT").pk, quantity=1, location=1)
        world.alpha.transport.log.clear()
        await says(world, "anna", "lend 10 M3-NUT to betaspace for 3 days")
        counts.append(sum("/metadata/" in call for call in world.alpha.transport.log))
    assert counts[0] == counts[1] <= 8
