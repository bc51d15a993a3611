"""`!fed cancel ID`: take back one's own request, or one's decision within its few seconds of grace."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.lookup import (
    place_meant,
    rooms_told_of,
    rota_meant,
    signature_with_note,
    subject_meant,
    want_meant,
    whole_line,
)
from fedbot.commands.spec import WHY, Argument, Handler, Kind, Verb, Where
from fedbot.rules import decisions
from fedbot.rules.carry_out_line import lacking, not_entitled
from fedbot.rules.catalogue import want
from fedbot.rules.connection import connect as connections
from fedbot.rules.loan import waiting_list
from fedbot.rules.model.catalogue import Want
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.from_anyone import Rota
from fedbot.rules.model.ledger import Cancellable
from fedbot.rules.model.lending import PlaceInLine, QueueEntry
from fedbot.rules.model.lifecycles import (
    BEFORE_DEBIT,
    LIVING_CONNECTION,
    UNFINISHED_CONNECTION,
    ConnectionState,
    PlaceState,
    WantState,
)
from fedbot.rules.model.queries import Answer, PersonPermissions, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides, from_anyone
from fedbot.rules.who_decides import Subject, asker_of, first_yes_of, is_open

SPEC = Verb(
    name="cancel",
    aliases=("undo", "withdraw"),
    summary="take back an offer, a request or a decision",
    permission=Permission.MAPPED,
    arguments=(Argument("id", Kind.SUBJECT, "ID", optional=True),),
    options=(WHY,),
    examples=("cancel k7m2", "cancel", "cancel k7m2 - we found one here"),
    details=(
        "You can take back what you asked for, as long as nothing has moved.",
        "Approvers can take back any offer or request of their space; superusers also a request to connect.",
        "Within a few seconds of a decision, it stops the decision.",
        "A reply to the card needs no ID.",
        "Without an ID it lists what you can take back: offers, requests, bookings, wants, places on a waiting list.",
    ),
    where=Where.FEDERATION_ROOM,
)


MOST_LISTED = 10


def _meant(turn: Turn, command: Command) -> Subject | Phrase:
    return subject_meant(turn, command, SPEC, ())


def _names_none(turn: Turn, command: Command) -> bool:
    """Whether the line names nothing: it has no id, and is no reply to a message about something."""
    return not command.arguments.get("id") and turn.subject(command.subject) is None


def _own(turn: Turn, command: Command) -> Cancellable:
    """The things of this person that can still be taken back, and that this room may see."""
    person, here = command.sender, rooms_told_of(turn, command.room)
    places = [each for each in turn.all(PlaceInLine) if each.is_living]
    return Cancellable(
        subjects=tuple(s for s in turn.subjects() if s.room in here and _is_own(s, person) and _can_end(turn, s)),
        rotas=tuple(r for r in turn.all(Rota) if r.room in here and r.is_living and _asked_by(r, person)),
        wants=tuple(w for w in turn.all(Want) if w.room in here and w.is_living and _asked_by(w, person)),
        places=tuple((turn.party_name(p.peer), p) for p in places if p.room in here and _asked_by(p, person)),
        in_line=tuple(
            (waiting_list.place_of(turn, e), e) for e in turn.queue() if e.room in here and _asked_by(e, person)
        ),
    )


def _can_end(turn: Turn, subject: Subject) -> bool:
    """Whether it can still be taken back. A request that is part of a search ends with the search."""
    if isinstance(subject, Connection):
        return subject.state in UNFINISHED_CONNECTION
    search = turn.rota_of(subject)
    is_part_of_search = search is not None and search.is_living
    return subject.state in BEFORE_DEBIT and subject.wanted != "cancel" and not is_part_of_search


def _let_choose(turn: Turn, command: Command, own: Cancellable) -> None:
    """Ask which of them. A number runs the line with its id."""
    lines = tuple(whole_line(turn, command, SPEC, id=code) for code in own.codes)
    phrase = say(messages.overview.which_to_cancel, own=own, most=MOST_LISTED)
    turn.choose(command.room, command.event_id, command.sender, phrase, lines[:MOST_LISTED])


def _is_own(subject: Subject, person: str) -> bool:
    """Whether the person asked for it, or made the decision that is in its grace."""
    deciding = (subject.decision, first_yes_of(subject))
    return asker_of(subject) == person or any(each is not None and each.person == person for each in deciding)


def _permission_to_cancel(subject: Subject) -> Permission:
    """The permission that anybody else needs who did not ask for it."""
    return Permission.SUPERUSER if isinstance(subject, Connection) else Permission.APPROVER


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask for no permission to take back one's own request or recent decision; else ask for the permissions."""
    meant = want_meant(turn, command) or rota_meant(turn, command) or place_meant(turn, command)
    if meant is not None:
        return () if _asked_by(meant, command.sender) else _who_may(turn, command, Permission.APPROVER)
    if _names_none(turn, command) and _own(turn, command).codes:
        return ()
    subject = _meant(turn, command)
    if isinstance(subject, Phrase):
        return subject
    if _is_own(subject, command.sender):
        return ()
    return _who_may(turn, command, _permission_to_cancel(subject))


