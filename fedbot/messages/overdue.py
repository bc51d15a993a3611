"""Overdue loans: on cards, for the admins, as a list, and the stop on new loans."""

from __future__ import annotations

from datetime import date

from fedbot.messages import naming
from fedbot.messages.language import Lines, Locale
from fedbot.messages.loan import time_to_ask_for
from fedbot.messages.markup import Bold, Inline, Items
from fedbot.messages.naming import command
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.lending import LendingStop
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Transfer

MOST_NAMED = 1
MOST_IN_A_LIST = 10
Loans = tuple[Transfer, ...]


def overdue_line(locale: Locale, loans: Loans, space: str) -> Lines:
    """'⚠ Overdue at Betaspace: 1 × lens (k7m2, due 3 Dec)', for people who decide about another item."""
    if not loans:
        return []
    named = ", ".join(_loan(locale, loan) for loan in loans[:MOST_NAMED])
    if len(loans) > MOST_NAMED:
        more = locale.word("{number} more").format(number=locale.count(len(loans) - MOST_NAMED))
        named = locale.word("{first} and {last}").format(first=named, last=more)
    return [locale.say("⚠ Overdue at {space}: {loans}", space=space, loans=named)]


def _loan(locale: Locale, loan: Transfer) -> str:
    """'1 × lens (k7m2, due 3 Dec)'."""
    day = locale.day(loan.due_day, year=False) if loan.due_day else ""
    things = naming.things(locale, loan.lines_told)
    return locale.word("{things} ({code}, due {day})").format(things=things, code=loan.code, day=day)


def overdue_for_admins(locale: Locale, *, loan: Transfer, us: PartyConfig, peer_name: str, today: date) -> Lines:
    """For the admins of both spaces, from their own bots: the reminders have not helped."""
    what = Bold(naming.things(locale, loan.lines_told))
    days = _days(locale, loan, today)
    peer, day = naming.space(locale, peer_name), naming.last_day(locale, loan)
    if loan.role == "sender":
        return [
            locale.say(
                "⚠ Overdue for {days} at {peer}: {what} ({code})", days=days, peer=peer, what=what, code=loan.code
            ),
            locale.say("It was due {day}. The bot of {peer} has reminded its people.", day=day, peer=peer),
            *_what_the_lender_can_type(locale, loan),
        ]
    own = naming.space(locale, us.name)
    return [
        locale.say(
            "⚠ {own} is {days} late with {what} of {peer} ({code})",
            own=own,
            peer=peer,
            days=days,
            what=what,
            code=loan.code,
        ),
        locale.say("It was due {day}. {peer} may stop lending to us.", day=day, peer=peer),
        _what_the_borrower_can_type(locale, loan),
    ]


def _what_the_lender_can_type(locale: Locale, loan: Transfer) -> Lines:
    lost, time = command(f"lost {loan.code}"), time_to_ask_for(loan)
    if not time:
        return [locale.say("Call them. If it is lost: {lost}", lost=lost)]
    longer = command(f"extend {loan.code} {time}")
    return [locale.say("Call them. To extend: {longer} · it is lost: {lost}", longer=longer, lost=lost)]


def _what_the_borrower_can_type(locale: Locale, loan: Transfer) -> tuple[Inline, ...]:
    back, time = command(f"return {loan.code}"), time_to_ask_for(loan)
    if not time:
        return locale.say("Bring it back: {back}", back=back)
    longer = command(f"extend {loan.code} {time}")
    return locale.say("Bring it back: {back} · ask for an extension: {longer}", back=back, longer=longer)


def _days(locale: Locale, loan: Transfer, today: date) -> tuple[Inline, ...]:
    number = (today - loan.due_day).days if loan.due_day else 0
    return locale.some("{number} day", "{number} days", number)


def lend_no_more(locale: Locale, *, loan: Transfer, us: PartyConfig, peer_name: str, today: date) -> Lines:
    """Asks the lender's admins, long after the due date, whether that friend should get no new loans."""
    del us
    peer = naming.space(locale, peer_name)
    what = Bold(naming.things(locale, loan.lines_told))
    return [
        locale.say(
            "⚠ Stop lending to {peer}? {what} has been overdue for {days} ({code})",
            peer=peer,
            what=what,
            days=_days(locale, loan, today),
            code=loan.code,
        ),
        locale.say("A superuser can stop it: {stop}", stop=command(f"overdue {loan.peer} --stop")),
        locale.say("The stop ends by itself once all of it is back. If nobody stops it, nothing changes."),
    ]


