"""Lines and decisions from pages and the API, which follow the same rules as those in chat.

A line that only reads is answered on the page alone, as in a direct chat. A line that changes something is recorded in
the room that it is about: the page gets the answer, and the room reads about the change.
"""

from __future__ import annotations

from dataclasses import replace

from fedbot import messages
from fedbot.rules import budgets, card_content, decisions
from fedbot.rules.card_content import hash_of
from fedbot.rules.carry_out_line import carry_out
from fedbot.rules.model import audit
from fedbot.rules.model.command import (
    ANSWERS_KEPT,
    MOST_SESSIONS,
    MOST_TOKENS,
    About,
    AccessKind,
    Command,
    Outcome,
    PendingChoice,
    WebAccess,
    WebLine,
)
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.effects import (
    ChatEffect,
    Do,
    Edit,
    Effect,
    Phrase,
    Post,
    TellOffChat,
    is_for_page,
    say,
)
from fedbot.rules.model.events import AccessEnded, AccessGiven, DecidedOffChat, SaidOffChat
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol import announcements, who_answers
from fedbot.rules.state import Turn
from fedbot.rules.who_decides import Subject, decides_here
from fedbot.rules.wire import is_off_chat

_BOOKKEEPING = frozenset(
    {
        "WaitingLine",
        "PendingChoice",
        "Cooldown",
        "Allowance",
        "Account",
        "Search",
        "Survey",
        "WebLine",
        "BotStatus",
    }
)
"""Documents that any line may change. A change of any other kind means that the line did something."""


# --- lines and decisions -----------------------------------------------------------------------------------------


def on_said(turn: Turn, event: SaidOffChat) -> None:
    """Carry out a line like one that is typed in chat, with the same budget and the same permissions."""
    if not _begins(turn, event, f"{event.subject} {event.room} {event.text}".strip()):
        return
    complaint = _complaint(turn, event.sender)
    parsed = complaint or turn.verbs.parse(turn, event.text)
    if isinstance(parsed, Phrase):
        _tell(turn, event.event_id, parsed, Outcome.REFUSED)
        return
    verb, arguments = parsed
    about = turn.verbs.about(verb, arguments)
    room = event.event_id if about.looks else _room(turn, event, about)
    if not room:
        names = tuple(room_name(turn, each) for each in _rooms_of(turn, event.sender))
        phrase = say(messages.line_errors.not_in_direct_chat, text=event.text, rooms=names)
        _tell(turn, event.event_id, phrase, Outcome.REFUSED)
        return
    command = Command(
        verb,
        arguments,
        room,
        event.event_id,
        event.sender,
        event.at,
        event.text,
        turn.us.people[event.sender],
        event.subject if _may_read(turn, event.sender, event.subject) else "",
        encrypted=event.proven,
    )
    turn.note(command.subject or "-", audit.Said(verb), event.sender, event.event_id)
    carry_out(turn, command)


def on_decided(turn: Turn, event: DecidedOffChat) -> None:
    """Take a decision like a reaction on the card, for exactly the content that the page showed."""
    wanted = f"{event.choice} {event.subject} {event.seen} {event.quantity} {event.note}"
    if not _begins(turn, event, wanted):
        return
    complaint = _complaint(turn, event.sender) or _take_up(turn, event)
    if complaint is not None:
        _tell(turn, event.event_id, complaint, Outcome.REFUSED)


def _take_up(turn: Turn, event: DecidedOffChat) -> Phrase | None:
    subject = turn.subject(event.subject)
    if subject is None or not _may_read(turn, event.sender, subject.id):
        return say(messages.line_errors.no_such_id, word=event.subject, near=())
    if not decides_here(turn.us, subject):
        return decisions.not_decided_here(turn, subject)
    if event.seen != shown_hash(turn, subject):
        return say(messages.web.page_is_outdated, subject=subject)
    if event.note and not isinstance(subject, Transfer):
        return say(messages.approval.no_reason_here, subject=subject, choice=event.choice)
    if event.quantity is not None and (complaint := decisions.not_granted(turn, subject, event.quantity)):
        return complaint
    if event.choice in {Choice.PARCEL, Choice.DAMAGED} and isinstance(subject, Connection):
        return say(messages.approval.tap_instead, subject=subject)
    return decisions.take_up(
        turn,
        subject,
        event.choice,
        event.sender,
        event.event_id,
        reply_to=event.event_id,
        quantity=decisions.less_than_all(subject, event.quantity),
        at=event.at,
        note=event.note,
        proven=event.proven and subject.id.startswith(event.code.lower()) and len(event.code) >= len(subject.code),
    )


