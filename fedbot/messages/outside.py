"""Loans to a neighbour without a bot: the message, reminders and answers; and stock that is here already."""

from __future__ import annotations

from datetime import date

from fedbot.messages import naming
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.loan import on_terms
from fedbot.messages.markup import Bold, Break, Inline, Items
from fedbot.messages.naming import command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.lending import LONGEST_NEIGHBOUR, OutsideLoan
from fedbot.rules.model.lifecycles import OutsideState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import StockItem
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
    OutsideState.UNCLEAR: marked("⚠ {what}, lent to {neighbour}: somebody has to look. {code}"),
    OutsideState.CLOSED: marked("{what}, lent to {neighbour}: corrected by hand. {code}"),
}


_STATES: dict[OutsideState, str] = {
    OutsideState.BOOKING_OUT: marked("It is being booked out."),
    OutsideState.OUT: marked("On loan until {day}."),
    OutsideState.HANDING_OVER: marked("Offered to {friend}, as a new loan."),
    OutsideState.HANDED_OVER: marked("An ordinary loan to {friend} now."),
    OutsideState.COMING_BACK: marked("It is coming back."),
    OutsideState.RETURNED: marked("Returned."),
    OutsideState.GIFT: marked("A gift now."),
    OutsideState.LOST: marked("Lost there."),
    OutsideState.NOT_LENT: marked("Not lent after all."),
    OutsideState.UNCLEAR: marked("People have to look."),
    OutsideState.CLOSED: marked("Corrected by hand."),
}


def outside_loan(locale: Locale, *, loan: OutsideLoan, us: PartyConfig, friend: str = "") -> Lines:
    """The message of such a loan, in its present state. `friend`: the name of the space that takes it over."""
    who, words = naming.signed(locale, loan.by), _words(locale, loan)
    if friend:
        words["friend"] = naming.space(locale, friend)
    lines: Lines = [locale.say(_FIRST[loan.state], **words)]
    lines.append(locale.say("Lent by {who} ({space}), {when}", who=who, space=us.name, when=locale.when(loan.by.at)))
    if loan.ended_by is not None and loan.ended is not None and loan.state is not OutsideState.NOT_LENT:
        ended_by, when = naming.signed(locale, loan.ended_by), locale.when(loan.ended)
        ended = locale.say("Ended by {who}, {when}", who=ended_by, when=when)
        lines.append((*ended, *naming.noted(locale, loan.ended_by)))
    if loan.before:
        lines.append(
            locale.say("⚠ You typed the same thing a moment ago ({code}). This is a second one.", code=loan.before)
        )
    if loan.damaged:
        lines.append(locale.say("It came back damaged."))
    if loan.note:
        lines.append(locale.say("Note: {note}", note=locale.short(loan.note, 200)))
    if loan.problem and loan.state in {OutsideState.NOT_LENT, OutsideState.UNCLEAR}:
        lines.append(locale.say("Why: {why}", why=diagnosis(locale, loan.problem)))
    return [*lines, *_what_to_say(locale, loan, words["friend"])]


def _words(locale: Locale, loan: OutsideLoan) -> dict[str, Words]:
    return {
        "what": Bold(thing_lent(locale, loan)),
        "neighbour": neighbour(locale, loan),
        "day": locale.day(loan.until),
        "code": loan.code,
        "friend": naming.space(locale, loan.friend),
    }


def neighbour(locale: Locale, loan: OutsideLoan) -> str:
    """'Repair Café (outside)'."""
    return locale.word("{name} (outside)").format(name=locale.short(loan.neighbour, LONGEST_NEIGHBOUR))


def thing_lent(locale: Locale, loan: OutsideLoan) -> str:
    """'1 × lens (serial 0042)'."""
    name = naming.part(locale, loan.description)
    what = naming.amount(locale, loan.quantity, loan.description.units, name)
    if loan.serial:
        what += " (" + locale.word("serial {serial}").format(serial=locale.short(loan.serial, 40)) + ")"
    return what


