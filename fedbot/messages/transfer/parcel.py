"""Parcels: on their way, arrived, in part or not at all, and what becomes of the rest."""

from __future__ import annotations

from fedbot.messages import naming
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.markup import Inline
from fedbot.messages.naming import command
from fedbot.messages.transfer.card_lines import (
    card_of,
    decided,
    state_in_words,
)
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.ledger import FOUND, LOST, Truth
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Line, Progress, Transfer
from fedbot.rules.who_decides import Subject


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
        _out_of_customers_stock(locale, transfer, line, item),
        locale.say("Then say what happened to it: {resolve}", resolve=command(f"resolve {transfer.code}")),
    ]


def _out_of_customers_stock(locale: Locale, transfer: Transfer, missing: Line, item: int) -> tuple[Inline, ...]:
    """How to take a line's missing part out of the customer's stock item. Below API 381 no part can be returned."""
    kept = transfer.line(missing.number).quantity - missing.quantity
    if not kept:
        return locale.say(
            "In InvenTree: return it from the customer out of stock #{item}, with the status 'lost'.", item=item
        )
    return locale.say(
        "In InvenTree: return it from the customer out of stock #{item}, with the status 'lost', or set the quantity "
        "of #{item} to {kept}.",
        item=item,
        kept=locale.quantity(kept, missing.description.units),
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
    by_hand = [(line, transfer.at(line.number).item or 0) for line, item in items if not item]
    if truth.name == LOST and by_hand:
        return [
            locale.say("Settled: {what} is lost. Its record at {space} waits for you.", what=what, space=space),
            *(_out_of_customers_stock(locale, transfer, line, item) for line, item in by_hand),
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
