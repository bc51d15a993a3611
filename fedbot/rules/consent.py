"""What people decide on, and that a decision counts for what its card showed: a change before the act makes it void.

The model (`shown`) is made from the documents here, kept with the card that goes up, and made again when a person
reacts, when the grace is over, and where the act begins.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeGuard

from fedbot.rules.model import shown as models
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Signature, Vote
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.shown import Change, Landing, Shown, ShownConnection, ShownLine, ShownTransfer
from fedbot.rules.model.transfer import Line, Progress, Terms, Transfer

# --- What people decide on, connections and transfers alike: is it open, who decides, who asked.

Subject = Connection | Transfer


def takes_less(subject: Subject) -> bool:
    """Whether the card asks the asker's side if it takes less than it asked for."""
    less = isinstance(subject, Transfer) and subject.role == "receiver" and subject.granted is not None
    return less and not awaits_parcel(subject)


def awaits_parcel(subject: Subject) -> TypeGuard[Transfer]:
    """Whether it is on its way, and our approvers say when it is here: by the card, as a decision."""
    return isinstance(subject, Transfer) and subject.awaits_parcel


def asks_if_handed_over(subject: Subject) -> TypeGuard[Transfer]:
    """Whether it is a booking of ours whose first day has come, and our approvers say whether it was fetched."""
    return isinstance(subject, Transfer) and subject.asks_if_handed_over


def is_open(subject: Subject) -> bool:
    """Whether the card still asks for a decision."""
    if isinstance(subject, Connection):
        return subject.state is ConnectionState.OFFERED
    if subject.asks_if_handed_over:
        return True
    if subject.is_our_offer and subject.care:
        return subject.waits_for_release
    waits_for_asker = subject.role == "sender" and subject.granted is not None
    return subject.state is TransferState.OPEN and not subject.wanted and not waits_for_asker


def decides_here(us: PartyConfig, subject: Subject) -> bool:
    """Whether our own people decide on it, so that the card is ours."""
    if isinstance(subject, Connection):
        return not subject.ours
    if subject.asks_if_handed_over:
        return True
    if subject.granted is not None:
        return takes_less(subject)
    if subject.waits_for_release:
        return True
    return subject.terms.decider == us.party


def first_yes_of(subject: Subject) -> Vote | None:
    """The first of two yeses, as long as it waits for the second on a card and can be taken back."""
    if not isinstance(subject, Transfer) or not is_open(subject) or subject.is_our_offer:
        return None
    was_counted = subject.asks_if_handed_over and not subject.dearer
    return None if was_counted else subject.first_yes


def asker_of(subject: Subject) -> str:
    """The person who asked for it."""
    return subject.asked.person if isinstance(subject, Connection) else subject.terms.asker


def asked_by(us: PartyConfig, subject: Subject, person: str) -> bool:
    """Whether the person asked for it, by this or another Matrix account of the same InvenTree user of ours."""
    asker, people = asker_of(subject), us.people
    asking = {people.get(asker, ""), subject.asked.username if subject.asked.party == us.party else ""}
    return person == asker or people.get(person, "") in asking - {""}


def parcel_is_under_way(transfer: Transfer) -> bool:
    """Whether it left the sender by parcel, and the receiver has not said that it came; for either side."""
    return transfer.parcel is not None and transfer.state is TransferState.SENT


def of_transfer(transfer: Transfer) -> ShownTransfer:
    """What its card shows while it can be decided on."""
    terms = transfer.terms
    return ShownTransfer(
        role=transfer.role,
        kind=terms.kind,
        sender=terms.sender,
        receiver=terms.receiver,
        lines=tuple(_line(transfer, line) for line in terms.lines),
        asker=transfer.asked.person,
        note=terms.note,
        loan_until=terms.loan_until,
        time_zone=terms.time_zone,
        parcel=terms.parcel,
        parent=terms.parent,
        due=transfer.due if transfer.calls else transfer.was_due or transfer.due,
        granted_by=transfer.granted.person if transfer.granted else "",
        care=transfer.care,
        confirm=terms.confirm,
        starts=terms.starts,
        hands_over=transfer.calls,
        obstacles=transfer.obstacles if transfer.calls else (),
        over=transfer.over,
        rules=terms.rules,
        outside=terms.outside,
    )


def _line(transfer: Transfer, line: Line) -> ShownLine:
    return ShownLine(
        number=line.number,
        item=line.item,
        part=line.part,
        description=line.description,
        quantity=line.quantity,
        serial=line.serial,
        batch=line.batch,
        packaging=line.packaging,
        expiry=line.expiry,
        status=line.status,
        status_text=line.status_text,
        place=line.place,
        origin=line.origin,
        whole=line.whole,
        of_line=line.of_line,
        details=line.details,
        stays=line.stays,
        landing=_landing(transfer.at(line.number)) if transfer.role == "receiver" else None,
    )


