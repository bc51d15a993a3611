"""UC3: one space requests an item of another, and its owner decides. The asker's bot compares the offer.

The owner is the sender and decides. Its bot finds the stock items for the asker's words. The owner may grant a smaller
quantity. Then the terms are new, and the asker's side must approve them before anything moves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from fedbot import messages
from fedbot.rules import card_content
from fedbot.rules.catalogue import destination, merged_stock, search, share
from fedbot.rules.catalogue.provenance import origin_forbids, origins_of
from fedbot.rules.loan import balance, bookings, lending_rules, overdue
from fedbot.rules.model import audit
from fedbot.rules.model import lending as lendings
from fedbot.rules.model.care import ValuedLine, taken_out
from fedbot.rules.model.catalogue import Search
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Ask, Edit, Post, say
from fedbot.rules.model.events import Answered, EnvelopeSeen
from fedbot.rules.model.lending import BY_RULES, TO_BE_AGREED, LendingRule
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.party_config import PRACTICE
from fedbot.rules.model.queries import Able, Answer, FindItems, ItemsFound, PartMatch, Query, WhenAnswered
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.stock import Permission, StockItem, counts_pieces, fits, is_fraction, plain
from fedbot.rules.model.transfer import Line, Terms, Told, Transfer, total, with_progress
from fedbot.rules.protocol import bodies, sequencing, who_answers
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.protocol.terms import (
    MOST_LINES,
    BadTerms,
    asked_in,
    bare,
    differences,
    hash_of,
    line_of,
    names_line,
    pieces,
    presentable,
    shown_as,
    to_json,
)
from fedbot.rules.state import Turn
from fedbot.rules.transfer import booking, both_sides, opening
from fedbot.rules.transfer.both_sides import NO_PART, NOT_IN_ORDER, OTHER_THING, OTHER_UNIT, on_these_terms
from fedbot.rules.transfer.choose_stock import NOT_FOUND, TOO_LITTLE, Chosen, Free, chosen_from, may_come_in_pieces
from fedbot.rules.transfer.opening import read_who_confirms, request_phrase
from fedbot.rules.transfer.receive import MATCHED_WHILE, go_on, on_end

COUNTED_IN = "counted-in"
"""The prefix of the reason "counted in another unit", followed by our unit: `counted-in:cm`."""
MOST_WORDS = 16_000  # bytes of the terms in clear; above that the lines are sent without notes and other details
MOST_MEANT = 5
"""Most hits suggested for a name that the owner doesn't have."""
MOST_METADATA = 20_000  # bytes; sent sealed, a third longer, beside 16,000 of terms, in at most 46,000


# --- the asker's side, which will receive ---


def on_noted(turn: Turn, transfer: Transfer, envelope: Message[bodies.Noted], event: EnvelopeSeen) -> None:
    """Take over what the owner's card offers, and look for our parts. Ask our person again if it differs."""
    transfer = both_sides.with_card(transfer, event.event_id)
    if transfer.terms.kind != "request" or transfer.state is not TransferState.OPEN or envelope.body.terms is None:
        turn.save(transfer)
        return
    adopted = _adopted(turn, transfer, envelope.body.terms, envelope.terms_hash, less=False)
    unlike = differences(transfer.requested, adopted.terms.lines, turn.today())
    is_unseen = unlike and transfer.accepted != shown_as(adopted.terms)
    if is_unseen or is_to_be_agreed(transfer, adopted.terms):
        _ask_again(turn, transfer, adopted)
        return
    turn.save(adopted)
    _name_items_in_answer(turn, transfer, adopted)
    look_for_parts(turn, adopted)


def is_to_be_agreed(transfer: Transfer, terms: Terms) -> bool:
    """Whether the owner's terms contain a text that the asker must agree to first and hasn't seen yet."""
    return terms.rules is not None and bool(terms.rules.agree) and transfer.accepted != shown_as(terms)


def _name_items_in_answer(turn: Turn, before: Transfer, adopted: Transfer) -> None:
    """If the asker typed only the owner's item numbers, or accepted a shown offer, edit our answer to name them."""
    by_number = any(line.description.name.startswith("#") for line in before.requested)
    if (by_number or before.accepted) and not adopted.terms.confirm and adopted.terms != before.terms:
        connection = sequencing.connection_of(turn, adopted)
        phrase = request_phrase(turn, adopted, connection)
        turn.do(Edit(MessageKind.OFFER.of(adopted.id), adopted.room, phrase))