def no_new_loans(locale: Locale, *, us: PartyConfig, peer_name: str, by: Signature, loans: Loans) -> Lines:
    """Tells both spaces in their room who gets no new loans, why, and how that ends."""
    names = {"us": Bold(naming.space(locale, us.name)), "peer": Bold(naming.space(locale, peer_name))}
    lines: Lines = [
        locale.say("{us} makes no new loans to {peer} for now, says {who}.", who=naming.signed(locale, by), **names)
    ]
    if loans:
        lines += [locale.say("Overdue:"), _items(locale, loans)]
    return [*lines, locale.say("The stop ends by itself once all of that is back. Gifts and returns continue.")]


def _items(locale: Locale, loans: Loans) -> Items:
    items: list[Inline] = [_loan(locale, loan) for loan in loans[:MOST_IN_A_LIST]]
    if len(loans) > MOST_IN_A_LIST:
        items.append(locale.word("{number} more").format(number=locale.count(len(loans) - MOST_IN_A_LIST)))
    return Items(tuple(items))


def loans_again(locale: Locale, *, us: PartyConfig, peer_name: str, by: Signature | None) -> Lines:
    """Tells both spaces in their room that the friend can borrow again."""
    names = {"us": Bold(naming.space(locale, us.name)), "peer": Bold(naming.space(locale, peer_name))}
    if by is None:
        return [locale.say("{us} lends to {peer} again: nothing is overdue any more.", **names)]
    return [locale.say("{us} lends to {peer} again, says {who}.", who=naming.signed(locale, by), **names)]


def gets_no_loans(locale: Locale, *, stopped: LendingStop, peer_name: str, loans: Loans) -> Lines:
    """The refusal of a line that would lend something to that friend."""
    peer = naming.space(locale, peer_name)
    lines: Lines = [
        locale.say(
            "Not offered: {peer} gets no new loans, says {who}.", peer=peer, who=naming.signed(locale, stopped.by)
        ),
        *overdue_line(locale, loans, peer),
    ]
    return [
        *lines,
        locale.say("A superuser can lift that: {resume}", resume=command(f"overdue {stopped.id} --resume")),
    ]


def overdue_list(
    locale: Locale,
    *,
    us: PartyConfig,
    lent: Loans,
    borrowed: Loans,
    stopped: tuple[tuple[str, Signature], ...],
    names: dict[str, str],
) -> Lines:
    """Everything that is overdue, both ways, and the friends that get no new loans; `names` by the spaces' ids."""
    own = naming.space(locale, us.name)
    lines: Lines = []
    for peer in dict.fromkeys(loan.peer for loan in lent):
        lines.append(
            locale.say(
                "{peer} has these items of {own} overdue:", peer=Bold(naming.space(locale, names[peer])), own=own
            )
        )
        lines.append(_items(locale, tuple(loan for loan in lent if loan.peer == peer)))
    for peer in dict.fromkeys(loan.peer for loan in borrowed):
        lines.append(
            locale.say(
                "{own} has these items of {peer} overdue:", peer=Bold(naming.space(locale, names[peer])), own=own
            )
        )
        lines.append(_items(locale, tuple(loan for loan in borrowed if loan.peer == peer)))
    for peer, by in stopped:
        space, who = Bold(naming.space(locale, names[peer])), naming.signed(locale, by)
        lines.append(locale.say("{peer} gets no new loans, says {who}.", peer=space, who=who))
    return lines or [locale.say("Nothing is overdue.")]


def nothing_to_stop(locale: Locale, *, peer_name: str) -> Lines:
    """The refusal to stop lending to a space that has nothing overdue."""
    peer = naming.space(locale, peer_name)
    return [
        locale.say("Not done: {peer} has nothing overdue.", peer=peer),
        locale.say("You can stop new loans only while something is overdue."),
    ]


def not_stopped(locale: Locale, *, peer_name: str) -> Lines:
    """The answer to `overdue --resume` if nothing was stopped."""
    return [locale.say("Nothing to do: {peer} can already borrow.", peer=naming.space(locale, peer_name))]
