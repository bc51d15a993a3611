"""`find`: searches peers' shared items, all peers at once, sealed.

A search waits for our own InvenTree and for peers' bots, which search with the token made for us; nothing in chat waits
for it. A lost query is not sent again: the person types the line again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any

from fedbot import messages
from fedbot.rules import budgets
from fedbot.rules.catalogue import merged_stock, share
from fedbot.rules.catalogue.provenance import has_foreign_mark
from fedbot.rules.connection import provision
from fedbot.rules.loan import balance
from fedbot.rules.model import audit
from fedbot.rules.model.catalogue import SEARCH_SILENT_AFTER, Hit, PartPicture, Search, Share, SpaceHits
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Ask, Edit, Phrase, Post, Typing, say
from fedbot.rules.model.events import Answered, Said, Unanswered
from fedbot.rules.model.lending import PlaceInLine
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.party_config import PRACTICE
from fedbot.rules.model.queries import (
    OfConnection,
    PictureMeant,
    PicturesOf,
    PicturesPut,
    Scope,
    SearchStock,
    StockHits,
    WhenAnsweredOrNot,
)
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.stock import Part, StockItem, is_sound, plain
from fedbot.rules.model.transfer import Line, Transfer
from fedbot.rules.protocol import bodies, sequencing, who_answers
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.protocol.terms import BadTerms, check_day, check_quantity, file_in, presentable
from fedbot.rules.state import Turn
from fedbot.rules.wire import BadEnvelope, canonical, is_off_chat, search_id

LISTED_FOR = timedelta(minutes=10)
LONGEST_WORDS = 200
MOST_PAGES = 100
MOST_HITS = 20
ALL_READ = 100
_NOBODY = ""
A_PAGE = 10
_MOST_SHARED = 10_000
_MOST_WAITING = 1000
_MOST_LENT = 500
_LONGEST_NAME = 100
_MOST_PICTURES = 2_000
_PICTURES_AT_ONCE = 10
_PICTURE_HOLDS = timedelta(days=1)
_PICTURE_UNSEEN = timedelta(days=60)
_ROOM_FOR_PICTURES = 30_000
"""Bytes of an answer. Pictures that don't fit are left out."""

_MORE = re.compile(r"(?:!fed\s+)?more[.!]?", re.IGNORECASE)
_PLAIN = re.compile(r"\w[^\"“”„‟«»'‘’‚‛`#:;\n]*")
_ASKS = r"(?P<asks>(?P<prefix>!fed\s+)?(?P<verb>ask|request|borrow|erbitte|leihe?)\s+(?:for\s+)?)"
_REQUEST = re.compile(
    rf"{_ASKS}?#?(?P<number>\d{{1,4}})[.)]?"
    r"(?:[\s,]+x?(?P<quantity>\d[\d.,]*(?:\s?(?:pcs?|pieces?|stück|stk|[cm]?m|k?g|m?l)\.?)?))?"
    r"(?P<rest>\s+(?:--|—|(?:for|until|till|over|bis|für|übers)\s).*)?",
    re.IGNORECASE | re.DOTALL,
)
_BEGINS_TO_ASK = re.compile(rf"{_ASKS}#?\d{{1,4}}\b", re.IGNORECASE)
_TO_BORROW = frozenset({"borrow", "leih", "leihe"})
_RIGHT_AFTER = timedelta(minutes=2)
"""The time for which `ask 1 2`, typed without a reply, answers the person's newest list."""


# --- our person's search ---


@dataclass(frozen=True)
class Wanted:
    """A person's query: words, a category, or both; neither means everything shared. `page`: the first is 1."""

    words: str
    category: str = ""
    page: int = 1

    @property
    def sealed(self) -> dict[str, Any]:
        """The query as sent to a peer's bot."""
        return {"words": self.words, "category": self.category, "page": self.page}