def look_for_parts(turn: Turn, transfer: Transfer) -> None:
    """Read which of our parts each line is."""
    lines = transfer.terms.lines
    queries: list[Query] = [destination.query_for(turn, transfer, line) for line in lines]
    turn.do(Ask(MatchRequested(transfer.id), tuple(queries)))


def _adopted(turn: Turn, transfer: Transfer, terms: Terms, told_hash: str, *, less: bool) -> Transfer:
    """Return the request with the owner's terms. Raises BadTerms if they aren't the request, or `less` of it."""
    # the card's message tells zone and rules, a grant doesn't
    kept = _without_lines if less else _without_owners_fields
    if kept(terms) != kept(transfer.terms):
        raise BadTerms("terms: not the request that was asked")
    if transfer.terms.rules not in {None, terms.rules}:
        raise BadTerms("terms.rules: said before, and others")
    if transfer.terms.time_zone not in {"", terms.time_zone}:
        raise BadTerms("terms.time_zone: said before, and another one")
    before = transfer.terms.lines
    smaller = len(before) >= len(terms.lines) and all(
        new.quantity <= old.quantity for old, new in zip(before, terms.lines, strict=False)
    )
    if not (smaller if less else pieces(transfer.requested, terms.lines)) or hash_of(terms) != told_hash:
        raise BadTerms("terms.lines: not what was asked for")
    if less and not all(_is_less_of(transfer.terms.lines, line) for line in terms.lines):
        raise BadTerms("terms.lines: not less of what was asked for, but something else")
    if any(origin_forbids(line.origin, turn.us.party) for line in terms.lines):
        raise BadTerms("terms.lines.origin: came from a third space")
    return on_these_terms(transfer, terms)


def _without_lines(terms: Terms) -> Terms:
    return replace(terms, lines=())


def _without_owners_fields(terms: Terms) -> Terms:
    """Return the terms without the fields that only the owner may set."""
    return replace(terms, lines=(), time_zone="", rules=None)


def _is_less_of(before: Sequence[Line], line: Line) -> bool:
    """Whether a line is one of those before, or less of it."""
    return any(replace(line, quantity=old.quantity, whole=old.whole) == old for old in before)


def _ask_again(turn: Turn, transfer: Transfer, adopted: Transfer) -> None:
    """Ask the asker again, because the item differs, is not in order, or has a text to agree to.

    The request is withdrawn. The offered item becomes a numbered choice, so that the asker's own reply requests it.
    """
    unlike = differences(transfer.requested, adopted.terms.lines, turn.today())
    why = _why_ask_again(unlike)
    withdrawn = replace(transfer, wanted="cancel", problem=why, decision=None)
    turn.save(sequencing.send(turn, withdrawn, bodies.Cancel(reason=why, **bodies.NOBODY), awaits=True))
    turn.note(transfer.id, audit.AskerHasToSee(why))
    if turn.rota_of(transfer) is not None:  # the rota asks another peer instead
        return
    phrase = say(
        messages.transfer_card.another_thing_would_be_given,
        transfer=transfer,
        us=turn.us,
        peer_name=turn.party_name(transfer.peer),
        others=tuple((asked, tuple(given)) for asked, given in unlike),
        why=why,
        agrees_to=adopted.terms.rules.agree if adopted.terms.rules is not None else (),
    )
    line = _line_for(turn, transfer, adopted.terms)
    asker = transfer.terms.asker
    turn.choose(transfer.room, transfer.asked.event_id, asker, phrase, (line,), mentions=True)


def _why_ask_again(unlike: Sequence[tuple[Line, list[Line]]]) -> str:
    if not unlike:
        return TO_BE_AGREED
    if not all(names_line(asked.description.name, line) for asked, given in unlike for line in given):
        return OTHER_THING
    return OTHER_UNIT if any(asked_in(asked, given[0]) is None for asked, given in unlike) else NOT_IN_ORDER


def _line_for(turn: Turn, transfer: Transfer, given: Terms) -> str:
    """Return the line that requests exactly the offered items."""
    asked = " + ".join(
        f"{_quantity_text(asked, pieces)} {_word_for(asked, pieces)}"
        for asked, pieces in pieces(transfer.requested, given.lines)
    )
    return _request_line(turn, transfer, asked, f" --as-shown {shown_as(given)}")


