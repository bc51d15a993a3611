"""Opens transfers, ours and peers', and posts their cards: the same for all kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import TypeVar

from fedbot import messages
from fedbot.rules import card_content
from fedbot.rules import wire as envelopes
from fedbot.rules.connection import provision
from fedbot.rules.loan import bookings
from fedbot.rules.model import audit
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import (
    APPROVE_KEY,
    DAMAGED_KEY,
    DECLINE_KEY,
    PARCEL_KEY,
    Choice,
    Parcel,
    Signature,
    Unseen,
    Vote,
)
from fedbot.rules.model.effects import Ask, Edit, Phrase, Post, say
from fedbot.rules.model.events import Answered, Echoed, Posted
from fedbot.rules.model.lending import RuleOrigin
from fedbot.rules.model.lifecycles import NOTHING_MOVED, TransferState
from fedbot.rules.model.queries import Able, WhenAnswered
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Progress, Terms, Told, Transfer
from fedbot.rules.protocol import announcements, bodies, sequencing
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.protocol.terms import CLOCKS_DIFFER_BY, LONGEST_OPEN, MOST_OPEN_DAYS, BadTerms, hash_of
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides
from fedbot.rules.who_decides import asked_by, awaits_parcel, is_open
from fedbot.rules.wire import Cause, Draft, Opening, SubjectKind

S = TypeVar("S", Connection, Transfer)

MOST_MENTIONED = 3
KINDS = {"offer": frozenset({"push", "return"}), "request": frozenset({"request", "return", "extension"})}
"""The kinds of transfer that each message may open: the sender offers, the receiver requests."""


def own_opening(turn: Turn, connection: Connection, cause: Cause) -> Opening:
    """Return the opening of something that we open now with this connection's peer, for that cause."""
    return Opening(turn.us.key, connection.room, cause)


def own_transfer(
    turn: Turn, opening: Opening, connection: Connection, terms: Terms, asker: Signature, role: str
) -> Transfer:
    """Return a new transfer that one of our people asked for."""
    identifier = envelopes.opened_id(SubjectKind(terms.kind), opening)
    return Transfer(
        id=identifier,
        code=turn.short_code(identifier),
        role=role,
        peer=connection.peer,
        connection=connection.id,
        room=connection.room,
        terms=terms,
        terms_hash=hash_of(terms),
        state=TransferState.OPEN,
        asked=asker,
        due=turn.now + turn.us.request_open_for,
        progress=tuple(Progress(line.number) for line in terms.lines) if role == "receiver" else (),
        parcel=Parcel() if terms.parcel else None,
        opening=opening,
        requested=terms.lines if terms.kind == "request" else (),
    )


A_MOMENT = timedelta(minutes=10)
_LOOKED_AT = 20


def _recent_duplicate(turn: Turn, transfer: Transfer) -> Transfer | None:
    """Return the person's equal transfer to the same space in the 10 minutes before, if it may still happen; else None.

    The repetition may be intended, so nothing is refused.
    """
    for other in islice(turn.newest(), _LOOKED_AT):  # ordered by time, so only one page is read
        if other.asked.at < transfer.asked.at - A_MOMENT:
            return None
        same_person = other.role == transfer.role and other.asked.person == transfer.asked.person
        is_before = other.id != transfer.id and other.asked.at <= transfer.asked.at
        still_counts = other.state not in NOTHING_MOVED and other.closed is None
        if same_person and is_before and still_counts and _comparable(other) == _comparable(transfer):
            return other
    return None


def _comparable(transfer: Transfer) -> object:
    """Return the fields in which two transfers are the same to the person who types them."""
    lines = transfer.requested or transfer.terms.lines
    things = tuple((line.part, line.description.name, line.serial, line.quantity) for line in lines)
    return (
        transfer.peer,
        transfer.terms.kind,
        transfer.terms.loan_until,
        transfer.terms.starts,
        transfer.terms.parent,
        things,
    )


def opens(transfer: Transfer) -> bodies.OpensWith:
    """Return the fields of the message that opens it: the terms, its deadline, and the source of its id.

    Raises ValueError if the opening is unknown.
    """
    if transfer.opening is None:
        raise ValueError(f"nobody knows how transfer {transfer.id} was opened")
    return {"terms": transfer.terms, "due": transfer.due, "opening": transfer.opening}


