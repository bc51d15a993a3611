"""What is said of a parcel: it left, it is waited for, it came, it never did. Its card is in `transfer_card`."""

from __future__ import annotations

from fedbot.messages import naming
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.formatting import Inline
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.naming import command
from fedbot.messages.transfer_facts import card_of, decided, state_in_words
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.ledger import FOUND, LOST, Truth
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Line, Transfer

Subject = Connection | Transfer


def parcel_left(locale: Locale, *, transfer: Transfer, us: PartyConfig, peer_name: str) -> Lines:
    """For who asked, as soon as it is booked out: who gives has to send it, who gets has to wait."""
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
            "Done: it is out of {sender}'s stock. Not done: {receiver} books it in when it is there, not before.",
            **names,
        ),
        when_it_is_here(locale, transfer, card.receiver),
        if_it_never_comes(locale, transfer),
    ]


def when_it_is_here(locale: Locale, transfer: Transfer, receiver: str) -> tuple[Inline, ...]:
    """Who says that it is here, and how."""
    line = command(f"received {transfer.code}")
    return locale.say("When it is there, an approver of {receiver} says: {received}", receiver=receiver, received=line)


def if_it_never_comes(locale: Locale, transfer: Transfer) -> tuple[Inline, ...]:
    """What to do about a lost parcel."""
    return locale.say("If it never comes, or comes back: {missing}", missing=command(f"missing {transfer.code}"))


def parcel_reminder(
    locale: Locale, *, subject: Transfer, us: PartyConfig, people: dict[str, str], others: int
) -> Lines:
    """For the approvers of the space that waits for it (names by id; the first three are rung)."""
    del us
    pills: list[Inline] = []
    for user, name in people.items():
        pills += [naming.pill(locale, user, name), " "]
    if others:
        pills += [*locale.say("and others: ")]
    return [
        (*pills, *locale.say("⏰ is {case} here by now?", case=naming.case(locale, subject))),
        state_in_words(locale, subject),
        locale.say(
            "Here: {received} · It won't come: {missing}",
            received=command(f"received {subject.code}"),
            missing=command(f"missing {subject.code}"),
        ),
    ]


def parcel_is_on_its_way(locale: Locale, *, subject: Transfer) -> Lines:
    """Somebody said yes or no when it had left already."""
    return [
        locale.say("Not counted: {case} is on its way already.", case=naming.case(locale, subject)),
        locale.say("When it is here, tap 📦, or reply: {received}", received=command(f"received {subject.code}")),
        if_it_never_comes(locale, subject),
    ]


def parcel_has_just_left(locale: Locale, *, subject: Transfer) -> Lines:
    """A second 📦 that was tapped before it left: as another yes, so it doesn't mean that it is here."""
    return [
        locale.say("Not counted: {case} has only just left.", case=naming.case(locale, subject)),
        locale.say("When it is here, tap 📦 again, or reply: {received}", received=command(f"received {subject.code}")),
    ]


def no_parcel_for_us(locale: Locale, *, subject: Subject, us: PartyConfig, peer_name: str) -> Lines:
    """`received` of something that isn't on its way to us."""
    case = naming.case(locale, subject)
    if isinstance(subject, Transfer) and subject.role == "sender":
        peer = naming.space(locale, peer_name)
        first = locale.say("Not booked in: {case} goes to {peer}, so its approvers say that.", case=case, peer=peer)
    else:
        own = naming.space(locale, us.name)
        first = locale.say("Nothing to book in: {case} isn't on its way to {space}.", case=case, space=own)
    if isinstance(subject, Transfer) and subject.role == "receiver" and subject.lines_missing:
        peer, what = naming.space(locale, peer_name), naming.things(locale, subject.lines_missing)
        resolve = command(f"resolve {subject.code}")
        said = locale.say(
            "Of it {what} did not arrive. Found by now? A superuser of {peer} says so: {resolve}",
            what=what,
            peer=peer,
            resolve=resolve,
        )
        return [first, said]
    return [first, state_in_words(locale, subject)]


