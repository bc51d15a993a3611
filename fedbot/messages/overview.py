"""`todo` and `status`: what waits for somebody, and how the bot is."""

from __future__ import annotations

from collections.abc import Sequence

from fedbot.messages import naming
from fedbot.messages.formatting import Break, Code, Inline, Items, Link, permalink
from fedbot.messages.health import due_next
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.line_errors import what_it_is
from fedbot.messages.naming import command
from fedbot.messages.reasons import diagnosis
from fedbot.messages.transfer_facts import state_in_words
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.connection_lifecycle import ConnectionState
from fedbot.rules.model.health import BotStatus
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.queries import InventoryStanding
from fedbot.rules.model.stock import Right, Rights
from fedbot.rules.model.summaries import Quarantined, StatusSeen, Todo
from fedbot.rules.model.transfer import Transfer

MOST_IN_A_LIST = 10
Subject = Connection | Transfer


def todo(tongue: Locale, *, home: PartyConfig, name: str, rights: Rights, todo: Todo) -> Lines:
    """What waits for this person, and what this person waits for."""
    who, space = naming.person(tongue, name), naming.space(tongue, home.name)
    elsewhere = (
        [
            tongue.some(
                "{number} more in another room; ask me there.",
                "{number} more in other rooms; ask me there.",
                todo.elsewhere,
            )
        ]
        if todo.elsewhere
        else []
    )
    if todo.is_empty:
        first = tongue.say("Nothing waits for you here, {who}.", who=who)
        if rights.covers(Right.APPROVER) or elsewhere:
            return [first, *elsewhere]
        return [first, tongue.say("Offers to {space} are decided by its approvers.", space=space)]
    lines: Lines = [_counted(tongue, todo)]
    lines += _section(tongue, tongue.say("For you to decide (tap on the card, or reply to it):"), todo.to_decide)
    lines += _section(tongue, tongue.say("You asked, others decide or do it:"), todo.asked)
    arrived = tongue.say("On its way to us; when it is here, say {received}:", received=command("received"))
    lines += _section(tongue, arrived, todo.parcels)
    lines += _section(tongue, tongue.say("To look at with {review}:", review=command("review")), todo.suspended)
    lines += _section(tongue, tongue.say("To set up by hand (see the admin room):"), todo.to_make)
    lines += _section(
        tongue, tongue.say("Unclear; a superuser settles it with {resolve}:", resolve=command("resolve")), todo.disputed
    )
    over = tongue.say("Over, but still in our stock; take it out with {resolve}:", resolve=command("resolve"))
    lines += _section(tongue, over, todo.left_over)
    lent = tongue.say("On loan; to bring it back, say {back}:", back=command("return ID"))
    lines += _section(tongue, lent, todo.on_loan)
    return [*lines, *elsewhere]


def _counted(tongue: Locale, todo: Todo) -> tuple[Inline, ...]:
    waits = (todo.to_decide, todo.suspended, todo.to_make, todo.disputed, todo.parcels, todo.left_over)
    waiting = sum(len(subjects) for subjects in waits)
    if not waiting:
        return tongue.say("Nothing waits for you; others are at it.")
    return tongue.some("{number} thing waits for you.", "{number} things wait for you.", waiting)


def _section(tongue: Locale, title: tuple[Inline, ...], subjects: Sequence[Subject]) -> Lines:
    if not subjects:
        return []
    items = [_entry(tongue, subject) for subject in subjects[:MOST_IN_A_LIST]]
    if len(subjects) > MOST_IN_A_LIST:
        items.append(tongue.say("and {number} more", number=len(subjects) - MOST_IN_A_LIST))
    return [title, Items(tuple(items))]


def _entry(tongue: Locale, subject: Subject) -> tuple[Inline, ...]:
    """'k7m2 – 10 × M3 bolt, asked by Anna. / Waits for a yes or no, until …'."""
    nodes: list[Inline] = [subject.code, " – ", what_it_is(tongue, subject), Break(), *state_in_words(tongue, subject)]
    if subject.card_to_act_on:
        nodes += [" ", Link(tongue.word("Its card"), permalink(subject.room, subject.card_to_act_on))]
    return tuple(nodes)


def status(tongue: Locale, *, home: PartyConfig, status: StatusSeen, private: bool) -> Lines:
    """How the bot is. `private`: only our own admins read along."""
    space, standing = naming.space(tongue, home.name), status.standing
    lines: Lines = [
        _is_it_well(tongue, status, space),
        _inventory(tongue, status),
    ]
    lines += [*_waiting(tongue, status), *_chat(tongue, standing), _friends(tongue, status), _open(tongue, status)]
    if status.letters:
        lines.append(
            tongue.some(
                "{number} message to another bot waits for its answer.",
                "{number} messages to other bots wait for their answers.",
                status.letters,
            )
        )
    lines += due_next(tongue, status.due)
    for old, new in status.moved:
        words: dict[str, Words] = {"key": Code("rooms"), "new": Code(new), "old": Code(old)}
        lines.append(tongue.say("To be changed in the settings, under {key}: {new}, not {old}", **words))
    if private and status.inventory:
        lines += _for_admins(tongue, status.inventory)
    lines += _quarantined(tongue, status.quarantined, private=private)
    version = tongue.short(standing.version, 30)
    if version and standing.started:
        lines.append(
            tongue.say("fedbot {version}, running since {when}", version=version, when=tongue.when(standing.started))
        )
    elif version:
        lines.append(tongue.say("fedbot {version}", version=version))
    return lines


