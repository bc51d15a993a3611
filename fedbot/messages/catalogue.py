"""The sharing list, the hits of `find`, matches with a friend's parts, and wants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.language import Lines, Locale, Words, lines_of, marked
from fedbot.messages.markup import Bold, Code, Inline, Items, joined
from fedbot.messages.naming import command
from fedbot.rules.model.catalogue import (
    CATEGORY,
    EVERYTHING,
    ITEM,
    SEARCH_SILENT_AFTER,
    Alias,
    FriendWant,
    Hit,
    Search,
    Share,
    SpaceHits,
    Want,
)
from fedbot.rules.model.command import NUMBER_WITHIN
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.lifecycles import WantState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.queries import Thing
from fedbot.rules.model.stock import Part

# --- The sharing list: its entries, changes to it, and refusals.

MOST_SHOWN = 30


def sharing_list(locale: Locale, *, us: PartyConfig, shares: tuple[Share, ...], friends: tuple[str, ...]) -> Lines:
    """The list of everything that friends can find."""
    space = naming.space(locale, us.name)
    if not shares:
        return [
            locale.say("{space} shares nothing: friends find nothing here, and can't request anything.", space=space),
            locale.say("Share an item, a part or a category: {share}", share=command("share M3-BOLT")),
        ]
    items = [_named(locale, share) for share in shares[:MOST_SHOWN]]
    if len(shares) > MOST_SHOWN:
        items.append(locale.say("and {number} more", number=len(shares) - MOST_SHOWN))
    return [
        locale.some("{space} shares {number} entry:", "{space} shares {number} entries:", len(shares), space=space),
        Items(tuple(items)),
        _seen_by(locale, friends),
        locale.say("To remove one: {unshare}", unshare=command("unshare M3-BOLT")),
    ]


def _named(locale: Locale, share: Share) -> tuple[Inline, ...]:
    """'M3 bolt, with all its stock'."""
    name = Bold(locale.short(share.name))
    if share.model == EVERYTHING:
        return locale.say("everything that we have")
    if share.model == CATEGORY:
        return locale.say("{name} (the category, with everything in it)", name=name)
    if share.model == ITEM:
        return locale.say("{name} (only this item)", name=name)
    return locale.say("{name} (the part, with all its stock)", name=name)


def _seen_by(locale: Locale, friends: tuple[str, ...]) -> tuple[Inline, ...]:
    if not friends:
        return locale.say("Nobody sees it yet, because we have no friends here.")
    names = locale.names(friends, most=8)
    return locale.say("Visible to: {names}. When they request something, our approvers decide each time.", names=names)


def shared_now(locale: Locale, *, share: Share, thing: Thing, friends: tuple[str, ...]) -> Lines:
    """The answer to `share`: the new entry."""
    first = locale.say("Shared: {name}", name=_named(locale, share))
    amount: Lines = []
    if share.model == CATEGORY:
        amount = [locale.some("In it: {number} part.", "In it: {number} parts.", thing.parts)]
    elif share.model != EVERYTHING:
        stock = locale.quantity(thing.quantity) if thing.quantity > Decimal(0) else locale.word("nothing")
        amount = [locale.say("In stock now: {stock}", stock=stock)]
    if not thing.salable:
        amount.append(
            locale.say("⚠ Nobody can find it yet: InvenTree only gives away salable parts. Switch on 'salable' there.")
        )
    if thing.is_template:
        amount.append(locale.say("It is a template: its variants are shared with it, also new ones."))
    return [first, *amount, _seen_by(locale, friends)]


def shared_already(locale: Locale, *, name: str, by: Share) -> Lines:
    """The answer to `share` if the item, or a category that contains it, is on the list already."""
    if not name or by.name == name:
        return [locale.say("Already shared: {name}. I changed nothing.", name=_named(locale, by))]
    return [
        locale.say(
            "{name} is shared already, because it belongs to a shared entry. I changed nothing.",
            name=locale.short(name),
        ),
        locale.say("That is {by}", by=_named(locale, by)),
    ]


def not_ours_to_share(locale: Locale, *, name: str, origin: str) -> Lines:
    """The refusal to share an item that came from another space."""
    space = naming.space(locale, origin)
    return [
        locale.say("Not shared: {name} came from {space}, so it isn't ours to share.", name=name, space=space),
        locale.say("People who want it can ask {space}.", space=space),
    ]


def sharing_list_full(locale: Locale, *, most: int) -> Lines:
    """The refusal of one more entry on the sharing list."""
    return [
        locale.say("Not shared: the list is full ({most} entries).", most=most),
        locale.say("A category covers all its parts: share that instead of single parts."),
    ]


def nothing_to_share(locale: Locale, *, word: str, near: tuple[str, ...]) -> Lines:
    """The answer if our InvenTree has nothing of that name."""
    shown = locale.short(word, 40)
    first = locale.say('No item, part or category "{word}" in our InvenTree. I did nothing.', word=shown)
    if not near:
        return [first]
    return [first, locale.say("Did you mean {names}?", names=locale.names(near, any_of=True))]


def share_alone(locale: Locale, *, word: str) -> Lines:
    """The refusal to share several things if one of the names can mean more than one thing."""
    line = command(f"share {locale.short(word, 40)}")
    first = locale.say('Nothing is shared yet: "{word}" can be several things.', word=locale.short(word, 40))
    return [first, locale.say("Share it alone, and I'll ask which one you mean: {line}", line=line)]


def several_shared(locale: Locale, *, told: tuple[Phrase, ...]) -> Lines:
    """The answers of `share A, B`, one after the other."""
    return [line for phrase in told for line in lines_of(locale, phrase)]


def which_to_share(locale: Locale, *, word: str, things: tuple[Thing, ...]) -> Lines:
    """A numbered list, if the name can mean several things."""
    numbered = [
        locale.say("{number}) {thing}", number=number, thing=_thing(locale, thing))
        for number, thing in enumerate(things, start=1)
    ]
    numbers = [str(number) for number in range(1, len(things) + 1)]
    return [
        locale.say('"{word}" can be several things. Which do you mean?', word=locale.short(word, 40)),
        *numbered,
        locale.say(
            "Reply {numbers} within 10 minutes. I have done nothing yet.",
            numbers=locale.names(numbers, any_of=True, most=9),
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
    """The answer to `unshare` if the item isn't on the list, or only by a category that contains it."""
    shown = locale.short(word, 40)
    if not by:
        return [
            locale.say('"{word}" is not on the sharing list. I did nothing.', word=shown),
            locale.say("To see the entries: {share}", share=command("share")),
        ]
    return [
        locale.say(
            '"{word}" has no entry of its own. It is shared because it belongs to another entry. I did nothing.',
            word=shown,
        ),
        locale.say("That is {by}", by=_named(locale, by[0])),
        locale.say("Remove that entry, and share the other items one by one."),
    ]


