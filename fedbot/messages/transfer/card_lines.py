"""The lines that cards and other messages about a transfer are made of: items, places, people, days and progress."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from fedbot.messages import naming, reason_codes
from fedbot.messages.diagnosis import APART, diagnosis
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.markup import Break, Inline, Items, joined
from fedbot.messages.naming import command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import LONGEST_PICKUP
from fedbot.rules.model.diagnosis import Apart, Diagnosis, StaysApart
from fedbot.rules.model.ledger import LOST
from fedbot.rules.model.lifecycles import ConnectionState, Ending, TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import FileTold, Trait, counts_pieces
from fedbot.rules.model.transfer import FAILED_AT_SENDER, NOT_IN_PARCEL, Line, Progress, Transfer

_TRANSFERS: dict[TransferState, str] = {
    TransferState.OPEN: marked("Waiting for a decision until {due}."),
    TransferState.BOOKED: marked("📅 Booked from {first} until {last}; pick it up by {due}."),
    TransferState.APPROVED: marked("{who} approved it; next, it is booked out."),
    TransferState.DEBITING: marked("{who} approved it; it is being booked out."),
    TransferState.SENT: marked("It has left its old location and is on its way; next, it is booked in."),
    TransferState.CREDITING: marked("It is being booked in."),
    TransferState.RECEIVED: marked("It is booked in; the sender's record is being finished."),
    TransferState.DONE: marked("Done, {ended}."),
    TransferState.DECLINED: marked("{who} declined it. Nothing has moved."),
    TransferState.CANCELLED: marked("{who} took it back. Nothing has moved."),
    TransferState.EXPIRED: marked("Nobody decided by {due}. Nothing has moved."),
    TransferState.ABORTED: marked("It could not be given. Nothing has left."),
    TransferState.REFUSED: marked("It could not be booked in, and goes back."),
    TransferState.REVERTING: marked("It could not be booked in, and goes back."),
    TransferState.REVERTED: marked("It could not be booked in, and is back where it came from."),
    TransferState.DISPUTED: marked("⚠ Nobody can tell what happened to it. Somebody has to look."),
}
_BY_NOBODY: dict[TransferState, str] = {
    TransferState.DECLINED: marked("It could not be given. Nothing has moved."),
    TransferState.CANCELLED: marked("It was cancelled. Nothing has moved."),
}
_WANTED: dict[str, str] = {
    "approve": marked("{who} approved it; next, the other space books it out."),
    "decline": marked("{who} declined it; the other space has not noted that yet."),
    "cancel": marked("We asked the other space to take it back."),
}
_CLOSED: dict[Ending, str] = {
    Ending.RETURNED: marked("Lent, and back since {when}."),
    Ending.GIFT: marked("Lent, then turned into a gift by {who}, {when}."),
    Ending.LOST: marked("Lent, and lost, says {who}, {when}."),
    Ending.KEPT: marked("Borrowed; it stays here as theirs, says {who}, {when}: the lender's bot is gone."),
}
_LONGER: dict[TransferState, str] = {
    TransferState.OPEN: marked("An extension until {day} is requested; it waits for a decision."),
    TransferState.DONE: marked("Extended by {who}, until {day}."),
    TransferState.DECLINED: marked("An extension until {day} was requested, but not given."),
}
_CONNECTIONS: dict[ConnectionState, str] = {
    ConnectionState.ASKED: marked("Waiting for the other space until {due}."),
    ConnectionState.OFFERED: marked("Waiting for one of our superusers until {due}."),
    ConnectionState.MAKING: marked("Both have approved; it is being set up."),
    ConnectionState.READY: marked("Our side is set up; the other side isn't yet."),
    ConnectionState.ACTIVE: marked("We are friends."),
    ConnectionState.ENDING: marked("It is ending: nothing new starts, running transfers finish first."),
    ConnectionState.SUSPENDED: marked("⚠ Paused: the other bot's key or account changed."),
    ConnectionState.DECLINED: marked("It was declined."),
    ConnectionState.CANCELLED: marked("It was taken back."),
    ConnectionState.EXPIRED: marked("Nobody decided by {due}, or it was not set up by then."),
    ConnectionState.ENDED: marked("It was ended."),
}


def state_in_words(locale: Locale, subject: Connection | Transfer) -> tuple[Inline, ...]:
    """'Waiting for a decision until Tue 1 Dec, 20:14.'."""
    due = naming.open_until(locale, subject)
    if isinstance(subject, Connection):
        sentence = _CONNECTIONS[subject.state]
        if subject.state is ConnectionState.MAKING and subject.needs:
            sentence = marked("Both have approved. It is waiting for one of our admins.")
        elif subject.state is ConnectionState.SUSPENDED and subject.changed_room:
            sentence = marked("⏸ Waits, because its room was replaced.")
        return locale.say(sentence, due=due)
    if subject.is_on_loan or subject.closed is not None or subject.terms.kind == "extension":
        return _of_loan(locale, subject)
    if subject.state is TransferState.OPEN or (subject.state is TransferState.BOOKED and subject.wanted):
        wanted = _open(subject)
    elif subject.state is TransferState.EXPIRED and subject.was_due is not None:
        wanted = marked("Booked, but not picked up by {due}. Nothing has moved.")
    elif subject.decided is None or not (subject.decided.name or subject.decided.person):
        wanted = _BY_NOBODY.get(subject.state) or _parcel(subject)
    else:
        wanted = _parcel(subject)
    ended = locale.when(subject.ended) if subject.ended else ""
    who = naming.signed(locale, subject.decided)
    left = locale.when(subject.parcel.left) if subject.parcel and subject.parcel.left else ""
    days = {"first": naming.first_day(locale, subject), "last": naming.last_day(locale, subject)}
    return locale.say(wanted or _TRANSFERS[subject.state], due=due, who=who, ended=ended, left=left, **days)


def _parcel(transfer: Transfer) -> str | None:
    """The sentence about a parcel's state, if it differs from other transfers."""
    if transfer.parcel is None or transfer.parcel.left is None:
        return None
    if transfer.state is TransferState.SENT:
        return marked("📦 On its way by parcel since {left}; booked in once somebody confirms that it is there.")
    if transfer.parcel.missing is None:
        return None
    if transfer.state is TransferState.DISPUTED:
        return marked("⚠ The parcel did not arrive; people have to say what happened to it.")
    if transfer.state is TransferState.REFUSED:
        return marked("The parcel did not arrive; its sender says whether it is back, or lost.")
    if transfer.state in {TransferState.REVERTING, TransferState.REVERTED}:
        return marked("The parcel did not arrive; it is in its sender's stock again.")
    return None


