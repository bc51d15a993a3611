"""Messages for our admins: outages, upgrades, and failures of the bot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from fedbot.messages import naming
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.markup import Code, Inline, Items
from fedbot.messages.naming import command as typed
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.events import PostRefused, SetAside
from fedbot.rules.model.health import BotStatus, Due, DueKind, OwnToken
from fedbot.rules.model.ledger import Lost
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.queries import InventoryStanding, UnknownThings
from fedbot.rules.model.room import MessageKind

MOST_PROBLEMS = 8
# The names of our messages, by the first word of their key.
_MESSAGES: dict[MessageKind | None, str] = {
    MessageKind.CARD: marked("a card"),
    MessageKind.OFFER: marked("an offer"),
    MessageKind.END: marked("the message about an end"),
    MessageKind.WAIT: marked("the message about a wait"),
    MessageKind.ANSWER: marked("an answer to a line"),
    MessageKind.CHOICE: marked("a numbered list"),
}
_POWER = marked("Please look at my power level in that room.")
_WHAT_TO_DO: dict[str, str] = {
    "M_FORBIDDEN": _POWER,
    "M_TOO_LARGE": marked("It was too large. Send fewer lines at once."),
}


def admin_messages_left_out(locale: Locale) -> Lines:
    """Too many messages of one kind: the others are only in the audit."""
    return [
        locale.say("There are more messages like the last ones. I don't post them here."),
        locale.say("All of them are in my audit log. I say this at most once an hour."),
    ]


def settings_read(locale: Locale, *, changed: Sequence[str], waiting: Sequence[str]) -> Lines:
    """The settings file was changed, and applies now; `waiting` needs a restart."""
    lines: Lines = [locale.say("✅ I have read my settings again.")]
    if changed:
        lines.append(locale.say("Changed: {keys}", keys=_keys(locale, changed)))
    if waiting:
        lines.append(locale.say("These apply after a restart: {keys}", keys=_keys(locale, waiting)))
    return lines


def settings_faulty(locale: Locale, *, problems: Sequence[tuple[str, str, str]]) -> Lines:
    """The settings file was changed, and can't be used."""
    items = tuple((Code(locale.short(": ".join(filter(None, problem)), 200)),) for problem in problems[:MOST_PROBLEMS])
    return [
        locale.say("⚠ My settings file has changed and has a fault, so I don't use it."),
        Items(items),
        locale.say("I continue with the old settings. Fix the file: I read it again by myself."),
    ]


def _keys(locale: Locale, keys: Sequence[str]) -> str:
    return ", ".join(locale.short(key, 60) for key in keys[:MOST_PROBLEMS])


def peer_sends_too_much(locale: Locale, *, peer: str) -> Lines:
    """A peer, or an account in the room (by its Matrix id), sends more protocol messages than we read."""
    is_account = peer.startswith("@")
    end = (
        locale.say("A moderator of the room can remove it.")
        if is_account
        else locale.say("To end the friendship, type in the shared room: {line}", line=typed(f"disconnect {peer}"))
    )
    who = locale.short(peer, 60)
    return [
        locale.say("{who} sends messages faster than I read them, so some have to wait.", who=who),
        locale.say("Stock that is in transit isn't affected. I say this at most once a day."),
        end,
    ]


_FAILED_EFFECTS: dict[str, str] = {
    "Leave": marked("I could not leave the room {room}."),
    "Join": marked("I could not join the room {room}."),
    "Announce": marked("I could not announce {space} in the room {room}."),
    "SuggestedReaction": marked("I could not put suggested reactions under a card in {room}. People can still react."),
}


def post_refused(
    locale: Locale, *, event: PostRefused, room: str, code: str, us: PartyConfig, is_replaced: bool = False
) -> Lines:
    """The homeserver will not let us do something in a room, or take a message, so the people there don't see it.

    `room`: its name, if it has one. `code`: of the transfer or friendship that it is about; '' if it is about none.
    `is_replaced`: it was an edit of a card, and another card follows.
    """
    what = locale.word(_MESSAGES.get(event.key.kind, marked("a message")))
    where = f"{locale.short(room, 60)} ({locale.short(event.room, 120)})" if room else locale.short(event.room, 120)
    names: dict[str, Words] = {"room": Code(where), "space": naming.space(locale, us.name)}
    first = locale.say(
        "I could not post {what} in {room}: nobody there sees it.",
        what=what,
        **names,
    )
    if event.edits:
        first = locale.say(
            "I could not change {what} in {room}: people there read the former text.",
            what=what,
            **names,
        )
    if event.key in _FAILED_EFFECTS:
        first = locale.say(_FAILED_EFFECTS[event.key], **names)
    advice = _WHAT_TO_DO.get(event.code, marked("Ask the admin of the homeserver what that means."))
    text = (
        event.text.rpartition(f"{event.code} ")[2] if event.code else event.text
    )  # it begins with the attempted action
    said = " ".join(part for part in (locale.short(event.code, 40), locale.short(text, 200)) if part)
    lines: Lines = [
        first,
        locale.say('The homeserver said: "{said}"', said=said),
        locale.say("I post the card anew. Only the new one counts.")
        if is_replaced
        else locale.say("{advice} I don't try again by myself.", advice=locale.word(advice)),
    ]
    if code:
        lines.append(locale.say("More about it: {show}", show=typed(f"show {code}")))
    return lines


