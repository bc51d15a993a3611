"""Loans to a neighbour without a bot. Only our side books them, with the same steps, marks and reminders.

The approver's line is the decision. The neighbour is a customer company in our InvenTree. Its loans are assigned to
that company and are returned from it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter

from fedbot import messages
from fedbot.rules import time_zones
from fedbot.rules.catalogue.provenance import WriteMirror
from fedbot.rules.loan import balance as borrowing
from fedbot.rules.model import audit
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Ask, Do, Edit, Phrase, Post, say
from fedbot.rules.model.events import Answered, StepDone, StepRefused, StepUnknown
from fedbot.rules.model.lending import OutsideLoan
from fedbot.rules.model.lifecycles import FINAL, MAY_BE_HANDED_OVER, OutsideState, TransferState
from fedbot.rules.model.queries import PersonPermissions, WhenAnswered, WhenStepEnds
from fedbot.rules.model.room import MessageKey, MessageKind
from fedbot.rules.model.steps import (
    Arrived,
    CompanyMade,
    HandedOver,
    HandOver,
    Known,
    Label,
    LoanLabel,
    MakeCompany,
    Mirror,
    PlacedAt,
    PutBack,
    Step,
    StepKind,
    TakeBack,
    Taken,
    TakeOut,
    day_in_notes,
    kind_of_step,
)
from fedbot.rules.model.stock import STATUS_DAMAGED, STATUS_LOST, Permission, Permissions, StockItem
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol import announcements
from fedbot.rules.state import Turn

BEFORE = (timedelta(days=1), timedelta(0))
WEEK = timedelta(days=7)
_LABELS = {
    OutsideState.OUT: LoanLabel.LENT,
    OutsideState.RETURNED: LoanLabel.NOTHING,
    OutsideState.GIFT: LoanLabel.GIVEN,
    OutsideState.LOST: LoanLabel.LOST_THERE,
}


A_MOMENT = timedelta(minutes=10)


def lend(turn: Turn, loan: OutsideLoan) -> None:
    """Open the loan and begin to book it out. The loan's message shows the progress, and a possible duplicate."""
    loan = replace(loan, before=_code_of_duplicate(turn, loan))
    turn.save(loan)
    turn.note_by(loan.id, audit.LentOutside(loan.neighbour), loan.by)
    phrase = _page(turn, loan)
    turn.do(Post(_key(loan), loan.room, phrase, reply_to=loan.by.event_id, answers=loan.by.person))
    link = f"https://matrix.to/#/{turn.us.bot}?outside={quote(loan.neighbour.casefold(), safe='')}"
    company = MakeCompany(_mark(loan, "company"), link, loan.neighbour, f"{loan.neighbour}, a neighbour without a bot")
    _do(turn, loan, company)


def _code_of_duplicate(turn: Turn, loan: OutsideLoan) -> str:
    """The code of an equal loan that the same person made up to 10 minutes before; '' if there is none."""
    same = [
        other.code
        for other in turn.all(OutsideLoan)
        if other.is_living
        and (other.by.person, other.neighbour, other.source) == (loan.by.person, loan.neighbour, loan.source)
        and other.quantity == loan.quantity
        and timedelta(0) <= loan.by.at - other.by.at <= A_MOMENT
    ]
    return same[-1] if same else ""


def _key(loan: OutsideLoan) -> MessageKey:
    return MessageKind.OUTSIDE.of(loan.id, str(loan.posted or ""))


def _mark(loan: OutsideLoan, step: str) -> str:
    return f"fed:{loan.id}:{loan.again + 1}:{step}"


def _do(turn: Turn, loan: OutsideLoan, step: Step) -> None:
    turn.do(Do(OutsideStep(loan.id, kind_of_step(step)), step))


def _known(loan: OutsideLoan) -> Known:
    return Known(loan.part, loan.serial, None, _mark(loan, ""))


def _sentence(loan: OutsideLoan, what: str, by: Signature) -> str:
    return f"{what} {loan.neighbour} until {day_in_notes(loan.until)}, said by {by.in_history}"