def _of_loan(locale: Locale, transfer: Transfer) -> tuple[Inline, ...]:
    """A loan's due date, its end, or the requested extension."""
    day = naming.last_day(locale, transfer)
    if transfer.closed is not None:
        closed = transfer.closed
        return locale.say(_CLOSED[closed.how], when=locale.when(closed.by.at), who=naming.signed(locale, closed.by))
    if not transfer.is_on_loan:
        asked = _LONGER.get(transfer.state, _LONGER[TransferState.DECLINED])
        if transfer.problem == "other-day":
            asked = marked("An extension until {day} was requested; {who} has set another day.")
            if transfer.back_by is not None:
                asked = marked("An extension was requested; {who} has set another day: {day}.")
        return locale.say(asked, day=day, who=naming.signed(locale, transfer.decided))
    overdue = transfer.due_day is not None and transfer.due_day < locale.today_there(transfer.terms.time_zone)
    if transfer.role == "sender":
        return locale.say("⚠ Lent; it was due {day}." if overdue else "Lent until {day}.", day=day)
    return locale.say("⚠ Borrowed; it was due {day}." if overdue else "Borrowed until {day}.", day=day)


def _open(transfer: Transfer) -> str | None:
    """The state of an open transfer that waits for something else than a decision."""
    if transfer.wanted:
        return _WANTED.get(transfer.wanted)
    if transfer.granted is not None and transfer.terms.confirm:
        return marked("Granted; waits until {due} for the requesting space to confirm.")
    return (
        marked("Less was granted; the requesting space can decide on that until {due}.") if transfer.granted else None
    )


def silent_bot(
    locale: Locale, subject: Connection | Transfer, us: PartyConfig, peer_name: str, state: tuple[Inline, ...]
) -> Lines:
    """The peer's bot has not answered for a while. `state`: the subject's progress."""
    at = subject.exchange.resend_at
    again = (
        locale.say("Next: I'll send it again at {time}. You don't need to do anything.", time=locale.clock(at))
        if at
        else locale.say("Next: I'll send it again by myself. You don't need to do anything.")
    )
    return [
        locale.say(
            "⏸ {code} waits: the bot of {peer} has not answered for {time}.",
            code=subject.code,
            peer=naming.space(locale, peer_name),
            time=locale.span(us.silent_after),
        ),
        state,
        again,
    ]


def how_far(locale: Locale, transfer: Transfer, us: PartyConfig, peer_name: str) -> tuple[Inline, ...]:
    """The progress: 'Done: Bea approved it. Not done: nothing has moved, in either space'."""
    names: dict[str, Words] = {
        "sender": naming.sender(locale, transfer, us, peer_name),
        "receiver": naming.receiver(locale, transfer, us, peer_name),
        "who": naming.signed(locale, transfer.decided),
        "granter": naming.signed(locale, transfer.granted),
    }
    sentence = _of_sender(transfer) if transfer.role == "sender" else _of_receiver(transfer)
    return locale.say(sentence, **names)


def how_to_stop(locale: Locale, transfer: Transfer) -> tuple[Inline, ...]:
    """The line that still stops it, or that it can't be stopped."""
    verb = _stopping_verb(transfer)
    if verb:
        return locale.say("To stop it: {cancel}", cancel=command(f"{verb} {transfer.code}"))
    return locale.say("I can't stop it halfway.")


def _stopping_verb(transfer: Transfer) -> str:
    """`decline` for the deciding side, `cancel` for the others."""
    asked_of_sender = transfer.terms.kind in {"request", "extension"}
    ours_to_decide = transfer.granted is None and (transfer.role == "sender") == asked_of_sender
    if transfer.state is TransferState.BOOKED:
        return "cancel"
    if transfer.state is TransferState.OPEN:
        return "decline" if ours_to_decide and not transfer.wanted else "cancel"
    return "cancel" if transfer.role == "sender" and transfer.state is TransferState.APPROVED else ""


def _of_sender(transfer: Transfer) -> str:
    match transfer.state:
        case TransferState.OPEN:
            return _open_at_sender(transfer)
        case TransferState.BOOKED:
            return marked("Done: it is booked. Not done: nobody has picked it up yet, and nothing has moved.")
        case TransferState.APPROVED:
            return marked("Done: {who} approved it. Not done: nothing has moved, in either space.")
        case TransferState.DEBITING if _stage(transfer) == "taken":
            return marked("Done: {sender} has moved it to Outgoing. Not done: it isn't booked out to {receiver} yet.")
        case TransferState.DEBITING:
            return marked("Done: {who} approved it. Not done: {sender} hasn't booked it out yet.")
        case TransferState.SENT:
            return marked(
                "Done: {sender} has booked it out. Not done: {receiver} has not confirmed that it is booked in."
            )
        case TransferState.REVERTING:
            return marked("Not done: {receiver} could not book it in, and {sender} hasn't booked it back in yet.")
        case _:
            return marked("Done: {receiver} has it. Not done: {sender} hasn't marked its own record as arrived yet.")


