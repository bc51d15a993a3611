"""Answers to `cancel`, and to a typed decision that isn't ours or comes too early."""

from __future__ import annotations

from fedbot.chat.words import naming
from fedbot.chat.words.decisions import why_not_entitled
from fedbot.chat.words.naming import command
from fedbot.chat.words.states import state_in_words
from fedbot.chat.words.tongue import Lines, Tongue
from fedbot.chat.words.transfer_facts import by_another_name, no_part_for
from fedbot.federation.documents import Connection, Transfer, TransferState
from fedbot.federation.home import Home
from fedbot.federation.stock import Right, Rights

Subject = Connection | Transfer


def no_part_for_it_yet(tongue: Tongue, *, transfer: Transfer, numbers: tuple[int, ...], home: Home) -> Lines:
    """A yes to something that has no part at the receiver: what makes one."""
    space = naming.space(tongue, home.name)
    lines: Lines = [
        tongue.say(
            "Not counted: {space} has no place for {what} yet ({code}).",
            space=space,
            what=naming.things(tongue, [transfer.line(number) for number in numbers]),
            code=transfer.code,
        )
    ]
    lines += [no_part_for(tongue, transfer, number, space) for number in numbers[: naming.MOST_IN_FIRST_LINE]]
    lines += by_another_name(tongue, transfer)
    lines.append(tongue.say("Nothing has moved. I look again now; when the card shows a place, tap ✅ once more."))
    return lines


def decided_elsewhere(tongue: Tongue, *, subject: Subject, party: str) -> Lines:
    """The other space's people decide on it."""
    space = naming.space(tongue, party)
    return [
        tongue.say("Not counted: {case} is for {space} to decide.", case=naming.case(tongue, subject), space=space),
        tongue.say(
            "It can be taken back as long as nothing has moved: {cancel}", cancel=command(f"cancel {subject.code}")
        ),
    ]


def decision_stopped(tongue: Tongue, *, subject: Subject) -> Lines:
    """A decision was taken back within its few seconds."""
    return [
        tongue.say("Stopped in time: nothing is decided about {case}.", case=naming.case(tongue, subject)),
        tongue.say("Its card is open again."),
    ]


def cancelled(tongue: Tongue, *, subject: Subject, home: Home) -> Lines:
    """It is taken back, and nothing had moved."""
    del home
    first = tongue.say("Taken back: {case}.", case=naming.case(tongue, subject))
    if isinstance(subject, Transfer):
        return [first, tongue.say("Nothing has moved.")]
    if subject.company is not None:
        return [first, tongue.say("What was made for it in our InvenTree is taken back too.")]
    return [first, tongue.say("Nothing was made.")]


def cancel_asked(tongue: Tongue, *, transfer: Transfer, peer_name: str) -> Lines:
    """The sender has the last word until the stock has left it."""
    peer = naming.space(tongue, peer_name)
    return [
        tongue.say("I have asked {peer} to take it back: {case}.", peer=peer, case=naming.case(tongue, transfer)),
        tongue.say(
            "It counts when {peer}'s bot says so; the card shows it. If it has left {peer} already, it comes.",
            peer=peer,
        ),
    ]


_MOVING = frozenset({TransferState.SENT, TransferState.CREDITING, TransferState.APPROVED, TransferState.DEBITING})


def too_late_to_cancel(tongue: Tongue, *, subject: Subject, peer_name: str) -> Lines:
    """Stock is moving, or both sides are set up."""
    peer, case = naming.space(tongue, peer_name), naming.case(tongue, subject)
    if isinstance(subject, Connection):
        return [
            tongue.say("Too late: {case} is set up on our side, and {peer} may be using it.", case=case, peer=peer),
            tongue.say("Nothing was changed."),
        ]
    if subject.state is TransferState.DISPUTED:
        return [
            tongue.say(
                "Not taken back: nobody can tell what became of {case}, so people have to look first.", case=case
            ),
            tongue.say("All that I know of it: {show}", show=command(f"show {subject.code}")),
        ]
    if subject.state in _MOVING:
        first = tongue.say("Too late: {case} is on its way.", case=case)
    else:
        first = tongue.say("Too late: {case} is booked in, or on its way back.", case=case)
    if subject.role == "sender":
        return [first, tongue.say("Nothing was changed. {peer} can offer it back to you.", peer=peer)]
    return [first, tongue.say("Nothing was changed. You can offer it back to {peer}.", peer=peer)]


def decline_instead(tongue: Tongue, *, subject: Subject) -> Lines:
    """It is ours to decide, so the way is a no."""
    return [
        tongue.say("Not taken back: {case} is for us to decide.", case=naming.case(tongue, subject)),
        tongue.say("Say no with ❌ on its card, or: {decline}", decline=command(f"decline {subject.code}")),
    ]


def friends_stay(tongue: Tongue, *, connection: Connection) -> Lines:
    """Cancelling doesn't end a friendship."""
    return [
        tongue.say(
            "Nothing to take back: we and {peer} are friends already.", peer=naming.space(tongue, connection.peer_name)
        ),
        tongue.say("{cancel} only takes back what isn't agreed yet. I did nothing.", cancel=command("cancel")),
    ]


def over_already(tongue: Tongue, *, subject: Subject) -> Lines:
    """It is at its end."""
    return [
        tongue.say("Nothing to take back: {case} is over.", case=naming.case(tongue, subject)),
        state_in_words(tongue, subject),
    ]


def not_yours_to_cancel(
    tongue: Tongue, *, subject: Subject, rights: Rights, right: Right, home: Home, able: tuple[str, ...]
) -> Lines:
    """Somebody else's asking, and not the right to take it back."""
    space = naming.space(tongue, home.name)
    lines: Lines = [
        tongue.say("Not taken back: {case} isn't yours.", case=naming.case(tongue, subject)),
        why_not_entitled(tongue, rights, right, space),
    ]
    if able:
        lines.append(
            tongue.say(
                "{who} may (who asked), or {people}.",
                who=naming.signed(tongue, subject.asked),
                people=naming.people(tongue, able, any_of=True),
            )
        )
    else:
        lines.append(tongue.say("{who} may (who asked).", who=naming.signed(tongue, subject.asked)))
    return lines
