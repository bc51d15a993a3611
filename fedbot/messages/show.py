"""`show`: one case, where it stands, and everything that led there, who and when."""

from __future__ import annotations

import re
from datetime import datetime

from fedbot.messages import naming
from fedbot.messages.connection import agreed
from fedbot.messages.formatting import Break, Code, Inline, Items, Link, permalink
from fedbot.messages.history import what_is_left
from fedbot.messages.keys import row
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.naming import command
from fedbot.messages.reasons import diagnosis
from fedbot.messages.transfer_facts import asked, card_of, not_done, state_in_words, where_it_is
from fedbot.rules.model.audit import AuditEntry
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.connection_lifecycle import ConnectionState
from fedbot.rules.model.names import decoration
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.summaries import CaseSeen
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState

MOST_FIRST, MOST_LAST = 10, 20
"""Of a very long history the first and the last entries are told."""

# What the rules note (Turn.note), in words. A `{0}` is what the pattern's group has found.
_NOTES: tuple[tuple[str, str], ...] = (
    (r"offered (?:to|by) .+", marked("offered it")),
    (r"requested (?:from|by) .+", marked("asked for it")),
    (r"less was granted", marked("granted less than was asked for")),
    (r"the smaller quantity is taken", marked("agreed to the smaller quantity")),
    (r"what vanished is accounted for", marked("what had vanished of it was accounted for")),
    (r"no part for it", marked("there was no place for it at our space, so it was taken back")),
    (r"refused: it was cancelled here", marked("it came although it was cancelled here; it goes back")),
    (r"goes on under generation \d+", marked("goes on under the new friendship")),
    (r"a new token is wanted", marked("wanted a new token for the other bot")),
    (r"the peer's token is being renewed", marked("the other bot's token is being made anew")),
    (r"the peer's token is renewed: .+", marked("the other bot's new token works")),
    (r"the old token is revoked", marked("the other bot's old token is revoked")),
    (r"the peer's new token works", marked("our new token at the other space works")),
    (r"the peer's new token does not work", marked("our new token at the other space did not work")),
    (r"renewal waits: (.+)", marked("the new token had to wait ({0})")),
    (r"disconnecting", marked("ended the friendship")),
    (r"disconnecting at once", marked("ended the friendship at once")),
    (r"the peer disconnects", marked("ended the friendship, at the other space")),
    (r"ended", marked("nothing moves any more, and the access is shut")),
    (r"asked .+ to connect", marked("asked to be friends")),
    (r".+ asks to connect", marked("asked to be friends")),
    (r"both sides asked at once.*", marked("asked at the same moment, so both have said yes")),
    (r"approve in grace", marked("said yes")),
    (r"decline in grace", marked("said no")),
    (r"approve not counted: .+", marked("wanted to say yes; it did not count")),
    (r"decline not counted: .+", marked("wanted to say no; it did not count")),
    (r"damaged in grace", marked("said that it is back, but damaged")),
    (r"damaged not counted: .+", marked("wanted to say that it is damaged; it did not count")),
    (r"handed back by .+", marked("wanted to hand it back")),
    (r"asked back(?: by .+| from .+|)", marked("said that it is back")),
    (r"taken back from .+ alone", marked("said that it is back, without the other space")),
    (r"remark", marked("wrote something for the item's history")),
    (r"photo", marked("sent a photo of it")),
    (r"photo attached", marked("the photo is with the item in InvenTree")),
    (r"photo not attached: .+", marked("the photo could not be kept")),
    (r"more time asked by .+", marked("asked for more time")),
    (r"due (\S+) from now on", marked("gave more time, until {0}")),
    (r"came back in part", marked("a part of it came back")),
    (r"loan over: returned", marked("all of it is back")),
    (r"loan over: gift", marked("made it a gift")),
    (r"loan over: lost", marked("said that it is lost")),
    (r"loan over: kept", marked("said that it stays here as theirs, as the owner's bot is gone")),
    (r"loan over in part: gift", marked("made a part of it a gift")),
    (r"loan over in part: (?:lost|returned)", marked("said that a part of it is lost, or back")),
    (r"on loan again", marked("on loan again, as the owner is a friend again")),
    (r"taken out of our stock", marked("taken out of our stock")),
    (r"done: noting-loss", marked("noted in InvenTree's history")),
    (r"parcel in grace", marked("tapped 📦")),
    (r"parcel not counted: .+", marked("tapped 📦; it did not count")),
    (r"on its way by parcel", marked("it has left the other space, by parcel")),
    (r"the parcel is here", marked("said that the parcel is here; booking in began")),
    (r"the parcel is missing", marked("said that the parcel did not arrive")),
    (r"decision taken back in time", marked("took the decision back in time")),
    (r"approve asked of the sender", marked("said yes, and it counted; the other bot was told")),
    (r"decline asked of the sender", marked("said no, and it counted; the other bot was told")),
    (r"asked the sender to cancel", marked("asked the other space to take it back")),
    (r"approved", marked("said yes, and it counted")),
    (r"accepted", marked("said yes, and it counted")),
    (r"accepted by .+", marked("said yes, for the other space")),
    (r"declined", marked("said no")),
    (r"declined by .+", marked("said no, for the other space")),
    (r"cancelled", marked("took it back")),
    (r"expired", marked("the time was over")),
    (r"aborted", marked("it could not be given; nothing has left")),
    (r"waits", marked("had to wait for InvenTree")),
    (r"done: TakeOut", marked("taken out of stock, into Outgoing")),
    (r"done: HandOver", marked("given to the other space's company in InvenTree")),
    (r"done: PutBack", marked("put back where it lay")),
    (r"done: TakeBack", marked("taken back into stock")),
    (r"done: Arrived", marked("our record marked as arrived")),
    (r"done: CreatePart", marked("the new part made")),
    (r"done: (?:CreateItem|BookInAgain)", marked("booked in")),
    (r"done: PutAway", marked("put away")),
    (r"refused: (.+)", marked("InvenTree said no ({0})")),
    (r"sent", marked("the other bot was told that it has left")),
    (r"received by the peer", marked("the other space has booked it in")),
    (r"received", marked("the other bot was told that it is booked in")),
    (r"refused by the receiver", marked("the other space could not book it in")),
    (r"refused", marked("it could not be booked in; the other bot was told")),
    (r"crediting", marked("it has left the other space; booking in began")),
    (r"done", marked("done")),
    (r"reverted", marked("all is back where it came from")),
    (r"disputed", marked("stopped, as nobody could tell what happened")),
    (r"disputed by the peer", marked("stopped, as the other bot could not tell what happened")),
    (r"settled: (.+)", marked("settled it ({0})")),
    (r"the peer's word: (.+)", marked("the other space's bot told what is true ({0})")),
    (r"the receiver says so too", marked("the other space says the same, so both agree")),
    (r"nothing follows: disputed", marked("something came in after it was stopped; nothing followed")),
    (r"made: CompanyMade", marked("the other space's company made in our InvenTree")),
    (r"made: AccessMade", marked("a user that can only look made in our InvenTree")),
    (r"made: TokenMinted", marked("its token made")),
    (r"made: TokenTried", marked("a token tried, and it works")),
    (r"making waits: (.+)", marked("setting up had to wait ({0})")),
    (r"active with .+", marked("both sides were ready: friends")),
    (r"suspended: .+", marked("paused, as the other bot's key or account changed")),
    (r"(?:waits|over): the room was replaced", marked("the room was replaced")),
    (r"reviewed: it goes on in the new room", marked("said that it goes on in the new room")),
    (r"keys can be compared", marked("both bots can show the emoji by which keys are compared")),
    (r"the peer's nonce isn't the one that it committed to", marked("the key check with the other bot failed")),
    (r"the peer wants another name", marked("wants to be called otherwise")),
    (r"the peer's new name is accepted", marked("agreed to the other space's new name")),
    (r"reviewed: .+", marked("accepted the other bot's new key and account")),
    (r"review: another fingerprint was typed", marked("typed another fingerprint than that of the new key")),
    (r"not entitled: (.+)", marked("wanted to {0}, without the right to")),
    (r"not taken: .+", marked("a message of the other bot could not be read")),
    (r"said: (cancel|approve|decline|review|resolve|received|missing)", marked("said !fed {0}")),
)
_UNTOLD = re.compile(r"said: .+|done: (?:mirror|labelling|taking-back|Mirror)")
_PATTERNS = tuple((re.compile(pattern), words) for pattern, words in _NOTES)