def _who_may(turn: Turn, command: Command, permission: Permission) -> tuple[Query, ...]:
    return (PersonPermissions(command.username), turn.who_may(permission))


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Stop the running decision, or take back the whole request."""
    if (wanted := want_meant(turn, command)) is not None:
        return _without_reason(command, _stop_wanting(turn, command, wanted, answers))
    if (asked := rota_meant(turn, command)) is not None:
        return _without_reason(command, _stop_asking(turn, command, asked, answers))
    if (place := place_meant(turn, command)) is not None:
        return _without_reason(command, _leave_line(turn, command, place, answers))
    if _names_none(turn, command) and (own := _own(turn, command)).codes:
        _let_choose(turn, command, own)
        return None
    return _take_back(turn, command, answers)


def _without_reason(command: Command, told: Phrase) -> Phrase:
    """The answer where the typed reason reaches nobody, and says so."""
    return say(messages.approval.but_note_unread, told=told) if command.arguments.get(WHY.name) else told


def _take_back(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    subject = _meant(turn, command)
    if isinstance(subject, Phrase):
        return subject
    if not _is_own(subject, command.sender):
        if not answers:  # it was their decision when they typed this; since then it was withdrawn, or it counts
            if is_open(subject):
                return say(messages.approval.decision_stopped, subject=subject)
            return say(messages.approval.decided_already, subject=subject)
        if (refused := _not_entitled(turn, subject, answers)) is not None:
            return refused
    if subject.decision is not None:
        decisions.stop(turn, subject, command.sender, command.event_id)
        return _without_reason(command, say(messages.approval.decision_stopped, subject=subject))
    if isinstance(subject, Connection):
        return _without_reason(command, _cancel_connection(turn, command, subject))
    first = first_yes_of(subject)
    if first is not None and first.person == command.sender:
        both_sides.take_back_first_yes(turn, subject, command.sender, command.event_id)
        return _without_reason(command, say(messages.approval.decision_stopped, subject=subject))
    return _cancel_transfer(turn, command, subject)


def _asked_by(meant: Want | Rota | PlaceInLine | QueueEntry, person: str) -> bool:
    """Whether that person wants it, asked for it or waits for it."""
    by = meant.asker if isinstance(meant, Rota) else meant.by
    return by is not None and by.person == person


def _refused(
    turn: Turn, command: Command, meant: Want | Rota | PlaceInLine | QueueEntry, answers: tuple[Answer, ...]
) -> Phrase | None:
    """Why the speaker may not stop it; None for the person who asked for it, and for approvers."""
    is_own = _asked_by(meant, command.sender)
    return None if is_own else not_entitled(turn, command, Permission.APPROVER, answers)


def _stop_wanting(turn: Turn, command: Command, wanted: Want, answers: tuple[Answer, ...]) -> Phrase:
    """Stop a want."""
    if refused := _refused(turn, command, wanted, answers):
        return refused
    if wanted.is_living:
        want.end(turn, wanted, WantState.STOPPED, turn.signature_of(command))
    return say(messages.catalogue.want_stopped, want=wanted)


def _leave_line(turn: Turn, command: Command, place: PlaceInLine | QueueEntry, answers: tuple[Answer, ...]) -> Phrase:
    """Leave a queue: the person who waits may, and an approver."""
    if refused := _refused(turn, command, place, answers):
        return refused
    is_own = _asked_by(place, command.sender)
    by = turn.signature_of(command)
    if isinstance(place, QueueEntry):
        waiting_list.end(turn, place, PlaceState.LEFT if is_own else PlaceState.REMOVED, by)
    elif place.is_living:
        waiting_list.leave(turn, place, by)
    return say(messages.waiting_list.waits_no_more, code=place.code)


def _stop_asking(turn: Turn, command: Command, asked: Rota, answers: tuple[Answer, ...]) -> Phrase:
    """Stop a rota."""
    if refused := _refused(turn, command, asked, answers):
        return refused
    if not asked.is_living:
        return say(messages.from_anyone.rota_is_over, rota=asked)
    confirmed = [
        t
        for _, t in from_anyone.requests(turn, asked)
        if from_anyone.status_of(t) is from_anyone.RequestStatus.CONFIRMED
    ]
    stopped = from_anyone.stop(turn, asked, turn.signature_of(command))
    coming = tuple(turn.party_name(transfer.peer) for transfer in confirmed)
    return say(messages.from_anyone.rota_stopped, rota=stopped, coming=coming)


def _not_entitled(turn: Turn, subject: Subject, answers: tuple[Answer, ...]) -> Phrase | None:
    permission = _permission_to_cancel(subject)
    lacked = lacking(permission, answers)
    if lacked is None:
        return None
    permissions, able = lacked
    return say(
        messages.approval.not_yours_to_cancel,
        subject=subject,
        permissions=permissions,
        permission=permission,
        us=turn.us,
        able=tuple(turn.names_of(able, subject.room)),
    )


def _cancel_connection(turn: Turn, command: Command, connection: Connection) -> Phrase:
    """Cancel a connection, unless our side has said that it is ready: the peer may already be active then."""
    if connection.state in {ConnectionState.ACTIVE, ConnectionState.SUSPENDED}:
        return say(messages.approval.friends_stay, connection=connection)
    if connection.state not in LIVING_CONNECTION:
        return say(messages.approval.over_already, subject=connection)
    if connection.state is ConnectionState.ENDING:
        return say(messages.approval.connection_not_active, connection=connection)
    if connection.state is ConnectionState.READY:
        return say(messages.approval.too_late_to_cancel, subject=connection, peer_name=connection.peer_name)
    if connection.state is ConnectionState.OFFERED:
        return say(messages.approval.decline_instead, subject=connection)
    ended = connections.cancel(turn, connection, turn.signature_of(command))
    return say(messages.approval.cancelled, subject=ended, us=turn.us)


def _cancel_transfer(turn: Turn, command: Command, transfer: Transfer) -> Phrase | None:
    peer_name = turn.party_name(transfer.peer)
    if from_anyone.may_be_given_up(turn, transfer):
        went_on = from_anyone.give_up(turn, transfer, signature_with_note(turn, command))
        return say(messages.from_anyone.given_up, rota=went_on, transfer=transfer, peer_name=peer_name)
    if transfer.wanted == "cancel":
        return say(messages.approval.cancel_asked, transfer=transfer, peer_name=peer_name)
    outcome = both_sides.cancel(turn, transfer, signature_with_note(turn, command))
    match outcome:
        case "":
            return None  # the outcome is a separate message, which answers the line
        case "asked":
            return say(messages.approval.cancel_asked, transfer=transfer, peer_name=peer_name)
        case "decline":
            return say(messages.approval.decline_instead, subject=transfer)
        case "moving":
            return say(messages.approval.too_late_to_cancel, subject=transfer, peer_name=peer_name)
        case _:
            return say(messages.approval.over_already, subject=transfer)


HANDLER = Handler(SPEC, ask, act)