@dataclass(frozen=True)
class OfferedStock:
    """Our side's facts about its offer, beyond the terms.

    `metadata` (line number to JSON text) is the items' metadata in our InvenTree; it is sent sealed. `care`: why the
    asker's approval is not enough (`Care.why`); then it counts as the first, and a card asks for the second. `there` is
    the quantity of each line's stock item; the asker has seen its bookings. `ruled_by`: the sources of the lending
    rules.
    """

    metadata: Mapping[str, str] = field(default_factory=dict)
    care: str = ""
    there: tuple[Decimal, ...] = ()
    ruled_by: tuple[RuleOrigin, ...] = ()


def open_push(
    turn: Turn, cause: Cause, connection: Connection, terms: Terms, asker: Signature, offered: OfferedStock
) -> Transfer:
    """Open a push on the sender's side. The message with the offer answers the asker's line."""
    transfer = own_transfer(turn, own_opening(turn, connection, cause), connection, terms, asker, "sender")
    transfer = replace(transfer, there=offered.there, ruled_by=offered.ruled_by)
    transfer = replace(transfer, over=bookings.conflicts(turn, transfer))
    if offered.care:
        turn.note(transfer.id, audit.NeedsCare(offered.care), asker.person, asker.event_id)
        transfer = asked_with_care(turn, transfer, asker)
    body, sealed = bodies.Offer(**opens(transfer)), {"metadata": dict(offered.metadata)}
    transfer, draft = sequencing.write(turn, transfer, body, awaits=True, sealed=sealed)
    turn.save(transfer)
    phrase = say(
        messages.transfer_card.transfer_offered,
        transfer=transfer,
        connection=connection,
        us=turn.us,
        overdue=both_sides.overdue_there(turn, transfer),
        before=_recent_duplicate(turn, transfer),
    )
    turn.do(Post(MessageKind.OFFER.of(transfer.id), connection.room, phrase, reply_to=asker.event_id, draft=draft))
    turn.note(transfer.id, audit.Asked(audit.Asking.OFFER, connection.peer), asker.person, asker.event_id)
    provision.mirror(turn, connection)
    if offered.care:
        turn.do(Ask(ShowReleaseCard(transfer.id), (turn.who_may(Permission.APPROVER),)))
    return transfer


def asked_with_care(turn: Turn, transfer: Transfer, asker: Signature) -> Transfer:
    """Return our own offer as one that needs a second approval. The asker has given the first."""
    transfer = replace(transfer, care=True)
    shown = card_content.hash_now(turn.us, transfer)
    first = Vote(Choice.APPROVE, asker.person, asker.username, asker.event_id, asker.at, shown=shown)
    return replace(transfer, first_yes=first)


@dataclass(frozen=True)
class ShowReleaseCard(both_sides.TellsThatItWaits, WhenAnswered):
    """Reads who may approve our own offer as the second person, before its card is posted."""

    def answered(self, turn: Turn, event: Answered) -> None:
        """Post the card for everybody except the asker."""
        transfer = turn.transfer(self.transfer)
        (able,) = event.answers
        if transfer is None or not isinstance(able, Able) or not transfer.waits_for_release:
            return
        transfer = both_sides.clear_wait(turn, transfer).after_telling(Told.CARD)
        turn.save(transfer)
        others = [person for person in addressees(turn, able) if not asked_by(turn.us, transfer, person)]
        post_card(turn, transfer, others)


def peers_opening(turn: Turn, connection: Connection, envelope: Message[bodies.Opens]) -> Opening:
    """Return the opening in a peer's first message. Raises BadTerms if the peer may not open that id.

    The key must be one that we pinned for this peer, and the room the connection's, or one that it replaced.
    """
    opening, kind = envelope.body.opening, envelope.body.terms.kind
    if not is_theirs_to_open(turn, connection, opening):
        raise BadTerms("opening: not yours")
    if envelope.subject != envelopes.opened_id(SubjectKind(kind), opening):
        raise BadTerms("transfer: not the id of what you open")
    return opening


