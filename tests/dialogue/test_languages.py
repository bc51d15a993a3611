"""Each bot speaks its own space's language: the card is in the language of the space that decides."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from textwrap import dedent, indent

import pytest

from fedbot.commands.german import LANGUAGE, examples
from fedbot.commands.registry import Registry, handlers
from fedbot.rules.model.catalogue import Want
from fedbot.rules.model.from_anyone import Rota
from fedbot.rules.model.lending import LendingStop
from fedbot.rules.model.lifecycles import TransferState
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, friends, sharing

#: Words of English sentences that no German sentence has; names of parts are left out of them.
ENGLISH = frozenset({"the", "is", "are", "has", "have", "until", "from", "with", "nothing", "it", "asked", "to", "of"})
WORDS = Path(__file__).parents[2] / "docs/words.md"
NOTE = "für euren Workshop, nur mit Isopropanol reinigen"
CARD = """\
    Attraktor bietet Betaspace 1 × Laser lens 2.0″ ZnSe (LENS-2, SN 0042) an, leihweise bis Di 15. Dez 2026. Annehmen?
    Entscheidung: Bea, Cem oder Dilek (Freigaberecht bei Betaspace), bis Di 1. Dez, 20:14.
    Angeboten von Piet (Attraktor): „für euren Workshop, nur mit Isopropanol reinigen“
    Von Laser room/Cabinet L1 nach Incoming
    Leihe: Es gehört weiter Attraktor; zurück bis einschließlich Di 15. Dez 2026.

    ✅ einbuchen · ❌ nein · 📦 ja, noch nicht da
    Bewegt wurde noch nichts. · !fed show 3zsh
    """


async def german_betaspace() -> World:
    """Attraktor uses English, betaspace German."""
    return await friends(beta={"language": "de"})


async def lend(world: World, until: str = "until 15.12.") -> str:
    """Piet offers a lens; return his line."""
    line = world.piet.says(f'!fed lend #42 to betaspace {until} --note "{NOTE}"')
    await world.settle()
    return line


async def test_an_english_space_lends_to_a_german_one_and_each_reads_its_own_language() -> None:
    world = await german_betaspace()
    line = await lend(world)
    assert world.answer_to(line).startswith("Offered to Betaspace, on loan until Tue 15 Dec 2026: 1 × Laser lens")
    assert world.card().text == dedent(CARD).strip()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.card().text.startswith("✅ Fertig: 1 × Laser lens 2.0″ ZnSe (LENS-2, SN 0042) ist von Attraktor an")
    assert "is at Betaspace, due Tue 15 Dec 2026." in world.room.messages(sender=world.alpha.chat.user_id)[-1].text
    assert_books_balance(world)


def test_the_german_card_in_the_docs_is_the_real_one() -> None:
    assert indent(dedent(CARD).strip(), "    ") in WORDS.read_text("utf-8")


async def test_a_german_space_reads_german_refusals_and_questions() -> None:
    world = await german_betaspace()
    assert (await world.answer(world.cem, "!fed push NOZZLE-99 2 to attraktor")).startswith(
        "Nicht angeboten: es gibt keinen Artikel „NOZZLE-99“."
    )
    assert "Der letzte Tag zählt mit" in await world.answer(world.cem, "!fed hilfe lend")


async def test_the_german_help_shows_the_german_words_and_they_are_understood() -> None:
    world = await german_betaspace()
    text = await world.answer(world.cem, "!fed hilfe")
    lends = "!fed verleih LENS-2 an attraktor für 3 Wochen"
    assert f"{lends} (lend) – " in text
    also = text.partition("Die Wörter in Klammern gehen auch: ")[2].partition("\n")[0]
    assert also == "!fed lend LENS-2 to attraktor for 3 weeks"
    line = world.cem.says(lends.replace("LENS-2", '"Nozzle 0.4 mm brass"'))
    await world.settle()
    assert "leihweise bis" in world.answer_to(line)
    assert "verleih" not in await world.answer(world.anna, "!fed help")


async def test_a_german_space_is_told_in_german_why_its_inventree_is_silent() -> None:
    world = await german_betaspace()
    world.beta.goes_down()
    assert "Grund: InvenTree ist nicht erreichbar: keine Verbindung." in await world.answer(
        world.cem, "!fed push 4 to attraktor"
    )


async def test_the_german_bots_example_days_are_understood() -> None:
    world = await german_betaspace()
    refused = world.cem.says("!fed lend 4 to attraktor for 3 wechen")
    await world.settle()
    examples = next(text for text in world.answer_to(refused).split("\n") if text.startswith("Zum Beispiel: "))
    for number, day in enumerate(examples.removeprefix("Zum Beispiel: ").split(" · ")):
        line = await lend(world, f"until {day}")
        assert "on loan until" in world.answer_to(line), day
        world.piet.says(f"!fed cancel {world.alpha.transfer().code}")
        await world.grace()
        assert world.alpha.transfer().state is TransferState.CANCELLED
        await world.passes(timedelta(minutes=number + 1))


async def says(world: World, person: str, line: str, **where: object) -> str:
    event = getattr(world, person).says(f"!fed {line}", **where)
    await world.settle()
    answers = world.room.answers(event)
    return answers[0].text if answers else ""


async def taps_the_last_card(world: World, person: str) -> None:
    cards = [m for m in world.room.messages() if m.reactions]
    getattr(world, person).reacts(cards[-1], "✅")
    await world.grace()


async def test_lending_ahead_in_turn_and_to_neighbours_is_said_and_understood_in_german() -> None:
    world = await sharing(alpha={"language": "de"}, beta={"language": "de"})
    before = len(world.room.messages())
    assert "5 × UNOBTAINIUM" in await says(world, "bea", "brauche 5 UNOBTAINIUM bis 31.12.")
    assert world.beta.turn.all(Want)[0].until.isoformat() == "2026-12-31"
    assert "UNOBTAINIUM" in await says(world, "bea", "wunsch")

    await says(world, "anna", "verleih #42 an betaspace für 1 Woche")
    await taps_the_last_card(world, "cem")
    assert "Platz 1" in await says(world, "kim", "warte auf LENS-2#0042")
    assert "Platz 1" in await says(world, "piet", "warteliste")
    assert "haben es schon" in await says(world, "bea", "warte auf LENS-2#0042 von attraktor")
    await says(world, "bea", "leihe 10 M3-NUT von attraktor ab 12.12. bis 19.12.")
    await taps_the_last_card(world, "piet")
    calendar = await says(world, "tom", "kalender dezember")
    assert "Di 1. Dez: Betaspace bringt 1 × Laser lens" in calendar, calendar
    assert "Sa 12. Dez: Betaspace holt 10 × M3 nut bei Attraktor ab, zurück bis Sa 19. Dez 2026" in calendar
    assert "nichts" in (await says(world, "kim", "überfällig")).lower()

    await says(world, "kim", "erbitte 3 N-M3 von irgendwem spätestens freitag")
    (rota,) = world.alpha.turn.all(Rota)
    assert rota.until is not None
    await says(world, "kim", f"cancel {rota.code}")

    await says(world, "piet", 'verleih RES-10K 5 an außerhalb "Betaspace e.V." für 2 Wochen')
    assert "Betaspace e.V." in await says(world, "kim", "nachbarn")
    await says(world, "anna", 'außerhalb "Betaspace e.V." ist betaspace')
    with world.beta.by_hand():
        part, place = world.beta.part("RES-10K").pk, world.beta.location("Incoming")
        made = world.beta.admin("POST", "stock/", part=part, quantity=5, location=place)
    item = (made[0] if isinstance(made, list) else made)["pk"]
    card = [m for m in world.room.messages(sender=world.beta.chat.user_id) if m.reactions][-1]
    assert f"#{item}" in await says(world, "cem", f"hier #{item}", reply_to=card)
    await world.passes(timedelta(days=9))
    assert "1 × Laser lens" in await says(world, "piet", "überfällig")
    await says(world, "anna", "überfällig betaspace --stopp")
    assert "betaspace" in world.alpha.turn.all(LendingStop)[0].id
    await says(world, "anna", "überfällig betaspace --aufheben")
    assert world.alpha.turn.all(LendingStop) == []

    bots = {space.chat.user_id for space in world.spaces}
    for view in (world.room, world.alpha_admins, world.beta_admins):
        for message in view.messages()[before if view is world.room else 0 :]:
            if message.sender in bots:
                text = re.sub(r"!fed [^\n·]*|Try it.*", "", message.text)
                assert not ENGLISH & {word.lower() for word in re.findall(r"[A-Za-zÄÖÜäöüß]+", text)}, message.text


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("leih Linse von attraktor für 2 Wochen", "!fed leih 20 Linse von attraktor für 2 Wochen"),
        ("leih 1 LENS-2 von attraktor", "!fed leih 1 LENS-2 von attraktor für DAUER"),
        ("leih 5 M3-BOLT an attraktor bis 15.12.", "!fed verleih 5 M3-BOLT an attraktor bis 15.12."),
        ("erbitte 5 M3-NUT von atraktor", "!fed erbitte 5 M3-NUT von attraktor"),
        ("erbite 5 M3-NUT von attraktor", "!fed erbitte 5 M3-NUT von attraktor"),
        ("erbitte 5 M3-NUT", "erbitte ARTIKEL MENGE von SPACE"),
        ("borrow 1 LENS-2 from attraktor", "!fed borrow 1 LENS-2 from attraktor for TIME"),
    ],
)
async def test_a_suggested_line_is_in_the_language_of_the_typed_one(line: str, told: str) -> None:
    world = await german_betaspace()
    said = world.cem.says(f"!fed {line}")
    await world.settle()
    assert told in world.answer_to(said)


async def test_the_german_help_shows_the_german_words_first() -> None:
    world = await german_betaspace()
    text = await world.answer(world.cem, "!fed hilfe")
    assert "!fed leih 1 LENS-2 von attraktor für 2 Wochen (borrow) – " in text, text
    assert "!fed offen (todo) – " in text
    assert "!fed verbinde SPACE (connect) – " in await world.answer(world.cem, "!fed hilfe admin")
    assert "!fed warte [ARTIKEL [MENGE]] [von SPACE] (wait) – " in await world.answer(world.cem, "!fed hilfe mehr")
    assert "gib ARTIKEL" in await world.answer(world.cem, "!fed hilfe push")
    assert "!fed gib 10 M3-BOLT an attraktor" in "\n".join(m.text for m in world.room.messages())


async def test_a_german_example_means_the_same_as_the_english_one() -> None:
    world = await german_betaspace()
    turn, verbs = world.beta.turn, Registry()
    everyday = [handler.spec for handler in handlers() if handler.spec.everyday]
    assert len(everyday) == 8
    for spec in everyday:
        said, english, *_ = examples(spec, LANGUAGE)
        meant = repr(verbs.parse(turn, said)).replace("Wochen", "weeks")
        assert meant == repr(verbs.parse(turn, english)), said


async def test_a_number_of_a_german_list_is_understood() -> None:
    world = await german_betaspace()
    said = world.cem.says("!fed gib 5 bolt an attraktor")
    await world.settle()
    assert "Meinst du diesen?" in world.answer_to(said)
    for number in ("1", "1"):
        world.cem.says(number)
        await world.settle()
    assert world.alpha.transfer().terms.lines[0].quantity == 5
