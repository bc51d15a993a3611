"""`todo`, `status` and `show`: a person's tasks, the bot's health, and the state of one transfer or connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from fedbot.messages import naming
from fedbot.messages.audit import are_told, entry_in_words
from fedbot.messages.catalogue import want_in_short
from fedbot.messages.connection.connect import agreed
from fedbot.messages.connection.keys import row
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.health import due_next
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.lending import rules_stand_in
from fedbot.messages.line_errors import what_it_is
from fedbot.messages.markup import Break, Code, Inline, Items, Link, permalink
from fedbot.messages.naming import command
from fedbot.messages.outside import outside_in_short, outside_loan
from fedbot.messages.reports.history import what_is_left
from fedbot.messages.transfer.card_lines import (
    asked,
    card_of,
    did_not_arrive,
    in_full,
    not_done,
    state_in_words,
    two_people,
    where_it_is,
)
from fedbot.messages.transfer.end import why_not_booked_in
from fedbot.messages.transfer.from_anyone import rota_in_short
from fedbot.messages.transfer.waiting_list import entry_in_short, place_in_short
from fedbot.rules.model.audit import AuditEntry
from fedbot.rules.model.command import NUMBER_WITHIN
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.health import BotStatus, Quarantined
from fedbot.rules.model.ledger import Cancellable, CaseSeen, StatusSeen, Todo
from fedbot.rules.model.lending import OutsideLoan
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.queries import IndexStanding, InventoryStanding
from fedbot.rules.model.stock import Permission, Permissions
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.names import display_name
from fedbot.rules.who_decides import Subject

MOST_IN_A_LIST = 10
_ALL = 100


def todo(locale: Locale, *, us: PartyConfig, name: str, permissions: Permissions, todo: Todo) -> Lines:
    """Everything that waits for this person, and everything that this person waits for."""
    who, space = naming.person(locale, name), naming.space(locale, us.name)
    elsewhere = (
        [
            locale.some(
                "{number} more in another room; ask me there.",
                "{number} more in other rooms; ask me there.",
                todo.elsewhere,
            )
        ]
        if todo.elsewhere
        else []
    )
    if todo.is_empty:
        first = locale.say("Nothing is waiting for you here, {who}.", who=who)
        if permissions.covers(Permission.APPROVER) or elsewhere:
            return [first, *elsewhere]
        return [first, locale.say("The approvers of {space} decide on offers to it.", space=space)]
    lines: Lines = [_counted(locale, todo)]
    lines += _section(locale, locale.say("For you to decide (tap on the card, or reply to it):"), todo.to_decide)
    behind = locale.say(
        "To decide once a superuser has typed {review} in the room that replaces theirs:",
        review=command("review --room"),
    )
    lines += _section(locale, behind, todo.left_behind, links=False)
    lines += _section(locale, locale.say("You asked, and it's their turn:"), todo.asked)
    arrived = locale.say("On its way to us; when it is here, type {received}:", received=command("received"))
    lines += _section(locale, arrived, todo.parcels)
    lines += _section(locale, locale.say("To review with {review}:", review=command("review")), todo.suspended)
    lines += _section(locale, locale.say("To set up by hand, as the admin room says:"), todo.to_make)
    lines += _section(
        locale,
        locale.say("Unclear. A superuser settles these with {resolve}:", resolve=command("resolve")),
        todo.disputed,
    )
    lacking = locale.say("Did not arrive with the rest; settle it with {resolve}:", resolve=command("resolve"))
    lines += _section(locale, lacking, tuple(_as_missing(each) for each in todo.lacking))
    over = locale.say(
        "Ended, but still in our stock. A superuser settles these with {resolve}:", resolve=command("resolve")
    )
    lines += _section(locale, over, todo.left_over)
    if todo.rotas:
        asked = (rota_in_short(locale, each) for each in todo.rotas[:MOST_IN_A_LIST])
        lines += [locale.say("Asked from anyone:"), Items(tuple(asked))]
    back = command("return ID")
    borrowed = locale.say("Borrowed; to bring it back, type {back}:", back=back)
    lines += _section(locale, borrowed, tuple(each for each in todo.on_loan if each.role == "receiver"), todo.names)
    lent = locale.say("Lent; once it is back, type {back}:", back=back)
    lines += _section(locale, lent, tuple(each for each in todo.on_loan if each.role == "sender"), todo.names)
    if todo.wants:
        wants = (want_in_short(locale, each) for each in todo.wants[:MOST_IN_A_LIST])
        lines += [locale.say("Wanted:"), Items(tuple(wants))]
    lines += _in_line(locale, todo)
    if todo.outside:
        today = locale.today_there("")
        items = (outside_in_short(locale, each, today) for each in todo.outside[:MOST_IN_A_LIST])
        lines += [locale.say("On loan to neighbours without a bot:"), Items(tuple(items))]
    return [*lines, *elsewhere]


def which_to_cancel(locale: Locale, *, own: Cancellable, most: int) -> Lines:
    """The answer to `cancel` without an id: a numbered list of everything that this person can take back."""
    items: list[tuple[Inline, ...]] = [_to_cancel(locale, subject) for subject in own.subjects]
    items += [rota_in_short(locale, rota) for rota in own.rotas]
    items += [want_in_short(locale, want) for want in own.wants]
    items += [place_in_short(locale, place, name) for name, place in own.places]
    items += [entry_in_short(locale, entry.by.name if entry.by else "", place, entry) for place, entry in own.in_line]
    lines: Lines = [locale.say("Which one do you want to take back? I have done nothing yet.")]
    lines += [locale.say("{number}) {what}", number=number, what=what) for number, what in enumerate(items[:most], 1)]
    if len(items) > most:
        lines.append(locale.say("and {number} more", number=len(items) - most))
    ids = command("cancel ID")
    time = locale.span(NUMBER_WITHIN)
    return [*lines, locale.say("Reply with the number within {time}, or name its ID: {line}", time=time, line=ids)]


def _to_cancel(locale: Locale, subject: Subject) -> tuple[Inline, ...]:
    """'k7m2 – 10 × M3 bolt, offered by Anna'; for a booking also its days."""
    is_booked = isinstance(subject, Transfer) and subject.state is TransferState.BOOKED
    days: tuple[Inline, ...] = (" · ", *state_in_words(locale, subject)) if is_booked else ()
    return (subject.code, " – ", what_it_is(locale, subject), *days)


def _in_line(locale: Locale, todo: Todo) -> Lines:
    """Our people's places in waiting lists, at friends and here."""
    items = [place_in_short(locale, place, name) for name, place in todo.places]
    items += [entry_in_short(locale, entry.by.name if entry.by else "", place, entry) for place, entry in todo.in_line]
    return [locale.say("On the waiting list for:"), Items(tuple(items[:MOST_IN_A_LIST]))] if items else []


