"""Decisions on a card: which reaction or line counts, the grace, and the second read of the permission.

A decision runs through three stages: the permission is read, the grace runs, and the permission is read again after a
sync that began later than the grace ended. The first decision wins; while it runs, no other begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, TypeVar

from fedbot import messages
from fedbot.rules import budgets, card_content
from fedbot.rules.card_content import hash_of
from fedbot.rules.catalogue import destination
from fedbot.rules.connection import connect as connections
from fedbot.rules.loan import balance, bookings, extend
from fedbot.rules.model import audit
from fedbot.rules.model.command import Cooldown
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import (
    CARD_KEYS,
    KEY_OF,
    Choice,
    Decision,
    DecisionStage,
    Signature,
    SpokenReason,
    Vote,
    looks_like_a_decision,
    normalised,
    says_it_is_here,
)
from fedbot.rules.model.effects import Ask, Phrase, Post, Typing, say
from fedbot.rules.model.events import Answered, PostRefused, Reacted, Redacted, Said, Unanswered
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.queries import Able, PersonPermissions, WhenAnsweredOrNot
from fedbot.rules.model.room import MessageKey, MessageKind
from fedbot.rules.model.stock import Permission, Permissions
from fedbot.rules.model.transfer import Transfer, less_of, total
from fedbot.rules.protocol import announcements, sequencing, who_answers
from fedbot.rules.protocol.bodies import LONGEST_REASON
from fedbot.rules.protocol.terms import presentable
from fedbot.rules.state import Turn
from fedbot.rules.transfer import booking, both_sides, opening, parcel, receive, send
from fedbot.rules.who_decides import (
    Subject,
    asker_of,
    asks_if_handed_over,
    awaits_parcel,
    decides_here,
    first_yes_of,
    is_open,
    is_their_own,
    permission_to_decide,
    takes_reactions,
    takes_two,
)

S = TypeVar("S", Connection, Transfer)

QUIET_FOR = timedelta(days=1)
MOST_BEHIND = 10
MOST_REASONS = 10


def choices(subject: Subject) -> tuple[Choice, ...]:
    """Return the choices that its card offers now."""
    if awaits_parcel(subject):
        return (Choice.PARCEL,)
    if isinstance(subject, Connection):
        return (Choice.APPROVE, Choice.DECLINE)
    return tuple(choice for choice in Choice if _fits(subject, choice))


def card(turn: Turn, subject: Subject) -> Phrase:
    """Return the card in its present state."""
    return both_sides.card(turn, subject) if isinstance(subject, Transfer) else connections.card(turn, subject)


def on_reaction(turn: Turn, event: Reacted) -> None:
    """Begin the decision of a reaction if it counts; else post at most one quiet line for each person and card."""
    if event.room not in announcements.federation_rooms(turn):
        return
    if (subject := subject_at_peers_message(turn, event)) is not None:
        if not _reacts_too_much(turn, subject, event.sender):
            _point_to_our_card(turn, subject, event.sender, event.target)
        return
    if turn.key_of(event.target).kind is not MessageKind.CARD:
        return
    subject = turn.subject(turn.subject_of(event.target))
    choice = CARD_KEYS.get(normalised(event.key))
    if subject is None or who_answers.is_bot(turn, event.room, event.sender):
        return
    says_something = choice is not None or looks_like_a_decision(event.key)
    if says_something and not _reacts_too_much(turn, subject, event.sender):
        _on_decision_like(turn, subject, choice, event)


def _on_decision_like(turn: Turn, subject: Subject, choice: Choice | None, event: Reacted) -> None:
    if choice is None:
        _tell_how_to_decide(turn, subject, event.sender)
        return
    if choice in {Choice.PARCEL, Choice.DAMAGED} and isinstance(subject, Connection):
        return
    if not subject.asks_on(event.target):
        quiet(turn, subject, event.sender, say(messages.transfer_card.card_is_superseded, subject=subject))
        return
    if not subject.in_room.is_shown:  # the reaction came before the edit, or crossed it
        has_changed = say(messages.transfer_card.card_has_changed, subject=subject)
        just_left = say(messages.parcel.parcel_has_just_left, subject=subject) if awaits_parcel(subject) else None
        quiet(turn, subject, event.sender, just_left or has_changed)
        return
    note = _reason_of(subject, event.sender) if choice is Choice.DECLINE else ""
    complaint = take_up(turn, subject, choice, event.sender, event.event_id, at=event.at, note=note)
    if complaint:
        quiet(turn, subject, event.sender, complaint)


def subject_at_peers_message(turn: Turn, event: Reacted | Said) -> Subject | None:
    """Return the subject that our people have to decide, if one of them says yes or no to the other bot's message.

    That is the message which people see first, but only our own card shows what is decided. So it decides nothing.
    """
    target, said = (event.target, event.key) if isinstance(event, Reacted) else (event.reply_to, event.text)
    if not target or event.sender not in turn.us.people or turn.key_of(target):
        return None
    if not (looks_like_a_decision(said) or normalised(said) in CARD_KEYS):
        return None
    subject = turn.subject(turn.subject_of(target))
    return subject if subject is not None and _waits_for_us(turn, subject) else None


def _waits_for_us(turn: Turn, subject: Subject) -> bool:
    """Whether our people have to decide on it now."""
    return (is_open(subject) and decides_here(turn.us, subject)) or awaits_parcel(subject)


def _point_to_our_card(turn: Turn, subject: Subject, person: str, target: str) -> None:
    """Tell one of our people, once for each day and subject, where to decide instead."""
    phrase = say(messages.approval.tap_our_card, subject=subject, peer_name=turn.party_name(subject.peer))
    quiet(turn, subject, person, phrase, reply_to="" if subject.own_card else target)


def _reacts_too_much(turn: Turn, subject: Subject, person: str) -> bool:
    """Whether the person is over their budget. They are told once, then their reactions don't count for a minute."""
    waiting = f"too-many-reactions:{person}"
    if any(cooldown.id == waiting and cooldown.until > turn.now for cooldown in turn.all(Cooldown)):
        return True
    if turn.spends("reaction", person) is None:
        return False
    if person in turn.us.people and turn.tell_once(waiting, budgets.MINUTE):
        phrase = say(messages.approval.reacts_too_much, most=budgets.LIMITS["reaction"][0].most)
        addressed = replace(phrase, to=turn.name_of(person, subject.room))
        key = MessageKind.TOO_MANY_REACTIONS.of(subject.id, f"{person}:{turn.now.isoformat()}")
        turn.do(Post(key, subject.room, addressed, thread=MessageKind.CARD.of(subject.id)))
    return True


