"""The figures of `stats`, on request or on a schedule, and the words of its chart."""

from __future__ import annotations

from fedbot.messages import naming
from fedbot.messages.language import Lines, Locale
from fedbot.messages.markup import Bold, Code, Inline, Items
from fedbot.messages.naming import command
from fedbot.rules.model.books import STATS_SILENT_AFTER, Dealings, Flow, SpaceFigures
from fedbot.rules.model.party_config import PartyConfig

MOST_FRIENDS = 8
Sentence = tuple[Inline, ...]


def stats(
    locale: Locale, *, us: PartyConfig, figures: tuple[SpaceFigures, ...], silent: tuple[str, ...], days: int
) -> Lines:
    """The figures of one or several spaces, then the spaces that have not answered."""
    lines: Lines = []
    if len(figures) + len(silent) > 1:
        lines.append(_overview(locale, figures, silent))
    for each in figures:
        lines.append(_headline(locale, each))
        items = _figure_items(locale, each, us)
        if items:
            lines.append(Items(tuple(items)))
    lines += [_silent(locale, name) for name in silent]
    if days and any(each.given is not None for each in figures):
        lines.append(
            locale.some(
                "Given and received: in the last {number} day.", "Given and received: in the last {number} days.", days
            )
        )
    return lines


def _overview(locale: Locale, figures: tuple[SpaceFigures, ...], silent: tuple[str, ...]) -> Sentence:
    told = [each.stock_items for each in figures if each.stock_items is not None]
    spaces = len(figures) + len(silent)
    if len(told) == spaces:
        items = locale.count(sum(told))
        return locale.say("{spaces} spaces have {items} stock items.", spaces=spaces, items=items)
    answered = len([each for each in figures if not each.problem])
    return locale.say("{answered} of {spaces} spaces gave their figures.", answered=answered, spaces=spaces)


def _headline(locale: Locale, figures: SpaceFigures) -> Sentence:
    """'Attraktor: 4,120 stock items of 812 parts', or the reason why there are no figures."""
    space = Bold(naming.space(locale, figures.name))
    if figures.problem:
        return _problem(locale, figures, space)
    items, parts = figures.stock_items, figures.parts
    if items is not None and parts is not None:
        of_parts = locale.some("{number} part", "{number} parts", parts)
        return locale.some(
            "{space}: {number} stock item of {parts}.",
            "{space}: {number} stock items of {parts}.",
            items,
            space=space,
            parts=of_parts,
        )
    if items is not None:
        return locale.some("{space}: {number} stock item.", "{space}: {number} stock items.", items, space=space)
    if parts is not None:
        return locale.some("{space}: {number} part.", "{space}: {number} parts.", parts, space=space)
    if figures.given is None and figures.categories is None and figures.locations is None and figures.low_stock is None:
        return locale.say("{space} discloses no figures.", space=space)
    return locale.say("{space}:", space=space)


def _problem(locale: Locale, figures: SpaceFigures, space: Bold) -> Sentence:
    """The reason why there are no figures."""
    if figures.problem == "inventory":
        return locale.say("{space}: no figures now, because its InvenTree does not answer.", space=space)
    if figures.problem == "later" and figures.again is not None:
        when = locale.clock(figures.again)
        return locale.say("We asked {space} too often. It gives figures again from {when}.", space=space, when=when)
    if figures.problem == "hidden":
        return locale.say(
            "{space} keeps its figures out of shared rooms. Ask me in our admin room: {stats}",
            space=space,
            stats=command(f"stats {figures.party}"),
        )
    return locale.say("{space}: its bot's answer can't be read.", space=space)


