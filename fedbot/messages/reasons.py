"""Why something was not done, in words: short codes, and failures of InvenTree."""

from __future__ import annotations

import re
from string import Formatter

from fedbot.messages.formatting import Code, Inline
from fedbot.messages.language import Locale, marked

LONGEST = 600
"""A longer text is none of ours."""

# All without their full stop. Of fedbot/inventree/errors.py; a `{text}` may be another of these sentences.
OF_CALLS = (
    marked("{text}, so it may have been done or not"),
    marked("InvenTree at {host} can't be reached: {text}"),
    marked("InvenTree at {host} answered {status}"),
    marked("InvenTree at {host} wants fewer calls"),
    marked("The web server in front of InvenTree takes nothing as large as this"),
    marked("InvenTree at {host} sends us elsewhere ({status}): write its final address into inventree.url"),
    marked("InvenTree at {host} gave an answer that is no JSON"),
    marked("InvenTree at {host}: {text}"),
    marked("InvenTree does not accept the token{aside}: make a new token and write it into the configuration"),
    marked("Our InvenTree user may not do this: it takes a superuser's token (inventree.admin_token){aside}"),
    marked("Our InvenTree user may not do this{aside}"),
    marked("Our InvenTree user needs the role {role}: {permission}"),
    marked("its certificate isn't trusted; if it is yours, write its file into inventree.certificate"),
    marked("no connection in time"),
    marked("no connection"),
    marked("all connections are busy"),
    marked("no answer in time"),
    marked("the connection broke"),
    marked("the proxy refuses"),
    marked("the request failed"),
)
# Of fedbot/engine/step_worker.py.
OF_LANES = (
    marked("InvenTree was put back to an earlier state; a superuser looks at the books, then says: !fed resume"),
)
# The rest of fedbot/inventree.
OF_STEPS = (
    marked('The group "{name}" exists in InvenTree and isn\'t ours'),
    marked('The user "{name}" exists in InvenTree and isn\'t ours'),
    marked('A company "{name}" exists and isn\'t ours, by its link: rename it, or clear its link'),
    marked("The InvenTree user {name} isn't as it was just made"),
    marked("The company {name} isn't as it was just made"),
    marked("The peer's user still has access"),
    marked("The company is still active"),
    marked(
        "In this InvenTree (API {api}) any account can make itself admin or lock others out, so no peer gets one",
    ),
    marked("This InvenTree can't make users with rights over REST"),
    marked("This InvenTree can't make tokens for other users over REST"),
    marked("This InvenTree can't make the next token over REST"),
    marked('The access "{name}" was ended; it is not opened again'),
    marked("InvenTree did not tell which part it made"),
    marked('inventree.new_part_category is "{word}", which isn\'t one category that takes parts'),
    marked("Stock item #{item} was made, but not as it should be"),
    marked("An item with a serial number has the quantity 1"),
    marked('This InvenTree can\'t be given the serial number "{serial}"'),
    marked("The link to the card is longer than this InvenTree takes"),
    marked("InvenTree says that it made the stock item, but it isn't there"),
    marked("Stock item #{item} was changed since the card was written"),
    marked(
        "Stock item #{item} is another thing now than the one we know ({why}); InvenTree may have been put back to an"
        " earlier state"
    ),
    marked("Stock item #{item} did not come back into Incoming"),
    marked("This InvenTree is too old (API {api}); 0.13 is the oldest that works"),
    marked("We don't know InvenTree with API {api} yet: nothing is moved until a superuser accepts it"),
    marked("Somebody else wrote the metadata at the same moment"),
    marked("Stock was changed by somebody else at the same moment; all was moved back"),
    marked("InvenTree's history does not show what was moved to Outgoing"),
    marked("Somebody has moved stock item #{item} out of Outgoing and changed it"),
    marked("Stock item #{item} went to another customer at the same moment"),
    marked("Stock item #{item} has another quantity than agreed"),
    marked("Stock item #{item} did not take its old status"),
    marked("Stock item #{item} has not got its status back"),
    marked("Stock item #{item} did not take the status 'lost'"),
    marked("Stock item #{item} isn't in stock any more"),
    marked("Stock item #{item} holds more than was borrowed"),
    marked("Stock item #{item} is allocated"),
    marked("Stock item #{item} lies in Outgoing for another transfer; if that is over, put it back first"),
    marked("Stock item #{item} is no longer with that customer"),
    marked("Of stock item #{item} only {quantity} are there"),
    marked("Stock item #{item} is not where it was moved to"),
    marked("InvenTree's history does not show the return of #{item}"),
    marked("This InvenTree can only take back all of a stock item"),
    marked("Our InvenTree user {name} needs the role return_order: add to make companies"),
    marked("This takes a superuser's token: inventree.admin_token is not set"),
    marked("The token in inventree.admin_token is not a superuser's"),
    marked("There is no token for the space that asks"),
    marked("InvenTree made a token, but did not show it"),
    marked("InvenTree made the token for another user"),
    marked("There is no token to try"),
    marked("The token {name} is still good"),
    marked("The token could do more than look at the inventory"),
    marked("The token can't look at stock, parts, categories and locations"),
    marked("InvenTree at {host} does not accept the token"),
    marked("The new token isn't the one in use"),
    marked("The new token isn't as good as the old one"),
    marked("The old token is still in use"),
    marked("The old token is still good"),
    marked("inventree.{setting} is not set"),
    marked("inventree.{setting} doesn't come from a file that I could write the next one into"),
    marked("I may not replace the file {file}"),
    marked("At {host} there is something, but no InvenTree"),
)