def on_missed_reaction(turn: Turn, event: Reacted) -> None:
    """Tell the person once that a reaction from while we were out of the room doesn't count."""
    subject = turn.subject(turn.subject_of(event.target))
    is_on_card = turn.key_of(event.target).kind is MessageKind.CARD and normalised(event.key) in CARD_KEYS
    if subject is not None and is_on_card and takes_reactions(subject) and subject.asks_on(event.target):
        quiet(turn, subject, event.sender, say(messages.rooms.tapped_while_out, subject=subject))


def subject_of_spoken_decision(turn: Turn, event: Said) -> Subject | None:
    """Return the subject to whose card one of our people replies "yes" or "it arrived"; None for any other line.

    A reply to the other bot's message about it counts as one, too.
    """
    about = turn.key_of(event.reply_to or event.thread)
    subject = turn.subject(about.subject) if about.kind is MessageKind.CARD and not event.edits else None
    if event.room not in announcements.federation_rooms(turn) or event.sender not in turn.us.people:
        return None
    if subject is None and not event.edits:
        return subject_at_peers_message(turn, event)
    means_it = subject is not None and (
        looks_like_a_decision(event.text) or (awaits_parcel(subject) and says_it_is_here(event.text))
    )
    return subject if means_it else None


def on_spoken_decision(turn: Turn, event: Said) -> bool:
    """Tell a person who replies "yes" to a card how to decide, and return whether the line is such a reply.

    It is no decision, because reply relations aren't encrypted.
    """
    subject = subject_of_spoken_decision(turn, event)
    if subject is not None and turn.key_of(event.reply_to or event.thread):
        _tell_how_to_decide(turn, subject, event.sender)
    elif subject is not None:
        _point_to_our_card(turn, subject, event.sender, event.reply_to)
    return subject is not None


def transfer_of_reason(turn: Turn, event: Said) -> Transfer | None:
    """Return the undecided transfer to whose card one of our people replies in their own words; None if none."""
    about = turn.key_of(event.reply_to)
    subject = turn.subject(about.subject) if about.kind is MessageKind.CARD else None
    if not isinstance(subject, Transfer) or event.edits or event.unproven or subject.is_return:
        return None
    is_ours = event.sender in turn.us.people and event.room in announcements.federation_rooms(turn)
    decides = is_open(subject) and decides_here(turn.us, subject) and not asks_if_handed_over(subject)
    return subject if is_ours and decides and event.text.strip() else None


