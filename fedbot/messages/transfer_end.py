"""How a transfer's card reads at its end: done, declined, taken back, not given, back again, unclear."""

from __future__ import annotations

from collections.abc import Callable

from fedbot.messages import naming, reasons
from fedbot.messages.formatting import Bold, Inline
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.loan import closed_line, is_home, lent_at_first, line_ends, on_terms, what_to_reply
from fedbot.messages.naming import command
from fedbot.messages.reasons import diagnosis
from fedbot.messages.transfer_facts import Card, decided, failed, not_done, received, settled, where_it_is
from fedbot.rules.model.settlement import LOST
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState


def _done(tongue: Locale, card: Card) -> Lines:
    names: dict[str, Words] = {
        "what": naming.moved(tongue, card.transfer),
        "sender": card.sender,
        "receiver": card.receiver,
    }
    if card.transfer.is_loan:
        first = tongue.of_many(
            "✅ Done: {what} is on loan from {sender} to {receiver} until {day}.",
            "✅ Done: {what} are on loan from {sender} to {receiver} until {day}.",
            card.lines_out,
            day=naming.last_day(tongue, card.transfer),
            **{**names, "what": Bold(naming.all_of(tongue, card.lines_out))},
        )
    else:
        first = tongue.say("✅ Done: {what} went from {sender} to {receiver}, to keep.", **names)
    if failed(card.transfer):
        first = tongue.say(
            "✅ Done in part: {what} went from {sender} to {receiver}, {terms}.",
            what=_arrived_things(tongue, card.transfer),
            sender=card.sender,
            receiver=card.receiver,
            terms=on_terms(tongue, card.transfer),
        )
    if card.transfer.closed is not None:
        first = closed_line(tongue, card)
    footer = what_to_reply(tongue, card.transfer)
    lines: Lines = [
        first,
        *lent_at_first(tongue, card),
        *line_ends(tongue, card),
        decided(tongue, card),
        *received(tongue, card),
        *settled(tongue, card),
        "",
        *([] if is_home(card.transfer) else where_it_is(tongue, card)),
        *not_done(tongue, card),
    ]
    return [*lines, "", footer, card.transfer.code]


def _arrived_things(tongue: Locale, transfer: Transfer) -> str:
    """What did go, where some of it did not."""
    bad = {progress.number for progress in failed(transfer)}
    return naming.things(tongue, [line for line in transfer.terms.lines if line.number not in bad])


def _declined(tongue: Locale, card: Card) -> Lines:
    what = naming.moved(tongue, card.transfer)
    by = card.transfer.decided
    if by is None or not by.person:
        first = tongue.say("❌ Not given: {what}.", what=what)
        why = reasons.why_not_given(tongue, card.transfer.problem, card.sender, card.receiver)
        instead = reasons.what_instead(tongue, card.transfer.problem, card.sender, command("spaces"))
        said = [first, tongue.say("Why: {why}", why=why), tongue.say("Nothing has moved."), instead]
        return [*(line for line in said if line), card.transfer.code]
    first = tongue.of_many(
        "❌ Declined: {what} stays at {sender}.",
        "❌ Declined: {what} stay at {sender}.",
        card.transfer.terms.lines,
        what=what,
        sender=card.sender,
    )
    reason: Lines = [tongue.say("Why: {why}", why=f"“{tongue.short(by.note, 300)}”")] if by.note else []
    return [first, _by_whom(tongue, card), *reason, tongue.say("Nothing has moved."), card.transfer.code]


def _cancelled(tongue: Locale, card: Card) -> Lines:
    transfer = card.transfer
    first = tongue.of_many(
        "Cancelled: {what} stays at {sender}.",
        "Cancelled: {what} stay at {sender}.",
        transfer.terms.lines,
        what=naming.moved(tongue, transfer),
        sender=card.sender,
    )
    lines: Lines = [first]
    if transfer.decided is not None and transfer.decided.person:
        lines.append(_by_whom(tongue, card))
    if transfer.problem in reasons.KNOWN:
        why = reasons.why_not_given(tongue, transfer.problem, card.sender, card.receiver)
        lines.append(tongue.say("Why: {why}", why=why))
    return [*lines, tongue.say("Nothing has moved."), transfer.code]


def _by_whom(tongue: Locale, card: Card) -> tuple[Inline, ...]:
    signature = card.transfer.decided
    if signature is None:
        return tongue.say("By {space}", space=card.decider)
    return tongue.say(
        "By {who} ({space}), {when}",
        who=naming.signed(tongue, signature),
        space=card.space_of(signature.party),
        when=tongue.when(signature.at),
    )


def _expired(tongue: Locale, card: Card) -> Lines:
    return [
        tongue.of_many(
            "Expired: {what} stays at {sender}.",
            "Expired: {what} stay at {sender}.",
            card.transfer.terms.lines,
            what=naming.moved(tongue, card.transfer),
            sender=card.sender,
        ),
        tongue.say(
            "Nobody of {decider} decided until {when}.", decider=card.decider, when=tongue.when(card.transfer.due)
        ),
        tongue.say("Nothing has moved. {who} can start it again.", who=naming.signed(tongue, card.transfer.asked)),
        card.transfer.code,
    ]


