"""The sentences for the short codes that say why something was not given or booked in."""

from __future__ import annotations

from datetime import date

from fedbot.messages.diagnosis import told_by_inventree
from fedbot.messages.language import Locale, marked
from fedbot.messages.markup import Code, Inline
from fedbot.rules.model.lending import NO_MORE_TIME, TOO_LONG

# The codes of refused steps (`diagnosis.reason_of`) and of the rules.
_NOT_GIVEN: dict[str, tuple[str, str]] = {
    "right-lost": (
        marked("the person at {sender} who asked may not give items away any more."),
        marked("An approver of {sender} can start it again."),
    ),
    "connection": (
        marked("the friendship between the two spaces isn't active at the moment."),
        marked("Check with {spaces}, and start again when it is active."),
    ),
    "gone": (
        marked("the stock item isn't there any more."),
        marked("Look it up in the InvenTree of {sender}, then start again with what is in stock."),
    ),
    "changed": (
        marked("somebody changed the stock item in the meantime; I have put back what I had moved."),
        marked("Look it up in the InvenTree of {sender}, then start again with what is in stock."),
    ),
    "put-back": (
        marked("it had been taken out of stock, and was put back."),
        marked("Start again."),
    ),
    "another-thing": (
        marked(
            "the stock item is another item now: somebody restored InvenTree to an earlier state, or changed the item."
        ),
        marked("A superuser looks at the item, then compares the books: {reconcile}"),
    ),
    "batch": (
        marked("its batch is not the agreed one."),
        marked("Look at the batch in InvenTree, then start again."),
    ),
    "practice": (
        marked("practice and real stock don't mix."),
        marked("Practise with the parts whose names begin with PRACTICE."),
    ),
    "units-changed": (
        marked("somebody has changed the unit of the part in InvenTree since the card."),
        marked("Look at the part and at how much of it there is, then start again."),
    ),
    "condition": (
        marked("its condition is not the agreed one: somebody has changed its status in InvenTree since the offer."),
        marked("Start again: the new card shows its present condition."),
    ),
    "not-in-stock": (
        marked("the item isn't in stock any more: sold, installed, in production, or on its way to somebody else."),
        marked("Look it up in the InvenTree of {sender}, then start again with what is in stock."),
    ),
    "status": (
        marked("its status can't travel; only OK, attention needed, damaged and returned can."),
        marked("Correct the status in the InvenTree of {sender}, then start again."),
    ),
    "allocated": (
        marked("too much of it is allocated to orders or builds of {sender}."),
        marked("Free some of it in InvenTree, or start again with less."),
    ),
    "too-much": (
        marked("there isn't that much of it left."),
        marked("Start again with less."),
    ),
    "inactive": (
        marked("the part isn't active any more in the InvenTree of {sender}."),
        marked("Choose another item, or set the part active there and start again."),
    ),
    "company-inactive": (
        marked("the company {receiver} is inactive in the InvenTree of {sender}."),
        marked("If that is a mistake, an admin of {sender} can set it active again. Then start again."),
    ),
    "not-salable": (
        marked("the part isn't salable, and InvenTree assigns only salable parts to another space."),
        marked("Switch on 'salable' for the part in the InvenTree of {sender}, then start again."),
    ),
    "virtual": (
        marked("the part is virtual: there is nothing to hand over."),
        marked("Choose another item."),
    ),
    "serial": (
        marked("its serial number is not the agreed one, or is taken already."),
        marked("Look at the serial number in InvenTree, then start again."),
    ),
    "not-permitted": (
        marked("the bot's own InvenTree user has no permission for it."),
        marked("Its admin can see the missing roles with {check}."),
    ),
    "not-sent": (
        marked("it never left {sender}."),
        "",
    ),
    "chain": (
        marked("it came from a third space. It may go back there, but not on to others."),
        marked("Ask the space that it came from."),
    ),
    "not-out-there": (
        marked("the InvenTree of {sender} no longer shows it with {receiver} as a neighbour without a bot."),
        marked("Somebody at {sender} looks at the item, then types it again."),
    ),
    "borrowed-by-now": (
        marked("people of {sender} have since said that it is only on loan to them."),
        marked("Start again with another item."),
    ),
    "merged": (
        marked(
            "some of it may belong to a third space: an item from there is gone, and something was merged into"
            " this one."
        ),
        marked("Start again with less, or a superuser of {sender} confirms with {clear} where the missing ones are."),
    ),
    "not-found": (
        marked("{sender} shares nothing of exactly that name."),
        marked(
            "If something has a similar name, your bot lists it in a moment. Else see its shared items with {find}, or"
            " ask its people to share it: {share}"
        ),
    ),
    "day-over": (
        marked("that due date is in the past at {sender}."),
        marked("Ask until a later day."),
    ),
    "booked": (
        marked("it is booked on those days."),
        marked("Ask for other days."),
    ),
    "counted-in": (
        marked("{sender} counts it in whole pieces."),
        marked("Write a whole number, without a unit. Put a name that begins with a number into quotes."),
    ),
    "too-many": (
        marked("{sender} got too many requests within an hour."),
        marked("Ask again in an hour."),
    ),
    "too-little": (
        marked("{sender} has some of it, but not that much free."),
        marked("Ask for less."),
    ),
    "no-part": (
        marked("{receiver} can't book it in yet: its InvenTree has no matching part or location."),
        "",
    ),
    "other-thing": (
        marked("it isn't the item that {receiver} asked for by name."),
        marked("{receiver} can ask again for exactly that."),
    ),
    "other-unit": (
        marked("{sender} counts it in a unit that {receiver} doesn't know."),
        marked("{receiver} can ask again for exactly that."),
    ),
    "not-in-order": (
        marked("its condition or its expiry date isn't in order."),
        marked("{receiver} can ask again for exactly that."),
    ),
    "no-loans": (
        marked("{sender} makes no new loans to {receiver} before the overdue items are back."),
        marked("Bring them back, or ask to keep them; then start again."),
    ),
    "too-long": (
        marked("the lending rules of {sender} don't allow such a long loan."),
        marked("Ask for fewer days."),
    ),
    "no-more-time": (
        marked("the lending rules of {sender} don't allow another extension."),
        marked("Bring it back; then it can be lent again."),
    ),
    "not-to-you": (
        marked("the lending rules of {sender} don't let {receiver} borrow it."),
        marked("Ask {sender} to change its rules, or ask for something else."),
    ),
    "to-be-agreed": (
        marked("{receiver} first has to agree to what {sender} asks of all borrowers."),
        marked("{receiver} can ask again, and agrees by that."),
    ),
    "not-needed": (
        marked("{receiver} gets it from another space."),
        "",
    ),
    "all-or-none": (
        marked("{receiver} needs all of it from one space."),
        "",
    ),
    "not-in-time": (
        marked("nobody of {sender} decided in time, so {receiver} asks another space."),
        "",
    ),
    "nothing-came": (
        marked("{receiver} had confirmed it, but nothing came from {sender}, so it asks another space."),
        "",
    ),
    "given-up": (
        marked("{receiver} had confirmed it, but nothing came from {sender}. If it still comes, it goes back."),
        "",
    ),
    "not-confirmed": (
        marked("{receiver} had not confirmed it, because it asks several spaces and takes it from one."),
        "",
    ),
    "not-yet": (
        marked("it is booked for later: it isn't handed over before its first day."),
        "",
    ),
    "other-than-shown": (
        marked("it no longer matches the card that was approved."),
        marked("Start again with what is in stock."),
    ),
    "settled": (
        marked("no bot could tell what happened to it, and people settled it this way."),
        "",
    ),
    "lost": (
        marked("it is gone, and people wrote it off."),
        "",
    ),
    "no-loan": (
        marked("the other space's books have no such loan any more."),
        "",
    ),
    "loan-over": (
        marked("the loan has already ended."),
        "",
    ),
    "too-much-back": (
        marked("that much isn't on loan any more, or is on its way back already."),
        marked("Look at the loan with 'show', and return the rest."),
    ),
    "moved": (
        marked(
            "the lender's stock item isn't with the borrower any more, or not all of it: somebody moved it by hand."
        ),
        marked(
            "In InvenTree, give the stock item to the borrower's company again, or settle it as a gift, or as lost."
        ),
    ),
    "in-parts": (
        marked("the lender's InvenTree can only return all of it at once."),
        marked("To return all of it, leave out the quantity."),
    ),
    "asked-back": (
        marked("the lender has already booked back what is there, with a return of its own."),
        marked("Return only what is still on loan."),
    ),
    "disconnected": (
        marked("the two spaces are no longer friends."),
        marked("Check with {spaces}, and start again when they are."),
    ),
}
KNOWN = frozenset(_NOT_GIVEN)
_TO_SAY = {word: Code(f"!fed {word}") for word in ("find", "share", "clear", "reconcile")}
_ELSE = marked("InvenTree refused it.")