def inventory_down(locale: Locale, *, problem: Diagnosis, us: PartyConfig) -> Lines:
    """Our InvenTree doesn't answer."""
    return [
        locale.say("⏸ The InvenTree of {space} does not answer.", space=naming.space(locale, us.name)),
        locale.say("Why: {problem}", problem=diagnosis(locale, problem, 300)),
        locale.say("Done: nothing is lost. Not done: everything that needs InvenTree waits."),
        locale.say("Next: I try again by myself and continue where I stopped. You don't need to do anything."),
        locale.say("For details, run on the bot's machine: {check}", check=Code("fedbot check")),
    ]


def bot_stops(locale: Locale, *, problem: str, us: PartyConfig) -> Lines:
    """The bot ends by itself; a person has to do something before it can continue."""
    return [
        locale.say("⏹ The bot of {space} has stopped.", space=naming.space(locale, us.name)),
        locale.say("Why: {problem}", problem=locale.short(problem, 500)),
    ]


def set_aside(locale: Locale, *, aside: SetAside) -> Lines:
    """Something failed unexpectedly: what waits, and how an admin can try it again."""
    waits = locale.say("Everything else continues. Work on the same request waits.")
    if not aside.subject:
        waits = locale.say("Everything else continues.")
    return [
        locale.say("⚠ A task failed, so I quarantined it (no. {number}).", number=aside.number),
        locale.say(
            "The task: {what}. The problem: {problem}",
            what=Code(locale.short(aside.what, 40)),
            problem=Code(locale.short(aside.problem, 200)),
        ),
        waits,
        locale.say("To try it again, run on my machine: {retry}", retry=Code(f"fedbot retry {aside.number}")),
        locale.say(
            "To give it up (the command first says what you lose): {drop}", drop=Code(f"fedbot drop {aside.number}")
        ),
        locale.say("{status} lists all quarantined work.", status=Code("fedbot status")),
    ]


def not_mirrored(locale: Locale, *, problem: Diagnosis) -> Lines:
    """Metadata in InvenTree could not be written; nothing waits for it."""
    return [
        locale.say("I could not write my notes into InvenTree's metadata. Everything else continues."),
        locale.say("Why: {text}", text=diagnosis(locale, problem, 300)),
        locale.say(
            "Usually my InvenTree user lacks a role: {check} says which. I say this once a day.",
            check=Code("fedbot check"),
        ),
    ]


# The meaning of each ability of a version, and of its lack (`inventree.client.versions.ABILITIES`).
_CAN: dict[str, str] = {
    "searches_history": marked("I can search the stock history to find out what happened to an item."),
    "tells_tokens": marked("I can read when my own tokens end."),
    "makes_tokens": marked("I can create tokens by myself."),
    "makes_users": marked("I can create friends' accounts by myself."),
    "returns_parts": marked("Friends can return a part of an item."),
    "direct_access_is_safe": marked("Friends can get their own tokens (peer_access: direct)."),
}
_CANNOT: dict[str, str] = {
    "searches_history": marked("I can't search the stock history; people have to look up unclear transfers."),
    "tells_tokens": marked("I can't read when my own tokens end; please note it down."),
    "makes_tokens": marked("I can't create tokens; I say what to click when one is needed."),
    "makes_users": marked("I can't create friends' accounts; I say what to click when one is needed."),
    "returns_parts": marked("Friends can only return a whole item."),
    "direct_access_is_safe": marked(
        "⚠ Any account can make itself admin: ask friends with peer_access: direct to pause."
    ),
}
MOST_LOST = 10
_BOOKS = naming.command("reconcile")
_DUE: dict[DueKind, str] = {
    DueKind.REMINDER: marked("reminder of {about}"),
    DueKind.EXPIRY: marked("{about} expires"),
    DueKind.STATS: marked("our figures are due"),
    DueKind.RENEWAL: marked("new token for {about}"),
    DueKind.OWN_RENEWAL: marked("new {about} of my own"),
    DueKind.RECONCILE: marked("comparing our books with our friends'"),
    DueKind.LOOK: marked("checking InvenTree's version and my tokens"),
}