def on_reason(turn: Turn, event: Said) -> None:
    """Keep a reply to a card as the reason, should that person decline.

    Tell them once that the other space reads it then.
    """
    subject = transfer_of_reason(turn, event)
    if subject is None:
        return
    text = presentable(" ".join(event.text.split()))[:LONGEST_REASON]
    others = tuple(reason for reason in subject.reasons if reason.person != event.sender)
    subject = replace(subject, reasons=(*others, SpokenReason(event.sender, text))[-MOST_REASONS:])
    decision = subject.decision
    if decision is not None and decision.person == event.sender and decision.choice is Choice.DECLINE:
        subject = replace(subject, decision=replace(decision, note=text))
    turn.save(subject)
    peer_name = turn.party_name(subject.peer)
    quiet(turn, subject, event.sender, say(messages.approval.reason_noted, subject=subject, peer_name=peer_name))


def _reason_of(subject: Subject, person: str) -> str:
    """Return the reason that the person gave in reply to the card; '' if none."""
    reasons = subject.reasons if isinstance(subject, Transfer) else ()
    return next((reason.text for reason in reasons if reason.person == person), "")


def _tell_how_to_decide(turn: Turn, subject: Subject, person: str) -> None:
    """Post one quiet line for one of our people, once for each day and card."""
    if person not in turn.us.people:
        return
    if not takes_reactions(subject):
        quiet(turn, subject, person, say(messages.approval.decided_already, subject=subject))
    else:
        quiet(turn, subject, person, say(messages.approval.tap_instead, subject=subject))


def take_up(  # noqa: PLR0913 -- one for each thing that a person says with a decision
    turn: Turn,
    subject: Subject,
    choice: Choice,
    person: str,
    event_id: str,
    reply_to: str = "",
    quantity: Decimal | None = None,
    *,
    at: datetime,
    note: str = "",
    proven: bool = False,
    came: tuple[tuple[int, Decimal], ...] = (),
) -> Phrase | None:
    """Begin a decision, or return why not. `reply_to` is the line, if the person typed instead of reacting.

    `quantity` is set if an approver grants less than requested. `came` is how much of each line a parcel held, if not
    all of it. `at` is when the person decided; that counts even if we were down then. `note` is the reason. `proven`:
    the person typed the code, in an encrypted room.
    """
    username = turn.us.people.get(person)
    if username is None:
        return _refusal_of_stranger(turn, subject, person)
    if (complaint := _undecidable(turn, subject, choice, person, at)) is not None:
        return complaint
    if isinstance(subject, Transfer) and choice is not Choice.DECLINE and (complaint := _unmatched(turn, subject)):
        return complaint
    seen = hash_of(subject.card) if subject.card is not None else card_content.hash_now(turn.us, subject)
    proven = proven and turn.us.care.typed_code
    vote = Vote(choice, person, username, event_id, turn.now, reply_to, quantity, seen, note, proven, came)
    if isinstance(subject, Transfer) and (complaint := _why_not_second(turn, subject, vote)) is not None:
        return complaint
    first = subject.decision
    if first is None:
        _begin(turn, subject, vote)
    elif first.stage is DecisionStage.CHECKING and len(first.behind) < MOST_BEHIND:
        turn.save(replace(subject, decision=replace(first, behind=(*first.behind, vote))))
    else:
        return _too_late(turn, subject, first, vote)
    return None


def not_decided_here(turn: Turn, subject: Subject) -> Phrase:
    """Return the sentence that the other space's people decide on it, or have done so."""
    if subject.state in {TransferState.OPEN, ConnectionState.ASKED}:
        return say(messages.approval.decided_elsewhere, subject=subject, party=turn.party_name(subject.peer))
    return say(messages.approval.decided_already, subject=subject)


def _undecidable(turn: Turn, subject: Subject, choice: Choice, person: str, at: datetime) -> Phrase | None:
    """Return why this choice isn't possible now for this person.

    A parcel in transit can only be reported as arrived.
    """
    if awaits_parcel(subject):
        if choice is not Choice.PARCEL:
            return say(messages.parcel.parcel_is_on_its_way, subject=subject)
        return _unsafe(turn, subject)
    if not is_open(subject):
        return say(messages.approval.decided_already, subject=subject)
    if isinstance(subject, Transfer) and not _fits(subject, choice):
        return say(messages.loan.not_on_this_card, subject=subject)
    if subject.due <= min(at, turn.now):
        return say(messages.approval.too_late, subject=subject)
    if (complaint := _unsafe(turn, subject)) is not None:
        return complaint
    return _not_their_own(turn, subject, person)


