"""Find the loan, and the items of it, that a line is about, and check whether the speaker's space decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from fedbot import messages
from fedbot.commands.dates import reads_as_day
from fedbot.commands.grammar import SHOWN
from fedbot.commands.items import in_pieces
from fedbot.commands.lookup import (
    WITHOUT_ID,
    is_private,
    rooms_told_of,
    subject_meant,
    units_to_relate,
    whole_line,
)
from fedbot.commands.spec import BETWEEN_THINGS, Verb
from fedbot.commands.stock_to_offer import quantity_complaint
from fedbot.messages.quantities import EVERYTHING, is_times, measured_in, quantity_in
from fedbot.rules.archive import Mark
from fedbot.rules.loan import balance
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lending import OutsideLoan
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.queries import Query
from fedbot.rules.model.stock import PartDescription, UnitFactor, plain, stock_item_in
from fedbot.rules.model.transfer import Line, Transfer
from fedbot.rules.names import bare_word, begins_words_of, without_end
from fedbot.rules.state import Turn
from fedbot.rules.transfer.parcel import sent_lines


def loan_meant(turn: Turn, command: Command, spec: Verb) -> Transfer | Phrase:
    """The running loan; a return or extension stands for its loan. Else an objection."""
    here = rooms_told_of(turn, command.room)
    names_one = command.subject or bare_word(str(command.arguments.get("id", "")))
    if not names_one and not any(loan.room in here for loan in turn.loans_away()):
        return say(messages.loan.nothing_on_loan)
    found = subject_meant(turn, command, spec, tuple(turn.loans()))
    if isinstance(found, Phrase):
        return found
    if isinstance(found, Transfer) and found.terms.parent:
        found = turn.transfer(found.terms.parent) or found
    if isinstance(found, Connection) or not found.is_loan:
        return say(messages.loan.no_loan, subject=found)
    if found.closed is not None and (lost := balance.written_off(turn, found)):
        return _was_lost(turn, found, lost)
    if found.closed is not None or not found.is_on_loan:
        left = balance.lines_not_back(turn, found) if found.closed else None
        return say(messages.loan.not_on_loan, loan=found, us=turn.us, peer_name=turn.party_name(found.peer), left=left)
    return found


def _was_lost(turn: Turn, loan: Transfer, lines: Sequence[Line]) -> Phrase:
    """The objection that these items of the loan are written off, with how they come back if they turn up."""
    first = lines[0].number
    stock = balance.borrowers_stock(loan, first)
    return say(
        messages.loan.was_lost,
        loan=loan,
        lines=tuple(lines),
        item=stock[0] if stock else None,
        us=turn.us,
        peer_name=turn.party_name(loan.peer),
        are_friends=carrier(turn, loan).state is ConnectionState.ACTIVE,
        back=balance.turned_up(turn, loan, first),
    )


def lost_of_it(turn: Turn, loan: Transfer, words: str) -> Phrase | None:
    """The same objection, if the words name only items of the loan that are written off."""
    lost = {line.number: line for line in balance.written_off(turn, loan)}
    meant = [_lines_meant(loan, each) for each in words.split(BETWEEN_THINGS)] if words else []
    numbers = [number for each in meant if each is not None for number in each[0]]
    if not numbers or not set(numbers) <= set(lost):
        return None
    return _was_lost(turn, loan, [lost[number] for number in numbers])


def _lost_called(turn: Turn, command: Command, things: str) -> Phrase | None:
    """The same objection, if a loan of this room is over that had a written-off item of that name; the newest."""
    here = rooms_told_of(turn, command.room)
    names = [things, *(name for name, _ in _with_quantity(things.split()))]
    marks = [(Mark.ITEM, name[1:]) if name.startswith("#") else (Mark.WORD, name) for name in map(_plainly, names)]
    loans = [loan for mark in marks for loan in turn.marked(*mark) if loan.is_loan and loan.room in here]
    for loan in sorted(loans, key=lambda each: each.asked.at, reverse=True):
        if objection := lost_of_it(turn, loan, things):
            return objection
    return None


def owned_loan(turn: Turn, command: Command, spec: Verb) -> Transfer | Phrase:
    """The loan, if our side decides how it ends; else an objection."""
    loan = loan_meant(turn, command, spec)
    if isinstance(loan, Phrase):
        return loan
    if loan.role != "sender":
        return say(
            messages.loan.owner_decides,
            loan=balance.as_still_out(turn, loan),
            peer_name=turn.party_name(loan.peer),
            usage=spec.usage,
        )
    return loan


def under_way(turn: Turn, loan: Transfer, back: Transfer) -> Phrase:
    """The objection that something of the loan is on its way back already."""
    return say(
        messages.loan.return_under_way,
        loan=balance.as_still_out(turn, loan),
        transfer=back,
        us=turn.us,
        peer_name=turn.party_name(loan.peer),
    )


def carrier(turn: Turn, loan: Transfer) -> Connection:
    """The connection that carries messages about the loan: the current one with the peer, else the loan's own."""
    connection = turn.connection_with(loan.peer) or turn.connection(loan.connection)
    if connection is None:
        raise LookupError(f"loan {loan.id} has no connection")
    return connection


