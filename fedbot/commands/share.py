"""`!fed share ITEM|PART|CATEGORY`: let friends find and request it."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.grammar import SHOWN, near
from fedbot.commands.lookup import whole_line
from fedbot.commands.spec import Argument, Handler, Kind, Verb
from fedbot.messages.quantities import EVERYTHING as EVERYTHING_SAID
from fedbot.rules.catalogue import share as shares
from fedbot.rules.model.catalogue import CATEGORY, EVERYTHING, ITEM, Share
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Answer, FindShareable, Query, Shareable, Thing
from fedbot.rules.model.stock import Permission
from fedbot.rules.state import Turn

ALL = EVERYTHING_SAID | {"everything"}
MOST_TOLD = 9

SPEC = Verb(
    name="share",
    summary="share a part or category with friends",
    permission=Permission.APPROVER,
    arguments=(Argument("thing", Kind.ANYTHING, "ITEM|PART|CATEGORY|all", optional=True),),
    examples=("share M3-BOLT", "share #42", "share Fasteners", "share"),
    details=(
        "Alone it lists the shared entries; at first there are none.",
        "A part is shared with its stock, a category with all parts in it and below it, 'all' with everything we have.",
        "Friends see name, IPN and quantity. Our approvers still decide on each request.",
        "Items that came from another space can't be shared.",
    ),
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask what the word means in our InvenTree."""
    del turn
    word = word_of(command)
    return () if not word or word.casefold() in ALL else (FindShareable(word),)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Add it to the list, or show the list."""
    word = word_of(command)
    if not word:
        return say(messages.catalogue.sharing_list, us=turn.us, shares=tuple(turn.all(Share)), friends=_friends(turn))
    if word.casefold() in ALL:
        return _shared(turn, command, Thing(EVERYTHING, 0, ""))
    (found,) = answers
    if not isinstance(found, Shareable):
        raise TypeError(f"share asks for what can be shared, not {found!r}")
    if not found.things:
        return say(
            messages.catalogue.nothing_to_share, word=word[:SHOWN], near=near(word, list(found.near)) or found.near[:3]
        )
    if len(found.things) > 1:
        let_choose(turn, command, SPEC, found.things[:MOST_TOLD])
        return None
    return _shared(turn, command, found.things[0])


def word_of(command: Command) -> str:
    """The typed words for the item, part or category."""
    return str(command.arguments.get("thing", "")).strip()


def _friends(turn: Turn) -> tuple[str, ...]:
    return tuple(connection.peer_name for connection in turn.active_connections())


def _shared(turn: Turn, command: Command, thing: Thing) -> Phrase:
    if thing.origin and thing.origin != turn.us.party:
        return say(messages.catalogue.not_ours_to_share, name=thing.name, origin=turn.party_name(thing.origin))
    covering = shares.covering(turn, f"{thing.model}:{thing.pk}", thing.above)
    if covering:
        return say(messages.catalogue.shared_already, name=thing.name, by=covering[0])
    if len(turn.all(Share)) >= shares.MOST_SHARES:
        return say(messages.catalogue.sharing_list_full, most=shares.MOST_SHARES)
    share = shares.begin(turn, thing, turn.signature_of(command))
    return say(messages.catalogue.shared_now, share=share, thing=thing, friends=_friends(turn))


def let_choose(turn: Turn, command: Command, spec: Verb, things: tuple[Thing, ...]) -> None:
    """Ask which one: a part and a category, or several parts, may have the same name."""
    ways = tuple(whole_line(turn, command, spec, thing=named(thing)) for thing in things)
    phrase = say(messages.catalogue.which_to_share, word=word_of(command)[:SHOWN], things=things)
    turn.choose(command.room, command.event_id, command.sender, phrase, ways)


def named(thing: Thing) -> str:
    """An unambiguous word for the item, part or category."""
    if thing.model == ITEM:
        return f"#{thing.pk}"
    return f"{'category' if thing.model == CATEGORY else 'part'}:{thing.pk}"


HANDLER = Handler(SPEC, ask, act)