_NO_PART: dict[str, tuple[str, str]] = {
    "none": (
        marked("no part of {receiver} matches, and I may not create one"),
        marked("create a part with the same IPN or exactly this name"),
    ),
    "several": (
        marked("several parts of {receiver} match"),
        marked("give the right one this IPN, or make the others inactive"),
    ),
    "virtual": (
        marked("the matching part is virtual and can't hold stock"),
        marked("make it not virtual, or give this IPN to another part"),
    ),
    "inactive": (
        marked("the matching part is inactive"),
        marked("make it active"),
    ),
    "not-that": (
        marked("the stock item that was said to be it has another quantity or serial number"),
        marked("correct it, or choose with 'here' another one"),
    ),
    "serial-taken": (
        marked("{receiver} already has this serial number in stock"),
        marked("compare the two items. If they differ, give the old record another number, such as 0042-1"),
    ),
    "units": (
        marked("the matching part has another unit, and this quantity can't be converted exactly"),
        marked("give the part a compatible unit, or give this IPN to another part"),
    ),
    "own-unit": (
        marked("the InvenTree of {receiver} defines this unit in its own way, and the sender may mean another one"),
        marked("rename your own unit, or ask the sender to count the part in a common unit, such as m"),
    ),
    "unknown-unit": (
        marked("no part of {receiver} matches, and its InvenTree doesn't know the unit for a new one"),
        marked("define that unit in InvenTree's settings, or create a part with the same IPN and a unit of yours"),
    ),
    "units-of-loan": (
        marked("the matching part has another unit, and a loan has to return in its own unit"),
        marked("give the part the same unit, or give this IPN to another part"),
    ),
    "fraction": (
        marked("the matching part is counted in whole pieces"),
        marked("give the part a unit, or use a whole number"),
    ),
    "revision": (
        marked("the matching part has another revision, and nobody has accepted that yet"),
        marked("if it isn't the same, give this IPN to another part"),
    ),
    "not-salable": (
        marked("the matching part isn't salable, so you could not return it later"),
        marked("switch on 'salable' for the part"),
    ),
    "practice": (
        marked("practice and real stock don't mix"),
        marked("do nothing, and practise with the parts whose names begin with PRACTICE"),
    ),
    "not-trackable": (
        marked("the matching part isn't trackable, but this item has a serial number"),
        marked("switch on 'trackable' for the part"),
    ),
}


