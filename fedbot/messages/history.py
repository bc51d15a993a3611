"""`history`: the ledger of transfers, a page at a time. The whole story of one of them is in `history`."""

from __future__ import annotations

from fedbot.messages import naming
from fedbot.messages.formatting import Break, Code, Inline, Items, Link, permalink
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.naming import command
from fedbot.messages.transfer_facts import state_in_words
from fedbot.rules.model.transfer import Transfer


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
) -> Lines:
    """Some transfers, newest first. `names` are the spaces' by id; `before` is how many stand on earlier pages."""
    if not transfers and total:
        return [tongue.say("Nothing on that page: there are {total}, on earlier ones.", total=total)]
    if not transfers:
        return [_none(tongue, space, item), *_within(tongue, days)]
    lines: Lines = [_counted(tongue, space, item, total), *_within(tongue, days)]
    lines.append(Items(tuple(_entry(tongue, transfer, names[transfer.peer]) for transfer in transfers)))
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


def _entry(tongue: Locale, transfer: Transfer, peer_name: str) -> tuple[Inline, ...]:
    """'k7m2 – 10 × M3 bolt to betaspace, asked by Anna, Tue 24 Nov, 20:14. / Done, …'."""
    nodes: list[Inline] = [
        transfer.code,
        " – ",
        *tongue.say(
            "{things} to {peer}, asked by {who}, {when}."
            if transfer.role == "sender"
            else "{things} from {peer}, asked by {who}, {when}.",
            things=naming.things(tongue, transfer.terms.lines),
            peer=naming.space(tongue, peer_name),
            who=naming.signed(tongue, transfer.asked),
            when=tongue.when(transfer.asked.at),
        ),
        Break(),
        *state_in_words(tongue, transfer),
    ]
    if transfer.card_event:
        nodes += [" ", Link(tongue.word("Its card"), permalink(transfer.room, transfer.card_event))]
    return tuple(nodes)


def cases_of_item(
    tongue: Locale, *, transfers: tuple[Transfer, ...], names: dict[str, str], item: str, total: int
) -> Lines:
    """What is open of an item or on loan, and the last case that is over, of `total` in all."""
    shown = tongue.short(item, 40)
    if not transfers:
        return [_none(tongue, "", item)]
    if len(transfers) == total:
        first = _counted(tongue, "", item, total)
    else:
        first = tongue.say('What is open of "{item}", and the last that is over:', item=shown)
    entries = Items(tuple(_entry(tongue, transfer, names[transfer.peer]) for transfer in transfers))
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
