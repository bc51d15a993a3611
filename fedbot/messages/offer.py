"""Answers to `push`, `lend` and `request` besides the offer itself: why not, or which item is meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.formatting import Break, Code, Inline, Items
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.naming import command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import Part, StockItem
from fedbot.rules.model.summaries import Lying
from fedbot.rules.model.transfer import Line, Transfer, total

MOST_NEAR = 5
MOST_CHOICES = 20
Why = tuple[Inline, ...]


def _refusal(tongue: Locale, why: Why, *advice: Why) -> Lines:
    """'Not offered: why. / Nothing was sent. what to do instead'."""
    return [tongue.say("Not offered: {why}", why=why), *advice, tongue.say("Nothing was sent, nothing has moved.")]


def _item(tongue: Locale, item: StockItem) -> str:
    """'M3 bolt (stock #12)'."""
    name = tongue.short(item.part.name, 60) or tongue.short(item.part.ipn, 40)
    if item.serial:
        return tongue.word("{name}, serial {serial} (stock #{pk})").format(
            name=name, serial=tongue.short(item.serial, 40), pk=item.pk
        )
    return tongue.word("{name} (stock #{pk})").format(name=name, pk=item.pk)


def not_friends(tongue: Locale, *, name: str, party: str, home: PartyConfig) -> Lines:
    """There is no connection with that space, to give something or to ask for it."""
    names: dict[str, Words] = {"own": naming.space(tongue, home.name), "peer": naming.space(tongue, name)}
    connect = command(f"connect {party}")
    return [
        tongue.say("Not done: {own} and {peer} aren't friends yet. Nothing was sent.", **names),
        tongue.say("A superuser of {own} can ask: {connect}", connect=connect, **names),
    ]


# --- the quantity, of something given or asked for ---------------------------------------------------------


def quantity_not_positive(tongue: Locale, *, word: str) -> Lines:
    """Zero, or less."""
    return [tongue.say("Not done: {word} is no quantity that can move. Nothing was sent.", word=tongue.short(word, 30))]


def quantity_too_fine(tongue: Locale, *, word: str, places: int) -> Lines:
    """More decimals than InvenTree keeps."""
    return [
        tongue.say("Not done: {word} has too many decimals. Nothing was sent.", word=tongue.short(word, 30)),
        tongue.say("InvenTree keeps {places}.", places=places),
    ]


def quantity_too_large(tongue: Locale, *, word: str) -> Lines:
    """More digits than InvenTree takes."""
    shown = tongue.short(word, 30)
    return [tongue.say("Not done: {word} is more than InvenTree can count. Nothing was sent.", word=shown)]


# --- which item --------------------------------------------------------------------------------------------


def scanned_code_is_ours(tongue: Locale, *, word: str) -> Lines:
    """A scanned code in a request: it doesn't say from whose InvenTree it is."""
    return [
        tongue.say(
            'Not done: the code "{word}" stands for an item of our own InvenTree, not of theirs.',
            word=tongue.short(word, 40),
        ),
        tongue.say("Say it by its IPN, its name, or its #number over there. Nothing was sent."),
    ]


def item_not_found(tongue: Locale, *, word: str, parts: tuple[Part, ...]) -> Lines:
    """Nothing is called that."""
    why = tongue.say('there is no item "{word}".', word=tongue.short(word, 60))
    near = [tongue.say("Near it: {parts}", parts=_parts(tongue, parts))] if parts else []
    how = tongue.say(
        "An item is #42, an IPN, a name or its pasted link. A name with a number at its end goes in quotes."
    )
    return _refusal(tongue, why, *near, how)


def nothing_in_stock(tongue: Locale, *, word: str, parts: tuple[Part, ...]) -> Lines:
    """The part is known, but there is nothing of it."""
    why = tongue.say('nothing of "{word}" lies in stock.', word=tongue.short(word, 60))
    known = [tongue.say("The part is known: {parts}", parts=_parts(tongue, parts))] if parts else []
    return _refusal(tongue, why, *known)


def _parts(tongue: Locale, parts: Sequence[Part]) -> str:
    shown = [
        f"{tongue.short(part.name, 60)} ({tongue.short(part.ipn, 40)})" if part.ipn else tongue.short(part.name, 60)
        for part in parts[:MOST_NEAR]
    ]
    more = [ELSE] if len(parts) > MOST_NEAR else []
    return ", ".join([*shown, *more])


