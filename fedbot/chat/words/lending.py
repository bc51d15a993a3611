"""Loans and what follows of them: what a card says of one, its days, its end, what came back; and why not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from fedbot.chat.content import Bold, Inline
from fedbot.chat.words import naming, reasons
from fedbot.chat.words.diagnoses import diagnosis
from fedbot.chat.words.naming import command
from fedbot.chat.words.tongue import Lines, Tongue, Words, marked
from fedbot.chat.words.transfer_facts import Card, card_of
from fedbot.federation.documents import Closing, Connection, Ending, Line, Transfer
from fedbot.federation.home import Home
from fedbot.federation.stock import StockItem

# --- on cards ------------------------------------------------------------------------------------------------


def on_terms(tongue: Tongue, transfer: Transfer) -> tuple[Inline, ...]:
    """Within a sentence: 'to keep', or 'on loan until Tue 15 Dec 2026'."""
    if transfer.due_day is None:
        return tongue.say("to keep")
    return tongue.say("on loan until {day}", day=naming.last_day(tongue, transfer))


def loan_line(tongue: Tongue, card: Card) -> Lines:
    """What a loan means, before a yes to it."""
    if not card.transfer.is_loan:
        return []
    day = naming.last_day(tongue, card.transfer)
    return [tongue.say("Loan: it stays {sender}'s; back by {day}, that day included.", sender=card.sender, day=day)]


def what_to_reply(tongue: Tongue, transfer: Transfer) -> tuple[Inline, ...]:
    """The footer of a card that is done."""
    if not transfer.is_on_loan:
        return tongue.say("Reply here with: {show}", show=command("show"))
    code = transfer.code  # for the people of both spaces, and a reply to another bot's card ends no loan
    return tongue.say(
        "Reply here with: {back} · {longer} · {show}",
        back=command(f"return {code}"),
        longer=command(f"extend {code} 2 weeks"),
        show=command("show"),
    )


# --- days that can't be meant --------------------------------------------------------------------------------


def day_unclear(tongue: Tongue, *, word: str) -> Lines:
    """No day, and no span of time."""
    return [
        tongue.say('Not done: I can\'t read "{word}" as a day. Nothing was sent.', word=tongue.short(word, 40)),
        tongue.say("For example: 3 weeks · tomorrow · friday · 31.1. · 2026-12-15"),
    ]


def day_is_past(tongue: Tongue, *, day: date) -> Lines:
    """A day before today."""
    return [tongue.say("Not done: {day} is over. Nothing was sent.", day=tongue.day(day))]


def day_too_far(tongue: Tongue, *, day: date) -> Lines:
    """More than two years ahead."""
    return [
        tongue.say("Not done: {day} is more than two years ahead. Nothing was sent.", day=tongue.day(day)),
        tongue.say("What stays that long can be given to keep: {push}", push=command("help push")),
    ]


# --- what happens to a loan ----------------------------------------------------------------------------------


def closed_line(tongue: Tongue, card: Card) -> tuple[Inline, ...]:
    """The first line of the card of a loan that is over."""
    closed = card.transfer.closed
    if closed is None:
        raise ValueError(f"loan {card.transfer.code} isn't over")
    sentences = {
        Ending.RETURNED: marked("✅ Back again since {when}: {what}, lent by {sender} to {receiver}."),
        Ending.GIFT: marked("✅ A gift since {when}: {what} is {receiver}'s now, says {who} ({sender})."),
        Ending.LOST: marked("❌ Lost: {what}, lent to {receiver}. Says {who} ({sender}), {when}."),
        Ending.KEPT: marked("✅ Kept: {what} stays at {receiver} as {sender}'s. Says {who}, {when}."),
    }
    several = len({card.transfer.ending_of(line.number) for line in card.transfer.terms.lines}) > 1
    over = marked("✅ Over since {when}: {what}, lent to {receiver}.")
    return tongue.say(
        over if several else sentences[closed.how],
        what=naming.moved(tongue, card.transfer),
        sender=card.sender,
        receiver=card.receiver,
        who=naming.signed(tongue, closed.by),
        when=tongue.when(closed.by.at),
    )


def line_ends(tongue: Tongue, card: Card) -> Lines:
    """Of a loan of several things, how those ended that didn't come back, where not all did alike."""
    loan = card.transfer
    if len({loan.ending_of(line.number) for line in loan.terms.lines}) == 1:
        return []
    return [_line_end(tongue, card, loan.line(closing.line), closing) for closing in loan.line_ends]