def why_not_given(locale: Locale, code: str, sender: str, receiver: str) -> tuple[Inline, ...]:
    """The reason why a line was not handed over or booked in, as the end of a sentence; else InvenTree's words."""
    if code not in _NOT_GIVEN and " " in code:
        return (told_by_inventree(locale, locale.short(code, 200)),)
    if days := _free_days(code):
        first, last = (locale.day(day) for day in days)
        return locale.say(
            "it is booked on those days. The nearest free days are {first} to {last}.", first=first, last=last
        )
    if unit := _unit_in(code):
        return locale.say(
            "{sender} counts it in {unit}, and this quantity can't be converted into that.", sender=sender, unit=unit
        )
    if said := against_rules(locale, code):
        return said
    why, _ = _NOT_GIVEN.get(code.removesuffix(":"), (_ELSE, ""))
    return locale.say(why, sender=sender, receiver=receiver)


def against_rules(locale: Locale, code: str) -> tuple[Inline, ...]:
    """The lending rule that is broken, with the allowed value; empty for other codes."""
    word, _, rest = code.partition(":")
    if day := latest_day(code):
        return locale.some(
            "the lending rules allow {number} day, until {day}.",
            "the lending rules allow {number} days, until {day}.",
            int(rest.partition(":")[2]),
            day=locale.day(day),
        )
    if word == NO_MORE_TIME and _is_count(rest):
        if int(rest) == 0:
            return locale.say("the lending rules allow no extension.")
        return locale.some(
            "the lending rules allow {number} extension, and it has had that already.",
            "the lending rules allow {number} extensions, and it has had them already.",
            int(rest),
        )
    return ()


def latest_day(code: str) -> date | None:
    """The last day that the lending rules allow, from the code `too-long:2026-12-08:14`."""
    word, _, rest = code.partition(":")
    day, _, count = rest.partition(":")
    try:
        return date.fromisoformat(day) if word == TOO_LONG and _is_count(count) else None
    except ValueError:  # a friend's bot can say anything
        return None


def _is_count(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) <= 3  # noqa: PLR2004 - so many days or times at most


def _unit_in(code: str) -> str:
    """The owner's unit, from the code `counted-in:cm`; '' for other codes."""
    word, _, unit = code.partition(":")
    return unit[:20] if word == "counted-in" else ""


def _free_days(code: str) -> tuple[date, ...]:
    """The nearest free days, from the code `booked:2026-12-20:2026-12-27`; () for other codes."""
    word, *days = code.split(":")
    try:
        found = tuple(date.fromisoformat(day) for day in days) if word == "booked" else ()
    except ValueError:  # a friend's bot can say anything
        return ()
    return found if len(found) == 2 else ()  # noqa: PLR2004 - the first and the last


def what_instead(locale: Locale, code: str, sender: str, spaces: Inline) -> tuple[Inline, ...]:
    """Advice for the people; '' if there is none."""
    word = code.partition(":")[0]
    is_known = _free_days(code) or latest_day(code) or word in {NO_MORE_TIME, "counted-in"}
    known = word if is_known else code
    _, advice = _NOT_GIVEN.get(known, (_ELSE, ""))
    return locale.say(advice, sender=sender, spaces=spaces, check=Code("fedbot check"), **_TO_SAY) if advice else ()


def why_no_part(locale: Locale, code: str, receiver: str) -> tuple[Inline, ...]:
    """The reason why an item has no location at the receiver yet."""
    why, _ = _NO_PART.get(code, _NO_PART["none"])
    return locale.say(why, receiver=receiver)


def how_to_get_a_part(locale: Locale, code: str, receiver: str) -> tuple[Inline, ...]:
    """Tell an admin of the receiver how to create the part in InvenTree."""
    _, advice = _NO_PART.get(code, _NO_PART["none"])
    return locale.say(advice, receiver=receiver)
