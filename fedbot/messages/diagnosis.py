"""The sentence for each kind of problem in `rules.model.diagnosis`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from fedbot.messages.language import SOURCE, Locale, marked
from fedbot.rules.model.diagnosis import (
    AnotherThing,
    AnsweredOnly,
    Apart,
    BadPlace,
    BadVersion,
    Cause,
    Diagnosis,
    Fault,
    FileUnusable,
    Forbidden,
    ItemAllocated,
    ItemFault,
    ItemHasOnly,
    ItemHasStatus,
    Lacks,
    Named,
    NameFault,
    NoJson,
    NoResponse,
    NotUnderstood,
    OfCall,
    OfItem,
    OfServer,
    OfStock,
    PlaceFault,
    Plain,
    Redirected,
    ServerError,
    Speaker,
    StaysApart,
    TokenRefused,
    TokenTrialFailed,
    Unlike,
    Verbatim,
    VersionFault,
)

LONGEST = 600

# All sentences without their full stop.
FAULTS: dict[Fault, str] = {
    Fault.ACCESS_STAYS: marked("The peer's user still has access"),
    Fault.COMPANY_STAYS: marked("The company is still active"),
    Fault.USERS_UNSUPPORTED: marked("This InvenTree can't create users with permissions over REST"),
    Fault.TOKENS_UNSUPPORTED: marked("This InvenTree can't create tokens for other users over REST"),
    Fault.OWN_TOKEN_UNSUPPORTED: marked("This InvenTree can't create the next token over REST"),
    Fault.NO_ADMIN_TOKEN: marked("This needs a superuser's token: inventree.admin_token is not set"),
    Fault.NO_SUPERUSER: marked("The token in inventree.admin_token is not a superuser's"),
    Fault.NO_TOKEN: marked("There is no token to try"),
    Fault.NO_FRIENDS_TOKEN: marked("There is no token for the space that asks"),
    Fault.TOKEN_NOT_SHOWN: marked("InvenTree created a token, but did not show it"),
    Fault.TOKEN_OF_ANOTHER: marked("InvenTree created the token for another user"),
    Fault.TOO_MUCH_RIGHT: marked("The token can do more than read the inventory"),
    Fault.TOO_LITTLE_RIGHT: marked("The token can't read stock, parts, categories and locations"),
    Fault.NEW_TOKEN_UNUSED: marked("The new token isn't the one in use"),
    Fault.NEW_TOKEN_WEAKER: marked("The new token can do less than the old one"),
    Fault.OLD_TOKEN_IN_USE: marked("The old token is still in use"),
    Fault.OLD_TOKEN_GOOD: marked("The old token is still valid"),
    Fault.ANOTHER_TOKEN_IN_FILE: marked("The file holds another token than the one that I use"),
    Fault.BAD_TOKEN: marked("The InvenTree token is empty or has characters that no token has"),
    Fault.SECOND_FACTOR_MISSING: marked(
        "InvenTree asks you for a second factor: type your password again, and the code that your app shows"
    ),
    Fault.SECOND_FACTOR_WRONG: marked(
        "InvenTree refuses that code of your second factor: type the code that your app shows now"
    ),
    Fault.SECOND_FACTOR_UNSET: marked(
        "InvenTree requires a second factor, and you have none: sign in to InvenTree, and set it up"
    ),
    Fault.SIGN_IN_LATER: marked("InvenTree has seen too many failed sign-ins: wait a minute"),
    Fault.SIGN_IN_UNSUPPORTED: marked(
        "InvenTree asks for something that you can't type here, such as a security key: sign in by chat, with the code"
    ),
    Fault.SEALED: marked("What the peer sealed can't be opened"),
    Fault.BAD_URL: marked("inventree.url must look like https://inventree.example.org"),
    Fault.BAD_PATH: marked("That is not an address in our InvenTree"),
    Fault.NO_PASSWORDS: marked("Create tokens in InvenTree, not by password"),
    Fault.NO_DOWNLOADS: marked("Files are not downloaded from InvenTree"),
    Fault.NO_UPLOADS: marked("Files are not sent to InvenTree"),
    Fault.TOO_LARGE: marked("The web server in front of InvenTree refuses anything as large as this"),
    Fault.SILENT: marked("InvenTree does not answer"),
    Fault.FRIEND_SILENT: marked("The friend's InvenTree can't be reached: no answer in time"),
    Fault.PART_NOT_NAMED: marked("InvenTree did not say which part it created"),
    Fault.SERIAL_OF_SEVERAL: marked("An item with a serial number has the quantity 1"),
    Fault.LINK_TOO_LONG: marked("The link to the card is longer than this InvenTree allows"),
    Fault.ITEM_NOT_THERE: marked("InvenTree says that it created the stock item, but it isn't there"),
    Fault.METADATA_CHANGED: marked("Somebody else wrote the metadata at the same moment"),
    Fault.DETAILS_CHANGED: marked("Somebody else wrote notes or tags at the same moment"),
    Fault.BAD_VALUE: marked("The data to mirror is not a JSON object"),
    Fault.NO_PICTURE: marked("That is not a picture that I can keep (JPEG, PNG, GIF, WebP, HEIC)"),
    Fault.MOVED_BACK: marked("Somebody else changed the stock at the same moment; I moved everything back"),
    Fault.MOVE_NOT_SHOWN: marked("InvenTree's history does not show what I moved to Outgoing"),
    Fault.ALL_OR_NOTHING: marked("This InvenTree can only return a whole stock item"),
    Fault.NOTHING_TO_HAND_OVER: marked("There is nothing to hand over"),
    Fault.COMPANY_INACTIVE: marked("The receiving company is inactive"),
    Fault.PART_INACTIVE: marked("The part isn't active any more"),
    Fault.NOT_SALABLE: marked("The part isn't salable, so it can't be assigned"),
    Fault.WENT_BACK: marked(
        "InvenTree was restored to an earlier state; a superuser checks the stock, then types: !fed resume"
    ),
    Fault.NO_TRACE: marked("InvenTree may have carried out the request, but it shows no trace of it"),
    Fault.GIVEN_UP: marked("It was quarantined after a failure of the bot, and then given up"),
    Fault.LENDER_MAY_NOT: marked(
        "The person who lent it isn't an approver any more; another approver can start it again"
    ),
    Fault.BORROWED_BY_NOW: marked("Our people have since said that it is only on loan to us"),
    Fault.REVERTED_BUT_HERE: marked("The sender has taken it back, but it is, or may be, booked in here"),
    Fault.TAKEN_BACK_BUT_RECEIVED: marked(
        "We took it back without the receiver's confirmation, but the receiver has booked it in"
    ),
    Fault.PARCEL_DID_NOT_ARRIVE: marked(
        "The parcel did not arrive: only the sender's people can say whether it came back, or is lost"
    ),
    Fault.SETTLED_BUT_REFUSED: marked("It was settled as arrived, but the receiver says that it doesn't have it"),
    Fault.RECEIVED_BUT_NOT_SENT: marked("The receiver says that it was booked in, but it was never sent"),
    Fault.NOT_APPROVED: marked("The sender handed over an item that nobody here had approved"),
    Fault.OTHER_TERMS: marked("It isn't the item that the approved card showed"),
    Fault.ENDED_AT_ONCE: marked("The friendship was ended at once, before the other space had answered"),
    Fault.PARCEL_MISSING: marked("The parcel did not arrive"),
    Fault.PEER_CAN_NOT_TELL: marked("The other bot says that it can't tell what happened"),
}

ITEM_FAULTS: dict[ItemFault, str] = {
    ItemFault.NOT_AS_MADE: marked("Stock item #{item} was created, but with wrong data"),
    ItemFault.CHANGED_SINCE_CARD: marked("Stock item #{item} has changed since the card was written"),
    ItemFault.NOT_IN_INCOMING: marked("Stock item #{item} did not come back into Incoming"),
    ItemFault.LEFT_OUTGOING: marked("Somebody has moved stock item #{item} out of Outgoing and changed it"),
    ItemFault.OTHER_CUSTOMER: marked("Stock item #{item} went to another customer at the same moment"),
    ItemFault.OTHER_QUANTITY: marked("Stock item #{item} has another quantity than agreed"),
    ItemFault.OLD_STATUS_NOT_TAKEN: marked("Stock item #{item} did not get its old status"),
    ItemFault.STATUS_NOT_BACK: marked("Stock item #{item} did not get its status back"),
    ItemFault.NOT_LOST: marked("InvenTree did not accept the status 'lost' for stock item #{item}"),
    ItemFault.NOT_IN_STOCK: marked("Stock item #{item} isn't in stock any more"),
    ItemFault.MORE_THAN_BORROWED: marked("Stock item #{item} holds more than was borrowed"),
    ItemFault.ALLOCATED: marked("Stock item #{item} is allocated"),
    ItemFault.FOR_ANOTHER_TRANSFER: marked(
        "Stock item #{item} is in Outgoing for another transfer; if that is over, put it back first"
    ),
    ItemFault.CUSTOMER_HAS_IT_NOT: marked("Stock item #{item} is no longer with that customer"),
    ItemFault.NOT_WHERE_MOVED: marked("Stock item #{item} is not where it was moved to"),
    ItemFault.RETURN_NOT_SHOWN: marked("InvenTree's history does not show the return of #{item}"),
    ItemFault.OTHER_PART: marked("Stock item #{item} is of another part now"),
    ItemFault.VIRTUAL: marked("Stock item #{item} is virtual: there is nothing to hand over"),
    ItemFault.OTHER_SERIAL: marked("Stock item #{item} has another serial number now"),
    ItemFault.OTHER_BATCH: marked("Stock item #{item} is of another batch now"),
    ItemFault.OTHER_UNITS: marked("The part of stock item #{item} has another unit now"),
    ItemFault.PHOTO_NOT_THERE: marked("The photo is not with stock item #{item} as it was sent"),
    ItemFault.NOTES_CHANGED: marked("Somebody else is writing the notes of stock item #{item}"),
    ItemFault.PUT_BACK_ALREADY: marked("It had been taken out of stock item #{item}, and was put back into it"),
    ItemFault.MERGE_NOT_SHOWN: marked("InvenTree's history does not show what I merged into stock item #{item}"),
    ItemFault.CHANGED_WHILE_MERGED: marked("Somebody else changed stock item #{item} at the same moment"),
}

APART: dict[Apart, str] = {
    Apart.GONE: marked("it isn't there any more"),
    Apart.SOURCE: marked("that isn't there any more, or isn't the item from which it was split off"),
    Apart.QUANTITY: marked("its quantity has changed"),
    Apart.ALLOCATED: marked("some of it is allocated"),
    Apart.LOCATION: marked("they aren't in stock in the same location"),
    Apart.STATUS: marked("the status differs"),
    Apart.BATCH: marked("the batch differs"),
    Apart.EXPIRY: marked("the expiry date differs"),
    Apart.PACKAGING: marked("the packaging differs"),
    Apart.LINK: marked("the link differs"),
    Apart.PRICE: marked("the price differs"),
    Apart.SUPPLIER_PART: marked("the supplier part differs"),
    Apart.OWNER: marked("the owner differs"),
    Apart.NOTES: marked("it has notes of its own"),
    Apart.TAGS: marked("it has tags of its own"),
    Apart.FILES: marked("it has files of its own"),
    Apart.TESTS: marked("it has test results of its own"),
    Apart.METADATA: marked("it has metadata of its own"),
    Apart.HISTORY: marked("somebody has worked on it since it was split off"),
    Apart.OTHER: marked("their details differ"),
}
"""Why an item that was split off isn't merged into its source."""

