"""Lines that people type: which are for us, who may type them, and the one answer that each gets."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from fedbot import messages
from fedbot.rules import budgets, decisions, people
from fedbot.rules.carry_out_line import call_off, carry_out, take_back, waiting_line_to_cancel
from fedbot.rules.catalogue import search, want
from fedbot.rules.loan import hand_back, waiting_list
from fedbot.rules.loan.photos import transfer_of
from fedbot.rules.model import audit
from fedbot.rules.model.catalogue import Search
from fedbot.rules.model.command import (
    MORE,
    MOST_SESSIONS_HEARD,
    NUMBER_WITHIN,
    PREFIX,
    Answers,
    Command,
    Cooldown,
    HeardSession,
    PendingChoice,
)
from fedbot.rules.model.effects import Phrase, Post, say
from fedbot.rules.model.events import (
    Echoed,
    EnvelopeSeen,
    Event,
    PhotoSent,
    Reacted,
    Redacted,
    Removed,
    RoomReplaced,
    RoomSeen,
    Said,
    Unreadable,
)
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.transfer import Transfer, WaitingLine
from fedbot.rules.protocol import announcements, who_answers
from fedbot.rules.state import State, Turn, Verbs
from fedbot.rules.transfer import opening

RIGHT_AFTER = timedelta(minutes=2)
"""The time for which a number, typed without a reply, answers the person's newest list."""
HELP = frozenset({"help", "hilfe"})
A_DAY = timedelta(days=1)
LONGEST_NUMBER = 4
TELLS_WHO_YOU_ARE, LISTS_THE_VERBS = "whoami", "help"
TAKES_BACK = "cancel"


def on_said(turn: Turn, event: Said) -> None:
    """Handle a line in a room. In a direct chat every line is for us, with or without `!fed`."""
    event = _as_reply(turn, event)
    heard, waited = _heard(turn, event), _edited(turn, event)
    if heard is None:
        if waited is not None:  # edited into something that isn't for us
            take_back(turn, waited, event.sender)
        elif not decisions.on_spoken_decision(turn, event) and _may_remark_on_a_card(turn, event):
            hand_back.on_reply(turn, event)
            decisions.on_reason(turn, event)
        return
    text, meant, picked_from = heard
    if not _ends_a_friendship(text) and _says_too_much(turn, event):
        return
    complaint = _complaint(turn, event, text)
    _remember(turn, event)
    if complaint is not None:
        if waited is not None:
            call_off(turn, waited, event.sender)
        _complain(turn, event, complaint)
    elif isinstance(meant, Phrase):
        _answer(turn, event, meant)
    else:
        _understand(turn, event, text, is_picked=bool(meant), picked_from=picked_from)


def is_for_us(turn: Turn, event: Said) -> bool:
    """Whether the bot reacts to that line. Other lines are never stored."""
    event = _as_reply(turn, event)
    spoken_on = decisions.subject_of_spoken_decision(turn, event)
    if any(each is not None for each in (_heard(turn, event), _edited(turn, event), spoken_on)):
        return True
    if not _may_remark_on_a_card(turn, event):
        return False
    return (hand_back.return_of_remark(turn, event) or decisions.transfer_of_reason(turn, event)) is not None


_ANSWERED_IN_SHORT = frozenset(
    {MessageKind.CHOICE, MessageKind.HITS, MessageKind.FRIENDS_WANT, *waiting_list.ABOUT_A_PLACE}
)
"""Kinds of our messages that say what to reply: a number, `ask 1 2`, `offer`, `borrow for 2 weeks`."""


def _as_reply(turn: Turn, event: Said) -> Said:
    """Return the line as a reply to the message in whose thread it is, if that one says what to reply."""
    is_answer = not event.reply_to and turn.key_of(event.thread).kind in _ANSWERED_IN_SHORT
    return replace(event, reply_to=event.thread) if is_answer else event


def _may_remark_on_a_card(turn: Turn, event: Said) -> bool:
    """Whether it is a reply to a card of ours, in a room where that counts."""
    return not event.unproven and _kind_answered(turn, event) is MessageKind.CARD and _is_in_our_rooms(turn, event)