def unshared_now(locale: Locale, *, shares: tuple[Share, ...], still: tuple[Share, ...]) -> Lines:
    """The answer to `unshare`."""
    if len(shares) > 1:
        return [locale.say("Nothing is shared any more: I removed {number} entries.", number=len(shares))]
    first = locale.say("Not shared any more: {name}", name=_named(locale, shares[0]))
    if still:
        return [first, locale.say("⚠ Friends still see it, because it belongs to {by}", by=_named(locale, still[0]))]
    return [first, locale.say("Friends can't find it or request it now. Running transfers continue.")]


# --- The answers of `find`: numbered hits, spaces without hits, and spaces that did not answer.

Sentence = tuple[Inline, ...]
_ALL = 100
_FOR_EXAMPLE = Decimal(2)


def found(
    locale: Locale,
    *,
    us: PartyConfig,
    search: Search,
    silent: tuple[str, ...],
    first: int,
    most: int,
    today: date,
) -> Lines:
    """A page of hits. The first page also names the spaces without hits, and why they have none."""
    hits = search.hits
    words = _what(locale, search)
    page = hits[first : first + most]
    lines: Lines = []
    if not search.words:
        lines.append(_browsed(locale, search))
    elif hits:
        lines.append(locale.some('{number} hit for "{words}":', '{number} hits for "{words}":', len(hits), words=words))
    else:
        lines.append(locale.say('Nothing found for "{words}".', words=words))
    lines += [_hit(locale, number, space, hit) for number, (space, hit) in enumerate(page, start=first + 1)]
    left = len(hits) - first - len(page)
    if left > 0:
        lines.append(locale.some("… and {number} more: reply “more”", "… and {number} more: reply “more”", left))
    if first == 0:
        lines += [note for space in search.came if (note := _about(locale, search, space, us))]
        lines += [_silent(locale, name, us) for name in silent]
        if not search.only and not silent and [space.party for space in search.came] == [us.party]:
            lines.append(locale.say("I asked no other space: we have no friends here yet."))
    theirs = [each for each in enumerate(page, start=first + 1) if each[1][0].party != us.party]
    return [*lines, *_what_to_type(locale, theirs, today)]