def _counted(locale: Locale, todo: Todo) -> tuple[Inline, ...]:
    to_decide = (*todo.to_decide, *todo.left_behind)
    waits = (to_decide, todo.suspended, todo.to_make, todo.disputed, todo.parcels, todo.left_over, todo.lacking)
    waiting = sum(len(subjects) for subjects in waits)
    if not waiting:
        return locale.say("Nothing is waiting for you now.")
    return locale.some("{number} task is waiting for you.", "{number} tasks are waiting for you.", waiting)


def _as_missing(transfer: Transfer) -> Transfer:
    """The transfer reduced to the items that did not arrive, only for messages."""
    return transfer.named_by(transfer.lines_missing)


def _section(
    locale: Locale,
    title: tuple[Inline, ...],
    subjects: Sequence[Subject],
    names: Mapping[str, str] | None = None,
    *,
    links: bool = True,
) -> Lines:
    """The subjects below a title. `names`: of the other spaces, for loans, which are about two of them."""
    if not subjects:
        return []
    shown, names = subjects[:MOST_IN_A_LIST], names or {}
    items = [_entry(locale, subject, names.get(subject.peer, ""), links=links) for subject in shown]
    if len(subjects) > MOST_IN_A_LIST:
        items.append(locale.say("and {number} more", number=len(subjects) - MOST_IN_A_LIST))
    return [title, Items(tuple(items))]


