"""Answers to `push`, `lend` and `request` other than the offer itself: refusals, and choices of an item."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.markup import Break, Code, Inline, Items
from fedbot.messages.naming import command
from fedbot.rules.model.command import NUMBER_WITHIN
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.ledger import AvailableStock
from fedbot.rules.model.stock import Part, StockItem
from fedbot.rules.model.transfer import Line, Transfer, total

MOST_NEAR = 5
MOST_CHOICES = 20
Why = tuple[Inline, ...]


def _refusal(locale: Locale, why: Why, *advice: Why) -> Lines:
    """'Not offered: {why}.', then the advice, and that nothing was sent."""
    return [locale.say("Not offered: {why}", why=why), *advice, locale.say("Nothing was sent, nothing has moved.")]


def _item(locale: Locale, item: StockItem) -> str:
    """'M3 bolt (stock #12)'."""
    name = locale.short(item.part.name, 60) or locale.short(item.part.ipn, 40)
    if item.serial:
        return locale.word("{name}, serial {serial} (stock #{pk})").format(
            name=name, serial=locale.short(item.serial, 40), pk=item.pk
        )
    return locale.word("{name} (stock #{pk})").format(name=name, pk=item.pk)


# --- the quantity, of something given or asked for ---------------------------------------------------------


def quantity_not_positive(locale: Locale, *, word: str) -> Lines:
    """The refusal of zero or a negative quantity."""
    return [
        locale.say(
            "Not done: {word} isn't a quantity that can be moved. Nothing was sent.", word=locale.short(word, 30)
        )
    ]


def quantity_too_fine(locale: Locale, *, word: str, places: int) -> Lines:
    """The refusal of more decimals than InvenTree keeps."""
    return [
        locale.say("Not done: {word} has too many decimals. Nothing was sent.", word=locale.short(word, 30)),
        locale.say("InvenTree keeps {places}.", places=places),
    ]


def quantity_too_large(locale: Locale, *, word: str) -> Lines:
    """The refusal of more digits than InvenTree accepts."""
    shown = locale.short(word, 30)
    return [locale.say("Not done: {word} is more than InvenTree can count. Nothing was sent.", word=shown)]


# --- which item --------------------------------------------------------------------------------------------


def scanned_code_is_ours(locale: Locale, *, word: str) -> Lines:
    """The refusal of a scanned code in a request: it doesn't say whose InvenTree it belongs to."""
    return [
        locale.say(
            'Not done: the code "{word}" is an item in our own InvenTree, not in theirs.',
            word=locale.short(word, 40),
        ),
        locale.say("Name it by its IPN, its name, or its #number in their InvenTree. Nothing was sent."),
    ]


def item_not_found(locale: Locale, *, word: str, parts: tuple[Part, ...]) -> Lines:
    """The answer if no item has that name."""
    why = locale.say('there is no item "{word}".', word=locale.short(word, 60))
    near = [locale.say("Similar: {parts}", parts=_parts(locale, parts))] if parts else []
    how = locale.say(
        "An item is #42, an IPN, a name or its pasted link. Put a name that ends with a number into quotes."
    )
    return _refusal(locale, why, *near, how)


def similar_parts(locale: Locale, *, word: str, parts: tuple[Part, ...]) -> Lines:
    """No item has that name, but some parts have a similar one: a numbered list."""
    first = locale.say('There is no item "{word}". Do you mean one of these?', word=locale.short(word, 60))
    if len(parts) == 1:
        first = locale.say('There is no item "{word}". Do you mean this?', word=locale.short(word, 60))
    numbered = [(f"{number}) {_called(locale, part)}",) for number, part in enumerate(parts, start=1)]
    return [first, *numbered, _reply(locale, len(numbered))]


def several_items(locale: Locale, *, word: str, items: tuple[str, ...]) -> Lines:
    """Nothing is called that, but it has commas or `and` in it, so it may be several items: a list of one."""
    first = locale.say('There is no item "{word}". Do you mean these {number}?', word=word, number=str(len(items)))
    return [first, (f"1) {' + '.join(items)}",), _reply(locale, 1)]


