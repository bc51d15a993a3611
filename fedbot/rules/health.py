"""The bot's own health: InvenTree's outages, upgrades and restores, its own tokens, and what the admins are told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fedbot import messages
from fedbot.rules.catalogue.provenance import known_item
from fedbot.rules.connection.rotate_tokens import BEFORE_ITS_END, WARN_AT
from fedbot.rules.model import audit
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.effects import Ask, Do, Edit, say
from fedbot.rules.model.events import Answered, HomeserverBack, SetAside, StepDone, StepRefused, StepUnknown, Waiting
from fedbot.rules.model.health import BotStatus, OwnToken
from fedbot.rules.model.ledger import Lost
from fedbot.rules.model.queries import (
    Able,
    BooksOf,
    HistoryAt,
    HistorySeen,
    InventoryStanding,
    ItemSeen,
    ItemsSeen,
    Overview,
    OwnTokens,
    OwnTokensSeen,
    TokenSeen,
    WhenAnswered,
    WhenStepEnds,
)
from fedbot.rules.model.steps import OwnTokenRenewed, RenewOwnToken, RevokeOwnToken
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn

A_DAY = timedelta(days=1)
SAME_OUTAGE = timedelta(hours=1)
"""A silence that begins that soon after the last one was told goes into the same message."""
ALREADY_WATCHED = timedelta(minutes=10)
UNTRUSTED_AGAIN_AFTER = timedelta(days=30)
TOLD_OF_ONE = timedelta(minutes=10)


# --- InvenTree doesn't answer ---


def on_waiting(turn: Turn, event: Waiting) -> None:
    """Something waits for our InvenTree: since when, until when, and the admins are told if it is news."""
    if turn.standing().went_back is not None and not event.silent:
        return  # the admins know why
    if not event.silent:
        _tell_refusal(turn, event.problem)
        return
    standing = turn.standing()
    is_news = standing.inventory_down_since is None
    turn.save(
        replace(
            standing,
            inventory_down_since=standing.inventory_down_since or event.at,
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
    """It answers, but with a no that only people can change: the token, a permission, its version."""
    if turn.tell_once("inventory-refuses", A_DAY):
        phrase = say(messages.health.inventory_refuses, problem=problem, us=turn.us)
        turn.tell_admins(phrase, f"refuses:{turn.now.isoformat()}")


def _tell_outage(turn: Turn, problem: Diagnosis) -> None:
    phrase = say(messages.health.inventory_down, problem=problem, us=turn.us)
    standing = turn.standing()
    if standing.outage and standing.outage_told and turn.now - standing.outage_told < SAME_OUTAGE:
        turn.do(Edit(standing.outage, turn.us.admin_room, phrase))
    elif turn.us.admin_room:
        key = f"down:{turn.now.isoformat()}"
        turn.tell_admins(phrase, key)
        turn.save(replace(standing, outage=f"admin:{key}", outage_told=turn.now))


def watch(turn: Turn) -> None:
    """Ask until it answers, so that its return is noticed although nothing else may wait for it any more."""
    if turn.tell_once("inventory-watched", ALREADY_WATCHED):
        _ask(turn)


def is_back(turn: Turn) -> None:
    """It has answered something."""
    standing = turn.standing()
    if standing.inventory_down_since is None:
        return
    turn.save(replace(standing, inventory_down_since=None, inventory_problem=None, inventory_next_try=None))
    turn.note("bot", audit.Fact.INVENTORY_BACK)
    if standing.outage:
        phrase = say(messages.health.inventory_back, us=turn.us, since=standing.inventory_down_since, until=turn.now)
        turn.do(Edit(standing.outage, turn.us.admin_room, phrase))


def on_homeserver_back(turn: Turn, event: HomeserverBack) -> None:
    """Remembered for `status`; nobody can be told of it while it lasts."""
    turn.save(replace(turn.standing(), silent_from=event.since, silent_until=event.at))
    turn.note("chat", audit.HomeserverBack(event.since))


# --- what failed unforeseen ---


def on_set_aside(turn: Turn, event: SetAside) -> None:
    """The admins are told, of many at once only of the first: `status` lists them all."""
    turn.note(event.subject or "failures", audit.SetAside(event.number, event.what, event.problem))
    if turn.tell_once("set-aside", TOLD_OF_ONE):
        turn.tell_admins(say(messages.health.set_aside, aside=event), f"aside:{event.number}")


# --- looking at it ---


def _ask(turn: Turn) -> None:
    turn.save(replace(turn.standing(), looked=turn.now))
    history = HistoryAt(turn.standing().anchors)
    superusers = turn.who_may(Permission.SUPERUSER)
    turn.do(Ask(LookAtInventory(), (Overview(), OwnTokens(), superusers, history)))


def on_started(turn: Turn) -> None:
    """At each start, as it may have been upgraded, or our tokens exchanged, while we were away."""
    if turn.us.look_every is not None:
        _ask(turn)


def on_untrusted(turn: Turn, why: str) -> None:
    """At a start: people's clients warn of what we say in encrypted rooms. The admins are told once of each reason."""
    if why and turn.tell_once(f"untrusted:{why}", UNTRUSTED_AGAIN_AFTER):
        turn.tell_admins(say(messages.health.bot_untrusted, why=why, us=turn.us), f"untrusted:{turn.now.isoformat()}")