def _entry(locale: Locale, subject: Subject, peer_name: str = "", *, links: bool = True) -> tuple[Inline, ...]:
    """'k7m2 – 10 × M3 bolt, offered by Anna. / Waits for a yes or no, until …'; a loan with `peer_name`."""
    what: tuple[Inline, ...] = (what_it_is(locale, subject),)
    if peer_name and isinstance(subject, Transfer):
        things, peer = naming.things(locale, subject.lines_told), naming.space(locale, peer_name)
        whose = marked("{things} from {peer}") if subject.role == "receiver" else marked("{things} to {peer}")
        what = (*locale.say(whose, things=things, peer=peer), ", ", naming.opened_by(locale, subject))
    nodes: list[Inline] = [subject.code, " – ", *what, Break(), *state_in_words(locale, subject)]
    if subject.card_to_act_on and links:
        nodes += [" ", Link(locale.word("Its card"), permalink(subject.room, subject.card_to_act_on))]
    return tuple(nodes)


def status(locale: Locale, *, us: PartyConfig, status: StatusSeen, private: bool) -> Lines:
    """The bot's health. `private`: only our own admins can read it."""
    space, standing = naming.space(locale, us.name), status.standing
    lines: Lines = [
        _is_it_well(locale, status, space),
        _inventory(locale, status),
    ]
    if status.inventory is not None and status.inventory.index is not None:
        lines.append(_index(locale, status.inventory.index))
    lines += [*_waiting(locale, status), *_chat(locale, standing), _friends(locale, status), _open(locale, status)]
    if status.unread:
        lines.append(
            locale.some(
                "{number} message to another bot is waiting for its answer.",
                "{number} messages to other bots are waiting for their answers.",
                status.unread,
            )
        )
    lines += due_next(locale, status.due)
    for old, new in status.moved:
        words: dict[str, Words] = {"key": Code("rooms"), "new": Code(new), "old": Code(old)}
        lines.append(locale.say("To be changed in the settings, under {key}: {new}, not {old}", **words))
    if private and status.inventory:
        lines += _for_admins(locale, status.inventory)
    lines += _quarantined(locale, status.quarantined, private=private)
    version = locale.short(standing.version, 30)
    if version and standing.started:
        lines.append(
            locale.say("fedbot {version}, running since {when}", version=version, when=locale.when(standing.started))
        )
    elif version:
        lines.append(locale.say("fedbot {version}", version=version))
    return lines


def _quarantined(locale: Locale, quarantined: Sequence[Quarantined], *, private: bool) -> Lines:
    """The quarantined work; the reasons only for our own admins."""
    if not quarantined:
        return []
    lines: Lines = [
        locale.some(
            "⚠ {number} task failed and is quarantined. An admin can try it again.",
            "⚠ {number} tasks failed and are quarantined. An admin can try them again.",
            len(quarantined),
        )
    ]
    entries: list[tuple[Inline, ...]] = []
    for aside in quarantined[:MOST_IN_A_LIST] if private else ():
        about = {"what": Code(locale.short(aside.what, 40)), "problem": Code(locale.short(aside.problem, 120))}
        retry = Code(f"fedbot retry {aside.number}")
        drop = Code(f"fedbot drop {aside.number}")
        entries.append(
            locale.say(
                "{what}: {problem}. Run on my machine: {retry}, or to give it up: {drop}",
                retry=retry,
                drop=drop,
                **about,
            )
        )
    return [*lines, Items(tuple(entries))] if entries else lines


def _is_it_well(locale: Locale, status: StatusSeen, space: str) -> tuple[Inline, ...]:
    inventory = status.inventory
    if inventory is None and status.problem is None:
        return locale.say("⏸ The bot of {space} is here, but its InvenTree has not answered yet.", space=space)
    if inventory is None:
        return locale.say("⏸ The bot of {space} is here, but its InvenTree does not answer.", space=space)
    if not (inventory.can_move_stock and inventory.writes_allowed):
        return locale.say("⚠ The bot of {space} is here, but can't move stock in its InvenTree.", space=space)
    if status.mute:
        rooms = locale.names([locale.short(room, 60) for room in status.mute])
        return locale.say(
            "⚠ The bot of {space} is here, but may not write or react in {rooms}.", space=space, rooms=rooms
        )
    if status.disputed:
        return locale.some(
            "⚠ The bot of {space} is healthy, but {number} transfer is unclear.",
            "⚠ The bot of {space} is healthy, but {number} transfers are unclear.",
            status.disputed,
            space=space,
        )
    return locale.say("✅ The bot of {space} is healthy.", space=space)


