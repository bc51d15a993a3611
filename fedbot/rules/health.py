"""The bot's own health: outages, upgrades and restores of InvenTree, the daily check, and the admins' messages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fedbot import messages
from fedbot.rules.catalogue.provenance import known_item
from fedbot.rules.connection.rotate_tokens import on_seen
from fedbot.rules.model import audit
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.effects import Ask, Edit, say
from fedbot.rules.model.events import Answered, HomeserverBack, SetAside, Waiting
from fedbot.rules.model.health import BotStatus
from fedbot.rules.model.ledger import Lost
from fedbot.rules.model.queries import (
    Able,
    BooksOf,
    HistoryAt,
    HistorySeen,
    InventoryStanding,
    ItemSeen,
    ItemsSeen,
    NamedThings,
    Overview,
    OwnTokens,
    OwnTokensSeen,
    Query,
    UnknownThings,
    WhenAnswered,
)
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn

A_DAY = timedelta(days=1)
SAME_OUTAGE = timedelta(hours=1)
"""A silence that begins this soon after the last one was reported updates the same message."""
ALREADY_WATCHED = timedelta(minutes=10)
UNTRUSTED_AGAIN_AFTER = timedelta(days=30)
UNKNOWN_NAMES_AGAIN_AFTER = timedelta(days=30)
TOLD_OF_ONE = timedelta(minutes=10)


# --- InvenTree doesn't answer ---


def on_waiting(turn: Turn, event: Waiting) -> None:
    """Record that something waits for our InvenTree, and tell the admins if that is news."""
    if turn.status().went_back is not None and not event.silent:
        return  # the admins know why
    if not event.silent:
        _tell_refusal(turn, event.problem)
        return
    status = turn.status()
    is_news = status.inventory_down_since is None
    turn.save(
        replace(
            status,
            inventory_down_since=status.inventory_down_since or event.at,
            inventory_problem=event.problem,
            inventory_next_try=event.next_try,
        )
    )
    if is_news:
        turn.note("bot", audit.Fact.INVENTORY_SILENT)
        _tell_outage(turn, event.problem)
        if not isinstance(event.then, LookAtInventory):
            watch(turn)


def _tell_refusal(turn: Turn, problem: Diagnosis) -> None:
    """Tell the admins of a refusal that only people can change: the token, a permission, its version."""
    if turn.tell_once("inventory-refuses", A_DAY):
        phrase = say(messages.health.inventory_refuses, problem=problem, us=turn.us)
        turn.tell_admins(phrase, f"refuses:{turn.now.isoformat()}")


def _tell_outage(turn: Turn, problem: Diagnosis) -> None:
    phrase = say(messages.health.inventory_down, problem=problem, us=turn.us)
    status = turn.status()
    if status.outage and status.outage_told and turn.now - status.outage_told < SAME_OUTAGE:
        turn.do(Edit(status.outage, turn.us.admin_room, phrase))
    elif turn.us.admin_room:
        key = f"down:{turn.now.isoformat()}"
        turn.tell_admins(phrase, key)
        turn.save(replace(status, outage=MessageKind.ADMIN.of(rest=key), outage_told=turn.now))


def watch(turn: Turn) -> None:
    """Ask until InvenTree answers, so that its return is noticed although nothing else may wait for it any more."""
    if turn.tell_once("inventory-watched", ALREADY_WATCHED):
        _ask(turn)


def on_inventory_back(turn: Turn) -> None:
    """Record that InvenTree has answered again, and update the admins' message."""
    status = turn.status()
    if status.inventory_down_since is None:
        return
    turn.save(replace(status, inventory_down_since=None, inventory_problem=None, inventory_next_try=None))
    turn.note("bot", audit.Fact.INVENTORY_BACK)
    if status.outage:
        phrase = say(messages.health.inventory_back, us=turn.us, since=status.inventory_down_since, until=turn.now)
        turn.do(Edit(status.outage, turn.us.admin_room, phrase))


def on_homeserver_back(turn: Turn, event: HomeserverBack) -> None:
    """Record the outage for `status`. Nobody could be told of it while it lasted."""
    turn.save(replace(turn.status(), silent_from=event.since, silent_until=event.at))
    turn.note("chat", audit.HomeserverBack(event.since))


# --- unforeseen failures ---