def _what_to_say(locale: Locale, loan: OutsideLoan, friend: Words) -> Lines:
    code = loan.code
    if loan.state is OutsideState.OUT:
        return [
            locale.say(
                "Back: {back} · extend: {longer} · {gift} · {lost}",
                back=command(f"return {code}"),
                longer=command(f"extend {code} 2 weeks"),
                gift=command(f"gift {code}"),
                lost=command(f"lost {code}"),
            )
        ]
    if loan.state in {OutsideState.HANDING_OVER, OutsideState.HANDED_OVER}:
        show = command(f"show {loan.handing_code or loan.handing}")
        return [locale.say("See the loan to {friend}: {show}", friend=friend, show=show)]
    if loan.state is OutsideState.UNCLEAR:
        return [
            locale.say("Look at it in InvenTree. If it is back, type: {back}", back=command(f"return {code}")),
            locale.say("If you have corrected it by hand, close it here: {close}", close=command(f"cancel {code}")),
        ]
    return []


def outside_in_short(locale: Locale, loan: OutsideLoan, today: date) -> tuple[Inline, ...]:
    """'k7m2 – 1 × lens at Repair Café (outside), until 3 Dec'."""
    words = {**_words(locale, loan), "what": thing_lent(locale, loan)}
    if loan.state is OutsideState.UNCLEAR:
        return locale.say("{code} – {what} at {neighbour}: somebody has to look", **words)
    if loan.state is OutsideState.HANDING_OVER:
        return locale.say("{code} – {what} at {neighbour}: offered to {friend} as a loan", **words)
    if loan.until < today:
        return locale.say("{code} – {what} at {neighbour}: ⚠ it was due {day}", **words)
    return locale.say("{code} – {what} at {neighbour}, until {day}", **words)


def outside_state(locale: Locale, loan: OutsideLoan) -> tuple[Inline, ...]:
    """'On loan until 3 Dec.', as it stands."""
    return locale.say(_STATES[loan.state], **_words(locale, loan))


def outside_entry(locale: Locale, loan: OutsideLoan) -> tuple[Inline, ...]:
    """'u5t4 – 1 × lens to Repair Café (outside), lent by Anna, Tue 24 Nov, 20:14. / Returned.', in the ledger."""
    words = {**_words(locale, loan), "what": thing_lent(locale, loan), "who": naming.signed(locale, loan.by)}
    lent = locale.say("{code} – {what} to {neighbour}, lent by {who}, {when}.", when=locale.when(loan.by.at), **words)
    return (*lent, Break(), *outside_state(locale, loan))


def outside_reminder(locale: Locale, *, loan: OutsideLoan, us: PartyConfig, today: date) -> Lines:
    """The reminder for the person who lent it, before or after its due date."""
    del us
    words = {**_words(locale, loan), "who": naming.pill(locale, loan.by.person, loan.by.name)}
    if loan.until < today:
        first = locale.say("{who} ⚠ {what} was due back from {neighbour} on {day}. {code}", **words)
    elif loan.until == today:
        first = locale.say("{who} {what} is due back from {neighbour} today. {code}", **words)
    else:
        first = locale.say("{who} {what} is due back from {neighbour} by {day}. {code}", **words)
    friend = naming.space(locale, loan.friend)
    return [first, locale.say("They have no bot: please call them."), *_what_to_say(locale, loan, friend)]


def not_marked(locale: Locale, *, loan: OutsideLoan) -> Lines:
    """For the admins: it is lent, but the stock item doesn't show that."""
    item = str(loan.item or loan.source)
    return [
        locale.say("Stock item #{item} could not be marked: {what} ({code}).", item=item, **_words(locale, loan)),
        locale.say("Why: {why}", why=diagnosis(locale, loan.problem)),
    ]


