"""What is lent to a neighbour without a bot: its one message, reminders, and what can be said of it."""

from __future__ import annotations

from datetime import date

from fedbot.messages import naming
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.formatting import Bold, Break, Inline, Items
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.loan import on_terms
from fedbot.messages.naming import command
from fedbot.rules.model.outside import LONGEST_NEIGHBOUR, OutsideLoan
from fedbot.rules.model.outside_lifecycle import OutsideState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Transfer

MOST_LISTED = 10
_FIRST: dict[OutsideState, str] = {
    OutsideState.BOOKING_OUT: marked("Lending {what} to {neighbour}, until {day}: I book it out. {code}"),
    OutsideState.OUT: marked("✅ {what} is on loan to {neighbour} until {day}. {code}"),
    OutsideState.HANDING_OVER: marked("{what} at {neighbour} is offered to {friend} now. {code}"),
    OutsideState.HANDED_OVER: marked("✅ {what}, lent to {neighbour}, is an ordinary loan to {friend} now. {code}"),
    OutsideState.COMING_BACK: marked("{what} comes back from {neighbour}: I book it in. {code}"),
    OutsideState.RETURNED: marked("✅ {what} is back from {neighbour}. {code}"),
    OutsideState.GIFT: marked("🎁 {what} was given to {neighbour}. {code}"),
    OutsideState.LOST: marked("❌ {what} is lost at {neighbour}. {code}"),
    OutsideState.NOT_LENT: marked("❌ Not lent: {what} stays here. {code}"),
    OutsideState.UNCLEAR: marked("⚠ {what}, lent to {neighbour}: people have to look. {code}"),
    OutsideState.CLOSED: marked("{what}, lent to {neighbour}: put right by hand. {code}"),
}


_STATES: dict[OutsideState, str] = {
    OutsideState.BOOKING_OUT: marked("It is being booked out."),
    OutsideState.OUT: marked("On loan until {day}."),
    OutsideState.HANDING_OVER: marked("Offered to {friend}, as a loan of its own."),
    OutsideState.HANDED_OVER: marked("An ordinary loan to {friend} now."),
    OutsideState.COMING_BACK: marked("It is coming back."),
    OutsideState.RETURNED: marked("Returned."),
    OutsideState.GIFT: marked("A gift now."),
    OutsideState.LOST: marked("Lost there."),
    OutsideState.NOT_LENT: marked("Not lent after all."),
    OutsideState.UNCLEAR: marked("People have to look."),
    OutsideState.CLOSED: marked("Put right by hand."),
}


def outside_loan(locale: Locale, *, loan: OutsideLoan, us: PartyConfig) -> Lines:
    """The message of such a loan as it stands now."""
    who = naming.signed(locale, loan.by)
    lines: Lines = [locale.say(_FIRST[loan.state], **_words(locale, loan))]
    lines.append(locale.say("Lent by {who} ({space}), {when}", who=who, space=us.name, when=locale.when(loan.by.at)))
    if loan.ended_by is not None and loan.ended is not None and loan.state is not OutsideState.NOT_LENT:
        ended_by, when = naming.signed(locale, loan.ended_by), locale.when(loan.ended)
        lines.append(locale.say("Ended by {who}, {when}", who=ended_by, when=when))
    if loan.damaged:
        lines.append(locale.say("It came back damaged."))
    if loan.note:
        lines.append(locale.say("Note: {note}", note=locale.short(loan.note, 200)))
    if loan.problem and loan.state in {OutsideState.NOT_LENT, OutsideState.UNCLEAR}:
        lines.append(locale.say("Why: {why}", why=diagnosis(locale, loan.problem)))
    return [*lines, *_what_to_say(locale, loan)]


def _words(locale: Locale, loan: OutsideLoan) -> dict[str, Words]:
    return {
        "what": Bold(_thing(locale, loan)),
        "neighbour": _neighbour(locale, loan),
        "day": locale.day(loan.until),
        "code": loan.code,
        "friend": naming.space(locale, loan.friend),
    }


