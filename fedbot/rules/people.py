"""Our people: added and removed while the bot runs, changed settings, and the greeting for a person's first line."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from fedbot import messages
from fedbot.rules import health
from fedbot.rules.connection import rooms
from fedbot.rules.model import audit
from fedbot.rules.model.command import Cooldown
from fedbot.rules.model.effects import Ask, Phrase, Post, say
from fedbot.rules.model.events import Answered, PeopleOrdered, Said, SettingsRead, Unanswered
from fedbot.rules.model.party_config import Roster, RosterChange
from fedbot.rules.model.queries import PersonPermissions, WhenAnsweredOrNot
from fedbot.rules.model.room import Announcement, MessageKind
from fedbot.rules.model.stock import Permission, Permissions
from fedbot.rules.state import Turn

MATRIX_ID = re.compile(r"@[!-9;-~]+:[A-Za-z0-9.\-:\[\]]+")
ON_THE_COMMAND_LINE = "the command line"
ADDRESS = "https://matrix.to/#/"
SAFE_PERMISSIONS = "direct_access_is_safe"
"""The ability of an InvenTree (API 472) in which no account can give itself permissions."""
FOR_GOOD = timedelta(days=3650)
SOON = timedelta(minutes=5)


# --- adding and removing -----------------------------------------------------------------------------------------


def person_in(word: str) -> str:
    """Return the Matrix id that somebody typed, or pasted as a link."""
    return word.strip("`<>\"'").removeprefix(ADDRESS)


def objection(
    turn: Turn, change: RosterChange, by: str, permissions: Permissions | None = None, abilities: tuple[str, ...] = ()
) -> Phrase | None:
    """Return why the change isn't possible; None if it is.

    `permissions` and `abilities` are InvenTree's about the user. Without `permissions`, only the checks that don't need
    InvenTree are made.
    """
    if not MATRIX_ID.fullmatch(change.person):
        return say(messages.people.no_matrix_id, word=change.person)
    return _not_added(turn, change, permissions, abilities) if change.adds else _not_removed(turn, change.person, by)


def _not_removed(turn: Turn, person: str, by: str) -> Phrase | None:
    if person == by:
        return say(messages.people.not_yourself)
    known = person in turn.us.people or person in turn.us.admins
    return None if known else say(messages.people.not_known, person=person, us=turn.us)


def _not_added(
    turn: Turn, change: RosterChange, permissions: Permissions | None, abilities: tuple[str, ...]
) -> Phrase | None:
    person, username = change.person, change.username
    if person == turn.us.bot or any(person == announced.bot for announced in turn.all(Announcement)):
        return say(messages.people.is_a_bot, person=person)
    if not username:
        return None if change.admin else say(messages.people.user_missing, person=person)
    configured = turn.state.configured.people.get(person, username)
    if configured != username:
        return say(messages.people.configured_otherwise, person=person, username=configured)
    if permissions is None:
        return None
    if not (permissions.known and permissions.active):
        return say(messages.people.no_such_user, username=username, inactive=permissions.known, us=turn.us)
    if SAFE_PERMISSIONS not in abilities and permissions.covers(Permission.APPROVER):
        return say(messages.people.approves_by_configuration_only, person=person, username=username)
    return None


def carry_out(turn: Turn, change: RosterChange, by: str, event_id: str = "") -> Phrase:
    """Make the change and tell our rooms. It counts from this turn on."""
    roster = turn.roster()
    person, configured = change.person, turn.state.configured
    before = turn.us
    if change.adds:
        people, admins = dict(roster.people), [*roster.admins]
        if change.username and person not in configured.people:
            people[person] = change.username
        if change.admin and person not in (*admins, *configured.admins):
            admins.append(person)
        removed = tuple(each for each in roster.removed if each != person)
        roster = replace(roster, people=people, admins=tuple(admins), removed=removed)
    else:
        people = {each: user for each, user in roster.people.items() if each != person}
        stays = person in configured.people or person in configured.admins
        removed = (*roster.removed, person) if stays else roster.removed
        roster = Roster(people=people, admins=tuple(each for each in roster.admins if each != person), removed=removed)
    turn.enlist(roster)
    turn.note(
        "people", audit.PersonListed(person, change.username, admin=change.admin, added=change.adds), by, event_id
    )
    rooms.announce_everywhere(turn)
    if not change.adds:
        return say(messages.people.removed, person=person, configured=person in roster.removed, us=before)
    again = person in before.people or person in before.admins
    return say(messages.people.added, change=change, us=turn.us, again=again)


def on_ordered(turn: Turn, event: PeopleOrdered) -> None:
    """Carry out the operator's order. The command line has already named any obstacle."""
    if objection(turn, event.change, ON_THE_COMMAND_LINE, event.permissions, event.abilities) is None:
        phrase = carry_out(turn, event.change, ON_THE_COMMAND_LINE)
        turn.tell_admins(phrase, f"people:{event.change.person}:{turn.now.isoformat()}")


# --- settings ----------------------------------------------------------------------------------------------------


def on_settings_read(turn: Turn, event: SettingsRead) -> None:
    """Report a changed settings file: the new settings are in use, or the old ones, if the new ones are faulty."""
    turn.note("settings", audit.SettingsRead(tuple(event.changed), faulty=bool(event.problems)))
    phrase = (
        say(messages.health.settings_faulty, problems=event.problems)
        if event.problems
        else say(messages.health.settings_read, changed=event.changed, waiting=event.waiting)
    )
    turn.tell_admins(phrase, f"settings:{turn.now.isoformat()}")
    if not event.problems:
        rooms.announce_everywhere(turn)
        health.on_started(turn)


# --- a first line ------------------------------------------------------------------------------------------------


def meet(turn: Turn, event: Said, *, has_asked_for_help: bool) -> None:
    """Answer somebody's first line with what they may do. Help has already told them what they can type."""
    if turn.tell_once(_meeting(event.sender), FOR_GOOD):
        username = turn.us.people[event.sender]
        then = Meet(event.room, event.event_id, event.sender, username, has_asked_for_help)
        turn.do(Ask(then, (PersonPermissions(username),), until=turn.now + SOON))


@dataclass(frozen=True)
class Meet(WhenAnsweredOrNot):
    """Reads the permissions of the author of the line `event_id`, their first one, before greeting them."""

    room: str
    event_id: str
    person: str
    username: str
    knows_help: bool = False

    def answered(self, turn: Turn, event: Answered) -> None:
        """Greet the person."""
        (permissions,) = event.answers
        if isinstance(permissions, Permissions) and turn.is_still(self.person, self.username):
            name = turn.name_of(self.person, self.room)
            phrase = say(
                messages.people.met, us=turn.us, name=name, permissions=permissions, knows_help=self.knows_help
            )
            turn.do(Post(MessageKind.GREETING.of(rest=self.event_id), self.room, phrase))

    def unanswered(self, turn: Turn, event: Unanswered) -> None:
        """Forget that they were greeted, so that the next line counts as the first one."""
        del event
        for cooldown in turn.all(Cooldown):
            if cooldown.id == _meeting(self.person):
                turn.drop(cooldown)


def mark_as_greeted(turn: Turn, person: str) -> None:
    """Note that the person needs no greeting any more."""
    turn.tell_once(_meeting(person), FOR_GOOD)


def _meeting(person: str) -> str:
    return f"met:{person}"