def is_theirs_to_open(turn: Turn, connection: Connection, opening: Opening) -> bool:
    """Whether this peer may have opened it: with its own key, in the room of the connection or one that it replaced."""
    pinned = [c for c in turn.connections() if c.peer == connection.peer]
    is_theirs = any(opening.key in {c.peer_key, *c.former_keys} for c in pinned)
    return is_theirs and opening.room in announcements.lineage(turn, connection.room)


def peers_transfer(turn: Turn, connection: Connection, envelope: Message[bodies.Opens], event_id: str) -> Transfer:
    """Return the transfer that a peer's message opens. Raises BadTerms if it is invalid."""
    opening = peers_opening(turn, connection, envelope)
    terms = envelope.body.terms
    parties = {"offer": (connection.peer, turn.us.party), "request": (turn.us.party, connection.peer)}
    if terms.kind not in KINDS[envelope.kind] or (terms.sender, terms.receiver) != parties[envelope.kind]:
        raise BadTerms("terms.kind, terms.sender or terms.receiver")
    if hash_of(terms) != envelope.terms_hash:
        raise BadTerms("terms_hash")
    role = "receiver" if terms.receiver == turn.us.party else "sender"
    name, at = turn.called(terms.asker_name, terms.asker, connection.peer), envelope.sent_at
    asker = Signature(terms.asker, name, connection.peer, at, event_id)
    return Transfer(
        id=envelope.subject,
        code=turn.short_code(envelope.subject),
        role=role,
        peer=connection.peer,
        connection=connection.id,
        room=connection.room,
        terms=terms,
        terms_hash=envelope.terms_hash,
        state=TransferState.OPEN,
        asked=asker,
        due=_due(turn, envelope),
        progress=tuple(Progress(line.number) for line in terms.lines) if role == "receiver" else (),
        exchange=sequencing.first_exchange(envelope),
        parcel=Parcel() if terms.parcel else None,
        opening=opening,
    )


def _due(turn: Turn, envelope: Message[bodies.Opens]) -> datetime:
    """Return when it expires: when the peer says, but by our own clock no later than the protocol allows."""
    if envelope.body.due > envelope.sent_at + LONGEST_OPEN + CLOCKS_DIFFER_BY:
        raise BadTerms(f"due: more than {MOST_OPEN_DAYS} days")
    return min(envelope.body.due, turn.now + LONGEST_OPEN)


def addressees(turn: Turn, able: Able) -> list[str]:
    """Return the Matrix ids of the people who have the permission, in the configuration's order."""
    return [person for person, username in turn.us.people.items() if username in able.usernames]


def names(turn: Turn, people: list[str], room: str) -> list[str]:
    """Return these people's names in the room."""
    return [turn.name_of(person, room) for person in people]


@dataclass(frozen=True)
class ShowChangedCard(both_sides.TellsThatItWaits, WhenAnswered):
    """Reads who may decide before another card is posted. `void`: whose decision on the card before is void, or ''."""

    void: str = ""

    def answered(self, turn: Turn, event: Answered) -> None:
        """Post the card, unless the newest one already shows the same."""
        transfer = turn.transfer(self.transfer)
        (able,) = event.answers
        if transfer is None or not isinstance(able, Able) or transfer.card == card_content.of_transfer(transfer):
            return
        transfer = both_sides.clear_wait(turn, transfer)
        waits = (transfer.state is TransferState.OPEN and not transfer.wanted) or transfer.asks_if_handed_over
        if waits or transfer.awaits_parcel:
            people = [*([self.void] if self.void else []), *addressees(turn, able)]
            post_card(turn, transfer, list(dict.fromkeys(people)))


def post_first_card(turn: Turn, transfer: Transfer, people: list[str]) -> None:
    """Post the first card of a transfer. It carries our acknowledgement of the peer's message."""
    transfer, draft = sequencing.write(turn, transfer.after_telling(Told.CARD), bodies.Noted())
    turn.save(transfer)
    post_card(turn, transfer, people, draft)


def suggestions(transfer: Transfer) -> tuple[str, ...]:
    """Return the reactions that the card suggests.

    📦 also counts before an approval, but isn't worth one more event for each card.
    """
    if transfer.awaits_parcel:
        return (PARCEL_KEY,)
    if transfer.is_return and not transfer.is_our_offer:
        return (APPROVE_KEY, DAMAGED_KEY, DECLINE_KEY)
    return (APPROVE_KEY, DECLINE_KEY)


