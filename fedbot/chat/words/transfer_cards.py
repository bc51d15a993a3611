"""The card on which people decide about a transfer, in each of its states (DESIGN §8).

The card stands at the deciding party's bot; it is edited in place and stays as the record of what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fedbot.chat.content import Break, Inline, Items
from fedbot.chat.words import naming, reasons
from fedbot.chat.words.naming import command
from fedbot.chat.words.tongue import Lines, Tongue, Words
from fedbot.federation.documents import Line, Progress, Transfer, TransferState
from fedbot.federation.home import Home

NOT_SENT = "not-sent"


@dataclass(frozen=True)
class Card:
    """Everything that a card speaks of, with the names of both spaces as they are shown."""

    transfer: Transfer
    sender: str
    receiver: str
    decider: str
    people: Sequence[str] = ()

    @property
    def only(self) -> Line | None:
        """The line, if there is just one."""
        lines = self.transfer.terms.lines
        return lines[0] if len(lines) == 1 else None


def card_of(tongue: Tongue, transfer: Transfer, home: Home, peer_name: str, people: Sequence[str] = ()) -> Card:
    """The card's names and things."""
    return Card(
        transfer=transfer,
        sender=naming.sender(tongue, transfer, home, peer_name),
        receiver=naming.receiver(tongue, transfer, home, peer_name),
        decider=naming.party(tongue, transfer.terms.decider, home, peer_name),
        people=people,
    )


def transfer_card(tongue: Tongue, *, transfer: Transfer, home: Home, peer_name: str, people: list[str]) -> Lines:
    """The card as it stands now. `people`: the names of those who may decide."""
    card = card_of(tongue, transfer, home, peer_name, people)
    return _CARDS[transfer.state](tongue, card)


# --- before anything moves ---------------------------------------------------------------------------------


def _open(tongue: Tongue, card: Card) -> Lines:
    match card.transfer.wanted:
        case "approve":
            return _approved(tongue, card)
        case "decline" | "cancel" as wanted:
            return _ending(tongue, card, wanted)
        case _:
            return _offered(tongue, card)


def _offered(tongue: Tongue, card: Card) -> Lines:
    without_part = unmatched(card.transfer)
    names: dict[str, Words] = {
        "sender": card.sender,
        "receiver": card.receiver,
        "what": naming.moved(tongue, card.transfer),
    }
    if without_part:
        first = tongue.say("{sender} offers {receiver} {what}, to keep. It can't be taken yet.", **names)
    elif card.only:
        first = tongue.say("{sender} offers {receiver} {what}, to keep. Take it?", **names)
    else:
        first = tongue.say("{sender} offers {receiver} {what}, to keep. Take them?", **names)
    lines: Lines = [first, *asked(tongue, card), "", *_lines(tongue, card), ""]
    lines.append(_for_whom(tongue, card))
    if without_part:
        sentence = (
            "Nothing has moved yet. Once that is mended in InvenTree, tap ✅: I look again, and the card changes."
        )
        lines.append(tongue.say(sentence))
        lines.append(tongue.say("❌ no, thanks"))
    else:
        lines.append(tongue.say("✅ yes, book it in · ❌ no, thanks"))
    lines.append(tongue.say("Open until {when} · {code}", when=tongue.when(card.transfer.due), code=card.transfer.code))
    return lines


def asked(tongue: Tongue, card: Card) -> Lines:
    """Who asked for it, with the note."""
    terms = card.transfer.terms
    who = naming.signed(tongue, card.transfer.asked)
    names: dict[str, Words] = {"who": who, "space": card.sender if terms.kind == "push" else card.receiver}
    note = tongue.short(terms.note, 300)
    if note:
        return [tongue.say('Asked by {who} ({space}): "{note}"', note=note, **names)]
    return [tongue.say("Asked by {who} ({space})", **names)]


