"""The card on which people decide about a transfer, in each of its states (DESIGN §8).

The card stands at the deciding party's bot; it is edited in place and stays as the record of what happened.
"""

from __future__ import annotations

from decimal import ROUND_CEILING

from fedbot.messages import naming
from fedbot.messages.changes import changed
from fedbot.messages.formatting import Inline
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.loan import card_of_child, loan_line, on_terms
from fedbot.messages.naming import command
from fedbot.messages.parcel import if_it_never_comes, when_it_is_here
from fedbot.messages.transfer_end import ENDS
from fedbot.messages.transfer_facts import Card, asked, by_another_name, card_of, decided, unmatched, what_and_where
from fedbot.rules.approval.consent import drawn
from fedbot.rules.approval.subject import parcel_is_under_way
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.shown import Change
from fedbot.rules.model.transfer import Line, Transfer, less_of, total
from fedbot.rules.model.transfer_lifecycle import TransferState


def transfer_card(
    tongue: Locale,
    *,
    transfer: Transfer,
    home: PartyConfig,
    peer_name: str,
    people: list[str],
    changes: tuple[Change, ...] = (),
    left: tuple[Line, ...] | None = None,
) -> Lines:
    """The card as it stands now. `people`: the names of those who may decide.

    While it asks for a decision it is drawn from the model that the decision is bound to. `changes`: what the card
    before it showed otherwise. `left`: what of a loan did not come back.
    """
    asks = transfer.state is TransferState.OPEN and not transfer.wanted
    card = card_of(tongue, drawn(transfer) if asks else transfer, home, peer_name, people, left)
    lines = _as_it_stands(tongue, card)
    return [lines[0], *changed(tongue, card, changes), *lines[1:]]


def _as_it_stands(tongue: Locale, card: Card) -> Lines:
    transfer = card.transfer
    if transfer.terms.parent and (lines := card_of_child(tongue, card)) is not None:
        return lines
    if transfer.state is TransferState.OPEN:
        return _open(tongue, card)
    return ENDS.get(transfer.state, _moving)(tongue, card)


def _open(tongue: Locale, card: Card) -> Lines:
    transfer = card.transfer
    if transfer.wanted == "approve":
        return _approved(tongue, card)
    if transfer.wanted:
        return _ending(tongue, card, transfer.wanted)
    if transfer.terms.kind != "request":
        return _offered(tongue, card)
    if transfer.granted is not None:
        return _less(tongue, card) if transfer.role == "receiver" else _less_waits(tongue, card)
    return _requested(tongue, card)


def _names(tongue: Locale, card: Card) -> dict[str, Words]:
    what = naming.moved(tongue, card.transfer)
    terms = on_terms(tongue, card.transfer)
    return {"sender": card.sender, "receiver": card.receiver, "what": what, "terms": terms}


def _offered(tongue: Locale, card: Card) -> Lines:
    """A push: the receiver's approvers decide."""
    without_part, names = unmatched(card.transfer), _names(tongue, card)
    if without_part:
        first = tongue.say("{sender} offers {receiver} {what}, {terms}. It can't be taken yet.", **names)
    elif card.only:
        first = tongue.say("{sender} offers {receiver} {what}, {terms}. Take it?", **names)
    else:
        first = tongue.say("{sender} offers {receiver} {what}, {terms}. Take them?", **names)
    return [
        first,
        *_to_decide(tongue, card),
        *_yes_or_no(tongue, card, _choices_of_an_offer(tongue, card)),
    ]


def _choices_of_an_offer(tongue: Locale, card: Card) -> tuple[Inline, ...]:
    if card.transfer.terms.parcel:
        return tongue.say("It comes by parcel: ✅ yes, send it · ❌ no, thanks")
    return tongue.say("✅ yes, book it in · ❌ no, thanks · 📦 yes, but it isn't here yet")