def _aborted(tongue: Locale, card: Card) -> Lines:
    first = tongue.of_many(
        "Not given: {what} stays at {sender}.",
        "Not given: {what} stay at {sender}.",
        card.transfer.terms.lines,
        what=naming.moved(tongue, card.transfer),
        sender=card.sender,
    )
    why = tongue.say("Why: {why}", why=reasons.why_not_given(tongue, card.transfer.problem, card.sender, card.receiver))
    instead = reasons.what_instead(tongue, card.transfer.problem, card.sender, command("spaces"))
    lines: Lines = [first, decided(tongue, card), *settled(tongue, card), "", why]
    if len(card.transfer.terms.lines) > 1:
        lines += not_done(tongue, card)
    lines.append(
        tongue.say(
            "Nothing has left {sender}; {receiver} has booked nothing in.", sender=card.sender, receiver=card.receiver
        )
    )
    return [*lines, instead, card.transfer.code] if instead else [*lines, card.transfer.code]


def _refused(tongue: Locale, card: Card) -> Lines:
    names: dict[str, Words] = {"sender": card.sender, "receiver": card.receiver}
    first = tongue.of_many(
        "Not booked in: {what} goes back to {sender}.",
        "Not booked in: {what} go back to {sender}.",
        card.transfer.terms.lines,
        what=naming.moved(tongue, card.transfer),
        sender=card.sender,
    )
    lines: Lines = [first, decided(tongue, card), *settled(tongue, card), "", *_inventree_said(tongue, card)]
    lines.append(
        tongue.say(
            "Done: it had left {sender}'s stock. Not done: {receiver} has booked nothing in, and won't.", **names
        )
    )
    lines.append(tongue.say("Next: {sender}'s bot takes it back into its stock by itself. Nothing to do.", **names))
    return [*lines, card.transfer.code]


def _reverted(tongue: Locale, card: Card) -> Lines:
    names: dict[str, Words] = {"what": naming.moved(tongue, card.transfer), "sender": card.sender}
    if card.transfer.settled is not None and card.transfer.settled.truth == LOST:
        return [
            tongue.of_many(
                "Lost: {what} is at neither space, and written off at {sender}.",
                "Lost: {what} are at neither space, and written off at {sender}.",
                card.transfer.terms.lines,
                **names,
            ),
            decided(tongue, card),
            *settled(tongue, card),
            card.transfer.code,
        ]
    first = tongue.of_many(
        "Back again: {what} is in {sender}'s stock as before.",
        "Back again: {what} are in {sender}'s stock as before.",
        card.transfer.terms.lines,
        **names,
    )
    lines: Lines = [first, decided(tongue, card), *settled(tongue, card), "", *_inventree_said(tongue, card)]
    if card.transfer.settled is None:
        lines.append(
            tongue.say(
                "{receiver} could not book it in, so {sender} took it back.", sender=card.sender, receiver=card.receiver
            )
        )
    who = naming.signed(tongue, card.transfer.asked)
    if card.transfer.settled is None:
        lines.append(tongue.say("Once that is fixed, {who} can start again.", who=who))
    else:  # people took it back: nothing is broken
        lines.append(tongue.say("{who} can start again.", who=who))
    return [*lines, card.transfer.code]


def _inventree_said(tongue: Locale, card: Card) -> Lines:
    said = diagnosis(tongue, card.transfer.problem)
    return [tongue.say("{receiver}'s InvenTree said: {said}", receiver=card.receiver, said=said)] if said else []


def _disputed(tongue: Locale, card: Card) -> Lines:
    names: dict[str, Words] = {"sender": card.sender, "receiver": card.receiver}
    by = card.transfer.dispute.by if card.transfer.dispute else ()
    spaces = tongue.names([card.space_of(party) for party in by], any_of=True)
    what, parcel = naming.moved(tongue, card.transfer), card.transfer.parcel
    unclear = tongue.say("⚠ Unclear: nobody can tell what became of {what}.", what=what)
    counted = tongue.say("It may be counted wrong at {sender} or {receiver}; I do nothing more about it.", **names)
    if parcel is not None and parcel.missing is not None:
        who = naming.signed(tongue, parcel.missing)
        unclear = tongue.say("⚠ Missing: {what} did not arrive, says {who}.", what=what, who=who)
        if not _may_be_booked_in(card.transfer):
            counted = tongue.say("It is out of {sender}'s stock, and not booked in at {receiver}.", **names)
    return [
        unclear,
        decided(tongue, card),
        "",
        counted,
        tongue.say(
            "A superuser of {space} settles it: {resolve}", space=spaces or card.sender, resolve=command("resolve")
        ),
        tongue.say("In the stock histories in InvenTree it is under {mark}.", mark=f"fed:{card.transfer.id}"),
        card.transfer.code,
    ]


def _may_be_booked_in(transfer: Transfer) -> bool:
    """Whether the receiver has begun to, or says that it has."""
    begun = transfer.role == "receiver" and any(p.stage or p.acting or p.unknown for p in transfer.progress)
    return begun or (transfer.dispute is not None and bool(transfer.dispute.said))


ENDS: dict[TransferState, Callable[[Locale, Card], Lines]] = {
    TransferState.RECEIVED: _done,
    TransferState.DONE: _done,
    TransferState.DECLINED: _declined,
    TransferState.CANCELLED: _cancelled,
    TransferState.EXPIRED: _expired,
    TransferState.ABORTED: _aborted,
    TransferState.REFUSED: _refused,
    TransferState.REVERTING: _refused,
    TransferState.REVERTED: _reverted,
    TransferState.DISPUTED: _disputed,
}
