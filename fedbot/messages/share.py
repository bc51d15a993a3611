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


def sharing_list(locale: Locale, *, us: PartyConfig, shares: tuple[Share, ...], friends: tuple[str, ...]) -> Lines:
    """All that friends may find."""
    space = naming.space(locale, us.name)
    if not shares:
        return [
            locale.say("{space} shares nothing: friends find nothing here, and can't ask for anything.", space=space),
            locale.say("Share an item, a part or a category: {share}", share=command("share M3-BOLT")),
        ]
    items = [_named(locale, share) for share in shares[:MOST_SHOWN]]
    if len(shares) > MOST_SHOWN:
        items.append(locale.say("and {number} more", number=len(shares) - MOST_SHOWN))
    return [
        locale.some("{space} shares {number} entry:", "{space} shares {number} entries:", len(shares), space=space),
        Items(tuple(items)),
        _seen_by(locale, friends),
        locale.say("Off the list: {unshare}", unshare=command("unshare M3-BOLT")),
    ]


def _named(locale: Locale, share: Share) -> tuple[Inline, ...]:
    """'M3 bolt, with all its stock'."""
    name = Bold(locale.short(share.name))
    if share.model == EVERYTHING:
        return locale.say("everything that we have")
    if share.model == CATEGORY:
        return locale.say("{name}: the category, with all below it", name=name)
    if share.model == ITEM:
        return locale.say("{name}: this item only", name=name)
    return locale.say("{name}: the part, with all its stock", name=name)


def _seen_by(locale: Locale, friends: tuple[str, ...]) -> tuple[Inline, ...]:
    if not friends:
        return locale.say("Nobody sees it yet: we have no friends.")
    names = locale.names(friends, most=8)
    return locale.say("Seen by: {names}. What they ask for, our approvers decide each time.", names=names)


def shared_now(locale: Locale, *, share: Share, thing: Thing, friends: tuple[str, ...]) -> Lines:
    """It is on the list."""
    first = locale.say("Shared: {name}", name=_named(locale, share))
    amount: Lines = []
    if share.model == CATEGORY:
        amount = [locale.some("In it: {number} part.", "In it: {number} parts.", thing.parts)]
    elif share.model != EVERYTHING:
        stock = locale.quantity(thing.quantity) if thing.quantity > Decimal(0) else locale.word("nothing")
        amount = [locale.say("In stock now: {stock}", stock=stock)]
    if not thing.salable:
        amount.append(
            locale.say("⚠ Nobody finds it yet: InvenTree gives only salable parts away. Switch on 'salable' there.")
        )
    if thing.is_template:
        amount.append(locale.say("It is a template: its variants are shared with it, also new ones."))
    return [first, *amount, _seen_by(locale, friends)]


def shared_already(locale: Locale, *, name: str, by: Share) -> Lines:
    """It, or what it is part of, is on the list."""
    if not name or by.name == name:
        return [locale.say("Already shared: {name}. I changed nothing.", name=_named(locale, by))]
    return [
        locale.say("{name} is shared already, by what it is part of. I changed nothing.", name=locale.short(name)),
        locale.say("That is {by}", by=_named(locale, by)),
    ]


def not_ours_to_share(locale: Locale, *, name: str, origin: str) -> Lines:
    """It came from another space."""
    space = naming.space(locale, origin)
    return [
        locale.say("Not shared: {name} came from {space}, so it isn't ours to share.", name=name, space=space),
        locale.say("Whoever wants it can ask {space}.", space=space),
    ]


def sharing_list_full(locale: Locale, *, most: int) -> Lines:
    """Too many single things."""
    return [
        locale.say("Not shared: the list is full ({most} entries).", most=most),
        locale.say("A category covers all its parts: share that in place of the single ones."),
    ]


def nothing_to_share(locale: Locale, *, word: str, near: tuple[str, ...]) -> Lines:
    """The word means nothing in our InvenTree."""
    shown = locale.short(word, 40)
    first = locale.say('No item, part or category "{word}" in our InvenTree. I did nothing.', word=shown)
    if not near:
        return [first]
    return [first, locale.say("Did you mean {names}?", names=locale.names(near, any_of=True))]


def which_to_share(locale: Locale, *, word: str, things: tuple[Thing, ...]) -> Lines:
    """The word means several things."""
    numbered = [
        locale.say("{number}) {thing}", number=number, thing=_thing(locale, thing))
        for number, thing in enumerate(things, start=1)
    ]
    numbers = [str(number) for number in range(1, len(things) + 1)]
    return [
        locale.say('"{word}" can be several things. Which?', word=locale.short(word, 40)),
        *numbered,
        locale.say(
            "Reply {numbers} within 10 minutes. I did nothing yet.", numbers=locale.names(numbers, any_of=True, most=9)
        ),
    ]


def _thing(locale: Locale, thing: Thing) -> tuple[Inline, ...]:
    name = locale.short(thing.name)
    if thing.model == CATEGORY:
        return locale.say("the category {name}", name=name)
    if thing.model == ITEM:
        return locale.say("the item {name}", name=name)
    return locale.say("the part {name} (number {pk})", name=name, pk=thing.pk)


def not_shared(locale: Locale, *, word: str, by: tuple[Share, ...]) -> Lines:
    """It isn't on the list, or only by what it is part of."""
    shown = locale.short(word, 40)
    if not by:
        return [
            locale.say('"{word}" is not on the sharing list. I did nothing.', word=shown),
            locale.say("What is: {share}", share=command("share")),
        ]
    return [
        locale.say('"{word}" is no entry of its own, but shared by what it is part of. I did nothing.', word=shown),
        locale.say("That is {by}", by=_named(locale, by[0])),
        locale.say("Take that off the list, and share the rest of it one by one."),
    ]


def unshared_now(locale: Locale, *, shares: tuple[Share, ...], still: tuple[Share, ...]) -> Lines:
    """Off the list."""
    if len(shares) > 1:
        return [locale.say("Nothing is shared any more: {number} entries are off the list.", number=len(shares))]
    first = locale.say("Not shared any more: {name}", name=_named(locale, shares[0]))
    if still:
        return [first, locale.say("⚠ Friends still see it, by what it is part of: {by}", by=_named(locale, still[0]))]
    return [first, locale.say("Friends can't find it or ask for it now. What is under way goes on.")]
