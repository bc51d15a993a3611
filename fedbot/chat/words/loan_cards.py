"""The cards of returns and of extensions, and what is said when they are asked for and at their end (DESIGN §6)."""

from __future__ import annotations

from fedbot.chat.content import Inline
from fedbot.chat.words import naming, reasons
from fedbot.chat.words.naming import command
from fedbot.chat.words.tongue import Lines, Tongue, Words
from fedbot.chat.words.transfer_facts import Card, asked, card_of, decided, not_done, settled
from fedbot.federation.documents import Transfer, TransferState
from fedbot.federation.home import Home

DONE = frozenset({TransferState.RECEIVED, TransferState.DONE})
NOT_GIVEN = frozenset({TransferState.DECLINED, TransferState.ABORTED, TransferState.CANCELLED, TransferState.EXPIRED})


def card_of_child(tongue: Tongue, card: Card) -> Lines | None:
    """The card of a return or an extension in its present state; None where it reads as any other's."""
    transfer = card.transfer
    if transfer.state is TransferState.OPEN and not transfer.wanted:
        return _return_to_decide(tongue, card) if transfer.terms.kind == "return" else _longer(tongue, card)
    if transfer.state in DONE:
        return [first_when_done(tongue, card), *_facts(tongue, card), "", transfer.code]
    if transfer.state in NOT_GIVEN:
        return _not_so(tongue, card)
    return None


def _names(tongue: Tongue, card: Card) -> dict[str, Words]:
    return {
        "what": naming.moved(tongue, card.transfer),
        "sender": card.sender,
        "receiver": card.receiver,
        "who": naming.signed(tongue, card.transfer.decided),
        "day": naming.last_day(tongue, card.transfer),
    }


def _return_to_decide(tongue: Tongue, card: Card) -> Lines:
    lines = card.transfer.terms.lines
    first = tongue.of_many(
        "{sender} hands back {what}. Is it here, and as it was?",
        "{sender} hands back {what}. Are they here, and as they were?",
        lines,
        **_names(tongue, card),
    )
    places = tuple(dict.fromkeys(tongue.short(line.place, 60) for line in lines if line.place))
    goes_to: Lines = [tongue.say("Goes back to: {places}", places=", ".join(places))] if places else []
    return [
        first,
        *asked(tongue, card),
        "",
        *(tongue.say("Item: {details}", details=naming.details(tongue, line)) for line in lines),
        *goes_to,
        "",
        _for_whom(tongue, card),
        tongue.say("✅ here, fine · 🔧 here, but damaged · ❌ not here"),
        tongue.say("A reply to this card before you tap goes into the item's history."),
        tongue.say("A photo as a reply, now or later, is kept with the item."),
        _until(tongue, card),
    ]


def _longer(tongue: Tongue, card: Card) -> Lines:
    first = tongue.say("{receiver} asks to keep {what} until {day}. May it stay longer?", **_names(tongue, card))
    return [
        first,
        *asked(tongue, card),
        "",
        _for_whom(tongue, card),
        tongue.say("✅ yes, that is fine · ❌ no, sorry"),
        _until(tongue, card),
    ]


def _for_whom(tongue: Tongue, card: Card) -> tuple[Inline, ...]:
    if not card.people:
        return tongue.say("For the approvers of {space}.", space=card.decider)
    who = naming.people(tongue, card.people, any_of=True)
    if len(card.people) == 1:
        return tongue.say("For {who} (approver of {space}).", who=who, space=card.decider)
    return tongue.say("For {who} (approvers of {space}).", who=who, space=card.decider)


def _until(tongue: Tongue, card: Card) -> tuple[Inline, ...]:
    return tongue.say("Open until {when} · {code}", when=tongue.when(card.transfer.due), code=card.transfer.code)


def first_when_done(tongue: Tongue, card: Card) -> tuple[Inline, ...]:
    """'✅ 1 × Laser lens is back at attraktor, damaged.'."""
    names, things = _names(tongue, card), card.transfer.terms.lines
    if card.transfer.terms.kind == "extension":
        return tongue.say("✅ {what} may stay at {receiver} until {day}.", **names)
    if card.transfer.damaged:
        return tongue.of_many(
            "🔧 {what} is back at {receiver}, damaged.", "🔧 {what} are back at {receiver}, damaged.", things, **names
        )
    return tongue.of_many("✅ {what} is back at {receiver}.", "✅ {what} are back at {receiver}.", things, **names)


