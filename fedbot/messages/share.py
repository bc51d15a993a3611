"""The sharing list: what is on it, what went on or off it, and why not."""

from __future__ import annotations

from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.formatting import Bold, Inline, Items
from fedbot.messages.language import Lines, Locale
from fedbot.messages.naming import command
from fedbot.rules.model.catalogue import CATEGORY, EVERYTHING, ITEM, Share
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.queries import Thing

MOST_SHOWN = 30


def sharing_list(tongue: Locale, *, home: PartyConfig, shares: tuple[Share, ...], friends: tuple[str, ...]) -> Lines:
    """All that friends may find."""
    space = naming.space(tongue, home.name)
    if not shares:
        return [
            tongue.say("{space} shares nothing: friends find nothing here, and can't ask for anything.", space=space),
            tongue.say("Share an item, a part or a category: {share}", share=command("share M3-BOLT")),
        ]
    items = [_named(tongue, share) for share in shares[:MOST_SHOWN]]
    if len(shares) > MOST_SHOWN:
        items.append(tongue.say("and {number} more", number=len(shares) - MOST_SHOWN))
    return [
        tongue.some("{space} shares {number} entry:", "{space} shares {number} entries:", len(shares), space=space),
        Items(tuple(items)),
        _seen_by(tongue, friends),
        tongue.say("Off the list: {unshare}", unshare=command("unshare M3-BOLT")),
    ]


def _named(tongue: Locale, share: Share) -> tuple[Inline, ...]:
    """'M3 bolt, with all its stock'."""
    name = Bold(tongue.short(share.name))
    if share.model == EVERYTHING:
        return tongue.say("everything that we have")
    if share.model == CATEGORY:
        return tongue.say("{name}: the category, with all below it", name=name)
    if share.model == ITEM:
        return tongue.say("{name}: this item only", name=name)
    return tongue.say("{name}: the part, with all its stock", name=name)


def _seen_by(tongue: Locale, friends: tuple[str, ...]) -> tuple[Inline, ...]:
    if not friends:
        return tongue.say("Nobody sees it yet: we have no friends.")
    names = tongue.names(friends, most=8)
    return tongue.say("Seen by: {names}. What they ask for, our approvers decide each time.", names=names)


def shared_now(tongue: Locale, *, share: Share, thing: Thing, friends: tuple[str, ...]) -> Lines:
    """It is on the list."""
    first = tongue.say("Shared: {name}", name=_named(tongue, share))
    amount: Lines = []
    if share.model == CATEGORY:
        amount = [tongue.some("In it: {number} part.", "In it: {number} parts.", thing.parts)]
    elif share.model != EVERYTHING:
        stock = tongue.quantity(thing.quantity) if thing.quantity > Decimal(0) else tongue.word("nothing")
        amount = [tongue.say("In stock now: {stock}", stock=stock)]
    if not thing.salable:
        amount.append(
            tongue.say("⚠ Nobody finds it yet: InvenTree gives only salable parts away. Switch on 'salable' there.")
        )
    return [first, *amount, _seen_by(tongue, friends)]


def shared_already(tongue: Locale, *, name: str, by: Share) -> Lines:
    """It, or what it is part of, is on the list."""
    if not name or by.name == name:
        return [tongue.say("Already shared: {name}. I changed nothing.", name=_named(tongue, by))]
    return [
        tongue.say("{name} is shared already, by what it is part of. I changed nothing.", name=tongue.short(name)),
        tongue.say("That is {by}", by=_named(tongue, by)),
    ]


def not_ours_to_share(tongue: Locale, *, name: str, origin: str) -> Lines:
    """It came from another space."""
    space = naming.space(tongue, origin)
    return [
        tongue.say("Not shared: {name} came from {space}, so it isn't ours to share.", name=name, space=space),
        tongue.say("Whoever wants it can ask {space}.", space=space),
    ]


def sharing_list_full(tongue: Locale, *, most: int) -> Lines:
    """Too many single things."""
    return [
        tongue.say("Not shared: the list has {most} entries, and that is its end.", most=most),
        tongue.say("A category covers all its parts: share that in place of the single ones."),
    ]


def nothing_to_share(tongue: Locale, *, word: str, near: tuple[str, ...]) -> Lines:
    """The word means nothing in our InvenTree."""
    shown = tongue.short(word, 40)
    first = tongue.say('No item, part or category "{word}" in our InvenTree. I did nothing.', word=shown)
    if not near:
        return [first]
    return [first, tongue.say("Did you mean {names}?", names=tongue.names(near, any_of=True))]


def which_to_share(tongue: Locale, *, word: str, things: tuple[Thing, ...]) -> Lines:
    """The word means several things."""
    numbered = [
        tongue.say("{number}) {thing}", number=number, thing=_thing(tongue, thing))
        for number, thing in enumerate(things, start=1)
    ]
    numbers = [str(number) for number in range(1, len(things) + 1)]
    return [
        tongue.say('"{word}" can be several things. Which?', word=tongue.short(word, 40)),
        *numbered,
        tongue.say(
            "Reply {numbers} within 10 minutes. I did nothing yet.", numbers=tongue.names(numbers, any_of=True, most=9)
        ),
    ]


def _thing(tongue: Locale, thing: Thing) -> tuple[Inline, ...]:
    name = tongue.short(thing.name)
    if thing.model == CATEGORY:
        return tongue.say("the category {name}", name=name)
    if thing.model == ITEM:
        return tongue.say("the item {name}", name=name)
    return tongue.say("the part {name} (number {pk})", name=name, pk=thing.pk)


def not_shared(tongue: Locale, *, word: str, by: tuple[Share, ...]) -> Lines:
    """It isn't on the list, or only by what it is part of."""
    shown = tongue.short(word, 40)
    if not by:
        return [
            tongue.say('"{word}" is not on the sharing list. I did nothing.', word=shown),
            tongue.say("What is: {share}", share=command("share")),
        ]
    return [
        tongue.say('"{word}" is no entry of its own, but shared by what it is part of. I did nothing.', word=shown),
        tongue.say("That is {by}", by=_named(tongue, by[0])),
        tongue.say("Take that off the list, and share the rest of it one by one."),
    ]


def unshared_now(tongue: Locale, *, shares: tuple[Share, ...], still: tuple[Share, ...]) -> Lines:
    """Off the list."""
    if len(shares) > 1:
        return [tongue.say("Nothing is shared any more: {number} entries are off the list.", number=len(shares))]
    first = tongue.say("Not shared any more: {name}", name=_named(tongue, shares[0]))
    if still:
        return [first, tongue.say("⚠ Friends still see it, by what it is part of: {by}", by=_named(tongue, still[0]))]
    return [first, tongue.say("Friends can't find it or ask for it now. What is under way goes on.")]
