"""`!fed find [WORDS] [in SPACE]`: ask all friends, and our own shared stock, who has an item."""

from __future__ import annotations

from dataclasses import replace

from fedbot import messages
from fedbot.commands import show
from fedbot.commands.grammar import incomplete
from fedbot.commands.lookup import active_friend, rooms_told_of
from fedbot.commands.spec import Argument, Handler, Kind, Option, Verb
from fedbot.rules.catalogue import search
from fedbot.rules.model.catalogue import Search
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.stock import Permission, scanned_in
from fedbot.rules.names import ARTICLES, is_called, without_end
from fedbot.rules.state import Turn

SPEC = Verb(
    name="find",
    aliases=("search", "list", "browse", "look"),
    fillers=("for", "me", "us", "some", "any", "nach", "mir", "uns", *sorted(ARTICLES)),
    summary="find out who has an item",
    permission=Permission.MAPPED,
    only_looks=True,
    arguments=(
        Argument("words", Kind.ANYTHING, "WORDS", optional=True),
        Argument("space", Kind.SPACE, "SPACE", keyword="in", optional=True),
    ),
    options=(
        Option("category", "NAME", "only what is in this category, or below it", 100),
        Option("page", "NUMBER", "the next twenty of a long list: 2, 3, …", 3),
    ),
    examples=("find 0.4 nozzle", "find M3 in betaspace", "find in betaspace", "find --category lasers"),
    details=(
        "Each of the words has to be in the name, IPN, keywords or description of the part.",
        "Without words you see everything that is shared: by one space with 'in', in one category with '--category'.",
        "It searches what friends share and have in stock; in our admin room, also all our own stock.",
        "I name spaces that don't answer within 20 seconds, and add them when they do.",
        "Reply to the list: 'ask 1 2' requests two of the first, 'more' shows the next ten.",
    ),
    everyday=1,
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Return an objection, or ask nothing: our InvenTree is queried at the same time as the friends, not before."""
    if scanned := _scanned(command):
        return show.ask(turn, scanned)
    command = _in_the_space_named(turn, command)
    if turn.get(Search, command.subject) is not None and not _says_what(command):
        return ()
    return _complaint(turn, command) or ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Ask the friends, or show the next hits of the list that this replies to."""
    if scanned := _scanned(command):
        return show.act(turn, scanned, answers)
    command = _in_the_space_named(turn, command)
    words = without_end(str(command.arguments.get("words", "")))
    if not _says_what(command) and search.next_page(turn, command):
        return None
    if complaint := _complaint(turn, command):
        return complaint
    if again := turn.spends("find", command.sender):  # each search sends a message to every friend
        return say(messages.catalogue.searched_too_often, again=again)
    page = str(command.arguments.get("page", "1")).strip()
    wanted = search.Wanted(words, str(command.arguments.get("category", "")).strip(), int(page))
    space = str(command.arguments.get("space", "")).strip().casefold()
    if is_called(turn.us.party, turn.us.name, space):
        search.begin(turn, command, wanted, (), own=True, only=turn.us.party)
    elif without_end(space) in {"", "all"}:
        rooms = rooms_told_of(turn, command.room)
        friends = [c for c in turn.active_connections() if c.room in rooms]
        search.begin(turn, command, wanted, friends, own=True)
    else:
        friend = active_friend(turn, command, space)
        if isinstance(friend, Phrase):
            return friend
        search.begin(turn, command, wanted, (friend,), own=False, only=friend.peer)
    return None


def _scanned(command: Command) -> Command | None:
    """The line as `show` of our own item, if it contains a scanned code: friends don't know our codes."""
    word = str(command.arguments.get("words", ""))
    return replace(command, arguments={"id": word}) if scanned_in(word) is not None else None


_EVERYTHING = frozenset({"all", "everything", "anything", "*", "alles"})


def _in_the_space_named(turn: Turn, command: Command) -> Command:
    """Read `list betaspace` as a search there, and `list` and `list everything` as a search at all friends."""
    words, *others = (str(command.arguments.get(name, "")).strip() for name in ("words", "space", "category"))
    if turn.get(Search, command.subject) is None and not words and not any(others):
        return replace(command, arguments={**command.arguments, "space": "all"})
    if words.casefold() in _EVERYTHING and not others[0]:
        return replace(command, arguments={**command.arguments, "words": "", "space": "all"})
    friends = [each for each in turn.active_connections() if is_called(each.peer, each.peer_name, words)]
    return replace(command, arguments={"space": words}) if friends and words and not any(others) else command


def _says_what(command: Command) -> bool:
    """Whether the line says what to look for, or where."""
    return any(command.arguments.get(name) for name in ("words", "space", "category"))


def _complaint(turn: Turn, command: Command) -> Phrase | None:
    page = str(command.arguments.get("page", "1")).strip()
    if not page.isdecimal() or not 1 <= int(page) <= search.MOST_PAGES:
        return say(messages.catalogue.no_such_page, word=page)
    if not _says_what(command):
        return incomplete(SPEC, command.arguments, SPEC.arguments[0])
    space = str(command.arguments.get("space", "")).strip()
    if without_end(space).casefold() in {"", "all"} or is_called(turn.us.party, turn.us.name, space):
        return None
    friend = active_friend(turn, command, space)
    return friend if isinstance(friend, Phrase) else None


HANDLER = Handler(SPEC, ask, act)
