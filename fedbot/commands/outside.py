"""`!fed outside "NAME" is SPACE`, and the handlers of other verbs for a neighbour without a bot.

The others are `lend`, `return`, `extend`, `gift`, `lost`, `cancel` and `show`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial

from fedbot import messages
from fedbot.commands import extend
from fedbot.commands.dates import Days, day_from
from fedbot.commands.german import as_said
from fedbot.commands.grammar import SHOWN, render
from fedbot.commands.items import Reading, as_argument, unquoted
from fedbot.commands.loan_lookup import neighbours_amount, on_loan_called
from fedbot.commands.lookup import found_in, friend_meant, rooms_told_of, signature_with_note, whole_line
from fedbot.commands.push import ANYWAY, counted
from fedbot.commands.spec import Argument, Handler, Kind, Verb, Where
from fedbot.commands.stock_to_offer import (
    Ahead,
    Choice,
    Picked,
    Picking,
    pick,
    quantity_complaint,
    size_complaint,
    too_long,
    units_said,
)
from fedbot.messages.quantities import EVERYTHING, quantity_in
from fedbot.rules import time_zones
from fedbot.rules.carry_out_line import not_entitled
from fedbot.rules.loan import bookings, lending_rules, outside
from fedbot.rules.model import lending as lendings
from fedbot.rules.model.care import taken_out
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lending import BY_RULES, LONGEST_NEIGHBOUR, OUTSIDE, LentBefore, OutsideLoan, outside_id
from fedbot.rules.model.lifecycles import MAY_BE_HANDED_OVER, OutsideState
from fedbot.rules.model.party_config import PRACTICE
from fedbot.rules.model.queries import (
    Answer,
    AuditOf,
    AuditTrail,
    FindItems,
    ItemsFound,
    PersonPermissions,
    Query,
)
from fedbot.rules.model.stock import Permission, StockItem
from fedbot.rules.model.transfer import Terms
from fedbot.rules.names import bare_word
from fedbot.rules.protocol.terms import bare, described, line_of, presentable
from fedbot.rules.state import Turn
from fedbot.rules.transfer import opening
from fedbot.rules.wire import by_line

LOOKS = frozenset({"show", "history"})
WORDS = ("outside", "außerhalb", "ausserhalb")


def is_meant(command: Command) -> bool:
    """Whether the line lends to a neighbour without a bot: `to outside "NAME"`."""
    return str(command.arguments.get("space", "")).casefold().partition(" ")[0] in WORDS


def _neighbour(command: Command) -> str:
    name = str(command.arguments["space"]).strip().partition(" ")[2].strip()
    return presentable(" ".join(unquoted(name).split()))


# --- lend ---


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask which item is meant; an objection is returned at once."""
    if complaint := _complaint(command):
        return complaint
    day = _last_day(turn, command)
    if isinstance(day, Phrase):
        return day
    categories, lending = turn.us.looks_at_categories, turn.us.lending_from_inventree
    readings = _readings(command)
    units = units_said([readings])
    return tuple(FindItems(each.item, categories, merges=True, lending=lending, units=units) for each in readings)


def _complaint(command: Command) -> Phrase | None:
    if not 0 < len(_neighbour(command)) <= LONGEST_NEIGHBOUR:
        return say(messages.outside.neighbour_without_name)
    if len(command.arguments["lines"]) > 1 or "starts" in command.arguments or "parcel" in command.arguments:
        return say(messages.outside.one_item_to_outside)
    complaints = (quantity_complaint(r.quantity) for r in _readings(command) if r.quantity)
    return next((complaint for complaint in complaints if complaint is not None), None)


def _readings(command: Command) -> tuple[Reading, ...]:
    (readings,) = command.arguments["lines"]
    return tuple(Reading(**reading) for reading in readings)


def _last_day(turn: Turn, command: Command) -> date | Phrase:
    return day_from(str(command.arguments["until"]), turn.today(), turn.today())


