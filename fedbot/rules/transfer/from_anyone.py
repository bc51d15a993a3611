"""A request to anyone: peers are asked one after the other, or all at once, until somebody gives it.

Each peer gets an ordinary request whose approval is only a grant: its bot moves nothing before ours has confirmed. We
never confirm more than is wanted, and journal each confirmation before we send it. So the rota is never filled twice,
even if messages cross, and it needn't wait for a silent peer.

Only a confirmed peer may still give it. We wait until its bot says that nothing comes, or until our people continue
without it. Then the confirmation is dropped, and we refuse a late arrival.

`follow` runs after every event: it reads the state of the requests and continues.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from fedbot import messages
from fedbot.rules import time_zones
from fedbot.rules.catalogue import destination
from fedbot.rules.catalogue import search as searches
from fedbot.rules.ledger import stats
from fedbot.rules.loan import balance
from fedbot.rules.model import audit
from fedbot.rules.model.catalogue import Hit, Search, SpaceHits
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.effects import Edit, Phrase, Post, say
from fedbot.rules.model.from_anyone import KEPT_FOR, AskedInTurn, Candidate, Order, Passed, Rota, RotaPolicy, Why
from fedbot.rules.model.lifecycles import NOTHING_MOVED, ConnectionState, RotaState, TransferState
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.stock import PartDescription, in_units, plain
from fedbot.rules.model.transfer import Line, Terms, Transfer, total
from fedbot.rules.protocol import announcements, bodies, sequencing, who_answers
from fedbot.rules.protocol.terms import names_line
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides, receive
from fedbot.rules.transfer.opening import new_request
from fedbot.rules.transfer.receive import NOT_WAITED_FOR
from fedbot.rules.wire import Draft, by_line

NOT_NEEDED = "not-needed"
ALL_OR_NONE = "all-or-none"
NOT_IN_TIME = "not-in-time"
NOTHING_CAME = "nothing-came"
REASONS = {
    Why.NOT_NEEDED: NOT_NEEDED,
    Why.LESS: ALL_OR_NONE,
    Why.SILENT: NOT_IN_TIME,
    Why.TOO_LATE: NOT_IN_TIME,
    Why.NOTHING_CAME: NOTHING_CAME,
    Why.GIVEN_UP: NOT_WAITED_FOR,
}
"""The reason for cancelling a request, as the other space reads it. If a person stopped it, it reads the name."""
_READ_ALIKE = {TransferState.CREDITING: TransferState.SENT, TransferState.RECEIVED: TransferState.DONE}
ANSWERS_WITHIN = timedelta(hours=1)
"""The time that a bot has to answer our cancellation of a confirmed request before people are told."""
MOST_SIMILAR = 5
"""Most parts suggested for a name that no space has."""
LATEST_REQUESTS = 50
"""Newest transfers with a peer among which we look for our last request."""


class RequestStatus(StrEnum):
    """The state of one of a rota's requests."""

    ASKED = "asked"
    GRANTED = "granted"
    """The other space would give it, and we haven't answered."""
    CONFIRMED = "confirmed"
    """We have confirmed it. It counts as ours until the other space says otherwise."""
    CANCELLED = "cancelled"
    """We have cancelled it before we confirmed it, so nothing can arrive."""
    OVER = "over"
    """Nothing arrived."""


UNDECIDED = frozenset({RequestStatus.ASKED, RequestStatus.GRANTED})


def status_of(transfer: Transfer) -> RequestStatus:
    """Return the state of that request."""
    if transfer.state in NOTHING_MOVED | {TransferState.REFUSED, TransferState.REVERTED}:
        return RequestStatus.OVER
    if transfer.approved_hash:
        return RequestStatus.CONFIRMED
    if transfer.wanted or transfer.state is not TransferState.OPEN:
        return RequestStatus.CANCELLED
    return RequestStatus.ASKED if transfer.granted is None else RequestStatus.GRANTED


# --- the start ---


def begin(turn: Turn, command: Command, rota: Rota, friends: Sequence[Connection]) -> None:
    """Search at these peers. When they have answered, or are silent, the first request is sent."""
    turn.save(rota)
    turn.note_by(rota.id, audit.Fact.ROTA_BEGUN, rota.asker)
    searches.begin(turn, command, searches.Wanted(rota.word), friends, own=False, rota=rota.id)