def _take_out_step(loan: OutsideLoan) -> TakeOut:
    return TakeOut(
        mark=_mark(loan, "out"),
        note=_sentence(loan, "on its way to", loan.by),
        item=loan.source,
        part=loan.part,
        quantity=loan.quantity,
        serial=loan.serial,
        company=loan.company,
        units=loan.description.units,
    )


def _hand_over_step(loan: OutsideLoan) -> HandOver:
    if loan.item is None or loan.company is None:
        raise ValueError(f"loan {loan.id} has nothing to hand over, or nobody to hand it to")
    note = _sentence(loan, "lent to", loan.by)
    return HandOver(_mark(loan, "over"), note, loan.item, loan.quantity, loan.company, _known(loan))


@dataclass(frozen=True)
class OutsideStep(WhenStepEnds):
    """Carries on a loan to a neighbour without a bot after a step.

    `loan` is its id, `step` the class name of the step.
    """

    loan: str
    step: StepKind

    @property
    def subject(self) -> str:
        """The loan's id."""
        return self.loan

    def done(self, turn: Turn, event: StepDone) -> None:
        """Note the step in the audit and want the next one."""
        loan = turn.get(OutsideLoan, self.loan)
        if loan is not None:
            turn.note(loan.id, audit.StepWasDone(self.step, 1))
            _on_done(turn, loan, event, self.step)

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """End the loan as not lent if nothing has left. Otherwise people must look into it."""
        loan = turn.get(OutsideLoan, self.loan)
        if loan is not None:
            if isinstance(event, StepRefused):
                turn.note(loan.id, audit.StepWasRefused(1, event.problem))
            _on_not_done(turn, loan, event, self.step)


def _on_done(turn: Turn, loan: OutsideLoan, event: StepDone, step: StepKind) -> None:
    match event.result:
        case CompanyMade(company):
            loan = replace(loan, company=company)
            turn.save(loan)
            _mirror(turn, loan)
            turn.do(Ask(BookOutside(loan.id), (PersonPermissions(loan.by.username),)))
        case Taken(item, quantity, status, location):
            loan = replace(loan, stage="taken", item=item, quantity=quantity, status=status, location=location)
            turn.save(loan)
            _do(turn, loan, _hand_over_step(loan))
        case HandedOver() if step is StepKind.HAND_OVER:
            loan = replace(loan, stage="handed")
            if loan.item is not None:
                arrived = _sentence(loan, "lent to", loan.by)
                _do(turn, loan, Arrived(_mark(loan, "arrived"), arrived, loan.item, loan.status, _known(loan)))
            _set_state(turn, loan, OutsideState.OUT)
        case PlacedAt() if step is StepKind.PUT_BACK:
            _end_not_lent(turn, replace(loan, stage=""))
        case PlacedAt(item):
            loan = replace(loan, item=item)
            _end(turn, loan, OutsideState.RETURNED, loan.ended_by or loan.by)


@dataclass(frozen=True)
class BookOutside(WhenAnswered):
    """Reads the lender's permissions again before the loan is booked out, because InvenTree may have been silent."""

    loan: str

    @property
    def subject(self) -> str:
        """The loan's id."""
        return self.loan

    def answered(self, turn: Turn, event: Answered) -> None:
        """Book it out if the lender may still approve, and the item hasn't become a peer's since."""
        loan = turn.get(OutsideLoan, self.loan)
        (permissions,) = event.answers
        if loan is None or not isinstance(permissions, Permissions):
            raise TypeError(f"loan {self.loan} is not booked out by {event.answers!r}")
        if not permissions.covers(Permission.APPROVER):
            _end_not_lent(turn, replace(loan, problem=Plain(Fault.LENDER_MAY_NOT)))
        elif borrowing.became_borrowed(turn, {loan.source}):
            _end_not_lent(turn, replace(loan, problem=Plain(Fault.BORROWED_BY_NOW)))
        else:
            _do(turn, loan, _take_out_step(loan))


