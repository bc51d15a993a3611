"""What `stats` tells, asked for or on a schedule, and the words of its chart."""

from __future__ import annotations

from fedbot.messages import naming
from fedbot.messages.formatting import Bold, Code, Inline, Items
from fedbot.messages.language import Lines, Locale
from fedbot.messages.naming import command
from fedbot.rules.model.figures import Dealings, Flow, SpaceFigures
from fedbot.rules.model.party_config import PartyConfig

MOST_FRIENDS = 8
Sentence = tuple[Inline, ...]


def stats(
    tongue: Locale, *, home: PartyConfig, figures: tuple[SpaceFigures, ...], silent: tuple[str, ...], days: int
) -> Lines:
    """One space's figures, or several, one after the other; then who has not answered."""
    lines: Lines = []
    if len(figures) + len(silent) > 1:
        lines.append(_overview(tongue, figures, silent))
    for each in figures:
        lines.append(_headline(tongue, each))
        items = _items(tongue, each, home)
        if items:
            lines.append(Items(tuple(items)))
    lines += [_silent(tongue, name) for name in silent]
    if days and any(each.given is not None for each in figures):
        lines.append(
            tongue.some(
                "Given and received: in the last {number} day.", "Given and received: in the last {number} days.", days
            )
        )
    return lines


def _overview(tongue: Locale, figures: tuple[SpaceFigures, ...], silent: tuple[str, ...]) -> Sentence:
    told = [each.stock_items for each in figures if each.stock_items is not None]
    spaces = len(figures) + len(silent)
    if len(told) == spaces:
        items = tongue.count(sum(told))
        return tongue.say("{spaces} spaces have {items} stock items.", spaces=spaces, items=items)
    answered = len([each for each in figures if not each.problem])
    return tongue.say("{answered} of {spaces} spaces tell their figures.", answered=answered, spaces=spaces)


def _headline(tongue: Locale, figures: SpaceFigures) -> Sentence:
    """'Attraktor: 4,120 stock items of 812 parts', or why there is nothing."""
    space = Bold(naming.space(tongue, figures.name))
    if figures.problem:
        return _problem(tongue, figures, space)
    items, parts = figures.stock_items, figures.parts
    if items is not None and parts is not None:
        of_parts = tongue.some("{number} part", "{number} parts", parts)
        return tongue.some(
            "{space}: {number} stock item of {parts}.",
            "{space}: {number} stock items of {parts}.",
            items,
            space=space,
            parts=of_parts,
        )
    if items is not None:
        return tongue.some("{space}: {number} stock item.", "{space}: {number} stock items.", items, space=space)
    if parts is not None:
        return tongue.some("{space}: {number} part.", "{space}: {number} parts.", parts, space=space)
    if figures.given is None and figures.categories is None and figures.locations is None and figures.low_stock is None:
        return tongue.say("{space} discloses no figures.", space=space)
    return tongue.say("{space}:", space=space)


def _problem(tongue: Locale, figures: SpaceFigures, space: Bold) -> Sentence:
    """Why there are no figures."""
    if figures.problem == "inventory":
        return tongue.say("{space}: no figures now, as its InvenTree does not answer.", space=space)
    if figures.problem == "later" and figures.again is not None:
        when = tongue.clock(figures.again)
        return tongue.say(
            "{space} was asked too often by us; it tells figures again from {when}.", space=space, when=when
        )
    if figures.problem == "hidden":
        return tongue.say(
            "{space} keeps its figures out of shared rooms. Ask me in our admin room: {stats}",
            space=space,
            stats=command(f"stats {figures.party}"),
        )
    return tongue.say("{space}: its bot's answer can't be read.", space=space)