def neighbour_without_name(locale: Locale) -> Lines:
    """The refusal of a line that names no neighbour, or a name that is too long."""
    line = command('lend LENS-2 to outside "Repair Café" for 2 weeks')
    return [
        locale.say("Not lent: to whom? Name the neighbour, in up to {most} characters.", most=str(LONGEST_NEIGHBOUR)),
        locale.say("For example: {line}", line=line),
    ]


def one_item_to_outside(locale: Locale) -> Lines:
    """The refusal of several items, or of several stock items."""
    return [
        locale.say("Not lent: to a neighbour without a bot, one line lends one stock item, at once."),
        locale.say("Write a line for each item. If there are several stock items, name one by its #number."),
    ]


def two_people_outside(locale: Locale) -> Lines:
    """The refusal of a loan that needs two approvals."""
    return [
        locale.say("Not lent: it would need two approvals."),
        locale.say("A loan to a neighbour without a bot has no card. Lend it in InvenTree, by hand."),
    ]


def outside_not_so(locale: Locale, *, loan: OutsideLoan, us: PartyConfig, friend: str = "") -> Lines:
    """The refusal of a command that doesn't fit the loan's state; a second message shows that state."""
    return [locale.say("Not done: that isn't possible now."), *outside_loan(locale, loan=loan, us=us, friend=friend)]


def outside_goes_whole(locale: Locale, *, loan: OutsideLoan, said: str) -> Lines:
    """The refusal of a quantity: a neighbour's loan ends as a whole."""
    return [
        locale.say(
            'Not done: you can only end it as a whole: {what}, not "{said}".', **_words(locale, loan), said=said
        ),
        locale.say(
            "When all of it is back, type: {line}. Then lend again what they keep.", line=command(f"return {loan.code}")
        ),
    ]


def nothing_on_loan_called(locale: Locale, *, word: str) -> Lines:
    """The answer to a word that is neither an id nor an item on loan."""
    return [
        locale.say('Nothing called "{word}" is on loan, and no card has that id. I did nothing.', word=word),
        locale.say("See what is on loan: {line}", line=command("todo")),
    ]


def several_on_loan(
    locale: Locale, *, word: str, loans: tuple[Transfer, ...], neighbours: tuple[OutsideLoan, ...], verb: str
) -> Lines:
    """The answer to a name that several loans contain; or, without a `word`, the list of all loans."""
    code = [*(loan.code for loan in loans), *(loan.code for loan in neighbours)][0]
    line = command(f"{verb} {code}")
    first = locale.say(
        'Several loans include "{word}". Name one by its id: {line}. I did nothing.', word=word, line=line
    )
    listed: list[tuple[Inline, ...]] = [(loan.code, " – ", naming.things(locale, loan.lines_told)) for loan in loans]
    listed += [(loan.code, " – ", thing_lent(locale, loan), " · ", loan.neighbour) for loan in neighbours]
    return [
        first if word else locale.say("Which loan? Name its id: {line}. I did nothing.", line=line),
        Items(tuple(listed[:MOST_LISTED])),
    ]


def day_not_later(locale: Locale, *, loan: OutsideLoan) -> Lines:
    """The answer to an extension that isn't later than the due date."""
    return [locale.say("Nothing to do: {what} is on loan until {day} already. {code}", **_words(locale, loan))]


def outside_noted(locale: Locale, *, loan: OutsideLoan) -> Lines:
    """The answer to a line about such a loan: the loan's message shows the result."""
    return [
        locale.say("Noted: {what} at {neighbour}. {code}", **_words(locale, loan)),
        locale.say("My message about it shows the result."),
    ]


def with_neighbours(locale: Locale, *, loans: tuple[OutsideLoan, ...], us: PartyConfig, today: date) -> Lines:
    """Everything that neighbours without a bot have, as far as this room may know it."""
    own = naming.space(locale, us.name)
    if not loans:
        return [locale.say("Neighbours without a bot have borrowed nothing from {space}.", space=own)]
    first = locale.say("Neighbours without a bot have borrowed this from {space}:", space=own)
    listed = tuple(outside_in_short(locale, loan, today) for loan in loans[:MOST_LISTED])
    lines: Lines = [first, Items(listed)]
    if len(loans) > MOST_LISTED:
        lines.append(locale.say("And {number} more.", number=locale.count(len(loans) - MOST_LISTED)))
    example = command(f'outside "{locale.short(loans[0].neighbour, LONGEST_NEIGHBOUR)}" is SPACE')
    return [
        *lines,
        locale.say("If one of them has a bot by now and is your friend, a superuser types: {line}", line=example),
    ]