def _inventory(locale: Locale, status: StatusSeen) -> tuple[Inline, ...]:
    inventory = status.inventory
    if inventory is not None:
        return locale.say(
            "InvenTree: {version}, {items} stock items, including those with customers.",
            version=locale.short(inventory.version, 30),
            items=locale.count(inventory.stock_items),
        )
    standing = status.standing
    since = standing.inventory_down_since
    problem = diagnosis(locale, status.problem)
    if since is None and status.problem is None:
        return locale.say("InvenTree: no answer yet; it may only be slow. Ask me again in a minute.")
    if since is None:
        return locale.say("InvenTree: {problem} I try again by myself.", problem=problem)
    words: dict[str, Words] = {"since": locale.clock(since), "problem": problem}
    if standing.inventory_next_try is None:
        return locale.say("InvenTree: silent since {since}. {problem} I try again by myself.", **words)
    again = locale.clock(standing.inventory_next_try)
    return locale.say(
        "InvenTree: silent since {since}. {problem} I try again by myself, next at {again}.", again=again, **words
    )


def _index(locale: Locale, index: IndexStanding) -> tuple[Inline, ...]:
    """The age of our index of a large InvenTree, or the progress of its first filling."""
    if index.percent < _ALL or index.stock_read is None or index.parts_read is None:
        return locale.say(
            "Stock index: {percent} % read so far. Until it is complete, I may not find everything.",
            percent=index.percent,
        )
    return locale.say(
        "Stock index: items read at {stock}, parts at {parts}.",
        stock=locale.when(index.stock_read),
        parts=locale.when(index.parts_read),
    )


def _waiting(locale: Locale, status: StatusSeen) -> Lines:
    """The work that waits for an InvenTree that doesn't answer."""
    if status.inventory is not None:
        return []
    if not status.waiting:
        return [locale.say("Nothing waits for it.")]
    return [locale.say("Waiting for it: {codes}", codes=", ".join(status.waiting[:MOST_IN_A_LIST]))]


def _chat(locale: Locale, standing: BotStatus) -> Lines:
    lines: Lines = []
    if standing.caught_up:
        lines.append(locale.say("Chat: read up to {when}.", when=locale.clock(standing.caught_up)))
    if standing.silent_from and standing.silent_until:
        begun, over = locale.clock(standing.silent_from), locale.clock(standing.silent_until)
        lines.append(locale.say("The homeserver was last silent from {begun} to {over}.", begun=begun, over=over))
    return lines


def _friends(locale: Locale, status: StatusSeen) -> tuple[Inline, ...]:
    counts = status.connections
    active = counts.get(ConnectionState.ACTIVE, 0)
    paused = counts.get(ConnectionState.SUSPENDED, 0)
    ending = counts.get(ConnectionState.ENDING, 0)
    pending = sum(counts.values()) - active - paused - ending
    nodes = [*locale.some("Friends: {number} space", "Friends: {number} spaces", active)]
    if pending:
        nodes += [", ", *locale.say("{number} asked or being set up", number=pending)]
    if ending:
        nodes += [", ", *locale.say("{number} ending", number=ending)]
    if paused:
        nodes += [", ", *locale.say("{number} paused (see {review})", number=paused, review=command("review"))]
    return tuple(nodes)


def _open(locale: Locale, status: StatusSeen) -> tuple[Inline, ...]:
    if not status.transfers:
        return locale.say("Open: nothing")
    return locale.some("Open: {number} transfer", "Open: {number} transfers", status.transfers)


def _for_admins(locale: Locale, inventory: InventoryStanding) -> Lines:
    """Problems that an admin should fix, and whether the bot can provision a connection by itself."""
    lines: Lines = []
    if inventory.complaints:
        complaints = [locale.short(text, 200) for text in inventory.complaints[:MOST_IN_A_LIST]]
        lines += [locale.say("To fix:"), Items(tuple(complaints))]
    user = locale.short(inventory.username, 40)
    lines.append(locale.say("My InvenTree user: {user}", user=user))
    if not inventory.has_admin_token:
        lines.append(
            locale.say("No {key}: for each new friend I tell you what to click.", key=Code("inventree.admin_token"))
        )
    elif not inventory.admin_is_superuser:
        lines.append(
            locale.say("⚠ {key} isn't a superuser's token, so I can't use it.", key=Code("inventree.admin_token"))
        )
    return lines


# --- `show`: one transfer or connection, its state, and its history.