def _items(tongue: Locale, figures: SpaceFigures, home: PartyConfig) -> list[Sentence]:
    items: list[Sentence] = []
    if figures.low_stock is not None:
        items.append(tongue.some("{number} part runs low", "{number} parts run low", figures.low_stock))
    if figures.categories is not None:
        items.append(tongue.some("{number} category", "{number} categories", figures.categories))
    if figures.locations is not None:
        items.append(tongue.some("{number} place", "{number} places", figures.locations))
    if figures.shared is not None:
        items.append(tongue.some("{number} entry to share", "{number} entries to share", figures.shared))
    if figures.given is not None and figures.received is not None:
        items.append(_balance(tongue, figures.given, figures.received))
    if (figures.lent and figures.lent.lines) or (figures.borrowed and figures.borrowed.lines):
        items.append(_loans(tongue, figures.lent, figures.borrowed))
    if figures.party == home.party:
        with_anybody = [d for d in figures.dealings if d.given.lines or d.received.lines]
        items += [_dealings(tongue, dealings) for dealings in with_anybody[:MOST_FRIENDS]]
        if len(with_anybody) > MOST_FRIENDS:
            items.append(tongue.say("and {number} more", number=len(with_anybody) - MOST_FRIENDS))
    if figures.open:
        items.append(tongue.some("{number} transfer is open", "{number} transfers are open", figures.open))
    return items


def _balance(tongue: Locale, given: Flow, received: Flow) -> Sentence:
    if not given.lines and not received.lines:
        return tongue.say("nothing given, nothing received")
    given_text, received_text = _flow(tongue, given), _flow(tongue, received)
    return tongue.say("given: {given}; received: {received}", given=given_text, received=received_text)


def _loans(tongue: Locale, lent: Flow | None, borrowed: Flow | None) -> Sentence:
    """What is on loan now, one way and the other."""
    lent_text, borrowed_text = _flow(tongue, lent or Flow()), _flow(tongue, borrowed or Flow())
    return tongue.say("on loan now: {lent} lent, {borrowed} borrowed", lent=lent_text, borrowed=borrowed_text)


def _dealings(tongue: Locale, dealings: Dealings) -> Sentence:
    peer = naming.space(tongue, dealings.name)
    names = {"given": _flow(tongue, dealings.given), "received": _flow(tongue, dealings.received)}
    more = dealings.given.lines - dealings.received.lines
    if more > 0:
        sentence = "with {peer}: given {given}, received {received} – {more} more given"
        return tongue.say(sentence, peer=peer, more=more, **names)
    if more < 0:
        sentence = "with {peer}: given {given}, received {received} – {more} more received"
        return tongue.say(sentence, peer=peer, more=-more, **names)
    return tongue.say("with {peer}: given {given}, received {received} – even", peer=peer, **names)


def _flow(tongue: Locale, flow: Flow) -> Sentence:
    """'3 things (210 pieces)'; pieces only where they tell more."""
    if not flow.pieces or flow.pieces == flow.lines:
        return tongue.some("{number} thing", "{number} things", flow.lines)
    pieces = tongue.quantity(flow.pieces)
    return tongue.some(
        "{number} thing ({pieces} pieces)", "{number} things ({pieces} pieces)", flow.lines, pieces=pieces
    )


def _silent(tongue: Locale, name: str) -> Sentence:
    return tongue.say(
        "{space}: its bot has not answered for two minutes. I add its figures here when it does.",
        space=Bold(naming.space(tongue, name)),
    )


def stats_chart(tongue: Locale, *, home: PartyConfig, figures: SpaceFigures) -> Lines:
    """What is to be seen on the chart; then its words: two titles, two names of bars (`chat.chart` draws)."""
    del home
    space = naming.space(tongue, figures.name)
    return [
        tongue.say("Chart: stock items of {space}, and what it gave and received", space=space),
        tongue.say("{space}: stock items", space=space),
        tongue.say("{space}: given and received, by space", space=space),
        tongue.say("given"),
        tongue.say("received"),
    ]


def no_such_span(tongue: Locale, *, word: str, usage: str) -> Lines:
    """`--since` with something that is no length of time."""
    return [
        tongue.say('"{word}" is no length of time. I did nothing.', word=tongue.short(word, 30)),
        tongue.say(
            "Write days, weeks, months or years: {example}. It goes: {usage}",
            example=Code("--since 30d"),
            usage=command(usage),
        ),
    ]