def follow(turn: Turn) -> None:
    """After an event: continue every rota that it concerns."""
    concerned: dict[str, None] = {}
    for document in list(turn.changes.values()):
        if isinstance(document, Search) and document.rota and document.posted:
            _take_hits(turn, document)
            concerned[document.rota] = None
        elif isinstance(document, Transfer) and not document.is_recalled:
            rota = turn.rota_of(document)
            if rota is not None:
                _adopt(turn, rota, document)
                concerned[rota.id] = None
        elif isinstance(document, Rota):
            concerned[document.id] = None
    for identifier in concerned:
        rota = turn.get(Rota, identifier)
        if rota is not None and rota.state is not RotaState.SEARCHING:
            _go_on(turn, rota)


def _adopt(turn: Turn, rota: Rota, transfer: Transfer) -> None:
    """Add a request that our journal had lost and that was found in the room."""
    if any(each.transfer == transfer.id for each in rota.asked):
        return
    quantity = total(transfer.requested, rota.unit)
    ask = AskedInTurn(transfer.peer, transfer.id, quantity, transfer.asked.at)
    waiting = tuple(each for each in rota.waiting if each.party != transfer.peer)
    posted = rota.posted or transfer.room == rota.room  # the message came with the first of them
    turn.save(replace(rota, asked=(*rota.asked, ask), waiting=waiting, posted=posted))


def _take_hits(turn: Turn, search: Search) -> None:
    """Take over which peers have it, by the search so far. A peer that answers late is asked after the others."""
    rota = turn.get(Rota, search.rota)
    if rota is None or not rota.is_living:
        return
    known = {each.party for each in rota.waiting} | {each.party for each in rota.asked}
    kept = [each for each in rota.passed if each.why is not Why.SILENT_SEARCH]
    passed = {each.party: each for each in kept}
    quantities: dict[str, Decimal] = {}
    for space in search.came:
        if space.party in known:
            continue
        quantity = sum((_sound(rota, hit) for hit in space.hits if _is_called(rota.word, hit)), Decimal(0))
        if quantity >= rota.wanted or (rota.joins and quantity > 0):
            quantities[space.party] = quantity
        elif why := _why_not(space, quantity):
            passed.setdefault(space.party, Passed(space.party, why, quantity))
    balances = {each.party: each.balance for each in stats.dealings(turn, 0, None)} if quantities else {}
    candidates = [
        Candidate(party, quantity, balances.get(party, Decimal(0)), _asked_last(turn, party))
        for party, quantity in quantities.items()
    ]
    for party in search.waiting:
        passed.setdefault(party, Passed(party, Why.SILENT_SEARCH))
    waiting = ranked([*rota.waiting, *candidates], rota.wanted, turn.us.rota)
    turn.save(replace(rota, state=RotaState.ASKING, waiting=waiting, passed=tuple(passed.values())))


def ranked(candidates: Sequence[Candidate], wanted: Decimal, policy: RotaPolicy) -> tuple[Candidate, ...]:
    """Return the candidates in the order in which they are asked. Those that have enough alone come first."""
    first = [*policy.nearest, *sorted({each.party for each in candidates} - set(policy.nearest))]
    place = {party: min(number, len(policy.nearest)) for number, party in enumerate(first)}

    def rank(each: Candidate) -> tuple[object, ...]:
        ranks: Mapping[Order, object] = {
            Order.NEAREST: place[each.party],
            Order.BALANCE: -each.balance,
            Order.RESTED: each.asked.timestamp() if each.asked else float("-inf"),
            Order.MOST: -each.quantity,
        }
        return (each.quantity < wanted, *(ranks[order] for order in policy.order), each.party)

    return tuple(sorted(candidates, key=rank))


def _is_called(word: str, hit: Hit) -> bool:
    """Whether the hit has the requested name. A word in its description doesn't count."""
    line = Line(1, hit.item, 0, PartDescription(hit.name, hit.ipn), Decimal(1))
    return names_line(word, line)