def act(turn: Turn, command: Command, answers: tuple[Answer, ...], spec: Verb) -> Phrase | None:
    """Lend it, or say why not. `spec` is the verb that was typed."""
    complaint, day = _complaint(command), _last_day(turn, command)
    if complaint is not None or isinstance(day, Phrase):
        return complaint or (day if isinstance(day, Phrase) else None)
    found = {r.item: each for r, each in zip(_readings(command), answers, strict=True) if isinstance(each, ItemsFound)}
    anyway = whole_line(turn, command, spec, **_fixed(command, day.isoformat()), **{ANYWAY.name: "yes"})
    when = Ahead(last=day, anyway="" if ANYWAY.name in command.arguments else anyway)
    picked = pick(Picking(turn, found, OUTSIDE, {}, partial(_less, command, spec), when), _readings(command))
    if isinstance(picked, Phrase):
        return picked
    if isinstance(picked, Choice):
        ways = tuple(_instead(turn, command, spec, way[0], day) for way in picked.ways if len(way) == 1)
        if len(ways) < len(picked.ways):
            return say(messages.outside.one_item_to_outside)
        turn.choose(command.room, command.event_id, command.sender, picked.phrase, ways)
        return None
    care, moved = turn.us.care, [taken_out(picked.item, picked.quantity)]
    hold = lending_rules.rules_for(turn, moved, [picked.item.pk], answers)
    if not lendings.may_borrow(hold, OUTSIDE):
        return say(messages.lending.not_lent_to, us=turn.us, peer_name=_neighbour(command))
    days = Days(None, day)
    if complaint := too_long(turn, hold, days, lambda last: whole_line(turn, command, spec, **_fixed(command, last))):
        return complaint
    rules = lendings.strictest(hold)
    if (care.why(moved) or (rules is not None and rules.two_people)) and not (command.is_proven and care.typed_code):
        return say(messages.outside.two_people_outside)
    outside.lend(turn, _loan(turn, command, picked, day))
    return None


def _instead(turn: Turn, command: Command, spec: Verb, chosen: Reading, day: date) -> str:
    """The line that lends that instead."""
    return whole_line(turn, command, spec, lines=[[as_argument(chosen)]], **_fixed(command, day.isoformat()))


def _fixed(command: Command, day: str) -> dict[str, str]:
    """The neighbour's name without nested quotes, and the day as a date, which means the same later."""
    return {"space": f"outside {_neighbour(command)}", "until": day}


def _less(command: Command, spec: Verb, item: StockItem, quantity: Decimal) -> str:
    """The line with that quantity of that item."""
    space = f"outside {_neighbour(command)}"
    said = as_said(spec, command.text)
    return render(said, {**command.arguments, "space": space, "lines": [counted(item.pk, quantity)]})


def _loan(turn: Turn, command: Command, picked: Picked, day: date) -> OutsideLoan:
    identifier, item = outside_id(command.event_id), picked.item
    return OutsideLoan(
        id=identifier,
        code=turn.short_code(identifier),
        neighbour=_neighbour(command),
        by=turn.signature_of(command),
        room=command.room,
        until=day,
        source=item.pk,
        part=item.part.pk,
        description=described(item.part),
        quantity=Decimal(picked.quantity),
        serial=item.serial,
        batch=item.batch,
        note=presentable(str(command.arguments.get("note", ""))),
    )


# --- other verbs on such a loan ---


def loan_meant(turn: Turn, command: Command) -> OutsideLoan | None:
    """The loan whose code the line has, or whose message it replies to; None if it is about something else."""
    typed = str(command.arguments.get("id", "")).split()
    here = rooms_told_of(turn, command.room)
    word = bare_word(typed[0]).lower() if typed else ""
    known = [each for each in turn.all(OutsideLoan) if each.room in here or command.room == turn.us.admin_room]
    coded = [each for each in known if each.code == word]
    if coded or command.subject or not word or turn.by_code(word):
        return coded[0] if coded else next((each for each in known if each.id == command.subject), None)
    things = _thing(command) if command.verb in _RULES else ""
    loans, neighbours = on_loan_called(turn, command, things) if things else ([], [])
    return neighbours[0] if len(neighbours) == 1 and not loans else None


def _thing(command: Command) -> str:
    """The words for an item, and its quantity, in place of a code; for `extend`, without the time."""
    typed = str(command.arguments.get("id", "")).strip()
    return extend.thing_and_time(typed)[0] if command.verb == extend.SPEC.name else typed


def _rest(command: Command, loan: OutsideLoan) -> str:
    """The words after the code, or after the item: a quantity, or a time."""
    typed = str(command.arguments.get("id", "")).strip()
    first, _, rest = typed.partition(" ")
    if bare_word(first).lower() == loan.code:
        return rest.strip()
    amount = neighbours_amount(loan, _thing(command))
    return typed if amount is None else amount or typed.removeprefix(_thing(command)).strip()


def _not_all(command: Command, loan: OutsideLoan) -> Phrase | None:
    """Why the loan doesn't end: the line names less than all of it."""
    said = _rest(command, loan)
    if said.casefold() in {"", *EVERYTHING} or neighbours_amount(loan, said) == "":
        return None
    quantity = quantity_in(neighbours_amount(loan, said) or said)
    is_all = quantity is not None and [Decimal(each) for each in quantity.readings] == [loan.quantity]
    return None if is_all else say(messages.outside.outside_goes_whole, loan=loan, said=said[:SHOWN])


