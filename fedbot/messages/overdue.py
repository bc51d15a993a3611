"""What is overdue: on a card, to the admins, and that a friend gets no new loans."""

from __future__ import annotations

from datetime import date

from fedbot.messages import naming
from fedbot.messages.formatting import Bold, Inline, Items
from fedbot.messages.language import Lines, Locale
from fedbot.messages.naming import command
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.lending import LendingStop
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Transfer

MOST_NAMED = 1
MOST_IN_A_LIST = 10
Loans = tuple[Transfer, ...]


def overdue_line(locale: Locale, loans: Loans, space: str) -> Lines:
    """'⚠ Betaspace has overdue: 1 × lens (k7m2, since 3 Dec)', for whoever decides to give it something."""
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
    things = naming.things(locale, loan.terms.lines)
    return locale.word("{things} ({code}, due {day})").format(things=things, code=loan.code, day=day)


def overdue_for_admins(locale: Locale, *, loan: Transfer, us: PartyConfig, peer_name: str, today: date) -> Lines:
    """To the admins of both spaces, each by its own bot: the reminders have not helped."""
    what = Bold(naming.things(locale, loan.terms.lines))
    days = _days(locale, loan, today)
    peer, day = naming.space(locale, peer_name), naming.last_day(locale, loan)
    if loan.role == "sender":
        return [
            locale.say(
                "⚠ Overdue for {days} at {peer}: {what} ({code})", days=days, peer=peer, what=what, code=loan.code
            ),
            locale.say("It was due {day}. {peer}'s bot has reminded its people.", day=day, peer=peer),
            locale.say(
                "Call them. More time: {longer} · it is gone: {lost}",
                longer=command(f"extend {loan.code} 2 weeks"),
                lost=command(f"lost {loan.code}"),
            ),
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
        locale.say("It was due {day}. After some time {peer} may lend us nothing more.", day=day, peer=peer),
        locale.say(
            "Bring it back: {back} · ask for more time: {longer}",
            back=command(f"return {loan.code}"),
            longer=command(f"extend {loan.code} 2 weeks"),
        ),
    ]


def _days(locale: Locale, loan: Transfer, today: date) -> tuple[Inline, ...]:
    number = (today - loan.due_day).days if loan.due_day else 0
    return locale.some("{number} day", "{number} days", number)


def lend_no_more(locale: Locale, *, loan: Transfer, us: PartyConfig, peer_name: str, today: date) -> Lines:
    """To the owner's admins, long after the due date: shall that friend get no new loans? People decide."""
    del us
    peer = naming.space(locale, peer_name)
    what = Bold(naming.things(locale, loan.terms.lines))
    return [
        locale.say(
            "⚠ Lend {peer} nothing more? {what} has been overdue for {days} ({code})",
            peer=peer,
            what=what,
            days=_days(locale, loan, today),
            code=loan.code,
        ),
        locale.say("A superuser can say so: {stop}", stop=command(f"overdue {loan.peer} --stop")),
        locale.say("It ends by itself when all of it is back. If nobody says so, nothing changes."),
    ]


def no_new_loans(locale: Locale, *, us: PartyConfig, peer_name: str, by: Signature, loans: Loans) -> Lines:
    """In the room that both share: who gets no new loans, why, and how that ends."""
    names = {"us": Bold(naming.space(locale, us.name)), "peer": Bold(naming.space(locale, peer_name))}
    lines: Lines = [
        locale.say("{us} lends {peer} nothing new for now, says {who}.", who=naming.signed(locale, by), **names)
    ]
    if loans:
        lines += [locale.say("Overdue:"), _items(locale, loans)]
    return [*lines, locale.say("It ends by itself when all of that is back. Gifts and returns go on.")]


def _items(locale: Locale, loans: Loans) -> Items:
    items: list[Inline] = [_loan(locale, loan) for loan in loans[:MOST_IN_A_LIST]]
    if len(loans) > MOST_IN_A_LIST:
        items.append(locale.word("{number} more").format(number=locale.count(len(loans) - MOST_IN_A_LIST)))
    return Items(tuple(items))


def loans_again(locale: Locale, *, us: PartyConfig, peer_name: str, by: Signature | None) -> Lines:
    """In the same room: that is over."""
    names = {"us": Bold(naming.space(locale, us.name)), "peer": Bold(naming.space(locale, peer_name))}
    if by is None:
        return [locale.say("{us} lends {peer} things again: nothing is overdue any more.", **names)]
    return [locale.say("{us} lends {peer} things again, says {who}.", who=naming.signed(locale, by), **names)]


def gets_no_loans(locale: Locale, *, stopped: LendingStop, peer_name: str, loans: Loans) -> Lines:
    """The answer to a line that would lend that friend something."""
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
    """All that is overdue, both ways, and who gets no new loans; `names` are the spaces' by their ids."""
    own = naming.space(locale, us.name)
    lines: Lines = []
    for peer in dict.fromkeys(loan.peer for loan in lent):
        lines.append(
            locale.say(
                "{peer} has these things of {own} overdue:", peer=Bold(naming.space(locale, names[peer])), own=own
            )
        )
        lines.append(_items(locale, tuple(loan for loan in lent if loan.peer == peer)))
    for peer in dict.fromkeys(loan.peer for loan in borrowed):
        lines.append(locale.say("{own} owes {peer}:", peer=Bold(naming.space(locale, names[peer])), own=own))
        lines.append(_items(locale, tuple(loan for loan in borrowed if loan.peer == peer)))
    for peer, by in stopped:
        space, who = Bold(naming.space(locale, names[peer])), naming.signed(locale, by)
        lines.append(locale.say("{peer} gets no new loans, says {who}.", peer=space, who=who))
    return lines or [locale.say("Nothing is overdue.")]


def nothing_to_stop(locale: Locale, *, peer_name: str) -> Lines:
    """Nobody is shut out who owes nothing."""
    peer = naming.space(locale, peer_name)
    return [
        locale.say("Not done: {peer} has nothing overdue.", peer=peer),
        locale.say("New loans can be stopped only while something is overdue."),
    ]


def not_stopped(locale: Locale, *, peer_name: str) -> Lines:
    """There is nothing to lift."""
    return [locale.say("Nothing to do: {peer} may borrow.", peer=naming.space(locale, peer_name))]