def several_or_one(locale: Locale, *, word: str, items: tuple[str, ...]) -> Lines:
    """A request has commas or `and` in it: only the owner knows whether that is one name."""
    return [
        locale.say('"{word}": several items, or one of that name?', word=locale.short(word, 60)),
        (f"1) {' + '.join(items)}",),
        locale.say('2) one item called "{word}"', word=locale.short(word, 60)),
        _reply(locale, 2),
    ]


def nothing_in_stock(locale: Locale, *, word: str, parts: tuple[Part, ...]) -> Lines:
    """The part exists, but nothing of it is in stock."""
    why = locale.say('nothing of "{word}" is in stock.', word=locale.short(word, 60))
    known = [locale.say("The part exists: {parts}", parts=_parts(locale, parts))] if parts else []
    return _refusal(locale, why, *known)


def _parts(locale: Locale, parts: Sequence[Part]) -> str:
    shown = [_called(locale, part) for part in parts[:MOST_NEAR]]
    more = [ELSE] if len(parts) > MOST_NEAR else []
    return ", ".join([*shown, *more])


ELSE = "…"


def _called(locale: Locale, part: Part) -> str:
    name = locale.short(part.name, 60)
    return f"{name} ({locale.short(part.ipn, 40)})" if part.ipn else name


def which_item(locale: Locale, *, word: str, choices: tuple[AvailableStock, ...]) -> Lines:
    """Several stock items fit: a numbered list. It names the revisions if there are several."""
    named = len({choice.item.part.pk for choice in choices}) > 1
    told = [f"{_of_part(locale, c.item.part)}, {_lying(locale, c)}" if named else _lying(locale, c) for c in choices]
    numbered = [(f"{number}) {each}",) for number, each in enumerate(told, start=1)]
    first = locale.say('There are several of "{word}". Which do you mean?', word=locale.short(word, 60))
    return [first, *numbered, _reply(locale, len(numbered))]


def _of_part(locale: Locale, part: Part) -> str:
    name = locale.short(part.name, 60)
    if not part.revision:
        return name
    return f"{name}, {naming.revision(locale, part.revision)}"


def only_together(locale: Locale, *, word: str, wanted: Decimal, together: tuple[AvailableStock, ...]) -> Lines:
    """No stock item has that much, but several together do."""
    amount = locale.quantity(wanted, together[0].item.part.units)
    first = locale.say('No single stock item of "{word}" has {amount}.', word=locale.short(word, 60), amount=amount)
    return [
        first,
        locale.say("1) Together they have it:"),
        Items(tuple((_lying(locale, each),) for each in together)),
        _reply(locale, 1),
    ]


def _lying(locale: Locale, choice: AvailableStock) -> str:
    item = choice.item
    place = locale.short(item.place, 60) or locale.word("no location")
    told = [f"{place}", locale.quantity(choice.quantity, item.part.units)]
    if item.serial:
        told.append(locale.word("serial {serial}").format(serial=locale.short(item.serial, 40)))
    if item.batch:
        told.append(locale.word("batch {batch}").format(batch=locale.short(item.batch, 40)))
    if choice.quantity != item.quantity:
        told.append(locale.word("of {quantity}").format(quantity=locale.quantity(item.quantity)))
    return f"{', '.join(told)} (#{item.pk})"


def _reply(locale: Locale, count: int) -> Why:
    numbers = [str(number) for number in range(1, count + 1)]
    if count <= naming.MOST_IN_FIRST_LINE:
        return locale.say(
            "Reply {numbers} within {time}. I have done nothing yet.",
            numbers=locale.names(numbers, any_of=True),
            time=locale.span(NUMBER_WITHIN),
        )
    return locale.say("Reply with the number within {time}. I have done nothing yet.", time=locale.span(NUMBER_WITHIN))


def which_reading(locale: Locale, *, word: str, readings: tuple[AvailableStock, ...]) -> Lines:
    """A number at the end of a name: asks whether it is the quantity or part of the name."""
    numbered = [
        locale.say(
            "{number}) {quantity} × {item}",
            number=number,
            quantity=locale.quantity(each.quantity),
            item=_item(locale, each.item),
        )
        for number, each in enumerate(readings, start=1)
    ]
    first = locale.say('"{word}" can mean different things. Which do you mean?', word=locale.short(word, 60))
    return [first, *numbered, _reply(locale, len(readings))]


# --- items that may not go ---------------------------------------------------------------------------------