def _open_at_sender(transfer: Transfer) -> str:
    if transfer.granted is not None and transfer.terms.confirm:
        return marked(
            "Done: {granter} granted it. Not done: the bot of {receiver} has not confirmed. Nothing has moved."
        )
    if transfer.granted is not None:
        return marked("Done: {granter} granted less. Not done: {receiver} has not agreed yet. Nothing has moved.")
    if transfer.peer_agreed is not None:
        return marked("Done: {receiver} approved it. Not done: a second person of {sender} has not approved it yet.")
    if transfer.terms.kind == "request":
        return marked("Done: {receiver} has asked. Not done: nobody has decided yet, and nothing has moved.")
    return marked("Done: it is offered. Not done: nothing has moved, in either space.")


def _of_receiver(transfer: Transfer) -> str:
    match transfer.state:
        case TransferState.OPEN:
            return _open_at_receiver(transfer)
        case TransferState.BOOKED:
            return marked("Done: it is booked. Not done: nobody has picked it up yet, and nothing has moved.")
        case TransferState.SENT | TransferState.CREDITING:
            return marked("Done: {sender} has booked it out. Not done: {receiver} hasn't booked it in yet.")
        case TransferState.REFUSED:
            return marked("Not done: {receiver} could not book it in, and {sender} hasn't booked it back in yet.")
        case _:
            return marked(
                "Done: it is booked in at {receiver}. Not done: it is still in Incoming, and not put away yet."
            )


def _open_at_receiver(transfer: Transfer) -> str:
    match transfer.wanted:
        case "approve":
            return marked("Done: {who} approved it. Not done: nothing is booked in at {receiver} yet.")
        case "decline":
            return marked("Done: {who} declined it. Not done: {sender} has not noted it yet. Nothing has moved.")
        case "":
            if transfer.terms.kind == "request":
                return marked("Done: {sender} was asked. Not done: nothing has moved, in either space.")
            return marked("Done: the offer is here. Not done: I don't know its destination yet. Nothing has moved.")
        case _:
            return marked("Done: I asked to cancel it. Not done: {sender} has not answered yet.")


def _stage(transfer: Transfer) -> str:
    """The progress of the first line that isn't finished."""
    under_way = [p for p in transfer.progress if p.stage in {"", "brought", "taken"} and not p.failed]
    return under_way[0].stage if under_way else ""


@dataclass(frozen=True)
class Card:
    """Everything that a card shows, with the display names of both spaces.

    `left`: the items of a loan that did not come back; None if that isn't known, or it is no loan. `due`: the present
    due date of the loan that an extension is about. `full`: it is for a page, which has room for all details.
    """

    transfer: Transfer
    sender: str
    receiver: str
    decider: str
    people: Sequence[str] = ()
    left: tuple[Line, ...] | None = None
    due: date | None = None
    full: bool = False

    def space_of(self, party: str) -> str:
        """The name of one of the two spaces by its id; for an unknown id, that of the deciding one."""
        terms = self.transfer.terms
        return {terms.sender: self.sender, terms.receiver: self.receiver}.get(party, self.decider)

    @property
    def lines_left(self) -> tuple[Line, ...]:
        """The items of a loan that did not come back; all of them while that isn't known."""
        return self.transfer.lines_told if self.left is None else self.left

    @property
    def lines_out(self) -> tuple[Line, ...]:
        """The part of a loan that is still on loan."""
        return tuple(line for line in self.lines_left if self.transfer.ending_of(line.number) is None)

    @property
    def only(self) -> Line | None:
        """The line, if there is only one."""
        lines = self.transfer.terms.lines
        return lines[0] if len(lines) == 1 else None


def card_of(
    locale: Locale,
    transfer: Transfer,
    us: PartyConfig,
    peer_name: str,
    people: Sequence[str] = (),
    left: tuple[Line, ...] | None = None,
    due: date | None = None,
    *,
    full: bool = False,
) -> Card:
    """The card of this transfer, with the names of both spaces."""
    return Card(
        transfer=transfer,
        sender=naming.sender(locale, transfer, us, peer_name),
        receiver=naming.receiver(locale, transfer, us, peer_name),
        decider=naming.party(locale, transfer.terms.decider, us, peer_name),
        people=people,
        left=left,
        due=due,
        full=full,
    )


def for_whom(locale: Locale, card: Card, space: str) -> tuple[Inline, ...]:
    """Name the people who decide, and the deadline: the second line of every card that asks."""
    names: dict[str, Words] = {"space": space, "when": naming.open_until(locale, card.transfer)}
    if not card.people:
        return locale.say("The approvers of {space} can decide until {when}.", **names)
    who = naming.people(locale, card.people, any_of=True)
    if len(card.people) == 1:
        return locale.say("{who} (approver of {space}) can decide until {when}.", who=who, **names)
    return locale.say("{who} (approvers of {space}) can decide until {when}.", who=who, **names)


def in_one_line(lines: Lines) -> Lines:
    """These sentences joined into one line, without empty ones between them; lists follow it."""
    sentences = joined([line if isinstance(line, tuple) else (line,) for line in lines if not isinstance(line, Items)])
    return [*([sentences] if sentences else []), *(line for line in lines if isinstance(line, Items))]


def asked(locale: Locale, card: Card) -> Lines:
    """The person who asked or offered, with the note."""
    by = naming.capital(naming.opened_by(locale, card.transfer))
    note = locale.short(card.transfer.terms.note, 300)
    if note:
        return [locale.say('{by} ({space}): "{note}"', by=by, space=_asker(card), note=note)]
    return [locale.say("{by} ({space})", by=by, space=_asker(card))]


def _asker(card: Card) -> str:
    """The space of the person who asked: the sender of a push, else the receiver; for a return either of them."""
    terms = card.transfer.terms
    if terms.kind == "return":
        return card.space_of(card.transfer.asked.party)
    return card.sender if terms.kind == "push" else card.receiver


def unmatched(transfer: Transfer) -> list[Progress]:
    """The lines that have no part at the receiver, and for which it may not create one."""
    if transfer.role != "receiver":
        return []
    return [p for p in transfer.progress if p.part is None and not p.create_part]


