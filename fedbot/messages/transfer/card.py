"""The card on which people decide about a transfer, and the messages around it: offered, waiting, over."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from fedbot.messages import naming
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.lending import agreed_line, agrees_line, rules_lines
from fedbot.messages.loan import card_of_child, child_asked, first_when_done, loan_line, on_terms
from fedbot.messages.markup import ChatOnly, Inline, Items
from fedbot.messages.naming import command
from fedbot.messages.outside import offered_to_their_bot
from fedbot.messages.overdue import overdue_line
from fedbot.messages.transfer.booking import booked_card, breaks
from fedbot.messages.transfer.card_lines import (
    Card,
    asked,
    by_another_name,
    by_rules,
    card_of,
    decided,
    did_not_arrive,
    for_whom,
    how_far,
    how_to_stop,
    in_one_line,
    no_part_for,
    not_done,
    nothing_left,
    nothing_moved,
    pickup,
    silent_bot,
    two_people,
    unmatched,
    what_and_where,
)
from fedbot.messages.transfer.end import ENDS
from fedbot.messages.transfer.parcel import if_it_never_comes, when_it_is_here
from fedbot.rules.card_content import Change, drawn
from fedbot.rules.model.command import NUMBER_WITHIN
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.diagnosis import GONE, Diagnosis, reason_of
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import PartDescription
from fedbot.rules.model.transfer import Landing, Line, Transfer, less_of, total
from fedbot.rules.names import LONGEST_LABEL
from fedbot.rules.wire import fingerprint

# --- The card on which people decide about a transfer: in each state, and what changed since the last card ---


def transfer_card(  # noqa: PLR0913 -- one keyword for each thing that the card tells
    locale: Locale,
    *,
    transfer: Transfer,
    us: PartyConfig,
    peer_name: str,
    people: list[str],
    changes: tuple[Change, ...] = (),
    left: tuple[Line, ...] | None = None,
    overdue: tuple[Transfer, ...] = (),
    due: date | None = None,
    full: bool = False,
) -> Lines:
    """The card in its present state. If it asks for a decision, it shows the model that the decision is bound to.

    `people`: the names of those who can decide. `changes`: the differences from the card before it. `left`: the items
    of a loan that did not come back. `overdue`: the other space's overdue items. `due`: the present due date of the
    loan that an extension is about. `full`: with everything that `show` tells about the items.
    """
    asks = (transfer.state is TransferState.OPEN and not transfer.wanted) or transfer.asks_if_handed_over
    card = card_of(locale, drawn(transfer) if asks else transfer, us, peer_name, people, left, due, full=full)
    lines = _as_it_stands(locale, card)
    if transfer.state is TransferState.BOOKED:
        dearer = two_people(locale, transfer, us) if transfer.dearer else []
        return [lines[0], *dearer, *lines[1:]]
    owed = overdue_line(locale, overdue, naming.space(locale, peer_name)) if overdue else []
    warnings = [*two_people(locale, transfer, us), *owed, *(breaks(locale, card) if transfer.over else [])]
    return [lines[0], *changed(locale, card, changes), *warnings, *lines[1:]]


def _as_it_stands(locale: Locale, card: Card) -> Lines:
    transfer = card.transfer
    if transfer.terms.parent and (lines := card_of_child(locale, card)) is not None:
        return lines
    if transfer.state is TransferState.OPEN:
        return _open(locale, card)
    if transfer.state is TransferState.BOOKED:
        return _ending(locale, card, transfer.wanted) if transfer.wanted else booked_card(locale, card)
    return ENDS.get(transfer.state, _moving)(locale, card)


def _open(locale: Locale, card: Card) -> Lines:
    transfer = card.transfer
    if transfer.wanted == "approve":
        return _approved(locale, card)
    if transfer.wanted:
        return _ending(locale, card, transfer.wanted)
    if transfer.is_our_offer:
        return _our_offer(locale, card)
    if transfer.terms.kind != "request":
        return _offered(locale, card)
    if transfer.granted is not None:
        return _less(locale, card) if transfer.role == "receiver" else _less_waits(locale, card)
    return _requested(locale, card)


def _names(locale: Locale, card: Card) -> dict[str, Words]:
    what = naming.above_list(locale, card.transfer.lines_told)
    terms = on_terms(locale, card.transfer)
    return {"sender": card.sender, "receiver": card.receiver, "what": what, "terms": terms}


def _offered(locale: Locale, card: Card) -> Lines:
    """An offer, on which the receiver's approvers decide."""
    without_part, names = unmatched(card.transfer), _names(locale, card)
    if without_part:
        first = locale.say("{sender} offers {receiver} {what}, {terms}. You can't accept it yet.", **names)
    elif card.transfer.terms.outside is not None:
        first = locale.say("{receiver} has {what} of {sender}, {terms}. Book it in?", **names)
    elif card.only:
        first = locale.say("{sender} offers {receiver} {what}, {terms}. Take it?", **names)
    else:
        first = locale.say("{sender} offers {receiver} {what}, {terms}. Take them?", **names)
    return [
        first,
        *_to_decide(locale, card),
        *_yes_or_no(locale, card, _choices_of_an_offer(locale, card)),
    ]


