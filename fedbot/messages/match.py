"""`match`: which of our parts a friend's part is."""

from __future__ import annotations

from fedbot.messages import naming
from fedbot.messages.formatting import Bold, Inline, Items
from fedbot.messages.language import Lines, Locale
from fedbot.messages.naming import command
from fedbot.rules.model.catalogue import Alias
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import Part

MOST_SHOWN = 20


def _ours(locale: Locale, alias: Alias) -> str:
    """'Rotes PLA (PLA-ROT)'."""
    name = locale.short(alias.name, 60)
    return f"{name} ({locale.short(alias.ipn, 40)})" if alias.ipn else name


def _said(locale: Locale, alias: Alias) -> tuple[Inline, ...]:
    word, peer = locale.short(alias.word, 60), locale.short(alias.peer, 40)
    return locale.say('"{word}" of {peer} is {ours}', word=word, peer=peer, ours=_ours(locale, alias))


def matched(locale: Locale, *, alias: Alias, peer: str, before: Alias | None) -> Lines:
    """It is kept."""
    first = locale.say(
        '✅ What {peer} calls "{word}" is our {ours} from now on.',
        peer=naming.space(locale, peer),
        word=locale.short(alias.word, 60),
        ours=Bold(_ours(locale, alias)),
    )
    lines: Lines = [first, locale.say("A card that waits for a place changes now; other open cards stay as they are.")]
    if before is not None and before.part != alias.part:
        lines.append(locale.say("Before, it was {ours}, as {who} had said.", ours=_ours(locale, before), who=before.by))
    undo = command(f'match "{alias.word}" --forget from {alias.peer}')
    return [*lines, locale.say("To undo it: {undo}", undo=undo)]


def matches(locale: Locale, *, us: PartyConfig, aliases: tuple[Alias, ...]) -> Lines:
    """All that was said so far."""
    example = command("match OUR-IPN THEIR-IPN from SPACE")
    if not aliases:
        return [
            locale.say("Nothing is matched by hand at {space}.", space=naming.space(locale, us.name)),
            locale.say(
                "Parts with the same IPN or name find each other by themselves. Others: {example}", example=example
            ),
        ]
    entries = [
        (*_said(locale, alias), *locale.say(", says {who}", who=locale.short(alias.by, 40))) for alias in aliases
    ]
    shown = entries[:MOST_SHOWN]
    if len(entries) > MOST_SHOWN:
        shown.append(locale.say("and {number} more", number=len(entries) - MOST_SHOWN))
    first = locale.some("{number} thing is matched by hand:", "{number} things are matched by hand:", len(aliases))
    return [first, Items(tuple(shown)), locale.say("Not any more: {undo}", undo=command("match NAME --forget"))]


def match_forgotten(locale: Locale, *, aliases: tuple[Alias, ...]) -> Lines:
    """It isn't so any more."""
    if len(aliases) == 1:
        return [(*locale.say("Forgotten: "), *_said(locale, aliases[0]), ".")]
    return [locale.say("Forgotten:"), Items(tuple(_said(locale, alias) for alias in aliases[:MOST_SHOWN]))]


def nothing_matched(locale: Locale, *, word: str, near: tuple[str, ...]) -> Lines:
    """There is nothing to forget under that word."""
    if not word:
        return [locale.say("Forget what? Say it like this: {example}", example=command("match NAME --forget"))]
    shown = locale.short(word, 40)
    if near:
        names = locale.names(near, any_of=True)
        return [locale.say('"{word}" isn\'t matched. Did you mean {names}? I did nothing.', word=shown, names=names)]
    return [locale.say('"{word}" isn\'t matched, so there is nothing to forget.', word=shown)]


def no_part_to_match(locale: Locale, *, word: str, near: tuple[str, ...]) -> Lines:
    """None of our parts has that name."""
    first = locale.say('We have no part "{word}". I did nothing.', word=locale.short(word, 40))
    if near:
        return [first, locale.say("Did you mean {names}?", names=locale.names(near, any_of=True))]
    return [first, locale.say("Ours comes first, then what the friend calls it.")]


def several_parts_match(locale: Locale, *, word: str, parts: tuple[Part, ...]) -> Lines:
    """Several of our parts have that name."""
    entries = tuple(
        locale.say("{name}, {ipn}", name=locale.short(part.name, 60), ipn=locale.short(part.ipn or "–", 40))
        for part in parts[:MOST_SHOWN]
    )
    shown = locale.short(word, 40)
    first = locale.say('"{word}" is several of our parts; say which by its IPN. I did nothing.', word=shown)
    return [first, Items(entries)]


def practice_stays_practice(locale: Locale, *, part: Part, peer: str) -> Lines:
    """A real part for the pretend friend's, or a part for practice for a real friend's."""
    return [
        locale.say(
            "{name} and what {peer} has can't be the same; nothing was done.",
            name=locale.short(part.name, 60),
            peer=naming.space(locale, peer),
        ),
        locale.say("Practice and real stock don't mix."),
    ]