def _on_not_done(turn: Turn, loan: OutsideLoan, event: StepRefused | StepUnknown, step: StepKind) -> None:
    loan = replace(loan, problem=event.problem)
    if step in {StepKind.ARRIVED, StepKind.LABEL}:
        turn.tell_admins(say(messages.outside.not_marked, loan=loan), f"outside:{step}:{loan.id}")
    elif isinstance(event, StepUnknown) or step in {StepKind.PUT_BACK, StepKind.TAKE_BACK}:
        _set_unclear(turn, loan)
    elif loan.stage == "taken" and loan.item is not None:
        turn.save(loan)
        note = _sentence(loan, "not lent to", loan.by)
        back = PutBack(_mark(loan, "putback"), note, loan.item, loan.quantity, loan.location, loan.status, _known(loan))
        _do(turn, loan, back)
    else:
        _end_not_lent(turn, loan)


def _end_not_lent(turn: Turn, loan: OutsideLoan) -> None:
    """End the loan as not lent. An item that has been with the neighbour before is unclear instead."""
    if loan.again:
        _set_unclear(turn, loan)
    else:
        _end(turn, loan, OutsideState.NOT_LENT, loan.by)


def _set_unclear(turn: Turn, loan: OutsideLoan) -> None:
    unclear = _set_state(turn, loan, OutsideState.UNCLEAR)
    phrase = _page(turn, unclear)
    turn.tell_admins(phrase, f"outside-unclear:{loan.id}:{turn.now.isoformat()}")


def _page(turn: Turn, loan: OutsideLoan) -> Phrase:
    """The loan's message as it is now."""
    return say(messages.outside.outside_loan, loan=loan, us=turn.us, friend=friend_of(turn, loan))


def friend_of(turn: Turn, loan: OutsideLoan) -> str:
    """The name of the space that takes over the loan; '' if none does."""
    return turn.party_name(loan.friend) if loan.friend else ""


def _set_state(turn: Turn, loan: OutsideLoan, state: OutsideState) -> OutsideLoan:
    """Save the loan in that state, and update its message and the notes in InvenTree."""
    loan = replace(loan, state=state)
    turn.save(loan)
    _mirror(turn, loan)
    turn.note(loan.id, audit.OutsideIs(state))
    turn.do(Edit(_key(loan), announcements.room_now(turn, loan.room), _page(turn, loan)))
    label = _LABELS.get(state)
    if label is not None and loan.item is not None:
        known = Known(loan.part, loan.serial)
        _do(turn, loan, Label(_mark(loan, "label"), loan.item, label, loan.neighbour, loan.code, loan.until, known))
    return loan


def _end(turn: Turn, loan: OutsideLoan, state: OutsideState, by: Signature) -> None:
    _set_state(turn, replace(loan, ended=turn.now, ended_by=by), state)


# --- after a loss of the journal ---

_LOANS = TypeAdapter(tuple[OutsideLoan, ...])


def _mirror(turn: Turn, loan: OutsideLoan) -> None:
    """Mirror the neighbour's loans into its company's metadata, from which a lost journal is rebuilt."""
    if loan.company is not None:
        of_company = (each for each in turn.all(OutsideLoan) if each.company == loan.company and each.is_living)
        living = tuple(replace(each, problem=None) for each in of_company)
        value = {"outside": _LOANS.dump_python(living, mode="json", exclude_defaults=True)}
        text = json.dumps(value, sort_keys=True, ensure_ascii=False)
        turn.do(Do(WriteMirror(loan.id), Mirror(_mark(loan, "mirror"), "company", loan.company, text, is_new=True)))


def is_mirror(value: object) -> bool:
    """Whether a company's metadata is the mirror of a neighbour without a bot."""
    return isinstance(value, dict) and "outside" in value


def restore(turn: Turn, value: dict[str, Any]) -> None:
    """Restore the loans in a neighbour's mirror. A step that was under way becomes unclear, for people to look into.

    Raises ValueError if it can't be read.
    """
    for loan in _LOANS.validate_python(value["outside"]):
        under_way = loan.state in {OutsideState.BOOKING_OUT, OutsideState.COMING_BACK}
        found = replace(loan, posted=loan.posted + 1)  # the event of its message is lost, so it gets a new message
        if under_way or loan.state is OutsideState.UNCLEAR:
            found = replace(found, state=OutsideState.UNCLEAR, problem=Plain(Fault.NO_TRACE))
        turn.save(found)
        turn.do(Post(_key(found), found.room, _page(turn, found)))