def id_and_rest(turn: Turn, command: Command, word: str) -> tuple[Command, str]:
    """The line with the id that `word` begins with, if it does; and the rest of the words."""
    first, _, behind = word.strip().partition(" ")
    bare = bare_word(first)
    is_amount = (
        is_quantity(bare)
        or is_quantity(word.strip())
        or first.casefold() in {"by", "for", "until", *EVERYTHING}
        or reads_as_day(word.strip())
    )
    if not turn.by_code(bare) and (command.subject or is_amount):
        return replace(command, arguments={**command.arguments, "id": "", WITHOUT_ID: word.strip()}), word.strip()
    return replace(command, arguments={**command.arguments, "id": bare}), behind.strip()


def with_the_loan_of(turn: Turn, command: Command, spec: Verb, things: str, behind: str = "") -> Command | Phrase:
    """The line with the id of the only loan that has these items, if neither id nor reply names the loan.

    `behind` are the words to put after the id: the items, if they say what of the loan is meant.
    """
    if command.subject or turn.by_code(bare_word(things.partition(" ")[0])):
        return command
    if things.casefold() in {"", *EVERYTHING} or is_quantity(things):
        loans, neighbours = on_loan_called(turn, command)
        return _which(spec, loans, neighbours) if neighbours else command
    loans, neighbours = on_loan_called(turn, command, things)
    if not loans and not neighbours and spec.name in _MAY_NAME_A_PART:
        loans = _on_loan_nearly_called(turn, command, things)
        if not loans and len(pieces := in_pieces(things)) > 1:
            loans = _on_loan_nearly_called(turn, command, BETWEEN_THINGS.join(pieces))
    if len(loans) == 1 and not neighbours:
        return replace(command, arguments={**command.arguments, "id": f"{loans[0].code} {behind or things}"})
    if loans or neighbours:
        return _which(spec, loans, neighbours, things)
    code = replace(command, arguments={**command.arguments, "id": things.partition(" ")[0]})
    if lost := _lost_called(turn, command, things):
        return lost
    unknown = subject_meant(turn, code, spec, ())
    has_a_near_one = isinstance(unknown, Phrase) and bool(unknown.about.get("near"))
    return command if has_a_near_one else say(messages.outside.nothing_on_loan_called, word=things[:SHOWN])


def with_note_apart(turn: Turn, command: Command, spec: Verb) -> Command:
    """The line with the words behind a comma as its note, if only without them it names a loan or items of one."""
    words = str(command.arguments.get("id", "")).strip()
    head, _, note = words.partition(", ")
    if not note.strip() or command.arguments.get(NOTE) or _names_things(turn, command, spec, words):
        return command
    apart = replace(command, arguments={**command.arguments, "id": head, NOTE: note.strip()})
    return apart if _names_things(turn, apart, spec, head) else command


