"""The result of comparing two spaces' books: each difference, its likely cause, and its remedy."""

from __future__ import annotations

from fedbot.messages import naming
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.markup import Break, Code, Inline, Items
from fedbot.messages.naming import command
from fedbot.rules.model.books import Difference, Kind, Reconciliation
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Transfer

MOST_SHOWN = 10

_PROBLEMS: dict[str, str] = {
    "silent": marked("⏸ The bot of {peer} has not answered, so I can't finish comparing our books."),
    "inventory": marked("⏸ The InvenTree of {peer} does not answer, so I can't finish comparing our books."),
    "own-inventory": marked("⏸ The InvenTree of {own} does not answer, so I can't finish comparing our books."),
    "later": marked("⏸ We asked {peer} for its books too often. Ask again in an hour."),
    "unreadable": marked("⏸ I can't read the books that {peer} sent. One of the bots may be too old."),
}
# For each kind of difference: the sentence, its likely cause, and its remedy.
_KINDS: dict[Kind, tuple[str, str, str]] = {
    Kind.TWICE: (
        marked("in stock at both spaces"),
        marked("somebody brought it back by hand"),
        marked(
            "in the space where it does not belong, take it out of stock in InvenTree, or give it to the customer again"
        ),
    ),
    Kind.NOWHERE: (
        marked("given away here, but the other side has not booked it in and won't"),
        marked("it was settled by hand on one side only"),
        marked("settle it with the other space; book returned items in here by hand"),
    ),
    Kind.UNKNOWN_THERE: (
        marked("the bot of {peer} knows nothing of it"),
        marked("the bot of {peer} lost its journal"),
        marked("{peer} searches its stock history for {mark}"),
    ),
    Kind.UNKNOWN_HERE: (
        marked("{peer} has it in its books, and we know nothing of it"),
        marked("our bot lost its journal"),
        marked("search our stock history for {mark}"),
    ),
    Kind.RECORD_GONE: (
        marked("our record of the given item, #{item}, is no longer with customer {peer}"),
        marked("somebody deleted or moved it by hand"),
        marked("leave it as it is, because {peer} has the item; only its history here is lost"),
    ),
    Kind.QUANTITY: (
        marked("our record of the given item, #{item}, has another quantity now"),
        marked("somebody split it, or took some of it back, by hand"),
        marked("find the rest in our InvenTree, and give it to customer {peer} again if it is there"),
    ),
    Kind.REST_BY_HAND: (
        marked("our record #{item} has {there} with customer {peer}, but {owed} by the books"),
        marked("the rest did not arrive, and nobody has booked it back by hand yet"),
        marked(
            "in our InvenTree, return {rest} from the customer out of stock #{item}, with the status 'lost', or set "
            "its quantity to {owed}"
        ),
    ),
    Kind.STILL_GIVEN: (
        marked("it came back, but our InvenTree has it with customer {peer}, #{item}"),
        marked("somebody gave it to the customer by hand"),
        marked("return #{item} from the customer in our InvenTree"),
    ),
    Kind.UNMARKED: (
        marked("#{item} is with customer {peer}, but its history does not name the transfer"),
        marked("somebody gave it to the customer by hand, or its history was changed"),
        marked("add a note with {mark} to the item's history"),
    ),
    Kind.NOT_ARRIVED: (
        marked("it has arrived, but our record #{item} is still on its way"),
        marked("InvenTree did not accept the status at the time"),
        marked("type {repair}, and I do it"),
    ),
    Kind.LEFT_OVER: (
        marked("the loan is over, but our record #{item} still counts in our stock"),
        marked("it is lost, or back at {peer} without the bots"),
        marked("one of our superusers types {resolve}"),
    ),
    Kind.BORROWED_GONE: (
        marked("it is on loan, but missing from the stock of {borrower}"),
        marked("somebody deleted, merged, used or gave it away by hand, or InvenTree was restored to an earlier state"),
        marked("{borrower} searches for {mark}; if it is lost, the lender writes it off: {lost}"),
    ),
    Kind.BORROWED_LESS: (
        marked("{borrower} has less of it in stock than is on loan: {there} of {owed}"),
        marked("somebody counted it down, used some of it, or merged it by hand"),
        marked("{borrower} searches for the rest; if it is lost, the lender writes it off: {lost}"),
    ),
    Kind.PAST: (
        marked("up to number {number}, the messages that the bot of {peer} reports differ from ours"),
        marked("somebody changed one of the two journals, or its bot doesn't tell the truth"),
        marked("both admins run {verify} and compare the messages in the room"),
    ),
    Kind.STRAY: (
        marked("it was moved twice: #{item} (quantity {there}) is left in Outgoing or Incoming"),
        marked("InvenTree carried out a request so late that I had already sent it again"),
        marked("count that part, then move #{item} back, or delete it if there is no such stock"),
    ),
    Kind.DISPUTED: (
        marked("nobody could tell what happened to it"),
        marked("an InvenTree was silent at the wrong moment"),
        marked("a superuser types {resolve}"),
    ),
}