def not_as_known(locale: Locale, *, neighbour: str, loans: tuple[OutsideLoan, ...], us: PartyConfig) -> Lines:
    """The refusal to hand loans over to the neighbour's bot: InvenTree doesn't match our books."""
    name = locale.short(neighbour, LONGEST_NEIGHBOUR)
    if not loans:
        return [
            locale.say("Nothing to hand over: by my books, {neighbour} has nothing on loan.", neighbour=name),
            locale.say("See what neighbours have: {line}", line=command("outside")),
        ]
    listed = tuple(locale.say("{code} – {what}", code=loan.code, what=thing_lent(locale, loan)) for loan in loans)
    return [
        locale.say("Not handed over: the InvenTree of {space} doesn't match my books.", space=us.name),
        Items(listed),
        locale.say("Look at these items in InvenTree. Once they are correct, type it again."),
    ]


def said_to_be_here(locale: Locale, *, transfer: Transfer, item: int) -> Lines:
    """The answer to `here`: this stock item is the loan, and a new card follows."""
    case = naming.case(locale, transfer)
    if not item:
        return [locale.say("Noted: {case} isn't in your stock yet. A new card follows.", case=case)]
    return [
        locale.say("Noted: {case} is your stock #{item}. A new card follows.", case=case, item=item),
        locale.say("Nothing has changed yet. Decide on that card."),
    ]


def no_such_item_here(locale: Locale, *, transfer: Transfer, word: str, several: bool) -> Lines:
    """The refusal of `here` with a word that means none of our stock items, or several."""
    first = (
        locale.say('Nothing changed: "{word}" means several stock items.', word=word)
        if several
        else locale.say('Nothing changed: I find no stock item "{word}".', word=word)
    )
    return [first, locale.say("Name it by its number: {line}", line=command(f"here {transfer.code} #42"))]


def not_that_one(locale: Locale, *, transfer: Transfer, item: StockItem) -> Lines:
    """The refusal of `here` with a stock item that differs from the loan, or isn't simply ours."""
    (line,) = transfer.terms.lines
    quantity = locale.quantity(line.quantity, line.description.units)
    serial = locale.short(line.serial, 40)
    wanted = (
        locale.say(
            "It has to be in stock: {quantity}, with the serial number {serial}.", quantity=quantity, serial=serial
        )
        if serial
        else locale.say("It has to be in stock: {quantity}, without a serial number.", quantity=quantity)
    )
    return [
        locale.say("Nothing changed: stock #{item} can't be that loan.", item=item.pk),
        wanted,
        locale.say("It must not have come from a friend."),
        locale.say("Correct or split it in InvenTree, then: {line}", line=command(f"here {transfer.code} #{item.pk}")),
    ]


def never_here(locale: Locale, *, subject: Transfer | Connection) -> Lines:
    """The refusal of `here` for a loan that doesn't come from the time before we had a bot."""
    return [
        locale.say("Nothing changed: {code} isn't a loan from before you had a bot.", code=subject.code),
        locale.say("You can only say that for such a loan, while it waits for your approval."),
    ]


def offered_to_their_bot(locale: Locale, transfer: Transfer, receiver: str) -> tuple[Inline, ...]:
    """The first line of the offer that makes a neighbour's loan an ordinary one."""
    return locale.say(
        "I asked {receiver} to take over {what}, {terms}.",
        receiver=receiver,
        what=naming.moved(locale, transfer),
        terms=on_terms(locale, transfer),
    )
