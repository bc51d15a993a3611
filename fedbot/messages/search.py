"""What `find` found: hits with numbers, who has none, and who did not answer."""

from __future__ import annotations

from datetime import datetime, timedelta

from fedbot.messages import naming
from fedbot.messages.formatting import Bold, Inline
from fedbot.messages.language import Lines, Locale
from fedbot.messages.naming import command
from fedbot.rules.model.catalogue import SEARCH_SILENT_AFTER, Hit, Search, SpaceHits
from fedbot.rules.model.command import NUMBER_WITHIN
from fedbot.rules.model.party_config import PartyConfig

Sentence = tuple[Inline, ...]
_ALL = 100


def found(locale: Locale, *, us: PartyConfig, search: Search, silent: tuple[str, ...], first: int, most: int) -> Lines:
    """A page of hits; on the first one also which spaces have none, and why."""
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
        lines += [_silent(locale, name) for name in silent]
        if not search.only and not silent and [space.party for space in search.came] == [us.party]:
            lines.append(locale.say("No other space was asked: we have no friends here yet."))
    if any(space.party != us.party for space, _ in page):
        number = next(number for number, (space, _) in enumerate(page, start=first + 1) if space.party != us.party)
        lines.append(
            locale.say(
                "To ask for 2 of number {number}, reply within {time}: {ask}",
                time=locale.span(NUMBER_WITHIN),
                number=number,
                ask=f"ask {number} 2",
            )
        )
    return lines


def _what(locale: Locale, search: Search) -> str:
    """What was looked for, as a text in quotes."""
    return locale.short(search.words or search.category, 40)


def _browsed(locale: Locale, search: Search) -> Sentence:
    """The first line where all that is shared was meant, or a category of it."""
    if search.category:
        words = _what(locale, search)
        sentence = 'What is shared in "{words}":' if search.hits else 'Nothing that is shared lies in "{words}" now.'
        return locale.say(sentence, words=words)
    return locale.say("What is shared and free now:" if search.hits else "Nothing that is shared is free now.")


def _hit(locale: Locale, number: int, space: SpaceHits, hit: Hit) -> Sentence:
    """'3) Betaspace: M3 bolt (M3-BOLT), 210'."""
    name = locale.short(hit.name, 60) or locale.word("something without a name")
    if hit.ipn:
        name = locale.word("{name} ({ipn})").format(name=name, ipn=locale.short(hit.ipn, 40))
    told = locale.say(
        "{number}) {space}: {thing}, {quantity}",
        number=number,
        space=naming.space(locale, space.name),
        thing=Bold(name),
        quantity=locale.quantity(hit.quantity, hit.units),
    )
    if hit.flawed:
        flawed, condition = locale.quantity(hit.flawed, hit.units), naming.status(locale, hit.condition, 0)
        told = (*told, *locale.say(", {flawed} of it ⚠ {condition}", flawed=flawed, condition=condition))
    if hit.lent and hit.back:
        lent, day = locale.quantity(hit.lent, hit.units), locale.day(hit.back)
        told = (*told, *locale.say(", {lent} more lent until {day}", lent=lent, day=day))
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
    """Why a space has no hits, or that it has more; nothing if its hits say it all."""
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
    return locale.say("{space} has nothing like it to share.", space=name)


def _more(locale: Locale, search: Search, space: SpaceHits, name: Bold) -> Sentence:
    """That a space has more than it told, and how to see that."""
    if search.words:
        return locale.say("{space} has more than it can tell; say more words.", space=name)
    browse = f"find in {space.party}" + (f' --category "{search.category}"' if search.category else "")
    next_ = command(f"{browse} --page {search.page + 1}")
    return locale.say("{space} has more: {next}", space=name, next=next_)


def _problem(locale: Locale, space: SpaceHits, name: Bold) -> Sentence:
    """Why a space can't tell whether it has one."""
    if space.problem == "inventory":
        return locale.say("{space}: not looked, as its InvenTree does not answer.", space=name)
    if space.problem == "later" and space.again is not None:
        when = locale.clock(space.again)
        return locale.say("{space} was asked too often by us; it looks again from {when}.", space=name, when=when)
    if space.problem == "hidden":
        return locale.say(
            "{space} has some, but keeps it out of shared rooms. Ask me in our admin room: {find}",
            space=name,
            find=command(f"find … in {space.party}"),
        )
    return locale.say("{space}: its bot's answer can't be read.", space=name)


def _silent(locale: Locale, name: str) -> Sentence:
    return locale.say(
        "{space}: its bot has not answered for {time}. I add what it finds here when it does.",
        time=locale.span(SEARCH_SILENT_AFTER),
        space=Bold(naming.space(locale, name)),
    )


def no_more_found(locale: Locale, *, search: Search) -> Lines:
    """`more`, when all hits were told."""
    if not search.words:
        return [locale.say("That was all of this list.")]
    return [locale.say('That was all for "{words}".', words=_what(locale, search))]


def no_such_page(locale: Locale, *, word: str) -> Lines:
    """`--page` without a number."""
    return [
        locale.say('Not looked: "{word}" is no page.', word=locale.short(word, 20)),
        locale.say("For example: {find}", find=command("find in SPACE --page 2")),
    ]


def searched_too_often(locale: Locale, *, again: datetime) -> Lines:
    """So many searches of one person within an hour."""
    return [
        locale.say("Not looked: you have searched so often that I'd be slow for everybody."),
        locale.say("Again from {when}.", when=locale.clock(again)),
    ]


def list_too_old(locale: Locale) -> Lines:
    """A number or `more` to a list of hits that may not be true any more."""
    return [
        locale.say(
            "That list is older than {time}, and things may have moved. I did nothing.", time=locale.span(NUMBER_WITHIN)
        ),
        locale.say("Look again: {find}", find=command("find …")),
    ]


def no_such_hit(locale: Locale, *, number: int, count: int) -> Lines:
    """A number that the list doesn't have."""
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
