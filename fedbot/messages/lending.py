"""Lending rules: on cards, and in refusals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from fedbot.messages import naming, reason_codes
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.markup import Code, Inline
from fedbot.messages.naming import command
from fedbot.messages.transfer.card_lines import Card
from fedbot.rules.model.lending import LoanRules, RuleOrigin
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.steps import LENDING_KEY
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.names import clean_text

LONGEST_WHERE = 80


def rules_lines(locale: Locale, card: Card) -> Lines:
    """The lender's rules for this loan: each text to agree to, and the others in one line."""
    rules = card.transfer.terms.rules
    if rules is None:
        return []
    names: dict[str, Words] = {"sender": card.sender, "receiver": card.receiver}
    of_text = agreed_line if card.transfer.is_on_loan else agrees_line
    agreed: Lines = [of_text(locale, text, **names) for text in rules.agree]
    short = limits(locale, rules)
    if not short:
        return agreed
    rest: list[Inline] = [*locale.say("Lending rules of {sender}: ", **names)]
    for number, words in enumerate(short):
        rest += [" · ", *words] if number else words
    return [*agreed, tuple(rest)]


def agrees_line(locale: Locale, text: str, **names: Words) -> tuple[Inline, ...]:
    """'⚠ Attraktor lends it only if Betaspace agrees: safety briefing needed'.

    Never cut, because an approval covers all of it.
    """
    said = " ".join(clean_text(text).split())
    return locale.say("⚠ {sender} lends it only if {receiver} agrees: {text}", **names, text=said)


def agreed_line(locale: Locale, text: str, **names: Words) -> tuple[Inline, ...]:
    """'Betaspace agreed to: safety briefing needed', in full, as it was asked."""
    said = " ".join(clean_text(text).split())
    return locale.say("{receiver} agreed to: {text}", **names, text=said)


def limits(locale: Locale, rules: LoanRules) -> list[tuple[Inline, ...]]:
    """All rules except the texts, each in a few words."""
    found: list[tuple[Inline, ...]] = []
    if rules.longest:
        found.append(locale.some("at most {number} day", "at most {number} days", rules.longest))
    if rules.extensions == 0:
        found.append(locale.say("no extension"))
    elif rules.extensions is not None:
        found.append(locale.some("{number} extension", "{number} extensions", rules.extensions))
    if rules.two_people:
        found.append(locale.say("two approvers have to approve"))
    if rules.photo_out:
        found.append(locale.say("📷 photo at the hand-over"))
    if rules.photo_back:
        found.append(locale.say("📷 photo at the return"))
    return found


def ruled_by(locale: Locale, origins: Sequence[RuleOrigin]) -> list[str]:
    """'part LENS-2 (InvenTree)', 'everything (settings)': where each of these rules comes from."""
    names = [_ruled_stock(locale, each.where) for each in origins]
    places = ["InvenTree" if each.in_inventree else locale.word(marked("settings")) for each in origins]
    return [f"{name} ({place})" for name, place in zip(names, places, strict=True)]


_RULED = {"part": marked("part {name}"), "category": marked("category {name}"), "location": marked("location {name}")}


def _ruled_stock(locale: Locale, where: str) -> str:
    """'part LENS-2' in the reader's language; 'everything' for a rule that names nothing."""
    kind, _, name = where.partition(" ")
    if not where or kind not in _RULED:
        return locale.short(where, LONGEST_WHERE) or locale.word(marked("everything"))
    return locale.word(_RULED[kind]).replace("{name}", locale.short(name, LONGEST_WHERE))


def rules_stand_in(locale: Locale, transfer: Transfer) -> Lines:
    """For the lender: which of its lending rules apply to this loan."""
    if transfer.role != "sender" or not transfer.ruled_by:
        return []
    return [locale.say("Its lending rules come from: {rules}", rules=" · ".join(ruled_by(locale, transfer.ruled_by)))]


def lent_too_long(locale: Locale, *, most: int, latest: date, line: str, by: tuple[RuleOrigin, ...] = ()) -> Lines:
    """The refusal of an offer whose loan is longer than our lending rules allow."""
    return [
        locale.some(
            "Not offered: our lending rules allow {number} day, until {day}.",
            "Not offered: our lending rules allow {number} days, until {day}.",
            most,
            day=locale.day(latest),
        ),
        *([locale.say("That rule comes from: {rules}", rules=" · ".join(ruled_by(locale, by)))] if by else []),
        locale.say("Nothing was sent. For that day, type: {line}", line=Code(line)),
    ]


def not_lent_to(locale: Locale, *, us: PartyConfig, peer_name: str) -> Lines:
    """The refusal of an offer of a loan to a space that our lending rules exclude."""
    peer = naming.space(locale, peer_name)
    return [
        locale.say("Not offered: our lending rules don't let {peer} borrow it.", peer=peer),
        locale.say(
            "Nothing was sent. An admin of {space} can change that under {setting}.",
            space=naming.space(locale, us.name),
            setting=Code("lending" if not us.lending_from_inventree else f"lending, {LENDING_KEY}"),
        ),
    ]


def rule_not_understood(locale: Locale, *, where: str, is_hidden: bool) -> Lines:
    """For the admins: a lending rule in InvenTree makes no sense, or can't be read."""
    key, place = Code(LENDING_KEY), locale.short(where, LONGEST_WHERE)
    if is_hidden:
        return [
            locale.say("⚠ InvenTree does not show me the metadata of {where}.", where=place),
            locale.say(
                "Until it does, nobody can borrow the stock there, because the metadata may hold a lending rule."
            ),
            locale.say("See what is missing: {check}", check=Code("fedbot check")),
        ]
    return [
        locale.say("⚠ I don't understand the lending rule in InvenTree's metadata of {where}.", where=place),
        locale.say("Until somebody corrects it, nobody can borrow the stock there. The key is {key}.", key=key),
        locale.say("For example: {example}", example=Code('{"longest_days": 14, "agree": "briefing needed"}')),
    ]


def extended_too_long(locale: Locale, *, loan: Transfer, refused: str) -> Lines:
    """The refusal of an extension that the loan's rules don't allow. `refused`: the reason's code."""
    why = reason_codes.against_rules(locale, refused)
    if latest := reason_codes.latest_day(refused):
        example = command(f"extend {loan.code} until {latest.isoformat()}")
        return [
            locale.say("Not extended: {code}. Why: {why}", code=loan.code, why=why),
            locale.say("Nothing was sent. For that day, reply: {line}", line=example),
        ]
    return [
        locale.say("Not extended: {code}. Why: {why}", code=loan.code, why=why),
        locale.say(
            "Nothing was sent. Once it is back, it can be lent again: {back}", back=command(f"return {loan.code}")
        ),
    ]
