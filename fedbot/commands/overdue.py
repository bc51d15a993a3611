"""`!fed overdue [SPACE] [--stop|--resume]`: list overdue items; a superuser stops or allows new loans to a friend."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.grammar import render
from fedbot.commands.lookup import friend_meant, rooms_told_of
from fedbot.commands.spec import Argument, Handler, Kind, Option, Verb
from fedbot.rules.carry_out_line import not_entitled
from fedbot.rules.loan import overdue
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lending import LendingStop
from fedbot.rules.model.queries import Answer, PersonPermissions, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.state import Turn

SPEC = Verb(
    name="overdue",
    summary="list overdue items, or stop lending to a space that returns nothing",
    permission=Permission.MAPPED,
    arguments=(Argument("space", Kind.SPACE, "SPACE", optional=True),),
    options=(
        Option("stop", "", "superusers: stop new loans to this space until all overdue items are back"),
        Option("resume", "", "superusers: allow new loans to it again"),
    ),
    examples=("overdue", "overdue betaspace", "overdue betaspace --stop"),
    details=(
        "The borrower's bot reminds its people before, on and after the due date.",
        "The bots tell both spaces' admins when a loan stays overdue. The lender's admins decide whether to stop.",
        "I say in the shared room that you stopped. The stop ends by itself once everything is back.",
    ),
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask for a superuser's permission if the line changes something."""
    if not _acts(command):
        return ()
    friend = _friend(turn, command)
    if isinstance(friend, Phrase):
        return friend
    return (PersonPermissions(command.username), turn.who_may(Permission.SUPERUSER))


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """List them, or stop or resume lending to that space."""
    if not _acts(command):
        return _listed(turn, command)
    if (refused := not_entitled(turn, command, Permission.SUPERUSER, answers)) is not None:
        return refused
    friend = _friend(turn, command)
    return friend if isinstance(friend, Phrase) else _stop_or_resume(turn, command, friend)


def _stop_or_resume(turn: Turn, command: Command, friend: Connection) -> Phrase:
    """Stop new loans to that friend, or allow them again."""
    lending_stop = turn.get(LendingStop, friend.peer)
    by = turn.signature_of(command)
    if "resume" in command.arguments:
        if lending_stop is None:
            return say(messages.overdue.not_stopped, peer_name=friend.peer_name)
        overdue.resume(turn, lending_stop, by, answered_in=command.room)
        return say(messages.overdue.loans_again, us=turn.us, peer_name=friend.peer_name, by=by)
    loans = tuple(overdue.overdue(turn, friend.peer))
    if not loans:
        return say(messages.overdue.nothing_to_stop, peer_name=friend.peer_name)
    if lending_stop is None:
        overdue.stop(turn, friend.peer, friend.room, by, answered_in=command.room)
    return say(messages.overdue.no_new_loans, us=turn.us, peer_name=friend.peer_name, by=by, loans=loans)


def _acts(command: Command) -> bool:
    return bool({"stop", "resume"} & set(command.arguments))


def _friend(turn: Turn, command: Command) -> Connection | Phrase:
    if str(command.arguments.get("space", "")):
        return friend_meant(turn, command)
    late = [loan.peer for loan in overdue.overdue(turn)] or [each.id for each in turn.all(LendingStop)]
    space = SPEC.arguments[0]
    line = render(SPEC, {**command.arguments, space.name: next(iter(late), space.shown)})
    return say(messages.line_errors.argument_missing, argument=space.shown, usage=SPEC.usage, example=line)


def _listed(turn: Turn, command: Command) -> Phrase:
    """The overdue loans that this room may see."""
    here = rooms_told_of(turn, command.room)
    peer = ""
    if str(command.arguments.get("space", "")):
        friend = friend_meant(turn, command)
        if isinstance(friend, Phrase):
            return friend
        peer = friend.peer
    lent = tuple(loan for loan in overdue.overdue(turn, peer) if loan.room in here)
    borrowed = tuple(loan for loan in overdue.overdue(turn, peer, "receiver") if loan.room in here)
    stops = [each for each in turn.all(LendingStop) if peer in {"", each.id} and each.room in here]
    parties = {*(loan.peer for loan in (*lent, *borrowed)), *(each.id for each in stops)}
    return say(
        messages.overdue.overdue_list,
        us=turn.us,
        lent=lent,
        borrowed=borrowed,
        stopped=tuple((each.id, each.by) for each in stops),
        names={party: turn.party_name(party) for party in parties},
    )


HANDLER = Handler(SPEC, ask, act)