def _not_their_own(turn: Turn, subject: Subject, person: str) -> Phrase | None:
    return say(messages.approval.not_your_own, subject=subject) if is_their_own(turn.us, subject, person) else None


def _fits(transfer: Transfer, choice: Choice) -> bool:
    """Whether that choice fits: only a return can be damaged, and an item already there can't come by parcel."""
    if transfer.asks_if_handed_over:
        return choice is not Choice.DAMAGED
    if transfer.is_our_offer:
        return choice in {Choice.APPROVE, Choice.DECLINE}
    if transfer.terms.parent:
        return choice is not Choice.PARCEL and (transfer.is_return or choice is not Choice.DAMAGED)
    return choice is not Choice.DAMAGED and (choice is not Choice.PARCEL or transfer.terms.outside is None)


def _begin(turn: Turn, subject: Subject, vote: Vote, *behind: Vote) -> None:
    """Read the person's permission, and who else has it, for a refusal that helps."""
    decision = Decision(
        vote.choice,
        vote.person,
        vote.username,
        vote.event_id,
        DecisionStage.CHECKING,
        vote.at,
        reply_to=vote.reply_to,
        quantity=vote.quantity,
        shown=vote.shown,
        behind=behind,
        note=vote.note,
        proven=vote.proven,
        came=vote.came,
    )
    turn.save(replace(subject, decision=decision))
    permission = permission_to_decide(subject, decision.person)
    queries = (PersonPermissions(decision.username), turn.who_may(permission))
    turn.do(Typing(subject.room, 30))
    turn.do(Ask(CheckPermissions(subject.id, decision.event_id), queries))


def _too_late(turn: Turn, subject: Subject, first: Decision, later: Vote) -> Phrase:
    """Return the sentence that somebody's decision, maybe the person's own, is about to count."""
    if first.person != later.person:
        return say(messages.approval.being_decided, subject=subject, by=turn.name_of(first.person, subject.room))
    key = KEY_OF[first.choice]
    says_more = later.note and later.note != first.note
    if (first.choice, first.quantity, first.came) == (later.choice, later.quantity, later.came) and not says_more:
        return say(messages.approval.decided_so_already, subject=subject, key=key)
    return say(messages.approval.decided_by_yourself, subject=subject, key=key)


def _drop(turn: Turn, subject: Subject, decision: Decision) -> None:
    """Drop a decision that doesn't count. Begin the next one behind it, or open the card again."""
    if decision.behind:
        first, *others = decision.behind
        _begin(turn, subject, first, *others)
    else:
        turn.save(replace(subject, decision=None))
        turn.do(Typing(subject.room, 0))
        _tell_open_again(turn, subject, decision)


def _tell_open_again(turn: Turn, subject: Subject, decision: Decision) -> None:
    """Tell people who were told that somebody else is deciding that the card is open again."""
    told = [each for each in turn.all(Cooldown) if _is_of_a_decision(MessageKey(each.id), subject)]
    for cooldown in told:
        turn.drop(cooldown)
    if told:
        phrase = say(messages.approval.open_again, subject=subject)
        key, thread = MessageKind.REOPENED.of(subject.id, decision.event_id), MessageKind.CARD.of(subject.id)
        turn.do(Post(key, subject.room, phrase, thread=thread))


def _is_of_a_decision(key: MessageKey, subject: Subject) -> bool:
    """Whether it is the key of the quiet line that somebody else is deciding (`quiet`)."""
    is_about_it = key.kind is MessageKind.QUIET and key.subject == subject.id
    return is_about_it and key.rest.endswith(f":{messages.approval.being_decided.__name__}")


def _unsafe(turn: Turn, subject: Subject) -> Phrase | None:
    """Return why nothing may be decided with this peer now: another bot or key, or an ended connection; or None."""
    if isinstance(subject, Transfer):
        connection = sequencing.connection_of(turn, subject)
        if subject.awaits_parcel:
            carries = connection.state in receive.CREDITING_FOR
        else:
            carries = subject.is_carried_by(connection)
        return None if carries else say(messages.approval.connection_not_active, connection=connection)
    if connections.announced_alone(turn, subject):
        is_open = subject.check is not None and subject.check.is_open
        return say(messages.keys.keys_not_compared_yet, connection=subject) if is_open else None
    return say(messages.rooms.party_not_announced, party=subject.peer, bot=subject.peer_bot, believed="")