def on_mismatch(turn: Turn) -> None:
    """A stock item wasn't the one that we know: whether all of InvenTree was put back is looked at now."""
    if turn.standing().went_back is None:
        _ask(turn)


def go_on(turn: Turn) -> None:
    """A superuser has looked at the books: what we move from now on counts from this state of InvenTree."""
    turn.save(replace(turn.standing(), went_back=None, anchors=()))
    _ask(turn)


def next_look(turn: Turn) -> datetime | None:
    """When our own health is looked at next: at once if the last look is to come yet, by a clock that was wrong."""
    looked, every = turn.standing().looked, turn.us.look_every
    if looked is None or every is None:
        return None
    return looked + every if looked <= turn.now else turn.now


def look(turn: Turn) -> None:
    """By the clock: look again. While InvenTree is silent somebody asks already, until it answers."""
    at = next_look(turn)
    if at is None or at > turn.now:
        return
    if turn.standing().inventory_down_since is None:
        _ask(turn)
    else:
        turn.save(replace(turn.standing(), looked=turn.now))


@dataclass(frozen=True)
class LookAtInventory(WhenAnswered):
    """Our own InvenTree, our tokens and our superusers are looked at."""

    def answered(self, turn: Turn, event: Answered) -> None:
        """What our InvenTree says of itself now."""
        _on_looked(turn, event)


def _on_looked(turn: Turn, event: Answered) -> None:
    inventory, tokens, superusers, history = event.answers
    if not (isinstance(inventory, InventoryStanding) and isinstance(tokens, OwnTokensSeen)):
        raise TypeError(f"the look at our health asks for InvenTree and our tokens, not {event.answers!r}")
    if not isinstance(superusers, Able):
        raise TypeError(f"the look at our health asks for the superusers, not {superusers!r}")
    if not isinstance(history, HistorySeen):
        raise TypeError(f"the look at our health asks for the stock history, not {history!r}")
    remember_superusers(turn, superusers)
    _compare(turn, turn.standing(), inventory)
    on_history(turn, history)
    if turn.us.look_every is not None:
        on_seen(turn, tokens)


def remember_superusers(turn: Turn, seen: Able) -> None:
    """Who is a superuser: with InvenTree down, these may still end a friendship at once, and nothing else."""
    if turn.standing().superusers != seen.usernames:
        turn.save(replace(turn.standing(), superusers=seen.usernames))


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


SETTINGS = ("token", "admin_token")
TOLD_AGAIN_AFTER = timedelta(days=30)