def _sound(rota: Rota, hit: Hit) -> Decimal:
    """Return the hit's sound quantity, in the rota's unit; 0 if it can't be converted."""
    quantity = hit.quantity - hit.flawed
    return in_units(quantity, hit.units, rota.unit) or Decimal(0) if rota.unit else quantity


def _why_not(space: SpaceHits, quantity: Decimal) -> Why | None:
    """Return why that space isn't asked; None if it has nothing like it, which the page doesn't mention."""
    match space.problem:
        case "":
            return Why.TOO_LITTLE if quantity else None
        case "inventory":
            return Why.INVENTORY
        case "hidden":
            return Why.HIDDEN
        case _:
            return Why.SILENT_SEARCH


def _asked_last(turn: Turn, party: str) -> datetime | None:
    """Return the time of our last request to that peer, among the newest transfers with it."""
    for _, transfer in zip(range(LATEST_REQUESTS), turn.newest(peer=party), strict=False):
        if transfer.terms.kind == "request" and transfer.role == "receiver":
            return transfer.asked.at
    return None


# --- the requests ---


def _go_on(turn: Turn, rota: Rota) -> None:
    drafts: list[tuple[str, Draft]] = []
    if rota.is_living and rota.asker.person not in turn.us.people:
        rota = replace(rota, state=RotaState.STOPPED, ended=turn.now)
    if rota.is_living and any(_is_stopped_by_people(ask, transfer) for ask, transfer in requests(turn, rota)):
        rota = replace(rota, state=RotaState.STOPPED, ended=turn.now)
    if rota.is_living:
        rota = _confirm(turn, rota)
        rota, drafts = _ask_on(turn, rota)
        rota = _finished(turn, rota)
    rota = _cancel_the_rest(turn, rota)
    if rota.stuck and rota.stuck not in {transfer.code for _, transfer in _unheard(turn, rota)}:
        rota = replace(rota, stuck="")
    _tell(turn, rota, drafts)


def requests(turn: Turn, rota: Rota) -> Iterator[tuple[AskedInTurn, Transfer]]:
    """Yield the requests so far, each with its transfer."""
    for ask in rota.asked:
        transfer = turn.transfer(ask.transfer)
        if transfer is not None:
            yield ask, transfer


def _is_stopped_by_people(ask: AskedInTurn, transfer: Transfer) -> bool:
    """Whether one of our people has cancelled this request. Then nobody else is asked either."""
    by_hand = transfer.wanted == "cancel" and not transfer.problem and ask.why is None
    return by_hand and transfer.state is TransferState.OPEN


def promised(turn: Turn, rota: Rota) -> Decimal:
    """The quantity confirmed and not withdrawn; for arrived requests, the quantity that arrived."""
    return sum(
        (_coming(rota, t) for _, t in requests(turn, rota) if status_of(t) is RequestStatus.CONFIRMED), Decimal(0)
    )


def _coming(rota: Rota, transfer: Transfer) -> Decimal:
    if transfer.state not in balance.OVER_WITH_STOCK:
        return total(transfer.terms.lines, rota.unit)
    return total(transfer.lines_moved, rota.unit)


def _undecided(turn: Turn, rota: Rota) -> list[tuple[AskedInTurn, Transfer]]:
    return [(ask, t) for ask, t in requests(turn, rota) if status_of(t) in UNDECIDED]


def _confirm(turn: Turn, rota: Rota) -> Rota:
    """Confirm grants until nothing is lacking, in the order in which they came."""
    for ask, transfer in requests(turn, rota):
        if status_of(transfer) is not RequestStatus.GRANTED or not _has_destinations(transfer):
            continue
        quantity, lacking = total(transfer.terms.lines, rota.unit), rota.wanted - promised(turn, rota)
        if quantity <= lacking and (rota.joins or quantity == rota.wanted):
            receive.on_approved(turn, transfer, _askers_signature(turn, rota))
            rota = _with_request(rota, replace(ask, confirmed=turn.now))
        else:
            rota = _take_back(turn, rota, ask, transfer, Why.LESS if lacking else Why.NOT_NEEDED)
    return rota


def _with_request(rota: Rota, ask: AskedInTurn) -> Rota:
    """Return the rota with this new state of one request."""
    return replace(rota, asked=tuple(ask if each.transfer == ask.transfer else each for each in rota.asked))


