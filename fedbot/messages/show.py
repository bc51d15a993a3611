"""`show`: one case, where it stands, and everything that led there, who and when."""

from __future__ import annotations

from datetime import datetime

from fedbot.messages import naming
from fedbot.messages.audit import is_told, noted_in_words
from fedbot.messages.connection import agreed
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.formatting import Break, Code, Inline, Items, Link, permalink
from fedbot.messages.history import what_is_left
from fedbot.messages.keys import row
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.naming import command
from fedbot.messages.outside import outside_loan
from fedbot.messages.transfer_end import why_not_booked_in
from fedbot.messages.transfer_facts import asked, card_of, not_done, state_in_words, two_people, where_it_is
from fedbot.rules.model.audit import AuditEntry
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.connection_lifecycle import ConnectionState
from fedbot.rules.model.ledger import CaseSeen
from fedbot.rules.model.names import decoration
from fedbot.rules.model.outside import OutsideLoan
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState

MOST_FIRST, MOST_LAST = 10, 20
"""Of a very long history the first and the last entries are told."""


def shown(
    locale: Locale,
    *,
    subject: Connection | Transfer,
    us: PartyConfig,
    peer_name: str,
    entries: tuple[tuple[datetime, AuditEntry], ...],
    names: dict[str, str],
    case: CaseSeen | None = None,
    pages: tuple[tuple[int, str], ...] = (),
) -> Lines:
    """The case in a line, where it stands, then when – who – what, oldest first.

    `names`: what people are called, by Matrix id. `pages`: the stock items of ours with their pages in InvenTree.
    """
    head = (
        _transfer(locale, subject, us, peer_name, case or CaseSeen())
        if isinstance(subject, Transfer)
        else _connection(locale, subject, us)
    )
    told = [line for at, entry in entries if (line := _told(locale, at, entry, names))]
    lines: Lines = [*head, *_keys(locale, case or CaseSeen()), *_returns(locale, case.returns if case else ()), ""]
    if len(told) > MOST_FIRST + MOST_LAST:
        left_out = locale.say("… {number} more …", number=len(told) - MOST_FIRST - MOST_LAST)
        told = [*told[:MOST_FIRST], left_out, *told[-MOST_LAST:]]
    lines.append(Items(tuple(told)) if told else locale.say("Nothing more is noted of it."))
    lines += _who_is_who(locale, names, case.users if case else {})
    lines += [Link(locale.word("Our stock #{item}").format(item=item), page) for item, page in pages[:MOST_FIRST]]
    if subject.card_to_act_on:
        lines.append(Link(locale.word("Its card"), permalink(subject.room, subject.card_to_act_on)))
    return lines


def outside_story(
    locale: Locale,
    *,
    loan: OutsideLoan,
    us: PartyConfig,
    entries: tuple[tuple[datetime, AuditEntry], ...],
    names: dict[str, str],
) -> Lines:
    """The same of what a neighbour without a bot has."""
    told = [line for at, entry in entries if (line := _told(locale, at, entry, names))]
    rest: Lines = [Items(tuple(told[-MOST_LAST:]))] if told else []
    return [*outside_loan(locale, loan=loan, us=us), *rest]


def _transfer(locale: Locale, transfer: Transfer, us: PartyConfig, peer_name: str, case: CaseSeen) -> Lines:
    card = card_of(locale, transfer, us, peer_name, left=case.left)
    first = locale.say(
        "{code}: {what} from {sender} to {receiver}.",
        code=transfer.code,
        what=naming.moved(locale, transfer),
        sender=card.sender,
        receiver=card.receiver,
    )
    state = (*state_in_words(locale, transfer), *what_is_left(locale, transfer, case.left))
    lines: Lines = [first, state, *two_people(locale, transfer, us), *asked(locale, card)]
    if transfer.state in {TransferState.DONE, TransferState.RECEIVED}:
        lines += [*where_it_is(locale, card), *not_done(locale, card)]
    if transfer.state in {TransferState.DISPUTED, TransferState.REFUSED, TransferState.REVERTED}:
        lines += why_not_booked_in(locale, card)
    return lines


def _keys(locale: Locale, case: CaseSeen) -> Lines:
    """The whole fingerprints of a friendship, and the emoji by which they are compared."""
    lines: Lines = []
    if case.keys:
        own, peer = case.keys
        lines += [locale.say("Our key: {key}", key=own), locale.say("Their key: {key}", key=peer)]
    if case.emoji:
        lines += [locale.say("Both bots must show the same seven emoji:"), row(locale, case.emoji)]
    return lines


def _returns(locale: Locale, returns: tuple[Transfer, ...]) -> Lines:
    """What of a loan came back, or is on its way."""
    if not returns:
        return []
    items = tuple((t.code, " – ", naming.moved(locale, t), Break(), *state_in_words(locale, t)) for t in returns)
    return [locale.say("Handed back:"), Items(items)]


def _connection(locale: Locale, connection: Connection, us: PartyConfig) -> Lines:
    own, peer = naming.space(locale, us.name), naming.space(locale, connection.peer_name)
    first = locale.say("{code}: the friendship of {own} and {peer}.", code=connection.code, own=own, peer=peer)
    lines: Lines = [first, state_in_words(locale, connection), agreed(locale, connection)]
    if connection.state in {ConnectionState.OFFERED, ConnectionState.ASKED, ConnectionState.MAKING}:
        told = (
            "Each bot makes for the other: a user that can only look, its token for one year, and a customer company."
        )
        lines.append(locale.say(told))
    if connection.needs and connection.state is ConnectionState.MAKING:
        lines.append(locale.say("Why: {text}", text=diagnosis(locale, connection.obstacle)))
    if connection.state is ConnectionState.SUSPENDED and not connection.changed_room:
        lines.append(locale.say("A superuser looks at it: {review}", review=command(f"review {connection.peer}")))
    return lines


def _who_is_who(locale: Locale, names: dict[str, str], users: dict[str, str]) -> Lines:
    """Everybody in it by what identifies them, the display name first."""
    told: list[tuple[Inline, ...]] = []
    for person, label in names.items():
        words: dict[str, Words] = {
            "name": naming.person(locale, decoration(label, person) or person),
            "account": Code(person),
            "user": locale.short(users.get(person, ""), 60),
        }
        sentence = "{name}: {account}, InvenTree user {user}" if person in users else "{name}: {account}"
        told.append(locale.say(sentence, **words))
    return [locale.say("Who is who:"), Items(tuple(told))] if told else []


def _told(locale: Locale, at: datetime, entry: AuditEntry, names: dict[str, str]) -> tuple[Inline, ...]:
    """'Tue 24 Nov, 20:14 – Anna: offered it'; empty for what is nobody's business."""
    if not is_told(entry.what):
        return ()
    what = noted_in_words(locale, entry.what)
    when = locale.when(at)
    if not entry.who:
        return (f"{when} – {what}",)
    who = naming.person(locale, names.get(entry.who) or entry.who)
    if entry.says:
        return locale.say("{when} – {who}, says {peer}: {what}", when=when, who=who, peer=entry.says, what=what)
    return (f"{when} – {who}: {what}",)
