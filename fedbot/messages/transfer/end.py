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
    card_of,
    decided,
    did_not_arrive,
    failed,
    not_done,
    nothing_left,
    nothing_moved,
    pickup,
    received,
    settled,
    state_in_words,
    where_it_is,
)
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.ledger import FOUND, LOST, Truth
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Line, Progress, Transfer


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


# --- Parcels: on the way, arrived or missing. Their card is in `transfer_card`.

Subject = Connection | Transfer


def parcel_left(locale: Locale, *, transfer: Transfer, us: PartyConfig, peer_name: str) -> Lines:
    """Tells both sides that it is booked out: the sender has to post it, the receiver has to wait."""
    card = card_of(locale, transfer, us, peer_name)
    terms, code = transfer.terms, transfer.code
    names: dict[str, Words] = {
        "what": naming.moved(locale, transfer),
        "sender": card.sender,
        "receiver": card.receiver,
        "code": code,
    }
    if terms.kind == "push":
        first = locale.say("📦 {what}: please send it to {receiver} now. {code}", **names)
    else:
        first = locale.of_many(
            "📦 {what} is on its way from {sender}, by parcel. {code}",
            "📦 {what} are on their way from {sender}, by parcel. {code}",
            terms.lines,
            **names,
        )
    return [
        (naming.pill(locale, terms.asker, transfer.asked.name), " ", *first),
        decided(locale, card),
        locale.say(
            "Done: {sender} has booked it out. Not done: {receiver} books it in only once it is there.",
            **names,
        ),
        when_it_is_here(locale, transfer, card.receiver),
        if_it_never_comes(locale, transfer),
    ]


def when_it_is_here(locale: Locale, transfer: Transfer, receiver: str) -> tuple[Inline, ...]:
    """Names the people who report its arrival, and their line."""
    line = command(f"received {transfer.code}")
    return locale.say("When it is there, an approver of {receiver} types: {received}", receiver=receiver, received=line)


def if_it_never_comes(locale: Locale, transfer: Transfer) -> tuple[Inline, ...]:
    """The line to type if a parcel is lost."""
    return locale.say("If it never comes, or comes back: {missing}", missing=command(f"missing {transfer.code}"))


def parcel_reminder(
    locale: Locale, *, subject: Transfer, us: PartyConfig, people: dict[str, str], others: int
) -> Lines:
    """The reminder for the approvers of the receiver (names by id; it mentions the first three)."""
    del us
    pills = naming.pills(locale, people, others)
    return [
        (*pills, *locale.say("⏰ has {case} arrived by now?", case=naming.case(locale, subject))),
        state_in_words(locale, subject),
        locale.say(
            "Here: {received} · It won't come: {missing}",
            received=command(f"received {subject.code}"),
            missing=command(f"missing {subject.code}"),
        ),
    ]


def parcel_is_on_its_way(locale: Locale, *, subject: Transfer) -> Lines:
    """The answer to a decision on a parcel that has left already."""
    return [
        locale.say("Not counted: {case} is on its way already.", case=naming.case(locale, subject)),
        locale.say("When it is here, tap 📦, or reply: {received}", received=command(f"received {subject.code}")),
        if_it_never_comes(locale, subject),
    ]


def parcel_has_just_left(locale: Locale, *, subject: Transfer) -> Lines:
    """The answer to a second 📦 from before it left: it was a second approval, and no arrival."""
    return [
        locale.say("Not counted: {case} has only just left.", case=naming.case(locale, subject)),
        locale.say("When it is here, tap 📦 again, or reply: {received}", received=command(f"received {subject.code}")),
    ]


