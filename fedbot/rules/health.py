"""The bot's own health: outages and upgrades of InvenTree, the daily check, and the admins' messages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fedbot import messages
from fedbot.rules.connection.rotate_tokens import on_seen
from fedbot.rules.ledger.restored_inventree import on_history
from fedbot.rules.model import audit
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.effects import Ask, Edit, say
from fedbot.rules.model.events import Answered, HomeserverBack, SetAside, Waiting
from fedbot.rules.model.health import BotStatus
from fedbot.rules.model.queries import (
    Able,
    HistoryAt,
    HistorySeen,
    InventoryStanding,
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
        on_history(turn, self.address, history)
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