def what_and_where(locale: Locale, card: Card) -> Lines:
    """The lines in short, with everything in them that could surprise; common places are said once.

    The first line of a card names a single item, so only its further details follow. `in_full` tells all the rest.
    """
    if card.full:
        return in_full(locale, card)
    if card.transfer.is_return:
        return what_comes_back(locale, card)
    told = _one_in_short(locale, card, card.only) if card.only else _several_in_short(locale, card)
    return [*told, *_along_in_short(locale, card.transfer)]


def _one_in_short(locale: Locale, card: Card, line: Line) -> Lines:
    where = naming.capital(_from_into(locale, *_places(locale, card, line)))
    further = [(each,) for each in naming.further(locale, line)]
    whole = locale.say("the whole stock item") if line.whole and not line.serial else ()
    told = joined([(where,), _becomes(locale, card, line), *further, whole])
    return [*([told] if told else []), *_without_place(locale, card, line)]


def _several_in_short(locale: Locale, card: Card) -> Lines:
    lines = card.transfer.terms.lines
    places = [_places(locale, card, line) for line in lines]
    common = tuple(_commonest(each) for each in zip(*places, strict=True))
    ways = [_becomes(locale, card, line) for line in lines]
    way = ways[0] if len(set(ways)) == 1 else ()
    own = [_from_into(locale, *_others(each, common)) for each in places]
    items = [
        _item_in_short(locale, card, line, place, () if way else becomes)
        for line, place, becomes in zip(lines, own, ways, strict=True)
    ]
    where = _from_into(locale, *common)
    if any(usual and place and place != usual for each in places for place, usual in zip(each, common, strict=True)):
        where = locale.word(marked("otherwise {where}")).format(where=where)
    for_all = joined([(naming.capital(where),), way])
    return [Items(tuple(items)), *([for_all] if for_all else [])]


def _places(locale: Locale, card: Card, line: Line) -> tuple[str, ...]:
    """Where a line comes from and where it goes, as far as they are known."""
    return locale.short(line.place, 60), locale.short(card.transfer.at(line.number).place, 60)


def _commonest(places: Sequence[str]) -> str:
    """The place of most lines; '' if no two lines have one in common."""
    ((place, times),) = Counter(filter(None, places)).most_common(1) or [("", 0)]
    return place if times > 1 or len(places) == 1 else ""


def _others(places: Sequence[str], common: Sequence[str]) -> list[str]:
    """The places of a line that differ from the common ones."""
    return [place if place != usual else "" for place, usual in zip(places, common, strict=True)]


def _from_into(locale: Locale, origin: str, place: str) -> str:
    if origin and place:
        return locale.word(marked("from {origin} into {place}")).format(origin=origin, place=place)
    if origin:
        return locale.word(marked("from {origin}")).format(origin=origin)
    return locale.word(marked("into {place}")).format(place=place) if place else ""


def _item_in_short(
    locale: Locale, card: Card, line: Line, where: str, becomes: tuple[Inline, ...]
) -> tuple[Inline, ...]:
    """'1.5 m of cable (batch 7, ⚠ Damaged) · from Box 7 · as your part "Speaker wire"'."""
    nodes = [*joined([(naming.flawed_thing(locale, line),), (where,), becomes])]
    if line.number in _homeless(card):
        why, advice = _no_place(locale, card, line)
        nodes += [Break(), *locale.say("no location yet: {why}; {advice}", why=why, advice=advice)]
    return tuple(nodes)


def _becomes(locale: Locale, card: Card, line: Line) -> tuple[Inline, ...]:
    """Everything in which it differs at the receiver: another part or a new one, unit, revision, serial number."""
    progress = card.transfer.at(line.number)
    if progress.part is None:
        return _new_part(locale, line, progress) if progress.create_part else ()
    by_name = progress.match == "name"  # another IPN, or none
    is_same = naming.part(locale, line.description) == locale.short(progress.part_name, 60)
    is_usual = is_same and progress.item is None and not by_name
    part = () if is_usual else _as_which_part(locale, progress, why=by_name)
    return joined([part, *_differences(locale, card.transfer, line)])


def _without_place(locale: Locale, card: Card, line: Line) -> Lines:
    if line.number not in _homeless(card):
        return []
    why, advice = _no_place(locale, card, line)
    return [locale.say("No location yet: {why}.", why=why), locale.say("In InvenTree: {advice}.", advice=advice)]


def what_comes_back(locale: Locale, card: Card) -> Lines:
    """The lines of a return, and the old places to which they go."""
    lines = card.transfer.terms.lines
    items: Lines = [] if card.only else [Items(tuple(naming.flawed_thing(locale, line) for line in lines))]
    places = tuple(dict.fromkeys(locale.short(line.place, 60) for line in lines if line.place))
    return [*items, locale.say("Goes back to: {places}", places=", ".join(places))] if places else items


def in_full(locale: Locale, card: Card) -> Lines:
    """Each line with all its details, its origin and its destination, and all data that travels with it."""
    if card.transfer.terms.kind == "extension":
        return []
    lines: Lines = [Items(tuple(_list_item(locale, card, line) for line in card.transfer.terms.lines))]
    if card.transfer.is_return:
        lines = what_comes_back(locale, card)
    elif card.only:
        lines = _one_line(locale, card, card.only)
    return [*lines, *along(locale, card.transfer), *not_along(locale, card.transfer)]


def _one_line(locale: Locale, card: Card, line: Line) -> Lines:
    lines: Lines = [locale.say("Item: {details}", details=naming.details(locale, line))]
    if line.whole and not line.serial:
        lines.append(locale.say("That is the whole stock item."))
    lines.append(locale.say("Comes from: {place}", place=_origin(locale, card, line)))
    if without := _without_place(locale, card, line):
        return [*lines, *without]
    destination = _destination(locale, card, line)
    if card.transfer.role == "sender":
        return [*lines, locale.say("Goes to: {place}", place=destination)]
    return [*lines, locale.say("Goes into: {place}", place=destination)]