def _our_offer(locale: Locale, card: Card) -> Lines:
    """Our own offer, which needs a second approver of our space."""
    names = _names(locale, card)
    if card.transfer.waits_for_release:
        first = locale.say("{sender} wants to give {receiver} {what}, {terms}. May it go?", **names)
        choice = ChatOnly(locale.say("✅ yes, hand it over · ❌ no, it stays"))
        return [first, *_to_decide(locale, card), *_yes_or_no(locale, card, choice)]
    first = locale.say("{sender} offers {receiver} {what}, {terms}.", **names)
    waits = locale.say("Nothing has moved yet. An approver of {receiver} decides.", **names)
    stop = locale.say("To stop it: {cancel}", cancel=command(f"cancel {card.transfer.code}"))
    return [first, *asked(locale, card), "", waits, stop]


def _choices_of_an_offer(locale: Locale, card: Card) -> tuple[Inline, ...]:
    if card.transfer.terms.outside is not None:
        return locale.say("✅ yes, we have it: book it in as borrowed · ❌ no, we don't")
    if card.transfer.terms.starts is not None:
        return ChatOnly(locale.say("✅ yes, book it for us · ❌ no"))
    if card.transfer.terms.parcel:
        return locale.say("It comes by parcel: ✅ yes, send it · ❌ no, thanks")
    return ChatOnly(locale.say("✅ book it in · ❌ no · 📦 yes, not here yet"))


def _requested(locale: Locale, card: Card) -> Lines:
    """A request, on which the owner's approvers decide."""
    names = _names(locale, card)
    if card.only:
        first = locale.say("{receiver} asks {sender} for {what}, {terms}. Give it?", **names)
    else:
        first = locale.say("{receiver} asks {sender} for {what}, {terms}. Give them?", **names)
    said = ChatOnly(locale.say("✅ yes, hand it over · ❌ no · 📦 by parcel"))
    if card.transfer.terms.starts is not None:
        said = ChatOnly(locale.say("✅ book it for them · ❌ no · 📦 by parcel"))
    choice, *until = _yes_or_no(locale, card, said)
    less = _how_to_give_less(locale, card)
    return [first, *_others_are_asked(locale, card), *_to_decide(locale, card), choice, *less, *until]


def _others_are_asked(locale: Locale, card: Card) -> Lines:
    """A request from anyone, which an approval only grants."""
    if not card.transfer.terms.confirm:
        return []
    return [locale.say("They may ask others too: after your approval their bot confirms, then it goes.")]


def _how_to_give_less(locale: Locale, card: Card) -> Lines:
    """The line that grants less, if the request is for more than a single piece of one part."""
    lines = card.transfer.terms.lines
    half = (total(lines) / 2).to_integral_value(ROUND_CEILING)
    granted = less_of(lines, half)
    if granted is None or granted == lines:
        return []
    less = command(f"approve {locale.quantity(half)}")
    return [ChatOnly(locale.say("To grant less, reply: {less}", less=less))]