def resume_after_loss(turn: Turn) -> None:
    """After everything is read: put loans back that were on offer to a neighbour's bot if no room tells of it."""
    for loan in on_loan(turn):
        if loan.state is OutsideState.HANDING_OVER and turn.transfer(loan.handing) is None:
            _set_state(turn, replace(loan, handing="", friend=""), OutsideState.OUT)


# --- lines of our people ---


def take_back(turn: Turn, loan: OutsideLoan, by: Signature, *, damaged: bool, note: str) -> None:
    """Take it back from the neighbour's company to its former location."""
    loan = replace(loan, ended_by=by, damaged=damaged, note=note, problem=None)
    if loan.item is None or loan.company is None:
        raise ValueError(f"loan {loan.id} has nothing to take back")
    sentence = _sentence(loan, "back from", by) + (f": {note}" if note else "")
    status = STATUS_DAMAGED if damaged else loan.status
    step = TakeBack(
        _mark(loan, "back"), sentence, loan.item, loan.quantity, loan.location, status, loan.company, _known(loan)
    )
    _set_state(turn, loan, OutsideState.COMING_BACK)
    _do(turn, loan, step)


def close(turn: Turn, loan: OutsideLoan, how: OutsideState, by: Signature) -> None:
    """Close a loan that doesn't come back (gift, lost), or that people have put right by hand."""
    if how is OutsideState.LOST and loan.item is not None:
        sentence = _sentence(loan, "lost at", by)
        _do(turn, loan, Arrived(_mark(loan, "lost"), sentence, loan.item, STATUS_LOST, _known(loan)))
    turn.note_by(loan.id, audit.OutsideIs(how), by)
    _end(turn, loan, how, by)


def prolong(turn: Turn, loan: OutsideLoan, day: date, by: Signature) -> None:
    """Extend the neighbour's loan to that day."""
    turn.note_by(loan.id, audit.DueDate(day), by)
    _set_state(turn, replace(loan, until=day, reminded=None), OutsideState.OUT)


# --- handing it over to the neighbour's new bot ---


def is_unchanged(loan: OutsideLoan, item: StockItem) -> bool:
    """Whether our InvenTree shows exactly this loan with the neighbour's company. Checked before it is handed over."""
    found = (item.part.pk, item.serial, item.customer, item.quantity)
    return found == (loan.part, loan.serial, loan.company, loan.quantity)


def bring_back_step(turn: Turn, transfer: Transfer, note: str) -> TakeBack | None:
    """The first step of handing it over: back from the neighbour's company.

    None if this transfer doesn't hand over a loan.
    """
    loan = turn.get(OutsideLoan, transfer.terms.outside.loan) if transfer.terms.outside else None
    if loan is None or loan.handing != transfer.id or loan.item is None or loan.company is None:
        return None
    (line,) = transfer.terms.lines
    mark = f"fed:{transfer.id}:{line.number}:brought"
    return TakeBack(mark, note, loan.item, loan.quantity, loan.location, line.status, loan.company, _known(loan))


def follow(turn: Turn) -> None:
    """After an event: update a loan that is offered to the neighbour's bot from the transfer that offers it."""
    for transfer in list(turn.changes.values()):
        told = transfer.terms.outside if isinstance(transfer, Transfer) and transfer.role == "sender" else None
        loan = turn.get(OutsideLoan, told.loan) if told is not None else None
        if loan is not None and isinstance(transfer, Transfer) and not transfer.is_recalled:
            _follow(turn, loan, transfer)


