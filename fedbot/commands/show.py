"""`!fed show ID`: show one subject and every step that led to its state; or an item's transfers."""

from __future__ import annotations

from dataclasses import replace

from fedbot import messages
from fedbot.commands import lookup
from fedbot.commands.grammar import SHOWN
from fedbot.commands.lookup import subject_meant
from fedbot.commands.spec import Argument, Handler, Kind, Verb
from fedbot.rules.catalogue import want
from fedbot.rules.connection import pinning
from fedbot.rules.ledger import history
from fedbot.rules.loan import balance, waiting_list
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import CaseSeen
from fedbot.rules.model.lending import QueueEntry
from fedbot.rules.model.lifecycles import FINAL
from fedbot.rules.model.queries import Answer, AuditOf, AuditTrail, FindItems, ItemsFound, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.names import bare_word, begins_words_of
from fedbot.rules.protocol import announcements
from fedbot.rules.state import Turn
from fedbot.rules.transfer import from_anyone
from fedbot.rules.who_decides import Subject
from fedbot.rules.wire import fingerprint

SPEC = Verb(
    name="show",
    summary="show one transfer",
    permission=Permission.MAPPED,
    only_looks=True,
    arguments=(Argument("id", Kind.ANYTHING, "ID|ITEM", optional=True),),
    examples=("show k7m2", "show #42"),
    details=(
        "A reply to a card needs no ID. For a loan it shows the due date and what came back.",
        "For an item it shows its open transfers, and the last finished one.",
    ),
    is_named_in_help=True,
)


def _meant(turn: Turn, command: Command) -> Subject | Phrase:
    return subject_meant(turn, command, SPEC, (*turn.open_transfers(), *turn.loans()))


def _item(turn: Turn, command: Command) -> str:
    """The word that may be an item, because it is no subject's id; '' if none was typed."""
    word = str(command.arguments.get("id", "")).strip()
    return "" if turn.by_code(bare_word(word)) else word


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask for the subject's audit; for a word that is no id, ask which items it means."""
    meant = (lookup.rota_meant, lookup.want_meant, lookup.place_meant)
    if any(each(turn, command) is not None for each in meant):
        return ()
    if item := _item(turn, command):
        return (FindItems(item),)
    subject = _meant(turn, command)
    return subject if isinstance(subject, Phrase) else (AuditOf(subject.id),)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Show it, oldest first; an item's transfers, newest first."""
    if (running := lookup.rota_meant(turn, command)) is not None:
        return from_anyone.page(turn, running)
    if (wanted := lookup.want_meant(turn, command)) is not None:
        return want.page(turn, wanted)
    if (place := lookup.place_meant(turn, command)) is not None:
        return waiting_list.own_page(turn, place) if isinstance(place, QueueEntry) else waiting_list.page(turn, place)
    if item := _item(turn, command):
        return _cases_of(turn, command, item, lookup.found_in(answers))
    subject = _meant(turn, command)
    return subject if isinstance(subject, Phrase) else story(turn, command, subject, answers)


def _cases_of(turn: Turn, command: Command, item: str, found: ItemsFound) -> Phrase:
    """The item's open transfers and loans, and the last finished one."""
    here = lookup.rooms_told_of(turn, command.room)
    transfers = history.newest_first(lookup.of_item(turn, here, item, found))
    if not any(map(_goes_on, transfers)):
        near = [each for each in (*turn.open_transfers(), *turn.loans()) if each.room in here and _is_near(each, item)]
        transfers = history.newest_first([*transfers, *near])
    if not transfers and not found.items:
        told = subject_meant(turn, command, SPEC, ())
        if isinstance(told, Phrase):
            return told
    over = [transfer for transfer in transfers if not _goes_on(transfer)]
    shown = [transfer for transfer in transfers if transfer not in over[1:]]
    names = {transfer.peer: turn.party_name(transfer.peer) for transfer in shown}
    return say(
        messages.history.cases_of_item,
        transfers=tuple(shown),
        names=names,
        item=item[:SHOWN],
        total=len(transfers),
        left={transfer.id: balance.lines_not_back(turn, transfer) for transfer in shown if transfer.is_loan},
    )


def _goes_on(transfer: Transfer) -> bool:
    return transfer.state not in FINAL or transfer.is_on_loan


def _is_near(transfer: Transfer, item: str) -> bool:
    """Whether the words are part of the name or IPN of something that is still open or on loan."""
    parts = (line.description for line in transfer.terms.lines)
    return _goes_on(transfer) and any(begins_words_of(item, (part.name, part.ipn)) for part in parts)


def story(turn: Turn, command: Command, subject: Subject, answers: tuple[Answer, ...]) -> Phrase:
    """The subject's state, and everything that led to it."""
    (trail,) = answers
    if not isinstance(trail, AuditTrail):
        raise TypeError(f"a story is told from the audit, not from {trail!r}")
    signed = (subject.asked, subject.decided, getattr(subject, "granted", None))
    people = {entry.who for _, entry in trail.entries if entry.who.startswith("@")}
    people |= {signature.person for signature in signed if signature and signature.person}
    users = {entry.who: entry.user for _, entry in trail.entries if entry.user}
    return say(
        messages.overview.shown,
        subject=subject,
        us=turn.us,
        peer_name=turn.party_name(subject.peer),
        entries=trail.entries,
        case=replace(_case(turn, subject), users=users),
        names={person: turn.name_of(person, subject.room) for person in sorted(people)},
        pages=_pages(turn, subject) if command.room not in announcements.federation_rooms(turn) else (),
    )


def _case(turn: Turn, subject: Subject) -> CaseSeen:
    """For a loan, what came back; for a connection, the full fingerprints of both keys."""
    if isinstance(subject, Connection):
        keys = fingerprint(turn.us.key), fingerprint(subject.changed_key or subject.peer_key)
        return CaseSeen(keys=keys, emoji=pinning.emoji_numbers(turn, subject))
    if not subject.is_loan:
        return CaseSeen()
    return CaseSeen(tuple(balance.returns(turn, subject)), left=balance.lines_not_back(turn, subject))


def _pages(turn: Turn, subject: Subject) -> tuple[tuple[int, str], ...]:
    """Our stock items in the transfer, each with its page in our InvenTree, whose address only we may see."""
    if not isinstance(subject, Transfer):
        return ()
    items = dict.fromkeys(history.our_item(subject, line) for line in subject.terms.lines)
    api = turn.status().api
    return tuple((item, history.item_page(turn.us.inventory_url, api, item)) for item in items if item)


HANDLER = Handler(SPEC, ask, act)
