"""A verb without an id that isn't a reply: its possible meanings are listed with ids, and nothing is guessed."""

from __future__ import annotations

from tests.dialogue.test_lending import lent, loan
from tests.scenarios.world import friends

LOAN_VERBS = ("return", "return 5", "extend 2 weeks", "extend until friday", "gift")


async def test_a_bare_verb_about_loans_lists_the_loans_that_it_may_mean() -> None:
    world = await lent()
    code = loan(world.alpha).code
    for said in LOAN_VERBS:
        line = world.anna.says(f"!fed {said}")
        await world.settle()
        first, listed = world.answer_to(line).splitlines()
        verb, _, rest = said.partition(" ")
        whole = f"!fed {verb} {code} {rest}".strip()
        assert first == f"Which one? Reply to its card, or name its id: {whole}. I did nothing."
        assert listed.startswith(f"• {code} – 10 × M3 nut")
    assert loan(world.alpha).is_on_loan


async def test_a_verb_that_fits_nothing_says_so() -> None:
    world = await friends()
    for said in ("approve", "received", "resolve"):
        line = world.anna.says(f"!fed {said}")
        await world.settle()
        verb = said.split()[0]
        nothing = f"Which one? Nothing here fits !fed {verb}. I did nothing."
        assert world.answer_to(line).startswith(nothing)


async def test_a_verb_about_loans_says_that_nothing_is_on_loan() -> None:
    world = await friends()
    for said in LOAN_VERBS:
        line = world.anna.says(f"!fed {said}")
        await world.settle()
        first, second = world.answer_to(line).splitlines()
        assert first == "Nothing is borrowed or lent in this room now. I did nothing."
        assert second == "To see what is on loan, or waits for you: !fed todo"
