"""Lending rules, overdue loans, and loans to neighbours without a bot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from fedbot.messages import naming, reason_codes
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.formatting import Bold, Break, Code, Inline, Items
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.loan import on_terms, time_to_ask_for
from fedbot.messages.naming import command
from fedbot.messages.transfer.facts import Card
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.lending import LONGEST_NEIGHBOUR, LendingStop, LoanRules, OutsideLoan, RuleOrigin
from fedbot.rules.model.lifecycles import OutsideState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.steps import LENDING_KEY
from fedbot.rules.model.stock import StockItem
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.names import clean_text

# --- Lending rules: on cards, and in refusals.

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


# --- Overdue loans: on cards, for the admins, and the stop on new loans.

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
    return [locale.say("Nothing to do: {peer} can borrow.", peer=naming.space(locale, peer_name))]


# --- Loans to a neighbour without a bot: the message, reminders, and answers.

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
        return locale.say("{code} – {what} at {neighbour}: people have to look", **words)
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
        locale.say("Nothing changed: {code} is no loan from before you had a bot.", code=subject.code),
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
