"""What is said of lending rules: on cards, and where a loan is refused for them."""

from __future__ import annotations

from datetime import date

from fedbot.messages import naming, reason_codes
from fedbot.messages.formatting import Code, Inline
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.naming import command
from fedbot.messages.transfer_facts import Card
from fedbot.rules.model.lending import LoanRules
from fedbot.rules.model.names import clean_text
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.steps import LENDING_KEY
from fedbot.rules.model.transfer import Transfer

LONGEST_WHERE = 80


def rules_lines(locale: Locale, card: Card) -> Lines:
    """What the owner's lending rules ask of this loan: each text to agree to, and the rest in one line."""
    rules = card.transfer.terms.rules
    if rules is None:
        return []
    names: dict[str, Words] = {"sender": card.sender, "receiver": card.receiver}
    agreed: Lines = [agrees_line(locale, text, **names) for text in rules.agree]
    short = limits(locale, rules)
    if not short:
        return agreed
    rest: list[Inline] = [*locale.say("{sender}'s lending rules: ", **names)]
    for number, words in enumerate(short):
        rest += [" · ", *words] if number else words
    return [*agreed, tuple(rest)]


def agrees_line(locale: Locale, text: str, **names: Words) -> tuple[Inline, ...]:
    """'⚠ Attraktor lends it only if Betaspace agrees: safety briefing needed'. Never cut: a yes is for all of it."""
    said = " ".join(clean_text(text).split())
    return locale.say("⚠ {sender} lends it only if {receiver} agrees: {text}", **names, text=said)


def limits(locale: Locale, rules: LoanRules) -> list[tuple[Inline, ...]]:
    """Everything but the texts, each in a few words."""
    found: list[tuple[Inline, ...]] = []
    if rules.longest:
        found.append(locale.some("at most {number} day", "at most {number} days", rules.longest))
    if rules.extensions == 0:
        found.append(locale.say("no extension"))
    elif rules.extensions is not None:
        found.append(locale.some("{number} extension", "{number} extensions", rules.extensions))
    if rules.two_people:
        found.append(locale.say("two approvers have to agree"))
    if rules.photo_out:
        found.append(locale.say("📷 photo at the hand-over"))
    if rules.photo_back:
        found.append(locale.say("📷 photo at the return"))
    return found


def lent_too_long(locale: Locale, *, most: int, latest: date, line: str) -> Lines:
    """The answer to an offer of a loan that lasts longer than our lending rules allow."""
    return [
        locale.some(
            "Not offered: our lending rules allow {number} day, until {day}.",
            "Not offered: our lending rules allow {number} days, until {day}.",
            most,
            day=locale.day(latest),
        ),
        locale.say("Nothing was sent. For that day, type: {line}", line=Code(line)),
    ]


def not_lent_to(locale: Locale, *, us: PartyConfig, peer_name: str) -> Lines:
    """The answer to an offer of a loan to a space that our lending rules don't name."""
    peer = naming.space(locale, peer_name)
    return [
        locale.say("Not offered: our lending rules don't let {peer} borrow it.", peer=peer),
        locale.say(
            "Nothing was sent. Whoever runs {space}'s bot can change that under {setting}.",
            space=naming.space(locale, us.name),
            setting=Code("lending" if not us.lending_from_inventree else f"lending, {LENDING_KEY}"),
        ),
    ]


def rule_not_understood(locale: Locale, *, where: str, is_hidden: bool) -> Lines:
    """For the admins: a lending rule in InvenTree says what can't be understood, or can't be read."""
    key, place = Code(LENDING_KEY), locale.short(where, LONGEST_WHERE)
    if is_hidden:
        return [
            locale.say("⚠ InvenTree does not show me the metadata of {where}.", where=place),
            locale.say("Until then nobody may borrow what belongs there, as a lending rule may stand in it."),
            locale.say("See what is missing: {check}", check=Code("fedbot check")),
        ]
    return [
        locale.say("⚠ I don't understand the lending rule in InvenTree's metadata of {where}.", where=place),
        locale.say("Until it is corrected, nobody may borrow what belongs there. The key is {key}.", key=key),
        locale.say("For example: {example}", example=Code('{"longest_days": 14, "agree": "briefing needed"}')),
    ]


def extended_too_long(locale: Locale, *, loan: Transfer, refused: str) -> Lines:
    """The answer to an extension that the loan's rules don't allow. `refused`: the code that says why."""
    why = reason_codes.against_rules(locale, refused)
    if latest := reason_codes.latest_day(refused):
        example = command(f"extend {loan.code} until {latest.isoformat()}")
        return [
            locale.say("Not extended {code}: {why}", code=loan.code, why=why),
            locale.say("Nothing was sent. For that day, reply: {line}", line=example),
        ]
    return [
        locale.say("Not extended {code}: {why}", code=loan.code, why=why),
        locale.say(
            "Nothing was sent. Once it is back, it can be lent again: {back}", back=command(f"return {loan.code}")
        ),
    ]