def begin(
    turn: Turn,
    command: Command,
    wanted: Wanted,
    connections: Sequence[Connection],
    *,
    own: bool,
    only: str = "",
    rota: str = "",
) -> None:
    """Ask our InvenTree and these peers. The line is answered when all have answered.

    `rota`: the id of the rota that the hits are for, and that answers the line.
    """
    search = Search(
        id=search_id(command.event_id),
        event_id=command.event_id,
        person=command.sender,
        room=command.room,
        words=wanted.words,
        category=wanted.category,
        page=wanted.page,
        asked=turn.now,
        waiting=(*([turn.us.party] if own else []), *(connection.peer for connection in connections)),
        only=only,
        rota=rota,
    )
    turn.save(search)
    _ask(turn, search, wanted, connections)
    turn.do(Typing(command.room, int(SEARCH_SILENT_AFTER.total_seconds())))
    if own:
        everything = command.room == turn.us.admin_room
        scope = Scope(everything=True) if everything else share.scope(turn)
        query = SearchStock(wanted.words, scope, "", wanted.category, wanted.page, _lent_out(turn))
        turn.do(Ask(FindForPerson(search.id), (query,)))


def look_for(turn: Turn, request: Transfer, line: Line, connection: Connection) -> None:
    """Ask a peer for hits of the words in a line of our request that it didn't recognise."""
    wanted = Wanted(line.description.name)
    search = Search(
        id=search_id(request.asked.event_id),
        event_id=request.asked.event_id,
        person=request.asked.person,
        room=request.room,
        words=wanted.words,
        asked=turn.now,
        waiting=(connection.peer,),
        request=request.id,
        line=line.number,
    )
    turn.save(search)
    _ask(turn, search, wanted, (connection,))


def _ask(turn: Turn, search: Search, wanted: Wanted, connections: Sequence[Connection]) -> None:
    sealed = {**wanted.sealed, **({"pictures": True} if _shows_pictures(search) else {})}
    for connection in connections:
        if sequencing.is_unheard(turn, connection, "find-ask"):
            continue
        asked, draft = sequencing.write(turn, connection, bodies.FindAsk(search=search.id), sealed=sealed)
        turn.save(asked)
        sequencing.post(turn, asked, draft)


def _shows_pictures(search: Search) -> bool:
    """Whether the hits are for somebody on a page, who can see pictures."""
    return is_off_chat(search.event_id) and search.is_list


@dataclass(frozen=True)
class FindForPerson(WhenAnsweredOrNot):
    """Searches our InvenTree for our own people. `search` is the search's id."""

    search: str

    @property
    def subject(self) -> str:
        """The search's id."""
        return self.search

    def answered(self, turn: Turn, event: Answered) -> None:
        """Add our own hits: in the admin room from all our stock, elsewhere from the shared part."""
        search = turn.get(Search, self.search)
        if search is not None:
            practice = turn.practice()
            is_practice = practice is not None and search.room == practice.room
            stock = _stock_hits(event)
            hits, cut = hits_of(turn, stock, PRACTICE if is_practice else "")
            own = SpaceHits(turn.us.party, turn.us.name, hits, len(turn.all(Share)), cut, percent=stock.percent)
            if turn.us.tells_pictures and _shows_pictures(search):
                TellWithPictures("", search.id, own, stock.pictures).begin(turn)
            else:
                _add_hits(turn, search, own)

    def unanswered(self, turn: Turn, _: Unanswered) -> None:
        """Report that our InvenTree is silent."""
        search = turn.get(Search, self.search)
        if search is not None:
            _add_hits(turn, search, SpaceHits(turn.us.party, turn.us.name, problem="inventory"))