def shown(
    locale: Locale,
    *,
    subject: Connection | Transfer,
    home: PartyConfig,
    peer_name: str,
    entries: tuple[tuple[datetime, AuditEntry], ...],
    names: dict[str, str],
    case: CaseSeen | None = None,
    pages: tuple[tuple[int, str], ...] = (),
) -> Lines:
    """The case in a line, where it stands, then when – who – what, oldest first.

    `names`: what people are called, by Matrix id. `pages`: the stock items of ours with their pages in InvenTree.
    """
    head = (
        _transfer(locale, subject, home, peer_name, case or CaseSeen())
        if isinstance(subject, Transfer)
        else _connection(locale, subject, home)
    )
    told = [line for at, entry in entries if (line := _told(locale, at, entry, names))]
    lines: Lines = [*head, *_keys(locale, case or CaseSeen()), *_returns(locale, case.returns if case else ()), ""]
    if len(told) > MOST_FIRST + MOST_LAST:
        left_out = locale.say("… {number} more …", number=len(told) - MOST_FIRST - MOST_LAST)
        told = [*told[:MOST_FIRST], left_out, *told[-MOST_LAST:]]
    lines.append(Items(tuple(told)) if told else locale.say("Nothing more is noted of it."))
    lines += _who_is_who(locale, names, case.users if case else {})
    lines += [Link(locale.word("Our stock #{item}").format(item=item), page) for item, page in pages[:MOST_FIRST]]
    if subject.card_to_act_on:
        lines.append(Link(locale.word("Its card"), permalink(subject.room, subject.card_to_act_on)))
    return lines


