"""The card of a transfer that is over, and messages about a parcel on its way."""

from __future__ import annotations

from collections.abc import Callable

from fedbot.messages import naming, reason_codes
from fedbot.messages.diagnosis import diagnosis, known_words
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.lending import rules_lines
from fedbot.messages.loan import closed_line, is_home, lent_at_first, line_ends, on_terms, what_to_reply
from fedbot.messages.markup import Bold, Inline
from fedbot.messages.naming import command
from fedbot.messages.transfer.card_lines import (
    Card,
    back_in_stock,
    decided,
    did_not_arrive,
    failed,
    not_done,
    nothing_left,
    nothing_moved,
    pickup,
    received,
    settled,
    where_it_is,
)
from fedbot.rules.model.ledger import LOST
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.transfer import Transfer


def _done(locale: Locale, card: Card) -> Lines:
    names: dict[str, Words] = {
        "what": naming.moved(locale, card.transfer),
        "sender": card.sender,
        "receiver": card.receiver,
    }
    if card.transfer.is_loan:
        first = locale.of_many(
            "✅ Done: {what} is on loan from {sender} to {receiver} until {day}.",
            "✅ Done: {what} are on loan from {sender} to {receiver} until {day}.",
            card.lines_out,
            day=naming.last_day(locale, card.transfer),
            **{**names, "what": Bold(naming.all_of(locale, card.lines_out))},
        )
    else:
        first = locale.say("✅ Done: {what} went from {sender} to {receiver}, to keep.", **names)
    if failed(card.transfer) or card.transfer.lines_missing:
        first = locale.say(
            "✅ Done in part: {what} went from {sender} to {receiver}, {terms}.",
            what=naming.things(locale, card.transfer.lines_told),
            sender=card.sender,
            receiver=card.receiver,
            terms=on_terms(locale, card.transfer),
        )
    if card.transfer.closed is not None:
        first = closed_line(locale, card)
    why = naming.because(locale, card.transfer.closed.by if card.transfer.closed else None)
    footer = what_to_reply(locale, card.transfer)
    happened: Lines = [
        first,
        *why,
        *lent_at_first(locale, card),
        *line_ends(locale, card),
        decided(locale, card),
        *received(locale, card),
        *settled(locale, card),
    ]
    facts: Lines = [
        *([] if is_home(card.transfer) else [*where_it_is(locale, card), *pickup(locale, card)]),
        *not_done(locale, card),
        *did_not_arrive(locale, card),
        *(rules_lines(locale, card) if card.transfer.is_on_loan else []),
    ]
    return [*happened, *(["", *facts] if facts else []), "", footer, card.transfer.code]


def _declined(locale: Locale, card: Card) -> Lines:
    what = naming.moved(locale, card.transfer)
    by = card.transfer.decided
    if by is None or not by.person:
        first = locale.say("❌ Not given: {what}.", what=what)
        why = reason_codes.why_not_given(locale, card.transfer.problem, card.sender, card.receiver)
        instead = reason_codes.what_instead(locale, card.transfer.problem, card.sender, command("spaces"))
        line = card.transfer.declined_line
        said = [
            first,
            locale.say("Because of {item}: {why}", item=naming.thing(locale, line), why=why)
            if line is not None
            else locale.say("Why: {why}", why=why),
            nothing_moved(locale),
            instead,
            locale.say("Or ask for the rest without it.") if line is not None else (),
        ]
        return [*(line for line in said if line), card.transfer.code]
    first = locale.of_many(
        "❌ Declined: {what} stays at {sender}.",
        "❌ Declined: {what} stay at {sender}.",
        card.transfer.terms.lines,
        what=what,
        sender=card.sender,
    )
    return [first, _by_whom(locale, card), *naming.because(locale, by), nothing_moved(locale), card.transfer.code]


def _cancelled(locale: Locale, card: Card) -> Lines:
    transfer = card.transfer
    first = locale.of_many(
        "Cancelled: {what} stays at {sender}.",
        "Cancelled: {what} stay at {sender}.",
        transfer.terms.lines,
        what=naming.moved(locale, transfer),
        sender=card.sender,
    )
    lines: Lines = [first]
    if transfer.decided is not None and transfer.decided.person:
        lines += [_by_whom(locale, card), *naming.because(locale, transfer.decided)]
    if transfer.problem in reason_codes.KNOWN:
        why = reason_codes.why_not_given(locale, transfer.problem, card.sender, card.receiver)
        lines.append(locale.say("Why: {why}", why=why))
    return [*lines, nothing_moved(locale), transfer.code]


