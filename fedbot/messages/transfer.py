"""Messages about a transfer besides its card: when it is offered, when it waits, at its end, in a dispute."""

from __future__ import annotations

from datetime import datetime, timedelta

from fedbot.messages import naming
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.formatting import Inline, Items
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.lending import agreed_line, agrees_line, offered_to_their_bot, overdue_line
from fedbot.messages.loan import child_asked, first_when_done, on_terms
from fedbot.messages.naming import command
from fedbot.messages.transfer_card import transfer_card
from fedbot.messages.transfer_facts import (
    Card,
    by_another_name,
    by_rules,
    card_of,
    decided,
    did_not_arrive,
    how_far,
    how_to_stop,
    in_one_line,
    no_part_for,
    not_done,
    nothing_left,
    nothing_moved,
    pickup,
    silent_bot,
    unmatched,
)
from fedbot.rules.model.command import NUMBER_WITHIN
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.diagnosis import GONE, Diagnosis, reason_of
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Line, Transfer

A_MINUTE = timedelta(minutes=1)


def transfer_offered(
    locale: Locale,
    *,
    transfer: Transfer,
    connection: Connection,
    us: PartyConfig,
    overdue: tuple[Transfer, ...] = (),
    before: Transfer | None = None,
) -> Lines:
    """The answer to the line that offered something; it carries the offer.

    `overdue`: what the receiver has overdue. `before`: the same was offered by the same person a moment ago.
    """
    terms = transfer.terms
    receiver = naming.space(locale, connection.peer_name)
    if terms.parent:
        return child_asked(locale, transfer, receiver)
    lines: Lines = [
        offered_to_their_bot(locale, transfer, receiver)
        if terms.outside is not None
        else locale.say(
            "Offered to {receiver}, {terms}: {what}." if transfer.is_loan else "Offered to {receiver}: {what}.",
            receiver=receiver,
            what=naming.moved(locale, transfer),
            terms=on_terms(locale, transfer),
        ),
    ]
    if len(terms.lines) > 1:
        lines.append(Items(tuple(naming.marked_thing(locale, line) for line in terms.lines)))
    elif terms.lines[0].whole and not (terms.lines[0].serial or terms.outside):
        lines = [(*_inline(lines[0]), " ", *locale.say("That is the whole stock item."))]
    if transfer.care:
        own = naming.space(locale, us.name)
        if by_rules(transfer):
            second = marked("⚠ Lending rules: a second approver of {space} has to approve, too, on my card.")
        else:
            second = marked("⚠ High value: a second approver of {space} has to approve, too, on my card.")
        lines.append(locale.say(second, space=own))
    lines += [*_once_more(locale, transfer, before), *(overdue_line(locale, overdue, receiver) if overdue else [])]
    return [(*_inline(lines[0]), " ", transfer.code), *lines[1:], _who_decides(locale, transfer, receiver)]


def _once_more(locale: Locale, transfer: Transfer, before: Transfer | None) -> Lines:
    """Says that this comes in addition to one just like it."""
    if before is None:
        return []
    ago = locale.span(max(transfer.asked.at - before.asked.at, A_MINUTE))
    told = "⚠ You typed the same thing {time} ago ({code}). This is a second one."
    return [locale.say(told, time=ago, code=before.code)]


def _who_decides(locale: Locale, transfer: Transfer, space: str) -> tuple[Inline, ...]:
    return locale.say(
        "Nothing has moved yet: {space} has until {when} to decide. To take it back, reply: {cancel}",
        space=space,
        when=locale.when(transfer.due),
        cancel=command("cancel"),
    )


def transfer_requested(
    locale: Locale, *, transfer: Transfer, connection: Connection, us: PartyConfig, before: Transfer | None = None
) -> Lines:
    """The answer to the line that asked for something; it carries the request. `before` as in `transfer_offered`."""
    owner = naming.space(locale, connection.peer_name)
    if transfer.terms.parent:
        return child_asked(locale, transfer, owner)
    lines: Lines = [
        locale.say(
            "Asked {owner} for {what}, {terms}." if transfer.is_loan else "Asked {owner} for {what}.",
            owner=owner,
            what=naming.moved(locale, transfer),
            terms=on_terms(locale, transfer),
        )
    ]
    if len(transfer.terms.lines) > 1:
        lines.append(Items(tuple(naming.marked_thing(locale, line) for line in transfer.terms.lines)))
    if transfer.terms.rules is not None:
        receiver = naming.space(locale, us.name)
        lines += [agreed_line(locale, text, receiver=receiver) for text in transfer.terms.rules.agree]
    lines += _once_more(locale, transfer, before)
    return [(*_inline(lines[0]), " ", transfer.code), *lines[1:], _who_decides(locale, transfer, owner)]