def _quarantined(tongue: Locale, quarantined: Sequence[Quarantined], *, private: bool) -> Lines:
    """What failed and waits; how it failed concerns only our own admins."""
    if not quarantined:
        return []
    lines: Lines = [
        tongue.some(
            "⚠ {number} thing failed and is set aside. An admin can have it tried again.",
            "⚠ {number} things failed and are set aside. An admin can have them tried again.",
            len(quarantined),
        )
    ]
    entries: list[tuple[Inline, ...]] = []
    for aside in quarantined[:MOST_IN_A_LIST] if private else ():
        about = {"what": Code(tongue.short(aside.what, 40)), "problem": Code(tongue.short(aside.problem, 120))}
        retry = Code(f"fedbot retry {aside.number}")
        entries.append(tongue.say("{what}: {problem}. Run on my machine: {retry}", retry=retry, **about))
    return [*lines, Items(tuple(entries))] if entries else lines


def _is_it_well(tongue: Locale, status: StatusSeen, space: str) -> tuple[Inline, ...]:
    inventory = status.inventory
    if inventory is None:
        return tongue.say("⏸ {space}'s bot is here, but its InvenTree does not answer.", space=space)
    if not (inventory.can_move_stock and inventory.writes_allowed):
        return tongue.say("⚠ {space}'s bot is here, but can't move stock in its InvenTree.", space=space)
    if status.disputed:
        return tongue.some(
            "⚠ {space}'s bot is well, but {number} transfer is unclear.",
            "⚠ {space}'s bot is well, but {number} transfers are unclear.",
            status.disputed,
            space=space,
        )
    return tongue.say("✅ {space}'s bot is well.", space=space)


def _inventory(tongue: Locale, status: StatusSeen) -> tuple[Inline, ...]:
    inventory = status.inventory
    if inventory is not None:
        return tongue.say(
            "InvenTree: {version}, {items} stock items.",
            version=tongue.short(inventory.version, 30),
            items=tongue.count(inventory.stock_items),
        )
    standing = status.standing
    since = standing.inventory_down_since
    problem = diagnosis(tongue, status.problem)
    if since is None:
        return tongue.say("InvenTree: {problem} I try again by myself.", problem=problem)
    words: dict[str, Words] = {"since": tongue.clock(since), "problem": problem}
    if standing.inventory_next_try is None:
        return tongue.say("InvenTree: silent since {since}. {problem} I try again by myself.", **words)
    again = tongue.clock(standing.inventory_next_try)
    return tongue.say(
        "InvenTree: silent since {since}. {problem} I try again by myself, next at {again}.", again=again, **words
    )


def _waiting(tongue: Locale, status: StatusSeen) -> Lines:
    """What waits for an InvenTree that doesn't answer."""
    if status.inventory is not None:
        return []
    if not status.waiting:
        return [tongue.say("Nothing waits for it.")]
    return [tongue.say("For it waits: {codes}", codes=", ".join(status.waiting[:MOST_IN_A_LIST]))]


def _chat(tongue: Locale, standing: BotStatus) -> Lines:
    lines: Lines = []
    if standing.caught_up:
        lines.append(tongue.say("Chat: read up to {when}.", when=tongue.clock(standing.caught_up)))
    if standing.silent_from and standing.silent_until:
        begun, over = tongue.clock(standing.silent_from), tongue.clock(standing.silent_until)
        lines.append(tongue.say("The homeserver was silent last from {begun} to {over}.", begun=begun, over=over))
    return lines


def _friends(tongue: Locale, status: StatusSeen) -> tuple[Inline, ...]:
    counts = status.connections
    active = counts.get(ConnectionState.ACTIVE, 0)
    paused = counts.get(ConnectionState.SUSPENDED, 0)
    ending = counts.get(ConnectionState.ENDING, 0)
    pending = sum(counts.values()) - active - paused - ending
    nodes = [*tongue.some("Friends: {number} space", "Friends: {number} spaces", active)]
    if pending:
        nodes += [", ", *tongue.say("{number} asked or being set up", number=pending)]
    if ending:
        nodes += [", ", *tongue.say("{number} ending", number=ending)]
    if paused:
        nodes += [", ", *tongue.say("{number} paused (see {review})", number=paused, review=command("review"))]
    return tuple(nodes)


def _open(tongue: Locale, status: StatusSeen) -> tuple[Inline, ...]:
    if not status.transfers:
        return tongue.say("Open: nothing")
    return tongue.some("Open: {number} transfer", "Open: {number} transfers", status.transfers)


def _for_admins(tongue: Locale, inventory: InventoryStanding) -> Lines:
    """What an admin should mend, and whether connecting goes by itself."""
    lines: Lines = []
    if inventory.complaints:
        complaints = [tongue.short(text, 200) for text in inventory.complaints[:MOST_IN_A_LIST]]
        lines += [tongue.say("To be mended:"), Items(tuple(complaints))]
    user = tongue.short(inventory.username, 40)
    lines.append(tongue.say("My InvenTree user: {user}", user=user))
    if not inventory.has_admin_token:
        lines.append(
            tongue.say("No {key}: for each new friend I tell you what to click.", key=Code("inventree.admin_token"))
        )
    elif not inventory.admin_is_superuser:
        lines.append(tongue.say("⚠ {key} isn't a superuser's, so it is of no use.", key=Code("inventree.admin_token")))
    return lines