def _was_out(turn: Turn, event: Said | Reacted) -> bool:
    """Whether it is from a time when we were out of the room, after having been in it."""
    room = turn.room(event.room)
    return room is not None and room.removed is not None and event.at >= room.removed


def on_missed(turn: Turn, event: Said | Reacted) -> None:
    """Tell one of our people once that a line from while we were out of the room doesn't count."""
    if not _was_out(turn, event) or event.sender not in turn.us.people:
        return
    if isinstance(event, Reacted):
        decisions.on_missed_reaction(turn, event)
    elif is_for_us(turn, event) and turn.tell_once(f"missed:{event.room}:{event.sender}", A_DAY):
        phrase = say(messages.rooms.said_while_out)
        turn.do(Post(MessageKind.MISSED.of(rest=event.event_id), event.room, phrase, reply_to=event.event_id))


class _Heard(NamedTuple):
    """A line as it was meant, the full line of a reply to a list of ours, and the message with that list."""

    text: str
    meant: str | Phrase
    picked_from: str


def _heard(turn: Turn, event: Said) -> _Heard | None:
    """Return the line if we have to answer it; else None."""
    if not _is_in_our_rooms(turn, event):
        return None
    listed = _answered_list(turn, event)
    picked = "" if event.unproven else _picked(turn, event)
    meant = picked or ("" if event.unproven else _full_line(turn, event))
    text = (meant if isinstance(meant, str) else PREFIX) or event.text  # a complaint answers a line that is for us
    text = _addressed(turn, event, text)
    if not _is_addressed(text) or who_answers.is_bot(turn, event.room, event.sender):
        return None
    is_ours = who_answers.we_answer(turn, event.room, event.sender)
    return _Heard(text, meant, listed if picked else "") if is_ours else None


def _full_line(turn: Turn, event: Said) -> str | Phrase:
    """Return the full line that a short reply to a message of ours means; '' if it means none."""
    answered = _kind_answered(turn, event)
    meant = search.full_line(turn, event) if answered is MessageKind.HITS or turn.holds(Search) else ""
    if not meant and answered is MessageKind.FRIENDS_WANT:
        meant = want.full_line(turn, event)
    if not meant and answered in waiting_list.ABOUT_A_PLACE:
        meant = waiting_list.full_line(turn, event)
    return meant


def _kind_answered(turn: Turn, event: Said) -> MessageKind | None:
    """Return the kind of our message to which the line replies, by its key (`card`, `choice`, …); None if to none."""
    return turn.key_of(event.reply_to).kind


def _addressed(turn: Turn, event: Said, text: str) -> str:
    """Return the line with `!fed` in front, if it is for us without it."""
    if _is_addressed(text):
        return text
    behind = _behind_our_name(turn, event, text)
    if behind is not None:
        return behind if _is_addressed(behind) else f"{PREFIX} {behind}".strip()
    asks_for_help = event.room == turn.us.admin_room and text.strip(" .!?").casefold() in HELP
    if asks_for_help or who_answers.direct_with(turn, turn.room(event.room)):
        return f"{PREFIX} {text.strip()}"
    return text


def _behind_our_name(turn: Turn, event: Said, text: str) -> str | None:
    """Return the text after a mention of us (our Matrix id or name) at the start of the line; None without one."""
    line = text.strip()
    room = turn.room(event.room)
    name = room.members.get(turn.us.bot, "") if room else ""
    for called, is_clear in ((turn.us.bot, True), (f"@{name}", event.mentions_us), (name, event.mentions_us)):
        behind = line[len(called) :]
        if len(called) > 1 and line.casefold().startswith(called.casefold()):
            if behind[:1] in {":", ","}:
                return behind[1:].strip()
            if is_clear and (not behind or behind[0].isspace()):
                return behind.strip()
    return None


def _is_in_our_rooms(turn: Turn, event: Said | Unreadable) -> bool:
    """Whether it was typed in a federation room, in the admin room, or in a direct chat with one of our people."""
    is_direct = who_answers.direct_with(turn, turn.room(event.room)) == event.sender
    return is_direct or announcements.is_ours(turn, event.room)


def _ends_a_friendship(text: str) -> bool:
    """Whether the line ends a connection. It always counts, even if somebody has used up the person's budget."""
    return "disconnect" in text.casefold().split()


