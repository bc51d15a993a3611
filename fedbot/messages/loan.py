"""Loans: their cards, due dates, returns, extensions, ends and photos."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from fedbot.messages import naming, reason_codes
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.markup import Bold, ChatOnly, Code, Inline
from fedbot.messages.naming import command
from fedbot.messages.quantities import typed
from fedbot.messages.transfer.card_lines import (
    Card,
    asked,
    card_of,
    decided,
    for_whom,
    not_done,
    settled,
    what_comes_back,
)
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Closing
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.lending import LONGEST_NEIGHBOUR
from fedbot.rules.model.lifecycles import Ending, TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import StockItem
from fedbot.rules.model.transfer import Line, Transfer

_TWO_WEEKS = 14

# --- on cards ------------------------------------------------------------------------------------------------


def on_terms(locale: Locale, transfer: Transfer) -> tuple[Inline, ...]:
    """Within a sentence: 'to keep', 'on loan until Tue 15 Dec 2026', or 'on loan Sat 12 Dec to Sat 19 Dec 2026'."""
    if transfer.due_day is None:
        return locale.say("to keep")
    if transfer.terms.starts is not None:
        first, last = naming.first_day(locale, transfer), naming.last_day(locale, transfer)
        return locale.say("on loan {first} to {day}", first=first, day=last)
    return locale.say("on loan until {day}", day=naming.last_day(locale, transfer))


def loan_line(locale: Locale, card: Card) -> Lines:
    """The consequences of a loan, for the people who approve it."""
    if not card.transfer.is_loan:
        return []
    day = naming.last_day(locale, card.transfer)
    if (told := card.transfer.terms.outside) is not None:
        name, since = locale.short(told.neighbour, LONGEST_NEIGHBOUR), locale.day(told.since)
        said = marked('On loan as "{name}" since {since}, says {sender}. Approve only if you have it. Due back {day}.')
        return [
            locale.say(said, sender=card.sender, name=name, since=since, day=day),
            locale.say(
                "It still belongs to {sender}. Is it in your InvenTree already? Reply with its number: {here}",
                sender=card.sender,
                here=command("here #42"),
            ),
        ]
    if card.transfer.terms.starts is not None:
        first = naming.first_day(locale, card.transfer)
        sentence = "Booking: pick-up from {first} on, due back {day}, that day included. It still belongs to {sender}."
        return [locale.say(sentence, sender=card.sender, first=first, day=day)]
    return [
        locale.say(
            "Loan: it still belongs to {sender}. Due back {day}, that day included.", sender=card.sender, day=day
        )
    ]


def what_to_reply(locale: Locale, transfer: Transfer) -> tuple[Inline, ...]:
    """The last lines of a card that is done."""
    if not transfer.is_on_loan:
        return locale.say("Reply with: {show}", show=command("show"))
    code = transfer.code  # both spaces read it, and a reply to another bot's card ends no loan
    back, show = command(f"return {code}"), command("show")
    if not (time := time_to_ask_for(transfer)):
        return locale.say("Reply with: {back} · {show}", back=back, show=show)
    longer = command(f"extend {code} {time}")
    return locale.say("Reply with: {back} · {longer} · {show}", back=back, longer=longer, show=show)


def time_to_ask_for(loan: Transfer) -> str:
    """An extension that the lending rules allow, as people type it: '2 weeks', '5 days'; '' if they allow none."""
    rules = loan.terms.rules
    if rules is not None and rules.extensions is not None and loan.extended >= rules.extensions:
        return ""
    if rules is None or not 0 < rules.longest < _TWO_WEEKS:
        return "2 weeks"
    return f"{rules.longest} days" if rules.longest > 1 else "1 day"


# --- impossible days -----------------------------------------------------------------------------------------


def day_unclear(locale: Locale, *, word: str) -> Lines:
    """The answer to a word that is neither a day nor a period."""
    return [
        locale.say('Not done: I can\'t read "{word}" as a day. Nothing was sent.', word=locale.short(word, 40)),
        locale.say("For example: 3 weeks · tomorrow · friday · 31.1. · 2026-12-15"),
    ]


def day_ambiguous(locale: Locale, *, word: str, days: tuple[date, ...]) -> Lines:
    """`3/4`: the third of April, or the fourth of March."""
    shown = locale.names([locale.day(day) for day in days], any_of=True)
    return [
        locale.say('Not done: "{word}" could be {days}. Nothing was sent.', word=locale.short(word, 40), days=shown),
        locale.say("Write the day like this: {day}", day=Code(days[0].isoformat())),
    ]


def day_is_past(locale: Locale, *, day: date) -> Lines:
    """The refusal of a day before today."""
    return [locale.say("Not done: {day} is in the past. Nothing was sent.", day=locale.day(day))]


def day_too_far(locale: Locale, *, day: date) -> Lines:
    """The refusal of a day more than two years ahead."""
    return [
        locale.say("Not done: {day} is more than two years ahead. Nothing was sent.", day=locale.day(day)),
        locale.say("If they need it that long, give it away: {push}", push=command("help push")),
    ]


def nothing_on_loan(locale: Locale) -> Lines:
    """The answer to a verb about loans in a room that has none."""
    return [
        locale.say("Nothing is borrowed or lent in this room now. I did nothing."),
        locale.say("To see what is on loan, or waits for you: {todo}", todo=command("todo")),
    ]


# --- what happens to a loan ----------------------------------------------------------------------------------


def closed_line(locale: Locale, card: Card) -> tuple[Inline, ...]:
    """The first line of the card of a loan that is over."""
    closed = card.transfer.closed
    if closed is None:
        raise ValueError(f"loan {card.transfer.code} isn't over")
    sentences = {
        Ending.RETURNED: marked("✅ Back since {when}: {what}, lent by {sender} to {receiver}."),
        Ending.GIFT: marked("✅ A gift since {when}: {receiver} owns {what} now, says {who} ({sender})."),
        Ending.LOST: marked("❌ Lost: {what}, lent to {receiver}. Says {who} ({sender}), {when}."),
        Ending.KEPT: marked("✅ Kept by {receiver}, still owned by {sender}: {what}, says {who}, {when}."),
    }
    several = len({card.transfer.ending_of(line.number) for line in card.transfer.lines_told}) > 1
    over = marked("✅ Over since {when}: {what}, lent to {receiver}.")
    all_back = several or closed.how is Ending.RETURNED
    what = card.transfer.lines_told if all_back else card.lines_left or card.transfer.lines_told
    return locale.say(
        over if several else sentences[closed.how],
        what=Bold(naming.all_of(locale, what)),
        sender=card.sender,
        receiver=card.receiver,
        who=naming.signed(locale, closed.by),
        when=locale.when(closed.by.at),
    )


def lent_at_first(locale: Locale, card: Card) -> Lines:
    """The original items of a loan that is partly back or over, because the first line names only the rest."""
    loan = card.transfer
    whole = naming.all_of(locale, loan.lines_told)
    several = len({loan.ending_of(line.number) for line in loan.lines_told}) > 1
    if loan.is_on_loan and card.lines_out and _sums(card.lines_out) != _sums(loan.lines_told):
        return [locale.say("Lent at first: {what}; the rest is not on loan any more.", what=whole)]
    is_over = loan.closed is not None and loan.closed.how is not Ending.RETURNED and not several
    if is_over and card.lines_left and _sums(card.lines_left) != _sums(loan.lines_told):
        return [locale.say("Lent at first: {what}; the rest is back.", what=whole)]
    return []


def _sums(lines: Sequence[Line]) -> dict[int, Decimal]:
    return {line.number: line.quantity for line in lines}


def line_ends(locale: Locale, card: Card) -> Lines:
    """For a loan of several items: the end of each item that didn't come back, if they ended differently."""
    loan = card.transfer
    if len({loan.ending_of(line.number) for line in loan.lines_told}) == 1:
        return []
    left = {line.number: line for line in card.lines_left}
    ends = [(left.get(closing.line, loan.line(closing.line)), closing) for closing in loan.line_ends]
    return [_line_end(locale, card, line, closing) for line, closing in ends]