def shown_hash(turn: Turn, subject: Subject) -> str:
    """Return the hash of everything that its card shows. A decision counts for exactly that."""
    return hash_of(subject.card) if subject.card is not None else card_content.hash_now(turn.us, subject)


def _begins(turn: Turn, event: SaidOffChat | DecidedOffChat, text: str) -> bool:
    """Store the line. Return False if it came before, under the same idempotency key."""
    if turn.get(WebLine, event.event_id) is not None:
        return False
    turn.save(WebLine(event.event_id, event.sender, turn.now, text, through=event.through))
    return True


def _complaint(turn: Turn, person: str) -> Phrase | None:
    """Return why no line of this person has an effect now; None if it may."""
    if person not in turn.us.people:
        return say(messages.line_errors.stranger, person=person, us=turn.us)
    if turn.spends("line", person) is not None:
        most = budgets.LIMITS["line"][0].most
        return say(messages.line_errors.says_too_much, person=turn.name_of(person), most=most)
    return None


def room_name(turn: Turn, room: str) -> str:
    """Return a room's name, else its id."""
    known = turn.room(room)
    return known.name if known is not None and known.name else room


def _rooms_of(turn: Turn, person: str) -> list[str]:
    """Return the federation rooms that the person reads, and the admin room if they are in it.

    Pages show only these.
    """
    admin = turn.room(turn.us.admin_room) if turn.us.admin_room else None
    is_admin = admin is not None and admin.joined and person in admin.members
    return list(dict.fromkeys([*who_answers.shared_with(turn, person), *([turn.us.admin_room] if is_admin else [])]))


def _may_read(turn: Turn, person: str, subject: str) -> bool:
    found = turn.subject(subject) if subject else None
    return found is not None and found.room in who_answers.shared_with(turn, person)


def _room(turn: Turn, event: SaidOffChat, about: About) -> str:
    """Return the room for a line that changes something: its subject's or peer's, else one of the person's; or ''."""
    rooms = _rooms_of(turn, event.sender)
    if event.room:
        return event.room if event.room in rooms else ""
    if told := _room_told_of(turn, event, about):
        return next((room for room in rooms if told in announcements.lineage(turn, room)), "")
    if turn.us.admin_room in rooms and not about.shared:
        return turn.us.admin_room
    return next((room for room in rooms if room in announcements.current_rooms(turn)), "")


def _room_told_of(turn: Turn, event: SaidOffChat, about: About) -> str:
    """Return the room of the subject or peer that the line names; '' if it names none that we know."""
    named = turn.by_code(about.case) if about.case else []
    subject = turn.subject(event.subject) if event.subject and not about.case else None
    if len(named) == 1 or subject is not None:
        return (subject or named[0]).room
    word = about.space.casefold()
    friends = [c for c in turn.connections() if word and word in {c.peer.casefold(), c.peer_name.casefold()}]
    return friends[-1].room if friends else ""


# --- answers -----------------------------------------------------------------------------------------------------


def _tell(turn: Turn, line: str, phrase: Phrase, outcome: Outcome) -> None:
    turn.do(TellOffChat(line, MessageKind.ANSWER.of(rest=line), phrase, outcome))


def hand_over(turn: Turn) -> None:
    """Send the answer to a line by page to the page. If the line changed something, tell the room too, and by whom.

    Called if one of the turn's effects is for a page (`is_for_page`).
    """
    did_something = _did_something(turn)
    handed: list[Effect] = []
    for effect in turn.effects:
        handed += _handed(turn, effect, did_something=did_something) if is_for_page(effect) else [effect]
    turn.effects[:] = handed


def _did_something(turn: Turn) -> bool:
    """Whether this turn has changed more than the bot's memory of a conversation."""
    changed = any(kind not in _BOOKKEEPING for kind, _ in turn.changes)
    return changed or any(isinstance(effect, Do) or getattr(effect, "draft", None) for effect in turn.effects)


