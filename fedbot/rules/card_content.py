"""Consent: a decision counts for the content of its card, and a change before the act makes it void.

Cards are rendered from frozen models, `ShownTransfer` and `ShownConnection`. This module makes them from the documents:
for the card that is posted, when a person reacts, when the grace ends, and when the act begins. Facts that may change
without changing the agreement stay outside: the free quantity, who may decide, display names.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from pydantic import TypeAdapter

from fedbot.rules import wire
from fedbot.rules.model.connection import Connection, ShownConnection
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Landing, Line, Progress, ShownTransfer, Transfer

# --- The content of a card: the hash to which a decision is bound, and the differences between two cards ---------


Shown = ShownTransfer | ShownConnection


@dataclass(frozen=True)
class Change:
    """One difference between a card and the card before it. `line` is the line's number; 0: the whole transfer.

    `field` is the name in the model; `before` and `after` are its values there.
    """

    field: str
    before: Any
    after: Any
    line: int = 0


_WRITERS: dict[type[Shown], TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in (ShownTransfer, ShownConnection)}


def hash_of(shown: Shown) -> str:
    """Return the hash to which a decision is bound, 64 hex digits."""
    written = _WRITERS[type(shown)].dump_python(shown, mode="json")
    return wire.shown_hash(type(shown).__name__, written)


def differences(before: Shown, after: Shown) -> tuple[Change, ...]:
    """Return the differences on the later card, lines by their numbers."""
    if not isinstance(before, ShownTransfer) or not isinstance(after, ShownTransfer):
        return tuple(_of_fields(before, after))
    found = _of_fields(before.terms, after.terms, {"lines"}) + _of_fields(before, after, {"terms", "landings"})
    old, new = _by_number(before), _by_number(after)
    for number in sorted({*old, *new}):
        if number in old and number in new:
            found += _of_line(old[number], new[number])
        else:
            found.append(Change("lines", _line(old, number), _line(new, number), number))
    return tuple(found)


_Lands = tuple[Line, Landing | None]


def _by_number(shown: ShownTransfer) -> dict[int, _Lands]:
    landings = shown.landings or (None,) * len(shown.terms.lines)
    return {line.number: (line, landing) for line, landing in zip(shown.terms.lines, landings, strict=True)}


def _line(known: Mapping[int, _Lands], number: int) -> Line | None:
    return known[number][0] if number in known else None


def _of_line(before: _Lands, after: _Lands) -> list[Change]:
    found = _of_fields(before[0], after[0])
    if before[1] != after[1]:
        found.append(Change("landing", before[1], after[1]))
    return [replace(change, line=before[0].number) for change in found]


def _of_fields(before: Any, after: Any, leave_out: Container[str] = ()) -> list[Change]:  # noqa: ANN401 - records of one class
    names = [field.name for field in fields(before) if field.name not in leave_out]
    values = [(name, getattr(before, name), getattr(after, name)) for name in names]
    return [Change(name, old, new) for name, old, new in values if old != new]


def of_transfer(transfer: Transfer) -> ShownTransfer:
    """Return the model of the card that asks for a decision on this transfer."""
    terms = transfer.terms
    is_here = transfer.role == "receiver"
    return ShownTransfer(
        role=transfer.role,
        terms=replace(terms, asker=transfer.asked.person, asker_name=""),
        due=transfer.due if transfer.calls else transfer.was_due or transfer.due,
        landings=tuple(_landing(transfer.at(line.number)) for line in terms.lines) if is_here else (),
        granted_by=transfer.granted.person if transfer.granted else "",
        care=transfer.care,
        hands_over=transfer.calls,
        obstacles=transfer.obstacles if transfer.calls else (),
        over=transfer.over,
    )


def _landing(progress: Progress) -> Landing | None:
    """Return the place where a line would be booked in; None until our InvenTree has answered."""
    if not (progress.match or progress.create_part or progress.part is not None):
        return None
    known = {field.name: getattr(progress, field.name) for field in fields(Landing)}
    return Landing(**known | {"item": None if progress.stage else progress.item})


def of_connection(us: PartyConfig, connection: Connection) -> ShownConnection:
    """Return the model of the card that asks for a decision on this connection."""
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
    """Return the model of the subject's card as it would be posted now."""
    return of_transfer(subject) if isinstance(subject, Transfer) else of_connection(us, subject)


def hash_now(us: PartyConfig, subject: Connection | Transfer) -> str:
    """Return the hash of the subject's card as it would be posted now."""
    return hash_of(shown(us, subject))


def drawn(transfer: Transfer) -> Transfer:
    """Return the transfer as its card is drawn: only the model's content, and people's display names.

    Anything else that a card should show must become part of the model first.
    """
    model = of_transfer(transfer)
    lands = zip(model.terms.lines, model.landings, strict=False)
    return Transfer(
        id=transfer.id,
        code=transfer.code,
        role=model.role,
        peer=transfer.peer,
        connection=transfer.connection,
        room=transfer.room,
        terms=replace(model.terms, asker_name=transfer.terms.asker_name),
        terms_hash="",
        state=TransferState.BOOKED if model.hands_over else TransferState.OPEN,
        asked=replace(transfer.asked, person=model.terms.asker),
        due=model.due,
        progress=tuple(_drawn_progress(line.number, landing) for line, landing in lands),
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


def _drawn_progress(number: int, landing: Landing | None) -> Progress:
    known = {field.name: getattr(landing, field.name) for field in fields(Landing)} if landing else {}
    return Progress(number, **known)


def _drawn_signature(signature: Signature | None, person: str) -> Signature | None:
    return replace(signature, person=person) if signature else None


# --- validity of a card, or of a decision -----------------------------------------------------------------------


def changes(us: PartyConfig, subject: Connection | Transfer) -> tuple[Change, ...]:
    """Return the differences between the posted card and the present facts; () for a card that we don't know."""
    return differences(subject.card, shown(us, subject)) if subject.card is not None else ()


def changes_since_approval(us: PartyConfig, transfer: Transfer) -> tuple[Change, ...]:
    """Return the differences between our people's approval and the present facts, before the act.

    () without an approval. A destination that wasn't known at the approval may be known by now: no card has shown
    another one.
    """
    if not transfer.consented or transfer.consented == hash_now(us, transfer):
        return ()
    found = changes(us, transfer)
    return tuple(change for change in found if change.field != "landing" or change.before is not None)