NAME_FAULTS: dict[NameFault, str] = {
    NameFault.FOREIGN_GROUP: marked('The group "{name}" exists in InvenTree and isn\'t ours'),
    NameFault.FOREIGN_USER: marked('The user "{name}" exists in InvenTree and isn\'t ours'),
    NameFault.FOREIGN_COMPANY: marked(
        'A company "{name}" exists and isn\'t ours, by its link: rename it, or clear its link'
    ),
    NameFault.ACCESS_ENDED: marked('The access "{name}" has ended; I don\'t open it again'),
    NameFault.USER_NOT_AS_MADE: marked("The InvenTree user {name} isn't as I have just created it"),
    NameFault.COMPANY_NOT_AS_MADE: marked("The company {name} isn't as I have just created it"),
    NameFault.NOT_LISTED: marked("InvenTree doesn't list {name}, which I have just created"),
    NameFault.TOKEN_GOOD: marked("The token {name} is still valid"),
    NameFault.SERIAL_NOT_TAKEN: marked('This InvenTree doesn\'t allow the serial number "{name}"'),
    NameFault.PART_IN_OTHER_UNITS: marked('The part "{name}" has another unit now than on the card'),
    NameFault.NO_CATEGORY: marked(
        'inventree.new_part_category is "{name}", which isn\'t one category that can hold parts'
    ),
    NameFault.NO_ROLE_FOR_COMPANIES: marked(
        "Our InvenTree user {name} needs the role return_order: add to create companies"
    ),
    NameFault.SETTING_NOT_SET: marked("inventree.{name} is not set"),
    NameFault.SETTING_NOT_IN_FILE: marked(
        "inventree.{name} doesn't come from a file that I could write the next one into"
    ),
    NameFault.FILE_STAYS: marked("I may not replace the file {name}"),
    NameFault.NO_CA_FILE: marked("There is no CA certificate in the file {name}"),
    NameFault.PRIVATE_ADDRESS: marked(
        "{name} is at a private address. If that is right, name the friend in inventree.private_peers of the settings,"
        " then restart me"
    ),
    NameFault.NO_INVENTREE: marked("At {name} there is a server, but no InvenTree"),
    NameFault.ANSWERS_PACKED: marked("At {name} there is a server that answers compressed, but no InvenTree"),
    NameFault.ANSWERS_WITHOUT_END: marked("At {name} there is a server that answers without end, but no InvenTree"),
    NameFault.TOKEN_NOT_ACCEPTED: marked("InvenTree at {name} does not accept the token"),
    NameFault.TOO_MANY_CALLS: marked("InvenTree at {name} asks for fewer calls"),
    NameFault.FILE_NOT_HAD: marked("InvenTree's web server doesn't give the file {name}, or it is too large"),
    NameFault.FILE_NOT_SENT: marked("The other bot can't fetch the file {name}"),
    NameFault.FILE_NOT_AS_TOLD: marked("The content of {name} doesn't match its description"),
}