def reconciled(
    locale: Locale,
    *,
    connection: Connection,
    us: PartyConfig,
    reconciliation: Reconciliation,
    transfers: dict[str, Transfer],
    problem: str,
) -> Lines:
    """The result: how many lines were compared, and each difference."""
    names: dict[str, Words] = {
        "own": naming.space(locale, us.name),
        "peer": naming.space(locale, connection.peer_name),
    }
    found = reconciliation.differences
    compared = locale.some("{number} line compared", "{number} lines compared", reconciliation.compared)
    lines: Lines = []
    if problem:
        lines += [locale.say(_PROBLEMS[problem], **names), locale.say("{compared} before that.", compared=compared)]
    elif not found:
        lines.append(locale.say("✅ The books of {own} and {peer} agree: {compared}.", compared=compared, **names))
    else:
        first = locale.some(
            "⚠ {number} difference: {own} and {peer}.",
            "⚠ {number} differences: {own} and {peer}.",
            len(found),
            **names,
        )
        lines += [first, locale.say("{compared}.", compared=compared)]
    if found:
        shown = [_difference(locale, connection, us, each, transfers) for each in found[:MOST_SHOWN]]
        if len(found) > MOST_SHOWN:
            shown.append(locale.say("and {number} more", number=len(found) - MOST_SHOWN))
        lines += [Items(tuple(shown)), locale.say("No stock was moved.")]
    if reconciliation.repair and not problem:
        lines.append(locale.say("I now repair our own records where that is safe, and write the metadata again."))
    return lines


def _difference(
    locale: Locale, connection: Connection, us: PartyConfig, difference: Difference, transfers: dict[str, Transfer]
) -> tuple[Inline, ...]:
    """'k7m2, 10 × M3 bolt: in stock at both spaces (#43 here, #1207 there).', with its cause and remedy below."""
    transfer = transfers.get(difference.transfer)
    code = transfer.code if transfer else locale.short(difference.transfer, 8)
    what, cause, repair = _KINDS[difference.kind]
    names: dict[str, Words] = {
        "peer": naming.space(locale, connection.peer_name),
        "borrower": _borrower(locale, connection, us, transfer),
        "owed": locale.quantity(difference.owed),
        "there": locale.quantity(difference.there),
        "rest": locale.quantity(difference.there - difference.owed),
        "lost": command(f"lost {code}"),
        "item": difference.ours or 0,
        "mark": f"fed:{locale.short(difference.transfer, 40)}",
        "repair": command(f"reconcile {connection.peer} --repair"),
        "resolve": command(f"resolve {code}"),
        "number": difference.number,
        "verify": Code("fedbot audit verify"),
    }
    fixes = locale.say("being fixed now") if difference.fixed else locale.say(repair, **names)
    return (
        *_which(locale, difference, transfer, code),
        *locale.say(what, **names),
        *_items(locale, difference),
        Break(),
        *locale.say("Likely: {cause}.", cause=locale.say(cause, **names)),
        Break(),
        *locale.say("To fix it: {repair}.", repair=fixes),
    )


def _borrower(locale: Locale, connection: Connection, us: PartyConfig, transfer: Transfer | None) -> str:
    """The space that should have it in stock."""
    is_theirs = transfer is None or transfer.role == "sender"
    return naming.space(locale, connection.peer_name if is_theirs else us.name)


def _which(locale: Locale, difference: Difference, transfer: Transfer | None, code: str) -> tuple[Inline, ...]:
    lines = transfer.terms.lines if transfer and difference.kind is not Kind.PAST else ()
    numbers = {line.number for line in lines}
    if transfer is None or difference.number not in numbers:
        return locale.say("{code}: ", code=code)
    what = naming.thing(locale, transfer.line(difference.number))
    return locale.say("{code}, {what}: ", code=code, what=what)


def _items(locale: Locale, difference: Difference) -> tuple[Inline, ...]:
    """The stock items to look at, on each side."""
    if difference.kind is not Kind.TWICE or not (difference.ours and difference.theirs):
        return (".",)
    return locale.say(" (#{ours} here, #{theirs} there).", ours=difference.ours, theirs=difference.theirs)


def reconciling_already(locale: Locale, *, connection: Connection) -> Lines:
    """The refusal of a second comparison at the same time."""
    peer = naming.space(locale, connection.peer_name)
    return [
        locale.say("I am already comparing our books with those of {peer}. The result will appear here.", peer=peer)
    ]


def nobody_to_reconcile_with(locale: Locale, *, us: PartyConfig) -> Lines:
    """The answer if we have no friends here."""
    space = naming.space(locale, us.name)
    return [locale.say("Nothing to compare: {space} has no friends here.", space=space)]