def _names_things(turn: Turn, command: Command, spec: Verb, words: str) -> bool:
    known = with_the_loan_of(turn, command, spec, words)
    if isinstance(known, Phrase):
        return False
    known, things = id_and_rest(turn, known, str(known.arguments.get("id", "")))
    loan = loan_meant(turn, known, spec)
    if isinstance(loan, Phrase):
        return False
    any_quantity = dict.fromkeys(balance.lent(loan), Decimal("Infinity"))
    return not things or not isinstance(things_meant(loan, things, any_quantity), Phrase)


def _which(spec: Verb, loans: list[Transfer], neighbours: list[OutsideLoan], things: str = "") -> Phrase:
    return say(
        messages.outside.several_on_loan,
        word=things[:SHOWN],
        loans=tuple(loans),
        neighbours=tuple(neighbours),
        verb=spec.name,
    )


def on_loan_called(turn: Turn, command: Command, things: str = "") -> tuple[list[Transfer], list[OutsideLoan]]:
    """This room's loans, to friends and to neighbours, that have all these items; all loans, if none is named."""
    here = rooms_told_of(turn, command.room)
    each_thing = things.split(BETWEEN_THINGS) if things else []
    loans = [loan for loan in turn.loans() if loan.room in here]
    loans = [loan for loan in loans if all(_lines_meant(loan, each) for each in each_thing)]
    known = [loan for loan in turn.all(OutsideLoan) if loan.room in here or is_private(turn, command.room)]
    known = [loan for loan in known if loan.is_living]
    return loans, [loan for loan in known if all(neighbours_amount(loan, each) is not None for each in each_thing)]


_MAY_NAME_A_PART = frozenset({"return", "extend"})
"""The verbs for which a part of the item's name is enough: the other side, or our own approver, still decides."""


def _on_loan_nearly_called(turn: Turn, command: Command, things: str) -> list[Transfer]:
    """This room's loans that have items whose names contain these words."""
    here = rooms_told_of(turn, command.room)
    loans = [loan for loan in turn.loans() if loan.room in here]
    return [
        loan for loan in loans if all(_lines_meant(loan, each, nearly=True) for each in things.split(BETWEEN_THINGS))
    ]


def neighbours_amount(loan: OutsideLoan, words: str) -> str | None:
    """The quantity that is named of the neighbour's item, '' for all; None if the item has another name."""
    names = _all_names(loan.description, loan.serial, loan.item, loan.source)
    if _plainly(words) in names:
        return ""
    return next((quantity for name, quantity in _with_quantity(words.split()) if _plainly(name) in names), None)


def _only_line(loan: Transfer) -> int | None:
    """The number of the loan's line, if it has only one."""
    numbers = _nameable(loan)
    return numbers[0] if len(numbers) == 1 else None


def _nameable(case: Transfer) -> list[int]:
    """The lines that words can name: of a parcel on its way to us those that it should hold, else what was lent."""
    return [line.number for line in sent_lines(case)] if case.awaits_parcel else list(balance.lent(case))


def lines_meant(case: Transfer, words: str) -> tuple[list[int], str] | None:
    """The lines of that name, or a part of it, and the quantity that is named, '' for all; None if none has it."""
    return _lines_meant(case, words) or _lines_meant(case, words, nearly=True)


NOTE = "note"
"""The option for a note."""

ALL = "all"
"""The rendered word; people may also type others."""


def about_units(command: Command, loan: Transfer, words: str) -> tuple[Query, ...]:
    """Ask our InvenTree about the units in these words, if necessary."""
    pairs = []
    for each in words.split(BETWEEN_THINGS):
        numbers, quantity = lines_meant(loan, each) or (_nameable(loan) if is_quantity(each) else [], each)
        unit = (measured_in(quantity) or ("", ""))[1]
        pairs += [(unit, loan.line(number).description.units) for number in numbers if unit]
    return units_to_relate(command, pairs)