MOST_FIRST, MOST_LAST = 10, 20
"""A very long history is cut in the middle."""


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
    """The transfer or connection with its state, then its history, oldest first.

    `names`: people's names by Matrix id. `pages`: our stock items with their pages in InvenTree.
    """
    head = (
        _transfer(locale, subject, us, peer_name, case or CaseSeen())
        if isinstance(subject, Transfer)
        else _connection(locale, subject, us)
    )
    told = _story(locale, entries, names)
    lines: Lines = [*head, *_keys(locale, case or CaseSeen()), *_returns(locale, case.returns if case else ()), ""]
    if len(told) > MOST_FIRST + MOST_LAST:
        left_out = locale.say("… {number} more …", number=len(told) - MOST_FIRST - MOST_LAST)
        told = [*told[:MOST_FIRST], left_out, *told[-MOST_LAST:]]
    lines.append(Items(tuple(told)) if told else locale.say("I know nothing more about it."))
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
    friend: str = "",
) -> Lines:
    """The same for a loan to a neighbour without a bot; `friend` if it has one by now."""
    told = _story(locale, entries, names)
    rest: Lines = [Items(tuple(told[-MOST_LAST:]))] if told else []
    return [*outside_loan(locale, loan=loan, us=us, friend=friend), *rest]


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
    lines += rules_stand_in(locale, transfer)
    lines += in_full(locale, card)
    if transfer.state in {TransferState.DONE, TransferState.RECEIVED}:
        lines += [*where_it_is(locale, card), *not_done(locale, card), *did_not_arrive(locale, card)]
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
    """The part of a loan that came back, or is on its way back."""
    if not returns:
        return []
    items = tuple((t.code, " – ", naming.moved(locale, t), Break(), *state_in_words(locale, t)) for t in returns)
    return [locale.say("Returned:"), Items(items)]


def _connection(locale: Locale, connection: Connection, us: PartyConfig) -> Lines:
    own, peer = naming.space(locale, us.name), naming.space(locale, connection.peer_name)
    first = locale.say("{code}: the friendship of {own} and {peer}.", code=connection.code, own=own, peer=peer)
    lines: Lines = [first, state_in_words(locale, connection), agreed(locale, connection)]
    if connection.state in {ConnectionState.OFFERED, ConnectionState.ASKED, ConnectionState.MAKING}:
        told = "Each bot creates for the other: a read-only user, its token for one year, and a customer company."
        lines.append(locale.say(told))
    if connection.needs and connection.state is ConnectionState.MAKING:
        lines.append(locale.say("Why: {text}", text=diagnosis(locale, connection.obstacle)))
    if connection.state is ConnectionState.SUSPENDED and not connection.changed_room:
        lines.append(locale.say("A superuser reviews it: {review}", review=command(f"review {connection.peer}")))
    return lines


def _who_is_who(locale: Locale, names: dict[str, str], users: dict[str, str]) -> Lines:
    """The people in it: display name, Matrix id and InvenTree user of each."""
    told: list[tuple[Inline, ...]] = []
    for person, label in names.items():
        words: dict[str, Words] = {
            "name": naming.person(locale, display_name(label, person) or person),
            "account": Code(person),
            "user": locale.short(users.get(person, ""), 60),
        }
        sentence = "{name}: {account}, InvenTree user {user}" if person in users else "{name}: {account}"
        told.append(locale.say(sentence, **words))
    return [locale.say("Who is who:"), Items(tuple(told))] if told else []


def _story(
    locale: Locale, entries: tuple[tuple[datetime, AuditEntry], ...], names: dict[str, str]
) -> list[tuple[Inline, ...]]:
    told = are_told([entry for _, entry in entries])
    return [_told(locale, at, entry, names) for (at, entry), is_told in zip(entries, told, strict=True) if is_told]


def _told(locale: Locale, at: datetime, entry: AuditEntry, names: dict[str, str]) -> tuple[Inline, ...]:
    """'Tue 24 Nov, 20:14 – Anna: offered it'."""
    what = entry_in_words(locale, entry.what)
    when = locale.when(at)
    if not entry.who:
        return (f"{when} – {what}",)
    who = naming.person(locale, names.get(entry.who) or entry.who)
    if entry.says:
        return locale.say("{when} – {who}, says {peer}: {what}", when=when, who=who, peer=entry.says, what=what)
    return (f"{when} – {who}: {what}",)