def hits_of(turn: Turn, found: StockHits, peer: str) -> tuple[tuple[Hit, ...], bool]:
    """Return the hits, one for each part, without items that may not go to that peer, or came from another space (UC6).

    Also return whether there are more.
    """
    by_part: dict[int, list[tuple[StockItem, Decimal]]] = {}
    for item in found.items:
        clean = item.available - merged_stock.total(merged_stock.hidden(turn, item, found, _NOBODY))
        may_go = turn.may_move(peer, item.part.pk) and not has_foreign_mark(turn, item)
        if is_sound(item) and clean > 0 and may_go:
            by_part.setdefault(item.part.pk, []).append((item, clean))
    lent, booked, waiting = _lent(turn), _booked(turn), Counter(entry.part for entry in turn.queue())
    items_lent = dict(reversed(_lent_out(turn)))
    hit_of_part = {part: _hit(items) for part, items in by_part.items()}
    for part in found.lent:
        if part.pk in items_lent and part.pk not in hit_of_part and turn.may_move(peer, part.pk):
            hit_of_part[part.pk] = _hit_of_lent(part, items_lent[part.pk])
    hits = tuple(
        replace(hit, waiting=min(waiting[part], _MOST_WAITING), **lent.get(part, {}), **booked.get(part, {}))
        for part, hit in hit_of_part.items()
    )
    return hits[:MOST_HITS], found.cut or len(hits) > MOST_HITS


def _lent_out(turn: Turn) -> tuple[tuple[int, int], ...]:
    """Return part and stock item of each of our lines on loan, earliest due date first, limited for a search."""
    loans = (loan for loan in turn.loans_away() if loan.role == "sender")
    lines = ((line.part, line.item) for loan in loans for line in balance.lines_away(turn, loan))
    return tuple(islice(lines, _MOST_LENT))


def _lent(turn: Turn) -> dict[int, dict[str, Any]]:
    """Return for each part of ours the quantity on loan and the first due date."""
    lent: dict[int, dict[str, Any]] = {}
    for loan in turn.loans_away():  # earliest due date first
        for line in balance.lines_away(turn, loan) if loan.role == "sender" else ():
            known = lent.setdefault(line.part, {"lent": Decimal(0), "back": loan.due_day})
            known["lent"] += line.quantity
    return lent


def _booked(turn: Turn) -> dict[int, dict[str, Any]]:
    """Return for each part of ours the quantity and days of the next booking."""
    booked: dict[int, dict[str, Any]] = {}
    waiting = (t for t in turn.open_transfers() if t.state is TransferState.BOOKED and t.role == "sender")
    for transfer in sorted(waiting, key=lambda t: (t.terms.starts or date.max, t.id)):
        days = {"booked_from": transfer.terms.starts, "booked_until": transfer.terms.loan_until}
        for part in dict.fromkeys(line.part for line in transfer.terms.lines):
            quantity = sum((line.quantity for line in transfer.terms.lines if line.part == part), Decimal(0))
            booked.setdefault(part, {"booked": quantity, **days})
    return booked


def _stock_hits(event: Answered) -> StockHits:
    (stock,) = event.answers
    if not isinstance(stock, StockHits):
        raise TypeError(f"the answer to a search is hits, not {stock!r}")
    return stock


def _hit(items: Sequence[tuple[StockItem, Decimal]]) -> Hit:
    largest = _largest(items)
    part = largest.part
    flawed = [(item, clean) for item, clean in items if not item.is_ok]
    condition = _largest(flawed).status_text if flawed else ""
    return Hit(
        item=largest.pk,
        part=part.pk,
        name=_name(part.name),
        ipn=_name(part.ipn),
        units=_name(part.units),
        quantity=sum((clean for _, clean in items), Decimal(0)),
        flawed=sum((clean for _, clean in flawed), Decimal(0)),
        condition=_name(condition),
        revision=_name(part.revision),
    )


def _largest(items: Sequence[tuple[StockItem, Decimal]]) -> StockItem:
    """Return the item with the largest quantity, the oldest of equal ones."""
    return max(items, key=lambda each: (each[1], -each[0].pk))[0]


def _hit_of_lent(part: Part, item: int) -> Hit:
    """Return a hit for a part of which everything is on loan; `item` is one of its lent items."""
    nothing, revision = Decimal(0), _name(part.revision)
    return Hit(item, _name(part.name), _name(part.ipn), _name(part.units), nothing, part=part.pk, revision=revision)