def _line_end(locale: Locale, card: Card, line: Line, closing: Closing) -> tuple[Inline, ...]:
    names: dict[str, Words] = {
        "what": naming.thing(locale, line),
        "sender": card.sender,
        "receiver": card.receiver,
        "who": naming.signed(locale, closing.by),
        "when": locale.when(closing.by.at),
    }
    if closing.how is Ending.GIFT:
        return locale.say("A gift to {receiver}: {what}, says {who} ({sender}), {when}.", **names)
    if closing.how is Ending.LOST:
        return locale.say("Lost: {what}, says {who} ({sender}), {when}.", **names)
    if closing.how is Ending.KEPT:
        return locale.say(
            "Stays at {receiver} and still belongs to {sender}: {what}, says {who} ({receiver}), {when}.", **names
        )
    return locale.say("Back at {sender}: {what}, says {who} ({sender}), {when}.", **names)


def is_home(loan: Transfer) -> bool:
    """Whether all of the loan is back."""
    return all(loan.ending_of(line.number) is Ending.RETURNED for line in loan.lines_told)


def loan_closed(
    locale: Locale,
    *,
    loan: Transfer,
    us: PartyConfig,
    peer_name: str,
    part: Closing | None = None,
    lines: tuple[Line, ...] = (),
) -> Lines:
    """The lender's approver turned the loan, or a `part` of it (these lines), into a gift, or wrote it off."""
    card = card_of(locale, loan, us, peer_name, left=lines or None)
    closing = part or loan.closed
    if closing is None:
        raise ValueError(f"loan {loan.code} isn't over")
    said: Lines = [_line_end(locale, card, line, closing) for line in lines] if part else [closed_line(locale, card)]
    names = {"receiver": card.receiver, "sender": card.sender}
    if closing.how is Ending.LOST:
        said.append(locale.say("At {sender} it stays with customer {receiver}, with the status 'lost'.", **names))
        said.append(
            locale.say("The bot of {receiver} tells its admins how to take it out of the stock there.", **names)
        )
    elif part:
        said.append(locale.say("That part is settled. The rest is still on loan. Nothing moves."))
    else:
        said.append(locale.say("The loan is over. Nothing moves."))
    return [*said, *naming.because(locale, closing.by), loan.code]