CAUSES: dict[Cause, str] = {
    Cause.NOT_TRUSTED: marked(
        "its certificate isn't trusted; if it is yours, write its file into inventree.certificate"
    ),
    Cause.NO_CONNECTION_IN_TIME: marked("no connection in time"),
    Cause.NO_CONNECTION: marked("no connection"),
    Cause.BUSY: marked("all connections are busy"),
    Cause.NO_ANSWER_IN_TIME: marked("no answer in time"),
    Cause.BROKE: marked("the connection broke"),
    Cause.PROXY: marked("the proxy refuses"),
    Cause.FAILED: marked("the request failed"),
}

VERSIONS: dict[VersionFault, str] = {
    VersionFault.TOO_OLD: marked("This InvenTree is too old (API {api}); 0.13 is the oldest that works"),
    VersionFault.UNKNOWN: marked(
        "We don't know InvenTree with API {api} yet: nothing is moved until a superuser accepts it"
    ),
    VersionFault.LOGINS_UNSAFE: marked(
        "InvenTree's API {api} lets any account make itself an admin's token (fixed in 472): sign in with the code"
    ),
    VersionFault.UNSAFE: marked(
        "In this InvenTree (API {api}) any account can make itself admin or lock others out, so no friend gets one"
    ),
}

PLACES: dict[PlaceFault, str] = {
    PlaceFault.MISSING: marked(
        'Create a stock location "{word}" in InvenTree, or write another one into inventree.{setting}'
    ),
    PlaceFault.SEVERAL: marked("inventree.{setting}: several stock locations are called {word}; write one of {paths}"),
    PlaceFault.STRUCTURAL: marked("inventree.{setting}: {paths} can't hold stock, because it is structural"),
}

