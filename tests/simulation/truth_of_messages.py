"""Compare messages about stock with the content of the InvenTrees at that time.

A message is parsed here as people read it, in English. A side must be right about what it can know: the sender about
what has left, the receiver about what it has booked in, and both about the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fedbot.messages.markup import Rendered
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.lending import OutsideLoan
from fedbot.rules.model.lifecycles import FINAL
from fedbot.rules.model.transfer import Transfer
from tests.simulation.party import Party

if TYPE_CHECKING:
    from tests.simulation.auditor import Auditor, Movement

WITHOUT_STOCK = frozenset({"extension"})
NOTHING_MOVED = ("Nothing has moved", "nothing has moved, in either", "and nothing has moved", "Nothing has left")
NOTHING_BOOKED_IN = ("has booked nothing in", "othing is booked in")
BACK_AGAIN = ("Back again: ",)


@dataclass
class Told:
    """Compares messages with the facts. `read` counts the messages that were checked."""

    auditor: Auditor
    read: int = 0
    _held: set[tuple[str, str, str]] = field(default_factory=set)

    def says(self, party: Party, phrase: Phrase, at: datetime, words: Callable[[Phrase, datetime], Rendered]) -> None:
        """Check a message that the party's bot is about to send."""
        if party is self.auditor.liar:
            return
        for transfer in _found(phrase, Transfer):
            self._of_transfer(party, transfer, phrase, at, words)
        for loan in _found(phrase, OutsideLoan):
            self._of_neighbour(party, loan, phrase, at, words)

    def _of_transfer(
        self,
        party: Party,
        transfer: Transfer,
        phrase: Phrase,
        at: datetime,
        words: Callable[[Phrase, datetime], Rendered],
    ) -> None:
        known = self.auditor.settled | self.auditor.forged
        if transfer.id in known or transfer.terms.parent in known or transfer.terms.kind in WITHOUT_STOCK:
            return
        if transfer.peer == (self.auditor.liar.id if self.auditor.liar is not None else ""):
            return
        text = words(phrase, at).plain
        self.read += 1
        for each in self.auditor.parties:
            self.auditor.look(each)
        lines = [self.auditor.movements.get((transfer.id, line.number)) for line in transfer.terms.lines]
        moved = [line for line in lines if line is not None]
        of = f"{transfer.id[:4]} ({transfer.role}, {transfer.state})"
        name = f"{party.id}: of {of} people read {phrase.name}: {text!r}"
        knows = transfer.role == "sender" or transfer.state in FINAL
        if knows and _says(text, NOTHING_MOVED) and any(_is_out(line) for line in moved):
            self.auditor.wrong(f"{name}, and stock has left ({moved})")
        if _says(text, NOTHING_BOOKED_IN) and any(line.created for line in moved):
            self.auditor.wrong(f"{name}, and stock is booked in ({moved})")
        if _says(text, BACK_AGAIN) and any(line.over != line.back or line.created for line in moved):
            self.auditor.wrong(f"{name}, and it isn't all back ({moved})")

    def _of_neighbour(
        self,
        party: Party,
        loan: OutsideLoan,
        phrase: Phrase,
        at: datetime,
        words: Callable[[Phrase, datetime], Rendered],
    ) -> None:
        text = words(phrase, at).plain
        self.read += 1
        self.auditor.look(party)
        there = self.auditor.outside.with_neighbour(party, loan)
        name = f"{party.id}: of {loan.code} ({loan.state}) people read {phrase.name}: {text!r}"
        if "Not lent:" in text and there:
            self.auditor.wrong(f"{name}, and {there} of it are with the neighbour")
        if " is back from " in text and there:
            self.auditor.wrong(f"{name}, and {there} of it are with the neighbour")


def _is_out(line: Movement) -> bool:
    """Whether it has left its location and hasn't returned."""
    return line.out - line.put_back - line.back > 0


def _says(text: str, sentences: tuple[str, ...]) -> bool:
    return any(each in text for each in sentences)


def _found(phrase: Phrase, kind: type[Any]) -> Iterator[Any]:
    """The subjects of a phrase. If there are several of one kind, none is returned, because only their words tell them
    apart.
    """
    about = [value for value in phrase.about.values() if isinstance(value, kind)]
    if len(about) == 1:
        yield about[0]