def _request_line(turn: Turn, transfer: Transfer, asked: str, option: str = "") -> str:
    """Return a line for another item, with the days and the note of the request."""
    terms = transfer.terms
    begun = who_answers.typed_to_us(turn, terms.asker, transfer.room)
    until = f" from {terms.starts.isoformat()}" if terms.starts else ""
    until += f" until {terms.loan_until.isoformat()}" if terms.loan_until else ""
    note = both_sides.note_option(terms.note)
    return f"{begun} request {asked} from {transfer.peer}{until}{option}{note}"


def _quantity_text(asked: Line, given: Sequence[Line]) -> str:
    """Return the quantity as it was requested, if it can be converted; else as the owner counts it."""
    if asked_in(asked, given[0]) is None:
        return plain(total(given))
    return f"{plain(asked.quantity)}{asked.description.units}"


def _word_for(asked: Line, given: Sequence[Line]) -> str:
    """Return the words for a line in a new request: the asker's if they name the offered item, else the owner's."""
    if all(names_line(asked.description.name, line) for line in given):
        return f'"{asked.description.name}"'
    part = given[0].description
    names = [name for name in (part.ipn, part.name) if name and '"' not in name and "#" not in name]
    return f'"{names[0]}"' if names else f"#{given[0].item}"


# --- the owner has nothing of that name: suggest hits for its words ---


def on_declined(turn: Turn, transfer: Transfer, envelope: Message[bodies.Declined], event: EnvelopeSeen) -> None:
    """Take over the owner's refusal. If it has nothing of that name, search at its bot for the words."""
    is_news = transfer.state is TransferState.OPEN and not transfer.is_recalled
    on_end(turn, transfer, envelope, event)
    number = envelope.body.line or (1 if len(transfer.requested) == 1 else 0)
    line = next((line for line in transfer.requested if line.number == number), None)
    is_unknown = is_news and envelope.body.reason == NOT_FOUND and not transfer.terms.confirm
    connection, asker = sequencing.connection_of(turn, transfer), transfer.asked
    if not is_unknown or line is None or connection.state is not ConnectionState.ACTIVE:
        return
    word = line.description.name
    is_words = "#" not in word and "://" not in word and len(word) <= search.LONGEST_WORDS
    if is_words and asker.person in turn.us.people and turn.spends("find", asker.person) is None:
        search.look_for(turn, transfer, line, connection)


def follow(turn: Turn) -> None:
    """After an event: suggest to the asker what a peer found for the words of a request that named nothing."""
    for document in list(turn.changes.values()):
        if isinstance(document, Search) and document.request and document.posted:
            turn.drop(document)
            _suggest_hits(turn, document)


def _suggest_hits(turn: Turn, found: Search) -> None:
    """Post a numbered list of the hits. A number requests that one, with everything else as typed."""
    transfer, hits = turn.transfer(found.request), tuple(hit for _, hit in found.hits if hit.quantity)[:MOST_MEANT]
    if transfer is None or not hits:
        return
    space = turn.party_name(transfer.peer)
    phrase = say(messages.catalogue.did_you_mean, peer_name=space, word=found.words, hits=hits)
    lines = tuple(_line_with_word(turn, transfer, found.line, search.word_for(hit, hits)) for hit in hits)
    turn.choose(transfer.room, transfer.asked.event_id, transfer.asked.person, phrase, lines)


def _line_with_word(turn: Turn, transfer: Transfer, number: int, word: str) -> str:
    """Return the line of the request, with that word for the item of that number."""
    asked = " + ".join(
        f"{plain(line.quantity)}{line.description.units} "
        + (word if line.number == number else f'"{line.description.name}"')
        for line in transfer.requested
    )
    return _request_line(turn, transfer, asked)


