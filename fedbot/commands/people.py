"""`!fed people`: list our people and their permissions at this moment; add and remove people."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.spec import Argument, Handler, Kind, Option, Verb, Where
from fedbot.rules import people
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import PersonSeen
from fedbot.rules.model.party_config import RosterChange
from fedbot.rules.model.queries import Able, Answer, InventoryStanding, Overview, PersonPermissions, Query
from fedbot.rules.model.stock import Permission, Permissions
from fedbot.rules.state import Turn
from fedbot.rules.wire import is_off_chat

ADD, REMOVE = "add", "remove"

SPEC = Verb(
    name="people",
    summary="list our people and their permissions; add or remove people",
    permission=Permission.SUPERUSER,
    only_looks=True,
    acts_with="change",
    acts_where=Where.ADMIN_ROOM,
    arguments=(
        Argument("change", Kind.WORD, "add|remove", optional=True),
        Argument("person", Kind.WORD, "PERSON", optional=True),
        Argument("username", Kind.WORD, "USER", keyword="as", optional=True),
    ),
    options=(Option("admin", "", "an admin, who can invite the bot; without `as USER`, that is all"),),
    examples=("people", "people add @kim:example.org as kim", "people remove @kim:example.org"),
    details=(
        "PERSON is a Matrix ID, USER the name of their InvenTree user. I read permissions in InvenTree each time.",
        "You can add and remove people in the encrypted admin room only. No restart is needed.",
        "Below InvenTree API 472, approvers must also be pinned in the bot's settings.",
    ),
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask which of our people are approvers and superusers; or about the user to add."""
    if "change" not in command.arguments:
        return (turn.who_may(Permission.APPROVER), turn.who_may(Permission.SUPERUSER))
    change = _change(command)
    if change is None:
        example = SPEC.examples[1]
        return say(messages.line_errors.word_too_many, word=_word(command), usage=SPEC.usage, example=example)
    if not command.encrypted or command.room != turn.us.admin_room or is_off_chat(command.event_id):
        return say(messages.people.only_in_the_admin_room, text=command.text, encrypted=command.encrypted)
    complaint = people.objection(turn, change, command.sender)
    if complaint is not None:
        return complaint
    return (PersonPermissions(change.username), Overview()) if change.adds and change.username else ()


def _word(command: Command) -> str:
    return str(command.arguments["change"])


def _change(command: Command) -> RosterChange | None:
    """The requested change; None if the first word is neither `add` nor `remove`."""
    word = _word(command).lower()
    if word not in {ADD, REMOVE}:
        return None
    person = people.person_in(str(command.arguments.get("person", "")))
    username = str(command.arguments.get("username", ""))
    return RosterChange(word == ADD, person, username, "admin" in command.arguments)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """List the people, in the configuration's order; or make the change."""
    if "change" in command.arguments:
        return _carry_out(turn, command, answers)
    approvers, superusers = answers
    if not (isinstance(approvers, Able) and isinstance(superusers, Able)):
        raise TypeError(f"people asks twice who may, not {answers!r}")
    configured = turn.state.configured.people
    seen = tuple(
        PersonSeen(
            person=person,
            name=turn.name_of(person, command.room),
            username=username,
            approver=username in approvers.usernames,
            superuser=username in superusers.usernames,
            added=person not in configured,
        )
        for person, username in turn.us.people.items()
    )
    private = command.room == turn.us.admin_room
    return say(messages.people.people, us=turn.us, people=seen, removed=turn.roster().removed, private=private)


def _carry_out(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    change = _change(command)
    if change is None:
        raise TypeError(f"{_word(command)} was refused before")
    permissions, standing = answers or (None, None)
    abilities = standing.abilities if isinstance(standing, InventoryStanding) else ()
    known = permissions if isinstance(permissions, Permissions) else None
    complaint = people.objection(turn, change, command.sender, known, abilities)
    return complaint or people.carry_out(turn, change, command.sender, command.event_id)


HANDLER = Handler(SPEC, ask, act)