def over_but_in_our_books(
    locale: Locale, *, loan: Transfer, peer_name: str, numbers: tuple[int, ...], lines: tuple[Line, ...] = ()
) -> Lines:
    """For the admins: the loan is lost, or the lender has it again, but no bot took it out of our stock.

    `lines`: how much of it; an older bot's message, still to be sent, has none.
    """
    peer = naming.space(locale, peer_name)
    what = Bold(naming.all_of(locale, lines or [loan.line(number) for number in numbers]))
    items = locale.names([f"#{item}" for number in numbers if (item := loan.at(number).item)])
    if loan.ending_of(numbers[0]) is Ending.LOST:
        first = locale.say("⚠ Lost, says {peer}, but still in our stock: {what}.", what=what, peer=peer)
    else:
        first = locale.say("⚠ Back at {peer}, but still in our stock: {what}.", what=what, peer=peer)
    resolve = command(f"resolve {loan.code}")
    return [
        first,
        locale.say("A superuser settles it (stock {items}): {resolve}", items=items, resolve=resolve),
        loan.code,
    ]


def not_written_off(locale: Locale, *, loan: Transfer, problem: Diagnosis) -> Lines:
    """For the admins: a loan that is over could not be taken out of our stock."""
    return [
        locale.say("{case} has ended, but is still in our stock.", case=naming.case(locale, loan)),
        locale.say("Why: {text}", text=diagnosis(locale, problem)),
        locale.say("To make me look again, a superuser types: {resolve}", resolve=command(f"resolve {loan.code}")),
    ]


def gift_not_noted(locale: Locale, *, loan: Transfer, problem: Diagnosis) -> Lines:
    """For the admins: the gift could not be noted in the item's history."""
    return [
        locale.say("{case} is a gift, but InvenTree's history doesn't show it.", case=naming.case(locale, loan)),
        locale.say("Why: {text}", text=diagnosis(locale, problem)),
        locale.say("Please check its status by hand. I don't try again."),
    ]


def loss_not_noted(locale: Locale, *, loan: Transfer, problem: Diagnosis) -> Lines:
    """For the admins: the status 'lost' could not be set."""
    return [
        locale.say("{case} is lost, but InvenTree did not accept the status.", case=naming.case(locale, loan)),
        locale.say("Why: {text}", text=diagnosis(locale, problem)),
        locale.say("Please set the item's status to 'lost' in InvenTree by hand. I don't try again."),
    ]


def loan_extended(locale: Locale, *, loan: Transfer, us: PartyConfig, peer_name: str, note: str = "") -> Lines:
    """The owner's approver gave more time, maybe with a note."""
    del us, peer_name
    said: Lines = [locale.say('Why: "{why}"', why=locale.short(note, 300))] if note else []
    return [_due(locale, loan), *said, loan.code]


def _due(locale: Locale, loan: Transfer) -> tuple[Inline, ...]:
    day = naming.last_day(locale, loan)
    return locale.say(
        "✅ {what}: the loan runs until {day}, that day included.", what=naming.moved(locale, loan), day=day
    )


def loan_reminder(
    locale: Locale,
    *,
    loan: Transfer,
    us: PartyConfig,
    peer_name: str,
    people: dict[str, str],
    today: date,
    out: tuple[Line, ...] = (),
) -> Lines:
    """The reminder for the borrower's people, before and on the due date, and weekly afterwards.

    `out`: the items still out; an older bot's message, still to be sent, has none. `today`: the lender's day.
    """
    out = out or loan.lines_told
    pills: list[Inline] = []
    for person, name in people.items():
        pills += [naming.pill(locale, person, name), " "]
    owner = naming.sender(locale, loan, us, peer_name)
    due = loan.due_day or today
    days = (due - today).days
    what = Bold(naming.all_of(locale, out))
    names: dict[str, Words] = {"what": what, "owner": owner, "day": naming.last_day(locale, loan)}
    if days > 1:
        first = locale.of_many(
            "{what} is due back at {owner} by {day}.", "{what} are due back at {owner} by {day}.", out, **names
        )
    elif days == 1:
        first = locale.of_many(
            "{what} is due back at {owner} tomorrow, {day}.",
            "{what} are due back at {owner} tomorrow, {day}.",
            out,
            **names,
        )
    elif days == 0:
        first = locale.of_many(
            "{what} is due back at {owner} today, {day}.", "{what} are due back at {owner} today, {day}.", out, **names
        )
    else:
        first = locale.of_many(
            "{what} was due back at {owner} on {day}.", "{what} were due back at {owner} on {day}.", out, **names
        )
    how = locale.say("To return it, reply: {back}", back=command("return"))
    if time := time_to_ask_for(loan):
        how = locale.say(
            "To return it, reply: {back} · to extend the loan: {longer}",
            back=command("return"),
            longer=command(f"extend {time}"),
        )
    return [(*pills, *first), how, loan.code]


# --- refusals --------------------------------------------------------------------------------------------------


def no_loan(locale: Locale, *, subject: Connection | Transfer) -> Lines:
    """The answer if the transfer is no loan."""
    return [
        locale.say("Not done: {case} isn't a loan.", case=naming.case(locale, subject)),
        locale.say("To see what is on loan: {todo}", todo=command("todo")),
    ]