def _less(locale: Locale, card: Card) -> Lines:
    """The owner grants less than was requested: asks whether that is enough."""
    first = locale.say("{sender} can give {receiver} less than asked: {what}. Take it?", **_names(locale, card))
    said = ChatOnly(locale.say("✅ that is enough · ❌ no · 📦 yes, not here yet"))
    granted = locale.say(
        "Granted by {who} ({sender})", who=naming.signed(locale, card.transfer.granted), sender=card.sender
    )
    granted = (*granted, *naming.noted(locale, card.transfer.granted))
    return [first, granted, *_to_decide(locale, card), *_yes_or_no(locale, card, said)]


def _less_waits(locale: Locale, card: Card) -> Lines:
    """We granted less, and the requesting space has not answered yet."""
    names = _names(locale, card)
    who = naming.signed(locale, card.transfer.granted)
    if card.transfer.terms.confirm:
        first = locale.say("{what}: granted by {who}; it goes once the bot of {receiver} confirms.", who=who, **names)
    else:
        first = locale.say(
            "{what}: granted by {who}, less than {receiver} asked for; they have to agree.", who=who, **names
        )
    return [
        first,
        *asked(locale, card),
        "",
        locale.say("Nothing has moved yet. Open until {when}.", when=locale.when(card.transfer.due)),
        locale.say("To stop it: {cancel}", cancel=command(f"cancel {card.transfer.code}")),
    ]


def _to_decide(locale: Locale, card: Card) -> Lines:
    """Everything that people should know before they approve."""
    what = [*what_and_where(locale, card), *loan_line(locale, card)]
    if card.transfer.terms.rules is not None:
        what += rules_lines(locale, card)
    return [_for_whom(locale, card), *asked(locale, card), *what, ""]


def _yes_or_no(locale: Locale, card: Card, choice: tuple[Inline, ...]) -> Lines:
    """The ways to decide. Nothing moves before."""
    code = card.transfer.code
    not_yet = locale.say("Nothing has moved yet. · {code}", code=code if card.full else command(f"show {code}"))
    if not unmatched(card.transfer):
        return [choice, not_yet]
    fixed = locale.say("Fixed in InvenTree? Tap ✅: I look again, and the card changes. · ❌ no, thanks")
    return [*by_another_name(locale, card.transfer), *_the_rest_alone(locale, card), fixed, not_yet]


def _the_rest_alone(locale: Locale, card: Card) -> Lines:
    """An offer of several items of which only some have no part here: the rest can be offered alone."""
    transfer, without = card.transfer, unmatched(card.transfer)
    if transfer.terms.kind != "push" or len(without) == len(transfer.terms.lines):
        return []
    return [
        locale.say(
            "To offer only the rest, {who} first takes this offer back: {cancel}",
            who=naming.signed(locale, transfer.asked),
            cancel=command(f"cancel {transfer.code}"),
        )
    ]


def _for_whom(locale: Locale, card: Card) -> tuple[Inline, ...]:
    space = card.receiver if card.transfer.granted is not None else card.decider
    if card.transfer.is_our_offer:
        space = card.sender
    if card.transfer.granted is not None and card.people:
        who = naming.people(locale, card.people, any_of=True)
        until = locale.when(card.transfer.due)
        return locale.say("{who} of {space} can decide until {when}.", who=who, space=space, when=until)
    return for_whom(locale, card, space)


def _approved(locale: Locale, card: Card) -> Lines:
    """Our approver approved it; the sender has not yet reported that it is on its way."""
    who = naming.signed(locale, card.transfer.decided)
    first = locale.say(
        "{what}: approved by {who}, waiting for {sender}.",
        what=naming.above_list(locale, card.transfer.lines_told),
        who=who,
        sender=card.sender,
    )
    return [
        first,
        decided(locale, card),
        *what_and_where(locale, card),
        "",
        locale.say(
            "Nothing is booked in yet. The bot of {sender} checks its stock once more, then continues by itself.",
            sender=card.sender,
        ),
        locale.say("To stop it: {cancel}", cancel=command(f"cancel {card.transfer.code}")),
    ]