def _what_to_type(locale: Locale, theirs: Sequence[tuple[int, tuple[SpaceHits, Hit]]], today: date) -> Lines:
    """The line that requests the first hit of a friend that is free now; if none is, the line that waits for it."""
    free = ((number, hit.free_for_us(today), hit.quantity) for number, (_, hit) in theirs)
    number, most, whole = next((each for each in free if each[1]), (0, Decimal(0), Decimal(0)))
    if number and whole == 1:
        within, ask = locale.span(NUMBER_WITHIN), f"ask {number}"
        sentence = "To request number {number}, reply within {time}: {ask}"
        return [locale.say(sentence, time=within, number=number, ask=ask)]
    if number:
        example = Decimal(1) if number == _FOR_EXAMPLE else _FOR_EXAMPLE  # "ask 2 2" wouldn't show which is which
        quantity = locale.typed(min(most, example))
        within, ask = locale.span(NUMBER_WITHIN), f"ask {number} {quantity}"
        return [
            locale.say(
                "To request {quantity} of number {number}, reply within {time}: {ask}",
                quantity=quantity,
                time=within,
                number=number,
                ask=ask,
            )
        ]
    lent = next(((number, space, hit) for number, (space, hit) in theirs if _may_wait(hit)), None)
    if lent is None:
        return []
    number, space, hit = lent
    wait = command(f'wait 1 "{hit.ipn or hit.name}" from {space.party}')
    return [locale.say("To wait for number {number}: {wait}", number=number, wait=wait)]


def _may_wait(hit: Hit) -> bool:
    """Whether waiting for it makes sense: we don't wait for it yet, and somebody else has some of it."""
    return not hit.place and not hit.is_all_with_us


def _what(locale: Locale, search: Search) -> str:
    """The search words, in quotes."""
    return locale.short(search.words or search.category, 40)


def _browsed(locale: Locale, search: Search) -> Sentence:
    """The first line of a search without words: all that is shared, or one category of it."""
    if search.category:
        words = _what(locale, search)
        sentence = 'Shared items in "{words}":' if search.hits else 'No shared item is in "{words}" now.'
        return locale.say(sentence, words=words)
    return locale.say("Shared items that are free now:" if search.hits else "No shared item is free now.")