def not_on_loan(
    locale: Locale, *, loan: Transfer, us: PartyConfig, peer_name: str, left: tuple[Line, ...] | None = None
) -> Lines:
    """The answer if it is not on loan, yet or any more. `left`: the items that did not come back."""
    if loan.closed is None:
        return [locale.say("Not done: {case} isn't on loan (yet).", case=naming.case(locale, loan))]
    return [
        locale.say("Not done: {code} has already ended.", code=loan.code),
        closed_line(locale, card_of(locale, loan, us, peer_name, left=left)),
    ]


def was_lost(
    locale: Locale,
    *,
    loan: Transfer,
    lines: tuple[Line, ...],
    item: int | None,
    us: PartyConfig,
    peer_name: str,
    are_friends: bool,
    back: Transfer | None = None,
) -> Lines:
    """The items are written off. `item` is the borrower's stock item; `back` is the gift by which it came back."""
    lost, peer = loan.closing_of(lines[0].number), naming.space(locale, peer_name)
    if lost is None:
        raise ValueError(f"nothing of loan {loan.code} is lost")
    lender = naming.space(locale, us.name) if loan.role == "sender" else peer
    who, when = naming.signed(locale, lost.by), locale.when(lost.by.at)
    first = [
        locale.say("Not done: {what} counts as lost. {code}", what=naming.all_of(locale, lines), code=loan.code),
        locale.say("{who} ({lender}) wrote it off: {when}.", who=who, lender=lender, when=when),
    ]
    if back is not None:
        return [*first, locale.say("It has turned up since: {show}", show=command(f"show {back.code}"))]
    if not are_friends:
        line = command(f"connect {loan.peer}")
        return [*first, locale.say("Has it turned up? Become friends again first: {line}", line=line)]
    line = command(f"push #{item} to {loan.terms.sender}" if item else f"push ITEM to {loan.terms.sender}")
    if loan.role == "sender":
        return [
            *first,
            locale.say("Has it turned up? Somebody at {borrower} types: {line}", borrower=peer, line=line),
            locale.say("Then your approvers book it in on a card."),
        ]
    return [
        *first,
        locale.say("Has it turned up? Give it to {lender}: {line}", lender=peer, line=line),
        locale.say("If InvenTree shows stock item #{item} as lost, change its status first.", item=item or 0),
    ]


def owner_decides(locale: Locale, *, loan: Transfer, peer_name: str, usage: str) -> Lines:
    """The refusal of a decision that only the lender can make."""
    del usage
    return [
        locale.say(
            "Not done: {case} belongs to {peer}, so an approver of {peer} decides that.",
            case=naming.case(locale, loan),
            peer=naming.space(locale, peer_name),
        )
    ]


def owner_sees_damage(locale: Locale, *, loan: Transfer, peer_name: str) -> Lines:
    """The refusal of `--damaged` by the borrower: the lender states the condition."""
    peer = naming.space(locale, peer_name)
    return [
        locale.say("Not done: {peer} states the condition of {code} on its card.", code=loan.code, peer=peer),
        locale.say("You can add a remark: {line}", line=command(f'return {loan.code} --note "…"')),
    ]


def return_under_way(locale: Locale, *, loan: Transfer, transfer: Transfer, us: PartyConfig, peer_name: str) -> Lines:
    """Some of it is on its way back already, or waits for the lender's approver."""
    card = card_of(locale, transfer, us, peer_name)
    first = locale.say("Not done: {case} is on its way back already.", case=naming.case(locale, loan))
    stands = locale.say("Its present state: {show}", show=command(f"show {transfer.code}"))
    decided_by = transfer.asked if transfer.asked.party == transfer.terms.receiver else transfer.decided
    if decided_by is not None:
        names: dict[str, Words] = {
            "who": naming.signed(locale, decided_by),
            "lender": card.receiver,
            "borrower": card.sender,
        }
        return [
            first,
            locale.say("{who} ({lender}) has confirmed that it is there.", **names),
            locale.say(
                "The bot of {borrower} books it out, then {lender} has it in stock. You don't need to do anything.",
                **names,
            ),
            stands,
        ]
    if loan.role == "sender":
        approve = command(f"approve {transfer.code}")
        here = locale.say("If it is here, tap ✅ or 🔧 on its card, or type: {approve}", approve=approve)
        return [first, here, stands]
    cancel = command(f"cancel {transfer.code}")
    until = locale.say("The lender's approvers decide on the card. Until then you can stop it: {cancel}", cancel=cancel)
    return [first, stands, until]


def borrowed_stock_unknown(locale: Locale, *, loan: Transfer, peer_name: str) -> Lines:
    """The refusal of a return on this side, which doesn't know the borrower's stock items."""
    return [
        locale.say("Not done: I don't know the borrower's stock item for {case}.", case=naming.case(locale, loan)),
        locale.say(
            "An approver of {peer} can start it: {line}",
            peer=naming.space(locale, peer_name),
            line=command(f"return {loan.code}"),
        ),
    ]


