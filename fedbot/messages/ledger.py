"""The history, the figures with their chart, and the result of comparing two spaces' books."""

from __future__ import annotations

from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.markup import Bold, Break, Code, Inline, Items, Link, permalink
from fedbot.messages.naming import command
from fedbot.messages.outside import outside_entry
from fedbot.messages.transfer.card_lines import state_in_words
from fedbot.rules.model.books import STATS_SILENT_AFTER, Dealings, Difference, Flow, Kind, Reconciliation, SpaceFigures
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.lending import OutsideLoan
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Line, Transfer

# --- `history`: the ledger of transfers, a page at a time. The whole story of one of them is in `history`.


def ledger(  # noqa: PLR0913 -- one keyword for each thing that the page tells
    locale: Locale,
    *,
    transfers: tuple[Transfer | OutsideLoan, ...],
    names: dict[str, str],
    space: str,
    item: str,
    days: int,
    before: int,
    total: int,
    more: bool,
    left: dict[str, tuple[Line, ...]] | None = None,
) -> Lines:
    """Some transfers, newest first.

    `names` are the spaces' names by id. `before` is the number of entries on earlier pages. `left`: the items of each
    loan that did not come back, by its id.
    """
    out = left or {}
    if not transfers and total:
        return [locale.say("That page is empty: all {total} are on earlier pages.", total=total)]
    if not transfers:
        return [_none(locale, space, item), *_within(locale, days)]
    lines: Lines = [_counted(locale, space, item, total), *_within(locale, days)]
    lines.append(Items(tuple(_any_entry(locale, each, names, out) for each in transfers)))
    last = before + len(transfers)
    numbers: dict[str, Words] = {"first": before + 1, "last": last, "total": total}
    if last < total and more:
        lines.append(
            locale.say("{first} to {last} of {total}. For the next ones, reply: {more}", more=Code("more"), **numbers)
        )
    elif before or last < total:
        lines.append(locale.say("{first} to {last} of {total}.", **numbers))
    return [*lines, locale.say("One of them in full: {history}", history=command(f"history {transfers[0].code}"))]


def _counted(locale: Locale, space: str, item: str, total: int) -> tuple[Inline, ...]:
    if space:
        return locale.some(
            "{number} transfer with {space}:",
            "{number} transfers with {space}, newest first:",
            total,
            space=naming.space(locale, space),
        )
    if item:
        return locale.some(
            '{number} transfer of "{item}":',
            '{number} transfers of "{item}", newest first:',
            total,
            item=locale.short(item, 40),
        )
    return locale.some("{number} transfer:", "{number} transfers, newest first:", total)


def _none(locale: Locale, space: str, item: str) -> tuple[Inline, ...]:
    if space:
        return locale.say("No transfers with {space}.", space=naming.space(locale, space))
    if item:
        return locale.say('No transfers of "{item}".', item=locale.short(item, 40))
    return locale.say("No transfers.")


def _within(locale: Locale, days: int) -> Lines:
    return [locale.some("Only from the last day.", "Only from the last {number} days.", days)] if days else []


def _any_entry(
    locale: Locale, each: Transfer | OutsideLoan, names: dict[str, str], out: dict[str, tuple[Line, ...]]
) -> tuple[Inline, ...]:
    if isinstance(each, OutsideLoan):
        return outside_entry(locale, each)
    return _entry(locale, each, names[each.peer], out.get(each.id))


def _entry(
    locale: Locale, transfer: Transfer, peer_name: str, left: tuple[Line, ...] | None = None
) -> tuple[Inline, ...]:
    """'k7m2 – 10 × M3 bolt to betaspace, offered by Anna, Tue 24 Nov, 20:14. / Done, …'."""
    nodes: list[Inline] = [
        transfer.code,
        " – ",
        *locale.say(
            _to_or_from(transfer),
            things=naming.things(locale, transfer.lines_told),
            peer=naming.space(locale, peer_name),
            by=naming.opened_by(locale, transfer),
            when=locale.when(transfer.asked.at),
        ),
        Break(),
        *state_in_words(locale, transfer),
        *what_stayed(locale, transfer),
        *what_is_left(locale, transfer, left),
    ]
    if transfer.card_to_act_on:
        nodes += [" ", Link(locale.word("Its card"), permalink(transfer.room, transfer.card_to_act_on))]
    return tuple(nodes)