def _hit(locale: Locale, number: int, space: SpaceHits, hit: Hit) -> Sentence:
    """'3) Betaspace: M3 bolt (M3-BOLT), 210'."""
    name = locale.short(hit.name, 60) or locale.word("something without a name")
    if hit.ipn:
        name = locale.word("{name} ({ipn})").format(name=name, ipn=locale.short(hit.ipn, 40))
    if hit.revision:
        name = f"{name}, {naming.revision(locale, hit.revision)}"
    names: dict[str, Words] = {"number": number, "space": naming.space(locale, space.name), "thing": Bold(name)}
    if hit.quantity:
        quantity = locale.quantity(hit.quantity, hit.units)
        told = locale.say("{number}) {space}: {thing}, {quantity}", quantity=quantity, **names)
    else:
        told = locale.say("{number}) {space}: {thing}, nothing free now", **names)
    return (*told, *availability(locale, hit))


def availability(locale: Locale, hit: Hit) -> Sentence:
    """The end of the sentence about a hit: ', 1 more lent until 3 December, 2 wait for it'; may be ''."""
    told: Sentence = ()
    if hit.flawed:
        flawed, condition = locale.quantity(hit.flawed, hit.units), naming.status(locale, hit.condition, 0)
        told = (*told, *locale.say(", of which {flawed} ⚠ {condition}", flawed=flawed, condition=condition))
    if hit.lent and hit.back:
        lent, day = locale.quantity(hit.lent, hit.units), locale.day(hit.back)
        sentence = ", {lent} more lent until {day}" if hit.quantity else ", {lent} lent until {day}"
        told = (*told, *locale.say(sentence, lent=lent, day=day))
        if hit.ours:
            ours = locale.quantity(hit.ours, hit.units)
            told = (*told, *locale.say(", to us" if hit.ours >= hit.lent else ", {ours} of them to us", ours=ours))
    if hit.booked and hit.booked_from and hit.booked_until:
        names = {
            "booked": locale.quantity(hit.booked, hit.units),
            "first": locale.day(hit.booked_from, year=False),
            "free": locale.day(hit.booked_until + timedelta(days=1)),
        }
        told = (*told, *locale.say(", {booked} booked from {first}, free from {free}", **names))
    if hit.waiting:
        told = (*told, *locale.some(", {number} waits for it", ", {number} wait for it", hit.waiting))
    if hit.place:
        told = (*told, *locale.say(", our place is {place}", place=locale.count(hit.place)))
    return told


def _about(locale: Locale, search: Search, space: SpaceHits, us: PartyConfig) -> Sentence:
    """The reason why a space has no hits, or that it has more; empty if its hits say it all."""
    name = Bold(naming.space(locale, space.name))
    if space.problem:
        return _problem(locale, space, name)
    if space.percent < _ALL:
        return locale.say(
            "I have read {percent} % of our InvenTree so far. There may be more; ask again later.",
            percent=space.percent,
        )
    if space.cut:
        return _more(locale, search, space, name)
    if space.hits:
        return ()
    if not space.shared and space.party == us.party:
        return locale.say("{space} (we) shares nothing yet: {share}", space=name, share=command("share"))
    if not space.shared:
        return locale.say("{space} shares nothing.", space=name)
    if not search.words:
        return locale.say("{space} has nothing of that free now.", space=name)
    return locale.say("{space} shares nothing that matches.", space=name)


def _more(locale: Locale, search: Search, space: SpaceHits, name: Bold) -> Sentence:
    """The space has more hits than it returned, and how to see them."""
    if search.words:
        return locale.say("{space} has more hits than it can list. Type more words.", space=name)
    browse = f"find in {space.party}" + (f' --category "{search.category}"' if search.category else "")
    next_ = command(f"{browse} --page {search.page + 1}")
    return locale.say("{space} has more: {next}", space=name, next=next_)


def _problem(locale: Locale, space: SpaceHits, name: Bold) -> Sentence:
    """The reason why a space can't search."""
    if space.problem == "inventory":
        return locale.say("{space}: not searched, because its InvenTree does not answer.", space=name)
    if space.problem == "later" and space.again is not None:
        when = locale.clock(space.again)
        return locale.say("We asked {space} too often. It searches again from {when}.", space=name, when=when)
    if space.problem == "hidden":
        return locale.say(
            "{space} has some, but keeps it out of shared rooms. Ask me in our admin room: {find}",
            space=name,
            find=command(f"find … in {space.party}"),
        )
    return locale.say("{space}: its bot's answer can't be read.", space=name)


