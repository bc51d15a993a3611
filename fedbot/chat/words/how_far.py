"""How far a transfer has come, for a failure: what is done, what is not, and whether it can still be stopped."""

from __future__ import annotations

from fedbot.chat.content import Inline
from fedbot.chat.words import naming
from fedbot.chat.words.naming import command
from fedbot.chat.words.tongue import Tongue, Words, marked
from fedbot.federation.documents import Transfer, TransferState
from fedbot.federation.home import Home


def how_far(tongue: Tongue, transfer: Transfer, home: Home, peer_name: str) -> tuple[Inline, ...]:
    """What is done and what is not: 'Done: Bea said yes. Not done: nothing has moved, at neither space'."""
    names: dict[str, Words] = {
        "sender": naming.sender(tongue, transfer, home, peer_name),
        "receiver": naming.receiver(tongue, transfer, home, peer_name),
        "who": naming.signed(tongue, transfer.decided),
        "granter": naming.signed(tongue, transfer.granted),
    }
    sentence = _of_sender(transfer) if transfer.role == "sender" else _of_receiver(transfer)
    return tongue.say(sentence, **names)


def how_to_stop(tongue: Tongue, transfer: Transfer) -> tuple[Inline, ...]:
    """The line with which it can still be stopped, or that it can't."""
    verb = _stopping_verb(transfer)
    if verb:
        return tongue.say("To stop it: {cancel}", cancel=command(f"{verb} {transfer.code}"))
    return tongue.say("It can't be stopped half-way.")


def _stopping_verb(transfer: Transfer) -> str:
    """Our own side's word: who decides says no, who asked or gives takes it back."""
    asked_of_sender = transfer.terms.kind in {"request", "extension"}
    ours_to_decide = transfer.granted is None and (transfer.role == "sender") == asked_of_sender
    if transfer.state is TransferState.OPEN:
        return "decline" if ours_to_decide and not transfer.wanted else "cancel"
    return "cancel" if transfer.role == "sender" and transfer.state is TransferState.APPROVED else ""


def _of_sender(transfer: Transfer) -> str:
    match transfer.state:
        case TransferState.OPEN:
            return _open_at_sender(transfer)
        case TransferState.APPROVED:
            return marked("Done: {who} said yes. Not done: nothing has moved, at neither space.")
        case TransferState.DEBITING if _stage(transfer) == "taken":
            return marked(
                "Done: it is taken out of {sender}'s shelf (it lies in Outgoing). Not done: it isn't {receiver}'s yet."
            )
        case TransferState.DEBITING:
            return marked("Done: {who} said yes. Not done: it isn't taken out of {sender}'s stock yet.")
        case TransferState.SENT:
            return marked("Done: it has left {sender}'s stock. Not done: {receiver} has not said that it is booked in.")
        case TransferState.REVERTING:
            return marked("Done: {receiver} could not book it in. Not done: it isn't back in {sender}'s stock yet.")
        case _:
            return marked("Done: {receiver} has it. Not done: {sender}'s own record isn't marked as arrived yet.")


def _open_at_sender(transfer: Transfer) -> str:
    if transfer.granted is not None:
        return marked("Done: {granter} granted less. Not done: {receiver} has not agreed yet. Nothing has moved.")
    if transfer.terms.kind == "request":
        return marked("Done: {receiver} has asked. Not done: nobody has decided yet, and nothing has moved.")
    return marked("Done: it is offered. Not done: nothing has moved, at neither space.")


def _of_receiver(transfer: Transfer) -> str:
    match transfer.state:
        case TransferState.OPEN:
            return _open_at_receiver(transfer)
        case TransferState.SENT | TransferState.CREDITING:
            return marked("Done: it has left {sender}'s stock. Not done: it isn't booked in at {receiver} yet.")
        case TransferState.REFUSED:
            return marked("Done: {receiver} could not book it in. Not done: it isn't back in {sender}'s stock yet.")
        case _:
            return marked("Done: it is booked in at {receiver}. Not done: it isn't put away yet, it lies in Incoming.")


def _open_at_receiver(transfer: Transfer) -> str:
    match transfer.wanted:
        case "approve":
            return marked("Done: {who} said yes. Not done: nothing is booked in at {receiver} yet.")
        case "decline":
            return marked("Done: {who} said no. Not done: {sender} has not noted it yet. Nothing has moved.")
        case "":
            if transfer.terms.kind == "request":
                return marked("Done: {sender} was asked. Not done: nothing has moved, at neither space.")
            return marked("Done: the offer is here. Not done: I don't know yet where it would land. Nothing has moved.")
        case _:
            return marked("Done: I asked to cancel it. Not done: {sender} has not answered yet.")


def _stage(transfer: Transfer) -> str:
    """How far the first line is that isn't through yet."""
    under_way = [p for p in transfer.progress if p.stage in {"", "taken"} and not p.failed]
    return under_way[0].stage if under_way else ""
