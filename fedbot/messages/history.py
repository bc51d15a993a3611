"""`history`: the ledger of transfers, a page at a time. The whole story of one of them is in `history`."""

from __future__ import annotations

from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.formatting import Break, Code, Inline, Items, Link, permalink
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.naming import command
from fedbot.messages.transfer_facts import state_in_words
from fedbot.rules.model.transfer import Line, Transfer


def ledger(  # noqa: PLR0913 -- one keyword for each thing that the page tells
    tongue: Locale,
    *,
    transfers: tuple[Transfer, ...],
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
        return [tongue.say("Nothing on that page: there are {total}, on earlier ones.", total=total)]
    if not transfers:
        return [_none(tongue, space, item), *_within(tongue, days)]
    lines: Lines = [_counted(tongue, space, item, total), *_within(tongue, days)]
    lines.append(Items(tuple(_entry(tongue, each, names[each.peer], out.get(each.id)) for each in transfers)))
    last = before + len(transfers)
    numbers: dict[str, Words] = {"first": before + 1, "last": last, "total": total}
    if last < total and more:
        lines.append(
            tongue.say("{first} to {last} of {total}. For the next ones reply {more}.", more=Code("more"), **numbers)
        )
    elif before or last < total:
        lines.append(tongue.say("{first} to {last} of {total}.", **numbers))
    return [*lines, tongue.say("One of them in full: {history}", history=command(f"history {transfers[0].code}"))]


def _counted(tongue: Locale, space: str, item: str, total: int) -> tuple[Inline, ...]:
    if space:
        return tongue.some(
            "{number} transfer with {space}:",
            "{number} transfers with {space}, newest first:",
            total,
            space=naming.space(tongue, space),
        )
    if item:
        return tongue.some(
            '{number} transfer of "{item}":',
            '{number} transfers of "{item}", newest first:',
            total,
            item=tongue.short(item, 40),
        )
    return tongue.some("{number} transfer:", "{number} transfers, newest first:", total)


def _none(tongue: Locale, space: str, item: str) -> tuple[Inline, ...]:
    if space:
        return tongue.say("No transfers with {space} to tell of.", space=naming.space(tongue, space))
    if item:
        return tongue.say('No transfers of "{item}" to tell of.', item=tongue.short(item, 40))
    return tongue.say("No transfers to tell of.")


def _within(tongue: Locale, days: int) -> Lines:
    return [tongue.some("Of the last day only.", "Of the last {number} days only.", days)] if days else []


def _entry(
    tongue: Locale, transfer: Transfer, peer_name: str, left: tuple[Line, ...] | None = None
) -> tuple[Inline, ...]:
    """'k7m2 – 10 × M3 bolt to betaspace, asked by Anna, Tue 24 Nov, 20:14. / Done, …'."""
    nodes: list[Inline] = [
        transfer.code,
        " – ",
        *tongue.say(
            _to_or_from(transfer),
            things=naming.things(tongue, transfer.terms.lines),
            peer=naming.space(tongue, peer_name),
            who=naming.signed(tongue, transfer.asked),
            when=tongue.when(transfer.asked.at),
        ),
        Break(),
        *state_in_words(tongue, transfer),
        *what_is_left(tongue, transfer, left),
    ]
    if transfer.card_to_act_on:
        nodes += [" ", Link(tongue.word("Its card"), permalink(transfer.room, transfer.card_to_act_on))]
    return tuple(nodes)


def _to_or_from(transfer: Transfer) -> str:
    if transfer.terms.kind == "return":
        if transfer.role == "sender":
            return marked("{things} back to {peer}, asked by {who}, {when}.")
        return marked("{things} back from {peer}, asked by {who}, {when}.")
    if transfer.role == "sender":
        return marked("{things} to {peer}, asked by {who}, {when}.")
    return marked("{things} from {peer}, asked by {who}, {when}.")


def what_is_left(tongue: Locale, loan: Transfer, left: tuple[Line, ...] | None) -> tuple[Inline, ...]:
    """' Still out: 6 × M3 nut.' of a loan of which a part is back; nothing where that goes without saying."""
    if not left or {line.number: line.quantity for line in left} == _quantities(loan):
        return ()
    out = [line for line in left if loan.ending_of(line.number) is None]
    if loan.is_on_loan:
        return (" ", *tongue.say("Still out: {things}.", things=naming.things(tongue, out))) if out else ()
    if loan.closed is None:
        return ()
    return (" ", *tongue.say("Not back: {things}.", things=naming.things(tongue, left)))


def _quantities(loan: Transfer) -> dict[int, Decimal]:
    over = {closing.line for closing in loan.line_ends} if loan.is_on_loan else set()
    return {line.number: line.quantity for line in loan.terms.lines if line.number not in over}


def cases_of_item(
    tongue: Locale,
    *,
    transfers: tuple[Transfer, ...],
    names: dict[str, str],
    item: str,
    total: int,
    left: dict[str, tuple[Line, ...]] | None = None,
) -> Lines:
    """What is open of an item or on loan, and the last case that is over, of `total` in all. `left` as in `ledger`."""
    out = left or {}
    shown = tongue.short(item, 40)
    if not transfers:
        return [_none(tongue, "", item)]
    if len(transfers) == total:
        first = _counted(tongue, "", item, total)
    else:
        first = tongue.say('What is open of "{item}", and the last that is over:', item=shown)
    entries = Items(tuple(_entry(tongue, each, names[each.peer], out.get(each.id)) for each in transfers))
    lines: Lines = [first, entries]
    lines.append(tongue.say("One of them in full: {show}", show=command(f"show {transfers[0].code}")))
    if len(transfers) < total:
        lines.append(tongue.say("All {total} of them: {history}", total=total, history=command(f"history {shown}")))
    return lines


def no_such_page(tongue: Locale, *, word: str, usage: str) -> Lines:
    """`--page` with something that is no number."""
    return [
        tongue.say('"{word}" is no number of a page. I did nothing.', word=tongue.short(word, 30)),
        tongue.say("It goes: {usage}", usage=command(usage)),
    ]