def _ending(locale: Locale, card: Card, wanted: str) -> Lines:
    """We want to decline or cancel it; the sender has to confirm that."""
    names: dict[str, Words] = {
        "what": naming.moved(locale, card.transfer),
        "sender": card.sender,
        "receiver": card.receiver,
    }
    if wanted == "decline":
        who = naming.signed(locale, card.transfer.decided)
        first = locale.say(
            "{what}: declined by {who}, waiting for the bot of {sender} to confirm that.", who=who, **names
        )
    else:
        first = locale.say("{what}: {receiver} wants to cancel, waiting for the bot of {sender}.", **names)
    rest = locale.say("Nothing is booked in. If it has left {sender} already, it still arrives.", sender=card.sender)
    return [
        first,
        *asked(locale, card),
        "",
        rest if wanted == "cancel" else locale.say("Nothing has moved."),
        card.transfer.code,
    ]


def _moving(locale: Locale, card: Card) -> Lines:
    """Approved and on its way."""
    if card.transfer.has_parcel_under_way:
        return _by_parcel(locale, card)
    what = naming.moved(locale, card.transfer)
    first = locale.of_many(
        "{what} is on its way from {sender} to {receiver}.",
        "{what} are on their way from {sender} to {receiver}.",
        card.transfer.terms.lines,
        what=what,
        sender=card.sender,
        receiver=card.receiver,
    )
    if card.transfer.state in {TransferState.APPROVED, TransferState.DEBITING}:
        where = locale.say(
            "{sender} is booking it out. Then {receiver} books it in.",
            sender=card.sender,
            receiver=card.receiver,
        )
    else:
        where = locale.say(
            "{sender} has booked it out. {receiver} is booking it in.", sender=card.sender, receiver=card.receiver
        )
    return [first, decided(locale, card), "", where, *pickup(locale, card), _waiting(locale, card), card.transfer.code]


def _by_parcel(locale: Locale, card: Card) -> Lines:
    """It left by parcel: the receiver's people report its arrival."""
    transfer = card.transfer
    left = transfer.parcel.left if transfer.parcel else None
    first = locale.say(
        "📦 On its way: {what} from {sender} to {receiver}, by parcel, since {left}.",
        what=naming.above_list(locale, transfer.lines_told),
        sender=card.sender,
        receiver=card.receiver,
        left=locale.when(left) if left else "",
    )
    where = locale.say(
        "{sender} has booked it out. {receiver} books it in only once it is there.",
        sender=card.sender,
        receiver=card.receiver,
    )
    lines: Lines = [first, decided(locale, card), *what_and_where(locale, card), "", where]
    if transfer.role == "receiver":
        received = command("received")
        lines.append(locale.say("Is it here? Tap 📦 (again), or reply: {received}", received=received))
    else:
        lines.append(when_it_is_here(locale, transfer, card.receiver))
    return [*lines, if_it_never_comes(locale, transfer), transfer.code]


def _waiting(locale: Locale, card: Card) -> tuple[Inline, ...]:
    """Whether it continues by itself, or waits for something."""
    since = card.transfer.waiting_since
    if since is None:
        return locale.say("You don't need to do anything.")
    own = card.sender if card.transfer.role == "sender" else card.receiver
    return locale.say(
        "⏸ It has waited for the InvenTree of {space} since {since}. I try again by myself.",
        space=own,
        since=locale.clock(since),
    )


# --- What a card shows otherwise than the card before it, in words; and that the one before is out of force.

MOST_CHANGES = 5