def _name(text: str) -> str:
    return presentable(text)[:_LONGEST_NAME]


def _add_hits(turn: Turn, search: Search, hits: SpaceHits) -> None:
    """Add a space's answer. Answer the line if none is missing, or update the posted answer."""
    waiting = tuple(party for party in search.waiting if party != hits.party)
    hits = replace(hits, hits=_as_we_know_them(turn, hits))
    search = replace(search, waiting=waiting, came=(*search.came, hits))
    turn.save(search)
    if not waiting or search.posted:
        _answer(turn, search)


def _as_we_know_them(turn: Turn, found: SpaceHits) -> tuple[Hit, ...]:
    """Return the hits with our place in that peer's queue, as its bot last reported, and with what we have of them."""
    places = [each for each in turn.all(PlaceInLine) if each.peer == found.party and each.is_living]
    loans = [loan for loan in turn.loans_away() if loan.role == "receiver" and loan.peer == found.party]
    lines = [line for loan in loans for line in balance.lines_away(turn, loan)]
    hits: list[Hit] = []
    for hit in found.hits:
        names = {hit.name.casefold(), hit.ipn.casefold()} - {""}
        our_places = (each.place for each in places if each.word.partition("#")[0].casefold() in names)
        here = (line for line in lines if names & {line.description.name.casefold(), line.description.ipn.casefold()})
        quantity = sum((line.quantity for line in here), Decimal(0))
        hits.append(replace(hit, place=next(filter(None, our_places), 0), ours=quantity))
    return tuple(hits)


def _answer(turn: Turn, search: Search) -> None:
    """Answer the line, or update its first page with later hits; unless other rules read the hits."""
    if not search.is_list:
        turn.do(Typing(search.room, 0))
        turn.save(replace(search, posted=True))
        return
    if not search.posted:  # from now on the numbers are fixed
        came = sorted(search.came, key=lambda space: (space.party != turn.us.party, space.name.casefold()))
        search = replace(search, came=tuple(came))
    search = replace(search, shown=max(search.shown, min(A_PAGE, len(search.hits))))
    phrase = _page(turn, search, 0)
    if search.posted:
        turn.do(Edit(MessageKind.HITS.of(search.id), search.room, phrase))
    else:
        turn.do(Typing(search.room, 0))
        turn.do(Post(MessageKind.HITS.of(search.id), search.room, phrase, reply_to=search.event_id))
    turn.save(replace(search, posted=True))


def _page(turn: Turn, search: Search, first: int) -> Phrase:
    silent, today = tuple(turn.party_name(party) for party in search.waiting), turn.today()
    return say(
        messages.catalogue.found, us=turn.us, search=search, silent=silent, first=first, most=A_PAGE, today=today
    )


def look(turn: Turn) -> None:
    """By the clock: answer without the silent spaces. Later drop the search, and with it the hits' numbers."""
    for search in turn.all(Search):
        if search.asked + LISTED_FOR <= turn.now:
            turn.drop(search)
        elif _waits_until(search) <= turn.now:
            _answer(turn, search)


def next_wake(turn: Turn) -> list[datetime]:
    """The times at which `look` has something to do."""
    return [_waits_until(search) for search in turn.all(Search)]


def _waits_until(search: Search) -> datetime:
    """The time at which it is answered without the silent spaces; of an answered or a request's search: its end."""
    return search.asked + (LISTED_FOR if search.posted or search.request else SEARCH_SILENT_AFTER)


# --- our person's reply to the list ---


def next_page(turn: Turn, command: Command) -> bool:
    """Return whether the line replies to one of our lists. If so, post its next hits in a new message."""
    search = turn.get(Search, command.subject)
    if search is None:
        return False
    first = search.shown
    if first >= len(search.hits):
        phrase = say(messages.catalogue.no_more_found, search=search)
        turn.do(Post(MessageKind.ANSWER.of(rest=command.event_id), command.room, phrase, reply_to=command.event_id))
        return True
    key = MessageKind.HITS.of(search.id, command.event_id)
    turn.do(Post(key, command.room, _page(turn, search, first), reply_to=command.event_id))
    turn.save(replace(search, shown=min(first + A_PAGE, len(search.hits))))
    return True