UNLIKE: dict[Unlike, str] = {
    Unlike.MARK: marked("its history and its link do not have our mark"),
    Unlike.PART: marked("it is of part {found}"),
    Unlike.SERIAL: marked("its serial number is {found}"),
    Unlike.BATCH: marked("its batch is {found}"),
}

LACKS: dict[Lacks, str] = {
    Lacks.SUPERUSER: marked(
        "Our InvenTree user has no permission for this: it needs a superuser's token (inventree.admin_token){aside}"
    ),
    Lacks.ROLE: marked("Our InvenTree user needs the role {role}: {permission}{aside}"),
    Lacks.UNKNOWN: marked("Our InvenTree user has no permission for this{aside}"),
}

SPEAKERS: dict[Speaker, str] = {
    Speaker.INVENTREE: marked('InvenTree said: "{said}"'),
    Speaker.HOMESERVER: marked('The homeserver said: "{said}"'),
    Speaker.PEER: marked('The other bot said: "{said}"'),
}

KNOWN_WORDS: tuple[tuple[str, str], ...] = (
    ("do not have permission", marked("The bot's InvenTree user has no permission for this")),
    ("must be in stock", marked("The stock item isn't in stock")),
    ("not in stock", marked("The stock item isn't in stock")),
    ("must be salable", FAULTS[Fault.NOT_SALABLE]),
    ("allocated", marked("Too much of it is allocated to orders or builds")),
    ("not a customer", marked("The other space's company isn't a customer in InvenTree any more")),
    ("virtual part", marked("The part is virtual, so there is nothing to hand over")),
    ("must make a unique set", marked("There is already a part of that name, IPN and revision")),
    ("matches the given query", marked("It isn't in InvenTree any more")),
    ("does not exist", marked("It isn't in InvenTree any more")),
    ("Not found", marked("It isn't in InvenTree any more")),
)
"""InvenTree's English words in a refusal, and the sentence for people that says all that they say."""
_TELLS_MORE = (("erial number", marked("InvenTree refuses the serial number")),)
"""The same for words of which InvenTree's own text also tells which number, say."""
_SAYS_NOTHING = frozenset({"You do not have permission to perform this action", "Invalid token", "Not found"})
"""InvenTree's usual words where our own sentence says the same."""
_ASIDES = (
    ("has been revoked", marked("it was revoked")),
    ("inactive or deleted", marked("its user is inactive or deleted")),
)