def _facts(tongue: Tongue, card: Card) -> Lines:
    return [decided(tongue, card), *settled(tongue, card), *not_done(tongue, card)]


def _not_so(tongue: Tongue, card: Card) -> Lines:
    transfer = card.transfer
    names = _names(tongue, card)
    if transfer.terms.kind == "extension" and transfer.problem == "loan-over":
        return [tongue.say("No more time is needed for {what}: the loan is over.", **names), transfer.code]
    if transfer.terms.kind == "extension" and transfer.problem == "other-day":
        first = tongue.say("Answered: {sender} has said by itself until when {what} may stay.", **names)
    elif transfer.terms.kind == "extension":
        first = tongue.say("❌ No more time for {what}: it goes back as agreed.", **names)
    elif transfer.state is TransferState.DECLINED and transfer.decided and transfer.decided.person:
        first = tongue.of_many(
            "❌ Not here: {what} stays on loan, at {sender}.",
            "❌ Not here: {what} stay on loan, at {sender}.",
            transfer.terms.lines,
            **names,
        )
    else:
        first = tongue.of_many(
            "Not handed back: {what} stays on loan, at {sender}.",
            "Not handed back: {what} stay on loan, at {sender}.",
            transfer.terms.lines,
            **names,
        )
    lines: Lines = [first]
    if transfer.decided is not None and transfer.decided.person:
        who, when = naming.signed(tongue, transfer.decided), tongue.when(transfer.decided.at)
        space = card.space_of(transfer.decided.party)
        lines.append(tongue.say("By {who} ({space}), {when}", who=who, space=space, when=when))
    if transfer.problem in reasons.KNOWN:
        why = reasons.why_not_given(tongue, transfer.problem, card.sender, card.receiver)
        lines.append(tongue.say("Why: {why}", why=why))
        if instead := reasons.what_instead(tongue, transfer.problem, card.sender, command("spaces")):
            lines.append(instead)
    return [*lines, tongue.say("Nothing has moved."), transfer.code]


# --- the answers to the lines ------------------------------------------------------------------------------------


def child_asked(tongue: Tongue, transfer: Transfer, peer: str) -> Lines:
    """The answer to the borrower's line: a return is offered, or more time asked for."""
    names: dict[str, Words] = {"what": naming.moved(tongue, transfer), "peer": peer}
    if transfer.terms.kind == "return":
        first = tongue.say("{peer} is asked to take back {what}.", **names)
        rest = tongue.say("Nothing has moved yet: an approver of {peer} says whether it is there.", **names)
    else:
        day = naming.last_day(tongue, transfer)
        first = tongue.say("{peer} is asked whether {what} may stay until {day}.", day=day, **names)
        rest = tongue.say("Until an approver of {peer} says yes, it is due as before.", **names)
    return [first, rest, _how_to_stop(tongue, transfer), transfer.code]


def _how_to_stop(tongue: Tongue, transfer: Transfer) -> tuple[Inline, ...]:
    return tongue.say(
        "Open until {when}. To take it back, reply: {cancel}",
        when=tongue.when(transfer.due),
        cancel=command("cancel"),
    )


def return_asked(tongue: Tongue, *, transfer: Transfer, home: Home, peer_name: str) -> Lines:
    """The answer to the owner's line: it is here, so it leaves the borrower's books."""
    card = card_of(tongue, transfer, home, peer_name)
    names, things = _names(tongue, card), transfer.terms.lines
    if transfer.damaged:
        first = tongue.of_many("{what} comes back, damaged.", "{what} come back, damaged.", things, **names)
    else:
        first = tongue.of_many("{what} comes back.", "{what} come back.", things, **names)
    return [
        first,
        tongue.of_many(
            "{sender}'s bot gives it out of its books; then {receiver} has it in stock again, in its old place.",
            "{sender}'s bot gives them out of its books; then {receiver} has them in stock again, in their old places.",
            things,
            **names,
        ),
        transfer.code,
    ]