def _has_destinations(transfer: Transfer) -> bool:
    """Whether we know the destination of each of its lines."""
    known = all(transfer.at(line.number).match for line in transfer.terms.lines)
    return known and not destination.unmatched(transfer)


def _askers_signature(turn: Turn, rota: Rota) -> Signature:
    """Return the asker's signature: the line that asked already decides to take it."""
    return replace(rota.asker, name=turn.name_of(rota.asker.person, rota.room))


def _once_more(turn: Turn, rota: Rota) -> Rota:
    """If the confirmed peer doesn't give it, ask the peers again whose requests we cancelled for it."""
    is_over = rota.until is not None and rota.until <= turn.now
    if rota.waiting or is_over or _undecided(turn, rota) or promised(turn, rota) >= rota.wanted:
        return rota
    parties = [each.party for each in rota.asked]
    again = [a for a in rota.asked if a.why is Why.NOT_NEEDED and parties.count(a.party) == 1]
    return replace(rota, waiting=tuple(Candidate(each.party, each.quantity) for each in again))


def _ask_on(turn: Turn, rota: Rota) -> tuple[Rota, list[tuple[str, Draft]]]:
    """Ask the next peers. Return the messages with their rooms. While a request runs, only `--all` asks more."""
    drafts: list[tuple[str, Draft]] = []
    rota = _once_more(turn, rota)
    while rota.waiting:
        pending = _undecided(turn, rota)
        lacking = rota.wanted - promised(turn, rota)
        if rota.joins:
            lacking -= total([line for _, t in pending for line in t.terms.lines], rota.unit)
        if lacking <= 0 or (pending and not rota.at_once):
            break
        candidate, *others = rota.waiting
        rota = replace(rota, waiting=tuple(others))
        connection = turn.connection_with(candidate.party)
        if connection is None or connection.state is not ConnectionState.ACTIVE:
            rota = replace(rota, passed=(*rota.passed, Passed(candidate.party, Why.NOT_FRIENDS, candidate.quantity)))
        else:
            quantity = min(candidate.quantity, lacking) if rota.joins else rota.wanted
            rota, draft = _ask(turn, rota, connection, quantity)
            drafts.append((connection.room, draft))
    return rota, drafts


def _ask(turn: Turn, rota: Rota, connection: Connection, quantity: Decimal) -> tuple[Rota, Draft]:
    line = Line(number=1, item=0, part=0, description=PartDescription(rota.word, units=rota.unit), quantity=quantity)
    terms = Terms(
        kind="request",
        sender=connection.peer,
        receiver=turn.us.party,
        lines=(line,),
        asker=rota.asker.person,
        asker_name=rota.asker.name,
        note=rota.note,
        loan_until=rota.loan_until,
        confirm=True,
    )
    cause = by_line(rota.event_id, len(rota.asked) + 1)
    transfer, draft = new_request(turn, cause, connection, terms, rota.asker, until=rota.until)
    ask = AskedInTurn(connection.peer, transfer.id, quantity, turn.now)
    rota = replace(rota, asked=(*rota.asked, ask))
    turn.save(rota)
    return rota, draft


def _finished(turn: Turn, rota: Rota) -> Rota:
    """Return the rota, ended if everything arrived, or nobody is left who could give it."""
    if _undecided(turn, rota):
        return rota
    confirmed = [t for _, t in requests(turn, rota) if status_of(t) is RequestStatus.CONFIRMED]
    if any(t.state not in balance.OVER_WITH_STOCK for t in confirmed):
        return rota
    if rota.waiting and promised(turn, rota) < rota.wanted:
        return rota
    state = RotaState.FILLED if confirmed else RotaState.NOBODY
    turn.note(rota.id, audit.Fact.ROTA_FILLED if confirmed else audit.Fact.ROTA_NOBODY)
    return replace(rota, state=state, ended=turn.now)


def _cancel_the_rest(turn: Turn, rota: Rota) -> Rota:
    """Withdraw requests that nobody needs any more."""
    stopped = rota.state is RotaState.STOPPED
    if rota.is_living and promised(turn, rota) < rota.wanted:
        return rota
    for ask, transfer in _undecided(turn, rota):
        rota = _take_back(turn, rota, ask, transfer, Why.STOPPED if stopped else Why.NOT_NEEDED)
    return rota