FIELDS = {
    "quantity": marked("the quantity"),
    "description": marked("the part"),
    "item": marked("the stock item"),
    "part": marked("the part's number"),
    "serial": marked("the serial number"),
    "batch": marked("the batch"),
    "packaging": marked("the packaging"),
    "expiry": marked("the use-by date"),
    "status": marked("the condition"),
    "status_text": marked("the condition"),
    "details": marked("the data that travels with it"),
    "stays": marked("the data that doesn't travel"),
    "place": marked("its location there"),
    "origin": marked("its original space"),
    "landing": marked("its destination"),
    "note": marked("the note"),
    "due": marked("the time to decide"),
    "loan_until": marked("the due date"),
    "starts": marked("the first day"),
    "rules": marked("the lending rules"),
    "outside": marked("the earlier loan that this one replaces"),
    "over": marked("the bookings and the waiting list that an approval affects"),
    "obstacles": marked("the obstacles in InvenTree"),
    "own_key": marked("our key"),
    "peer_key": marked("the key"),
    "peer_bot": marked("the bot's account"),
    "name": marked("the name"),
}
"""The names of the model's fields for people."""
TURNED = {
    "granted_by": (marked("Changed: {who} has granted it."), marked("Changed: it is no longer granted.")),
    "access": (
        marked("Changed: each bot gets a token for the other's InvenTree now."),
        marked("Changed: neither bot gets a token for the other's InvenTree any more."),
    ),
    "care": (marked("Changed: two people have to approve now."), marked("Changed: one approval is enough now.")),
    "parcel": (marked("Changed: it comes by parcel now."), marked("Changed: it doesn't come by parcel any more.")),
    "whole": (
        marked("Changed: it is the whole stock item."),
        marked("Changed: it isn't the whole stock item any more."),
    ),
    "confirm": (
        marked("Changed: the requesting space may ask other spaces, too."),
        marked("Changed: the requesting space no longer asks other spaces."),
    ),
    "hands_over": (marked("Changed: its first day has come."), marked("Changed: its first day is still to come.")),
    "makes_access": (
        marked("Changed: I have an admin token now, so I create the access myself."),
        marked("Changed: I have no admin token any more, so an admin has to create the access."),
    ),
}
"""The two sentences for a field that says yes or no: the first if it says yes now."""
OURS = frozenset({"landing", "due", "over", "obstacles", "own_key"})
"""Fields that our own InvenTree or config changes; the other space changes all others."""
_WITHOUT_VALUES = frozenset({"status", "details", "stays", "rules", "outside", "over", "obstacles"})
"""Fields without a short value that people know: the card only shows them as they are now."""


def changed(locale: Locale, card: Card, changes: tuple[Change, ...]) -> Lines:
    """One line per change: 'Betaspace changed the quantity from 10 to 20.'."""
    transfer = card.transfer
    peer = card.sender if transfer.role == "receiver" else card.receiver
    return _lines(locale, peer, changes, transfer)


def connection_changed(locale: Locale, connection: Connection, changes: tuple[Change, ...]) -> Lines:
    """The same for a request to connect."""
    return _lines(locale, naming.space(locale, connection.peer_name), changes)


def _lines(locale: Locale, peer: str, changes: tuple[Change, ...], transfer: Transfer | None = None) -> Lines:
    if not changes:
        return []
    named = {change.line for change in changes if change.field == "status_text"}
    told = [change for change in changes if change.field != "status" or change.line not in named]
    lines: Lines = [locale.say("⚠ This card replaces the one before. Decide again, on this one.")]
    lines += [_of_which_line(locale, peer, change, transfer) for change in told[:MOST_CHANGES]]
    if len(told) > MOST_CHANGES:
        lines.append(locale.say("and {number} more changes", number=len(told) - MOST_CHANGES))
    return lines


def _of_which_line(locale: Locale, peer: str, change: Change, transfer: Transfer | None) -> tuple[Inline, ...]:
    """The change, after the item's name if there are several."""
    lines = transfer.terms.lines if transfer is not None else ()
    line = next((each for each in lines if each.number == change.line), None)
    sentence = _change(locale, peer, change, line.description.units if line is not None else "")
    if line is None or len(lines) == 1 or change.field == "lines":
        return sentence
    return locale.say("{thing}: {change}", thing=naming.part(locale, line.description), change=sentence)


def _change(locale: Locale, peer: str, change: Change, units: str) -> tuple[Inline, ...]:
    if change.field == "lines":
        sentence = marked("{peer} added {thing}.") if change.after else marked("{peer} removed {thing}.")
        return locale.say(sentence, peer=peer, thing=naming.thing(locale, change.after or change.before))
    if change.field in TURNED:
        is_so, is_not_so = TURNED[change.field]
        who = locale.short(str(change.after), LONGEST_LABEL)
        return locale.say(is_not_so if change.after in {False, "", "relayed"} else is_so, who=who)
    return _from_to(locale, peer, change, units)