def _neighbour(locale: Locale, loan: OutsideLoan) -> str:
    return locale.word("{name} (outside)").format(name=locale.short(loan.neighbour, LONGEST_NEIGHBOUR))


def _thing(locale: Locale, loan: OutsideLoan) -> str:
    name = naming.part(locale, loan.description)
    quantity = locale.quantity(loan.quantity, loan.description.units)
    told = locale.word("{quantity} of {name}").format(quantity=quantity, name=name)
    what = told if loan.description.units else f"{quantity} × {name}"
    if loan.serial:
        what += " (" + locale.word("serial {serial}").format(serial=locale.short(loan.serial, 40)) + ")"
    return what


def _what_to_say(locale: Locale, loan: OutsideLoan) -> Lines:
    code = loan.code
    if loan.state is OutsideState.OUT:
        return [
            locale.say(
                "Back: {back} · more time: {longer} · {gift} · {lost}",
                back=command(f"return {code}"),
                longer=command(f"extend {code} 2 weeks"),
                gift=command(f"gift {code}"),
                lost=command(f"lost {code}"),
            )
        ]
    if loan.state in {OutsideState.HANDING_OVER, OutsideState.HANDED_OVER}:
        show = command(f"show {loan.handing}")
        return [locale.say("See the loan to {friend}: {show}", friend=loan.friend, show=show)]
    if loan.state is OutsideState.UNCLEAR:
        return [
            locale.say("Look at it in InvenTree. If it is back, say: {back}", back=command(f"return {code}")),
            locale.say("If it was put right by hand, close it here: {close}", close=command(f"cancel {code}")),
        ]
    return []


def outside_in_short(locale: Locale, loan: OutsideLoan, today: date) -> tuple[Inline, ...]:
    """'k7m2 – 1 × lens at Repair Café (outside), until 3 Dec'."""
    words = {**_words(locale, loan), "what": _thing(locale, loan)}
    if loan.state is OutsideState.UNCLEAR:
        return locale.say("{code} – {what} at {neighbour}: people have to look", **words)
    if loan.state is OutsideState.HANDING_OVER:
        return locale.say("{code} – {what} at {neighbour}: offered to {friend} as a loan", **words)
    if loan.until < today:
        return locale.say("{code} – {what} at {neighbour}: ⚠ it was due {day}", **words)
    return locale.say("{code} – {what} at {neighbour}, until {day}", **words)


def outside_entry(locale: Locale, loan: OutsideLoan) -> tuple[Inline, ...]:
    """'u5t4 – 1 × lens to Repair Café (outside), lent by Anna, Tue 24 Nov, 20:14. / Returned.', in the ledger."""
    words = {**_words(locale, loan), "what": _thing(locale, loan), "who": naming.signed(locale, loan.by)}
    lent = locale.say("{code} – {what} to {neighbour}, lent by {who}, {when}.", when=locale.when(loan.by.at), **words)
    return (*lent, Break(), *locale.say(_STATES[loan.state], **words))


def outside_reminder(locale: Locale, *, loan: OutsideLoan, us: PartyConfig, today: date) -> Lines:
    """To whoever lent it: its last day is near, or over."""
    del us
    words = {**_words(locale, loan), "who": naming.pill(locale, loan.by.person, loan.by.name)}
    if loan.until < today:
        first = locale.say("{who} ⚠ {what} was to be back from {neighbour} by {day}. {code}", **words)
    elif loan.until == today:
        first = locale.say("{who} {what} is due back from {neighbour} today. {code}", **words)
    else:
        first = locale.say("{who} {what} is due back from {neighbour} by {day}. {code}", **words)
    return [first, locale.say("They have no bot: please call them."), *_what_to_say(locale, loan)]


def not_marked(locale: Locale, *, loan: OutsideLoan) -> Lines:
    """For the admins: it is lent, but the stock item doesn't say so."""
    item = str(loan.item or loan.source)
    return [
        locale.say("Stock item #{item} could not be marked: {what} ({code}).", item=item, **_words(locale, loan)),
        locale.say("Why: {why}", why=diagnosis(locale, loan.problem)),
    ]