@dataclass(frozen=True)
class MatchRequested(both_sides.TellsThatItWaits, WhenAnswered):
    """On the asker's side: reads which of our parts the request's lines are."""

    def answered(self, turn: Turn, event: Answered) -> None:
        """Note each line's destination. Without a part for one, withdraw the request and tell the asker why.

        If the stock has left the owner meanwhile, book it in or refuse it.
        """
        transfer = turn.transfer(self.transfer)
        if transfer is None or transfer.state not in MATCHED_WHILE - {TransferState.SENT}:
            return
        transfer = both_sides.clear_wait(turn, transfer)
        for line, match in zip(transfer.terms.lines, event.answers, strict=True):
            if not isinstance(match, PartMatch):
                raise TypeError(f"a request asks for parts, not {match!r}")
            transfer = with_progress(transfer, destination.matched(turn, transfer, line.number, match))
        turn.save(transfer)
        decides = transfer.granted is not None and transfer.state is TransferState.OPEN and not transfer.wanted
        if decides and card_content.changes(turn.us, transfer) and not _is_confirmed_in_turn(turn, transfer):
            read_who_confirms(turn, transfer)
        if transfer.state is TransferState.CREDITING:
            go_on(turn, transfer)
        elif destination.unmatched(transfer) and transfer.wanted != "cancel":
            _take_back(turn, transfer)


def _take_back(turn: Turn, transfer: Transfer) -> None:
    """Ask the owner to cancel, because no part of ours fits, and tell the asker what would help."""
    withdrawn = replace(transfer, wanted="cancel", problem=NO_PART, decision=None)
    transfer = sequencing.send(turn, withdrawn, bodies.Cancel(reason=NO_PART, **bodies.NOBODY), awaits=True)
    turn.save(transfer)
    turn.note(transfer.id, audit.Fact.NO_PART)
    rest = _rest_with_a_part(turn, transfer)
    lines_with_part = tuple(line for _, given in rest for line in given)
    phrase = say(messages.transfer_card.request_without_part, transfer=transfer, us=turn.us, rest=lines_with_part)
    if rest:
        asked = " + ".join(f"{_quantity_text(line, given)} {_word_for(line, given)}" for line, given in rest)
        lines = (_request_line(turn, transfer, asked),)
        turn.choose(transfer.room, transfer.asked.event_id, transfer.terms.asker, phrase, lines, mentions=True)
        return
    thread, mentions = both_sides.thread_of(transfer), (transfer.terms.asker,)
    turn.do(Post(MessageKind.NO_PART.of(transfer.id), transfer.room, phrase, thread=thread, mentions=mentions))


def _rest_with_a_part(turn: Turn, transfer: Transfer) -> list[tuple[Line, list[Line]]]:
    """Return the requested lines for which we have a part, if only some have none, with what is offered for each.

    A request from anyone has one line, and the rota goes on by itself.
    """
    homeless = {progress.number for progress in destination.unmatched(transfer)}
    known = pieces(transfer.requested, transfer.terms.lines) if turn.rota_of(transfer) is None else []
    return [(asked, given) for asked, given in known if not any(line.number in homeless for line in given)]


def on_granted(turn: Turn, transfer: Transfer, envelope: Message[bodies.Granted], event_id: str) -> None:
    """Post a card for the owner's smaller grant: the asker, or an approver here, decides on it."""
    if transfer.state is not TransferState.OPEN or transfer.wanted:
        turn.save(transfer)
        return
    transfer = _adopted(turn, transfer, envelope.body.terms, envelope.terms_hash, less=True)
    granted = both_sides.signature_in(turn, envelope, transfer.peer, event_id)
    transfer = replace(transfer, granted=granted, decided=None)
    turn.save(transfer)
    turn.note_by(transfer.id, _grant_fact(transfer), granted)
    if not _is_confirmed_in_turn(turn, transfer):
        read_who_confirms(turn, transfer)


def _is_confirmed_in_turn(turn: Turn, transfer: Transfer) -> bool:
    """Whether a running rota decides on the grant. If the rota is lost, the asker's side decides on a card."""
    rota = turn.rota_of(transfer)
    return rota is not None and rota.is_living


def _grant_fact(transfer: Transfer) -> audit.Fact:
    """For the audit: less than requested, or all of it if that has to be confirmed first."""
    is_less = not pieces(transfer.requested, transfer.terms.lines)
    return audit.Fact.GRANTED if transfer.terms.confirm and not is_less else audit.Fact.LESS_GRANTED


# --- the owner's side, which decides and sends ---