def _pattern(sentence: str) -> re.Pattern[str]:
    """What the sentence is known again by: its own words, and anything in its places."""
    parts = []
    for text, place, _, _ in Formatter().parse(sentence):
        parts.append(re.escape(text) + (f"(?P<{place}>.*?)" if place else ""))
    return re.compile("".join(parts))


_PATTERNS = tuple((_pattern(sentence), sentence) for sentence in (*OF_LANES, *OF_STEPS, *OF_CALLS))


def diagnosis(locale: Locale, text: str, most: int = 200) -> str:
    """What went wrong, on one line of at most `most` characters."""
    return locale.short(_said(locale, text), most)


def _said(locale: Locale, text: str) -> str:
    if len(text) > LONGEST:
        return text
    bare = text.removesuffix(".")
    for pattern, sentence in _PATTERNS:
        if found := pattern.fullmatch(bare):
            places = found.groupdict()
            if "text" in places:
                places["text"] = _said(locale, places["text"])
            return locale.word(sentence).format(**places) + text[len(bare) :]
    return text


# Codes of refused steps (fedbot/inventree/outgoing.py, incoming.py, failures.py) and of the rules.
_NOT_GIVEN: dict[str, tuple[str, str]] = {
    "right-lost": (
        marked("the person of {sender} who stands for it may not give things away any more."),
        marked("An approver of {sender} can start it again."),
    ),
    "connection": (
        marked("the friendship between the two spaces isn't active at the moment."),
        marked("Look with {spaces}, and start again when it is."),
    ),
    "gone": (
        marked("the stock item isn't there any more."),
        marked("Look it up in {sender}'s InvenTree and start again with what is there."),
    ),
    "changed": (
        marked("somebody changed the stock item in the meantime; what I had moved is back."),
        marked("Look it up in {sender}'s InvenTree and start again with what is there."),
    ),
    "another-thing": (
        marked("the stock item is another thing now: was InvenTree put back to an earlier state, or was it changed?"),
        marked("A superuser looks at the item, then compares the books: {reconcile}"),
    ),
    "batch": (
        marked("its batch isn't as agreed."),
        marked("Look at the batch in InvenTree, then start again."),
    ),
    "condition": (
        marked("its condition isn't as agreed: somebody changed its status in InvenTree since it was offered."),
        marked("Start again: the new card shows the condition that it has now."),
    ),
    "not-in-stock": (
        marked("the item isn't in stock any more: sold, installed, in production, or on its way to somebody else."),
        marked("Look it up in {sender}'s InvenTree and start again with what is there."),
    ),
    "status": (
        marked("its status may not travel; only OK, attention needed, damaged and returned may."),
        marked("Correct the status in {sender}'s InvenTree, then start again."),
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
        marked("the part isn't active any more in {sender}'s InvenTree."),
        marked("Choose another item, or set the part active there and start again."),
    ),
    "company-inactive": (
        marked("in {sender}'s InvenTree the company {receiver} is inactive."),
        marked("If that isn't meant, an admin of {sender} can set it active again. Then start again."),
    ),
    "not-salable": (
        marked("the part isn't salable, and InvenTree assigns only salable parts to another space."),
        marked("Switch on 'salable' at the part in {sender}'s InvenTree, then start again."),
    ),
    "virtual": (
        marked("the part is virtual: there is nothing to hand over."),
        marked("Choose another item."),
    ),
    "serial": (
        marked("its serial number isn't as agreed, or is taken already."),
        marked("Look at the serial number in InvenTree, then start again."),
    ),
    "not-permitted": (
        marked("the bot's own InvenTree user may not do it."),
        marked("Its admin can see what is missing with {check}."),
    ),
    "not-sent": (
        marked("it never left {sender}."),
        "",
    ),
    "chain": (
        marked("it came from a third space, and what was given may go back there, but not on to others."),
        marked("Ask the space that it came from."),
    ),
    "merged": (
        marked("some of it may be a third space's: what came from there is gone, and something was merged into this."),
        marked("Start again with less; or a superuser of {sender} says with {clear} where the missing ones are."),
    ),
    "not-found": (
        marked("{sender} shares no such item."),
        marked("Look with {find} what it shares, or ask its people to {share} it."),
    ),
    "day-over": (
        marked("that last day is over where {sender} is."),
        marked("Ask until a later day."),
    ),
    "too-many": (
        marked("{sender} was asked for too much within an hour."),
        marked("Ask again in an hour."),
    ),
    "too-little": (
        marked("{sender} has some of it, but not that much free."),
        marked("Ask for less."),
    ),
    "no-part": (
        marked("{receiver} has no place for it in its own InvenTree yet."),
        "",
    ),
    "other-thing": (
        marked("it isn't what {receiver} asked for by name."),
        marked("{receiver} can ask again for just that."),
    ),
    "not-in-order": (
        marked("its condition or its date isn't in order."),
        marked("{receiver} can ask again for just that."),
    ),
    "no-loans": (
        marked("{sender} lends {receiver} nothing new before what is overdue is back."),
        marked("Bring it back, or ask to keep it; then start again."),
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
        marked("nobody of {sender} decided in time, and {receiver} asks another space."),
        "",
    ),
    "not-confirmed": (
        marked("{receiver} had not confirmed it: it asks several spaces, and takes it from one."),
        "",
    ),
    "other-than-shown": (
        marked("it isn't any more what the card showed when it was approved."),
        marked("Start again with what is there."),
    ),
    "settled": (
        marked("nobody could tell by machine what became of it, and people settled it so."),
        "",
    ),
    "lost": (
        marked("it is gone, and people wrote it off."),
        "",
    ),
    "no-loan": (
        marked("there is no such loan any more in the other space's books."),
        "",
    ),
    "loan-over": (
        marked("the loan is over already."),
        "",
    ),
    "too-much-back": (
        marked("that much of it isn't out any more, or is on its way back already."),
        marked("Look at the loan with 'show', and hand back what is left."),
    ),
    "moved": (
        marked("the owner's stock item isn't with the borrower any more, or not all of it: somebody moved it by hand."),
        marked("In InvenTree, hand the stock item to the borrower's company again; or settle it as a gift, or lost."),
    ),
    "in-parts": (
        marked("the owner's InvenTree can only take back all of it at once."),
        marked("Hand back all that is out, without a quantity."),
    ),
    "asked-back": (
        marked("the owner has said at the same time that it is there."),
        "",
    ),
    "disconnected": (
        marked("the two spaces are no friends any more."),
        marked("Look with {spaces}, and start again when they are."),
    ),
}
KNOWN = frozenset(_NOT_GIVEN)
_TO_SAY = {word: Code(f"!fed {word}") for word in ("find", "share", "clear", "reconcile")}
_ELSE = marked("InvenTree refused it.")