def returned_from_one_item(locale: Locale, *, loan: Transfer, word: str) -> Lines:
    """The refusal of `--from` without a stock item's number, for several items, or for one with a serial number."""
    told = (
        'Not done: "--from {word}". After --from comes the number of one of your stock items.'
        " Return one item at a time."
    )
    return [
        locale.say(told, word=locale.short(word, 40)),
        locale.say("For example: {line}", line=command(f"return {loan.code} --from #12")),
    ]


def not_of_that_part(locale: Locale, *, loan: Transfer, item: int) -> Lines:
    """The refusal of `--from` with a stock item into which the borrowed one can't have been merged."""
    told = "Not done: stock #{item} is not here, is of another part, or came from another space itself. {code}"
    return [locale.say(told, item=item, code=loan.code)]


def borrowed_is_elsewhere(
    locale: Locale, *, loan: Transfer, line: Line, item: StockItem | None, there: Decimal
) -> Lines:
    """Our stock item has changed since it was booked in: used, moved to a customer, or split by hand."""
    what = naming.thing(locale, line)
    lines: Lines = [
        locale.say("Not done: {what} isn't all in stock #{item} any more.", what=what, item=line.item),
    ]
    if item is None:
        lines.append(locale.say("That stock item is gone. The lender's approver can settle it as a gift, or as lost."))
        line_to_say = f"return {loan.code} --from #12"
        lines.append(locale.say("If somebody merged it into another one, name that: {line}", line=command(line_to_say)))
        return [*lines, loan.code]
    lines.append(
        locale.say(
            "Free there: {there}, status {status}. Merge or move it back in InvenTree, then type it again.",
            there=locale.quantity(there, item.part.units),
            status=naming.status(locale, item.status_text, item.status),
        )
    )
    if there > 0:
        amount = locale.typed(there)
        lines.append(
            locale.say("Or return only the part that is there: {line}", line=command(f"return {loan.code} {amount}"))
        )
    return [*lines, loan.code]


def borrowed_not_salable(locale: Locale, *, loan: Transfer, item: StockItem) -> Lines:
    """InvenTree assigns only salable parts to a company."""
    part = locale.short(item.part.name, 60)
    return [
        locale.say("Not done: InvenTree returns only salable parts, and {part} isn't salable any more.", part=part),
        locale.say("Somebody who can change parts can switch on 'salable' for it. Then type it again."),
        loan.code,
    ]


def can_not_come_back(locale: Locale, *, loan: Transfer, reason: str, us: PartyConfig, peer_name: str) -> Lines:
    """Our InvenTree can't take it back."""
    own, peer = naming.space(locale, us.name), naming.space(locale, peer_name)
    why = reason_codes.why_not_given(locale, reason, peer, own)
    instead = reason_codes.what_instead(locale, reason, own, command("spaces"))
    lines: Lines = [locale.say("Not done: {case} stays on loan.", case=naming.case(locale, loan))]
    return [*lines, locale.say("Why: {why}", why=why), *([instead] if instead else [])]


def no_friends_to_return_to(locale: Locale, *, loan: Transfer, peer_name: str) -> Lines:
    """The refusal of a return after the friendship ended at once: no bot can take it back."""
    peer, case = naming.space(locale, peer_name), naming.case(locale, loan)
    return [
        locale.say(
            "Not done: we are no longer friends with {peer}, so no bot can book {case} back.", peer=peer, case=case
        ),
        locale.say(
            "Bring it back anyway. Then an approver of {peer} types: {back}",
            peer=peer,
            back=command(f"return {loan.code}"),
        ),
        locale.say(
            "If {peer} is gone for good, one of our superusers settles it: {resolve}",
            peer=peer,
            resolve=command(f"resolve {loan.code}"),
        ),
    ]


def extend_until_when(locale: Locale, *, usage: str, example: str) -> Lines:
    """The answer to `extend` without a time."""
    return [
        locale.say("Not done: until when? {usage}", usage=command(usage)),
        locale.say("For example: {example}", example=command(example)),
    ]


def extended_as_a_whole(locale: Locale, *, loan: Transfer, line: str) -> Lines:
    """The answer to `extend` for some items of a loan."""
    return [
        locale.say("Not done: a loan has one due date, so I can't extend a part of {code}.", code=loan.code),
        locale.say("To extend all of it: {line}", line=Code(line)),
    ]


def due_later_already(locale: Locale, *, loan: Transfer) -> Lines:
    """The answer to an extension that isn't later than the due date."""
    day = naming.last_day(locale, loan)
    return [
        locale.say("Nothing to do: {case} is on loan until {day} already.", case=naming.case(locale, loan), day=day)
    ]


def agreed_until_later(locale: Locale, *, loan: Transfer) -> Lines:
    """The lender can't ask for it back before the day to which both sides agreed."""
    agreed = locale.day_there(loan.terms.loan_until, loan.terms.time_zone) if loan.terms.loan_until else ""
    return [
        locale.say(
            "Not done: {case} is lent until {day}, and both sides have approved that.",
            case=naming.case(locale, loan),
            day=agreed,
        ),
        locale.say(
            "If you need it earlier, ask them in the room. Once it is here, type: {line}",
            line=command(f"return {loan.code}"),
        ),
    ]


