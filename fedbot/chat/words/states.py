"""Where a case stands, in one sentence: for lists, for `show`, for what is over."""

from __future__ import annotations

from fedbot.chat.content import Inline
from fedbot.chat.words import naming
from fedbot.chat.words.tongue import Tongue, marked
from fedbot.federation.documents import Connection, ConnectionState, Ending, Transfer, TransferState

_TRANSFERS: dict[TransferState, str] = {
    TransferState.OPEN: marked("Waits for a yes or no, until {due}."),
    TransferState.APPROVED: marked("{who} said yes; it is taken out of stock next."),
    TransferState.DEBITING: marked("{who} said yes; it is being taken out of stock."),
    TransferState.SENT: marked("It has left its old place and is on its way; it is booked in next."),
    TransferState.CREDITING: marked("It is being booked in."),
    TransferState.RECEIVED: marked("It is booked in; the sender's record is being finished."),
    TransferState.DONE: marked("Done, {ended}."),
    TransferState.DECLINED: marked("{who} said no. Nothing has moved."),
    TransferState.CANCELLED: marked("{who} took it back. Nothing has moved."),
    TransferState.EXPIRED: marked("Nobody decided until {due}. Nothing has moved."),
    TransferState.ABORTED: marked("It could not be given. Nothing has left."),
    TransferState.REFUSED: marked("It could not be booked in, and goes back."),
    TransferState.REVERTING: marked("It could not be booked in, and goes back."),
    TransferState.REVERTED: marked("It could not be booked in, and is back where it came from."),
    TransferState.DISPUTED: marked("⚠ Nobody can tell what became of it; people have to look."),
}
_BY_NOBODY: dict[TransferState, str] = {
    TransferState.DECLINED: marked("It could not be given. Nothing has moved."),
    TransferState.CANCELLED: marked("It was cancelled. Nothing has moved."),
}
_WANTED: dict[str, str] = {
    "approve": marked("{who} said yes; the other space takes it out of its stock next."),
    "decline": marked("{who} said no; the other space has not noted it yet."),
    "cancel": marked("The other space was asked to take it back."),
}
_CLOSED: dict[Ending, str] = {
    Ending.RETURNED: marked("Lent, and back since {when}."),
    Ending.GIFT: marked("Lent, then made a gift by {who}, {when}."),
    Ending.LOST: marked("Lent, and lost, says {who}, {when}."),
    Ending.KEPT: marked("Borrowed; it stays here as theirs, says {who}, {when}: the owner's bot is gone."),
}
_LONGER: dict[TransferState, str] = {
    TransferState.OPEN: marked("More time is asked for, until {day}; waits for a yes or no."),
    TransferState.DONE: marked("More time was given by {who}, until {day}."),
    TransferState.DECLINED: marked("More time was asked for, until {day}, and not given."),
}
_CONNECTIONS: dict[ConnectionState, str] = {
    ConnectionState.ASKED: marked("Waits for the other space, until {due}."),
    ConnectionState.OFFERED: marked("Waits for a superuser of ours, until {due}."),
    ConnectionState.MAKING: marked("Both have said yes; it is being set up."),
    ConnectionState.READY: marked("Our side is set up; the other one's isn't yet."),
    ConnectionState.ACTIVE: marked("We are friends."),
    ConnectionState.ENDING: marked("It is ending: nothing new starts, what moves is finished first."),
    ConnectionState.SUSPENDED: marked("⚠ Paused: the other bot's key or account changed."),
    ConnectionState.DECLINED: marked("It was declined."),
    ConnectionState.CANCELLED: marked("It was taken back."),
    ConnectionState.EXPIRED: marked("Nobody decided until {due}, or it was not set up by then."),
    ConnectionState.ENDED: marked("It was ended."),
}


def state_in_words(tongue: Tongue, subject: Connection | Transfer) -> tuple[Inline, ...]:
    """'Waits for a yes or no, until Tue 1 Dec, 20:14.'."""
    due = tongue.when(subject.due)
    if isinstance(subject, Connection):
        sentence = _CONNECTIONS[subject.state]
        if subject.state is ConnectionState.MAKING and subject.needs:
            sentence = marked("Both have said yes; it waits for an admin of ours.")
        elif subject.state is ConnectionState.SUSPENDED and subject.changed_room:
            sentence = marked("⏸ Waits: its room was replaced.")
        return tongue.say(sentence, due=due)
    if subject.is_on_loan or subject.closed is not None or subject.terms.kind == "extension":
        return _of_loan(tongue, subject)
    if subject.state is TransferState.OPEN:
        wanted = _open(subject)
    elif subject.decided is None or not (subject.decided.name or subject.decided.person):
        wanted = _BY_NOBODY.get(subject.state) or _parcel(subject)
    else:
        wanted = _parcel(subject)
    ended = tongue.when(subject.ended) if subject.ended else ""
    who = naming.signed(tongue, subject.decided)
    left = tongue.when(subject.parcel.left) if subject.parcel and subject.parcel.left else ""
    return tongue.say(wanted or _TRANSFERS[subject.state], due=due, who=who, ended=ended, left=left)


def _parcel(transfer: Transfer) -> str | None:
    """What is said otherwise of a parcel."""
    if transfer.parcel is None or transfer.parcel.left is None:
        return None
    if transfer.state is TransferState.SENT:
        return marked("📦 On its way by parcel since {left}; booked in when somebody says that it is there.")
    if transfer.parcel.missing is None:
        return None
    if transfer.state is TransferState.DISPUTED:
        return marked("⚠ The parcel did not arrive; people have to say what became of it.")
    if transfer.state is TransferState.REFUSED:
        return marked("The parcel did not arrive; its sender says whether it is back, or lost.")
    if transfer.state in {TransferState.REVERTING, TransferState.REVERTED}:
        return marked("The parcel did not arrive; it stands in its sender's books again.")
    return None


def _of_loan(tongue: Tongue, transfer: Transfer) -> tuple[Inline, ...]:
    """What is lent, until when; how that ended; what more time was asked for."""
    day = naming.last_day(tongue, transfer)
    if transfer.closed is not None:
        closed = transfer.closed
        return tongue.say(_CLOSED[closed.how], when=tongue.when(closed.by.at), who=naming.signed(tongue, closed.by))
    if not transfer.is_on_loan:
        asked = _LONGER.get(transfer.state, _LONGER[TransferState.DECLINED])
        if transfer.problem == "other-day":
            asked = marked("More time was asked for, until {day}; {who} has given another day.")
        return tongue.say(asked, day=day, who=naming.signed(tongue, transfer.decided))
    overdue = transfer.due_day is not None and transfer.due_day < tongue.today_there(transfer.terms.time_zone)
    if transfer.role == "sender":
        return tongue.say("⚠ Lent; it was due {day}." if overdue else "Lent until {day}.", day=day)
    return tongue.say("⚠ Borrowed; it was due {day}." if overdue else "Borrowed until {day}.", day=day)


def _open(transfer: Transfer) -> str | None:
    """What an open transfer waits for, if not just for a yes or no."""
    if transfer.wanted:
        return _WANTED.get(transfer.wanted)
    return marked("Less was granted; waits for a yes to that, until {due}.") if transfer.granted else None
