"""`!fed history [SPACE|ITEM|ID]`: list past transfers, newest first; or every step of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from fedbot import messages
from fedbot.commands import lookup, show
from fedbot.commands.dates import days_in
from fedbot.commands.grammar import SHOWN
from fedbot.commands.lookup import spaces_in, subject_meant, whole_line
from fedbot.commands.spec import Argument, Handler, Kind, Option, Verb
from fedbot.rules.ledger import history
from fedbot.rules.loan import balance
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lending import OutsideLoan
from fedbot.rules.model.queries import Answer, AuditOf, FindItems, ItemsFound, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.names import bare_word
from fedbot.rules.state import Turn
from fedbot.rules.who_decides import Subject

A_PAGE = 10

SPEC = Verb(
    name="history",
    aliases=("ledger",),
    summary="list past transfers, or every step of one",
    permission=Permission.MAPPED,
    only_looks=True,
    arguments=(Argument("id", Kind.ANYTHING, "SPACE|ITEM|ID", optional=True),),
    options=(
        Option("since", "30d", "only this period: 30d, 6 weeks, 1y", most=20),
        Option("page", "NUMBER", "a later page; or reply 'more' to the page before", most=5),
    ),
    examples=("history", "history betaspace --since 30d", "history #42", "history k7m2"),
    details=(
        "It lists finished and open transfers, newest first: all of them, those with one space, or those of one item.",
        "With an ID, or as a reply to a card, it shows who asked, who decided, and each step with its time.",
        "In the admin room and in a direct chat, each item links to InvenTree.",
    ),
    is_named_in_help=True,
)


@dataclass(frozen=True)
class _Listed:
    """A list of transfers: with that space (its id), or of the item that the word means in our InvenTree."""

    days: int
    page: int
    space: str = ""
    item: str = ""


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask for the audit of one subject; for a word that may be an item, ask what it means."""
    meant = _meant(turn, command)
    if isinstance(meant, Phrase):
        return meant
    if not isinstance(meant, _Listed):
        return (AuditOf(meant.id),)
    return (FindItems(meant.item),) if meant.item else ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Show it. If there is more than a page, the word 'more' gets the next one."""
    meant = _meant(turn, command)
    if isinstance(meant, Phrase):
        return meant
    if not isinstance(meant, _Listed):
        return show.story(turn, command, meant, answers)
    shown, total = _listed(turn, command, meant, lookup.found_in(answers))
    phrase = _page(turn, meant, shown, total, more=True)
    if total <= meant.page * A_PAGE:
        return phrase
    turn.choose(command.room, command.event_id, command.sender, phrase, (), more=_next_page(turn, command, meant))
    return None


def _meant(turn: Turn, command: Command) -> _Listed | Subject | Phrase:
    """The list or the subject to show, or an objection."""
    since, page = (str(command.arguments.get(option, "")) for option in ("since", "page"))
    days = days_in(since)
    if days is None:
        return say(messages.stats.no_such_span, word=since[:SHOWN], usage=SPEC.usage)
    if page and not (page.isdecimal() and int(page)):
        return say(messages.history.no_such_page, word=page, usage=SPEC.usage)
    listed = _Listed(days, int(page or 1))
    word = str(command.arguments.get("id", "")).strip()
    if not word and not command.subject:
        return listed
    if space := _space(turn, command, word):
        return _Listed(listed.days, listed.page, space=space)
    if not word or turn.by_code(bare_word(word)):
        return subject_meant(turn, command, SPEC, ())
    return _Listed(listed.days, listed.page, item=word)


def _space(turn: Turn, command: Command, word: str) -> str:
    """The space with that id or name, including former friends; '' if there is none."""
    known = {space.party: space.name for space in spaces_in(turn, command.room)}
    rooms = lookup.rooms_told_of(turn, command.room)
    known |= {peer: turn.party_name(peer) for peer in turn.peers() if turn.count(rooms, peer)}
    wanted = word.casefold()
    by_id = [party for party in known if party.casefold() == wanted]
    return next(iter(by_id or [party for party, name in known.items() if name.casefold() == wanted]), "")


def _listed(
    turn: Turn, command: Command, meant: _Listed, found: ItemsFound
) -> tuple[tuple[Transfer | OutsideLoan, ...], int]:
    """The page's transfers, with loans to neighbours without a bot, and the number on all pages."""
    rooms = lookup.rooms_told_of(turn, command.room)
    since = turn.now - timedelta(days=meant.days) if meant.days else None
    first = (meant.page - 1) * A_PAGE
    if meant.item:
        transfers = lookup.of_item(turn, rooms, meant.item, found)
        transfers = history.newest_first(history.since(transfers, since) if since else transfers)
        outside = _outside(turn, command, since, lookup.keys_of(meant.item, found), meant.item)
        every = tuple(history.with_outside(transfers, outside))
        return every[first : first + A_PAGE], len(every)
    outside = [] if meant.space else _outside(turn, command, since)
    newest = history.with_outside(turn.newest(rooms, meant.space, since), outside)
    total = turn.count(rooms, meant.space, since) + len(outside)
    return tuple(islice(newest, first, first + A_PAGE)), total


def _outside(
    turn: Turn, command: Command, since: datetime | None, items: frozenset[int] = frozenset(), word: str = ""
) -> list[OutsideLoan]:
    """Loans to neighbours without a bot that this room may see; of one item, if the line names one."""
    rooms = lookup.rooms_told_of(turn, command.room)
    is_private = lookup.is_private(turn, command.room)
    found = [loan for loan in turn.all(OutsideLoan) if loan.room in rooms or is_private]
    found = history.outside_since(found, since) if since else found
    return [loan for loan in found if not word or history.outside_touches(loan, items, word)]


def _page(turn: Turn, meant: _Listed, shown: tuple[Transfer | OutsideLoan, ...], total: int, *, more: bool) -> Phrase:
    return say(
        messages.history.ledger,
        transfers=shown,
        names={each.peer: turn.party_name(each.peer) for each in shown if isinstance(each, Transfer)},
        space=turn.party_name(meant.space) if meant.space else "",
        item=meant.item[:SHOWN],
        days=meant.days,
        before=(meant.page - 1) * A_PAGE,
        total=total,
        more=more,
        left={t.id: balance.lines_not_back(turn, t) for t in shown if isinstance(t, Transfer) and t.is_loan},
    )


def _next_page(turn: Turn, command: Command, meant: _Listed) -> str:
    return whole_line(turn, command, SPEC, page=str(meant.page + 1))


HANDLER = Handler(SPEC, ask, act)