TRIALS: dict[str, str] = {
    "unreachable": marked("its address can't be reached from here, or no InvenTree answers there."),
    "not-permitted": marked("InvenTree does not accept the token."),
    "too-much-right": marked("the token can do more than read."),
    "too-little-right": marked("the token can't read stock, parts, categories and locations."),
    "sealed": marked("I can't open the sealed token."),
}
"""Why a token that one side made for the other doesn't work, by its code."""

_MAY_BE_DONE = marked("{text}, so I don't know whether it was done")
_UNREACHABLE = marked("InvenTree at {host} can't be reached: {text}")
_NO_ANSWER = marked("InvenTree at {host}: {text}")
_SERVER_ERROR = marked("InvenTree at {host} answered {status}")
_ANSWERED = marked("InvenTree answered {status}")
_NO_JSON = marked("InvenTree at {host} gave an answer that isn't JSON")
_NOT_UNDERSTOOD = marked("InvenTree gave an answer that I don't understand ({error}; see our log)")
_FRIENDS_NOT_UNDERSTOOD = marked("The friend's InvenTree gave an answer that I don't understand ({error})")
_REDIRECTED = marked("InvenTree at {host} redirects us ({status}): write its final address into inventree.url")
_IN_ROOMS: dict[str, str] = {
    _UNREACHABLE: marked("InvenTree can't be reached: {text}"),
    _NO_ANSWER: marked("InvenTree: {text}"),
    _SERVER_ERROR: _ANSWERED,
    _NO_JSON: marked("InvenTree gave an answer that isn't JSON"),
    _REDIRECTED: marked("InvenTree redirects us ({status}): write its final address into inventree.url"),
    NAME_FAULTS[NameFault.TOKEN_NOT_ACCEPTED]: marked("InvenTree does not accept the token"),
    NAME_FAULTS[NameFault.TOO_MANY_CALLS]: marked("InvenTree asks for fewer calls"),
}
"""The sentences for rooms, without the address: other spaces read them, and it is often one in a home network."""
_TOKEN_REFUSED = marked(
    "InvenTree does not accept the token{aside}: create a new token and write it into the configuration"
)
_ANOTHER_THING = marked(
    "Stock item #{item} is now another item than the one we know ({why}); InvenTree may have been restored to an"
    " earlier state"
)
_STAYS_APART = marked("I didn't merge stock item #{item} into #{source}, because {why}")
_STATUS = marked("Stock item #{item} has the status {status} now")
_HAS_ONLY = marked("Stock item #{item} has only {quantity} left")
_ALLOCATED = marked("Stock item #{item}: {allocated} of {quantity} are allocated")
_UNREADABLE = marked("I can't read the file {file}: {why}")
_NOT_WRITTEN = marked("I could not replace the file {file}: {why}")
_TRIAL_FAILED = marked("The other space can't use the token: {why}")
_NONE = marked("none")
_QUOTED = marked('"{said}"')