def part_virtual(locale: Locale, *, item: StockItem) -> Lines:
    """The refusal of a virtual part."""
    return _refusal(locale, _virtual(locale, item=item))


def _virtual(locale: Locale, *, item: StockItem) -> Why:
    return locale.say("{item} is virtual: there is nothing to hand over.", item=_item(locale, item))


def part_inactive(locale: Locale, *, item: StockItem) -> Lines:
    """The refusal of an inactive part."""
    return _refusal(
        locale, _inactive(locale, item=item), locale.say("Somebody who can change parts can make it active.")
    )


def _inactive(locale: Locale, *, item: StockItem) -> Why:
    return locale.say("the part of {item} is inactive.", item=_item(locale, item))


def part_not_salable(locale: Locale, *, item: StockItem) -> Lines:
    """The refusal of a part that isn't salable: InvenTree assigns only salable ones to a company."""
    advice = locale.say(
        "InvenTree only gives away salable parts. Somebody who can change parts can switch on 'salable' for it."
    )
    return _refusal(locale, _not_salable(locale, item=item), advice)


def _not_salable(locale: Locale, *, item: StockItem) -> Why:
    return locale.say("the part of {item} isn't salable.", item=_item(locale, item))


def item_with_customer(locale: Locale, *, item: StockItem) -> Lines:
    """The refusal of an item that was given away already."""
    return _refusal(locale, _with_customer(locale, item=item))


def _with_customer(locale: Locale, *, item: StockItem) -> Why:
    return locale.say("{item} is with a customer or another space already.", item=_item(locale, item))


def item_not_in_stock(locale: Locale, *, item: StockItem) -> Lines:
    """The refusal of an item that isn't in stock."""
    return _refusal(locale, _not_in_stock(locale, item=item))


def _not_in_stock(locale: Locale, *, item: StockItem) -> Why:
    return locale.say("{item} isn't in stock: sold, installed, in production, or used up.", item=_item(locale, item))


def status_may_not_travel(locale: Locale, *, item: StockItem) -> Lines:
    """The refusal of an item whose status isn't one of the four that can travel."""
    advice = locale.say(
        "Only OK, attention needed, damaged and returned can travel. If the status is wrong, correct it in InvenTree."
    )
    return _refusal(locale, _status(locale, item=item), advice)


def _status(locale: Locale, *, item: StockItem) -> Why:
    status = naming.status(locale, item.status_text, item.status)
    return locale.say('{item} has the status "{status}".', item=_item(locale, item), status=status)


def practice_stays_practice(locale: Locale, *, item: StockItem, to_friend: bool) -> Lines:
    """The refusal to give real stock to the practice friend, or practice stock to a real one."""
    advice = locale.say("Parts for practice have names that begin with PRACTICE.")
    return _refusal(locale, _practice(locale, item=item, to_friend=to_friend), advice)


def _practice(locale: Locale, *, item: StockItem, to_friend: bool) -> Why:
    if to_friend:
        return locale.say("{item} is real, and the practice friend gets no real stock.", item=_item(locale, item))
    return locale.say("{item} is for practice, so only the practice friend gets it.", item=_item(locale, item))


def may_not_go_on(locale: Locale, *, item: StockItem, origin: str, destination: str) -> Lines:
    """The refusal to pass on a received item to a third space (UC6), or to a neighbour (`destination` is '')."""
    why = _may_not_go_on(locale, item=item, origin=origin, destination=destination)
    if not destination:
        rule = locale.say("A received item may go back where it came from, but not on to others.")
        return _refusal(locale, why, rule)
    advice = locale.say(
        "A received item may go back where it came from, but not on to others. {destination} can ask {origin} for it.",
        origin=naming.space(locale, origin),
        destination=naming.space(locale, destination),
    )
    return _refusal(locale, why, advice)


def _may_not_go_on(locale: Locale, *, item: StockItem, origin: str, destination: str) -> Why:
    what, source = _item(locale, item), naming.space(locale, origin)
    if not destination:
        return locale.say("{item} came from {origin}, so it may not go on to a neighbour.", item=what, origin=source)
    return locale.say(
        "{item} came from {origin}, so it may not go on to {destination}.",
        item=what,
        origin=source,
        destination=naming.space(locale, destination),
    )