def _list_item(locale: Locale, card: Card, line: Line) -> tuple[Inline, ...]:
    what = f"{locale.quantity(line.quantity, line.description.units)}: {naming.details(locale, line)}"
    origin = locale.say("from {place}", place=_origin(locale, card, line))
    if line.number in _homeless(card):
        why, advice = _no_place(locale, card, line)
        no_place = locale.say("no location yet: {why}; {advice}", why=why, advice=advice)
        return (what, " · ", *origin, Break(), *no_place)
    return (what, Break(), *origin, " · ", *locale.say("to {place}", place=_destination(locale, card, line)))


def _origin(locale: Locale, card: Card, line: Line) -> str:
    place = locale.short(line.place, 60)
    return f"{card.sender}, {place}" if place else card.sender


def _destination(locale: Locale, card: Card, line: Line) -> tuple[Inline, ...]:
    progress = card.transfer.at(line.number)
    place = locale.short(progress.place, 60)
    where = f"{card.receiver}, {place}" if place else card.receiver
    if progress.part is not None:
        differs = _differences(locale, card.transfer, line)
        return (where, ", ", *joined([_as_which_part(locale, progress), *differs]))
    return (where, ", ", *_new_part(locale, line, progress)) if progress.create_part else (where,)


def _new_part(locale: Locale, line: Line, progress: Progress) -> tuple[Inline, ...]:
    category, units = locale.short(progress.category, 60), line.description.units
    units = locale.word(marked("pieces")) if counts_pieces(units) else locale.short(units, 20)
    if category:
        sentence = "as a new part in {category}, counted in {units}, created if you approve"
        return locale.say(sentence, category=category, units=units)
    return locale.say("as a new part, counted in {units}, created if you approve", units=units)


def _differences(locale: Locale, transfer: Transfer, line: Line) -> list[tuple[Inline, ...]]:
    """A new serial number, if an item of the receiver has the old one; another unit of the part; another revision."""
    progress, found = transfer.at(line.number), []
    if progress.serial:
        names = {"theirs": locale.short(line.serial, 40), "ours": locale.short(progress.serial, 60)}
        found.append(locale.say("serial number {theirs} is taken there: it gets {ours}", **names))
    if progress.factor != "1":
        theirs = locale.quantity(line.quantity, line.description.units)
        ours = locale.quantity(transfer.here(line.number), progress.units)
        found.append((f"{theirs} = {ours}",))
    if progress.revision:
        theirs, ours = locale.short(line.description.revision, 40), locale.short(progress.revision, 40)
        told = "⚠ theirs is revision {theirs}, yours is revision {ours}"
        found.append(locale.say(told, theirs=theirs, ours=ours))
    return found


def _homeless(card: Card) -> set[int]:
    """The lines that have no location at the receiver."""
    return {progress.number for progress in unmatched(card.transfer)}


def _no_place(locale: Locale, card: Card, line: Line) -> tuple[tuple[Inline, ...], tuple[Inline, ...]]:
    """The reason why a line has no location, and how to get one."""
    reason = card.transfer.at(line.number).match
    why = reason_codes.why_no_part(locale, reason, card.receiver)
    return why, reason_codes.how_to_get_a_part(locale, reason, card.receiver)


def no_part_for(locale: Locale, transfer: Transfer, number: int, space: str) -> tuple[Inline, ...]:
    """The reason why a line has no part at the receiver, and how to create one."""
    reason = transfer.at(number).match
    return locale.say(
        "{what}: {why}.{break_}In InvenTree: {advice}.",
        what=naming.part(locale, transfer.line(number).description),
        break_=Break(),
        why=reason_codes.why_no_part(locale, reason, space),
        advice=reason_codes.how_to_get_a_part(locale, reason, space),
    )


def by_another_name(locale: Locale, transfer: Transfer) -> Lines:
    """The line to type for the first line that matches no part, if a part of another name or revision may be meant."""
    sentences = {
        "none": marked("If one of your parts is the same under another name: {match}"),
        "revision": marked("If that revision is as good for you: {match}"),
    }
    progress = next((progress for progress in unmatched(transfer) if progress.match in sentences), None)
    if progress is None:
        return []
    line = transfer.line(progress.number)
    theirs = locale.short(line.description.ipn, 40) or f'"{locale.short(line.description.name, 60)}"'
    ours = "OUR-IPN" if progress.match == "none" else theirs
    match = command(f"match {ours} {theirs} from {transfer.peer}")
    return [locale.say(sentences[progress.match], match=match)]


def _as_which_part(locale: Locale, progress: Progress, *, why: bool = True) -> tuple[Inline, ...]:
    """'as your part "M3 bolt" (same IPN)'; `why` it is this part only if asked for."""
    sentences = {
        "ipn": marked('as your part "{name}" (same IPN)'),
        "name": marked('as your part "{name}" (same name)'),
        "alias": marked('as your part "{name}" (recorded as the same)'),
    }
    name = locale.short(progress.part_name, 60) or f"#{progress.part}"
    if progress.item is not None and progress.match == "here":
        sentence = 'as your stock #{item} of the part "{name}": nothing is added, it is marked as borrowed'
        return locale.say(sentence, item=progress.item, name=name)
    if progress.item is not None and not progress.stage:
        sentence = 'as your stock #{item} of the part "{name}", which was here before'
        return locale.say(sentence, item=progress.item, name=name)
    other = marked('as your part "{name}"')
    return locale.say(sentences.get(progress.match, other) if why else other, name=name)


def decided(locale: Locale, card: Card) -> tuple[Inline, ...]:
    """'Offered by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31: "thanks!"'."""
    by, signature = naming.capital(naming.opened_by(locale, card.transfer)), card.transfer.decided
    if signature is None:
        return (by,)
    said = locale.say(
        "{by}, accepted by {decider} ({space}), {when}",
        by=by,
        decider=naming.signed(locale, signature),
        space=card.space_of(signature.party),
        when=locale.when(signature.at),
    )
    return (*said, *naming.noted(locale, signature))