_Rule = Callable[[Turn, Command, OutsideLoan], Phrase | None]


def handler_for(spec: Verb) -> Handler | None:
    """The verb's handler for such loans; None if the verb isn't possible for them."""
    rule = _RULES.get(spec.name)
    if rule is None and spec.name not in LOOKS:
        return None

    def ask_permissions(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
        """Ask for an approver's permission, unless the verb only shows something."""
        if spec.only_looks:
            loan = loan_meant(turn, command)
            return (AuditOf(loan.id),) if loan is not None else ()
        return (PersonPermissions(command.username), turn.who_may(Permission.APPROVER))

    def do(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
        loan = loan_meant(turn, command)
        if spec.only_looks:
            return _story(turn, loan, answers) if loan is not None else None
        refused = not_entitled(turn, command, Permission.APPROVER, answers)
        return refused or (rule(turn, command, loan) if loan is not None and rule is not None else None)

    return Handler(spec, ask_permissions, do, is_outside=True)


def _story(turn: Turn, loan: OutsideLoan, answers: tuple[Answer, ...]) -> Phrase:
    """Show the loan's state, and everything that led to it."""
    (trail,) = answers
    if not isinstance(trail, AuditTrail):
        raise TypeError(f"a story is told from the audit, not from {trail!r}")
    people = {entry.who for _, entry in trail.entries if entry.who.startswith("@")}
    names = {person: turn.name_of(person, loan.room) for person in sorted(people)}
    return say(
        messages.overview.outside_story,
        loan=loan,
        us=turn.us,
        entries=trail.entries,
        names=names,
        friend=outside.friend_of(turn, loan),
    )


def _return(turn: Turn, command: Command, loan: OutsideLoan) -> Phrase:
    if complaint := _not_all(command, loan):
        return complaint
    if loan.state not in {OutsideState.OUT, OutsideState.UNCLEAR} or loan.stage != "handed":
        return say(messages.outside.outside_not_so, loan=loan, us=turn.us, friend=outside.friend_of(turn, loan))
    note = presentable(str(command.arguments.get("note", "")))
    outside.take_back(turn, loan, turn.signature_of(command), damaged="damaged" in command.arguments, note=note)
    return say(messages.outside.outside_noted, loan=loan)


def _extend(turn: Turn, command: Command, loan: OutsideLoan) -> Phrase:
    words = extend.how_long(_rest(command, loan))
    if loan.state is not OutsideState.OUT:
        return say(messages.outside.outside_not_so, loan=loan, us=turn.us, friend=outside.friend_of(turn, loan))
    today = turn.today()
    day = day_from(words, today, max(loan.until, today))
    if isinstance(day, Phrase):
        return day
    if day <= loan.until:
        return say(messages.outside.day_not_later, loan=loan)
    broken = bookings.broken_by_neighbour(turn, loan, day)
    if broken and ANYWAY.name not in command.arguments:
        again = {"id": f"{loan.code} until {day.isoformat()}", ANYWAY.name: "yes"}
        line = whole_line(turn, command, extend.SPEC, **again)
        return say(messages.booking.would_break, what=loan.description.name, bookings=broken, line=line)
    outside.prolong(turn, loan, day, signature_with_note(turn, command))
    return say(messages.outside.outside_noted, loan=loan)


def _closing(how: OutsideState, *, only_unclear: bool = False) -> _Rule:
    """The rule that closes such a loan in this way; with `only_unclear` only a loan whose state is unclear."""
    states = {OutsideState.UNCLEAR} if only_unclear else {OutsideState.UNCLEAR, OutsideState.OUT}

    def rule(turn: Turn, command: Command, loan: OutsideLoan) -> Phrase:
        if complaint := _not_all(command, loan):
            return complaint
        if loan.state not in states:
            return say(messages.outside.outside_not_so, loan=loan, us=turn.us, friend=outside.friend_of(turn, loan))
        outside.close(turn, loan, how, signature_with_note(turn, command))
        return say(messages.outside.outside_noted, loan=loan)

    return rule


_RULES: dict[str, _Rule] = {
    "return": _return,
    "extend": _extend,
    "gift": _closing(OutsideState.GIFT),
    "lost": _closing(OutsideState.LOST),
    "cancel": _closing(OutsideState.CLOSED, only_unclear=True),
}


# --- the neighbour has a bot now ---

MOST_AT_ONCE = 10
SPEC = Verb(
    name="outside",
    summary="list loans to neighbours without a bot, or hand them over to one that has a bot now",
    permission=Permission.MAPPED,
    arguments=(
        Argument("neighbour", Kind.ANYTHING, '"NAME"', optional=True),
        Argument("space", Kind.SPACE, "SPACE", keyword="is", optional=True),
    ),
    examples=("outside", 'outside "Repair Café" is repaircafe'),
    details=(
        "With 'is' (superusers only), I offer each of this neighbour's open loans to the friend as a new loan.",
        "Nothing changes before an approver there agrees. Then their bot books it in, and our books name them.",
        "If they decline, or nobody decides in time, the neighbour has it as before.",
    ),
    where=Where.FEDERATION_ROOM,
    only_looks=True,
    acts_with="space",
)


def _ask_to_hand_over(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask for the loans' stock items in our InvenTree, and for the permission."""
    if SPEC.looks(command.arguments):
        return ()
    friend = friend_meant(turn, command)
    if isinstance(friend, Phrase):
        return friend
    categories, lending = turn.us.looks_at_categories, turn.us.lending_from_inventree
    loans = _to_hand_over(turn, command)
    items = tuple(FindItems(f"#{loan.item}", categories, whole=True, lending=lending) for loan in loans)
    permissions = (PersonPermissions(command.username), turn.who_may(Permission.SUPERUSER))
    return (*items, *permissions)


def _to_hand_over(turn: Turn, command: Command) -> list[OutsideLoan]:
    """The neighbour's current loans that aren't on offer to its bot yet."""
    name = _called(command).casefold()
    theirs = [loan for loan in outside.on_loan(turn) if loan.neighbour.casefold() == name]
    return [loan for loan in theirs if loan.state in MAY_BE_HANDED_OVER and loan.stage == "handed"][:MOST_AT_ONCE]


def _called(command: Command) -> str:
    words = " ".join(unquoted(str(command.arguments.get("neighbour", ""))).split())
    first, _, rest = words.partition(" ")
    return presentable(unquoted(rest) if first.casefold() in WORDS and rest else words)


def _hand_over(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Offer each of the neighbour's loans to the friend; or list the loans of all neighbours."""
    if SPEC.looks(command.arguments):
        here = rooms_told_of(turn, command.room)
        listed = tuple(loan for loan in outside.on_loan(turn) if loan.room in here)
        return say(messages.outside.with_neighbours, loans=listed, us=turn.us, today=turn.today())
    friend = friend_meant(turn, command)
    if isinstance(friend, Phrase):
        return friend
    *found, permissions, able = answers
    if (refused := not_entitled(turn, command, Permission.SUPERUSER, (permissions, able))) is not None:
        return refused
    loans = _to_hand_over(turn, command)
    others: list[OutsideLoan] = []
    items = {item.pk: item for answer in found for item in found_in((answer,)).items}
    for item in items.values():
        if not turn.may_move(friend.peer, item.part.pk):
            return say(messages.offer.practice_stays_practice, item=item, to_friend=friend.peer == PRACTICE)
    for number, loan in enumerate(loans, start=1):
        lent = items.get(loan.item or 0)
        if lent is None or not outside.is_unchanged(loan, lent):
            others.append(loan)
        else:
            _offer(turn, command, number, friend, loan, lent, found)
    if others or not loans:
        return say(messages.outside.not_as_known, neighbour=_called(command), loans=tuple(others), us=turn.us)
    return None


def _offer(
    turn: Turn,
    command: Command,
    number: int,
    friend: Connection,
    loan: OutsideLoan,
    item: StockItem,
    answers: Sequence[Answer],
) -> None:
    us, asker, zone = turn.us, turn.signature_of(command), turn.us.time_zone
    line = line_of(1, item, loan.quantity, "", with_price=us.tells_prices, largest_file=us.largest_file)
    moved = [taken_out(item, loan.quantity)]
    hold = lending_rules.rules_for(turn, moved, [item.pk], answers)
    rules = lendings.strictest(hold)
    terms = Terms(
        kind="push",
        sender=us.party,
        receiver=friend.peer,
        lines=(line,),
        asker=asker.person,
        asker_name=presentable(asker.name),
        loan_until=max(loan.until, turn.today()),
        time_zone=zone,
        rules=rules,
        outside=LentBefore(loan.id, loan.neighbour, time_zones.day_at(loan.by.at, zone, zone)),
    )
    metadata = {"1": item.metadata.encode(errors="replace").decode()} if item.metadata else {}
    if size_complaint(terms, metadata) is not None:
        terms, metadata = replace(terms, lines=(bare(line),)), {}
    why = us.care.why(moved) or (BY_RULES if rules is not None and rules.two_people else "")
    known = opening.OfferedStock(metadata, why, (loan.quantity,), lendings.origins(hold))
    opening.open_push(turn, by_line(command.event_id, number), friend, terms, asker, known)


HANDLER = Handler(SPEC, _ask_to_hand_over, _hand_over)