def bot_untrusted(locale: Locale, *, why: str, us: PartyConfig) -> Lines:
    """People's apps warn about the bot's messages in encrypted rooms."""
    return [
        locale.say("In encrypted rooms, apps show a warning beside my messages, and some don't show them at all."),
        locale.say("Why: {why}.", why=locale.short(why, 200)),
        locale.say("To fix it, on my machine, with the password of {bot} in my settings:", bot=Code(us.bot)),
        Code("fedbot verify"),
        locale.say("Then restart me."),
        locale.say("Everything else works."),
    ]


def inventory_back(locale: Locale, *, us: PartyConfig, since: datetime, until: datetime) -> Lines:
    """The new text of the message about the outage, once our InvenTree answers again."""
    space = naming.space(locale, us.name)
    return [
        locale.say("✅ The InvenTree of {space} answers again, since {until}.", space=space, until=locale.when(until)),
        locale.say(
            "It had been silent since {since}. Waiting work continues by itself. You don't need to do anything.",
            since=locale.when(since),
        ),
    ]


def inventory_went_back(locale: Locale, *, us: PartyConfig, lost: tuple[Lost, ...]) -> Lines:
    """Our InvenTree was restored to an earlier state: what is missing in it, and what to do."""
    space = naming.space(locale, us.name)
    lines: Lines = [
        locale.say("⚠ The InvenTree of {space} was restored to an earlier state.", space=space),
        locale.say("I move no stock in it until a superuser types: {resume}", resume=naming.command("resume")),
    ]
    if not lost:
        return [*lines, locale.say("Nothing that I know of is missing. Compare: {books}", books=_BOOKS)]
    shown = [_lost(locale, each) for each in lost[:MOST_LOST]]
    if len(lost) > MOST_LOST:
        shown.append(locale.say("and {number} more", number=len(lost) - MOST_LOST))
    return [
        *lines,
        locale.say("These items are missing there, or their numbers belong to other items now:"),
        Items(tuple(shown)),
        locale.say("Correct the stock in InvenTree first, then compare: {books}", books=_BOOKS),
    ]


def _lost(locale: Locale, lost: Lost) -> tuple[Inline, ...]:
    """'#23, 4 × M3 bolt, with Betaspace (k7m2): another item now'."""
    names: dict[str, Words] = {
        "item": lost.item,
        "what": naming.thing(locale, lost.line),
        "other": lost.transfer.peer,
        "code": lost.transfer.code,
    }
    if lost.transfer.role == "sender":
        where = locale.say("#{item}: {what}, given to {other} ({code})", **names)
    else:
        where = locale.say("#{item}: {what}, received from {other} ({code})", **names)
    return (*where, *locale.say(", is another item now")) if lost.is_another else where


def nothing_to_resume(locale: Locale, *, us: PartyConfig) -> Lines:
    """The answer to `resume` if nothing was stopped."""
    space = naming.space(locale, us.name)
    return [locale.say("Nothing to do: I already move stock in the InvenTree of {space}.", space=space)]


def resumed(locale: Locale, *, us: PartyConfig) -> Lines:
    """The answer to `resume`: the bot moves stock again."""
    space = naming.space(locale, us.name)
    return [
        locale.say("From now on I move stock in the InvenTree of {space} again.", space=space),
        locale.say("Waiting work continues within a minute. I don't touch an item that isn't the one I know."),
    ]


def inventory_refuses(locale: Locale, *, problem: Diagnosis, us: PartyConfig) -> Lines:
    """Something waits because our InvenTree answers, but refuses it."""
    return [
        locale.say(
            "⚠ Some work is waiting: I lack a permission in the InvenTree of {space}.",
            space=naming.space(locale, us.name),
        ),
        locale.say("Why: {problem}", problem=diagnosis(locale, problem, 300)),
        locale.say("I try again by myself. More on the bot's machine: {check}", check=Code("fedbot check")),
        locale.say("I say this once a day."),
    ]


def unknown_names(locale: Locale, *, unknown: UnknownThings) -> Lines:
    """The settings for loans or high value name something that InvenTree doesn't have."""
    listed = (("part", unknown.parts), ("category", unknown.categories), ("location", unknown.locations))
    names = [f"{kind} {name}" for kind, found in listed for name in found]
    return [
        locale.say("⚠ My settings have rules about things that InvenTree doesn't have."),
        locale.say("These names are unknown: {names}", names=_keys(locale, names)),
        locale.say("If a name is misspelt, the thing that you mean is lent and given without that rule."),
        locale.say("Correct or remove each name. To see which setting has it: {check}", check=Code("fedbot check")),
    ]