def not_so_much_was_sent(locale: Locale, *, transfer: Transfer, sent: tuple[Line, ...]) -> Lines:
    """More came than was sent; or of different things a quantity alone doesn't tell which is missing."""
    what, code = naming.things(locale, sent), transfer.code
    if len({line.part for line in sent}) == 1:
        return [
            locale.say("Not booked in: only {what} was sent by {code}.", what=what, code=code),
            locale.say("More came? Book in the rest by hand, or ask the sender to offer it."),
            locale.say("All of it is here: {received}", received=command(f"received {code}")),
        ]
    return [
        locale.say("Not booked in: a quantity alone doesn't tell what of {code} is missing.", code=code),
        locale.say("It should hold {what}.", what=what),
        locale.say("All of it is here: {received}", received=command(f"received {code}")),
        locale.say("If not: {missing}, then a superuser settles it.", missing=command(f"missing {code}")),
    ]


def rest_by_hand(locale: Locale, *, transfer: Transfer, line: Line, item: int, problem: Diagnosis) -> Lines:
    """For the sender's admins: what did not arrive can't be taken out of what is with the receiver."""
    what = naming.thing(locale, line)
    return [
        locale.say("⚠ {what} did not arrive ({code}): please take it back by hand.", what=what, code=transfer.code),
        locale.say("Why: {text}", text=diagnosis(locale, problem, 300)),
        locale.say(
            "In InvenTree: return it from the customer out of stock #{item}, with the status 'lost'.", item=item
        ),
        locale.say("Then say what became of it: {resolve}", resolve=command(f"resolve {transfer.code}")),
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
    """The answer to who settled what did not arrive; `items` are the stock items that hold it, 0 for none."""
    what, space = naming.things(locale, transfer.lines_missing), naming.space(locale, us.name)
    if truth.name == LOST:
        return [locale.say("Settled: {what} is lost, and stays in {space}'s books as 'lost'.", what=what, space=space)]
    lines: Lines = [locale.say("Settled: {what} is back. It is in {space}'s stock again.", what=what, space=space)]
    if not all(item for _, item in items):
        lines = [
            locale.say("Settled: {what} is back. Please put it into {space}'s stock by hand.", what=what, space=space)
        ]
    if truth.name == FOUND:
        found = [(line, item) for line, item in items if item]
        for line, item in found:
            again = command(f"push {locale.quantity(line.quantity)} #{item} to {transfer.peer}")
            lines.append(
                locale.say("To give it to {peer} for good: {push}", peer=naming.space(locale, peer_name), push=again)
            )
    return lines


def rest_has_its_old_status(locale: Locale, *, transfer: Transfer, item: int, problem: Diagnosis) -> Lines:
    """For the admins: what is back could not be given its old status."""
    return [
        locale.say(
            "⚠ Stock #{item} is still 'lost' ({code}): please change its status.", item=item, code=transfer.code
        ),
        locale.say("Why: {text}", text=diagnosis(locale, problem, 300)),
    ]


def no_parcel_under_way(locale: Locale, *, subject: Subject) -> Lines:
    """`missing` of something that isn't on its way by parcel."""
    return [
        locale.say("Nothing is missing: {case} isn't on its way by parcel.", case=naming.case(locale, subject)),
        state_in_words(locale, subject),
    ]


def parcel_not_booked_in(locale: Locale, *, transfer: Transfer, person: str, name: str, problem: Diagnosis) -> Lines:
    """To who said that it is here: our InvenTree won't have it, and it doesn't go back by itself."""
    who, case = naming.pill(locale, person, name), naming.case(locale, transfer)
    return [
        (who, " ", *locale.say("⚠ {case} is here, but could not be booked in.", case=case)),
        locale.say("Why: {text}", text=diagnosis(locale, problem, 300)),
        locale.say("Nothing is booked in, and nothing goes back."),
        locale.say(
            "Next: look what the card proposes now, or fix it in InvenTree. Then reply here: {received}",
            received=command(f"received {transfer.code}"),
        ),
        if_it_never_comes(locale, transfer),
    ]


def parcel_missing_already(locale: Locale, *, transfer: Transfer) -> Lines:
    """`missing` of a parcel that people have to settle anyway."""
    return [
        locale.say("Nothing new: {case} waits for people to say what is true.", case=naming.case(locale, transfer)),
        state_in_words(locale, transfer),
        locale.say("A superuser settles it: {resolve}", resolve=command(f"resolve {transfer.code}")),
    ]


def parcel_noted_missing(locale: Locale, *, transfer: Transfer) -> Lines:
    """The answer to `missing`; what follows is said in the card's thread, for all."""
    return [locale.say("Noted: {case} did not arrive. I book nothing more.", case=naming.case(locale, transfer))]