def _take_back(turn: Turn, rota: Rota, ask: AskedInTurn, transfer: Transfer, why: Why) -> Rota:
    """Cancel this request. The message is sent again until the other bot has read it."""
    body = bodies.Cancel(reason=REASONS.get(why, ""), **bodies.NOBODY)
    withdrawn = replace(transfer, wanted="cancel", decision=None)
    turn.save(sequencing.send(turn, withdrawn, body, awaits=True))
    turn.note(transfer.id, audit.Fact.CANCEL_ASKED)
    rota = _with_request(rota, replace(ask, why=why))
    turn.save(rota)
    return rota


def stop(turn: Turn, rota: Rota, by: Signature) -> Rota:
    """Stop the rota for one of our people. A confirmed request may still arrive, unless the peer agrees to cancel."""
    turn.note_by(rota.id, audit.Fact.ROTA_STOPPED, by)
    for _, transfer in list(requests(turn, rota)):
        if status_of(transfer) is RequestStatus.CONFIRMED and transfer.wanted == "approve":
            both_sides.cancel(turn, transfer, by)
    rota = replace(rota, state=RotaState.STOPPED, ended=turn.now)
    turn.save(rota)
    return rota


# --- confirmed peers that send nothing ---


def _unheard(turn: Turn, rota: Rota) -> list[tuple[AskedInTurn, Transfer]]:
    """Return the confirmed requests that the peer's bot has neither sent nor refused."""
    confirmed = [(ask, t) for ask, t in requests(turn, rota) if status_of(t) is RequestStatus.CONFIRMED]
    return [(ask, transfer) for ask, transfer in confirmed if transfer.state is TransferState.OPEN]


def _heard_by(turn: Turn, ask: AskedInTurn) -> datetime:
    """Return the time until which we wait after a confirmation."""
    return (ask.confirmed or ask.at) + turn.us.rota.wait


def _may_take_back(rota: Rota, ask: AskedInTurn, transfer: Transfer) -> bool:
    """Whether to ask the confirmed bot to cancel if nothing arrives: only if another peer could give it."""
    return bool(rota.waiting) and ask.why is None and transfer.wanted == "approve"


def _tell_that_nothing_came(turn: Turn, rota: Rota, ask: AskedInTurn, transfer: Transfer) -> None:
    """Tell the asker that nothing arrived, and what people can do. It may still arrive, so nobody else is asked."""
    phrase = say(
        messages.from_anyone.nothing_came,
        rota=rota,
        us=turn.us,
        transfer=transfer,
        peer_name=turn.party_name(transfer.peer),
        confirmed=ask.confirmed or ask.at,
    )
    key, mentions = MessageKind.ROTA_STUCK.of(transfer.id), (rota.asker.person,)
    turn.do(Post(key, transfer.room, phrase, thread=both_sides.thread_of(transfer), mentions=mentions))
    turn.save(_with_request(replace(rota, stuck=transfer.code), replace(ask, told=True)))


def may_be_given_up(turn: Turn, transfer: Transfer) -> bool:
    """Whether our people can continue without it: it is confirmed, and its time is over."""
    rota = turn.rota_of(transfer)
    unheard = _unheard(turn, rota) if rota is not None else []
    times = [_heard_by(turn, ask) for ask, each in unheard if each.id == transfer.id]
    return bool(times) and times[0] <= turn.now


def give_up(turn: Turn, transfer: Transfer, by: Signature) -> Rota:
    """Continue without a confirmed request: drop the confirmation. A late arrival is refused."""
    rota = turn.rota_of(transfer)
    if rota is None:
        raise ValueError(f"transfer {transfer.id} belongs to no rota")
    body = bodies.Cancel(reason=NOT_WAITED_FOR, **both_sides.said_by(by))
    unconfirmed = replace(transfer, wanted="cancel", approved_hash="", decision=None)
    turn.save(sequencing.send(turn, unconfirmed, body, awaits=True))
    turn.note_by(transfer.id, audit.Fact.GIVEN_UP, by)
    for ask in rota.asked:
        if ask.transfer == transfer.id:
            rota = _with_request(rota, replace(ask, why=Why.GIVEN_UP))
    turn.save(rota)
    return rota


