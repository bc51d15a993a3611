"""What people decide on, connections and transfers alike: is it open, who decides, who asked."""

from __future__ import annotations

from typing import TypeGuard

from fedbot.rules.model.connection import Connection
from fedbot.rules.model.connection_lifecycle import ConnectionState
from fedbot.rules.model.decision import Vote
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState

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
    if not isinstance(subject, Transfer) or subject.state is not TransferState.OPEN or subject.wanted:
        return None
    return None if subject.is_our_offer else subject.first_yes


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