def extension_asked_already(locale: Locale, *, loan: Transfer, transfer: Transfer) -> Lines:
    """The answer if an extension was requested already."""
    return [
        locale.say("Not done: an extension of {code} was requested already.", code=loan.code),
        locale.say("To request another day, first take that back: {line}", line=command(f"cancel {transfer.code}")),
    ]


def not_on_this_card(locale: Locale, *, subject: Transfer) -> Lines:
    """The refusal of a decision that this card doesn't offer."""
    return [
        locale.say("Not counted: this card has no such answer. Nothing is decided. {code}", code=subject.code),
        locale.say("Please tap one of the answers at its end. Confirm a parcel only once it is here."),
    ]


def remark_noted(locale: Locale, *, transfer: Transfer) -> Lines:
    """The answer to a reply by the lender's people to the card of a return."""
    return [locale.say("Noted: I'll write it into the item's history once {code} is confirmed.", code=transfer.code)]


def remark_not_noted(locale: Locale, *, transfer: Transfer, problem: Diagnosis | None) -> Lines:
    """The refusal of such a reply by somebody who isn't an active user, or whom InvenTree doesn't answer about."""
    first = locale.say("Not noted, and nothing else has changed: {code}", code=transfer.code)
    if problem:
        return [first, locale.say("Why: {problem}", problem=diagnosis(locale, problem))]
    return [first, locale.say("Why: you have no active InvenTree user.")]


DONE = frozenset({TransferState.RECEIVED, TransferState.DONE})
NOT_GIVEN = frozenset({TransferState.DECLINED, TransferState.ABORTED, TransferState.CANCELLED, TransferState.EXPIRED})


def card_of_child(locale: Locale, card: Card) -> Lines | None:
    """The card of a return or an extension in its present state; None if it reads like any other card."""
    transfer = card.transfer
    if transfer.state is TransferState.OPEN and not transfer.wanted:
        return _return_to_decide(locale, card) if transfer.is_return else _longer(locale, card)
    if transfer.state in DONE:
        return [first_when_done(locale, card), *_elsewhere(locale, card), *_facts(locale, card), "", transfer.code]
    if transfer.state in NOT_GIVEN:
        return _not_so(locale, card)
    return None


def _names(locale: Locale, card: Card) -> dict[str, Words]:
    return {
        "what": naming.moved(locale, card.transfer),
        "sender": card.sender,
        "receiver": card.receiver,
        "who": naming.signed(locale, card.transfer.decided),
        "day": naming.last_day(locale, card.transfer),
    }


def _return_to_decide(locale: Locale, card: Card) -> Lines:
    lines = card.transfer.terms.lines
    first = locale.of_many(
        "{sender} returns {what}. Is it here, and in good condition?",
        "{sender} returns {what}. Are they here, and in good condition?",
        lines,
        **_names(locale, card),
    )
    rules = card.transfer.terms.rules
    wanted = rules is not None and rules.photo_back
    photo: Lines = [locale.say("📷 Please send a photo of it, as a reply to this card.")] if wanted else []
    return [
        first,
        for_whom(locale, card, card.decider),
        *asked(locale, card),
        *what_comes_back(locale, card),
        "",
        locale.say("✅ here, fine · 🔧 here, but damaged · ❌ not here"),
        *photo,
        ChatOnly(
            locale.say("A remark for the item's history? Reply before you tap. You can reply with photos later, too.")
        ),
        card.transfer.code,
    ]


def _longer(locale: Locale, card: Card) -> Lines:
    names = _names(locale, card)
    days: Lines = []
    if card.due is not None:
        sentence = "Present due date: {due}. New due date: {day}, that day included."
        days = [locale.say(sentence, due=locale.day(card.due), **names), ""]
    return [
        locale.say("{receiver} asks to keep {what} until {day}. Extend the loan?", **names),
        for_whom(locale, card, card.decider),
        *asked(locale, card),
        "",
        *days,
        ChatOnly(locale.say("✅ yes, that is fine · ❌ no, sorry")),
        card.transfer.code,
    ]


def first_when_done(locale: Locale, card: Card) -> tuple[Inline, ...]:
    """'✅ 1 × Laser lens is back at attraktor, damaged.'."""
    names, things = _names(locale, card), card.transfer.terms.lines
    if card.transfer.terms.kind == "extension":
        return locale.say("✅ {receiver} can keep {what} until {day}.", **names)
    if card.transfer.damaged:
        return locale.of_many(
            "🔧 {what} is back at {receiver}, damaged.", "🔧 {what} are back at {receiver}, damaged.", things, **names
        )
    return locale.of_many("✅ {what} is back at {receiver}.", "✅ {what} are back at {receiver}.", things, **names)


def _elsewhere(locale: Locale, card: Card) -> Lines:
    """The places of items that could not go to their old location, because it is gone or takes no stock."""
    lines = [(line, card.transfer.at(line.number).place) for line in card.transfer.terms.lines if line.place]
    return [
        locale.say(
            "{item} lies in {place} now: InvenTree doesn't take it back to {home}.",
            item=naming.part(locale, line.description),
            place=locale.short(place, 60),
            home=locale.short(line.place, 60),
        )
        for line, place in lines
        if card.transfer.is_return and place not in ("", line.place)
    ]