def _by_whom(locale: Locale, card: Card) -> tuple[Inline, ...]:
    signature = card.transfer.decided
    if signature is None:
        return locale.say("By {space}", space=card.decider)
    return locale.say(
        "By {who} ({space}), {when}",
        who=naming.signed(locale, signature),
        space=card.space_of(signature.party),
        when=locale.when(signature.at),
    )


def _expired(locale: Locale, card: Card) -> Lines:
    if card.transfer.was_due is not None:
        nobody_came = locale.say(
            "Nobody from {receiver} picked it up by {when}.",
            receiver=card.receiver,
            when=naming.open_until(locale, card.transfer),
        )
        nobody_asked = locale.say(
            "The bot of {sender} could not ask in time whether it was picked up. The last day to pick it up has"
            " passed.",
            sender=card.sender,
        )
        return [
            locale.say(
                "Booking over: {what} stays at {sender}.",
                what=naming.moved(locale, card.transfer),
                sender=card.sender,
            ),
            nobody_asked if card.transfer.problem == "day-over" else nobody_came,
            locale.say("Nothing has moved. {who} can book again.", who=naming.signed(locale, card.transfer.asked)),
            card.transfer.code,
        ]
    return [
        locale.of_many(
            "Expired: {what} stays at {sender}.",
            "Expired: {what} stay at {sender}.",
            card.transfer.terms.lines,
            what=naming.moved(locale, card.transfer),
            sender=card.sender,
        ),
        locale.say("Nobody at {decider} decided by {when}.", decider=card.decider, when=locale.when(card.transfer.due)),
        locale.say("Nothing has moved. {who} can start it again.", who=naming.signed(locale, card.transfer.asked)),
        card.transfer.code,
    ]


def _aborted(locale: Locale, card: Card) -> Lines:
    first = locale.of_many(
        "Not given: {what} stays at {sender}.",
        "Not given: {what} stay at {sender}.",
        card.transfer.terms.lines,
        what=naming.moved(locale, card.transfer),
        sender=card.sender,
    )
    why = locale.say(
        "Why: {why}", why=reason_codes.why_not_given(locale, card.transfer.problem, card.sender, card.receiver)
    )
    instead = reason_codes.what_instead(locale, card.transfer.problem, card.sender, command("spaces"))
    lines: Lines = [first, decided(locale, card), *settled(locale, card), "", why]
    if len(card.transfer.terms.lines) > 1:
        lines += not_done(locale, card)
    lines += [nothing_left(locale, card), *back_in_stock(locale, card)]
    return [*lines, instead, card.transfer.code] if instead else [*lines, card.transfer.code]


def _refused(locale: Locale, card: Card) -> Lines:
    names: dict[str, Words] = {"sender": card.sender, "receiver": card.receiver}
    first = locale.of_many(
        "Not booked in: {what} goes back to {sender}.",
        "Not booked in: {what} go back to {sender}.",
        card.transfer.terms.lines,
        what=naming.moved(locale, card.transfer),
        sender=card.sender,
    )
    lines: Lines = [first, decided(locale, card), *settled(locale, card), "", *why_not_booked_in(locale, card)]
    lines.append(
        locale.say("Done: {sender} had booked it out. Not done: {receiver} has booked nothing in, and won't.", **names)
    )
    lines.append(
        locale.say("Next: the bot of {sender} books it back in by itself. You don't need to do anything.", **names)
    )
    return [*lines, card.transfer.code]