def _for_whom(tongue: Tongue, card: Card) -> tuple[Inline, ...]:
    not_moved = tongue.say("Nothing has moved yet.")
    if unmatched(card.transfer):
        not_moved = ()
    if not card.people:
        whom = tongue.say("For the approvers of {space}.", space=card.decider)
    else:
        who = naming.people(tongue, card.people, any_of=True)
        if len(card.people) == 1:
            whom = tongue.say("For {who} (approver of {space}).", who=who, space=card.decider)
        else:
            whom = tongue.say("For {who} (approvers of {space}).", who=who, space=card.decider)
    return (*whom, " ", *not_moved) if not_moved else whom


def unmatched(transfer: Transfer) -> list[Progress]:
    """The lines that have no part at the receiver, and no permission to make one."""
    if transfer.role != "receiver":
        return []
    return [p for p in transfer.progress if p.part is None and not p.create_part]


def _lines(tongue: Tongue, card: Card) -> Lines:
    """What each line is, where it comes from and where it would land."""
    if card.only:
        return _one_line(tongue, card, card.only)
    return [Items(tuple(_list_item(tongue, card, line) for line in card.transfer.terms.lines))]


def _one_line(tongue: Tongue, card: Card, line: Line) -> Lines:
    lines: Lines = [tongue.say("Item: {details}", details=naming.details(tongue, line))]
    if line.whole and not line.serial:
        lines.append(tongue.say("That is all that lies there."))
    lines.append(tongue.say("Comes from: {place}", place=_origin(tongue, card, line)))
    if line.number in _homeless(card):
        why, advice = _no_place(tongue, card, line)
        return [
            *lines,
            tongue.say("No place yet: {why}.", why=why),
            tongue.say("In InvenTree: {advice}.", advice=advice),
        ]
    return [*lines, tongue.say("Lands in: {place}", place=_destination(tongue, card, line))]


def _list_item(tongue: Tongue, card: Card, line: Line) -> tuple[Inline, ...]:
    what = f"{tongue.quantity(line.quantity, line.description.units)}: {naming.details(tongue, line)}"
    origin = tongue.say("from {place}", place=_origin(tongue, card, line))
    if line.number in _homeless(card):
        why, advice = _no_place(tongue, card, line)
        no_place = tongue.say("no place yet: {why}", why=why)
        return (
            what,
            Break(),
            *origin,
            Break(),
            *no_place,
            Break(),
            *tongue.say("in InvenTree: {advice}", advice=advice),
        )
    return (what, Break(), *origin, Break(), *tongue.say("to {place}", place=_destination(tongue, card, line)))


def _origin(tongue: Tongue, card: Card, line: Line) -> str:
    place = tongue.short(line.place, 60)
    return f"{card.sender}, {place}" if place else card.sender


def _destination(tongue: Tongue, card: Card, line: Line) -> tuple[Inline, ...]:
    progress = card.transfer.at(line.number)
    place = tongue.short(progress.place, 60)
    where = f"{card.receiver}, {place}" if place else card.receiver
    if progress.part is not None:
        return (where, ", ", *_as_which_part(tongue, progress))
    if progress.create_part:
        name = naming.part(tongue, line.description)
        return (where, ", ", *tongue.say('as a new part "{name}", made on your yes', name=name))
    return (where,)


def _homeless(card: Card) -> set[int]:
    """The lines that have no place at the receiver."""
    return {progress.number for progress in unmatched(card.transfer)}


def _no_place(tongue: Tongue, card: Card, line: Line) -> tuple[tuple[Inline, ...], tuple[Inline, ...]]:
    """Why a line has no place, and what makes one."""
    reason = card.transfer.at(line.number).match
    why = reasons.why_no_part(tongue, reason, card.receiver)
    return why, reasons.how_to_get_a_part(tongue, reason, card.receiver)