def merged_may_not_go_on(
    locale: Locale, *, item: StockItem, hidden: Decimal, origins: tuple[str, ...], available: Decimal, line: str
) -> Lines:
    """The refusal of an item into which a vanished received item may have been merged (UC6)."""
    why = _merged(locale, item=item, hidden=hidden, origins=origins, available=available)
    gone = locale.say("That stock is gone from InvenTree, and something has been merged into this item since then.")
    rule = locale.say("A received item may go back where it came from, but not on to others.")
    known = locale.say(
        "Once you know where the missing ones are, a superuser can type: {line}", line=command(f"clear #{item.pk}")
    )
    return _refusal(locale, why, gone, rule, *_less(locale, available, line), known)


def _merged(locale: Locale, *, item: StockItem, hidden: Decimal, origins: tuple[str, ...], available: Decimal) -> Why:
    return locale.say(
        "{hidden} from {origins} may have been merged into {item}. That leaves {free} free.",
        hidden=locale.quantity(hidden, item.part.units),
        origins=locale.names(origins, most=MOST_NEAR),
        item=_item(locale, item),
        free=locale.quantity(available, item.part.units),
    )


def merges_cleared(locale: Locale, *, item: StockItem, quantity: Decimal, origins: tuple[str, ...]) -> Lines:
    """The answer to `clear`; without `origins`, nothing had vanished."""
    name = locale.short(item.part.name, 60) or locale.short(item.part.ipn, 40)
    if not origins:
        return [locale.say("Nothing to clear: nothing that we received of {name} is missing.", name=name)]
    return [
        locale.say(
            "Cleared: {quantity} {name} from {origins} count as accounted for. The stock here may go on to others.",
            quantity=locale.quantity(quantity, item.part.units),
            name=name,
            origins=locale.names(origins, most=MOST_NEAR),
        )
    ]


def borrowed_goes_back_by_return(locale: Locale, *, item: StockItem, loan: Transfer) -> Lines:
    """The refusal to give away a borrowed item: it belongs to its lender."""
    how = locale.say("Hand it back: {line}", line=command(f"return {loan.code}"))
    return _refusal(locale, _borrowed(locale, item=item, loan=loan), how)


def _borrowed(locale: Locale, *, item: StockItem, loan: Transfer) -> Why:
    return locale.say("{item} belongs to them: it is on loan here ({code}).", item=_item(locale, item), code=loan.code)


def serial_is_one(locale: Locale, *, item: StockItem) -> Lines:
    """The refusal of a quantity for an item with a serial number."""
    return _refusal(locale, _serial(locale, item=item), locale.say("Leave out the quantity."))


def _serial(locale: Locale, *, item: StockItem) -> Why:
    return locale.say("{item} has a serial number, so it is one piece.", item=_item(locale, item))


def whole_pieces(locale: Locale, *, item: StockItem, wanted: Decimal) -> Lines:
    """The refusal of a fraction of a counted part."""
    return _refusal(locale, _whole(locale, item=item, wanted=wanted), locale.say("Type a whole number."))


def another_unit(locale: Locale, *, item: StockItem, wanted: Decimal, unit: str) -> Lines:
    """The refusal of a quantity whose unit can't be converted exactly into the part's unit."""
    units = locale.short(item.part.units, 20)
    why = locale.say(
        "{item} is counted in {units}, and {wanted} {unit} can't be converted into that."
        if units
        else "{item} is counted in pieces, not in {unit}.",
        item=_item(locale, item),
        units=units,
        wanted=locale.quantity(wanted),
        unit=unit,
    )
    return _refusal(locale, why, locale.say("Leave out the unit, and write how many."))


def other_unit_of_line(locale: Locale, *, line: Line, wanted: Decimal, unit: str) -> Lines:
    """The same refusal for a requested, lent or sent line."""
    units = locale.short(line.description.units, 20)
    return [
        locale.say(
            "Not done: {thing} is counted in {units}, and {wanted} can't be converted into that."
            if units
            else "Not done: {thing} is counted in pieces, so {wanted} doesn't fit.",
            thing=naming.part(locale, line.description),
            units=units,
            wanted=locale.quantity(wanted, unit),
        ),
        locale.say("Leave out the unit, and write how many."),
    ]