def _unmatched(turn: Turn, transfer: Transfer) -> Phrase | None:
    """Return the sentence about lines without a part, and look for parts again; None if there are none."""
    if transfer.role != "receiver" or not (missing := destination.unmatched(transfer)):
        return None
    receive.look_for_parts(turn, transfer)
    numbers = tuple(progress.number for progress in missing)
    return say(messages.approval.no_part_for_it_yet, transfer=transfer, numbers=numbers, us=turn.us)


@dataclass(frozen=True)
class _OfDecision(WhenAnsweredOrNot):
    """Reads a person's permission for the decision by the reaction or line `event_id` on a connection or transfer."""

    about: str
    event_id: str
    stage: ClassVar[DecisionStage]

    @property
    def subject(self) -> str:
        """The id of the connection or transfer."""
        return self.about

    def unanswered(self, turn: Turn, event: Unanswered) -> None:
        """Refuse, because permissions can't be read, and keep the card open."""
        running = _running(turn, self)
        if running:
            subject, decision = running
            phrase = say(messages.approval.permissions_unreadable, subject=subject, problem=event.problem)
            _refuse(turn, subject, decision, phrase)


@dataclass(frozen=True)
class CheckPermissions(_OfDecision):
    """The read before the grace."""

    stage = DecisionStage.CHECKING

    def answered(self, turn: Turn, event: Answered) -> None:
        """Begin the grace, or name the people who could decide."""
        running = _running(turn, self)
        if running is None:
            return
        subject, decision = running
        permissions, able = event.answers
        if not (isinstance(permissions, Permissions) and isinstance(able, Able)):
            raise TypeError(f"a decision asks for permissions and who may, not {event.answers!r}")
        if not turn.is_still(decision.person, decision.username):
            _refuse(turn, subject, decision, _refusal_of_stranger(turn, subject, decision.person))
            return
        if not permissions.covers(permission_to_decide(subject, decision.person)):
            _refuse(turn, subject, decision, not_entitled(turn, subject, permissions, able))
            return
        ends = turn.now + turn.us.grace
        turn.save(replace(subject, decision=replace(decision, stage=DecisionStage.GRACE, ends=ends, behind=())))
        for other in decision.behind:
            _tell(turn, subject, other, _too_late(turn, subject, decision, other))
        turn.do(Typing(subject.room, int(turn.us.grace.total_seconds()) + 10))
        turn.note(subject.id, audit.Decided(decision.choice, audit.Stage.IN_GRACE), decision.person, decision.event_id)
        if decision.reply_to:
            phrase = say(
                messages.approval.noted_in_grace, subject=subject, choice=decision.choice, seconds=turn.us.grace
            )
            key = MessageKind.NOTED.of(subject.id, decision.event_id)
            turn.do(Post(key, subject.room, phrase, reply_to=decision.reply_to))


@dataclass(frozen=True)
class ConfirmDecision(_OfDecision):
    """The read after the grace."""

    stage = DecisionStage.CONFIRMING

    def answered(self, turn: Turn, event: Answered) -> None:
        """Carry out the decision: act on it as the sender, or ask the sender."""
        confirmed = on_confirmed(turn, self, event)
        if confirmed is not None:
            _carry_out(turn, *confirmed)


def _running(turn: Turn, then: _OfDecision) -> tuple[Subject, Decision] | None:
    """Return the decision to which an answer belongs, if it still runs in that stage."""
    subject = turn.subject(then.about)
    if subject is None or subject.decision is None:
        return None
    decision = subject.decision
    if decision.event_id != then.event_id or decision.stage is not then.stage:
        return None
    return subject, decision


def _is_void(turn: Turn, subject: Subject, decision: Decision) -> bool:
    """Return whether the card has changed since the person decided. If so, ask for another card."""
    if isinstance(subject, Transfer) and subject.state is TransferState.OPEN:
        subject = replace(subject, over=bookings.conflicts(turn, subject))
    if decision.shown == card_content.hash_now(turn.us, subject):
        return False
    turn.note(subject.id, audit.Decided(decision.choice, audit.Stage.VOID), decision.person, decision.event_id)
    if isinstance(subject, Transfer):
        turn.save(replace(subject, decision=None, first_yes=None))
    else:
        turn.save(replace(subject, decision=None))
    turn.do(Typing(subject.room, 0))
    _ask_for_another_card(turn, subject, decision.person)
    return True


def _refuse(turn: Turn, subject: Subject, decision: Decision, phrase: Phrase) -> None:
    turn.note(
        subject.id,
        audit.Decided(decision.choice, audit.Stage.NOT_COUNTED, phrase.name),
        decision.person,
        decision.event_id,
    )
    _tell(turn, subject, decision, phrase)
    _drop(turn, subject, decision)