def diagnosis(locale: Locale, problem: Diagnosis | None, most: int = 200) -> str:
    """The problem for a room, on one line of at most `most` characters; '' if nothing is known."""
    return "" if problem is None else locale.short(_sentence(locale, problem, _IN_ROOMS), most)


def english(problem: Diagnosis | None) -> str:
    """The problem in English for the log and the command line, with the server's address."""
    return "" if problem is None else _ENGLISH.short(_sentence(_ENGLISH, problem, {}), LONGEST)


_ENGLISH = Locale(SOURCE, "UTC")


def _sentence(locale: Locale, problem: Diagnosis, instead: Mapping[str, str]) -> str:
    """The problem in words. `instead` has other words for some of the sentences."""
    if isinstance(problem, Verbatim):
        if problem.speaker is Speaker.INVENTREE and instead:
            return told_by_inventree(locale, problem.text)
        return _say(locale, SPEAKERS[problem.speaker], said=problem.text)
    if isinstance(problem, OfStock):
        return _of_stock(locale, problem) + "."
    if isinstance(problem, OfCall):
        return _of_call(locale, problem, instead) + "."
    if isinstance(problem, OfServer):
        return _of_server(locale, problem, instead) + "."
    return _of_settings(locale, problem, instead) + "."


def told_by_inventree(locale: Locale, text: str) -> str:
    """An InvenTree's refusal in the reader's language; its own English words only if they tell more, or are unknown."""
    known, tells_more = known_words(locale, text)
    quoted = [_say(locale, SPEAKERS[Speaker.INVENTREE], said=text)] if tells_more else []
    return " ".join([*([f"{known}."] if known else []), *quoted])


def known_words(locale: Locale, text: str) -> tuple[str, bool]:
    """What InvenTree's words mean, without full stop ('' if unknown), and whether the words tell more than that."""
    if known := next((sentence for words, sentence in KNOWN_WORDS if words in text), ""):
        return locale.word(known), False
    known = next((sentence for words, sentence in _TELLS_MORE if words in text), "")
    return locale.word(known) if known else "", True


def _say(locale: Locale, sentence: str, **places: object) -> str:
    return locale.word(sentence).format(**places)


