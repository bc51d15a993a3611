"""`!fed match ITEM NAME from SPACE`: remember that a friend's NAME is our ITEM."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.grammar import SHOWN, near
from fedbot.commands.lookup import friend_meant, rooms_told_of, whole_line
from fedbot.commands.spec import Argument, Handler, Kind, Option, Verb
from fedbot.rules.catalogue import destination
from fedbot.rules.model.catalogue import Alias, alias_id
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Answer, FindItems, ItemsFound, Query
from fedbot.rules.model.stock import Part, Permission
from fedbot.rules.names import is_called
from fedbot.rules.protocol.terms import presentable
from fedbot.rules.state import Turn
from fedbot.rules.transfer import receive

MOST_SHOWN = 5
NAME = Argument("name", Kind.ANYTHING, "NAME", optional=True)
FROM_SPACE = Argument("space", Kind.SPACE, "SPACE", keyword="from", optional=True)
SPEC = Verb(
    name="match",
    summary="match a friend's part to one of our parts",
    permission=Permission.APPROVER,
    arguments=(
        Argument("item", Kind.WORD, "ITEM", optional=True),
        NAME,
        FROM_SPACE,
    ),
    options=(Option("forget", "", "remove this match"),),
    examples=("match PLA-ROT PLA-RED from betaspace", "match", "match PLA-RED --forget"),
    details=(
        "ITEM is one of our parts: its IPN, its name (in quotes if it has several words), or the #42 of an item of it.",
        "NAME is the friend's IPN or part name. Your match counts more than an equal IPN or name.",
        "Alone it lists the matches so far. With only one friend you can leave out 'from SPACE'.",
    ),
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask which of our parts is meant; an objection is returned at once."""
    item, name = _words(command)
    if not item or command.arguments.get("forget"):
        return ()
    if complaint := _incomplete(turn, command, item, name):
        return complaint
    friend = _friend(turn, command)
    return friend if isinstance(friend, Phrase) else (FindItems(item),)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Store it, forget it, or list all."""
    item, name = _words(command)
    if command.arguments.get("forget"):
        return _forget(turn, command, name or item)
    if not item:
        return say(messages.catalogue.matches, us=turn.us, aliases=_known(turn, command))
    friend = _friend(turn, command)
    if isinstance(friend, Phrase):
        return friend
    (found,) = answers
    if not isinstance(found, ItemsFound):
        raise TypeError(f"match asks which items are meant, not {found!r}")
    part = _part_meant(found, item)
    if isinstance(part, Phrase):
        return part
    if not turn.may_move(friend.peer, part.pk):
        return say(messages.catalogue.practice_stays_practice, part=part, peer=friend.peer_name)
    by = turn.signature_of(command)
    word = presentable(name)
    alias = Alias(alias_id(friend.peer, word), friend.peer, word, part.pk, part.name, part.ipn, by.name, turn.now)
    before = destination.assign(turn, alias)
    for transfer in turn.open_transfers():
        if transfer.peer == friend.peer and transfer.terms.kind == "push" and destination.unmatched(transfer):
            receive.look_for_parts(turn, transfer)  # its card waits for this
    return say(messages.catalogue.matched, alias=alias, peer=friend.peer_name, before=before)


def _incomplete(turn: Turn, command: Command, item: str, name: str) -> Phrase | None:
    """Why the line isn't complete, with whole lines that are; a lone friend's name is no name of a part."""
    friends, space = _friends_here(turn, command), str(command.arguments.get("space", ""))
    if not space and name:
        friends = [each for each in friends if is_called(each.peer, each.peer_name, name)]
        name = "" if friends else name
    if name:
        return None
    if space:
        friends = [each for each in friends if is_called(each.peer, each.peer_name, space)]
    return _with_examples(turn, command, item, "", friends)


def _with_examples(turn: Turn, command: Command, item: str, name: str, friends: list[Connection]) -> Phrase:
    """The question for the friend's name of the item, or for the friend, with a whole line for each friend."""
    spaces = [each.peer for each in friends] or [str(command.arguments.get("space", "")) or FROM_SPACE.shown]
    name_or_not = name or NAME.shown
    lines = tuple(whole_line(turn, command, SPEC, name=name_or_not, space=each) for each in spaces[:MOST_SHOWN])
    return say(messages.catalogue.match_incomplete, item=item[:SHOWN], name=name[:SHOWN], lines=lines)


def _words(command: Command) -> tuple[str, str]:
    return str(command.arguments.get("item", "")), str(command.arguments.get("name", ""))


def _friend(turn: Turn, command: Command) -> Connection | Phrase:
    """The named friend, or the only one; or an objection."""
    if command.arguments.get("space"):
        return friend_meant(turn, command)
    friends = _friends_here(turn, command)
    return friends[0] if len(friends) == 1 else _with_examples(turn, command, *_words(command), friends)


def _friends_here(turn: Turn, command: Command) -> list[Connection]:
    rooms = rooms_told_of(turn, command.room)
    return [connection for connection in turn.active_connections() if connection.room in rooms]


def _part_meant(found: ItemsFound, word: str) -> Part | Phrase:
    """The only part that the word means, in stock or not; or an objection."""
    parts = {item.part.pk: item.part for item in found.items}
    if not parts:
        folded = word.casefold()
        parts = {part.pk: part for part in found.parts if folded in {part.ipn.casefold(), part.name.casefold()}}
    if len(parts) == 1:
        return next(iter(parts.values()))
    if parts:
        return say(messages.catalogue.several_parts_match, word=word[:SHOWN], parts=tuple(parts.values()))
    return say(
        messages.catalogue.no_part_to_match, word=word[:SHOWN], near=tuple(part.name for part in found.parts[:3])
    )


def _known(turn: Turn, command: Command) -> tuple[Alias, ...]:
    """The matches for the friends of these rooms, or for the named one."""
    rooms = rooms_told_of(turn, command.room)
    peers = {connection.peer for connection in turn.connections() if connection.room in rooms}
    word = str(command.arguments.get("space", "")).strip()
    if word:
        by_id = {peer for peer in peers if peer == word.casefold()}
        peers = by_id or {peer for peer in peers if is_called(peer, turn.party_name(peer), word)}
    known = [alias for alias in turn.all(Alias) if alias.peer in peers]
    return tuple(sorted(known, key=lambda alias: (alias.peer, alias.name.casefold(), alias.word.casefold())))


def _forget(turn: Turn, command: Command, word: str) -> Phrase:
    """Forget all matches with this word: the friend's name, or our part's."""
    known = _known(turn, command)
    folded = word.casefold()
    meant = tuple(a for a in known if folded in {a.word.casefold(), a.name.casefold(), a.ipn.casefold()} and folded)
    if not meant:
        names = [*(alias.word for alias in known), *(alias.ipn or alias.name for alias in known)]
        return say(messages.catalogue.nothing_matched, word=word[:SHOWN], near=near(word, names) if word else ())
    for alias in meant:
        destination.unassign(turn, alias, turn.signature_of(command).name)
    return say(messages.catalogue.match_forgotten, aliases=meant)


HANDLER = Handler(SPEC, ask, act)
