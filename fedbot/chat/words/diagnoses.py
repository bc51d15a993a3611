"""What the InvenTree edge says of a failure, in the language of who reads it.

Such a text is made where the failure is seen (`fedbot/inventree`), in English, and goes as it is through the journal,
logs and letters; here it is known again by its sentence. What isn't known, as InvenTree's own words, is told as it is.
"""

from __future__ import annotations

import re
from string import Formatter

from fedbot.chat.words.tongue import Tongue, marked

LONGEST = 600
"""A longer text is none of ours."""

# All without their full stop. Of fedbot/inventree/failures.py; a `{text}` may be another of these sentences.
OF_CALLS = (
    marked("{text}, so it may have been done or not"),
    marked("InvenTree at {host} can't be reached: {text}"),
    marked("InvenTree at {host} answered {status}"),
    marked("InvenTree at {host} wants fewer calls"),
    marked("InvenTree at {host} sends us elsewhere ({status}): write its final address into inventree.url"),
    marked("InvenTree at {host} gave an answer that is no JSON"),
    marked("InvenTree at {host}: {text}"),
    marked("InvenTree does not accept the token{aside}: make a new token and write it into the configuration"),
    marked("Our InvenTree user may not do this: it takes a superuser's token (inventree.admin_token){aside}"),
    marked("Our InvenTree user may not do this{aside}"),
    marked("Our InvenTree user needs the role {role}: {permission}"),
    marked("no connection in time"),
    marked("no connection"),
    marked("all connections are busy"),
    marked("no answer in time"),
    marked("the connection broke"),
    marked("the proxy refuses"),
    marked("the request failed"),
)
# Of fedbot/app/acts.py.
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
    marked("There is another token in the file already; restart me, and I use it"),
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


def diagnosis(tongue: Tongue, text: str, most: int = 200) -> str:
    """What went wrong, on one line of at most `most` characters."""
    return tongue.short(_said(tongue, text), most)


def _said(tongue: Tongue, text: str) -> str:
    if len(text) > LONGEST:
        return text
    bare = text.removesuffix(".")
    for pattern, sentence in _PATTERNS:
        if found := pattern.fullmatch(bare):
            places = found.groupdict()
            if "text" in places:
                places["text"] = _said(tongue, places["text"])
            return tongue.word(sentence).format(**places) + text[len(bare) :]
    return text