def _says_too_much(turn: Turn, event: Said) -> bool:
    """Whether the person is over their budget. They are told once, then their lines don't count for a minute."""
    waiting = f"too-many-lines:{event.sender}"
    if any(cooldown.id == waiting and cooldown.until > turn.now for cooldown in turn.all(Cooldown)):
        return True
    if turn.spends("line", event.sender) is None:
        return False
    if event.sender in turn.us.people and turn.tell_once(waiting, budgets.MINUTE):
        person = turn.name_of(event.sender, event.room)
        _answer(
            turn, event, say(messages.line_errors.says_too_much, person=person, most=budgets.LIMITS["line"][0].most)
        )
    return True


def _edited(turn: Turn, event: Said) -> WaitingLine | None:
    """Return the author's own waiting line of which this line is an edit; None if there is none."""
    line = turn.get(WaitingLine, event.edits)
    return line if line is not None and line.command.sender == event.sender else None


def _complain(turn: Turn, event: Said, complaint: Phrase) -> None:
    """Answer with the complaint, once a day for each person; for old lines, and our people's edited ones, each time."""
    whose = event.edits if event.edits and event.sender in turn.us.people else event.sender
    said_before = not turn.tell_once(f"{complaint.name}:{whose}", A_DAY)
    if complaint.name == "line_too_old" or not said_before:
        _answer(turn, event, complaint)


def on_unreadable(turn: Turn, event: Unreadable) -> None:
    """Tell one of our people, once a day, that a line is unreadable a minute after it came without its key.

    We can't tell whether it was for us.
    """
    is_ours = event.sender in turn.us.people and not who_answers.is_bot(turn, event.room, event.sender)
    if is_ours and _is_in_our_rooms(turn, event) and turn.tell_once(f"line_unreadable:{event.sender}", A_DAY):
        phrase = say(messages.line_errors.line_unreadable)
        turn.do(Post(MessageKind.UNREADABLE.of(rest=event.line), event.room, phrase, reply_to=event.line))


def _complaint(turn: Turn, event: Said, text: str) -> Phrase | None:
    """Return why the line has no effect, whatever its content; None if it may have one."""
    if event.sender not in turn.us.people:  # first, as that is said once a day whatever it is that they say
        return say(messages.line_errors.stranger, person=event.sender, us=turn.us)
    if event.edits:
        waited = _edited(turn, event) is not None
        return say(
            messages.line_errors.edits_never_execute, waited=waited, opened=_opened_by(turn, event.edits, event.sender)
        )
    if event.unproven:
        return say(messages.line_errors.said_in_clear)
    if _is_repeated(turn, event):
        return say(messages.line_errors.line_repeated)
    if turn.now - event.at > turn.us.line_too_old_after:
        return say(messages.line_errors.line_too_old, text=text, at=event.at)
    return None


def _is_repeated(turn: Turn, event: Said) -> bool:
    """Whether it is a line that we have heard before, which somebody shows us again under another event id."""
    heard = turn.get(HeardSession, event.session) if event.session else None
    return heard is not None and heard.has(event.index)


def _remember(turn: Turn, event: Said) -> None:
    """Remember an encrypted line of one of our people, so that no homeserver can repeat it."""
    if not event.session or event.sender not in turn.us.people or _is_repeated(turn, event):
        return
    known = turn.get(HeardSession, event.session)
    if known is None:
        known = HeardSession(event.session, event.sender, turn.now)
        others = sorted((s for s in turn.all(HeardSession) if s.person == event.sender), key=lambda each: each.at)
        for oldest in others[: max(len(others) + 1 - MOST_SESSIONS_HEARD, 0)]:
            turn.drop(oldest)
    turn.save(known.after(event.index))


def _is_addressed(text: str) -> bool:
    """Whether the line begins with `!fed`, in any case, followed by a space or nothing."""
    word = text.replace("\u00a0", " ").strip().split(" ", 1)[0].split("\n", 1)[0]
    return word.lower() == PREFIX