def post_card(turn: Turn, transfer: Transfer, people: list[str], draft: Draft | None = None) -> None:
    """Post the card: it mentions up to three of the people who may decide, and suggests the reactions.

    If it shows something else than the card before it, it replaces that card and names the differences. A decision on
    the former card is void, and the person who made it is mentioned first. After a loss of the journal, our own message
    in the room tells which card is the newest.
    """
    changes = card_content.changes(turn.us, transfer)
    if changes:
        transfer, people = _supersede(turn, transfer, people)
    if draft is None and _is_another_card(transfer):
        transfer, draft = sequencing.write(turn, transfer, bodies.Noted(here=transfer.said_here))
    transfer = replace(transfer, card=card_content.of_transfer(transfer), in_room=transfer.in_room.read_differently())
    turn.save(transfer)
    turn.do(
        Post(
            MessageKind.CARD.of(transfer.id),
            transfer.room,
            both_sides.card(turn, transfer, names(turn, people, transfer.room), changes),
            mentions=tuple(people[:MOST_MENTIONED]),
            draft=draft,
            suggestions=suggestions(transfer),
            version=transfer.in_room.version,
        )
    )


def _is_another_card(transfer: Transfer) -> bool:
    """Whether the peer has read a message of ours with a card before. The card for a second approval has none."""
    asks = transfer.state in {TransferState.OPEN, TransferState.BOOKED, TransferState.SENT}
    return transfer.has_card and asks and not transfer.is_our_offer


def _supersede(turn: Turn, transfer: Transfer, people: list[str]) -> tuple[Transfer, list[str]]:
    """Void the present card, and any decision on it. Put the people who decided first among those to mention."""
    turn.do(Edit(MessageKind.CARD.of(transfer.id), transfer.room, _superseded_text(transfer)))
    if transfer.decision is not None:
        decision = transfer.decision
        turn.note(transfer.id, audit.Decided(decision.choice, audit.Stage.VOID), decision.person, decision.event_id)
        people = list(dict.fromkeys([decision.person, *people]))
    if transfer.first_yes is not None:
        people = list(dict.fromkeys([transfer.first_yes.person, *people]))
    return replace(without_card(transfer), decision=None, first_yes=None), people


def _superseded_text(transfer: Transfer) -> Phrase:
    """Return the new text of the superseded card. It differs if the first day of a booking has come."""
    if transfer.calls and transfer.card is not None and not transfer.card.hands_over:
        return say(messages.booking.first_day_is_here, transfer=transfer)
    return say(messages.transfer_card.card_superseded, subject=transfer)


def without_card(subject: S) -> S:
    """Return the transfer or connection without its newest card, on which no decision counts any more."""
    link = "" if subject.card_event == subject.own_card else subject.card_event
    return replace(subject, card_event=link, own_card="")


# --- the versions of a card that our syncs have shown ---

MOST_ECHOES = 10


def awaits_echo(turn: Turn) -> bool:
    """Whether our own messages matter: one may be a card on which no decision counts until a sync shows it."""
    return any(is_open(subject) or awaits_parcel(subject) for subject in _not_shown(turn))


def _not_shown(turn: Turn) -> list[Connection | Transfer]:
    return [subject for subject in turn.subjects() if not subject.in_room.is_shown]


def on_card_posted(turn: Turn, event: Posted) -> None:
    """Note that the homeserver has accepted a card, or an edit of one. A sync may already have shown it."""
    subject = turn.subject(event.key.subject)
    if subject is None or subject.in_room.seen >= event.version:
        return
    posted = Unseen(event.event_id, event.version, event.at)
    subject = replace(subject, in_room=replace(subject.in_room, unseen=(*subject.in_room.unseen, posted)))
    shown = dict(turn.status().echoes).get(event.event_id)
    if shown is None:
        turn.save(subject)
    else:
        _mark_shown(turn, subject, posted, shown)


def on_echo(turn: Turn, event: Echoed) -> None:
    """Note that a sync shows a message of ours: a card that we wait for, or one whose event id we don't know yet."""
    for subject in _not_shown(turn):
        for posted in subject.in_room.unseen:
            if posted.event_id == event.event_id:
                _mark_shown(turn, subject, posted, event.at)
                return
    status = turn.status()
    turn.save(replace(status, echoes=(*status.echoes, (event.event_id, event.at))[-MOST_ECHOES:]))