ELSE = "…"


def which_item(tongue: Locale, *, word: str, choices: tuple[Lying, ...]) -> Lines:
    """Several stock items of one part: a numbered list."""
    numbered = [(f"{number}) {_lying(tongue, choice)}",) for number, choice in enumerate(choices, start=1)]
    first = tongue.say('There are several of "{word}". Which do you mean?', word=tongue.short(word, 60))
    return [first, *numbered, _reply(tongue, len(numbered))]


def only_together(tongue: Locale, *, word: str, wanted: Decimal, together: tuple[Lying, ...]) -> Lines:
    """No stock item of the part has so much, but several together do."""
    amount = tongue.quantity(wanted, together[0].item.part.units)
    first = tongue.say('No single stock item of "{word}" has {amount}.', word=tongue.short(word, 60), amount=amount)
    return [
        first,
        tongue.say("1) Together they have it:"),
        Items(tuple((_lying(tongue, each),) for each in together)),
        _reply(tongue, 1),
    ]


def _lying(tongue: Locale, choice: Lying) -> str:
    item = choice.item
    place = tongue.short(item.place, 60) or tongue.word("no place")
    told = [f"{place}", tongue.quantity(choice.quantity, item.part.units)]
    if item.serial:
        told.append(tongue.word("serial {serial}").format(serial=tongue.short(item.serial, 40)))
    if item.batch:
        told.append(tongue.word("batch {batch}").format(batch=tongue.short(item.batch, 40)))
    if choice.quantity != item.quantity:
        told.append(tongue.word("of {quantity}").format(quantity=tongue.quantity(item.quantity)))
    return f"{', '.join(told)} (#{item.pk})"


def _reply(tongue: Locale, count: int) -> Why:
    numbers = [str(number) for number in range(1, count + 1)]
    if count <= naming.MOST_IN_FIRST_LINE:
        return tongue.say(
            "Reply {numbers} within 10 minutes. I did nothing yet.", numbers=tongue.names(numbers, any_of=True)
        )
    return tongue.say("Reply with the number within 10 minutes. I did nothing yet.")


def which_reading(tongue: Locale, *, word: str, readings: tuple[Lying, ...]) -> Lines:
    """A number at the end of a name: quantity, or part of the name?"""
    numbered = [
        tongue.say(
            "{number}) {quantity} × {item}",
            number=number,
            quantity=tongue.quantity(each.quantity),
            item=_item(tongue, each.item),
        )
        for number, each in enumerate(readings, start=1)
    ]
    first = tongue.say('"{word}" can mean different things. Which?', word=tongue.short(word, 60))
    return [first, *numbered, _reply(tongue, len(readings))]


# --- what may not go ---------------------------------------------------------------------------------------


def part_virtual(tongue: Locale, *, item: StockItem) -> Lines:
    """A virtual part."""
    return _refusal(tongue, _virtual(tongue, item=item))


def _virtual(tongue: Locale, *, item: StockItem) -> Why:
    return tongue.say("{item} is virtual: there is nothing to hand over.", item=_item(tongue, item))


def part_inactive(tongue: Locale, *, item: StockItem) -> Lines:
    """An inactive part."""
    return _refusal(tongue, _inactive(tongue, item=item), tongue.say("Who may change parts can make it active."))


def _inactive(tongue: Locale, *, item: StockItem) -> Why:
    return tongue.say("the part of {item} is inactive.", item=_item(tongue, item))


def part_not_salable(tongue: Locale, *, item: StockItem) -> Lines:
    """InvenTree assigns only salable parts to a company."""
    advice = tongue.say("InvenTree gives only salable parts away. Who may change parts can switch on 'salable' at it.")
    return _refusal(tongue, _not_salable(tongue, item=item), advice)


def _not_salable(tongue: Locale, *, item: StockItem) -> Why:
    return tongue.say("the part of {item} isn't salable.", item=_item(tongue, item))


def item_with_customer(tongue: Locale, *, item: StockItem) -> Lines:
    """It has been given away already."""
    return _refusal(tongue, _with_customer(tongue, item=item))


def _with_customer(tongue: Locale, *, item: StockItem) -> Why:
    return tongue.say("{item} is with a customer or another space already.", item=_item(tongue, item))