def _reverted(locale: Locale, card: Card) -> Lines:
    names: dict[str, Words] = {"what": naming.moved(locale, card.transfer), "sender": card.sender}
    if card.transfer.settled is not None and card.transfer.settled.truth == LOST:
        return [
            locale.of_many(
                "Lost: {what} is in neither space, and {sender} has written it off.",
                "Lost: {what} are in neither space, and {sender} has written them off.",
                card.transfer.terms.lines,
                **names,
            ),
            decided(locale, card),
            *settled(locale, card),
            card.transfer.code,
        ]
    first = locale.of_many(
        "Back again: {what} is in the stock of {sender} as before.",
        "Back again: {what} are in the stock of {sender} as before.",
        card.transfer.terms.lines,
        **names,
    )
    lines: Lines = [first, decided(locale, card), *settled(locale, card), "", *why_not_booked_in(locale, card)]
    lines += back_in_stock(locale, card)
    if card.transfer.settled is None:
        lines.append(
            locale.say(
                "{receiver} could not book it in, so {sender} took it back.", sender=card.sender, receiver=card.receiver
            )
        )
    who = naming.signed(locale, card.transfer.asked)
    if card.transfer.settled is None:
        lines.append(locale.say("Once that is fixed, {who} can start again.", who=who))
    else:  # people took it back: nothing is broken
        lines.append(locale.say("{who} can start again.", who=who))
    return [*lines, card.transfer.code]


def why_not_booked_in(locale: Locale, card: Card) -> Lines:
    """The reason given by our InvenTree or our rules; else by the other bot: a short code, or its InvenTree's words."""
    obstacle, told = card.transfer.obstacle, card.transfer.problem
    if obstacle is not None:
        return [locale.say("Why: {text}", text=diagnosis(locale, obstacle))]
    if told in reason_codes.KNOWN:
        return [locale.say("Why: {why}", why=reason_codes.why_not_given(locale, told, card.sender, card.receiver))]
    said = locale.short(told, 200)
    if not said:
        return []
    known, tells_more = known_words(locale, said)
    why: Lines = [locale.say("Why, at {receiver}: {why}.", receiver=card.receiver, why=known)] if known else []
    quoted = locale.say('The InvenTree of {receiver} said: "{said}"', receiver=card.receiver, said=said)
    return [*why, *([quoted] if tells_more else [])]


def _disputed(locale: Locale, card: Card) -> Lines:
    names: dict[str, Words] = {"sender": card.sender, "receiver": card.receiver}
    by = card.transfer.dispute.by if card.transfer.dispute else ()
    spaces = locale.names([card.space_of(party) for party in by], any_of=True)
    what, parcel = naming.moved(locale, card.transfer), card.transfer.parcel
    unclear = locale.say("⚠ Unclear: nobody can tell what happened to {what}.", what=what)
    counted = locale.say("The stock of {sender} or {receiver} may be wrong now. I do nothing more about it.", **names)
    if parcel is not None and parcel.missing is not None:
        who = naming.signed(locale, parcel.missing)
        unclear = locale.say("⚠ Missing: {what} did not arrive, says {who}.", what=what, who=who)
        if not _may_be_booked_in(card.transfer):
            counted = locale.say("{sender} has booked it out, and {receiver} has not booked it in.", **names)
    return [
        unclear,
        *naming.because(locale, parcel.missing if parcel else None),
        decided(locale, card),
        "",
        counted,
        locale.say(
            "A superuser of {space} settles it: {resolve}", space=spaces or card.sender, resolve=command("resolve")
        ),
        locale.say("In InvenTree, search the stock histories for {mark}.", mark=f"fed:{card.transfer.id}"),
        card.transfer.code,
    ]


def _may_be_booked_in(transfer: Transfer) -> bool:
    """Whether the receiver has started to book it in, or reports that it has."""
    begun = transfer.role == "receiver" and any(p.stage or p.acting or p.unknown for p in transfer.progress)
    return begun or (transfer.dispute is not None and bool(transfer.dispute.said))


ENDS: dict[TransferState, Callable[[Locale, Card], Lines]] = {
    TransferState.RECEIVED: _done,
    TransferState.DONE: _done,
    TransferState.DECLINED: _declined,
    TransferState.CANCELLED: _cancelled,
    TransferState.EXPIRED: _expired,
    TransferState.ABORTED: _aborted,
    TransferState.REFUSED: _refused,
    TransferState.REVERTING: _refused,
    TransferState.REVERTED: _reverted,
    TransferState.DISPUTED: _disputed,
}