def _silent(locale: Locale, name: str, us: PartyConfig) -> Sentence:
    if name == us.name:
        return locale.say(
            "{space}: our InvenTree has not answered for {time}. I'll add our hits here when it does.",
            time=locale.span(SEARCH_SILENT_AFTER),
            space=Bold(naming.space(locale, name)),
        )
    return locale.say(
        "{space}: its bot has not answered for {time}. I'll add its hits here when it does.",
        time=locale.span(SEARCH_SILENT_AFTER),
        space=Bold(naming.space(locale, name)),
    )


def did_you_mean(locale: Locale, *, peer_name: str, word: str, hits: tuple[Hit, ...]) -> Lines:
    """The owner has no item of the requested name, but its bot finds some by these words: a numbered list."""
    space, names = SpaceHits("", peer_name), {"word": locale.short(word, 40), "time": locale.span(NUMBER_WITHIN)}
    if len(hits) == 1:
        first = locale.say('Did you mean this by "{word}"?', **names)
        how = locale.say(
            "If so, reply 1 within {time}. Then I ask for it, and leave the rest as you typed it.", **names
        )
    else:
        first = locale.say('Did you mean one of these by "{word}"?', **names)
        how = locale.say(
            "If so, reply with its number within {time}. Then I ask for it, and leave the rest as you typed it.",
            **names,
        )
    return [first, *(_hit(locale, number, space, hit) for number, hit in enumerate(hits, 1)), how]


def no_more_found(locale: Locale, *, search: Search) -> Lines:
    """The answer to `more` after the last hit."""
    if not search.words:
        return [locale.say("That was all of this list.")]
    return [locale.say('That was all for "{words}".', words=_what(locale, search))]


def no_such_page(locale: Locale, *, word: str) -> Lines:
    """The answer to `--page` without a number."""
    return [
        locale.say('Not searched: "{word}" isn\'t a page number.', word=locale.short(word, 20)),
        locale.say("For example: {find}", find=command("find in SPACE --page 2")),
    ]


def searched_too_often(locale: Locale, *, again: datetime) -> Lines:
    """The refusal of too many searches by one person within an hour."""
    return [
        locale.say("Not searched: you have searched too often in a short time."),
        locale.say("You can search again from {when}.", when=locale.clock(again)),
    ]


def list_too_old(locale: Locale) -> Lines:
    """The refusal of a number, or of `more`, for a list of hits that may be outdated."""
    return [
        locale.say(
            "That list is older than {time}, and items may have moved. I did nothing.", time=locale.span(NUMBER_WITHIN)
        ),
        locale.say("Search again: {find}", find=command("find …")),
    ]


def one_hit_a_line(locale: Locale) -> Lines:
    """The answer to a reply to a list that begins to ask for something and can't be read."""
    return [
        locale.say("I can't read that. Ask for one number at a time, then how much: {line}", line=Code("ask 1 2")),
        locale.say("To borrow it: {line}. I did nothing.", line=Code("borrow 1 2 for 2 weeks")),
    ]


def no_such_hit(locale: Locale, *, number: int, count: int) -> Lines:
    """The answer to a number that isn't on the list."""
    if not count:
        return [locale.say("That list has no hits. I did nothing.")]
    return [
        locale.some(
            "There is no number {wanted}: the list has only one. I did nothing.",
            "There is no number {wanted}: the list goes to {number}. I did nothing.",
            count,
            wanted=number,
        )
    ]


# --- `match`: a friend's part is one of our parts.

MOST_MATCHES_SHOWN = 20


def _ours(locale: Locale, alias: Alias) -> str:
    """'Rotes PLA (PLA-ROT)'."""
    name = locale.short(alias.name, 60)
    return f"{name} ({locale.short(alias.ipn, 40)})" if alias.ipn else name


