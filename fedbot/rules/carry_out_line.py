"""Carries out a parsed line: reads its permission and its queries from InvenTree, then gives the one answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from fedbot import messages
from fedbot.rules import health
from fedbot.rules.model import audit
from fedbot.rules.model.command import Answers, Command
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.effects import Ask, Phrase, Post, Typing, say
from fedbot.rules.model.events import Answered, Said, Unanswered, Waiting
from fedbot.rules.model.queries import Able, Answer, PersonPermissions, Query, UnitsRelated, WhenAnsweredOrNot, WhoMay
from fedbot.rules.model.room import MessageKey, MessageKind
from fedbot.rules.model.stock import Permission, Permissions
from fedbot.rules.model.transfer import WaitingLine
from fedbot.rules.names import bare_word
from fedbot.rules.state import Turn

LOST_AFTER = timedelta(days=1)
TYPING_SECONDS = 30
WORD_AFTER = timedelta(seconds=1.5)
"""If InvenTree takes longer than this, the person is told that the line waits for it."""


def carry_out(turn: Turn, command: Command) -> None:
    """Ask our InvenTree for the queries of the verb and its permission; act at once if there are none."""
    permission, response = turn.verbs.permission(command.verb), turn.verbs.ask(turn, command)
    complaint, queries = (response, ()) if isinstance(response, Phrase) else (None, response)
    if permission is Permission.ANYONE and not queries:
        answer = turn.verbs.act(turn, command, ()) if complaint is None else complaint
        turn.answer(command, answer, refuses=complaint is not None)
        return
    turn.do(Typing(command.room, TYPING_SECONDS))
    turn.save(WaitingLine(command.event_id, command, turn.now))
    until = turn.now + turn.us.line_too_old_after
    then = CarryOut(command, complaint is not None, _digest(queries))
    turn.do(Ask(then, (*_about_permission(turn, command, permission), *queries), until=until))


def _about_permission(turn: Turn, command: Command, permission: Permission) -> tuple[PersonPermissions | WhoMay, ...]:
    """Return the queries to ask first: whether the person has the permission, and who else has it."""
    person = PersonPermissions(command.username)
    match permission:
        case Permission.ANYONE:
            return ()
        case Permission.MAPPED:
            return (person,)
        case _:
            return (person, turn.who_may(permission))


@dataclass(frozen=True)
class CarryOut(WhenAnsweredOrNot):
    """Carries on with a line after InvenTree's answer. `complains`: the verb has objected to the line.

    `asked` is the digest of the verb's queries.
    """

    command: Command
    complains: bool
    asked: str = ""

    @property
    def subject(self) -> str:
        """The id of the line's subject, if it names one."""
        return self.command.subject

    def answered(self, turn: Turn, event: Answered) -> None:
        """Check the permission, then let the verb act."""
        command = self.command
        permission = turn.verbs.permission(command.verb)
        number = len(_about_permission(turn, command, permission))
        about_permission, answers = event.answers[:number], event.answers[number:]
        able = about_permission[1] if number > 1 else Able(())
        if permission is Permission.SUPERUSER and isinstance(able, Able):
            health.remember_superusers(turn, able)
        if not _end_wait(turn, command):
            return
        if not turn.is_still(command.sender, command.username):
            turn.answer(command, say(messages.line_errors.stranger, person=command.sender, us=turn.us))
            return
        if about_permission and (refused := not_entitled(turn, command, permission, (about_permission[0], able))):
            turn.note(command.subject or "-", audit.NotEntitled(command.verb), command.sender, command.event_id)
            turn.answer(command, refused)
            return
        if answers and isinstance(answers[0], UnitsRelated):
            carry_out(turn, replace(command, factors=answers[0].factors))
            return
        _act(turn, self, answers)

    def unanswered(self, turn: Turn, event: Unanswered) -> None:
        """Refuse the line: our InvenTree refuses, or doesn't answer for as long as a line waits."""
        command = self.command
        if _end_wait(turn, command) and not turn.verbs.answer_without(turn, command, event.problem):
            phrase = say(
                messages.line_errors.inventory_silent,
                problem=event.problem,
                text=command.text,
                us=turn.us,
                silent=event.silent,
            )
            turn.answer(command, phrase)

    def waiting(self, turn: Turn, event: Waiting) -> None:
        """Answer what is possible without our InvenTree, or tell that the line waits."""
        line = turn.get(WaitingLine, self.command.event_id)
        if line is not None:
            _do_without(turn, line, event.problem, silent=event.silent)


def _act(turn: Turn, then: CarryOut, answers: tuple[Answer, ...]) -> None:
    """Let the verb act; or answer its objection, held back until now because it may reveal something of ours."""
    command = then.command
    complaint = turn.verbs.ask(turn, command) if then.complains else None
    if isinstance(complaint, Phrase):
        turn.answer(command, complaint, refuses=True)
    elif then.complains or _asks_otherwise(turn, then):
        carry_out(turn, command)
    else:
        turn.answer(command, turn.verbs.act(turn, command, answers))


def _digest(queries: Sequence[Query]) -> str:
    return sha256(repr(queries).encode()).hexdigest()[:16] if queries else ""


