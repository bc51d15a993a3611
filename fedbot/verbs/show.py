"""`!fed show ID`: one case, with everything that led to where it stands, who and when."""

from __future__ import annotations

from fedbot.federation import ledger, loans
from fedbot.federation.commands import Command
from fedbot.federation.documents import Transfer
from fedbot.federation.effects import Phrase, say
from fedbot.federation.questions import Answer, AuditOf, AuditTrail, Question
from fedbot.federation.state import Turn
from fedbot.federation.stock import Right
from fedbot.federation.verdicts import Subject
from fedbot.verbs.naming import subject_meant
from fedbot.verbs.spec import Argument, Handler, Kind, Verb

SPEC = Verb(
    name="show",
    summary="one case, who did what",
    right=Right.MAPPED,
    only_looks=True,
    arguments=(Argument("id", Kind.SUBJECT, "ID", optional=True),),
    examples=("show k7m2",),
    details=("As a reply to a card it needs no ID. Of a loan it tells the last day, and what came back.",),
    everyday=7,
)


def _meant(turn: Turn, command: Command) -> Subject | Phrase:
    return subject_meant(turn, command, SPEC, tuple(turn.open_transfers()))


def ask(turn: Turn, command: Command) -> tuple[Question, ...] | Phrase:
    """All that is noted about the case."""
    subject = _meant(turn, command)
    return subject if isinstance(subject, Phrase) else (AuditOf(subject.id),)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Tell it, oldest first."""
    subject = _meant(turn, command)
    return subject if isinstance(subject, Phrase) else story(turn, command, subject, answers)


def story(turn: Turn, command: Command, subject: Subject, answers: tuple[Answer, ...]) -> Phrase:
    """Where a case stands, and everything that led there."""
    (trail,) = answers
    if not isinstance(trail, AuditTrail):
        raise TypeError(f"a story is told from the audit, not from {trail!r}")
    people = {entry.who for _, entry in trail.entries if entry.who.startswith("@")}
    return say(
        "shown",
        subject=subject,
        home=turn.home,
        peer_name=turn.party_name(subject.peer),
        entries=trail.entries,
        returns=tuple(loans.returns(turn, subject)) if isinstance(subject, Transfer) and subject.is_loan else (),
        names={person: turn.name_of(person, subject.room) for person in sorted(people)},
        pages=_pages(turn, subject) if command.room not in turn.home.rooms else (),
    )


def _pages(turn: Turn, subject: Subject) -> tuple[tuple[int, str], ...]:
    """Our stock items of the case, each with its page in our InvenTree, whose address is nobody else's business."""
    if not isinstance(subject, Transfer):
        return ()
    items = dict.fromkeys(ledger.our_item(subject, line) for line in subject.terms.lines)
    api = turn.standing().api
    return tuple((item, ledger.item_page(turn.home.inventory_url, api, item)) for item in items if item)


HANDLER = Handler(SPEC, ask, act)