def _tell(turn: Turn, subject: Subject, decision: Decision | Vote, phrase: Phrase) -> None:
    """Post it as the answer to the line, or as one quiet line for a reaction."""
    if decision.reply_to:
        key = MessageKind.REFUSED.of(subject.id, decision.event_id)
        turn.do(Post(key, subject.room, phrase, reply_to=decision.reply_to))
    else:
        quiet(turn, subject, decision.person, phrase)


def refuses_at_once(turn: Turn, key: MessageKey) -> bool:
    """Whether that message refuses a decision before its grace began, so that the room never read of it."""
    before = Turn(turn.state, turn.now).subject(key.subject)
    decision = before.decision if before is not None else None
    return key.kind is MessageKind.REFUSED and decision is not None and decision.stage is DecisionStage.CHECKING


def not_granted(turn: Turn, subject: Subject, quantity: Decimal) -> Phrase | None:
    """Return why that quantity can't be granted: it is no request to us, or less was requested; None if it can."""
    if isinstance(subject, Transfer) and subject.is_return and subject.role == "receiver":
        loan = turn.short_code(subject.terms.parent)
        return say(messages.loan.less_is_back, back=subject, loan=loan, quantity=quantity)
    is_request = isinstance(subject, Transfer) and subject.terms.kind == "request" and subject.role == "sender"
    if not (isinstance(subject, Transfer) and is_request) or subject.peer_agreed is not None:
        return say(messages.offer.all_or_nothing, subject=subject)
    if less_of(subject.terms.lines, quantity) is None:
        return say(messages.offer.all_or_nothing, subject=subject)
    if quantity > total(subject.terms.lines):
        return say(messages.offer.more_than_asked, transfer=subject, wanted=quantity)
    return None


def less_than_all(subject: Subject, quantity: Decimal | None) -> Decimal | None:
    """Return the quantity that an approval names; None if it is all of it."""
    is_all = isinstance(subject, Transfer) and quantity == total(subject.terms.lines)
    return None if is_all else quantity


def quiet(turn: Turn, subject: Subject, person: str, phrase: Phrase, *, reply_to: str = "") -> None:
    """Post one quiet line, at most one for each person, card and kind of complaint.

    It goes into the card's thread. While there is no card, it replies to that message.
    """
    key = MessageKind.QUIET.of(subject.id, f"{person}:{phrase.name}")
    if turn.tell_once(key, QUIET_FOR):
        addressed = replace(phrase, to=turn.name_of(person, subject.room))
        thread = "" if reply_to else MessageKind.CARD.of(subject.id)
        turn.do(Post(key, subject.room, addressed, thread=thread, reply_to=reply_to))


def on_redaction(turn: Turn, event: Redacted) -> None:
    """Stop a decision whose reaction or line was redacted, by anybody. Replace a redacted card.

    Whether they may redact is decided by the room itself, so events from other rooms don't count.
    """
    for subject in turn.subjects():
        if event.target == subject.own_card and event.room in announcements.lineage(turn, subject.room):
            _replace_card(turn, subject, audit.Fact.CARD_REDACTED, event.sender, event.event_id)
            return
        if event.room not in announcements.lineage(turn, subject.room):
            continue
        first = first_yes_of(subject)
        if isinstance(subject, Transfer) and first is not None and first.event_id == event.target:
            both_sides.take_back_first_yes(turn, subject, event.sender, event.event_id)
            return
        decision = subject.decision
        if decision is None:
            continue
        behind = tuple(other for other in decision.behind if other.event_id != event.target)
        if decision.event_id == event.target:
            stop(turn, subject, event.sender, event.event_id)
        elif behind != decision.behind:
            turn.save(replace(subject, decision=replace(decision, behind=behind)))


def on_edit_refused(turn: Turn, event: PostRefused) -> bool:
    """Replace a card that the homeserver doesn't let us edit, if people read there what doesn't hold any more.

    Return whether another card follows.
    """
    subject = turn.subject(event.key.subject) if event.key.kind is MessageKind.CARD else None
    if subject is None or subject.in_room.version != event.version:
        return False
    if subject.in_room.is_shown or any(each.version == event.version for each in subject.in_room.unseen):
        return False
    return _replace_card(turn, subject, audit.Fact.CARD_NOT_EDITED)