def _figure_items(locale: Locale, figures: SpaceFigures, us: PartyConfig) -> list[Sentence]:
    items: list[Sentence] = []
    if figures.low_stock is not None:
        items.append(locale.some("{number} part is running low", "{number} parts are running low", figures.low_stock))
    if figures.categories is not None:
        items.append(locale.some("{number} category", "{number} categories", figures.categories))
    if figures.locations is not None:
        items.append(locale.some("{number} location", "{number} locations", figures.locations))
    if figures.shared is not None:
        items.append(
            locale.some("{number} entry on the sharing list", "{number} entries on the sharing list", figures.shared)
        )
    if figures.given is not None and figures.received is not None:
        items.append(_balance(locale, figures.given, figures.received))
    if (figures.lent and figures.lent.lines) or (figures.borrowed and figures.borrowed.lines):
        items.append(_loans(locale, figures.lent, figures.borrowed))
    if figures.party == us.party:
        with_anybody = [d for d in figures.dealings if d.given.lines or d.received.lines]
        items += [_dealings(locale, dealings) for dealings in with_anybody[:MOST_FRIENDS]]
        if len(with_anybody) > MOST_FRIENDS:
            items.append(locale.say("and {number} more", number=len(with_anybody) - MOST_FRIENDS))
    if figures.open:
        items.append(locale.some("{number} transfer is open", "{number} transfers are open", figures.open))
    return items


def _balance(locale: Locale, given: Flow, received: Flow) -> Sentence:
    if not given.lines and not received.lines:
        return locale.say("nothing given, nothing received")
    given_text, received_text = _flow(locale, given), _flow(locale, received)
    return locale.say("given: {given}; received: {received}", given=given_text, received=received_text)


def _loans(locale: Locale, lent: Flow | None, borrowed: Flow | None) -> Sentence:
    """The items on loan now, in both directions."""
    lent_text, borrowed_text = _flow(locale, lent or Flow()), _flow(locale, borrowed or Flow())
    return locale.say("on loan now: {lent} lent, {borrowed} borrowed", lent=lent_text, borrowed=borrowed_text)


def _dealings(locale: Locale, dealings: Dealings) -> Sentence:
    peer = naming.space(locale, dealings.name)
    names = {"given": _flow(locale, dealings.given), "received": _flow(locale, dealings.received)}
    more = dealings.given.lines - dealings.received.lines
    if more > 0:
        sentence = "with {peer}: given {given}, received {received} – {more} more given than received"
        return locale.say(sentence, peer=peer, more=more, **names)
    if more < 0:
        sentence = "with {peer}: given {given}, received {received} – {more} more received than given"
        return locale.say(sentence, peer=peer, more=-more, **names)
    return locale.say("with {peer}: given {given}, received {received} – balanced", peer=peer, **names)


def _flow(locale: Locale, flow: Flow) -> Sentence:
    """'3 items (210 pieces)'; without the pieces if they say nothing more."""
    if flow.pieces <= flow.lines:
        return locale.some("{number} item", "{number} items", flow.lines)
    pieces = locale.quantity(flow.pieces)
    return locale.some("{number} item ({pieces} pieces)", "{number} items ({pieces} pieces)", flow.lines, pieces=pieces)


def _silent(locale: Locale, name: str) -> Sentence:
    return locale.say(
        "{space}: its bot has not answered for {time}. I'll add its figures here when it does.",
        time=locale.span(STATS_SILENT_AFTER),
        space=Bold(naming.space(locale, name)),
    )


def stats_chart(locale: Locale, *, us: PartyConfig, figures: SpaceFigures) -> Lines:
    """The chart's description, then its words: two titles and two names of bars (`matrix.chart` draws it)."""
    del us
    space = naming.space(locale, figures.name)
    return [
        locale.say("Chart: stock items of {space}, and what it gave and received", space=space),
        locale.say("{space}: stock items", space=space),
        locale.say("{space}: given and received, by space", space=space),
        locale.say("given"),
        locale.say("received"),
    ]


def no_such_span(locale: Locale, *, word: str, usage: str) -> Lines:
    """The answer to `--since` with something that is no period."""
    return [
        locale.say('"{word}" isn\'t a period of time. I did nothing.', word=locale.short(word, 30)),
        locale.say(
            "Write days, weeks, months or years: {example}. Usage: {usage}",
            example=Code("--since 30d"),
            usage=command(usage),
        ),
    ]