def no_parcel_for_us(locale: Locale, *, subject: Subject, us: PartyConfig, peer_name: str) -> Lines:
    """The answer to `received` for something that isn't on its way to us."""
    case = naming.case(locale, subject)
    if isinstance(subject, Transfer) and subject.role == "sender":
        peer = naming.space(locale, peer_name)
        first = locale.say("Not booked in: {case} goes to {peer}, so its approvers confirm that.", case=case, peer=peer)
    else:
        own = naming.space(locale, us.name)
        first = locale.say("Nothing to book in: {case} isn't on its way to {space}.", case=case, space=own)
    if isinstance(subject, Transfer) and subject.role == "receiver" and subject.lines_missing:
        peer, what = naming.space(locale, peer_name), naming.things(locale, subject.lines_missing)
        resolve = command(f"resolve {subject.code}")
        said = locale.say(
            "Missing from it: {what}. Found by now? Then a superuser of {peer} types: {resolve}",
            what=what,
            peer=peer,
            resolve=resolve,
        )
        return [first, said]
    return [first, state_in_words(locale, subject)]


def not_so_much_was_sent(locale: Locale, *, transfer: Transfer, more: tuple[Line, ...], example: str) -> Lines:
    """The refusal of more than was sent. `more`: what was sent of these; `example`: the line that books that in."""
    what, code = naming.things(locale, more), transfer.code
    return [
        locale.say("Not booked in: only {what} was sent by {code}.", what=what, code=code),
        locale.say("More came? Book in the rest by hand, or ask the sender to offer it."),
        locale.say("To book in what was sent: {received}", received=command(example)),
    ]


def which_of_it_came(locale: Locale, *, transfer: Transfer, sent: tuple[Line, ...], word: str, example: str) -> Lines:
    """The words name nothing of the parcel, or several items of it. `example`: a line that names one."""
    shown = locale.short(word, 40)
    return [
        locale.say(
            'Not booked in: "{word}" doesn\'t tell me which items of {code} came.', word=shown, code=transfer.code
        ),
        locale.say("It should contain {what}.", what=naming.things(locale, sent)),
        locale.say("Type all that came: {received}", received=command(example)),
        locale.say("All of it is here: {received}", received=command(f"received {transfer.code}")),
    ]


def say_what_came(locale: Locale, *, transfer: Transfer, receiver: str, example: str) -> Lines:
    """`missing` with items: who has the parcel says what came, and the rest is missing. `example`: such a line."""
    return [
        locale.say("Not done: is a part of {case} here?", case=naming.case(locale, transfer)),
        locale.say(
            "Then an approver of {space} types what came: {received}",
            space=naming.space(locale, receiver),
            received=command(example),
        ),
        locale.say(
            "The rest then counts as missing. If nothing came: {missing}",
            missing=command(f"missing {transfer.code}"),
        ),
    ]


def rest_by_hand(locale: Locale, *, transfer: Transfer, line: Line, item: int, problem: Diagnosis) -> Lines:
    """For the sender's admins: the missing items have to be returned from the customer by hand."""
    what = naming.thing(locale, line)
    return [
        locale.say(
            "⚠ {what} did not arrive ({code}): please book it back into your stock by hand.",
            what=what,
            code=transfer.code,
        ),
        locale.say("Why: {text}", text=diagnosis(locale, problem, 300)),
        _out_of_customers_stock(locale, item),
        locale.say("Then say what happened to it: {resolve}", resolve=command(f"resolve {transfer.code}")),
    ]


def _out_of_customers_stock(locale: Locale, item: int) -> tuple[Inline, ...]:
    return locale.say(
        "In InvenTree: return it from the customer out of stock #{item}, with the status 'lost'.", item=item
    )


def not_merged_back(locale: Locale, *, transfer: Transfer, progress: Progress, problem: Diagnosis) -> Lines:
    """For the sender's admins: nobody knows whether a split-off item was merged into its source, or it is gone."""
    names: dict[str, Words] = {
        "what": naming.thing(locale, transfer.line(progress.number)),
        "code": transfer.code,
        "item": str(progress.item),
        "source": str(progress.split_from),
    }
    return [
        locale.say("⚠ {what} came back ({code}). Please look at stock #{item} and #{source} in InvenTree.", **names),
        locale.say("I wanted to merge #{item} into #{source}, from which it was split off.", **names),
        locale.say("Why: {text}", text=diagnosis(locale, problem, 300)),
        locale.say("If both are there, you can merge them in InvenTree.", **names),
    ]


