"""What every message about a transfer may tell: who asked and decided, what each line is, where it was, where it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fedbot.chat.content import Break, Inline, Items
from fedbot.chat.words import naming, reasons
from fedbot.chat.words.naming import command
from fedbot.chat.words.tongue import Lines, Tongue, Words, marked
from fedbot.federation.documents import Line, Progress, Transfer
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

    def space_of(self, party: str) -> str:
        """One of the two by its id; for an unknown one, who decides."""
        terms = self.transfer.terms
        return {terms.sender: self.sender, terms.receiver: self.receiver}.get(party, self.decider)

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


def asked(tongue: Tongue, card: Card) -> Lines:
    """Who asked for it, with the note."""
    terms = card.transfer.terms
    who = naming.signed(tongue, card.transfer.asked)
    names: dict[str, Words] = {"who": who, "space": _asker(card)}
    note = tongue.short(terms.note, 300)
    if note:
        return [tongue.say('Asked by {who} ({space}): "{note}"', note=note, **names)]
    return [tongue.say("Asked by {who} ({space})", **names)]


def _asker(card: Card) -> str:
    """The space whose person asked: the sender's of a push, else the receiver's; of a return either's."""
    terms = card.transfer.terms
    if terms.kind == "return":
        return card.space_of(card.transfer.asked.party)
    return card.sender if terms.kind == "push" else card.receiver


def unmatched(transfer: Transfer) -> list[Progress]:
    """The lines that have no part at the receiver, and no permission to make one."""
    if transfer.role != "receiver":
        return []
    return [p for p in transfer.progress if p.part is None and not p.create_part]


def what_and_where(tongue: Tongue, card: Card) -> Lines:
    """What each line is, where it comes from and where it would land."""
    if card.only:
        return _one_line(tongue, card, card.only)
    return [Items(tuple(_list_item(tongue, card, line) for line in card.transfer.terms.lines))]


def _one_line(tongue: Tongue, card: Card, line: Line) -> Lines:
    lines: Lines = [tongue.say("Item: {details}", details=naming.details(tongue, line))]
    if line.whole and not line.serial:
        lines.append(tongue.say("That is all that lies there."))
    if card.transfer.terms.kind == "return":
        return (
            [*lines, tongue.say("Goes back to: {places}", places=tongue.short(line.place, 60))] if line.place else lines
        )
    lines.append(tongue.say("Comes from: {place}", place=_origin(tongue, card, line)))
    if line.number in _homeless(card):
        why, advice = _no_place(tongue, card, line)
        return [
            *lines,
            tongue.say("No place yet: {why}.", why=why),
            tongue.say("In InvenTree: {advice}.", advice=advice),
        ]
    destination = _destination(tongue, card, line)
    if card.transfer.role == "sender":
        return [*lines, tongue.say("Goes to: {place}", place=destination)]
    return [*lines, tongue.say("Lands in: {place}", place=destination)]


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
        other = (
            *_other_number(tongue, line, progress),
            *_other_unit(tongue, card.transfer, line),
            *_other_revision(tongue, line, progress),
        )
        return (where, ", ", *_as_which_part(tongue, progress), *other)
    if progress.create_part:
        name = naming.part(tongue, line.description)
        category = tongue.short(progress.category, 60)
        if category:
            sentence = 'as a new part "{name}" in {category}, made on your yes'
            return (where, ", ", *tongue.say(sentence, name=name, category=category))
        return (where, ", ", *tongue.say('as a new part "{name}", made on your yes', name=name))
    return (where,)


def _other_number(tongue: Tongue, line: Line, progress: Progress) -> tuple[Inline, ...]:
    """Which serial number it gets, where something else of the receiver has its own."""
    if not progress.serial:
        return ()
    names = {"theirs": tongue.short(line.serial, 40), "ours": tongue.short(progress.serial, 60)}
    return tongue.say(". Serial {theirs} is taken there: it gets {ours}", **names)


def _other_unit(tongue: Tongue, transfer: Transfer, line: Line) -> tuple[Inline, ...]:
    """': 2 m = 200 cm', where the parts have different units."""
    progress = transfer.at(line.number)
    if progress.factor == "1":
        return ()
    theirs = tongue.quantity(line.quantity, line.description.units)
    ours = tongue.quantity(transfer.here(line.number), progress.units)
    return tongue.say(": {theirs} = {ours}", theirs=theirs, ours=ours)


def _other_revision(tongue: Tongue, line: Line, progress: Progress) -> tuple[Inline, ...]:
    """What the approver has to look at: the same IPN, but not the same revision."""
    if not progress.revision:
        return ()
    theirs, ours = tongue.short(line.description.revision, 40), tongue.short(progress.revision, 40)
    return tongue.say(". Careful: theirs is revision {theirs}, yours is revision {ours}", theirs=theirs, ours=ours)