def item_not_in_stock(tongue: Locale, *, item: StockItem) -> Lines:
    """It isn't in stock."""
    return _refusal(tongue, _not_in_stock(tongue, item=item))


def _not_in_stock(tongue: Locale, *, item: StockItem) -> Why:
    return tongue.say("{item} isn't in stock: sold, installed, in production, or used up.", item=_item(tongue, item))


def status_may_not_travel(tongue: Locale, *, item: StockItem) -> Lines:
    """Only four of InvenTree's statuses may be handed over."""
    advice = tongue.say(
        "Only OK, attention needed, damaged and returned may travel. Correct it in InvenTree if it is wrong."
    )
    return _refusal(tongue, _status(tongue, item=item), advice)


def _status(tongue: Locale, *, item: StockItem) -> Why:
    status = naming.status(tongue, item.status_text, item.status)
    return tongue.say('{item} has the status "{status}".', item=_item(tongue, item), status=status)


def may_not_go_on(tongue: Locale, *, item: StockItem, origin: str, destination: str) -> Lines:
    """UC6: what came from one space may not go on to a third."""
    advice = tongue.say(
        "What was given may go back where it came from, but not on to others. {destination} can ask {origin} for it.",
        origin=naming.space(tongue, origin),
        destination=naming.space(tongue, destination),
    )
    return _refusal(tongue, _may_not_go_on(tongue, item=item, origin=origin, destination=destination), advice)


def _may_not_go_on(tongue: Locale, *, item: StockItem, origin: str, destination: str) -> Why:
    names = {"origin": naming.space(tongue, origin), "destination": naming.space(tongue, destination)}
    return tongue.say(
        "{item} came from {origin}, so it may not go on to {destination}.", item=_item(tongue, item), **names
    )


def merged_may_not_go_on(
    tongue: Locale, *, item: StockItem, hidden: Decimal, origins: tuple[str, ...], available: Decimal, line: str
) -> Lines:
    """UC6: something received has vanished, and may be in this item, into which something was merged."""
    why = _merged(tongue, item=item, hidden=hidden, origins=origins, available=available)
    gone = tongue.say("They are gone from InvenTree, and something was merged into this item since.")
    rule = tongue.say("What was given may go back where it came from, but not on to others.")
    known = tongue.say(
        "If you know where the missing ones are, a superuser says so: {line}", line=command(f"clear #{item.pk}")
    )
    return _refusal(tongue, why, gone, rule, *_less(tongue, available, line), known)


def _merged(tongue: Locale, *, item: StockItem, hidden: Decimal, origins: tuple[str, ...], available: Decimal) -> Why:
    return tongue.say(
        "{item} may hold {hidden} from {origins}, merged into it: {free} free.",
        hidden=tongue.quantity(hidden, item.part.units),
        origins=tongue.names(origins, most=MOST_NEAR),
        item=_item(tongue, item),
        free=tongue.quantity(available, item.part.units),
    )


def merges_cleared(tongue: Locale, *, item: StockItem, quantity: Decimal, origins: tuple[str, ...]) -> Lines:
    """A superuser says where what vanished is; without any origin nothing had vanished."""
    name = tongue.short(item.part.name, 60) or tongue.short(item.part.ipn, 40)
    if not origins:
        return [tongue.say("Nothing to clear: nothing that we received of {name} is missing.", name=name)]
    return [
        tongue.say(
            "Cleared: {quantity} {name} from {origins} count as accounted for. What is there may go on to others.",
            quantity=tongue.quantity(quantity, item.part.units),
            name=name,
            origins=tongue.names(origins, most=MOST_NEAR),
        )
    ]


def borrowed_goes_back_by_return(tongue: Locale, *, item: StockItem, loan: Transfer) -> Lines:
    """What is borrowed is its owner's: it is handed back, not given."""
    how = tongue.say("Hand it back: {line}", line=command(f"return {loan.code}"))
    return _refusal(tongue, _borrowed(tongue, item=item, loan=loan), how)


def _borrowed(tongue: Locale, *, item: StockItem, loan: Transfer) -> Why:
    return tongue.say("{item} is theirs: it is on loan here ({code}).", item=_item(tongue, item), code=loan.code)


def serial_is_one(tongue: Locale, *, item: StockItem) -> Lines:
    """A serial number is one piece."""
    return _refusal(tongue, _serial(tongue, item=item), tongue.say("Leave the quantity away."))