def _facts(locale: Locale, card: Card) -> Lines:
    return [decided(locale, card), *settled(locale, card), *not_done(locale, card)]


def _not_so(locale: Locale, card: Card) -> Lines:
    transfer = card.transfer
    names = _names(locale, card)
    if transfer.terms.kind == "extension" and transfer.problem == "loan-over":
        return [locale.say("{what} needs no extension: the loan is over.", **names), transfer.code]
    if transfer.terms.kind == "extension" and transfer.problem == "other-day":
        first = locale.say("Answered: {sender} has set the due date of {what} by itself.", **names)
        if transfer.back_by is not None:
            first = locale.say("Answered with another day: {receiver} can keep {what} until {day}.", **names)
    elif transfer.terms.kind == "extension":
        first = locale.say("❌ No extension for {what}: it is due as agreed.", **names)
    elif transfer.state is TransferState.DECLINED and transfer.decided and transfer.decided.person:
        first = locale.of_many(
            "❌ Not here: {what} stays on loan to {sender}.",
            "❌ Not here: {what} stay on loan to {sender}.",
            transfer.terms.lines,
            **names,
        )
    else:
        first = locale.of_many(
            "Not returned: {what} stays on loan to {sender}.",
            "Not returned: {what} stay on loan to {sender}.",
            transfer.terms.lines,
            **names,
        )
    lines: Lines = [first]
    if transfer.decided is not None and transfer.decided.person:
        who, when = naming.signed(locale, transfer.decided), locale.when(transfer.decided.at)
        space = card.space_of(transfer.decided.party)
        lines.append(locale.say("By {who} ({space}), {when}", who=who, space=space, when=when))
        if transfer.decided.note:
            lines.append(locale.say('Why: "{why}"', why=locale.short(transfer.decided.note, 300)))
    if transfer.problem in reason_codes.KNOWN:
        why = reason_codes.why_not_given(locale, transfer.problem, card.sender, card.receiver)
        lines.append(locale.say("Why: {why}", why=why))
        if instead := reason_codes.what_instead(locale, transfer.problem, card.sender, command("spaces")):
            lines.append(instead)
    return [*lines, locale.say("Nothing has moved."), transfer.code]


# --- the answers to the lines ------------------------------------------------------------------------------------


def child_asked(locale: Locale, transfer: Transfer, peer: str) -> Lines:
    """The answer to the borrower's line that offers a return or requests an extension."""
    names: dict[str, Words] = {"what": naming.moved(locale, transfer), "peer": peer}
    if transfer.is_return:
        first = locale.say("I asked {peer} to take back {what}.", **names)
        rest = locale.say("Nothing has moved yet: an approver of {peer} has to confirm that it is back.", **names)
    else:
        day = naming.last_day(locale, transfer)
        first = locale.say("I asked {peer} to extend the loan of {what} until {day}.", day=day, **names)
        rest = locale.say("It stays due as before until an approver of {peer} agrees.", **names)
    return [
        (*first, " ", transfer.code),
        (*rest, " ", *locale.say("To cancel, reply: {cancel}", cancel=command("cancel"))),
    ]


def return_asked(locale: Locale, *, transfer: Transfer, us: PartyConfig, peer_name: str) -> Lines:
    """The answer to the lender's line: the item is here, so the borrower's bot books it out."""
    card = card_of(locale, transfer, us, peer_name)
    names, things = _names(locale, card), transfer.terms.lines
    if transfer.damaged:
        first = locale.of_many("{what} is coming back, damaged.", "{what} are coming back, damaged.", things, **names)
    else:
        first = locale.of_many("{what} is coming back.", "{what} are coming back.", things, **names)
    return [
        (*first, " ", transfer.code),
        locale.of_many(
            "The bot of {sender} books it out. Then {receiver} has it in stock again, in its old location.",
            "The bot of {sender} books them out. Then {receiver} has them in stock again, in their old locations.",
            things,
            **names,
        ),
    ]


def which_is_damaged(locale: Locale, *, loan: Transfer, word: str) -> Lines:
    """The owner's line names several items and says that something is broken."""
    line = locale.short(loan.lines_told[-1].description.ipn or loan.lines_told[-1].description.name, 40)
    return [
        locale.say('Not done: you named several items, and I can\'t tell which are "{word}".', word=word),
        locale.say(
            "Name the damaged ones alone, for example: {line}", line=command(f"return {loan.code} {line} --damaged")
        ),
    ]


def more_than_out(locale: Locale, *, loan: Transfer, line: Line, wanted: Decimal, out: Decimal) -> Lines:
    """The refusal of more than was lent, or than is still out."""
    what, units = naming.part(locale, line.description), line.description.units
    if not out:
        first = locale.say("Not done: {what} isn't on loan any more, or is on its way back already.", what=what)
        return [first, locale.say("Its present state: {show}", show=command(f"show {loan.code}"))]
    amounts = {"out": locale.quantity(out, units), "wanted": locale.quantity(wanted, units)}
    return [
        locale.say("Not done: only {out} of {what} can go back, not {wanted}.", what=what, **amounts),
        locale.say("All of it: {line}", line=command(f"return {loan.code}")),
    ]