def _as_which_part(tongue: Tongue, progress: Progress) -> tuple[Inline, ...]:
    sentences = {
        "ipn": "as your part #{part} (same IPN)",
        "name": "as your part #{part} (same name)",
        "alias": "as your part #{part} (recorded as the same)",
    }
    return tongue.say(sentences.get(progress.match, "as your part #{part}"), part=progress.part or 0)


# --- decided, not yet done ---------------------------------------------------------------------------------


def decided(tongue: Tongue, card: Card) -> tuple[Inline, ...]:
    """'Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31'."""
    who, signature = naming.signed(tongue, card.transfer.asked), card.transfer.decided
    if signature is None:
        return tongue.say("Asked by {who}", who=who)
    return tongue.say(
        "Asked by {who}, accepted by {decider} ({space}), {when}",
        who=who,
        decider=naming.signed(tongue, signature),
        space=card.decider,
        when=tongue.when(signature.at),
    )


def _approved(tongue: Tongue, card: Card) -> Lines:
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
        *_lines(tongue, card),
        "",
        tongue.say(
            "Nothing is booked in yet. {sender}'s bot checks its stock once more, then it goes by itself.",
            sender=card.sender,
        ),
        tongue.say("To stop it, reply: {cancel} · {code}", cancel=command("cancel"), code=card.transfer.code),
    ]


def _ending(tongue: Tongue, card: Card, wanted: str) -> Lines:
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