def _serial(tongue: Locale, *, item: StockItem) -> Why:
    return tongue.say("{item} has a serial number, so it is one piece.", item=_item(tongue, item))


def whole_pieces(tongue: Locale, *, item: StockItem, wanted: Decimal) -> Lines:
    """A fraction of what is counted."""
    return _refusal(tongue, _whole(tongue, item=item, wanted=wanted), tongue.say("Say a whole number."))


def _whole(tongue: Locale, *, item: StockItem, wanted: Decimal) -> Why:
    return tongue.say(
        "{item} is counted in whole pieces, so {wanted} of it can't go.",
        item=_item(tongue, item),
        wanted=tongue.quantity(wanted),
    )


def item_allocated(tongue: Locale, *, item: StockItem, wanted: Decimal, available: Decimal, line: str) -> Lines:
    """Orders or builds lay claim to it."""
    why = _allocated(tongue, item=item, wanted=wanted, available=available)
    return _refusal(tongue, why, *_less(tongue, available, line))


def _allocated(tongue: Locale, *, item: StockItem, wanted: Decimal, available: Decimal) -> Why:
    return tongue.say(
        "you want {wanted} of {item}, but {allocated} of {quantity} are allocated to orders or builds: {free} free.",
        allocated=tongue.quantity(item.allocated),
        quantity=tongue.quantity(item.quantity, item.part.units),
        **_amounts(tongue, item, wanted, available),
    )


def quantity_too_much(tongue: Locale, *, item: StockItem, wanted: Decimal, available: Decimal, line: str) -> Lines:
    """There isn't that much."""
    why = _too_much(tongue, item=item, wanted=wanted, available=available)
    return _refusal(tongue, why, *_less(tongue, available, line))


def _too_much(tongue: Locale, *, item: StockItem, wanted: Decimal, available: Decimal) -> Why:
    amounts = _amounts(tongue, item, wanted, available)
    there = tongue.quantity(item.quantity, item.part.units)
    if available == item.quantity:
        return tongue.say("you want {wanted} of {item}, but only {there} are there.", there=there, **amounts)
    return tongue.say("you want {wanted} of {item}, but only {there} are there: {free} free.", there=there, **amounts)


def offered_already(
    tongue: Locale, *, item: StockItem, wanted: Decimal, available: Decimal, transfers: tuple[Transfer, ...], line: str
) -> Lines:
    """Other open offers lay claim to it; without any, the line itself names it twice."""
    why = _offered(tongue, item=item, wanted=wanted, available=available, transfers=transfers)
    return _refusal(tongue, why, *_less(tongue, available, line))


def _offered(
    tongue: Locale, *, item: StockItem, wanted: Decimal, available: Decimal, transfers: tuple[Transfer, ...]
) -> Why:
    amounts = _amounts(tongue, item, wanted, available)
    if not transfers:
        return tongue.say(
            "the line names {item} more than once, and together that is too much: {free} free.",
            item=amounts["item"],
            free=amounts["free"],
        )
    codes = tongue.names([transfer.code for transfer in transfers], most=MOST_NEAR)
    return tongue.say(
        "you want {wanted} of {item}, but it is on offer already ({codes}): {free} free.", codes=codes, **amounts
    )


def _amounts(tongue: Locale, item: StockItem, wanted: Decimal, available: Decimal) -> dict[str, Words]:
    return {
        "item": _item(tongue, item),
        "wanted": tongue.quantity(wanted, item.part.units),
        "free": tongue.quantity(available, item.part.units),
    }


def _less(tongue: Locale, available: Decimal, line: str) -> list[Why]:
    """What can be offered instead: `line` is what was typed, with what is free."""
    return [tongue.say("You can offer what is free: {line}", line=command(line))] if available > 0 else []


