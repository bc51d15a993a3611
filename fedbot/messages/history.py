"""`history`: the ledger of transfers, a page at a time. The whole story of one of them is in `history`."""

from __future__ import annotations

from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.formatting import Break, Code, Inline, Items, Link, permalink
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.naming import command
from fedbot.messages.outside import outside_entry
from fedbot.messages.transfer_facts import state_in_words
from fedbot.rules.model.outside import OutsideLoan
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
    """Some transfers, newest first. `names` are the spaces' by id; `before` is how many stand on earlier pages.

    `left`: what did not come back of each loan, by its id.
    """
    out = left or {}
    if not transfers and total:
        return [locale.say("Nothing on that page: there are {total}, on earlier ones.", total=total)]
    if not transfers:
        return [_none(locale, space, item), *_within(locale, days)]
    lines: Lines = [_counted(locale, space, item, total), *_within(locale, days)]
    lines.append(Items(tuple(_any_entry(locale, each, names, out) for each in transfers)))
    last = before + len(transfers)
    numbers: dict[str, Words] = {"first": before + 1, "last": last, "total": total}
    if last < total and more:
        lines.append(
            locale.say("{first} to {last} of {total}. For the next ones reply {more}.", more=Code("more"), **numbers)
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
        return locale.say("No transfers with {space} to tell of.", space=naming.space(locale, space))
    if item:
        return locale.say('No transfers of "{item}" to tell of.', item=locale.short(item, 40))
    return locale.say("No transfers to tell of.")


def _within(locale: Locale, days: int) -> Lines:
    return [locale.some("Of the last day only.", "Of the last {number} days only.", days)] if days else []


def _any_entry(
    locale: Locale, each: Transfer | OutsideLoan, names: dict[str, str], out: dict[str, tuple[Line, ...]]
) -> tuple[Inline, ...]:
    if isinstance(each, OutsideLoan):
        return outside_entry(locale, each)
    return _entry(locale, each, names[each.peer], out.get(each.id))


def _entry(
    locale: Locale, transfer: Transfer, peer_name: str, left: tuple[Line, ...] | None = None
) -> tuple[Inline, ...]:
    """'k7m2 – 10 × M3 bolt to betaspace, asked by Anna, Tue 24 Nov, 20:14. / Done, …'."""
    nodes: list[Inline] = [
        transfer.code,
        " – ",
        *locale.say(
            _to_or_from(transfer),
            things=naming.things(locale, transfer.terms.lines),
            peer=naming.space(locale, peer_name),
            who=naming.signed(locale, transfer.asked),
            when=locale.when(transfer.asked.at),
        ),
        Break(),
        *state_in_words(locale, transfer),
        *what_is_left(locale, transfer, left),
    ]
    if transfer.card_to_act_on:
        nodes += [" ", Link(locale.word("Its card"), permalink(transfer.room, transfer.card_to_act_on))]
    return tuple(nodes)


def _to_or_from(transfer: Transfer) -> str:
    if transfer.terms.kind == "return":
        if transfer.role == "sender":
            return marked("{things} back to {peer}, asked by {who}, {when}.")
        return marked("{things} back from {peer}, asked by {who}, {when}.")
    if transfer.role == "sender":
        return marked("{things} to {peer}, asked by {who}, {when}.")
    return marked("{things} from {peer}, asked by {who}, {when}.")


def what_is_left(locale: Locale, loan: Transfer, left: tuple[Line, ...] | None) -> tuple[Inline, ...]:
    """' Still out: 6 × M3 nut.' of a loan of which a part is back; nothing where that goes without saying."""
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
    return {line.number: line.quantity for line in loan.terms.lines if line.number not in over}


def cases_of_item(
    locale: Locale,
    *,
    transfers: tuple[Transfer, ...],
    names: dict[str, str],
    item: str,
    total: int,
    left: dict[str, tuple[Line, ...]] | None = None,
) -> Lines:
    """What is open of an item or on loan, and the last case that is over, of `total` in all. `left` as in `ledger`."""
    out = left or {}
    shown = locale.short(item, 40)
    if not transfers:
        return [_none(locale, "", item)]
    if len(transfers) == total:
        first = _counted(locale, "", item, total)
    else:
        first = locale.say('What is open of "{item}", and the last that is over:', item=shown)
    entries = Items(tuple(_entry(locale, each, names[each.peer], out.get(each.id)) for each in transfers))
    lines: Lines = [first, entries]
    lines.append(locale.say("One of them in full: {show}", show=command(f"show {transfers[0].code}")))
    if len(transfers) < total:
        lines.append(locale.say("All {total} of them: {history}", total=total, history=command(f"history {shown}")))
    return lines


def no_such_page(locale: Locale, *, word: str, usage: str) -> Lines:
    """`--page` with something that is no number."""
    return [
        locale.say('"{word}" is no number of a page. I did nothing.', word=locale.short(word, 30)),
        locale.say("Usage: {usage}", usage=command(usage)),
    ]