def on_caught_up(turn: Turn) -> None:
    """Take cards posted before `turn.now` as shown, because a complete sync has begun since."""
    for subject in _not_shown(turn):
        for posted in [each for each in subject.in_room.unseen if each.posted < turn.now]:
            _mark_shown(turn, turn.subject(subject.id) or subject, posted, posted.posted)


def _mark_shown(turn: Turn, subject: Connection | Transfer, posted: Unseen, at: datetime) -> None:
    status, in_room = turn.status(), subject.in_room
    place = status.cards_seen + 1
    turn.save(replace(status, cards_seen=place))
    unseen = tuple(each for each in in_room.unseen if each.version > posted.version)
    in_room = replace(in_room, seen=max(in_room.seen, posted.version), unseen=unseen, place=place, at=at)
    turn.save(replace(subject, in_room=in_room))


# --- opening a request ---


def open_request(
    turn: Turn,
    cause: Cause,
    connection: Connection,
    terms: Terms,
    asker: Signature,
    *,
    accepted: str = "",
    until: datetime | None = None,
    answered: str = "",
) -> None:
    """Open a request on the asker's side. The message that opens it answers the asker's line.

    `accepted` identifies the offer that the asker has seen and accepts unchanged (`terms.shown_as`). `answered` is our
    numbered list to which the line replies: that message becomes the answer, which saves the room one message. The
    request stays open until its usual end, but no longer than `until`.
    """
    transfer, draft = new_request(turn, cause, connection, terms, asker, accepted=accepted, until=until)
    phrase = request_phrase(turn, transfer, connection)
    if answered:
        turn.find_post(answered, MessageKind.OFFER.of(transfer.id), connection.room)
        turn.do(Edit(MessageKind.OFFER.of(transfer.id), connection.room, phrase, draft=draft))
        return
    turn.do(Post(MessageKind.OFFER.of(transfer.id), connection.room, phrase, reply_to=asker.event_id, draft=draft))


def request_phrase(turn: Turn, transfer: Transfer, connection: Connection) -> Phrase:
    """Return the answer to the line that opened the request."""
    before = _recent_duplicate(turn, transfer)
    return say(
        messages.transfer_card.transfer_requested, transfer=transfer, connection=connection, us=turn.us, before=before
    )


def new_request(
    turn: Turn,
    cause: Cause,
    connection: Connection,
    terms: Terms,
    asker: Signature,
    *,
    accepted: str = "",
    until: datetime | None = None,
) -> tuple[Transfer, Draft]:
    """Return a new request, and the message that opens it, which the caller has to send.

    The rest as in `open_request`.
    """
    opened = own_opening(turn, connection, cause)
    transfer = own_transfer(turn, opened, connection, terms, asker, "receiver")
    transfer = replace(transfer, accepted=accepted, due=min(transfer.due, until) if until else transfer.due)
    body = bodies.Request(accepted=accepted or None, **opens(transfer))
    transfer, draft = sequencing.write(turn, transfer, body, awaits=True)
    turn.save(transfer)
    turn.note_by(transfer.id, audit.Asked(audit.Asking.REQUEST, connection.peer), asker)
    provision.mirror(turn, connection)
    return transfer, draft


def read_who_confirms(turn: Turn, transfer: Transfer) -> None:
    """Read who may accept the grant. Then the card is posted."""
    turn.do(Ask(ShowGrantedCard(transfer.id), (turn.who_may(Permission.APPROVER),)))


@dataclass(frozen=True)
class ShowGrantedCard(both_sides.TellsThatItWaits, WhenAnswered):
    """On the asker's side: reads who may accept the grant, before its card is posted."""

    def answered(self, turn: Turn, event: Answered) -> None:
        """Post the card."""
        transfer = turn.transfer(self.transfer)
        (able,) = event.answers
        if transfer is None or transfer.state is not TransferState.OPEN or not isinstance(able, Able):
            return
        transfer = both_sides.clear_wait(turn, transfer)
        if transfer.wanted or (transfer.has_card and transfer.card == card_content.of_transfer(transfer)):
            return
        post_first_card(turn, transfer, list(dict.fromkeys([transfer.terms.asker, *addressees(turn, able)])))