def _transfer(locale: Locale, transfer: Transfer, home: PartyConfig, peer_name: str, case: CaseSeen) -> Lines:
    card = card_of(locale, transfer, home, peer_name, left=case.left)
    first = locale.say(
        "{code}: {what} from {sender} to {receiver}.",
        code=transfer.code,
        what=naming.moved(locale, transfer),
        sender=card.sender,
        receiver=card.receiver,
    )
    state = (*state_in_words(locale, transfer), *what_is_left(locale, transfer, case.left))
    lines: Lines = [first, state, *asked(locale, card)]
    if transfer.state in {TransferState.DONE, TransferState.RECEIVED}:
        lines += [*where_it_is(locale, card), *not_done(locale, card)]
    if transfer.problem and transfer.state in {TransferState.DISPUTED, TransferState.REFUSED, TransferState.REVERTED}:
        lines.append(locale.say("Why: {text}", text=diagnosis(locale, transfer.problem)))
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
    """What of a loan came back, or is on its way."""
    if not returns:
        return []
    items = tuple((t.code, " – ", naming.moved(locale, t), Break(), *state_in_words(locale, t)) for t in returns)
    return [locale.say("Handed back:"), Items(items)]


def _connection(locale: Locale, connection: Connection, home: PartyConfig) -> Lines:
    own, peer = naming.space(locale, home.name), naming.space(locale, connection.peer_name)
    first = locale.say("{code}: the friendship of {own} and {peer}.", code=connection.code, own=own, peer=peer)
    lines: Lines = [first, state_in_words(locale, connection), agreed(locale, connection)]
    if connection.needs and connection.state is ConnectionState.MAKING:
        lines.append(locale.say("Why: {text}", text=diagnosis(locale, connection.problem)))
    if connection.state is ConnectionState.SUSPENDED and not connection.changed_room:
        lines.append(locale.say("A superuser looks at it: {review}", review=command(f"review {connection.peer}")))
    return lines


def _who_is_who(locale: Locale, names: dict[str, str], users: dict[str, str]) -> Lines:
    """Everybody in it by what identifies them, the display name first."""
    told: list[tuple[Inline, ...]] = []
    for person, label in names.items():
        words: dict[str, Words] = {
            "name": naming.person(locale, decoration(label, person) or person),
            "account": Code(person),
            "user": locale.short(users.get(person, ""), 60),
        }
        sentence = "{name}: {account}, InvenTree user {user}" if person in users else "{name}: {account}"
        told.append(locale.say(sentence, **words))
    return [locale.say("Who is who:"), Items(tuple(told))] if told else []


def _told(locale: Locale, at: datetime, entry: AuditEntry, names: dict[str, str]) -> tuple[Inline, ...]:
    """'Tue 24 Nov, 20:14 – Anna: offered it'; empty for what is nobody's business."""
    what = _in_words(locale, entry.what)
    if not what:
        return ()
    when = locale.when(at)
    if not entry.who:
        return (f"{when} – {what}",)
    who = naming.person(locale, names.get(entry.who) or entry.who)
    if peer := str(entry.detail.get("says", "")):
        return locale.say("{when} – {who}, says {peer}: {what}", when=when, who=who, peer=peer, what=what)
    return (f"{when} – {who}: {what}",)


def _in_words(locale: Locale, note: str) -> str:
    for pattern, words in _PATTERNS:
        if found := pattern.fullmatch(note):
            return locale.word(words).format(*(locale.short(group, 40) for group in found.groups()))
    return "" if _UNTOLD.fullmatch(note) else locale.short(note, 100)