def _line_end(tongue: Tongue, card: Card, line: Line, closing: Closing) -> tuple[Inline, ...]:
    names: dict[str, Words] = {
        "what": naming.thing(tongue, line),
        "sender": card.sender,
        "receiver": card.receiver,
        "who": naming.signed(tongue, closing.by),
        "when": tongue.when(closing.by.at),
    }
    if closing.how is Ending.GIFT:
        return tongue.say("A gift to {receiver}: {what}, says {who} ({sender}), {when}.", **names)
    if closing.how is Ending.LOST:
        return tongue.say("Lost: {what}, says {who} ({sender}), {when}.", **names)
    if closing.how is Ending.KEPT:
        return tongue.say("Stays at {receiver} as {sender}'s: {what}, says {who} ({receiver}), {when}.", **names)
    return tongue.say("Back at {sender}: {what}, says {who} ({sender}), {when}.", **names)


def is_home(loan: Transfer) -> bool:
    """Whether all that was lent is back."""
    return all(loan.ending_of(line.number) is Ending.RETURNED for line in loan.terms.lines)


def loan_closed(
    tongue: Tongue,
    *,
    loan: Transfer,
    home: Home,
    peer_name: str,
    part: Closing | None = None,
    lines: tuple[Line, ...] = (),
) -> Lines:
    """The owner's approver made it, or only a `part` of it (these lines), a gift, or wrote it off."""
    card = card_of(tongue, loan, home, peer_name)
    closing = part or loan.closed
    if closing is None:
        raise ValueError(f"loan {loan.code} isn't over")
    said: Lines = [_line_end(tongue, card, line, closing) for line in lines] if part else [closed_line(tongue, card)]
    names = {"receiver": card.receiver, "sender": card.sender}
    if closing.how is Ending.LOST:
        said.append(tongue.say("At {sender} it stays with customer {receiver}, with the status 'lost'.", **names))
        said.append(tongue.say("{receiver}'s admins are told how it leaves the stock there.", **names))
    elif part:
        said.append(tongue.say("Nothing of that is owed any more; the rest is on loan still. Nothing moves."))
    else:
        said.append(tongue.say("Nothing is owed any more. Nothing moves."))
    return [*said, loan.code]


def over_but_in_our_books(tongue: Tongue, *, loan: Transfer, peer_name: str, numbers: tuple[int, ...]) -> Lines:
    """For the admins: it is lost, or the owner has it again, but no bot has taken it out of our stock."""
    peer = naming.space(tongue, peer_name)
    lines = [loan.line(number) for number in numbers]
    what = Bold(naming.all_of(tongue, lines))
    items = tongue.names([f"#{item}" for number in numbers if (item := loan.at(number).item)])
    if loan.ending_of(numbers[0]) is Ending.LOST:
        first = tongue.say("⚠ Lost, says {peer}, but still in our stock: {what}.", what=what, peer=peer)
    else:
        first = tongue.say("⚠ Back at {peer}, but still in our stock: {what}.", what=what, peer=peer)
    resolve = command(f"resolve {loan.code}")
    return [
        first,
        tongue.say("A superuser has it taken out (stock {items}): {resolve}", items=items, resolve=resolve),
        loan.code,
    ]


def not_written_off(tongue: Tongue, *, loan: Transfer, text: str) -> Lines:
    """For the admins: what is over could not be taken out of our stock."""
    return [
        tongue.say("{case} is over, but still in our stock.", case=naming.case(tongue, loan)),
        tongue.say("Why: {text}", text=diagnosis(tongue, text)),
        tongue.say("To look again, a superuser says: {resolve}", resolve=command(f"resolve {loan.code}")),
    ]


def gift_not_noted(tongue: Tongue, *, loan: Transfer, text: str) -> Lines:
    """For the admins: that it is a gift could not be written into its history."""
    return [
        tongue.say("{case} is a gift, but InvenTree's history doesn't tell so.", case=naming.case(tongue, loan)),
        tongue.say("Why: {text}", text=diagnosis(tongue, text)),
        tongue.say("Please look whether its status is as it was; I don't try again."),
    ]


def loss_not_noted(tongue: Tongue, *, loan: Transfer, text: str) -> Lines:
    """For the admins: the status 'lost' could not be set."""
    return [
        tongue.say("{case} is lost, but InvenTree has not taken the status.", case=naming.case(tongue, loan)),
        tongue.say("Why: {text}", text=diagnosis(tongue, text)),
        tongue.say("Please set the item's status to 'lost' in InvenTree by hand; I don't try again."),
    ]


def loan_extended(tongue: Tongue, *, loan: Transfer, home: Home, peer_name: str) -> Lines:
    """The owner's approver gave more time."""
    del home, peer_name
    return [_due(tongue, loan), loan.code]


def _due(tongue: Tongue, loan: Transfer) -> tuple[Inline, ...]:
    day = naming.last_day(tongue, loan)
    return tongue.say("✅ {what} may stay until {day}, that day included.", what=naming.moved(tongue, loan), day=day)