# --- by the clock ---


def look(turn: Turn) -> None:
    """By the clock: stop waiting for a silent peer if another one could be asked, and forget old rotas."""
    for rota in turn.all(Rota):
        if (over := _forgotten(turn, rota)) is not None:
            if over <= turn.now:
                turn.drop(rota)
        elif rota.state is RotaState.ASKING:
            _look_at(turn, rota)


def _look_at(turn: Turn, rota: Rota) -> None:
    if rota.until is not None and rota.until <= turn.now:
        _too_late(turn, rota)
    else:
        for ask, transfer in _silent(turn, rota):
            _take_back(turn, turn.get(Rota, rota.id) or rota, ask, transfer, Why.SILENT)
    for ask, transfer in _unheard(turn, rota):
        rota = turn.get(Rota, rota.id) or rota
        if _heard_by(turn, ask) <= turn.now and _may_take_back(rota, ask, transfer):
            _take_back(turn, rota, ask, transfer, Why.NOTHING_CAME)
        elif _heard_by(turn, ask) + ANSWERS_WITHIN <= turn.now and not ask.told:
            _tell_that_nothing_came(turn, rota, ask, transfer)


def next_wake(turn: Turn) -> list[datetime]:
    """The times at which `look` has something to do."""
    times: list[datetime] = []
    for rota in turn.all(Rota):
        if (over := _forgotten(turn, rota)) is not None:
            times.append(over)
        elif rota.state is RotaState.ASKING:
            times += [rota.until] if rota.until is not None and not _is_too_late(turn, rota) else []
            times += [ask.at + turn.us.rota.wait for ask, _ in _waited_for(turn, rota)]
            unheard = _unheard(turn, rota)
            times += [_heard_by(turn, ask) for ask, transfer in unheard if _may_take_back(rota, ask, transfer)]
            times += [_heard_by(turn, ask) + ANSWERS_WITHIN for ask, _ in unheard if not ask.told]
    return times


def _forgotten(turn: Turn, rota: Rota) -> datetime | None:
    """Return when a finished rota is forgotten; None while it runs, or something may still arrive."""
    if rota.ended is None or _unheard(turn, rota):
        return None
    return rota.ended + KEPT_FOR


def _waited_for(turn: Turn, rota: Rota) -> list[tuple[AskedInTurn, Transfer]]:
    """Return the requests without a decision, if another space could be asked instead."""
    if not rota.waiting:
        return []
    return [(ask, transfer) for ask, transfer in requests(turn, rota) if status_of(transfer) is RequestStatus.ASKED]


def _silent(turn: Turn, rota: Rota) -> list[tuple[AskedInTurn, Transfer]]:
    return [(ask, t) for ask, t in _waited_for(turn, rota) if ask.at + turn.us.rota.wait <= turn.now]


def _is_too_late(turn: Turn, rota: Rota) -> bool:
    """Whether its last day has passed, so nobody else is asked."""
    return rota.until is not None and rota.until <= turn.now and not rota.waiting and not _undecided(turn, rota)


def _too_late(turn: Turn, rota: Rota) -> None:
    for ask, transfer in _undecided(turn, rota):
        rota = _take_back(turn, rota, ask, transfer, Why.TOO_LATE)
    late = tuple(Passed(each.party, Why.TOO_LATE, each.quantity) for each in rota.waiting)
    turn.save(replace(rota, waiting=(), passed=(*rota.passed, *late)))


# --- messages to people ---


def page(turn: Turn, rota: Rota) -> Phrase:
    """Return the page of a rota: the spaces asked, and their answers."""
    seen = tuple((ask, transfer) for ask, transfer in requests(turn, rota))
    parties = [*(ask.party for ask in rota.asked), *(each.party for each in rota.waiting)]
    parties += [each.party for each in rota.passed]
    names = {party: turn.party_name(party) for party in parties}
    return say(messages.from_anyone.rota_page, rota=rota, us=turn.us, asked=seen, names=names)