def next_renewal(turn: Turn, token: OwnToken) -> datetime | None:
    """When the next one is to be made; None where its end isn't known."""
    if token.expiry is None:
        return None
    return datetime.combine(token.expiry - BEFORE_ITS_END, time(), ZoneInfo(turn.us.time_zone))


def on_seen(turn: Turn, seen: OwnTokensSeen) -> None:
    """What InvenTree tells of our tokens today: renew what ends soon, revoke what was replaced."""
    for token in seen.tokens:
        known = _taken_up(turn, token)
        if known.old and known.old != known.pk:
            _revoke(turn, known)
        if known.expiry is not None and known.expiry - BEFORE_ITS_END <= turn.now.date():
            step = RenewOwnToken(f"fed:own:0:{known.id}", known.id, _next_name(turn, known, known.expiry))
            turn.do(Do(RotateOwnToken(known.id), step))


def _taken_up(turn: Turn, seen: TokenSeen) -> OwnToken:
    """It may be another one than we knew: made by us just before a crash, or put into the settings by hand."""
    known = turn.own_token(seen.setting)
    other = known.pk not in {0, seen.pk}
    ours = known.expiry is not None and seen.name == _next_name(turn, known, known.expiry)
    if other and known.warned and seen.expiry is not None:
        _tell_renewed(turn, known, seen.expiry, by_hand=not ours)
    kept = OwnToken(seen.setting, old=known.pk if ours else known.old) if other else known
    token = replace(kept, name=seen.name, pk=seen.pk, expiry=seen.expiry)
    turn.save(token)
    return token


def _next_name(turn: Turn, token: OwnToken, expiry: date) -> str:
    """The same at each try, whenever that is, and another one each year and for each of the two."""
    kind = "fedbot" if token.id == SETTINGS[0] else "fedbot-admin"
    return f"{kind}-{turn.us.party}-{expiry.isoformat()}"


def _revoke(turn: Turn, token: OwnToken) -> None:
    step = RevokeOwnToken(f"fed:own:0:revoke-{token.id}", token.id, token.old)
    turn.do(Do(RevokeOwnOldToken(token.id), step))


@dataclass(frozen=True)
class RotateOwnToken(WhenStepEnds):
    """One of our own tokens is renewed; `setting` is its name in the settings."""

    setting: str

    def done(self, turn: Turn, event: StepDone) -> None:
        """The new one is in use: revoke the old one."""
        if isinstance(event.result, OwnTokenRenewed):
            _on_renewed(turn, turn.own_token(self.setting), event.result)

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """The one in use serves on, and is looked at again every day."""
        token = turn.own_token(self.setting)
        turn.note("bot", audit.OwnTokenRotated(token.id, problem=event.problem))
        turn.save(_warned(turn, replace(token, reason=event.reason, problem=event.problem)))


@dataclass(frozen=True)
class RevokeOwnOldToken(WhenStepEnds):
    """The token that was replaced is revoked."""

    setting: str

    def done(self, turn: Turn, _: StepDone) -> None:
        """Nothing has to be revoked any more."""
        token = turn.own_token(self.setting)
        turn.save(replace(token, old=0))
        turn.note("bot", audit.OwnTokenRevoked(token.id))

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """The admins are told once a month; it is tried again every day."""
        token = turn.own_token(self.setting)
        turn.note("bot", audit.OwnTokenRevoked(token.id, event.problem))
        if turn.tell_once(f"own-token-stays:{token.id}", TOLD_AGAIN_AFTER):
            phrase = say(messages.health.own_old_token_stays, token=token, problem=event.problem)
            turn.tell_admins(phrase, f"own-old-token:{token.id}:{turn.now.isoformat()}")