def _said(locale: Locale, alias: Alias) -> tuple[Inline, ...]:
    word, peer = locale.short(alias.word, 60), locale.short(alias.peer, 40)
    return locale.say('"{word}" of {peer} is {ours}', word=word, peer=peer, ours=_ours(locale, alias))


def matched(locale: Locale, *, alias: Alias, peer: str, before: Alias | None) -> Lines:
    """The answer to `match`: the new match."""
    first = locale.say(
        '✅ What {peer} calls "{word}" is our {ours} from now on.',
        peer=naming.space(locale, peer),
        word=locale.short(alias.word, 60),
        ours=Bold(_ours(locale, alias)),
    )
    lines: Lines = [
        first,
        locale.say("A card that waits for a location changes now. Other open cards stay as they are."),
    ]
    if before is not None and before.part != alias.part:
        lines.append(locale.say("Before, {who} had matched it with {ours}.", ours=_ours(locale, before), who=before.by))
    undo = command(f'match "{alias.word}" --forget from {alias.peer}')
    return [*lines, locale.say("To undo it: {undo}", undo=undo)]


def matches(locale: Locale, *, us: PartyConfig, aliases: tuple[Alias, ...]) -> Lines:
    """The list of all matches."""
    example = command("match OUR-IPN THEIR-IPN from SPACE")
    if not aliases:
        return [
            locale.say("{space} has matched nothing by hand.", space=naming.space(locale, us.name)),
            locale.say(
                "Parts with the same IPN or name match by themselves. To match others: {example}", example=example
            ),
        ]
    entries = [
        (*_said(locale, alias), *locale.say(", says {who}", who=locale.short(alias.by, 40))) for alias in aliases
    ]
    shown = entries[:MOST_MATCHES_SHOWN]
    if len(entries) > MOST_MATCHES_SHOWN:
        shown.append(locale.say("and {number} more", number=len(entries) - MOST_MATCHES_SHOWN))
    first = locale.some("{number} part is matched by hand:", "{number} parts are matched by hand:", len(aliases))
    return [first, Items(tuple(shown)), locale.say("To remove a match: {undo}", undo=command("match NAME --forget"))]


def match_forgotten(locale: Locale, *, aliases: tuple[Alias, ...]) -> Lines:
    """The answer to `match --forget`."""
    if len(aliases) == 1:
        return [(*locale.say("Forgotten: "), *_said(locale, aliases[0]), ".")]
    return [locale.say("Forgotten:"), Items(tuple(_said(locale, alias) for alias in aliases[:MOST_MATCHES_SHOWN]))]


def nothing_matched(locale: Locale, *, word: str, near: tuple[str, ...]) -> Lines:
    """The answer to `match --forget` for a name without a match."""
    if not word:
        return [locale.say("Remove which match? For example: {example}", example=command("match NAME --forget"))]
    shown = locale.short(word, 40)
    if near:
        names = locale.names(near, any_of=True)
        return [locale.say('"{word}" isn\'t matched. Did you mean {names}? I did nothing.', word=shown, names=names)]
    return [locale.say('"{word}" isn\'t matched, so there is no match to remove.', word=shown)]


def match_incomplete(locale: Locale, *, item: str, name: str, lines: tuple[str, ...]) -> Lines:
    """The answer to `match` without the friend's name of the item, or without the friend; `name`: '' if that lacks.

    `lines`: a whole line for each friend that may be meant.
    """
    if name:
        first = locale.say('Who calls it "{name}"? I did nothing.', name=locale.short(name, 40))
    else:
        first = locale.say('What does your friend call "{item}"? I did nothing.', item=locale.short(item, 40))
    ways = Items(tuple((Code(line),) for line in lines))
    if name:
        return [first, locale.say("Please type one of these:"), ways]
    return [first, locale.say("Please type it with their IPN or name instead of NAME:"), ways]