def request_without_part(locale: Locale, *, transfer: Transfer, us: PartyConfig) -> Lines:
    """The bot takes back the request, because none of our parts fits the sender's item."""
    space = naming.space(locale, us.name)
    homeless = [transfer.line(progress.number) for progress in unmatched(transfer)]
    lines: Lines = [
        locale.say(
            "Taken back: {space} has no location for {what} ({code}).",
            space=space,
            what=naming.things(locale, homeless),
            code=transfer.code,
        )
    ]
    lines += [no_part_for(locale, transfer, line.number, space) for line in homeless[: naming.MOST_IN_FIRST_LINE]]
    lines += by_another_name(locale, transfer)
    return [*lines, locale.say("Nothing has moved. Once that is fixed, ask again.")]


_ASKED_ANEW = {
    "to-be-agreed": marked("{space} asks borrowers to agree to a text. I took your request back: {code}"),
    "not-in-order": marked("The item at {space} isn't in good condition. I took the request back: {code}"),
    "other-unit": marked("{space} counts it in another unit. I took the request back: {code}"),
    "other-thing": marked("{space} offers another item than you asked for. I took your request back: {code}"),
}


def another_thing_would_be_given(
    locale: Locale,
    *,
    transfer: Transfer,
    us: PartyConfig,
    peer_name: str,
    others: tuple[tuple[Line, tuple[Line, ...]], ...],
    why: str,
    agrees_to: tuple[str, ...] = (),
) -> Lines:
    """The owner means something else by the words of a request, or what it has isn't in order: its asker is asked.

    A number asks for just that. `why` is the code with which the request was taken back. `agrees_to`: the texts of the
    owner's lending rules, to which the asker agrees with that number. Then `others` may be empty.
    """
    names: dict[str, Words] = {"space": naming.space(locale, peer_name), "code": transfer.code}
    lines: Lines = [locale.say(_ASKED_ANEW[why], **names)]
    for asked, given in others[: naming.MOST_IN_FIRST_LINE]:
        lines.append(
            locale.say(
                "You asked for: {asked}. It offers: {given}",
                asked=naming.thing(locale, asked),
                given=", ".join(naming.flawed_thing(locale, line) for line in given[: naming.MOST_IN_FIRST_LINE]),
            )
        )
    receiver = naming.space(locale, us.name)
    lines += [agrees_line(locale, text, sender=names["space"], receiver=receiver) for text in agrees_to]
    number = locale.say("1) Agree, and ask for that") if agrees_to else locale.say("1) Ask for that")
    return [
        *lines,
        number,
        locale.say("Nothing has moved. If you want it, reply 1 within {time}.", time=locale.span(NUMBER_WITHIN)),
    ]


def transfer_end(locale: Locale, *, transfer: Transfer, us: PartyConfig, peer_name: str) -> Lines:
    """The end as a message of its own, for who asked and who decided."""
    pills = _addressed(locale, transfer)
    card = card_of(locale, transfer, us, peer_name)
    if transfer.state is not TransferState.DONE:
        first, *rest = transfer_card(locale, transfer=transfer, us=us, peer_name=peer_name, people=[])
        told = _what_ends_tell(locale, card, rest)
        return [(*pills, *_inline(first), " ", transfer.code), *told]
    if transfer.terms.parent:
        return [
            (*pills, *first_when_done(locale, card), " ", transfer.code),
            decided(locale, card),
            *not_done(locale, card),
        ]
    partly = [*not_done(locale, card), *did_not_arrive(locale, card)]
    went = [line for line in transfer.lines_come if transfer.at(line.number).stage == "arrived"]
    due = transfer.due_day
    names: dict[str, Words] = {
        "what": naming.things(locale, went) if partly else naming.moved(locale, transfer),
        "receiver": card.receiver,
        "code": transfer.code,
    }
    if due is None:
        first = locale.of_many(
            "✅ {what} is at {receiver}. {code}", "✅ {what} are at {receiver}. {code}", went, **names
        )
    else:
        first = locale.of_many(
            "✅ {what} is at {receiver}, due {day}. {code}",
            "✅ {what} are at {receiver}, due {day}. {code}",
            went,
            day=naming.last_day(locale, transfer),
            **names,
        )
    return [(*pills, *first), decided(locale, card), *pickup(locale, card), *partly, *_photo_wanted(locale, card)]


def _photo_wanted(locale: Locale, card: Card) -> Lines:
    """At the owner, whose lending rules ask for one; a reply of its people to this message is kept with the item."""
    rules = card.transfer.terms.rules
    if rules is None or not rules.photo_out or card.transfer.role != "sender":
        return []
    wanted = "📷 {sender}, please send a photo of it, as a reply to this message."
    return [locale.say(wanted, sender=card.sender)]


def _what_ends_tell(locale: Locale, card: Card, rest: Lines) -> Lines:
    """Those other lines of a card that the mentioned person has to know; the card has the rest."""
    transfer = card.transfer
    known: Lines = ["", transfer.code, decided(locale, card), nothing_moved(locale), nothing_left(locale, card)]
    told = [line for line in rest if line not in known]
    by_nobody = transfer.state is TransferState.DECLINED and not (transfer.decided and transfer.decided.person)
    has_advice = by_nobody or transfer.state in {TransferState.ABORTED, TransferState.REVERTED}
    return told if has_advice else in_one_line(told)


