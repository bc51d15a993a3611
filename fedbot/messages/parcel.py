"""What is said of a parcel: it left, it is waited for, it came, it never did. Its card is in `transfer_cards`."""

from __future__ import annotations

from fedbot.messages import naming
from fedbot.messages.formatting import Inline
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.naming import command
from fedbot.messages.reasons import diagnosis
from fedbot.messages.transfer_facts import card_of, decided, state_in_words
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Transfer

Subject = Connection | Transfer


def parcel_left(tongue: Locale, *, transfer: Transfer, home: PartyConfig, peer_name: str) -> Lines:
    """For who asked, as soon as it is booked out: who gives has to send it, who gets has to wait."""
    card = card_of(tongue, transfer, home, peer_name)
    terms, code = transfer.terms, transfer.code
    names: dict[str, Words] = {
        "what": naming.moved(tongue, transfer),
        "sender": card.sender,
        "receiver": card.receiver,
        "code": code,
    }
    if terms.kind == "push":
        first = tongue.say("📦 {what}: please send it to {receiver} now. {code}", **names)
    else:
        first = tongue.of_many(
            "📦 {what} is on its way from {sender}, by parcel. {code}",
            "📦 {what} are on their way from {sender}, by parcel. {code}",
            terms.lines,
            **names,
        )
    return [
        (naming.pill(tongue, terms.asker, transfer.asked.name), " ", *first),
        decided(tongue, card),
        tongue.say(
            "Done: it is out of {sender}'s stock. Not done: {receiver} books it in when it is there, not before.",
            **names,
        ),
        when_it_is_here(tongue, transfer, card.receiver),
        if_it_never_comes(tongue, transfer),
    ]


def when_it_is_here(tongue: Locale, transfer: Transfer, receiver: str) -> tuple[Inline, ...]:
    """Who says that it is here, and how."""
    line = command(f"received {transfer.code}")
    return tongue.say("When it is there, an approver of {receiver} says: {received}", receiver=receiver, received=line)


def if_it_never_comes(tongue: Locale, transfer: Transfer) -> tuple[Inline, ...]:
    """What to do about a lost parcel."""
    return tongue.say("If it never comes, or comes back: {missing}", missing=command(f"missing {transfer.code}"))


def parcel_reminder(
    tongue: Locale, *, subject: Transfer, home: PartyConfig, people: dict[str, str], others: int
) -> Lines:
    """For the approvers of the space that waits for it (names by id; the first three are rung)."""
    del home
    pills: list[Inline] = []
    for user, name in people.items():
        pills += [naming.pill(tongue, user, name), " "]
    if others:
        pills += [*tongue.say("and others: ")]
    return [
        (*pills, *tongue.say("⏰ is {case} here by now?", case=naming.case(tongue, subject))),
        state_in_words(tongue, subject),
        tongue.say(
            "Here: {received} · It won't come: {missing}",
            received=command(f"received {subject.code}"),
            missing=command(f"missing {subject.code}"),
        ),
    ]


def parcel_is_on_its_way(tongue: Locale, *, subject: Transfer) -> Lines:
    """Somebody said yes or no when it had left already."""
    return [
        tongue.say("Not counted: {case} is on its way already.", case=naming.case(tongue, subject)),
        tongue.say("When it is here, tap 📦, or reply: {received}", received=command(f"received {subject.code}")),
        if_it_never_comes(tongue, subject),
    ]


def parcel_has_just_left(tongue: Locale, *, subject: Transfer) -> Lines:
    """A second 📦 that was tapped before it left: as another yes, so it doesn't mean that it is here."""
    return [
        tongue.say("Not counted: {case} has only just left.", case=naming.case(tongue, subject)),
        tongue.say("When it is here, tap 📦 again, or reply: {received}", received=command(f"received {subject.code}")),
    ]


def no_parcel_for_us(tongue: Locale, *, subject: Subject, home: PartyConfig, peer_name: str) -> Lines:
    """`received` of something that isn't on its way to us."""
    case = naming.case(tongue, subject)
    if isinstance(subject, Transfer) and subject.role == "sender":
        peer = naming.space(tongue, peer_name)
        first = tongue.say("Not booked in: {case} goes to {peer}, so its approvers say that.", case=case, peer=peer)
    else:
        own = naming.space(tongue, home.name)
        first = tongue.say("Nothing to book in: {case} isn't on its way to {space}.", case=case, space=own)
    return [first, state_in_words(tongue, subject)]


def parcel_is_incomplete(tongue: Locale, *, transfer: Transfer, peer_name: str) -> Lines:
    """Not as much came as was sent: a machine can't tell where the rest is."""
    peer = naming.space(tongue, peer_name)
    return [
        tongue.say(
            "Not booked in: {peer} sent {what}, and I book in all of it or nothing.",
            peer=peer,
            what=naming.things(tongue, transfer.terms.lines),
        ),
        tongue.say("If it is all here: {received}", received=command(f"received {transfer.code}")),
        tongue.say(
            "If not: {missing}, then a superuser settles it: {resolve}",
            missing=command(f"missing {transfer.code}"),
            resolve=command(f"resolve {transfer.code}"),
        ),
        tongue.say("{peer} can offer anew what did come.", peer=peer),
    ]


def no_parcel_under_way(tongue: Locale, *, subject: Subject) -> Lines:
    """`missing` of something that isn't on its way by parcel."""
    return [
        tongue.say("Nothing is missing: {case} isn't on its way by parcel.", case=naming.case(tongue, subject)),
        state_in_words(tongue, subject),
    ]


def parcel_not_booked_in(tongue: Locale, *, transfer: Transfer, person: str, name: str, text: str) -> Lines:
    """To who said that it is here: our InvenTree won't have it, and it doesn't go back by itself."""
    who, case = naming.pill(tongue, person, name), naming.case(tongue, transfer)
    return [
        (who, " ", *tongue.say("⚠ {case} is here, but could not be booked in.", case=case)),
        tongue.say("Why: {text}", text=diagnosis(tongue, text, 300)),
        tongue.say("Nothing is booked in, and nothing goes back."),
        tongue.say(
            "Next: look what the card proposes now, or fix it in InvenTree. Then reply here: {received}",
            received=command(f"received {transfer.code}"),
        ),
        if_it_never_comes(tongue, transfer),
    ]


def parcel_missing_already(tongue: Locale, *, transfer: Transfer) -> Lines:
    """`missing` of a parcel that people have to settle anyway."""
    return [
        tongue.say("Nothing new: {case} waits for people to say what is true.", case=naming.case(tongue, transfer)),
        state_in_words(tongue, transfer),
        tongue.say("A superuser settles it: {resolve}", resolve=command(f"resolve {transfer.code}")),
    ]


def parcel_noted_missing(tongue: Locale, *, transfer: Transfer, home: PartyConfig) -> Lines:
    """The answer to `missing`."""
    return [
        tongue.say("Noted: {case} did not arrive. I book nothing more.", case=naming.case(tongue, transfer)),
        tongue.say(
            "Next: a superuser of {space} says what is true: {resolve}",
            space=naming.space(tongue, home.name),
            resolve=command(f"resolve {transfer.code}"),
        ),
    ]