def loan_reminder(
    tongue: Tongue,
    *,
    loan: Transfer,
    home: Home,
    peer_name: str,
    people: dict[str, str],
    today: date,
    out: tuple[Line, ...] = (),
) -> Lines:
    """To the borrower's people, before and on the last day, and weekly when it is over; in neutral words.

    `out` is what isn't back yet (an older bot's message, still to be sent, doesn't tell), `today` the owner's day.
    """
    out = out or loan.terms.lines
    pills: list[Inline] = []
    for person, name in people.items():
        pills += [naming.pill(tongue, person, name), " "]
    owner = naming.sender(tongue, loan, home, peer_name)
    due = loan.due_day or today
    days = (due - today).days
    what = Bold(naming.all_of(tongue, out))
    names: dict[str, Words] = {"what": what, "owner": owner, "day": naming.last_day(tongue, loan)}
    if days > 1:
        first = tongue.of_many(
            "{what} goes back to {owner} by {day}.", "{what} go back to {owner} by {day}.", out, **names
        )
    elif days == 1:
        first = tongue.of_many(
            "{what} goes back to {owner} by tomorrow, {day}.",
            "{what} go back to {owner} by tomorrow, {day}.",
            out,
            **names,
        )
    elif days == 0:
        first = tongue.of_many(
            "{what} goes back to {owner} today, {day}.", "{what} go back to {owner} today, {day}.", out, **names
        )
    else:
        first = tongue.of_many(
            "{what} was to be back at {owner} by {day}.", "{what} were to be back at {owner} by {day}.", out, **names
        )
    how = tongue.say(
        "When it goes back, reply: {back} · for more time: {longer}",
        back=command("return"),
        longer=command("extend 2 weeks"),
    )
    return [(*pills, *first), how, loan.code]


# --- what can't be ---------------------------------------------------------------------------------------------


def no_loan(tongue: Tongue, *, subject: Connection | Transfer) -> Lines:
    """The case is no loan."""
    return [
        tongue.say("Not done: {case} is no loan.", case=naming.case(tongue, subject)),
        tongue.say("What is on loan: {todo}", todo=command("todo")),
    ]


def not_on_loan(tongue: Tongue, *, loan: Transfer, home: Home, peer_name: str) -> Lines:
    """Not yet, or not any more."""
    if loan.closed is None:
        return [tongue.say("Not done: {case} isn't on loan (yet).", case=naming.case(tongue, loan))]
    return [
        tongue.say("Not done: {code} is over already.", code=loan.code),
        closed_line(tongue, card_of(tongue, loan, home, peer_name)),
    ]


def owner_decides(tongue: Tongue, *, loan: Transfer, peer_name: str, usage: str) -> Lines:
    """That is for the owner to say."""
    del usage
    return [
        tongue.say(
            "Not done: {case} is {peer}'s, so an approver of {peer} says that.",
            case=naming.case(tongue, loan),
            peer=naming.space(tongue, peer_name),
        )
    ]


def owner_sees_damage(tongue: Tongue, *, loan: Transfer, peer_name: str) -> Lines:
    """Damage is for the owner to say."""
    peer = naming.space(tongue, peer_name)
    return [
        tongue.say("Not done: in which state {code} comes back says {peer}, on its card.", code=loan.code, peer=peer),
        tongue.say("You can write it along: {line}", line=command(f'return {loan.code} --note "…"')),
    ]


def return_under_way(tongue: Tongue, *, loan: Transfer, transfer: Transfer) -> Lines:
    """Something of it is on its way back already."""
    return [
        tongue.say("Not done: {case} is on its way back already.", case=naming.case(tongue, loan)),
        tongue.say("How it stands: {show}", show=command(f"show {transfer.code}")),
        tongue.say(
            "Waits for a yes: the owner's people decide on its card. To stop it before: {cancel}",
            cancel=command(f"cancel {transfer.code}"),
        ),
    ]


def borrowed_stock_unknown(tongue: Tongue, *, loan: Transfer, peer_name: str) -> Lines:
    """This side doesn't know the borrower's stock items."""
    return [
        tongue.say(
            "Not done: I don't know which stock item {case} is at the borrower's.", case=naming.case(tongue, loan)
        ),
        tongue.say(
            "An approver of {peer} can start it: {line}",
            peer=naming.space(tongue, peer_name),
            line=command(f"return {loan.code}"),
        ),
    ]


def borrowed_is_elsewhere(
    tongue: Tongue, *, loan: Transfer, line: Line, item: StockItem | None, there: Decimal
) -> Lines:
    """Our stock item isn't as it was booked in: used, moved to a customer, split by hand."""
    what = naming.thing(tongue, line)
    lines: Lines = [
        tongue.say("Not done: {what} isn't all in stock #{item} any more.", what=what, item=line.item),
    ]
    if item is None:
        lines.append(tongue.say("That stock item is gone. The owner's approver can settle it as a gift, or lost."))
        return [*lines, loan.code]
    lines.append(
        tongue.say(
            "Free there: {there}, status {status}. Merge or move it back in InvenTree, then say it again.",
            there=tongue.quantity(there, item.part.units),
            status=naming.status(tongue, item.status_text, item.status),
        )
    )
    if there > 0:
        amount = tongue.typed(there)
        lines.append(tongue.say("Or hand back what is there: {line}", line=command(f"return {loan.code} {amount}")))
    return [*lines, loan.code]