def _follow(turn: Turn, loan: OutsideLoan, transfer: Transfer) -> None:
    is_next = loan.state in MAY_BE_HANDED_OVER and loan.stage == "handed" and transfer.state not in FINAL
    if is_next:
        loan = replace(loan, handing=transfer.id, handing_code=transfer.code, friend=transfer.peer, problem=None)
        _set_state(turn, loan, OutsideState.HANDING_OVER)
    elif loan.state is OutsideState.HANDING_OVER and loan.handing == transfer.id and transfer.state in FINAL:
        _on_handing_ended(turn, loan, transfer)


def _on_handing_ended(turn: Turn, loan: OutsideLoan, transfer: Transfer) -> None:
    """End the loan as handed over, or give it back to the neighbour as before, depending on how the transfer ended."""
    (line,) = transfer.terms.lines
    progress, by = transfer.at(line.number), transfer.decided or transfer.asked
    if transfer.state is TransferState.DONE:
        _end(turn, loan, OutsideState.HANDED_OVER, by)
    elif transfer.settled is not None:
        _end(turn, loan, OutsideState.CLOSED, transfer.settled.by)
    elif progress.stage in {"brought", "back"}:
        _book_out_again(turn, loan, progress.item or line.item)
    elif progress.failed:
        _set_unclear(turn, replace(loan, problem=loan.problem or Plain(Fault.NO_TRACE)))
    else:
        _set_state(turn, replace(loan, handing="", friend=""), OutsideState.OUT)


def _book_out_again(turn: Turn, loan: OutsideLoan, item: int) -> None:
    """Book it out to the neighbour again, because the transfer failed when it had already left its company."""
    loan = replace(loan, source=item, stage="", handing="", friend="", again=loan.again + 1)
    loan = _set_state(turn, loan, OutsideState.BOOKING_OUT)
    _do(turn, loan, _take_out_step(loan))


# --- by the clock ---


def on_loan(turn: Turn) -> list[OutsideLoan]:
    """The neighbours' loans that are out or unclear, earliest due date first."""
    return sorted((each for each in turn.all(OutsideLoan) if each.is_living), key=lambda each: (each.until, each.id))


def is_overdue(turn: Turn, loan: OutsideLoan) -> bool:
    """Whether its due date has passed in our time zone."""
    return loan.state is OutsideState.OUT and loan.until < turn.today()


def look(turn: Turn) -> None:
    """By the clock: remind the lender one day before the due date, on it, and weekly afterwards."""
    for loan in on_loan(turn):
        when = _next_reminder(turn, loan)
        if when is not None and when <= turn.now:
            turn.save(replace(loan, reminded=turn.now))
            phrase = say(messages.outside.outside_reminder, loan=loan, us=turn.us, today=turn.today())
            key = MessageKind.OUTSIDE_DUE.of(loan.id, turn.now.isoformat())
            room = announcements.room_now(turn, loan.room)
            turn.do(Post(key, room, phrase, thread=_key(loan), mentions=(loan.by.person,)))
            turn.note(loan.id, audit.Reminded((loan.by.person,)))


def next_wake(turn: Turn) -> list[datetime]:
    """The times at which `look` has something to do."""
    return [when for loan in on_loan(turn) if (when := _next_reminder(turn, loan)) is not None]


def _next_reminder(turn: Turn, loan: OutsideLoan) -> datetime | None:
    """When the lender is reminded next: the end of the quiet hours on that day. None if it isn't out."""
    if loan.state is not OutsideState.OUT:
        return None
    last = loan.reminded or loan.by.at
    weeks = max((turn.today() - loan.until).days // 7, 0) + 1
    days = [loan.until - before for before in BEFORE] + [loan.until + week * WEEK for week in range(1, weeks + 1)]
    moments = [moment for moment in (_morning(turn, day) for day in days) if moment > last]
    missed = [moment for moment in moments if moment <= turn.now]
    return missed[-1] if missed else min(moments, default=None)


def _morning(turn: Turn, day: date) -> datetime:
    begins = time_zones.beginning(day, turn.us.time_zone, turn.us.time_zone)
    quiet = turn.us.quiet_until
    return (begins + timedelta(hours=quiet.hour, minutes=quiet.minute)).astimezone(turn.now.tzinfo)