def no_part_to_match(locale: Locale, *, word: str, near: tuple[str, ...]) -> Lines:
    """The answer if none of our parts has that name."""
    first = locale.say('We have no part "{word}". I did nothing.', word=locale.short(word, 40))
    if near:
        return [first, locale.say("Did you mean {names}?", names=locale.names(near, any_of=True))]
    return [first, locale.say("Our part comes first, then the friend's name for it.")]


def several_parts_match(locale: Locale, *, word: str, parts: tuple[Part, ...]) -> Lines:
    """The answer if several of our parts have that name."""
    entries = tuple(
        locale.say("{name}, {ipn}", name=locale.short(part.name, 60), ipn=locale.short(part.ipn or "–", 40))
        for part in parts[:MOST_MATCHES_SHOWN]
    )
    shown = locale.short(word, 40)
    first = locale.say('"{word}" is several of our parts. Say which one by its IPN. I did nothing.', word=shown)
    return [first, Items(entries)]


def practice_stays_practice(locale: Locale, *, part: Part, peer: str) -> Lines:
    """The refusal to match a real part with the practice friend's, or a practice part with a real friend's."""
    return [
        locale.say(
            "{name} and the part of {peer} can't be the same. I did nothing.",
            name=locale.short(part.name, 60),
            peer=naming.space(locale, peer),
        ),
        locale.say("Practice and real stock don't mix."),
    ]


# --- Wants, as people of both spaces read them.

_FIRST: dict[WantState, str] = {
    WantState.WANTED: marked("Wanted: {what}, until {day}. {code}"),
    WantState.FOUND: marked("✅ Found: {what}. {code}"),
    WantState.OVER: marked("Not wanted any more: {what}. The day is over. {code}"),
    WantState.STOPPED: marked("Not wanted any more: {what}. {code}"),
}


def want_page(locale: Locale, *, want: Want, us: PartyConfig, friends: tuple[str, ...]) -> Lines:
    """The message of a want, in its present state. `friends`: the spaces whose bots remember it."""
    del us
    lines: Lines = [locale.say(_FIRST[want.state], **_words(locale, want))]
    if want.is_living:
        lines += _note_of(locale, want)
        if want.lacking < want.quantity:
            lines.append(locale.say("{quantity} still needed.", quantity=locale.quantity(want.lacking, want.unit)))
        if friends:
            names = locale.names([naming.space(locale, name) for name in friends])
            told = locale.some(
                "The bot of {spaces} tells its people as soon as they share some.",
                "The bots of {spaces} tell their people as soon as they share some.",
                len(friends),
                spaces=names,
            )
            lines.append(told)
        else:
            lines.append(locale.say("We have no friends in this room yet. A new friend's bot will hear of it."))
        lines.append(locale.say("To stop: {cancel}", cancel=command(f"cancel {want.code}")))
    return lines


def _words(locale: Locale, want: Want) -> dict[str, Words]:
    what = naming.amount(locale, want.quantity, want.unit, locale.short(want.word))
    return {"what": Bold(what), "day": locale.day(want.until), "code": want.code}


def we_have_what_they_want(
    locale: Locale, *, wanted: FriendWant, us: PartyConfig, peer_name: str, free: Decimal
) -> Lines:
    """Tells our approvers, once, that a friend wants something that we share."""
    peer, own = Bold(naming.space(locale, peer_name)), naming.space(locale, us.name)
    what = Bold(naming.amount(locale, wanted.quantity, wanted.unit, locale.short(wanted.word)))
    offer = min(wanted.quantity, free)
    return [
        locale.say("{peer} wants {what}; {own} shares some.", peer=peer, what=what, own=own),
        locale.say(
            "Free: {free}. Wanted until {day}.", free=locale.quantity(free, wanted.unit), day=locale.day(wanted.until)
        ),
        *_note_of(locale, wanted),
        locale.say("An approver can offer it. Reply: {offer}", offer=f"offer {locale.quantity(offer, wanted.unit)}"),
    ]