def full_line(turn: Turn, event: Said) -> str | Phrase:
    """Return the full line that `ask 1 2`, `1 2` or `more` means, as a reply to a list of ours; '' if it means none.

    `!fed ask 1 2` without a reply refers to the person's newest list in the room; `ask 1 2` does so only right after
    it. A phrase says what is wrong.
    """
    text = event.text.strip()
    wanted = _REQUEST.fullmatch(text)
    answered = turn.key_of(event.reply_to)
    is_reply = answered.kind is MessageKind.HITS
    if is_reply and _MORE.fullmatch(text):
        return "!fed find" if turn.get(Search, answered.subject) else say(messages.catalogue.list_too_old)
    if wanted is None:
        return say(messages.catalogue.one_hit_a_line) if is_reply and _BEGINS_TO_ASK.match(text) else ""
    if not is_reply and (event.reply_to or not wanted["asks"]):
        return ""
    search = turn.get(Search, answered.subject) if is_reply else _newest(turn, event)
    if not (is_reply or wanted["prefix"] or (search is not None and search.asked + _RIGHT_AFTER > turn.now)):
        return ""
    if search is None:
        return say(messages.catalogue.list_too_old) if is_reply else ""
    number = int(wanted["number"])
    if not 1 <= number <= len(search.hits):
        return say(messages.catalogue.no_such_hit, number=number, count=len(search.hits))
    return _request(turn, event, search.hits[number - 1], wanted)


def _newest(turn: Turn, event: Said) -> Search | None:
    lists = [s for s in turn.all(Search) if s.posted and s.is_list]
    own = [s for s in lists if s.person == event.sender and s.room == event.room]
    return max(own, key=lambda search: search.asked, default=None)


def _request(turn: Turn, event: Said, found: tuple[SpaceHits, Hit], wanted: re.Match[str]) -> str:
    space, hit = found
    quantity = wanted["quantity"] or ("1" if hit.quantity == 1 else "")
    as_whom = f"as {turn.us.party} " if who_answers.claimed_by_several(turn, event.sender, event.room) else ""
    rest = wanted["rest"] or ""
    verb = "borrow" if (wanted["verb"] or "").casefold() in _TO_BORROW else "request"
    return f"!fed {as_whom}{verb} {quantity} {word_for(hit, space.hits)} from {space.party}{rest}"


def is_plain_name(word: str) -> bool:
    """Whether a line can hold it in quotes, and the parser reads it as nothing else."""
    return bool(_PLAIN.fullmatch(word)) and len(word) < _LONGEST_NAME


def word_for(hit: Hit, hits: Iterable[Hit]) -> str:
    """Return the word to type for one of a space's hits: its IPN or name, which means all of its stock.

    If that can't be typed, or stands for another of the hits, too (another revision), return its key.
    """
    others = {word.casefold() for other in hits if other.item != hit.item for word in (other.ipn, other.name)}
    words = (word for word in (hit.ipn, hit.name) if is_plain_name(word) and word.casefold() not in others)
    return next((f'"{word}"' for word in words), f"#{hit.item}")


# --- a peer's search ---