def _replace_card(turn: Turn, subject: Subject, why: audit.Fact, by: str = "", event_id: str = "") -> bool:
    """Void a decision on a card that is redacted or out of date, and post another card. Return whether one follows."""
    if not _waits_for_us(turn, subject):
        return False
    decision = subject.decision
    turn.note(subject.id, why, by, event_id)
    if isinstance(subject, Transfer):
        turn.save(replace(opening.without_card(subject), decision=None, first_yes=None, card=None))
    else:
        turn.save(replace(opening.without_card(subject), decision=None, card=None))
    if decision is not None:
        turn.do(Typing(subject.room, 0))
    _ask_for_another_card(turn, subject, decision.person if decision else "")
    return True


def _ask_for_another_card(turn: Turn, subject: Subject, person: str) -> None:
    """Read who may decide. Then another card is posted. `person`: whose decision was void, or ''."""
    is_transfer = isinstance(subject, Transfer)
    then = (
        opening.ShowChangedCard(subject.id, person) if is_transfer else connections.ShowConnectCard(subject.id, person)
    )
    turn.do(Ask(then, (turn.who_may(permission_to_decide(subject)),)))


def stop(turn: Turn, subject: Subject, person: str, event_id: str) -> None:
    """Stop the decision in its grace. The card is open again."""
    turn.note(subject.id, audit.Fact.DECISION_STOPPED, person, event_id)
    if subject.decision is not None:
        _drop(turn, subject, subject.decision)


def on_caught_up(turn: Turn) -> None:
    """Read the permissions again for graces that ended before this complete sync began."""
    for subject in turn.subjects():
        decision = subject.decision
        if decision is None or decision.stage is not DecisionStage.GRACE:
            continue
        if decision.ends is None or decision.ends > turn.now or _is_void(turn, subject, decision):
            continue
        turn.save(replace(subject, decision=replace(decision, stage=DecisionStage.CONFIRMING)))
        names = [decision.username, *([first.username] if (first := _matching_first_yes(subject, decision)) else [])]
        turn.do(Ask(ConfirmDecision(subject.id, decision.event_id), tuple(PersonPermissions(name) for name in names)))


def on_confirmed(turn: Turn, then: ConfirmDecision, event: Answered) -> tuple[Subject, Decision, Signature] | None:
    """Return the decision that counts after the second read, with its signature, and clear it; or None."""
    running = _running(turn, then)
    if running is None:
        return None
    subject, decision = running
    permissions, *of_first = event.answers
    if not isinstance(permissions, Permissions):
        raise TypeError(f"a confirmation asks for permissions, not {permissions!r}")
    if not turn.is_still(decision.person, decision.username):
        _refuse(turn, subject, decision, _refusal_of_stranger(turn, subject, decision.person))
        return None
    if not permissions.covers(permission_to_decide(subject, decision.person)):
        phrase = not_entitled(turn, subject, permissions, Able(()))
        _refuse(turn, subject, decision, phrase)
        return None
    if (complaint := _unsafe(turn, subject) or _not_their_own(turn, subject, decision.person)) is not None:
        _refuse(turn, subject, decision, complaint)
        return None
    if _is_void(turn, subject, decision):
        return None
    if isinstance(subject, Transfer) and takes_two(subject, decision):
        first = _matching_first_yes(subject, decision)
        if first is None or not _still_may(turn, first, of_first):
            _keep_first_yes(turn, subject, decision)
            return None
    if isinstance(subject, Transfer):
        subject = replace(subject, decision=None, consented=decision.shown)
    else:
        subject = replace(subject, decision=None)
    turn.save(subject)
    turn.do(Typing(subject.room, 0))
    signature = turn.signature(
        decision.person, subject.room, decision.at, decision.event_id, decision.username, decision.note
    )
    return subject, decision, signature


def _matching_first_yes(subject: Subject, decision: Decision) -> Vote | None:
    """Return the first person's approval of the same content; None if there is none, or one is enough."""
    if not isinstance(subject, Transfer) or not takes_two(subject, decision):
        return None
    first = subject.first_yes
    stands = first is not None and first.shown == decision.shown and first.username != decision.username
    return first if stands else None


def _still_may(turn: Turn, first: Vote, permissions: Sequence[object]) -> bool:
    """Whether the first approver still may approve. If not, the second approval becomes the first."""
    may = any(isinstance(each, Permissions) and each.covers(Permission.APPROVER) for each in permissions)
    return may and turn.is_still(first.person, first.username)


