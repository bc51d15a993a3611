"""Who may decide on a card: which side, with which permission, not who asked for it, and when it takes two people."""

from __future__ import annotations

from typing import TypeGuard

from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Choice, Decision, Vote
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Transfer

Subject = Connection | Transfer


def takes_less(subject: Subject) -> bool:
    """Whether the card asks the asker's side to accept less than it requested."""
    less = isinstance(subject, Transfer) and subject.role == "receiver" and subject.granted is not None
    return less and not awaits_parcel(subject)


def awaits_parcel(subject: Subject) -> TypeGuard[Transfer]:
    """Whether a parcel is in transit to us, and our approvers report its arrival on the card, as a decision."""
    return isinstance(subject, Transfer) and subject.awaits_parcel


def asks_if_handed_over(subject: Subject) -> TypeGuard[Transfer]:
    """Whether it is a booking of ours whose first day has come, and our approvers report the pick-up."""
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
    """Return the first of two approvals while it waits for the second on a card and can be withdrawn; else None."""
    if not isinstance(subject, Transfer) or not is_open(subject) or subject.is_our_offer:
        return None
    was_counted = subject.asks_if_handed_over and not subject.dearer
    return None if was_counted else subject.first_yes


def asker_of(subject: Subject) -> str:
    """Return the person who asked for it."""
    return subject.asked.person if isinstance(subject, Connection) else subject.terms.asker


def asked_by(us: PartyConfig, subject: Subject, person: str) -> bool:
    """Whether the person asked for it, by this or another Matrix account of the same InvenTree user of ours."""
    asker, people = asker_of(subject), us.people
    asking = {people.get(asker, ""), subject.asked.username if subject.asked.party == us.party else ""}
    return person == asker or people.get(person, "") in asking - {""}


def permission_to_decide(subject: Subject, person: str = "") -> Permission:
    """Return the permission to decide: superuser for connections, approver for transfers. The asker may accept less."""
    if isinstance(subject, Connection):
        return Permission.SUPERUSER
    return Permission.MAPPED if takes_less(subject) and person == subject.terms.asker else Permission.APPROVER


def takes_reactions(subject: Subject) -> bool:
    """Whether a reaction on its card still counts."""
    return is_open(subject) or awaits_parcel(subject)


def is_their_own(us: PartyConfig, subject: Subject, person: str) -> bool:
    """Whether the person asked for it, and so can't approve it. Settings may change during the grace."""
    confirms = takes_less(subject) or asks_if_handed_over(subject) or awaits_parcel(subject)
    return asked_by(us, subject, person) and not confirms and not us.self_approval


def takes_two(transfer: Transfer, said: Vote | Decision) -> bool:
    """Whether that approval takes a second person's."""
    confirms = transfer.awaits_parcel or (transfer.asks_if_handed_over and not transfer.dearer)  # two agreed before
    is_yes = said.choice is not Choice.DECLINE and not confirms
    return transfer.care and is_yes and not said.proven
