"""`!fed unshare ITEM|PART|CATEGORY`: remove an entry from the sharing list."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.grammar import SHOWN
from fedbot.commands.share import ALL, MOST_TOLD, let_choose, named, word_of
from fedbot.commands.spec import Argument, Handler, Kind, Verb
from fedbot.rules.catalogue import share as catalogue_share
from fedbot.rules.model.catalogue import Share
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Answer, FindShareable, Query, Shareable, Thing
from fedbot.rules.model.stock import Permission
from fedbot.rules.state import Turn

SPEC = Verb(
    name="unshare",
    aliases=("hide",),
    summary="stop sharing a part or category",
    permission=Permission.APPROVER,
    arguments=(Argument("thing", Kind.ANYTHING, "ITEM|PART|CATEGORY|all"),),
    examples=("unshare M3-BOLT", "unshare #42"),
    details=("Running transfers continue. 'unshare all' clears the list.",),
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask what the word means, if the list has no entry with it: another entry may cover it."""
    word = word_of(command)
    return () if word.casefold() in ALL or _listed(turn, word) else (FindShareable(word),)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Remove it from the list, or say which entry shares it."""
    word = word_of(command)
    if word.casefold() in ALL:
        return _unshare(turn, command, turn.all(Share))
    listed = _listed(turn, word)
    if not listed and answers:
        (found,) = answers
        if not isinstance(found, Shareable):
            raise TypeError(f"unshare asks for what is shared, not {found!r}")
        own = [turn.get(Share, f"{thing.model}:{thing.pk}") for thing in found.things]
        listed = [share for share in own if share is not None]
        if not listed:
            covering = [s for thing in found.things for s in catalogue_share.covering(turn, "", thing.above)]
            return say(messages.catalogue.not_shared, word=word[:SHOWN], by=tuple(dict.fromkeys(covering)))
    if len(listed) > 1:
        things = tuple(Thing(share.model, share.pk, share.name) for share in listed[:MOST_TOLD])
        let_choose(turn, command, SPEC, things)
        return None
    return _unshare(turn, command, listed)


def _listed(turn: Turn, word: str) -> list[Share]:
    """The entries with that name, or with the word that a list of choices uses."""
    wanted = word.casefold()
    return [
        share
        for share in turn.all(Share)
        if wanted in {share.name.casefold(), named(Thing(share.model, share.pk, share.name))}
    ]


def _unshare(turn: Turn, command: Command, shares: list[Share]) -> Phrase:
    if not shares:
        return say(messages.catalogue.not_shared, word=word_of(command)[:SHOWN], by=())
    catalogue_share.end(turn, shares, turn.signature_of(command))
    still = catalogue_share.covering(turn, "", shares[0].above) if len(shares) == 1 else []
    return say(messages.catalogue.unshared_now, shares=tuple(shares), still=tuple(still))


HANDLER = Handler(SPEC, ask, act)