def _to_or_from(transfer: Transfer) -> str:
    if transfer.is_return:
        if transfer.role == "sender":
            return marked("{things} back to {peer}, {by}, {when}.")
        return marked("{things} back from {peer}, {by}, {when}.")
    if transfer.role == "sender":
        return marked("{things} to {peer}, {by}, {when}.")
    return marked("{things} from {peer}, {by}, {when}.")


def what_stayed(locale: Locale, transfer: Transfer) -> tuple[Inline, ...]:
    """' Did not arrive: 3 × M3 nut.' if a part of the transfer did not arrive; else empty."""
    if not transfer.lines_moved:
        return ()
    told: tuple[Inline, ...] = ()
    missing, known = transfer.lines_missing, {line.number for line in (*transfer.lines_moved, *transfer.lines_missing)}
    if missing:
        told = (" ", *locale.say("Did not arrive: {things}.", things=naming.things(locale, missing)))
    if failed := [line for line in transfer.terms.lines if line.number not in known]:
        told = (*told, " ", *locale.say("Not given: {things}.", things=naming.things(locale, failed)))
    return told


def what_is_left(locale: Locale, loan: Transfer, left: tuple[Line, ...] | None) -> tuple[Inline, ...]:
    """' Still out: 6 × M3 nut.' if a part of the loan is back; else empty."""
    if not left or {line.number: line.quantity for line in left} == _quantities(loan):
        return ()
    out = [line for line in left if loan.ending_of(line.number) is None]
    if loan.is_on_loan:
        return (" ", *locale.say("Still out: {things}.", things=naming.things(locale, out))) if out else ()
    if loan.closed is None:
        return ()
    return (" ", *locale.say("Not back: {things}.", things=naming.things(locale, left)))


def _quantities(loan: Transfer) -> dict[int, Decimal]:
    over = {closing.line for closing in loan.line_ends} if loan.is_on_loan else set()
    return {line.number: line.quantity for line in loan.lines_moved if line.number not in over}


def cases_of_item(
    locale: Locale,
    *,
    transfers: tuple[Transfer, ...],
    names: dict[str, str],
    item: str,
    total: int,
    left: dict[str, tuple[Line, ...]] | None = None,
) -> Lines:
    """An item's open transfers and loans, and the last one that is over, of `total` in all. `left` as in `ledger`."""
    out = left or {}
    shown = locale.short(item, 40)
    if not transfers:
        return [_none(locale, "", item)]
    if len(transfers) == total:
        first = _counted(locale, "", item, total)
    else:
        first = locale.say('Open transfers of "{item}", and the last finished one:', item=shown)
    entries = Items(tuple(_entry(locale, each, names[each.peer], out.get(each.id)) for each in transfers))
    lines: Lines = [first, entries]
    lines.append(locale.say("One of them in full: {show}", show=command(f"show {transfers[0].code}")))
    if len(transfers) < total:
        lines.append(locale.say("All {total} of them: {history}", total=total, history=command(f"history {shown}")))
    return lines


def no_such_page(locale: Locale, *, word: str, usage: str) -> Lines:
    """The answer to `--page` without a number."""
    return [
        locale.say('"{word}" isn\'t a page number. I did nothing.', word=locale.short(word, 30)),
        locale.say("Usage: {usage}", usage=command(usage)),
    ]


# --- The figures of `stats`, on request or on a schedule, and the words of its chart.

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


# --- The result of comparing two spaces' books: each difference, its likely cause, and its remedy.

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