def on_asked(turn: Turn, connection: Connection, envelope: Message[bodies.FindAsk]) -> None:
    """Search our shared items for a peer, with the token made for it."""
    turn.save(connection)
    if connection.state is not ConnectionState.ACTIVE or turn.now - envelope.sent_at > budgets.HOUR:
        return
    try:
        sealed = sequencing.unsealed(turn, envelope)
    except BadEnvelope as problem:
        turn.note(connection.id, audit.NotUnderstood("search", str(problem)))
        return
    wanted = _wanted(sealed)
    if wanted is None:
        turn.note(connection.id, audit.Fact.SEARCH_WITHOUT_WORDS)
        return
    pictures = turn.us.tells_pictures and sealed.get("pictures") is True
    then = FindForFriend(connection.id, envelope.body.search, pictures)
    again = turn.spends("find", connection.peer)
    if again is not None:
        _tell(turn, then, "later", again=again)
    elif not turn.all(Share):
        _tell(turn, then, "", ())
    else:
        reference = provision.own_reference(connection)
        scope = share.scope(turn)
        query = SearchStock(wanted.words, scope, reference, wanted.category, wanted.page, _lent_out(turn))
        turn.do(Ask(then, (query,)))
    turn.note(connection.id, audit.Fact.SEARCHED)


def _wanted(sealed: dict[str, Any]) -> Wanted | None:
    """Return a peer's query; None if it is invalid."""
    words, category, page = sealed.get("words"), sealed.get("category", ""), sealed.get("page", 1)
    texts = isinstance(words, str) and isinstance(category, str) and max(len(words), len(category)) <= LONGEST_WORDS
    if not texts or type(page) is not int or not 1 <= page <= MOST_PAGES:
        return None
    return Wanted(str(words), str(category).strip(), page)


@dataclass(frozen=True)
class FindForFriend(OfConnection, WhenAnsweredOrNot):
    """Searches our InvenTree for a peer. `search` is its id there. `pictures`: it wants those too."""

    search: str
    pictures: bool = False

    def answered(self, turn: Turn, event: Answered) -> None:
        """Send the peer the hits."""
        connection = turn.connection(self.connection)
        stock = _stock_hits(event)
        hits, cut = hits_of(turn, stock, connection.peer if connection else "")
        found = SpaceHits(turn.us.party, turn.us.name, hits, cut=cut or stock.percent < ALL_READ)
        if self.pictures:
            TellWithPictures(self.connection, self.search, found, stock.pictures).begin(turn)
        else:
            _tell(turn, self, "", hits, cut=found.cut)

    def unanswered(self, turn: Turn, _: Unanswered) -> None:
        """Tell the peer that our InvenTree is silent, or doesn't accept its token."""
        _tell(turn, self, "inventory")


@dataclass(frozen=True)
class TellWithPictures(WhenAnsweredOrNot):
    """Our hits while their pictures are uploaded. `pictures` are the parts' keys and the pictures' addresses.

    `connection` is that of the peer that searches; '' for one of our own people.
    """

    connection: str
    search: str
    found: SpaceHits
    pictures: tuple[tuple[int, str], ...]

    @property
    def subject(self) -> str:
        """The id of the connection, or of the search."""
        return self.connection or self.search

    def begin(self, turn: Turn) -> None:
        """Upload the missing pictures. Without any, send the hits at once."""
        meant = tuple(islice(self._unseen(turn), _PICTURES_AT_ONCE))
        if meant:
            turn.do(Ask(self, (PicturesOf(meant),)))
        else:
            self._go_on(turn)

    def answered(self, turn: Turn, event: Answered) -> None:
        """Store the pictures' addresses, and send the hits."""
        (answer,) = event.answers
        places = dict(self.pictures)
        for put in answer.pictures if isinstance(answer, PicturesPut) else ():
            known = turn.get(PartPicture, str(put.part))
            is_the_same = known is not None and known.digest == put.digest
            file = known.file if known is not None and is_the_same else file_in(put.file)
            turn.save(PartPicture(str(put.part), places.get(put.part, ""), put.digest, file, turn.now))
        _forget_pictures(turn)
        self._go_on(turn)

    def unanswered(self, turn: Turn, _: Unanswered) -> None:
        """Send the hits without the missing pictures."""
        self._go_on(turn)

    def _unseen(self, turn: Turn) -> Iterator[PictureMeant]:
        """Yield the pictures that aren't uploaded, or were last compared long ago."""
        places = dict(self.pictures)
        for part in (hit.part for hit in self.found.hits if hit.part in places):
            known = turn.get(PartPicture, str(part))
            if known is None or known.where != places[part] or known.looked + _PICTURE_HOLDS <= turn.now:
                yield PictureMeant(part, places[part], known.digest if known else "")

    def _go_on(self, turn: Turn) -> None:
        places = dict(self.pictures)
        hits = tuple(replace(hit, picture=_picture(turn, hit.part, places)) for hit in self.found.hits)
        search = turn.get(Search, self.search)
        if self.connection:
            _tell(turn, FindForFriend(self.connection, self.search), "", hits, cut=self.found.cut)
        elif search is not None:
            _add_hits(turn, search, replace(self.found, hits=hits))