def _from_to(locale: Locale, peer: str, change: Change, units: str) -> tuple[Inline, ...]:
    """The two values, if both can be shown and differ as shown."""
    what = locale.word(FIELDS.get(change.field, marked("the agreed terms")))
    before, after = (_value(locale, change.field, value, units) for value in (change.before, change.after))
    names: dict[str, Words] = {"peer": peer, "what": what, "before": before, "after": after}
    is_told = change.field in FIELDS and change.field not in _WITHOUT_VALUES and before != after
    if change.field in OURS and is_told:
        return locale.say("Changed: {what}, from {before} to {after}.", **names)
    if change.field == "landing":
        return locale.say("Changed: details of its destination.")
    if change.field in OURS:
        return locale.say("Changed: {what}.", **names)
    if change.field == "description" and not is_told:
        return locale.say("{peer} changed other data of the part.", **names)
    if not is_told:
        return locale.say("{peer} changed {what}.", **names)
    if not before:
        return locale.say("{peer} added {what}: {after}.", **names)
    if not after:
        return locale.say("{peer} removed {what}: {before}.", **names)
    return locale.say("{peer} changed {what} from {before} to {after}.", **names)


def _value(locale: Locale, field: str, value: object, units: str) -> str:
    """A field's value as people read it; '' if there is none."""
    match value:
        case Decimal():
            return locale.quantity(value, units)
        case PartDescription():
            told = [naming.part(locale, value), locale.short(value.ipn, 40), locale.short(value.revision, 20)]
            return ", ".join(each for each in told if each)
        case None if field != "landing":
            return ""
        case Landing() | None:
            return _lands(locale, value)
        case datetime():
            return locale.when(value)
        case date():
            return locale.day(value)
        case int():
            return f"#{value}"
        case _:
            return _text(locale, field, str(value))


def _lands(locale: Locale, landing: Landing | None) -> str:
    told = [locale.short(landing.part_name, 60), locale.short(landing.place, 60)] if landing is not None else []
    if landing is not None and landing.create_part:
        told[0] = locale.word(marked("a new part"))
    return ", ".join(each for each in told if each) or locale.word(marked("nowhere yet"))


def _text(locale: Locale, field: str, text: str) -> str:
    if field in {"own_key", "peer_key"}:
        return fingerprint(text)
    if field == "status_text":
        return naming.status(locale, text, 0)
    return f'"{locale.short(text, 60)}"' if text else ""


def card_is_superseded(locale: Locale, *, subject: Connection | Transfer) -> Lines:
    """The answer to a reaction on a card that a newer one replaces."""
    return [
        locale.say("Not counted: there is a newer card for {case}.", case=naming.case(locale, subject)),
        locale.say("Please decide on that one."),
    ]


def card_has_changed(locale: Locale, *, subject: Connection | Transfer) -> Lines:
    """The answer to a reaction from before an edit of the card."""
    return [
        locale.say("Not counted: the card of {case} has changed since.", case=naming.case(locale, subject)),
        locale.say("Please read it again and react again."),
    ]


def card_superseded(locale: Locale, *, subject: Connection | Transfer) -> Lines:
    """The text that replaces the former card."""
    return [
        locale.say("{case} has changed: a newer card replaces this one.", case=naming.case(locale, subject)),
        locale.say("Decide on that one. Nothing has moved."),
        subject.code,
    ]


# --- around the card: when it is offered, when it waits, at its end, in a dispute ---


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

    `overdue`: the receiver's overdue items. `before`: the same offer by the same person a moment ago.
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
    """Warns that the same person made the same offer or request a moment ago."""
    if before is None:
        return []
    ago = locale.span(max(transfer.asked.at - before.asked.at, A_MINUTE))
    told = "⚠ You typed the same thing {time} ago ({code}). This is a second one."
    return [locale.say(told, time=ago, code=before.code)]


def _who_decides(locale: Locale, transfer: Transfer, space: str) -> tuple[Inline, ...]:
    return locale.say(
        "Nothing has moved yet: {space} has until {when} to decide. To cancel, reply: {cancel}",
        space=space,
        when=locale.when(transfer.due),
        cancel=command("cancel"),
    )


def transfer_requested(
    locale: Locale, *, transfer: Transfer, connection: Connection, us: PartyConfig, before: Transfer | None = None
) -> Lines:
    """The answer to the line that requested something; it carries the request. `before` as in `transfer_offered`."""
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