_NO_PART: dict[str, tuple[str, str]] = {
    "none": (
        marked("no part of {receiver} fits, and I may not make one"),
        marked("make a part with the same IPN or exactly this name"),
    ),
    "several": (
        marked("several parts of {receiver} fit"),
        marked("give the right one this IPN, or make the others inactive"),
    ),
    "virtual": (
        marked("the part that fits is virtual and can't hold stock"),
        marked("make it not virtual, or give another part this IPN"),
    ),
    "inactive": (
        marked("the part that fits is inactive"),
        marked("make it active"),
    ),
    "serial-taken": (
        marked("this serial number is in {receiver}'s stock already"),
        marked("compare them: if it is another thing, give its record another number, such as 0042-1"),
    ),
    "units": (
        marked("the part that fits has another unit, and this quantity can't be converted exactly"),
        marked("give the part a unit that fits, or another part this IPN"),
    ),
    "units-of-loan": (
        marked("the part that fits has another unit, and a loan has to go back in the unit that it came in"),
        marked("give the part the same unit, or another part this IPN"),
    ),
    "fraction": (
        marked("the part that fits is counted in whole pieces"),
        marked("give the part a unit, or take a whole number"),
    ),
    "revision": (
        marked("the part that fits has another revision, and nobody has said that it will do"),
        marked("say with 'match' that it is the same for you, or give another part this IPN"),
    ),
    "not-salable": (
        marked("the part that fits isn't salable, so it could not be handed back one day"),
        marked("switch on 'salable' at the part"),
    ),
    "not-trackable": (
        marked("the part that fits isn't trackable, but this has a serial number"),
        marked("switch on 'trackable' at the part"),
    ),
}