def things_meant(
    loan: Transfer, words: str, out: Mapping[int, Decimal], factors: Sequence[UnitFactor] | None = None
) -> dict[int, Decimal] | Phrase:
    """The quantity of each line that the words mean, of the quantity that is `out`; or an objection.

    `factors` are our InvenTree's conversions of the units in them.
    """
    if words.casefold() in EVERYTHING:
        return dict(out)
    wanted: dict[int, Decimal] = {}
    for words_of_one in words.split(BETWEEN_THINGS):
        meant = _one_meant(loan, words_of_one, out, factors or ())
        pieces = in_pieces(words_of_one)
        if isinstance(meant, Phrase) and len(pieces) > 1:
            apart = things_meant(loan, BETWEEN_THINGS.join(pieces), out, factors)
            meant = meant if isinstance(apart, Phrase) else apart
        if isinstance(meant, Phrase):
            return meant
        for number, quantity in meant.items():
            wanted[number] = wanted.get(number, Decimal(0)) + quantity
    for number, quantity in wanted.items():
        there = out.get(number, Decimal(0))
        if quantity > there or not there:
            return say(messages.loan.more_than_out, loan=loan, line=loan.line(number), wanted=quantity, out=there)
    return wanted


def _one_meant(
    loan: Transfer, words: str, out: Mapping[int, Decimal], factors: Sequence[UnitFactor]
) -> dict[int, Decimal] | Phrase:
    """The lines and quantity that one item's words mean; without a quantity, all of it."""
    meant = lines_meant(loan, words)
    if meant is None:
        return say(messages.loan.no_such_thing_lent, loan=loan, word=words[:SHOWN], numbers=tuple(balance.lent(loan)))
    numbers, quantity = meant
    if not quantity:
        return {number: out.get(number, Decimal(0)) for number in numbers}
    return _counted(loan, numbers, quantity, factors)


def _lines_meant(loan: Transfer, words: str, *, nearly: bool = False) -> tuple[list[int], str] | None:
    """The lines with that name, and the quantity that is named, '' for all; None if no line has that name.

    `nearly`: the words may be a part of the name.
    """
    called_so = _nearly_called if nearly else _called
    only = _only_line(loan)
    if only is not None and is_quantity(words) and not _called(loan, words):
        return [only], words
    if called := _called(loan, words):
        return called, ""
    named = ((called_so(loan, name), quantity) for name, quantity in _with_quantity(words.split()))
    counted = next(((called, quantity) for called, quantity in named if called), None)
    if counted is None and nearly and (called := _nearly_called(loan, words)):
        return called, ""
    return counted


def _with_quantity(words: list[str]) -> Iterator[tuple[str, str]]:
    """The possible splits of these words into a name and a quantity: the quantity last, else first."""
    bare = [word for word in words if not is_times(word)]
    for size in range(len(bare) - 1, 0, -1):  # the longest first, because `1 000` is one quantity
        first, last = " ".join(bare[:size]), " ".join(bare[-size:])
        if is_quantity(last):
            yield " ".join(bare[:-size]), last
        if is_quantity(first) and not bare[-1].isdecimal():
            yield " ".join(bare[size:]), first


def is_quantity(words: str) -> bool:
    """Whether the words are a quantity and nothing else."""
    return quantity_in(words) is not None or measured_in(words) is not None


def _counted(
    loan: Transfer, numbers: list[int], word: str, factors: Sequence[UnitFactor]
) -> dict[int, Decimal] | Phrase:
    """The named quantity of the one line with that name; or an objection."""
    amount = amount_meant(loan.line(numbers[0]), word, factors)
    if isinstance(amount, Phrase):
        return amount
    if len(numbers) > 1:
        return say(messages.loan.several_things_called_so, loan=loan, numbers=tuple(numbers), verb="")
    return {numbers[0]: amount}


