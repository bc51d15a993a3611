"""The ledger of transfers, a page at a time, and the cases of one item."""

from __future__ import annotations

from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.markup import Break, Code, Inline, Items, Link, permalink
from fedbot.messages.naming import command
from fedbot.messages.outside import outside_entry
from fedbot.messages.transfer.card_lines import state_in_words
from fedbot.rules.model.lending import OutsideLoan
from fedbot.rules.model.transfer import Line, Transfer


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