def _picked(turn: Turn, event: Said) -> str | Phrase:
    """Return the full line that a number (or 'more') picks from our list, as a reply by that person within 10 minutes.

    A number needs no reply right after the list; `yes` picks the only number of a list. A phrase says why it picks
    nothing; '' if it is no such reply.
    """
    word = event.text.strip().rstrip(".)").casefold()
    word = MORE if word == f"{PREFIX} {MORE}" else word
    word = "1" if word in _YES and _is_the_only_choice(turn, event) else word
    is_number = word.isdecimal() and len(word) <= LONGEST_NUMBER
    if word in _YES and _is_a_yes_to_what_acts_at_once(turn, event):
        return say(messages.line_errors.reply_to_the_list, word=event.text.strip())
    if not (is_number or word == MORE):
        return ""
    if not event.reply_to:
        return _right_after(turn, event, int(word)) if is_number else ""
    here = (each for each in turn.all(PendingChoice) if each.room == event.room and each.until > turn.now)
    lists = [choice for choice in here if choice.event_id == event.reply_to]
    for choice in lists:
        if choice.person != event.sender:
            continue
        if word == MORE:
            line = choice.more
        else:
            line = choice.lines[int(word) - 1] if 1 <= int(word) <= len(choice.lines) else ""
        if line:
            turn.drop(choice)
            return line
    return _not_on_the_list(turn, event, lists) if _is_our_list(turn, event.reply_to) else ""


_YES = frozenset({"yes", "yes please", "ja", "ja bitte", "yep", "ok", "okay"})
_OTHERS_STILL_DECIDE = frozenset({"request", "borrow", "push", "lend", "wait"})


def _is_the_only_choice(turn: Turn, event: Said) -> bool:
    """Whether `yes` is clear: the list that it answers, or the one put to the person last, has only one number.

    Without a reply, people say it to each other too. So it only picks a line that moves nothing by itself.
    """
    if event.reply_to:
        lists = [each for each in turn.all(PendingChoice) if each.event_id == event.reply_to]
    else:
        newest = _newest_list(turn, event)
        lists = [each for each in (newest,) if each and all(_others_still_decide(turn, line) for line in each.lines)]
    return any(len(each.lines) == 1 and not each.more for each in lists)


def _is_a_yes_to_what_acts_at_once(turn: Turn, event: Said) -> bool:
    """Whether it is probably meant for our list of one number, put a moment ago, whose line nobody else decides."""
    if event.reply_to or event.thread or who_answers.claimed_by_several(turn, event.sender, event.room):
        return False
    newest = _newest_list(turn, event)
    is_new = newest is not None and newest.until - NUMBER_WITHIN + RIGHT_AFTER > turn.now
    return newest is not None and is_new and len(newest.lines) == 1


def _others_still_decide(turn: Turn, line: str) -> bool:
    _, words = _as_whom(line.partition(" ")[2])
    parsed = turn.verbs.parse(turn, words)
    return not isinstance(parsed, Phrase) and parsed[0] in _OTHERS_STILL_DECIDE and "over-booking" not in parsed[1]


def _right_after(turn: Turn, event: Said, number: int) -> str | Phrase:
    """Return the line that a number without a reply picks, right after the list that we posted for that person.

    Later the number may be for somebody else, so it picks nothing and a phrase says how to answer the list. A person
    whom two spaces list may mean the other bot's list, so they have to reply.
    """
    choice = _newest_list(turn, event)
    if choice is None or choice.until <= turn.now:
        return ""
    if who_answers.claimed_by_several(turn, event.sender, event.room) or event.thread:
        return ""
    put = choice.until - NUMBER_WITHIN
    if any(
        search.person == event.sender and search.room == event.room and search.asked > put
        for search in turn.all(Search)
    ):
        return ""
    line = choice.lines[number - 1] if 1 <= number <= len(choice.lines) else ""
    if put + RIGHT_AFTER <= turn.now:
        return say(messages.line_errors.reply_to_the_list, word=event.text.strip()) if line else ""
    if not line:
        return _not_on_the_list(turn, event, [choice])
    turn.drop(choice)
    return line


def _newest_list(turn: Turn, event: Said) -> PendingChoice | None:
    """Return the newest list that we posted for that person in that room."""
    here = (each for each in turn.all(PendingChoice) if each.room == event.room and each.event_id)
    return max((each for each in here if each.person == event.sender), key=lambda each: each.until, default=None)