def _on_renewed(turn: Turn, token: OwnToken, result: OwnTokenRenewed) -> None:
    turn.note("bot", audit.OwnTokenRotated(token.id, result.name))
    if token.warned and result.expiry is not None:
        _tell_renewed(turn, token, result.expiry, by_hand=False)
    old = token.pk if token.pk != result.pk else token.old
    token = OwnToken(token.id, result.name, result.pk, result.expiry, old=old)
    turn.save(token)
    if token.old:
        _revoke(turn, token)


def _tell_renewed(turn: Turn, token: OwnToken, expiry: date, *, by_hand: bool) -> None:
    phrase = say(messages.health.own_token_renewed, token=token, expiry=expiry, by_hand=by_hand)
    turn.tell_admins(phrase, f"own-token:{token.id}:{turn.now.isoformat()}")


def _warned(turn: Turn, token: OwnToken) -> OwnToken:
    """The admins are told 30, 14 and 3 days before the end."""
    if token.expiry is None:
        return token
    left = (token.expiry - turn.now.date()).days
    reached = [days for days in WARN_AT if left <= days]
    if not reached or token.warned == min(reached):
        return token
    phrase = say(
        messages.health.own_token_ends,
        us=turn.us,
        token=token,
        left=max(left, 0),
        name=_next_name(turn, token, token.expiry),
    )
    turn.tell_admins(phrase, f"own-token:{token.id}:{token.expiry.isoformat()}:{min(reached)}")
    return replace(token, warned=min(reached))


# --- Our InvenTree was put back to an earlier state: nothing is moved there until a superuser says `!fed resume`.
#
# What was lent, given or received since then is missing in it, and its numbers are given again.


def on_history(turn: Turn, history: HistorySeen) -> None:
    """The stock history as it stands now: if it went back, writes stop, and it is looked at what is missing."""
    standing = turn.standing()
    if standing.went_back is not None:
        return
    if not history.went_back:
        turn.save(replace(standing, anchors=history.anchors))
        return
    turn.save(replace(standing, went_back=turn.now))
    turn.note("bot", audit.Fact.WENT_BACK)
    items = {p.item for t in turn.transfers() for p in t.progress if p.item is not None and p.stage}
    turn.do(Ask(LookForMissing(), (BooksOf(tuple(sorted(items))),)))


@dataclass(frozen=True)
class LookForMissing(WhenAnswered):
    """What of our transfers is missing there?"""

    def answered(self, turn: Turn, event: Answered) -> None:
        """The admins are told."""
        (seen,) = event.answers
        if not isinstance(seen, ItemsSeen):
            raise TypeError(f"it is asked which items are there, not {seen!r}")
        phrase = say(messages.health.inventory_went_back, us=turn.us, lost=lost(turn, seen))
        turn.tell_admins(phrase, f"went-back:{turn.now.isoformat()}")


def lost(turn: Turn, seen: ItemsSeen) -> tuple[Lost, ...]:
    """The lines of which InvenTree shows nothing, or another thing under their number; the newest first.

    What we had borrowed, and is back at its owner, is none of them.
    """
    there = {item.pk: item for item in seen.items}
    found: list[Lost] = []
    for transfer in turn.transfers():
        for progress in transfer.progress:
            is_over = transfer.role == "receiver" and transfer.is_loan and not transfer.is_on_loan
            if progress.item is None or not progress.stage or transfer.terms.parent or is_over:
                continue
            item = there.get(progress.item)
            if item is None or not is_known(turn, transfer, progress.number, item, seen):
                found.append(Lost(transfer, transfer.line(progress.number), progress.item, item is not None))
    return tuple(sorted(found, key=lambda each: each.transfer.asked.at, reverse=True))


def is_known(turn: Turn, transfer: Transfer, number: int, item: ItemSeen, seen: ItemsSeen) -> bool:
    """Whether a stock item is still the one that we know under that number."""
    known = known_item(turn, transfer, number)
    if known is None:
        return True
    marked = not seen.history_read or not known.mark or any(mark.startswith(known.mark) for mark in item.marks)
    return marked and (item.part, item.serial) == (known.part, known.serial) and known.batch in {None, item.batch}