def _whole(locale: Locale, *, item: StockItem, wanted: Decimal) -> Why:
    return locale.say(
        "{item} is counted in whole pieces, so {wanted} of it can't move.",
        item=_item(locale, item),
        wanted=locale.quantity(wanted),
    )


def item_allocated(locale: Locale, *, item: StockItem, wanted: Decimal, available: Decimal, line: str) -> Lines:
    """The refusal of stock that is allocated to orders or builds."""
    why = _allocated(locale, item=item, wanted=wanted, available=available)
    return _refusal(locale, why, *_less(locale, available, line))


def _allocated(locale: Locale, *, item: StockItem, wanted: Decimal, available: Decimal) -> Why:
    on_offer = item.quantity - item.allocated - available
    if on_offer > 0:
        return locale.say(
            "you want {wanted} of {item}. Of {quantity}, {allocated} are allocated to orders or builds, and {offered} "
            "on offer: {free} free.",
            allocated=locale.quantity(item.allocated),
            offered=locale.quantity(on_offer),
            quantity=locale.quantity(item.quantity, item.part.units),
            **_amounts(locale, item, wanted, available),
        )
    return locale.say(
        "you want {wanted} of {item}, but {allocated} of {quantity} are allocated to orders or builds: {free} free.",
        allocated=locale.quantity(item.allocated),
        quantity=locale.quantity(item.quantity, item.part.units),
        **_amounts(locale, item, wanted, available),
    )


def quantity_too_much(locale: Locale, *, item: StockItem, wanted: Decimal, available: Decimal, line: str) -> Lines:
    """The refusal of more than is in stock."""
    why = _too_much(locale, item=item, wanted=wanted, available=available)
    return _refusal(locale, why, *_less(locale, available, line))


def _too_much(locale: Locale, *, item: StockItem, wanted: Decimal, available: Decimal) -> Why:
    amounts = _amounts(locale, item, wanted, available)
    there = locale.quantity(item.quantity, item.part.units)
    if available == item.quantity:
        return locale.say("you want {wanted} of {item}, but only {there} are there.", there=there, **amounts)
    return locale.say("you want {wanted} of {item}, but only {there} are there: {free} free.", there=there, **amounts)


def offered_already(
    locale: Locale, *, item: StockItem, wanted: Decimal, available: Decimal, transfers: tuple[Transfer, ...], line: str
) -> Lines:
    """The refusal of stock that is on offer already; without transfers, the line itself names it twice."""
    why = _offered(locale, item=item, wanted=wanted, available=available, transfers=transfers)
    return _refusal(locale, why, *_less(locale, available, line))


def _offered(
    locale: Locale, *, item: StockItem, wanted: Decimal, available: Decimal, transfers: tuple[Transfer, ...]
) -> Why:
    amounts = _amounts(locale, item, wanted, available)
    if not transfers:
        return locale.say(
            "the line names {item} more than once, and together that is too much: {free} free.",
            item=amounts["item"],
            free=amounts["free"],
        )
    codes = locale.names([transfer.code for transfer in transfers], most=MOST_NEAR)
    return locale.say(
        "you want {wanted} of {item}, but it is on offer already ({codes}): {free} free.", codes=codes, **amounts
    )


def _amounts(locale: Locale, item: StockItem, wanted: Decimal, available: Decimal) -> dict[str, Words]:
    return {
        "item": _item(locale, item),
        "wanted": locale.quantity(wanted, item.part.units),
        "free": locale.quantity(available, item.part.units),
    }


def _less(locale: Locale, available: Decimal, line: str) -> list[Why]:
    """A smaller offer: `line` is the typed one with the free quantity."""
    return [locale.say("You can offer what is free: {line}", line=command(line))] if available > 0 else []


_WHY: dict[Callable[..., object], Callable[..., Why]] = {
    part_virtual: _virtual,
    part_inactive: _inactive,
    part_not_salable: _not_salable,
    item_with_customer: _with_customer,
    practice_stays_practice: _practice,
    item_not_in_stock: _not_in_stock,
    status_may_not_travel: _status,
    may_not_go_on: _may_not_go_on,
    merged_may_not_go_on: _merged,
    borrowed_goes_back_by_return: _borrowed,
    serial_is_one: _serial,
    whole_pieces: _whole,
    item_allocated: _allocated,
    quantity_too_much: _too_much,
    offered_already: _offered,
}