def _answered_list(turn: Turn, event: Said) -> str:
    """Return the message with the list that a number answers, if the line is one."""
    newest = None if event.reply_to else _newest_list(turn, event)
    return newest.event_id if newest is not None else event.reply_to


def _is_our_list(turn: Turn, event_id: str) -> bool:
    return turn.key_of(event_id).kind is MessageKind.CHOICE


def _not_on_the_list(turn: Turn, event: Said, lists: list[PendingChoice]) -> Phrase:
    """Return why that reply to a list of ours picks nothing."""
    if not lists:
        return say(messages.line_errors.choice_is_over)
    (choice,) = lists
    if choice.person != event.sender:
        return say(messages.line_errors.choice_of_another, whose=turn.name_of(choice.person, event.room))
    return say(messages.line_errors.not_on_the_list, word=event.text.strip(), count=len(choice.lines))


def _as_whom(words: str) -> tuple[str, str]:
    """Return the space that a line addresses (`as beta find nut`), '' if none, and the rest."""
    word, _, behind = words.strip().partition(" ")
    if word != "as" or not behind.strip():
        return "", words.strip()
    party, _, rest = behind.strip().partition(" ")
    return party, rest.strip()


def _understand(turn: Turn, event: Said, text: str, *, is_picked: bool, picked_from: str) -> None:
    """Parse the line, check that it is for our space, and carry it out; or answer why not."""
    first, _, behind = text.replace("\u00a0", " ").strip().partition(" ")
    as_whom, words = _as_whom(behind)
    party = who_answers.space_named(turn, event.room, event.sender, as_whom) if as_whom else ""
    if as_whom and not party:
        _answer(turn, event, say(messages.line_errors.not_of_that_space, party=as_whom, us=turn.us))
        return
    if as_whom and party != turn.us.party:
        return  # the person addresses another space
    parsed = turn.verbs.parse(turn, words)
    if isinstance(parsed, Phrase):
        _answer(turn, event, parsed)
        return
    verb, arguments = parsed
    others = frozenset(who_answers.claimed_by_several(turn, event.sender, event.room)) - {turn.us.party}
    if others and not (as_whom or turn.verbs.is_safe_for(turn, event.room, verb, arguments, others)):
        names = tuple(turn.party_name(party) for party in sorted(others))
        phrase = say(messages.line_errors.is_it_for_us, us=turn.us, others=names)
        ours = f"{first} as {turn.us.party} {words}"
        turn.choose(event.room, event.event_id, event.sender, phrase, (ours,))
        return
    if verb == TAKES_BACK and (line := waiting_line_to_cancel(turn, event, arguments)) is not None:
        take_back(turn, line, event.sender)
        return
    subject = _answered_subject(turn, event, turn.verbs.answers(verb))
    if not subject and (complaint := _answers_another_message(turn, event, turn.verbs.answers(verb), words)):
        turn.note("-", audit.Said(verb, counted=False), event.sender, event.event_id)
        _answer(turn, event, complaint)
        return
    command = Command(
        verb,
        arguments,
        event.room,
        event.event_id,
        event.sender,
        event.at,
        words,
        username=turn.us.people[event.sender],
        subject=subject,
        encrypted=event.encrypted,
        is_picked=is_picked,
        place=turn.status().cards_seen,
        picked_from=picked_from,
    )
    _begin(turn, event, command)


def _begin(turn: Turn, event: Said, command: Command) -> None:
    """Note the command in the audit, greet a person whom the bot meets for the first time, and carry it out."""
    turn.note(command.subject or "-", audit.Said(command.verb), event.sender, event.event_id)
    if command.verb == TELLS_WHO_YOU_ARE:
        people.mark_as_greeted(turn, event.sender)
    else:
        people.meet(turn, event, has_asked_for_help=command.verb == LISTS_THE_VERBS)
    carry_out(turn, command)