def _moving(tongue: Tongue, card: Card) -> Lines:
    """Approved and on its way."""
    what = naming.moved(tongue, card.transfer)
    first = tongue.say(
        "{what} goes from {sender} to {receiver} now.", what=what, sender=card.sender, receiver=card.receiver
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
    return [first, decided(tongue, card), "", where, tongue.say("Nothing to do."), card.transfer.code]


# --- the end -----------------------------------------------------------------------------------------------


def _done(tongue: Tongue, card: Card) -> Lines:
    first = tongue.say(
        "✅ Done: {what} went from {sender} to {receiver}, to keep.",
        what=naming.moved(tongue, card.transfer),
        sender=card.sender,
        receiver=card.receiver,
    )
    if failed(card.transfer):
        first = tongue.say(
            "✅ Done in part: {what} went from {sender} to {receiver}, to keep.",
            what=_arrived_things(tongue, card.transfer),
            sender=card.sender,
            receiver=card.receiver,
        )
    footer = tongue.say("Reply here with: {show}", show=command("show"))
    lines: Lines = [first, decided(tongue, card), "", *where_it_is(tongue, card), *not_done(tongue, card)]
    return [*lines, "", footer, card.transfer.code]


def _arrived_things(tongue: Tongue, transfer: Transfer) -> str:
    """What did go, where some of it did not."""
    bad = {progress.number for progress in failed(transfer)}
    return naming.things(tongue, [line for line in transfer.terms.lines if line.number not in bad])


def failed(transfer: Transfer) -> list[Progress]:
    """The lines that did not go, or came back."""
    return [p for p in transfer.progress if p.failed or p.stage == "back"]


def where_it_is(tongue: Tongue, card: Card) -> Lines:
    """Which stock items these are now, at either end."""
    bad = {progress.number for progress in failed(card.transfer)}
    lines = [line for line in card.transfer.terms.lines if line.number not in bad]
    if len(card.transfer.terms.lines) == 1:
        return [each(tongue, card, line) for line in lines for each in (_at_receiver, _at_sender)]
    items = tuple(
        (
            f"{naming.thing(tongue, line)}",
            Break(),
            *_at_receiver(tongue, card, line),
            Break(),
            *_at_sender(tongue, card, line),
        )
        for line in lines
    )
    return [Items(items)] if items else []


def _at_receiver(tongue: Tongue, card: Card, line: Line) -> tuple[Inline, ...]:
    item, place = _item_at_receiver(card.transfer, line)
    shown = tongue.short(place, 60)
    if item is None:
        return tongue.say("At {space}: {place}", space=card.receiver, place=shown or tongue.word("in stock"))
    if shown:
        return tongue.say("At {space}: stock #{item}, {place}", space=card.receiver, item=item, place=shown)
    return tongue.say("At {space}: stock #{item}", space=card.receiver, item=item)


def _item_at_receiver(transfer: Transfer, line: Line) -> tuple[int | None, str]:
    """The new stock item and its place, as far as this side knows them."""
    if transfer.role == "receiver":
        progress = transfer.at(line.number)
        return progress.item, progress.place
    handed = [p.number for p in transfer.progress if p.stage == "arrived"]
    known = dict(zip(handed, transfer.peer_items, strict=False))
    return known.get(line.number), transfer.peer_place


def _at_sender(tongue: Tongue, card: Card, line: Line) -> tuple[Inline, ...]:
    progress = card.transfer.at(line.number)
    names: dict[str, Words] = {"space": card.sender, "receiver": card.receiver}
    if card.transfer.role == "sender" and progress.item is not None and progress.item != line.item:
        sentence = "At {space}: stock #{item}, split off from #{source}, with customer {receiver}"
        return tongue.say(sentence, item=progress.item, source=line.item, **names)
    if card.transfer.role == "sender" or line.whole or line.serial:
        return tongue.say("At {space}: stock #{item}, with customer {receiver}", item=line.item, **names)
    return tongue.say("At {space}: taken out of stock #{item}, with customer {receiver}", item=line.item, **names)


def not_done(tongue: Tongue, card: Card) -> Lines:
    """Each line that did not go, and why."""
    return [_not_done(tongue, card, progress) for progress in failed(card.transfer)]


def _not_done(tongue: Tongue, card: Card, progress: Progress) -> tuple[Inline, ...]:
    transfer = card.transfer
    names: dict[str, Words] = {
        "what": naming.thing(tongue, transfer.line(progress.number)),
        "sender": card.sender,
        "receiver": card.receiver,
        "why": reasons.why_not_given(tongue, progress.failed, card.sender),
    }
    if transfer.role == "receiver" and progress.failed != NOT_SENT:
        return tongue.say("Not booked in: {what}: {why} {sender} takes it back.", **names)
    if transfer.role == "sender" and not progress.failed:
        return tongue.say("Not booked in: {what}: {receiver} could not, so it is back at {sender}.", **names)
    return tongue.say("Not given: {what} stays at {sender}: {why}", **names)


def _declined(tongue: Tongue, card: Card) -> Lines:
    what = naming.moved(tongue, card.transfer)
    if card.transfer.problem == "chain":
        first = tongue.say("❌ Not taken: {what} stays at {sender}.", what=what, sender=card.sender)
        return [
            first,
            tongue.say("Why: {why}", why=reasons.why_not_given(tongue, "chain", card.sender)),
            card.transfer.code,
        ]
    first = tongue.say("❌ Declined: {what} stays at {sender}.", what=what, sender=card.sender)
    return [first, _by_whom(tongue, card, card.decider), tongue.say("Nothing has moved."), card.transfer.code]


def _cancelled(tongue: Tongue, card: Card) -> Lines:
    signature = card.transfer.decided
    first = tongue.say(
        "Cancelled: {what} stays at {sender}.", what=naming.moved(tongue, card.transfer), sender=card.sender
    )
    space = card.receiver if signature and signature.party == card.transfer.terms.receiver else card.sender
    return [first, _by_whom(tongue, card, space), tongue.say("Nothing has moved."), card.transfer.code]


def _by_whom(tongue: Tongue, card: Card, space: str) -> tuple[Inline, ...]:
    signature = card.transfer.decided
    if signature is None:
        return tongue.say("By {space}", space=space)
    return tongue.say(
        "By {who} ({space}), {when}", who=naming.signed(tongue, signature), space=space, when=tongue.when(signature.at)
    )


def _expired(tongue: Tongue, card: Card) -> Lines:
    return [
        tongue.say("Expired: {what} stays at {sender}.", what=naming.moved(tongue, card.transfer), sender=card.sender),
        tongue.say(
            "Nobody of {decider} decided until {when}.", decider=card.decider, when=tongue.when(card.transfer.due)
        ),
        tongue.say("Nothing has moved. {who} can start it again.", who=naming.signed(tongue, card.transfer.asked)),
        card.transfer.code,
    ]


def _aborted(tongue: Tongue, card: Card) -> Lines:
    first = tongue.say(
        "Not given: {what} stays at {sender}.", what=naming.moved(tongue, card.transfer), sender=card.sender
    )
    why = tongue.say("Why: {why}", why=reasons.why_not_given(tongue, card.transfer.problem, card.sender))
    instead = reasons.what_instead(tongue, card.transfer.problem, card.sender, command("spaces"))
    lines: Lines = [first, decided(tongue, card), "", why]
    if len(card.transfer.terms.lines) > 1:
        lines += not_done(tongue, card)
    lines.append(
        tongue.say(
            "Nothing has left {sender}; {receiver} has booked nothing in.", sender=card.sender, receiver=card.receiver
        )
    )
    return [*lines, instead, card.transfer.code] if instead else [*lines, card.transfer.code]


# --- the way back, and when nobody can tell ----------------------------------------------------------------


def _refused(tongue: Tongue, card: Card) -> Lines:
    names: dict[str, Words] = {"sender": card.sender, "receiver": card.receiver}
    first = tongue.say(
        "Not booked in: {what} goes back to {sender}.", what=naming.moved(tongue, card.transfer), sender=card.sender
    )
    lines: Lines = [first, decided(tongue, card), "", *_inventree_said(tongue, card)]
    lines.append(
        tongue.say(
            "Done: it had left {sender}'s stock. Not done: {receiver} has booked nothing in, and won't.", **names
        )
    )
    lines.append(tongue.say("Next: {sender}'s bot takes it back into its stock by itself. Nothing to do.", **names))
    return [*lines, card.transfer.code]


def _reverted(tongue: Tongue, card: Card) -> Lines:
    first = tongue.say(
        "Back again: {what} is in {sender}'s stock as before.",
        what=naming.moved(tongue, card.transfer),
        sender=card.sender,
    )
    lines: Lines = [first, decided(tongue, card), "", *_inventree_said(tongue, card)]
    lines.append(
        tongue.say(
            "{receiver} could not book it in, so {sender} took it back.", sender=card.sender, receiver=card.receiver
        )
    )
    lines.append(
        tongue.say("When that is mended, {who} can start it again.", who=naming.signed(tongue, card.transfer.asked))
    )
    return [*lines, card.transfer.code]


def _inventree_said(tongue: Tongue, card: Card) -> Lines:
    said = tongue.short(card.transfer.problem, 200)
    return [tongue.say("{receiver}'s InvenTree said: {said}", receiver=card.receiver, said=said)] if said else []


def _disputed(tongue: Tongue, card: Card) -> Lines:
    names: dict[str, Words] = {"sender": card.sender, "receiver": card.receiver}
    return [
        tongue.say("⚠ Unclear: nobody can tell what became of {what}.", what=naming.moved(tongue, card.transfer)),
        decided(tongue, card),
        "",
        tongue.say("It may be counted wrong at {sender} or {receiver}; I do nothing more about it.", **names),
        tongue.say(
            "Admins of both spaces: compare the stock histories in InvenTree, they carry {mark}.",
            mark=f"fed:{card.transfer.id}",
        ),
        card.transfer.code,
    ]


_CARDS: dict[TransferState, Callable[[Tongue, Card], Lines]] = {
    TransferState.OPEN: _open,
    TransferState.APPROVED: _moving,
    TransferState.DEBITING: _moving,
    TransferState.SENT: _moving,
    TransferState.CREDITING: _moving,
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