def two_people(locale: Locale, transfer: Transfer, us: PartyConfig) -> Lines:
    """Our approval needs two people, and who has approved already; empty if one is enough."""
    if not transfer.care:
        return []
    asks_again = transfer.dearer and transfer.asks_if_handed_over
    first, second = transfer.first_yes, transfer.released if transfer.is_our_offer else transfer.decided
    second = None if asks_again else second
    names: dict[str, Words] = {"space": naming.space(locale, us.name)}
    if first is not None:
        names |= {"first": naming.person(locale, first.person), "when": locale.when(first.at)}
    if second is not None:
        who = naming.signed(locale, second)
        if first is None or second.party != us.party:
            return []
        return [locale.say("Two people of {space} approved it: {first} and {second}.", second=who, **names)]
    if (transfer.state is not TransferState.OPEN and not asks_again) or transfer.wanted:
        return []
    if first is not None:
        if by_rules(transfer):
            sentence = marked(
                "⚠ Lending rules: {first} approved it, {when}. Another approver of {space} has to approve, too."
            )
        else:
            sentence = marked(
                "⚠ High value: {first} approved it, {when}. Another approver of {space} has to approve, too."
            )
        return [locale.say(sentence, **names)]
    if by_rules(transfer):
        two = locale.say("⚠ Lending rules: two approvers of {space} have to approve.", **names)
    else:
        two = locale.say("⚠ High value: two approvers of {space} have to approve.", **names)
    if not us.care.typed_code:
        return [two]
    approve = command(f"approve {transfer.code}")
    return [two, locale.say("In an encrypted room, one person is enough if they type: {approve}", approve=approve)]


def by_rules(transfer: Transfer) -> bool:
    """Whether two of our people must approve because of our lending rules."""
    rules = transfer.terms.rules
    return transfer.role == "sender" and rules is not None and rules.two_people


def settled(locale: Locale, card: Card) -> Lines:
    """'Settled by Anna (attraktor), Tue 24 Nov, 20:31', after a dispute."""
    settlement = card.transfer.settled
    if settlement is None:
        return []
    terms = card.transfer.terms
    other = terms.receiver if settlement.by.party == terms.sender else terms.sender
    names: dict[str, Words] = {
        "who": naming.signed(locale, settlement.by),
        "space": card.space_of(settlement.by.party),
        "when": locale.when(settlement.by.at),
        "other": card.space_of(other),
    }
    why = naming.because(locale, settlement.by)
    if settlement.alone:
        alone = locale.say("Settled by {who} ({space}) alone, {when}; {other} has not confirmed it yet.", **names)
        return [alone, *why]
    return [locale.say("Settled by {who} ({space}), {when}", **names), *why]


def received(locale: Locale, card: Card) -> Lines:
    """'Received by Cem (betaspace), Tue 1 Dec, 17:05', for a parcel."""
    parcel = card.transfer.parcel
    if parcel is None or parcel.received is None:
        return []
    by = parcel.received
    names: dict[str, Words] = {"who": naming.signed(locale, by), "when": locale.when(by.at)}
    came = locale.say("Came by parcel, received by {who} ({space}), {when}", space=card.receiver, **names)
    return [(*came, *naming.noted(locale, by))]


def failed(transfer: Transfer) -> list[Progress]:
    """The lines that did not go, or came back."""
    return [p for p in transfer.progress if p.failed or p.stage == "back"]


def did_not_arrive(locale: Locale, card: Card) -> Lines:
    """The items missing from a parcel, who reported that, and how it was settled."""
    transfer, lines = card.transfer, card.transfer.lines_missing
    if not lines:
        return []
    parcel = transfer.parcel
    names: dict[str, Words] = {
        "what": naming.things(locale, lines),
        "who": naming.signed(locale, parcel.received if parcel else None),
        "sender": card.sender,
        "resolve": command("resolve"),
    }
    first = locale.say("⚠ Did not arrive: {what}, says {who}.", **names)
    if parcel is not None and parcel.rest is not None:
        by = naming.signed(locale, parcel.rest.by)
        sentence = marked("It is lost, says {by}.") if parcel.rest.truth == LOST else marked("It is back, says {by}.")
        return [(*first, " ", *locale.say(sentence, by=by))]
    next_ = locale.say("A superuser of {sender} settles it: {resolve}", **names)
    return [(*first, " ", *next_)]


def pickup(locale: Locale, card: Card) -> Lines:
    """The sender's pick-up place, opening hours and contact; empty once it is over."""
    told = card.transfer.pickup
    if not told or card.transfer.closed is not None:
        return []
    nodes: list[Inline] = [*locale.say("Pick it up at {space}:", space=card.sender)]
    where, hours, call = (locale.short(text, LONGEST_PICKUP) for text in (told.where, told.hours, told.call))
    told_of = [
        locale.say("{where}", where=where) if where else (),
        locale.say("open {hours}", hours=hours) if hours else (),
        locale.say("call {who}", who=call) if call else (),
    ]
    for number, part in enumerate([part for part in told_of if part]):
        nodes += [" · " if number else " ", *part]
    return [tuple(nodes)]


def where_it_is(locale: Locale, card: Card) -> Lines:
    """The stock items of these lines now, on each side; without those of a loan that are back."""
    lines = card.transfer.lines_moved if card.left is None else card.left
    if len(card.transfer.terms.lines) == 1:
        return [each(locale, card, line) for line in lines for each in (_at_receiver, _at_sender)]
    items = tuple(
        (
            f"{naming.marked_thing(locale, line)}",
            Break(),
            *_at_receiver(locale, card, line),
            " · ",
            *_at_sender(locale, card, line),
        )
        for line in lines
    )
    return [Items(items)] if items else []