def _of_settings(
    locale: Locale, problem: Plain | Named | BadPlace | FileUnusable | TokenTrialFailed, instead: Mapping[str, str]
) -> str:
    match problem:
        case Plain(fault):
            return _say(locale, FAULTS[fault])
        case Named(fault, name):
            sentence = NAME_FAULTS[fault]
            return _say(locale, instead.get(sentence, sentence), name=name)
        case BadPlace(fault, setting, word, known):
            paths = ", ".join(f'"{path}"' for path in known)
            return _say(locale, PLACES[fault], setting=setting, word=word, paths=paths)
        case FileUnusable(file, why, written):
            return _say(locale, _NOT_WRITTEN if written else _UNREADABLE, file=file, why=why)
        case TokenTrialFailed(code):
            return _say(locale, _TRIAL_FAILED, why=locale.word(TRIALS[code]).rstrip(".") if code in TRIALS else code)
        case _:
            assert_never(problem)


def _of_stock(locale: Locale, problem: OfStock) -> str:
    match problem:
        case OfItem(fault, item):
            return _say(locale, ITEM_FAULTS[fault], item=item)
        case ItemHasStatus(item, status):
            return _say(locale, _STATUS, item=item, status=status)
        case ItemHasOnly(item, quantity):
            return _say(locale, _HAS_ONLY, item=item, quantity=locale.typed(quantity))
        case ItemAllocated(item, number, quantity):
            allocated = locale.typed(number)
            return _say(locale, _ALLOCATED, item=item, allocated=allocated, quantity=locale.typed(quantity))
        case AnotherThing(item, unlike, found):
            why = _say(locale, UNLIKE[unlike], found=found or locale.word(_NONE))
            return _say(locale, _ANOTHER_THING, item=item, why=why)
        case StaysApart(item, source):
            return _say(locale, _STAYS_APART, item=item, source=source, why=locale.word(APART[problem.why]))
        case _:
            assert_never(problem)


def _of_call(locale: Locale, problem: OfCall, instead: Mapping[str, str]) -> str:
    places: dict[str, object] = {"host": problem.host}
    match problem:
        case NoResponse(_, cause, may_be_done):
            sentence = _NO_ANSWER if may_be_done else _UNREACHABLE
            places["text"] = locale.word(CAUSES[cause])
        case ServerError(_, status, error):
            sentence, places["status"] = _SERVER_ERROR, f"{status} ({error})" if error else status
        case NoJson():
            sentence = _NO_JSON
        case _:
            assert_never(problem)
    said = _say(locale, instead.get(sentence, sentence), **places)
    return _say(locale, _MAY_BE_DONE, text=said) if problem.may_be_done else said


def _of_server(locale: Locale, problem: OfServer, instead: Mapping[str, str]) -> str:
    match problem:
        case NotUnderstood(error, of_friend):
            return _say(locale, _FRIENDS_NOT_UNDERSTOOD if of_friend else _NOT_UNDERSTOOD, error=error)
        case Redirected(host, status):
            return _say(locale, instead.get(_REDIRECTED, _REDIRECTED), host=host, status=status)
        case AnsweredOnly(status, phrase):
            return _say(locale, _ANSWERED, status=f"{status} {phrase}".strip())
        case TokenRefused(said):
            return _say(locale, _TOKEN_REFUSED, aside=_aside(locale, said, instead))
        case Forbidden(lacks, said, role, permission):
            aside = _aside(locale, said, instead)
            return _say(locale, LACKS[lacks], role=role, permission=permission, aside=aside)
        case BadVersion(fault, api):
            return _say(locale, VERSIONS[fault], api=api)
        case _:
            assert_never(problem)


def _aside(locale: Locale, said: str, instead: Mapping[str, str]) -> str:
    """InvenTree's words in brackets; for people only if they add something to our sentence."""
    said = said.rstrip(".")
    if not said or (instead and said in _SAYS_NOTHING):
        return ""
    known = next((sentence for words, sentence in _ASIDES if words in said), "") if instead else ""
    quoted = _say(locale, _QUOTED, said=said) if instead else said
    return f" ({locale.word(known) if known else quoted})"