def _addressed(locale: Locale, transfer: Transfer) -> tuple[Inline, ...]:
    """'@Anna @Bea ', as far as the end is their business (they are the ones that it mentions)."""
    people = [(transfer.terms.asker, transfer.asked.name)]
    by = transfer.decided
    if by and by.person and by.person != transfer.terms.asker and transfer.state is not TransferState.CANCELLED:
        people.append((by.person, by.name))
    nodes: list[Inline] = []
    for user, name in people:
        nodes += [naming.pill(locale, user, name), " "]
    return tuple(nodes)


def _inline(line: object) -> tuple[Inline, ...]:
    """A card's first line, which is always a sentence."""
    if not isinstance(line, tuple):
        raise TypeError(f"the first line of a card is a sentence, not {line!r}")
    return line


def transfer_waits(
    locale: Locale,
    *,
    transfer: Transfer,
    us: PartyConfig,
    problem: Diagnosis,
    next_try: datetime,
    peer_name: str,
    silent: bool = True,
) -> Lines:
    """Something can't go on now: what is done, what is not, what happens next, how to stop it.

    Not `silent`: InvenTree answers, but says no, so that its admins have to do something.
    """
    space = naming.space(locale, us.name)
    since = transfer.waiting_since
    if since is None:
        first = locale.say("⏸ {code} waits for the InvenTree of {space}.", code=transfer.code, space=space)
    else:
        first = locale.say(
            "⏸ {code} has waited for the InvenTree of {space} since {since}.",
            code=transfer.code,
            space=space,
            since=locale.clock(since),
        )
    return [
        first,
        locale.say("Why: {problem}", problem=diagnosis(locale, problem)),
        how_far(locale, transfer, us, peer_name),
        locale.say("Next: I try again by myself (next {time}). Nothing to do now.", time=locale.clock(next_try))
        if silent
        else locale.say("Next: the admins of {space} fix that. Then I continue by myself.", space=space),
        how_to_stop(locale, transfer),
    ]


def transfer_goes_on(locale: Locale, *, transfer: Transfer) -> Lines:
    """The message about a wait, once it is over."""
    return [locale.say("▶ {code} continues: InvenTree answers again. Nothing to do.", code=transfer.code)]


def peer_silent(locale: Locale, *, transfer: Transfer, us: PartyConfig, peer_name: str) -> Lines:
    """The peer's bot has not answered for a while."""
    silent = silent_bot(locale, transfer, us, peer_name, how_far(locale, transfer, us, peer_name))
    return [*silent, how_to_stop(locale, transfer)]


# --- in the admin room -------------------------------------------------------------------------------------


def not_put_away(locale: Locale, *, transfer: Transfer, peer_name: str, problem: Diagnosis) -> Lines:
    """It was booked in, but lies in *Incoming* still; or somebody has deleted it since."""
    things, peer = naming.things(locale, transfer.lines_told), naming.space(locale, peer_name)
    why = locale.say("Why: {text}", text=diagnosis(locale, problem))
    if reason_of(problem) == GONE:
        return [
            locale.say(
                "{things} from {peer} may be gone from InvenTree: I could not put it away.", things=things, peer=peer
            ),
            locale.say("Done: it was booked in, and {peer} knows. Not done: moving it to its place.", peer=peer),
            why,
            locale.say("Please look in InvenTree. If somebody has deleted it, and it is here, add it again by hand."),
            transfer.code,
        ]
    return [
        locale.say("{things} from {peer} is in Incoming: I could not put it away.", things=things, peer=peer),
        locale.say("Done: it is booked in, and {peer} knows. Not done: moving it to its location.", peer=peer),
        why,
        locale.say("Please move it in InvenTree by hand. I don't try again."),
        transfer.code,
    ]


def not_marked_arrived(locale: Locale, *, transfer: Transfer, problem: Diagnosis) -> Lines:
    """It arrived; our own record of it keeps the status 'on its way'."""
    return [
        locale.say(
            "{things} has arrived, but our record still says that it is on its way.",
            things=naming.things(locale, transfer.lines_told),
        ),
        locale.say("Why: {text}", text=diagnosis(locale, problem)),
        locale.say("Please set the item's status back in InvenTree by hand. I don't try again."),
        transfer.code,
    ]


def sum_does_not_add_up(locale: Locale, *, transfer: Transfer, line: Line, problem: Diagnosis) -> Lines:
    """InvenTree moved something else than was asked for: somebody has to count."""
    return [
        locale.say(
            "Please count stock #{item} ({part}): its quantity in InvenTree may be wrong now.",
            item=line.item,
            part=naming.part(locale, line.description),
        ),
        locale.say("InvenTree says: {text}", text=diagnosis(locale, problem)),
        locale.say("Nothing was handed over. Somebody moved the same stock at the same moment."),
        transfer.code,
    ]