def _handed(turn: Turn, effect: Effect, *, did_something: bool) -> list[Effect]:
    if not isinstance(effect, Post | Edit) or effect.phrase.sentence is messages.line_errors.line_waits:
        return []
    says_what_is_wrong = effect.phrase.sentence.__module__ == messages.line_errors.__name__
    is_refused = says_what_is_wrong or (isinstance(effect, Post) and effect.refuses)
    choices = _choices(turn, effect.key)
    if is_off_chat(effect.room):
        outcome = Outcome.REFUSED if is_refused else Outcome.TOLD
        return [TellOffChat(effect.room, effect.key, effect.phrase, outcome, choices)]
    if isinstance(effect, Edit):
        return [effect]
    is_refused = is_refused or effect.key.kind is MessageKind.REFUSED or not did_something
    outcome = Outcome.REFUSED if is_refused else Outcome.DONE
    told = TellOffChat(effect.reply_to, effect.key, effect.phrase, outcome, choices)
    concerns_the_room = did_something and not decisions.refuses_at_once(turn, effect.key)
    return [told, *([_in_the_room(turn, effect)] if concerns_the_room else [])]


def _in_the_room(turn: Turn, post: Post) -> ChatEffect:
    """Return the message for the room. It replies to nothing there, so it names the person whom it answers."""
    line = turn.get(WebLine, post.reply_to)
    if line is None:
        return replace(post, reply_to="")
    phrase = replace(post.phrase, to=turn.name_of(line.person, post.room), line=line.id, through=line.through)
    return replace(post, reply_to="", phrase=phrase, answers="")


def _choices(turn: Turn, key: str) -> tuple[str, ...]:
    choice = turn.get(PendingChoice, key)
    return choice.lines if isinstance(choice, PendingChoice) else ()


# --- sessions and tokens -----------------------------------------------------------------------------------------


def on_access_given(turn: Turn, event: AccessGiven) -> None:
    """Record a sign-in with InvenTree, or a new token, unless the person isn't ours any more."""
    give(turn, event.access, f"{event.access.kind}")


def give(turn: Turn, access: WebAccess, event_id: str = "") -> None:
    """Give the person that access, and note it in the audit. One session too many ends the oldest."""
    if turn.us.people.get(access.person) == access.username and _has_room_for(turn, access):
        turn.save(access)
        turn.note("web", audit.WebAccessGiven(access.kind, access.name), access.person, event_id)


def _has_room_for(turn: Turn, access: WebAccess) -> bool:
    """Whether the person may have that too. A session always fits."""
    held = held_by(turn, access.person)
    if access.kind is not AccessKind.SESSION:
        return len([each for each in held if each.kind is not AccessKind.SESSION]) < MOST_TOKENS
    pages = [each for each in held if each.kind is AccessKind.SESSION]
    for oldest in pages[: max(len(pages) - MOST_SESSIONS + 1, 0)]:
        end(turn, oldest)
    return True


def on_access_ended(turn: Turn, event: AccessEnded) -> None:
    """End a session, or revoke a token, for its own person."""
    access = turn.get(WebAccess, event.access)
    if access is not None and access.person == event.by:
        end(turn, access)


def end(turn: Turn, access: WebAccess, event_id: str = "") -> None:
    """End the access, and note it in the audit."""
    turn.drop(access)
    turn.note("web", audit.WebAccessEnded(access.kind, access.name), access.person, event_id)


def held_by(turn: Turn, person: str) -> list[WebAccess]:
    """Return the person's valid sessions and tokens, oldest first."""
    return [each for each in turn.all(WebAccess) if each.person == person and opens(turn, each)]


def opens(turn: Turn, access: WebAccess) -> bool:
    """Whether it is still valid: it hasn't ended, and its person is still mapped to that InvenTree user."""
    return access.ends > turn.now and turn.us.people.get(access.person) == access.username


def look(turn: Turn) -> None:
    """By the clock: drop old answers and ended access."""
    for line in turn.all(WebLine):
        if line.at + ANSWERS_KEPT <= turn.now:
            turn.drop(line)
    for access in turn.all(WebAccess):
        if access.ends <= turn.now:
            turn.drop(access)