_WHY: dict[Callable[..., object], Callable[..., Why]] = {
    part_virtual: _virtual,
    part_inactive: _inactive,
    part_not_salable: _not_salable,
    item_with_customer: _with_customer,
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


def no_item_fits(tongue: Locale, *, word: str, unfit: tuple[tuple[StockItem, Phrase], ...]) -> Lines:
    """Several stock items, and none of them may go: each with its reason."""
    items: list[Sequence[Inline]] = [_unfit(tongue, item, why) for item, why in unfit[:MOST_CHOICES]]
    if len(unfit) > MOST_CHOICES:
        items.append(tongue.say("and {number} more", number=len(unfit) - MOST_CHOICES))
    return [
        tongue.say('Not offered: nothing of "{word}" can go.', word=tongue.short(word, 60)),
        Items(tuple(tuple(item) for item in items)),
        tongue.say("Nothing was sent, nothing has moved."),
    ]


def _unfit(tongue: Locale, item: StockItem, phrase: Phrase) -> Why:
    place = tongue.short(item.place, 60) or tongue.word("no place")
    why = _WHY.get(phrase.sentence)
    about = {name: value for name, value in phrase.about.items() if name != "line"}
    reason = why(tongue, **about) if why else tongue.say("{item} can't go.", item=_item(tongue, item))
    return (f"{place}, {tongue.quantity(item.quantity, item.part.units)}:", Break(), *reason)


def offer_too_large(tongue: Locale, *, kilobytes: int, most: int) -> Lines:
    """The items' metadata makes the offer larger than a message."""
    return _refusal(
        tongue,
        tongue.say(
            "with all that InvenTree says of the items it is {kilobytes} kB, and a message holds {most}.",
            kilobytes=kilobytes,
            most=most,
        ),
        tongue.say(
            "Please offer fewer items at once. If it is one item: its metadata in InvenTree is very large ({key}).",
            key=Code("metadata"),
        ),
    )


def how_many_of_it(tongue: Locale, *, word: str, line: str) -> Lines:
    """A request without a quantity: only the owner knows how much there is, so nothing is guessed."""
    return [
        tongue.say('How much of "{word}"? I did nothing.', word=tongue.short(word, 60)),
        tongue.say("For example: {line}", line=command(line)),
    ]


def which_is_the_quantity(tongue: Locale, *, ways: tuple[tuple[Decimal, str], ...]) -> Lines:
    """A number at both ends of what was asked for."""
    numbered = [
        tongue.say(
            '{number}) {quantity} × "{item}"', number=number, quantity=tongue.quantity(amount), item=tongue.short(item)
        )
        for number, (amount, item) in enumerate(ways, start=1)
    ]
    numbers = [str(number) for number in range(1, len(ways) + 1)]
    return [
        tongue.say("That can mean different things. Which?"),
        *numbered,
        tongue.say("Reply {numbers} within 10 minutes. I did nothing yet.", numbers=tongue.names(numbers, any_of=True)),
    ]


def all_or_nothing(tongue: Locale, *, subject: Connection | Transfer) -> Lines:
    """A quantity where none can be chosen."""
    case = naming.case(tongue, subject)
    if not isinstance(subject, Transfer) or subject.terms.kind != "request":
        why = tongue.say("A quantity only goes with what another space requests of us.")
    elif len({line.part for line in subject.terms.lines}) > 1:
        why = tongue.say("It is of several parts, so it is all or nothing.")
    else:
        why = tongue.say("Each piece has a serial number, so only whole ones can go.")
    return [
        tongue.say("Not counted: of {case} no part can be chosen.", case=case),
        why,
        tongue.say("Yes to all of it: {approve}", approve=command(f"approve {subject.code}")),
    ]


def more_than_asked(tongue: Locale, *, transfer: Transfer, wanted: Decimal) -> Lines:
    """More granted than was asked for."""
    line = transfer.terms.lines[0]
    names = {
        "wanted": tongue.quantity(wanted, line.description.units),
        "asked": tongue.quantity(total(transfer.terms.lines), line.description.units),
        "case": naming.case(tongue, transfer),
    }
    return [
        tongue.say("Not counted: {wanted} is more than the {asked} that are asked for.", **names),
        tongue.say("Yes to all of it: {approve}", approve=command(f"approve {transfer.code}")),
    ]


def requested_is_flawed(tongue: Locale, *, transfer: Transfer, lines: tuple[Line, ...], peer_name: str) -> Lines:
    """What the owner would send for a request isn't in order, by its status in the owner's InvenTree."""
    owner, cancel = naming.space(tongue, peer_name), command(f"cancel {transfer.code}")
    return [
        tongue.say("What {owner} has is not in order: {what}", owner=owner, what=naming.all_of(tongue, lines)),
        tongue.say("It comes like that if {owner} agrees. If you don't want it: {cancel}", owner=owner, cancel=cancel),
    ]