def _keep_first_yes(turn: Turn, transfer: Transfer, decision: Decision) -> None:
    """Keep the first of two approvals. Show it on the card, and tell its author."""
    first = Vote(
        decision.choice,
        decision.person,
        decision.username,
        decision.event_id,
        decision.at,
        decision.reply_to,
        decision.quantity,
        decision.shown,
        decision.note,
    )
    transfer = replace(transfer, decision=None, first_yes=first)
    turn.save(transfer)
    turn.do(Typing(transfer.room, 0))
    turn.note(transfer.id, audit.Decided(decision.choice, audit.Stage.FIRST), decision.person, decision.event_id)
    both_sides.edit_card(turn, transfer)
    phrase = say(
        messages.approval.first_yes_noted,
        transfer=transfer,
        by=turn.name_of(decision.person, transfer.room),
        party=turn.us.name,
    )
    key = MessageKind.FIRST_YES.of(transfer.id, decision.event_id)
    thread = "" if decision.reply_to else MessageKind.CARD.of(transfer.id)
    turn.do(Post(key, transfer.room, phrase, thread=thread, reply_to=decision.reply_to))


def _carry_out(turn: Turn, subject: Subject, decision: Decision, decided: Signature) -> None:
    approved = decision.choice is not Choice.DECLINE
    if isinstance(subject, Connection):
        (connections.on_approved if approved else connections.on_refused)(turn, subject, decided)
        return
    if subject.awaits_parcel:
        parcel.on_arrived(turn, subject, decided, dict(decision.came) or parcel.came_in_all(subject, decision.quantity))
    elif subject.asks_if_handed_over:
        _on_pickup(turn, subject, decision, decided)
    elif subject.is_our_offer:
        (send.release if approved else send.withdraw)(turn, subject, decided)
    else:
        _decide(turn, subject, decision, decided)


def _decide(turn: Turn, subject: Transfer, decision: Decision, decided: Signature) -> None:
    """Act on the decision about an offer or a request of another space."""
    approved = decision.choice is not Choice.DECLINE
    if decision.choice is Choice.PARCEL:
        subject = both_sides.by_parcel(subject)
    if decision.choice is Choice.DAMAGED:
        subject = replace(subject, damaged=True)
    if subject.role == "receiver":
        (receive.on_approved if approved else receive.on_declined)(turn, subject, decided)
    elif not approved:
        both_sides.end(turn, subject, TransferState.DECLINED, decided)
    elif subject.terms.kind == balance.EXTENSION:
        extend.on_approved(turn, subject, decided)
    elif decision.quantity is not None or (subject.terms.confirm and subject.peer_agreed is None):
        send.grant(turn, subject, decided, decision.quantity)
    else:
        send.approve(turn, subject, decided)


def _on_pickup(turn: Turn, transfer: Transfer, decision: Decision, decided: Signature) -> None:
    """Record whether a booked item was picked up, as our approver says."""
    if decision.choice is Choice.DECLINE:
        booking.not_today(turn, transfer, decided)
        return
    by_parcel = decision.choice is Choice.PARCEL
    send.on_picked_up(turn, both_sides.by_parcel(transfer) if by_parcel else transfer, decided)


def _why_not_second(turn: Turn, transfer: Transfer, vote: Vote) -> Phrase | None:
    """Return why it doesn't join the first approval: the same person, or another content; None if it does."""
    first = transfer.first_yes
    if first is None or first.shown != vote.shown or not takes_two(transfer, vote):
        return None
    by = turn.name_of(first.person, transfer.room)
    if first.username == vote.username:
        return say(messages.approval.needs_another_person, subject=transfer, by=by)
    if (first.choice, first.quantity) != (vote.choice, vote.quantity) and not transfer.is_our_offer:
        return say(messages.approval.not_the_same_yes, transfer=transfer, first=first, by=by)
    return None


def _refusal_of_stranger(turn: Turn, subject: Subject, person: str) -> Phrase:
    """Return the refusal for a person of another space, connected or not, who wants to decide on our card."""
    if not takes_reactions(subject):
        return say(messages.approval.decided_already, subject=subject)
    friends = who_answers.other_homes(turn, subject.room, person, active_only=True)
    if not friends:
        return say(messages.approval.not_yours_to_decide, subject=subject, party=turn.us.name)
    own = turn.party_name(friends[0][0])
    asked = person == asker_of(subject)
    return say(
        messages.approval.for_the_other_space_to_decide, subject=subject, party=turn.us.name, own=own, asked=asked
    )


def not_entitled(turn: Turn, subject: Subject, permissions: Permissions, able: Able) -> Phrase:
    """Return the refusal that names who could decide instead."""
    return say(
        messages.approval.not_entitled_to_decide,
        subject=subject,
        permissions=permissions,
        permission=permission_to_decide(subject),
        party=turn.us.name,
        able=turn.names_of(able, subject.room),
    )