def on_set_aside(turn: Turn, event: SetAside) -> None:
    """Tell the admins, of several at once only of the first. `status` lists them all."""
    turn.note(event.subject or "failures", audit.SetAside(event.number, event.what, event.problem))
    if turn.tell_once("set-aside", TOLD_OF_ONE):
        turn.tell_admins(say(messages.health.set_aside, aside=event), f"aside:{event.number}")


# --- the check ---


def _ask(turn: Turn) -> None:
    turn.save(replace(turn.status(), looked=turn.now))
    history = HistoryAt(turn.status().anchors)
    superusers = turn.who_may(Permission.SUPERUSER)
    queries: list[Query] = [Overview(), OwnTokens(), superusers, history]
    if (named := _named_in_settings(turn)) != NamedThings():
        queries.append(named)
    turn.do(Ask(LookAtInventory(turn.us.inventory_api), tuple(queries)))


def _named_in_settings(turn: Turn) -> NamedThings:
    """Return the parts, categories and locations that our lending and care rules name."""
    naming = (*turn.us.lending, turn.us.care)
    return NamedThings(
        tuple(dict.fromkeys(name for each in naming for name in each.parts)),
        tuple(dict.fromkeys(name for each in naming for name in each.categories)),
        tuple(dict.fromkeys(name for each in naming for name in each.locations)),
    )


def on_started(turn: Turn) -> None:
    """Check at each start, because InvenTree or our tokens may have changed in the meantime."""
    if turn.us.look_every is not None:
        _ask(turn)


def on_untrusted(turn: Turn, why: str) -> None:
    """At a start: tell the admins, once for each reason, that clients warn of our messages in encrypted rooms."""
    if why and turn.tell_once(f"untrusted:{why}", UNTRUSTED_AGAIN_AFTER):
        turn.tell_admins(say(messages.health.bot_untrusted, why=why, us=turn.us), f"untrusted:{turn.now.isoformat()}")


def on_mismatch(turn: Turn) -> None:
    """Check whether InvenTree was restored, because a stock item wasn't the one that we know."""
    if turn.status().went_back is None:
        _ask(turn)


def go_on(turn: Turn) -> None:
    """Continue after a restore of InvenTree, because a superuser has reviewed the books. The new history counts."""
    turn.save(replace(turn.status(), went_back=None, anchors=()))
    _ask(turn)


def next_look(turn: Turn) -> datetime | None:
    """Return when our health is checked next: at once if the last check is in the future, noted by a wrong clock."""
    looked, every = turn.status().looked, turn.us.look_every
    if looked is None or every is None:
        return None
    return looked + every if looked <= turn.now else turn.now


def next_wake(turn: Turn) -> list[datetime]:
    """The times at which `look` has something to do."""
    at = next_look(turn)
    return [] if at is None else [at]


def look(turn: Turn) -> None:
    """By the clock: check again. While InvenTree is silent, another query already waits for its answer."""
    at = next_look(turn)
    if at is None or at > turn.now:
        return
    if turn.status().inventory_down_since is None:
        _ask(turn)
    else:
        turn.save(replace(turn.status(), looked=turn.now))


@dataclass(frozen=True)
class LookAtInventory(WhenAnswered):
    """Reads the state of our own InvenTree, our tokens and our superusers. `address`: where it was when we asked."""

    address: str = ""

    def answered(self, turn: Turn, event: Answered) -> None:
        """Take over what our InvenTree reports about itself."""
        inventory, tokens, superusers, history, *unknown = event.answers
        if not (isinstance(inventory, InventoryStanding) and isinstance(tokens, OwnTokensSeen)):
            raise TypeError(f"the look at our health asks for InvenTree and our tokens, not {event.answers!r}")
        if not isinstance(superusers, Able):
            raise TypeError(f"the look at our health asks for the superusers, not {superusers!r}")
        if not isinstance(history, HistorySeen):
            raise TypeError(f"the look at our health asks for the stock history, not {history!r}")
        remember_superusers(turn, superusers)
        _compare(turn, turn.status(), inventory)
        _on_history(turn, self.address, history)
        if turn.us.look_every is not None:
            on_seen(turn, tokens)
        for named in unknown:
            if isinstance(named, UnknownThings) and named != UnknownThings():
                _tell_unknown_names(turn, named)