def request_without_part(locale: Locale, *, transfer: Transfer, us: PartyConfig, rest: tuple[Line, ...] = ()) -> Lines:
    """The bot takes back the request, because none of our parts matches the item. A number asks for the `rest`."""
    space = naming.space(locale, us.name)
    homeless = [transfer.line(progress.number) for progress in unmatched(transfer)]
    lines: Lines = [
        locale.say(
            "Taken back: {space} can't book in {what} ({code}).",
            space=space,
            what=naming.things(locale, homeless),
            code=transfer.code,
        )
    ]
    lines += [no_part_for(locale, transfer, line.number, space) for line in homeless[: naming.MOST_IN_FIRST_LINE]]
    lines += by_another_name(locale, transfer)
    if rest:
        what, time = naming.things(locale, rest), locale.span(NUMBER_WITHIN)
        alone = "Nothing has moved. To ask for the rest alone ({what}), reply 1 within {time}."
        return [*lines, locale.say(alone, what=what, time=time)]
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
    """The owner offers something else than was requested, or in bad condition: asks the requester.

    A number requests exactly that. `why`: the code with which the request was taken back. `agrees_to`: the texts of the
    owner's lending rules, to which the requester agrees with that number; then `others` may be empty.
    """
    names: dict[str, Words] = {"space": naming.space(locale, peer_name), "code": transfer.code}
    lines: Lines = [locale.say(_ASKED_ANEW[why], **names)]
    for wanted, given in others[: naming.MOST_IN_FIRST_LINE]:
        lines.append(
            locale.say(
                "You asked for: {asked}. It offers: {given}",
                asked=naming.thing(locale, wanted),
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
    """The end as a separate message, for the people who asked and decided."""
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
    """For a lender whose rules require a photo: a photo in reply to this message is kept with the item."""
    rules = card.transfer.terms.rules
    if rules is None or not rules.photo_out or card.transfer.role != "sender":
        return []
    wanted = "📷 {sender}, please send a photo of it, as a reply to this message."
    return [locale.say(wanted, sender=card.sender)]


def _what_ends_tell(locale: Locale, card: Card, rest: Lines) -> Lines:
    """The other lines of a card that the mentioned people have to know; the card has the rest."""
    transfer = card.transfer
    known: Lines = ["", transfer.code, decided(locale, card), nothing_moved(locale), nothing_left(locale, card)]
    told = [line for line in rest if line not in known]
    by_nobody = transfer.state is TransferState.DECLINED and not (transfer.decided and transfer.decided.person)
    has_advice = by_nobody or transfer.state in {TransferState.ABORTED, TransferState.REVERTED}
    return told if has_advice else in_one_line(told)


def _addressed(locale: Locale, transfer: Transfer) -> tuple[Inline, ...]:
    """'@Anna @Bea ': the people whom the end concerns, and whom it mentions."""
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
    """The transfer can't continue now: what is done, what isn't, what happens next, and how to stop it.

    Not `silent`: InvenTree answers, but refuses, so its admins have to do something.
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
        locale.say("Next: I'll try again at {time}. You don't need to do anything.", time=locale.clock(next_try))
        if silent
        else locale.say("Next: an admin of {space} has to fix that. Then I continue by myself.", space=space),
        how_to_stop(locale, transfer),
    ]


def transfer_goes_on(locale: Locale, *, transfer: Transfer) -> Lines:
    """The new text of the message about a wait, once it is over."""
    return [
        locale.say("▶ {code} continues: InvenTree answers again. You don't need to do anything.", code=transfer.code)
    ]


def peer_silent(locale: Locale, *, transfer: Transfer, us: PartyConfig, peer_name: str) -> Lines:
    """The peer's bot has not answered for a while."""
    silent = silent_bot(locale, transfer, us, peer_name, how_far(locale, transfer, us, peer_name))
    return [*silent, how_to_stop(locale, transfer)]


# --- in the admin room -------------------------------------------------------------------------------------


def not_put_away(locale: Locale, *, transfer: Transfer, peer_name: str, problem: Diagnosis) -> Lines:
    """It was booked in, but is still in *Incoming*, or somebody has deleted it since."""
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
    """It arrived, but our own record keeps the status 'on its way'."""
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
    """InvenTree moved another quantity than was asked for: somebody has to count."""
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