def _requested(tongue: Locale, card: Card) -> Lines:
    """A request: the owner's approvers decide."""
    names = _names(tongue, card)
    if card.only:
        first = tongue.say("{receiver} asks {sender} for {what}, {terms}. Give it?", **names)
    else:
        first = tongue.say("{receiver} asks {sender} for {what}, {terms}. Give them?", **names)
    choice, *until = _yes_or_no(tongue, card, tongue.say("✅ yes, it may go · ❌ no, sorry"))
    parcel = tongue.say("By parcel? Add 📦 to this card, or reply: {parcel}", parcel=command("approve --parcel"))
    return [first, *_to_decide(tongue, card), choice, parcel, *_how_to_give_less(tongue, card), *until]


def _how_to_give_less(tongue: Locale, card: Card) -> Lines:
    """Of one part a smaller quantity may be granted, if it isn't a single piece."""
    lines = card.transfer.terms.lines
    half = (total(lines) / 2).to_integral_value(ROUND_CEILING)
    granted = less_of(lines, half)
    if granted is None or granted == lines:
        return []
    less = command(f"approve {tongue.quantity(half)}")
    return [tongue.say("Less will do? Reply for example: {less}", less=less)]


def _less(tongue: Locale, card: Card) -> Lines:
    """The owner grants less than was asked for: the asker's side says whether that will do."""
    first = tongue.say("{sender} can give {receiver} less than asked: {what}. Take it?", **_names(tongue, card))
    choice, *until = _yes_or_no(tongue, card, tongue.say("✅ yes, that will do · ❌ no, thanks"))
    parcel = tongue.say("Not here yet? Add 📦 to this card, or reply: {parcel}", parcel=command("approve --parcel"))
    granted = tongue.say(
        "Granted by {who} ({sender})", who=naming.signed(tongue, card.transfer.granted), sender=card.sender
    )
    return [first, granted, *_to_decide(tongue, card), choice, parcel, *until]


def _less_waits(tongue: Locale, card: Card) -> Lines:
    """We granted less, and the asker's side has not answered yet."""
    names = _names(tongue, card)
    who = naming.signed(tongue, card.transfer.granted)
    return [
        tongue.say("{what}: granted by {who}, less than {receiver} asked for; it has to agree.", who=who, **names),
        *asked(tongue, card),
        "",
        tongue.say("Nothing has moved yet. Open until {when}.", when=tongue.when(card.transfer.due)),
        tongue.say("To stop it: {cancel}", cancel=command(f"cancel {card.transfer.code}")),
    ]


def _to_decide(tongue: Locale, card: Card) -> Lines:
    """What there is to know before a yes."""
    what = [*what_and_where(tongue, card), *loan_line(tongue, card)]
    return [*asked(tongue, card), "", *what, "", _for_whom(tongue, card)]


def _yes_or_no(tongue: Locale, card: Card, choice: tuple[Inline, ...]) -> Lines:
    """How to decide, and until when."""
    until = tongue.say("Open until {when} · {code}", when=tongue.when(card.transfer.due), code=card.transfer.code)
    if not unmatched(card.transfer):
        return [choice, until]
    mended = tongue.say(
        "Nothing has moved yet. Once that is mended in InvenTree, tap ✅: I look again, and the card changes."
    )
    return [*by_another_name(tongue, card.transfer), mended, tongue.say("❌ no, thanks"), until]


def _for_whom(tongue: Locale, card: Card) -> tuple[Inline, ...]:
    space = card.receiver if card.transfer.granted is not None else card.decider
    if not card.people:
        whom = tongue.say("For the approvers of {space}.", space=space)
    elif card.transfer.granted is not None:
        whom = tongue.say("For {who} of {space}.", who=naming.people(tongue, card.people, any_of=True), space=space)
    elif len(card.people) == 1:
        whom = tongue.say("For {who} (approver of {space}).", who=naming.person(tongue, card.people[0]), space=space)
    else:
        who = naming.people(tongue, card.people, any_of=True)
        whom = tongue.say("For {who} (approvers of {space}).", who=who, space=space)
    return whom if unmatched(card.transfer) else (*whom, " ", *tongue.say("Nothing has moved yet."))