def _homeless(card: Card) -> set[int]:
    """The lines that have no place at the receiver."""
    return {progress.number for progress in unmatched(card.transfer)}


def _no_place(tongue: Tongue, card: Card, line: Line) -> tuple[tuple[Inline, ...], tuple[Inline, ...]]:
    """Why a line has no place, and what makes one."""
    reason = card.transfer.at(line.number).match
    why = reasons.why_no_part(tongue, reason, card.receiver)
    return why, reasons.how_to_get_a_part(tongue, reason, card.receiver)


def no_part_for(tongue: Tongue, transfer: Transfer, number: int, space: str) -> tuple[Inline, ...]:
    """A line that has no part at the receiver: why, and what makes one."""
    reason = transfer.at(number).match
    return tongue.say(
        "{what}: {why}.{break_}In InvenTree: {advice}.",
        what=naming.part(tongue, transfer.line(number).description),
        break_=Break(),
        why=reasons.why_no_part(tongue, reason, space),
        advice=reasons.how_to_get_a_part(tongue, reason, space),
    )


def by_another_name(tongue: Tongue, transfer: Transfer) -> Lines:
    """What to say of the first line that no part fits, if there is one that is only called otherwise."""
    line = next((transfer.line(progress.number) for progress in unmatched(transfer) if progress.match == "none"), None)
    if line is None:
        return []
    theirs = tongue.short(line.description.ipn, 40) or f'"{tongue.short(line.description.name, 60)}"'
    match = command(f"match OUR-IPN {theirs} from {transfer.peer}")
    return [tongue.say("If one of your parts is it under another name: {match}", match=match)]


def _as_which_part(tongue: Tongue, progress: Progress) -> tuple[Inline, ...]:
    sentences = {
        "ipn": marked('as your part "{name}" (same IPN)'),
        "name": marked('as your part "{name}" (same name)'),
        "alias": marked('as your part "{name}" (recorded as the same)'),
    }
    name = tongue.short(progress.part_name, 60) or f"#{progress.part}"
    if progress.item is not None and not progress.stage:
        sentence = 'as your stock #{item} of the part "{name}", which was here before'
        return tongue.say(sentence, item=progress.item, name=name)
    return tongue.say(sentences.get(progress.match, marked('as your part "{name}"')), name=name)


def decided(tongue: Tongue, card: Card) -> tuple[Inline, ...]:
    """'Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31'."""
    who, signature = naming.signed(tongue, card.transfer.asked), card.transfer.decided
    if signature is None:
        return tongue.say("Asked by {who}", who=who)
    return tongue.say(
        "Asked by {who}, accepted by {decider} ({space}), {when}",
        who=who,
        decider=naming.signed(tongue, signature),
        space=card.space_of(signature.party),
        when=tongue.when(signature.at),
    )


def settled(tongue: Tongue, card: Card) -> Lines:
    """'Settled by Anna (attraktor), Tue 24 Nov, 20:31', where nobody could tell by machine what became of it."""
    settlement = card.transfer.settled
    if settlement is None:
        return []
    terms = card.transfer.terms
    other = terms.receiver if settlement.by.party == terms.sender else terms.sender
    names: dict[str, Words] = {
        "who": naming.signed(tongue, settlement.by),
        "space": card.space_of(settlement.by.party),
        "when": tongue.when(settlement.by.at),
        "other": card.space_of(other),
    }
    if settlement.alone:
        return [tongue.say("Settled by {who} ({space}) alone, {when}; {other} has not said so yet.", **names)]
    return [tongue.say("Settled by {who} ({space}), {when}", **names)]


def received(tongue: Tongue, card: Card) -> Lines:
    """'Received by Cem (betaspace), Tue 1 Dec, 17:05', of a parcel."""
    parcel = card.transfer.parcel
    if parcel is None or parcel.received is None:
        return []
    by = parcel.received
    names: dict[str, Words] = {"who": naming.signed(tongue, by), "when": tongue.when(by.at)}
    return [tongue.say("Came by parcel, received by {who} ({space}), {when}", space=card.receiver, **names)]


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
        "why": reasons.why_not_given(tongue, progress.failed, card.sender, card.receiver),
    }
    if transfer.role == "receiver" and progress.failed != NOT_SENT:
        return tongue.say("Not booked in: {what}: {why} {sender} takes it back.", **names)
    if transfer.role == "sender" and not progress.failed:
        return tongue.say("Not booked in: {what}: {receiver} could not, so it is back at {sender}.", **names)
    return tongue.say("Not given: {what} stays at {sender}: {why}", **names)