def on_request(turn: Turn, connection: Connection, envelope: Message[bodies.Request], event_id: str) -> None:
    """Take in a peer's request, and read which stock items it means. Raises BadTerms if it is invalid."""
    transfer = opening.peers_transfer(turn, connection, envelope, event_id)
    terms = transfer.terms
    if terms.time_zone or terms.rules is not None:
        raise BadTerms("terms.time_zone or terms.rules: that is the owner's to say")
    transfer = replace(transfer, accepted=envelope.body.accepted or "")
    turn.save(transfer)
    turn.note_by(transfer.id, audit.Asked(audit.Asking.REQUEST, connection.peer, by_peer=True), transfer.asked)
    if terms.loan_until is not None and terms.loan_until < turn.day_of(transfer):
        both_sides.end(turn, transfer, TransferState.DECLINED, None, booking.DAY_OVER)
        return
    if overdue.is_refused(turn, transfer):
        both_sides.end(turn, transfer, TransferState.DECLINED, None, overdue.NO_LOANS)
        return
    look_for_items(turn, transfer)


def look_for_items(turn: Turn, transfer: Transfer) -> None:
    """Read which of our stock items each line means, and who may decide. Then the card is posted."""
    shared = share.scope(turn)
    query = FindItems(
        "",
        with_categories=bool(shared.categories or shared.templates) or turn.us.looks_at_categories,
        merges=True,
        whole=True,
        lending=transfer.is_loan and turn.us.lending_from_inventree,
        units=tuple(dict.fromkeys(unit for line in transfer.terms.lines if (unit := line.description.units))),
        by_peer=True,
    )
    queries = (replace(query, word=line.description.name) for line in transfer.terms.lines)
    turn.do(Ask(ShowRequestCard(transfer.id), (*queries, turn.who_may(Permission.APPROVER))))


@dataclass(frozen=True)
class ShowRequestCard(both_sides.TellsThatItWaits, WhenAnswered):
    """At the owner: reads the stock items that a request means, and who may decide, before its card is posted."""

    def answered(self, turn: Turn, event: Answered) -> None:
        """Post the card for the items found, or decline with the reason.

        If there is a text to agree to, post no card yet: the asker's bot asks its person first and withdraws this
        request.
        """
        transfer = turn.transfer(self.transfer)
        if transfer is None or transfer.state is not TransferState.OPEN:
            return
        transfer = both_sides.clear_wait(turn, transfer)
        *found, able = event.answers
        if not isinstance(able, Able):
            raise TypeError(f"a request's card asks who may decide, not {able!r}")
        transfer = _with_items(turn, transfer, found)
        if transfer.state is not TransferState.OPEN:
            return
        is_asked_first = is_to_be_agreed(transfer, transfer.terms)
        if not is_asked_first:
            transfer = transfer.after_telling(Told.CARD)
        transfer, draft = sequencing.write(turn, transfer, bodies.Noted(terms=transfer.terms), awaits=True)
        turn.save(transfer)
        if is_asked_first:
            sequencing.post(turn, transfer, draft)
            return
        people = opening.addressees(turn, able)
        opening.post_card(turn, transfer, people, draft)


def _with_items(turn: Turn, transfer: Transfer, found: Sequence[Answer]) -> Transfer:
    """Return the request with the stock items to give; declined if one of its lines can't be given."""
    lines: list[Line] = []
    moved: list[ValuedLine] = []
    taken: dict[int, Decimal] = {}
    there: list[Decimal] = []
    room = MOST_METADATA
    for line, answer in zip(transfer.terms.lines, found, strict=True):
        if not isinstance(answer, ItemsFound):
            raise TypeError(f"a request asks for items, not {answer!r}")
        items, free = _giveable(turn, transfer, answer, taken)
        chosen = _choose(turn, transfer, line, answer, items, free, MOST_LINES - len(lines))
        if isinstance(chosen, str):
            return both_sides.end(turn, transfer, TransferState.DECLINED, None, chosen, line.number)
        for item, quantity in chosen:
            taken[item.pk] = taken.get(item.pk, Decimal(0)) + quantity
            number = len(lines) + 1
            origin, with_price = free.origins[item.pk], turn.us.tells_prices
            lines.append(
                line_of(number, item, quantity, origin, with_price=with_price, largest_file=turn.us.largest_file)
            )
            there.append(free.there[item.pk])
            moved.append(taken_out(item, quantity))
            text = item.metadata.encode(errors="replace").decode()  # a lone surrogate can't be signed
            if text and len(text.encode()) <= room:
                room -= len(text.encode())
                transfer = with_progress(transfer, replace(transfer.at(number), metadata=text))
    rules = lending_rules.rules_for(turn, moved, taken, found) if transfer.is_loan else ()
    return _on_our_terms(turn, transfer, lines, moved, there, rules)