def borrowed_not_salable(tongue: Tongue, *, loan: Transfer, item: StockItem) -> Lines:
    """InvenTree assigns only salable parts to a company."""
    part = tongue.short(item.part.name, 60)
    return [
        tongue.say("Not done: InvenTree hands back only salable parts, and {part} isn't one any more.", part=part),
        tongue.say("Who may change parts can switch on 'salable' at it; then say it again."),
        loan.code,
    ]


def can_not_come_back(tongue: Tongue, *, loan: Transfer, reason: str, home: Home, peer_name: str) -> Lines:
    """Our InvenTree could not take it back."""
    own, peer = naming.space(tongue, home.name), naming.space(tongue, peer_name)
    why = reasons.why_not_given(tongue, reason, peer, own)
    instead = reasons.what_instead(tongue, reason, own, command("spaces"))
    lines: Lines = [tongue.say("Not done: {case} stays on loan.", case=naming.case(tongue, loan))]
    return [*lines, tongue.say("Why: {why}", why=why), *([instead] if instead else [])]


def no_friends_to_return_to(tongue: Tongue, *, loan: Transfer, peer_name: str) -> Lines:
    """The friendship ended at once: the borrower's bot has nobody to hand it back to."""
    peer, case = naming.space(tongue, peer_name), naming.case(tongue, loan)
    return [
        tongue.say(
            "Not done: we and {peer} are no friends any more, so no bot can book {case} back.", peer=peer, case=case
        ),
        tongue.say(
            "Bring it back all the same; an approver of {peer} then says: {back}",
            peer=peer,
            back=command(f"return {loan.code}"),
        ),
        tongue.say(
            "If {peer} is gone for ever, a superuser of ours settles it: {resolve}",
            peer=peer,
            resolve=command(f"resolve {loan.code}"),
        ),
    ]


def extend_until_when(tongue: Tongue, *, usage: str, example: str) -> Lines:
    """No time was said."""
    return [
        tongue.say("Not done: until when? {usage}", usage=command(usage)),
        tongue.say("For example: {example}", example=command(example)),
    ]


def due_later_already(tongue: Tongue, *, loan: Transfer) -> Lines:
    """It may stay longer than that anyway."""
    day = naming.last_day(tongue, loan)
    return [tongue.say("Nothing to do: {case} may stay until {day} anyway.", case=naming.case(tongue, loan), day=day)]


def agreed_until_later(tongue: Tongue, *, loan: Transfer) -> Lines:
    """The owner can't ask it back before the day for which both have said yes."""
    agreed = tongue.day_there(loan.terms.loan_until, loan.terms.time_zone) if loan.terms.loan_until else ""
    return [
        tongue.say(
            "Not done: {case} was lent until {day}, and both said yes to that.",
            case=naming.case(tongue, loan),
            day=agreed,
        ),
        tongue.say(
            "If you need it earlier, ask them in the room. Once it is here: {line}", line=command(f"return {loan.code}")
        ),
    ]


def extension_asked_already(tongue: Tongue, *, loan: Transfer, transfer: Transfer) -> Lines:
    """More time was asked for already."""
    return [
        tongue.say("Not done: more time for {code} was asked for already.", code=loan.code),
        tongue.say("To ask otherwise, take that back first: {line}", line=command(f"cancel {transfer.code}")),
    ]


def not_on_this_card(tongue: Tongue, *, subject: Transfer) -> Lines:
    """An answer that this card doesn't offer."""
    return [
        tongue.say("Not counted: this card has no such answer. Nothing is decided. {code}", code=subject.code),
        tongue.say("Please tap one of those at its end; what comes by parcel, once it is here."),
    ]


def remark_noted(tongue: Tongue, *, transfer: Transfer) -> Lines:
    """A reply to the card of a return, by the owner's people."""
    return [tongue.say("Noted: it will stand in the item's history, if {code} is taken back.", code=transfer.code)]


def remark_not_noted(tongue: Tongue, *, transfer: Transfer, problem: str) -> Lines:
    """A reply to the card of a return by somebody who isn't an active user, or of whom InvenTree tells nothing."""
    first = tongue.say("Not noted, and nothing else is changed: {code}", code=transfer.code)
    if problem:
        return [first, tongue.say("Why: {problem}", problem=diagnosis(tongue, problem))]
    return [first, tongue.say("Why: you have no active user of InvenTree.")]
