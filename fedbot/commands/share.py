"""`!fed share ITEM|PART|CATEGORY`: let friends find and request it."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.grammar import SHOWN, near
from fedbot.commands.items import in_pieces
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
    examples=("share M3-BOLT", "share #42", "share Fasteners, M3-NUT", "share"),
    details=(
        "Alone it lists what we share. At first that is nothing. Separate several entries by commas.",
        "A part is shared with its stock, a category with all parts in it and below it, 'all' with everything we have.",
        "Friends see name, IPN and quantity. Our approvers still decide on each request.",
        "Items that came from another space can't be shared.",
    ),
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask what the word means in our InvenTree."""
    del turn
    word = word_of(command)
    return () if not word or word.casefold() in ALL else tuple(map(FindShareable, (word, *_apart(word))))


def _apart(word: str) -> tuple[str, ...]:
    """The words between commas and `and`, if there are any: a name that InvenTree doesn't know may be several."""
    pieces = in_pieces(word)
    return pieces[:MOST_TOLD] if len(pieces) > 1 else ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Add it to the list, or show the list."""
    word = word_of(command)
    if not word:
        return say(messages.catalogue.sharing_list, us=turn.us, shares=tuple(turn.all(Share)), friends=_friends(turn))
    if word.casefold() in ALL:
        return _share(turn, command, Thing(EVERYTHING, 0, ""))
    found, *each = [answer for answer in answers if isinstance(answer, Shareable)]
    if not found.things and each and any(one.things for one in each):
        return _several(turn, command, tuple(zip(_apart(word), each, strict=True)))
    if not found.things:
        return _unknown(word, found)
    if len(found.things) > 1:
        let_choose(turn, command, SPEC, found.things[:MOST_TOLD])
        return None
    return _share(turn, command, found.things[0])


def word_of(command: Command) -> str:
    """The typed words for the item, part or category."""
    return str(command.arguments.get("thing", "")).strip()


def _friends(turn: Turn) -> tuple[str, ...]:
    return tuple(connection.peer_name for connection in turn.active_connections())


def _several(turn: Turn, command: Command, several: tuple[tuple[str, Shareable], ...]) -> Phrase:
    """Share each of them, if each means one thing; else say which one doesn't."""
    for word, found in several:
        if not found.things:
            return _unknown(word, found)
        if len(found.things) > 1:
            return say(messages.catalogue.share_alone, word=word[:SHOWN])
    return say(
        messages.catalogue.several_shared, told=tuple(_share(turn, command, one.things[0]) for _, one in several)
    )


def _unknown(word: str, found: Shareable) -> Phrase:
    close = near(word, list(found.near)) or found.near[:3]
    return say(messages.catalogue.nothing_to_share, word=word[:SHOWN], near=close)


def _share(turn: Turn, command: Command, thing: Thing) -> Phrase:
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