def amount_meant(line: Line, word: str, factors: Sequence[UnitFactor]) -> Decimal | Phrase:
    """The quantity that a word means, in the units of the line's part; or an objection."""
    if (measured := measured_in(word)) is not None:
        quantity, unit = measured
        amount = line.amount(Decimal(quantity), unit, factors)
        if amount is None:
            return say(messages.offer.other_unit_of_line, line=line, wanted=Decimal(quantity), unit=unit)
        return quantity_complaint(plain(amount)) or amount
    found = quantity_in(word)
    if found is None or len(found.readings) > 1:
        return say(messages.line_errors.number_unclear, word=word, readings=found.readings if found else ())
    return quantity_complaint(found.readings[0]) or Decimal(found.readings[0])


def _called(loan: Transfer, word: str) -> list[int]:
    """The lines with that name: a number, an IPN, a name, a serial number, or the key of a stock item."""
    wanted = _plainly(word)
    lent = _nameable(loan)
    if len(lent) > 1 and wanted.isdecimal() and not loan.awaits_parcel:  # nobody was shown a parcel's numbers
        return [number for number in lent if str(number) == wanted]
    return [number for number in lent if wanted in _names(loan, loan.line(number))]


def _nearly_called(loan: Transfer, word: str) -> list[int]:
    """The lines whose name or IPN has words that begin with each of these words."""
    lent = _nameable(loan)
    return [number for number in lent if begins_words_of(_plainly(word), _names(loan, loan.line(number)))]


def _plainly(word: str) -> str:
    """The name of an item in the form that is compared. A scanned code becomes its stock item's number."""
    scanned = stock_item_in(word)
    return f"#{scanned}" if scanned is not None else without_end(word).strip("\"'").casefold()


def _names(loan: Transfer, line: Line) -> set[str]:
    return _all_names(line.description, line.serial, line.item, loan.at(line.number).item)


def _all_names(part: PartDescription, serial: str, *keys: int | None) -> set[str]:
    names = {part.name, part.ipn} - {""}
    with_serial = {f"{name}#{serial}" for name in names} if serial else set()
    return {name.casefold() for name in names | with_serial} | {f"#{key}" for key in keys if key}


def called_alike(loan: Transfer, words: str) -> tuple[list[int], str]:
    """The lines that share a name of which one is meant, and the quantity; none if the name is unambiguous."""
    numbers, quantity = _lines_meant(loan, words) or ([], "")
    return (numbers, quantity) if quantity and len(numbers) > 1 else ([], "")


def let_choose_one(turn: Turn, command: Command, loan: Transfer, spec: Verb, words: str) -> None:
    """Let the person choose among the lines with that name; each choice keeps the quantity."""
    numbers, quantity = called_alike(loan, words)
    ways = tuple(
        whole_line(turn, command, spec, id=f"{loan.code} {number} {quantity}") if number in numbers else ""
        for number in range(1, max(numbers) + 1)
    )
    phrase = say(messages.loan.several_things_called_so, loan=loan, numbers=tuple(numbers), verb=spec.name)
    turn.choose(command.room, command.event_id, command.sender, phrase, ways)


def let_choose(turn: Turn, command: Command, loan: Transfer, spec: Verb) -> None:
    """Let the person choose among the lines that are out and can be returned: each by its number, and all."""
    left = balance.free_to_return(turn, loan)
    last = max(left) + 1
    words = {**{number: str(number) for number in left}, last: ALL}
    ways = tuple(
        whole_line(turn, command, spec, id=f"{loan.code} {words[number]}") if number in words else ""
        for number in range(1, last + 1)
    )
    lines = tuple(line for line in balance.lines_still_out(turn, loan) if line.number in left)
    phrase = say(messages.loan.which_things_of_a_loan, loan=loan, lines=lines, everything=last, verb=spec.name)
    turn.choose(command.room, command.event_id, command.sender, phrase, ways)