def why_not_given(locale: Locale, code: str, sender: str, receiver: str) -> tuple[Inline, ...]:
    """Why a line was not handed over or booked in, as the end of a sentence; without a code in InvenTree's words."""
    if code not in _NOT_GIVEN and " " in code:
        return locale.say("InvenTree said: {said}", said=diagnosis(locale, code))
    why, _ = _NOT_GIVEN.get(code, (_ELSE, ""))
    return locale.say(why, sender=sender, receiver=receiver)


def what_instead(locale: Locale, code: str, sender: str, spaces: Inline) -> tuple[Inline, ...]:
    """What people can do about it; empty if there is nothing to say."""
    _, advice = _NOT_GIVEN.get(code, (_ELSE, ""))
    return locale.say(advice, sender=sender, spaces=spaces, check=Code("fedbot check"), **_TO_SAY) if advice else ()


def why_no_part(locale: Locale, code: str, receiver: str) -> tuple[Inline, ...]:
    """Why an item has no place at the receiver yet."""
    why, _ = _NO_PART.get(code, _NO_PART["none"])
    return locale.say(why, receiver=receiver)


def how_to_get_a_part(locale: Locale, code: str, receiver: str) -> tuple[Inline, ...]:
    """What an admin of the receiver does in InvenTree so that it gets one."""
    _, advice = _NO_PART.get(code, _NO_PART["none"])
    return locale.say(advice, receiver=receiver)