def _answered_subject(turn: Turn, event: Said, answers: Answers) -> str:
    """Return the id of the subject to whose message the line replies, if that kind of message counts; else ''."""
    if answers is Answers.OUR_CARD:
        return turn.card_subject_of(event.reply_to or event.thread)
    if answers is Answers.ANY_MESSAGE or turn.key_of(event.reply_to):
        return turn.subject_of(event.reply_to) or turn.subject_of(event.thread)
    return "" if turn.subject_of(event.reply_to) else turn.own_subject_of(event.thread)


def _answers_another_message(turn: Turn, event: Said, answers: Answers, words: str) -> Phrase | None:
    """Return why the line isn't about the message it replies to, and what to type; None if it names a subject."""
    identifier = turn.subject_of(event.reply_to) or turn.subject_of(event.thread)
    subject = turn.transfer(identifier) or turn.connection(identifier)
    if answers is Answers.ANY_MESSAGE or subject is None or any(turn.by_code(word) for word in _bare(words)):
        return None
    verb, _, rest = words.partition(" ")
    return say(
        messages.line_errors.answers_another_message, subject=subject, text=f"{verb} {subject.code} {rest}".strip()
    )


def _bare(words: str) -> list[str]:
    """Return the words without the characters that people put around an id."""
    return [word.strip(" .,:;!?()[]#") for word in words.split()]


def on_redaction(turn: Turn, event: Redacted) -> None:
    """Withdraw a waiting line that was deleted; tell who deleted another that it still counts, if it does.

    Any other redaction may be about a card.
    """
    line, opened = turn.get(WaitingLine, event.target), _opened_by(turn, event.target, event.sender)
    if line is not None and line.command.room == event.room:
        take_back(turn, line, event.sender)
        return
    decides = opened is not None and opened.decision is not None and opened.decision.event_id == event.target
    decisions.on_redaction(turn, event)
    if opened is not None and not decides and opened.room == event.room:
        phrase = say(messages.line_errors.deleted_line_still_counts, transfer=opened)
        key = MessageKind.ANSWER.of(rest=event.event_id)
        addressed = replace(phrase, to=turn.name_of(event.sender, event.room))
        turn.do(Post(key, event.room, addressed, mentions=(event.sender,)))


def _opened_by(turn: Turn, line: str, person: str) -> Transfer | None:
    """Return the transfer that this person of ours opened by that line, while it can still be cancelled."""
    if not line or person not in turn.us.people:
        return None
    opened = (t for t in turn.open_transfers() if (t.asked.event_id, t.asked.person) == (line, person))
    return next((t for t in opened if t.state in {TransferState.OPEN, TransferState.BOOKED}), None)


def _answer(turn: Turn, event: Said, phrase: Phrase) -> None:
    key = MessageKind.ANSWER.of(rest=event.event_id)
    turn.do(Post(key, event.room, phrase, reply_to=event.event_id, answers=event.sender))


# --- Filtering: only events that concern the bot are journaled. -------------------------------------------------


def concerns_us(state: State, event: Event, now: datetime, verbs: Verbs) -> bool:
    """Whether the rules would do anything with the event now. Always true for events that aren't talk."""
    turn = Turn(state, now, verbs=verbs)
    if isinstance(event, Said | Reacted) and event.missed and not _was_out(turn, event):
        return False
    match event:
        case Said():
            return is_for_us(turn, event)
        case PhotoSent():
            return transfer_of(turn, event) is not None
        case Reacted():
            return bool(turn.key_of(event.target)) or decisions.subject_at_peers_message(turn, event) is not None
        case Echoed():
            return opening.awaits_echo(turn)
    return True


def is_talk(event: Event) -> bool:
    """Whether it is a line, picture or reaction of people, or a message of ours, which may not concern the bot."""
    return isinstance(event, Said | PhotoSent | Reacted | Echoed)


def may_make_talk_relevant(state: State, event: Event) -> bool:
    """Whether later talk may concern us only because of this event: another room, or a message of ours found there."""
    return isinstance(event, RoomSeen | RoomReplaced | Removed) or (
        isinstance(event, EnvelopeSeen) and event.sender == state.us.bot
    )


def answers_one_of(event: Event, messages: Container[str]) -> bool:
    """Whether talk is a reaction or a reply to one of these messages."""
    return (isinstance(event, Reacted) and event.target in messages) or (
        isinstance(event, Said) and event.reply_to in messages
    )