def _landing(progress: Progress) -> Landing | None:
    """Where a line would land; None while our InvenTree hasn't said."""
    if not (progress.match or progress.create_part or progress.part is not None):
        return None
    return Landing(
        part=progress.part,
        part_name=progress.part_name,
        creates_part=progress.create_part,
        category=progress.category,
        item=None if progress.stage else progress.item,
        location=progress.location,
        place=progress.place,
        how=progress.match,
        factor=progress.factor,
        units=progress.units,
        revision=progress.revision,
        serial=progress.serial,
        largest_file=progress.largest_file,
        status_key=progress.status_key,
    )


def of_connection(us: PartyConfig, connection: Connection) -> ShownConnection:
    """What the card of a friendship shows while it can be decided on."""
    return ShownConnection(
        own=us.party,
        own_key=us.key,
        peer=connection.peer,
        peer_bot=connection.peer_bot,
        peer_key=connection.peer_key,
        name=connection.peer_name,
        access=connection.access,
        makes_access=us.has_admin_token,
        asker=connection.asked.person,
        generation=connection.generation,
        room=connection.room,
        due=connection.due,
    )


def shown(us: PartyConfig, subject: Connection | Transfer) -> Shown:
    """What the subject's card shows now."""
    return of_transfer(subject) if isinstance(subject, Transfer) else of_connection(us, subject)


def hash_now(us: PartyConfig, subject: Connection | Transfer) -> str:
    """The hash of what the subject's card shows now."""
    return models.hash_of(shown(us, subject))


def drawn(transfer: Transfer) -> Transfer:
    """The transfer as its card is drawn: only what the model holds, and how people call themselves.

    Whatever else a card would want to show has to go into the model first.
    """
    model = of_transfer(transfer)
    terms = Terms(
        kind=model.kind,
        sender=model.sender,
        receiver=model.receiver,
        lines=tuple(_drawn_line(line) for line in model.lines),
        asker=model.asker,
        asker_name=transfer.terms.asker_name,
        note=model.note,
        loan_until=model.loan_until,
        parcel=model.parcel,
        parent=model.parent,
        time_zone=model.time_zone,
        confirm=model.confirm,
        starts=model.starts,
        rules=model.rules,
        outside=model.outside,
    )
    return Transfer(
        id=transfer.id,
        code=transfer.code,
        role=model.role,
        peer=transfer.peer,
        connection=transfer.connection,
        room=transfer.room,
        terms=terms,
        terms_hash="",
        state=TransferState.BOOKED if model.hands_over else TransferState.OPEN,
        asked=replace(transfer.asked, person=model.asker),
        due=model.due,
        progress=tuple(_drawn_progress(line) for line in model.lines) if model.role == "receiver" else (),
        granted=_drawn_signature(transfer.granted, model.granted_by),
        care=model.care,
        dearer=transfer.dearer,
        first_yes=transfer.first_yes,
        released=transfer.released,
        peer_agreed=transfer.peer_agreed,
        calls=model.hands_over,
        obstacles=model.obstacles,
        over=model.over,
        decided=transfer.decided if model.hands_over else None,
    )


def _drawn_line(line: ShownLine) -> Line:
    return Line(
        number=line.number,
        item=line.item,
        part=line.part,
        description=line.description,
        quantity=line.quantity,
        serial=line.serial,
        batch=line.batch,
        packaging=line.packaging,
        expiry=line.expiry,
        status=line.status,
        status_text=line.status_text,
        place=line.place,
        origin=line.origin,
        whole=line.whole,
        of_line=line.of_line,
        details=line.details,
        stays=line.stays,
    )


def _drawn_progress(line: ShownLine) -> Progress:
    landing = line.landing
    if landing is None:
        return Progress(line.number)
    return Progress(
        line.number,
        item=landing.item,
        part=landing.part,
        part_name=landing.part_name,
        create_part=landing.creates_part,
        category=landing.category,
        location=landing.location,
        place=landing.place,
        match=landing.how,
        factor=landing.factor,
        units=landing.units,
        revision=landing.revision,
        serial=landing.serial,
        largest_file=landing.largest_file,
        status_key=landing.status_key,
    )


def _drawn_signature(signature: Signature | None, person: str) -> Signature | None:
    return replace(signature, person=person) if signature else None


# --- whether a card, or a decision, still stands ----------------------------------------------------------------


def changes(us: PartyConfig, subject: Connection | Transfer) -> tuple[Change, ...]:
    """What the subject's card, as it went up, doesn't show as it is now. Of a card that we don't know: nothing."""
    return models.changes(subject.card, shown(us, subject)) if subject.card is not None else ()


def differs_from_what_was_approved(us: PartyConfig, transfer: Transfer) -> tuple[Change, ...]:
    """What our people approved otherwise than it is now, where the act begins; () if nobody here has approved it.

    A place that wasn't known yet may be known by now: no card has shown another one.
    """
    if not transfer.consented or transfer.consented == hash_now(us, transfer):
        return ()
    found = changes(us, transfer)
    return tuple(change for change in found if change.field != "landing" or change.before is not None)