def _asks_otherwise(turn: Turn, then: CarryOut) -> bool:
    """Whether the verb would ask other queries now, because something has changed since."""
    if not then.asked:
        return False
    trial = turn.apart()
    now = trial.verbs.ask(trial, then.command)
    return not isinstance(now, Phrase) and _digest(now) != then.asked


def _end_wait(turn: Turn, command: Command) -> bool:
    """Return whether the line still waited, and stop its wait.

    A line that was answered meanwhile isn't answered again.
    """
    turn.do(Typing(command.room, 0))
    line = turn.get(WaitingLine, command.event_id)
    if line is not None:
        turn.drop(line)
    return line is not None


def waiting_line_to_cancel(turn: Turn, event: Said, arguments: dict[str, Any]) -> WaitingLine | None:
    """Return the person's waiting line that a `cancel` withdraws; None if it means none.

    The `cancel` replies to that line, or to our message about it. If it replies to nothing and names nothing, it means
    the newest line that would change something.
    """
    own = [line for line in turn.all(WaitingLine) if line.command.sender == event.sender]
    if event.reply_to:
        return next((line for line in own if event.reply_to == line.id or _says_it_waits(turn, event, line)), None)
    if arguments:
        return None
    acting = [line for line in own if line.command.room == event.room and not _only_looks(turn, line.command)]
    return max(acting, key=lambda line: line.asked, default=None)


def _says_it_waits(turn: Turn, event: Said, line: WaitingLine) -> bool:
    return turn.key_of(event.reply_to) == _waits_key(line.command)


def _only_looks(turn: Turn, command: Command) -> bool:
    return turn.verbs.is_safe_for(turn, command.room, command.verb, command.arguments, frozenset())


def take_back(turn: Turn, line: WaitingLine, by: str) -> None:
    """Drop the line, and answer that nothing of it is done."""
    call_off(turn, line, by)
    turn.answer(line.command, say(messages.line_errors.line_taken_back, text=line.command.text))


def call_off(turn: Turn, line: WaitingLine, by: str) -> None:
    """Drop the line, so that InvenTree's answer has no effect."""
    turn.do(Typing(line.command.room, 0))
    turn.drop(line)
    turn.note(line.command.subject or "-", audit.LineTakenBack(line.command.verb), by, line.id)


def not_entitled(turn: Turn, command: Command, permission: Permission, answers: tuple[Answer, ...]) -> Phrase | None:
    """Return the refusal if the answers to `PersonPermissions` and `WhoMay` lack the permission; else None."""
    lacked = lacking(permission, answers)
    if lacked is None:
        return None
    permissions, able = lacked
    return say(
        messages.line_errors.not_entitled,
        command=_for_others(turn, command),
        permissions=permissions,
        permission=permission,
        us=turn.us,
        able=turn.names_of(able, command.room),
    )


def _for_others(turn: Turn, command: Command) -> Command:
    """Return the line with the id of the card that it answers: others copy it without being a reply."""
    subject = turn.subject(command.subject)
    verb, _, rest = command.text.partition(" ")
    is_named = any(turn.by_code(bare_word(word)) for word in rest.split())
    if subject is None or is_named or turn.verbs.answers(command.verb) is Answers.ANY_MESSAGE:
        return command
    return replace(command, text=f"{verb} {subject.code} {rest}".strip())


def lacking(permission: Permission, answers: tuple[Answer, ...]) -> tuple[Permissions, Able] | None:
    """Return None if the person has the permission, else their permissions and the people who have it."""
    permissions, able = answers
    if not (isinstance(permissions, Permissions) and isinstance(able, Able)):
        raise TypeError(f"a line asks for permissions and who may, not {answers!r}")
    return None if permissions.covers(permission) else (permissions, able)


def look(turn: Turn) -> None:
    """By the clock: tell people whose lines wait for InvenTree."""
    for line in turn.all(WaitingLine):
        if line.asked + LOST_AFTER <= turn.now:  # its query was lost with a part of the journal
            turn.drop(line)
        elif line.asked + WORD_AFTER <= turn.now:
            _do_without(turn, line, turn.status().inventory_problem)


def next_wake(turn: Turn) -> list[datetime]:
    """The times at which `look` has something to do."""
    return [line.asked + WORD_AFTER for line in turn.all(WaitingLine) if not line.told]


def _do_without(turn: Turn, line: WaitingLine, problem: Diagnosis | None, *, silent: bool = True) -> None:
    command = line.command
    if line.told:
        return
    if turn.verbs.answer_without(turn, command, problem):
        turn.do(Typing(command.room, 0))
        turn.drop(line)
        return
    turn.save(replace(line, told=True))
    wait = turn.us.line_too_old_after
    phrase = say(messages.line_errors.line_waits, us=turn.us, problem=problem, wait=wait, silent=silent)
    turn.do(
        Post(_waits_key(command), command.room, phrase, reply_to=command.event_id, answers=command.sender, interim=True)
    )


def _waits_key(command: Command) -> MessageKey:
    return MessageKind.WAITS.of(rest=command.event_id)