def _picture(turn: Turn, part: int, places: Mapping[int, str]) -> dict[str, Any]:
    """Return the file of the part's current picture; {} if there is none."""
    known = turn.get(PartPicture, str(part))
    return known.file if known is not None and known.where == places.get(part) else {}


def _forget_pictures(turn: Turn) -> None:
    """Drop pictures that nobody has looked at for long, and the oldest if there are too many."""
    known = sorted(turn.all(PartPicture), key=lambda each: (each.looked, each.id))
    for number, each in enumerate(known, 1):
        if each.looked + _PICTURE_UNSEEN <= turn.now or len(known) - number >= _MOST_PICTURES:
            turn.drop(each)


def _tell(
    turn: Turn,
    then: FindForFriend,
    problem: str,
    hits: Iterable[Hit] | None = None,
    *,
    cut: bool = False,
    again: datetime | None = None,
) -> None:
    connection = turn.connection(then.connection)
    if connection is None or connection.state is not ConnectionState.ACTIVE:
        return
    sealed: dict[str, Any] = {}
    if hits is not None:
        sealed = {"shared": len(turn.all(Share)), "cut": cut, "hits": _with_pictures(hits)}
    in_room = "find" in turn.us.disclose_in_room
    body = bodies.Find(search=then.search, in_room=in_room, problem=problem, again=again)
    connection, draft = sequencing.write(turn, connection, body, sealed=sealed)
    turn.save(connection)
    sequencing.post(turn, connection, draft)


def on_hits(turn: Turn, connection: Connection, envelope: Message[bodies.Find]) -> None:
    """Add a peer's hits to the search that waits for them, if it still does."""
    theirs = _hits_in(turn, connection, envelope)
    if theirs.shared is not None:
        connection = replace(connection, peer_shares=theirs.shared)
    turn.save(connection)
    search = turn.get(Search, envelope.body.search)
    if search is None or connection.peer not in search.waiting:
        return
    if theirs.hits and not (envelope.body.in_room or _is_private(turn, search.room)):
        theirs = replace(theirs, hits=(), problem="hidden")
    _add_hits(turn, search, theirs)


def _is_private(turn: Turn, room: str) -> bool:
    """Whether only our own people read the room."""
    return room == turn.us.admin_room or bool(who_answers.direct_with(turn, turn.room(room)))


# --- the sealed part of a message ---


def _with_pictures(hits: Iterable[Hit]) -> list[dict[str, Any]]:
    """Return the hits for a message, each with its picture if that still fits."""
    each_written = [(hit, _written(hit)) for hit in hits]
    room = _ROOM_FOR_PICTURES - sum(len(canonical(written)) for _, written in each_written)
    for hit, written in each_written:
        picture = {"picture": hit.picture} if hit.picture else {}
        room -= len(canonical(picture))
        if room >= 0:
            written.update(picture)
    return [written for _, written in each_written]


def _written(hit: Hit) -> dict[str, Any]:
    return {
        "item": hit.item,
        "name": hit.name,
        "ipn": hit.ipn,
        "units": hit.units,
        "quantity": plain(hit.quantity),
        "flawed": plain(hit.flawed),
        "condition": hit.condition,
        "lent": plain(hit.lent),
        "back": hit.back.isoformat() if hit.back else "",
        "booked": plain(hit.booked),
        "booked_from": hit.booked_from.isoformat() if hit.booked_from else "",
        "booked_until": hit.booked_until.isoformat() if hit.booked_until else "",
        "waiting": hit.waiting,
        **({"revision": hit.revision} if hit.revision else {}),
    }