def rest_settled(
    locale: Locale,
    *,
    transfer: Transfer,
    truth: Truth,
    us: PartyConfig,
    peer_name: str,
    items: tuple[tuple[Line, int], ...],
) -> Lines:
    """The answer to settling the items that did not arrive; `items` are their stock items, 0 for none."""
    what, space = naming.things(locale, transfer.lines_missing), naming.space(locale, us.name)
    by_hand = [transfer.at(line.number).item or 0 for line, item in items if not item]
    if truth.name == LOST and by_hand:
        return [
            locale.say("Settled: {what} is lost. Its record at {space} waits for you.", what=what, space=space),
            *(_out_of_customers_stock(locale, item) for item in by_hand),
        ]
    if truth.name == LOST:
        return [
            locale.say(
                "Settled: {what} is lost, and keeps the status 'lost' in the InvenTree of {space}.",
                what=what,
                space=space,
            )
        ]
    lines: Lines = [locale.say("Settled: {what} is back. {space} has it in stock again.", what=what, space=space)]
    if not all(item for _, item in items):
        lines = [locale.say("Settled: {what} is back. Please book it in at {space} by hand.", what=what, space=space)]
    if truth.name == FOUND:
        found = [(line, item) for line, item in items if item]
        for line, item in found:
            again = command(f"push {locale.quantity(line.quantity)} #{item} to {transfer.peer}")
            lines.append(
                locale.say("To give it away to {peer}: {push}", peer=naming.space(locale, peer_name), push=again)
            )
    return lines


def rest_has_its_old_status(locale: Locale, *, transfer: Transfer, item: int, problem: Diagnosis) -> Lines:
    """For the admins: the status of returned items could not be set back."""
    return [
        locale.say(
            "⚠ Stock #{item} still has the status 'lost' ({code}): please change it.", item=item, code=transfer.code
        ),
        locale.say("Why: {text}", text=diagnosis(locale, problem, 300)),
    ]


def no_parcel_under_way(locale: Locale, *, subject: Subject) -> Lines:
    """The answer to `missing` for something that isn't on its way by parcel."""
    return [
        locale.say("Nothing is missing: {case} isn't on its way by parcel.", case=naming.case(locale, subject)),
        state_in_words(locale, subject),
    ]


def parcel_not_booked_in(locale: Locale, *, transfer: Transfer, person: str, name: str, problem: Diagnosis) -> Lines:
    """Tells the person who confirmed the arrival that our InvenTree refuses it; it doesn't go back by itself."""
    who, case = naming.pill(locale, person, name), naming.case(locale, transfer)
    return [
        (who, " ", *locale.say("⚠ {case} is here, but could not be booked in.", case=case)),
        locale.say("Why: {text}", text=diagnosis(locale, problem, 300)),
        locale.say("Nothing is booked in, and nothing goes back."),
        locale.say(
            "Next: look at the card's new proposal, or fix it in InvenTree. Then reply here: {received}",
            received=command(f"received {transfer.code}"),
        ),
        if_it_never_comes(locale, transfer),
    ]


def parcel_missing_already(locale: Locale, *, transfer: Transfer) -> Lines:
    """The answer to `missing` for a parcel that people have to settle already."""
    return [
        locale.say("Nothing new: somebody still has to settle {case}.", case=naming.case(locale, transfer)),
        state_in_words(locale, transfer),
        locale.say("A superuser settles it: {resolve}", resolve=command(f"resolve {transfer.code}")),
    ]


def parcel_noted_missing(locale: Locale, *, transfer: Transfer) -> Lines:
    """The answer to `missing`; a message in the card's thread tells everybody what follows."""
    return [locale.say("Noted: {case} did not arrive. I book nothing more.", case=naming.case(locale, transfer))]