def neighbour_without_name(locale: Locale) -> Lines:
    """Nobody was named, or with a name that is too long."""
    line = command('lend LENS-2 to outside "Repair Café" for 2 weeks')
    return [
        locale.say("Not lent: who is it? Name the neighbour, in up to {most} characters.", most=str(LONGEST_NEIGHBOUR)),
        locale.say("For example: {line}", line=line),
    ]


def one_item_to_outside(locale: Locale) -> Lines:
    """Several at once, or several stock items."""
    return [
        locale.say("Not lent: a neighbour without a bot gets one stock item a line, now and by hand."),
        locale.say("Write a line for each; name the stock item by its #number if there are several."),
    ]


def two_people_outside(locale: Locale) -> Lines:
    """What takes two people's yes."""
    return [
        locale.say("Not lent: it would take two people's yes."),
        locale.say("There is no card for neighbours without a bot. Lend it in InvenTree, by hand."),
    ]


def outside_not_so(locale: Locale, *, loan: OutsideLoan, us: PartyConfig) -> Lines:
    """What was said doesn't fit where it stands; the message follows."""
    return [locale.say("Not done: that does not fit now."), *outside_loan(locale, loan=loan, us=us)]


def day_not_later(locale: Locale, *, loan: OutsideLoan) -> Lines:
    """More time that is less."""
    return [locale.say("Nothing to do: {what} is on loan until {day} already. {code}", **_words(locale, loan))]


def outside_noted(locale: Locale, *, loan: OutsideLoan) -> Lines:
    """The answer to a line about such a loan: its message says more."""
    return [
        locale.say("Noted: {what} at {neighbour}. {code}", **_words(locale, loan)),
        locale.say("My message about it shows what becomes of it."),
    ]


def with_neighbours(locale: Locale, *, loans: tuple[OutsideLoan, ...], us: PartyConfig, today: date) -> Lines:
    """All that neighbours without a bot have, as far as this room may be told."""
    own = naming.space(locale, us.name)
    if not loans:
        return [locale.say("Neighbours without a bot have nothing of {space}.", space=own)]
    first = locale.say("Neighbours without a bot have this of {space}:", space=own)
    listed = tuple(outside_in_short(locale, loan, today) for loan in loans[:MOST_LISTED])
    lines: Lines = [first, Items(listed)]
    if len(loans) > MOST_LISTED:
        lines.append(locale.say("And {number} more.", number=locale.count(len(loans) - MOST_LISTED)))
    example = command(f'outside "{locale.short(loans[0].neighbour, LONGEST_NEIGHBOUR)}" is SPACE')
    return [*lines, locale.say("One of them has a bot now and is your friend? A superuser says: {line}", line=example)]


def not_as_known(locale: Locale, *, neighbour: str, loans: tuple[OutsideLoan, ...], us: PartyConfig) -> Lines:
    """What can't be handed over to a neighbour's bot: nothing is known there, or InvenTree shows otherwise."""
    name = locale.short(neighbour, LONGEST_NEIGHBOUR)
    if not loans:
        return [
            locale.say("Nothing to hand over: by my books, {neighbour} has nothing on loan.", neighbour=name),
            locale.say("See what neighbours have: {line}", line=command("outside")),
        ]
    listed = tuple(locale.say("{code} – {what}", code=loan.code, what=_thing(locale, loan)) for loan in loans)
    return [
        locale.say("Not handed over: {space}'s InvenTree shows otherwise than I know it.", space=us.name),
        Items(listed),
        locale.say("Look at them in InvenTree. Once they are right, say it again."),
    ]


def offered_to_their_bot(locale: Locale, transfer: Transfer, receiver: str) -> tuple[Inline, ...]:
    """The first line of the offer that makes a neighbour's loan an ordinary one."""
    return locale.say(
        "{receiver}'s bot is asked to take over {what}, {terms}.",
        receiver=receiver,
        what=naming.moved(locale, transfer),
        terms=on_terms(locale, transfer),
    )