def _giveable(
    turn: Turn, transfer: Transfer, found: ItemsFound, taken: Mapping[int, Decimal]
) -> tuple[list[StockItem], Free]:
    """Return the items that may be given to this peer, and how much of each is free beside what is `taken`.

    Items that aren't shared get the same answer as items that don't exist, so requests reveal nothing. An item that
    came from the asker may be requested back.
    """
    shared, peer = share.scope(turn), transfer.peer
    origins = {item.pk: "".join(origins_of(turn, item, found.tainted)[:1]) for item in found.items}
    own = [item for item in found.items if balance.borrowed(turn, item) is None and turn.may_move(peer, item.part.pk)]
    is_practice = peer == PRACTICE  # the practice peer may request the parts made for it
    items = [item for item in own if is_practice or shared.covers(item) or origins[item.pk] == peer]
    hidden = {item.pk: merged_stock.total(merged_stock.hidden(turn, item, found, peer)) for item in items}
    there = {item.pk: bookings.promisable(turn, item, ahead=transfer.terms.starts is not None) for item in items}
    return items, Free(peer, origins, there, taken, hidden)


def _choose(
    turn: Turn, transfer: Transfer, line: Line, found: ItemsFound, items: Sequence[StockItem], free: Free, room: int
) -> Chosen | str:
    """Return the items for a line of the request, in at most `room` pieces; or the reason code if it can't be given."""
    wanted = _in_our_units(line, items, found)
    if isinstance(wanted, str):
        return wanted
    chosen = chosen_from(turn, transfer, *wanted, free)
    return chosen if isinstance(chosen, str) or may_come_in_pieces(line, chosen, room) else TOO_LITTLE


def _on_our_terms(
    turn: Turn,
    transfer: Transfer,
    lines: Sequence[Line],
    moved: Sequence[ValuedLine],
    there: Sequence[Decimal],
    rules: Sequence[LendingRule],
) -> Transfer:
    """Return the request with these lines and our lending rules for them; declined if the rules forbid it.

    `there` is the quantity of each line's stock item.
    """
    if refused := _against_rules(turn, transfer, rules):
        return both_sides.end(turn, transfer, TransferState.DECLINED, None, refused)
    combined = lendings.strictest(rules)
    if care := turn.us.care.why(moved) or (BY_RULES if combined is not None and combined.two_people else ""):
        turn.note(transfer.id, audit.NeedsCare(care))
    zone = turn.us.time_zone if transfer.is_loan else ""
    terms = replace(transfer.terms, lines=tuple(lines), time_zone=zone, rules=combined)
    if len(json.dumps(to_json(terms), ensure_ascii=False).encode()) > MOST_WORDS:
        terms = replace(terms, lines=tuple(bare(line) for line in lines))
    transfer = replace(transfer, care=bool(care), ruled_by=lendings.origins(rules), there=tuple(there))
    transfer = on_these_terms(transfer, terms)
    return replace(transfer, over=bookings.conflicts(turn, transfer))


def _in_our_units(
    line: Line, items: Sequence[StockItem], found: ItemsFound
) -> tuple[Sequence[StockItem], Decimal] | str:
    """Return the items with units to which the quantity converts, and the quantity in those; or the reason code."""
    amounts = {item.pk: found.amount(line.quantity, line.description.units, item) for item in items}
    fit = [item for item in items if amounts[item.pk] is not None]
    fit = [item for item in fit if item.part.units == fit[0].part.units]
    if not fit:
        return f"{COUNTED_IN}:{presentable(items[0].part.units)}" if items else NOT_FOUND
    amount = amounts[fit[0].pk] or Decimal(0)
    too_fine = not fits(amount) or (counts_pieces(fit[0].part.units) and is_fraction(amount))
    return f"{COUNTED_IN}:{presentable(fit[0].part.units)}" if too_fine else (fit, amount)


def _against_rules(turn: Turn, transfer: Transfer, rules: Sequence[LendingRule]) -> str:
    """Return the reason code if our lending rules forbid this borrower or this long a loan; '' if they don't."""
    if not lendings.may_borrow(rules, transfer.peer):
        return lendings.NOT_TO_YOU
    first, last = transfer.terms.starts or turn.today(), transfer.terms.loan_until
    return lendings.against_loan(lendings.strictest(rules), first, last) if last is not None else ""