def _tell_unknown_names(turn: Turn, unknown: UnknownThings) -> None:
    """Tell the admins of unknown names in the settings: without their rules, stock is lent or given too freely."""
    if turn.tell_once(f"unknown names:{unknown}", UNKNOWN_NAMES_AGAIN_AFTER):
        phrase = say(messages.health.unknown_names, unknown=unknown)
        turn.tell_admins(phrase, f"unknown-names:{turn.now.isoformat()}")


def remember_superusers(turn: Turn, seen: Able) -> None:
    """Remember the superusers: while InvenTree is down they may still end a connection at once, and nothing else."""
    if turn.status().superusers != seen.usernames:
        turn.save(replace(turn.status(), superusers=seen.usernames))


def _compare(turn: Turn, known: BotStatus, inventory: InventoryStanding) -> None:
    seen = (inventory.version, inventory.api)
    turn.save(replace(known, release=inventory.version, api=inventory.api, abilities=inventory.abilities))
    if seen == (known.release, known.api):
        return
    turn.note("bot", audit.InventoryVersion(known.api, inventory.api))
    is_new = not known.api
    gained = () if is_new else tuple(ability for ability in inventory.abilities if ability not in known.abilities)
    lost = tuple(ability for ability in known.abilities if ability not in inventory.abilities)
    if gained or lost or not inventory.writes_allowed:
        phrase = say(
            messages.health.version_changed, us=turn.us, old=known, inventory=inventory, gained=gained, lost=lost
        )
        turn.tell_admins(phrase, f"version:{turn.now.isoformat()}")


# --- our InvenTree was restored to an earlier state ---
# It lacks everything lent, given or received since then, and assigns its numbers again. So nothing moves there until a
# superuser types `!fed resume`.


def _on_history(turn: Turn, address: str, history: HistorySeen) -> None:
    """If the stock history of the InvenTree at that address went back, stop all writes, and read what is missing."""
    status = turn.status()
    if status.went_back is not None:
        return
    if not history.went_back:
        is_there = address == turn.us.inventory_api
        turn.save(replace(status, anchors=history.anchors, address=address if is_there else status.address))
        return
    turn.save(replace(status, went_back=turn.now))
    turn.note("bot", audit.Fact.WENT_BACK)
    items = {p.item for t in turn.transfers() for p in t.progress if p.item is not None and p.stage}
    turn.do(Ask(LookForMissing(), (BooksOf(tuple(sorted(items))),)))


@dataclass(frozen=True)
class LookForMissing(WhenAnswered):
    """Reads which items of our transfers InvenTree still has."""

    def answered(self, turn: Turn, event: Answered) -> None:
        """Tell the admins."""
        (seen,) = event.answers
        if not isinstance(seen, ItemsSeen):
            raise TypeError(f"it is asked which items are there, not {seen!r}")
        phrase = say(messages.health.inventory_went_back, us=turn.us, lost=_lost(turn, seen))
        turn.tell_admins(phrase, f"went-back:{turn.now.isoformat()}")


def _lost(turn: Turn, seen: ItemsSeen) -> tuple[Lost, ...]:
    """Return the lines whose stock item is missing in InvenTree, or is another thing now; newest first.

    Borrowed items that are back at the lender don't count.
    """
    there = {item.pk: item for item in seen.items}
    found: list[Lost] = []
    for transfer in turn.transfers():
        for progress in transfer.progress:
            is_over = transfer.role == "receiver" and transfer.is_loan and not transfer.is_on_loan
            if progress.item is None or not progress.stage or transfer.terms.parent or is_over:
                continue
            item = there.get(progress.item)
            if item is None or not _is_known(turn, transfer, progress.number, item, seen):
                found.append(Lost(transfer, transfer.line(progress.number), progress.item, item is not None))
    return tuple(sorted(found, key=lambda each: each.transfer.asked.at, reverse=True))


def _is_known(turn: Turn, transfer: Transfer, number: int, item: ItemSeen, seen: ItemsSeen) -> bool:
    """Whether a stock item is still the one that we know under that number."""
    known = known_item(turn, transfer, number)
    if known is None:
        return True
    marked = not seen.history_read or not known.mark or any(mark.startswith(known.mark) for mark in item.marks)
    return marked and (item.part, item.serial) == (known.part, known.serial) and known.batch in {None, item.batch}