def _tell(turn: Turn, rota: Rota, drafts: list[tuple[str, Draft]]) -> None:
    """Bring its message up to date. Each new request is carried by a message in its room."""
    shown = _digest(turn, rota)
    was_shown, rota = rota.shown, replace(rota, shown=shown)
    if rota.state is RotaState.NOBODY and not rota.posted and (hits := _similar(turn, rota)):
        lines = tuple(_line_for(turn, rota, word) for word in hits)
        phrase = say(messages.from_anyone.nobody_has_that_name, rota=rota, hits=tuple(hits.values()))
        turn.choose(rota.room, rota.event_id, rota.asker.person, phrase, lines)
        turn.save(rota)
        return
    if not drafts and shown != was_shown:
        rota = _write(turn, rota, announcements.room_now(turn, rota.room), None)
    for room, draft in drafts:
        rota = _write(turn, rota, room, draft)
    if rota.state is RotaState.NOBODY and not was_shown.startswith(RotaState.NOBODY) and was_shown:
        phrase = say(messages.from_anyone.nobody_gives_it, rota=rota, us=turn.us)
        room = announcements.room_now(turn, rota.room)
        turn.do(Post(MessageKind.ROTA_END.of(rota.id), room, phrase, thread=rota.key, mentions=(rota.asker.person,)))
    turn.save(rota)


def _similar(turn: Turn, rota: Rota) -> dict[str, Hit]:
    """Return the parts that our friends' bots found by words of a name that none of them has, each name once.

    The keys are the words to type for them.
    """
    search = next((each for each in turn.all(Search) if each.rota == rota.id), None)
    if search is None or rota.asked or any(each.why is Why.TOO_LITTLE for each in rota.passed):
        return {}
    hits = [hit for space in search.came for hit in space.hits if _sound(rota, hit) > 0]
    words = [(searches.word_for(hit, ()), hit) for hit in hits]
    once: dict[str, tuple[str, Hit]] = {}
    for word, hit in words:
        if not word.startswith("#"):  # only one space's item has that number
            once.setdefault(word.casefold(), (word, hit))
    return dict(list(once.values())[:MOST_SIMILAR])


def _line_for(turn: Turn, rota: Rota, word: str) -> str:
    """Return the line that asks anyone for that part instead, with everything else as it was typed."""
    prefix = who_answers.typed_to_us(turn, rota.asker.person, rota.room)
    words = [prefix, "request", f"{plain(rota.wanted)}{rota.unit}", word, "from anyone"]
    words += [f"until {rota.loan_until.isoformat()}"] if rota.loan_until else []
    if rota.until is not None:
        last = time_zones.day_at(rota.until - timedelta(seconds=1), "", turn.us.time_zone)
        words.append(f"by {last.isoformat()}")
    words += ["--all"] if rota.at_once else []
    words += ["--join"] if rota.joins else []
    return " ".join(words) + both_sides.note_option(rota.note)


def _write(turn: Turn, rota: Rota, room: str, draft: Draft | None) -> Rota:
    """Edit the message, or post it: the first time, or in another room that carries the next request."""
    if rota.posted and room == rota.room:
        turn.do(Edit(rota.key, room, page(turn, rota), draft=draft))
        return rota
    first = not rota.posted
    key = MessageKind.ROTA.of(rota.id, "" if first else str(len(rota.asked)))
    rota = replace(rota, posted=True, room=room, key=key)
    reply_to, answers = (rota.event_id, rota.asker.person) if first and room == rota.room else ("", "")
    turn.do(Post(key, room, page(turn, rota), reply_to=reply_to, answers=answers, draft=draft))
    return rota


def _digest(turn: Turn, rota: Rota) -> str:
    """Return a short form of the message. The message is edited only when this changes."""
    words = [rota.state.value, *([rota.stuck] if rota.stuck else [])]
    for ask, transfer in requests(turn, rota):
        words += [
            ask.party,
            ask.why or "",
            _READ_ALIKE.get(transfer.state, transfer.state),
            str(total(transfer.lines_come)),
            transfer.wanted,
            transfer.problem,
            transfer.approved_hash[:8],
        ]
    words += [f"{each.party} {each.why}" for each in rota.passed]
    return " ".join(words)