def which_things_of_a_loan(
    locale: Locale, *, loan: Transfer, lines: tuple[Line, ...], everything: int, verb: str
) -> Lines:
    """For a loan of several items: a numbered list of those that are out, with all of them at the end."""
    numbers = "; ".join(str(line.number) for line in lines[:2])
    return [
        locale.say("Which items of {code} go back? I have done nothing yet.", code=loan.code),
        *_numbered(locale, lines),
        locale.say("{number}) all of it", number=everything),
        locale.say(
            "Reply with the number within 10 minutes. For several of them: {line}",
            line=command(f"{verb} {loan.code} {numbers}"),
        ),
    ]


def _numbered(locale: Locale, lines: Sequence[Line]) -> Lines:
    return [
        locale.say("{number}) {what}", number=line.number, what=naming.marked_thing(locale, line)) for line in lines
    ]


def less_is_back(locale: Locale, *, back: Transfer, loan: str, quantity: Decimal) -> Lines:
    """The refusal of an approval of less than the borrower has announced."""
    here = locale.quantity(quantity, back.terms.lines[0].description.units)
    return [
        locale.say(
            "Not counted: a tap or an approval means that all of {case} is back.", case=naming.case(locale, back)
        ),
        locale.say("If all of it is back: {approve}", approve=command(f"approve {back.code}")),
        locale.say(
            "If only {quantity} came back: {line} (closes this return)",
            quantity=here,
            line=command(f"return {loan} {typed(quantity)}"),
        ),
    ]


def no_such_thing_lent(locale: Locale, *, loan: Transfer, word: str, numbers: tuple[int, ...]) -> Lines:
    """The answer to a word that names no item of the loan."""
    shown = locale.short(word, 40)
    return [
        locale.say('Not done: no item of {code} is called "{word}". Its items:', word=shown, code=loan.code),
        *_numbered(locale, [loan.line(number) for number in numbers]),
    ]


def several_things_called_so(locale: Locale, *, loan: Transfer, numbers: tuple[int, ...], verb: str) -> Lines:
    """The answer to a name that several items of the loan have: a numbered list, for the same `verb`."""
    lines = _numbered(locale, [loan.line(number) for number in numbers])
    if not verb:
        first = locale.say(
            "Not done: several items of {code} have this name. Please name one by its number:", code=loan.code
        )
        return [first, *lines]
    return [
        locale.say("Which item of {code}? I have done nothing yet.", code=loan.code),
        *lines,
        locale.say("Reply with the number within 10 minutes."),
    ]


def only_all_of_a_thing(locale: Locale, *, loan: Transfer, usage: str) -> Lines:
    """The refusal of a quantity where only a whole item can be given away or written off."""
    del usage
    return [
        locale.say("Not done: of each item, you can only give away or write off all that is still on loan."),
        locale.say("First return the pieces that are there: {line}", line=command(f"return {loan.code} QUANTITY")),
    ]


_NO_PHOTO = {
    "too-large": marked("it is larger than 20 MB. Send it smaller."),
    "too-many": marked("you sent too many at once. Send it again in an hour."),
    "inactive": marked("you have no active user of InvenTree. See {check}."),
    "too-late": marked("this loan is over. Attach it in InvenTree."),
    "too-early": marked("it is not handed over yet. Send it once it is."),
    "no-picture": marked("it is no picture format that I know. JPEG, PNG, WebP, GIF and HEIC are fine."),
    "not-there": marked("the homeserver doesn't give it to me. Send it again."),
    "unreadable": marked("I can't decrypt it. Send it again."),
    "not-permitted": marked("I lack the role for it, stock: add. See {check}."),
    "unknown": marked("I can't tell whether InvenTree has it. Look at the item's attachments."),
}


def photo_kept(locale: Locale, *, transfer: Transfer, items: tuple[int, ...]) -> Lines:
    """A photo in reply to the card of a return, or to a message about a loan, is attached to the stock item."""
    numbers = ", ".join(f"#{item}" for item in items)
    return [
        locale.say(
            "Saved: the photo is attached to stock {items} in InvenTree. {code}", items=numbers, code=transfer.code
        )
    ]


def photo_not_kept(locale: Locale, *, transfer: Transfer, reason: str, problem: Diagnosis | None) -> Lines:
    """The photo isn't attached, and what helps. The problem is shown if no sentence fits the reason."""
    known = _NO_PHOTO.get(reason)
    why = locale.say(known, check=Code("fedbot check")) if known else (diagnosis(locale, problem),)
    return [locale.say("I couldn't save the photo: {why} {code}", why=why, code=transfer.code)]


def not_labelled(locale: Locale, *, transfer: Transfer, item: int, problem: Diagnosis) -> Lines:
    """For the admins: the notes of a loan's stock item could not be written; nothing waits for it."""
    return [
        locale.say(
            "The notes of stock item {item} don't show the state of loan {code}.", item=f"#{item}", code=transfer.code
        ),
        locale.say("Why: {text}", text=diagnosis(locale, problem, 300)),
        locale.say("The loan itself continues. I say this at most once a day."),
    ]