def no_item_fits(locale: Locale, *, word: str, unfit: tuple[tuple[StockItem, Phrase], ...]) -> Lines:
    """None of several stock items can go: each with its reason."""
    items: list[Sequence[Inline]] = [_unfit(locale, item, why) for item, why in unfit[:MOST_CHOICES]]
    if len(unfit) > MOST_CHOICES:
        items.append(locale.say("and {number} more", number=len(unfit) - MOST_CHOICES))
    return [
        locale.say('Not offered: nothing of "{word}" can move.', word=locale.short(word, 60)),
        Items(tuple(tuple(item) for item in items)),
        locale.say("Nothing was sent, nothing has moved."),
    ]


def _unfit(locale: Locale, item: StockItem, phrase: Phrase) -> Why:
    place = locale.short(item.place, 60) or locale.word("no location")
    why = _WHY.get(phrase.sentence)
    about = {name: value for name, value in phrase.about.items() if name != "line"}
    reason = why(locale, **about) if why else locale.say("{item} can't move.", item=_item(locale, item))
    return (f"{place}, {locale.quantity(item.quantity, item.part.units)}:", Break(), *reason)


def offer_too_large(locale: Locale, *, kilobytes: int, most: int) -> Lines:
    """The refusal of an offer that doesn't fit into a message."""
    return _refusal(
        locale,
        locale.say(
            "with all its data from InvenTree it is {kilobytes} kB, and a message holds {most}.",
            kilobytes=kilobytes,
            most=most,
        ),
        locale.say(
            "Please offer fewer items at once. If it is one item: its metadata in InvenTree is very large ({key}).",
            key=Code("metadata"),
        ),
    )


def how_many_of_it(locale: Locale, *, word: str, most: int, line: str) -> Lines:
    """The answer to a request without a quantity: only the owner knows how much there is."""
    return [
        locale.say('How much of "{word}"? I have done nothing yet.', word=locale.short(word, 60)),
        locale.say("Reply with a number up to {most}. For more, type: {line}", most=most, line=command(line)),
    ]


def which_is_the_quantity(locale: Locale, *, ways: tuple[tuple[Decimal, str, str], ...]) -> Lines:
    """Asks which number is the quantity: there is one at both ends, or its unit may belong to the name."""
    numbered = [
        locale.say(
            "{number}) {what}", number=number, what=naming.amount(locale, amount, unit, f'"{locale.short(item)}"')
        )
        for number, (amount, unit, item) in enumerate(ways, start=1)
    ]
    numbers = [str(number) for number in range(1, len(ways) + 1)]
    return [
        locale.say("That can mean different things. Which do you mean?"),
        *numbered,
        locale.say(
            "Reply {numbers} within {time}. I have done nothing yet.",
            numbers=locale.names(numbers, any_of=True),
            time=locale.span(NUMBER_WITHIN),
        ),
    ]


def all_or_nothing(locale: Locale, *, subject: Connection | Transfer) -> Lines:
    """The refusal of a quantity where only all or nothing can be approved."""
    case = naming.case(locale, subject)
    if not isinstance(subject, Transfer) or subject.terms.kind != "request":
        why = locale.say("A quantity is only possible for a request from another space.")
    elif subject.peer_agreed is not None:
        why = locale.say("The other space has approved exactly this, so you can only take all or nothing.")
    elif len({line.part for line in subject.terms.lines}) > 1:
        why = locale.say("It has several parts, so you can only approve all or nothing.")
    else:
        why = locale.say("Each piece has a serial number, so only whole ones can go.")
    return [
        locale.say("Not counted: you can't choose a part of {case}.", case=case),
        why,
        locale.say("To approve all of it: {approve}", approve=command(f"approve {subject.code}")),
    ]


def more_than_asked(locale: Locale, *, transfer: Transfer, wanted: Decimal) -> Lines:
    """The refusal to grant more than was requested."""
    line = transfer.terms.lines[0]
    names = {
        "wanted": locale.quantity(wanted, line.description.units),
        "asked": locale.quantity(total(transfer.terms.lines), line.description.units),
        "case": naming.case(locale, transfer),
    }
    return [
        locale.say("Not counted: {wanted} is more than the requested {asked}.", **names),
        locale.say("To approve all of it: {approve}", approve=command(f"approve {transfer.code}")),
    ]