def _hits_in(turn: Turn, connection: Connection, envelope: Message[bodies.Find]) -> SpaceHits:
    """Return a peer's answer. One invalid field makes all of it unreadable."""
    empty = SpaceHits(connection.peer, connection.peer_name)
    try:
        match envelope.body.problem:
            case "":
                return _read(empty, sequencing.unsealed(turn, envelope))
            case "later":
                return replace(empty, problem="later", again=budgets.again_in(turn.now, envelope.body.again))
            case _:
                return replace(empty, problem="inventory")
    except (BadEnvelope, BadTerms, ValueError) as problem:
        turn.note(connection.id, audit.NotUnderstood("hits", str(problem)))
        return replace(empty, problem="unreadable")


def _read(empty: SpaceHits, data: dict[str, Any]) -> SpaceHits:
    """Return the answer with the hits in `data`. Raises ValueError or BadTerms if a field is invalid."""
    shared, hits = data.get("shared"), data.get("hits")
    if type(shared) is not int or not 0 <= shared <= _MOST_SHARED:
        raise ValueError("shared: not a number of shared things")
    if not isinstance(hits, list) or len(hits) > MOST_HITS:
        raise ValueError(f"hits: not a list of at most {MOST_HITS}")
    return replace(empty, hits=tuple(_hit_in(hit) for hit in hits), shared=shared, cut=data.get("cut") is True)


def _hit_in(data: object) -> Hit:
    if not isinstance(data, dict):
        raise ValueError("hit: not an object")  # noqa: TRY004 -- a message is data: what is wrong in it is a value
    item = data.get("item")
    texts = [data.get(name) for name in ("name", "ipn", "units", "condition")]
    texts.append(data.get("revision", ""))  # added to version 1
    if type(item) is not int or not 0 < item < 2**53:
        raise ValueError("hit.item: not a stock item's key")
    if not all(isinstance(text, str) and len(text) <= _LONGEST_NAME for text in texts):
        raise ValueError("hit: a text that is missing or too long")
    name, ipn, units, condition, revision = (presentable(str(text)) for text in texts)
    quantity, flawed, lent = (_quantity_or_zero(data.get(name, "0")) for name in ("quantity", "flawed", "lent"))
    if flawed > quantity:
        raise ValueError("hit.flawed: more than the quantity")
    back, first, last = (_day(data.get(day, "")) for day in ("back", "booked_from", "booked_until"))
    booked = _quantity_or_zero(data.get("booked", "0"))
    waiting = data.get("waiting", 0)
    if type(waiting) is not int or not 0 <= waiting <= _MOST_WAITING:
        raise ValueError(f"hit.waiting: not a number up to {_MOST_WAITING}")
    picture = file_in(data.get("picture"))  # added to version 1; an invalid one is ignored
    known = Hit(item, name, ipn, units, quantity, flawed, condition, lent, back, booked, first, last, waiting)
    return replace(known, picture=picture, revision=revision)


def _day(text: object) -> date | None:
    """Return the day; None for ''. Raises ValueError for anything else."""
    if not isinstance(text, str) or len(text) > len("2026-12-31"):
        raise ValueError("not a day")
    day = date.fromisoformat(text) if text else None
    if day is not None:
        check_day(day)
    return day


def _quantity_or_zero(text: object) -> Decimal:
    """Return the quantity, which may be 0. Raises ValueError for anything else."""
    return Decimal(0) if text == "0" else _quantity(text)


def _quantity(text: object) -> Decimal:
    try:
        quantity = Decimal(text if isinstance(text, str) and len(text) <= 20 else "?")  # noqa: PLR2004
    except InvalidOperation:
        raise ValueError("not a quantity") from None
    check_quantity(quantity)
    return quantity
