"""`match`: which part of ours a friend's thing is."""

from __future__ import annotations

from fedbot.messages import naming
from fedbot.messages.formatting import Bold, Inline, Items
from fedbot.messages.language import Lines, Locale
from fedbot.messages.naming import command
from fedbot.rules.model.catalogue import Alias
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import Part

MOST_SHOWN = 20


def _ours(tongue: Locale, alias: Alias) -> str:
    """'Rotes PLA (PLA-ROT)'."""
    name = tongue.short(alias.name, 60)
    return f"{name} ({tongue.short(alias.ipn, 40)})" if alias.ipn else name


def _said(tongue: Locale, alias: Alias) -> tuple[Inline, ...]:
    word, peer = tongue.short(alias.word, 60), tongue.short(alias.peer, 40)
    return tongue.say('"{word}" of {peer} is {ours}', word=word, peer=peer, ours=_ours(tongue, alias))


def matched(tongue: Locale, *, alias: Alias, peer: str, before: Alias | None) -> Lines:
    """It is kept."""
    first = tongue.say(
        '✅ What {peer} calls "{word}" is our {ours} from now on.',
        peer=naming.space(tongue, peer),
        word=tongue.short(alias.word, 60),
        ours=Bold(_ours(tongue, alias)),
    )
    lines: Lines = [first, tongue.say("A card that waits for a place changes now; other open cards stay as they are.")]
    if before is not None and before.part != alias.part:
        lines.append(tongue.say("Before, it was {ours}, as {who} had said.", ours=_ours(tongue, before), who=before.by))
    undo = command(f'match "{alias.word}" --forget from {alias.peer}')
    return [*lines, tongue.say("To undo it: {undo}", undo=undo)]


def matches(tongue: Locale, *, home: PartyConfig, aliases: tuple[Alias, ...]) -> Lines:
    """All that was said so far."""
    example = command("match OUR-IPN THEIR-IPN from SPACE")
    if not aliases:
        return [
            tongue.say("Nothing is matched by hand at {space}.", space=naming.space(tongue, home.name)),
            tongue.say(
                "Parts with the same IPN or name find each other by themselves. Others: {example}", example=example
            ),
        ]
    entries = [
        (*_said(tongue, alias), *tongue.say(", says {who}", who=tongue.short(alias.by, 40))) for alias in aliases
    ]
    shown = entries[:MOST_SHOWN]
    if len(entries) > MOST_SHOWN:
        shown.append(tongue.say("and {number} more", number=len(entries) - MOST_SHOWN))
    first = tongue.some("{number} thing is matched by hand:", "{number} things are matched by hand:", len(aliases))
    return [first, Items(tuple(shown)), tongue.say("Not any more: {undo}", undo=command("match NAME --forget"))]


def match_forgotten(tongue: Locale, *, aliases: tuple[Alias, ...]) -> Lines:
    """It isn't so any more."""
    if len(aliases) == 1:
        return [(*tongue.say("Forgotten: "), *_said(tongue, aliases[0]), ".")]
    return [tongue.say("Forgotten:"), Items(tuple(_said(tongue, alias) for alias in aliases[:MOST_SHOWN]))]


def nothing_matched(tongue: Locale, *, word: str, near: tuple[str, ...]) -> Lines:
    """There is nothing to forget under that word."""
    if not word:
        return [tongue.say("Forget what? Say it like this: {example}", example=command("match NAME --forget"))]
    shown = tongue.short(word, 40)
    if near:
        names = tongue.names(near, any_of=True)
        return [tongue.say('"{word}" isn\'t matched. Did you mean {names}? I did nothing.', word=shown, names=names)]
    return [tongue.say('"{word}" isn\'t matched, so there is nothing to forget.', word=shown)]


def no_part_to_match(tongue: Locale, *, word: str, near: tuple[str, ...]) -> Lines:
    """No part of ours is called that."""
    first = tongue.say('We have no part "{word}". I did nothing.', word=tongue.short(word, 40))
    if near:
        return [first, tongue.say("Did you mean {names}?", names=tongue.names(near, any_of=True))]
    return [first, tongue.say("Ours comes first, then what the friend calls it.")]


def several_parts_match(tongue: Locale, *, word: str, parts: tuple[Part, ...]) -> Lines:
    """Several parts of ours are called that."""
    entries = tuple(
        tongue.say("{name}, {ipn}", name=tongue.short(part.name, 60), ipn=tongue.short(part.ipn or "–", 40))
        for part in parts[:MOST_SHOWN]
    )
    shown = tongue.short(word, 40)
    first = tongue.say('"{word}" is several parts of ours; say which by its IPN. I did nothing.', word=shown)
    return [first, Items(entries)]