def _at_receiver(locale: Locale, card: Card, line: Line) -> tuple[Inline, ...]:
    item, place = _item_at_receiver(card.transfer, line)
    shown = locale.short(place, 60)
    if item is None:
        return locale.say("At {space}: {place}", space=card.receiver, place=shown or locale.word("in stock"))
    if shown:
        return locale.say("At {space}: stock #{item}, {place}", space=card.receiver, item=item, place=shown)
    return locale.say("At {space}: stock #{item}", space=card.receiver, item=item)


def _item_at_receiver(transfer: Transfer, line: Line) -> tuple[int | None, str]:
    """The new stock item and its location, as far as this side knows them."""
    if transfer.role == "receiver":
        progress = transfer.at(line.number)
        return progress.item, progress.place
    handed = [p.number for p in transfer.progress if p.stage == "arrived"]
    known = dict(zip(handed, transfer.peer_items, strict=False))
    return known.get(line.number), transfer.peer_place


def _at_sender(locale: Locale, card: Card, line: Line) -> tuple[Inline, ...]:
    given = card.transfer.given_item(line.number)
    names: dict[str, Words] = {"space": card.sender, "receiver": card.receiver}
    if given is not None and given != line.item:
        sentence = "At {space}: stock #{item}, split off from #{source}, with customer {receiver}"
        return locale.say(sentence, item=given, source=line.item, **names)
    if card.transfer.role == "sender" or line.whole or line.serial:
        return locale.say("At {space}: stock #{item}, with customer {receiver}", item=line.item, **names)
    return locale.say("At {space}: taken out of stock #{item}, with customer {receiver}", item=line.item, **names)


def nothing_moved(locale: Locale) -> tuple[Inline, ...]:
    """Nothing moved, because people decided against it."""
    return locale.say("Nothing has moved.")


def nothing_left(locale: Locale, card: Card) -> tuple[Inline, ...]:
    """Nothing left the sender, because it could not be given."""
    return locale.say(
        "Nothing has left {sender}; {receiver} has booked nothing in.", sender=card.sender, receiver=card.receiver
    )


def back_in_stock(locale: Locale, card: Card) -> Lines:
    """For the sender: which stock item the items are in that were split off and came back."""
    if card.transfer.role != "sender":
        return []
    return [_back_in_stock(locale, p) for p in card.transfer.progress if p.is_merged_back or p.is_apart]


def _back_in_stock(locale: Locale, progress: Progress) -> tuple[Inline, ...]:
    names: dict[str, Words] = {"item": str(progress.item), "source": str(progress.split_from)}
    match progress.apart:
        case _ if progress.is_merged_back:
            return locale.say("It was put back into stock #{item}.", **names)
        case None:
            sentence = marked(
                "It is a separate stock item now: #{item}. To have it in #{source} again, merge both in InvenTree."
            )
        case StaysApart(why=Apart.GONE):
            sentence = marked(
                "It was put back as stock #{item}, which isn't there any more: somebody has merged or deleted it."
                " Look at #{source}, from which it was split off."
            )
        case StaysApart():
            names["why"] = locale.word(APART[progress.apart.why])
            sentence = marked(
                "It is a separate stock item now: #{item}. I didn't merge it into #{source}, because {why}."
            )
        case _:
            names["problem"] = diagnosis(locale, progress.apart)
            sentence = marked(
                "It was put back as stock #{item}, but could not be merged into #{source}. Look at both in InvenTree."
                " {problem}"
            )
    return locale.say(sentence, **names)


def not_done(locale: Locale, card: Card) -> Lines:
    """Each line that did not go, and why; missing items of a parcel are listed separately."""
    return [_not_done(locale, card, each) for each in failed(card.transfer) if each.failed != NOT_IN_PARCEL]


def _not_done(locale: Locale, card: Card, progress: Progress) -> tuple[Inline, ...]:
    transfer = card.transfer
    names: dict[str, Words] = {
        "what": naming.thing(locale, transfer.line(progress.number)),
        "sender": card.sender,
        "receiver": card.receiver,
        "why": reason_codes.why_not_given(locale, progress.failed, card.sender, card.receiver),
    }
    if transfer.role == "receiver" and progress.failed != FAILED_AT_SENDER:
        return locale.say("Not booked in: {what}: {why} {sender} takes it back.", **names)
    if transfer.role == "sender" and not progress.failed:
        return locale.say("Not booked in: {what}: {receiver} could not, so it is back at {sender}.", **names)
    return locale.say("Not given: {what} stays at {sender}: {why}", **names)


# --- The data that travels with an item, and the data that doesn't: two lines of a card.

_STAYS: dict[Trait, str] = {
    Trait.STATUS: marked("its custom status"),
    Trait.NOTES: marked("all of its notes"),
    Trait.LINK: marked("link"),
    Trait.TAGS: marked("tags"),
    Trait.PRICE: marked("price"),
    Trait.SUPPLIER_PART: marked("supplier part"),
    Trait.TESTS: marked("all test results"),
    Trait.FILES: marked("files"),
    Trait.PART_NOTES: marked("all notes of the part"),
    Trait.PART_LINK: marked("link of the part"),
    Trait.PART_TAGS: marked("tags of the part"),
    Trait.PARAMETERS: marked("all parameters"),
    Trait.PICTURE: marked("picture"),
    Trait.PART_FILES: marked("files of the part"),
    Trait.MINIMUM_STOCK: marked("minimum stock"),
}
_MOST_TAGS = _MOST_FILES = 3


def along(locale: Locale, transfer: Transfer) -> Lines:
    """'Travels with it: notes "Handle with care", link to lens.example, tags optics, fragile.'; may be empty."""
    told = marked("Inside it: {names}. This goes with it, but the other InvenTree only gets a note of it.")
    return [*_travels(locale, transfer, 1), *_inside(locale, transfer, told)]


def _along_in_short(locale: Locale, transfer: Transfer) -> Lines:
    """'Travels with it: notes, tags. · Does not travel: price.': which data, without the data; may be empty."""
    inside = _inside(locale, transfer, marked("Inside it, only noted there: {names}."))
    return in_one_line([*_travels(locale, transfer, 0), *inside, *not_along(locale, transfer)])


