"""`!fed push ITEM [QUANTITY] to SPACE`: offer stock to a friend, to keep."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import partial

from fedbot import messages
from fedbot.commands.dates import Days, days_meant
from fedbot.commands.german import as_said
from fedbot.commands.grammar import render
from fedbot.commands.items import Reading, as_argument
from fedbot.commands.lookup import friend_meant, whole_line
from fedbot.commands.spec import NOTE, Argument, Handler, Kind, Option, Verb, Where
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
from fedbot.rules.loan import bookings, lending_rules, overdue
from fedbot.rules.model import lending as lendings
from fedbot.rules.model.care import taken_out
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lending import BY_RULES, LendingStop, LoanRules
from fedbot.rules.model.queries import Answer, FindItems, ItemsFound, Query
from fedbot.rules.model.stock import Permission, StockItem, plain
from fedbot.rules.model.transfer import Terms
from fedbot.rules.protocol.terms import bare, line_of, presentable
from fedbot.rules.state import Turn
from fedbot.rules.transfer import opening
from fedbot.rules.wire import by_line

PARCEL = Option(
    "parcel",
    "",
    "it goes by parcel, and is booked in when it arrives",
    in_words=("by parcel", "by post", "by mail", "per parcel", "per post", "per mail", "via post", "via mail"),
)
ANYWAY = Option("over-booking", "", "do it although it is booked, or others are waiting for it")
SPEC = Verb(
    name="push",
    aliases=("give", "offer", "send", "donate"),
    summary="give an item away",
    permission=Permission.APPROVER,
    arguments=(
        Argument("lines", Kind.ITEMS, "ITEM [QUANTITY]"),
        Argument("space", Kind.SPACE, "SPACE", keyword="to"),
    ),
    options=(
        NOTE,
        PARCEL,
        ANYWAY,
        Option("loan", "TIME", "lend it until then", most=40),
    ),
    examples=("push 200 M3-BOLT to betaspace", 'push #42 10 to betaspace --note "for your workshop"'),
    details=(
        "Without a quantity the whole stock item goes.",
        "Nothing moves before an approver of the other space agrees. Then it belongs to them.",
        "Separate several items by ' + ', ';' or a line break. They are decided together.",
    ),
    where=Where.FEDERATION_ROOM,
    everyday=5,
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask which items are meant; an objection is returned at once."""
    destination = friend_meant(turn, command)
    if isinstance(destination, Phrase):
        return destination
    for readings in _lines(command):
        for reading in readings:
            complaint = quantity_complaint(reading.quantity) if reading.quantity else None
            if complaint is not None:
                return complaint
    days = _loan_days(turn, command)
    if isinstance(days, Phrase):
        return days
    if days.last is not None and (stopped := turn.get(LendingStop, destination.peer)) is not None:
        loans = tuple(overdue.overdue(turn, destination.peer))
        return say(messages.overdue.gets_no_loans, stopped=stopped, peer_name=destination.peer_name, loans=loans)
    categories = turn.us.looks_at_categories
    lending = days.last is not None and turn.us.lending_from_inventree
    units = units_said(_lines(command))
    return tuple(
        FindItems(word, categories, merges=True, whole=True, lending=lending, units=units) for word in _words(command)
    )


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Offer it, or list what may be meant, or say why not."""
    return offer(turn, command, answers, SPEC)


def offer(turn: Turn, command: Command, answers: tuple[Answer, ...], spec: Verb) -> Phrase | None:
    """Carry out `push` or `lend`; `spec` is the typed one."""
    destination = friend_meant(turn, command)
    if isinstance(destination, Phrase):
        return destination
    found: dict[str, ItemsFound] = {}
    for word, answer in zip(_words(command), answers, strict=True):
        if not isinstance(answer, ItemsFound):
            raise TypeError(f"push asks for items, not {answer!r}")
        found[word] = answer
    picked: list[Picked] = []
    taken: dict[int, Decimal] = {}
    days = _loan_days(turn, command)
    if isinstance(days, Phrase):
        return days
    instead = {**days.fixed(command.arguments), ANYWAY.name: "yes", "space": destination.peer}
    anyway = whole_line(turn, command, spec, **instead)
    when = Ahead(days.first, days.last, "" if ANYWAY.name in command.arguments else anyway)
    for readings in _lines(command):
        less = partial(_with_instead, command, spec, picked)
        outcome = pick(Picking(turn, found, destination.peer, taken, less, when), readings)
        if isinstance(outcome, Phrase):
            return outcome
        if isinstance(outcome, Choice):
            _let_choose(turn, command, spec, destination, outcome, picked)
            return None
        picked.append(outcome)
        taken[outcome.item.pk] = taken.get(outcome.item.pk, Decimal(0)) + outcome.quantity
    return _offer(turn, command, spec, destination, picked, days, answers)


def _loan_days(turn: Turn, command: Command) -> Days | Phrase:
    """The first and the last day of a loan, if given; or an objection."""
    word = str(command.arguments.get("until") or command.arguments.get("loan") or "")
    return days_meant(str(command.arguments.get("starts", "")), word, turn.now, turn.us.time_zone)


def _lines(command: Command) -> list[tuple[Reading, ...]]:
    return [tuple(Reading(**reading) for reading in readings) for readings in command.arguments["lines"]]


def _words(command: Command) -> tuple[str, ...]:
    """The words to look up in InvenTree, each once."""
    return tuple(dict.fromkeys(reading.item for readings in _lines(command) for reading in readings))


def _offer(
    turn: Turn,
    command: Command,
    spec: Verb,
    connection: Connection,
    picked: list[Picked],
    days: Days,
    answers: tuple[Answer, ...],
) -> Phrase | None:
    """Open the offer, unless a lending rule or its size forbids it. The message that carries it answers the line."""
    moved = [taken_out(each.item, each.quantity) for each in picked]
    items = [each.item.pk for each in picked]
    hold = lending_rules.rules_for(turn, moved, items, answers) if days.last is not None else ()
    rules = lendings.strictest(hold)
    if not lendings.may_borrow(hold, connection.peer):
        return say(messages.lending.not_lent_to, us=turn.us, peer_name=connection.peer_name)
    until = "loan" if "loan" in command.arguments else "until"
    fixed = days.fixed(command.arguments)
    if complaint := too_long(turn, hold, days, lambda day: whole_line(turn, command, spec, **{**fixed, until: day})):
        return complaint
    terms = _terms(turn, command, connection, picked, days, rules)
    metadata = {
        str(number): each.item.metadata.encode(errors="replace").decode()  # a lone surrogate can't be signed
        for number, each in enumerate(picked, start=1)
        if each.item.metadata
    }
    if size_complaint(terms, metadata) is not None:  # then without notes and similar details, which the card mentions
        terms = replace(terms, lines=tuple(bare(line) for line in terms.lines))
    if complaint := size_complaint(terms, metadata):
        return complaint
    care = turn.us.care
    why = care.why(moved) or (BY_RULES if rules is not None and rules.two_people else "")
    if command.is_proven and care.typed_code:
        why = ""
    there = tuple(bookings.promisable(turn, each.item, ahead=days.first is not None) for each in picked)
    known = opening.OfferedStock(metadata, why, there, lendings.origins(hold))
    opening.open_push(turn, by_line(command.event_id), connection, terms, turn.signature_of(command), known)
    return None


def _terms(
    turn: Turn, command: Command, connection: Connection, picked: list[Picked], days: Days, rules: LoanRules | None
) -> Terms:
    us, asker = turn.us, turn.signature_of(command)
    lines = tuple(
        line_of(number, each.item, each.quantity, each.origin, with_price=us.tells_prices, largest_file=us.largest_file)
        for number, each in enumerate(picked, start=1)
    )
    return Terms(
        kind="push",
        sender=us.party,
        receiver=connection.peer,
        lines=lines,
        asker=asker.person,
        asker_name=presentable(asker.name),
        note=str(command.arguments.get("note", "")),
        loan_until=days.last,
        time_zone=us.time_zone if days.last else "",
        starts=days.first,
        parcel=bool(command.arguments.get("parcel")),
        rules=rules,
    )


# --- a numbered list; each number runs a whole line ---


def _let_choose(
    turn: Turn, command: Command, spec: Verb, friend: Connection, choice: Choice, picked: list[Picked]
) -> None:
    """Ask which one. The lines before it are settled, those after it stay as typed."""
    before = [counted(each.item.pk, each.quantity) for each in picked]
    behind = command.arguments["lines"][len(picked) + 1 :]
    days = _loan_days(turn, command)
    fixed = {} if isinstance(days, Phrase) else days.fixed(command.arguments)
    ways = []
    for way in choice.ways:
        chosen = [[as_argument(reading)] for reading in way]
        ways.append(whole_line(turn, command, spec, space=friend.peer, lines=[*before, *chosen, *behind], **fixed))
    turn.choose(command.room, command.event_id, command.sender, choice.phrase, tuple(ways))


def _with_instead(command: Command, spec: Verb, picked: list[Picked], item: StockItem, quantity: Decimal) -> str:
    """The line with that quantity of that item in place of the line after the picked ones."""
    lines = command.arguments["lines"]
    instead = [*lines[: len(picked)], counted(item.pk, quantity), *lines[len(picked) + 1 :]]
    return render(as_said(spec, command.text), {**command.arguments, "lines": instead})


def counted(item: int, quantity: Decimal) -> list[dict[str, str]]:
    """A line's reading with this quantity of this stock item."""
    return [{"item": f"#{item}", "quantity": plain(quantity)}]


HANDLER = Handler(SPEC, ask, act)