def version_changed(
    locale: Locale,
    *,
    us: PartyConfig,
    old: BotStatus,
    inventory: InventoryStanding,
    gained: tuple[str, ...],
    lost: tuple[str, ...],
) -> Lines:
    """Our InvenTree was upgraded or downgraded, and something works differently now."""
    new: dict[str, Words] = {
        "space": naming.space(locale, us.name),
        "new": locale.short(inventory.version, 30),
        "api": inventory.api,
    }
    was, before = old.api, locale.short(old.release, 30)
    if was:
        changed = "The InvenTree of {space} is now {new} (API {api}); it was {before} (API {was})."
        first = locale.say(changed, was=was, before=before, **new)
    else:
        first = locale.say("The InvenTree of {space} is {new} (API {api}).", **new)
    differently = [locale.say(_CANNOT[name]) for name in lost if name in _CANNOT]
    differently += [locale.say(_CAN[name]) for name in gained if name in _CAN]
    if not inventory.writes_allowed:
        accept = f"accept_api: {inventory.api}"
        differently.insert(
            0,
            locale.say(
                "⚠ I don't know that version, so I only read: I move nothing until you update me, or a superuser"
                " writes {accept} below inventree and restarts me.",
                accept=accept,
            ),
        )
    return [first, Items(tuple(differently))]


def due_next(locale: Locale, due: Sequence[Due]) -> Lines:
    """The next timers, soonest first; '' if there are none."""
    if not due:
        return []
    entries: list[tuple[Inline, ...]] = []
    for entry in due:
        what = locale.say(_DUE[entry.kind], about=locale.short(entry.about, 40))
        entries.append(locale.say("{when}: {what}", when=locale.when(entry.at), what=what))
    return [locale.say("Due next:"), Items(tuple(entries))]


# --- our own tokens ------------------------------------------------------------------------------------------


def own_token_ends(locale: Locale, *, us: PartyConfig, token: OwnToken, left: int, name: str) -> Lines:
    """One of our own tokens expires soon, and the bot can't create the next one: what to do."""
    setting = f"inventree.{token.id}"
    first = locale.some(
        "⚠ My own InvenTree token ({setting}) expires in {number} day, and I have no new one.",
        "⚠ My own InvenTree token ({setting}) expires in {number} days, and I have no new one.",
        left,
        setting=Code(setting),
    )
    then = (
        locale.say("After that I can create no accounts and tokens for friends. Everything else continues.")
        if token.id == "admin_token"
        else locale.say("After that I can neither look into InvenTree nor move anything.")
    )
    lines: Lines = [first, then, locale.say("Why: {text}", text=diagnosis(locale, token.problem, 300))]
    url = f"{naming.inventory_url(us)}/api/user/token/?name={name}"
    steps = (
        locale.say("as the user behind it, create a new token: {curl}", curl=Code(f"curl -u USER '{url}'")),
        locale.say(
            "on the bot's machine, replace the old one ({file}, or where {setting} comes from). Never paste it"
            " into a chat",
            file=Code(f"{setting}_file"),
            setting=Code(setting),
        ),
        locale.say("once I say that it works, revoke the old one: {old}", old=Code(token.name or "?")),
    )
    lines += [locale.say("Please:"), Items(steps)]
    if token.reason in {"no-file", "not-writable"}:
        lines.append(
            locale.say(
                "Or put it into its own file ({file}), and let my system user write the file and its folder: then"
                " I rotate it by myself.",
                file=Code(f"{setting}_file"),
            )
        )
    return [*lines, locale.say("I check every day.")]


def own_token_renewed(locale: Locale, *, token: OwnToken, expiry: date, by_hand: bool) -> Lines:
    """The next token works, after a warning that there was none. `token` is the old one."""
    first = locale.say(
        "✅ My new InvenTree token ({setting}) works, valid until {day}.",
        setting=Code(f"inventree.{token.id}"),
        day=locale.day(expiry),
    )
    if by_hand:
        old = Code(token.name or "?")
        return [first, locale.say("Please revoke the old one in InvenTree: {old}", old=old)]
    return [first, locale.say("I revoke the old one by myself. You don't need to do anything.")]


def own_old_token_stays(locale: Locale, *, token: OwnToken, problem: Diagnosis) -> Lines:
    """The new token is in use, but the old one could not be revoked."""
    return [
        locale.say(
            "⚠ My old InvenTree token ({setting}) is still valid: I could not revoke it.",
            setting=Code(f"inventree.{token.id}"),
        ),
        locale.say("Why: {text}", text=diagnosis(locale, problem)),
        locale.say("The new one is in use: {name}. I try again every day.", name=Code(token.name)),
    ]