def _travels(locale: Locale, transfer: Transfer, form: int) -> Lines:
    told = [each[form] for line in transfer.terms.lines for each in _with_line(locale, transfer, line)]
    return [locale.say("Travels with it: {words}.", words=", ".join(dict.fromkeys(told)))] if told else []


def _inside(locale: Locale, transfer: Transfer, told: str) -> Lines:
    inside = [locale.short(name, 40) for line in transfer.terms.lines for name in line.details.inside]
    return [locale.say(told, names=", ".join(inside))] if inside else []


def not_along(locale: Locale, transfer: Transfer) -> Lines:
    """'Does not travel: price, files.'; empty if all of it does."""
    traits = {trait for line in transfer.terms.lines for trait in line.stays}
    traits |= {trait for line in transfer.terms.lines if _is_new(transfer, line) for trait in line.description.stays}
    traits |= {trait for line in transfer.terms.lines for trait in _not_taken(transfer, line)}
    words = [locale.word(_STAYS[trait]) for trait in Trait if trait in traits]
    return [locale.say("Does not travel: {words}.", words=", ".join(words))] if words else []


def _not_taken(transfer: Transfer, line: Line) -> list[Trait]:
    """The details that the sender would send and our settings don't accept."""
    if transfer.role != "receiver":
        return []
    has_picture = _is_new(transfer, line) and line.description.details.picture
    pairs = (
        (Trait.FILES, len(_files(transfer, line)) < len(line.details.files)),
        (Trait.PICTURE, has_picture and not transfer.at(line.number).largest_file),
    )
    return [trait for trait, stays in pairs if stays]


def _files(transfer: Transfer, line: Line) -> list[FileTold]:
    """The files that travel with it; at the receiver only those that it accepts."""
    if transfer.role != "receiver":
        return list(line.details.files)
    largest = transfer.at(line.number).largest_file
    return [file for file in line.details.files if largest and file.size <= largest]


def _is_new(transfer: Transfer, line: Line) -> bool:
    """Whether the receiver would create a part from the sender's description."""
    progress = transfer.at(line.number)
    return progress.create_part and progress.part is None


def _with_line(locale: Locale, transfer: Transfer, line: Line) -> list[tuple[str, str]]:
    """The data that travels with a line, each in short and in full: ('link', 'link to lens.example')."""
    told, words = line.details, []
    if told.notes:
        text = locale.word(marked('notes "{text}"')).format(text=locale.short(told.notes, 60))
        words.append((locale.word(marked("notes")), text))
    if told.link:
        host = locale.short(urlsplit(told.link).netloc, 40)
        words.append((locale.word(marked("link")), locale.word(marked("link to {host}")).format(host=host)))
    if told.tags:
        tags = locale.word(marked("tags {tags}")).format(tags=_some(locale, told.tags))
        words.append((locale.word(marked("tags")), tags))
    if told.status and transfer.role == "receiver":
        has_it = transfer.at(line.number).status_key is not None
        status = marked('status "{name}"') if has_it else marked('status "{name}" in its notes')
        words.append((locale.word(status).format(name=locale.short(told.status, 40)),) * 2)
    if told.price is not None:
        price = f"{locale.quantity(told.price)} {told.currency}"
        words.append((locale.word(marked("price {price}")).format(price=price),) * 2)
    if told.supplier_part:
        name = locale.short(told.supplier_part, 40)
        part = locale.word(marked("supplier part {name}")).format(name=name)
        words.append((locale.word(marked("supplier part")), part))
    if told.tests:
        words.append(("".join(map(str, locale.some("{number} test", "{number} tests", len(told.tests)))),) * 2)
    if files := _files(transfer, line):
        shown = [locale.short(file.name, 40) for file in files[:_MOST_FILES]]
        more = ["…"] if len(files) > _MOST_FILES else []
        names = locale.word(marked("files {names}")).format(names=", ".join([*shown, *more]))
        words.append((locale.word(marked("files")), names))
    return words + [(word, word) for word in (_with_part(locale, transfer, line) if _is_new(transfer, line) else [])]


def _with_part(locale: Locale, transfer: Transfer, line: Line) -> list[str]:
    told = line.description.details
    pairs = (
        (told.notes, marked("notes of the part")),
        (told.link, marked("link of the part")),
        (told.tags, marked("tags of the part")),
        (told.parameters, marked("parameters")),
        (told.picture and transfer.at(line.number).largest_file, marked("picture")),
    )
    return [locale.word(word) for there, word in pairs if there]


def _some(locale: Locale, tags: tuple[str, ...]) -> str:
    shown = [locale.short(tag, 20) for tag in tags[:_MOST_TAGS]]
    return ", ".join([*shown, *(["…"] if len(tags) > _MOST_TAGS else [])])


def not_furnished(locale: Locale, *, transfer: Transfer, line: int, problem: Diagnosis) -> Lines:
    """For the admins: data that came with a line could not be added to it. Nothing waits for it."""
    what = naming.thing(locale, transfer.line(line))
    return [
        locale.say("Some of the data of {what} is not in InvenTree. {code}", what=what, code=transfer.code),
        locale.say("Why: {text}", text=diagnosis(locale, problem, 300)),
        locale.say("{show} lists it; please add it by hand.", show=command(f"show {transfer.code}")),
    ]


def file_not_here(locale: Locale, *, transfer: Transfer, line: int, name: str, problem: Diagnosis) -> Lines:
    """For the admins: a file that came with a line isn't in our InvenTree. Nothing waits for it."""
    what = naming.thing(locale, transfer.line(line))
    told = "The file {name}, which belongs to {what}, is not in InvenTree. {code}"
    return [
        locale.say(told, name=locale.short(name, 60), what=what, code=transfer.code),
        locale.say("Why: {text}", text=diagnosis(locale, problem, 300)),
        locale.say("Ask them for it, and attach it by hand."),
    ]