def wants_something_else(locale: Locale, *, wanted: FriendWant, peer_name: str) -> Lines:
    """The refusal of `offer` in reply to a message about a want that has changed since."""
    peer = naming.space(locale, peer_name)
    what = naming.amount(locale, wanted.quantity, wanted.unit, locale.short(wanted.word))
    line = command(f'push {locale.quantity(wanted.quantity, wanted.unit)} "{wanted.word}" to {wanted.peer}')
    return [
        locale.say("Not offered: {peer} now wants something else: {what}.", peer=peer, what=what),
        locale.say("To offer that, type: {line}", line=line),
    ]


def want_list(
    locale: Locale, *, us: PartyConfig, wants: tuple[Want, ...], friends: tuple[tuple[str, FriendWant], ...]
) -> Lines:
    """Our people's wants and friends' wants."""
    own = naming.space(locale, us.name)
    lines: Lines = []
    if wants:
        lines += [locale.say("{own} wants:", own=own), Items(tuple(want_in_short(locale, want) for want in wants))]
    if friends:
        items: list[Inline | tuple[Inline, ...]] = [_of_friend(locale, name, wanted) for name, wanted in friends]
        lines += [locale.say("Friends want:"), Items(tuple(items))]
    return lines or [locale.say("Nobody wants anything. To add a want: {want}", want=command("want 200 M3-BOLT"))]


def want_in_short(locale: Locale, want: Want) -> tuple[Inline, ...]:
    """'k7m2 – 200 × M3-BOLT, until 31 Dec · Note: "for the camp"'."""
    return joined([locale.say("{code} – {what}, until {day}", **_words(locale, want)), *_note_of(locale, want)])


def _of_friend(locale: Locale, name: str, wanted: FriendWant) -> tuple[Inline, ...]:
    what = naming.amount(locale, wanted.quantity, wanted.unit, locale.short(wanted.word))
    peer, day = naming.space(locale, name), locale.day(wanted.until)
    return joined([locale.say("{peer}: {what}, until {day}", peer=peer, what=what, day=day), *_note_of(locale, wanted)])


def _note_of(locale: Locale, wanted: Want | FriendWant) -> list[tuple[Inline, ...]]:
    """The note of the person who wants it."""
    return [locale.say('Note: "{note}"', note=locale.short(wanted.note, 300))] if wanted.note else []


def want_by_name(locale: Locale, *, word: str) -> Lines:
    """The refusal of a want for one particular item, or with a name that is too long."""
    return [
        locale.say("Not noted: \"{word}\" isn't an IPN or a part's name.", word=locale.short(word, 40)),
        locale.say("For example: {want}", want=command("want 200 M3-BOLT until 31.12.")),
    ]


def one_want_a_line(locale: Locale) -> Lines:
    """The refusal of several items in one line of `want`."""
    return [
        locale.say("Not noted: those are several items. Write a line for each."),
        locale.say("For example: {want}", want=command("want 200 M3-BOLT until 31.12.")),
    ]


def too_many_wants(locale: Locale, *, count: int) -> Lines:
    """The refusal of one more want: the limit is reached."""
    return [
        locale.say("Not noted: {number} wants are open already.", number=locale.count(count)),
        locale.say("Stop one that you don't need any more: {cancel}", cancel=command("cancel ID")),
    ]


def too_long_a_want(locale: Locale, *, days: int) -> Lines:
    """The refusal of a day that is too far ahead."""
    return [locale.say("Not noted: bots keep a want for at most {number} days.", number=locale.count(days))]


def want_stopped(locale: Locale, *, want: Want) -> Lines:
    """The answer to stopping a want."""
    return [
        locale.say("Noted: {what} isn't wanted any more. The friends' bots forget it. {code}", **_words(locale, want))
    ]