def _approved(tongue: Locale, card: Card) -> Lines:
    """Our approver said yes; the sender has not yet said that it is on its way."""
    who = naming.signed(tongue, card.transfer.decided)
    first = tongue.say(
        "{what}: approved by {who}, waiting for {sender}.",
        what=naming.moved(tongue, card.transfer),
        who=who,
        sender=card.sender,
    )
    return [
        first,
        decided(tongue, card),
        "",
        *what_and_where(tongue, card),
        "",
        tongue.say(
            "Nothing is booked in yet. {sender}'s bot checks its stock once more, then it goes by itself.",
            sender=card.sender,
        ),
        tongue.say("To stop it: {cancel}", cancel=command(f"cancel {card.transfer.code}")),
    ]


def _ending(tongue: Locale, card: Card, wanted: str) -> Lines:
    """We want it declined or cancelled; the sender has to say that it is."""
    names: dict[str, Words] = {
        "what": naming.moved(tongue, card.transfer),
        "sender": card.sender,
        "receiver": card.receiver,
    }
    if wanted == "decline":
        who = naming.signed(tongue, card.transfer.decided)
        first = tongue.say("{what}: declined by {who}, waiting for {sender} to note it.", who=who, **names)
    else:
        first = tongue.say("{what}: {receiver} wants to cancel, waiting for {sender}'s word.", **names)
    rest = tongue.say("Nothing is booked in. If it has left {sender} already, it still arrives.", sender=card.sender)
    return [
        first,
        *asked(tongue, card),
        "",
        rest if wanted == "cancel" else tongue.say("Nothing has moved."),
        card.transfer.code,
    ]


def _moving(tongue: Locale, card: Card) -> Lines:
    """Approved and on its way."""
    if parcel_is_under_way(card.transfer):
        return _by_parcel(tongue, card)
    what = naming.moved(tongue, card.transfer)
    first = tongue.of_many(
        "{what} goes from {sender} to {receiver} now.",
        "{what} go from {sender} to {receiver} now.",
        card.transfer.terms.lines,
        what=what,
        sender=card.sender,
        receiver=card.receiver,
    )
    if card.transfer.state in {TransferState.APPROVED, TransferState.DEBITING}:
        where = tongue.say(
            "{sender} takes it out of its stock; then {receiver} books it in.",
            sender=card.sender,
            receiver=card.receiver,
        )
    else:
        where = tongue.say(
            "It has left {sender}'s stock; {receiver} books it in.", sender=card.sender, receiver=card.receiver
        )
    return [first, decided(tongue, card), "", where, _waiting(tongue, card), card.transfer.code]


def _by_parcel(tongue: Locale, card: Card) -> Lines:
    """It left by parcel: the receiver's people say when it is there."""
    transfer = card.transfer
    left = transfer.parcel.left if transfer.parcel else None
    first = tongue.say(
        "📦 On its way: {what} from {sender} to {receiver}, by parcel, since {left}.",
        what=naming.moved(tongue, transfer),
        sender=card.sender,
        receiver=card.receiver,
        left=tongue.when(left) if left else "",
    )
    where = tongue.say(
        "It has left {sender}'s stock; {receiver} books it in when it is there, not before.",
        sender=card.sender,
        receiver=card.receiver,
    )
    lines: Lines = [first, decided(tongue, card), "", *what_and_where(tongue, card), "", where]
    if transfer.role == "receiver":
        received = command("received")
        lines.append(tongue.say("Is it here? Tap 📦 (once more), or reply: {received}", received=received))
    else:
        lines.append(when_it_is_here(tongue, transfer, card.receiver))
    return [*lines, if_it_never_comes(tongue, transfer), transfer.code]


def _waiting(tongue: Locale, card: Card) -> tuple[Inline, ...]:
    """Whether it goes on by itself, or stands still at present."""
    since = card.transfer.waiting_since
    if since is None:
        return tongue.say("Nothing to do.")
    own = card.sender if card.transfer.role == "sender" else card.receiver
    return tongue.say(
        "⏸ It waits for {space}'s InvenTree since {since}; I try again by myself.", space=own, since=tongue.clock(since)
    )
